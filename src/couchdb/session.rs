//! A session in a CouchDB pod: one exec, and one request after the other over its stdin.
//!
//! For what is too long or too large for one run of the script: many databases, a backup, a restore. Answers are handed on as they
//! come, in constant memory. It sends no DELETE, and nothing twice: what to do about a lost answer is the caller's to decide.

pub(crate) mod frames;

use super::Target;
use super::request::{Path, Query};
use super::response::{Head, NoResponse, Response};
use super::script::{self, Unfit};
use super::transport::{Failure, nonce};
use crate::cluster::Cluster;
use crate::cluster::exec::{Ended, Running};
use bytes::Bytes;
use frames::{Frame, Frames};
use serde_json::Value;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};

const SCRIPT: &str = concat!(
    include_str!("script/prelude.sh"),
    include_str!("script/session.sh")
);

/// Time on this side around curl's own bound.
const MARGIN: Duration = Duration::from_secs(10);
/// Largest answer that is taken as a whole, in bytes.
const ANSWER_MAX: usize = 64 * 1024 * 1024;
/// Largest head or refusal, in bytes.
const HEAD_MAX: usize = 64 * 1024;
/// How much is read and written at once, in bytes.
const PIECE: usize = 64 * 1024;

/// What a request brings.
pub enum Body<'a> {
    Bytes(&'a [u8]),
    /// So many bytes of a stream.
    Stream {
        length: u64,
        from: &'a mut (dyn AsyncRead + Unpin + Send),
    },
}

impl Body<'_> {
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stream { length, .. } => *length,
        }
    }
}

/// How something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Put,
    Post,
}

/// Why there is no whole answer.
#[derive(Debug)]
pub enum Lost {
    /// The session is over. Whether the request was carried out is not known.
    Session(String),
    /// CouchDB gave none; the next request may have one.
    Answer(NoResponse),
    /// Who takes the answer cannot; the session is over.
    Taker(io::Error),
}

impl Lost {
    /// Whether this session can be asked again.
    pub fn ends_session(&self) -> bool {
        !matches!(self, Self::Answer(_))
    }

    /// A clause for an error.
    pub fn clause(&self) -> String {
        match self {
            Self::Session(why) => why.clone(),
            Self::Answer(none) => none.clause(),
            Self::Taker(error) => error.to_string(),
        }
    }
}

/// Takes an answer's bytes.
pub type Taker<'a> = dyn FnMut(Bytes) -> io::Result<()> + Send + 'a;

/// An open session.
pub struct Session {
    /// `None` when it is over.
    running: Option<Running>,
    frames: Frames,
    piece: Vec<u8>,
    idle: Duration,
}

impl Session {
    /// Opens one. `idle`: how long CouchDB may be silent within an answer.
    ///
    /// # Errors
    /// As for a run: [`Failure`].
    pub async fn open(cluster: &Cluster, target: &Target, idle: Duration) -> Result<Self, Failure> {
        let nonce = nonce();
        let mut command = script::opening(SCRIPT, &nonce, target);
        command.push(idle.as_secs().max(1).to_string());
        #[expect(clippy::disallowed_methods, reason = "one session")]
        let running = cluster
            .open(&target.place(), &command)
            .await
            .map_err(Failure::Exec)?;
        let mut session = Self {
            running: Some(running),
            frames: Frames::new(nonce),
            piece: vec![0; PIECE],
            idle: idle + MARGIN,
        };
        // A script that ends at once does not read: why it ended tells more than this error.
        let _ = session.send(target.credentials.first_line()).await;
        match session.frame().await {
            Ok(Frame::Ready) => Ok(session),
            Ok(_) => Err(Failure::Broken("the script did not begin".to_owned())),
            Err(Ending::Unfit(unfit)) => Err(Failure::Unfit(unfit)),
            Err(Ending::Other(why)) => Err(Failure::Broken(why)),
        }
    }

    /// A GET, its JSON as a whole.
    ///
    /// # Errors
    /// No whole answer.
    pub async fn get(&mut self, path: &Path) -> Result<Response, Lost> {
        self.whole("GET", path, None).await
    }

