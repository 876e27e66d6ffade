//! SKVS213: the repository does not have the chart's archive, tag or digest.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Evidence;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::source_error::{SourceError, is_archive};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS213",
    slug: "not-in-registry",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the repository does not have the chart's archive, tag or digest",
    explanation: r#"The OCI registry answers but has nothing under the path with this tag or digest. An exact version is not looked up in a list
first: it fails when it is pulled. A HelmRepository's URL is extended by the chart's name. If the repository has an index,
the index names an archive that does not exist (any more)."#,
    fix: r#"See it: `helm show chart oci://REGISTRY/PATH/CHART --version VERSION`

Correct the version, the chart's name or the URL, or have an outdated index rebuilt. If it should exist, ask the chart's
publisher."#,
    example: r#"failed to get 'oci://registry.example/charts/secure-kvs-onboarding:0.9.9': … not found
failed to determine artifact digest: … MANIFEST_UNKNOWN: manifest unknown"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((told, evidence)) = sources::find(case, SourceError::NotInRegistry) else {
        return sources::nothing(case);
    };
    let subject = sources::repository_of(case, &told);
    let (chart, version) = sources::wanted(case);
    let (holder, field) = sources::version_field(case);
    if let Some(layer) = layer(&told.condition.message) {
        return sources::finding(
            case,
            &subject,
            &sources::at(
                case,
                &subject,
                &format!("lacks a layer of {chart} {version}: {layer}"),
            ),
            "The registry has the chart's manifest, but a layer named in it is missing.",
        )
        .seen(evidence)
        .step("Push the chart again, or have the registry repaired:")
        .command(sources::describe(&subject))
        .then(then(case, Fixes::Elsewhere))
        .into();
    }
    let archive = is_archive(&told.condition.message);
    let wrong = if archive {
        format!("has no archive for {chart} {version}")
    } else {
        format!("has no {chart} {version}")
    };
    sources::finding(
        case,
        &subject,
        &sources::at(case, &subject, &wrong),
        if archive {
            "The repository's index names an archive that does not exist."
        } else {
            "The registry answers, but has nothing under this path with this tag or digest."
        },
    )
    .seen([Evidence::new(
        holder.clone(),
        field,
        &format!("version {version:?}"),
    )])
    .seen(evidence)
    .steps(sources::named_twice(case).map(|chart| {
        format!("Remove /{chart} from the end of the source's spec.url first: Flux appends the chart's name, so it asks for a path that does not exist.")
    }))
    .step(format!(
        "Correct {} of {holder} in its manifest, or have that version published",
        field.trim_start_matches('.')
    ))
    .command(sources::describe(&subject))
    .then(then(case, Fixes::Manifest))
    .into()
}

/// The digest in `could not fetch content descriptor sha256:… (…) from remote: not found`.
fn layer(text: &str) -> Option<&str> {
    let blob = text
        .split_once("/blobs/")
        .filter(|_| text.contains("BLOB_UNKNOWN"));
    let (_, rest) = blob.or_else(|| text.split_once("could not fetch content descriptor "))?;
    let digest = rest.split([' ', '(']).next()?.trim_end_matches(':');
    digest.starts_with("sha256:").then_some(digest)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("not-in-registry", "SKVS213"),
            "HelmRepository flux-system/wit-artifactory at oci://registry.example/charts has no secure-kvs-onboarding 0.9.9"
        );
        assert_eq!(
            fixture::sentence("not-in-registry-chart-ref", "SKVS213"),
            "OCIRepository flux-system/onboarding at oci://registry.example/charts/secure-kvs-onboarding has no secure-kvs-onboarding 0.9.9"
        );
    }
}
