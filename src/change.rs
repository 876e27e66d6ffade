//! One change of a HelmRelease, made on the object as it was read. If the object has changed since, it is read and judged again. An unknown
//! outcome is reported as unknown.

pub(crate) mod author;
pub(crate) mod suspension;

use crate::advice::Command;
use crate::app::App;
use crate::cluster::patch::Change;
use crate::cluster::{Cluster, ClusterError};
use crate::error::{Error, Result};
use crate::model::helm_release::{GROUP, HelmRelease, KIND, PLURAL};
use crate::text::shown;
use serde_json::Value;

/// Attempts at a change, in case Flux writes the status in between.
const TRIES: usize = 5;

/// A change that was made, or rehearsed.
pub(crate) struct Made {
    /// The object that it was made on.
    pub(crate) hr: HelmRelease,
    /// The API server's answer.
    pub(crate) after: Value,
}

/// A change that was not made, or of which it is not known.
pub(crate) struct NotMade {
    pub(crate) error: Error,
    /// The object is surely as it was.
    pub(crate) is_unchanged: bool,
}

impl NotMade {
    pub(crate) fn unchanged(error: impl Into<Error>) -> Self {
        Self {
            error: error.into(),
            is_unchanged: true,
        }
    }

    /// It, or what was done before it, may have changed something.
    pub(crate) fn perhaps(error: Error) -> Self {
        Self {
            error,
            is_unchanged: false,
        }
    }
}

impl From<NotMade> for Error {
    fn from(not: NotMade) -> Self {
        not.error
    }
}

/// Makes the change on an object that was read and judged. An object that is read again is given to `judge`.
///
/// # Errors
/// The judgement's error, or the cluster's.
pub(crate) async fn make(
    cluster: &Cluster,
    mut object: Value,
    change: &Change,
    rehearsal: bool,
    mut judge: impl AsyncFnMut(&Value) -> Result<()>,
) -> std::result::Result<Made, NotMade> {
    let mut tries = 1;
    loop {
        let hr = typed(&object).map_err(NotMade::unchanged)?;
        #[expect(clippy::disallowed_methods, reason = "the change that was asked for")]
        let made = cluster
            .change_helm_release(&hr.metadata, change, rehearsal)
            .await;
        match made {
            Ok(after) if change.is_in(&after) => {
                return Ok(Made { hr, after });
            }
            Ok(_) => {
                let error = not_held(&hr, change, rehearsal);
                return Err(NotMade {
                    error,
                    is_unchanged: rehearsal,
                });
            }
            Err(error) if is_conflict(&error) && tries < TRIES => {
                tries += 1;
                let (namespace, name) = (&hr.metadata.namespace, &hr.metadata.name);
                let read = cluster.helm_release(namespace, name).await;
                object = read.map_err(NotMade::unchanged)?;
                judge(&object).await.map_err(NotMade::unchanged)?;
            }
            Err(error) => return Err(not_made(&hr, change, error)),
        }
    }
}

/// The object as a HelmRelease.
///
/// # Errors
/// It cannot be read.
pub(crate) fn typed(object: &Value) -> Result<HelmRelease> {
    HelmRelease::from_value(object)
        .map_err(|e| Error::new(format!("the helmrelease cannot be read: {e}")))
}

/// kubectl's line.
pub(crate) fn tell(app: &mut App, hr: &HelmRelease, done: &str, rehearsal: bool) -> Result<()> {
    let kind = KIND.to_lowercase();
    let dry = if rehearsal { " (server dry run)" } else { "" };
    let name = &hr.metadata.name;
    app.ui.result(shown!("{kind}.{GROUP}/{name} {done}{dry}"))?;
    app.ui.flush()
}

fn is_conflict(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Api(status) if status.code == 409)
}

/// The error of a change. A change without an answer may have been made.
fn not_made(hr: &HelmRelease, change: &Change, error: ClusterError) -> NotMade {
    let conflict = is_conflict(&error);
    let refused = error.is_surely_refused();
    let error = Error::from(error);
    if conflict {
        return NotMade::unchanged(
            error.hint("it keeps changing, and this change was not made; try again"),
        );
    }
    if refused {
        return NotMade::unchanged(error);
    }
    let see = see(hr, change).after("it is not known whether it was changed; see:");
    NotMade::perhaps(error.hint(see))
}

/// The error of a change that the API server accepted but did not return.
fn not_held(hr: &HelmRelease, change: &Change, rehearsal: bool) -> Error {
    let (name, field) = (&hr.metadata.name, change.field());
    let error = Error::new(format!(
        "the API server's answer does not have the change of {field} of helmrelease {name:?}: an admission webhook may have removed it"
    ));
    match rehearsal {
        true => error,
        false => error.hint(see(hr, change).after("see its value now:")),
    }
}

/// The command that shows the field.
fn see(hr: &HelmRelease, change: &Change) -> Command {
    Command::new([
        "kubectl",
        "get",
        "-n",
        &hr.metadata.namespace,
        &format!("{PLURAL}.{GROUP}"),
        &hr.metadata.name,
        "-o",
        &format!("jsonpath={{.{}}}", change.field()),
    ])
}
