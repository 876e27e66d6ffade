//! The way to pouchdb-server behind the front: one connection a request, bodies streamed back.

use anyhow::{Context, Result, ensure};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST};
use hyper::{HeaderMap, Method, Request, Response, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::target::encode;

/// How the databases of a front with a room of its own begin.
const ROOM: &str = "room-";
/// Documents of one `_bulk_docs`.
const BATCH: usize = 1000;

/// A pouchdb-server on loopback, which asks for no credentials.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upstream {
    pub(crate) port: u16,
    /// Keeps the databases of one front apart from those of the others: no front sees another's.
    pub(crate) room: Option<u32>,
}

/// What a database counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) documents: u64,
    pub(crate) deleted: u64,
    pub(crate) sequence: u64,
}

impl Upstream {
    /// Sends one request; `headers` are passed on as they are, but for the host.
    pub(crate) async fn send(
        self,
        method: Method,
        path_and_query: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))
            .await
            .with_context(|| format!("pouchdb-server on port {} is unreachable", self.port))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path_and_query)
            .body(Full::new(body))?;
        *request.headers_mut() = headers;
        request
            .headers_mut()
            .insert(HOST, format!("127.0.0.1:{}", self.port).parse()?);
        Ok(sender.send_request(request).await?)
    }

    async fn json(self, method: Method, path: &str, body: Option<Value>) -> Result<(u16, Value)> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, "application/json".parse()?);
        let body = match body {
            Some(value) => {
                headers.insert(CONTENT_TYPE, "application/json".parse()?);
                Bytes::from(value.to_string())
            }
            None => Bytes::new(),
        };
        let response = self.send(method, path, headers, body).await?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok((
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        ))
    }

    /// The database's path at pouchdb-server. It drops a `/` from a name (`a/b` and `ab` are one database there), so a `~`, which no
    /// CouchDB name has, stands for it.
    pub(crate) fn path(self, name: &str) -> String {
        let room = match self.room {
            Some(room) if !name.starts_with('_') => format!("{ROOM}{room}~"),
            _ => String::new(),
        };
        format!("/{}", encode(&format!("{room}{}", name.replace('/', "~"))))
    }

    /// Names of all databases, as CouchDB would call them.
    pub(crate) async fn databases(self) -> Result<Vec<String>> {
        let (status, names) = self.json(Method::GET, "/_all_dbs", None).await?;
        ensure!(
            status == 200,
            "pouchdb-server answered {status} to GET /_all_dbs"
        );
        let names: Vec<String> = serde_json::from_value(names)?;
        let own = self.room.map(|room| format!("{ROOM}{room}~"));
        let seen = names.iter().filter_map(|name| match &own {
            // CouchDB's own are everybody's.
            _ if name.starts_with('_') => Some(name.as_str()),
            Some(own) => name.strip_prefix(own),
            None => (!name.starts_with(ROOM)).then_some(name.as_str()),
        });
        Ok(seen.map(|name| name.replace('~', "/")).collect())
    }

    pub(crate) async fn create(self, name: &str) -> Result<()> {
        let (status, body) = self.json(Method::PUT, &self.path(name), None).await?;
        ensure!(
            status == 201,
            "pouchdb-server answered {status} to PUT {name}: {body}"
        );
        Ok(())
    }

    pub(crate) async fn delete(self, name: &str) -> Result<()> {
        let (status, body) = self.json(Method::DELETE, &self.path(name), None).await?;
        ensure!(
            status == 200,
            "pouchdb-server answered {status} to DELETE {name}: {body}"
        );
        Ok(())
    }

    /// Number of documents and update sequence.
    pub(crate) async fn counts(self, name: &str) -> Result<Counts> {
        let (status, body) = self.json(Method::GET, &self.path(name), None).await?;
        ensure!(
            status == 200,
            "pouchdb-server answered {status} to GET {name}: {body}"
        );
        let number = |key: &str| body[key].as_u64().unwrap_or(0);
        let (documents, sequence) = (number("doc_count"), number("update_seq"));
        // pouchdb-server does not say how many are deleted; where each write made a document none is.
        let deleted = if sequence == documents {
            0
        } else {
            let path = format!("{}/_changes", self.path(name));
            let (_, body) = self.json(Method::GET, &path, None).await?;
            let rows = body["results"].as_array().into_iter().flatten();
            rows.filter(|row| row["deleted"] == true).count() as u64
        };
        Ok(Counts {
            documents,
            deleted,
            sequence,
        })
    }

    /// Writes one new document.
    pub(crate) async fn write(self, name: &str, id: &str) -> Result<()> {
        let path = format!("{}/{}", self.path(name), encode(id));
        let (status, body) = self.json(Method::PUT, &path, Some(json!({}))).await?;
        ensure!(
            status == 201,
            "pouchdb-server answered {status} to PUT {path}: {body}"
        );
        Ok(())
    }

    /// Adds documents `doc-000000` and on.
    pub(crate) async fn fill(self, name: &str, documents: usize) -> Result<()> {
        let path = format!("{}/_bulk_docs", self.path(name));
        for start in (0..documents).step_by(BATCH) {
            let docs: Vec<Value> = (start..documents.min(start + BATCH))
                .map(|i| json!({"_id": format!("doc-{i:06}"), "number": i}))
                .collect();
            let (status, body) = self
                .json(Method::POST, &path, Some(json!({"docs": docs})))
                .await?;
            ensure!(
                status == 201,
                "pouchdb-server answered {status} to POST {path}: {body}"
            );
        }
        Ok(())
    }
}
