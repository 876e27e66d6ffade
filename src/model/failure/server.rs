//! Trouble of the API server or of etcd, read out of a failure's text.
//!
//! A connection that fails is the API server's only where the address is: charts and webhooks are fetched by the same words.

/// What is wrong with the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerError {
    /// An aggregated API does not answer: `metrics.k8s.io/v1beta1`.
    Discovery(String),
    /// The store behind the API server; its own words.
    Etcd(String),
    /// The API server was not reached.
    Unreachable(String),
    /// It answered that it cannot answer now.
    Overloaded(String),
    /// It answered 400 and no more: client-go's words for it.
    Rejected(&'static str),
    /// It does not know server-side apply: it answered 415.
    NoServerSideApply,
    /// It does not accept the token of the controller.
    Unauthorized(String),
}

/// What the API server says when it cannot answer now.
const OVERLOADED: [&str; 11] = [
    "the server is currently unable to handle the request",
    "the server was unable to return a response in the time allotted",
    "the server has received too many requests",
    "resource quota evaluation timed out",
    "resource quota evaluates timeout",
    "status unknown for quota: ",
    "has prevented the request from succeeding",
    "keepalive ping failed to receive ACK",
    "Timeout: request did not complete within requested timeout",
    "apiserver not ready",
    "apiserver is shutting down",
];

/// What client-go says of an answer 400 that tells nothing: it need not pass.
const REJECTED: &str = "the server rejected our request for an unknown reason";

/// Paths that only an API server has.
const PATHS: [&str; 5] = ["/api/v1", "/apis", "/version", "/openapi/", "/api?"];

/// What Go's clients say of a connection that fails.
const BROKEN: [&str; 12] = [
    "connection refused",
    "connection reset by peer",
    "i/o timeout",
    "connection timed out",
    "unexpected EOF",
    "network is unreachable",
    "TLS handshake timeout",
    "no such host",
    "no route to host",
    "x509: ",
    "Client.Timeout exceeded while awaiting headers",
    ": EOF",
];

/// A connection over HTTP/2 that ended while a request was under way.
const LOST: [&str; 5] = [
    "http2: client connection lost",
    "http2: client connection force closed",
    "http2: server sent GOAWAY",
    "stream error: stream ID ",
    "use of closed network connection",
];

impl ServerError {
    /// The certificate was not accepted: that does not pass.
    pub fn is_of_certificate(&self) -> bool {
        matches!(self, Self::Unreachable(said) if said.contains("x509: "))
    }

    /// Reads `text`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let lead = "unable to retrieve the complete list of server APIs: ";
        if let Some((_, rest)) = text.split_once(lead) {
            let api = rest.split(": ").next().unwrap_or_default();
            return Some(Self::Discovery(api.to_owned()));
        }
        if text.contains("etcdserver: ") || is_of_store(text) {
            return Self::of_etcd(text);
        }
        if let Some(said) = unauthorized(text) {
            return Some(Self::Unauthorized(said.to_owned()));
        }
        for lead in [
            "ubernetes cluster unreachable: ",
            "ubernetes cluster unreachable",
        ] {
            if let Some((_, why)) = text.split_once(lead) {
                return Some(Self::Unreachable(line(why).to_owned()));
            }
        }
        if let Some(said) = OVERLOADED.iter().find(|o| text.contains(**o)) {
            // The failure comes before these words.
            let said = match text.split_once("an error on the server (") {
                Some((_, said)) => line(said),
                None => said,
            };
            return Some(Self::Overloaded(said.to_owned()));
        }
        if text.contains("server-side apply not available on the server") {
            return Some(Self::NoServerSideApply);
        }
        if text.contains(REJECTED) {
            return Some(Self::Rejected(REJECTED));
        }
        if let Some((_, why)) = text.split_once("could not get apiVersions from Kubernetes: ") {
            return Some(Self::Overloaded(line(why).to_owned()));
        }
        // Only the API server is spoken to over HTTP/2.
        if let Some(at) = LOST.iter().find_map(|lost| text.find(lost)) {
            return Some(Self::Unreachable(line(&text[at..]).to_owned()));
        }
        connection(text).map(Self::Unreachable)
    }

    /// Reads what the API server's store says, whatever it speaks of: a full disk is its own.
    pub(super) fn of_etcd(text: &str) -> Option<Self> {
        let lead = match text.contains("etcdserver: ") {
            true => "etcdserver: ",
            false if is_of_store(text) => RPC,
            false => return None,
        };
        let said = line(&text[text.find(lead)?..]);
        // That one is about the object.
        let of_object = said.starts_with("etcdserver: request is too large");
        (!of_object).then(|| Self::Etcd(said.to_owned()))
    }
}

