//! Helm's storage of all namespaces: each release with all its retained revisions, in Secrets or in ConfigMaps.
//!
//! A revision is known by its object's type or name, not by Helm's labels, which a restore can lose. A revision that cannot be decoded may
//! be of any release.

use super::object::Object;
use super::policies::{Paths, Pattern};
use super::words::{How, Words, merged};
use crate::model::helm_release::{HelmRelease, ONBOARDING_CHART};
use crate::model::helm_storage::{self, Hook, Release, SECRET_TYPE, STORED_PREFIX, StorageError};
use crate::model::manifest;
use crate::text::document::embedded;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::HashMap;

/// What Helm calls a release that is gone and whose history it was told to keep.
const UNINSTALLED: &str = "uninstalled";

/// What Helm calls the one revision that is in use.
const DEPLOYED: &str = "deployed";

/// Statuses of a revision that never came to be.
const NEVER_DEPLOYED: [&str; 4] = [
    "failed",
    "pending-install",
    "pending-upgrade",
    "pending-rollback",
];

/// Labels by which Helm finds its revisions.
pub(super) const LABELS: [&str; 4] = ["owner", "name", "status", "version"];

/// What Helm's revisions are stored in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Driver {
    Secret,
    ConfigMap,
}

impl Driver {
    pub fn kind(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        }
    }
}

/// A release of Helm: the namespace of its storage and its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Key {
    /// The release of a HelmRelease.
    pub(super) fn expected_of(hr: &HelmRelease) -> Self {
        Self {
            namespace: hr.storage_namespace().to_owned(),
            name: hr.release_name(),
        }
    }
}

/// One retained revision.
#[derive(Clone, Debug)]
pub(super) struct Revision {
    pub(super) version: i64,
    pub(super) object: Object,
    pub(super) status: String,
    pub(super) deployed: Option<String>,
    /// Helm does not find it: a label is missing.
    pub(super) unlabelled: bool,
}

/// All retained revisions of one release.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) driver: Driver,
    pub(super) key: Key,
    /// Namespace that it is installed into.
    pub(super) namespace: String,
    pub(super) revisions: Vec<Revision>,
    /// When it was uninstalled, of the newest revision, RFC 3339.
    deleted: Option<String>,
    newest: i64,
    /// Its chart or a dependency is the onboarding chart, or a hook of it creates a database.
    pub(super) onboarding: bool,
    /// Some revision says more of a database than a word.
    pub(super) names: bool,
    /// A hook of it sends a PUT to a CouchDB, or its chart is the onboarding chart.
    pub(super) makes: bool,
    /// Paths that policies of the newest revision allow.
    pub(super) patterns: Vec<Pattern>,
}

impl Stored {
    pub(super) fn newest(&self) -> Option<&Revision> {
        self.revisions.iter().find(|r| r.version == self.newest)
    }

    pub(super) fn revision(&self, version: i64) -> Option<&Revision> {
        self.revisions.iter().find(|r| r.version == version)
    }

    /// Helm says that it is uninstalled and keeps its history: when that was, as far as Helm tells. A revision that is called deployed
    /// all the same contradicts it.
    pub(super) fn uninstalled(&self) -> Option<Option<&str>> {
        let mut newest = self.revisions.iter().filter(|r| r.version == self.newest);
        let deployed = self.revisions.iter().any(|r| r.status == DEPLOYED);
        let gone = !self.revisions.is_empty() && newest.all(|r| r.status == UNINSTALLED);
        (gone && !deployed).then_some(self.deleted.as_deref())
    }

    /// Some revision of it was in use, or may have been.
    pub(super) fn was_deployed(&self) -> bool {
        let never = |r: &Revision| NEVER_DEPLOYED.contains(&r.status.as_str());
        !self.revisions.iter().all(never)
    }
}

/// That a release speaks of a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spoken {
    pub(super) release: usize,
    pub(super) how: How,
    /// The newest revision that does.
    pub(super) revision: i64,
}

/// Helm's storage, in one kind of objects.
#[derive(Clone, Debug, Default)]
pub struct Storage {
    pub(super) releases: Vec<Stored>,
    by_key: HashMap<(Driver, Key), usize>,
    by_name: HashMap<String, Vec<Spoken>>,
    /// Revisions that cannot be decoded, each with why.
    pub(super) unreadable: Vec<(Object, String)>,
    /// Revisions of the onboarding chart's releases.
    pub(super) of_onboardings: usize,
}

