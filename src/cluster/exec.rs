//! One command in a container, over the API server's WebSocket: stdin in, stdout, stderr and how it ended out.
//!
//! Nothing here is ever sent twice: the client has kube's retry layer off, and this file has no loop. The end of a command is
//! what the status frame says; a stream that ends without one is [`Ended::Lost`], never a success.
//! The request log tells pod and container, not the command.

mod open;
mod upgrade;

pub use open::Running;

use super::transport::Transport;
use super::{Cluster, ClusterError, segment};
use futures::FutureExt;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{AttachParams, AttachedProcess};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

/// Most that is taken of each output stream, in bytes.
const OUTPUT_MAX: u64 = 8 * 1024 * 1024;
/// Room between the connection and this file, in bytes.
const BUFFER: usize = 64 * 1024;

/// Where a command runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    pub namespace: &'a str,
    pub pod: &'a str,
    /// Always named: a pod can have sidecars, and a default could be one of them.
    pub container: &'a str,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its exit code, as the status frame told it.
    Exit(i32),
    /// The status frame tells a failure that is no exit code: it could not be started, or the node lost it.
    Failed(String),
    /// No status frame came: what the command did is not known.
    Lost(String),
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execed {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub ended: Ended,
}

impl Cluster {
    /// Runs `command` and waits for its end, `limit` at most. stdin gets `input` and stays open: a server that speaks only the
    /// older protocol would drop the output with it, so the command must not wait for its end.
    ///
    /// # Errors
    /// Only what was said before the command was started: the API server's refusal, or no connection. Nothing was run for certain
    /// only where [`ClusterError::is_refusal`] says so.
    pub async fn exec(
        &self,
        place: &Place<'_>,
        command: &[String],
        input: &[u8],
        limit: Duration,
    ) -> Result<Execed, ClusterError> {
        let started = Instant::now();
        self.transport.count();
        let answer = self.transport.start(place, command).await;
        let answer = match answer {
            Ok(process) => Ok(finish(process, input, limit).await),
            Err(error) => Err(error),
        };
        let outcome = match &answer {
            Ok(execed) => match &execed.ended {
                Ended::Exit(code) => format!("101 Switching Protocols, exit code {code}"),
                Ended::Failed(why) | Ended::Lost(why) => {
                    format!("101 Switching Protocols, {}", crate::text::one_line(why))
                }
            },
            Err(error) => error.clause(),
        };
        self.transport.log_exec(place, &outcome, started.elapsed());
        answer
    }
}

impl Transport {
    /// The line of the request log: pod and container, not the command.
    fn log_exec(&self, place: &Place<'_>, outcome: &str, took: Duration) {
        self.log(|base| {
            format!(
                "GET {base}/api/v1/namespaces/{}/pods/{}/exec?container={} {outcome} in {} milliseconds",
                segment(place.namespace),
                segment(place.pod),
                segment(place.container),
                took.as_millis()
            )
        });
    }

    /// The upgrade: the only part that `--request-timeout` bounds.
    async fn start(
        &self,
        place: &Place<'_>,
        command: &[String],
    ) -> Result<AttachedProcess, ClusterError> {
        let params = AttachParams {
            container: Some(place.container.to_owned()),
            stdin: true,
            stdout: true,
            stderr: true,
            max_stdout_buf_size: Some(BUFFER),
            max_stderr_buf_size: Some(BUFFER),
            ..AttachParams::default()
        };
        let path = format!(
            "/api/v1/namespaces/{}/pods/{}/exec",
            segment(place.namespace),
            segment(place.pod)
        );
        let client = upgrade::watched(self.client(&path)?);
        let pods: Api<Pod> = Api::namespaced(client, place.namespace);
        #[expect(clippy::disallowed_methods, reason = "the one way into a pod")]
        let upgrade = pods.exec(place.pod, command, &params);
        let process = match self.timeout() {
            None => upgrade.await,
            Some(wait) => match tokio::time::timeout(wait, upgrade).await {
                Ok(process) => process,
                Err(_) => {
                    return Err(ClusterError::TimedOut {
                        server: self.server().clone(),
                        seconds: wait.as_secs(),
                    });
                }
            },
        };
        process.map_err(|e| upgrade::failed(e, self.server()))
    }
}

/// Feeds and drains the process until its status frame, or until there can be none.
async fn finish(mut process: AttachedProcess, input: &[u8], limit: Duration) -> Execed {
    let (Some(mut stdin), Some(stdout), Some(stderr), Some(status)) = (
        process.stdin(),
        process.stdout(),
        process.stderr(),
        process.take_status(),
    ) else {
        return lost("the streams of the exec are not there");
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exchange = async {
        let feed = stdin.write_all(input);
        let drains = async { tokio::try_join!(drain(stdout, &mut out), drain(stderr, &mut err)) };
        tokio::pin!(feed, drains, status);
        let mut fed = false;
        loop {
            tokio::select! {
                // A command that has ended does not read: its status tells more than this error.
                _ = &mut feed, if !fed => fed = true,
                drained = &mut drains => {
                    drained?;
                    return Ok(status.await);
                }
                told = &mut status => {
                    if told.is_some() {
                        drains.await?;
                    } else if let Some(drained) = drains.now_or_never() {
                        // Without a status nobody ends the streams: what has come is all there is.
                        drained?;
                    }
                    return Ok(told);
                }
            }
        }
    };
    let ended = match tokio::time::timeout(limit, exchange).await {
        Err(_) => Ended::Lost(format!("no end within {}s", limit.as_secs())),
        Ok(Err(why)) => Ended::Lost(why),
        Ok(Ok(None)) => Ended::Lost("the connection ended without a status".to_owned()),
        Ok(Ok(Some(status))) => ended(&status),
    };
    drop(stdin);
    Execed {
        stdout: out,
        stderr: err,
        ended,
    }
}

fn lost(why: &str) -> Execed {
    Execed {
        stdout: Vec::new(),
        stderr: Vec::new(),
        ended: Ended::Lost(why.to_owned()),
    }
}

/// Reads a stream to its end; what came before an error stays in `into`.
async fn drain(stream: impl AsyncRead + Unpin, into: &mut Vec<u8>) -> Result<(), String> {
    let read = stream.take(OUTPUT_MAX + 1).read_to_end(into).await;
    if into.len() as u64 > OUTPUT_MAX {
        return Err(format!(
            "the output is longer than {} MiB",
            OUTPUT_MAX / 1024 / 1024
        ));
    }
    read.map(|_| ())
        .map_err(|e| format!("the output cannot be read: {e}"))
}

/// The exit code in the kubelet's status: `details.causes` carries it as text.
fn ended(status: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Status) -> Ended {
    if status.status.as_deref() == Some("Success") {
        return Ended::Exit(0);
    }
    let code = status
        .details
        .iter()
        .flat_map(|d| d.causes.iter().flatten())
        .find(|c| c.reason.as_deref() == Some("ExitCode"))
        .and_then(|c| c.message.as_deref()?.parse().ok());
    match code {
        Some(code) => Ended::Exit(code),
        None => Ended::Failed(
            status
                .message
                .clone()
                .filter(|m| !m.is_empty())
                .unwrap_or_else(|| "no reason from the node".to_owned()),
        ),
    }
}

#[cfg(test)]
mod tests;