    /// Several GETs in one go, their JSON as a whole; `None` when one of them did not succeed, or could not be asked for: alone it says
    /// why. After a refusal none is sent.
    ///
    /// # Errors
    /// The session is over.
    pub async fn get_several(&mut self, paths: &[Path]) -> Result<Option<Vec<Value>>, Lost> {
        let mut line = "GETS".to_owned();
        for path in paths {
            line.push(' ');
            line.push_str(path.as_str());
        }
        line.push('\n');
        if self.send(line.as_bytes()).await.is_err() {
            return Err(self.ended().await.into());
        }
        let answers = self.several(paths.len()).await;
        if answers.is_err() {
            self.running = None;
        }
        answers
    }

    async fn several(&mut self, many: usize) -> Result<Option<Vec<Value>>, Lost> {
        let mut bodies = Vec::new();
        loop {
            let mut all = Vec::new();
            let mut take = |bytes: Bytes| {
                if all.len() + bytes.len() > ANSWER_MAX {
                    return Err(io::Error::other("the answer is too long"));
                }
                all.extend_from_slice(&bytes);
                Ok(())
            };
            match self.raw(&mut take).await? {
                (Some(head), _, 0) if head.is_success() && bodies.len() < many => bodies.push(all),
                // The empty one behind the last, whose code holds for all.
                (None, kept, 0) if kept.is_empty() && bodies.len() == many => break,
                (_, _, 1..) => return Ok(None),
                // curl's mark behind an answer that failed; its own end follows.
                _ if bodies.len() < many => bodies.push(b"failed".to_vec()),
                _ => return Err(garbled()),
            }
        }
        let bodies = bodies.iter().map(|body| serde_json::from_slice(body).ok());
        Ok(bodies.collect())
    }

    /// A POST that reads, its JSON as a whole.
    ///
    /// # Errors
    /// No whole answer.
    pub async fn query(&mut self, query: &Query, body: &[u8]) -> Result<Response, Lost> {
        let body = Some((JSON, Body::Bytes(body)));
        self.whole("POST", query.path(), body).await
    }

    /// A GET whose 2xx goes to `take` as it comes, in `encoding` where it is stored so; the response has a body only when it is a
    /// refusal.
    ///
    /// # Errors
    /// No whole answer; `take` may have had a part of it.
    pub async fn stream(
        &mut self,
        path: &Path,
        encoding: Option<&'static str>,
        take: &mut Taker<'_>,
    ) -> Result<Response, Lost> {
        let request = Request::accepting("GET", path, encoding);
        self.ask(&request, None, take).await
    }

    /// A POST that reads, as [`Self::stream`].
    ///
    /// # Errors
    /// No whole answer; `take` may have had a part of it.
    pub async fn stream_query(
        &mut self,
        query: &Query,
        body: &[u8],
        take: &mut Taker<'_>,
    ) -> Result<Response, Lost> {
        let body = Some((JSON, Body::Bytes(body)));
        let request = Request::accepting("POST", query.path(), query.accept());
        self.ask(&request, body, take).await
    }

    /// Writes into CouchDB. `content_type` is one line.
    ///
    /// # Errors
    /// No whole answer: whether it was written is not known.
    pub async fn write(
        &mut self,
        method: Method,
        path: &Path,
        content_type: &str,
        body: Body<'_>,
    ) -> Result<Response, Lost> {
        let method = match method {
            Method::Put => "PUT",
            Method::Post => "POST",
        };
        self.whole(method, path, Some((content_type, body))).await
    }

    /// Several PUTs below a database in one go, all of one type without blanks; `false` when one of them did not succeed, or could not be
    /// sent: which of them were written is not known, and alone each says why.
    ///
    /// # Errors
    /// The session is over.
    pub async fn write_several(
        &mut self,
        database: &Path,
        content_type: &str,
        puts: &[(Path, Vec<u8>)],
    ) -> Result<bool, Lost> {
        let length: usize = puts.iter().map(|(_, body)| body.len()).sum();
        let mut line = format!("PUTS {} {length} {content_type}", database.as_str());
        for (path, body) in puts {
            // Writing to a String cannot fail.
            let _ = write!(line, " {} {}", body.len(), path.as_str());
        }
        line.push('\n');
        let sent = async {
            self.send(line.as_bytes()).await?;
            for (_, body) in puts {
                self.send(body).await?;
            }
            io::Result::Ok(())
        };
        if sent.await.is_err() {
            return Err(self.ended().await.into());
        }
        let answer = self.raw(&mut |_| Ok(())).await;
        if answer.is_err() {
            self.running = None;
        }
        answer.map(|(_, _, code)| code == 0)
    }

