//! The words of `retry`.

use super::Args;
use super::plan::Plan;
use crate::advice::Command;
use crate::diagnosis::retry::{Cause, Refusal};
use crate::error::Error;
use crate::exit::Code;
use crate::model::suspension::Suspension;
use crate::snapshot::Snapshot;
use crate::text::one_line;

/// The error of a refusal before anything was changed, with the next command.
pub(super) fn refused(snapshot: &Snapshot, args: &Args, refusal: Refusal) -> Error {
    worded(snapshot, args, refusal, "; nothing was changed")
}

/// The error of a refusal after the release was removed.
pub(super) fn interrupted(snapshot: &Snapshot, args: &Args, refusal: Refusal) -> Error {
    worded(snapshot, args, refusal, "")
}

fn worded(snapshot: &Snapshot, args: &Args, refusal: Refusal, end: &str) -> Error {
    let hr = snapshot.helm_release();
    let (namespace, name) = (&hr.metadata.namespace, &hr.metadata.name);
    let of = |verb: &str| {
        let command = Command::skvs([verb, name, "-n", namespace]);
        match verb {
            // It does not ask CouchDB.
            "resume" => command,
            _ => command.args(args.couchdb.words()),
        }
    };
    let because = |why: &str| {
        let text = format!("refused: {}{end}", one_line(why));
        Error::new(text).with_code(Code::Refused)
    };
    let report = || of("troubleshoot").after("see its report:");
    match refusal {
        Refusal::BeingDeleted => {
            because(&format!("helmrelease {name:?} is being deleted")).hint(report())
        }
        Refusal::Suspended => {
            let by =
                Suspension::from_release(hr).map_or(String::new(), |s| format!(" ({})", s.words()));
            because(&format!("helmrelease {name:?} is suspended{by}"))
                .hint(of("resume").after("Flux does nothing until it is resumed:"))
        }
        Refusal::Ready => because(&format!("helmrelease {name:?} is Ready")).hint(report()),
        Refusal::Deployed(what) => because(&format!(
            "{what}: a release that was ever deployed is not removed, and its database may exist"
        ))
        .hint(of("troubleshoot").after("what to do instead:")),
        Refusal::Unknown(what) => because(&what).hint(report()),
        Refusal::Underway(what) => {
            because(&what).hint(of("troubleshoot").args(["--wait"]).after("follow it:"))
        }
        Refusal::JobRuns => {
            because("the Job of the failed attempt is still running, and may create the database")
                .hint(of("troubleshoot").after("look again once it has ended:"))
        }
        Refusal::NotFixed(causes) => {
            let all = causes
                .iter()
                .map(|Cause { code, sentence, .. }| format!("{sentence} [{code}]"));
            let all = all.collect::<Vec<_>>().join("; ");
            let known = args
                .even_if
                .iter()
                .copied()
                .chain(causes.iter().map(|c| c.code));
            let excuses = known.flat_map(|code| ["--even-if", code]);
            because(&format!("not seen to be fixed: {all}"))
                .hint(of("troubleshoot").after("how to fix it:"))
                .hint(
                    of("retry")
                        .args(excuses)
                        .after("if it is fixed but this cannot be seen:"),
                )
        }
    }
}

/// The command that follows it.
pub(super) fn follow(plan: &Plan, args: &Args) -> Command {
    let (namespace, name) = plan.id();
    let troubleshoot = Command::skvs(["troubleshoot", name, "-n", namespace, "--wait"]);
    troubleshoot.args(args.couchdb.words())
}

/// The error of the read after the question.
pub(super) fn since_shown(error: Error) -> Error {
    match error.code() {
        Code::Refused => error.hint("this was different when the card was shown"),
        _ => error,
    }
}
