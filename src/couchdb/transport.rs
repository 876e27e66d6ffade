//! One run of the script in one pod: a fresh nonce, the exec, the output read.
//!
//! Owns what can go wrong before CouchDB answers. It sends nothing twice and keeps no credentials: there are none on this side.

use super::Target;
use super::response::{NoResponse, Response};
use super::script::{self, Job, Unfit};
use crate::cluster::exec::{Ended, Execed};
use crate::cluster::{Cluster, ClusterError};
use crate::error::Error;
use crate::model::forbidden::Forbidden;
use ring::rand::SecureRandom;
use std::time::Duration;

/// Time for the exec around the script's own bounds.
const MARGIN: u64 = 15;

/// What a run gave, in the order in which it was asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// Path with its answer.
    pub responses: Vec<(String, Result<Response, NoResponse>)>,
    /// The answer to the DELETE, if it was sent and answered.
    pub deletion: Option<Result<Response, NoResponse>>,
    /// `PATH TEXT` of the guard that did not hold.
    pub differs: Option<String>,
    /// The DELETE was about to be sent.
    pub sending: bool,
    /// Why the output is not whole; `None` when its end mark and the status are there.
    pub lost: Option<String>,
}

impl Answers {
    /// The answer to a path.
    pub fn get(&self, path: &super::request::Path) -> Option<&Result<Response, NoResponse>> {
        self.responses
            .iter()
            .find(|(p, _)| p == path.as_str())
            .map(|(_, r)| r)
    }

    /// Why a path has no answer.
    pub fn unasked(&self) -> String {
        let lost = self.lost.clone();
        lost.unwrap_or_else(|| "it was not asked".to_owned())
    }

    /// The first 401 or 403: it ended the run, since a few more of them lock the account.
    pub fn locked_out(&self) -> Option<&Response> {
        self.responses
            .iter()
            .filter_map(|(_, r)| r.as_ref().ok())
            .find(|r| matches!(r.status, 401 | 403))
    }
}

/// Why a run gave no answers at all. In each case no request reached CouchDB, but for an API error of 500 and above and a lost
/// connection, where that is not known.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// The API server's or the connection's word on the exec.
    Exec(ClusterError),
    /// The script found the container unfit.
    Unfit(Unfit),
    /// The script could not be started or ended otherwise; the node's or the shell's word.
    Broken(String),
}

impl Failure {
    /// Whether the script was certainly not started or stopped before its first request.
    pub fn is_before_anything(&self) -> bool {
        match self {
            Self::Unfit(_) => true,
            Self::Exec(error) => error.is_refusal(),
            Self::Broken(_) => false,
        }
    }

    /// A clause for a sentence.
    pub fn clause(&self) -> String {
        match self {
            Self::Exec(error) => error.clause(),
            Self::Unfit(Unfit::NoClient) => {
                "the container has neither curl nor bash, so CouchDB cannot be asked in it"
                    .to_owned()
            }
            Self::Unfit(Unfit::NoCredentials) => {
                "COUCHDB_USER and COUCHDB_PASSWORD are not both set in the container, or those that were sent did not come"
                    .to_owned()
            }
            Self::Unfit(Unfit::NoTools) => "the container lacks base64, tr or cat".to_owned(),
            Self::Broken(why) => why.clone(),
        }
    }

