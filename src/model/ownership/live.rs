//! The HelmReleases of a cluster: which databases their specs name, and which of them may name one that was not read.

use super::object::Object;
use super::storage::Key;
use super::words::{How, Words, loose, merged};
use crate::model::helm_release::{HelmRelease, ONBOARDING_SELECTOR, ValuesFrom};
use crate::model::onboarding::Claim;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// Names of charts that may be the onboarding chart under another name.
const LIKE_ONBOARDING: [&str; 3] = ["skvs", "secure-kvs", "onboarding"];

/// One HelmRelease.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) object: Object,
    /// Labelled as an onboarding, or of its chart.
    pub(super) onboarding: bool,
    /// Its release is on another cluster.
    pub(super) remote: bool,
    pub(super) suspended: bool,
    /// RFC 3339: when Helm last deployed it, as far as its status says.
    pub(super) deployed: Option<String>,
    /// Its release in Helm's storage.
    pub(super) key: Key,
    /// The joined name of the runbook's two values.
    pub(super) joined: Option<String>,
    /// Two values of it make a name.
    pub(super) names: bool,
    /// Why it may name a database that nothing here says.
    pub(super) open: Option<Open>,
    values_from: Vec<ValuesFrom>,
}

/// A HelmRelease that may name any database.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) why: String,
    /// Values of it were not read; of others it is the chart that may bring them.
    unread: bool,
    /// Values that `valuesFrom` cannot change.
    inline: Inline,
}

/// The runbook's values, as far as they are inline: of the onboarding chart they decide the name.
#[derive(Clone, Debug, Default)]
struct Inline {
    namespace: Option<String>,
    database: Option<String>,
}

impl Inline {
    fn may_become(&self, name: &str) -> bool {
        let starts = |n: &String| name.starts_with(&format!("{}_", loose(n)));
        let ends = |d: &String| name.ends_with(&format!("_{}", loose(d)));
        self.namespace.as_ref().is_none_or(starts) && self.database.as_ref().is_none_or(ends)
    }
}

impl Open {
    /// Whether it may be this name, in its loose form.
    pub(super) fn may_be(&self, name: &str) -> bool {
        self.inline.may_become(name)
    }
}

impl Live {
    /// What its `valuesFrom` names, where that is what keeps it open.
    pub(super) fn reference(&self) -> Option<Reference> {
        let unread = self.open.as_ref().is_some_and(|open| open.unread);
        (unread && !self.values_from.is_empty()).then(|| Reference {
            namespace: self.object.namespace.clone(),
            name: self.object.name.clone(),
            from: self.values_from.clone(),
        })
    }
}

/// A HelmRelease that cannot be read.
#[derive(Clone, Debug)]
pub(super) struct Unreadable {
    pub(super) object: Object,
    pub(super) why: String,
}

/// The `valuesFrom` of a HelmRelease, which may say what it names.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Of the HelmRelease, and so of the objects that it refers to.
    pub namespace: String,
    /// Of the HelmRelease.
    pub name: String,
    pub from: Vec<ValuesFrom>,
}

/// The contents of all that a HelmRelease's `valuesFrom` names.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The references as they were when their contents were read.
    pub from: Vec<ValuesFrom>,
    /// In their order.
    pub values: Vec<Value>,
}

/// The HelmReleases that were read.
#[derive(Clone, Debug, Default)]
pub struct HelmReleases {
    pub(super) all: Vec<Live>,
    pub(super) unreadable: Vec<Unreadable>,
    /// Unreadable ones that still claim by what can be read.
    twice: usize,
    by_name: HashMap<String, Vec<(usize, How)>>,
    by_key: HashMap<Key, Vec<usize>>,
    known: HashSet<String>,
}

