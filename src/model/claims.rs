//! Who claims which database, among some onboardings.
//!
//! An onboarding whose values were not read claims nothing that can be named, and is no proof that nothing is claimed: it
//! is an answer of its own.

use super::helm_release::HelmRelease;
use super::onboarding::Claim;
use std::collections::{BTreeMap, HashSet};

/// The claims of the onboardings that were added, by database.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    by_database: BTreeMap<String, Vec<String>>,
    unresolved: Vec<Unresolved>,
    known: HashSet<String>,
}

/// An onboarding that `valuesFrom` may give a database.
#[derive(Clone, Debug)]
struct Unresolved {
    id: String,
    inline: Inline,
}

/// What stands inline, which `valuesFrom` cannot change.
#[derive(Clone, Debug)]
struct Inline {
    namespace: Option<String>,
    database: Option<String>,
}

impl Inline {
    fn of(hr: &HelmRelease) -> Self {
        let values = hr.values();
        Self {
            namespace: values.namespace,
            database: values.database,
        }
    }

    fn may_become(&self, database: &str) -> bool {
        let starts = |n: &String| database.starts_with(&format!("{n}_"));
        let ends = |d: &String| database.ends_with(&format!("_{d}"));
        self.namespace.as_ref().is_none_or(starts) && self.database.as_ref().is_none_or(ends)
    }
}

/// Whether values that were not read could make `hr` claim `database`.
pub fn may_claim(hr: &HelmRelease, database: &str) -> bool {
    matches!(hr.claim(), Claim::Unresolved(_)) && Inline::of(hr).may_become(database)
}

impl Claims {
    /// The claims of these.
    pub fn of<'a>(all: impl IntoIterator<Item = &'a HelmRelease>) -> Self {
        let mut claims = Self::default();
        for hr in all {
            claims.add(hr);
        }
        claims
    }

    /// Adds one onboarding; the same one twice claims once.
    pub fn add(&mut self, hr: &HelmRelease) {
        let id = hr.id();
        if !self.known.insert(id.clone()) {
            return;
        }
        let claim = hr.claim();
        if let Some(database) = claim.joined() {
            let ids = self.by_database.entry(database.to_owned()).or_default();
            ids.push(id);
        } else if let Claim::Unresolved(_) = claim {
            let inline = Inline::of(hr);
            self.unresolved.push(Unresolved { id, inline });
        }
    }

    /// Onboardings added.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none was added.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The others that certainly claim the database of `hr`, as `namespace/name`.
    pub fn rivals(&self, hr: &HelmRelease) -> Vec<&str> {
        let id = hr.id();
        let claim = hr.claim();
        let ids = claim.joined().and_then(|d| self.by_database.get(d));
        let ids = ids.into_iter().flatten().map(String::as_str);
        ids.filter(|other| *other != id).collect()
    }

    /// The others that may claim the database of `hr`: their values were not read.
    pub fn perhaps_rivals(&self, hr: &HelmRelease) -> Vec<&str> {
        let id = hr.id();
        let claim = hr.claim();
        let Some(database) = claim.joined() else {
            return Vec::new();
        };
        self.unresolved
            .iter()
            .filter(|other| other.id != id && other.inline.may_become(database))
            .map(|other| other.id.as_str())
            .collect()
    }

    /// Whether another one certainly claims the database of `hr`.
    pub fn is_shared(&self, hr: &HelmRelease) -> bool {
        !self.rivals(hr).is_empty()
    }

    /// The databases that more than one claims, in their order, each with who claims it.
    pub fn shared(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.by_database
            .iter()
            .filter(|(_, ids)| ids.len() > 1)
            .map(|(database, ids)| (database.as_str(), ids.as_slice()))
    }

    /// Forgets all databases but these: those of the onboardings that are shown.
    pub fn keep(&mut self, databases: &HashSet<String>) {
        self.by_database
            .retain(|database, _| databases.contains(database));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn hr(name: &str, values: Value, from: Value) -> HelmRelease {
        HelmRelease::from_value(&json!({"metadata": {"name": name, "namespace": "n"},
            "spec": {"values": values, "valuesFrom": from}}))
        .unwrap()
    }

    fn inline(name: &str, database: &str) -> HelmRelease {
        hr(
            name,
            json!({"namespace": "pds", "database": database}),
            json!([]),
        )
    }

    fn unread(name: &str, values: Value) -> HelmRelease {
        hr(name, values, json!([{"kind": "Secret", "name": "s"}]))
    }

    #[test]
    fn what_was_not_read_is_neither_a_claim_nor_none() {
        let all = [
            inline("a", "x"),
            inline("b", "x"),
            inline("c", "y"),
            unread("any", json!({})),
            unread("pds", json!({"namespace": "pds"})),
            unread("other", json!({"namespace": "other"})),
            unread("y", json!({"database": "y"})),
            hr("none", json!({}), json!([])),
        ];
        let claims = Claims::of(all.iter().chain(&all[..1]));
        assert_eq!(claims.len(), 8);
        assert_eq!(claims.rivals(&all[0]), ["n/b"]);
        assert_eq!(claims.perhaps_rivals(&all[0]), ["n/any", "n/pds"]);
        assert!(!claims.is_shared(&all[2]));
        assert_eq!(claims.perhaps_rivals(&all[2]), ["n/any", "n/pds", "n/y"]);
        // What has no name shares none.
        assert!(!claims.is_shared(&all[3]) && claims.perhaps_rivals(&all[3]).is_empty());
        let shared: Vec<_> = claims.shared().collect();
        assert_eq!(
            shared,
            [("pds_x", &["n/a".to_owned(), "n/b".to_owned()][..])]
        );
        assert!(may_claim(&all[4], "pds_x") && !may_claim(&all[5], "pds_x"));
        // Inline values are settled, whatever valuesFrom holds.
        let settled = unread("s", json!({"namespace": "pds", "database": "x"}));
        assert!(!may_claim(&settled, "pds_x") && claims.is_shared(&settled));
    }

    #[test]
    fn only_what_the_shown_ones_claim_is_kept() {
        let all = [
            inline("a", "x"),
            inline("b", "x"),
            inline("c", "y"),
            inline("d", "y"),
        ];
        let mut claims = Claims::of(&all);
        let shown = all[0].claim().joined().map(str::to_owned);
        claims.keep(&shown.into_iter().collect());
        let kept: Vec<&str> = claims.shared().map(|(database, _)| database).collect();
        assert_eq!(kept, ["pds_x"]);
    }
}
