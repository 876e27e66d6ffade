//! SKVS205: the chart repository's URL is wrong.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources::{self, Fault};
use crate::model::source_error::SourceError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS205",
    slug: "repository-wrong-url",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart repository's URL is wrong",
    explanation: r#"The server answers 404: it has no `index.yaml` under the repository's URL. The path is wrong, or the repository was renamed or
removed. The URL must not contain `index.yaml` itself. The same code covers other answers that a repository never gives, such
as a redirect loop, and a bucket, Git repository or branch that does not exist."#,
    fix: r#"See it: `kubectl get helmrepository -n flux-system wit-artifactory -o jsonpath='{.spec.url}'`

Correct `spec.url` of the HelmRepository; for a GitRepository also `spec.ref`, for a Bucket its name, endpoint and region."#,
    example: r#"failed to fetch Helm repository index: failed to cache index to temporary file: failed to fetch https://…/index.yaml : 404 Not Found"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

const FAULT: Fault = Fault {
    kind: SourceError::NotFound,
    wrong: "has no index there",
    why: "The server answers, but has no chart repository under this URL.",
    step: "Correct spec.url of the repository:",
};

/// It redirects without end.
const CIRCLE: Fault = Fault {
    kind: SourceError::NotFound,
    wrong: "redirects in a loop",
    why: "The server redirects each request to another address: often a login page, or http and https that redirect to each other.",
    step: "Follow the redirects with curl -IL, and correct spec.url of the repository:",
};

/// A server for something else.
const OTHER: Fault = Fault {
    kind: SourceError::NotFound,
    wrong: "does not answer there like a chart repository",
    why: "The server answers, but not with a chart repository: the path belongs to something else, or a page in front of it answers.",
    step: "Fetch URL/index.yaml and look at the answer; then correct spec.url of the repository:",
};

const GIT: Fault = Fault {
    kind: SourceError::NotFound,
    wrong: "is not found there",
    why: "The server has no repository under this URL. Many Git servers also say this about a private one to users who may not read it.",
    step: "Correct spec.url, or the credentials in the Secret of spec.secretRef:",
};

const BUCKET: Fault = Fault {
    kind: SourceError::NotFound,
    wrong: "names a bucket that does not exist there",
    why: "The endpoint answers, but has no bucket of that name in this region.",
    step: "Correct spec.bucketName, spec.endpoint or spec.region:",
};

/// A bucket of that name exists.
const REGION: Fault = Fault {
    kind: SourceError::Region,
    wrong: "names a bucket of another region",
    why: "The endpoint answers that another region has the bucket, and source-controller does not follow it there.",
    step: "Find out the region (command aws, s3api get-bucket-location), and correct spec.endpoint and spec.region:",
};

const REGISTRY: Fault = Fault {
    kind: SourceError::NotFound,
    wrong: "is not a registry",
    why: "The server answers 404 where every OCI registry answers: the host belongs to something else, or the registry is below a path.",
    step: "Correct the host in spec.url:",
};

