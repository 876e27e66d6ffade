//! A database of the shared CouchDB as a row and as an object: how it stands to the onboardings, and its figures.
//!
//! UPDATED is when the onboarding was last deployed, as its HelmRelease tells: CouchDB keeps no time of the last write, and a newer
//! update sequence does not say when. CREATED is CouchDB's own word; neither stands for the other.

pub(crate) mod served;

use super::description::API_VERSION;
use crate::model::inventory::Entry;
use crate::model::lookup::{can_be_short, short};
use crate::model::ownership::Claimant;
use crate::snapshot::Read;
use crate::snapshot::databases::Figures;
use crate::text::{age, size, thousands};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Kind of the objects.
pub const KIND: &str = "Database";

const NONE: &str = "<none>";
const UNKNOWN: &str = "<unknown>";

/// One database with what CouchDB tells of it.
#[derive(Clone, Debug)]
pub struct Database {
    pub entry: Entry,
    pub figures: Read<Figures>,
}

impl Database {
    /// When the last of its onboardings was deployed.
    fn updated(&self) -> Option<Timestamp> {
        let deployed = self.entry.claimants.iter().filter_map(Claimant::deployed);
        deployed.filter_map(|t| t.parse().ok()).max()
    }

    fn created(&self) -> Option<Timestamp> {
        // The figures' own columns say where they were not read.
        let created = self.figures.if_read()?.created?;
        Timestamp::from_second(created).ok()
    }

    /// What stands beside the state, in one line: who claims it in full, or why the state is so.
    fn note(&self) -> String {
        let by: Vec<String> = self.entry.claimants.iter().map(Claimant::words).collect();
        let parts = by.into_iter().chain(self.entry.why.clone());
        let note = parts.collect::<Vec<_>>().join("; ");
        if note.is_empty() {
            NONE.to_owned()
        } else {
            note
        }
    }

    /// The object of json, yaml, jsonpath and custom columns. `pod`: which one was asked, as `namespace/name`.
    pub fn object(&self, pod: Option<&str>) -> Value {
        let mut metadata = Map::new();
        metadata.insert("name".into(), self.entry.name.as_str().into());
        if let Some(created) = self.created() {
            metadata.insert("creationTimestamp".into(), created.to_string().into());
        }
        let claimants: Vec<Value> = self.entry.claimants.iter().map(claimant).collect();
        let mut object = json!({
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": metadata,
            "state": self.entry.state.word(),
            "claimedBy": claimants,
        });
        let mut set = |key: &str, value: Option<Value>| {
            if let (Some(value), Some(fields)) = (value, object.as_object_mut()) {
                fields.insert(key.to_owned(), value);
            }
        };
        set("askedIn", pod.map(Value::from));
        set("reason", self.entry.why.clone().map(Value::from));
        set(
            "onboardingUpdated",
            self.updated().map(|t| t.to_string().into()),
        );
        match &self.figures {
            Read::Seen(figures) => {
                set("documents", Some(figures.documents.into()));
                set("deletedDocuments", Some(figures.deleted.into()));
                set("bytes", Some(figures.bytes.into()));
                set("activeBytes", figures.active.map(Value::from));
            }
            Read::Unknown(why) => set("figuresNotRead", Some(why.clause().into())),
            Read::Absent => {}
        }
        object
    }
}

fn claimant(by: &Claimant) -> Value {
    match by {
        Claimant::HelmRelease { id, .. } => json!({"kind": "HelmRelease", "name": id}),
        Claimant::Revision {
            release,
            revision,
            stored,
            ..
        } => {
            let place = match stored.kind.as_str() {
                "ConfigMap" => "configMap",
                _ => "secret",
            };
            json!({"kind": "HelmRevision", "name": release, "revision": revision, place: stored.id()})
        }
        Claimant::Policy { object } => json!({"kind": object.kind, "name": object.id()}),
        Claimant::Object { kind, id } => json!({"kind": kind, "name": id}),
    }
}

/// Which columns a table has, and what of them is left out on a narrow terminal.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// CONTEXT first: several clusters are asked.
    pub context: bool,
    /// The columns of `-o wide`.
    pub wide: bool,
    /// Onboardings are named with their namespaces.
    pub namespaces: bool,
    /// Onboardings are named without the prefix that all of them share.
    pub short: bool,
    /// DOCS and SIZE: CouchDB was asked.
    pub figures: bool,
    /// CREATED.
    pub created: bool,
}

