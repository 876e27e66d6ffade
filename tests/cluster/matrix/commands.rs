//! The commands of every report, run as they would be pasted: what only looks is run, what changes something is run dry.

use super::stage::{Ended, Stage, once, stage};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;
use std::sync::{Mutex, OnceLock};

/// Commands at the same time.
const SIDE_BY_SIDE: usize = 4;

/// The testbed's controllers run outside the cluster.
const CONTROLLERS: &str = "kubectl logs -n flux-system deployment/";

/// A command and the finding that tells it.
struct Told<'e> {
    line: String,
    ended: &'e Ended,
    finding: Value,
}

/// Every command once.
fn told(stage: &Stage) -> Vec<Told<'_>> {
    let mut all = BTreeMap::new();
    for ended in &stage.ended {
        let report = ended.report();
        for finding in report["findings"].as_array().into_iter().flatten() {
            let fix = finding["fix"].as_array().into_iter().flatten();
            let fix = fix.filter_map(|step| step["command"].as_str());
            let then = finding["then"]["commands"].as_array().into_iter().flatten();
            for line in fix.chain(then.filter_map(Value::as_str)) {
                all.entry(line.to_owned()).or_insert_with(|| Told {
                    line: line.to_owned(),
                    ended,
                    finding: finding.clone(),
                });
            }
        }
    }
    all.into_values().collect()
}

/// The line as it is run here.
fn tried(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        [
            "kubectl",
            "annotate" | "create" | "delete" | "label" | "patch",
            ..,
        ]
        | ["helm", "rollback", ..] => format!("{line} --dry-run=server"),
        ["helm", "uninstall", ..] => format!("{line} --dry-run"),
        ["kubectl", "skvs", "delete-db", ..] if !words.contains(&"--dry-run") => {
            format!("{line} --dry-run")
        }
        // A watch has no end.
        ["kubectl", "skvs", "list", ..] => line.replace(" -w ", " "),
        _ => line.to_owned(),
    }
}

/// Runs a line as a shell does.
pub(super) fn run(stage: &Stage, line: &str) -> Output {
    let folder = |program: &Path| program.parent().expect("a file").to_owned();
    let own = [
        folder(Path::new(env!("CARGO_BIN_EXE_kubectl-skvs"))),
        folder(&stage.sandbox.bin("kubectl")),
        folder(&stage.sandbox.bin("helm")),
    ];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = own.into_iter().chain(std::env::split_paths(&path));
    stage
        .sandbox
        .command("sh")
        .args(["-c", line])
        .env("PATH", std::env::join_paths(path).expect("plain paths"))
        .output()
        .expect("a shell starts")
}

/// The line without its last two words.
fn without_context(line: &str) -> &str {
    let words = line.rsplitn(3, ' ');
    words.last().unwrap_or(line)
}

/// What is wrong with what came of it.
fn fault(told: &Told<'_>, output: &Output) -> Option<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let line = without_context(&told.line);
    let answered_no = line.starts_with("kubectl auth can-i ") && stdout.trim() == "no";
    // That the thing is missing may be just what the finding says.
    let finding = told.finding.to_string();
    let missing = ["(NotFound)", "not found"]
        .iter()
        .any(|t| stderr.contains(t));
    let named = line.split(' ').next_back().unwrap_or_default();
    let says_missing = ["not found", "does not exist", "not exist"]
        .iter()
        .any(|t| finding.contains(t));
    let reported = missing && says_missing && finding.matches(named).count() > 1;
    // What it says to do first has not been done.
    let refused = line.starts_with("kubectl skvs delete-db ")
        && stderr.starts_with("error: refused: HelmRelease ");
    let elsewhere = line.starts_with(CONTROLLERS) && missing;
    let well = output.status.success() || answered_no || reported || refused || elsewhere;
    (!well).then(|| {
        let (slug, code) = (&told.ended.case.slug, &told.finding["code"]);
        format!("{slug} {code}: {line}\n{}\n{stdout}{stderr}", output.status)
    })
}

#[test]
fn every_command_of_a_report_works() {
    every_command();
}

/// As the test.
pub(super) fn every_command() {
    static DONE: OnceLock<bool> = OnceLock::new();
    once(&DONE, all_work);
}

fn all_work() {
    let stage = stage();
    let told = told(stage);
    assert!(told.len() > 100, "{}", told.len());
    let context = stage.sandbox.kubectl_ok(&["config", "current-context"]);
    let context = context.expect("the sandbox' context");
    for one in &told {
        let flag = match one.line.split(' ').next() {
            Some("helm") => "--kube-context",
            _ => "--context",
        };
        let named = format!(" {flag} {}", context.trim());
        assert!(one.line.ends_with(&named), "{} lacks{named}", one.line);
    }
    let (queue, wrong) = (Mutex::new(told.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("no thread panics here").next();
                    let Some(one) = next else {
                        return;
                    };
                    let output = run(stage, &tried(&one.line));
                    let fault = fault(one, &output);
                    wrong.lock().expect("no thread panics here").extend(fault);
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no thread panics here");
    assert!(
        wrong.is_empty(),
        "{} of {}\n{}",
        wrong.len(),
        told.len(),
        wrong.join("\n")
    );
}
