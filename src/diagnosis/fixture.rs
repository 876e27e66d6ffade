//! The cases of tests/fixtures/diagnosis as snapshots: their objects become a bundle, and the bundle is read as `-f` reads one.
//! Test code only. The README there tells the form.

#[path = "../../tests/support/case.rs"]
pub(crate) mod case;

use super::finding::Step;
use super::{Case, Diagnosis, Finding, diagnose};
use crate::advice::Origin;
use crate::bundle::Archive;
use crate::bundle::record::Recorder;
use crate::bundle::scene::Scene;
use crate::cluster::error::NOT_SAVED;
use crate::cluster::{Cluster, ClusterError};
use crate::model::access_review::AccessReview;
use crate::model::deployment::Deployment;
use crate::model::event::Event;
use crate::model::field::Fields;
use crate::model::helm_release::ONBOARDING_SELECTOR;
use crate::model::job::Job;
use crate::model::kustomization::Kustomization;
use crate::model::namespace::Namespace;
use crate::model::pod::Pod;
use crate::model::policy::Policy;
use crate::model::service::{EndpointSlice, Service};
use crate::model::source::Source;
use crate::snapshot::{Controllers, Events, Listing, Parts, Read, ServingPod, Snapshot, Why};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, write::GzEncoder};
use futures::FutureExt;
use k8s_openapi::jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

/// The onboarding, where a case does not name it.
const NAME: &str = "skvs-onboarding-pds--database";

/// Of these kinds a case tells all that there is; of others, what it does not tell is not known.
const COMPLETE: [&str; 5] = [
    "events",
    "pods",
    "helmreleases",
    "endpointslices",
    "networkpolicies",
];

/// Under what a bundle keeps CouchDB's answers.
const DATABASES: &str = "/couchdb/databases";
/// Where a right is asked for.
const REVIEWS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

/// A case's first document.
#[derive(Clone, Deserialize)]
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
    /// Kinds that have no objects, by their plurals.
    #[serde(default)]
    absent: Vec<String>,
    /// What the user may not do: `get jobs in core`.
    #[serde(default)]
    forbidden: Vec<String>,
    /// Laid over the HelmRelease of `base.yaml`.
    #[serde(default)]
    api_version: Value,
    #[serde(default)]
    metadata: Value,
    #[serde(default)]
    spec: Value,
    #[serde(default)]
    status: Value,
}

/// A case with what it and the base tell, the onboarding first.
struct Fixture {
    meta: Meta,
    documents: Vec<Value>,
}

/// Made once for all tests, by the case's name.
type Once<T> = LazyLock<Mutex<HashMap<String, Arc<OnceLock<T>>>>>;
static FIXTURES: Once<Arc<Fixture>> = LazyLock::new(Mutex::default);
static SNAPSHOTS: Once<Snapshot> = LazyLock::new(Mutex::default);

fn once<T: Clone>(all: &Once<T>, name: &str, make: impl FnOnce() -> T) -> T {
    let place = all
        .lock()
        .unwrap()
        .entry(name.to_owned())
        .or_default()
        .clone();
    place.get_or_init(make).clone()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/diagnosis")
}

/// Names of all cases, sorted.
pub(crate) fn names() -> Vec<String> {
    let paths = case::paths(&folder()).into_iter();
    let names = paths.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| name != "base").collect()
}

fn fixture(name: &str) -> Arc<Fixture> {
    once(&FIXTURES, name, || Arc::new(Fixture::read(name)))
}

pub(crate) fn meta(name: &str) -> Meta {
    fixture(name).meta.clone()
}

/// What a case and the base tell, the onboarding first: objects, and what is none of the API server's.
pub(crate) fn documents(name: &str) -> Vec<Value> {
    fixture(name).documents.clone()
}

pub(crate) fn snapshot(name: &str) -> Snapshot {
    once(&SNAPSHOTS, name, || {
        let fixture = fixture(name);
        gathered(name, &fixture.meta, &fixture.documents)
    })
}

/// The snapshot of the documents after `change`.
pub(crate) fn snapshot_of(name: &str, change: &dyn Fn(&mut Value)) -> Snapshot {
    let mut documents = documents(name);
    documents.iter_mut().for_each(change);
    gathered(name, &meta(name), &documents)
}