    /// Ends it. What was answered is answered, so nothing can fail here.
    pub async fn close(mut self) {
        let _ = self.send(b"end\n").await;
        let _ = tokio::time::timeout(Duration::from_secs(2), self.frame()).await;
    }

    async fn whole(
        &mut self,
        method: &str,
        path: &Path,
        body: Option<(&str, Body<'_>)>,
    ) -> Result<Response, Lost> {
        let mut all = Vec::new();
        let mut response = self
            .ask(&Request::new(method, path), body, &mut |bytes| {
                if all.len() + bytes.len() > ANSWER_MAX {
                    let why = format!("the answer is longer than {} MiB", ANSWER_MAX >> 20);
                    return Err(io::Error::other(why));
                }
                all.extend_from_slice(&bytes);
                Ok(())
            })
            .await?;
        if (200..300).contains(&response.status) {
            response.body = serde_json::from_slice(&all).map_err(|_| {
                Lost::Answer(NoResponse::Broken(
                    "the answer of CouchDB was cut".to_owned(),
                ))
            })?;
        }
        Ok(response)
    }

    async fn ask(
        &mut self,
        request: &Request<'_>,
        body: Option<(&str, Body<'_>)>,
        take: &mut Taker<'_>,
    ) -> Result<Response, Lost> {
        let mut line = format!("{} {}", request.method, request.path.as_str());
        // Writing to a String cannot fail.
        let accept = request.accept.unwrap_or("-");
        let _ = match &body {
            None => write!(line, " - {accept}"),
            Some((kind, body)) => write!(line, " {} {accept} {kind}", body.length()),
        };
        line.push('\n');
        let sent = async {
            self.send(line.as_bytes()).await?;
            match body {
                None => Ok(()),
                Some((_, Body::Bytes(bytes))) => self.send(bytes).await,
                Some((_, Body::Stream { length, from })) => self.send_stream(length, from).await,
            }
        };
        if let Err(error) = sent.await {
            // The other end is gone: its last word tells more. A body that ended too soon leaves nothing to wait for.
            if error.kind() == io::ErrorKind::UnexpectedEof {
                self.running = None;
                return Err(Lost::Session(error.to_string()));
            }
            return Err(self.ended().await.into());
        }
        let answer = self.answer(take).await;
        if answer.as_ref().is_err_and(Lost::ends_session) {
            self.running = None;
        }
        answer
    }

    /// Reads one answer to its end mark: its head, what was no success's body, and the exit code.
    async fn raw(&mut self, take: &mut Taker<'_>) -> Result<(Option<Head>, Vec<u8>, i32), Lost> {
        if self.frame().await? != Frame::Ask {
            return Err(garbled());
        }
        let mut head: Option<Head> = None;
        // The head until it is whole, then a refusal's body.
        let mut kept: Vec<u8> = Vec::new();
        let code = loop {
            match self.frame().await? {
                Frame::End(code) => break code,
                Frame::Piece(bytes) => match &head {
                    Some(head) if head.is_success() => take(bytes).map_err(Lost::Taker)?,
                    Some(_) => {
                        let room = HEAD_MAX.saturating_sub(kept.len());
                        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
                    }
                    None => {
                        kept.extend_from_slice(&bytes);
                        if let Some((read, rest)) = Head::parse(&kept) {
                            let rest = Bytes::copy_from_slice(rest);
                            kept.clear();
                            if !read.is_success() {
                                kept.extend_from_slice(&rest);
                            } else if !rest.is_empty() {
                                take(rest).map_err(Lost::Taker)?;
                            }
                            head = Some(read);
                        } else if kept.len() > HEAD_MAX {
                            return Err(garbled());
                        }
                    }
                },
                Frame::Ready | Frame::Ask | Frame::Done => return Err(garbled()),
            }
        };
        Ok((head, kept, code))
    }

    /// Reads one answer.
    async fn answer(&mut self, take: &mut Taker<'_>) -> Result<Response, Lost> {
        let (head, kept, code) = self.raw(take).await?;
        if let Some(none) = NoResponse::from_exit(code) {
            return Err(Lost::Answer(none));
        }
        let cut = || {
            Lost::Answer(NoResponse::Broken(
                "the answer of CouchDB was cut".to_owned(),
            ))
        };
        let head = head.ok_or_else(cut)?;
        Ok(Response {
            status: head.status,
            request_id: head.request_id,
            body: serde_json::from_slice(&kept).unwrap_or(Value::Null),
        })
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(running) = &mut self.running else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        for piece in bytes.chunks(PIECE) {
            tokio::time::timeout(self.idle, running.write(piece)).await??;
        }
        Ok(())
    }

    async fn send_stream(
        &mut self,
        length: u64,
        from: &mut (dyn AsyncRead + Unpin + Send),
    ) -> io::Result<()> {
        let mut left = length;
        let mut piece = vec![0; PIECE];
        while left > 0 {
            let most = usize::try_from(left).map_or(PIECE, |l| l.min(PIECE));
            let read = from.read(&mut piece[..most]).await;
            let read = match read {
                Ok(read @ 1..) => read,
                Ok(_) => 0,
                Err(error) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, error)),
            };
            if read == 0 {
                let why = "the input ended too soon";
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
            }
            self.send(&piece[..read]).await?;
            left -= read as u64;
        }
        Ok(())
    }

