//! What may not be read never makes anything fine: troubleshoot with its whole role, and with one right after the other taken
//! out of it.

use super::stage::{Stage, once, stage};
use crate::harness::{RunOutput, Skvs};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Failing ones, green ones with a fault, and healthy ones.
const NAMES: [&str; 15] = [
    "target-namespace-missing",
    "dependency-missing",
    "flux-account-missing",
    "flux-account-without-rights",
    "repository-unauthorized",
    "database-left-behind",
    "image-not-pulled",
    "job-account-missing",
    "shard-without-controller",
    "couchdb-unreachable",
    "database-edited",
    "database-deleted",
    "policy-deleted",
    "plain",
    "upgraded",
];

/// Rights that these onboardings make no use of: for other kinds of source, for a run without names, for the pods of
/// Flux's Deployments, which the testbed has none of, for nodes, volumes, admission webhooks, other APIs, Istio and NetworkPolicies, which are not at fault, for Services of the releases, and for events and logs of CouchDB's pods, which are all ready.
const UNUSED: [&str; 31] = [
    "list kustomizations everywhere",
    "get nodes everywhere",
    "list volumeattachments everywhere",
    "get persistentvolumeclaims everywhere",
    "get persistentvolumes everywhere",
    "list persistentvolumes everywhere",
    "get storageclasses everywhere",
    "list storageclasses everywhere",
    "get statefulsets everywhere",
    "get apiservices everywhere",
    "list validatingwebhookconfigurations everywhere",
    "list mutatingwebhookconfigurations everywhere",
    "list peerauthentications everywhere",
    "list networkpolicies everywhere",
    "get gitrepositories in flux-system",
    "get ocirepositories in flux-system",
    "get buckets in flux-system",
    "list helmcharts in flux-system",
    "list helmrepositories in flux-system",
    "list pods in flux-system",
    "get pods/log in flux-system",
    "list jobs in core",
    "get services in core",
    "list authorizationpolicies in secure-kvs",
    "list events in secure-kvs",
    "get pods/log in secure-kvs",
    "list events in default",
    "get services in istio-system",
    "list pods in istio-system",
    "list events in istio-system",
    "get pods/log in istio-system",
];

/// Target namespaces of these onboardings beside `core`, with the same rights.
const TARGETS: [&str; 1] = ["core-unreachable"];

/// Of one onboarding: codes of its roots, and whether a check was not run.
type Told = BTreeMap<String, (Vec<String>, bool)>;

#[test]
fn a_right_that_is_missing_is_told_and_changes_nothing_into_fine() {
    every_right();
}

/// As the test.
pub(super) fn every_right() {
    static DONE: OnceLock<bool> = OnceLock::new();
    once(&DONE, rights_are_missed);
}

