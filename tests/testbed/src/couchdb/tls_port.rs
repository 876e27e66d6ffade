//! A port that speaks TLS and nothing else, as CouchDB's own for it (6984): whoever speaks plain HTTP there gets an alert.

use std::{
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rustls::{
    ServerConfig, ServerConnection,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::{
    error::{Context as _, Error, Result},
    pki::Authority,
};

/// A running listener. Dropping it closes the port.
pub struct TlsPort {
    port: u16,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl TlsPort {
    /// Starts one with a certificate of its own.
    pub fn start() -> Result<Self> {
        let config = Arc::new(config()?);
        let listening = || "listen on 127.0.0.1".to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context(listening)?;
        let port = listener.local_addr().context(listening)?.port();
        let over = Arc::<AtomicBool>::default();
        let ended = Arc::clone(&over);
        let thread = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let config = Arc::clone(&config);
                // Whoever does not speak TLS, or goes, ends the handshake.
                thread::spawn(move || handshake(stream, config).ok());
            }
        });
        Ok(Self {
            port,
            over,
            thread: Some(thread),
        })
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for TlsPort {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes the listener.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn config() -> Result<ServerConfig> {
    let failed = |error: &dyn std::fmt::Display| Error::Other(format!("a port for TLS: {error}"));
    let identity = Authority::new()?.server()?;
    let certificate =
        CertificateDer::from_pem_slice(identity.certificate.as_bytes()).map_err(|e| failed(&e))?;
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).map_err(|e| failed(&e))?;
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| failed(&e))?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(|e| failed(&e))
}

/// A handshake and no more; its failure has told the other side.
fn handshake(mut stream: TcpStream, config: Arc<ServerConfig>) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut tls = ServerConnection::new(config).map_err(io::Error::other)?;
    tls.complete_io(&mut stream).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    #[test]
    fn plain_http_is_answered_by_an_alert() {
        let port = TlsPort::start().unwrap();
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port.port())).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert_eq!(answer[..2], [0x15, 0x03]);
    }
}
