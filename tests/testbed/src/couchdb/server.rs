//! Answers one request: what the front knows by itself, the rest by pouchdb-server.
//!
//! Order as in CouchDB: credentials that are wrong or unreadable, then the path, then what the caller may do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use http_body_util::{BodyExt, Limited, combinators::BoxBody};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING,
};
use hyper::{HeaderMap, Method, Request, Response};
use serde_json::Value;

use super::answer::Answer;
use super::auth::{self, Caller};
use super::cluster::Cluster;
use super::endpoints::{admin_read, read_only};
use super::fault::Fault;
use super::name;
use super::record::Seen;
use super::reply::BoxError;
use super::target::{Target, parameter, target};
use super::upstream::Upstream;

/// Largest request body.
const BODY_LIMIT: usize = 16 << 20;

/// All that the front knows; shared with the thread that serves.
pub(crate) struct Shared {
    pub(crate) upstream: Upstream,
    pub(crate) user: String,
    pub(crate) password: String,
    state: Mutex<State>,
}

/// What changes while the front runs.
pub(crate) struct State {
    pub(crate) cluster: Cluster,
    pub(crate) faults: Vec<Fault>,
    pub(crate) seen: Vec<Seen>,
    /// Rows of `_active_tasks`, `_scheduler/docs`, … as a test set them.
    pub(crate) work: BTreeMap<String, Vec<Value>>,
    /// How many records were forgotten: the number of the first in `seen`.
    pub(crate) forgotten: usize,
}

/// The parts of a request that an answer depends on.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) query: Option<String>,
    pub(crate) caller: Caller,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer of the front's own, or pouchdb's response.
pub(crate) enum Outcome {
    Own(Answer),
    Passed(Response<BoxBody<Bytes, BoxError>>),
}

