//! Two onboardings that claim one database: both can look Ready in Flux, and nothing else tells.

use crate::model::helm_release::HelmRelease;
use crate::text::count;
use crate::ui::Ui;
use std::collections::HashMap;

/// Which onboardings claim which database.
#[derive(Default)]
pub(super) struct Claims {
    by_database: HashMap<String, Vec<String>>,
    onboardings: usize,
}

impl Claims {
    /// Counts one onboarding, whether it is shown or not. The same one twice claims once.
    pub(super) fn add(&mut self, hr: &HelmRelease) {
        self.onboardings += 1;
        if let Some(database) = hr.claim().joined() {
            let ids = self.by_database.entry(database.to_owned()).or_default();
            let id = hr.id();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }

    /// Forgets the databases that none of these claims.
    pub(super) fn keep_those_of<'a>(&mut self, shown: impl Iterator<Item = &'a HelmRelease>) {
        let claims: Vec<_> = shown.map(HelmRelease::claim).collect();
        self.by_database
            .retain(|database, _| claims.iter().any(|c| c.joined() == Some(database)));
    }

    /// Onboardings counted.
    pub(super) fn len(&self) -> usize {
        self.onboardings
    }

    /// Whether another onboarding claims the same database, as far as they were counted.
    pub(super) fn is_shared(&self, hr: &HelmRelease) -> bool {
        let claim = hr.claim();
        claim
            .joined()
            .and_then(|d| self.by_database.get(d))
            .is_some_and(|ids| ids.len() > 1)
    }

    /// One warning for each database that is claimed more than once.
    pub(super) fn warn(&self, ui: &mut Ui) {
        for line in self.lines() {
            ui.warning(&line);
        }
    }

    fn lines(&self) -> Vec<String> {
        let mut shared: Vec<_> = self
            .by_database
            .iter()
            .filter(|(_, ids)| ids.len() > 1)
            .collect();
        shared.sort();
        shared
            .into_iter()
            .map(|(database, ids)| {
                // The namespace is told only where they are in different ones.
                let namespace = |id: &str| id.split('/').next().unwrap_or_default().to_owned();
                let one = ids.iter().all(|id| namespace(id) == namespace(&ids[0]));
                let names: Vec<&str> = ids
                    .iter()
                    .map(|id| {
                        if one {
                            id.rsplit('/').next().unwrap_or(id)
                        } else {
                            id
                        }
                    })
                    .collect();
                format!(
                    "{} claim the database {database}: {}",
                    count(ids.len() as u64, "onboarding"),
                    names.join(", ")
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_databases_claimed_twice_are_told() {
        let mut claims = Claims::default();
        for (namespace, name, values) in [
            (
                "flux-system",
                "b",
                json!({"namespace": "pds", "database": "database"}),
            ),
            (
                "flux-system",
                "a",
                json!({"namespace": "pds", "database": "database"}),
            ),
            (
                "flux-system",
                "c",
                json!({"namespace": "pds", "database": "other"}),
            ),
            ("flux-system", "d", json!({})),
            ("flux-system", "e", json!({})),
        ] {
            let object = json!({"metadata": {"name": name, "namespace": namespace}, "spec": {"values": values}});
            claims.add(&HelmRelease::from_value(&object).unwrap());
        }
        assert_eq!(
            claims.lines(),
            ["2 onboardings claim the database pds_database: b, a"]
        );
        assert_eq!(claims.len(), 5);
    }
}
