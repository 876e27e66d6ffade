//! Brings every case to its end, all of them side by side in one sandbox, and keeps what troubleshoot says of each.

use super::case::{self, Case, Step};
use super::{repositories, steps};
use crate::harness::{RunOutput, Skvs};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use testbed::{Options, Sandbox};

/// Longest wait for all cases together; they take about a minute and a half.
const LIMIT: Duration = Duration::from_secs(240);

const PAUSE: Duration = Duration::from_millis(300);

/// The code of a Flux that is at work.
const IN_PROGRESS: &str = "SKVS108";

/// Most reports on a case that Flux is just trying again.
const TRIES: usize = 10;

/// Runs of the plugin at the same time.
const SIDE_BY_SIDE: usize = 4;

const RELEASES: &str = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases";

/// The cluster in which everything has happened.
pub(super) struct Stage {
    pub(super) sandbox: Sandbox,
    /// Those of `cases/`, then those of `healthy/`.
    pub(super) ended: Vec<Ended>,
}

/// A case at its end.
pub(super) struct Ended {
    pub(super) case: Case,
    pub(super) healthy: bool,
    /// What Flux never did, for a case that did not come to its end.
    pub(super) stuck: Option<String>,
    /// `troubleshoot NAME -o json`.
    pub(super) said: RunOutput,
    /// The same as text.
    pub(super) text: RunOutput,
    /// The same of a bundle.
    pub(super) saved: RunOutput,
}

impl Ended {
    /// The report on this onboarding.
    pub(super) fn report(&self) -> Value {
        let report: Value = serde_json::from_str(&self.said.stdout).unwrap_or(Value::Null);
        report["onboardings"][0].clone()
    }
}

/// Started by the first test that asks, while the others wait.
pub(super) fn stage() -> &'static Stage {
    static STAGE: OnceLock<Option<Stage>> = OnceLock::new();
    // Without the catch every test would start a cluster of its own.
    let set = || std::panic::catch_unwind(Stage::set).ok();
    STAGE.get_or_init(set).as_ref().expect("the stage is set")
}

/// Runs a check once, whichever test asks for it first, while the others wait. What changes the cluster can thus come after what
/// looks at it.
pub(super) fn once(done: &'static OnceLock<bool>, check: fn()) {
    let well = done.get_or_init(|| std::panic::catch_unwind(check).is_ok());
    assert!(well, "it failed where it was run");
}

/// A run of the plugin in the matrix' cluster as its administrator.
pub(super) fn skvs(sandbox: &Sandbox, args: &[&str]) -> RunOutput {
    Skvs::of(sandbox, sandbox.kubeconfig(), args).run()
}

impl Stage {
    fn set() -> Self {
        let sandbox = Sandbox::start(&Options::unseeded()).expect("the matrix' sandbox starts");
        let variants = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/matrix/chart");
        let variants = sandbox.serve_variant(&variants, "0.1.9");
        let variants = variants.expect("the chart's variants are packaged");
        let values = [
            ("REPO_URL", sandbox.repository().to_owned()),
            (
                "COUCHDB_URL",
                format!("http://127.0.0.1:{}", sandbox.couchdb().port()),
            ),
            ("BROKEN_URL", repositories::serve()),
            ("SERVER_URL", sandbox.server().to_owned()),
        ];
        let cases = case::read("cases", &values).into_iter().map(|c| (c, false));
        let healthy = case::read("healthy", &values)
            .into_iter()
            .map(|c| (c, true));
        let cases: Vec<(Case, bool)> = cases.chain(healthy).collect();
        raise(&sandbox, &cases, &variants);
        let stuck = play(&sandbox, &cases);
        let ended = look(&sandbox, cases, stuck);
        Self { sandbox, ended }
    }
}

/// Makes everything that is there before the onboardings, then these.
fn raise(sandbox: &Sandbox, cases: &[(Case, bool)], variants: &str) {
    let mut objects: Vec<Value> = cases.iter().flat_map(|(c, _)| c.surroundings()).collect();
    // kubectl applies in this order, and a namespace comes before what is in it.
    objects.sort_by_key(|object| object["kind"] != "Namespace");
    let wiring = [
        "secret/db-agora-kvs-secure-kvs-agora-couchdb",
        "configmap/testbed-couchdb",
    ];
    for path in wiring {
        let text = sandbox.kubectl_ok(&["get", "-n", "core", path, "-o", "json"]);
        let mut object: Value =
            serde_json::from_str(&text.expect("the platform is there")).expect("JSON");
        for namespace in cases.iter().flat_map(|(c, _)| c.wired()) {
            let name = object["metadata"]["name"].clone();
            object["metadata"] = json!({"name": name, "namespace": namespace});
            objects.push(object.clone());
        }
    }
    let own = cases.iter().flat_map(|(c, _)| c.objects.iter().cloned());
    objects.push(json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
        "metadata": {"name": "variants", "namespace": "flux-system"},
        "spec": {"interval": "1m", "url": variants},
    }));
    let mut documents: Vec<String> = objects.iter().map(Value::to_string).collect();
    documents.extend(own);
    sandbox
        .apply(&documents.join("\n---\n"))
        .expect("the surroundings are taken");
    for (case, _) in cases {
        for step in &case.before {
            let what = || format!("{}: {step:?}", case.slug);
            let done = || {
                steps::advance(sandbox, case, step, None)
                    .is_none()
                    .then_some(())
            };
            testbed::wait(&what(), Duration::from_secs(30), done).expect("a step before");
        }
    }
    let releases = cases.iter().map(|(case, healthy)| {
        let label = if *healthy { "healthy" } else { "failing" };
        case.helm_release(label).to_string()
    });
    let releases: Vec<String> = releases.collect();
    sandbox
        .apply(&releases.join("\n---\n"))
        .expect("the onboardings are taken");
}

