//! What was read to judge the steps.

use crate::model::helm_release::HelmRelease;
use crate::model::istio::request::Account;
use crate::model::istio::workload::Workload;
use crate::model::kustomization::Kustomization;
use crate::model::names::DatabaseName;
use crate::model::not_read::NotRead;
use crate::model::ownership::{
    Claimant, EveryPolicy, Ownership, RemainingPolicy, RemainingRelease, Remains, loose, may_claim,
};
use crate::repository::removal::Removal;
use crate::snapshot::databases::Found;
use crate::snapshot::{Listing, Read, Why};
use crate::text::one_line;
use std::fmt;

/// Istio's root namespace, unless its settings name another: policies there are about every namespace.
const MESH_ROOT: &str = "istio-system";

/// A namespace and a name in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    pub namespace: String,
    pub name: String,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl Id {
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

/// What is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub database: DatabaseName,
    /// The HelmRelease that is or was the onboarding.
    pub id: Id,
    /// The HelmRelease, its manifest or an object that it made says so. Else the name is the one of the convention, and another one is
    /// possible.
    pub certain: bool,
}

/// Everything that was read.
#[derive(Debug)]
pub struct Facts {
    pub subject: Subject,
    /// Of all namespaces, onboardings or not.
    pub helm_releases: Listing<HelmRelease>,
    pub ownership: Ownership,
    /// Absent: the kind is not served.
    pub kustomizations: Read<Vec<Kustomization>>,
    /// Those that are labelled or named as its creation Job.
    pub jobs: Listing<LeftJob>,
    /// Of each namespace of an account.
    pub pods: Vec<Pods>,
    /// What CouchDB says of the database.
    pub couchdb: Read<Found>,
    /// The namespace of CouchDB's pods.
    pub couchdb_namespace: String,
    /// Flags that lead to the same CouchDB.
    pub couchdb_flags: Vec<String>,
    /// What the repository has; `None`: none was named.
    pub manifests: Option<Manifests>,
}

/// A Job that may be the onboarding's creation Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftJob {
    pub id: Id,
    /// Its name fits another database too, and nothing else says whose it is.
    pub doubt: Option<String>,
}

/// The pods of a namespace.
#[derive(Debug)]
pub struct Pods {
    pub namespace: String,
    pub pods: Read<Vec<Workload>>,
}

/// The manifests in the repository that declare the onboarding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifests {
    /// The folder, as it was named.
    pub folder: String,
    pub found: Listing<Declared>,
    /// Onboardings that were looked at.
    pub looked_at: usize,
    /// The cluster, where one was named.
    pub cluster: Option<String>,
    /// The repository has folders of several clusters.
    pub several: bool,
}

/// One manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    pub file: String,
    pub line: u64,
    /// The cluster by its folder; `None`: the path does not follow the layout.
    pub cluster: Option<String>,
    pub id: Id,
    pub removal: Removal,
    /// Why no command removes it: another cluster applies it too, or may.
    pub by_hand: Option<String>,
}

impl Facts {
    /// The onboarding's own HelmRelease.
    pub(super) fn own(&self) -> Listing<&HelmRelease> {
        let Subject {
            database,
            id,
            certain,
        } = &self.subject;
        let all = self.helm_releases.known();
        let mut not_all = self.helm_releases.not_all().cloned();
        if !certain {
            // It would have been found by its database, unless that is not known, or it is not recognised as an onboarding.
            let id = id.to_string();
            let may = all.iter().find_map(|hr| {
                let claims = hr
                    .claim()
                    .joined()
                    .is_some_and(|joined| loose(joined) == loose(database.as_str()));
                let is_other = self.ownership.has_onboarding(&hr.id());
                if (claims || hr.id() == id) && !is_other {
                    let shown = one_line(&hr.id());
                    return Some(format!(
                        "HelmRelease {shown} may be it, and is not recognised as an onboarding"
                    ));
                }
                (!claims && may_claim(hr, database.as_str())).then(|| {
                    let shown = one_line(&hr.id());
                    format!("which database HelmRelease {shown} has is not known")
                })
            });
            not_all = not_all.or(may.map(Why::NotAsked));
            return Listing::new(Vec::new(), not_all);
        }
        let id = id.to_string();
        let own = all.iter().filter(|hr| hr.id() == id).collect();
        Listing::new(own, not_all)
    }

    /// The HelmRelease, where it was seen.
    pub(super) fn live(&self) -> Option<&HelmRelease> {
        self.own().known().first().copied()
    }

