//! What source-controller and helm-controller say of a chart and its source, sorted into kinds.
//!
//! Owns the kinds, and what a text says beyond its kind; which texts are of which kind is [`texts`]'s.

mod cloud;
mod kind;
mod remedy;
mod texts;

pub use cloud::of_cloud;
pub use kind::SourceError;
pub use remedy::of_folder;
pub use texts::{is_archive, is_of_disk, refused_by_proxy};

use super::condition::Condition;
use texts::by_text;

impl SourceError {
    /// The kind that a condition tells; `None` for texts that no version is known to write.
    pub fn of_condition(condition: &Condition) -> Option<Self> {
        if condition.kind == "StorageOperationFailed"
            && condition.is_true()
            && !is_of_content(&condition.message)
        {
            return Some(Self::Storage);
        }
        Self::parse(&condition.reason, &condition.message)
    }

    /// The kind of error in a condition's reason and text.
    pub fn parse(reason: &str, text: &str) -> Option<Self> {
        // Old controllers give this reason to whatever kept them from an index: their text says more.
        let index = reason == "IndexationFailed";
        // helm-controller asked the API server for the object, and did not learn whether it is there.
        if text.starts_with("could not get ") && !text.trim_end().ends_with("not found") {
            return None;
        }
        if is_of_content(text) {
            return Some(Self::Archive);
        }
        // Whatever was to be built, the disk is the cause. helm-controller reports a fault of its own disk as ArtifactFailed.
        if is_of_disk(text) {
            return Some(match reason {
                "ArtifactFailed" => Self::ArtifactGone,
                _ => Self::Storage,
            });
        }
        by_reason(reason)
            .or_else(|| by_text(reason, text))
            .or_else(|| index.then_some(Self::Index))
    }
}

/// The unpacked files cannot be read, as in a container image.
pub fn is_of_content(text: &str) -> bool {
    text.contains("unable to archive artifact to storage: open /tmp/")
        && text.contains("permission denied")
}

/// Reasons that leave no doubt.
fn by_reason(reason: &str) -> Option<SourceError> {
    Some(match reason {
        "URLInvalid" => SourceError::Url,
        "UnsupportedSourceKind" => SourceError::Kind,
        "ValuesFilesError" => SourceError::ValuesFiles,
        "DependencyBuildError" => SourceError::Dependency,
        "MetadataPatchError" | "ChartPackageError" => SourceError::Archive,
        "ChartVerificationError" | "VerificationError" | "InvalidCommitSignature" => {
            SourceError::Signature
        }
        "ChartMutateError" => SourceError::Revision,
        "DirectoryCreationFailed"
        | "AcquireLockFailed"
        | "ArchiveOperationFailed"
        | "SymlinkUpdateFailed" => SourceError::Storage,
        _ => return None,
    })
}

/// Which file, name or Secret a text puts between quotes after `lead`.
pub fn quoted<'a>(text: &'a str, lead: &str) -> Option<&'a str> {
    let after = &text[text.find(lead)? + lead.len()..];
    let quote = after.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inner = &after[1..];
    inner
        .find(quote)
        .map(|end| &inner[..end])
        .filter(|s| !s.is_empty())
}

/// The cloud's metadata service, which gives a machine its identity, was asked and did not answer as it does.
pub fn is_of_metadata(text: &str) -> bool {
    [
        "metadata service",
        "metadata server",
        "metadata: ",
        "169.254.169.254",
        "169.254.170.2",
        "IMDS",
        "metadata.google.internal",
    ]
    .iter()
    .any(|mark| text.contains(mark))
        && by_text("", text) == Some(SourceError::CloudLogin)
}

/// The server limits how often it may be asked.
pub fn is_of_limit(text: &str) -> bool {
    [
        "429 Too Many Requests",
        "toomanyrequests",
        "TOOMANYREQUESTS",
    ]
    .iter()
    .any(|mark| text.contains(mark))
}

/// What kept a dependency of the chart from being fetched, where the text says it.
pub fn below_dependency(text: &str) -> Option<SourceError> {
    use SourceError::{NotFound, Server, Tls, Unauthorized, Unreachable};
    let (_, inner) = text.split_once("dependency build error: ")?;
    by_text("", inner)
        .filter(|kind| [NotFound, Server, Tls, Unauthorized, Unreachable].contains(kind))
}