    /// The user's error for a run that was to read.
    pub fn into_error(self, target: &Target) -> Error {
        match self {
            Self::Exec(error) => {
                if let ClusterError::NotAnAnswer(answer) = &error
                    && matches!(error.http_code(), Some(401 | 403 | 405 | 407))
                {
                    return Error::new(format!("the exec in {target} was refused: {answer}")).hint(
                        "a gateway or proxy in front of the API server refused it, not Kubernetes: no right is missing there; ask those who run it to allow exec, or use a context that leads to the API server itself",
                    );
                }
                // An admission webhook, for one, refuses in other words: no right helps there. Of the second verb Kubernetes gives no
                // reason at all.
                let message = error.message();
                let plain = Forbidden::parse(&message).is_some()
                    || message.trim_end().ends_with("is forbidden:");
                let missing = error.is_forbidden() && plain;
                let error = Error::from(error);
                if missing {
                    return error.hint(format!(
                        "an exec needs both verbs, get and (from Kubernetes 1.35 on) create, on pods/exec in {}",
                        target.namespace
                    ));
                }
                error
            }
            Self::Unfit(unfit) => {
                let error = Error::new(format!("{target}: {}", self.clause()));
                match unfit {
                    Unfit::NoClient => error.hint("name another pod or container with --pod and --container"),
                    Unfit::NoCredentials => error.hint(
                        "credentials are taken from the container's environment: name the container that has them with --container; or have them read from a Secret on this machine and sent to the pod by stdin: --credentials-from-secret NAME",
                    ),
                    Unfit::NoTools => error,
                }
            }
            Self::Broken(_) => Error::new(format!("{target}: {}", self.clause())),
        }
    }
}

/// Runs `job` in the target's container.
///
/// # Errors
/// No answers at all; see [`Failure`].
pub async fn run(cluster: &Cluster, target: &Target, job: &Job) -> Result<Answers, Failure> {
    let limit = Duration::from_secs(job.seconds() + MARGIN);
    run_within(cluster, target, job, limit).await
}

/// The same with another bound than the script's own: what came before it counts.
///
/// # Errors
/// As [`run`].
pub async fn run_within(
    cluster: &Cluster,
    target: &Target,
    job: &Job,
    limit: Duration,
) -> Result<Answers, Failure> {
    let nonce = nonce();
    #[expect(clippy::disallowed_methods, reason = "one run of the script")]
    let execed = cluster
        .exec(
            &target.place(),
            &job.command(&nonce, target),
            target.credentials.first_line(),
            limit,
        )
        .await
        .map_err(Failure::Exec)?;
    conclude(execed, &nonce)
}

/// What a run gave, by how it ended.
pub(super) fn conclude(execed: Execed, nonce: &str) -> Result<Answers, Failure> {
    let output = script::parse(&execed.stdout, nonce);
    let said = crate::text::one_line(&String::from_utf8_lossy(&execed.stderr));
    let lost = match execed.ended {
        Ended::Exit(code) => match Unfit::from_exit(code) {
            Some(unfit) if output.exchanges.is_empty() && !output.sending => {
                return Err(Failure::Unfit(unfit));
            }
            _ if code != 0 => Some(format!("the script ended with exit code {code}")),
            _ if !output.complete => Some("the end of the output is missing".to_owned()),
            _ => None,
        },
        Ended::Failed(why) => Some(format!("the exec failed: {}", crate::text::one_line(&why))),
        Ended::Lost(why) => Some(format!(
            "the exec was lost: {}",
            crate::text::one_line(&why)
        )),
    };
    let lost = lost.map(|why| {
        if said.is_empty() {
            why
        } else {
            format!("{why} ({said})")
        }
    });
    if let Some(why) = &lost
        && output.exchanges.is_empty()
        && !output.sending
    {
        return Err(Failure::Broken(why.clone()));
    }
    Ok(answers(output, lost))
}

fn answers(output: script::Output, lost: Option<String>) -> Answers {
    let mut answers = Answers {
        differs: output.differs,
        sending: output.sending,
        lost,
        ..Answers::default()
    };
    for exchange in &output.exchanges {
        let response = Response::from_exchange(exchange);
        if exchange.method == "DELETE" {
            answers.deletion = Some(response);
        } else {
            answers.responses.push((exchange.path.clone(), response));
        }
    }
    answers
}

/// 128 random bits in hex.
pub(in crate::couchdb) fn nonce() -> String {
    let mut bytes = [0; 16];
    ring::rand::SystemRandom::new()
        .fill(&mut bytes)
        .expect("the operating system gives random bytes");
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
