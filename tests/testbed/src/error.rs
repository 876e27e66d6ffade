//! What can go wrong while a control plane is built, started or asked.

use std::{io, path::PathBuf, time::Duration};

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

/// One failure, told so that a person can act on it.
#[derive(thiserror::Error)]
pub enum Error {
    /// A file or process operation failed.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, with its object.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program that must be on this machine is not.
    #[error("{tool} was not found\nhint: {hint}")]
    MissingTool {
        /// The program.
        tool: String,
        /// How to get it.
        hint: String,
    },
    /// A folder of prebuilt binaries was given, and one is not in it.
    #[error("{variable}={} has no {binary}\nhint: build it into that folder, or unset {variable}", .folder.display())]
    MissingBinary {
        /// The variable that named the folder.
        variable: &'static str,
        /// The folder.
        folder: PathBuf,
        /// The binary that is not there.
        binary: String,
    },
    /// A process ended, or never became ready.
    #[error("{process} {reason}\nlog: {}\n{tail}", .log.display())]
    NotReady {
        /// The process's name.
        process: String,
        /// What happened to it.
        reason: String,
        /// Where its whole log is kept.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// Something did not happen in time.
    #[error("{what} did not happen within {} s{seen}", .limit.as_secs())]
    Timeout {
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
        /// What was seen last, as a text that starts with a separator, or nothing.
        seen: String,
    },
    /// A command ended with an error.
    #[error("{command} failed ({status})\n{output}")]
    Command {
        /// The command line.
        command: String,
        /// Its exit status.
        status: String,
        /// What it wrote.
        output: String,
    },
    /// The API server refused a request of the harness.
    #[error("{what}: {reason}")]
    Api {
        /// What was asked.
        what: String,
        /// What it answered.
        reason: String,
    },
    /// Anything else, in one sentence.
    #[error("{0}")]
    Other(String),
}

// What `unwrap` prints in a test must be readable.
impl std::fmt::Debug for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Says what was tried when an I/O operation failed.
pub(crate) trait Context<T> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io {
            what: what(),
            source,
        })
    }
}
