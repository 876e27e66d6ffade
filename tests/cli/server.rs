//! Loopback listeners that stand for one answer of a server: a refusal, silence, bytes that are no TLS, a proxy.
//!
//! None of them behaves like an API server beyond that answer.

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A listener on a port of its own; it ends with the test process.
pub(crate) struct Listener {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Listener {
    fn start(serve: impl Fn(TcpStream, &Mutex<Vec<String>>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let serve = Arc::new(serve);
        let connections = Arc::new(AtomicUsize::new(0));
        let accepted = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                accepted.fetch_add(1, Ordering::SeqCst);
                let (serve, seen) = (Arc::clone(&serve), Arc::clone(&seen));
                std::thread::spawn(move || serve(stream, &seen));
            }
        });
        Self {
            port,
            requests,
            connections,
        }
    }

    /// Answers every request with this status and this JSON.
    pub(crate) fn answering(code: u16, body: &str) -> Self {
        let body = body.to_owned();
        Self::start(move |stream, seen| answer(stream, seen, code, &body))
    }

    /// Answers one request after the other with these, the last one again and again.
    pub(crate) fn in_turn(answers: &[(u16, &str)]) -> Self {
        let answers: Vec<(u16, String)> = answers
            .iter()
            .map(|(code, body)| (*code, (*body).to_owned()))
            .collect();
        Self::start(move |stream, seen| {
            let turn = seen.lock().unwrap().len().min(answers.len() - 1);
            let (code, body) = &answers[turn];
            answer(stream, seen, *code, body);
        })
    }

    /// Answers each request by its path and query.
    pub(crate) fn scripted(script: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self::start(move |mut stream, seen| {
            let Some(first) = head(&stream) else {
                return;
            };
            seen.lock().unwrap().push(first.clone());
            let path = first.split(' ').nth(1).unwrap_or_default();
            let (code, body) = script(path);
            write(&mut stream, code, "", body.as_bytes());
        })
    }

    /// Answers each request by its path and query, and its body.
    pub(crate) fn reading(
        script: impl Fn(&str, &[u8]) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        Self::start(move |mut stream, seen| {
            let Some((head, body)) = request(&stream) else {
                return;
            };
            seen.lock().unwrap().push(head.clone());
            let path = head.split(' ').nth(1).unwrap_or_default();
            let (code, answer) = script(path, &body);
            write(&mut stream, code, "", answer.as_bytes());
        })
    }

    /// Answers every request with this code, these header lines (each with its end) and this body.
    pub(crate) fn with_headers(code: u16, headers: &str, body: &[u8]) -> Self {
        let (headers, body) = (headers.to_owned(), body.to_vec());
        Self::start(move |mut stream, seen| {
            if let Some(first) = head(&stream) {
                seen.lock().unwrap().push(first);
                write(&mut stream, code, &headers, &body);
            }
        })
    }

    /// Answers the first request with this JSON, takes the others and never answers them.
    pub(crate) fn then_silent(body: &str) -> Self {
        let body = body.to_owned();
        Self::start(move |mut stream, seen| {
            let first = seen.lock().unwrap().is_empty();
            if first {
                answer(stream, seen, 200, &body);
            } else {
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest);
            }
        })
    }

    /// One answer for every request, each only after this delay.
    pub(crate) fn answering_late(delay: Duration, code: u16, body: &str) -> Self {
        let body = body.to_owned();
        Self::start(move |stream, seen| {
            std::thread::sleep(delay);
            answer(stream, seen, code, &body);
        })
    }

    /// Takes connections and requests, and never answers.
    pub(crate) fn silent() -> Self {
        Self::start(|mut stream, _| {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
        })
    }

    /// Answers a TLS hello in plain text, as a web server on the wrong port does.
    pub(crate) fn without_tls() -> Self {
        Self::start(|mut stream, _| {
            let mut hello = [0; 512];
            let _ = stream.read(&mut hello);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
        })
    }

    /// Speaks TLS with a certificate of its own, hands each request's head to `server` and gives back its answer.
    pub(crate) fn over_tls(server: &Self) -> Self {
        let port = server.port;
        let config = Arc::new(tls());
        Self::start(move |stream, _| {
            let _ = pass(stream, Arc::clone(&config), port);
        })
    }

    /// An HTTP proxy that leads to `server`, whatever name it is asked for.
    pub(crate) fn proxy(server: &Self) -> Self {
        let port = server.port;
        Self::start(move |mut stream, seen| {
            let Some(head) = head(&stream) else {
                return;
            };
            seen.lock().unwrap().push(head);
            let _ = stream.write_all(b"HTTP/1.1 200 Established\r\n\r\n");
            let _ = join(stream, port);
        })
    }

    /// A SOCKS5 proxy that wants a user and password and leads to `server`: it notes the login and the name it is asked for.
    pub(crate) fn socks(server: &Self) -> Self {
        let port = server.port;
        Self::start(move |mut stream, seen| {
            // Version and methods; RFC 1929: version, user, password; version, CONNECT, reserved, a name and a port.
            counted(&mut stream, 2);
            stream.write_all(&[5, 2]).unwrap();
            let user = counted(&mut stream, 2);
            let password = counted(&mut stream, 1);
            stream.write_all(&[1, 0]).unwrap();
            let name = counted(&mut stream, 5);
            stream.read_exact(&mut [0; 2]).unwrap();
            seen.lock()
                .unwrap()
                .push(format!("{user}:{password} {name}"));
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
            let _ = join(stream, port);
        })
    }

    pub(crate) fn http(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn https(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// How many connections were made so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The first lines of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        let heads = self.heads().into_iter();
        heads
            .map(|head| head.lines().next().unwrap_or_default().to_owned())
            .collect()
    }

    /// The heads of the requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// An address where nothing listens.
pub(crate) fn nobody() -> String {
    // A port that was just free: the listener is gone when this returns.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("https://{}", listener.local_addr().unwrap())
}

/// A Status as an API server writes it.
pub(crate) fn status(code: u16, reason: &str, message: &str) -> String {
    serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    })
    .to_string()
}