impl Columns {
    /// For these databases, nothing left out: namespaces are shown only where they differ.
    pub fn whole<'d>(wide: bool, all: impl IntoIterator<Item = &'d Database>) -> Self {
        let mut places: Vec<&str> = ids(all)
            .filter_map(|id| Some(id.split_once('/')?.0))
            .collect();
        places.sort_unstable();
        places.dedup();
        Self {
            context: false,
            wide,
            namespaces: places.len() > 1,
            short: false,
            figures: true,
            created: true,
        }
    }

    /// The same without what only CouchDB says.
    #[must_use]
    pub fn of_claims(self) -> Self {
        Self {
            figures: false,
            created: false,
            ..self
        }
    }

    /// The same with short names, where those are still told apart.
    #[must_use]
    pub fn shortened<'d>(self, all: impl IntoIterator<Item = &'d Database>) -> Self {
        Self {
            short: can_be_short(ids(all)),
            ..self
        }
    }

    /// The header cells.
    pub fn headers(self) -> Vec<&'static str> {
        let mut headers = Vec::new();
        if self.context {
            headers.push("CONTEXT");
        }
        headers.extend(["NAME", "ONBOARDING", "STATE"]);
        if self.figures {
            headers.extend(["DOCS", "SIZE"]);
        }
        if self.figures && self.wide {
            headers.extend(["DELETED", "ACTIVE"]);
        }
        if self.created {
            headers.push("CREATED");
        }
        if self.wide {
            headers.extend(["UPDATED", "WHY"]);
        }
        headers
    }

    /// Where STATE is among them.
    pub fn state(self) -> usize {
        2 + usize::from(self.context)
    }

    /// The cells of one database; `context`: where several clusters are asked.
    pub fn cells(self, context: Option<&str>, database: &Database, now: Timestamp) -> Vec<String> {
        let entry = &database.entry;
        let figure = |show: fn(&Figures) -> Option<String>| match &database.figures {
            Read::Seen(figures) => show(figures).unwrap_or_else(|| UNKNOWN.to_owned()),
            Read::Absent => NONE.to_owned(),
            Read::Unknown(_) => UNKNOWN.to_owned(),
        };
        let mut cells = Vec::with_capacity(12);
        if self.context {
            cells.push(context.unwrap_or_default().to_owned());
        }
        cells.extend([
            entry.name.clone(),
            self.onboarding(entry),
            entry.state.word().to_owned(),
        ]);
        if self.figures {
            cells.push(figure(|f| Some(thousands(f.documents))));
            cells.push(figure(|f| Some(size(f.bytes))));
        }
        if self.figures && self.wide {
            cells.push(figure(|f| Some(thousands(f.deleted))));
            cells.push(figure(|f| f.active.map(size)));
        }
        if self.created {
            cells.push(match &database.figures {
                Read::Absent => NONE.to_owned(),
                _ => age::age(database.created(), now),
            });
        }
        if self.wide {
            cells.push(match entry.claimants.is_empty() {
                true => onboarding_of_none(entry).to_owned(),
                false => age::age(database.updated(), now),
            });
            cells.push(database.note());
        }
        cells
    }

    /// The first that claims it, and how many more: one word, so that awk finds the columns behind it.
    fn onboarding(self, entry: &Entry) -> String {
        let Some(first) = entry.claimants.first() else {
            return onboarding_of_none(entry).to_owned();
        };
        let name = match first {
            Claimant::HelmRelease { id, .. } => self.helm_release(id),
            Claimant::Revision { release, .. } => format!("release/{release}"),
            Claimant::Policy { object } => format!("{}/{}", object.kind, object.id()),
            Claimant::Object { kind, id } => format!("{kind}/{id}"),
        };
        match entry.claimants.len() {
            1 => name,
            n => format!("{name}+{}", n - 1),
        }
    }

    fn helm_release(self, id: &str) -> String {
        let (namespace, name) = id.split_once('/').unwrap_or(("", id));
        let name = short(name).filter(|_| self.short).unwrap_or(name);
        match self.namespaces {
            true => format!("{namespace}/{name}"),
            false => name.to_owned(),
        }
    }
}

