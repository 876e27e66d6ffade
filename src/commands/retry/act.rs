//! The acts themselves: helm's uninstall, and the changes that make Flux try again.

use super::plan::Plan;
use super::{Args, after, look, look_after_removal};
use crate::advice::{Line, Origin};
use crate::app::App;
use crate::change::author;
use crate::change::{self, NotMade};
use crate::cluster::Cluster;
use crate::cluster::patch::Change;
use crate::diagnosis::after_fix::{Act, Action};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::helm::Helm;
use crate::model::request::{Request, Wish};
use crate::model::suspension::{self, Suspension};
use crate::text::{Shown, shell_line};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

/// How the uninstall is run.
pub(super) enum Runner {
    /// Nothing has to be removed.
    NotNeeded,
    Found {
        helm: Helm,
        command: Line,
    },
    /// Why helm cannot be run here.
    Missing {
        why: String,
        command: Line,
    },
}

impl Runner {
    /// Finds the user's helm, if the plan needs it.
    pub(super) fn find(plan: &Plan, origin: &Origin) -> Self {
        let Some(command) = plan.uninstall() else {
            return Self::NotNeeded;
        };
        // The kubeconfig may change while the question is open: a context of the same name must not lead helm elsewhere.
        let command = match origin.helms_own_server() {
            Some(server) => command.clone().args(["--kube-apiserver", server]),
            None => command.clone(),
        };
        let command = command.at(origin);
        if let Some(flag) = origin.helm_lacks() {
            let why = format!("--{flag} cannot be passed to helm");
            return Self::Missing { why, command };
        }
        match Helm::find() {
            Some(helm) => Self::Found { helm, command },
            None => {
                let why = "helm was not found on PATH".to_owned();
                Self::Missing { why, command }
            }
        }
    }

    /// A step as the card shows it.
    pub(super) fn words(&self, action: &Action) -> String {
        match (action.act(), self) {
            (Act::Uninstall, Self::Found { helm, command }) => shell_line(&helm.words(command)),
            (Act::Uninstall, Self::Missing { why, command }) => format!("{command} ({why})"),
            (Act::Uninstall, Self::NotNeeded) => String::new(),
            (Act::Request, _) => "ask Flux for an attempt (annotation requestedAt)".to_owned(),
            (Act::Reset, _) => "ask Flux for an attempt, with the failures counted from zero (annotations requestedAt and resetAt)".to_owned(),
            (Act::Force, _) => "ask Flux for one upgrade, whatever failed before (annotations requestedAt and forceAt)".to_owned(),
            (Act::Suspend, _) => "suspend it (spec.suspend: true)".to_owned(),
            (Act::Resume, _) => "resume it, so that Flux counts the failures from zero".to_owned(),
        }
    }

    /// The command that takes a step by hand.
    pub(super) fn line(&self, action: &Action, origin: &Origin) -> Line {
        match (action.act(), self) {
            (Act::Uninstall, Self::Found { command, .. } | Self::Missing { command, .. }) => {
                command.clone()
            }
            _ => action.command().at(origin),
        }
    }
}

/// The commands to run by hand, for the text.
///
/// # Errors
/// stdout is gone.
pub(super) fn print_commands(app: &mut App, plan: &Plan, runner: &Runner) -> Result<()> {
    let origin = app.ui.origin().clone();
    for action in &plan.retry.acts {
        let line = runner.line(action, &origin).to_string();
        app.ui.result(Shown::line(line))?;
    }
    app.ui.flush()
}

/// Has the API server check the first change on the object as read, so that nothing is removed that Flux cannot then be asked to install.
pub(super) async fn check(app: &App, cluster: &Cluster, args: &Args, plan: &Plan) -> Result<()> {
    let first = plan.acts().into_iter().find(|act| *act != Act::Uninstall);
    let Some(first) = first else {
        return Ok(());
    };
    let by = author::user(app, cluster).await;
    let wanted = wanted(first, Timestamp::now(), &by);
    let judge = async |object: &Value| still(app, cluster, args, plan, object).await;
    change::make(cluster, plan.object.clone(), &wanted, true, judge).await?;
    Ok(())
}

/// Takes the steps of a plan that has just been read.
///
/// # Errors
/// The failure, with the steps taken before it, and whether there are none.
pub(super) async fn carry_out(
    app: &mut App,
    cluster: &Cluster,
    args: &Args,
    mut plan: Plan,
    runner: &Runner,
) -> std::result::Result<(), NotMade> {
    let mut done = None;
    if let Runner::Found { helm, command } = runner {
        let checked = check(app, cluster, args, &plan).await;
        checked.map_err(NotMade::unchanged)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "the uninstall that was confirmed"
        )]
        let ended = helm.uninstall(command).await;
        let said = ended.map_err(|why| NotMade::perhaps(not_removed(&plan, &why)))?;
        app.ui.status(Shown::line(&said));
        let removed = "the release was removed, and Flux was not asked to install it";
        done = Some(removed);
        plan = installs(app, cluster, args, &plan)
            .await
            .map_err(|error| NotMade::perhaps(not_asked(&plan, args, after(error, removed))))?;
    }
    let asked = ask(app, cluster, args, &plan).await;
    asked.map_err(|not| match done {
        Some(removed) => NotMade::perhaps(not_asked(&plan, args, after(not.error, removed))),
        None => not,
    })
}

