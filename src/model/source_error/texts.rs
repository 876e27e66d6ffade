//! The texts of every version, by the kind of error that they tell.
//!
//! A text that is none of these is `None` and stays as it is. What a wrapper says comes before what it wraps where the wrapper
//! is the cause (a dependency, a signature), and after it where it is not.

use super::kind::SourceError;

/// The kind that a condition's text tells.
pub(super) fn by_text(reason: &str, text: &str) -> Option<SourceError> {
    // A server with nothing at the path where every registry answers is not a registry.
    let is_elsewhere =
        text.contains("failed to login to OCI registry") && status(text) == Some(404);
    if is_elsewhere {
        return Some(SourceError::NotFound);
    }
    TEXTS
        .iter()
        .find(|(_, texts, but)| has(text, texts) && !has(text, but))
        .map(|(kind, _, _)| *kind)
        .or_else(|| {
            // A Secret that cannot be got at all: the API server's own words.
            let by_server = text.contains("secrets \"") && text.contains("\" not found");
            let by_flux = text.contains("secret '") && text.contains("' not found");
            (reason == "AuthenticationFailed" && (by_server || by_flux))
                .then_some(SourceError::Secret)
        })
        .or_else(|| lost_bucket(text).then_some(SourceError::NotFound))
        .or_else(|| lost_from_disk(text).then_some(SourceError::ArtifactGone))
        .or_else(|| in_registry(text).then_some(SourceError::NotInRegistry))
        .or_else(|| lost_path(text).then_some(SourceError::NoChart))
        .or_else(|| by_status(text))
        .or_else(|| {
            refused_by_proxy(text)
                .is_some()
                .then_some(SourceError::Unreachable)
        })
}

/// A controller cannot write to its own disk, whatever it was about to do.
pub fn is_of_disk(text: &str) -> bool {
    let written = [
        "open /",
        "mkdir /",
        "write /",
        "rename /",
        "symlink /",
        "stat /",
        "remove /",
        "chmod /",
    ];
    text.contains("no space left on device")
        || text.contains("invalid cross-device link")
        || has(text, &[": read-only file system", ": permission denied"]) && has(text, &written)
}

/// The chart's folder in a Git repository or a bucket: `invalid chart reference: stat /tmp/x/charts/y: no such file or directory`.
fn lost_path(text: &str) -> bool {
    text.contains("invalid chart reference: ")
        && has(
            text,
            &["no such file or directory", "no 'Chart.yaml' found"],
        )
}

/// `bucket 'charts' not found`.
fn lost_bucket(text: &str) -> bool {
    let mut named = text
        .match_indices("bucket '")
        .map(|(at, lead)| &text[at + lead.len()..]);
    named.any(|rest| {
        let after = rest.split_once('\'').map(|(_, after)| after);
        after.is_some_and(|after| after.starts_with(" not found"))
    })
}

/// The status of an answer: `failed to fetch https://… : 404 Not Found`, `response status code 404: …`.
fn status(text: &str) -> Option<u16> {
    let after = [" : ", "status code: ", "status code "]
        .iter()
        .find_map(|lead| {
            let (before, rest) = text.split_once(lead)?;
            let asked = *lead != " : " || before.contains("failed to fetch http");
            asked.then_some(rest)
        })?;
    let digits = crate::model::lead(after, |c| c.is_ascii_digit());
    (digits.len() == 3).then(|| digits.parse().ok()).flatten()
}

/// The kinds of the rarer answers: too much, a page that is gone, a server that expects something else.
fn by_status(text: &str) -> Option<SourceError> {
    Some(match status(text)? {
        407 => SourceError::Unreachable,
        401 | 403 => SourceError::Unauthorized,
        // It may answer the same request later.
        408 | 425 | 429 | 500..=599 => SourceError::Server,
        300..=399 | 400 | 404 | 405 | 410 => SourceError::NotFound,
        _ => return None,
    })
}

