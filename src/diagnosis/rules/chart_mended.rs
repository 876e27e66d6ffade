//! SKVS239: Flux's error about the chart is out of date.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Subject};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::source_error::SourceError;
use crate::snapshot::IfRead;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS239",
    slug: "chart-mended",
    severity: Severity::Warning,
    role: Role::Cause,
    title: "Flux's error about the chart is out of date",
    explanation: r#"The HelmRelease repeats its HelmChart's last error, and the HelmChart repeats its source's. The object is healthy by now, but
Flux has not checked again."#,
    fix: r#"See it: `kubectl get helmcharts.source.toolkit.fluxcd.io -n flux-system`

Wait: Flux checks again within `spec.interval` (new controllers within 30 seconds). Or have it check now:
`flux reconcile helmrelease NAME`"#,
    example: r#"HelmRelease: HelmChart 'flux-system/x' is not ready: no artifact available …, and the HelmChart is Ready"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    if case.is_ready() {
        return Ok(None);
    }
    let told = sources::find(case, SourceError::NoSource);
    let there = case.source().if_read();
    // The chart waits for a source that has been fetched since.
    let waited = sources::find(case, SourceError::NoArtifact);
    let fetched = there.filter(|source| source.well().is_some());
    let (subject, state, seen) = match (told, there, sources::chart(case)) {
        (_, _, Some(chart)) if sources::is_outdated(case) => {
            (chart, "is Ready", case.seen_failure().into_iter().collect())
        }
        (None, Some(source), Some(chart))
            if fetched.is_some() && waited.as_ref().is_some_and(|(t, _)| t.subject == chart) =>
        {
            let seen = waited.map(|(_, seen)| seen).unwrap_or_default();
            (Subject::from(&source.meta), "is Ready", seen)
        }
        (Some((_, seen)), Some(source), _) => (Subject::from(&source.meta), "exists", seen),
        _ => return sources::nothing(case),
    };
    let again = sources::reconcile(case, &case.subject());
    sources::finding(
        case,
        &subject,
        &format!("{subject} {state} by now, but Flux has not checked again"),
        "The conditions keep the earlier error until the next check.",
    )
    .severity(Severity::Warning)
    .seen([Evidence::new(subject.clone(), ".status", state)])
    .seen(seen)
    .step("Wait for the next check, within spec.interval, or have Flux check now:")
    .command(again)
    .then(then(case, Fixes::Elsewhere))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("chart-mended", "SKVS239"),
            "HelmChart flux-system/flux-system-skvs-onboarding-pds--database is Ready by now, but Flux has not checked again"
        );
        assert_eq!(
            fixture::sentence("chart-mended-source", "SKVS239"),
            "HelmRepository flux-system/wit-artifactory exists by now, but Flux has not checked again"
        );
    }
}