/// Reads the parts of a case's snapshot again, each after `change` of the object that it was read from.
pub(crate) fn reread(name: &str, snapshot: &mut Snapshot, change: &mut dyn FnMut(&mut Value)) {
    let mut again = Again {
        documents: documents(name),
        change,
    };
    let parts: &mut Parts = snapshot;
    for part in [&mut parts.chart, &mut parts.source] {
        again.part(part, |object| Source::from_value(object, ""));
    }
    again.part(&mut snapshot.target_namespace, Namespace::from_value);
    again.part(&mut snapshot.service_account, |object| {
        Fields::new(object).meta("ServiceAccount")
    });
    again.part(&mut snapshot.policy, Policy::from_value);
    again.part(&mut snapshot.on_demand.rights, AccessReview::from_value);
    again.events(&mut snapshot.events);
    if let Read::Seen(found) = &mut snapshot.creation_job {
        again.value(&mut found.job, Job::from_value);
        if let Some(pods) = found.pods.seen_mut() {
            for pod in pods.known_mut() {
                again.value(&mut pod.pod, Pod::from_value);
            }
        }
        again.events(&mut found.events);
    }
    if let Read::Seen(controllers) = &mut snapshot.on_demand.controllers {
        for deployment in &mut controllers.deployments {
            again.value(deployment, Deployment::from_value);
        }
    }
    let on_demand = &mut snapshot.on_demand;
    for pods in [
        on_demand.controller_pods.seen_mut(),
        on_demand.couch_pods.seen_mut().map(|found| &mut found.pods),
    ] {
        for found in pods.into_iter().flat_map(Listing::known_mut) {
            again.value(&mut found.pod, Pod::from_value);
            again.events(&mut found.events);
        }
    }
    if let Read::Seen(service) = &mut snapshot.on_demand.service {
        again.part(&mut service.service, Service::from_value);
        if let Some(slices) = service.slices.seen_mut() {
            for slice in slices.known_mut() {
                again.value(slice, EndpointSlice::from_value);
            }
        }
    }
}

struct Again<'c> {
    documents: Vec<Value>,
    change: &'c mut dyn FnMut(&mut Value),
}

impl Again<'_> {
    fn part<T: PartialEq>(&mut self, part: &mut Read<T>, read: impl Fn(&Value) -> T) {
        if let Read::Seen(part) = part {
            self.value(part, read);
        }
    }

    fn value<T: PartialEq>(&mut self, value: &mut T, read: impl Fn(&Value) -> T) {
        let own = self.documents.iter().find(|object| read(object) == *value);
        if let Some(mut object) = own.cloned() {
            (self.change)(&mut object);
            *value = read(&object);
        }
    }

    fn events(&mut self, events: &mut Read<Events>) {
        if let Read::Seen(events) = events {
            for event in events.known_mut() {
                self.value(event, Event::from_value);
            }
            let odd = events.known().iter().any(|event| !event.is_whole);
            events.lacks(odd.then(|| Why::Broken("malformed".to_owned())));
        }
    }
}

impl Fixture {
    fn read(name: &str) -> Self {
        let file = case::read::<Meta>(&folder().join(format!("{name}.yaml")), str::to_owned);
        let meta = file.header;
        let named = meta.metadata["name"].as_str();
        let onboarding = named.unwrap_or(NAME).to_owned();
        let base = base(&onboarding);
        let mut documents = base.clone();
        for (key, own) in [
            ("apiVersion", &meta.api_version),
            ("metadata", &meta.metadata),
            ("spec", &meta.spec),
            ("status", &meta.status),
        ] {
            case::merge(&mut documents[0][key], own);
        }
        for document in &file.objects {
            let document = whole(&yaml(document), &base);
            let identity = |o: &Value| {
                let metadata = &o["metadata"];
                (
                    o["kind"].clone(),
                    metadata["namespace"].clone(),
                    metadata["name"].clone(),
                )
            };
            documents.retain(|o| identity(o) != identity(&document));
            documents.push(document);
        }
        assert_eq!(own_name(&documents[0]), Some(onboarding.as_str()), "{name}");
        Self { meta, documents }
    }
}

fn own_name(object: &Value) -> Option<&str> {
    object.pointer("/metadata/name")?.as_str()
}

fn kind(object: &Value) -> &str {
    object["kind"].as_str().unwrap_or_default()
}

fn yaml(document: &str) -> Value {
    serde_saphyr::from_str(document).unwrap_or_else(|error| panic!("{error}: {document}"))
}

/// `base.yaml` for an onboarding of this name.
fn base(name: &str) -> Vec<Value> {
    const BASE: &str = include_str!("../../tests/fixtures/diagnosis/base.yaml");
    let base = case::filled(BASE, &[("name", name.to_owned())]);
    case::documents(&base).map(yaml).collect()
}

