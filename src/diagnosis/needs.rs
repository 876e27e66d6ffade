//! What the creation Job needs in the namespace that it runs in, by name: as the hook that Helm stored says.

use super::case::Case;
use crate::model::helm_storage::creation_jobs;
use crate::model::manifest;
use crate::text::document::embedded;
use crate::text::one_line;
use serde_json::Value;

/// The ServiceAccount of the chart's creation Job where the values name none.
const ACCOUNT: &str = "agora-kvs";

/// Names of objects that have to be there before the Job runs.
pub(super) struct Needs {
    pub(super) account: String,
    /// `Secret a`, `ConfigMap b`.
    pub(super) others: Vec<String>,
}

/// Of the newest stored revision; without one what the chart is known to need.
pub(super) fn of(case: &Case<'_>) -> Needs {
    let set = case
        .hr()
        .spec
        .values
        .pointer("/databaseCreationJob/serviceAccount");
    let set = set.and_then(Value::as_str).unwrap_or(ACCOUNT);
    let mut needs = Needs {
        account: one_line(set),
        others: Vec::new(),
    };
    let hooks = case.snapshot.release.seen().map(|r| r.hooks.as_slice());
    for hook in creation_jobs(hooks.unwrap_or_default()) {
        for text in manifest::documents(&hook.manifest) {
            let Some(job) = embedded::<Value>(&text) else {
                continue;
            };
            if let Some(spec) = job.pointer("/spec/template/spec") {
                let account = spec.get("serviceAccountName").and_then(Value::as_str);
                if let Some(account) = account {
                    needs.account = one_line(account);
                }
                named(spec, &mut needs.others);
            }
        }
    }
    needs.others.sort();
    needs.others.dedup();
    needs
}

/// The Secrets and ConfigMaps that a pod's spec refers to and cannot do without.
fn named(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let kind = match key.as_str() {
                    "secretKeyRef" | "secretRef" => Some(("Secret", "name")),
                    "configMapKeyRef" | "configMapRef" | "configMap" => Some(("ConfigMap", "name")),
                    "secret" => Some(("Secret", "secretName")),
                    _ => None,
                };
                let optional = value.get("optional") == Some(&Value::Bool(true));
                if let Some((kind, field)) = kind
                    && !optional
                    && let Some(name) = value.get(field).and_then(Value::as_str)
                {
                    found.push(format!("{kind} {}", one_line(name)));
                }
                named(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| named(item, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_pod_cannot_do_without_is_named() {
        let spec = json!({
            "containers": [{"env": [
                {"name": "A", "valueFrom": {"secretKeyRef": {"name": "couch", "key": "user"}}},
                {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "url", "key": "url"}}},
                {"name": "C", "valueFrom": {"secretKeyRef": {"name": "more", "key": "x", "optional": true}}},
            ], "envFrom": [{"secretRef": {"name": "all"}}]}],
            "volumes": [{"secret": {"secretName": "tls"}}, {"configMap": {"name": "ca"}}],
        });
        let mut found = Vec::new();
        named(&spec, &mut found);
        found.sort();
        assert_eq!(
            found,
            [
                "ConfigMap ca",
                "ConfigMap url",
                "Secret all",
                "Secret couch",
                "Secret tls"
            ]
        );
    }
}
