//! What is told beside the databases, on stderr: who shares one, what could not be read, what was not found.

use super::{Args, NOT_SAVED, Seen};
use crate::advice::{Command, Hint, current_context};
use crate::app::App;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::model::inventory::State;
use crate::model::ownership::{Claimant, Gap};
use crate::render::output::Output;
use crate::snapshot::{Read, Why};
use crate::text::count;
use crate::view::databases::Database;
use crate::view::databases::served::Doubt;
use std::collections::BTreeMap;

/// Most reasons that are told one by one.
const TOLD: usize = 10;

/// Tells it, and how the run ended.
pub(super) fn tell(app: &mut App, args: &Args, output: &Output, seen: &Seen) -> Result<Code> {
    let mut code = beside(app, args, output, seen);
    for (name, near) in &seen.not_found {
        app.ui.error(&not_found(seen, name, near));
        code = Code::Failed;
    }
    match code {
        Code::Ok => Ok(Code::Ok),
        code => Err(Error::silent(code)),
    }
}

/// That a database which was asked for is not there, with the names that are near.
pub(super) fn not_found(seen: &Seen, name: &str, near: &[String]) -> Error {
    let error = Error::new(match &seen.target {
        Some(target) if !seen.ownership.gaps().is_empty() => format!(
            "database {name:?} not found in CouchDB in {target}; whether anything claims it is not known"
        ),
        Some(target) => format!(
            "database {name:?} not found: it is not in CouchDB in {target}, and no onboarding claims it"
        ),
        None => format!("database {name:?} not found: no onboarding in the files claims it"),
    });
    match near.is_empty() {
        true => error,
        false => error.hint(format!("did you mean {}?", near.join(", "))),
    }
}

/// Tells what concerns those that are there, and how the run ended but for the others.
pub(super) fn beside(app: &mut App, args: &Args, output: &Output, seen: &Seen) -> Code {
    let figures = figures(&seen.shown, &seen.doubts);
    for line in shared(&seen.shown).into_iter().chain(figures) {
        app.ui.warning(line);
    }
    let is_told = matches!(output, Output::Json | Output::Yaml | Output::JsonPath(_));
    if seen.shown.is_empty() && seen.not_found.is_empty() && !is_told {
        app.ui.status("No resources found");
        app.ui.hint(nothing(args, seen));
    }
    anywhere(app, seen);
    let mut code = match seen.target {
        Some(_) => gaps(app, seen),
        None => files(app, seen),
    };
    if !seen.doubts.is_empty() {
        doubts(app, seen);
        code = Code::Failed;
    }
    code
}

/// One line for each database that several claim.
fn shared(shown: &[Database]) -> Vec<String> {
    let entries = shown.iter().map(|d| &d.entry);
    entries
        .filter(|e| e.claimants.len() > 1)
        .map(|e| {
            let claimants = e.claimants.len() as u64;
            let plain = e.claimants.iter().map(|c| match c {
                Claimant::HelmRelease { id, .. } => Some(id.clone()),
                _ => None,
            });
            // In the words of list, where nothing but onboardings claims it.
            let (what, by) = match plain.collect::<Option<Vec<String>>>() {
                Some(ids) => ("onboarding", ids),
                None => ("object", e.claimants.iter().map(Claimant::words).collect()),
            };
            format!(
                "{} claim the database {}: {}",
                count(claimants, what),
                e.name,
                by.join(", ")
            )
        })
        .collect()
}

/// Says which databases CouchDB cannot serve, and which may or may not exist.
fn doubts(app: &mut App, seen: &Seen) {
    let namespace = seen.target.as_ref().map_or("", |t| t.namespace.as_str());
    for doubt in seen.doubts.iter().take(TOLD) {
        app.ui.error(&Error::new(sentence(doubt)));
    }
    if seen.doubts.len() > TOLD {
        let more = count((seen.doubts.len() - TOLD) as u64, "more database");
        app.ui
            .warning(format!("{more} in the same case, not shown"));
    }
    if seen.doubts.iter().any(|d| d.state == State::Unserved) {
        let pods = Command::new(["kubectl", "get", "pods", "-n", namespace]);
        let what =
            "members that hold it may be down or cut off; delete-db refuses what cannot be served:";
        app.ui.hint(pods.after(what));
    }
}

fn sentence(doubt: &Doubt) -> String {
    let Doubt { name, state, why } = doubt;
    match state {
        State::Unserved => format!("CouchDB has the database {name} and cannot serve it: {why}"),
        _ => format!("it is not known whether the database {name} exists: {why}"),
    }
}

/// One line for each reason why figures are not known, beside those of databases that have a line of their own.
fn figures(shown: &[Database], doubts: &[Doubt]) -> Vec<String> {
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    let own = |database: &&Database| doubts.iter().all(|d| d.name != database.entry.name);
    for database in shown.iter().filter(own) {
        match &database.figures {
            Read::Unknown(Why::NotAsked(_)) | Read::Seen(_) | Read::Absent => {}
            Read::Unknown(why) => *reasons.entry(why.clause()).or_default() += 1,
        }
    }
    reasons
        .into_iter()
        .map(|(why, n)| format!("figures of {} not read: {why}", count(n, "database")))
        .collect()
}

