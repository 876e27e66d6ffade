//! The front itself: its thread, its port, and the controls that tests have over it.

use std::future::Future;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use anyhow::{Context, Result, bail, ensure};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use super::auth::Caller;
use super::cluster::Cluster;
use super::fault::{self, Act, Fault};
use super::name;
use super::record::Seen;
use super::reply::{self, BoxError, ResponseBody};
use super::server::{Outcome, Shared, now};
use super::target::decode;
use super::upstream::Upstream;

/// What a front is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Port of the pouchdb-server behind it, on 127.0.0.1.
    pub upstream: u16,
    /// Port to listen on, on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    pub user: String,
    pub password: String,
    /// What `/` says.
    pub version: String,
    /// Node names of the members, `couchdb@…`.
    pub members: Vec<String>,
    /// Shards of a new database, and copies of each.
    pub q: u32,
    pub n: u32,
    room: Option<u32>,
}

impl Config {
    /// The same with databases that no other front sees, none at first but CouchDB's own.
    #[must_use]
    pub fn alone(mut self) -> Self {
        static ROOMS: AtomicU32 = AtomicU32::new(1);
        self.room = Some(ROOMS.fetch_add(1, Ordering::Relaxed));
        self
    }

    /// The shared cluster of the runbook: 3.2.2, three members named as StatefulSet `name` in `namespace` names them.
    pub fn new(upstream: u16, user: &str, password: &str, name: &str, namespace: &str) -> Self {
        let members = (0..3)
            .map(|i| format!("couchdb@{name}-{i}.headless-{name}.{namespace}.svc.cluster.local"))
            .collect();
        Self {
            upstream,
            port: 0,
            user: user.to_owned(),
            password: password.to_owned(),
            version: "3.2.2".to_owned(),
            members,
            q: 2,
            n: 3,
            room: None,
        }
    }
}

