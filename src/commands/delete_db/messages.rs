//! The words of `delete-db`: why there is no plan, and how a deletion ended.

use super::Args;
use super::follow_up::again;
use super::targets::Ended;
use crate::advice::{Command, Hint};
use crate::app::App;
use crate::couchdb::Target;
use crate::couchdb::delete::outcome::Outcome;
use crate::couchdb::delete::plan::Member;
use crate::couchdb::delete::refusal::Refusal;
use crate::error::Error;
use crate::exit::Code;
use crate::model::names::DatabaseName;
use crate::question::confirmation::Act;
use crate::text::{Shown, age, near, shown};

/// Most refusals that are told one by one.
const TOLD: usize = 10;

/// kubectl's line, the only one on stdout.
fn done(name: &DatabaseName, namespace: &str) -> Shown {
    shown!("database \"{name}\" deleted from {namespace} namespace")
}

/// Tells all refusals but the last, which ends the run.
pub(super) fn refused(app: &mut App, mut refusals: Vec<Refusal>) -> Error {
    let more = refusals.len().saturating_sub(TOLD);
    refusals.truncate(TOLD);
    let mut errors = errors(&refusals);
    let last = errors.pop().unwrap_or_else(|| Error::silent(Code::Refused));
    errors.iter().for_each(|error| app.ui.error(error));
    if more > 0 {
        return last.hint(format!("{more} more reasons are not shown"));
    }
    last
}

/// Each refusal as an error; a hint that several have stands with the last of them only.
fn errors(refusals: &[Refusal]) -> Vec<Error> {
    let told = |(at, refusal): (usize, &Refusal)| {
        let error = Error::new(format!("refused: {refusal}")).with_code(Code::Refused);
        match refusal.hint() {
            Some(hint)
                if refusals[at + 1..]
                    .iter()
                    .all(|r| r.hint().as_ref() != Some(&hint)) =>
            {
                error.hint(hint)
            }
            _ => error,
        }
    };
    refusals.iter().enumerate().map(told).collect()
}

/// A database that is not there, or not there any more.
pub(super) fn not_found(
    name: &DatabaseName,
    target: &Target,
    members: &[(String, Member)],
    others: &[String],
) -> Error {
    let still: Vec<&str> = members
        .iter()
        .filter(|(_, m)| matches!(m, Member::Has(_)))
        .map(|(node, _)| node.as_str())
        .collect();
    if !still.is_empty() {
        return Error::new(format!(
            "database \"{name}\" is gone for CouchDB in {target}, and still there on {}",
            still.join(", ")
        ))
        .hint("a member that was away forgets it when it is back; look again in a minute");
    }
    let deleted = members
        .iter()
        .filter(|(_, m)| *m == Member::Deleted)
        .count();
    if deleted > 0 {
        return Error::new(format!(
            "database \"{name}\" is gone already: {deleted} of {} members of CouchDB in {target} say that it was deleted",
            members.len()
        ));
    }
    let error = Error::new(format!(
        "database \"{name}\" not found in CouchDB in {target}"
    ));
    let twice = format!("{}_", name.namespace());
    if let Some(short) = name.database().strip_prefix(&twice) {
        let meant = format!("{twice}{short}");
        if others.contains(&meant) {
            return error.hint(format!(
                "the namespace is in the name already: did you mean {meant}?"
            ));
        }
    }
    let near = near(name.as_str(), others.iter().map(String::as_str));
    if near.is_empty() {
        error.hint(Command::skvs(["databases", "--orphans"]).after("see:"))
    } else {
        error.hint(format!("did you mean {}?", near.join(", ")))
    }
}

/// Tells how it ended. stdout gets the one line only when the database was deleted.
pub(super) fn tell(
    app: &mut App,
    args: &Args,
    name: &DatabaseName,
    outcome: Outcome,
) -> Result<(), Ended> {
    let code = outcome.code();
    let again = again(args, name);
    match outcome {
        Outcome::Deleted {
            gone,
            of,
            unread,
            despite,
        } => {
            app.ui
                .result(done(name, &args.pods.place.couchdb_namespace))?;
            app.ui.flush()?;
            if let Some(why) = despite {
                app.ui.warning(format!(
                    "by its members' word alone, the DELETE itself did not say so: {why}"
                ));
            }
            if gone > 0 {
                app.ui
                    .status(shown!("Checked on {gone} of {of} members: gone."));
            }
            for line in unread {
                app.ui.warning(format!("not read back: {line}"));
            }
            Ok(())
        }
        Outcome::CameBack { created } => {
            let when = created.map_or_else(
                || "since".to_owned(),
                |c| format!("again, {}", age::date(c)),
            );
            Err(Ended::alone(Error::new(format!("database \"{name}\" was deleted and is there again, created {when}"))
                .with_code(code)
                .hint("a replication with create_target, a client or an onboarding creates it; end that first")))
        }
        Outcome::AlreadyGone => Err(Ended::alone(
            Error::new(format!(
                "database \"{name}\" was gone already when the DELETE arrived"
            ))
            .with_code(code),
        )),
        // Credentials that fail would fail for the next, until the account is locked; what changes, somebody changes now.
        Outcome::Refused(refusals) => Err(refused(app, refusals).into()),
        Outcome::Incomplete { why, seen, files } => {
            let hints = incomplete_hints(&files, again);
            let error = Error::new(format!(
                "database \"{name}\" is not deleted everywhere: {why}"
            ));
            app.ui.error(&error);
            tell_seen(app, &seen);
            hints.into_iter().for_each(|hint| app.ui.hint(hint));
            Err(Error::silent(code).into())
        }
        Outcome::Unknown {
            answered,
            why,
            seen,
        } => {
            let sent = if answered {
                "was sent"
            } else {
                "may have been sent"
            };
            let error = Error::new(format!(
                "the DELETE of database \"{name}\" {sent} and its outcome is not known: {why}"
            ));
            app.ui.error(&error);
            tell_seen(app, &seen);
            app.ui.hint(again.after("what became of it:"));
            Err(Error::silent(code).into())
        }
        Outcome::Interrupted => Err(Act::Delete.interrupted().into()),
    }
}

