//! Whose a database is: what each object that can claim one says, kept so that any name can be asked for.
//!
//! Every HelmRelease counts, labelled or not, suspended or not, in every namespace; so do the values of every retained Helm revision, since
//! an edited `database` leaves the live one behind, and the objects of the later generation. Names are compared joined, and
//! loosely: what a chart would have made of a sloppy value claims too. What cannot be read is a gap, never "none". The one
//! judgement for all that ask: what is called nobody's in one place must not be somebody's in another.

use super::helm_release::{HelmRelease, ONBOARDING_CHART, ONBOARDING_SELECTOR};
use super::helm_storage::{self, Release};
use super::onboarding::{Claim, Values};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Who claims a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimant {
    HelmRelease {
        /// `namespace/name`.
        id: String,
        /// Labelled as an onboarding, or made by its chart.
        onboarding: bool,
        /// Its release is on another cluster.
        remote: bool,
        /// RFC 3339: when Helm last deployed it, as far as its status tells.
        deployed: Option<String>,
    },
    /// A revision that Helm keeps: its values, not those of today.
    Revision {
        /// `namespace/name` of the Helm release.
        release: String,
        revision: i64,
        /// `namespace/name` of the Secret.
        secret: String,
        /// RFC 3339.
        deployed: Option<String>,
    },
    /// An object of the later generation.
    Object { kind: String, id: String },
}

impl Claimant {
    /// The claimant by kind and name, for a sentence.
    pub fn words(&self) -> String {
        match self {
            Self::HelmRelease { id, .. } => format!("HelmRelease {id}"),
            Self::Revision {
                release,
                revision,
                secret,
                ..
            } => format!("revision {revision} of Helm release {release} (Secret {secret})"),
            Self::Object { kind, id } => format!("{kind} {id}"),
        }
    }

    /// When it was last deployed, RFC 3339.
    pub fn deployed(&self) -> Option<&str> {
        match self {
            Self::HelmRelease { deployed, .. } | Self::Revision { deployed, .. } => {
                deployed.as_deref()
            }
            Self::Object { .. } => None,
        }
    }
}

/// Why it is not known whose a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Something that claims a database, and which one is not known.
    Claim { by: String, why: String },
    /// Something that may claim and could not be read.
    Read { what: String, why: String },
    /// The cluster knows no HelmReleases.
    NoHelmReleases,
    /// The cluster has HelmReleases, and none is an onboarding: it may be the wrong one.
    NoOnboardings { looked_at: usize },
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claim { by, why } => {
                write!(f, "which database {by} claims is not known: {why}")
            }
            Self::Read { what, why } => write!(f, "{what} could not be read: {why}"),
            Self::NoHelmReleases => f.write_str(
                "this cluster has no HelmReleases, so what claims a database cannot be known",
            ),
            Self::NoOnboardings { looked_at } => write!(
                f,
                "there is no onboarding on this cluster ({looked_at} HelmReleases in all namespaces looked at)"
            ),
        }
    }
}

/// One word on whose a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word<'o> {
    Claimed {
        by: &'o Claimant,
        /// The name as the claimant has it; a sloppy one means the same database.
        database: Cow<'o, str>,
    },
    Gap(Cow<'o, Gap>),
}

/// How much was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookedAt {
    /// HelmReleases in all namespaces.
    pub helm_releases: usize,
    /// Revisions of the onboarding chart's releases.
    pub revisions: usize,
    /// Objects of the later generation; `None` where they are not served.
    pub database_objects: Option<usize>,
}

/// What Helm calls a release that is gone and whose history it was told to keep.
const UNINSTALLED: &str = "uninstalled";

/// The newest revision of a Helm release.
#[derive(Clone, Debug, Default)]
struct Newest {
    revision: i64,
    uninstalled: bool,
    /// When it was, RFC 3339.
    at: Option<String>,
}

