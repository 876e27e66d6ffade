//! SKVS204: the chart repository refuses the credentials.

use crate::diagnosis::case::Case;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::diagnosis::sources::{self, Fault, Told};

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

const FAULT: Fault = Fault {
    wrong: "refuses the credentials",
    why: "The repository answers, and does not let source-controller in.",
    step: "Look which Secret it uses, and renew that:",
};

fn check(case: &Case<'_>) -> Verdict {
    let is = |t: &Told| {
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
    sources::repository(case, is, &FAULT)
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
