//! Errors of the API server and of the connection to it, sorted.
//!
//! Owns the reading of kube's errors: their own text carries Debug output and must never reach a user.

mod user_error;

use super::answer;
use super::cause::{chain, inner, tls_words, words};
use super::connector::ProxyFailure;
use super::credentials::CredentialsError;
use super::kubeconfig;
use super::server::Server;
use crate::bundle::{NotSaved, request};
use crate::model::forbidden::Forbidden;
use kube::core::Status;
use kube::core::response::{StatusCause, StatusDetails};

/// Why a request had no answer that can be used.
#[derive(Clone, Debug, PartialEq)]
pub enum ClusterError {
    /// The API server answered with a status that is an error.
    Api(Box<Status>),
    /// Nothing listens there, or the host has no address.
    Unreachable {
        server: Server,
        why: String,
        refused: bool,
    },
    /// The TLS handshake failed: `why` says which check.
    Tls { server: Server, why: String },
    /// No answer in the time that `--request-timeout` gives.
    TimedOut { server: Server, seconds: u64 },
    /// There are no credentials: a plugin failed, a token file is missing.
    Credentials(CredentialsError),
    /// Something else answered in the API server's place, or what came is not of the form that was asked for.
    NotAnAnswer(Box<NotAnAnswer>),
    /// What came has a field of an unexpected type.
    Malformed(String),
    /// The answer is larger than is read.
    TooLarge,
    /// It is not in the files that are read instead of a cluster: whether it exists is not known.
    NotSaved(Box<NotSaved>),
    /// Anything else, with its cause.
    Other(String),
}

/// An answer that is not one of a Kubernetes API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnAnswer {
    /// Its HTTP code, where it is known.
    pub(super) code: Option<u16>,
    /// Whom the answer came from: host, port and path of the server.
    pub(super) host: String,
    /// What it says, in one short line.
    pub(super) said: String,
    /// Whether the user's credentials were not sent.
    pub(super) withheld: bool,
}

impl std::fmt::Display for NotAnAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.code {
            Some(code) => write!(f, "HTTP {code}")?,
            None => f.write_str("the error")?,
        }
        let Self { host, said, .. } = self;
        write!(f, " from {host} is not a Kubernetes API answer: {said}")
    }
}

/// The clause of an answer beyond the bounds.
const TOO_LARGE: &str =
    "the API server's answer is too large: more than 64 MiB, or an object of more than 4 MiB";

/// The clause where something is not in the files.
pub const NOT_SAVED: &str = "not in the saved files";

impl ClusterError {
    /// Sorts kube's error.
    pub(super) fn from_kube(error: kube::Error, server: &Server) -> Self {
        match error {
            kube::Error::Api(status) => Self::refused(status, server),
            kube::Error::Auth(auth) => Self::Credentials(credentials(&auth)),
            kube::Error::HttpError(e) => Self::Other(format!("the request cannot be made: {e}")),
            kube::Error::RustlsTls(tls) => Self::Tls {
                server: server.clone(),
                why: chain(&tls),
            },
            kube::Error::SerdeError(e) => Self::Malformed(e.to_string()),
            kube::Error::Service(e) => match e.downcast::<kube::client::AuthError>() {
                Ok(auth) => Self::Credentials(credentials(&auth)),
                Err(e) => Self::transport(e.as_ref(), server),
            },
            kube::Error::HyperError(e) => Self::transport(&e, server),
            other => Self::transport(&other, server),
        }
    }

