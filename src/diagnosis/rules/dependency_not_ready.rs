//! SKVS103: a HelmRelease that this one depends on is not ready.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Evidence;
use crate::diagnosis::finding::{Finding, Subject};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::helm_release::GROUP;
use crate::model::status;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS103",
    slug: "dependency-not-ready",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a HelmRelease that this one depends on is not ready",
    explanation: r#"Flux installs a HelmRelease only when all that `spec.dependsOn` names is Ready. The onboarding itself is not at fault and
has not been tried."#,
    fix: r#"See it: `kubectl get helmreleases.helm.toolkit.fluxcd.io -A`

Mend the dependency, or take it out of `spec.dependsOn` if it is not needed."#,
    example: r#"DependencyNotReady: dependency 'flux-system/istio' is not ready"#,
    needs: &[],
    explains: &["SKVS108", "SKVS110"],
    when: depends,
    check,
};

fn depends(case: &Case<'_>) -> bool {
    case.reason() == "DependencyNotReady"
}

fn check(case: &Case<'_>) -> Verdict {
    // The object says which one it is; the message only where no object was seen to be at fault.
    let seen = case.snapshot.dependencies.iter().find_map(|d| {
        let (namespace, name) = d.id.split_once('/')?;
        let subject = Subject::new("HelmRelease", namespace, name);
        if d.helm_release.is_absent() {
            return Some((subject, "does not exist".to_owned()));
        }
        let hr = d.helm_release.seen()?;
        let headline = status::headline(hr);
        (headline.ready != status::Ready::True).then(|| (subject, headline.line()))
    });
    let (subject, state) = match seen {
        Some(seen) => seen,
        None => match case
            .error()
            .split('\'')
            .nth(1)
            .and_then(|id| id.split_once('/'))
        {
            Some((namespace, name)) => (
                Subject::new("HelmRelease", namespace, name),
                "not ready".to_owned(),
            ),
            None => (case.subject(), "a dependency is not ready".to_owned()),
        },
    };
    Finding::new(
        subject.clone(),
        format!(
            "it waits for HelmRelease {}, which is not ready",
            subject.id()
        ),
    )
    .why("Flux installs it only when everything in spec.dependsOn is Ready.")
    .seen(case.seen_failure())
    .seen([Evidence::new(subject.clone(), ".status", &state)])
    .step("Mend the dependency first:")
    .command([
        "kubectl",
        "describe",
        "-n",
        &subject.namespace,
        &format!("helmreleases.{GROUP}"),
        &subject.name,
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
            fixture::sentence("dependency-not-ready", "SKVS103"),
            "it waits for HelmRelease flux-system/istio, which is not ready"
        );
    }
}
