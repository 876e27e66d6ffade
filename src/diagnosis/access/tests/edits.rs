//! Every single edit of the objects that let the account in: which of them leave a yes is listed.

use super::World;
use serde_json::{Map, Value, json};

/// The JSON pointers of all values in a document.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                let at = format!("{at}/{key}");
                pointers(value, &at, all);
                all.push(at);
            }
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                let at = format!("{at}/{n}");
                pointers(value, &at, all);
                all.push(at);
            }
        }
        _ => {}
    }
}

/// What a value can become.
fn edits(value: &Value) -> Vec<(String, Value)> {
    let mut all: Vec<Value> = vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(7),
        json!("x"),
        json!(""),
        json!("*"),
        json!([]),
        json!({}),
        json!([7]),
        json!(["*"]),
        json!({"stranger": 1}),
        json!("DENY"),
        json!("true"),
        json!("http"),
    ];
    match value {
        Value::String(text) => {
            let (start, end) = text.split_at(text.len() / 2);
            for text in [
                format!("{text}x"),
                format!("x{text}"),
                format!("{start}*{end}"),
                format!("{start}*"),
                format!("*{end}"),
                format!("{text} "),
                text.to_uppercase(),
                format!("{text}/"),
            ] {
                all.push(json!(text));
            }
        }
        Value::Object(map) => {
            for (key, value) in [
                ("stranger", json!(1)),
                ("istio.io/stranger", json!("a")),
                ("", json!(null)),
            ] {
                let mut more: Map<String, Value> = map.clone();
                more.insert(key.to_owned(), value);
                all.push(Value::Object(more));
            }
        }
        Value::Array(items) => {
            for more in [json!(7), json!(null), json!({}), json!("x"), json!("*")] {
                let items = items.iter().cloned().chain([more]);
                all.push(items.collect());
            }
        }
        _ => {}
    }
    all.retain(|edit| edit != value);
    let named = all.into_iter().map(|edit| (name(value, &edit), edit));
    named.collect()
}

/// An edit in short: what is added, or what is there in its place.
fn name(value: &Value, edit: &Value) -> String {
    match (value, edit) {
        (Value::Array(value), Value::Array(edit))
            if edit.len() == value.len() + 1 && edit.starts_with(value) =>
        {
            format!("+{}", edit[value.len()])
        }
        _ => edit.to_string(),
    }
}

/// Where any edit may leave a yes: names, other containers, other fields of what is only seen to exist.
const FREE: [&str; 20] = [
    "/clientNamespace/metadata/labels/istio-injection",
    "/clientNamespace/metadata/name",
    "/clientPods/0/metadata/labels/app",
    "/clientPods/0/metadata/name",
    "/clientPods/0/metadata/namespace",
    "/clientPods/0/spec/containers/1",
    "/clientPods/0/status",
    "/detours",
    "/mesh",
    "/pods/0/metadata/labels/app",
    "/pods/0/metadata/name",
    "/pods/0/spec/containers/1",
    "/pods/0/spec/serviceAccountName",
    "/pods/0/status",
    "/policies/0",
    "/policies/0/metadata",
    "/policies/0/metadata/name",
    "/serverNamespace/metadata/labels/istio-injection",
    "/serverNamespace/metadata/name",
    "/serviceAccount",
];

/// Whether an edit changes one of these places, or adds an unknown field outside a policy's spec.
fn is_free(at: &str, value: &Value, edit: &Value) -> bool {
    let exact = ["/policies/0", "/policies/0/metadata", "/mesh", "/detours"];
    let is_in = |free: &&str| at == *free || (!exact.contains(free) && at.starts_with(*free));
    let adds = match (value, edit) {
        (Value::Object(value), Value::Object(edit)) => {
            value.iter().all(|(k, v)| edit.get(k) == Some(v))
        }
        _ => false,
    };
    FREE.iter().any(is_in) || (adds && !at.starts_with("/policies/0/spec"))
}

/// Every other edit that leaves a yes, by its place.
fn harmless() -> Vec<String> {
    let good = World::good();
    let mut all = Vec::new();
    pointers(&good.objects, "", &mut all);
    let (mut found, mut made) = (Vec::new(), 0);
    for at in all {
        let value = good.objects.pointer(&at).unwrap();
        let mut left = Vec::new();
        for (name, edit) in edits(value) {
            let mut world = good.clone();
            let free = is_free(&at, value, &edit);
            *world.objects.pointer_mut(&at).unwrap() = edit;
            made += 1;
            if world.answer() == "yes" && !free {
                left.push(name);
            }
        }
        let (parent, key) = at.rsplit_once('/').unwrap();
        let mut world = good.clone();
        match world.objects.pointer_mut(parent).unwrap() {
            Value::Object(map) => drop(map.remove(&key.replace("~1", "/").replace("~0", "~"))),
            Value::Array(items) => drop(items.remove(key.parse().unwrap())),
            _ => {}
        }
        made += 1;
        if world.answer() == "yes" && !is_free(&at, value, &Value::Null) {
            left.push("removed".to_owned());
        }
        if !left.is_empty() {
            found.push(format!("{at}: {}", left.join(" ")));
        }
    }
    assert!(made > 1000, "{made}");
    found
}

#[test]
fn only_these_edits_leave_a_yes() {
    insta::assert_snapshot!(harmless().join("\n"), @r#"
    /clientNamespace/metadata/labels: null {} removed
    /clientNamespace/metadata: null {} {"stranger":1} removed
    /clientNamespace: {} {"stranger":1}
    /clientPods/0/metadata/labels: null {} removed
    /clientPods/0/metadata: null {} {"stranger":1} removed
    /clientPods/0/spec/containers/0/image: "istio/proxyv2:1.20.0x" "xistio/proxyv2:1.20.0" "istio/proxyv2:1.20.0 "
    /clientPods/0/spec/containers: +{}
    /clientPods: +null +{}
    /mesh/data/mesh: "rootNamespace: istio-system\ntrustDomain: cluster.local\n "
    /pods/0/spec/containers/0/image: "istio/proxyv2:1.20.0x" "xistio/proxyv2:1.20.0" "istio/proxyv2:1.20.0 "
    /pods/0/spec/containers: +{}
    /pods: +null +{}
    /policies/0/spec/action: null removed
    /policies/0/spec/rules/0/from/0/source/principals/0: "*" "cluster.local*" "*/ns/pds/sa/pds"
    /policies/0/spec/rules/0/from/0/source/principals: ["*"] +"*"
    /policies/0/spec/rules/0/from: null removed
    /policies/0/spec/rules/0/to/0/operation/paths/0: "*" "/pds_d*" "*atabase"
    /policies/0/spec/rules/0/to/0/operation/paths/1: "*" "/pds_da*"
    /policies/0/spec/rules/0/to/0/operation/paths: null ["*"] +"x" +"*" removed
    /policies/0/spec/rules/0/to/0/operation/ports: null removed
    /policies/0/spec/rules/0/to: null removed
    /policies/0/spec/rules/0: {}
    /policies/0/spec/rules: +{}
    /policies/0/spec/selector/matchLabels/type: removed
    /policies/0/spec/selector/matchLabels: null {} removed
    /policies/0/spec/selector: null {} removed
    /serverNamespace/metadata/labels: null {} removed
    /serverNamespace/metadata: null {} {"stranger":1} removed
    /serverNamespace: {} {"stranger":1}
    /services/0/spec/ports/0/targetPort: "http"
    /services/0/spec/type: null removed
    /services: +null +{}
    "#);
}
