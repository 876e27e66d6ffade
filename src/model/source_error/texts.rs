//! The texts of every version, by the kind of error that they tell.
//!
//! A text that is none of these is `None` and stays as it is. What a wrapper says comes before what it wraps where the wrapper
//! is the cause (a dependency, a signature), and after it where it is not.

use super::kind::SourceError;

/// The kind that a condition's text tells.
pub(super) fn by_text(reason: &str, text: &str) -> Option<SourceError> {
    TEXTS
        .iter()
        .find(|(_, texts, but)| has(text, texts) && !has(text, but))
        .map(|(kind, _, _)| *kind)
        .or_else(|| {
            // A Secret that cannot be got at all: the API server's own words.
            (reason == "AuthenticationFailed"
                && text.contains("secrets \"")
                && text.contains("\" not found"))
            .then_some(SourceError::Secret)
        })
        .or_else(|| lost_from_disk(text).then_some(SourceError::ArtifactGone))
        .or_else(|| in_registry(text).then_some(SourceError::NotInRegistry))
}

/// source-controller does not find on its own disk what it had stored there: it was restarted without a volume.
fn lost_from_disk(text: &str) -> bool {
    text.contains("no such file or directory") && has(text, &["repository index", "/data/"])
}

fn has(text: &str, any: &[&str]) -> bool {
    any.iter().any(|t| text.contains(t))
}

/// The index named an archive, and that was asked for.
pub fn is_archive(text: &str) -> bool {
    text.contains("failed to download chart for remote reference: failed to fetch ")
}