    /// Sorts an error of the connection by what lies at its root.
    pub(super) fn transport(error: &(dyn std::error::Error + 'static), server: &Server) -> Self {
        let unreachable = |why: &str, refused| Self::Unreachable {
            server: server.clone(),
            why: why.to_owned(),
            refused,
        };
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        let mut root = error.to_string();
        while let Some(e) = cause {
            root = words(e);
            if let Some(auth) = e.downcast_ref::<kube::client::AuthError>() {
                return Self::Credentials(credentials(auth));
            }
            if let Some(error) = e.downcast_ref::<CredentialsError>() {
                return Self::Credentials(error.clone());
            }
            if let Some(failure) = e.downcast_ref::<ProxyFailure>() {
                return unreachable(&failure.to_string(), false);
            }
            // A client certificate is read only when the client is made.
            if let Some(error) = e.downcast_ref::<kube::config::KubeconfigError>() {
                return Self::Other(format!("kubeconfig: {}", kubeconfig::words(error)));
            }
            if let Some(io) = e.downcast_ref::<std::io::Error>() {
                // rustls errors come wrapped in an io::Error of kind InvalidData.
                if let Some(tls) = io
                    .get_ref()
                    .filter(|_| io.kind() == std::io::ErrorKind::InvalidData)
                {
                    return Self::Tls {
                        server: server.clone(),
                        why: tls_words(&tls.to_string()),
                    };
                }
                match io.kind() {
                    std::io::ErrorKind::TimedOut => {
                        return Self::TimedOut {
                            server: server.clone(),
                            seconds: 0,
                        };
                    }
                    // Its own words name a manual.
                    std::io::ErrorKind::UnexpectedEof => {
                        return unreachable("the connection was cut", false);
                    }
                    std::io::ErrorKind::ConnectionRefused => {
                        return unreachable("connection refused", server.proxy().is_none());
                    }
                    _ => {}
                }
            }
            cause = inner(e);
        }
        unreachable(&root, false)
    }

    /// Sorts an error that kube read: its parser takes any JSON for a status.
    fn refused(mut status: Box<Status>, server: &Server) -> Self {
        let text = status.reason == NO_STATUS;
        let own = !text && status.code != 0 && status.status.is_some();
        let body = if text { status.message.as_str() } else { "" };
        if let Some(unserved) = answer::status(status.code, body.as_bytes()) {
            return Self::status(unserved, server);
        }
        if own {
            if status.message.trim().is_empty() {
                status.message = format!("no reason from the API server (HTTP {})", status.code);
            }
            return Self::status(*status, server);
        }
        let said = match status.message.trim() {
            "" if text => "an empty body".to_owned(),
            "" => "JSON that is not a Status".to_owned(),
            message => answer::said(message.as_bytes()),
        };
        Self::not_an_answer(Some(status.code).filter(|code| *code != 0), server, said)
    }

    /// The API server's refusal, marked where the user's credentials were not sent.
    pub(super) fn status(mut status: Status, server: &Server) -> Self {
        if server.is_without_credentials() && matches!(status.code, 401 | 403) {
            let details = status.details.get_or_insert_with(|| no_details(""));
            details.causes.push(StatusCause {
                reason: WITHHELD.to_owned(),
                message: String::new(),
                field: String::new(),
            });
        }
        Self::Api(Box::new(status))
    }

    /// Something else than the API server answered. `said`: its answer in one short line.
    pub(super) fn not_an_answer(code: Option<u16>, server: &Server, said: String) -> Self {
        Self::NotAnAnswer(Box::new(NotAnAnswer {
            code,
            host: server.host().to_owned(),
            said,
            withheld: server.is_without_credentials(),
        }))
    }

    /// What came is not what was asked for, under a code of success: asking again may bring it.
    pub(super) fn is_malformed(&self) -> bool {
        match self {
            Self::Malformed(_) => true,
            Self::NotAnAnswer(answer) => answer.code.is_some_and(|code| code < 300),
            _ => false,
        }
    }

    /// The HTTP code of an API error.
    pub fn api_code(&self) -> Option<u16> {
        match self {
            Self::Api(status) => Some(status.code),
            _ => None,
        }
    }

    /// The HTTP code of an error, whoever answered.
    pub fn http_code(&self) -> Option<u16> {
        match self {
            Self::NotAnAnswer(answer) => answer.code,
            other => other.api_code(),
        }
    }

    /// Whether the API server itself turned an exec away, so that nothing ran: 401, 403 or 404 as the HTTP status of a real
    /// `Status`. A gateway's page, a `Status` that something passed on under another HTTP status and every other status leave it open.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Api(status) if matches!(status.code, 401 | 403 | 404))
    }

    /// Whether the API server certainly did not make the change: a 4xx. After a 5xx or a time-out it may have.
    pub fn is_surely_refused(&self) -> bool {
        self.api_code()
            .is_some_and(|code| (400..500).contains(&code))
    }