impl Storage {
    /// Adds one Secret or ConfigMap.
    pub fn add(&mut self, driver: Driver, object: &Value) {
        if !is_helms(driver, object) {
            return;
        }
        let decoded: Result<Release, StorageError> = match driver {
            Driver::Secret => helm_storage::from_secret(object),
            Driver::ConfigMap => helm_storage::from_config_map(object),
        };
        let place = Object::of_kind(driver.kind(), object);
        match decoded {
            Ok(release) => {
                if let Some(why) = incomplete(&release) {
                    self.unreadable.push((place.clone(), why.to_owned()));
                }
                // What half of a payload says counts all the same.
                if is_release_name(&release.name) {
                    self.release(driver, place, object, release);
                }
            }
            Err(error) => self.unreadable.push((place, error.to_string())),
        }
    }

    fn release(&mut self, driver: Driver, place: Object, object: &Value, release: Release) {
        let is_chart = is_onboarding_chart(&release);
        self.of_onboardings += usize::from(is_chart);
        let key = Key {
            namespace: place.namespace.clone(),
            name: release.name.clone(),
        };
        let at = *self.by_key.entry((driver, key)).or_insert_with_key(|key| {
            self.releases.push(Stored {
                driver,
                key: key.1.clone(),
                namespace: release.namespace.clone(),
                revisions: Vec::new(),
                deleted: None,
                newest: i64::MIN,
                onboarding: false,
                names: false,
                makes: false,
                patterns: Vec::new(),
            });
            self.releases.len() - 1
        });
        let version = release.version;
        let (words, patterns) = mentions(&release);
        let stored = &mut self.releases[at];
        let labels = object.pointer("/metadata/labels");
        let label = |key: &&str| labels.and_then(|l| l.get(*key)).is_none();
        stored.onboarding |= is_chart || helm_storage::creation_jobs(&release.hooks).any(creates);
        stored.names |= words.has_pair() || !patterns.is_empty();
        stored.makes |= is_chart || helm_storage::creation_jobs(&release.hooks).any(puts);
        if version > stored.newest {
            stored.newest = version;
            stored.patterns.clear();
        }
        // A copy of a revision says what the copied one says, and perhaps more.
        if version == stored.newest {
            stored.deleted = release.info.deleted.filter(|at| !at.is_empty());
            stored.patterns.extend(patterns);
        }
        stored.revisions.push(Revision {
            version,
            object: place,
            status: release.info.status,
            deployed: release.info.last_deployed,
            unlabelled: LABELS.iter().any(label),
        });
        for (name, how) in words.iter() {
            let all = self.by_name.entry(name.to_owned()).or_default();
            // A release's revisions come one after the other.
            match all
                .iter_mut()
                .rev()
                .find(|s| s.release == at && s.how == how)
            {
                Some(known) => known.revision = known.revision.max(version),
                None => all.push(Spoken {
                    release: at,
                    how,
                    revision: version,
                }),
            }
        }
    }

    /// What releases say of a name in its loose form.
    pub(super) fn says(&self, name: &str) -> impl Iterator<Item = (&Stored, Spoken)> {
        let all = self.by_name.get(name).into_iter().flatten();
        all.map(|spoken| (&self.releases[spoken.release], *spoken))
    }

    /// The databases that revisions of a release have as values, in a Job or in a policy.
    pub(super) fn databases_of(&self, stored: &Stored) -> impl Iterator<Item = &str> {
        let is_own = |s: &Spoken| std::ptr::eq(&self.releases[s.release], stored);
        let strong = move |s: &Spoken| s.how >= How::Values && is_own(s);
        let all = self.by_name.iter();
        all.filter(move |(_, spoken)| spoken.iter().any(strong))
            .map(|(name, _)| name.as_str())
    }

    /// The release of this key, whatever it is stored in.
    pub(super) fn find(&self, driver: Driver, key: &Key) -> Option<&Stored> {
        let at = self.by_key.get(&(driver, key.clone()))?;
        self.releases.get(*at)
    }
}

/// Whether it is Helm's: by its type, by its name, or by the label by which Helm finds it.
fn is_helms(driver: Driver, object: &Value) -> bool {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str);
    let named = text("/metadata/name").is_some_and(|name| name.starts_with(STORED_PREFIX));
    match (driver, text("/type")) {
        (Driver::Secret, Some(kind)) => {
            kind == SECRET_TYPE || named || text("/metadata/labels/owner") == Some("helm")
        }
        _ => true,
    }
}

/// What a payload lacks that Helm always writes. Without it the payload may be half of a release.
fn incomplete(release: &Release) -> Option<&'static str> {
    // A name that Helm would not take is never shown, and never part of a command to paste.
    if !is_release_name(&release.name) {
        return Some("its payload names no release");
    }
    if release.version < 1 {
        return Some("its payload has no revision number");
    }
    let chart = &release.chart.metadata.name;
    chart.is_empty().then_some("its payload names no chart")
}

/// As Helm takes it.
fn is_release_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain)
}

