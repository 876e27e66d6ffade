//! What was read of a cluster, each part seen, seen to be absent, or not known and why.
//!
//! The diagnosis and the views work on these values alone: they never ask a cluster. Forbidden is never "none".

mod accessors;
pub mod databases;
mod listing;
mod on_demand;
pub mod part;
mod related;
mod surroundings;
mod unread;

pub use listing::Listing;
pub use on_demand::{Controllers, CouchPods, CouchService, LogEnd, OnDemand, ServingPod};
pub use related::{Claimed, OwnerSet, Related, WaitedClaim};
pub use surroundings::{Mesh, NetworkPolicies, Nodes, Webhook};
pub use unread::{Checked, IfRead, Part, Unread, why_not_all};

use crate::advice::Origin;
use crate::model::event::Event;
use crate::model::field::Meta;
use crate::model::helm_release::HelmRelease;
use crate::model::helm_storage::{Release, Revision};
use crate::model::job::Job;
use crate::model::namespace::Namespace;
use crate::model::pod::Pod;
use crate::model::policy::Policy;
use crate::model::source::Source;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::sync::Arc;

/// Why a part was not seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "detail")]
pub enum Why {
    /// The API server refused; what would be needed: `list events in flux-system`.
    Forbidden(String),
    /// No answer, a broken connection, an error of the server.
    Failed(String),
    /// It was read and is not what it should be: a Secret that cannot be decoded.
    Broken(String),
    /// It was left out, or nothing says where to look. Says what is missing.
    NotAsked(String),
    /// Nothing that was read gives a reason to look. A check that would use it has nothing to judge.
    NotNeeded(String),
}

impl Why {
    /// A clause for a section's place: `forbidden (list events in flux-system)`.
    pub fn clause(&self) -> String {
        match self {
            Why::Forbidden(what) => format!("forbidden ({what})"),
            Why::Failed(what) | Why::Broken(what) | Why::NotAsked(what) | Why::NotNeeded(what) => {
                what.clone()
            }
        }
    }
}

/// One part of what was to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read<T> {
    Seen(T),
    /// The server says that it does not exist.
    Absent,
    /// Not known.
    Unknown(Why),
}

impl<T> Read<T> {
    /// Nothing to ask for.
    pub fn not_asked(why: impl Into<String>) -> Self {
        Read::Unknown(Why::NotAsked(why.into()))
    }

    /// Nothing that was read gives a reason to look.
    pub fn not_needed(why: impl Into<String>) -> Self {
        Read::Unknown(Why::NotNeeded(why.into()))
    }

    /// No answer that tells.
    pub fn failed(why: impl Into<String>) -> Self {
        Read::Unknown(Why::Failed(why.into()))
    }

    /// The value to be changed, if it was seen.
    #[cfg(test)]
    pub fn seen_mut(&mut self) -> Option<&mut T> {
        match self {
            Read::Seen(value) => Some(value),
            _ => None,
        }
    }

    /// Seen to be absent: not the same as unknown.
    pub fn is_absent(&self) -> bool {
        matches!(self, Read::Absent)
    }

    /// Why it is not known.
    pub fn unknown(&self) -> Option<&Why> {
        match self {
            Read::Unknown(why) => Some(why),
            _ => None,
        }
    }

    /// The same, borrowed.
    pub fn as_ref(&self) -> Read<&T> {
        match self {
            Read::Seen(value) => Read::Seen(value),
            Read::Absent => Read::Absent,
            Read::Unknown(why) => Read::Unknown(why.clone()),
        }
    }

    /// The same with another value, which may not be known.
    pub fn and_then<U>(self, f: impl FnOnce(T) -> Read<U>) -> Read<U> {
        match self {
            Read::Seen(value) => f(value),
            Read::Absent => Read::Absent,
            Read::Unknown(why) => Read::Unknown(why),
        }
    }

    /// The same with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Read<U> {
        match self {
            Read::Seen(value) => Read::Seen(f(value)),
            Read::Absent => Read::Absent,
            Read::Unknown(why) => Read::Unknown(why),
        }
    }
}

impl<T: Serialize> Serialize for Read<T> {
    /// The value itself when seen, null when absent, `{"notRead": …}` when unknown.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        match self {
            Read::Seen(value) => value.serialize(serializer),
            Read::Absent => serializer.serialize_none(),
            Read::Unknown(why) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("notRead", &why.clause())?;
                map.end()
            }
        }
    }
}

/// Events about something, newest last.
pub type Events = Listing<Event>;

/// A pod that a Job made, with the end of its log.
#[derive(Clone, Debug)]
pub struct JobPod {
    pub pod: Pod,
    /// The last lines of the log of each container that has run, by container name.
    pub logs: Vec<(String, Part<String>)>,
}

