//! A server for tests that answers each request in turn.

use http::{Request, Response};
use http_body_util::BodyExt;
use kube::client::Body;
use std::future;
use std::sync::{Arc, Mutex, PoisonError};
use tower::BoxError;

/// The queries a server was asked, in order.
#[derive(Clone, Default)]
pub(super) struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    pub(super) fn queries(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn push(&self, request: &Request<Body>) {
        let query = request.uri().query().unwrap_or_default().to_owned();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(query);
    }
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
