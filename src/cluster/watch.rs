//! A watch: the lines of changes after a list, over dropped connections.
//!
//! kubectl ends when its stream drops; on call one wants it to go on. Owns where to go on from, and says when the place is lost
//! (410), so that the caller lists anew.

use super::helm_releases::Query;
use super::transport::Transport;
use super::{Cluster, ClusterError};
use http_body_util::BodyExt;
use kube::client::Body;
use kube::core::Status;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// Wait before a dropped stream is opened again.
const PAUSE: Duration = Duration::from_secs(1);

/// One change.
#[derive(Debug)]
pub enum Change {
    /// Added or changed: the object as it is now.
    Is(Value),
    /// Deleted: the object as it was last.
    Gone(Value),
}

/// What the stream says.
#[derive(Debug)]
pub enum Next {
    Change(Change),
    /// The place is lost: list anew, then watch from there.
    Relist,
}

/// An open watch.
pub struct Watch {
    transport: Transport,
    path: String,
    resource_version: String,
    body: Option<Body>,
    buffer: Vec<u8>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    object: Value,
}

impl Cluster {
    /// Watches the HelmReleases that `query` means, from a list's resource version on.
    pub fn watch_helm_releases(&self, query: &Query, resource_version: &str) -> Watch {
        Watch {
            transport: self.transport.clone(),
            path: self.helm_release_list_path(query, self.known_version()),
            resource_version: resource_version.to_owned(),
            body: None,
            buffer: Vec::new(),
        }
    }
}

impl Watch {
    /// The next change; waits as long as it takes, and opens a dropped stream again.
    ///
    /// # Errors
    /// What the API server said when the stream was opened, or that it cannot be reached any more.
    pub async fn next(&mut self) -> Result<Next, ClusterError> {
        loop {
            if let Some(line) = self.line() {
                match self.read(&line)? {
                    Some(next) => return Ok(next),
                    None => continue,
                }
            }
            match &mut self.body {
                None => self.open().await?,
                Some(body) => match body.frame().await {
                    Some(Ok(frame)) => {
                        if let Ok(data) = frame.into_data() {
                            self.buffer.extend_from_slice(&data);
                        }
                    }
                    Some(Err(_)) | None => {
                        self.body = None;
                        self.buffer.clear();
                        tokio::time::sleep(PAUSE).await;
                    }
                },
            }
        }
    }

    async fn open(&mut self) -> Result<(), ClusterError> {
        let join = if self.path.contains('?') { '&' } else { '?' };
        let path = format!(
            "{}{join}watch=1&allowWatchBookmarks=true&resourceVersion={}",
            self.path,
            super::segment(&self.resource_version)
        );
        self.body = Some(self.transport.watch(&path).await?);
        Ok(())
    }

    /// A whole line from the buffer.
    fn line(&mut self) -> Option<Vec<u8>> {
        let end = self.buffer.iter().position(|b| *b == b'\n')?;
        let rest = self.buffer.split_off(end + 1);
        Some(std::mem::replace(&mut self.buffer, rest))
    }

    fn read(&mut self, line: &[u8]) -> Result<Option<Next>, ClusterError> {
        let event: Event =
            serde_json::from_slice(line).map_err(|e| ClusterError::Malformed(e.to_string()))?;
        if event.kind == "ERROR" {
            let status: Status = serde_json::from_value(event.object).unwrap_or_default();
            if status.code == 410 {
                return Ok(Some(Next::Relist));
            }
            return Err(ClusterError::Api(Box::new(status)));
        }
        if let Some(version) = event
            .object
            .pointer("/metadata/resourceVersion")
            .and_then(Value::as_str)
        {
            self.resource_version = version.to_owned();
        }
        Ok(match event.kind.as_str() {
            "ADDED" | "MODIFIED" => Some(Next::Change(Change::Is(event.object))),
            "DELETED" => Some(Next::Change(Change::Gone(event.object))),
            _ => None,
        })
    }
}