impl HelmReleases {
    /// Adds one HelmRelease as the API server sent it: every word of its spec counts. `resolved`: the contents of what its
    /// `valuesFrom` named, if all of it was read.
    pub fn add(&mut self, object: &Value, resolved: Option<&Resolved>) {
        let mut words = Words::default();
        words.document(object.get("spec").unwrap_or(&Value::Null));
        match HelmRelease::from_value(object) {
            Err(error) => {
                self.unreadable.push(Unreadable {
                    object: Object::of_kind("HelmRelease", object),
                    why: error.to_string(),
                });
                // What can be read of it claims all the same.
                let values = object.pointer("/spec/values");
                let core = json!({"metadata": object.get("metadata"), "spec": {"values": values}});
                if let Ok(hr) = HelmRelease::from_value(&core) {
                    let onboarding = is_labelled(&hr);
                    let before = self.all.len();
                    self.insert(&hr, words, onboarding, false);
                    self.twice += self.all.len() - before;
                }
            }
            Ok(hr) => {
                // Contents of other references than today's say nothing.
                let resolved = resolved.filter(|r| r.from == hr.spec.values_from);
                if let Some(Resolved { values, .. }) = resolved {
                    // As Flux merges them: each over the one before, the inline ones over all.
                    let below = values
                        .iter()
                        .fold(Value::Null, |all, one| merged(&all, one));
                    words.document(&merged(&below, &hr.spec.values));
                }
                let onboarding = is_labelled(&hr) || hr.installs_onboarding_chart();
                self.insert(&hr, words, onboarding, resolved.is_some());
            }
        }
    }

    /// Adds one that a list of onboardings holds, by its values alone. The same one twice claims once.
    pub fn add_onboarding(&mut self, hr: &HelmRelease) {
        let mut words = Words::default();
        words.document(&hr.spec.values);
        words.document(&hr.spec.post_renderers);
        self.insert(hr, words, true, false);
    }

    /// The onboardings among these.
    pub fn of_onboardings<'a>(all: impl IntoIterator<Item = &'a HelmRelease>) -> Self {
        let mut these = Self::default();
        all.into_iter().for_each(|hr| these.add_onboarding(hr));
        these
    }

    fn insert(&mut self, hr: &HelmRelease, mut words: Words, onboarding: bool, resolved: bool) {
        if !self.known.insert(hr.id()) {
            return;
        }
        let at = self.all.len();
        let claim = hr.claim();
        if let Some(joined) = claim.joined() {
            words.add(joined, How::Values);
        }
        for (name, how) in words.iter() {
            self.by_name
                .entry(name.to_owned())
                .or_default()
                .push((at, how));
        }
        let key = Key::expected_of(hr);
        self.by_key.entry(key.clone()).or_default().push(at);
        self.all.push(Live {
            object: Object {
                kind: "HelmRelease".to_owned(),
                namespace: hr.metadata.namespace.clone(),
                name: hr.metadata.name.clone(),
                resource_version: hr.metadata.resource_version.clone(),
                generation: hr.generation(),
            },
            onboarding,
            remote: hr.is_remote(),
            suspended: hr.spec.suspend,
            deployed: hr.latest().and_then(|h| h.last_deployed.clone()),
            key,
            joined: claim.joined().map(str::to_owned),
            values_from: hr.spec.values_from.clone(),
            names: words.has_pair(),
            // Of an onboarding whose values were not all read, any pair may be of something else.
            open: (!words.has_pair()
                || (onboarding
                    && matches!(&claim, Claim::Unresolved(from) if from.is_empty() || !resolved)))
            .then(|| open(hr, onboarding, resolved))
            .flatten(),
        });
    }

    /// HelmReleases that were read, readable or not.
    pub fn len(&self) -> usize {
        self.all.len() + self.unreadable.len() - self.twice
    }

    /// Whether none was read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every one, `namespace/name`.
    pub(super) fn ids(&self) -> impl Iterator<Item = String> {
        let readable = self.all.iter().map(|live| &live.object);
        let all = readable.chain(self.unreadable.iter().map(|u| &u.object));
        all.map(Object::id)
    }

    /// Those that name this database, in its loose form.
    pub(super) fn says(&self, name: &str) -> impl Iterator<Item = (&Live, How)> {
        let all = self.by_name.get(name).into_iter().flatten();
        all.map(|(at, how)| (&self.all[*at], *how))
    }

    /// The HelmReleases of a release in Helm's storage.
    pub(super) fn of_release(&self, key: &Key) -> impl Iterator<Item = &Live> {
        let all = self.by_key.get(key).into_iter().flatten();
        all.map(|at| &self.all[*at])
    }

    /// The other onboardings that certainly name the database of `hr`, as `namespace/name`.
    pub fn rivals(&self, hr: &HelmRelease) -> Vec<String> {
        let (id, claim) = (hr.id(), hr.claim());
        let Some(name) = claim.joined() else {
            return Vec::new();
        };
        let name = loose(name);
        let others = self.says(&name).filter(|(live, _)| live.onboarding);
        let others = others.map(|(live, _)| live.object.id());
        others.filter(|other| *other != id).collect()
    }

    /// The others that may name the database of `hr`: not all of their values were read.
    pub fn perhaps_rivals(&self, hr: &HelmRelease) -> Vec<String> {
        let (id, claim) = (hr.id(), hr.claim());
        let Some(name) = claim.joined().map(loose) else {
            return Vec::new();
        };
        let may = |live: &&Live| {
            let open = live.open.as_ref();
            open.is_some_and(|open| open.unread && open.may_be(&name))
        };
        let others = self.all.iter().filter(may).map(|live| live.object.id());
        others.filter(|other| *other != id).collect()
    }

    /// Whether another one certainly names the database of `hr`.
    pub fn is_shared(&self, hr: &HelmRelease) -> bool {
        !self.rivals(hr).is_empty()
    }

    /// The others that Helm takes for the same release as `hr`, as `namespace/name`. That of one on another cluster is stored there.
    pub fn of_same_release(&self, hr: &HelmRelease) -> Vec<String> {
        if hr.is_remote() {
            return Vec::new();
        }
        let (id, key) = (hr.id(), Key::expected_of(hr));
        let here = self.of_release(&key).filter(|live| !live.remote);
        let others = here.map(|live| live.object.id());
        others.filter(|other| *other != id).collect()
    }

    /// The databases of `shown` that more than one names, in their order, each with who does. A word alone makes no database: one of
    /// them has it as its own.
    pub fn shared(&self, shown: &HashSet<String>) -> Vec<(&str, Vec<String>)> {
        let shown: HashSet<String> = shown.iter().map(|name| loose(name)).collect();
        let mut shared: Vec<(&str, Vec<String>)> = self
            .by_name
            .iter()
            .filter(|(name, all)| {
                let own = || all.iter().any(|(_, how)| *how == How::Values);
                all.len() > 1 && shown.contains(*name) && own()
            })
            .map(|(name, all)| {
                let onboardings = all.iter().map(|(at, _)| &self.all[*at]);
                let onboardings = onboardings.filter(|live| live.onboarding);
                let ids = onboardings.map(|live| live.object.id());
                (name.as_str(), ids.collect::<Vec<_>>())
            })
            .filter(|(_, ids)| ids.len() > 1)
            .collect();
        shared.sort();
        shared
    }
}

