//! One onboarding in full, as `describe` tells it: the value that `-o json` and `-o yaml` print.
//!
//! Every part that could not be read says so in its place (`{"notRead": "…"}`), one that does not exist is null. Field names
//! are stable within [`API_VERSION`]; times are RFC 3339; the HelmRelease is in it as the server sent it.

mod chart;
mod history;
mod job;

use crate::model::condition::Condition;
use crate::model::event::Event;
use crate::model::field::{Field, Meta};
use crate::model::helm_release::HelmRelease;
use crate::model::notes::Notes;
use crate::model::onboarding::{Claim, Values};
use crate::model::ownership::HelmReleases;
use crate::model::policy as model;
use crate::model::status;
use crate::model::suspension;
use crate::snapshot::{IfRead, Read, Snapshot, Why};
use serde::Serialize;
use serde_json::Value;

pub use chart::Chart;
pub use history::History;
pub use job::{Job, Pod};

/// Version of the JSON form; what is told keeps its name and meaning within it.
pub const API_VERSION: &str = "skvs.kubectl.io/v1alpha1";
/// Kind of the JSON form.
pub const KIND: &str = "OnboardingDescription";

/// Everything `describe` tells.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    pub api_version: &'static str,
    pub kind: &'static str,
    pub name: String,
    pub namespace: String,
    pub database: Database,
    pub endpoint: Read<Endpoint>,
    /// The runbook's four values as the spec gives them.
    pub values: Values,
    /// Which of them `valuesFrom` may bring: they are not set inline, and it is not read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values_not_read: Vec<&'static str>,
    /// The accounts that are to be let in, as `namespace/name`.
    pub service_accounts: Vec<String>,
    pub status: Status,
    pub chart: Chart,
    pub release: Read<Release>,
    pub target_namespace: Read<TargetNamespace>,
    /// `namespace/name` of the ServiceAccount that Flux acts as.
    pub impersonates: Read<String>,
    pub policy: Read<Policy>,
    pub depends_on: Vec<Dependency>,
    /// Other onboardings that claim the same database, as `namespace/name`.
    pub also_claimed_by: Read<Vec<String>>,
    /// Others that may claim it: their values come from references that are not read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maybe_claimed_by: Vec<String>,
    /// Set where only this namespace could be looked at for other claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims_elsewhere_not_read: Option<String>,
    pub updates: Updates,
    pub conditions: Vec<Condition>,
    pub history: History,
    pub creation_job: Read<Job>,
    /// The creation Job that is named and no longer there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_job: Option<job::Lost>,
    pub events: Read<Vec<Event>>,
    /// Set where these are not all: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_not_read: Option<String>,
    /// The HelmRelease as the server sent it, its whole status included.
    pub helm_release: Value,
}

/// The database, by the best source there is.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    pub name: Option<String>,
    /// `release notes`, `values of the release` or `spec.values`.
    pub from: &'static str,
    /// What other sources say instead.
    pub differs: Vec<String>,
}

/// Where the database is reached.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    pub url: String,
    /// True through Steelcouch, false for CouchDB itself.
    pub encrypted: bool,
    /// Revision whose notes say so.
    pub revision: i64,
    pub differs: Vec<String>,
}

/// How the onboarding is.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// `True`, `False` or `Unknown`.
    pub ready: &'static str,
    /// One line: what is wrong, or what is installed.
    pub text: String,
    /// The status was written for an older spec.
    pub stale: bool,
    pub suspended: bool,
    /// Who suspended it, as `suspend` recorded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspension: Option<Suspension>,
    /// Since when Ready has its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// The record of a suspension.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Suspension {
    pub by: String,
    pub at: Option<String>,
    pub reason: String,
    /// The spec has not changed since.
    pub current: bool,
    /// All of it but the time, in one line.
    #[serde(skip)]
    pub words: String,
}

/// Helm's newest revision.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    pub name: String,
    pub revision: i64,
    pub status: String,
    pub description: String,
    /// `namespace/name` of the Secret it is in.
    pub secret: Option<String>,
}

/// The namespace that the release is installed into.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetNamespace {
    pub phase: String,
}

/// The policy that lets the service accounts in.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// `namespace/name`.
    pub id: String,
    /// Accounts it lets in, as `namespace/name`.
    pub lets_in: Vec<String>,
    /// Accounts that the spec names and it does not let in.
    pub missing: Vec<String>,
}

/// A HelmRelease that must be ready first.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dependency {
    pub id: String,
    /// What its Ready condition says.
    pub ready: Read<&'static str>,
}

/// What the runbook lets one change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Updates {
    pub allowed: &'static [&'static str],
    pub never: &'static [&'static str],
    pub avoid: &'static [&'static str],
}

