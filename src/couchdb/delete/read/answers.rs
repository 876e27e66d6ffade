//! One run of the script, and its answers as the parts of a plan: each read, or why it could not be.

use super::super::work::List;
use crate::cluster::Cluster;
use crate::couchdb::Target;
use crate::couchdb::request::Path;
use crate::couchdb::response::{Copy, NoResponse};
use crate::couchdb::script::Job;
use crate::couchdb::transport::{self, Answers};
use crate::couchdb::trouble;
use crate::error::Error;
use crate::text::one_line;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Runs the script. A 401 or 403 is the end.
///
/// # Errors
/// No answers, or CouchDB refused the credentials.
pub(super) async fn run(cluster: &Cluster, target: &Target, job: &Job) -> Result<Answers, Error> {
    let answers = transport::run(cluster, target, job)
        .await
        .map_err(|f| f.into_error(target))?;
    if let Some(refusal) = answers.locked_out() {
        return Err(trouble::refused(target, refusal));
    }
    Ok(answers)
}

/// A document that must be there.
pub(super) fn document<T: DeserializeOwned>(
    target: &Target,
    answers: &Answers,
    path: &Path,
) -> Result<T, Error> {
    let failed = |why: String| trouble::unanswered(target, path, &why);
    match answers.get(path) {
        Some(Ok(response)) if response.status == 200 => {
            serde_json::from_value(response.body.clone())
                .map_err(|e| failed(format!("its answer cannot be read: {e}")))
        }
        Some(Ok(response)) => Err(trouble::answered(target, path, response)),
        Some(Err(none @ (NoResponse::NotConnected | NoResponse::NotHttp))) => {
            Err(failed(none.clause()).hint(format!(
                "it was asked on port {} of the pod; name another one with --port",
                target.port
            )))
        }
        Some(Err(none)) => Err(failed(none.clause())),
        None => Err(failed(answers.unasked())),
    }
}

/// A member's own copy of a shard; `None` where it has no such file.
pub(super) fn copy(answers: &Answers, path: &Path) -> Result<Option<Copy>, String> {
    match answers.get(path) {
        Some(Ok(r)) if r.is_absent("no_db_file") => Ok(None),
        _ => part(answers, path).map(Some),
    }
}

/// A document that is wanted where it can be had, or why it cannot.
pub(super) fn part<T: DeserializeOwned>(answers: &Answers, path: &Path) -> Result<T, String> {
    match answers.get(path) {
        Some(Ok(r)) if r.status == 200 => serde_json::from_value(r.body.clone())
            .map_err(|e| format!("its answer cannot be read: {e}")),
        _ => Err(complaint(answers, path)),
    }
}

/// One of CouchDB's lists. A server without `_replicator` has no replication documents.
pub(super) fn listed<'a>(
    list: List,
    answers: &'a Answers,
    path: &Path,
) -> Result<Option<&'a Value>, String> {
    match answers.get(path) {
        Some(Ok(r)) if r.status == 200 => Ok(Some(&r.body)),
        Some(Ok(r))
            if list == List::ReplicationDocuments && r.is_absent("Database does not exist.") =>
        {
            Ok(None)
        }
        _ => Err(complaint(answers, path)),
    }
}

/// Why the answer was not 200.
fn complaint(answers: &Answers, path: &Path) -> String {
    match answers.get(path) {
        Some(Ok(response)) => format!("CouchDB answered {}", response.clause()),
        Some(Err(none)) => none.clause(),
        None => answers.unasked(),
    }
}

/// `maintenance_mode` where it is anything but off.
pub(super) fn mode(answers: &Answers, path: &Path) -> Result<Option<String>, String> {
    setting(answers, path).map(|mode| mode.filter(|mode| !matches!(mode.as_str(), "" | "false")))
}

/// A setting's value; `None` where it is not set.
pub(super) fn setting(answers: &Answers, path: &Path) -> Result<Option<String>, String> {
    match answers.get(path) {
        Some(Ok(r)) if r.is_absent("unknown_config_value") => Ok(None),
        Some(Ok(r)) if r.status == 200 => match r.body.as_str() {
            Some(value) => Ok(Some(one_line(value))),
            None => Err("its answer is not text".to_owned()),
        },
        _ => Err(complaint(answers, path)),
    }
}
