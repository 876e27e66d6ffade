//! One read: sent, bounded in time, briefly retried, logged, its error sorted; or answered by saved files.
//!
//! Reads only: GETs, and the POST of a review, which changes nothing (see [`super::review`]). A request that changes something
//! never passes here, so that no retry can send it twice: an exec takes the client and is sent by its own file.

mod watch;

use super::ClusterError;
use super::answer::{self, Cut, Fault, RESPONSE_MAX};
use super::connection_args::{REQUEST, connect_limit};
use super::server::Server;
use crate::bundle::record::{Heard, Recorder};
use crate::bundle::request::{self, Accept};
use crate::bundle::{Answer, Archive, NotSaved};
use crate::snapshot::{Read, Why};
use crate::text::Shown;
use http::{HeaderMap, Request, StatusCode, header};
use kube::Client;
use kube::client::Body;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often a read is sent at most when the server says it is busy (429 with `Retry-After`, 503, 504).
const TRIES: u32 = 3;
/// Most that is read of an error's body, in bytes.
const ERROR_MAX: usize = 64 * 1024;
/// Longest wait between two tries, whatever `Retry-After` says: the user is waiting.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Verbosity from which requests are told on stderr, as in kubectl.
const LOG_REQUESTS: u8 = 6;

/// The form of the answer, as the API server is asked for it.
fn form(accept: Accept) -> &'static str {
    match accept {
        Accept::Json | Accept::Text => "application/json, */*;q=0.1",
        Accept::Metadata => "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    }
}

/// The client with what every request needs beside it.
#[derive(Clone)]
pub(super) struct Transport {
    backend: Backend,
    server: Server,
    timeout: Option<Duration>,
    verbosity: u8,
    requests: Arc<AtomicU64>,
    /// Hears of every read, for a bundle.
    recorder: Option<Arc<Recorder>>,
}

/// Who answers.
#[derive(Clone)]
enum Backend {
    Live(Client),
    Saved(Arc<Archive>),
}

impl Transport {
    pub(super) fn new(
        client: Client,
        server: Server,
        timeout: Option<Duration>,
        verbosity: u8,
    ) -> Self {
        Self {
            backend: Backend::Live(client),
            server,
            timeout,
            verbosity,
            requests: Arc::default(),
            recorder: None,
        }
    }

    pub(super) fn saved(archive: Arc<Archive>, server: Server, verbosity: u8) -> Self {
        Self {
            backend: Backend::Saved(archive),
            server,
            timeout: None,
            verbosity,
            requests: Arc::default(),
            recorder: None,
        }
    }

    /// The same, with every read from now on told to `recorder`.
    pub(super) fn recorded(mut self, recorder: Arc<Recorder>) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// The same, heard by no recorder.
    pub(super) fn unrecorded(mut self) -> Self {
        self.recorder = None;
        self
    }

    /// Tells the recorder, where there is one, what a request brought; `body` is what was sent.
    fn record(
        &self,
        path: &str,
        accept: Accept,
        body: Option<&serde_json::Value>,
        answer: &Result<bytes::Bytes, ClusterError>,
    ) {
        let Some(recorder) = &self.recorder else {
            return;
        };
        let heard = match answer {
            Ok(body) => Heard::Body(body),
            // It is asked for in smaller pages.
            Err(ClusterError::TooLarge) if can_be_halved(path) => return,
            Err(ClusterError::Api(status)) => Heard::Refused(request::Status {
                code: status.code,
                reason: status.reason.clone(),
                message: status.message.clone(),
                name: status
                    .details
                    .as_ref()
                    .map(|d| d.name.clone())
                    .unwrap_or_default(),
            }),
            Err(error) => Heard::Failed(error.clause()),
        };
        recorder.record(path, accept, body, heard);
    }

    /// Tells the recorder, where there is one, of a part that came another way.
    pub(super) fn record_aside<T: serde::Serialize>(&self, name: &str, read: &Read<T>) {
        let answer = match read {
            Read::Seen(value) => match serde_json::to_vec(value) {
                Ok(body) => Ok(body.into()),
                Err(error) => Err(ClusterError::Malformed(error.to_string())),
            },
            Read::Unknown(Why::Forbidden(_) | Why::Failed(_) | Why::Broken(_)) => {
                let why = read.unknown().map(Why::clause).unwrap_or_default();
                Err(ClusterError::Other(why))
            }
            // Nobody asked.
            Read::Absent | Read::Unknown(Why::NotAsked(_) | Why::NotNeeded(_)) => return,
        };
        self.record(name, Accept::Json, None, &answer);
    }

