//! An HTTP server that only plays back: the answers that a real CouchDB cluster gave, in the order in which it gave them.
//!
//! Owns the playing; the answers and where each was seen are in [`scene`]. It keeps no documents and works nothing out: whoever needs
//! a CouchDB that does what it is asked takes the [front](super::Front). What is told of a member here, no member has done.

mod scene;
#[cfg(test)]
mod tests;

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::record::Seen;
use crate::error::{Context as _, Result};
use scene::{Asked, Play};
pub use scene::{Failure, Scene};

/// How long a client may take over its request.
const PATIENCE: Duration = Duration::from_secs(30);

/// A scene that is played. Dropping it closes the port.
pub struct Recorded {
    shared: Arc<Shared>,
    port: u16,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    credentials: String,
    play: Mutex<Play>,
    seen: Mutex<Vec<Seen>>,
    over: AtomicBool,
}

impl Recorded {
    /// Plays `scene` of this database to a client with these credentials.
    pub fn start(scene: Scene, database: &str, user: &str, password: &str) -> Result<Self> {
        let listening = || "listen on 127.0.0.1".to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context(listening)?;
        let port = listener.local_addr().context(listening)?.port();
        let shared = Arc::new(Shared {
            credentials: format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
            play: Mutex::new(Play::new(scene, database)),
            seen: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let playing = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if playing.over.load(Ordering::Relaxed) {
                    break;
                }
                let playing = Arc::clone(&playing);
                // A client that went away is its own affair.
                thread::spawn(move || playing.answer(&stream).ok());
            }
        });
        Ok(Self {
            shared,
            port,
            thread: Some(thread),
        })
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The members' node names.
    pub fn members(&self) -> [&'static str; 3] {
        scene::MEMBERS
    }

    /// All requests, in the order they came.
    pub fn requests(&self) -> Vec<Seen> {
        locked(&self.shared.seen).clone()
    }

    /// How many requests had this method.
    pub fn count(&self, method: &str) -> usize {
        let seen = locked(&self.shared.seen);
        seen.iter().filter(|s| s.method == method).count()
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes the listener.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn answer(&self, mut stream: &TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let (Some(method), Some(path)) = (words.next(), words.next()) else {
            return Ok(());
        };
        let (mut authorised, mut length) = (false, 0);
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header)? <= 2 {
                break;
            }
            let (name, value) = header.split_once(':').unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "authorization" => authorised = value.trim() == self.credentials,
                "content-length" => length = value.trim().parse().unwrap_or(0),
                _ => {}
            }
        }
        let mut sent = Vec::new();
        reader.take(length).read_to_end(&mut sent)?;

        let (bare, query) = path.split_once('?').unwrap_or((&path, ""));
        let asked = Asked {
            method: &method,
            path: bare,
            conflicts: query == "conflicts=true",
            authorised,
            body: &serde_json::from_slice(&sent).unwrap_or_default(),
        };
        let answer = locked(&self.play).answer(&asked);
        let at = {
            let mut seen = locked(&self.seen);
            seen.push(Seen {
                method,
                path,
                authorised,
                status: None,
            });
            seen.len() - 1
        };
        let Some(answer) = answer else {
            return Ok(());
        };
        thread::sleep(answer.pause);
        locked(&self.seen)[at].status = Some(answer.status);
        let body = format!("{}\n", answer.body);
        write!(
            stream,
            "HTTP/1.1 {} -\r\nServer: CouchDB/3.5.0 (Erlang OTP/25)\r\nX-Couch-Request-ID: {:010x}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            answer.status,
            at + 1,
            body.len()
        )
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
