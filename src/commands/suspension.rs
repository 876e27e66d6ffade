//! The change that `suspend` and `resume` make: looked up, made on what was read, and told.

use super::{author, lookup};
use crate::advice::Command;
use crate::app::App;
use crate::cluster::onboardings::Onboardings;
use crate::cluster::patch::MANAGER;
use crate::cluster::{Cluster, ClusterError};
use crate::diagnosis::Case;
use crate::diagnosis::flux_commands;
use crate::diagnosis::install::{self, Left};
use crate::diagnosis::retries::{self, Fixes};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::model::helm_release::{GROUP, HelmRelease, KIND, PLURAL};
use crate::model::status::{self, Ready};
use crate::model::suspension::{Change, Suspension, owner};
use crate::snapshot::{Read, Snapshot};
use crate::text::shown;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// How often a change is made on what is there then, where Flux writes the status in between.
const TRIES: usize = 5;

/// What is wanted.
pub(super) enum Wish<'w> {
    Suspend { reason: &'w str },
    Resume,
}

/// Carries it out.
///
/// # Errors
/// It is so already, the onboarding is on its way out, a resumption would not create the database, or what the cluster said.
pub(super) async fn run(
    app: &mut App,
    name: &str,
    wish: Wish<'_>,
    rehearsal: bool,
) -> Result<Code> {
    let cluster = app.cluster().await?;
    let mut object = lookup::one(app, &cluster, name).await?;
    let change = match wish {
        Wish::Suspend { reason } => Change::Suspend {
            by: author::user(app, &cluster).await,
            at: app.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            reason: reason.to_owned(),
        },
        Wish::Resume => Change::Resume,
    };
    let mut tries = 1;
    let hr = loop {
        let hr = typed(&object)?;
        check(&hr, &change, app.now)?;
        if change == Change::Resume {
            creates_the_database(app, &cluster, object.clone()).await?;
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the suspension or resumption that was asked for"
        )]
        let made = cluster
            .change_helm_release(&hr.metadata, &change, rehearsal)
            .await;
        match made {
            Ok(object) if change.is_in(&object) => break hr,
            Ok(_) => return Err(not_held(&hr, rehearsal)),
            Err(error) if is_conflict(&error) && tries < TRIES => {
                tries += 1;
                let (namespace, name) = (&hr.metadata.namespace, &hr.metadata.name);
                object = cluster.helm_release(namespace, name).await?;
            }
            Err(error) => return Err(not_made(&hr, error)),
        }
    };
    tell(app, &hr, &object, &change, rehearsal)?;
    Ok(Code::Ok)
}

fn typed(object: &Value) -> Result<HelmRelease> {
    HelmRelease::from_value(object)
        .map_err(|e| Error::new(format!("the helmrelease cannot be read: {e}")))
}

/// Whether there is anything to do.
fn check(hr: &HelmRelease, change: &Change, now: Timestamp) -> Result<()> {
    let name = &hr.metadata.name;
    if hr.metadata.deletion_timestamp.is_some() {
        return Err(Error::new(format!("helmrelease {name:?} is being deleted")));
    }
    match (change, hr.spec.suspend) {
        (Change::Suspend { .. }, true) => {
            let by = Suspension::of(hr).map_or(String::new(), |suspension| {
                let age = suspension.at.and_then(|at| at.parse().ok());
                let age = age.map_or(String::new(), |at| {
                    format!(", {} ago", crate::text::age::age(Some(at), now))
                });
                format!(" ({}{age})", suspension.words())
            });
            Err(Error::new(format!(
                "helmrelease {name:?} is suspended already{by}; nothing was changed"
            )))
        }
        (Change::Resume, false) => Err(Error::new(format!(
            "helmrelease {name:?} is not suspended; nothing was changed"
        ))),
        _ => Ok(()),
    }
}

/// A resumption makes Flux start again. What a failed installation left makes that an upgrade, which does not create the database.
async fn creates_the_database(app: &mut App, cluster: &Cluster, object: Value) -> Result<()> {
    let others = Onboardings {
        read: Arc::new(Read::not_asked("other onboardings do not matter here")),
        not_elsewhere: None,
    };
    let snapshot = cluster.snapshot(object, &others).await?;
    let case = Case::new(&snapshot, app.now);
    match left(&snapshot, app.now) {
        Left::Nothing => Ok(()),
        Left::Unknown => {
            app.ui.warning(match install::unread_storage(&case) {
                Some(unread) => format!(
                    "what Helm's storage holds was not read: {}: if it holds a failed revision, the next attempt is an upgrade, which does not create the database",
                    unread.why.clause()
                ),
                None => "whether the creation Job succeeded is unknown: if it did not, the next attempt is an upgrade, which does not create the database".to_owned(),
            });
            Ok(())
        }
        Left::Failed => {
            let why = "refused: the next attempt would be an upgrade of the failed revision, which does not create the database; nothing was changed";
            let error = Error::new(why).with_code(Code::Refused);
            let remove = flux_commands::uninstall(&case);
            let then = retries::then(&case, Fixes::Elsewhere);
            Err(error.hint(remove.after(match then {
                Some(_) => "remove the failed release first, then resume it:",
                None => "remove the failed release first:",
            })))
        }
    }
}

