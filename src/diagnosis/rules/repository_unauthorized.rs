//! SKVS204: the chart repository refuses the credentials.

use crate::diagnosis::case::Case;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources::{self, Fault};
use crate::model::source_error::SourceError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS204",
    slug: "repository-unauthorized",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart repository refuses the credentials",
    explanation: r#"The repository answers 401 or 403: the user name and password in the Secret of `spec.secretRef` are wrong, outdated or
missing, or the account may not read the chart. Many registries give the same answer for a path that does not exist."#,
    fix: r#"See it: `kubectl get helmrepository -n flux-system wit-artifactory -o jsonpath='{.spec.secretRef.name}'`

Renew the Secret (keys `username` and `password`; for an OCI registry one of type docker-registry), or have the account given
access."#,
    example: r#"failed to fetch Helm repository index: failed to cache index to temporary file: failed to fetch https://… : 401 Unauthorized"#,
    explains: sources::FOLLOWS,
    check,
};

const FAULT: Fault = Fault {
    kind: SourceError::Unauthorized,
    wrong: "refuses the credentials",
    why: "The repository answers, but refuses source-controller.",
    step: "Find its Secret, and renew it:",
};

fn check(case: &Case<'_>) -> Verdict {
    sources::repository(case, &FAULT)
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