impl Updates {
    /// The runbook's rule: the database is made at installation only.
    pub const INSTALLED: Self = Self {
        allowed: &["serviceAccounts"],
        never: &["namespace", "database"],
        avoid: &["encryption"],
    };
    /// Before it, nothing hangs on the values.
    pub const FREE: Self = Self {
        allowed: &["serviceAccounts", "namespace", "database", "encryption"],
        never: &[],
        avoid: &[],
    };

    fn allowed_for(snapshot: &Snapshot) -> Self {
        if nothing_was_installed(snapshot) {
            Self::FREE
        } else {
            Self::INSTALLED
        }
    }

    /// Whether every value may be changed.
    pub fn is_free(&self) -> bool {
        self.never.is_empty()
    }
}

/// Whether it is certain that no revision was ever deployed and that the creation Job, as far as it is known, has made no
/// database.
fn nothing_was_installed(snapshot: &Snapshot) -> bool {
    let hr = snapshot.helm_release();
    let unmade = |status: &str| ["failed", "pending-install"].contains(&status);
    let none_deployed = match snapshot.revisions() {
        Ok(Some(revisions)) => revisions.iter().all(|r| unmade(&r.status)),
        Ok(None) => true,
        Err(_) => false,
    };
    let has_run = match (snapshot.creation_job(), snapshot.release()) {
        (Ok(Some(found)), _) => {
            let state = Job::describe(found, &hr.id()).state;
            let other = match found.of_database() {
                Ok(Some(job)) => job.is_complete() != Some(false) || job.goes_on(),
                Ok(None) => false,
                Err(unread) => !unread.is_not_needed(),
            };
            other || ["Complete", "Running", "Unknown"].contains(&state)
        }
        (_, Ok(Some(release))) => {
            let mut runs = release.hooks.iter().filter_map(|h| h.last_run.as_ref());
            runs.any(|run| run.phase == "Succeeded")
        }
        // Where no release was made there was no Job either.
        (_, Ok(None)) => false,
        (_, Err(_)) => true,
    };
    none_deployed
        && !has_run
        && hr.status.history.iter().all(|h| unmade(&h.status))
        // Old controllers keep no history, and a failed upgrade can have taken the release away.
        && hr.status.last_applied_revision.is_none()
        && hr.status.upgrade_failures == 0
        && status::shown(hr) != status::Ready::True
}

impl Description {
    /// Tells what was read. `not_elsewhere`: why claims of other namespaces could not be read, where that is so.
    pub fn new(snapshot: Snapshot, not_elsewhere: Option<&Why>) -> Self {
        let hr = snapshot.helm_release();
        let headline = status::headline(hr);
        let mut helm_release = snapshot.object().clone();
        super::object_list::drop_managed_fields(&mut helm_release);
        let release = snapshot.release().if_read();
        let revision = release.map_or(0, |r| r.version);
        // Each section that is taken from the notes says where the release was not read.
        let notes = release
            .map(|r| Notes::parse(&r.info.notes))
            .unwrap_or_default();
        let (also_claimed_by, maybe_claimed_by) = rivals(&snapshot);
        Self {
            api_version: API_VERSION,
            kind: KIND,
            name: hr.metadata.name.clone(),
            namespace: hr.metadata.namespace.clone(),
            database: database(&snapshot, &notes),
            endpoint: endpoint(&snapshot, notes, revision),
            values: hr.values(),
            values_not_read: ["namespace", "database", "serviceAccounts", "encryption"]
                .into_iter()
                .filter(|key| hr.is_unread(key))
                .collect(),
            service_accounts: hr.values().accounts(),
            status: Status {
                ready: headline.ready.word(),
                text: headline.text,
                stale: headline.stale,
                suspended: hr.spec.suspend,
                suspension: suspension::Suspension::from_release(hr).map(|s| Suspension {
                    by: s.by.to_owned(),
                    at: s.at.map(str::to_owned),
                    reason: s.reason.to_owned(),
                    current: s.is_current,
                    words: s.words(),
                }),
                since: hr
                    .status
                    .conditions
                    .shown_of("Ready")
                    .and_then(|c| c.last_transition_time.clone()),
            },
            chart: Chart::describe(&snapshot),
            release: Read::from(snapshot.release()).map(|release| Release {
                name: release.name.clone(),
                revision: release.version,
                status: release.info.status.clone(),
                description: release.info.description.clone(),
                secret: snapshot.release_secret().map(str::to_owned),
            }),
            target_namespace: Read::from(snapshot.target_namespace()).and_then(|namespace| {
                let phase = match &namespace.phase {
                    Field::Set(phase) => phase.clone(),
                    Field::Absent => "Active".to_owned(),
                    Field::Malformed => return malformed(&namespace.meta),
                };
                Read::Seen(TargetNamespace { phase })
            }),
            impersonates: Read::from(snapshot.service_account()).map(Meta::id),
            policy: Read::from(snapshot.policy()).and_then(|p| policy(p, hr)),
            depends_on: snapshot
                .dependencies()
                .iter()
                .map(|d| Dependency {
                    id: d.id.clone(),
                    ready: Read::from(d.helm_release()).map(|hr| status::shown(hr).word()),
                })
                .collect(),
            also_claimed_by,
            maybe_claimed_by,
            claims_elsewhere_not_read: not_elsewhere.map(Why::clause),
            updates: Updates::allowed_for(&snapshot),
            conditions: hr.status.conditions.shown().to_vec(),
            history: History::describe(&snapshot),
            creation_job: Read::from(snapshot.creation_job())
                .map(|job| Job::describe(job, &snapshot.helm_release().id())),
            lost_job: snapshot.lost_job().map(job::Lost::describe),
            events: job::events(snapshot.events()),
            events_not_read: job::not_all(snapshot.events()),
            helm_release,
        }
    }
}