/// What all the objects say.
#[derive(Clone, Debug, Default)]
pub struct Ownership {
    /// In the order in which the objects were read.
    said: Vec<Said>,
    /// Claims by the loose form of the name.
    by_name: BTreeMap<String, Vec<usize>>,
    /// Objects of the later generation by each of their texts.
    by_text: BTreeMap<String, Vec<usize>>,
    /// What is said of every name.
    of_all: Vec<usize>,
    /// Names that one revision of a Helm release claims already: name, namespace of the Secret, release.
    by_release: BTreeSet<(String, String, String)>,
    /// By the namespace of the Secrets and the release's name.
    newest: BTreeMap<(String, String), Newest>,
    seen: LookedAt,
    onboardings: usize,
}

/// What one object says.
#[derive(Clone, Debug)]
enum Said {
    Claimed {
        by: Claimant,
        database: String,
    },
    /// A gap for every name but this one.
    Gap {
        gap: Gap,
        but: Option<String>,
    },
    /// An object of the later generation, and the namespaces that it is in or names.
    Object {
        by: Claimant,
        namespaces: BTreeSet<String>,
    },
}

impl Ownership {
    /// Adds one HelmRelease.
    pub fn helm_release(&mut self, object: &Value) {
        self.seen.helm_releases += 1;
        let id = id(object);
        let by = format!("HelmRelease {id}");
        let hr = match HelmRelease::from_value(object) {
            Ok(hr) => hr,
            Err(error) => {
                let why = error.to_string();
                return self.gap(Gap::Claim { by, why });
            }
        };
        let labelled = ONBOARDING_SELECTOR
            .split_once('=')
            .is_some_and(|(key, value)| hr.metadata.labels.get(key).is_some_and(|v| v == value));
        let onboarding = labelled || hr.installs_onboarding_chart();
        self.onboardings += usize::from(onboarding);
        // A chart that neither spec nor history names may be the onboarding chart.
        let may_be = onboarding || (hr.names_no_chart() && hr.status.history.is_empty());
        let claim = hr.claim();
        if may_be && hr.is_remote() {
            let gap = Gap::Read {
                what: format!("Helm's revisions of {by}"),
                why: "they are on another cluster (spec.kubeConfig)".to_owned(),
            };
            self.say_of_all(gap, claim.joined().map(loose));
        }
        match (&claim, claim.joined()) {
            (_, Some(joined)) => {
                let by = Claimant::HelmRelease {
                    id,
                    onboarding,
                    remote: hr.is_remote(),
                    deployed: hr.latest().and_then(|h| h.last_deployed.clone()),
                };
                self.claimed(by, joined);
            }
            (Claim::Unresolved(from), None) if may_be => {
                let from: Vec<String> = from
                    .iter()
                    .map(|f| format!("{} {}", f.kind, f.name))
                    .collect();
                let why = format!("it comes from {}", from.join(", "));
                self.gap(Gap::Claim { by, why });
            }
            (Claim::Incomplete(what), None) if onboarding => {
                let why = format!("{what} is not a plain value");
                self.gap(Gap::Claim { by, why });
            }
            _ => {}
        }
    }

    /// This cluster has no HelmReleases.
    pub fn no_helm_releases(&mut self) {
        self.gap(Gap::NoHelmReleases);
    }

    /// Adds one Secret of Helm's storage.
    pub fn revision(&mut self, secret: &Value) {
        let place = id(secret);
        let release = match helm_storage::from_secret(secret) {
            Ok(release) => release,
            Err(error) => {
                return self.not_read(format!("Helm's Secret {place}"), error.to_string());
            }
        };
        let claim = claim_of(&release);
        let ours = release.chart.metadata.name == ONBOARDING_CHART;
        self.seen.revisions += usize::from(ours);
        let namespace = place.split('/').next().unwrap_or_default().to_owned();
        let key = (namespace.clone(), release.name.clone());
        let newest = self.newest.entry(key).or_default();
        if release.version >= newest.revision {
            *newest = Newest {
                revision: release.version,
                uninstalled: release.info.status == UNINSTALLED,
                at: release.info.deleted.filter(|at| !at.is_empty()),
            };
        }
        let by = Claimant::Revision {
            release: format!("{}/{}", release.namespace, release.name),
            revision: release.version,
            secret: place,
            deployed: release.info.last_deployed,
        };
        match claim.joined() {
            Some(joined) => {
                let once = (loose(joined), namespace, release.name);
                if self.by_release.insert(once) {
                    self.claimed(by, joined);
                }
            }
            None if ours => self.gap(Gap::Claim {
                by: by.words(),
                why: "its values do not name a database".to_owned(),
            }),
            None => {}
        }
    }

