//! A server for tests that answers each request in turn.

use super::Cluster;
use super::server::Server;
use super::transport::Transport;
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};
use std::future;
use std::sync::{Arc, Mutex, PoisonError};
use tower::BoxError;

/// What a server was asked, in order.
#[derive(Clone, Default)]
pub(super) struct Asked(Arc<Mutex<Vec<Uri>>>);

impl Asked {
    pub(super) fn queries(&self) -> Vec<String> {
        self.each(|uri| uri.query().unwrap_or_default().to_owned())
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.each(|uri| uri.path().to_owned())
    }

    fn each(&self, part: impl Fn(&Uri) -> String) -> Vec<String> {
        let asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().map(part).collect()
    }

    fn push(&self, request: &Request<Body>) {
        let uri = request.uri().clone();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(uri);
    }
}

/// A page of a list of this kind, as the API server writes it; without a `token` it is the last one.
pub(super) fn page(api_version: &str, kind: &str, items: &[Value], token: &str) -> Value {
    json!({"kind": format!("{kind}List"), "apiVersion": api_version,
        "metadata": {"resourceVersion": "7", "continue": token}, "items": items})
}

/// The API server's answer to a request that it refuses.
pub(super) fn forbidden() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden", "message": "no"})
}

/// A cluster that gives these answers, each with code 200.
pub(super) fn cluster(answers: &[Value]) -> (Cluster, Asked) {
    let answers = answers.iter().map(|answer| (200, answer.clone()));
    answering(&answers.collect::<Vec<_>>())
}

/// A cluster that gives these answers with their codes.
pub(super) fn answering(answers: &[(u16, Value)]) -> (Cluster, Asked) {
    let answers = answers.iter();
    let answers =
        answers.map(|(code, answer)| (*code, Body::from(answer.to_string().into_bytes())));
    let (client, asked) = serve(answers.collect());
    let transport = Transport::new(client, Server::new("https://test/"), None, 0);
    (Cluster::over(transport), asked)
}

/// A client of a server that gives these answers; a request after the last one fails, and is among the queries.
pub(super) fn serve<B>(answers: Vec<(u16, B)>) -> (kube::Client, Asked)
where
    B: BodyExt<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let asked = Asked::default();
    let (queries, mut answers) = (asked.clone(), answers.into_iter());
    let service = tower::service_fn(move |request: Request<Body>| {
        queries.push(&request);
        future::ready(match answers.next() {
            Some((code, body)) => Ok(Response::builder().status(code).body(body).unwrap()),
            None => Err("no answer is left"),
        })
    });
    (kube::Client::new(service, "default"), asked)
}
