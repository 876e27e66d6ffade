//! A command in a container that stays open: its stdin and stdout in the caller's hands, in constant memory.
//!
//! stderr is drained beside it, so that it never stops the others; its beginning is kept for the error.

use super::{Ended, Place, ended};
use crate::cluster::{Cluster, ClusterError};
use futures::FutureExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::AttachedProcess;
use std::io;
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::JoinHandle;

/// Most that is kept of stderr, in bytes.
const STDERR_MAX: usize = 4096;
/// Time for the status frame once stdout has ended.
const STATUS: Duration = Duration::from_secs(5);

/// A command that runs. Dropping it closes the connection.
pub struct Running {
    stdin: Pin<Box<dyn AsyncWrite + Send>>,
    stdout: Pin<Box<dyn AsyncRead + Send>>,
    stderr: JoinHandle<Vec<u8>>,
    status: Pin<Box<dyn Future<Output = Option<Status>> + Send>>,
    /// What the status was, once the connection has ended: its future is over then.
    told: Option<Option<Status>>,
    /// Holds the connection.
    _process: AttachedProcess,
}

impl Cluster {
    /// Starts `command` and leaves it open.
    ///
    /// # Errors
    /// As [`Cluster::exec`].
    pub async fn open(
        &self,
        place: &Place<'_>,
        command: &[String],
    ) -> Result<Running, ClusterError> {
        let started = std::time::Instant::now();
        self.transport.count();
        let process = self.transport.start(place, command).await;
        self.transport.log_exec(
            place,
            &match &process {
                Ok(_) => "101 Switching Protocols".to_owned(),
                Err(error) => error.clause(),
            },
            started.elapsed(),
        );
        let mut process = process?;
        let (Some(stdin), Some(stdout), Some(stderr), Some(status)) = (
            process.stdin(),
            process.stdout(),
            process.stderr(),
            process.take_status(),
        ) else {
            return Err(ClusterError::Other(
                "the streams of the exec are not there".to_owned(),
            ));
        };
        Ok(Running {
            stdin: Box::pin(stdin),
            stdout: Box::pin(stdout),
            stderr: tokio::spawn(beginning(stderr)),
            status: Box::pin(status),
            told: None,
            _process: process,
        })
    }
}

impl Running {
    /// Writes all of `bytes` to the command's stdin.
    ///
    /// # Errors
    /// The command or the connection has ended.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.told.is_none() {
            let write = async {
                self.stdin.write_all(bytes).await?;
                self.stdin.flush().await
            };
            tokio::select! {
                biased;
                written = write => return written,
                told = &mut self.status => self.told = Some(told),
            }
        }
        Err(io::ErrorKind::BrokenPipe.into())
    }

    /// What comes next on stdout, at most `into` bytes; 0 at its end, which is also that of a lost connection.
    ///
    /// # Errors
    /// The connection ended in the middle.
    pub async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.told.is_none() {
            tokio::select! {
                biased;
                read = self.stdout.read(into) => return read,
                told = &mut self.status => self.told = Some(told),
            }
        }
        match &self.told {
            Some(Some(_)) => self.stdout.read(into).await,
            // Without a status nobody ends the streams: what has come is all there is.
            Some(None) | None => self.stdout.read(into).now_or_never().unwrap_or(Ok(0)),
        }
    }

    /// How it ended, once stdout has, and the beginning of stderr.
    pub async fn ended(self) -> (Ended, Vec<u8>) {
        let status = match self.told {
            Some(told) => Ok(told),
            None => tokio::time::timeout(STATUS, self.status).await,
        };
        let ended = match status {
            Ok(Some(status)) => ended(&status),
            Ok(None) | Err(_) => Ended::Lost("the connection ended without a status".to_owned()),
        };
        // Without a status nobody ends the stream.
        let stderr = tokio::time::timeout(Duration::from_millis(200), self.stderr).await;
        (ended, stderr.ok().and_then(Result::ok).unwrap_or_default())
    }
}

async fn beginning(stream: impl AsyncRead + Send) -> Vec<u8> {
    let mut stream = Box::pin(stream);
    let mut kept = Vec::new();
    let mut piece = [0; 1024];
    while let Ok(read @ 1..) = stream.read(&mut piece).await {
        let room = STDERR_MAX.saturating_sub(kept.len());
        kept.extend_from_slice(&piece[..read.min(room)]);
    }
    kept
}