/// The registry was reached, and a layer of the artifact could not be fetched.
pub fn is_of_layer(text: &str) -> bool {
    text.contains("failed to copy: ")
}

/// The host of the request that failed, as Go tells it: `Get "https://HOST/index.yaml": …`.
pub fn host_asked(text: &str) -> Option<&str> {
    ["Get \"", "Head \"", "GET \"", "HEAD \"", "failed to fetch "]
        .iter()
        .filter_map(|lead| text.split_once(lead))
        .find_map(|(_, url)| host(url))
}

/// The host of an HTTP or OCI URL that a text begins with.
pub fn host(url: &str) -> Option<&str> {
    let rest = ["https://", "http://", "oci://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme))?;
    let authority = rest.split(['/', '"', '\'', ' ', '?']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.starts_with('[') {
        // An IPv6 address.
        true => &host[..=host.find(']')?],
        false => host.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

/// The wanted range is no range.
pub fn is_no_range(text: &str) -> bool {
    text.contains("improper constraint: ")
}

/// What a certificate error is about, in plain words.
pub fn certificate(text: &str) -> &'static str {
    let said = [
        (
            "certificate signed by unknown authority",
            "its certificate is of an authority that source-controller does not know",
        ),
        (
            "certificate has expired or is not yet valid",
            "its certificate has expired, or is not valid yet",
        ),
        (
            "cannot validate certificate for",
            "its certificate does not name the host of the URL",
        ),
        (
            "certificate is not valid for any names",
            "its certificate does not name the host of the URL",
        ),
        (
            "certificate is valid for ",
            "its certificate is for another host than the URL's",
        ),
        (
            "certificate relies on legacy Common Name field",
            "its certificate names the host only in the old Common Name field",
        ),
        ("certificate required", "it asks for a client certificate"),
        (
            "server gave HTTP response to HTTPS client",
            "it speaks plain HTTP where the URL says https",
        ),
        (
            "first record does not look like a TLS handshake",
            "it does not speak TLS where the URL says https",
        ),
    ];
    said.iter()
        .find(|(t, _)| text.contains(t))
        .map_or("TLS with it fails", |(_, plain)| plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(reason: &str, message: &str) -> Option<SourceError> {
        SourceError::of_condition(&Condition {
            kind: "FetchFailed".to_owned(),
            status: "True".to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            ..Condition::default()
        })
    }

    #[test]
    fn a_limit_is_told_from_other_trouble() {
        assert!(is_of_limit("x: 429 Too Many Requests"));
        assert!(is_of_limit(
            "toomanyrequests: You have reached your pull rate limit."
        ));
        assert!(!is_of_limit("x : 503 Service Unavailable"));
    }

    #[test]
    fn a_metadata_service_is_asked_for_a_login_only() {
        let asked =
            "failed to get credential from 'gcp': unexpected status from metadata service: 502";
        assert!(is_of_metadata(asked));
        assert!(!is_of_metadata(
            "failed to get credential from 'aws': AccessDenied"
        ));
        assert!(!is_of_metadata("no metadata service"));
    }

    #[test]
    fn every_version_s_text_has_its_kind() {
        use SourceError as E;
        let remote = "invalid chart reference: failed to get chart version for remote reference: ";
        let index =
            "failed to fetch Helm repository index: failed to cache index to temporary file: ";
        for (reason, text, kind) in [
            ("Failed", format!("{index}failed to fetch https://a.example/index.yaml : 401 Unauthorized"), E::Unauthorized),
            ("Failed", format!("{index}failed to fetch https://a.example/index.yaml : 404 Not Found"), E::NotFound),
            ("Failed", format!("{index}failed to fetch https://a.example/index.yaml : 503 Service Unavailable"), E::Server),
            ("Failed", format!("{index}Get \"https://a.example/index.yaml\": dial tcp: lookup a.example on 10.0.0.10:53: no such host"), E::Unreachable),
            ("Failed", format!("{index}Get \"https://a.example/index.yaml\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)"), E::Unreachable),
            ("Failed", format!("{index}Get \"https://a.example/index.yaml\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"), E::Server),
            ("Failed", format!("{index}Get \"https://a.example/index.yaml\": tls: failed to verify certificate: x509: certificate signed by unknown authority"), E::Tls),
            ("Failed", format!("{index}Get \"https://a.example/index.yaml\": x509: certificate has expired or is not yet valid: current time 2026-11-24T00:00:00Z is after 2026-11-01T00:00:00Z"), E::Tls),
            ("ChartPullError", "chart pull error: could not load repository index for remote chart reference: stat /data/helmrepository/a/b/index-1.yaml: no such file or directory".to_owned(), E::ArtifactGone),
            ("ChartPullError", "chart pull error: failed to load repository index: open /data/helmrepository/a/b/index-1.yaml: no such file or directory".to_owned(), E::ArtifactGone),
            ("IndexationFailed", "failed to load Helm repository from index YAML: error unmarshaling JSON".to_owned(), E::Index),
            ("IndexationFailed", "something new".to_owned(), E::Index),
            ("IndexationFailed", "failed to download repository index: Get \"https://a.example/index.yaml\": x509: certificate signed by unknown authority".to_owned(), E::Tls),
            ("Failed", format!("{index}object required"), E::Url),
            ("ChartPullError", "chart pull error: failed to download chart for remote reference: Get \"oci://r.example/x:1\": unsupported protocol scheme \"oci\"".to_owned(), E::Url),
            ("BucketOperationFailed", "failed to confirm existence of 'charts' bucket: Access Denied.".to_owned(), E::Unauthorized),
            ("ChartPullError", "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://r.example/token: 503 Service Unavailable".to_owned(), E::Server),
            ("Failed", "failed to fetch Helm repository index: failed to create temp file to cache index to: open /tmp/chart-index-1.yaml: no space left on device".to_owned(), E::Storage),
            ("GitOperationFailed", "failed to checkout and determine revision: unable to clone 'https://g.example/a.git': authentication required".to_owned(), E::Unauthorized),
            ("GitOperationFailed", "unable to clone 'https://g.example/a', error: authentication required".to_owned(), E::Unauthorized),
            ("GitOperationFailed", "unable to clone 'https://g.example/a', error: too many redirects or authentication replays".to_owned(), E::Unauthorized),
            ("InvalidChartReference", "invalid chart reference: validation: chart.metadata.version \"1.04.2\" is invalid".to_owned(), E::Archive),
            ("StorageOperationFailed", "storage error: symlink /data/a/b/c.tgz /data/a/b/b/c.tgz.tmp: no such file or directory".to_owned(), E::Storage),
            ("URLInvalid", "invalid Helm repository URL: scheme \"htp\" not supported".to_owned(), E::Url),
            ("AuthenticationFailed", "failed to get authentication secret 'flux-system/art': secrets \"art\" not found".to_owned(), E::Secret),
            ("AuthenticationFailed", "invalid 'flux-system/art' secret data: required fields 'username' and 'password'".to_owned(), E::Secret),
            ("AuthenticationFailed", "failed to get credential from 'aws': operation error STS".to_owned(), E::CloudLogin),
            ("ChartPullError", "chart pull error: chart pull error: failed to download chart for remote reference: failed to get 'oci://r.example/charts/x:1.0.0': failed to authorize: failed to fetch anonymous token: unexpected status from GET request: 403 Forbidden".to_owned(), E::Unauthorized),
            ("ChartPullError", "chart pull error: failed to download chart for remote reference: failed to get 'oci://r.example/charts/x:9.9.9': r.example/charts/x:9.9.9: not found".to_owned(), E::NotInRegistry),
            ("OCIArtifactPullFailed", "failed to determine artifact digest: GET https://r.example/v2/x/manifests/9: MANIFEST_UNKNOWN: manifest unknown".to_owned(), E::NotInRegistry),
            ("OCIArtifactPullFailed", "failed to determine the artifact tag for 'oci://r.example/x': no match found for semver: >=9".to_owned(), E::NoVersion),
            ("InvalidChartReference", format!("{remote}no 'x' chart with version matching '>=9' found"), E::NoVersion),
            ("InvalidChartReference", format!("{remote}could not locate a version matching provided version string >=9"), E::NoVersion),
            ("InvalidChartReference", format!("{remote}no chart name found"), E::NoChart),
            ("InvalidChartReference", format!("{remote}unable to locate any tags in provided repository: oci://r.example/x"), E::NoChart),
            ("SourceUnavailable", "failed to get source: helmrepositories.source.toolkit.fluxcd.io \"x\" not found".to_owned(), E::NoSource),
            ("UnsupportedSourceKind", "failed to get source: unsupported source kind 'OCIRepository', must be one of: [HelmRepository GitRepository Bucket]".to_owned(), E::Kind),
            ("SourceNotReady", "HelmChart 'a/b' is not ready: failed to get source: unsupported source kind 'X', must be one of: [HelmRepository]".to_owned(), E::Kind),
            ("NoSourceArtifact", "no artifact available for HelmRepository source 'x'".to_owned(), E::NoArtifact),
            ("SourceNotReady", "HelmChart 'a/b' is not ready: latest generation of object has not been reconciled".to_owned(), E::NotLooked),
            ("ArtifactFailed", "Source not ready: artifact not found. Retrying in 30s".to_owned(), E::ArtifactGone),
            ("ArtifactFailed", "Chart not ready: artifact not found. Retrying in 30s".to_owned(), E::ArtifactGone),
            ("ArtifactFailed", "Could not load chart: failed to download chart from 'http://source-controller.flux-system.svc.cluster.local./helmchart/a/b/c.tgz' (status: 503 Service Unavailable)".to_owned(), E::ArtifactGone),
            ("ArtifactFailed", "failed to download artifact, error: Get \"http://source-controller.flux-system.svc/x\": dial tcp: connection refused".to_owned(), E::ArtifactGone),
            ("ArtifactFailed", "Could not load chart: gzip: invalid header".to_owned(), E::Archive),
            ("ValuesFilesError", "values files merge error: no values file found at path 'values-prod.yaml'".to_owned(), E::ValuesFiles),
            ("DependencyBuildError", "dependency build error: failed to add remote dependency 'x': no such host".to_owned(), E::Dependency),
            ("ChartVerificationError", "chart verification error: failed to verify oci://r.example/x: no matching signatures".to_owned(), E::Signature),
            ("ChartMutateError", "artifact revision 1.0.1 does not match chart version 1.0.0".to_owned(), E::Revision),
            ("DirectoryCreationFailed", "failed to create artifact directory: no space left on device".to_owned(), E::Storage),
            ("AuthenticationFailed", "failed to detect authentication methods: secret 'flux-system/x': malformed basic auth - has 'username' but missing 'password'".to_owned(), E::Secret),
            ("Unknown", "unknown build error: unable to get authentication data from OIDC: failed to get access token for artifact registry: x".to_owned(), E::CloudLogin),
            ("ChartPullError", "chart pull error: failed to load chart metadata from written chart: gzip: invalid header".to_owned(), E::Archive),
            ("ChartPullError", "chart pull error: failed to download chart for remote reference: failed to fetch http://a.example/x-0.1.51.tgz : 404 File not found".to_owned(), E::NotInRegistry),
            ("ChartPullError", "chart pull error: failed to download chart for remote reference: failed to fetch http://a.example/x-0.1.51.tgz : 403 Forbidden".to_owned(), E::Unauthorized),
            ("ChartPullError", "chart pull error: failed to get chart version for remote reference: could not get tags for \"x\": could not fetch tags for \"oci://r.example/x\": GET \"http://r.example/v2/x/tags/list\": response status code 404: Not Found".to_owned(), E::NotInRegistry),
            ("OCIArtifactPullFailed", "failed to determine artifact digest: Get \"https://r.example/v2/\": tls: first record does not look like a TLS handshake; GET http://r.example/v2/: unexpected status code 404 Not Found".to_owned(), E::NotInRegistry),
            ("Failed", format!("{index}unexpected EOF"), E::Server),
            ("Failed", format!("{index}Get \"http://a.example/index.yaml\": EOF"), E::Server),
            (
                "InvalidChartReference",
                format!("{remote}improper constraint: \"newest\""),
                E::NoVersion,
            ),
        ] {
            assert_eq!(of(reason, &text), Some(kind), "{reason}: {text}");
        }
    }

    #[test]
    fn the_host_that_was_asked_is_read() {
        for (text, host) in [
            (
                "Get \"https://a.example/index.yaml\": EOF",
                Some("a.example"),
            ),
            (
                "Head \"https://u:p@a.example:5000/v2/\": x509: x",
                Some("a.example"),
            ),
            (
                "failed to fetch http://a.example/x.tgz : 404 Not Found",
                Some("a.example"),
            ),
            (
                "failed to fetch anonymous token: Get \"https://b.example/token\": EOF",
                Some("b.example"),
            ),
            ("failed to get 'oci://a.example/x:1'", None),
            ("Get \"https://\"", None),
        ] {
            assert_eq!(host_asked(text), host, "{text}");
        }
    }

    #[test]
    fn every_text_of_the_table_has_its_kind() {
        let table = include_str!("../../tests/fixtures/texts/sources.txt");
        let mut wrong = Vec::new();
        let mut seen = 0;
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.splitn(3, ' ');
            let (Some(kind), Some(reason), Some(text)) = (words.next(), words.next(), words.next())
            else {
                panic!("{line}");
            };
            let found = format!("{:?}", SourceError::parse(reason, text));
            if found != format!("Some({kind})") {
                wrong.push(format!("{found} instead of {kind}: {reason} {text}"));
            }
            seen += 1;
        }
        assert!(seen > 100, "{seen}");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn what_keeps_a_dependency_away_is_read() {
        let of = |inner: &str| {
            below_dependency(&format!(
                "dependency build error: failed to add remote dependency 'x': {inner}"
            ))
        };
        assert_eq!(
            of(
                "Get \"https://a.example/index.yaml\": x509: certificate signed by unknown authority"
            ),
            Some(SourceError::Tls)
        );
        assert_eq!(of("no 'x' chart with version matching '1' found"), None);
        assert_eq!(below_dependency("x509: x"), None);
    }

    #[test]
    fn near_texts_are_left_alone() {
        for (reason, text) in [
            // A right of the controller, not a missing source.
            (
                "SourceUnavailable",
                "failed to get source: helmrepositories.source.toolkit.fluxcd.io \"x\" is forbidden: User \"y\" cannot get resource",
            ),
            ("AuthenticationFailed", "a text of tomorrow"),
            (
                "Failed",
                "failed to fetch Helm repository index: a text of tomorrow",
            ),
            ("SourceNotReady", "HelmChart 'a/b' is not ready"),
            ("Failed", "the chart was not found to be good"),
            ("Failed", "took 404 seconds"),
            // Answers that a wrong URL does not get.
            (
                "Failed",
                "failed to fetch Helm repository index: failed to cache index to temporary file: failed to fetch https://a.example/index.yaml : 418 I'm a teapot",
            ),
            (
                "Failed",
                "failed to fetch Helm repository index: failed to cache index to temporary file: failed to fetch https://a.example/index.yaml : 451 Unavailable For Legal Reasons",
            ),
            (
                "BucketOperationFailed",
                "failed to confirm existence of bucket 'charts': a text of tomorrow",
            ),
            (
                "BucketOperationFailed",
                "bucket 'charts' is full; x not found",
            ),
            ("Progressing", "building artifact"),
        ] {
            assert_eq!(of(reason, text), None, "{text}");
        }
    }

    #[test]
    fn what_is_quoted_is_read() {
        assert_eq!(
            quoted("no values file found at path 'a.yaml' (x)", "at path "),
            Some("a.yaml")
        );
        assert_eq!(quoted("secrets \"art\" not found", "secrets "), Some("art"));
        assert_eq!(quoted("at path 'a", "at path "), None);
        assert_eq!(quoted("at path ", "at path "), None);
    }

    #[test]
    fn certificates_are_told_apart() {
        assert_ne!(
            certificate("x509: certificate signed by unknown authority"),
            certificate("x509: certificate is valid for a, not b")
        );
        assert_eq!(certificate("x509: something new"), "TLS with it fails");
    }

    proptest! {
        #[test]
        fn no_text_panics(reason in "(Failed|AuthenticationFailed|x|)", text in "(at path |'|\"|é| : 401|x509: |oci://|failed to get 'oci://|: not found| |secrets ){0,12}") {
            let _ = of(&reason, &text);
            let _ = certificate(&text);
            for lead in ["at path ", "secrets ", ""] {
                let _ = quoted(&text, lead);
            }
        }
    }
}
