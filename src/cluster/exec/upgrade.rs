//! The answer to an exec's upgrade, judged by its HTTP status.
//!
//! kube takes the code out of the body: a gateway's 500 around `{"kind":"Status","code":404}` would count as the API server's own
//! 404, after which nothing can have run. Here the body only explains a status, it never replaces one.

use crate::cluster::server::Server;
use crate::cluster::{ClusterError, answer};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use kube::Client;
use kube::client::Body;
use tower::BoxError;

/// Most that is read of a refusal's body, in bytes.
const BODY_MAX: usize = 64 * 1024;

/// An answer to the upgrade that is not 101.
#[derive(Debug, thiserror::Error)]
#[error("HTTP {} in answer to an exec", .status.as_u16())]
struct NotUpgraded {
    status: StatusCode,
    body: Bytes,
}

/// The same client, whose upgrade fails with [`NotUpgraded`] on every status but 101.
pub(super) fn watched(client: Client) -> Client {
    let namespace = client.default_namespace().to_owned();
    let service = tower::service_fn(move |request: Request<Body>| {
        let client = client.clone();
        async move {
            #[expect(clippy::disallowed_methods, reason = "the upgrade of the one exec")]
            let response = client.send(request).await?;
            only_upgraded(response).await
        }
    });
    Client::new(service, namespace)
}

async fn only_upgraded(response: Response<Body>) -> Result<Response<Body>, BoxError> {
    let status = response.status();
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(response);
    }
    // The status decides, so a body that is cut or too long only explains less.
    let body = Limited::new(response.into_body(), BODY_MAX).collect().await;
    let body = body.map(|b| b.to_bytes()).unwrap_or_default();
    Err(NotUpgraded { status, body }.into())
}

/// Returns why the exec was not started.
pub(super) fn failed(error: kube::Error, server: &Server) -> ClusterError {
    match error {
        kube::Error::Service(error) => match error.downcast::<NotUpgraded>() {
            Ok(answer) => refused(answer.status, &answer.body, server),
            Err(error) => ClusterError::from_kube(kube::Error::Service(error), server),
        },
        other => ClusterError::from_kube(other, server),
    }
}

/// The error of an answer that is not 101.
fn refused(status: StatusCode, body: &[u8], server: &Server) -> ClusterError {
    let code = status.as_u16();
    let failed = status.is_client_error() || status.is_server_error();
    match answer::whole_status(code, body).filter(|_| failed) {
        Some(status) => ClusterError::status(status, server),
        None => ClusterError::not_an_answer(Some(code), server, answer::said(body)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(status: u16, body: &str) -> ClusterError {
        refused(
            StatusCode::from_u16(status).unwrap(),
            body.as_bytes(),
            &Server::new("https://server"),
        )
    }

    fn status(code: u16) -> String {
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "pods \"db-0\" not found", "reason": "NotFound", "code": code})
        .to_string()
    }

    #[test]
    fn the_http_status_decides_whatever_code_the_body_has() {
        for http in [400, 405, 408, 409, 429, 500, 502, 503, 504] {
            for code in [401, 403, 404] {
                let error = told(http, &status(code));
                assert!(!error.is_refusal(), "{http} {code}");
                assert_eq!(error.api_code(), Some(http));
            }
        }
        for http in [401, 403, 404] {
            assert!(told(http, &status(500)).is_refusal(), "{http}");
        }
        for http in [200, 201, 204, 302, 307] {
            let error = told(http, &status(404));
            assert!(!error.is_refusal(), "{http}");
            assert_eq!(error.api_code(), None);
        }
    }

    #[test]
    fn only_a_real_status_is_the_api_servers_word() {
        for body in [
            "",
            "{}",
            "null",
            "<html>forbidden</html>",
            // Any proxy written in Go says this.
            "404 page not found",
            r#"{"code":403}"#,
            r#"{"kind":"Status","code":403}"#,
            r#"{"kind":"Status","apiVersion":"v1","status":"Success"}"#,
            r#"{"kind":"Pod","apiVersion":"v1","status":"Failure"}"#,
        ] {
            for http in [401, 403, 404] {
                let error = told(http, body);
                assert!(!error.is_refusal(), "{body}");
                assert_eq!((error.api_code(), error.http_code()), (None, Some(http)));
            }
        }
    }
}
