//! Reads tests/fixtures/diagnosis/<case>/ into a snapshot. Test code only.
//!
//! `case.json` says the time, where the objects come from, which codes are expected, and which parts are absent or were not
//! readable. Every other file holds objects as the API server gives them, one or a List; a log is an object of the kind
//! `PodLog`, CouchDB's answers one of the kind `Databases`, and a pod with the label `app` one of Flux's controllers. The
//! onboarding is the HelmRelease of `onboarding.json`.
//!
//! Parts, for `absent` and `forbidden`: chart, source, creationJob, pods, log, targetNamespace, serviceAccount, others,
//! elsewhere, events, rights, controllers, service, slices, databases.

use super::{Case, Diagnosis, Finding, diagnose};
use crate::model::failure;
use crate::model::helm_release::HelmRelease;
use crate::model::helm_storage::{self, Release, Revision};
use crate::snapshot::{
    Controllers, CouchService, CreationJob, Dependency, Events, Further, JobPod, LostJob, Read,
    Snapshot, Why,
};
use k8s_openapi::jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// `case.json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Meta {
    /// `recorded` from a cluster, or `written` by a documented text.
    pub(crate) origin: String,
    /// The version of helm-controller whose forms the status of a written case has.
    #[serde(default)]
    pub(crate) controller: Option<String>,
    pub(crate) now: Timestamp,
    /// Codes of the roots, sorted.
    pub(crate) expect: Vec<String>,
    /// Codes shown under them, sorted.
    #[serde(default)]
    pub(crate) follows: Vec<String>,
    #[serde(default)]
    absent: Vec<String>,
    /// Part → what is forbidden.
    #[serde(default)]
    forbidden: BTreeMap<String, String>,
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/diagnosis")
}

/// Names of all cases, sorted.
pub(crate) fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn json_file(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap())
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn kind(object: &Value) -> &str {
    object["kind"].as_str().unwrap_or_default()
}

pub(crate) fn meta(name: &str) -> Meta {
    serde_json::from_value(json_file(&folder().join(name).join("case.json")))
        .unwrap_or_else(|e| panic!("{name}: {e}"))
}

pub(crate) fn snapshot(name: &str) -> Snapshot {
    snapshot_of(name, &|_| {})
}

