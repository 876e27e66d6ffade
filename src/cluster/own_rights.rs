//! Which rights the user of this connection has: asked of the API server, which makes no object of the questions.
//!
//! One review of the rules in each namespace (SelfSubjectRulesReview) answers most. What it leaves open, and what is not limited to a
//! namespace, is asked right by right (SelfSubjectAccessReview). Only the API server's own "allowed" counts as one.

use super::{Cluster, ClusterError};
use crate::bundle::request::Accept;
use crate::model::right::{On, OwnRules, Right};
use crate::snapshot::Why;
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const GROUP_VERSION: &str = "authorization.k8s.io/v1";
/// Reviews that are sent at once.
const AT_ONCE: usize = 16;

/// Whether the user has a right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    Allowed,
    Denied,
    /// It was not asked or not answered.
    Unknown(Why),
}

/// An answer with its status.
#[derive(Deserialize)]
struct Answered<T> {
    status: T,
}

/// The status of a SelfSubjectAccessReview.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    allowed: bool,
    #[serde(default)]
    denied: bool,
    #[serde(default)]
    evaluation_error: String,
}

impl From<Verdict> for Held {
    /// With an error, what is not allowed might be otherwise.
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict { allowed: true, .. } => Held::Allowed,
            Verdict { denied: true, .. } => Held::Denied,
            Verdict {
                evaluation_error, ..
            } if !evaluation_error.is_empty() => Held::Unknown(Why::Failed(evaluation_error)),
            Verdict { .. } => Held::Denied,
        }
    }
}

impl Cluster {
    /// Whether the user has each of these rights.
    pub async fn own_rights(&self, rights: &BTreeSet<Right>) -> BTreeMap<Right, Held> {
        let mut by_namespace: BTreeMap<Option<&str>, Vec<&Right>> = BTreeMap::new();
        for right in rights {
            by_namespace
                .entry(right.namespace())
                .or_default()
                .push(right);
        }
        let all = by_namespace
            .into_iter()
            .map(|(namespace, rights)| async move {
                let rules = match namespace {
                    // A single right costs one question, as a review of all rules does.
                    Some(namespace) if rights.len() > 1 => self.own_rules(namespace).await.ok(),
                    _ => None,
                };
                let held = rights.into_iter().map(|right| {
                    let decided = rules.as_ref().and_then(|rules| rules.allow(right));
                    async move {
                        let held = match decided {
                            Some(true) => Held::Allowed,
                            Some(false) => Held::Denied,
                            None => self.own_right(right).await,
                        };
                        (right.clone(), held)
                    }
                });
                let held = futures::stream::iter(held).buffer_unordered(AT_ONCE);
                held.collect::<Vec<_>>().await
            });
        let all = futures::future::join_all(all).await;
        all.into_iter().flatten().collect()
    }

    /// The user's rules in a namespace.
    async fn own_rules(&self, namespace: &str) -> Result<OwnRules, ClusterError> {
        let spec = json!({"namespace": namespace});
        self.own("SelfSubjectRulesReview", "selfsubjectrulesreviews", &spec)
            .await
    }

    /// Whether the user has this right.
    async fn own_right(&self, right: &Right) -> Held {
        let verdict: Result<Verdict, ClusterError> = self
            .own(
                "SelfSubjectAccessReview",
                "selfsubjectaccessreviews",
                &question(right),
            )
            .await;
        match verdict {
            Ok(verdict) => verdict.into(),
            Err(error) => Held::Unknown(Why::from(&error)),
        }
    }

    async fn own<T: serde::de::DeserializeOwned>(
        &self,
        kind: &str,
        plural: &str,
        spec: &Value,
    ) -> Result<T, ClusterError> {
        let question = json!({"apiVersion": GROUP_VERSION, "kind": kind, "spec": spec});
        let path = format!("/apis/{GROUP_VERSION}/{plural}");
        let body = self
            .transport
            .ask(&path, Accept::Json, Some(&question))
            .await?;
        let answer: Answered<T> = self.of_kind(GROUP_VERSION, kind, &body)?;
        Ok(answer.status)
    }
}

