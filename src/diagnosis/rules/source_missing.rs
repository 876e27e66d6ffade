//! SKVS206: the chart's source does not exist.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::diagnosis::sources;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS206",
    slug: "source-missing",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart's source does not exist",
    explanation: r#"`spec.chart.spec.sourceRef` names a HelmRepository (or GitRepository, Bucket) that is not there. Without a namespace the
reference means the HelmRelease's own."#,
    fix: r#"See it: `kubectl get helmrepositories.source.toolkit.fluxcd.io -A`

Correct the reference in the manifest. The runbook's is the HelmRepository `wit-artifactory` in `flux-system`."#,
    example: r#"failed to get source: helmrepositories.source.toolkit.fluxcd.io "wit-artifactry" not found"#,
    needs: &[],
    explains: &["SKVS108", "SKVS110"],
    when: always,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let is = |t: &sources::Told| {
        t.says(&["failed to get source: ", "could not get Source object: "])
            && t.says(&["\" not found"])
    };
    let told = sources::find(case, is);
    let Some(source) = sources::source(case) else {
        return sources::nothing(case);
    };
    if told.is_none() && !sources::source_is_absent(case) {
        return sources::nothing(case);
    }
    let mut finding = Finding::new(
        source.clone(),
        format!("{source} does not exist, and the chart is to come from it"),
    )
    .severity(sources::severity(case));
    if sources::source_is_absent(case) {
        finding = finding.seen([Evidence::new(source, "", "not found")]);
    }
    finding
        .why("spec.chart.spec.sourceRef names it; without a namespace the reference means the HelmRelease's own.")
        .seen(told.map(|(_, evidence)| evidence).unwrap_or_default())
        .step("See which there are, and correct spec.chart.spec.sourceRef in the manifest:")
        .command(["kubectl", "get", "helmrepositories.source.toolkit.fluxcd.io", "-A"])
        .then(then(case, Fixes::Manifest))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("source-missing", "SKVS206"),
            "HelmRepository flux-system/wit-artifactry does not exist, and the chart is to come from it"
        );
    }
}