/// The snapshot of the files after `change`.
pub(crate) fn snapshot_of(name: &str, change: &dyn Fn(&mut Value)) -> Snapshot {
    let meta = meta(name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder().join(name))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.file_name().unwrap() != "case.json")
        .collect();
    files.sort();
    let mut objects = Vec::new();
    let mut onboarding = None;
    for file in files {
        let mut document = json_file(&file);
        change(&mut document);
        let mut all = match document {
            Value::Object(mut list) if list.contains_key("items") => match list.remove("items") {
                Some(Value::Array(items)) => items,
                _ => panic!("{}: items is no list", file.display()),
            },
            one => vec![one],
        };
        if file.file_name().unwrap() == "onboarding.json" {
            let at = all.iter().position(|o| kind(o) == "HelmRelease").unwrap();
            onboarding = Some(all.remove(at));
        }
        objects.extend(all);
    }
    let object = onboarding.expect("onboarding.json");
    let helm_release = HelmRelease::from_value(&object).unwrap();
    let part = |part: &str, kinds: &[&str], otherwise: Read<Value>| -> Read<Value> {
        if let Some(what) = meta.forbidden.get(part) {
            return Read::Unknown(Why::Forbidden(what.clone()));
        }
        if meta.absent.iter().any(|a| a == part) {
            return Read::Absent;
        }
        match objects.iter().find(|o| kinds.contains(&kind(o))) {
            Some(object) => Read::Seen(object.clone()),
            None => otherwise,
        }
    };
    let logs = |pod: &Value| -> Vec<(String, Read<String>)> {
        objects
            .iter()
            .filter(|o| kind(o) == "PodLog" && o["metadata"]["name"] == pod["metadata"]["name"])
            .map(|o| {
                let log = match meta.forbidden.get("log") {
                    Some(what) => Read::Unknown(Why::Forbidden(what.clone())),
                    None => Read::Seen(o["text"].as_str().unwrap().to_owned()),
                };
                (o["container"].as_str().unwrap().to_owned(), log)
            })
            .collect()
    };
    let pods: Vec<JobPod> = objects
        .iter()
        .filter(|o| kind(o) == "Pod" && !is_controller(o))
        .map(|pod| JobPod {
            pod: pod.clone(),
            logs: logs(pod),
        })
        .collect();
    let pods = match meta.forbidden.get("pods") {
        Some(what) => Read::Unknown(Why::Forbidden(what.clone())),
        None => Read::Seen(pods),
    };
    let creation_job =
        part("creationJob", &["Job"], Read::not_asked("nothing names it")).map(|job| CreationJob {
            job,
            pods,
            events: events(&objects, &["Job", "Pod"], &meta),
        });
    let lost_job = failure::failure(&helm_release)
        .and_then(|f| {
            failure::resources(&f.condition.message)
                .into_iter()
                .find(|r| r.kind == "Job")
        })
        .filter(|_| creation_job.is_absent())
        .map(|job| LostJob {
            namespace: job.namespace,
            name: job.name,
            events: events(&objects, &["Job"], &meta),
        });
    let others: Read<Vec<HelmRelease>> = match meta.forbidden.get("others") {
        Some(what) => Read::Unknown(Why::Forbidden(what.clone())),
        None => Read::Seen(
            objects
                .iter()
                .filter(|o| kind(o) == "HelmRelease")
                .map(|o| HelmRelease::from_value(o).unwrap())
                // Those without a label at all are not found by it.
                .chain((!helm_release.metadata.labels.is_empty()).then(|| helm_release.clone()))
                .collect(),
        ),
    };
    let dependencies = helm_release
        .spec
        .depends_on
        .iter()
        .map(|d| Dependency {
            id: format!(
                "{}/{}",
                d.namespace
                    .as_deref()
                    .unwrap_or(&helm_release.metadata.namespace),
                d.name
            ),
            helm_release: match others
                .seen()
                .and_then(|o| o.iter().find(|o| o.metadata.name == d.name))
            {
                Some(hr) => Read::Seen(hr.clone()),
                None => Read::not_asked("not in the fixture"),
            },
        })
        .collect();
    let further = Further {
        rights: part(
            "rights",
            &["SubjectAccessReview"],
            Further::default().rights,
        ),
        controllers: part(
            "controllers",
            &["Deployment"],
            Read::not_asked("not in the fixture"),
        )
        .map(|_| controllers(&objects)),
        service: service(&meta, &objects),
        databases: Arc::new(
            part("databases", &["Databases"], there(&helm_release))
                .map(|told| serde_json::from_value(told).unwrap()),
        ),
        ownership: Further::default().ownership,
    };
    let namespace = json!({"kind": "Namespace", "metadata": {"name": helm_release.release_namespace()}, "status": {"phase": "Active"}});
    Snapshot {
        origin: crate::advice::Origin::example(),
        chart: part(
            "chart",
            &["HelmChart", "OCIRepository", "ExternalArtifact"],
            Read::Seen(json!({"kind": "HelmChart"})),
        ),
        source: part(
            "source",
            &["HelmRepository", "GitRepository", "Bucket"],
            source(&helm_release),
        ),
        revisions: revisions(&objects),
        release: release(&objects, true),
        first_release: release(&objects, false),
        release_secret: None,
        lost_job,
        creation_job,
        events: events(&objects, &["HelmRelease"], &meta),
        target_namespace: part("targetNamespace", &["Namespace"], Read::Seen(namespace)),
        service_account: part(
            "serviceAccount",
            &["ServiceAccount"],
            Read::Seen(json!({"kind": "ServiceAccount"})),
        ),
        policy: part(
            "policy",
            &["AuthorizationPolicy"],
            Read::not_asked("not in the fixture"),
        ),
        dependencies,
        others: Arc::new(others),
        not_elsewhere: meta
            .forbidden
            .get("elsewhere")
            .map(|what| Why::Forbidden(what.clone())),
        further,
        object,
        helm_release,
    }
}

/// CouchDB has the database of a Ready onboarding, unless the fixture says otherwise.
fn there(hr: &HelmRelease) -> Read<Value> {
    let claim = hr.claim();
    if crate::model::status::ready(hr) != crate::model::status::Ready::True {
        return Read::not_asked("not in the fixture");
    }
    Read::Seen(json!({
        "namespace": "secure-kvs",
        "pod": "db-agora-kvs-secure-kvs-agora-couchdb-0",
        "asked": claim.joined().map(|name| json!([name, {"answer": "there"}])).into_iter().collect::<Vec<_>>(),
    }))
}

/// A pod of one of Flux's controllers.
fn is_controller(pod: &Value) -> bool {
    pod["metadata"]["labels"]["app"].is_string()
}

fn controllers(objects: &[Value]) -> Controllers {
    let all = |of: &dyn Fn(&Value) -> bool| -> Vec<Value> {
        objects.iter().filter(|o| of(o)).cloned().collect()
    };
    Controllers {
        namespace: "flux-system".to_owned(),
        deployments: all(&|o| kind(o) == "Deployment"),
        pods: Read::Seen(all(&|o| kind(o) == "Pod" && is_controller(o))),
    }
}

