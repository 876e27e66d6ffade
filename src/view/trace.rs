//! The trace of a deletion, as a Kubernetes Event and as a record: who deleted what, when, from where, with which plan, and how it ended.

use crate::couchdb::delete::outcome::Outcome;
use crate::couchdb::delete::plan::Plan;
use crate::text::one_line;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

/// What wrote it.
const CONTROLLER: &str = "kubectl-skvs";
/// Longest message of an Event that every client shows, in bytes.
const MESSAGE_MAX: usize = 1024;

/// Who deletes, from where: the same for a whole run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// As the API server knows them, or as the kubeconfig calls them.
    pub user: String,
    /// The machine that the plugin ran on.
    pub host: String,
    pub context: Option<String>,
    pub server: String,
}

/// One deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    author: Author,
    /// The same in all that is written about it.
    id: String,
    namespace: String,
    pod: String,
    uid: String,
    container: String,
    database: Value,
    name: String,
    plan: String,
    /// What the user took on.
    accepted: Vec<Taken>,
}

/// A risk, or an object that may claim the database, that was taken on by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Taken {
    name: String,
    /// Of an object: its state then.
    resource_version: Option<String>,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Confirmed; the DELETE is sent next.
    Started,
    Ended(End),
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    reason: &'static str,
    outcome: &'static str,
    why: String,
    seen: Vec<String>,
    code: u8,
}

impl From<&Outcome> for End {
    fn from(outcome: &Outcome) -> Self {
        let none = Vec::new;
        let (reason, word, why, seen) = match outcome {
            Outcome::Deleted {
                gone,
                of,
                unread,
                despite,
            } => (
                "DatabaseDeleted",
                "deleted",
                match despite {
                    Some(why) => format!("{gone} of {of} members say that it is gone; {why}"),
                    None => format!("{gone} of {of} members say that it is gone"),
                },
                unread.clone(),
            ),
            Outcome::CameBack { .. } => (
                "DatabaseCameBack",
                "came back",
                "it was deleted, and there is a later database of its name".to_owned(),
                none(),
            ),
            Outcome::AlreadyGone => (
                "DatabaseGoneBefore",
                "gone before",
                "it was gone when the DELETE arrived".to_owned(),
                none(),
            ),
            Outcome::Refused(refusals) => {
                let whys: Vec<String> = refusals.iter().map(ToString::to_string).collect();
                (
                    "DatabaseDeletionRefused",
                    "refused",
                    format!("nothing was deleted: {}", whys.join("; ")),
                    none(),
                )
            }
            Outcome::Incomplete { why, seen, .. } => (
                "DatabaseDeletionIncomplete",
                "incomplete",
                why.clone(),
                seen.clone(),
            ),
            Outcome::Unknown { why, seen, .. } => (
                "DatabaseDeletionUnknown",
                "unknown",
                why.clone(),
                seen.clone(),
            ),
            Outcome::Interrupted => (
                "DatabaseDeletionInterrupted",
                "interrupted",
                "nothing was sent".to_owned(),
                none(),
            ),
        };
        Self {
            reason,
            outcome: word,
            why,
            seen,
            code: outcome.code().number(),
        }
    }
}

impl Deletion {
    /// Of a plan; `id` tells it from every other.
    pub fn new(author: &Author, plan: &Plan, id: String) -> Self {
        let (target, facts) = (plan.target(), plan.facts());
        Self {
            author: author.clone(),
            id,
            namespace: target.namespace.clone(),
            pod: target.pod.clone(),
            uid: target.uid.clone(),
            container: target.container.clone(),
            database: json!({
                "name": plan.name().as_str(),
                "documents": facts.database.doc_count,
                "bytes": facts.database.sizes.file,
                "created": facts.shard_map.epoch().and_then(|e| Some(Timestamp::from_second(e).ok()?.to_string())),
                "instance": one_line(&String::from_utf8_lossy(&facts.shard_map.shard_suffix)),
                "couchdb": {"uuid": one_line(&facts.server.uuid), "version": one_line(&facts.server.version)},
            }),
            name: plan.name().to_string(),
            plan: plan.token().to_string(),
            accepted: taken(plan),
        }
    }

