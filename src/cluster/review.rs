//! Whether an account has a right, asked of the API server by a SubjectAccessReview, and who one is (SelfSubjectReview).
//!
//! POSTs that make no object and change nothing: what is sent is the question, what comes back is the same with the answer in its
//! status.

use super::{Cluster, ClusterError};
use crate::bundle::request::Accept;
use crate::model::forbidden::Forbidden;
use serde_json::{Value, json};

/// Where reviews are sent.
const PATH: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
/// Where the API server tells who asks; served since Kubernetes 1.28.
const SELF: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

/// The review of what a ServiceAccount was refused; `None` where the refusal names no ServiceAccount.
pub(super) fn question(refused: &Forbidden) -> Option<Value> {
    let (namespace, name) = refused.account()?;
    let (resource, subresource) = refused
        .resource
        .split_once('/')
        .unwrap_or((&refused.resource, ""));
    let mut attributes =
        json!({"verb": refused.verb, "group": refused.group, "resource": resource});
    if !subresource.is_empty() {
        attributes["subresource"] = subresource.into();
    }
    if let Some(namespace) = &refused.namespace {
        attributes["namespace"] = namespace.as_str().into();
    }
    Some(json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": format!("system:serviceaccount:{namespace}:{name}"),
            "groups": ["system:serviceaccounts", format!("system:serviceaccounts:{namespace}"), "system:authenticated"],
            "resourceAttributes": attributes,
        },
    }))
}

impl Cluster {
    /// The user as whom the API server takes this connection.
    ///
    /// # Errors
    /// What the API server or the connection said.
    pub async fn whoami(&self) -> Result<String, ClusterError> {
        let question =
            json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let body = self
            .transport
            .ask(SELF, Accept::Json, Some(&question))
            .await?;
        let answer: Value = self.of_kind("authentication.k8s.io/v1", "SelfSubjectReview", &body)?;
        let name = answer.pointer("/status/userInfo/username");
        name.and_then(Value::as_str)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .ok_or_else(|| ClusterError::Malformed("it names no user".to_owned()))
    }

    /// Sends a review and gives it back with its status.
    ///
    /// # Errors
    /// What the API server or the connection said.
    pub(super) async fn review(&self, question: &Value) -> Result<Value, ClusterError> {
        let body = self
            .transport
            .ask(PATH, Accept::Json, Some(question))
            .await?;
        self.of_kind("authorization.k8s.io/v1", "SubjectAccessReview", &body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refused_right_is_asked_for() {
        let text = "pods \"a\" is forbidden: User \"system:serviceaccount:flux-system:x\" cannot create resource \"pods/exec\" in API group \"\" in the namespace \"core\"";
        let asked = question(&Forbidden::parse(text).unwrap()).unwrap();
        assert_eq!(
            asked["spec"],
            json!({
                "user": "system:serviceaccount:flux-system:x",
                "groups": ["system:serviceaccounts", "system:serviceaccounts:flux-system", "system:authenticated"],
                "resourceAttributes": {"verb": "create", "group": "", "resource": "pods", "subresource": "exec", "namespace": "core"},
            })
        );
        let person = text.replace("system:serviceaccount:flux-system:x", "dev");
        assert!(question(&Forbidden::parse(&person).unwrap()).is_none());
    }
}
