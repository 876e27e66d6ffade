//! What is known of one database: every claim, every mention that may be one, every gap.

use super::object::Object;
use super::storage::{Driver, Key, LABELS, Revision, Stored};
use crate::advice::Command;
use crate::model::not_read::NotRead;
use std::collections::{BTreeSet, HashSet};
use std::fmt;

/// Who claims a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimant {
    HelmRelease {
        /// `namespace/name`.
        id: String,
        /// Flux leaves the release of a suspended HelmRelease where it is.
        suspended: bool,
        /// RFC 3339: when Helm last deployed it, as far as its status says.
        deployed: Option<String>,
    },
    /// A revision that Helm keeps: what it was made of, not what is live today.
    Revision {
        /// `namespace/name` of the Helm release.
        release: String,
        revision: i64,
        /// The Secret or ConfigMap.
        stored: Object,
        /// Namespace of its storage and its name, as the helm command takes them.
        helm: (String, String),
        driver: Driver,
        /// A HelmRelease of this release exists.
        managed: bool,
        /// The labels without which Helm does not find it; empty when all are there.
        lost_labels: Vec<(String, String)>,
        /// RFC 3339.
        deployed: Option<String>,
    },
    /// A live AuthorizationPolicy.
    Policy { object: Object },
    /// An object of the later generation.
    Object { kind: String, id: String },
}

impl Claimant {
    pub(super) fn revision(stored: &Stored, revision: &Revision, managed: bool) -> Self {
        let values = [
            "helm".to_owned(),
            stored.key.name.clone(),
            revision.status.clone(),
            revision.version.to_string(),
        ];
        let labels = LABELS.iter().map(|l| (*l).to_owned()).zip(values);
        Self::Revision {
            release: format!("{}/{}", stored.namespace, stored.key.name),
            revision: revision.version,
            stored: revision.object.clone(),
            helm: (stored.key.namespace.clone(), stored.key.name.clone()),
            driver: stored.driver,
            managed,
            lost_labels: if revision.unlabelled {
                labels.collect()
            } else {
                Vec::new()
            },
            deployed: revision.deployed.clone(),
        }
    }

    /// The claimant by kind and name, for a sentence.
    pub fn words(&self) -> String {
        match self {
            Self::HelmRelease { id, .. } => format!("HelmRelease {id}"),
            Self::Revision {
                release,
                revision,
                stored,
                ..
            } => format!("revision {revision} of Helm release {release} ({stored})"),
            Self::Policy { object } => object.to_string(),
            Self::Object { kind, id } => format!("{kind} {id}"),
        }
    }

    /// The command that gives a revision back the labels by which Helm finds it, where it has lost them.
    pub fn relabel(&self) -> Option<Command> {
        let Self::Revision {
            stored,
            lost_labels,
            ..
        } = self
        else {
            return None;
        };
        let kind = stored.kind.to_lowercase();
        let labels = lost_labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"));
        let command = Command::new(["kubectl", "label", &kind, "-n", &stored.namespace]);
        (!lost_labels.is_empty()).then(|| command.args([&stored.name]).args(labels))
    }

    /// When it was last deployed, RFC 3339.
    pub fn deployed(&self) -> Option<&str> {
        match self {
            Self::HelmRelease { deployed, .. } | Self::Revision { deployed, .. } => {
                deployed.as_deref()
            }
            Self::Policy { .. } | Self::Object { .. } => None,
        }
    }

    /// It is live today, and what Helm keeps of it says no more.
    fn is_live(&self) -> bool {
        matches!(self, Self::HelmRelease { .. } | Self::Object { .. })
    }
}

/// How a claimant speaks of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimKind {
    /// Its spec names it.
    Names,
    /// A revision was installed with it.
    InstalledWith,
    /// A hook or a Job of it has the name as a variable or in a URL.
    Creates,
    /// A policy of it lets pods in.
    LetsIn,
}

/// One claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub by: Claimant,
    pub kind: ClaimKind,
    /// The name as the claimant has it; a sloppy one means the same database.
    pub database: String,
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (by, database) = (self.by.words(), &self.database);
        match self.kind {
            ClaimKind::Names => write!(f, "{by} still claims {database}"),
            ClaimKind::InstalledWith => write!(f, "{by} was installed with {database}"),
            ClaimKind::Creates => write!(f, "a Job of {by} has the database {database}"),
            ClaimKind::LetsIn => write!(f, "{by} lets pods in to {database}"),
        }
    }
}

/// Something that may claim the database, and can be accepted by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    pub object: Object,
    /// A sentence.
    pub what: String,
    /// The release whose own mentions say no more.
    pub(super) covers: Option<Key>,
}

impl Mention {
    /// One for tests of what is made of it.
    #[cfg(test)]
    pub(crate) fn example(object: Object, what: &str) -> Self {
        Self {
            object,
            what: what.to_owned(),
            covers: None,
        }
    }

    /// A Helm release stands for all its revisions.
    pub(super) fn of_release(stored: &Stored, revision: &Revision, what: String) -> Self {
        let Key { namespace, name } = &stored.key;
        Self {
            object: Object {
                kind: "helm-release".to_owned(),
                namespace: namespace.clone(),
                name: name.clone(),
                resource_version: revision.object.resource_version.clone(),
                generation: None,
            },
            what: format!("the newest revision of Helm release {namespace}/{name} {what}"),
            covers: None,
        }
    }
}

