//! `databases -w`: the list, then a row for each database that has changed, until Ctrl-C.
//!
//! CouchDB and the claims are read whole each time: no watch covers both.

use crate::render::objects;

use super::{Args, Seen, look, messages, print, remember};
use crate::app::App;
use crate::cluster::Cluster;
use crate::cluster::reread;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::render::output::Output;
use crate::render::table::Table;
use crate::text::{Shown, shown};
use crate::view::databases::{Columns, Database};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Instant;

/// Lists, then follows.
pub(super) async fn run(
    app: &mut App,
    args: &Args,
    cluster: &Cluster,
    output: &Output,
) -> Result<Code> {
    if args.sort_by.is_some() {
        app.ui
            .warning("--watch requested, --sort-by will be ignored");
    }
    if matches!(output, Output::JsonPath(_) | Output::CustomColumns(_)) {
        return Err(Error::usage(
            "a watch prints table, wide, json, yaml or name",
        ));
    }
    crate::interrupt::watch(follow(app, args, cluster, output)).await
}

/// Reads again and again. The first read that fails ends it: a CouchDB that refuses the credentials is never asked twice.
async fn follow(app: &mut App, args: &Args, cluster: &Cluster, output: &Output) -> Result<Code> {
    let mut known = Known::default();
    let mut table = None;
    let mut troubles = None;
    loop {
        let started = Instant::now();
        let seen = look(cluster, args, output).await?;
        let took = started.elapsed();
        // Ages are counted from the moment of the row.
        app.now = k8s_openapi::jiff::Timestamp::now();
        let (changed, gone) = known.take(&seen);
        show(app, args, output, &mut table, &seen, &changed)?;
        for name in gone {
            app.ui
                .status(shown!("database \"{name}\" is not listed any more"));
        }
        remember(&seen, app, args, cluster);
        let now = (seen.ownership.gaps(), seen.doubts.clone());
        let is_first = troubles.is_none();
        if troubles.as_ref() != Some(&now) {
            troubles = Some(now);
            let told = messages::tell(app, args, output, &seen);
            if is_first && !seen.not_found.is_empty() {
                return told;
            }
        }
        app.ui.flush()?;
        reread::pause(took).await;
    }
}

/// Prints what has changed, the header once.
fn show(
    app: &mut App,
    args: &Args,
    output: &Output,
    table: &mut Option<(Columns, Table)>,
    seen: &Seen,
    changed: &[(&Database, Value)],
) -> Result<()> {
    if let Output::Table | Output::Wide = output {
        let (columns, table) =
            table.get_or_insert_with(|| print::table(app, args, output, &print::items(None, seen)));
        let rows = changed.iter().map(|(d, _)| columns.cells(None, d, app.now));
        let rows: Vec<Vec<String>> = rows.collect();
        table.write_page(&mut app.ui.screen(), &rows)?;
    }
    for (database, object) in changed {
        if let Output::Name = output {
            app.ui.result(Shown::line(&database.entry.name))?;
        }
        objects::changed(&mut app.ui, output, object)?;
    }
    app.ui.flush()
}

/// The objects as they were printed last.
#[derive(Default)]
struct Known(BTreeMap<String, Value>);

impl Known {
    /// Takes a whole list: what is new or has changed, and the names of what is not in it any more.
    fn take<'s>(&mut self, seen: &'s Seen) -> (Vec<(&'s Database, Value)>, Vec<String>) {
        let pod = print::pod(seen);
        let now = seen.shown.iter();
        let now = now.map(|database| (database, database.object(pod.as_deref())));
        self.changes(now)
    }

    fn changes<'s>(
        &mut self,
        now: impl Iterator<Item = (&'s Database, Value)>,
    ) -> (Vec<(&'s Database, Value)>, Vec<String>) {
        let mut before = std::mem::take(&mut self.0);
        let mut changed = Vec::new();
        for (database, mut object) in now {
            let name = database.entry.name.clone();
            // Which member answered is not news.
            let pod = object.as_object_mut().and_then(|o| o.remove("askedIn"));
            if before.remove(&name).as_ref() != Some(&object) {
                let mut printed = object.clone();
                if let (Some(pod), Some(fields)) = (pod, printed.as_object_mut()) {
                    fields.insert("askedIn".to_owned(), pod);
                }
                changed.push((database, printed));
            }
            self.0.insert(name, object);
        }
        (changed, before.into_keys().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::{Entry, State};
    use crate::snapshot::Read;
    use crate::snapshot::databases::Figures;

    fn database(name: &str, documents: u64) -> Database {
        let entry = Entry {
            name: name.to_owned(),
            state: State::Orphan,
            claimants: Vec::new(),
            settled: true,
            why: None,
        };
        let figures = Figures {
            documents,
            ..Figures::default()
        };
        Database {
            entry,
            figures: Read::Seen(figures),
        }
    }

    #[test]
    fn only_what_has_changed_is_printed_again() {
        let mut known = Known::default();
        let mut take = |all: &[Database], pod: &str| {
            let now = all.iter().map(|d| (d, d.object(Some(pod))));
            let (changed, gone) = known.changes(now);
            let changed: Vec<String> = changed
                .iter()
                .map(|(d, object)| format!("{} in {}", d.entry.name, object["askedIn"]))
                .collect();
            (changed, gone)
        };
        let all = [database("a_a", 1), database("a_b", 1), database("a_c", 1)];
        assert_eq!(take(&all, "n/p").0.len(), 3);
        assert_eq!(take(&all, "n/other"), (Vec::new(), Vec::new()));
        let all = [database("a_a", 1), database("a_b", 2)];
        assert_eq!(
            take(&all, "n/p"),
            (vec!["a_b in \"n/p\"".to_owned()], vec!["a_c".to_owned()])
        );
        let back = [database("a_a", 1), database("a_b", 2), database("a_c", 1)];
        assert_eq!(take(&back, "n/p").0, ["a_c in \"n/p\""]);
    }
}