fn rights_are_missed() {
    let stage = stage();
    let (whole, code) = told(&ask(stage, 0, &manifest("matrix-0", None)));
    assert_eq!(code, 3);
    for (slug, (codes, unread)) in &whole {
        let ended = stage
            .ended
            .iter()
            .find(|e| e.case.slug == *slug)
            .expect("a case");
        assert_eq!(
            (codes, *unread),
            (&ended.case.expect, false),
            "{slug} with every right"
        );
    }
    let (mut wrong, mut unused) = (Vec::new(), Vec::new());
    for (i, right) in rights().iter().enumerate() {
        let name = format!("matrix-{}", i + 1);
        let said = ask(stage, i + 1, &manifest(&name, Some(i)));
        if said.stdout.is_empty() {
            // Nothing was reported, so nothing was said to be fine.
            if said.code == 0 || !said.stderr.contains("orbidden") {
                wrong.push(format!(
                    "without {right}: exit code {}, {}",
                    said.code, said.stderr
                ));
            }
            continue;
        }
        let (now, code) = told(&said);
        if code != 3 {
            wrong.push(format!("without {right}: exit code {code}"));
        }
        for (slug, (codes, _)) in &whole {
            let Some((found, unread)) = now.get(slug) else {
                wrong.push(format!("without {right}: {slug} is not reported"));
                continue;
            };
            let lost = codes.iter().any(|code| !found.contains(code));
            let guessed = codes.is_empty() && !found.is_empty();
            if lost && !unread || guessed {
                wrong.push(format!(
                    "without {right}: {slug} has {found:?} instead of {codes:?}"
                ));
            }
        }
        if now == whole {
            unused.push(right.clone());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(unused, UNUSED, "rights whose loss nobody notices");
}

/// Without names the charts and repositories behind green onboardings come from one list each.
#[test]
fn a_list_that_is_missing_is_told_in_a_run_without_names() {
    every_list();
}

/// As the test.
pub(super) fn every_list() {
    static DONE: OnceLock<bool> = OnceLock::new();
    once(&DONE, lists_are_missed);
}

fn lists_are_missed() {
    let stage = stage();
    for (i, right) in rights().iter().enumerate() {
        if !right.starts_with("list helmcharts ") && !right.starts_with("list helmrepositories ") {
            continue;
        }
        let name = format!("matrix-list-{i}");
        let rbac = manifest(&name, Some(i));
        let user = stage.sandbox.user(&name, &[&name], &rbac).expect("a user");
        let args = ["troubleshoot", "-l", "matrix=healthy"];
        let said = Skvs::of(&stage.sandbox, &user, args).run();
        let text = said.stdout.split_whitespace().collect::<Vec<_>>();
        let text = text.join(" ");
        let resource = right.split(' ').nth(1).unwrap_or_default();
        let told = format!("forbidden: list {resource}");
        assert!(text.contains(&told), "{told:?} is not in:\n{}", said.stdout);
    }
}

fn ask(stage: &Stage, number: usize, rbac: &str) -> RunOutput {
    let name = format!("matrix-{number}");
    let user = stage.sandbox.user(&name, &[&name], rbac).expect("a user");
    let names = NAMES.map(|slug| {
        let ended = stage.ended.iter().find(|e| e.case.slug == slug);
        ended
            .unwrap_or_else(|| panic!("no case {slug}"))
            .case
            .name()
    });
    let args = ["troubleshoot", "-o", "json"].map(str::to_owned);
    Skvs::of(&stage.sandbox, &user, args.into_iter().chain(names)).run()
}

fn told(said: &RunOutput) -> (Told, i32) {
    let report = serde_json::from_str(&said.stdout);
    let report: Value = report.unwrap_or_else(|error| panic!("{error}: {said:?}"));
    let is_unread = |of: &Value| of["notRun"].as_array().is_some_and(|all| !all.is_empty());
    let of_all = is_unread(&report);
    let onboardings = report["onboardings"].as_array().expect("a list");
    let all = onboardings.iter().map(|onboarding| {
        let name = onboarding["name"].as_str().expect("a name");
        let slug = NAMES
            .iter()
            .find(|slug| name == format!("skvs-onboarding-{slug}--data"));
        let findings = onboarding["findings"].as_array().expect("a list");
        let mut codes: Vec<String> = findings
            .iter()
            .map(|f| f["code"].as_str().expect("a code").to_owned())
            .collect();
        codes.sort();
        let slug = (*slug.expect("one that was asked for")).to_owned();
        (slug, (codes, of_all || is_unread(onboarding)))
    });
    (all.collect(), said.code)
}

/// The objects of docs/rbac/troubleshoot.yaml, each rule with one resource and one verb.
fn objects() -> Vec<Value> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rbac/troubleshoot.yaml");
    let text = std::fs::read_to_string(file).expect("the manifest");
    let objects = text.split("\n---\n").map(|document| {
        let mut object: Value = serde_saphyr::from_str(document).expect("YAML");
        if let Some(rules) = object["rules"].as_array() {
            let words = |rule: &Value, key: &str| rule[key].as_array().cloned().unwrap_or_default();
            let single = rules.iter().flat_map(|rule| {
                words(rule, "resources")
                    .into_iter()
                    .flat_map(move |resource| {
                        let verbs = words(rule, "verbs").into_iter();
                        verbs.map(move |verb| {
                            let mut one = rule.clone();
                            one["resources"] = json!([resource]);
                            one["verbs"] = json!([verb]);
                            one
                        })
                    })
            });
            // A right that is there twice, for two reasons, is one.
            let mut rights: Vec<Value> = Vec::new();
            for right in single {
                if !rights.contains(&right) {
                    rights.push(right);
                }
            }
            object["rules"] = rights.into();
        }
        object
    });
    objects.collect()
}

/// In words, in the order of the manifest: `get secrets in flux-system`.
fn rights() -> Vec<String> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for object in objects() {
        let place = match object["metadata"]["namespace"].as_str() {
            Some(namespace) => format!("in {namespace}"),
            None => "everywhere".to_owned(),
        };
        for rule in object["rules"].as_array().into_iter().flatten() {
            let (verb, resource) = (text(&rule["verbs"][0]), text(&rule["resources"][0]));
            all.push(format!("{verb} {resource} {place}"));
        }
    }
    all
}

/// The manifest for the group `name`, without the right of this number.
fn manifest(name: &str, without: Option<usize>) -> String {
    let mut at = 0;
    let objects = objects().into_iter().flat_map(|mut object| {
        if let Some(rules) = object.get_mut("rules").and_then(Value::as_array_mut) {
            rules.retain(|_| {
                at += 1;
                without != Some(at - 1)
            });
        }
        let mut all = vec![object.to_string()];
        if object["metadata"]["namespace"] == "core" {
            for target in TARGETS {
                object["metadata"]["namespace"] = json!(target);
                all.push(object.to_string());
            }
        }
        all
    });
    let text = objects.collect::<Vec<_>>().join("\n---\n");
    text.replace("kubectl-skvs-troubleshoot", name)
        .replace("secure-kvs-oncall", name)
}