/// When a member still holds data. The files are named by the suffix of the database that was deleted: one that was created again
/// since has files of its own beside them.
fn incomplete_hints(files: &str, again: Command) -> [Hint; 2] {
    [
        again.after("when every member is back, look again:"),
        format!(
            "a member that was away forgets the name and keeps the files; once the database is gone on all of them, remove by hand from its data folder: {files}"
        )
        .into(),
    ]
}

fn tell_seen(app: &mut App, seen: &[String]) {
    for line in seen {
        app.ui.status(shown!("  {line}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::couchdb::response::ShardMap;
    use crate::model::ownership::{Claim, ClaimKind, Claimant};

    fn told(name: &str, members: &[Member], others: &[&str]) -> (String, Vec<String>) {
        let target = Target::example(5984);
        let members: Vec<(String, Member)> = members
            .iter()
            .enumerate()
            .map(|(i, m)| (format!("couchdb@db-{i}"), m.clone()))
            .collect();
        let others: Vec<String> = others.iter().map(|o| (*o).to_owned()).collect();
        let error = not_found(
            &DatabaseName::parse(name).unwrap(),
            &target,
            &members,
            &others,
        );
        assert_eq!(error.code(), Code::Failed);
        let hints = error.hints().iter().map(Hint::plain);
        (error.message().to_owned(), hints.collect())
    }

    #[test]
    fn a_database_that_is_not_there_is_told_apart_from_one_that_was() {
        let (message, hints) = told("pds_databas", &[Member::Never], &["pds_database"]);
        assert_eq!(
            message,
            "database \"pds_databas\" not found in CouchDB in secure-kvs/db-0 (container couchdb)"
        );
        assert_eq!(hints, ["did you mean pds_database?"]);
        let (message, _) = told(
            "pds_database",
            &[Member::Deleted, Member::Deleted, Member::Down],
            &[],
        );
        assert!(
            message.contains("is gone already: 2 of 3 members"),
            "{message}"
        );
        let map = ShardMap {
            rev: "1-a".into(),
            shard_suffix: vec![],
            by_node: Default::default(),
            conflicts: Vec::new(),
        };
        let (message, _) = told("pds_database", &[Member::Deleted, Member::Has(map)], &[]);
        assert!(
            message.ends_with("still there on couchdb@db-1"),
            "{message}"
        );
    }

    #[test]
    fn a_hint_that_several_refusals_have_is_told_once() {
        let claimed = |name: &str| {
            let claim = Claim {
                by: Claimant::HelmRelease {
                    id: format!("flux-system/{name}"),
                    suspended: false,
                    deployed: None,
                },
                kind: ClaimKind::Names,
                database: "pds_database".to_owned(),
            };
            Refusal::Claimed(Box::new(claim))
        };
        let member = Refusal::Member {
            member: "couchdb@db-0".to_owned(),
            why: "is down".to_owned(),
        };
        let errors = errors(&[claimed("a"), member, claimed("b")]);
        let hints: Vec<usize> = errors.iter().map(|e| e.hints().len()).collect();
        assert_eq!(hints, [0, 1, 1]);
        assert_eq!(
            errors[0].to_string(),
            "error: refused: HelmRelease flux-system/a still claims pds_database"
        );
        assert!(errors.iter().all(|e| e.code() == Code::Refused));
        assert!(
            errors[1].hints()[0]
                .plain()
                .starts_with("bring the member back")
        );
        assert!(
            errors[2].hints()[0]
                .plain()
                .starts_with("remove its manifest")
        );
    }

    #[test]
    fn the_files_of_a_later_database_are_not_named() {
        let files =
            "shards/*/pds_database.1709251200.couch .shards/*/pds_database.1709251200_design";
        let again = Command::skvs(["delete-db", "pds_database", "--dry-run"]);
        let [first, last] = incomplete_hints(files, again).map(|hint| hint.plain());
        assert!(first.ends_with("look again: kubectl skvs delete-db pds_database --dry-run"));
        assert!(last.ends_with(files) && !last.contains(".*."), "{last}");
    }

    #[test]
    fn a_name_with_its_namespace_twice_gets_a_hint_and_no_guess() {
        let (_, hints) = told("team_team_a", &[Member::Never], &["team_a", "team_b"]);
        assert_eq!(
            hints,
            ["the namespace is in the name already: did you mean team_a?"]
        );
    }
}
