//! A request that changes something: sent once whatever the answer, with a time limit, and logged like a read.
//!
//! Only `event` and `patch` make one; clippy forbids it elsewhere.

use super::{Cluster, ClusterError};
use bytes::Bytes;
use http::{Method, Request, header};
use kube::client::Body;
use serde_json::Value;
use std::time::{Duration, Instant};

/// A change to send.
pub(super) struct Change<'a> {
    pub(super) method: Method,
    /// Path and query.
    pub(super) target: &'a str,
    pub(super) content_type: &'static str,
    pub(super) body: &'a Value,
    /// How long the answer may take.
    pub(super) limit: Duration,
}

impl Cluster {
    /// Sends a change and returns the body of a successful answer.
    ///
    /// # Errors
    /// The error of the API server or the connection. After a time-out the change may have been made.
    pub(super) async fn send_once(&self, change: &Change<'_>) -> Result<Bytes, ClusterError> {
        let started = Instant::now();
        self.transport.count();
        let answer = match tokio::time::timeout(change.limit, self.send(change)).await {
            Ok(answer) => answer,
            Err(_) => Err(ClusterError::TimedOut {
                server: self.transport.server().clone(),
                seconds: change.limit.as_secs(),
            }),
        };
        self.transport.log(|base| {
            let outcome = match &answer {
                Ok((status, _)) => status.to_string(),
                Err(error) => error.clause(),
            };
            let took = started.elapsed().as_millis();
            let Change { method, target, .. } = change;
            format!("{method} {base}{target} {outcome} in {took} milliseconds")
        });
        Ok(answer?.1)
    }

    async fn send(&self, change: &Change<'_>) -> Result<(http::StatusCode, Bytes), ClusterError> {
        let client = self.transport.client(change.target)?;
        let request = Request::builder()
            .method(&change.method)
            .uri(change.target)
            .header(header::CONTENT_TYPE, change.content_type)
            .header(header::ACCEPT, "application/json")
            .body(Body::from(change.body.to_string().into_bytes()))
            .map_err(|e| ClusterError::Other(e.to_string()))?;
        let failed = |e| ClusterError::from_kube(e, self.transport.server());
        #[expect(clippy::disallowed_methods, reason = "a change, sent once")]
        let (head, body) = client.send(request).await.map_err(failed)?.into_parts();
        let body = self.transport.body(head.status, body).await?;
        if head.status.is_success() {
            return Ok((head.status, body));
        }
        Err(self.transport.refused(head.status, &head.headers, &body))
    }
}
