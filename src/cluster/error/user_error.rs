//! The user's error of a [`ClusterError`]: in kubectl's form, with a hint where one helps.

use super::super::cause::{NO_TLS, UNKNOWN_SIGNATURE};
use super::super::kubeconfig;
use super::super::server::Server;
use super::{ClusterError, NOT_SAVED, TOO_LARGE, WITHHELD};
use crate::advice::{Command, current_context};
use crate::error::Error;
use crate::model::forbidden::Forbidden;
use kube::core::Status;

/// The hint where credentials were withheld and the server wants some.
const OVER_HTTPS: &str = "your credentials were not sent: the server's URL is http://, and they are sent over https only";

impl From<ClusterError> for Error {
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
                    return error.hint(kubeconfig::view().after("is the port right?"));
                }
                if why == UNKNOWN_SIGNATURE {
                    return error
                        .hint("a certificate authority on P-256, P-384, RSA or Ed25519 works");
                }
                if why.contains("CaUsedAsEndEntity") {
                    return error.hint("the server presents an authority's certificate instead of its own: put exactly this certificate into certificate-authority, or give the server its own");
                }
                error.hint(kubeconfig::view().after(
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
                    Some(300..=399 | 401 | 403 | 407) => error.hint(kubeconfig::view().after("a proxy or gateway answered in the API server's place: log in there, or check the server's URL:")),
                    _ => error.hint(kubeconfig::view().after("check the server's URL:")),
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
