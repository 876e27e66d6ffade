//! SKVS206: the chart's source does not exist.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Evidence;
use crate::diagnosis::peers::{self, Wrong};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::source::Source;
use crate::model::source_error::SourceError;
use crate::snapshot::IfRead;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS206",
    slug: "source-missing",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart's source does not exist",
    explanation: r#"`spec.chart.spec.sourceRef` names a HelmRepository (or GitRepository, Bucket) that does not exist, or `spec.chartRef` names a
missing OCIRepository or HelmChart. Without a namespace the reference means the HelmRelease's own."#,
    fix: r#"See it: `kubectl get helmrepositories.source.toolkit.fluxcd.io -A`

Correct the reference in the manifest. The runbook's is the HelmRepository `wit-artifactory` in `flux-system`."#,
    example: r#"failed to get source: helmrepositories.source.toolkit.fluxcd.io "wit-artifactry" not found"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let told = sources::find(case, SourceError::NoSource);
    let absent = sources::source_is_absent(case);
    // The source itself was looked at: what was said of it before is out of date.
    if told.is_none() && !absent || case.source().if_read().is_some() {
        return sources::nothing(case);
    }
    // What chartRef names is missing, or the source of what it names.
    let by_ref = case.hr().spec.chart_ref.is_some();
    let itself = by_ref && (case.chart() == Ok(None) || sources::is_own_source(case));
    let of_chart = |(told, _): &(sources::Complaint, Vec<Evidence>)| {
        told.condition.message.contains("HelmChart.source.")
    };
    let subject = if itself || by_ref && told.as_ref().is_some_and(of_chart) {
        sources::chart(case)
    } else if told.as_ref().is_some_and(of_chart) {
        // Flux makes this HelmChart itself.
        None
    } else {
        sources::source(case)
    };
    let Some(subject) = subject else {
        return sources::nothing(case);
    };
    let field = if by_ref {
        "spec.chartRef"
    } else {
        "spec.chart.spec.sourceRef"
    };
    let part = match sources::chart(case).as_ref() == Some(&subject) {
        true => case.chart(),
        false => case.source(),
    };
    let stays = |source: &Source| source.meta.deleted.is_absent();
    if !absent && part.if_read().is_some_and(stays) {
        let sentence =
            format!("Flux could not find {subject}, the chart's source, which exists now");
        return sources::finding(
            case,
            &subject,
            &sentence,
            "It was created after Flux looked for it.",
        )
        .seen(told.map(|(_, evidence)| evidence).unwrap_or_default())
        .step("Have it fetched:")
        .command(sources::reconcile(case, &subject))
        .then(then(case, Fixes::Elsewhere))
        .into();
    }
    let resource = sources::resource(&subject.kind);
    let mut finding = sources::finding(
        case,
        &subject,
        &if absent {
            format!("{subject}, the chart's source, does not exist")
        } else {
            format!("Flux cannot find {subject}, the chart's source")
        },
        &format!(
            "{field} names it; without a namespace the reference means the HelmRelease's own."
        ),
    );
    if absent {
        finding = finding.seen([Evidence::new(subject, "", "not found")]);
    }
    finding
        .seen(told.map(|(_, evidence)| evidence).unwrap_or_default())
        .change(peers::chart(case, Wrong::Source).filter(|_| !by_ref))
        .step(format!(
            "List the existing ones, and correct {field} in the manifest:"
        ))
        .command(["kubectl", "get", &resource, "-A"])
        .then(then(case, Fixes::Manifest))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, fixture};
    use crate::model::source::Source;
    use crate::snapshot::Read;
    use serde_json::json;

    #[test]
    fn what_chart_ref_names_is_missing() {
        assert_eq!(
            fixture::sentence("source-missing-helm-chart", "SKVS206"),
            "HelmChart flux-system/onboarding, the chart's source, does not exist"
        );
        assert_eq!(
            fixture::sentence("source-missing-chart-ref", "SKVS206"),
            "OCIRepository flux-system/onboarding, the chart's source, does not exist"
        );
    }

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("source-missing", "SKVS206"),
            "HelmRepository flux-system/wit-artifactry, the chart's source, does not exist"
        );
    }

    #[test]
    fn a_source_made_since_is_said_to_exist() {
        let name = "source-missing-chart-ref";
        let mut snapshot = fixture::snapshot(name);
        let made = json!({"metadata": {"namespace": "flux-system", "name": "onboarding"}});
        snapshot.chart = Read::Seen(Source::from_value(&made, "OCIRepository"));
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let finding = (super::RULE.check)(&case).unwrap().unwrap();
        assert_eq!(
            finding.sentence,
            "Flux could not find OCIRepository flux-system/onboarding, the chart's source, which exists now"
        );
    }
}
