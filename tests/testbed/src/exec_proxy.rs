//! A proxy before an API server that breaks one exec at a given point, as networks, gateways and nodes do.
//!
//! It speaks TLS on loopback with the run's own certificate; all that is not an exec passes as it is, but for one list that a test may
//! break ([`BrokenList`]). A test gives it one [`Strike`]: which exec, where in it, and what happens there. What the node does with the
//! exec is none of its business: a command whose client is cut off runs on.

mod connection;
mod frame;
mod strike;
#[cfg(test)]
mod tests;

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use tokio::{net::TcpStream, runtime::Builder, sync::oneshot};
use tokio_rustls::{TlsAcceptor, TlsConnector, client};

use crate::{
    cluster::{Cluster, Tls},
    error::{Context as _, Error, Result},
    random,
};
pub use strike::{Act, BrokenList, Direction, Point, Strike, Which};

/// A running proxy. Dropping it closes every connection.
pub struct ExecProxy {
    shared: Arc<Shared>,
    kubeconfig: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    /// Port of the API server.
    server: u16,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    strike: Option<Strike>,
    struck: bool,
    released: bool,
    execs: Vec<Vec<String>>,
    list: Option<BrokenList>,
    /// Requests for that list so far.
    listed: usize,
}

impl ExecProxy {
    /// Starts one before `cluster`; without a strike it only passes on.
    pub fn start(cluster: &Cluster, strike: impl Into<Option<Strike>>) -> Result<Self> {
        let server = cluster.server().rsplit(':').next();
        let server = server
            .and_then(|port| port.parse().ok())
            .ok_or_else(|| Error::Other(format!("no port in {}", cluster.server())))?;
        let (mut proxy, port) = Self::before(server, &cluster.site.tls, strike.into())?;
        let file = fs::read_to_string(cluster.kubeconfig())
            .context(|| "read the administrator's kubeconfig".to_owned())?;
        let file = file.replace(cluster.server(), &format!("https://127.0.0.1:{port}"));
        let name = format!("{}/proxy/{}.kubeconfig", cluster.context(), random::hex(6));
        proxy.kubeconfig = cluster.site.run.write(&name, &file)?;
        Ok(proxy)
    }

    fn before(server: u16, tls: &Tls, strike: Option<Strike>) -> Result<(Self, u16)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|l| l.set_nonblocking(true).map(|()| l))
            .context(|| "listen on 127.0.0.1".to_owned())?;
        let port = listener
            .local_addr()
            .context(|| "listen on 127.0.0.1".to_owned())?
            .port();
        let (acceptor, connector) = both_sides(tls)?;
        let shared = Arc::new(Shared {
            acceptor,
            connector,
            server,
            state: Mutex::new(State {
                strike,
                ..State::default()
            }),
        });
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime needs only an epoll handle");
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, serving) => {}
                    _ = stopped => {}
                }
            });
        });
        let proxy = Self {
            shared,
            kubeconfig: PathBuf::new(),
            stop: Some(stop),
            thread: Some(thread),
        };
        Ok((proxy, port))
    }

    /// The administrator's kubeconfig through this proxy, its context named as the cluster's own.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Whether the strike has fallen.
    pub fn struck(&self) -> bool {
        self.shared.state().struck
    }

    /// Ends [`Act::Hold`].
    pub fn release(&self) {
        self.shared.state().released = true;
    }

    /// Breaks a list from now on.
    pub fn break_list(&self, list: BrokenList) {
        self.shared.state().list = Some(list);
    }

    /// The commands of all execs that came by, in their order.
    pub fn execs(&self) -> Vec<Vec<String>> {
        self.shared.state().execs.clone()
    }
}

impl Drop for ExecProxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an exec, and gives the strike if it is this one's.
    fn strike(&self, command: Vec<String>) -> Option<Strike> {
        let mut state = self.state();
        let State { strike, execs, .. } = &mut *state;
        let own = strike.take_if(|s| s.exec.is(execs, &command));
        execs.push(command);
        own
    }

    fn struck(&self) {
        self.state().struck = true;
    }

    fn released(&self) -> bool {
        self.state().released
    }

    /// The body that a request for a list gets in place of the API server's.
    fn broken(&self, path: &str) -> Option<&'static str> {
        let mut state = self.state();
        let list = state.list.filter(|l| path.contains(l.path))?;
        state.listed += 1;
        let struck = state.listed > list.from;
        state.struck |= struck;
        struck.then_some(list.body)
    }

    async fn connect(&self) -> std::io::Result<client::TlsStream<TcpStream>> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server)).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::IpAddress(Ipv4Addr::LOCALHOST.into());
        self.connector.connect(name, stream).await
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
            // An error here is a side that went.
            let _ = stream.set_nodelay(true);
            let _ = connection::serve(&shared, stream).await;
        });
    }
}

/// TLS towards clients with the run's own certificate, and towards the API server with the run's CA.
fn both_sides(tls: &Tls) -> Result<(TlsAcceptor, TlsConnector)> {
    let failed = |error: &dyn std::fmt::Display| Error::Other(format!("TLS of the proxy: {error}"));
    let provider = || Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from_pem_file(&tls.certificate).map_err(|e| failed(&e))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|e| failed(&e))?;
    let server = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| failed(&e))?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(|e| failed(&e))?;
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(&tls.authority).map_err(|e| failed(&e))?;
    roots.add(authority).map_err(|e| failed(&e))?;
    let client = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| failed(&e))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok((
        TlsAcceptor::from(Arc::new(server)),
        TlsConnector::from(Arc::new(client)),
    ))
}