    /// Objects of the later generation are served.
    pub fn database_objects_served(&mut self) {
        self.seen.database_objects.get_or_insert(0);
    }

    /// Adds one object of the later generation. Its fields are not settled, so any that can mean a database does.
    pub fn database_object(&mut self, kind: &str, object: &Value) {
        *self.seen.database_objects.get_or_insert(0) += 1;
        let spec = object.get("spec").unwrap_or(&Value::Null);
        let mut texts = Vec::new();
        scalars(spec, &mut texts);
        texts.extend(object.pointer("/metadata/name").and_then(Value::as_str));
        let texts: BTreeSet<String> = texts.into_iter().map(|t| dashed(&loose(t))).collect();
        let at = self.said.len();
        for text in texts {
            self.by_text.entry(text).or_default().push(at);
        }
        let namespaces = [object.pointer("/metadata/namespace"), spec.get("namespace")];
        self.said.push(Said::Object {
            by: Claimant::Object {
                kind: kind.to_owned(),
                id: id(object),
            },
            namespaces: namespaces
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(loose)
                .collect(),
        });
    }

    /// Something that may claim could not be read.
    pub fn not_read(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.gap(Gap::Read {
            what: what.into(),
            why: why.into(),
        });
    }

    /// Where the claimant is a revision of a release that Helm calls uninstalled: when that was, as far as Helm tells.
    pub fn uninstalled(&self, by: &Claimant) -> Option<Option<&str>> {
        let Claimant::Revision {
            release, secret, ..
        } = by
        else {
            return None;
        };
        let part = |text: &str, at: usize| text.split('/').nth(at).map(str::to_owned);
        let newest = self.newest.get(&(part(secret, 0)?, part(release, 1)?))?;
        newest.uninstalled.then_some(newest.at.as_deref())
    }

    /// How much was looked at.
    pub fn looked_at(&self) -> &LookedAt {
        &self.seen
    }