/// A document laid over the base's of its kind, if there is one; a release packed as Helm packs it.
fn whole(document: &Value, base: &[Value]) -> Value {
    let like = match kind(document) {
        "HelmRelease" => self::base(own_name(document).unwrap_or(NAME))
            .into_iter()
            .next(),
        _ => base.iter().find(|o| kind(o) == kind(document)).cloned(),
    };
    let mut whole = like.unwrap_or(Value::Null);
    case::merge(&mut whole, document);
    if let Some(release) = whole.as_object_mut().and_then(|o| o.remove("release")) {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(release.to_string().as_bytes()).unwrap();
        let helm = STANDARD.encode(packed.finish().unwrap());
        whole["data"] = json!({"release": STANDARD.encode(helm)});
    }
    whole
}

/// A log as `kubectl logs --prefix` writes it.
pub(crate) fn prefixed(log: &Value) -> String {
    let (pod, container) = (own_name(log).unwrap(), log["container"].as_str().unwrap());
    let lines = log["text"].as_str().unwrap().lines();
    lines
        .map(|line| format!("[pod/{pod}/{container}] {line}\n"))
        .collect()
}

/// Reads the documents as a command reads a bundle of them: again, until every question has its answer.
fn gathered(case: &str, meta: &Meta, documents: &[Value]) -> Snapshot {
    let (asides, objects): (Vec<&Value>, Vec<&Value>) = documents.iter().partition(|d| {
        [
            "PodLog",
            "Databases",
            "SubjectAccessReview",
            "Kustomization",
        ]
        .contains(&kind(d))
    });
    let mut logs = String::new();
    for log in asides.iter().filter(|d| kind(d) == "PodLog") {
        logs.push_str(&prefixed(log));
    }
    let mut scene = Scene::new(&objects, &logs);
    scene.complete = COMPLETE.map(str::to_owned).to_vec();
    scene.absent.clone_from(&meta.absent);
    scene.forbidden.clone_from(&meta.forbidden);
    for aside in asides {
        match kind(aside) {
            "Databases" => scene.aside(DATABASES, &Value::Null, aside),
            "SubjectAccessReview" => scene.aside(REVIEWS, &aside["spec"], aside),
            _ => {}
        }
    }
    let mut files = scene.plain();
    let mut snapshot = loop {
        let recorder = Arc::new(Recorder::of_questions());
        let cluster = Cluster::saved(files, 0).recorded(recorder.clone());
        let read = read(&cluster, &documents[0]["metadata"], meta.now);
        let snapshot = read.now_or_never().expect("files answer at once");
        if !scene.hear(&recorder.take()) {
            break snapshot.unwrap_or_else(|error| panic!("{case}: {error:?}"));
        }
        files = scene.bundle();
    };
    let unused = scene.unused();
    assert!(unused.is_empty(), "{case}: nothing asks for {unused:?}");
    // A bundle does not keep Kustomizations.
    let applied = documents.iter().filter(|d| kind(d) == "Kustomization");
    let applied: Vec<Kustomization> = applied.map(Kustomization::from_value).collect();
    snapshot.on_demand.kustomizations = Arc::new(match applied.is_empty() {
        true => Read::not_asked(NOT_SAVED),
        false => Read::Seen(applied),
    });
    snapshot
}

/// What `troubleshoot` reads of one onboarding.
async fn read(
    cluster: &Cluster,
    metadata: &Value,
    now: Timestamp,
) -> Result<Snapshot, ClusterError> {
    let text = |field: &str| metadata[field].as_str().unwrap_or_default();
    let object = cluster
        .helm_release(text("namespace"), text("name"))
        .await?;
    let others = cluster
        .other_onboardings(text("namespace"), ONBOARDING_SELECTOR)
        .await;
    let mut snapshot = cluster
        .snapshot_with_on_demand(object, &others, now)
        .await?;
    let nobody = async { Read::not_asked("a bundle answers") };
    snapshot.on_demand.databases = Arc::new(cluster.aside(DATABASES, nobody).await);
    Ok(snapshot)
}

