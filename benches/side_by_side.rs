//! Whole processes side by side with kubectl and helm against one real API server, as ratios.
//!
//! `cargo bench` starts etcd and a kube-apiserver, fills it, and runs ours and the peer in turn, A B A B, after a warm-up of
//! each. Figures are medians; the ratio is the median of the pairs' ratios, so that a drifting machine weighs less. Memory is
//! the kernel's own account of the finished process (`ru_maxrss`). No time is asserted, but a ratio is: where one is more than a fifth
//! worse than in the table in docs/speed.md, the row is measured again, three times at most, and the best must not be. `cargo bench -- notes`
//! runs only the rows whose title holds that word.

#![allow(clippy::print_stdout)]

#[path = "side_by_side/committed.rs"]
mod committed;
#[path = "side_by_side/databases.rs"]
mod databases;

use committed::Committed;
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use testbed::{Options, Sandbox};

/// First argument of a process that measures one run of a command and prints what it took.
const MEASURE: &str = "--measure-one";
const SELECTOR: &str = "app.kubernetes.io/part-of=secure-kvs-onboarding";
const OURS: &str = env!("CARGO_BIN_EXE_kubectl-skvs");

/// Measurements of a row that is worse than before.
const TRIES: usize = 3;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|a| a == MEASURE) {
        measure_one(&args[2..]);
        return ExitCode::SUCCESS;
    }
    if args.iter().any(|a| a == "--test" || a == "--list") {
        return ExitCode::SUCCESS;
    }
    let only = args
        .iter()
        .skip(1)
        .find(|a| !a.starts_with('-'))
        .cloned()
        .unwrap_or_default();
    println!("| what | peer | wall | first row | peak memory |\n|---|---|---|---|---|");
    if !databases::ROWS.iter().any(|row| only.starts_with(row)) {
        reads(&only);
    }
    if databases::ROWS
        .iter()
        .any(|row| row.starts_with(&only) || only.starts_with(row))
    {
        databases::run(&only);
    }
    let nowhere = Bench::new(Path::new("/nonexistent"), "");
    let help = nowhere.median(&[OURS, "--help"], 20);
    let size = std::fs::metadata(OURS).map(|m| m.len()).unwrap_or_default();
    println!(
        "\n`--help`: {:.1} ms; binary: {:.1} MB",
        help.wall * 1e3,
        size as f64 / 1e6
    );
    let worse = std::mem::take(&mut *WORSE.lock().expect("nothing panicked"));
    if worse.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\nmore than a fifth worse than docs/speed.md says:");
    for row in worse {
        println!("- {row}");
    }
    ExitCode::FAILURE
}

/// Rows that are worse than the committed ones.
static WORSE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What asks the API server alone.
fn reads(only: &str) {
    let sandbox = Sandbox::start(&Options::bare()).expect("the API server starts");
    seed(&sandbox);
    let kubectl = sandbox.bin("kubectl");
    let helm = sandbox.bin("helm");
    let bench = Bench::new(sandbox.kubeconfig(), only);
    let token = with_token(&sandbox);
    let by_token = Bench::new(&token, only);
    for (title, namespace, runs) in [
        ("list, 20 onboardings", "flux-system", 15),
        ("list, 5,000 onboardings", "many", 5),
    ] {
        let ours = [OURS, "list", "-n", namespace];
        let peer = [
            text(&kubectl),
            "get",
            "helmreleases",
            "-n",
            namespace,
            "-l",
            SELECTOR,
        ];
        bench.row(title, "kubectl get helmreleases", &ours, &peer, runs);
    }
    for (title, release, runs) in [
        ("notes, one revision", "one", 15),
        ("notes, ten revisions of 300 KB", "ten", 9),
    ] {
        let ours = [OURS, "notes", release];
        let peer = [text(&helm), "get", "notes", "-n", "flux-system", release];
        bench.row(title, "helm get notes", &ours, &peer, runs);
    }
    let one = "skvs-onboarding-team1--database";
    let kubectl = text(&kubectl);
    let list = [OURS, "list"];
    let get = [
        kubectl,
        "get",
        "helmreleases",
        "-n",
        "flux-system",
        "-l",
        SELECTOR,
    ];
    let describe = [OURS, "describe", one];
    let troubleshoot = [OURS, "troubleshoot", "--fail-on", "never", one];
    let all = [OURS, "troubleshoot", "--fail-on", "never"];
    let peer = [kubectl, "describe", "helmrelease", "-n", "flux-system", one];
    let peers = [
        kubectl,
        "describe",
        "helmreleases",
        "-n",
        "flux-system",
        "-l",
        SELECTOR,
    ];
    for (bench, how) in [(&bench, ""), (&by_token, ", by token")] {
        let title = |what: &str| format!("{what}{how}");
        if !how.is_empty() {
            bench.row(
                &title("list, 20 onboardings"),
                "kubectl get helmreleases",
                &list,
                &get,
                15,
            );
        }
        bench.row(
            &title("describe"),
            "kubectl describe helmrelease",
            &describe,
            &peer,
            15,
        );
        bench.row(
            &title("troubleshoot, one"),
            "kubectl describe helmrelease",
            &troubleshoot,
            &peer,
            15,
        );
        bench.row(
            &title("troubleshoot, 20"),
            "kubectl describe helmreleases",
            &all,
            &peers,
            9,
        );
    }
}

