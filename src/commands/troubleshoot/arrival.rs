//! An onboarding that does not exist: whether its manifest was refused on its way from the GitOps repository.

use crate::advice::Command;
use crate::cluster::Cluster;
use crate::cluster::kustomizations::GROUP;
use crate::error::Error;
use crate::model::condition::Condition;
use crate::model::kustomization::names;
use crate::model::lookup::typed;
use crate::text::one_line;
use serde::Deserialize;
use serde_json::Value;

/// Adds to the error of a name that no onboarding answers to what the Kustomizations say of it.
pub(super) async fn explained(cluster: &Cluster, name: &str, error: Error) -> Error {
    let all = match cluster.kustomizations().await {
        Ok(all) => all,
        Err(why) => {
            return error.hint(format!(
                "whether its manifest was refused is unknown: the Kustomizations were not read: {why}"
            ));
        }
    };
    let failing = || all.iter().filter_map(failure);
    let name = typed(name);
    if let Some((id, condition)) = failing().find(|(_, condition)| names(&condition.message, name))
    {
        let (namespace, kustomization) = id.split_once('/').unwrap_or(("", &id));
        let kind = format!("kustomizations.{GROUP}");
        let describe = Command::new(["kubectl", "describe", "-n", namespace, &kind, kustomization]);
        let said = one_line(&condition.message);
        return match condition.reason.as_str() {
            // It was applied, and is gone or not ready.
            "HealthCheckFailed" => error
                .hint(format!("Kustomization {id} waits for it: {said}"))
                .hint(describe.after("the whole message:")),
            _ => error
                .hint(format!(
                    "Kustomization {id} could not apply its manifest: {said}"
                ))
                .hint(describe.after("fix what it says; the whole message:")),
        };
    }
    let list = Command::new(["kubectl", "get", &format!("kustomizations.{GROUP}"), "-A"]);
    if let Some(id) = all.iter().find_map(suspended) {
        return error.hint(list.after(format!(
            "Kustomization {id} is suspended, so nothing new in its folder is applied:"
        )));
    }
    let unready = all.iter().find(|k| !is_ready(k));
    match failing().next() {
        _ if all.is_empty() => error,
        None if unready.is_some() => {
            let id = unready.and_then(id).unwrap_or_else(|| "one".to_owned());
            error.hint(list.after(format!(
                "Kustomization {id} is not Ready for its present spec, so its folder may not be applied yet:"
            )))
        }
        None => error.hint(list.after(
            "no Kustomization reports an error, so check that its manifest is in the GitOps repository:",
        )),
        Some((id, condition)) => error
            .hint(format!(
                "Kustomization {id} fails and may hold its manifest back: {}",
                one_line(&condition.message)
            ))
            .hint(list.after("all of them:")),
    }
}

/// Ready by a status of its present spec. What cannot be read is not.
fn is_ready(kustomization: &Value) -> bool {
    let generation = kustomization
        .pointer("/metadata/generation")
        .and_then(Value::as_i64);
    let observed = kustomization
        .pointer("/status/observedGeneration")
        .and_then(Value::as_i64);
    let conditions = conditions(kustomization);
    let ready = conditions.iter().find(|c| c.kind == "Ready");
    let of_present = generation.is_some() && observed >= generation;
    of_present && ready.is_some_and(Condition::is_true)
}

fn conditions(kustomization: &Value) -> Vec<Condition> {
    let all = kustomization
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    let all = all.into_iter().flatten();
    all.filter_map(|c| Condition::deserialize(c).ok()).collect()
}

/// A Kustomization that is suspended, `namespace/name`.
fn suspended(kustomization: &Value) -> Option<String> {
    let is_suspended = kustomization.pointer("/spec/suspend") == Some(&Value::Bool(true));
    is_suspended.then(|| id(kustomization))?
}

/// `namespace/name`.
fn id(kustomization: &Value) -> Option<String> {
    let text = |path: &str| kustomization.pointer(path).and_then(Value::as_str);
    let (namespace, name) = (text("/metadata/namespace")?, text("/metadata/name")?);
    Some(one_line(&format!("{namespace}/{name}")))
}

/// A Kustomization that fails, `namespace/name`, and the condition that says why.
fn failure(kustomization: &Value) -> Option<(String, Condition)> {
    let conditions = conditions(kustomization).into_iter();
    let failed = conditions
        .filter(|c| c.kind == "Ready" && c.is_false() || c.kind == "Stalled" && c.is_true())
        .max_by_key(|c| c.message.len())?;
    Some((id(kustomization)?, failed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_message_names_an_object_as_a_whole_word() {
        let message = "HelmRelease/flux-system/skvs-onboarding-a--b dry-run failed: \"skvs-onboarding-a--b\" is invalid";
        assert!(names(message, "skvs-onboarding-a--b"));
        assert!(!names(message, "skvs-onboarding-a"));
        assert!(!names(message, "onboarding-a--b"));
    }

    #[test]
    fn only_a_failing_kustomization_counts() {
        let of = |status: &str| {
            let condition = json!({"type": "Ready", "status": status, "message": "m"});
            failure(
                &json!({"metadata": {"namespace": "a", "name": "b"}, "status": {"conditions": [condition, 7]}}),
            )
        };
        assert_eq!(of("False").map(|(id, _)| id).as_deref(), Some("a/b"));
        assert_eq!(of("True"), None);
        assert_eq!(failure(&json!({})), None);
    }

    #[test]
    fn only_a_kustomization_that_is_known_to_be_ready_counts_as_ready() {
        let of = |generation: i64, observed: Value, status: &str| {
            let condition = json!({"type": "Ready", "status": status});
            is_ready(&json!({"metadata": {"generation": generation},
                "status": {"observedGeneration": observed, "conditions": [condition]}}))
        };
        assert!(of(2, json!(2), "True"));
        assert!(!of(2, json!(1), "True"), "of an older spec");
        assert!(!of(2, json!(2), "Unknown"));
        assert!(!of(2, json!("2"), "True"), "malformed");
        assert!(!is_ready(&json!({"metadata": {"generation": 1}})));
        assert!(!is_ready(&json!({"status": 7})));
    }
}
