//! SKVS217: the chart's source is suspended.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Subject};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::field::Field;
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
    let Some(suspended) = sources::links(case).find(|link| link.is_suspended()) else {
        return sources::nothing(case);
    };
    let subject = Subject::from(&suspended.meta);
    let stored = &suspended.artifact;
    let age = stored
        .set()
        .and_then(|artifact| case.seconds_since(artifact.last_update_time.as_str()))
        .map_or(String::new(), |s| format!(", stored {} ago", duration(s)));
    let why = match stored {
        Field::Set(_) => format!("Nothing newer is fetched; the stored chart{age} stays in use."),
        Field::Absent => {
            "Nothing is stored, so Flux has no chart to install until it is resumed.".to_owned()
        }
        Field::Malformed => "Nothing is fetched until it is resumed.".to_owned(),
    };
    let mut finding = sources::finding(
        case,
        &subject,
        &format!("{subject} is suspended: source-controller does nothing for it"),
        &why,
    );
    // What is stored may be all that is needed.
    if stored.set().is_some() || suspended.is_static() {
        finding = finding.severity(Severity::Warning);
    }
    finding
        .seen([Evidence::new(
            subject.clone(),
            ".spec.suspend",
            "suspend: true",
        )])
        .seen(
            sources::complaints(case)
                .iter()
                .map(sources::Complaint::evidence),
        )
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