    /// The files, where they answer.
    pub(super) fn archive(&self) -> Option<&Archive> {
        match &self.backend {
            Backend::Live(_) => None,
            Backend::Saved(archive) => Some(archive),
        }
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The client itself, for an upgrade: the caller counts and logs it.
    pub(super) fn client(&self, path: &str) -> Result<Client, ClusterError> {
        match &self.backend {
            Backend::Live(client) => Ok(client.clone()),
            Backend::Saved(_) => Err(ClusterError::NotSaved(Box::new(NotSaved::at(path)))),
        }
    }

    pub(super) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The same way, where no read takes longer than `limit`, unless a bound was given.
    pub(super) fn within(&self, limit: Duration) -> Self {
        Self {
            timeout: self.timeout.map(|t| if t == REQUEST { limit } else { t }),
            ..self.clone()
        }
    }

    /// Counts a request that is sent past this file.
    pub(super) fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// A line of the request log, made only when it is wanted; `line` gets the server's URL without its last slash.
    pub(super) fn log(&self, line: impl FnOnce(&str) -> String) {
        if self.verbosity >= LOG_REQUESTS {
            let line = line(self.server.url().trim_end_matches('/'));
            crate::ui::log(Shown::line(line));
        }
    }

    /// One object by its path.
    pub(super) async fn object<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<T, ClusterError> {
        let body = self.get_bytes(path).await?;
        answer::check_object(path, &body).map_err(|fault| self.fault(fault))?;
        serde_json::from_slice(&body).map_err(|e| ClusterError::Malformed(e.to_string()))
    }

    /// The error of an answer under a code of success that is not what was asked for.
    pub(super) fn fault(&self, fault: Fault) -> ClusterError {
        match (fault, &self.backend) {
            (Fault::Large, _) => ClusterError::TooLarge,
            (Fault::Field(why), _) => ClusterError::Malformed(why),
            (Fault::Form(why), Backend::Saved(_)) => ClusterError::Malformed(why),
            (Fault::Form(said), Backend::Live(_)) => {
                let code = Some(StatusCode::OK.as_u16());
                ClusterError::not_an_answer(code, &self.server, said)
            }
        }
    }

    /// The error of an answer with any other code, from the API server or from a proxy in front of it.
    pub(super) fn refused(
        &self,
        code: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> ClusterError {
        if let Some(status) = answer::status(code.as_u16(), body) {
            return ClusterError::status(status, &self.server);
        }
        let elsewhere = headers
            .get(header::LOCATION)
            .filter(|_| code.is_redirection())
            .and_then(|location| location.to_str().ok());
        let said = match elsewhere {
            // A query can hold credentials.
            Some(location) => {
                let location = location.split(['?', '#']).next().unwrap_or_default();
                let location = crate::text::without_login(location);
                format!("a redirect to {}", crate::text::one_line(&location))
            }
            None => answer::said(body),
        };
        ClusterError::not_an_answer(Some(code.as_u16()), &self.server, said)
    }

    /// Reads the body of an answer, of an error its beginning.
    pub(super) async fn body(
        &self,
        code: StatusCode,
        body: Body,
    ) -> Result<bytes::Bytes, ClusterError> {
        let max = if code.is_success() {
            RESPONSE_MAX
        } else {
            ERROR_MAX
        };
        match answer::collect(body, max).await {
            Ok(body) => Ok(body),
            Err(Cut::Connection(e)) => Err(ClusterError::from_kube(e, &self.server)),
            Err(Cut::Large) if code.is_success() => Err(ClusterError::TooLarge),
            // No status of an API server is that long.
            Err(Cut::Large) => Ok(bytes::Bytes::from_static(b"a long text")),
        }
    }

    pub(super) async fn get_bytes(&self, path: &str) -> Result<bytes::Bytes, ClusterError> {
        self.get_bytes_as(path, Accept::Json).await
    }

    pub(super) async fn get_bytes_as(
        &self,
        path: &str,
        accept: Accept,
    ) -> Result<bytes::Bytes, ClusterError> {
        self.ask(path, accept, None).await
    }

    /// The one place that every read passes, a watch's start and an exec apart. `review` is what a review asks: with it the
    /// request is a POST.
    pub(super) async fn ask(
        &self,
        path: &str,
        accept: Accept,
        review: Option<&Value>,
    ) -> Result<bytes::Bytes, ClusterError> {
        let answer = match &self.backend {
            Backend::Saved(archive) => self.answered(archive, path, accept, review),
            Backend::Live(_) => self.asked(path, accept, review).await,
        };
        self.record(path, accept, review, &answer);
        answer
    }

    /// A read that no recorder hears of, and that no file answers.
    pub(super) async fn get_unrecorded(&self, path: &str) -> Result<bytes::Bytes, ClusterError> {
        self.asked(path, Accept::Json, None).await
    }

    /// What the server says, asked again while it is busy.
    async fn asked(
        &self,
        path: &str,
        accept: Accept,
        review: Option<&Value>,
    ) -> Result<bytes::Bytes, ClusterError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let (status, headers, body) = self.once(path, accept, review).await?;
            if status.is_success() {
                // A login page.
                let kind = headers.get(header::CONTENT_TYPE);
                if kind.is_some_and(|k| k.as_bytes().starts_with(b"text/html")) {
                    return Err(self.fault(Fault::Form(answer::said(&body))));
                }
                return Ok(body);
            }
            let asked = headers.get(header::RETRY_AFTER);
            let busy = match status.as_u16() {
                429 => asked.is_some(),
                code => matches!(code, 503 | 504),
            };
            if busy && tries < TRIES {
                let wait = asked.and_then(|v| v.to_str().ok()?.parse().ok()).map_or(
                    Duration::from_millis(200 * u64::from(tries)),
                    Duration::from_secs,
                );
                tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
                continue;
            }
            return Err(self.refused(status, &headers, &body));
        }
    }