/// How the API server quotes its store.
const RPC: &str = "rpc error: code = ";

/// `rpc error: code = Unknown desc = write /var/lib/etcd/x: no space left on device`: neither Helm nor Flux speaks gRPC.
fn is_of_store(text: &str) -> bool {
    let said = text.split_once(RPC).map(|(_, said)| line(said));
    said.is_some_and(|said| said.contains("no space left on device"))
}

/// The answer 401, in the words of client-go.
fn unauthorized(text: &str) -> Option<&str> {
    let asked = "the server has asked for the client to provide credentials";
    if text.contains(asked) {
        return Some(asked);
    }
    let said = text.lines().next()?.trim_end();
    let leads = [
        "query: failed to query with labels: ",
        "could not get information about the resource",
        "failed to create REST mapper: ",
        "get: failed to get ",
        "create: failed to create: ",
        "update: failed to update: ",
    ];
    let ends = said.ends_with(": Unauthorized") || said.ends_with(": unauthorized");
    (ends && leads.iter().any(|lead| text.contains(lead))).then_some("Unauthorized")
}

/// `Get "https://10.96.0.1:443/api/v1/…": dial tcp …: connect: connection refused`
fn connection(text: &str) -> Option<String> {
    let at = text.find("\"https://")?;
    let (url, after) = text[at + 1..].split_once('"')?;
    let host_and_path = url.strip_prefix("https://")?;
    let path = &host_and_path[host_and_path.find('/')?..];
    let error = line(after.strip_prefix(": ")?);
    let is_api = path == "/api" || PATHS.iter().any(|p| path.starts_with(p));
    let ours = is_api && !path.ends_with("index.yaml");
    let broken = BROKEN.iter().any(|b| error.contains(b)) || error == "EOF";
    (ours && broken).then(|| error.to_owned())
}

fn line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_is_read() {
        let told = |text: &str| format!("{:?}", ServerError::parse(text));
        insta::assert_snapshot!([
            "could not get apiVersions from Kubernetes: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: the server is currently unable to handle the request",
            "create: failed to create: etcdserver: leader changed",
            "Kubernetes cluster unreachable: the server has asked for the client to provide credentials",
            "kubernetes cluster unreachable: Get \"https://10.96.0.1:443/version\": dial tcp 10.96.0.1:443: connect: connection refused",
            "query: failed to query with labels: Get \"https://10.96.0.1:443/api/v1/namespaces/flux-system/secrets?labelSelector=x\": net/http: TLS handshake timeout",
            "the server was unable to return a response in the time allotted, but may still be processing the request (post jobs.batch)",
        ]
        .map(told)
        .join("\n"), @r#"
        Some(Discovery("metrics.k8s.io/v1beta1"))
        Some(Etcd("etcdserver: leader changed"))
        Some(Unauthorized("the server has asked for the client to provide credentials"))
        Some(Unreachable("Get \"https://10.96.0.1:443/version\": dial tcp 10.96.0.1:443: connect: connection refused"))
        Some(Unreachable("net/http: TLS handshake timeout"))
        Some(Overloaded("the server was unable to return a response in the time allotted"))
        "#);
    }

    #[test]
    fn other_peoples_connections_are_left_alone() {
        for text in [
            "failed to fetch Helm repository index: failed to cache index to temporary file: Get \"https://artifactory.example/artifactory/helm/index.yaml\": dial tcp: lookup artifactory.example: no such host",
            "Get \"https://artifactory.example/api/v1/index.yaml\": EOF",
            "etcdserver: request is too large",
            "namespaces \"x\" not found",
            "connection refused",
        ] {
            assert_eq!(ServerError::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(Get \"https://|h|/api/v1/|\": |EOF|\"|etcdserver: |ubernetes cluster unreachable|unable to retrieve the complete list of server APIs: |é|\n){0,10}") {
            let _ = ServerError::parse(&text);
        }
    }
}