/// The spec of the review of one right.
fn question(right: &Right) -> Value {
    match &right.on {
        On::Path(path) => {
            json!({"nonResourceAttributes": {"verb": right.verb, "path": path}})
        }
        On::Resource {
            group,
            resource,
            namespace,
            name,
        } => {
            let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
            json!({"resourceAttributes": {
                "verb": right.verb,
                "group": group,
                "resource": resource,
                "subresource": subresource,
                "namespace": namespace.as_deref().unwrap_or_default(),
                "name": name.as_deref().unwrap_or_default(),
            }})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::test_server::answering;

    fn pods(verb: &str, namespace: Option<&str>) -> Right {
        Right {
            verb: verb.to_owned(),
            on: On::Resource {
                group: String::new(),
                resource: "pods".to_owned(),
                namespace: namespace.map(str::to_owned),
                name: None,
            },
        }
    }

    fn review(kind: &str, status: Value) -> Value {
        json!({"apiVersion": GROUP_VERSION, "kind": kind, "status": status})
    }

    fn rules(incomplete: bool) -> Value {
        let rule = json!({"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]});
        let status =
            json!({"resourceRules": [rule], "nonResourceRules": [], "incomplete": incomplete});
        review("SelfSubjectRulesReview", status)
    }

    fn verdict(allowed: bool) -> Value {
        review("SelfSubjectAccessReview", json!({"allowed": allowed}))
    }

    /// Two rights in one namespace, with these answers; and how many questions it took.
    async fn held(answers: &[(u16, Value)]) -> (Vec<Held>, usize) {
        let (cluster, asked) = answering(answers);
        let rights = BTreeSet::from(["create", "list"].map(|verb| pods(verb, Some("n"))));
        let held = cluster.own_rights(&rights).await;
        (held.into_values().collect(), asked.paths().len())
    }

    #[tokio::test]
    async fn one_review_decides_for_a_namespace_if_it_has_every_rule() {
        let (all, asked) = held(&[(201, rules(false))]).await;
        assert_eq!((all, asked), (vec![Held::Denied, Held::Allowed], 1));
        let answers = [
            (201, rules(true)),
            (201, verdict(true)),
            (201, verdict(false)),
        ];
        let (all, asked) = held(&answers).await;
        assert_eq!((all, asked), (vec![Held::Allowed, Held::Denied], 3));
    }

    #[tokio::test]
    async fn what_is_not_answered_is_not_known() {
        let refused = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden", "message": "no"});
        let other = json!({"kind": "Pod", "apiVersion": "v1", "status": {"allowed": true}});
        let silent = review("SelfSubjectAccessReview", json!({}));
        let answers = [(403, refused), (201, other), (201, silent)];
        let (all, asked) = held(&answers).await;
        assert_eq!(asked, 3);
        let unknown = |held: &Held| matches!(held, Held::Unknown(_));
        assert!(all.iter().all(unknown), "{all:?}");
    }

    #[tokio::test]
    async fn what_holds_in_all_namespaces_is_asked_by_itself() {
        let (cluster, asked) = answering(&[(201, verdict(true))]);
        let rights = BTreeSet::from([pods("list", None)]);
        let held = cluster.own_rights(&rights).await;
        assert_eq!(held[&pods("list", None)], Held::Allowed);
        let path = format!("/apis/{GROUP_VERSION}/selfsubjectaccessreviews");
        assert_eq!(asked.paths(), [path]);
    }

    #[test]
    fn only_the_api_servers_allowed_is_allowed() {
        let held = |status: Value| serde_json::from_value::<Verdict>(status).map(Held::from);
        assert_eq!(held(json!({"allowed": true})).unwrap(), Held::Allowed);
        assert_eq!(held(json!({"allowed": false})).unwrap(), Held::Denied);
        let error = json!({"allowed": false, "evaluationError": "role \"x\" not found"});
        let unknown = held(error.clone()).unwrap();
        assert_eq!(
            unknown,
            Held::Unknown(Why::Failed("role \"x\" not found".to_owned()))
        );
        let mut denied = error;
        denied["denied"] = json!(true);
        assert_eq!(held(denied).unwrap(), Held::Denied);
        assert!(held(json!({})).is_err());
        assert!(held(json!({"allowed": "yes"})).is_err());
    }

    #[test]
    fn a_question_names_the_subresource_apart() {
        let right = Right {
            verb: "create".to_owned(),
            on: On::Resource {
                group: String::new(),
                resource: "pods/exec".to_owned(),
                namespace: Some("n".to_owned()),
                name: None,
            },
        };
        assert_eq!(
            question(&right),
            json!({"resourceAttributes": {"verb": "create", "group": "", "resource": "pods", "subresource": "exec", "namespace": "n", "name": ""}})
        );
        let right = Right {
            verb: "get".to_owned(),
            on: On::Path("/version".to_owned()),
        };
        assert_eq!(
            question(&right),
            json!({"nonResourceAttributes": {"verb": "get", "path": "/version"}})
        );
    }
}
