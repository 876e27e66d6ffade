//! What the creation Job needs in the namespace that it runs in, by name: as the hook that Helm stored says.

use super::case::Case;
use crate::model::helm_storage::creation_jobs;
use crate::model::manifest;
use crate::snapshot::IfRead;
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
    let hooks = case.release().if_read().map(|r| r.hooks.as_slice());
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

/// The Secrets and ConfigMaps that a pod's spec refers to and cannot do without. What is read here is in the table of
/// `bundle/kept/fields.rs`.
fn named(spec: &Value, found: &mut Vec<String>) {
    let mut refer = |reference: Option<&Value>, kind: &str, key: &str| {
        let needed = reference.filter(|r| r.get("optional") != Some(&Value::Bool(true)));
        let name = needed.and_then(|r| r.get(key)?.as_str());
        found.extend(name.map(|name| format!("{kind} {}", one_line(name))));
    };
    for container in items(spec, "/containers").chain(items(spec, "/initContainers")) {
        for variable in items(container, "/env") {
            let from = |key: &str| variable.get("valueFrom").and_then(|from| from.get(key));
            refer(from("secretKeyRef"), "Secret", "name");
            refer(from("configMapKeyRef"), "ConfigMap", "name");
        }
        for from in items(container, "/envFrom") {
            refer(from.get("secretRef"), "Secret", "name");
            refer(from.get("configMapRef"), "ConfigMap", "name");
        }
    }
    for volume in items(spec, "/volumes") {
        refer(volume.get("secret"), "Secret", "secretName");
        refer(volume.get("configMap"), "ConfigMap", "name");
        for source in items(volume, "/projected/sources") {
            refer(source.get("secret"), "Secret", "name");
            refer(source.get("configMap"), "ConfigMap", "name");
        }
    }
}

fn items<'v>(value: &'v Value, path: &str) -> impl Iterator<Item = &'v Value> {
    let items = value.pointer(path).and_then(Value::as_array);
    items.into_iter().flatten()
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
            "initContainers": [{"envFrom": [{"configMapRef": {"name": "first"}}]}],
            "volumes": [{"secret": {"secretName": "tls"}}, {"configMap": {"name": "ca"}}, {"projected": {"sources": [
                {"secret": {"name": "token"}}, {"configMap": {"name": "roots"}}, {"secret": {"name": "maybe", "optional": true}},
            ]}}],
        });
        let mut found = Vec::new();
        named(&spec, &mut found);
        found.sort();
        assert_eq!(
            found,
            [
                "ConfigMap ca",
                "ConfigMap first",
                "ConfigMap roots",
                "ConfigMap url",
                "Secret all",
                "Secret couch",
                "Secret tls",
                "Secret token"
            ]
        );
    }
}
