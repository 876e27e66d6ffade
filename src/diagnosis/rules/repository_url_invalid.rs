//! SKVS210: the chart repository's URL is invalid.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources::{self, Fault};
use crate::model::source::Source;
use crate::model::source_error::SourceError;
use crate::snapshot::IfRead;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS210",
    slug: "repository-url-invalid",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart repository's URL is invalid",
    explanation: r#"`spec.url` of the source cannot be used: another scheme than http, https or oci, an `oci://` URL without `type: oci`, or a
tag in the URL of an OCIRepository. Flux does not try again until it is changed."#,
    fix: r#"See it: `kubectl get helmrepository -n flux-system wit-artifactory -o jsonpath='{.spec.type} {.spec.url}'`

Correct `spec.url` (or `spec.type`) of the source in its manifest."#,
    example: r#"URLInvalid: invalid Helm repository URL: 'oci' URL scheme cannot be used with 'default' HelmRepository type"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

const FAULT: Fault = Fault {
    kind: SourceError::Url,
    wrong: "cannot be used: its URL is invalid",
    why: "source-controller does not try to connect, and waits for a change of the source.",
    step: "Correct spec.url (or spec.type) of the source in its manifest:",
};

/// A registry that is taken for a repository with an index.
const UNTYPED: Fault = Fault {
    kind: SourceError::Url,
    wrong: "is an OCI registry, but spec.type is not oci",
    why: "Without spec.type: oci source-controller asks for an index, which a registry does not have.",
    step: "Set spec.type: oci in the manifest of the source:",
};

/// An index that names its archives in a registry.
const POINTS_TO_OCI: Fault = Fault {
    kind: SourceError::Url,
    wrong: "has an index that names archives in an OCI registry, which Flux cannot fetch through an index",
    why: "The index has an address that begins with oci://. A registry needs a source of type oci.",
    step: "Set spec.url to that registry and spec.type: oci in the manifest of the source, or use a version that the index has elsewhere:",
};

/// Plain HTTP, which this source-controller does not speak.
const PLAIN: Fault = Fault {
    kind: SourceError::Url,
    wrong: "cannot be used: its URL, or the proxy's, is http, and source-controller runs with --insecure-allow-http=false",
    why: "The controller's administrator has forbidden plain HTTP.",
    step: "Use the https address in the manifest of the source:",
};

fn check(case: &Case<'_>) -> Verdict {
    // An OCIRepository has no spec.type.
    let is_untyped = |source: &Source| {
        let other =
            source.repository_type.is_absent() || source.repository_type.text() == "default";
        source.meta.kind == "HelmRepository" && other
    };
    let is_untyped = case.source().if_read().is_some_and(is_untyped);
    if sources::url(case).starts_with("oci://") && is_untyped {
        return sources::repository(case, &UNTYPED);
    }
    let told = sources::find(case, SourceError::Url);
    if told
        .as_ref()
        .is_some_and(|(t, _)| t.condition.message.contains("insecure plain HTTP"))
    {
        return sources::repository(case, &PLAIN);
    }
    if let Some((told, _)) = told
        && told
            .condition
            .message
            .contains("unsupported protocol scheme \"oci\"")
    {
        return sources::repository(case, &POINTS_TO_OCI);
    }
    sources::repository(case, &FAULT)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("repository-url-invalid", "SKVS210"),
            "HelmRepository flux-system/wit-artifactory at oci://registry.example/charts is an OCI registry, but spec.type is not oci"
        );
        assert_eq!(
            fixture::sentence("repository-url-invalid-old", "SKVS210"),
            "HelmRepository flux-system/wit-artifactory at htps://artifactory.example/helm cannot be used: its URL is invalid"
        );
    }
}
