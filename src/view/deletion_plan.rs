//! What `delete-db --dry-run -o json|yaml` prints: a plan of a deletion, with its token.
//!
//! All text in it is clean. What could not be read has a field of its own that says why, and is never false or zero.

use super::description::API_VERSION;
use crate::couchdb::delete::facts::{Facts, Member};
use crate::couchdb::delete::plan::Plan;
use crate::couchdb::delete::work::{self, Role};
use crate::text::one_line;
use k8s_openapi::jiff::Timestamp;
use serde::Serialize;

const KIND: &str = "DeletionPlan";
const LIST: &str = "DeletionPlanList";

/// One plan.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeletionPlan {
    pub api_version: &'static str,
    pub kind: &'static str,
    /// The value for --plan: valid until something shown here changes, except figures that change on their own.
    pub token: String,
    /// The kubeconfig's context; null without one.
    pub context: Option<String>,
    /// The API server's URL.
    pub server: String,
    pub database: Database,
    pub couchdb: CouchDb,
    pub replications: Vec<Replication>,
    pub tasks: Vec<Task>,
    pub claims: Claims,
    /// The risks of the deletion, which is refused until each is accepted.
    pub risks: Vec<Risk>,
}

/// The database.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Database {
    pub name: String,
    /// RFC 3339; null if the shard map does not have it.
    pub created: Option<String>,
    /// Design documents included.
    pub documents: u64,
    pub deleted_documents: Option<u64>,
    /// The number of the update sequence, without its opaque part.
    pub update_sequence: Option<u64>,
    /// The number of the purge sequence.
    pub purge_sequence: Option<u64>,
    pub sizes: Sizes,
    /// Revision of its entry in the shard map.
    pub shard_map_revision: String,
}

/// Bytes of one copy.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Sizes {
    /// On disk.
    pub file: u64,
    /// The part in use.
    pub active: Option<u64>,
    /// Of the documents before compression.
    pub external: Option<u64>,
}

/// The server.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CouchDb {
    pub version: String,
    pub uuid: String,
    pub namespace: String,
    /// The pod and container that are asked.
    pub pod: String,
    pub container: String,
    pub pods: Vec<Pod>,
    pub members: Vec<ClusterMember>,
}

/// One pod of CouchDB's cluster.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Pod {
    pub name: String,
    pub uid: String,
    pub ready: bool,
}

/// One member of CouchDB's cluster, or a node that only the database's shard map names. A field that is left out could not be read: notRead says why.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClusterMember {
    pub name: String,
    /// It is connected to the others and has the database.
    pub up: bool,
    /// maintenance_mode, false where it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<String>,
    /// It keeps the files of deleted databases (enable_database_recovery).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keeps_deleted_files: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_read: Vec<String>,
}

/// One replication that touches the database.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Replication {
    pub id: Option<String>,
    /// DATABASE/ID of the document that asks for it.
    pub document: Option<String>,
    pub state: String,
    /// The database's part in it: target, source, or notTold.
    pub role: &'static str,
    /// Without credentials.
    pub source: Option<String>,
    pub target: Option<String>,
}

/// One task that works on it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Task {
    #[serde(rename = "type")]
    pub kind: String,
    pub member: Option<String>,
}

/// Everything that was checked; none of it claims the database.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    /// HelmReleases of all namespaces.
    pub helm_releases: usize,
    /// Helm's revisions of the onboarding chart.
    pub revisions: usize,
    /// AuthorizationPolicies with paths that name databases; null where they are not served.
    pub authorization_policies: Option<usize>,
    /// Objects of the service's operator; null where they are not served.
    pub database_objects: Option<usize>,
    /// Who claimed it last, newest evidence first; empty: not known.
    pub last: Vec<LastClaim>,
    /// Why the events, which could show it, could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_not_read: Option<String>,
}

/// One word on who claimed it last.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LastClaim {
    pub by: String,
    /// The source: history (Helm's) or event.
    pub evidence: &'static str,
    /// RFC 3339.
    pub at: Option<String>,
}

/// One risk.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Risk {
    /// The value for --accept.
    pub name: String,
    /// Of an object that may claim the database: its state when the plan was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
    pub message: String,
    pub accepted: bool,
}

/// The plans of several databases; one that is refused outright has none.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeletionPlanList<'a> {
    pub api_version: &'static str,
    pub kind: &'static str,
    pub items: &'a [DeletionPlan],
}

impl<'a> DeletionPlanList<'a> {
    pub fn new(items: &'a [DeletionPlan]) -> Self {
        Self {
            api_version: API_VERSION,
            kind: LIST,
            items,
        }
    }
}

