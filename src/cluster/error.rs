//! What the API server or the way to it said, sorted, and turned into the user's error.
//!
//! Owns the reading of kube's errors: their own text carries Debug output and must never reach a user.

use super::answer;
use super::config::unusable;
use super::connector::ProxyFailure;
use super::credentials::CredentialsError;
use super::server::Server;
use crate::advice::{Command, current_context};
use crate::bundle::{NotSaved, request};
use crate::error::{Error, io_words};
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
                return Self::Unreachable {
                    server: server.clone(),
                    why: failure.to_string(),
                    refused: false,
                };
            }
            // A client certificate is read only when the client is made.
            if let Some(kubeconfig) = e.downcast_ref::<kube::config::KubeconfigError>() {
                return Self::Other(format!("kubeconfig: {}", unusable(kubeconfig)));
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
                if io.kind() == std::io::ErrorKind::TimedOut {
                    return Self::TimedOut {
                        server: server.clone(),
                        seconds: 0,
                    };
                }
                // Its own words name a manual.
                if io.kind() == std::io::ErrorKind::UnexpectedEof {
                    return Self::Unreachable {
                        server: server.clone(),
                        why: "the connection was cut".to_owned(),
                        refused: false,
                    };
                }
                if io.kind() == std::io::ErrorKind::ConnectionRefused {
                    return Self::Unreachable {
                        server: server.clone(),
                        why: "connection refused".to_owned(),
                        refused: server.proxy().is_none(),
                    };
                }
            }
            cause = inner(e);
        }
        Self::Unreachable {
            server: server.clone(),
            why: root,
            refused: false,
        }
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