    /// Namespace of the pod, which is the Event's too.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The Event of a stage.
    pub fn event(&self, stage: &Stage, now: Timestamp) -> Value {
        let (reason, kind) = match stage {
            Stage::Started => ("DatabaseDeletionStarted", "Normal"),
            Stage::Ended(end) => match end.outcome {
                "deleted" | "gone before" => (end.reason, "Normal"),
                _ => (end.reason, "Warning"),
            },
        };
        let time = whole_seconds(now);
        let mut pod = self.pod.clone();
        pod.truncate(200);
        let stem = reason.trim_start_matches("Database").to_lowercase();
        json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": format!("{pod}.{}.{stem}", self.id), "namespace": self.namespace},
            "involvedObject": {
                "apiVersion": "v1", "kind": "Pod", "namespace": self.namespace, "name": self.pod, "uid": self.uid,
                "fieldPath": format!("spec.containers{{{}}}", self.container),
            },
            "type": kind,
            "reason": reason,
            "message": self.message(stage),
            "count": 1,
            "firstTimestamp": time,
            "lastTimestamp": time,
            "source": {"component": CONTROLLER, "host": self.author.host},
            "reportingComponent": CONTROLLER,
            "reportingInstance": self.author.host,
        })
    }

    fn message(&self, stage: &Stage) -> String {
        let Author {
            user,
            host,
            context,
            server: _,
        } = &self.author;
        let context = context.as_deref().unwrap_or("<none>");
        let plan = &self.plan;
        let mut by = format!("by {user} from {host}, context {context}, plan {plan}");
        for (at, taken) in self.accepted.iter().enumerate() {
            by.push_str(if at == 0 { ", accepted " } else { " and " });
            by.push_str(&taken.name);
            if let Some(version) = &taken.resource_version {
                by.push_str(" at resourceVersion ");
                by.push_str(version);
            }
        }
        let name = &self.name;
        let text = match stage {
            Stage::Started => format!("deletion of database {name} started {by}"),
            Stage::Ended(end) => format!(
                "deletion of database {name} {by}: {}: {}",
                end.outcome, end.why
            ),
        };
        let mut text = one_line(&text);
        if text.len() > MESSAGE_MAX {
            let mut end = MESSAGE_MAX - 3;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push_str("...");
        }
        text
    }

    /// The record of a stage.
    pub fn record(&self, stage: &Stage, now: Timestamp) -> Value {
        let accepted = self.accepted.iter().map(|taken| {
            let mut accepted = json!({"name": taken.name});
            if let Some(version) = &taken.resource_version {
                accepted["resourceVersion"] = version.as_str().into();
            }
            accepted
        });
        let accepted: Vec<Value> = accepted.collect();
        let mut record = json!({
            "apiVersion": super::description::API_VERSION,
            "kind": "DatabaseDeletionRecord",
            "id": self.id,
            "time": now.to_string(),
            "user": self.author.user,
            "host": self.author.host,
            "context": self.author.context,
            "server": self.author.server,
            "pod": {"namespace": self.namespace, "name": self.pod, "uid": self.uid, "container": self.container},
            "database": self.database,
            "plan": self.plan,
            "accepted": accepted,
        });
        match stage {
            Stage::Started => record["stage"] = "started".into(),
            Stage::Ended(end) => {
                record["stage"] = "ended".into();
                record["outcome"] = end.outcome.into();
                record["why"] = end.why.as_str().into();
                record["seen"] = end.seen.clone().into();
                record["exitCode"] = end.code.into();
            }
        }
        record
    }
}

