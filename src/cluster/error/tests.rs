use super::*;
use crate::error::Error;

fn status(code: u16, reason: &str, message: &str) -> ClusterError {
    ClusterError::Api(Box::new(Status {
        code,
        reason: reason.into(),
        message: message.into(),
        ..Status::default()
    }))
}

#[test]
fn a_refusal_says_what_to_ask_for() {
    let message = "secrets \"s\" is forbidden: User \"dev\" cannot get resource \"secrets\" in API group \"\" in the namespace \"flux-system\"";
    let error = Error::from(status(403, "Forbidden", message));
    assert_eq!(
        error.to_string(),
        format!("Error from server (Forbidden): {message}")
    );
    assert_eq!(error.hints(), ["ask for: get secrets in flux-system"]);
    assert_eq!(
        status(403, "Forbidden", message).clause(),
        "forbidden (get secrets in flux-system)"
    );
    let all = "helmreleases.helm.toolkit.fluxcd.io is forbidden: User \"dev\" cannot list resource \"helmreleases\" in API group \"helm.toolkit.fluxcd.io\" at the cluster scope";
    let clause = status(403, "Forbidden", all).clause();
    assert_eq!(clause, "forbidden (list helmreleases in all namespaces)");
}

#[test]
fn what_no_api_server_said_is_no_refusal() {
    let gateway = |code, text| {
        let status = Status::failure(text, NO_STATUS).with_code(code);
        ClusterError::from_kube(
            kube::Error::Api(status.boxed()),
            &Server::new("https://h:6443/k8s"),
        )
    };
    let late = gateway(504, "<html>\n<b>late</b>");
    assert_eq!(
        Error::from(late.clone()).to_string(),
        "error: HTTP 504 from h:6443/k8s is not a Kubernetes API answer: late"
    );
    // Envoy answers 408 when the upstream server is silent: the request has gone on by then.
    assert!(!gateway(408, "late").is_refusal() && !late.is_refusal());
    let unserved = gateway(404, "404 page not found\n");
    assert!(unserved.is_unserved() && !gateway(404, "not found").is_not_found());
    assert!(!gateway(403, "no").is_forbidden() && gateway(403, "no").api_code().is_none());
    assert!(status(403, "Forbidden", "no").is_refusal());
    assert!(!status(500, "InternalError", "no").is_refusal());
}

#[test]
fn json_that_kube_takes_for_a_status_is_none() {
    let read = |json: &str| {
        let status: Status = serde_json::from_str(json).unwrap();
        ClusterError::from_kube(kube::Error::Api(status.boxed()), &Server::new("https://h"))
    };
    let rancher = read(r#"{"Message":"origin not allowed"}"#);
    assert_eq!(
        rancher.clause(),
        "the error from h is not a Kubernetes API answer: JSON that is not a Status"
    );
    let gateway = read(r#"{"code":403,"message":"no\nroute"}"#);
    assert_eq!(
        gateway.clause(),
        "HTTP 403 from h is not a Kubernetes API answer: no"
    );
    assert!(!gateway.is_refusal() && !gateway.is_forbidden());
    let own = read(r#"{"status":"Failure","code":403,"reason":"Forbidden"}"#);
    assert_eq!(
        Error::from(own).to_string(),
        "Error from server (Forbidden): no reason from the API server (HTTP 403)"
    );
}

#[cfg(unix)]
#[test]
fn a_connection_that_was_cut_is_told_in_words() {
    use std::io::ErrorKind;
    let told =
        |error: std::io::Error| match ClusterError::transport(&error, &Server::new("https://h")) {
            ClusterError::Unreachable { why, .. } => why,
            other => panic!("{other:?}"),
        };
    let eof = std::io::Error::new(ErrorKind::UnexpectedEof, "peer closed: https://docs.rs/x");
    assert_eq!(told(eof), "the connection was cut");
    let reset = std::io::Error::from(rustix::io::Errno::CONNRESET);
    assert!(reset.raw_os_error().is_some());
    assert_eq!(told(reset), "connection reset by peer");
}

#[test]
fn transport_errors_are_kubectls() {
    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    let error = Error::from(ClusterError::transport(
        &refused,
        &Server::new("https://10.0.0.1:6443/"),
    ));
    assert_eq!(
        error.to_string(),
        "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?"
    );
    let expired = Error::from(status(401, "Unauthorized", "Unauthorized"));
    assert_eq!(
        expired.to_string(),
        "error: You must be logged in to the server (Unauthorized)"
    );
}

#[test]
fn a_signature_that_cannot_be_checked_is_told_in_words() {
    use std::io;
    let rustls = "invalid peer certificate: UnsupportedSignatureAlgorithmForPublicKeyContext { signature_algorithm_id: [6] }";
    let wrapped = io::Error::new(io::ErrorKind::InvalidData, rustls);
    let error = Error::from(ClusterError::transport(
        &wrapped,
        &Server::new("https://10.0.0.1:6443/"),
    ));
    assert_eq!(
        error.to_string(),
        "Unable to connect to the server: 10.0.0.1:6443: tls: the server's certificate is signed in a way that this program cannot check, such as P-521; kubectl may"
    );
    assert_eq!(
        error.hints(),
        ["a certificate authority on P-256, P-384, RSA or Ed25519 works"]
    );
}