/// The kubeconfig of a ServiceAccount that may do everything, by its token: the other one has a client certificate.
fn with_token(sandbox: &Sandbox) -> PathBuf {
    let kubectl = |words: &[&str]| {
        let output = Command::new(sandbox.bin("kubectl"))
            .args(words)
            .env("KUBECONFIG", sandbox.kubeconfig())
            .output()
            .expect("kubectl starts");
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).expect("kubectl writes UTF-8")
    };
    kubectl(&["create", "serviceaccount", "bench", "-n", "flux-system"]);
    kubectl(&[
        "create",
        "clusterrolebinding",
        "bench",
        "--clusterrole=cluster-admin",
        "--serviceaccount=flux-system:bench",
    ]);
    let token = kubectl(&[
        "create",
        "token",
        "bench",
        "-n",
        "flux-system",
        "--duration=2h",
    ]);
    let view = kubectl(&[
        "config",
        "view",
        "--raw",
        "--minify",
        "--flatten",
        "-o",
        "json",
    ]);
    let mut config: Value = serde_json::from_str(&view).expect("kubectl writes JSON");
    config["users"][0]["user"] = json!({"token": token.trim()});
    let path = sandbox.kubeconfig().with_extension("token");
    std::fs::write(&path, config.to_string()).expect("the sandbox's folder can be written");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the testbed's paths are UTF-8")
}

struct Bench {
    kubeconfig: PathBuf,
    /// Word that a row's title must hold.
    only: String,
    committed: Committed,
}

/// One finished run.
#[derive(Clone, Copy, Default)]
struct Run {
    /// Seconds from start to exit.
    wall: f64,
    /// Seconds from start to the end of the second line: the header and the first row.
    first: f64,
    /// Bytes.
    memory: f64,
}

/// A row's figures: wall time, first row, peak memory.
#[derive(Clone, Copy)]
struct Row([Figure; 3]);

/// Medians, and the median of the pairs' ratios.
#[derive(Clone, Copy)]
struct Figure {
    ours: f64,
    peer: f64,
    ratio: f64,
}

impl Row {
    fn ratios(&self) -> [f64; 3] {
        self.0.map(|figure| figure.ratio)
    }

    /// The better of each figure.
    fn or_better(self, other: Self) -> Self {
        let pairs = [0, 1, 2].map(|n| (self.0[n], other.0[n]));
        Self(pairs.map(|(a, b)| if b.ratio < a.ratio { b } else { a }))
    }
}

impl Figure {
    fn cell(&self, show: fn(f64) -> String) -> String {
        let Self { ours, peer, ratio } = *self;
        format!("{} / {} = **{ratio:.2}×**", show(ours), show(peer))
    }
}

impl Bench {
    fn new(kubeconfig: &Path, only: &str) -> Self {
        Self {
            kubeconfig: kubeconfig.to_owned(),
            only: only.to_owned(),
            committed: Committed::of_the_docs(),
        }
    }

    fn row(&self, title: &str, peer_name: &str, ours: &[&str], peer: &[&str], runs: usize) {
        if !title.contains(&self.only) {
            return;
        }
        let mut best = self.measure(ours, peer, runs);
        for _ in 1..TRIES {
            if self.committed.worse(title, best.ratios()).is_none() {
                break;
            }
            best = best.or_better(self.measure(ours, peer, runs));
        }
        if let Some(worse) = self.committed.worse(title, best.ratios()) {
            WORSE.lock().expect("nothing panicked").push(worse);
        }
        let seconds = |s: f64| format!("{:.0} ms", s * 1e3);
        let megabytes = |m: f64| format!("{:.1} MB", m / 1e6);
        let [wall, first, memory] = best.0;
        println!(
            "| {title} | {peer_name} | {} | {} | {} |",
            wall.cell(seconds),
            first.cell(seconds),
            memory.cell(megabytes)
        );
    }