impl DeletionPlan {
    /// The plan, made in this context on this API server.
    pub fn new(plan: &Plan, context: Option<&str>, server: &str) -> Self {
        let facts = plan.facts();
        let risks = plan.risks().iter().map(|risk| Risk {
            name: risk.accept.name().into_owned(),
            resource_version: risk.resource_version.clone(),
            message: risk.what.clone(),
            accepted: plan.accepted().takes(&risk.accept),
        });
        Self {
            api_version: API_VERSION,
            kind: KIND,
            token: plan.token().to_string(),
            context: context.map(one_line),
            server: one_line(server.trim_end_matches('/')),
            database: database(facts),
            couchdb: couchdb(facts),
            replications: facts.work.replications.iter().map(replication).collect(),
            tasks: facts
                .work
                .tasks
                .iter()
                .map(|task| Task {
                    kind: task.kind.clone(),
                    member: task.member.clone(),
                })
                .collect(),
            claims: claims(facts),
            risks: risks.collect(),
        }
    }
}

fn database(facts: &Facts) -> Database {
    let info = &facts.database;
    let created = facts.shard_map.epoch();
    Database {
        name: facts.name.to_string(),
        created: created
            .and_then(|epoch| Timestamp::from_second(epoch).ok())
            .map(|t| t.to_string()),
        documents: info.doc_count,
        deleted_documents: info.doc_del_count,
        update_sequence: info.update_seq.as_ref().map(|s| s.number),
        purge_sequence: info.purge_seq.as_ref().map(|s| s.number),
        sizes: Sizes {
            file: info.sizes.file,
            active: info.sizes.active,
            external: info.sizes.external,
        },
        shard_map_revision: one_line(&facts.shard_map.rev),
    }
}

fn couchdb(facts: &Facts) -> CouchDb {
    let members = facts.members.iter().map(|(name, view)| {
        let settings = facts.settings_of(name);
        let mut not_read = Vec::new();
        let mut note = |what: &str, why: &str| not_read.push(format!("{what}: {}", one_line(why)));
        let maintenance = settings.map(|s| &s.maintenance);
        let recovery = settings.map(|s| &s.recovery);
        if let Some(Err(why)) = maintenance {
            note("maintenance", why);
        }
        if let Some(Err(why)) = recovery {
            note("keepsDeletedFiles", why);
        }
        ClusterMember {
            name: one_line(name),
            up: matches!(view, Member::Has(_)) && facts.doubt(name).is_none(),
            maintenance: maintenance
                .and_then(|m| m.as_ref().ok())
                .map(|mode| mode.clone().unwrap_or_else(|| "false".to_owned())),
            keeps_deleted_files: recovery.and_then(|r| r.as_ref().ok()).copied(),
            not_read,
        }
    });
    CouchDb {
        version: one_line(&facts.server.version),
        uuid: one_line(&facts.server.uuid),
        namespace: facts.target.namespace.clone(),
        pod: facts.target.pod.clone(),
        container: facts.target.container.clone(),
        pods: facts
            .pods
            .iter()
            .map(|pod| Pod {
                name: pod.name.clone(),
                uid: pod.uid.clone(),
                ready: pod.ready,
            })
            .collect(),
        members: members.collect(),
    }
}

fn replication(of: &work::Replication) -> Replication {
    Replication {
        id: of.id.clone(),
        document: of.document.clone(),
        state: of.state.clone(),
        role: match of.role {
            Role::Target => "target",
            Role::Source => "source",
            Role::NotTold => "notTold",
        },
        source: of.source.clone(),
        target: of.target.clone(),
    }
}

fn claims(facts: &Facts) -> Claims {
    let looked = facts.unclaimed.looked_at();
    let histories = facts.unclaimed.past().iter().map(|past| LastClaim {
        by: past.by.clone(),
        evidence: "history",
        at: past.at.as_deref().map(one_line),
    });
    let event = facts.last_claim.event.as_ref();
    let events = event.ok().and_then(Option::as_ref).map(|event| LastClaim {
        by: event.by.clone(),
        evidence: "event",
        at: event.at.clone(),
    });
    Claims {
        helm_releases: looked.helm_releases,
        revisions: looked.revisions,
        authorization_policies: looked.policies,
        database_objects: looked.database_objects,
        last: events.into_iter().chain(histories).collect(),
        events_not_read: event.err().map(|why| one_line(why)),
    }
}

#[cfg(test)]
mod tests;