impl Shared {
    pub(crate) fn new(
        upstream: Upstream,
        user: String,
        password: String,
        cluster: Cluster,
    ) -> Arc<Self> {
        let state = State {
            cluster,
            faults: Vec::new(),
            seen: Vec::new(),
            work: BTreeMap::new(),
            forgotten: 0,
        };
        Arc::new(Self {
            upstream,
            user,
            password,
            state: Mutex::new(state),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Who sent these headers.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Caller {
        let value = headers
            .get(AUTHORIZATION)
            .map(|v| String::from_utf8_lossy(v.as_bytes()));
        auth::caller(value.as_deref(), &self.user, &self.password)
    }

    /// Creates a database that is known not to exist.
    pub(crate) async fn create(
        &self,
        name: &str,
        q: Option<u32>,
        n: Option<u32>,
    ) -> Result<Answer> {
        self.upstream.create(name).await?;
        Ok(self.state().cluster.create(name, q, n, now()))
    }

    /// Deletes a database that is known to exist.
    pub(crate) async fn delete(&self, name: &str) -> Result<Answer> {
        self.upstream.delete(name).await?;
        Ok(self.state().cluster.delete(name))
    }

    /// Carries a request out.
    pub(crate) async fn carry_out(&self, request: Request<Incoming>) -> Result<Outcome> {
        let (parts, body) = request.into_parts();
        let body = match Limited::new(body, BODY_LIMIT).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => {
                return Ok(Outcome::Own(Answer::error(
                    413,
                    "too_large",
                    "the request entity is too large",
                )));
            }
        };
        let overridden = (parts.method == Method::POST)
            .then(|| parts.headers.get("x-http-method-override"))
            .flatten()
            .and_then(|v| Method::from_bytes(v.as_bytes()).ok());
        let call = Call {
            method: overridden.unwrap_or(parts.method),
            query: parts.uri.query().map(str::to_owned),
            caller: self.caller(&parts.headers),
            headers: parts.headers,
            body,
        };
        match call.caller {
            Caller::Wrong => return Ok(Outcome::Own(Answer::wrong_credentials())),
            Caller::Malformed => return Ok(Outcome::Own(Answer::malformed_credentials())),
            Caller::Anonymous | Caller::Admin => {}
        }
        match target(parts.uri.path()) {
            Target::Database(name) => self.database(&name, call).await,
            Target::Inside { database, rest } => self.inside(&database, &rest, call).await,
            Target::Server(endpoint) => Ok(Outcome::Own(self.endpoint(&endpoint, &call).await?)),
            Target::Welcome => Ok(Outcome::Own(read_only(&call, || self.welcome()))),
            Target::Node { node, rest } => {
                Ok(Outcome::Own(admin_read(&call, || self.node(&node, &rest))))
            }
        }
    }

    /// The figures of a database, or None where there is none.
    pub(crate) async fn info(&self, name: &str) -> Result<Option<Value>> {
        if !self.state().cluster.exists(name) {
            return Ok(None);
        }
        let counts = self.upstream.counts(name).await?;
        Ok(Some(self.state().cluster.info(name, counts)))
    }

    async fn database(&self, name: &str, call: Call) -> Result<Outcome> {
        let exists = self.state().cluster.exists(name);
        let admin = call.caller == Caller::Admin;
        let answer = match call.method {
            Method::DELETE if parameter(call.query.as_deref(), "rev").is_some() => {
                Answer::rev_on_database()
            }
            Method::DELETE | Method::PUT if !admin => Answer::not_server_admin(),
            Method::DELETE if name == "_dbs" => self.state().cluster.wipe(),
            Method::DELETE if exists => self.delete(name).await?,
            Method::PUT => match name::check(name) {
                Err(refusal) => refusal,
                Ok(()) if exists => Answer::file_exists(),
                Ok(()) => {
                    let number = |key: &str| {
                        parameter(call.query.as_deref(), key).and_then(|v| v.parse().ok())
                    };
                    self.create(name, number("q"), number("n")).await?
                }
            },
            Method::GET | Method::HEAD | Method::POST if exists && !admin => {
                Answer::no_access_to_database()
            }
            Method::GET | Method::HEAD => match self.info(name).await? {
                Some(info) => Answer::new(200, info),
                None => Answer::no_database(),
            },
            Method::POST if exists => return self.pass(name, "", call).await,
            Method::DELETE | Method::POST => Answer::no_database(),
            _ => Answer::method_not_allowed("DELETE,GET,HEAD,POST"),
        };
        Ok(Outcome::Own(answer))
    }

    async fn inside(&self, name: &str, rest: &str, call: Call) -> Result<Outcome> {
        let exists = self.state().cluster.exists(name);
        match (exists, call.caller) {
            // A deletion whose path has a raw slash: CouchDB looks for a document and says so.
            (false, _) if call.method == Method::DELETE => Ok(Outcome::Own(Answer::missing())),
            (false, _) => Ok(Outcome::Own(Answer::no_database())),
            (true, Caller::Admin) => match (rest, &call.method) {
                ("/_revs_limit" | "/_purged_infos_limit", &Method::GET | &Method::PUT) => {
                    let new = (call.method == Method::PUT).then_some(&*call.body);
                    let answer = self.state().cluster.limit(name, rest, new);
                    Ok(Outcome::Own(answer))
                }
                _ => self.pass(name, rest, call).await,
            },
            (true, _) => Ok(Outcome::Own(Answer::no_access_to_database())),
        }
    }

    /// Hands the request to pouchdb-server and its response back.
    async fn pass(&self, name: &str, rest: &str, call: Call) -> Result<Outcome> {
        let mut path = format!("{}{rest}", self.upstream.path(name));
        if let Some(query) = &call.query {
            path = format!("{path}?{query}");
        }
        let mut headers = call.headers;
        for own in [
            AUTHORIZATION,
            HOST,
            CONNECTION,
            TRANSFER_ENCODING,
            CONTENT_LENGTH,
        ] {
            headers.remove(own);
        }
        headers.remove("x-http-method-override");
        let response = self
            .upstream
            .send(call.method, &path, headers, call.body)
            .await?;
        let mut response = response.map(|b| b.map_err(BoxError::from).boxed());
        // pouchdb calls its JSON plain text; an attachment keeps the type it was stored with.
        let attachment = rest.split('/').count() > 2 && !rest.starts_with("/_");
        if !attachment {
            response.headers_mut().insert(
                CONTENT_TYPE,
                hyper::header::HeaderValue::from_static("application/json"),
            );
        }
        for hop in [CONNECTION, TRANSFER_ENCODING] {
            response.headers_mut().remove(hop);
        }
        for foreign in ["x-powered-by", "keep-alive"] {
            response.headers_mut().remove(foreign);
        }
        Ok(Outcome::Passed(response))
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs())
}