/// The HelmReleases that claim these databases, `namespace/name`.
fn ids<'d>(all: impl IntoIterator<Item = &'d Database>) -> impl Iterator<Item = &'d str> {
    let claimants = all.into_iter().flat_map(|d| &d.entry.claimants);
    claimants.filter_map(|c| match c {
        Claimant::HelmRelease { id, .. } => Some(id.as_str()),
        Claimant::Revision { .. } | Claimant::Policy { .. } | Claimant::Object { .. } => None,
    })
}

/// What is told of the onboarding where none is seen.
fn onboarding_of_none(entry: &Entry) -> &'static str {
    match entry.settled {
        true => NONE,
        false => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::State;

    fn helm_release(id: &str, deployed: Option<&str>) -> Claimant {
        Claimant::HelmRelease {
            id: id.into(),
            suspended: false,
            deployed: deployed.map(str::to_owned),
        }
    }

    fn database(
        name: &str,
        state: State,
        claimants: &[Claimant],
        figures: Read<Figures>,
    ) -> Database {
        let why = (state == State::Unknown)
            .then(|| "Helm's Secrets could not be read: forbidden".to_owned());
        Database {
            entry: Entry {
                name: name.into(),
                state,
                claimants: claimants.to_vec(),
                settled: state != State::Unknown,
                why,
            },
            figures,
        }
    }

    fn figures() -> Figures {
        Figures {
            documents: 1_204_311,
            deleted: 17,
            bytes: 3_100_000_000,
            active: Some(2_000_000),
            created: Some(1_709_251_200),
        }
    }

    const SHARDS: &str = "CouchDB answered 500 internal_server_error No DB shards could be opened.";

    fn all() -> Vec<Database> {
        let one = helm_release(
            "flux-system/skvs-onboarding-pds--database",
            Some("2026-11-20T12:00:00Z"),
        );
        let two = helm_release("flux-system/b", None);
        let kept = Claimant::Revision {
            release: "core/core-x".into(),
            revision: 3,
            stored: crate::model::ownership::Object {
                kind: "Secret".into(),
                namespace: "flux-system".into(),
                name: "sh.helm.release.v1.core-x.v3".into(),
                resource_version: "1".into(),
                generation: None,
            },
            helm: ("flux-system".into(), "core-x".into()),
            driver: crate::model::ownership::Driver::Secret,
            managed: false,
            lost_labels: Vec::new(),
            deployed: Some("2026-11-22T12:00:00Z".into()),
        };
        let no_epoch = Figures {
            created: None,
            active: None,
            ..figures()
        };
        vec![
            database(
                "pds_database",
                State::InUse,
                std::slice::from_ref(&one),
                Read::Seen(figures()),
            ),
            database(
                "papa_ledger",
                State::Shared,
                &[one, two],
                Read::Seen(no_epoch),
            ),
            database(
                "kilo_orders",
                State::Missing,
                &[helm_release("flux-system/k", None)],
                Read::Absent,
            ),
            database("old_db", State::InUse, &[kept], Read::failed("timeout")),
            database("orphan_db", State::Orphan, &[], Read::Seen(figures())),
            database("open_db", State::Unknown, &[], Read::Seen(figures())),
            Database {
                entry: database("cut_db", State::Orphan, &[], Read::Absent)
                    .entry
                    .unserved(SHARDS),
                figures: Read::failed(SHARDS),
            },
        ]
    }

    fn table(wide: bool) -> String {
        let all = all();
        let columns = Columns::whole(wide, &all);
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let rows: Vec<Vec<String>> = all.iter().map(|d| columns.cells(None, d, now)).collect();
        let lines = crate::render::table::Table::new(columns.headers()).page(&rows);
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn rows_tell_none_from_unknown() {
        insta::assert_snapshot!(table(false), @r"
        NAME           ONBOARDING                        STATE      DOCS        SIZE        CREATED
        pds_database   skvs-onboarding-pds--database     in-use     1,204,311   3.1GB       2y268d
        papa_ledger    skvs-onboarding-pds--database+1   shared     1,204,311   3.1GB       <unknown>
        kilo_orders    k                                 missing    <none>      <none>      <none>
        old_db         release/core/core-x               in-use     <unknown>   <unknown>   <unknown>
        orphan_db      <none>                            orphan     1,204,311   3.1GB       2y268d
        open_db        <unknown>                         unknown    1,204,311   3.1GB       2y268d
        cut_db         <none>                            unserved   <unknown>   <unknown>   <unknown>
        ");
        insta::assert_snapshot!(table(true), @r"
        NAME           ONBOARDING                        STATE      DOCS        SIZE        DELETED     ACTIVE      CREATED     UPDATED     WHY
        pds_database   skvs-onboarding-pds--database     in-use     1,204,311   3.1GB       17          2.0MB       2y268d      4d          HelmRelease flux-system/skvs-onboarding-pds--database
        papa_ledger    skvs-onboarding-pds--database+1   shared     1,204,311   3.1GB       17          <unknown>   <unknown>   4d          HelmRelease flux-system/skvs-onboarding-pds--database; HelmRelease flux-system/b
        kilo_orders    k                                 missing    <none>      <none>      <none>      <none>      <none>      <unknown>   HelmRelease flux-system/k
        old_db         release/core/core-x               in-use     <unknown>   <unknown>   <unknown>   <unknown>   <unknown>   2d          revision 3 of Helm release core/core-x (Secret flux-system/sh.helm.release.v1.core-x.v3)
        orphan_db      <none>                            orphan     1,204,311   3.1GB       17          2.0MB       2y268d      <none>      <none>
        open_db        <unknown>                         unknown    1,204,311   3.1GB       17          2.0MB       2y268d      <unknown>   Helm's Secrets could not be read: forbidden
        cut_db         <none>                            unserved   <unknown>   <unknown>   <unknown>   <unknown>   <unknown>   <none>      CouchDB answered 500 internal_server_error No DB shards could be opened.
        ");
    }

    #[test]
    fn objects_hold_what_rows_shorten() {
        let objects: Vec<Value> = all()
            .iter()
            .map(|d| d.object(Some("secure-kvs/db-0")))
            .collect();
        insta::assert_snapshot!(serde_json::to_string_pretty(&objects[0]).unwrap(), @r#"
        {
          "activeBytes": 2000000,
          "apiVersion": "skvs.kubectl.io/v1alpha1",
          "askedIn": "secure-kvs/db-0",
          "bytes": 3100000000,
          "claimedBy": [
            {
              "kind": "HelmRelease",
              "name": "flux-system/skvs-onboarding-pds--database"
            }
          ],
          "deletedDocuments": 17,
          "documents": 1204311,
          "kind": "Database",
          "metadata": {
            "creationTimestamp": "2024-03-01T00:00:00Z",
            "name": "pds_database"
          },
          "onboardingUpdated": "2026-11-20T12:00:00Z",
          "state": "in-use"
        }
        "#);
        assert_eq!(
            objects[1]["claimedBy"][1],
            json!({"kind": "HelmRelease", "name": "flux-system/b"})
        );
        assert_eq!(objects[3]["figuresNotRead"], "timeout");
        assert!(objects[2].get("documents").is_none() && objects[3].get("documents").is_none());
        assert_eq!(
            (
                &objects[6]["state"],
                &objects[6]["reason"],
                &objects[6]["figuresNotRead"]
            ),
            (&json!("unserved"), &json!(SHARDS), &json!(SHARDS))
        );
        assert_eq!(
            objects[5]["reason"],
            "Helm's Secrets could not be read: forbidden"
        );
    }

    #[test]
    fn namespaces_are_told_where_they_differ() {
        let mut all = all();
        assert!(!Columns::whole(false, &all).namespaces);
        all.push(database(
            "x_y",
            State::InUse,
            &[helm_release("team/x", None)],
            Read::Absent,
        ));
        let columns = Columns::whole(false, &all);
        let several = Columns {
            context: true,
            ..columns
        };
        let cells = several.cells(Some("prod"), &all[0], Timestamp::UNIX_EPOCH);
        assert_eq!((&*cells[0], cells.len()), ("prod", several.headers().len()));
        assert_eq!(several.headers()[several.state()], "STATE");
        assert_eq!(
            columns.onboarding(&all[1].entry),
            "flux-system/skvs-onboarding-pds--database+1"
        );
        let short = columns.shortened(&all);
        assert_eq!(
            short.onboarding(&all[1].entry),
            "flux-system/pds--database+1"
        );
        all.push(database(
            "x_z",
            State::InUse,
            &[helm_release("flux-system/pds--database", None)],
            Read::Absent,
        ));
        assert!(!columns.shortened(&all).short, "two would read alike");
    }
}