/// A proxy's answer in the server's place, in Go's words: `Get "https://a.example/index.yaml": Forbidden`.
pub fn refused_by_proxy(text: &str) -> Option<&str> {
    const ANSWERS: [&str; 8] = [
        "Proxy Authentication Required",
        "Forbidden",
        "Unauthorized",
        "Service Unavailable",
        "Bad Gateway",
        "Gateway Timeout",
        "Method Not Allowed",
        "Not Found",
    ];
    if let Some((_, answer)) = text.rsplit_once("\": ") {
        let answer = answer.trim_end();
        return ANSWERS.contains(&answer).then_some(answer);
    }
    (status(text) == Some(407)).then_some(ANSWERS[0])
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
    // S3's and its client's.
    (
        SourceError::Region,
        &[
            "301 response missing Location header",
            "must be addressed using the specified endpoint",
            "PermanentRedirect",
            "' is wrong; expecting '",
        ],
        &[],
    ),
    // What wraps any other text and is the cause.
    (
        SourceError::ArtifactGone,
        &[
            "Could not load chart: Get \"http://source-controller",
            "Could not load chart: GET http://source-controller",
            "artifact untar error: ",
            "artifact close error: ",
            "no chart index",
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
            "failed to locate override values file: ",
            "no values file found at path '",
        ],
        &[],
    ),
    (
        SourceError::Signature,
        &[
            "signature verification of ",
            "cannot verify signature of tag ",
            "cannot verify tag object",
            "public keys secret error: ",
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
            "failed to extract layer contents from artifact: ",
            "failed to find layer with media type ",
            "no layers found in artifact",
            "manifest does not contain minimum number of descriptors",
            "manifest does not contain a layer with mediatype",
            "could not load config with mediatype",
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
        &[
            "exceeds the maximum index file size of",
            "unable to get JSON index from chart repo: ",
            "temporary file: invalid character",
            " has no downloadable URLs",
            "failed to load Helm repository from index YAML: ",
        ],
        &[],
    ),
    (
        SourceError::Url,
        &[
            "invalid chart URL format ",
            "construct Helm client: scheme \"",
            "remote reference: scheme \"",
            "parse \"http",
            "failed to parse url '",
            "use of insecure plain HTTP connections is blocked",
            "unable to parse registry URL '",
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
        &[
            "failed to create temporary working directory: ",
            "failed to create temp file to cache index to: ",
            "failed to create temporary directory for chart: ",
            "failed to create temporary file for chart: ",
            "failed to create artifact directory: ",
            "failed to acquire lock for artifact: ",
            "unable to copy Helm chart to storage: ",
            "unable to copy artifact to storage: ",
            "unable to archive artifact to storage: ",
            "unable to save artifact to storage: ",
            "storage error: symlink ",
        ],
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
            "failed to get STS secret '",
            "auth secret error: ",
            "failed to get proxy address: ",
            "failed to get proxy URL: ",
            "failed to get TLS config: ",
            "failed to configure proxy options: ",
            "failed to configure authentication options: ",
            "failed to configure TLS auth: ",
            "unable to resolve credentials for registry '",
            "failed to create Git client: ",
            "secretRef with github app data",
            "has github app data but provider",
            "SSH identity key is encrypted",
            " auth option: ",
            "knownhosts: ",
            "unable to load Docker config from Secret '",
            "unable to get authentication data from Secret '",
            "invalid auth data: required fields",
            " secret data: required",
            " secret data: requires",
            "must contain exactly one of '",
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
            "Request ARN is invalid",
        ],
        &[],
    ),
    (SourceError::Kind, &["unsupported source kind '"], &[]),
    // What another text wraps: the way to the server first, then what it answers.
    (
        SourceError::Tls,
        &[
            "\": tls: ",
            "error: tls: ",
            "x509: ",
            "tls: failed to verify certificate",
            "server gave HTTP response to HTTPS client",
            "first record does not look like a TLS handshake",
        ],
        // An insecure registry is asked by https first; what it says to http counts.
        &["; GET http://"],
    ),
    (
        SourceError::Unreachable,
        &[
            "connection timed out",
            "operation not permitted",
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
            ": 429 Too Many Requests",
            ": 500 Internal Server Error",
            ": 502 Bad Gateway",
            ": 503 Service Unavailable",
            ": 504 Gateway Time",
            "TOOMANYREQUESTS",
            "toomanyrequests",
            "unexpected EOF",
            "\": EOF",
            "': EOF",
            "handshake failed: EOF",
            "broken pipe",
            "transport connection broken",
            "http2: server sent GOAWAY",
            "http2: client connection",
            "stream error: stream ID ",
        ],
        &[],
    ),
    (
        SourceError::Unauthorized,
        &[
            "authorization failed",
            "failed to authenticate with the Helm repository: ",
            "ssh: unable to authenticate",
            "The Access Key Id you provided does not exist",
            "The request signature we calculated does not match",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "caller might lack sufficient permissions",
            ": Access Denied",
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
            "BLOB_UNKNOWN",
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
        SourceError::NoRef,
        &[
            "couldn't find remote ref ",
            "reference not found",
            "unable to resolve commit object for ",
            "git repository is empty",
            "remote repository is empty",
        ],
        &[],
    ),
    (
        SourceError::NotFound,
        &[
            ": repository not found",
            ": Repository not found",
            "stopped after 10 redirects",
        ],
        &["oci://", "/v2/"],
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
            "no name set for remote chart reference",
            "invalid chart name '",
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
    // An answer that did not come in time, if the text gives no other reason.
    (
        SourceError::Server,
        &["context deadline exceeded"],
        &["lock for artifact"],
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
