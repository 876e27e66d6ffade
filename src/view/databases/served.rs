//! What CouchDB says of each database, joined with whose it is.

use super::Database;
use crate::couchdb::figures::Serving;
use crate::model::inventory::{self, Entry, State};
use crate::model::ownership::Ownership;
use crate::snapshot::Read;
use std::collections::BTreeMap;

/// What CouchDB says, by database.
pub(crate) type Told = BTreeMap<String, Serving>;

/// A database that CouchDB gives no figures for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Doubt {
    pub(crate) name: String,
    pub(crate) state: State,
    pub(crate) why: String,
}

/// Each with what CouchDB says of it, and those that it gives no figures of. Only the answer to a database's own GET makes it missing.
/// `strictly`: without its figures one is not known to be there.
pub(crate) fn shown(
    listed: Vec<Entry>,
    mut told: Told,
    ownership: &Ownership,
    strictly: bool,
) -> (Vec<Database>, Vec<Doubt>) {
    let mut shown = Vec::new();
    let mut doubts = Vec::new();
    for entry in listed {
        let is_there = entry.is_there();
        let present = |entry: Entry| match is_there {
            true => entry,
            false => inventory::listed(&entry.name, ownership),
        };
        let mut doubt = |entry: Entry, why: String| {
            doubts.push(Doubt {
                name: entry.name.clone(),
                state: entry.state,
                why: why.clone(),
            });
            (Some(entry), Read::failed(why))
        };
        let (entry, figures) = match told.remove(&entry.name) {
            Some(Serving::Served(figures)) => (Some(present(entry)), Read::Seen(figures)),
            Some(Serving::Absent(_)) if is_there => (entry.gone(ownership), Read::Absent),
            Some(Serving::Absent(_)) => (Some(entry), Read::Absent),
            Some(Serving::Unserved(why)) => doubt(present(entry).unserved(&why), why),
            Some(Serving::Unknown(why)) => doubt(entry.doubtful(&why), why),
            Some(Serving::NotRead(why)) if strictly || !is_there => {
                doubt(entry.doubtful(&why), why)
            }
            Some(Serving::NotRead(why)) => (Some(entry), Read::failed(why)),
            None if is_there => {
                let why = "the format shows names only";
                (Some(entry), Read::not_asked(why))
            }
            None => (Some(entry), Read::Absent),
        };
        shown.extend(entry.map(|entry| Database { entry, figures }));
    }
    (shown, doubts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_couchdb_cannot_serve_is_neither_missing_nor_an_orphan() {
        use crate::model::ownership::tests::Objects;
        use serde_json::json;
        let claim = json!({
            "metadata": {"name": "x", "namespace": "flux-system", "labels": {"app.kubernetes.io/part-of": "secure-kvs-onboarding"}},
            "spec": {"values": {"namespace": "pds", "database": "database"}},
        });
        let ownership = Objects::of(&[claim]).ownership();
        let why = || "CouchDB answered 500 nodedown progress not possible".to_owned();
        let state = |listed: &[&str], name: &str, serving: Serving, strictly: bool| {
            let listed = listed.iter().map(|n| (*n).to_owned()).collect();
            let mut entries = inventory::join(&listed, &ownership);
            entries.retain(|e| e.name == name);
            let told = [(name.to_owned(), serving)].into();
            let (shown, doubts) = shown(entries, told, &ownership, strictly);
            let shown: Vec<State> = shown.iter().map(|d| d.entry.state).collect();
            (shown, doubts.len())
        };
        let (unserved, unknown) = (|| Serving::Unserved(why()), || Serving::Unknown(why()));
        for strictly in [false, true] {
            for listed in [&["pds_database", "orphan_db"][..], &["orphan_db"]] {
                for name in ["pds_database", "orphan_db"] {
                    let state = |serving| state(listed, name, serving, strictly);
                    assert_eq!(state(unserved()), (vec![State::Unserved], 1), "{name}");
                    assert_eq!(state(unknown()), (vec![State::Unknown], 1), "{name}");
                }
            }
        }
        // A list of orphans holds those that were seen to be there, and what is claimed and was not seen is not missing.
        let not_read = || Serving::NotRead(why());
        let both = &["pds_database", "orphan_db"][..];
        assert_eq!(
            state(both, "orphan_db", not_read(), false),
            (vec![State::Orphan], 0)
        );
        assert_eq!(
            state(both, "orphan_db", not_read(), true),
            (vec![State::Unknown], 1)
        );
        assert_eq!(
            state(&[], "pds_database", not_read(), false),
            (vec![State::Unknown], 1)
        );
        // One that was created since the list was read.
        let served = Serving::Served(crate::snapshot::databases::Figures::default());
        assert_eq!(
            state(&[], "pds_database", served, false),
            (vec![State::InUse], 0)
        );
    }
}