/// The onboardings of the public reports under `tests/fixtures`, read as `-f` reads them, each under its folder.
pub(crate) fn reports() -> Vec<(String, Snapshot)> {
    let root = folder().join("..");
    let mut folders = vec![root.join("reports"), root.join("unseen")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let saved = folder.join("saved.yaml");
        if saved.exists() {
            let name = folder.strip_prefix(&root).unwrap().display().to_string();
            found.extend(report(&folder).into_iter().map(|s| (name.clone(), s)));
            continue;
        }
        let inner = std::fs::read_dir(&folder)
            .unwrap()
            .map(|e| e.unwrap().path());
        folders.extend(inner.filter(|path| path.is_dir()));
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

/// When the public reports are looked at: after the last of their times.
pub(crate) fn reported() -> Timestamp {
    "2026-12-01T00:00:00Z".parse().unwrap()
}

/// The onboardings of one public report.
fn report(folder: &Path) -> Vec<Snapshot> {
    let files = ["saved.yaml", "pods.log"].map(|file| folder.join(file));
    let files: Vec<PathBuf> = files.into_iter().filter(|file| file.exists()).collect();
    let archive = Archive::load(&files, false, &mut std::io::empty()).unwrap();
    let cluster = Cluster::saved(archive, 0);
    let read = async {
        let others = cluster.other_onboardings("", ONBOARDING_SELECTOR).await;
        let all = others.read.if_read().cloned().unwrap_or_default();
        let mut snapshots = Vec::new();
        for hr in all {
            let own = (&hr.metadata.namespace, &hr.metadata.name);
            let object = cluster.helm_release(own.0, own.1).await.unwrap();
            let read = cluster.snapshot_with_on_demand(object, &others, reported());
            snapshots.extend(read.await.ok());
        }
        snapshots
    };
    read.now_or_never().expect("files answer at once")
}

pub(crate) fn diagnosis(name: &str) -> Diagnosis {
    diagnose(&Case::new(&snapshot(name), meta(name).now))
}

/// The finding of `code`, root or not.
pub(crate) fn finding(name: &str, code: &str) -> Finding {
    of_code(diagnosis(name), code)
}

/// Lets no pod of this controller of Flux be available: the image of its only one cannot be pulled.
pub(crate) fn stop(snapshot: &mut Snapshot, controller: &str) {
    let image = format!("fluxcd/{controller}:v1");
    let deployment = json!({"metadata": {"name": controller, "namespace": "flux-system"},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "manager", "image": image}]}}}});
    snapshot.on_demand.controllers = Read::Seen(Controllers {
        namespace: "flux-system".to_owned(),
        deployments: vec![Deployment::from_value(&deployment)],
    });
    let set = format!("{controller}-5d8f");
    let pod = without_image("flux-system", &format!("{set}-x2x7q"), &set);
    snapshot.on_demand.controller_pods = Read::Seen(Listing::whole(vec![pod]));
}

/// A pod of a ReplicaSet, whose image cannot be pulled.
pub(crate) fn without_image(namespace: &str, name: &str, set: &str) -> ServingPod {
    let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "m"}});
    let pod = json!({
        "metadata": {"name": name, "namespace": namespace, "labels": {"pod-template-hash": "5d8f"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": set, "controller": true}]},
        "status": {"containerStatuses": [{"name": "c", "ready": false, "state": waiting}]}});
    ServingPod {
        pod: Pod::from_value(&pod),
        events: Read::Seen(Listing::default()).into(),
        log: Read::not_needed("it has not run").into(),
    }
}

/// Replaces a part of the messages of the onboarding's conditions.
pub(crate) fn reword(snapshot: &mut Snapshot, old: &str, new: &str) {
    for condition in snapshot.helm_release.status.conditions.edit() {
        condition.message = condition.message.replace(old, new);
    }
}

/// The finding of `code` in a diagnosis, root or not.
pub(crate) fn of_code(diagnosis: Diagnosis, code: &str) -> Finding {
    let roots = diagnosis.roots.into_iter();
    let all = roots.flat_map(|r| std::iter::once((r.rule, r.finding)).chain(r.follows));
    let mut seen = Vec::new();
    for (rule, finding) in all {
        if rule.code == code {
            return finding;
        }
        seen.push(rule.code);
    }
    panic!("{code} is not among {seen:?}");
}

/// A finding's sentence and its fix, a line each.
pub(crate) fn lines(finding: Finding) -> String {
    let fix = finding.fix.into_iter().map(|step| match step {
        Step::Text(text) => text,
        Step::Manifest(change) => change.to_string(),
        Step::Command(command) => format!("$ {}", command.at(&Origin::default())),
    });
    let all: Vec<String> = std::iter::once(finding.sentence).chain(fix).collect();
    all.join("\n")
}

/// The same behind its reasons.
pub(crate) fn reasoned(finding: Finding) -> String {
    format!("{}\n{}", finding.why.join("\n"), lines(finding))
}

/// Makes a report's text independent of rules that are added later: a fixed count, and nothing of what fixtures lack.
pub(crate) fn settle(onboarding: &mut crate::view::report::Onboarding) {
    onboarding.checks_run = 19;
    let lacking = ["in the saved files", "the release, which names the policy"];
    onboarding
        .not_run
        .retain(|n| !lacking.iter().any(|why| n.why.contains(why)));
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
