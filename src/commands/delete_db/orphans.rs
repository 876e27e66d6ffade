//! `--orphans`: the databases that nobody claims, as `databases --orphans` finds them. Each is planned and confirmed like one that was named.

use super::Args;
use crate::advice::Command;
use crate::app::App;
use crate::cluster::{Cluster, ownership};
use crate::couchdb::delete::execute::Interrupt;
use crate::couchdb::delete::refusal::Refusal;
use crate::couchdb::delete::risk::{Acceptance, Risk, RiskKind};
use crate::couchdb::figures::{self, Serving};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::model::inventory::{self, State};
use crate::model::names::DatabaseName;
use crate::question::confirmation::{Act, typed};
use crate::text::count;
use std::collections::BTreeMap;

/// What is there.
pub(super) struct Found {
    /// In the order of their names.
    pub(super) orphans: Vec<DatabaseName>,
    /// Databases that something claims.
    in_use: usize,
}

/// Finds them. A database whose owner is not known is left out, with a warning.
///
/// # Errors
/// What the cluster or CouchDB said.
pub(super) async fn find(app: &mut App, args: &Args, cluster: &Cluster) -> Result<Found> {
    let couchdb = async {
        let target = args.pods.container(cluster).await?;
        figures::open(cluster, &target).await
    };
    let (ownership, couchdb) = futures::join!(ownership::gather(cluster), couchdb);
    let (ownership, (mut reader, names)) = (ownership?, couchdb?);
    let found = inventory::join(&names, &ownership);
    let of = |state| found.iter().filter(move |entry| entry.state == state);
    let unknown = of(State::Unknown).count();
    if unknown > 0 {
        let what = count(unknown as u64, "database");
        let why = Command::skvs(["databases"]);
        app.ui.warning(why.after(format!(
            "whose {what} may be is not known, so it is not an orphan; why:"
        )));
    }
    let mentioned = of(State::Mentioned).count();
    if mentioned > 0 {
        let what = count(mentioned as u64, "database");
        let why = Command::skvs(["databases"]);
        app.ui.warning(why.after(format!(
            "{what} may be claimed after all and must be named to be deleted; why:"
        )));
    }
    let in_use = of(State::InUse).count() + of(State::Shared).count();
    let orphans: Vec<&str> = of(State::Orphan).map(|entry| entry.name.as_str()).collect();
    let told = figures::listed(&mut reader, &orphans).await;
    reader.close().await;
    let (orphans, doubtful) = served(told);
    if doubtful > 0 {
        let what = count(doubtful as u64, "database");
        let why = Command::skvs(["databases", "--orphans"]);
        app.ui.warning(why.after(format!(
            "CouchDB cannot serve {what} that nobody claims, or did not say that it is there, so it is not an orphan; why:"
        )));
    }
    if orphans.is_empty() {
        app.ui.status("No orphans found.");
    }
    Ok(Found { orphans, in_use })
}

/// Those that CouchDB serves, in the order of their names, and how many others may be there.
fn served(told: BTreeMap<String, Serving>) -> (Vec<DatabaseName>, usize) {
    let mut doubtful = 0;
    let mut served = Vec::new();
    for (name, serving) in told {
        match serving {
            Serving::Served(_) => served.extend(DatabaseName::parse(&name).ok()),
            Serving::Absent(_) => {}
            Serving::Unserved(_) | Serving::Unknown(_) | Serving::NotRead(_) => doubtful += 1,
        }
    }
    (served, doubtful)
}

/// Asks once more where there are more orphans than databases in use: that is how a cluster looks whose HelmReleases are not all
/// restored yet.
///
/// # Errors
/// It was neither accepted nor confirmed.
pub(super) async fn guard(
    app: &mut App,
    args: &Args,
    found: &Found,
    interrupt: Interrupt<'_>,
) -> Result<()> {
    let number = found.orphans.len();
    let accepted = args.plan.accept.contains(&RiskKind::ManyOrphans.into());
    if number <= found.in_use {
        if accepted {
            not_needed(app);
        }
        return Ok(());
    }
    let what = many(number, found.in_use);
    if accepted {
        app.ui.warning(what);
        return Ok(());
    }
    let terminal = app.ui.terminal();
    let asks = terminal.stdin && terminal.stderr && args.confirm.is_empty();
    let only_shows = args.is_rehearsal() && args.confirm.is_empty();
    if !(asks || only_shows) {
        let refusal = Refusal::Risk(Risk::new(RiskKind::ManyOrphans, what));
        let error = Error::new(format!("refused: {refusal}")).with_code(Code::Refused);
        return Err(match refusal.hint() {
            Some(hint) => error.hint(hint),
            None => error,
        });
    }
    app.ui.warning(what);
    if args.is_rehearsal() {
        return Ok(());
    }
    let question = "Type the number of databases to go on";
    let answer = typed(question, Act::Delete, interrupt).await?;
    check(number, &answer).map_err(|why| Act::Delete.not_confirmed(&why))
}

/// Tells that this acceptance had no use.
pub(super) fn not_needed(app: &mut App) {
    let name = Acceptance::from(RiskKind::ManyOrphans);
    let name = name.name();
    let line = format!("--accept {name} was not needed: nothing of this kind was found");
    app.ui.warning(line);
}

fn many(number: usize, in_use: usize) -> String {
    format!(
        "more databases are orphans ({number}) than are in use ({in_use}), as after a restore that was not complete"
    )
}

/// Whether the number was typed.
fn check(number: usize, answer: &str) -> Result<(), String> {
    match answer == number.to_string() {
        true => Ok(()),
        false => Err(format!("{answer:?} is not the number of databases")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::databases::Figures;

    #[test]
    fn an_orphan_is_served() {
        let told = [
            ("a_a", Serving::Served(Figures::default())),
            ("a_b", Serving::Unserved("500".to_owned())),
            ("a_c", Serving::Unknown("left out".to_owned())),
            ("a_d", Serving::NotRead("timeout".to_owned())),
        ];
        let told = told.map(|(name, serving)| (name.to_owned(), serving));
        let (orphans, doubtful) = served(told.into());
        assert_eq!((orphans.len(), doubtful), (1, 3));
        assert_eq!(orphans[0].as_str(), "a_a");
    }

    #[test]
    fn only_the_number_itself_goes_on() {
        assert_eq!(check(12, "12"), Ok(()));
        for answer in ["", "y", "1", "012", "12 ", "+12", "13"] {
            assert!(check(12, answer).is_err(), "{answer:?}");
        }
    }
}