impl From<ClusterError> for Error {
    /// The user's error in kubectl's form, with a hint where one helps.
    fn from(error: ClusterError) -> Self {
        match error {
            ClusterError::Api(status) => api(&status),
            ClusterError::Unreachable {
                server,
                refused: true,
                ..
            } => Error::bare(format!(
                "The connection to the server {} was refused - did you specify the right host or port?",
                server
            )),
            ClusterError::Unreachable { server, why, .. } => through(
                &server,
                Error::bare(format!("Unable to connect to the server: {server}: {why}")),
            ),
            ClusterError::Tls { server, why } => {
                let error = Error::bare(format!(
                    "Unable to connect to the server: {}: tls: {why}",
                    server
                ));
                if why == NO_TLS {
                    return error.hint(kubeconfig_as_used().after("is the port right?"));
                }
                if why == UNKNOWN_SIGNATURE {
                    return error
                        .hint("a certificate authority on P-256, P-384, RSA or Ed25519 works");
                }
                if why.contains("CaUsedAsEndEntity") {
                    return error.hint("the server presents an authority's certificate instead of its own: put exactly this certificate into certificate-authority, or give the server its own");
                }
                error.hint(kubeconfig_as_used().after(
                    "check certificate-authority and tls-server-name of the cluster in the kubeconfig:",
                ))
            }
            ClusterError::TimedOut { server, seconds } => {
                let within = if seconds > 0 {
                    format!(" within {seconds}s")
                } else {
                    String::new()
                };
                let error = Error::bare(format!(
                    "Unable to connect to the server: {server}: no answer{within}"
                ));
                through(&server, error).hint("a longer wait: --request-timeout=2m")
            }
            ClusterError::Credentials(error) => {
                let hints = error.hints.iter();
                hints
                    .fold(
                        Error::new(format!("cannot get credentials: {error}")),
                        |error, hint| error.hint(hint),
                    )
                    .hint(whoami().after("check the user in the kubeconfig, and log in again:"))
            }
            ClusterError::NotAnAnswer(answer) => {
                let error = Error::new(answer.to_string());
                match answer.code {
                    Some(401 | 403) if answer.withheld => error.hint(OVER_HTTPS),
                    Some(300..=399 | 401 | 403 | 407) => error.hint(kubeconfig_as_used().after("a proxy or gateway answered in the API server's place: log in there, or check the server's URL:")),
                    _ => error.hint(kubeconfig_as_used().after("check the server's URL:")),
                }
            }
            ClusterError::TooLarge => Error::new(TOO_LARGE),
            ClusterError::Malformed(why) => {
                Error::new(format!("the API server's answer cannot be read: {why}"))
            }
            ClusterError::NotSaved(missing) => {
                let error = Error::new(format!("{NOT_SAVED}: {}", missing.what));
                match &missing.get {
                    Some(get) => {
                        error.hint(get.clone().after("save it too, and name both with -f:"))
                    }
                    None => error,
                }
            }
            ClusterError::Other(why) => Error::new(why),
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

/// The hint where credentials were withheld and the server wants some.
const OVER_HTTPS: &str = "your credentials were not sent: the server's URL is http://, and they are sent over https only";

fn is_withheld(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|d| &d.causes);
    causes.into_iter().any(|cause| cause.reason == WITHHELD)
}

fn api(status: &Status) -> Error {
    match status.code {
        401 => {
            let error = Error::new(format!(
                "You must be logged in to the server ({})",
                status.message
            ));
            if is_withheld(status) {
                return error.hint(OVER_HTTPS);
            }
            error.hint(whoami().after(
                "the token or certificate is missing, wrong or expired; log in again, then:",
            ))
        }
        403 => {
            let error = Error::server(reason(status), &status.message);
            if is_withheld(status) {
                return error.hint(OVER_HTTPS);
            }
            match Forbidden::parse(&status.message) {
                Some(f) => error.hint(format!("ask for: {f}")),
                None => error,
            }
        }
        404 if status.reason == "NotInstalled" => Error::new(&status.message)
            .hint(current_context().after("is this the right cluster?"))
            .hint(Command::new(["flux", "check"]).after("check Flux here:")),
        _ => Error::server(reason(status), &status.message),
    }
}

/// What to look at where a proxy is on the way.
fn through(server: &Server, error: Error) -> Error {
    match server.proxy() {
        Some(proxy) => error.hint(proxy.from.hint()),
        None => error,
    }
}

/// Shows the one cluster and user that the context names.
pub(super) fn kubeconfig_as_used() -> Command {
    Command::new(["kubectl", "config", "view", "--minify"])
}

fn whoami() -> Command {
    Command::new(["kubectl", "auth", "whoami"])
}

fn reason(status: &Status) -> &str {
    match status.reason.as_str() {
        "" => match status.code {
            403 => "Forbidden",
            404 => "NotFound",
            429 => "TooManyRequests",
            503 => "ServiceUnavailable",
            504 => "Timeout",
            _ => "InternalError",
        },
        reason => reason,
    }
}

/// The reason that kube makes up for a body that is no JSON: what stands between here and the API server answered, or a path that
/// it does not serve.
const NO_STATUS: &str = "Failed to parse error data";

/// What is said when the answer to the handshake is no TLS at all.
const NO_TLS: &str = "the server does not speak TLS on this port";

/// What is said of a certificate that cannot be checked: rustls on ring has no P-521.
const UNKNOWN_SIGNATURE: &str = "the server's certificate is signed in a way that this program cannot check, such as P-521; kubectl may";

/// rustls' words, but for the cases that they hide from most readers.
fn tls_words(rustls: &str) -> String {
    if rustls.contains("corrupt message") {
        NO_TLS.to_owned()
    } else if rustls.contains("UnsupportedSignatureAlgorithm") {
        // The library names neither by its name.
        UNKNOWN_SIGNATURE.to_owned()
    } else {
        rustls.to_owned()
    }
}

/// What lies under an error. An `io::Error` that wraps another names the inner one's source as its own.
fn inner<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a (dyn std::error::Error + 'static)> {
    let io = error.downcast_ref::<std::io::Error>();
    match io.map(std::io::Error::get_ref) {
        Some(Some(inner)) => Some(inner),
        _ => error.source(),
    }
}

/// The words of the error at the root.
pub(super) fn root_words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut root = error;
    while let Some(inner) = inner(root) {
        root = inner;
    }
    tls_words(&words(root))
}

/// An error's own words, the system's without their number.
fn words(error: &(dyn std::error::Error + 'static)) -> String {
    match error.downcast_ref::<std::io::Error>() {
        Some(io) if io.get_ref().is_none() => io_words(io),
        _ => error.to_string(),
    }
}

/// What kube says of an auth-provider; all other credentials are ours.
fn credentials(error: &kube::client::AuthError) -> CredentialsError {
    CredentialsError::new(crate::text::one_line(&chain(error)))
}

pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        let next = e.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = e.source();
    }
    text
}

#[cfg(test)]
mod tests;