/// Returns the plan after the uninstall.
async fn installs(app: &mut App, cluster: &Cluster, args: &Args, before: &Plan) -> Result<Plan> {
    app.now = Timestamp::now();
    let (namespace, name) = before.id();
    let object: Value = cluster.helm_release(namespace, name).await?;
    look_after_removal(app, cluster, args, object, before).await
}

/// Makes the changes that make Flux try again.
async fn ask(
    app: &App,
    cluster: &Cluster,
    args: &Args,
    plan: &Plan,
) -> std::result::Result<(), NotMade> {
    let by = author::user(app, cluster).await;
    let mut object = plan.object.clone();
    let now = Timestamp::now();
    for (at, act) in plan.acts().into_iter().enumerate() {
        let wanted = wanted(act, now, &by);
        let judge = async |object: &Value| match act {
            // Only this run's own suspension is resumed.
            Act::Resume => is_own(object, plan, now),
            _ => still(app, cluster, args, plan, object).await,
        };
        let made = change::make(cluster, object, &wanted, false, judge).await;
        let made = made.map_err(|not| match act {
            Act::Resume => NotMade::perhaps(still_suspended(plan, not.error)),
            _ if at > 0 => NotMade::perhaps(not.error),
            _ => not,
        })?;
        object = made.after;
    }
    Ok(())
}

/// Reads again if something changed the object in the meantime.
async fn still(
    app: &App,
    cluster: &Cluster,
    args: &Args,
    plan: &Plan,
    object: &Value,
) -> Result<()> {
    if plan.has_removed() {
        let again = look_after_removal(app, cluster, args, object.clone(), plan).await;
        return again.map(drop);
    }
    let again = look(app, cluster, args, object.clone(), Timestamp::now()).await?;
    plan.holds(&again)
}

/// The change that carries out an act.
fn wanted(act: Act, now: Timestamp, by: &str) -> Change {
    let request = |wish| {
        Change::Request(Request {
            token: now.to_string(),
            wish,
        })
    };
    match act {
        Act::Reset => request(Some(Wish::Reset)),
        Act::Force => request(Some(Wish::Force)),
        Act::Request | Act::Uninstall => request(None),
        Act::Suspend => Change::Suspension(suspension::Change::Suspend {
            by: by.to_owned(),
            at: now.to_string(),
            reason: "a retry, which resumes it at once".to_owned(),
        }),
        Act::Resume => Change::Suspension(suspension::Change::Resume),
    }
}

fn is_own(object: &Value, plan: &Plan, since: Timestamp) -> Result<()> {
    let hr = change::typed(object)?;
    let at = since.to_string();
    let own = Suspension::from_release(&hr).is_some_and(|s| s.is_current && s.at == Some(&at));
    match own && hr.metadata.uid == plan.hr.metadata.uid {
        true => Ok(()),
        false => Err(changed()),
    }
}

fn changed() -> Error {
    Error::new("refused: the onboarding has changed since it was read").with_code(Code::Refused)
}

/// helm failed, perhaps after removing a part.
fn not_removed(plan: &Plan, why: &str) -> Error {
    let (namespace, name) = plan.id();
    let see = crate::advice::Command::skvs(["describe", name, "-n", namespace]);
    Error::new(format!(
        "it is not known whether the release was removed: {why}"
    ))
    .hint(see.after("Flux was not asked for anything; see what is stored now:"))
}

/// Adds the next command after the release was removed.
fn not_asked(plan: &Plan, args: &Args, error: Error) -> Error {
    let (namespace, name) = plan.id();
    let retry = crate::advice::Command::skvs(["retry", name, "-n", namespace]);
    error.hint(
        retry
            .args(args.couchdb.words())
            .after("to have it installed:"),
    )
}

fn still_suspended(plan: &Plan, error: Error) -> Error {
    let (namespace, name) = plan.id();
    let resume = crate::advice::Command::skvs(["resume", name, "-n", namespace]);
    // Something was changed, so this is not a refusal.
    let error = match error.code() {
        Code::Refused => error.with_code(Code::Failed),
        _ => error,
    };
    error.hint(resume.after("it is still suspended:"))
}
