//! SKVS217: the chart's source is suspended.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Subject};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::text::age::duration;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS217",
    slug: "source-suspended",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart's source is suspended",
    explanation: r#"With `spec.suspend: true` source-controller ignores a HelmRepository or HelmChart and fetches nothing. The stored chart stays
in use; if none was stored, the onboarding waits for ever."#,
    fix: r#"See it:
`kubectl get helmrepositories.source.toolkit.fluxcd.io -A -o custom-columns=NAME:.metadata.name,SUSPEND:.spec.suspend`

Ask who suspended it, and why. Then remove `suspend` from its manifest, or `flux resume source helm NAME`."#,
    example: r#"spec.suspend is true on HelmRepository flux-system/wit-artifactory"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((object, kind)) = sources::links(case).find(|(o, _)| sources::is_suspended(o)) else {
        return sources::nothing(case);
    };
    let subject = Subject::of(object, kind);
    let stored = sources::artifact(object);
    let age = stored
        .and_then(|a| a.get("lastUpdateTime")?.as_str())
        .and_then(|t| case.seconds_since(Some(t)))
        .map_or(String::new(), |s| format!(", stored {} ago", duration(s)));
    let why = match stored {
        Some(_) => format!("Nothing newer is fetched; the stored chart{age} stays in use."),
        None => {
            "Nothing is stored, so Flux has no chart to install until it is resumed.".to_owned()
        }
    };
    let mut finding = sources::finding(
        case,
        &subject,
        &format!("{subject} is suspended: source-controller does nothing for it"),
        &why,
    );
    // What is stored may be all that is needed.
    if stored.is_some() || sources::is_static(object) {
        finding = finding.severity(Severity::Warning);
    }
    finding
        .seen([Evidence::new(
            subject.clone(),
            ".spec.suspend",
            "suspend: true",
        )])
        .seen(sources::told(case).iter().map(sources::Told::evidence))
        .step("Find out who suspended it and why. To resume, remove suspend from its manifest, or:")
        .command([
            "kubectl",
            "patch",
            "-n",
            &subject.namespace,
            &sources::resource(&subject.kind),
            &subject.name,
            "--type=merge",
            "-p={\"spec\":{\"suspend\":false}}",
        ])
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("source-suspended", "SKVS217"),
            "HelmRepository flux-system/wit-artifactory is suspended: source-controller does nothing for it"
        );
        assert_eq!(
            fixture::sentence("ready-source-suspended", "SKVS217"),
            "HelmRepository flux-system/wit-artifactory is suspended: source-controller does nothing for it"
        );
    }
}