/// A list of HelmReleases as an API server writes it.
pub(crate) fn helm_releases(items: &[serde_json::Value], token: &str) -> String {
    let mut metadata = serde_json::json!({"resourceVersion": "9"});
    if !token.is_empty() {
        metadata["continue"] = token.into();
    }
    serde_json::json!({
        "kind": "HelmReleaseList", "apiVersion": "helm.toolkit.fluxcd.io/v2", "metadata": metadata, "items": items,
    })
    .to_string()
}

fn head(stream: &TcpStream) -> Option<String> {
    head_of(&mut BufReader::new(stream.try_clone().ok()?))
}

fn head_of(reader: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            return Some(head.trim_end().to_owned());
        }
        head.push_str(&line);
    }
}

/// A request's head, and its body if the head gives its length.
fn request(stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let head = head_of(&mut reader)?;
    let lower = head.to_lowercase();
    let length = lower
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn answer(mut stream: TcpStream, seen: &Mutex<Vec<String>>, code: u16, body: &str) {
    let Some(first) = head(&stream) else {
        return;
    };
    seen.lock().unwrap().push(first);
    write(&mut stream, code, "", body.as_bytes());
}

fn write(stream: &mut TcpStream, code: u16, headers: &str, body: &[u8]) {
    let _ = write!(
        stream,
        "HTTP/1.1 {code} Answer\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(body);
}

/// Copies both ways between a client and a server on this machine.
fn join(mut stream: TcpStream, port: u16) -> std::io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    let (mut from, mut to) = (stream.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut server, &mut stream)?;
    Ok(())
}

/// A TLS server that nobody trusts.
fn tls() -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap()
}

/// Passes one request without a body on to a server on this machine, and its answer back.
fn pass(stream: TcpStream, config: Arc<ServerConfig>, port: u16) -> std::io::Result<()> {
    let tls = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(tls, stream);
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    server.write_all(&head)?;
    std::io::copy(&mut server, &mut stream)?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// Reads these bytes, and as many further ones as the last of them says.
fn counted(stream: &mut TcpStream, bytes: usize) -> String {
    let mut fixed = vec![0; bytes];
    stream.read_exact(&mut fixed).unwrap();
    let mut text = vec![0; usize::from(fixed[bytes - 1])];
    stream.read_exact(&mut text).unwrap();
    String::from_utf8_lossy(&text).into_owned()
}
