//! An Event about a pod: the one object that this plugin ever makes in Kubernetes.
//!
//! For `delete-db` alone, whose trace it is. It is sent once, whatever the answer: an Event that is there twice tells of two deletions.

use super::{Cluster, ClusterError, segment};
use http::{Request, header};
use kube::client::Body;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Bound on one: a trace must not hold up what it tells of.
const LIMIT: Duration = Duration::from_secs(10);

impl Cluster {
    /// Makes the Event. A rehearsal goes the whole way through the API server, rights and admission too, and leaves nothing.
    ///
    /// # Errors
    /// What the API server or the connection said.
    pub async fn make_event(
        &self,
        namespace: &str,
        event: &Value,
        rehearsal: bool,
    ) -> Result<(), ClusterError> {
        let started = Instant::now();
        let query = if rehearsal { "?dryRun=All" } else { "" };
        let path = format!("/api/v1/namespaces/{}/events{query}", segment(namespace));
        self.transport.count();
        let limit = self.transport.timeout().map_or(LIMIT, |t| t.min(LIMIT));
        let answer = match tokio::time::timeout(limit, self.send(&path, event)).await {
            Ok(answer) => answer,
            Err(_) => Err(ClusterError::TimedOut {
                server: self.transport.server().clone(),
                seconds: limit.as_secs(),
            }),
        };
        self.transport.log(|base| {
            let outcome = match &answer {
                Ok(()) => "201 Created".to_owned(),
                Err(error) => error.clause(),
            };
            let took = started.elapsed().as_millis();
            format!("POST {base}{path} {outcome} in {took} milliseconds")
        });
        answer
    }

    async fn send(&self, path: &str, event: &Value) -> Result<(), ClusterError> {
        let client = self.transport.client(path)?;
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(Body::from(event.to_string().into_bytes()))
            .map_err(|e| ClusterError::Other(e.to_string()))?;
        let failed = |e| ClusterError::from_kube(e, self.transport.server());
        #[expect(clippy::disallowed_methods, reason = "the one Event")]
        let (head, body) = client.send(request).await.map_err(failed)?.into_parts();
        let body = self.transport.body(head.status, body).await?;
        if head.status.is_success() {
            return Ok(());
        }
        Err(self.transport.refused(head.status, &head.headers, &body))
    }
}
