//! The change of one HelmRelease, for `suspend` and `resume` alone: they are the only ones that can be said here.
//!
//! It is sent once. A change that was made in the meantime makes the API server refuse it: the patch names what was read.

use super::{Cluster, ClusterError, answer, segment};
use crate::model::helm_release::{GROUP, Metadata, PLURAL};
use crate::model::suspension::Change;
use http::{Request, header};
use kube::client::Body;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Field manager of the changes: kustomize-controller takes back what a manager whose name begins with `kubectl` has changed.
pub const MANAGER: &str = "flux";

/// Bound where no `--request-timeout` is given.
const LIMIT: Duration = Duration::from_secs(30);

impl Cluster {
    /// Makes the change on the object that was read, and gives it back as it is then. A rehearsal goes the whole way through the API server
    /// and changes nothing.
    ///
    /// # Errors
    /// What the API server or the connection said; a 409 where the object has changed since it was read.
    pub async fn change_helm_release(
        &self,
        read: &Metadata,
        change: &Change,
        rehearsal: bool,
    ) -> Result<Value, ClusterError> {
        let started = Instant::now();
        let path = format!(
            "/apis/{GROUP}/{}/namespaces/{}/{PLURAL}/{}",
            self.known_version(),
            segment(&read.namespace),
            segment(&read.name)
        );
        let dry = if rehearsal { "&dryRun=All" } else { "" };
        let target = format!("{path}?fieldManager={MANAGER}{dry}");
        self.transport.count();
        let limit = self.transport.timeout().unwrap_or(LIMIT);
        let sent = self.send_change(&path, &target, change.patch(read));
        let answer = match tokio::time::timeout(limit, sent).await {
            Ok(answer) => answer,
            Err(_) => Err(ClusterError::TimedOut {
                server: self.transport.server().clone(),
                seconds: limit.as_secs(),
            }),
        };
        self.transport.log(|base| {
            let outcome = match &answer {
                Ok(_) => "200 OK".to_owned(),
                Err(error) => error.clause(),
            };
            let took = started.elapsed().as_millis();
            format!("PATCH {base}{target} {outcome} in {took} milliseconds")
        });
        answer
    }

    async fn send_change(
        &self,
        path: &str,
        target: &str,
        patch: Value,
    ) -> Result<Value, ClusterError> {
        let client = self.transport.client(target)?;
        let request = Request::patch(target)
            .header(header::CONTENT_TYPE, "application/merge-patch+json")
            .header(header::ACCEPT, "application/json")
            .body(Body::from(patch.to_string().into_bytes()))
            .map_err(|e| ClusterError::Other(e.to_string()))?;
        let failed = |e| ClusterError::from_kube(e, self.transport.server());
        #[expect(clippy::disallowed_methods, reason = "the one PATCH")]
        let (head, body) = client.send(request).await.map_err(failed)?.into_parts();
        let body = self.transport.body(head.status, body).await?;
        if !head.status.is_success() {
            return Err(self.transport.refused(head.status, &head.headers, &body));
        }
        answer::check_object(path, &body).map_err(|fault| self.transport.fault(fault))?;
        serde_json::from_slice(&body).map_err(|e| ClusterError::Malformed(e.to_string()))
    }
}