    /// Both in turn, after a warm-up of each.
    fn measure(&self, ours: &[&str], peer: &[&str], runs: usize) -> Row {
        self.run(ours);
        self.run(peer);
        let pairs: Vec<(Run, Run)> = (0..runs)
            .map(|_| (self.run(ours), self.run(peer)))
            .collect();
        let figure = |of: fn(&Run) -> f64| Figure {
            ours: median(pairs.iter().map(|(a, _)| of(a)).collect()),
            peer: median(pairs.iter().map(|(_, b)| of(b)).collect()),
            ratio: median(pairs.iter().map(|(a, b)| of(a) / of(b)).collect()),
        };
        Row([
            figure(|r| r.wall),
            figure(|r| r.first),
            figure(|r| r.memory),
        ])
    }

    fn median(&self, command: &[&str], runs: usize) -> Run {
        self.run(command);
        let all: Vec<Run> = (0..runs).map(|_| self.run(command)).collect();
        Run {
            wall: median(all.iter().map(|r| r.wall).collect()),
            first: median(all.iter().map(|r| r.first).collect()),
            memory: median(all.iter().map(|r| r.memory).collect()),
        }
    }

    /// Runs a command under a small process of its own, whose only child it is.
    fn run(&self, command: &[&str]) -> Run {
        let output = Command::new(std::env::current_exe().expect("a running program has a path"))
            .arg(MEASURE)
            .args(command)
            .env("KUBECONFIG", &self.kubeconfig)
            .stderr(Stdio::inherit())
            .output()
            .expect("the measuring process starts");
        assert!(output.status.success(), "{command:?} failed");
        let figures: Vec<f64> = String::from_utf8_lossy(&output.stdout)
            .split_whitespace()
            .filter_map(|f| f.parse().ok())
            .collect();
        Run {
            wall: figures[0],
            first: figures[1],
            memory: figures[2],
        }
    }
}

fn measure_one(command: &[String]) {
    let started = Instant::now();
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the measured command starts");
    let mut out = child.stdout.take().expect("its output is a pipe");
    let (mut lines, mut first) = (0, Duration::ZERO);
    let mut buffer = [0; 64 * 1024];
    loop {
        let read = out.read(&mut buffer).expect("its output can be read");
        if read == 0 {
            break;
        }
        lines += buffer[..read].iter().filter(|b| **b == b'\n').count();
        if first.is_zero() && lines >= 2 {
            first = started.elapsed();
        }
    }
    let status = child.wait().expect("it can be waited for");
    let wall = started.elapsed();
    if first.is_zero() {
        // It has no rows: its only line is its end.
        first = wall;
    }
    assert!(status.success(), "{command:?} ended with {status}");
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN)
        .expect("the kernel accounts for children");
    // Linux counts kilobytes, macOS bytes.
    let unit = if cfg!(target_os = "macos") {
        1.0
    } else {
        1024.0
    };
    println!(
        "{} {} {}",
        wall.as_secs_f64(),
        first.as_secs_f64(),
        usage.max_rss() as f64 * unit
    );
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// 20 onboardings, 5,000 in another namespace, and two releases in Helm's own storage format.
fn seed(sandbox: &Sandbox) {
    sandbox
        .apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: flux-system}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: many}\n")
        .expect("namespaces can be made");
    for (namespace, many) in [("flux-system", 20), ("many", 5_000)] {
        let objects: Vec<Value> = (0..many)
            .map(|n| onboarding(namespace, &format!("skvs-onboarding-team{n}--database"), n))
            .collect();
        sandbox
            .create_many(
                &format!("/apis/helm.toolkit.fluxcd.io/v2/namespaces/{namespace}/helmreleases"),
                &objects,
            )
            .expect("onboardings can be made");
    }
    for (release, revisions, size) in [("one", 1, 4_000), ("ten", 10, 300_000)] {
        let mut object = onboarding("flux-system", release, 0);
        // Not among the 20: the label is left out.
        object["metadata"]["labels"] = json!({});
        object["status"]["history"][0]["name"] = json!(release);
        object["status"]["history"][0]["version"] = json!(revisions);
        sandbox
            .create_many(
                "/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases",
                &[object],
            )
            .expect("an onboarding can be made");
        let secrets: Vec<Value> = (1..=revisions)
            .map(|n| release_secret(release, n, n == revisions, size))
            .collect();
        sandbox
            .create_many("/api/v1/namespaces/flux-system/secrets", &secrets)
            .expect("release Secrets can be made");
    }
}

