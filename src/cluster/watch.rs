//! A watch: the lines of changes after a list, over dropped connections.
//!
//! kubectl ends when its stream drops; on call one wants it to go on. Owns where to go on from, and says when the place is lost
//! (410), so that the caller lists anew.

use super::answer::{self, Fault, OBJECT_MAX};
use super::helm_releases::Query;
use super::transport::Transport;
use super::{Cluster, ClusterError};
use crate::model::helm_release::KIND;
use http_body_util::BodyExt;
use kube::client::Body;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// Wait before a dropped stream is opened again.
pub const PAUSE: Duration = Duration::from_secs(1);
/// For how long the server is asked to keep a stream open; then it is opened anew from the same place.
const SERVED: Duration = Duration::from_secs(300);
/// Longest line: an object, and what is around it.
const LINE_MAX: usize = OBJECT_MAX + 1024;
/// A stream that says nothing for so long is dead: a live one brings a bookmark every minute.
const QUIET: Duration = Duration::from_secs(150);

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
    /// Longest silence of a stream.
    quiet: Duration,
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
            quiet: QUIET,
        }
    }
}

impl Watch {
    /// The next change; waits as long as it takes, and opens a stream again that was dropped or fell silent.
    ///
    /// # Errors
    /// What the API server said when the stream was opened, or that it cannot be reached any more.
    pub async fn next(&mut self) -> Result<Next, ClusterError> {
        loop {
            if let Some(line) = self.line() {
                match self.parse(&line)? {
                    Some(next) => return Ok(next),
                    None => continue,
                }
            }
            match &mut self.body {
                None => match self.open().await {
                    Err(error) if error.api_code() == Some(410) => return Ok(Next::Relist),
                    other => other?,
                },
                Some(body) => match tokio::time::timeout(self.quiet, body.frame()).await {
                    Ok(Some(Ok(frame))) => {
                        if let Ok(data) = frame.into_data() {
                            self.buffer.extend_from_slice(&data);
                        }
                        if self.buffer.len() > LINE_MAX && !self.buffer.contains(&b'\n') {
                            return Err(ClusterError::TooLarge);
                        }
                    }
                    Ok(Some(Err(_)) | None) | Err(_) => {
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
            "{}{join}watch=1&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}",
            self.path,
            SERVED.as_secs(),
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

    fn parse(&mut self, line: &[u8]) -> Result<Option<Next>, ClusterError> {
        let fault = |why: &str| self.transport.fault(Fault::Form(why.to_owned()));
        let event: Event = serde_json::from_slice(line)
            .map_err(|_| self.transport.fault(Fault::Form(answer::said(line))))?;
        if event.kind == "ERROR" {
            let code = event.object.get("code").and_then(Value::as_u64);
            let code = code.and_then(|c| u16::try_from(c).ok()).unwrap_or_default();
            return match answer::status(code, event.object.to_string().as_bytes()) {
                Some(status) if status.code == 410 => Ok(Some(Next::Relist)),
                Some(status) => Err(ClusterError::Api(Box::new(status))),
                None => Err(fault("an error of a watch that is not a Status")),
            };
        }
        let text = |path: &str| {
            let text = event.object.pointer(path).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        if text("/kind") != KIND {
            return Err(fault("a change of something else than a HelmRelease"));
        }
        let (version, name) = (text("/metadata/resourceVersion"), text("/metadata/name"));
        let change = match event.kind.as_str() {
            "BOOKMARK" => None,
            _ if name.is_empty() => return Err(fault("a change of an object without a name")),
            "ADDED" | "MODIFIED" => Some(Next::Change(Change::Is(event.object))),
            "DELETED" => Some(Next::Change(Change::Gone(event.object))),
            _ => return Err(fault("a change of a type that no watch has")),
        };
        if !version.is_empty() {
            self.resource_version = version;
        }
        Ok(change)
    }
}

#[cfg(test)]
mod tests {
    use super::super::server::Server;
    use super::super::test_server;
    use super::*;
    use http_body_util::Full;
    use http_body_util::combinators::UnsyncBoxBody;
    use serde_json::json;

    type Answer = UnsyncBoxBody<bytes::Bytes, std::convert::Infallible>;

    fn event(version: &str) -> Answer {
        let object =
            json!({"kind": "HelmRelease", "metadata": {"name": "a", "resourceVersion": version}});
        let line = json!({"type": "MODIFIED", "object": object});
        Full::from(format!("{line}\n")).boxed_unsync()
    }

    /// A watch on a server that answers each request in turn, and the queries that were asked.
    async fn watched(
        answers: Vec<(u16, Answer)>,
        changes: usize,
    ) -> (Vec<Result<Next, ClusterError>>, Vec<String>) {
        let (client, asked) = test_server::serve(answers);
        let mut watch = Watch {
            transport: Transport::new(client, Server::new("https://test/"), None, 0),
            path: "/apis/x".into(),
            resource_version: "5".into(),
            body: None,
            buffer: Vec::new(),
            quiet: Duration::from_millis(50),
        };
        let mut said = Vec::new();
        for _ in 0..changes {
            said.push(watch.next().await);
        }
        (said, asked.queries())
    }

    #[tokio::test]
    async fn a_silent_stream_is_opened_again_from_the_same_place() {
        // A body whose end never comes.
        let silence = Full::default().with_trailers(std::future::pending());
        let answers = vec![
            (200, event("7")),
            (200, silence.boxed_unsync()),
            (200, event("8")),
        ];
        let (said, asked) = watched(answers, 2).await;
        assert!(
            matches!(&said[1], Ok(Next::Change(Change::Is(o))) if o["metadata"]["resourceVersion"] == "8")
        );
        let query = "watch=1&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=";
        let from = |version: &str| format!("{query}{version}");
        assert_eq!(asked, [from("5"), from("7"), from("7")]);
    }

    #[tokio::test]
    async fn a_place_that_is_lost_when_the_stream_is_opened_is_no_error() {
        let expired = json!({"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old"});
        let body = Full::from(expired.to_string()).boxed_unsync();
        let (said, _) = watched(vec![(410, body)], 1).await;
        assert!(matches!(said[0], Ok(Next::Relist)), "{said:?}");
    }
}