    fn lives(&self, id: &str) -> bool {
        self.helm_releases.known().iter().any(|hr| hr.id() == id)
    }

    /// Another HelmRelease that exists.
    fn is_others(&self, id: &str) -> bool {
        let own = self.subject.certain && self.subject.id.to_string() == id;
        !own && self.lives(id)
    }

    /// The releases in Helm's storage that are this onboarding's, or nobody's any more.
    pub(super) fn releases(&self) -> Listing<RemainingRelease> {
        let all = listing(self.ownership.releases_of(self.subject.database.as_str()));
        all.filter(|release| release.onboarding && !self.is_kept_by_others(release))
    }

    /// The releases of the database that stay: other HelmReleases keep them, or they are not an onboarding's.
    pub(super) fn kept_releases(&self) -> Vec<String> {
        let all = self.ownership.releases_of(self.subject.database.as_str());
        let kept = |release: &RemainingRelease| {
            let words = &release.words;
            let live = release.kept_by.iter().find(|id| self.is_others(id));
            match live {
                Some(id) => Some(format!(
                    "{words} stays: HelmRelease {} has it",
                    one_line(id)
                )),
                None if !release.onboarding => {
                    Some(format!("{words} stays: it is not an onboarding's"))
                }
                None => None,
            }
        };
        all.known.iter().filter_map(kept).collect()
    }

    fn is_kept_by_others(&self, release: &RemainingRelease) -> bool {
        release.kept_by.iter().any(|id| self.is_others(id))
    }

    /// The policies that are this onboarding's, or nobody's any more.
    pub(super) fn policies(&self) -> Listing<RemainingPolicy> {
        let all = listing(self.ownership.policies_of(self.subject.database.as_str()));
        all.filter(|policy| {
            !policy
                .made_by
                .as_deref()
                .is_some_and(|id| self.is_others(id))
        })
    }

    /// The policies that are not about one database, of CouchDB's namespace and of the mesh's usual root.
    pub(super) fn policies_of_every_database(&self) -> Vec<EveryPolicy> {
        let namespaces = [self.couchdb_namespace.as_str(), MESH_ROOT];
        self.ownership.policies_of_every_database(namespaces)
    }

    /// What else claims the database, in words.
    pub(super) fn others(&self) -> Vec<String> {
        let database = self.subject.database.as_str();
        let mut others: Vec<String> = Vec::new();
        for claim in self.ownership.verdict(database).claims {
            match &claim.by {
                Claimant::HelmRelease { id, .. } if self.is_others(id) => {
                    others.push(claim.by.words());
                }
                Claimant::Object { .. } => others.push(claim.by.words()),
                // Listed in full below.
                Claimant::HelmRelease { .. }
                | Claimant::Revision { .. }
                | Claimant::Policy { .. } => {}
            }
        }
        let releases = self.ownership.releases_of(database).known;
        let foreign = releases.iter().filter(|r| !r.onboarding);
        others.extend(foreign.map(|r| r.words.clone()));
        let releases = releases.iter().filter(|r| self.is_kept_by_others(r));
        let releases = releases.flat_map(|r| r.kept_by.clone());
        let policies = self.ownership.policies_of(database).known.into_iter();
        let policies = policies.filter_map(|p| p.made_by);
        for id in releases.chain(policies).filter(|id| self.is_others(id)) {
            others.push(format!("HelmRelease {}", one_line(&id)));
        }
        others.sort();
        others.dedup();
        others
    }

    /// The pods that run, or may run, as this account.
    pub(super) fn pods_of(&self, account: &Account) -> Listing<String> {
        let of = |pods: &&Pods| pods.namespace == account.namespace;
        match self.pods.iter().find(of).map(|p| &p.pods) {
            Some(Read::Seen(all)) => {
                let run = all
                    .iter()
                    .filter(|pod| !pod.is_over() && pod.may_be(&account.name));
                Listing::whole(run.map(|pod| pod.meta.id()).collect())
            }
            Some(Read::Unknown(why)) => Listing::new(Vec::new(), Some(why.clone())),
            Some(Read::Absent) | None => {
                let why = Why::NotAsked(format!(
                    "the pods of the namespace {} were not read",
                    account.namespace
                ));
                Listing::new(Vec::new(), Some(why))
            }
        }
    }
}

fn listing<T>(remains: Remains<T>) -> Listing<T> {
    let why = |unread: NotRead| Why::Failed(format!("{}: {}", unread.what, unread.why));
    Listing::new(remains.known, remains.not_all.map(why))
}
