//! The change that `suspend` and `resume` make: looked up, judged, shown, made and reported.

use crate::app::App;
use crate::change::author;
use crate::change::{self, Made, typed};
use crate::cluster::Cluster;
use crate::cluster::onboardings::Onboardings;
use crate::cluster::patch::{self, MANAGER};
use crate::diagnosis::Case;
use crate::diagnosis::flux_commands;
use crate::diagnosis::install::{self, Left};
use crate::diagnosis::remote;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::lookup;
use crate::model::helm_release::{GROUP, HelmRelease, KIND};
use crate::model::onboarding::Claim;
use crate::model::status::{self, Ready};
use crate::model::suspension::{Change, Suspension, owner};
use crate::question::card;
use crate::render::card::Row;
use crate::render::output::ObjectFormat;
use crate::render::{json, name, yaml};
use crate::snapshot::{IfRead, Read, Snapshot};
use crate::text::one_line;
use crate::view::object_list::drop_managed_fields;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// The field manager that applies manifests.
const FLUX: &str = "kustomize-controller";

/// What is wanted.
pub(crate) enum Wish<'w> {
    Suspend { reason: &'w str },
    Resume,
}

/// The words of a run.
pub(crate) struct Words<'w> {
    pub(crate) name: &'w str,
    pub(crate) wish: Wish<'w>,
    pub(crate) rehearsal: bool,
    pub(crate) output: ObjectFormat,
}

/// Carries it out.
///
/// # Errors
/// It is so already, the onboarding is on its way out, a resumption would not create the database, or what the cluster said.
pub(crate) async fn run(app: &mut App, words: Words<'_>) -> Result<Code> {
    let cluster = app.cluster().await?;
    let object = lookup::one(app, &cluster, words.name).await?;
    let change = match words.wish {
        Wish::Suspend { reason } => Change::Suspend {
            by: author::user(app, &cluster).await,
            at: app.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            reason: reason.to_owned(),
        },
        Wish::Resume => Change::Resume,
    };
    judge(app, &cluster, &object, &change).await?;
    card::show(app, &cluster, heading(&change), rows(&object, &change)?);
    let wanted = patch::Change::Suspension(change.clone());
    let again = async |object: &Value| judge(app, &cluster, object, &change).await;
    let made = change::make(&cluster, object, &wanted, words.rehearsal, again).await?;
    print(app, made, &change, &words)?;
    Ok(Code::Ok)
}

/// Whether the change may be made on the object.
async fn judge(app: &mut App, cluster: &Cluster, object: &Value, change: &Change) -> Result<()> {
    check(&typed(object)?, change, app.now)?;
    match change {
        Change::Resume => creates_the_database(app, cluster, object.clone()).await,
        Change::Suspend { .. } => Ok(()),
    }
}

/// Whether there is anything to do.
fn check(hr: &HelmRelease, change: &Change, now: Timestamp) -> Result<()> {
    let name = &hr.metadata.name;
    if hr.metadata.deletion_timestamp.is_some() {
        return Err(Error::new(format!("helmrelease {name:?} is being deleted")));
    }
    match (change, hr.spec.suspend) {
        (Change::Suspend { .. }, true) => {
            let by = Suspension::from_release(hr).map_or(String::new(), |suspension| {
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
                    "Helm's storage was not read: {}: if it holds a failed revision, the next attempt is an upgrade, which does not create the database",
                    unread.why.clause()
                ),
                None => "it is unknown whether the creation Job succeeded: if it did not, the next attempt is an upgrade, which does not create the database".to_owned(),
            });
            Ok(())
        }
        Left::Failed => {
            let why = "refused: the next attempt would be an upgrade of the failed revision, which does not create the database; nothing was changed";
            let error = Error::new(why).with_code(Code::Refused);
            let remove = flux_commands::uninstall(&case);
            let first = "remove the failed release first";
            Err(match case.hr().is_remote() {
                true => error.hint(format!(
                    "{first}, {}; then resume it here",
                    remote::there("on", &remove)
                )),
                false => error.hint(remove.after(format!("{first}, then resume it:"))),
            })
        }
    }
}

/// The result of the last installation. One that may still be running has not failed, and its revision must not be removed. Without any
/// sign of a revision, one may still exist.
fn left(snapshot: &Snapshot, now: Timestamp) -> Left {
    let stored = snapshot.revisions().if_read().and_then(|all| all.first());
    let told = snapshot.helm_release().latest();
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

fn heading(change: &Change) -> &'static str {
    match change {
        Change::Suspend { .. } => "This makes Flux leave an onboarding alone.",
        Change::Resume => "This makes Flux look at an onboarding again.",
    }
}

/// The rows of the card.
fn rows(object: &Value, change: &Change) -> Result<Vec<Row>> {
    let hr = typed(object)?;
    let database = match hr.claim() {
        Claim::Database(name) => format!(", database {}", name.as_str()),
        _ => String::new(),
    };
    let metadata = &hr.metadata;
    let id = format!("{}/{}{database}", metadata.namespace, metadata.name);
    let mut rows = vec![("Onboarding", one_line(&id))];
    if let Change::Suspend { reason, .. } = change {
        rows.push(("Reason", one_line(reason)));
        if status::shown(&hr) == Ready::Unknown {
            let text = "an action may be running, and is not stopped by this";
            rows.push(("State", text.to_owned()));
        }
    }
    rows.push((
        "Git",
        match owner(object, MANAGER) {
            Some(FLUX) => format!(
                "{FLUX} set spec.suspend before: the manifest wins the next time that it is applied, so change it there as well"
            ),
            Some(manager) => format!(
                "{} set spec.suspend before; a manifest that sets suspend wins the next time that it is applied",
                one_line(manager)
            ),
            None => "a manifest that sets suspend wins the next time that it is applied".to_owned(),
        },
    ));
    Ok(rows)
}

/// The result, as kubectl prints that of a change.
fn print(app: &mut App, made: Made, change: &Change, words: &Words<'_>) -> Result<()> {
    let mut after = made.after;
    drop_managed_fields(&mut after);
    match words.output {
        ObjectFormat::Text => {
            let done = match change {
                Change::Suspend { .. } => "suspended",
                Change::Resume => "resumed",
            };
            return change::tell(app, &made.hr, done, words.rehearsal);
        }
        ObjectFormat::Name => {
            name::write(&mut app.ui.screen(), KIND, GROUP, &made.hr.metadata.name)?
        }
        ObjectFormat::Json => json::write(&mut app.ui.machine(), &after)?,
        ObjectFormat::Yaml => yaml::write(&mut app.ui.machine(), &after)?,
    }
    app.ui.flush()
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
    fn only_flux_is_said_to_have_applied_a_manifest() {
        let git = |manager: &str| {
            let object = json!({"metadata": {"name": "a", "namespace": "n", "managedFields": [
                {"manager": manager, "fieldsV1": {"f:spec": {"f:suspend": {}}}}]}, "spec": {}});
            let rows = rows(&object, &Change::Resume).unwrap();
            rows.into_iter().last().unwrap().1.to_string()
        };
        assert!(git(FLUX).contains("before: the manifest wins"));
        let by_hand = git("kubectl-edit");
        assert!(by_hand.starts_with("kubectl-edit set spec.suspend before; a manifest that sets"));
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