/// The Service of the file, or where it is absent the one of the runbook.
fn service(meta: &Meta, objects: &[Value]) -> Read<CouchService> {
    let refused = |part: &str| {
        let what = meta.forbidden.get(part)?;
        Some(Why::Forbidden(what.clone()))
    };
    let found = objects.iter().find(|o| kind(o) == "Service");
    let service = match (refused("service"), found) {
        (Some(why), _) => Read::Unknown(why),
        (None, Some(service)) => Read::Seen(service.clone()),
        (None, None) if meta.absent.iter().any(|a| a == "service") => Read::Absent,
        (None, None) => return Read::not_asked("not in the fixture"),
    };
    let slices = objects.iter().filter(|o| kind(o) == "EndpointSlice");
    Read::Seen(CouchService {
        namespace: "secure-kvs".to_owned(),
        name: "db-agora-kvs-secure-kvs-agora-couchdb".to_owned(),
        port: Some(5984),
        named_by: "values.couchdb.serviceName".to_owned(),
        service,
        slices: match refused("slices") {
            Some(why) => Read::Unknown(why),
            None => Read::Seen(slices.cloned().collect()),
        },
    })
}

/// Events of objects of these kinds, newest last.
fn events(objects: &[Value], kinds: &[&str], meta: &Meta) -> Read<Events> {
    if let Some(what) = meta.forbidden.get("events") {
        return Read::Unknown(Why::Forbidden(what.clone()));
    }
    let about = |o: &Value| {
        o["involvedObject"]["kind"]
            .as_str()
            .is_some_and(|k| kinds.contains(&k))
    };
    let mut known: Vec<Value> = objects
        .iter()
        .filter(|o| kind(o) == "Event" && about(o))
        .cloned()
        .collect();
    crate::model::event::sort(&mut known);
    Read::Seen(Events {
        known,
        not_all: None,
    })
}

/// Release Secrets of the fixture, oldest first.
fn secrets(objects: &[Value]) -> Vec<&Value> {
    let mut secrets: Vec<&Value> = objects.iter().filter(|o| kind(o) == "Secret").collect();
    secrets.sort_by_key(|s| version(s));
    secrets
}

fn version(secret: &Value) -> i64 {
    let label = &secret["metadata"]["labels"]["version"];
    label.as_str().unwrap().parse().unwrap()
}

fn revisions(objects: &[Value]) -> Read<Vec<Revision>> {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let mut all: Vec<Revision> = secrets(objects)
        .into_iter()
        .map(|s| Revision {
            secret: text(&s["metadata"]["name"]),
            revision: version(s),
            status: text(&s["metadata"]["labels"]["status"]),
            created: None,
        })
        .collect();
    all.reverse();
    if all.is_empty() {
        Read::not_asked("not in the fixture")
    } else {
        Read::Seen(all)
    }
}

/// The newest revision, or the oldest where that is another one.
fn release(objects: &[Value], newest: bool) -> Read<Release> {
    let stored = secrets(objects);
    let secret = match stored.as_slice() {
        [.., last] if newest => last,
        [first, .., _] if !newest => first,
        _ => return Read::not_asked("not in the fixture"),
    };
    Read::Seen(helm_storage::from_secret(secret).unwrap())
}

/// A repository without complaints; none behind what is fetched itself.
fn source(hr: &HelmRelease) -> Read<Value> {
    if hr.spec.chart_ref.is_some() {
        return Read::not_asked("an OCIRepository is its own source");
    }
    let reference = hr
        .spec
        .chart
        .as_ref()
        .map(|c| c.spec.source_ref.clone())
        .unwrap_or_default();
    Read::Seen(json!({
        "kind": reference.kind,
        "metadata": {"name": reference.name, "namespace": reference.namespace.unwrap_or_default()},
        "spec": {"url": "https://artifactory.example/helm"}
    }))
}

pub(crate) fn diagnosis(name: &str) -> Diagnosis {
    diagnose(&Case::new(&snapshot(name), meta(name).now))
}

/// The finding of `code`, root or not.
pub(crate) fn finding(name: &str, code: &str) -> Finding {
    let roots = diagnosis(name).roots;
    let all = roots
        .into_iter()
        .flat_map(|r| std::iter::once((r.rule, r.finding)).chain(r.follows));
    let mut seen = Vec::new();
    for (rule, finding) in all {
        if rule.code == code {
            return finding;
        }
        seen.push(rule.code);
    }
    panic!("{name}: {code} is not among {seen:?}");
}

/// Makes a report's text independent of rules that are added later: a fixed count, and nothing of what fixtures lack.
pub(crate) fn settle(onboarding: &mut crate::view::report::Onboarding) {
    onboarding.checks_run = 19;
    onboarding
        .not_run
        .retain(|n| !n.why.contains("in the fixture"));
}

pub(crate) fn sentence(name: &str, code: &str) -> String {
    finding(name, code).sentence
}

/// Codes that are shown under a root, sorted.
pub(crate) fn followers(name: &str) -> Vec<&'static str> {
    let mut codes: Vec<&'static str> = diagnosis(name)
        .roots
        .iter()
        .flat_map(|r| r.follows.iter().map(|(rule, _)| rule.code))
        .collect();
    codes.sort_unstable();
    codes
}