/// A part with a malformed field that the description needs.
fn malformed<T>(meta: &Meta) -> Read<T> {
    let fields = meta.malformed.join(", ");
    Read::Unknown(Why::Broken(format!("malformed: {fields}")))
}

fn database(snapshot: &Snapshot, notes: &Notes) -> Database {
    let joined = |claim: Claim| claim.joined().map(str::to_owned);
    // "from spec.values" says that the release, which would come first, was not there to be read.
    let release = snapshot.release().if_read();
    let sources = [
        ("release notes", notes.database.clone()),
        (
            "values of the release",
            release.and_then(|r| joined(Values::parse(&r.config).claim())),
        ),
        ("spec.values", joined(snapshot.helm_release().claim())),
    ];
    let mut known = sources
        .into_iter()
        .filter_map(|(from, name)| Some((from, name?)));
    let Some((from, name)) = known.next() else {
        return Database {
            name: None,
            from: "spec.values",
            differs: Vec::new(),
        };
    };
    let differs = known
        .filter(|(_, other)| *other != name)
        .map(|(from, other)| format!("{from} say {other}"))
        .collect();
    Database {
        name: Some(name),
        from,
        differs,
    }
}

fn endpoint(snapshot: &Snapshot, notes: Notes, revision: i64) -> Read<Endpoint> {
    match (Read::from(snapshot.release()), notes.endpoint) {
        (Read::Unknown(why), _) => Read::Unknown(why),
        (Read::Absent, _) => Read::Absent,
        (Read::Seen(_), None) => Read::not_asked("the release notes name no endpoint"),
        (Read::Seen(_), Some(url)) => {
            let encrypted = is_steelcouch(&url);
            let hr = snapshot.helm_release();
            // The chart's default is true.
            let wanted = hr.values().encryption.unwrap_or(true);
            Read::Seen(Endpoint {
                differs: if encrypted == wanted || hr.is_unread("encryption") {
                    Vec::new()
                } else {
                    vec![format!("spec.values.encryption is {wanted}")]
                },
                url,
                encrypted,
                revision,
            })
        }
    }
}

/// Whether an endpoint is the encryption proxy.
pub fn is_steelcouch(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    host.starts_with("steelcouch")
}

fn policy(policy: &model::Policy, hr: &HelmRelease) -> Read<Policy> {
    let (principals, is_closed) = match policy.principals() {
        Field::Set(principals) => (principals, true),
        // It does not go by accounts.
        Field::Absent => (Vec::new(), false),
        Field::Malformed => return malformed(&policy.meta),
    };
    let lets_in: Vec<String> = principals.into_iter().map(account).collect();
    let accounts = hr.values().accounts().into_iter();
    let missing = accounts.filter(|a| is_closed && !lets_in.contains(a));
    Read::Seen(Policy {
        id: policy.meta.id(),
        missing: missing.collect(),
        lets_in,
    })
}

/// `cluster.local/ns/pds/sa/reader` as `pds/reader`; anything else as it is.
fn account(principal: &str) -> String {
    let parts: Vec<&str> = principal.split('/').collect();
    match parts[..] {
        [_, "ns", namespace, "sa", name] => format!("{namespace}/{name}"),
        _ => principal.to_owned(),
    }
}

/// The others that claim the same database, and those that may.
fn rivals(snapshot: &Snapshot) -> (Read<Vec<String>>, Vec<String>) {
    let hr = snapshot.helm_release();
    if let Claim::Unresolved(from) = hr.claim() {
        let why = match from.is_empty() {
            true => "the bundle holds only a part of its own values",
            false => "its own values come from references that are not read",
        };
        return (Read::not_asked(why), Vec::new());
    }
    let claims = Read::from(snapshot.others()).map(HelmReleases::of_onboardings);
    // Beside the first list, which says that they were not read.
    let perhaps = claims.if_read().map(|c| c.perhaps_rivals(hr));
    (claims.map(|c| c.rivals(hr)), perhaps.unwrap_or_default())
}