/// Whether values that were not read could make `hr` name `database`.
pub fn may_claim(hr: &HelmRelease, database: &str) -> bool {
    matches!(hr.claim(), Claim::Unresolved(_)) && inline(hr).may_become(&loose(database))
}

fn is_labelled(hr: &HelmRelease) -> bool {
    ONBOARDING_SELECTOR
        .split_once('=')
        .is_some_and(|(key, value)| hr.metadata.labels.get(key).is_some_and(|v| v == value))
}

fn inline(hr: &HelmRelease) -> Inline {
    let values = hr.values();
    Inline {
        namespace: values.namespace,
        database: values.database,
    }
}

/// Why a HelmRelease without a pair may name any database all the same.
fn open(hr: &HelmRelease, onboarding: bool, resolved: bool) -> Option<Open> {
    let from = &hr.spec.values_from;
    let chart = hr.spec.chart.as_ref().map(|c| c.spec.chart.to_lowercase());
    let chart = chart.unwrap_or_default();
    let like = LIKE_ONBOARDING.iter().any(|part| chart.contains(part));
    let named = hr.metadata.name.starts_with("skvs-");
    let refers = hr.spec.chart_ref.is_some();
    let left_out = matches!(hr.claim(), Claim::Unresolved(from) if from.is_empty());
    let unread = left_out || (!from.is_empty() && !resolved);
    if !(onboarding || like || named || refers || unread) {
        return None;
    }
    let why = if left_out {
        "a bundle holds only a part of values.namespace or values.database".to_owned()
    } else if unread {
        let from = from.iter().map(|f| format!("{} {}", f.kind, f.name));
        let from: Vec<String> = from.collect();
        format!("its values come from {}", from.join(", "))
    } else if let (true, Claim::Incomplete(what)) = (onboarding, hr.claim()) {
        format!("{what} is not a plain value")
    } else {
        "its values name none, and the chart's own are not read".to_owned()
    };
    // Another chart may make its name of other values.
    let inline = if onboarding {
        inline(hr)
    } else {
        Inline::default()
    };
    Some(Open {
        why,
        unread,
        inline,
    })
}