/// The risks of a plan that are taken on. An acceptance that nothing asked for is none of them.
fn taken(plan: &Plan) -> Vec<Taken> {
    let risks = plan.risks().iter();
    let risks = risks.filter(|risk| plan.accepted().takes(&risk.accept));
    let mut taken: Vec<Taken> = Vec::new();
    for risk in risks {
        let one = Taken {
            name: risk.accept.name().into_owned(),
            resource_version: risk.resource_version.clone(),
        };
        if !taken.contains(&one) {
            taken.push(one);
        }
    }
    taken
}

/// As Kubernetes writes a time.
fn whole_seconds(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::couchdb::delete::plan::{Overrides, plan, tests::facts};
    use crate::couchdb::delete::refusal::Refusal;
    use crate::couchdb::delete::risk::{Acceptance, Accepted, RiskKind};
    use crate::model::ownership::{Mention, Object, Unclaimed};

    fn deletion() -> Deletion {
        let author = Author {
            user: "jane".into(),
            host: "bastion-1".into(),
            context: Some("prod-east".into()),
            server: "https://10.20.0.1:6443/".into(),
        };
        let deletion = Deletion::new(&author, &plan(facts()).unwrap(), "18ab".into());
        Deletion {
            plan: "v1-abc".into(),
            ..deletion
        }
    }

    fn now() -> Timestamp {
        "2026-11-24T04:30:00.5Z".parse().unwrap()
    }

    #[test]
    fn the_event_says_who_deletes_what_from_where() {
        let event = deletion().event(&Stage::Started, now());
        insta::assert_snapshot!(serde_json::to_string_pretty(&event).unwrap(), @r#"
        {
          "apiVersion": "v1",
          "count": 1,
          "firstTimestamp": "2026-11-24T04:30:00Z",
          "involvedObject": {
            "apiVersion": "v1",
            "fieldPath": "spec.containers{couchdb}",
            "kind": "Pod",
            "name": "db-agora-kvs-secure-kvs-agora-couchdb-0",
            "namespace": "secure-kvs",
            "uid": "uid-0"
          },
          "kind": "Event",
          "lastTimestamp": "2026-11-24T04:30:00Z",
          "message": "deletion of database pds_database started by jane from bastion-1, context prod-east, plan v1-abc",
          "metadata": {
            "name": "db-agora-kvs-secure-kvs-agora-couchdb-0.18ab.deletionstarted",
            "namespace": "secure-kvs"
          },
          "reason": "DatabaseDeletionStarted",
          "reportingComponent": "kubectl-skvs",
          "reportingInstance": "bastion-1",
          "source": {
            "component": "kubectl-skvs",
            "host": "bastion-1"
          },
          "type": "Normal"
        }
        "#);
    }

    #[test]
    fn each_outcome_has_its_reason() {
        let seen = || vec!["couchdb@db-2 still has it".to_owned()];
        let outcomes = [
            Outcome::Deleted {
                gone: 3,
                of: 3,
                unread: vec![],
                despite: None,
            },
            Outcome::CameBack { created: None },
            Outcome::AlreadyGone,
            Outcome::Refused(vec![Refusal::ByCouchDb {
                answer: "401 unauthorized".into(),
            }]),
            Outcome::Incomplete {
                why: "CouchDB answered 202".into(),
                seen: seen(),
                files: String::new(),
            },
            Outcome::Unknown {
                answered: false,
                why: "the exec was lost".into(),
                seen: seen(),
            },
            Outcome::Interrupted,
        ];
        let told: Vec<String> = outcomes
            .iter()
            .map(|outcome| {
                let event = deletion().event(&Stage::Ended(outcome.into()), now());
                let text = |key: &str| event[key].as_str().unwrap().to_owned();
                let by = "deletion of database pds_database by jane from bastion-1, context prod-east, plan v1-abc";
                let message = text("message");
                let how = message.strip_prefix(by).unwrap();
                format!("{} {}{how}", text("type"), text("reason"))
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        Normal DatabaseDeleted: deleted: 3 of 3 members say that it is gone
        Warning DatabaseCameBack: came back: it was deleted, and there is a later database of its name
        Normal DatabaseGoneBefore: gone before: it was gone when the DELETE arrived
        Warning DatabaseDeletionRefused: refused: nothing was deleted: CouchDB did not delete it: 401 unauthorized
        Warning DatabaseDeletionIncomplete: incomplete: CouchDB answered 202
        Warning DatabaseDeletionUnknown: unknown: the exec was lost
        Warning DatabaseDeletionInterrupted: interrupted: nothing was sent
        ");
    }

    #[test]
    fn the_record_is_the_same_and_the_outcome() {
        let outcome = Outcome::Unknown {
            answered: true,
            why: "CouchDB answered 500".into(),
            seen: vec!["couchdb@db-2 is down".into()],
        };
        let record = deletion().record(&Stage::Ended((&outcome).into()), now());
        insta::assert_snapshot!(serde_json::to_string_pretty(&record).unwrap(), @r#"
        {
          "accepted": [],
          "apiVersion": "skvs.kubectl.io/v1alpha1",
          "context": "prod-east",
          "database": {
            "bytes": 3100000000,
            "couchdb": {
              "uuid": "5d0a",
              "version": "3.2.2"
            },
            "created": "2024-03-01T00:00:00Z",
            "documents": 1204311,
            "instance": ".1709251200",
            "name": "pds_database"
          },
          "exitCode": 5,
          "host": "bastion-1",
          "id": "18ab",
          "kind": "DatabaseDeletionRecord",
          "outcome": "unknown",
          "plan": "v1-abc",
          "pod": {
            "container": "couchdb",
            "name": "db-agora-kvs-secure-kvs-agora-couchdb-0",
            "namespace": "secure-kvs",
            "uid": "uid-0"
          },
          "seen": [
            "couchdb@db-2 is down"
          ],
          "server": "https://10.20.0.1:6443/",
          "stage": "ended",
          "time": "2026-11-24T04:30:00.5Z",
          "user": "jane",
          "why": "CouchDB answered 500"
        }
        "#);
        let started = deletion().record(&Stage::Started, now());
        assert_eq!(started["stage"], "started");
        assert_eq!(started["id"], record["id"]);
    }

    #[test]
    fn what_was_taken_on_is_in_both_with_its_state() {
        let mut facts = facts();
        let object = Object {
            kind: "helm-release".to_owned(),
            namespace: "apps".to_owned(),
            name: "shop".to_owned(),
            resource_version: "77".to_owned(),
            generation: None,
        };
        let name = object.accept();
        let mention = Mention::example(object, "mentions it");
        facts.unclaimed = Unclaimed::example(1, Vec::new(), vec![mention]);
        let accepted = [Acceptance::Object(name), RiskKind::Tasks.into()];
        let overrides = Overrides {
            accepted: Accepted::new(accepted),
            token: None,
        };
        let plan = plan(facts).unwrap().under(overrides);
        let deletion = Deletion::new(&deletion().author, &plan, "18ab".into());
        let record = deletion.record(&Stage::Started, now());
        assert_eq!(
            record["accepted"],
            json!([{"name": "helm-release/apps/shop", "resourceVersion": "77"}])
        );
        let event = deletion.event(&Stage::Started, now());
        let message = event["message"].as_str().unwrap();
        assert!(
            message.ends_with(", accepted helm-release/apps/shop at resourceVersion 77"),
            "{message}"
        );
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let outcome = Outcome::Unknown {
            answered: true,
            why: "ü".repeat(2000),
            seen: vec![],
        };
        let event = deletion().event(&Stage::Ended((&outcome).into()), now());
        let message = event["message"].as_str().unwrap();
        assert!(message.len() <= MESSAGE_MAX && message.ends_with("ü..."));
    }
}