/// Why nothing is shown.
fn nothing(args: &Args, seen: &Seen) -> String {
    let Some(target) = &seen.target else {
        return "no onboarding in the files claims a database".to_owned();
    };
    let there = format!(
        "{} in CouchDB in {target}",
        count(seen.there.len() as u64, "database")
    );
    let Some(states) = args.states() else {
        return there;
    };
    let states: Vec<&str> = states.into_iter().map(State::word).collect();
    match seen.unknown {
        0 => format!(
            "{there}, none of those looked at is {}",
            states.join(" or ")
        ),
        n => format!("{there}; it is not known whose {n} of them are"),
    }
}

/// What files leave open: everything but the claims in them.
fn files(app: &mut App, seen: &Seen) -> Code {
    for gap in seen.ownership.gaps() {
        if !matches!(gap, Gap::Read(_)) {
            app.ui.warning(gap.to_string());
        }
    }
    app.ui.warning(format!(
        "{NOT_SAVED}: it is not known which of these databases exist, nor which others do"
    ));
    Code::Ok
}

/// What may be a claim of any database, each object once: the rows say it of every one that nobody claims.
fn anywhere(app: &mut App, seen: &Seen) {
    let all = seen.ownership.mentions_of_any();
    for mention in all.iter().take(TOLD) {
        app.ui.warning(&mention.what);
    }
    if all.len() > TOLD {
        let more = count((all.len() - TOLD) as u64, "more object");
        app.ui
            .warning(format!("{more} may be of any database, not shown"));
    }
}

/// What leaves open whose a database is: an error where it could not be read, a warning where it does not say.
fn gaps(app: &mut App, seen: &Seen) -> Code {
    let gaps = seen.ownership.gaps();
    let mut code = Code::Ok;
    for gap in gaps.iter().take(TOLD) {
        match gap {
            Gap::Read(_) => app.ui.error(&Error::new(gap.to_string())),
            Gap::NoHelmReleases | Gap::NoOnboardings { .. } => {
                app.ui.warning(gap.to_string());
            }
        }
    }
    if gaps.iter().any(|g| matches!(g, Gap::Read(_))) {
        code = Code::Failed;
    }
    if gaps.len() > TOLD {
        let more = count((gaps.len() - TOLD) as u64, "more reason");
        app.ui.warning(format!("{more} not shown"));
    }
    if let (true, Some(hint)) = (seen.unknown > 0, hint(&gaps, seen.unknown)) {
        app.ui.hint(hint);
    }
    code
}

/// What to do about databases of no known owner.
fn hint(gaps: &[Gap], unknown: usize) -> Option<Hint> {
    let last = gaps.last()?;
    let whose = format!(
        "so it is not known whose {} {}; delete-db refuses what may be claimed",
        count(unknown as u64, "database"),
        if unknown == 1 { "is" } else { "are" }
    );
    Some(match last {
        Gap::NoHelmReleases | Gap::NoOnboardings { .. } => {
            current_context().after(format!("{whose}; is this the right cluster?"))
        }
        Gap::Read(_) => whose.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::Entry;

    fn database(
        name: &str,
        claimants: &[Claimant],
        figures: Read<crate::snapshot::databases::Figures>,
    ) -> Database {
        Database {
            entry: Entry {
                name: name.to_owned(),
                state: State::Shared,
                claimants: claimants.to_vec(),
                settled: true,
                why: None,
            },
            figures,
        }
    }

    #[test]
    fn who_shares_a_database_is_told_in_the_words_of_list_where_they_fit() {
        let onboarding = |id: &str| Claimant::HelmRelease {
            id: id.to_owned(),
            suspended: false,
            deployed: None,
        };
        let object = Claimant::Object {
            kind: "CouchDBDatabase".to_owned(),
            id: "pds/database".to_owned(),
        };
        let shown = [
            database("a_b", &[onboarding("n/x"), onboarding("n/y")], Read::Absent),
            database("a_c", &[onboarding("n/x"), object], Read::Absent),
            database("a_d", &[onboarding("n/x")], Read::Absent),
        ];
        assert_eq!(
            shared(&shown),
            [
                "2 onboardings claim the database a_b: n/x, n/y",
                "2 objects claim the database a_c: HelmRelease n/x, CouchDBDatabase pds/database"
            ]
        );
    }

    #[test]
    fn figures_that_were_not_read_are_told_once_for_each_reason() {
        let shown = [
            database("a_b", &[], Read::failed("timeout")),
            database("a_c", &[], Read::failed("timeout")),
            database("a_d", &[], Read::failed("locked")),
            database("a_e", &[], Read::not_asked("names only")),
        ];
        let doubt = Doubt {
            name: "a_d".to_owned(),
            state: State::Unserved,
            why: "locked".to_owned(),
        };
        assert_eq!(
            figures(&shown, std::slice::from_ref(&doubt)),
            ["figures of 2 databases not read: timeout"]
        );
        assert_eq!(
            sentence(&doubt),
            "CouchDB has the database a_d and cannot serve it: locked"
        );
        assert_eq!(
            figures(&shown, &[]),
            [
                "figures of 1 database not read: locked",
                "figures of 2 databases not read: timeout"
            ]
        );
    }
}