    async fn frame(&mut self) -> Result<Frame, Ending> {
        loop {
            match self.frames.next() {
                Ok(Some(frame)) => return Ok(frame),
                Ok(None) => {}
                Err(frames::Garbled) => {
                    return Err(Ending::Other(
                        "the output of the exec is garbled".to_owned(),
                    ));
                }
            }
            let Some(running) = &mut self.running else {
                return Err(Ending::Other("the session is over".to_owned()));
            };
            match tokio::time::timeout(self.idle, running.read(&mut self.piece)).await {
                Ok(Ok(read @ 1..)) => self.frames.push(&self.piece[..read]),
                Ok(Ok(_) | Err(_)) => return Err(self.ended().await),
                Err(_) => {
                    self.running = None;
                    let why = format!("nothing came for {}s", self.idle.as_secs());
                    return Err(Ending::Other(why));
                }
            }
        }
    }

    /// Why it ended, when it has.
    async fn ended(&mut self) -> Ending {
        let Some(running) = self.running.take() else {
            return Ending::Other("the session is over".to_owned());
        };
        let (ended, stderr) = running.ended().await;
        let why = match ended {
            Ended::Exit(code) => match Unfit::from_exit(code) {
                Some(unfit) => return Ending::Unfit(unfit),
                None => format!("the script ended with exit code {code}"),
            },
            Ended::Failed(why) => format!("the exec failed: {}", crate::text::one_line(&why)),
            Ended::Lost(why) => format!("the exec was lost: {}", crate::text::one_line(&why)),
        };
        let said = crate::text::one_line(&String::from_utf8_lossy(&stderr));
        Ending::Other(if said.is_empty() {
            why
        } else {
            format!("{why} ({said})")
        })
    }
}

fn garbled() -> Lost {
    Lost::Session("the output of the exec is garbled".to_owned())
}

/// What is asked, without a body.
struct Request<'a> {
    method: &'a str,
    path: &'a Path,
    /// Of which type the answer to a body may be, or in which encoding another answer may come.
    accept: Option<&'static str>,
}

impl<'a> Request<'a> {
    fn new(method: &'a str, path: &'a Path) -> Self {
        Self {
            method,
            path,
            accept: None,
        }
    }

    fn accepting(method: &'a str, path: &'a Path, accept: Option<&'static str>) -> Self {
        Self {
            accept,
            ..Self::new(method, path)
        }
    }
}

/// The content type of what is sent for a reading POST.
const JSON: &str = "application/json";

/// Why the script has ended.
enum Ending {
    Unfit(Unfit),
    Other(String),
}

impl From<Ending> for Lost {
    fn from(ending: Ending) -> Self {
        Self::Session(match ending {
            Ending::Unfit(unfit) => Failure::Unfit(unfit).clause(),
            Ending::Other(why) => why,
        })
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