/// Its chart, or one that it depends on, is the onboarding chart.
fn is_onboarding_chart(release: &Release) -> bool {
    let chart = &release.chart.metadata;
    let dependencies = chart.dependencies.iter();
    let names = dependencies.flat_map(|d| [d.name.as_str(), d.alias.as_str()]);
    names
        .chain([chart.name.as_str()])
        .any(|name| name == ONBOARDING_CHART)
}

/// Whether a Job that runs before an installation makes something in a CouchDB.
fn creates(hook: &Hook) -> bool {
    let text = hook.manifest.to_lowercase();
    let put = || {
        text.split(|c: char| !c.is_alphanumeric())
            .any(|w| w == "put")
    };
    text.contains("couch") || (text.contains("5984") && put())
}

/// Whether a Job that runs before an installation puts something into a CouchDB.
fn puts(hook: &Hook) -> bool {
    let text = hook.manifest.to_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    creates(hook) && words.any(|w| w == "put")
}

/// All that a revision says: its values, its hooks, its objects, its notes.
fn mentions(release: &Release) -> (Words, Vec<Pattern>) {
    let mut words = Words::default();
    let mut patterns = Vec::new();
    let values = merged(&release.chart.values, &release.config);
    words.document(&values);
    if let Some(joined) = crate::model::onboarding::Values::parse(&values)
        .claim()
        .joined()
    {
        words.add(joined, How::Values);
    }
    words.text(&release.info.notes);
    for hook in &release.hooks {
        words.text(&hook.manifest);
        for text in manifest::documents(&hook.manifest) {
            // Whatever a hook makes, it makes for what the hooks do.
            job(&mut words, &text);
            if says_more(&text) {
                object(&mut words, &mut patterns, &text);
            }
        }
    }
    words.text(&release.manifest);
    for text in manifest::documents(&release.manifest) {
        if says_more(&text) {
            object(&mut words, &mut patterns, &text);
        }
    }
    (words, patterns)
}

/// Whether a document may say more than its words do: what is in base64, behind escapes, in a path's pattern, or in two keys.
fn says_more(text: &str) -> bool {
    let marks = ["Job", "AuthorizationPolicy", "Secret", "binaryData", "\\"];
    marks.iter().any(|mark| text.contains(mark)) || super::words::may_pair(text)
}

/// A document of a manifest: one object, or a list of some.
fn object(words: &mut Words, patterns: &mut Vec<Pattern>, text: &str) {
    match embedded(text) {
        Some(object) => one(words, patterns, &object),
        // Every word may be the one that counts, in base64 too.
        None => {
            if text.contains("Job") {
                words.unreadable_job(text);
            }
            text.split(|c: char| c.is_whitespace() || "\"':,{}[]".contains(c))
                .filter_map(plain)
                .for_each(|plain| words.text(&plain));
        }
    }
}

fn one(words: &mut Words, patterns: &mut Vec<Pattern>, object: &Value) {
    let kind = object.get("kind").and_then(Value::as_str);
    if kind.is_none_or(|kind| kind.ends_with("List"))
        && let Some(items) = object.get("items").and_then(Value::as_array)
    {
        return items.iter().for_each(|item| one(words, patterns, item));
    }
    match kind {
        Some("Job") => words.job(object),
        Some("AuthorizationPolicy") => policy(words, patterns, object),
        _ => {}
    }
    // What an object is called and where it is makes no name of a database.
    if let Some(fields) = object.as_object() {
        let fields = fields.iter().filter(|(key, _)| *key != "metadata");
        let fields = fields.map(|(key, value)| (key.clone(), value.clone()));
        words.document(&Value::Object(fields.collect()));
    }
    let encoded = match kind {
        Some("Secret") => "data",
        _ => "binaryData",
    };
    let encoded = object.get(encoded).and_then(Value::as_object);
    let decoded = encoded.into_iter().flatten().filter_map(|(key, value)| {
        let value = plain(value.as_str()?)?;
        Some((key.clone(), Value::String(value)))
    });
    words.document(&Value::Object(decoded.collect()));
}

/// What base64 holds, with line breaks or without.
fn plain(encoded: &str) -> Option<String> {
    let encoded: String = encoded.split_whitespace().collect();
    let plain = STANDARD.decode(encoded).ok()?;
    Some(String::from_utf8_lossy(&plain).into_owned())
}

fn job(words: &mut Words, text: &str) {
    match embedded(text) {
        Some(job) => words.job(&job),
        None => words.unreadable_job(text),
    }
}

fn policy(words: &mut Words, patterns: &mut Vec<Pattern>, policy: &Value) {
    let paths = Paths::parse(policy);
    paths
        .exact
        .iter()
        .for_each(|(name, how)| words.add(name, how));
    patterns.extend(paths.patterns);
    patterns.extend(paths.unread.as_deref().map(Pattern::unread));
}