/// Kinds with what tells them and what tells that it is another one; the first that fits counts.
const TEXTS: &[(SourceError, &[&str], &[&str])] = &[
    // What wraps any other text and is the cause.
    (
        SourceError::ArtifactGone,
        &[
            "failed to download chart from '",
            "integrity failure: computed digest doesn't match",
            "Source not ready: artifact not found",
            "Chart not ready: artifact not found",
            "failed to download artifact, error: ",
            "' download failed (status code: ",
            "failed to verify artifact: computed digest doesn't match",
        ],
        &[],
    ),
    (
        SourceError::ValuesFiles,
        &[
            "values files merge error: ",
            "no values file found at path '",
        ],
        &[],
    ),
    (
        SourceError::Signature,
        &[
            "chart verification error: ",
            "failed to verify the signature using provider '",
            "no matching signatures were found for '",
        ],
        &[],
    ),
    (
        SourceError::Dependency,
        &[
            "dependency build error: ",
            "found in Chart.yaml, but missing in charts/ directory",
        ],
        &[],
    ),
    (
        SourceError::Archive,
        &[
            "chart metadata patch error: ",
            "chart package error: ",
            "Could not load chart: ",
            "failed to load downloaded chart: ",
            "failed to load chart metadata from written chart: ",
            "failed to validate metadata of written chart: ",
            "validation: chart.metadata.",
        ],
        &[],
    ),
    (
        SourceError::Index,
        &["failed to load Helm repository from index YAML: "],
        &[],
    ),
    (
        SourceError::Url,
        &[
            "invalid Helm repository URL: ",
            "URL validation failed for '",
            "invalid OCI registry URL: ",
            // Helm's client for registries, asked for an index.
            "temporary file: object required",
            // An index or a chart that names another kind of address.
            "unsupported protocol scheme \"",
        ],
        &[],
    ),
    (
        SourceError::Storage,
        &["storage error: symlink ", "no space left on device"],
        &[],
    ),
    (
        SourceError::Revision,
        &[" does not match chart version "],
        &[],
    ),
    (
        SourceError::Secret,
        &[
            "failed to get authentication secret",
            "failed to get TLS authentication secret",
            "failed to get secret '",
            "secret data: required fields 'username' and 'password'",
            "no auth config for '",
            "failed to construct Helm client's TLS config: ",
            "failed to detect authentication methods: ",
        ],
        &[],
    ),
    (
        SourceError::CloudLogin,
        &[
            "failed to get credential from ",
            "unable to get authentication data from OIDC: ",
        ],
        &[],
    ),
    (SourceError::Kind, &["unsupported source kind '"], &[]),
    // What another text wraps: the way to the server first, then what it answers.
    (
        SourceError::Tls,
        &[
            "x509: ",
            "tls: failed to verify certificate",
            "remote error: tls: ",
            "server gave HTTP response to HTTPS client",
            "first record does not look like a TLS handshake",
        ],
        // An insecure registry is asked by https first; what it says to http counts.
        &["; GET http://"],
    ),
    (
        SourceError::Unreachable,
        &[
            "no such host",
            "connection refused",
            "no route to host",
            "network is unreachable",
            "connection reset by peer",
            "server misbehaving",
            "i/o timeout",
            "TLS handshake timeout",
            "while waiting for connection",
            "proxyconnect tcp: ",
        ],
        &[],
    ),
    (
        SourceError::Server,
        &[
            "Client.Timeout exceeded while awaiting headers",
            "Client.Timeout or context cancellation while reading body",
            " : 500",
            " : 502",
            " : 503",
            " : 504",
            " : 429",
            "status code 500",
            "status code 502",
            "status code 503",
            "status code 504",
            "status code 429",
            "status code: 500",
            "status code: 502",
            "status code: 503",
            "status code: 504",
            ": 429 Too Many Requests",
            ": 500 Internal Server Error",
            ": 502 Bad Gateway",
            ": 503 Service Unavailable",
            ": 504 Gateway Time",
            "TOOMANYREQUESTS",
            "toomanyrequests",
            "temporary file: unexpected EOF",
            "\": EOF",
        ],
        &[],
    ),
    (
        SourceError::Unauthorized,
        &[
            " : 401",
            " : 403",
            "status code 401",
            "status code 403",
            "status code: 401",
            "status code: 403",
            "unauthorized: ",
            "UNAUTHORIZED: ",
            "failed to authorize: ",
            "failed to fetch anonymous token",
            "credential required for basic auth",
            "failed to login to OCI registry",
            "]: 401",
            "]: 403",
            "failed to fetch oauth token",
            // Of a Git server.
            ": authentication required",
            "error: authentication required",
            "redirects or authentication replays",
            "DENIED: ",
            // Of a bucket.
            ": Access Denied.",
        ],
        &[],
    ),
    (
        SourceError::Unauthorized,
        &["denied: "],
        &["permission denied"],
    ),
    (
        SourceError::NotInRegistry,
        &[
            "MANIFEST_UNKNOWN",
            "manifest unknown",
            "NAME_UNKNOWN",
            "name unknown",
        ],
        &[],
    ),
    (
        SourceError::NotFound,
        &[" : 404", "status code 404", "status code: 404"],
        &[
            "oci://",
            "/v2/",
            "failed to download chart for remote reference: ",
        ],
    ),
    (
        SourceError::NoVersion,
        &[
            "chart with version matching '",
            "no chart version found",
            "could not locate a version matching provided version string",
            "no match found for semver: ",
            // The range itself is none.
            "remote reference: improper constraint: ",
            "' parse error: improper constraint: ",
        ],
        &[],
    ),
    (
        SourceError::NoChart,
        &[
            "no chart name found",
            "unable to locate any tags in provided repository",
        ],
        &[],
    ),
    (
        SourceError::NoSource,
        &["failed to get source: ", "could not get Source object: "],
        &["is forbidden", "failed to get source: unsupported"],
    ),
    (
        SourceError::NoArtifact,
        &["no artifact available for ", "does not have an artifact"],
        &[],
    ),
    (
        SourceError::NotLooked,
        &["latest generation of object has not been reconciled"],
        &[],
    ),
];

/// `failed to get 'oci://…:1.0.0': …: not found`, the same of a digest or of the list of tags, and an archive that an index
/// names.
fn in_registry(text: &str) -> bool {
    let asked = has(
        text,
        &[
            "failed to get 'oci://",
            "failed to pull artifact from 'oci://",
            "failed to determine artifact digest: ",
            "failed to determine the artifact tag for 'oci://",
            "could not fetch tags for \"oci://",
        ],
    );
    let tail = text.trim_end();
    asked && (tail.ends_with(": not found") || text.contains("status code 404"))
        || is_archive(text) && text.contains(" : 404")
}