/// No such branch, tag or commit.
const REF: Fault = Fault {
    kind: SourceError::NoRef,
    wrong: "does not have the branch, tag or commit in spec.ref",
    why: "The repository was read, but does not have the one in spec.ref (without spec.ref: the branch master).",
    step: "Correct spec.ref, or push what it names:",
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((told, _)) = sources::find(case, SourceError::NotFound) else {
        let region = sources::find(case, SourceError::Region);
        return match region.filter(|(told, _)| told.subject.kind == "Bucket") {
            Some(_) => sources::repository(case, &REGION),
            None => sources::repository(case, &REF),
        };
    };
    let text = &told.condition.message;
    let fault = match told.subject.kind.as_str() {
        "GitRepository" => &GIT,
        "Bucket" => &BUCKET,
        _ if text.contains("10 redirects") => &CIRCLE,
        _ if text.contains("failed to login to OCI registry") => &REGISTRY,
        _ if text.contains("404") || text.contains("410") => &FAULT,
        _ => &OTHER,
    };
    sources::repository(case, fault)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;
    use crate::diagnosis::texts::of_source;
    use serde_json::{Value, json};

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("repository-wrong-url", "SKVS205"),
            "HelmRepository flux-system/wit-artifactory at https://artifactory.example/hlem has no index there"
        );
    }

    #[test]
    fn each_kind_of_source_has_its_own_mistake() {
        let of =
            |kind: &str, spec: Value, text: &str| of_source(kind, &spec, text, super::RULE.code);
        let bucket = json!({"bucketName": "charts", "endpoint": "minio.example", "url": null});
        insta::assert_snapshot!(of("Bucket", bucket, "bucket 'charts' not found"), @r#"
        Bucket flux-system/wit-artifactory at minio.example names a bucket that does not exist there
        Correct spec.bucketName, spec.endpoint or spec.region:
        $ kubectl describe -n flux-system buckets.source.toolkit.fluxcd.io wit-artifactory
        "#);
        let s3 = json!({"bucketName": "charts", "endpoint": "s3.eu-central-1.amazonaws.com", "region": "eu-central-1", "url": null});
        insta::assert_snapshot!(of("Bucket", s3, "failed to confirm existence of 'charts' bucket: 301 response missing Location header"), @"
        Bucket flux-system/wit-artifactory at s3.eu-central-1.amazonaws.com names a bucket of another region
        Find out the region (command aws, s3api get-bucket-location), and correct spec.endpoint and spec.region:
        $ kubectl describe -n flux-system buckets.source.toolkit.fluxcd.io wit-artifactory
        ");
        let git = || json!({"url": "https://g.example/a.git"});
        let clone = "failed to checkout and determine revision: unable to clone 'https://g.example/a.git': ";
        insta::assert_snapshot!(of("GitRepository", git(), &format!("{clone}repository not found")), @r#"
        GitRepository flux-system/wit-artifactory at https://g.example/a.git is not found there
        Correct spec.url, or the credentials in the Secret of spec.secretRef:
        $ kubectl describe -n flux-system gitrepositories.source.toolkit.fluxcd.io wit-artifactory
        "#);
        insta::assert_snapshot!(of("GitRepository", git(), &format!(r#"{clone}couldn't find remote ref "refs/heads/main""#)), @r#"
        GitRepository flux-system/wit-artifactory at https://g.example/a.git does not have the branch, tag or commit in spec.ref
        Correct spec.ref, or push what it names:
        $ kubectl describe -n flux-system gitrepositories.source.toolkit.fluxcd.io wit-artifactory
        "#);
        let helm = |text: &str| of("HelmRepository", json!({}), text);
        let index =
            "failed to fetch Helm repository index: failed to cache index to temporary file: ";
        insta::assert_snapshot!(helm(&format!(r#"{index}Get "https://artifactory.example/helm/index.yaml": stopped after 10 redirects"#)), @"
        HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm redirects in a loop
        Follow the redirects with curl -IL, and correct spec.url of the repository:
        $ kubectl describe -n flux-system helmrepositories.source.toolkit.fluxcd.io wit-artifactory
        ");
        insta::assert_snapshot!(helm(&format!("{index}failed to fetch https://artifactory.example/helm/index.yaml : 405 Method Not Allowed")), @"
        HelmRepository flux-system/wit-artifactory at https://artifactory.example/helm does not answer there like a chart repository
        Fetch URL/index.yaml and look at the answer; then correct spec.url of the repository:
        $ kubectl describe -n flux-system helmrepositories.source.toolkit.fluxcd.io wit-artifactory
        ");
        let registry = json!({"url": "oci://r.example/x", "type": "oci"});
        let login = r#"failed to login to OCI registry: GET "https://r.example/v2/": response status code 404: Not Found"#;
        insta::assert_snapshot!(of("HelmRepository", registry, login), @r#"
        HelmRepository flux-system/wit-artifactory at oci://r.example/x is not a registry
        Correct the host in spec.url:
        $ kubectl describe -n flux-system helmrepositories.source.toolkit.fluxcd.io wit-artifactory
        "#);
    }
}
