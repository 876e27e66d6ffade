//! Whole processes side by side with kubectl and helm against one real API server, as ratios.
//!
//! `cargo bench` starts etcd and a kube-apiserver, fills it, and runs ours and the peer in turn, A B A B, after a warm-up of
//! each. Figures are medians; the ratio is the median of the pairs' ratios, so that a drifting machine weighs less. Memory is
//! the kernel's own account of the finished process (`ru_maxrss`). Nothing here asserts a time. `cargo bench -- notes` runs
//! only the rows whose title holds that word.

#![allow(clippy::print_stdout)]

#[path = "side_by_side/databases.rs"]
mod databases;

use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use testbed::{Options, Sandbox};

/// First argument of a process that measures one run of a command and prints what it took.
const MEASURE: &str = "--measure-one";
const SELECTOR: &str = "app.kubernetes.io/part-of=secure-kvs-onboarding";
const OURS: &str = env!("CARGO_BIN_EXE_kubectl-skvs");

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|a| a == MEASURE) {
        return measure_one(&args[2..]);
    }
    if args.iter().any(|a| a == "--test" || a == "--list") {
        return;
    }
    let only = args
        .iter()
        .skip(1)
        .find(|a| !a.starts_with('-'))
        .cloned()
        .unwrap_or_default();
    println!("| what | peer | wall | first row | peak memory |\n|---|---|---|---|---|");
    if !only.starts_with("databases") {
        reads(&only);
    }
    if "databases".starts_with(&only) {
        databases::run(&only);
    }
    let nowhere = Bench {
        kubeconfig: PathBuf::from("/nonexistent"),
        only: String::new(),
    };
    let help = nowhere.median(&[OURS, "--help"], 20);
    let size = std::fs::metadata(OURS).map(|m| m.len()).unwrap_or_default();
    println!(
        "\n`--help`: {:.1} ms; binary: {:.1} MB",
        help.wall * 1e3,
        size as f64 / 1e6
    );
}

/// What asks the API server alone.
fn reads(only: &str) {
    let sandbox = Sandbox::start(&Options::bare()).expect("the API server starts");
    seed(&sandbox);
    let kubectl = sandbox.bin("kubectl");
    let helm = sandbox.bin("helm");
    let bench = Bench {
        kubeconfig: sandbox.kubeconfig().to_owned(),
        only: only.to_owned(),
    };
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
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the testbed's paths are UTF-8")
}

struct Bench {
    kubeconfig: PathBuf,
    /// Word that a row's title must hold.
    only: String,
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

impl Bench {
    fn row(&self, title: &str, peer_name: &str, ours: &[&str], peer: &[&str], runs: usize) {
        if !title.contains(&self.only) {
            return;
        }
        self.run(ours);
        self.run(peer);
        let pairs: Vec<(Run, Run)> = (0..runs)
            .map(|_| (self.run(ours), self.run(peer)))
            .collect();
        let cell = |of: fn(&Run) -> f64, show: fn(f64) -> String| {
            let a = median(pairs.iter().map(|(a, _)| of(a)).collect());
            let b = median(pairs.iter().map(|(_, b)| of(b)).collect());
            let ratio = median(pairs.iter().map(|(a, b)| of(a) / of(b)).collect());
            format!("{} / {} = **{ratio:.2}×**", show(a), show(b))
        };
        let seconds = |s: f64| format!("{:.0} ms", s * 1e3);
        let megabytes = |m: f64| format!("{:.1} MB", m / 1e6);
        println!(
            "| {title} | {peer_name} | {} | {} | {} |",
            cell(|r| r.wall, seconds),
            cell(|r| r.first, seconds),
            cell(|r| r.memory, megabytes)
        );
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
