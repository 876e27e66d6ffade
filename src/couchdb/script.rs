//! The one script that runs in a CouchDB pod, and what its output means.
//!
//! Its text is constant. What varies are its arguments, which an API server's audit log keeps: paths, a nonce and values to
//! compare, nothing secret. The credentials are the container's own environment; they go to curl by a pipe, so no process list
//! and no URL holds them. curl's flags are those of 7.74 (Debian bullseye); a proxy of the pod's environment and its `~/.curlrc` are not
//! used. An answer ends with the nonce, which nothing in a database can know: an answer without it was cut.
//!
//! [`session`](super::session) is another script over the same prelude, and stays one. A run is fixed by its arguments before it begins:
//! the audit log has all of a deletion, nothing that comes later can add to it, and the guards are judged in the pod, right before the
//! DELETE. A session takes whatever its stdin brings, so it has no word for DELETE. One script for both would have it.

use super::Target;
use super::request::Path;
use crate::model::names::DatabaseName;

/// Exit codes of the script itself, all before the first request.
const NO_CLIENT: i32 = 90;
const NO_CREDENTIALS: i32 = 91;
const NO_TOOLS: i32 = 92;

/// Bound on one read in the pod, in seconds: a member that hangs holds its own answer only.
const READ_SECONDS: u32 = 20;
/// The same where somebody waits for it, or a member that hangs is to be found.
const LOOK_SECONDS: u32 = 5;
/// Bound on the DELETE in the pod, in seconds: CouchDB itself gives up on a member after 60.
const DELETE_SECONDS: u32 = 90;

/// The script: see the heads of its two parts.
pub const SCRIPT: &str = concat!(
    include_str!("script/prelude.sh"),
    include_str!("script/job.sh")
);

/// What a path must still answer for the DELETE to be sent: text that its JSON holds, without blanks. It must end where a value
/// ends, so that 12 is not found in 123; only a text that ends with `-` is the beginning of one (a sequence).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    pub path: Path,
    pub holds: String,
}

/// The guards, and if each holds, one DELETE of a database. Only [`Deletion::new`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    guards: Vec<Guard>,
    database: Path,
}

impl Deletion {
    /// The deletion of what the guards describe.
    pub(in crate::couchdb) fn new(guards: Vec<Guard>, database: &DatabaseName) -> Self {
        let database = Path::database(database);
        Self { guards, database }
    }

    /// The same with one guard more.
    #[must_use]
    pub(in crate::couchdb) fn guarded(mut self, guard: Guard) -> Self {
        self.guards.push(guard);
        self
    }

    /// What must still hold.
    pub fn guards(&self) -> &[Guard] {
        &self.guards
    }

    /// What is deleted.
    pub fn database(&self) -> &Path {
        &self.database
    }
}

/// One run of the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// One GET after the other; a 401 or 403 ends the run.
    Read(Vec<Path>),
    /// The same with little patience: what is not answered soon has no answer.
    Look(Vec<Path>),
    Delete(Deletion),
}

impl Job {
    /// The exec's command. Nothing in it is secret.
    pub fn command(&self, nonce: &str, target: &Target) -> Vec<String> {
        let mode = match self {
            Self::Read(_) | Self::Look(_) => "read",
            Self::Delete(_) => "delete",
        };
        let patience = match self {
            Self::Look(_) => LOOK_SECONDS,
            Self::Read(_) | Self::Delete(_) => READ_SECONDS,
        };
        let mut words = opening(SCRIPT, nonce, target);
        words.extend([
            mode.to_owned(),
            patience.to_string(),
            DELETE_SECONDS.to_string(),
        ]);
        match self {
            Self::Read(paths) | Self::Look(paths) => {
                words.extend(paths.iter().map(|p| p.as_str().to_owned()))
            }
            Self::Delete(Deletion { guards, database }) => {
                for guard in guards {
                    words.extend([guard.path.as_str().to_owned(), guard.holds.clone()]);
                }
                words.push(database.as_str().to_owned());
            }
        }
        words
    }

    /// Longest that the run can take in the pod, in seconds.
    pub fn seconds(&self) -> u64 {
        match self {
            Self::Read(paths) => u64::from(READ_SECONDS) * paths.len() as u64,
            Self::Look(paths) => u64::from(LOOK_SECONDS) * paths.len() as u64,
            Self::Delete(Deletion { guards, .. }) => {
                u64::from(READ_SECONDS) * guards.len() as u64 + u64::from(DELETE_SECONDS)
            }
        }
    }
}

/// A script with the prelude's arguments.
pub(super) fn opening(script: &str, nonce: &str, target: &Target) -> Vec<String> {
    let port = target.port.to_string();
    let source = target.credentials.source();
    ["sh", "-c", script, "skvs", nonce, &port, source]
        .map(str::to_owned)
        .to_vec()
}

/// Why the script did not start to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    NoClient,
    NoCredentials,
    NoTools,
}

impl Unfit {
    /// Reads the script's own exit code.
    pub fn from_exit(code: i32) -> Option<Self> {
        match code {
            NO_CLIENT => Some(Self::NoClient),
            NO_CREDENTIALS => Some(Self::NoCredentials),
            NO_TOOLS => Some(Self::NoTools),
            _ => None,
        }
    }
}

/// One request that the script made: what it asked, and the raw HTTP answer with the exit code of curl (or bash).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub method: String,
    pub path: String,
    pub raw: Vec<u8>,
    pub exit: i32,
}

/// The script's output, as far as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    pub exchanges: Vec<Exchange>,
    /// `PATH TEXT` of the guard that did not hold.
    pub differs: Option<String>,
    /// The DELETE was about to be sent.
    pub sending: bool,
    /// The end mark is there: nothing is missing.
    pub complete: bool,
}

/// Reads the output by its marks; an exchange that was cut is left out, and what follows the end mark makes it incomplete.
pub fn parse(stdout: &[u8], nonce: &str) -> Output {
    let mut output = Output::default();
    let mut open: Option<(String, String, Vec<&[u8]>)> = None;
    let mut lines = stdout.split(|b| *b == b'\n');
    while let Some(line) = lines.next() {
        let mark = std::str::from_utf8(line)
            .ok()
            .and_then(|l| l.strip_prefix(nonce))
            .and_then(|l| l.strip_prefix(' '));
        let Some(mark) = mark else {
            if let Some((_, _, body)) = &mut open {
                body.push(line);
            }
            continue;
        };
        let (word, rest) = mark.split_once(' ').unwrap_or((mark, ""));
        match (word, open.take()) {
            ("ask", None) => {
                if let Some((method, path)) = rest.split_once(' ') {
                    open = Some((method.to_owned(), path.to_owned(), Vec::new()));
                }
            }
            ("end", Some((method, path, body))) => {
                let Ok(exit) = rest.parse() else {
                    return output;
                };
                output.exchanges.push(Exchange {
                    method,
                    path,
                    raw: body.join(&b'\n'),
                    exit,
                });
            }
            ("sending", None) => output.sending = true,
            ("differs", None) => output.differs = Some(rest.to_owned()),
            ("done", None) => {
                output.complete = lines.all(<[u8]>::is_empty);
                return output;
            }
            _ => return output,
        }
    }
    output
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
