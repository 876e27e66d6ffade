//! The change of one HelmRelease, for `suspend`, `resume` and `retry` alone: no other change can be expressed here.
//!
//! The patch names the state that was read, so the API server refuses it if something else changed the object in the meantime.

use super::sent_once;
use super::{Cluster, ClusterError, answer, segment};
use crate::model::helm_release::{GROUP, Metadata, PLURAL};
use crate::model::request::Request;
use crate::model::suspension;
use http::Method;
use serde_json::Value;
use std::time::Duration;

/// Field manager of the changes: kustomize-controller takes back what a manager whose name begins with `kubectl` has changed.
pub const MANAGER: &str = "flux";

/// Time limit if `--request-timeout` sets none (0): a change is never waited for without end.
const LIMIT: Duration = Duration::from_secs(30);

/// What is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Suspension(suspension::Change),
    Request(Request),
}

impl Change {
    fn patch(&self, read: &Metadata) -> Value {
        match self {
            Self::Suspension(change) => change.patch(read),
            Self::Request(request) => request.patch(read),
        }
    }

    /// Whether an object has the change.
    pub fn is_in(&self, object: &Value) -> bool {
        match self {
            Self::Suspension(change) => change.is_in(object),
            Self::Request(request) => request.is_in(object),
        }
    }

    /// The field that it changes.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Suspension(_) => "spec.suspend",
            Self::Request(_) => "metadata.annotations",
        }
    }
}

impl Cluster {
    /// Makes the change on the object that was read, and returns the object as changed. A rehearsal passes through the whole API server and
    /// changes nothing.
    ///
    /// # Errors
    /// What the API server or the connection said; a 409 where the object has changed since it was read.
    pub async fn change_helm_release(
        &self,
        read: &Metadata,
        change: &Change,
        rehearsal: bool,
    ) -> Result<Value, ClusterError> {
        let path = format!(
            "/apis/{GROUP}/{}/namespaces/{}/{PLURAL}/{}",
            self.known_version(),
            segment(&read.namespace),
            segment(&read.name)
        );
        let dry = if rehearsal { "&dryRun=All" } else { "" };
        let change = sent_once::Change {
            method: Method::PATCH,
            target: &format!("{path}?fieldManager={MANAGER}{dry}"),
            content_type: "application/merge-patch+json",
            body: &change.patch(read),
            limit: self.transport.timeout().unwrap_or(LIMIT),
        };
        #[expect(clippy::disallowed_methods, reason = "the one PATCH")]
        let body = self.send_once(&change).await?;
        answer::check_object(&path, &body).map_err(|fault| self.transport.fault(fault))?;
        serde_json::from_slice(&body).map_err(|e| ClusterError::Malformed(e.to_string()))
    }
}