/// What the last installation left. One that may still be running has not failed: its revision is not to be removed. Where nothing tells
/// of a revision, one may be there.
fn left(snapshot: &Snapshot, now: Timestamp) -> Left {
    let stored = snapshot.revisions.seen().and_then(|all| all.first());
    let told = snapshot.helm_release.latest();
    let status = stored.map(|r| &r.status).or(told.map(|h| &h.status));
    let case = Case::new(snapshot, now);
    match install::left(&case) {
        Left::Nothing
            if install::unread_storage(&case).is_some()
                && install::created(&case) != Some(true) =>
        {
            Left::Unknown
        }
        Left::Failed if status.is_some_and(|s| s.starts_with("pending-")) => Left::Unknown,
        left => left,
    }
}

fn is_conflict(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Api(status) if status.code == 409)
}

/// The error of a change. One without an answer may have been made.
fn not_made(hr: &HelmRelease, error: ClusterError) -> Error {
    let conflict = is_conflict(&error);
    let refused = error.is_surely_refused();
    let error = Error::from(error);
    if conflict {
        return error.hint("it changes all the time; nothing was changed; try again");
    }
    if refused {
        return error;
    }
    error.hint(see(hr).after("it is not known whether it was changed; see:"))
}

/// The error of a change that the API server took and that is not in its answer.
fn not_held(hr: &HelmRelease, rehearsal: bool) -> Error {
    let name = &hr.metadata.name;
    let error = Error::new(format!(
        "the API server's answer does not hold the change of spec.suspend of helmrelease {name:?}: an admission webhook may have taken it out"
    ));
    match rehearsal {
        true => error,
        false => error.hint(see(hr).after("what it is now:")),
    }
}

/// The command that shows whether it is suspended.
fn see(hr: &HelmRelease) -> Command {
    Command::new([
        "kubectl",
        "get",
        "-n",
        &hr.metadata.namespace,
        &format!("{PLURAL}.{GROUP}"),
        &hr.metadata.name,
        "-o",
        "jsonpath={.spec.suspend}",
    ])
}

/// kubectl's line, and what can undo it; `before`: the object as it was read.
fn tell(
    app: &mut App,
    hr: &HelmRelease,
    before: &Value,
    change: &Change,
    rehearsal: bool,
) -> Result<()> {
    let suspends = matches!(change, Change::Suspend { .. });
    let done = if suspends { "suspended" } else { "resumed" };
    let kind = KIND.to_lowercase();
    let dry = if rehearsal { " (server dry run)" } else { "" };
    let name = &hr.metadata.name;
    app.ui.result(shown!("{kind}.{GROUP}/{name} {done}{dry}"))?;
    app.ui.flush()?;
    match owner(before, MANAGER) {
        Some(manager) => app.ui.warning(format!(
            "{manager} set spec.suspend before: what a manifest in Git says wins the next time that it is applied, so change it there as well"
        )),
        None => app.ui.hint(
            "if the manifest in Git sets suspend, that wins the next time that it is applied",
        ),
    }
    if suspends && status::ready(hr) == Ready::Unknown {
        app.ui
            .hint("an action that is running now is not stopped by this");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn onboarding(suspend: bool, deleted: bool) -> HelmRelease {
        let mut object = json!({
            "metadata": {"name": "a", "namespace": "n", "generation": 2, "annotations": {
                "skvs.kubectl.io/suspended-by": "alice", "skvs.kubectl.io/suspended-at": "2026-11-21T12:00:00Z",
                "skvs.kubectl.io/suspended-reason": "upgrade", "skvs.kubectl.io/suspended-generation": "2"}},
            "spec": {"suspend": suspend},
        });
        if deleted {
            object["metadata"]["deletionTimestamp"] = json!("2026-11-24T12:00:00Z");
        }
        HelmRelease::from_value(&object).unwrap()
    }

    #[test]
    fn a_revision_that_may_still_be_installed_is_not_to_be_removed() {
        use crate::diagnosis::fixture;
        use crate::model::helm_storage::Revision;
        let name = "target-namespace-missing";
        let mut snapshot = fixture::snapshot(name);
        let now = fixture::meta(name).now;
        assert_eq!(left(&snapshot, now), Left::Failed);
        let revision = |status: &str| Revision {
            revision: 1,
            status: status.to_owned(),
            created: None,
            secret: "s".to_owned(),
        };
        snapshot.revisions = Read::Seen(vec![revision("failed")]);
        assert_eq!(left(&snapshot, now), Left::Failed);
        snapshot.revisions = Read::Seen(vec![revision("pending-install")]);
        assert_eq!(left(&snapshot, now), Left::Unknown);
        // Helm's Secrets were not read: the status decides.
        snapshot.revisions = Read::failed("forbidden");
        let history = &mut snapshot.helm_release.status.history;
        history[0].status = "pending-install".to_owned();
        assert_eq!(left(&snapshot, now), Left::Unknown);
    }

    #[test]
    fn what_is_so_already_is_said_with_who_did_it() {
        let suspend = Change::Suspend {
            by: "bob".to_owned(),
            at: String::new(),
            reason: String::new(),
        };
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let said = |suspended, deleted, change: &Change| {
            let checked = check(&onboarding(suspended, deleted), change, now);
            checked.map_err(|e| e.message().to_owned())
        };
        assert_eq!(said(false, false, &suspend), Ok(()));
        assert_eq!(said(true, false, &Change::Resume), Ok(()));
        assert_eq!(
            said(true, false, &suspend).unwrap_err(),
            "helmrelease \"a\" is suspended already (suspended by alice: upgrade, 3d ago); nothing was changed"
        );
        assert_eq!(
            said(false, false, &Change::Resume).unwrap_err(),
            "helmrelease \"a\" is not suspended; nothing was changed"
        );
        for change in [&suspend, &Change::Resume] {
            let why = said(true, true, change).unwrap_err();
            assert_eq!(why, "helmrelease \"a\" is being deleted");
        }
    }
}
