//! SKVS210: the chart repository's URL is not valid.

use crate::diagnosis::case::Case;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::diagnosis::sources::{self, Fault};
use crate::model::source_error::SourceError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS210",
    slug: "repository-url-invalid",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart repository's URL is not valid",
    explanation: r#"`spec.url` of the source cannot be used as it stands: another scheme than http, https or oci, an `oci://` URL without
`type: oci`, a tag in the URL of an OCIRepository. Flux does not try again before it is changed."#,
    fix: r#"See it: `kubectl get helmrepository -n flux-system wit-artifactory -o jsonpath='{.spec.type} {.spec.url}'`

Correct `spec.url` (or `spec.type`) of the source in its manifest."#,
    example: r#"URLInvalid: invalid Helm repository URL: 'oci' URL scheme cannot be used with 'default' HelmRepository type"#,
    needs: &[],
    explains: sources::FOLLOWS,
    when: always,
    check,
};

const FAULT: Fault = Fault {
    kind: SourceError::Url,
    wrong: "cannot be asked: its URL is not valid",
    why: "source-controller does not even try, and waits for a change of the source.",
    step: "Correct spec.url (or spec.type) of the source in its manifest:",
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
            fixture::sentence("repository-url-invalid", "SKVS210"),
            "HelmRepository flux-system/wit-artifactory at oci://registry.example/charts cannot be asked: its URL is not valid"
        );
        assert_eq!(
            fixture::sentence("repository-url-invalid-old", "SKVS210"),
            "HelmRepository flux-system/wit-artifactory at htps://artifactory.example/helm cannot be asked: its URL is not valid"
        );
    }
}
