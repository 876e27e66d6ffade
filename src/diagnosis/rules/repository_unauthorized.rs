//! SKVS204: the chart repository refuses the credentials.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::diagnosis::sources;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS204",
    slug: "repository-unauthorized",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart repository refuses the credentials",
    explanation: r#"The repository answers with 401 or 403: the Secret that `spec.secretRef` names is missing, wrong or out of date, or the
account may not read the chart."#,
    fix: r#"See it: `kubectl get helmrepository -n flux-system wit-artifactory -o jsonpath='{.spec.secretRef.name}'`

Renew the Secret (keys `username` and `password`), or have the account let in."#,
    example: r#"failed to fetch Helm repository index: failed to cache index to temporary file: failed to fetch https://… : 401 Unauthorized"#,
    needs: &[],
    explains: &["SKVS108", "SKVS110"],
    when: always,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let is = |t: &sources::Told| {
        let texts = [
            " : 401",
            " : 403",
            "status code 401",
            "status code 403",
            "unexpected status code 401",
            "unauthorized: ",
            "denied: ",
            "failed to authorize: ",
            "failed to get authentication secret",
            "failed to get TLS authentication secret",
        ];
        t.condition.reason == "AuthenticationFailed" || t.says(&texts)
    };
    let Some((told, evidence)) = sources::find(case, is) else {
        return sources::nothing(case);
    };
    let subject = sources::source(case).unwrap_or(told.subject);
    let url = sources::url(case);
    let at = if url.is_empty() {
        String::new()
    } else {
        format!(" at {url}")
    };
    let mut finding = Finding::new(
        subject.clone(),
        format!("{subject}{at} refuses the credentials"),
    )
    .severity(sources::severity(case))
    .why("The repository answers, and does not let source-controller in.");
    if case.is_ready() {
        finding = finding.why("The onboarding runs on the chart it has; it will get no newer one.");
    }
    finding
        .seen(evidence)
        .step("Look which Secret it uses, and renew that:")
        .command([
            "kubectl",
            "describe",
            "-n",
            &subject.namespace,
            &subject.kind.to_lowercase(),
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
            fixture::sentence("repository-unauthorized", "SKVS204"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm refuses the credentials"
        );
    }
}
