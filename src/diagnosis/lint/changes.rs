//! Matches manifests of an earlier state with present ones: within a cluster by object, else by file, else by database; the rest by object
//! and database alone, for paths that do not name the cluster.

use super::onboarding::{Cluster, Onboarding};
use super::repository::Repository;
use crate::repository::tree::is_below;
use crate::repository::{Manifest, NotKnown};
use std::collections::HashMap;
use std::hash::Hash;

/// The onboardings of an earlier state beside those of now.
pub struct Changes<'a> {
    /// By the manifest of now: what it was.
    before: HashMap<*const Manifest, &'a Onboarding<'a>>,
    /// Those that are gone.
    pub removed: Vec<&'a Onboarding<'a>>,
    /// The earlier state.
    base: &'a Repository<'a>,
}

impl<'a> Changes<'a> {
    /// What this onboarding was; `None` for a new one.
    pub fn before(&self, onboarding: &Onboarding<'_>) -> Option<&'a Onboarding<'a>> {
        let manifest = std::ptr::from_ref(onboarding.manifest);
        self.before.get(&manifest).copied()
    }

    /// The cluster that applied this onboarding, if its file is now outside every cluster's folder.
    pub fn left(&self, onboarding: &Onboarding<'_>) -> Option<&'a str> {
        match (self.before(onboarding)?.cluster, onboarding.cluster) {
            (Cluster::Named(cluster), Cluster::Folder(_)) => Some(cluster),
            _ => None,
        }
    }

    /// Unknown parts of the earlier state. Any of them may have held a manifest that seems to be new.
    pub fn not_known(&self) -> &'a [NotKnown] {
        &self.base.tree.not_known
    }
}

/// The object, whatever its cluster.
fn id(onboarding: &Onboarding<'_>) -> String {
    let (namespace, name) = onboarding.id();
    format!("{namespace}/{name}")
}

/// How sure two manifests are one, from the surest.
type Key<'a> = fn(&Onboarding<'a>) -> Option<(Cluster<'a>, String)>;

/// Compares two states.
pub(super) fn between<'a>(base: &'a Repository<'a>, now: &Repository<'a>) -> Changes<'a> {
    let mut before: Vec<Option<&'a Onboarding<'a>>> = vec![None; now.onboardings.len()];
    let mut left: Vec<&'a Onboarding<'a>> = base.onboardings.iter().collect();
    let keys: [(Key<'a>, bool); 5] = [
        (|o| Some((o.cluster, id(o))), true),
        (|o| Some((o.cluster, o.manifest.file.clone())), true),
        (|o| Some((o.cluster, o.names().ok()??.joined())), true),
        (|o| Some((Cluster::Folder(""), id(o))), false),
        (
            |o| Some((Cluster::Folder(""), o.names().ok()??.joined())),
            false,
        ),
    ];
    for (key, in_cluster) in keys {
        let of_now = now.onboardings.iter().enumerate();
        let of_now = of_now.filter(|(at, _)| before[*at].is_none());
        let of_now = only(of_now.filter_map(|(at, o)| Some((key(o)?, at))));
        let of_base = only(
            left.iter()
                .enumerate()
                .filter_map(|(at, o)| Some((key(o)?, at))),
        );
        let mut gone = Vec::new();
        for (key, at) in of_base {
            if let Some(is) = of_now.get(&key)
                && (in_cluster
                    || now.onboardings[*is].cluster.is_same(left[at].cluster) != Some(false))
            {
                before[*is] = Some(left[at]);
                gone.push(at);
            }
        }
        gone.sort_unstable();
        for at in gone.into_iter().rev() {
            left.remove(at);
        }
    }
    // Of a file that is not known it is not known either what is gone from it.
    let is_known = |o: &&Onboarding<'_>| {
        let not_known = &now.tree.not_known;
        !not_known
            .iter()
            .any(|n| is_below(&o.manifest.file, &n.file))
    };
    left.retain(is_known);
    let of_now = now.onboardings.iter().zip(before);
    let before = of_now.filter_map(|(o, was)| Some((std::ptr::from_ref(o.manifest), was?)));
    Changes {
        before: before.collect(),
        removed: left,
        base,
    }
}

/// What has its key for itself.
fn only<K: Eq + Hash, V>(all: impl Iterator<Item = (K, V)>) -> HashMap<K, V> {
    let mut found: HashMap<K, Option<V>> = HashMap::new();
    for (key, value) in all {
        found
            .entry(key)
            .and_modify(|v| *v = None)
            .or_insert(Some(value));
    }
    found
        .into_iter()
        .filter_map(|(k, v)| Some((k, v?)))
        .collect()
}