/// Carries out the steps of all cases; what is left undone, by name.
fn play(sandbox: &Sandbox, cases: &[(Case, bool)]) -> BTreeMap<String, String> {
    let end = Instant::now() + LIMIT;
    let mut open: Vec<(&Case, VecDeque<&Step>)> = cases
        .iter()
        .map(|(c, _)| (c, c.steps.iter().collect()))
        .collect();
    loop {
        let all = sandbox
            .request("GET", RELEASES, &Value::Null)
            .expect("HelmReleases are listed");
        let mut waits = BTreeMap::new();
        for (case, steps) in &mut open {
            let items = all["items"].as_array();
            let mut items = items.into_iter().flatten();
            let mut release = items.find(|r| r["metadata"]["name"] == case.name().as_str());
            while let Some(step) = steps.front().copied() {
                if let Some(lack) = steps::advance(sandbox, case, step, release) {
                    waits.insert(case.slug.clone(), lack);
                    break;
                }
                steps.pop_front();
                // What follows a change is judged by what is read after it.
                if !step.is_wait() {
                    release = None;
                }
            }
        }
        open.retain(|(_, steps)| !steps.is_empty());
        let left = open.iter().map(|(case, _)| case.slug.clone());
        let left: BTreeMap<String, String> = left
            .map(|slug| (slug.clone(), waits.remove(&slug).unwrap_or_default()))
            .collect();
        if left.is_empty() || Instant::now() >= end {
            return left;
        }
        std::thread::sleep(PAUSE);
    }
}

/// The report as JSON and as text. Flux tries some failures again and again: what is wanted is the state between two attempts.
fn ask(sandbox: &Sandbox, case: &Case) -> (RunOutput, RunOutput) {
    let name = case.name();
    let mut tries = 0;
    loop {
        let said = skvs(sandbox, &["troubleshoot", &name, "-o", "json"]);
        let text = skvs(sandbox, &["troubleshoot", &name]);
        tries += 1;
        let report: Value = serde_json::from_str(&said.stdout).unwrap_or(Value::Null);
        let findings = report["onboardings"][0]["findings"].as_array();
        let mut findings = findings.into_iter().flatten();
        let running = findings.any(|f| f["code"] == IN_PROGRESS)
            || text.stdout.contains(&format!("info[{IN_PROGRESS}]"));
        let wanted = case.expect.iter().any(|code| code == IN_PROGRESS);
        if !running || wanted || tries == TRIES {
            return (said, text);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Captures the case and asks troubleshoot about the bundle, again where Flux has tried again between the two.
fn ask_bundle(sandbox: &Sandbox, case: &Case, live: &RunOutput, folder: &Path) -> RunOutput {
    let file = folder.join(format!("{}.tar.gz", case.slug));
    let (file, name) = (file.to_string_lossy(), case.name());
    let codes = |said: &RunOutput| {
        let report: Value = serde_json::from_str(&said.stdout).unwrap_or(Value::Null);
        let findings = report["onboardings"][0]["findings"].as_array();
        let codes = findings
            .into_iter()
            .flatten()
            .map(|f| f["code"].to_string());
        codes.collect::<Vec<_>>()
    };
    let mut tries = 0;
    loop {
        let captured = skvs(sandbox, &["capture", &name, "--force", "--to", &file]);
        let said = skvs(sandbox, &["troubleshoot", &name, "-f", &file, "-o", "json"]);
        tries += 1;
        if codes(&said) == codes(live) || tries == TRIES {
            assert_eq!(captured.code, 0, "{name}: {}", captured.stderr);
            return said;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Asks troubleshoot about each, and leaves its answers in the run's folder for whoever reads on.
fn look(
    sandbox: &Sandbox,
    cases: Vec<(Case, bool)>,
    mut stuck: BTreeMap<String, String>,
) -> Vec<Ended> {
    let folder = sandbox.run_dir().join("matrix");
    std::fs::create_dir_all(&folder).expect("room in the run's folder");
    let queue = Mutex::new(cases.into_iter().enumerate());
    let ended = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("no thread panics here").next();
                    let Some((i, (case, healthy))) = next else {
                        return;
                    };
                    let name = case.name();
                    let (said, text) = ask(sandbox, &case);
                    let saved = ask_bundle(sandbox, &case, &said, &folder);
                    let file = folder.join(format!("{}.txt", case.slug));
                    let object = sandbox.kubectl_ok(&[
                        "get",
                        "helmrelease",
                        "-n",
                        "flux-system",
                        &name,
                        "-o",
                        "yaml",
                    ]);
                    let all = format!(
                        "{}{}\n{}",
                        text.stdout,
                        text.stderr,
                        object.unwrap_or_default()
                    );
                    std::fs::write(file, all).expect("room in the run's folder");
                    let one = Ended {
                        case,
                        healthy,
                        stuck: None,
                        said,
                        text,
                        saved,
                    };
                    ended.lock().expect("no thread panics here").push((i, one));
                }
            });
        }
    });
    let mut ended = ended.into_inner().expect("no thread panics here");
    ended.sort_by_key(|(i, _)| *i);
    let ended = ended.into_iter().map(|(_, mut one)| {
        one.stuck = stuck.remove(&one.case.slug);
        one
    });
    ended.collect()
}