/// Why nothing can be said of any database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// A part that can claim was not read.
    Read(NotRead),
    /// The cluster knows no HelmReleases.
    NoHelmReleases,
    /// The cluster has HelmReleases, and none is an onboarding: it may be the wrong one.
    NoOnboardings { looked_at: usize },
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(NotRead { what, why }) => write!(f, "{what} could not be read: {why}"),
            Self::NoHelmReleases => f.write_str(
                "this cluster has no HelmReleases, so claims on a database cannot be known",
            ),
            Self::NoOnboardings { looked_at } => write!(
                f,
                "this cluster has no onboarding ({looked_at} HelmReleases in all namespaces checked)"
            ),
        }
    }
}

/// A release that would claim the database, and that Helm calls uninstalled. Helm kept its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// `revision 1 of Helm release core/x (Secret flux-system/sh.helm.release.v1.x.v2)`.
    pub by: String,
    /// When it was uninstalled, RFC 3339, as Helm wrote it.
    pub at: Option<String>,
}

/// How much was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookedAt {
    /// HelmReleases in all namespaces.
    pub helm_releases: usize,
    /// Revisions of the onboarding chart's releases.
    pub revisions: usize,
    /// AuthorizationPolicies with paths that name databases; `None` where none are served.
    pub policies: Option<usize>,
    /// Objects of the later generation; `None` where none are served.
    pub database_objects: Option<usize>,
}

/// All that is known of one database.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub claims: Vec<Claim>,
    /// Each may be a claim.
    pub mentions: Vec<Mention>,
    pub gaps: Vec<Gap>,
    pub past: Vec<Past>,
    looked_at: LookedAt,
}

/// A database that nothing claims, where all that can claim was read. Only
/// [`super::Ownership::unclaimed`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclaimed {
    looked_at: LookedAt,
    past: Vec<Past>,
    mentions: Vec<Mention>,
    /// Every HelmRelease, `namespace/name`.
    helm_releases: BTreeSet<String>,
}

impl Unclaimed {
    /// One for tests of what is made of it.
    #[cfg(test)]
    pub(crate) fn example(helm_releases: usize, past: Vec<Past>, mentions: Vec<Mention>) -> Self {
        let looked_at = LookedAt {
            helm_releases,
            ..LookedAt::default()
        };
        Self {
            looked_at,
            past,
            mentions,
            helm_releases: BTreeSet::new(),
        }
    }

    #[cfg(test)]
    pub(crate) fn with_database_objects(mut self, number: usize) -> Self {
        self.looked_at.database_objects = Some(number);
        self
    }

    pub fn looked_at(&self) -> &LookedAt {
        &self.looked_at
    }

    /// Whether this HelmRelease exists.
    pub fn lives(&self, id: &str) -> bool {
        self.helm_releases.contains(id)
    }

    /// Releases that were installed with it and uninstalled.
    pub fn past(&self) -> &[Past] {
        &self.past
    }

    /// What may be a claim after all: each must be accepted by its name.
    pub fn mentions(&self) -> &[Mention] {
        &self.mentions
    }
}

impl Verdict {
    pub(super) fn new(looked_at: LookedAt) -> Self {
        Self {
            claims: Vec::new(),
            mentions: Vec::new(),
            gaps: Vec::new(),
            past: Vec::new(),
            looked_at,
        }
    }

    pub(super) fn may(&mut self, object: &Object, what: String) {
        self.mentions.push(Mention {
            object: object.clone(),
            what,
            covers: None,
        });
    }

    pub(super) fn past(&mut self, stored: &Stored, revision: &Revision, at: Option<&str>) {
        self.past.push(Past {
            by: Claimant::revision(stored, revision, false).words(),
            at: at.map(str::to_owned),
        });
    }

    /// Without what says the same twice: of a release one claim, none beside a live object that claims, no policy beside what it was
    /// made by.
    pub(super) fn settled(mut self) -> Self {
        let live = self.claims.iter().any(|claim| claim.by.is_live());
        let (mut releases, mut ids) = (HashSet::new(), HashSet::new());
        let made = |by: &Claimant| !matches!(by, Claimant::Policy { .. });
        let policies = !self.claims.iter().any(|claim| made(&claim.by));
        // The strongest word of a release comes first.
        self.claims
            .sort_by_key(|claim| match (&claim.by, claim.kind) {
                (Claimant::Revision { .. }, ClaimKind::InstalledWith) => 1,
                (Claimant::Revision { .. }, _) => 2,
                (Claimant::Policy { .. }, _) => 3,
                _ => 0,
            });
        self.claims.retain(|claim| match &claim.by {
            Claimant::Revision { helm, driver, .. } => {
                !live && releases.insert((*driver, helm.clone()))
            }
            Claimant::Policy { .. } => policies,
            by => ids.insert(by.words()),
        });
        let mut once = HashSet::new();
        self.past.retain(|past| once.insert(past.by.clone()));
        let covered: HashSet<Key> = self
            .mentions
            .iter()
            .filter_map(|m| m.covers.clone())
            .collect();
        let mut objects = HashSet::new();
        self.mentions.retain(|mention| {
            let object = &mention.object;
            let key = Key {
                namespace: object.namespace.clone(),
                name: object.name.clone(),
            };
            let twice = object.kind == "helm-release" && covered.contains(&key);
            !twice && objects.insert(object.clone())
        });
        self
    }

    /// The proof that nothing claims it.
    ///
    /// # Errors
    /// The verdict, where something does or is not known.
    pub(super) fn unclaimed(self, helm_releases: BTreeSet<String>) -> Result<Unclaimed, Box<Self>> {
        if !self.claims.is_empty() || !self.gaps.is_empty() {
            return Err(Box::new(self));
        }
        Ok(Unclaimed {
            looked_at: self.looked_at,
            past: self.past,
            mentions: self.mentions,
            helm_releases,
        })
    }
}