    /// 403: the user may not do this.
    pub fn is_forbidden(&self) -> bool {
        self.api_code() == Some(403)
    }

    /// 404: it is not there.
    pub fn is_not_found(&self) -> bool {
        self.api_code() == Some(404)
    }

    /// The API server's plain text for a path that it does not serve, which is every Go program's too.
    pub(super) fn is_plain_not_found(&self) -> bool {
        matches!(self, Self::Api(status) if status.code == 404 && status.message == answer::UNSERVED)
    }

    /// 404 that names no object: the kind is not served in this version, and nothing is told of the object.
    pub fn is_unserved(&self) -> bool {
        let Self::Api(status) = self else {
            return false;
        };
        status.code == 404 && status.details.as_ref().is_none_or(|d| d.name.is_empty())
    }

    /// It is not in the saved files.
    pub fn is_not_saved(&self) -> bool {
        matches!(self, Self::NotSaved(_))
    }

    /// Nothing of this name was had, neither from a cluster nor from files: it may still be known by another name.
    pub fn is_no_such_name(&self) -> bool {
        self.is_not_found() || self.is_not_saved()
    }

    /// True where asking again for something else is of no use: no connection, no credentials.
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Tls { .. } | Self::Credentials(_) => true,
            Self::Api(status) => status.code == 401,
            Self::NotAnAnswer(answer) => answer.code == Some(401),
            _ => false,
        }
    }

    /// What the API server said, as it said it; for other errors their clause.
    pub fn message(&self) -> String {
        match self {
            Self::Api(status) => status.message.clone(),
            other => other.clause(),
        }
    }

    /// A short clause for a place where a section could not be read: `forbidden (list events in flux-system)`.
    pub fn clause(&self) -> String {
        match self {
            Self::Api(status) if status.code == 403 => match Forbidden::parse(&status.message) {
                Some(f) => format!("forbidden ({f})"),
                None => format!("forbidden ({})", status.message),
            },
            Self::Api(status) => status.message.clone(),
            Self::Unreachable { server, why, .. } => match server.proxy() {
                Some(proxy) => {
                    format!("the API server cannot be reached through the proxy {proxy} ({why})")
                }
                None => format!("the API server cannot be reached ({why})"),
            },
            Self::Tls { why, .. } => format!("TLS failure ({why})"),
            Self::TimedOut { seconds, .. } if *seconds > 0 => format!("no answer in {seconds}s"),
            Self::TimedOut { .. } => "timed out".to_owned(),
            Self::NotSaved(_) => NOT_SAVED.to_owned(),
            Self::NotAnAnswer(answer) => answer.to_string(),
            Self::TooLarge => TOO_LARGE.to_owned(),
            Self::Credentials(error) => error.to_string(),
            Self::Malformed(why) | Self::Other(why) => why.clone(),
        }
    }
}

impl From<request::Status> for ClusterError {
    /// A refusal that was recorded.
    fn from(recorded: request::Status) -> Self {
        let request::Status {
            code,
            reason,
            message,
            name,
        } = recorded;
        Self::Api(Box::new(Status {
            code,
            reason,
            message,
            details: (!name.is_empty()).then(|| no_details(&name)),
            ..Status::default()
        }))
    }
}

/// The details of a status that has a name at most.
fn no_details(name: &str) -> StatusDetails {
    StatusDetails {
        name: name.to_owned(),
        group: String::new(),
        kind: String::new(),
        uid: String::new(),
        causes: Vec::new(),
        retry_after_seconds: 0,
    }
}

/// Marks a status that answers a request without the user's credentials, as the reason of a cause.
const WITHHELD: &str = "CredentialsWithheld";

/// The reason that kube makes up for a body that is no JSON: what stands between here and the API server answered, or a path that
/// it does not serve.
const NO_STATUS: &str = "Failed to parse error data";

/// What kube says of an auth-provider; all other credentials are ours.
fn credentials(error: &kube::client::AuthError) -> CredentialsError {
    CredentialsError::new(crate::text::one_line(&chain(error)))
}

#[cfg(test)]
mod tests;