/// A running front. Dropping it closes the port and every connection.
pub struct Front {
    shared: Arc<Shared>,
    members: Vec<String>,
    port: u16,
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Front {
    /// Starts a front before a running pouchdb-server, whose databases it takes over.
    pub fn start(config: Config) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", config.port))
            .with_context(|| format!("port {} for CouchDB's front cannot be had", config.port))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let members = config.members.clone();
        let cluster = Cluster::new(config.version, config.members, config.q, config.n);
        let upstream = Upstream {
            port: config.upstream,
            room: config.room,
        };
        let shared = Shared::new(upstream, config.user, config.password, cluster);

        let (started, handle) = mpsc::sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("couchdb-front".to_owned())
            .spawn(move || {
                let runtime = Builder::new_current_thread().enable_all().build();
                let Ok(runtime) = runtime else { return };
                if started.send(runtime.handle().clone()).is_ok() {
                    runtime.block_on(async {
                        tokio::select! {
                            () = accept(listener, serving) => {}
                            _ = stopped => {}
                        }
                    });
                }
            })?;
        let handle = handle
            .recv()
            .context("the runtime of CouchDB's front did not start")?;
        let front = Self {
            shared,
            members,
            port,
            handle,
            stop: Some(stop),
            thread: Some(thread),
        };
        let names = front.run(async move { upstream.databases().await })?;
        for name in names {
            front
                .shared
                .state()
                .cluster
                .create(&name, None, None, now());
        }
        Ok(front)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Node names of the members.
    pub fn members(&self) -> &[String] {
        &self.members
    }

    pub fn set_version(&self, version: &str) {
        self.shared.state().cluster.set_version(version);
    }

    /// Takes a member out of the cluster, or back in. A deletion while one is down answers 202.
    ///
    /// # Panics
    /// If there is no such member.
    pub fn set_up(&self, member: &str, up: bool) {
        assert!(
            self.shared.state().cluster.set_up(member, up),
            "no member {member}"
        );
    }

    /// What a member says of itself: seconds since it was started, and shards that it has yet to send to others.
    ///
    /// # Panics
    /// If there is no such member.
    pub fn set_system(&self, member: &str, uptime: u64, jobs: u64) {
        assert!(
            self.shared.state().cluster.set_system(member, uptime, jobs),
            "no member {member}"
        );
    }

    /// A lagging member stays up but keeps, in its own shard map, what the others delete.
    ///
    /// # Panics
    /// If there is no such member.
    pub fn set_lagging(&self, member: &str, lagging: bool) {
        assert!(
            self.shared.state().cluster.set_lagging(member, lagging),
            "no member {member}"
        );
    }

    /// Plants a fault; the first planted that matches strikes.
    pub fn plant(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    /// All requests since the start or the last [`Front::forget_requests`], in the order they came.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.state().seen.clone()
    }

    /// How many requests had this method and this path (without query, as sent).
    pub fn count(&self, method: &str, path: &str) -> usize {
        self.shared
            .state()
            .seen
            .iter()
            .filter(|s| s.method == method && s.bare_path() == path)
            .count()
    }

    pub fn forget_requests(&self) {
        let mut state = self.shared.state();
        state.forgotten += state.seen.len();
        state.seen.clear();
    }

    /// Names of all databases, sorted; the server's own (`_users`, `_replicator`) among them.
    pub fn databases(&self) -> Vec<String> {
        self.shared.state().cluster.names()
    }

    pub fn exists(&self, name: &str) -> bool {
        self.shared.state().cluster.exists(name)
    }

    /// Whether a `DELETE /_dbs` has wiped the shard map.
    pub fn wiped(&self) -> bool {
        self.shared.state().cluster.wiped()
    }

    /// (member, database): files left on members that were down at a deletion.
    pub fn leftovers(&self) -> Vec<(String, String)> {
        self.shared.state().cluster.leftovers().to_vec()
    }

    /// Creates a database with that many documents, past faults and records.
    pub fn create_database(&self, name: &str, documents: usize) -> Result<()> {
        if let Err(refusal) = name::check(name) {
            bail!("database {name}: {}", refusal.body["reason"]);
        }
        ensure!(!self.exists(name), "database {name} exists already");
        let (shared, name) = (Arc::clone(&self.shared), name.to_owned());
        self.run(async move {
            shared.create(&name, None, None).await?;
            shared.upstream.fill(&name, documents).await
        })
    }

    /// Writes one new document, past faults and records.
    pub fn write_document(&self, database: &str, id: &str) -> Result<()> {
        ensure!(self.exists(database), "database {database} does not exist");
        let upstream = self.shared.upstream;
        let (database, id) = (database.to_owned(), id.to_owned());
        self.run(async move { upstream.write(&database, &id).await })
    }

    /// Sets what `_active_tasks`, `_scheduler/docs`, `_scheduler/jobs` or `_reshard/jobs` lists; they know nothing by themselves.
    pub fn set_work(&self, endpoint: &str, rows: Vec<Value>) {
        self.shared.state().work.insert(endpoint.to_owned(), rows);
    }

    /// Sets a setting of a member, by `section/key`.
    ///
    /// # Panics
    /// If there is no such member.
    pub fn set_setting(&self, member: &str, key: &str, value: &str) {
        let known = self.shared.state().cluster.set_setting(member, key, value);
        assert!(known, "no member {member}");
    }

    /// Deletes and creates a database: the same name with a new identity, without documents.
    pub fn recreate_database(&self, name: &str) -> Result<()> {
        self.drop_database(name)?;
        self.create_database(name, 0)
    }

    /// Deletes a database, past faults and records.
    pub fn drop_database(&self, name: &str) -> Result<()> {
        ensure!(self.exists(name), "database {name} does not exist");
        let (shared, owned) = (Arc::clone(&self.shared), name.to_owned());
        self.run(async move { shared.delete(&owned).await })?;
        Ok(())
    }

    /// The number of a database's documents, or `None` where there is none.
    pub fn documents(&self, name: &str) -> Result<Option<u64>> {
        let (shared, name) = (Arc::clone(&self.shared), name.to_owned());
        let info = self.run(async move { shared.info(&name).await })?;
        Ok(info.and_then(|info| info["doc_count"].as_u64()))
    }

    fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let (done, result) = mpsc::sync_channel(1);
        self.handle.spawn(async move { done.send(work.await) });
        result
            .recv()
            .expect("the front's runtime outlives the front")
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| serve(Arc::clone(&shared), request));
            // An error here is a client that went, or a fault that closes the connection.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// One request: recorded, struck by a fault or answered. An error closes the connection without an answer.
async fn serve(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, BoxError> {
    let method = request.method().as_str().to_owned();
    let (at, fault) = {
        let mut state = shared.state();
        state.seen.push(Seen {
            method: method.clone(),
            path: request
                .uri()
                .path_and_query()
                .map_or("/", |p| p.as_str())
                .to_owned(),
            authorised: shared.caller(request.headers()) == Caller::Admin,
            status: None,
        });
        let path = decode(request.uri().path());
        (
            state.forgotten + state.seen.len() - 1,
            fault::take(&mut state.faults, &method, &path),
        )
    };
    let carried_out = match &fault {
        Some(fault) if !fault.carried_out => None,
        _ => Some(shared.carry_out(request).await?),
    };
    let mut response = match (fault.map(|f| f.act), carried_out) {
        (Some(Act::Answer(answer)), _) => reply::response(&answer),
        (Some(Act::Hang), _) => std::future::pending().await,
        (Some(Act::Drop), _) | (_, None) => return Err("connection dropped".into()),
        (Some(Act::Slow(pause)), Some(outcome)) => {
            tokio::time::sleep(pause).await;
            into_response(outcome)
        }
        (Some(Act::Cut), Some(outcome)) => reply::cut(into_response(outcome)).await?,
        (None, Some(outcome)) => into_response(outcome),
    };
    let mut state = shared.state();
    let otp = if state.cluster.since(3, 3) { 25 } else { 23 };
    reply::stamp(&mut response, state.cluster.version(), otp);
    if let Some(seen) = at
        .checked_sub(state.forgotten)
        .and_then(|at| state.seen.get_mut(at))
    {
        seen.status = Some(response.status().as_u16());
    }
    Ok(response)
}

fn into_response(outcome: Outcome) -> Response<ResponseBody> {
    match outcome {
        Outcome::Own(answer) => reply::response(&answer),
        Outcome::Passed(response) => response,
    }
}