/// An onboarding as Flux leaves it, about 2.7 KB on the wire.
fn onboarding(namespace: &str, name: &str, n: usize) -> Value {
    let message = format!(
        "Helm install succeeded for release core/core-{name}.v1 with chart secure-kvs-onboarding@0.1.2"
    );
    let condition = |kind: &str| {
        json!({"type": kind, "status": "True", "reason": "InstallSucceeded", "message": message,
            "lastTransitionTime": "2026-11-23T20:19:19Z", "observedGeneration": 1})
    };
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/part-of": "secure-kvs-onboarding"},
            "finalizers": ["finalizers.fluxcd.io"]},
        "spec": {
            "interval": "5m", "targetNamespace": "core", "serviceAccountName": "helm-controller",
            "chart": {"spec": {"chart": "secure-kvs-onboarding", "version": "<0.2.0", "interval": "1m", "reconcileStrategy": "ChartVersion",
                "sourceRef": {"kind": "HelmRepository", "name": "wit-artifactory", "namespace": "flux-system"}}},
            "values": {"namespace": format!("team{n}"), "database": "database", "serviceAccounts": [format!("team{n}")], "encryption": true}
        },
        "status": {
            "conditions": [condition("Ready"), condition("Released")],
            "helmChart": format!("flux-system/flux-system-{name}"),
            "history": [{"action": "install", "chartName": "secure-kvs-onboarding", "chartVersion": "0.1.2", "appVersion": "1",
                "configDigest": "sha256:e9e4913777f940d4443d7a417779ce809dc501c9015d69addc83fd0f20699e62",
                "digest": "sha256:14cb97a7b31e91741a90d0e749b9faa75cba0f3ccc8b62fd2bcbdb16533e4a34",
                "firstDeployed": "2026-11-23T20:19:13Z", "lastDeployed": "2026-11-23T20:19:13Z",
                "name": format!("core-{name}"), "namespace": "core", "status": "deployed", "version": 1}],
            "lastAttemptedConfigDigest": "sha256:e9e4913777f940d4443d7a417779ce809dc501c9015d69addc83fd0f20699e62",
            "lastAttemptedGeneration": 1, "lastAttemptedReleaseAction": "install", "lastAttemptedRevision": "0.1.2",
            "observedGeneration": 1, "storageNamespace": "flux-system"
        }
    })
}

/// A release Secret in Helm's format: base64 of gzip of JSON, in a chart's file that does not compress away.
fn release_secret(release: &str, revision: usize, newest: bool, size: usize) -> Value {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use std::io::Write;
    let status = if newest { "deployed" } else { "superseded" };
    // Digits of a linear congruence: noise that base64 and gzip cannot shrink much.
    let mut seed = revision as u64 + 1;
    let noise: Vec<u8> = (0..size * 7 / 10)
        .map(|_| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as u8
        })
        .collect();
    let body = json!({
        "name": release, "namespace": "core", "version": revision,
        "info": {"status": status, "description": "Install complete", "first_deployed": "2026-11-23T20:19:13Z",
            "last_deployed": "2026-11-23T20:19:13Z",
            "notes": "A database was created!\n\n  Database name: pds_database\n  Endpoint: http://steelcouch.secure-kvs.svc:5984\n  Service accounts:\n    - pds\n"},
        "chart": {"metadata": {"name": "secure-kvs-onboarding", "version": "0.1.2", "apiVersion": "v2"},
            "templates": [{"name": "templates/noise", "data": STANDARD.encode(&noise)}], "values": {}},
        "config": {"namespace": "pds", "database": "database"}, "manifest": "---\n"
    });
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(body.to_string().as_bytes())
        .expect("memory can be written");
    let stored = STANDARD.encode(gzip.finish().expect("memory can be written"));
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
        "metadata": {"name": format!("sh.helm.release.v1.{release}.v{revision}"), "namespace": "flux-system",
            "labels": {"name": release, "owner": "helm", "status": status, "version": revision.to_string()}},
        "stringData": {"release": stored}
    })
}
