//! An Event about a pod: the one object that this plugin ever creates in Kubernetes.
//!
//! Only `delete-db` creates one, as its trace. A second Event would report two deletions.

use super::sent_once::Change;
use super::{Cluster, ClusterError, segment};
use http::Method;
use serde_json::Value;
use std::time::Duration;

/// Time limit: a trace must not hold up the deletion that it reports.
const LIMIT: Duration = Duration::from_secs(10);

impl Cluster {
    /// Creates the Event. A rehearsal passes through the whole API server, including rights and admission, and leaves nothing.
    ///
    /// # Errors
    /// What the API server or the connection said.
    pub async fn make_event(
        &self,
        namespace: &str,
        event: &Value,
        rehearsal: bool,
    ) -> Result<(), ClusterError> {
        let query = if rehearsal { "?dryRun=All" } else { "" };
        let change = Change {
            method: Method::POST,
            target: &format!("/api/v1/namespaces/{}/events{query}", segment(namespace)),
            content_type: "application/json",
            body: event,
            limit: self.transport.timeout().map_or(LIMIT, |t| t.min(LIMIT)),
        };
        #[expect(clippy::disallowed_methods, reason = "the one Event")]
        self.send_once(&change).await.map(|_| ())
    }
}