impl JobPod {
    /// The termination messages and the logs of its containers, as far as they were read. For a container that never ran the message is the
    /// runtime's.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let containers = self.pod.containers.known.iter();
        let ended = containers.filter_map(|container| container.ended_badly());
        let messages = ended
            .filter(|end| end.has_run())
            .map(|end| end.message.as_str());
        let logs = self.logs.iter().filter_map(|(_, log)| log.if_read());
        messages.chain(logs.map(String::as_str))
    }

    /// The end of the log of each container that has run, by the container's name.
    pub fn logs(&self) -> impl Iterator<Item = (&str, Checked<Option<&String>>)> {
        let all = self.logs.iter();
        all.map(|(name, log)| (name.as_str(), log.checked(&part::log(name))))
    }

    /// The end of the log of that container; `None` where nothing asked for it.
    pub fn log(&self, container: &str) -> Option<Checked<Option<&String>>> {
        let mut all = self.logs();
        all.find(|(name, _)| *name == container).map(|(_, log)| log)
    }
}

/// The hook Job that creates the database, and what it made.
#[derive(Clone, Debug)]
pub struct CreationJob {
    pub job: Job,
    /// Its pods, newest first.
    pub pods: Part<Listing<JobPod>>,
    /// Its events and those of its pods.
    pub events: Part<Events>,
    /// The Job that is named after the database, where that is another one.
    pub of_database: Part<Job>,
}

impl CreationJob {
    /// Its pods, newest first.
    pub fn pods(&self) -> Checked<Option<&Listing<JobPod>>> {
        self.pods.checked(part::JOB_PODS)
    }

    /// Its events and those of its pods.
    pub fn events(&self) -> Checked<Option<&Events>> {
        self.events.checked(part::JOB_EVENTS)
    }

    /// The Job that is named after the database, where that is another one.
    pub fn of_database(&self) -> Checked<Option<&Job>> {
        self.of_database.checked(part::OTHER_JOB)
    }
}

/// A Job that something names and that does not exist: Helm's delete policy or a TTL removed it.
#[derive(Clone, Debug)]
pub struct LostJob {
    pub namespace: String,
    pub name: String,
    /// What its events still tell.
    pub events: Part<Events>,
}

impl LostJob {
    /// What its events still say.
    pub fn events(&self) -> Checked<Option<&Events>> {
        self.events.checked(&part::events_of_job(&self.name))
    }
}

/// What was read of one onboarding, to be made a [`Snapshot`]: it does not compile with a part left out.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The cluster that it was read of.
    pub origin: Origin,
    /// The HelmRelease as the server sent it.
    pub object: Value,
    /// The same, typed.
    pub helm_release: HelmRelease,
    /// The HelmChart (or the chartRef's object).
    pub chart: Read<Source>,
    /// The chart's source: HelmRepository, GitRepository, Bucket.
    pub source: Read<Source>,
    /// Helm's revisions, newest first.
    pub revisions: Read<Vec<Revision>>,
    /// The newest revision, decoded.
    pub release: Read<Release>,
    /// The oldest revision that is stored, decoded, where it is not the newest: what the installation did.
    pub first_release: Read<Release>,
    /// `namespace/name` of the Secret that `release` was read from, or was looked for in.
    pub release_secret: Option<String>,
    /// The creation Job named by the release's hooks, by the failure or by its labels.
    pub creation_job: Read<CreationJob>,
    /// Set where `creation_job` is absent: which one it was.
    pub lost_job: Option<LostJob>,
    /// The Job that Helm waited for and that was gone when Helm looked at it.
    pub gone_job: Option<LostJob>,
    /// Events of the HelmRelease.
    pub events: Read<Events>,
    /// The target Namespace.
    pub target_namespace: Read<Namespace>,
    /// The ServiceAccount that Flux impersonates.
    pub service_account: Read<Meta>,
    /// The AuthorizationPolicy that lets the service accounts in, named by the status's inventory or the release's manifest.
    pub policy: Read<Policy>,
    /// What `spec.dependsOn` names, in its order.
    pub dependencies: Vec<Dependency>,
    /// All onboardings of all namespaces (or, where that is forbidden, of this one), this one among them: for shared
    /// databases. Read once for all snapshots of a run.
    pub others: Arc<Read<Vec<HelmRelease>>>,
    /// Set where `others` are those of this onboarding's namespace only: why the other namespaces were not read.
    pub not_elsewhere: Option<Why>,
    /// What was read beyond this, where a check asked for it.
    pub on_demand: OnDemand,
}

/// Everything that was read of one onboarding. Private: a part is reached by its accessor only (`snapshot/accessors.rs`), which keeps what
/// is absent and what was not read apart.
#[derive(Clone, Debug)]
pub struct Snapshot {
    parts: Parts,
}

/// One entry of `spec.dependsOn`.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// `namespace/name`.
    pub id: String,
    /// The HelmRelease that it names.
    pub helm_release: Part<HelmRelease>,
}

impl Dependency {
    /// The HelmRelease that it names.
    pub fn helm_release(&self) -> Checked<Option<&HelmRelease>> {
        self.helm_release.checked(&part::dependency(&self.id))
    }
}