    /// Whose the database is: every claim and every gap, in the order in which the objects were read. Nothing at all: nobody's.
    /// A release's revisions are not told beside a HelmRelease or an object that claims.
    pub fn of(&self, name: &str) -> Vec<Word<'_>> {
        let name = &*loose(name);
        let mut at: BTreeSet<usize> = self.of_all.iter().copied().collect();
        at.extend(self.by_name.get(name).into_iter().flatten());
        let (namespace, database) = name.split_once('_').unzip();
        let whole = self.by_text.get(&dashed(name)).into_iter().flatten();
        at.extend(whole);
        let part = database.and_then(|d| self.by_text.get(&dashed(d)));
        at.extend(part.into_iter().flatten().filter(|at| {
            matches!(&self.said[**at], Said::Object { namespaces, .. } if namespace.is_some_and(|n| namespaces.contains(n)))
        }));
        let mut words: Vec<Word<'_>> = at
            .into_iter()
            .filter_map(|at| self.said[at].word(name))
            .collect();
        words.extend(self.no_onboardings(&words).map(Cow::Owned).map(Word::Gap));
        let revision = |w: &Word<'_>| matches!(w, Word::Claimed { by, .. } if matches!(by, Claimant::Revision { .. }));
        let today = |w: &Word<'_>| matches!(w, Word::Claimed { .. }) && !revision(w);
        if words.iter().any(today) {
            words.retain(|w| !revision(w));
        }
        words
    }

    /// The databases that onboardings claim today, each as the first of them has it: they should be there.
    pub fn expected(&self) -> impl Iterator<Item = &str> {
        self.by_name.values().filter_map(|all| self.first(all))
    }

    /// Whether an onboarding claims this database today.
    pub fn expects(&self, name: &str) -> bool {
        let all = self.by_name.get(&loose(name));
        all.is_some_and(|all| self.first(all).is_some())
    }

    /// The name as the first onboarding has it; one on another cluster has its database there.
    fn first(&self, all: &[usize]) -> Option<&str> {
        all.iter().find_map(|at| match &self.said[*at] {
            Said::Claimed {
                by:
                    Claimant::HelmRelease {
                        onboarding: true,
                        remote: false,
                        ..
                    },
                database,
            } => Some(database.as_str()),
            _ => None,
        })
    }

    /// Every reason why it may not be known whose a database is.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps: Vec<Gap> = self
            .of_all
            .iter()
            .filter_map(|at| match &self.said[*at] {
                Said::Gap { gap, .. } => Some(gap.clone()),
                _ => None,
            })
            .collect();
        let told: Vec<Word<'_>> = gaps.iter().map(Cow::Borrowed).map(Word::Gap).collect();
        let none = self.no_onboardings(&told);
        gaps.extend(none);
        gaps
    }

    /// A cluster without any onboarding may be the wrong one, unless it is blind anyway.
    fn no_onboardings(&self, words: &[Word<'_>]) -> Option<Gap> {
        let blind = words.iter().any(|w| {
            matches!(w, Word::Gap(gap) if matches!(**gap, Gap::NoHelmReleases | Gap::Read { .. }))
        });
        let looked_at = self.seen.helm_releases;
        (self.onboardings == 0 && !blind).then_some(Gap::NoOnboardings { looked_at })
    }

    fn claimed(&mut self, by: Claimant, joined: &str) {
        let at = self.said.len();
        self.by_name.entry(loose(joined)).or_default().push(at);
        self.said.push(Said::Claimed {
            by,
            database: joined.to_owned(),
        });
    }

    fn gap(&mut self, gap: Gap) {
        self.say_of_all(gap, None);
    }

    fn say_of_all(&mut self, gap: Gap, but: Option<String>) {
        self.of_all.push(self.said.len());
        self.said.push(Said::Gap { gap, but });
    }
}

impl Said {
    /// What is said of this name.
    fn word(&self, name: &str) -> Option<Word<'_>> {
        match self {
            Self::Claimed { by, database } => Some(Word::Claimed {
                by,
                database: Cow::Borrowed(database),
            }),
            Self::Gap { gap, but } => {
                (but.as_deref() != Some(name)).then_some(Word::Gap(Cow::Borrowed(gap)))
            }
            Self::Object { by, .. } => Some(Word::Claimed {
                by,
                database: Cow::Owned(name.to_owned()),
            }),
        }
    }
}

/// What a URL or a template may make of a sloppy value: blanks gone, lower case, no `/` at the ends. A database's checked name
/// stays as it is.
pub(super) fn loose(name: &str) -> String {
    let kept: String = name.chars().filter(|c| !c.is_whitespace()).collect();
    kept.trim_matches('/').to_lowercase()
}

/// As an object's name can hold it.
fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

/// The claim of a revision: the values that were given, over the chart's own.
fn claim_of(release: &Release) -> Claim {
    let given = Values::read(&release.config);
    let default = Values::read(&release.chart.values);
    Values {
        namespace: given.namespace.or(default.namespace),
        database: given.database.or(default.database),
        ..Values::default()
    }
    .claim()
}

fn id(object: &Value) -> String {
    let part = |key: &str| {
        let text = object.pointer(key).and_then(Value::as_str);
        crate::text::one_line(text.unwrap_or("?"))
    };
    format!("{}/{}", part("/metadata/namespace"), part("/metadata/name"))
}

/// Every text in a document.
fn scalars<'v>(value: &'v Value, into: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(items) => items.iter().for_each(|i| scalars(i, into)),
        Value::Object(fields) => fields.values().for_each(|f| scalars(f, into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