    /// What the saved files say.
    fn answered(
        &self,
        archive: &Archive,
        path: &str,
        accept: Accept,
        review: Option<&Value>,
    ) -> Result<bytes::Bytes, ClusterError> {
        self.count();
        let answer = match archive.answer(path, accept, review) {
            Answer::Found(body) => Ok(body.into()),
            Answer::Refused(status) => Err(ClusterError::from(status)),
            Answer::Failed(why) => Err(ClusterError::Other(why)),
            Answer::NotSaved(what) => Err(ClusterError::NotSaved(Box::new(what))),
        };
        self.log(|base| {
            let outcome = match &answer {
                Ok(body) => format!("{} bytes", bytes::Bytes::len(body)),
                Err(e) => e.clause(),
            };
            format!("GET {base}{path} from the saved files: {outcome}")
        });
        answer
    }

    async fn once(
        &self,
        path: &str,
        accept: Accept,
        review: Option<&Value>,
    ) -> Result<(StatusCode, HeaderMap, bytes::Bytes), ClusterError> {
        let client = self.client(path)?;
        self.count();
        let started = Instant::now();
        let method = if review.is_some() { "POST" } else { "GET" };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, form(accept));
        if review.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = review.map_or_else(Body::empty, |r| Body::from(r.to_string().into_bytes()));
        let request = request.body(body).map_err(|e| {
            ClusterError::Other(format!("the path {path} cannot be asked for: {e}"))
        })?;
        let exchange = async {
            #[expect(
                clippy::disallowed_methods,
                reason = "the one read: a GET, or the POST of a review"
            )]
            let response = client
                .send(request)
                .await
                .map_err(|e| ClusterError::from_kube(e, &self.server))?;
            let (parts, body) = response.into_parts();
            let body = self.body(parts.status, body).await?;
            Ok((parts.status, parts.headers, body))
        };
        let answer = self.bound(exchange).await;
        self.log(|base| {
            let outcome = match &answer {
                Ok((status, _, body)) => format!("{status}, {} bytes", body.len()),
                Err(e) => e.clause(),
            };
            format!(
                "{method} {base}{path} {outcome} in {} milliseconds",
                started.elapsed().as_millis()
            )
        });
        answer
    }

    /// The exchange, ended when the request's time is over.
    async fn bound<T>(
        &self,
        exchange: impl Future<Output = Result<T, ClusterError>>,
    ) -> Result<T, ClusterError> {
        let answer = match self.timeout {
            None => exchange.await,
            Some(limit) => tokio::time::timeout(limit, exchange)
                .await
                .unwrap_or_else(|_| {
                    Err(ClusterError::TimedOut {
                        server: self.server.clone(),
                        seconds: limit.as_secs(),
                    })
                }),
        };
        answer.map_err(|e| match e {
            // The connection's own, shorter bound does not tell how long it was.
            ClusterError::TimedOut { server, seconds: 0 } => ClusterError::TimedOut {
                server,
                seconds: connect_limit(self.timeout).as_secs(),
            },
            other => other,
        })
    }
}

/// Whether the path is that of a page that a smaller `limit` makes smaller.
fn can_be_halved(path: &str) -> bool {
    let (_, query) = request::split(path);
    let limit = query.iter().find(|(name, _)| name == "limit");
    limit.is_some_and(|(_, limit)| limit.parse() != Ok(1))
}

#[cfg(test)]
mod tests;
