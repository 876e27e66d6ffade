//! The first fix of every case, followed to the letter: it ends in Ready, and not in the next failure.
//!
//! A first fix is followed where it is a change to the manifest or a command that changes something. The others are in
//! [`LEFT`], each with the reason. What the report says first is asked for beside the onboardings with the label `usual`: those
//! of the matrix side by side are no cluster that anyone has.

use super::stage::{Ended, Stage, skvs, stage};
use super::{commands, forbidden};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

/// Onboardings followed at the same time.
const SIDE_BY_SIDE: usize = 4;

/// Longest wait for Ready after a fix.
const PATIENCE: Duration = Duration::from_secs(60);

/// Cases whose first fix is not followed, and why.
const LEFT: &[(&str, Why)] = &[
    ("chart-broken-yaml", Why::Look),
    ("chart-invalid-object", Why::Decide),
    ("chart-kind-missing", Why::Look),
    ("chart-large-object", Why::Elsewhere),
    ("chart-large-release", Why::Elsewhere),
    ("chart-nil-pointer", Why::Decide),
    ("chart-reference-missing", Why::Look),
    ("chart-refuses", Why::Decide),
    ("chart-unknown-field", Why::Decide),
    ("chart-wants-a-value", Why::Decide),
    ("chart-wrong-type", Why::Decide),
    ("couchdb-failing", Why::Look),
    ("couchdb-silent", Why::Look),
    ("couchdb-unauthorized", Why::Look),
    ("couchdb-unknown-host", Why::Look),
    ("couchdb-unreachable", Why::Look),
    ("database-deleted", Why::Decide),
    ("database-left-behind", Why::Decide),
    ("database-made-by-first-attempt", Why::Decide),
    ("database-name-invalid", Why::Decide),
    ("database-of-another", Why::Decide),
    ("database-shared", Why::Decide),
    ("deletion-stuck", Why::Shared),
    ("dependency-circle", Why::Decide),
    ("dependency-circle-back", Why::Decide),
    ("dependency-missing", Why::Decide),
    ("dependency-not-ready", Why::Look),
    ("drift", Why::Look),
    ("edited-while-running", Why::Wait),
    ("immutable-field", Why::Look),
    ("in-progress", Why::Wait),
    ("job-exit-code", Why::Look),
    ("job-secret-missing", Why::Look),
    ("limit-range-denies-pod", Why::Decide),
    ("name-against-convention", Why::Decide),
    ("no-accounts", Why::Decide),
    ("owned-by-another-release", Why::Look),
    ("policy-denies", Why::Elsewhere),
    ("quota-denies-job", Why::Elsewhere),
    ("quota-denies-pod", Why::Elsewhere),
    ("release-corrupt", Why::Look),
    ("remediated-by-rollback", Why::Decide),
    ("remediated-by-uninstall", Why::Decide),
    ("repository-failing", Why::Elsewhere),
    ("repository-forbidden", Why::Elsewhere),
    ("repository-refused", Why::Elsewhere),
    ("repository-secret-incomplete", Why::Elsewhere),
    ("repository-secret-missing", Why::Elsewhere),
    ("repository-sign-in-page", Why::Elsewhere),
    ("repository-silent", Why::Elsewhere),
    ("repository-unauthorized", Why::Elsewhere),
    ("repository-unauthorized-as-well", Why::Elsewhere),
    ("repository-unauthorized-too", Why::Elsewhere),
    ("repository-unknown-host", Why::Elsewhere),
    ("repository-untrusted", Why::Elsewhere),
    ("repository-wrong-url", Why::Elsewhere),
    ("retries-exhausted", Why::Look),
    ("source-of-another-kind", Why::Look),
    ("source-stale", Why::Elsewhere),
    ("suspended", Why::Decide),
    ("suspended-and-edited", Why::Decide),
    ("tests-failed", Why::Look),
    ("upgraded-after-failed-install", Why::Look),
    ("values-against-schema", Why::Decide),
    ("values-config-map-missing", Why::Look),
    ("values-key-missing", Why::Look),
    ("wait-timed-out", Why::Look),
    ("webhook-down", Why::Look),
];

/// Why a first fix is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// It says where to look: the report cannot know what is wrong there.
    Look,
    /// Somebody must decide: whose a name is, who suspended it, which data or which value is wanted.
    Decide,
    /// It is mended elsewhere, by whoever runs the chart, the repository, CouchDB or the cluster.
    Elsewhere,
    /// There is nothing to do but to wait.
    Wait,
    /// It can be followed, and would change other cases: they have the same account.
    Shared,
}

/// A first fix that can be followed.
struct Fix {
    change: Option<Value>,
    commands: Vec<String>,
}

/// The first fix of the worst finding; `None` where it is no change and no command that changes something.
fn first(report: &Value) -> Option<Fix> {
    let finding = report["findings"].get(0)?;
    let then = finding["then"]["commands"].as_array().into_iter().flatten();
    let then = then.filter_map(Value::as_str).map(str::to_owned);
    let steps = finding["fix"].as_array()?;
    if let Some(change) = steps.first()?.get("manifest") {
        return Some(Fix {
            change: Some(patch(change)),
            commands: then.collect(),
        });
    }
    let lead = usize::from(steps[0].get("text").is_some());
    let commands = steps[lead..]
        .iter()
        .map_while(|step| step["command"].as_str());
    let commands: Vec<String> = commands.map(str::to_owned).collect();
    let all = commands.iter().all(|line| changes(line));
    (!commands.is_empty() && all).then(|| Fix {
        change: None,
        commands: commands.into_iter().chain(then).collect(),
    })
}

/// Whether a command changes the cluster.
fn changes(line: &str) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    matches!(
        words[..],
        [
            "kubectl",
            "annotate" | "create" | "delete" | "label" | "patch" | "scale",
            ..
        ] | ["helm", "uninstall" | "rollback", ..]
    )
}

/// The change as a merge patch.
fn patch(change: &Value) -> Value {
    let path = change["path"].as_array().expect("a path");
    let keys = path.iter().rev().map(|key| key.as_str().expect("a key"));
    keys.fold(change["value"].clone(), |value, key| json!({key: value}))
}

/// Flux has worked on the newest manifest and is done with it.
fn taken_up(stage: &Stage, name: &str) -> Option<()> {
    let release = read(stage, name)?;
    let conditions = release["status"]["conditions"].as_array()?;
    let runs = |c: &Value| c["type"] == "Reconciling" && c["status"] == "True";
    let tried = &release["status"]["lastAttemptedGeneration"];
    (release["metadata"]["generation"] == *tried && !conditions.iter().any(runs)).then_some(())
}

/// The HelmRelease as it is now.
fn read(stage: &Stage, name: &str) -> Option<Value> {
    let path =
        format!("/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases/{name}");
    stage.sandbox.request("GET", &path, &Value::Null).ok()
}

/// What came of following it; `None` for Ready without the finding.
fn fault(stage: &Stage, ended: &Ended, code: &str, fix: &Fix) -> Option<String> {
    let name = ended.case.name();
    if let Some(patch) = &fix.change {
        let mut patch = patch.clone();
        // A short limit is the haste of the matrix, and no part of what is wrong.
        patch["spec"]["timeout"] = json!("3m");
        let patch = patch.to_string();
        let of = ["patch", "helmrelease", "-n", "flux-system", &name];
        let how = ["--type=merge", "-p", &patch];
        if let Err(error) = stage.sandbox.kubectl_ok(&[&of[..], &how[..]].concat()) {
            return Some(format!("the change was refused: {error:#}"));
        }
        // The report says so: a release that is removed under a running upgrade comes back without a database.
        if !fix.commands.is_empty()
            && testbed::wait(&name, PATIENCE, || taken_up(stage, &name)).is_err()
        {
            return Some("Flux does not take the change up".to_owned());
        }
    }
    for line in &fix.commands {
        let output = commands::run(stage, line);
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Some(format!("{line}: {}: {said}", output.status));
        }
    }
    let ready = || {
        let release = read(stage, &name)?;
        let conditions = release["status"]["conditions"].as_array()?;
        let ready = conditions.iter().find(|c| c["type"] == "Ready")?;
        let current = release["metadata"]["generation"] == release["status"]["observedGeneration"];
        (ready["status"] == "True" && current).then_some(())?;
        // Ready is not enough: a database may never have been created.
        let said = skvs(&stage.sandbox, &["troubleshoot", &name, "-o", "json"]);
        let report: Value = serde_json::from_str(&said.stdout).ok()?;
        let findings = report["onboardings"][0]["findings"].as_array()?;
        let bad = |f: &Value| f["severity"] == "error" || f["code"] == code;
        (!findings.iter().any(bad)).then_some(())
    };
    let waited = testbed::wait(&name, PATIENCE, ready);
    waited.err().map(|_| {
        let report = skvs(&stage.sandbox, &["troubleshoot", &name]);
        format!("{:?}\nnot Ready:\n{}", fix.commands, report.stdout)
    })
}

#[test]
fn the_first_fix_leads_to_ready() {
    let stage = stage();
    // These look at the cluster as the cases have left it.
    commands::every_command();
    forbidden::every_right();
    forbidden::every_list();
    let cases: Vec<&Ended> = stage.ended.iter().filter(|e| !e.healthy).collect();
    let (queue, wrong) = (Mutex::new(cases.iter()), Mutex::new(Vec::new()));
    let followed = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("no thread panics here").next();
                    let Some(ended) = next else {
                        return;
                    };
                    let name = ended.case.name();
                    let selector = ["--onboarding-selector", "usual"];
                    let args = [&["troubleshoot", &name, "-o", "json"], &selector[..]].concat();
                    let said = skvs(&stage.sandbox, &args);
                    let report: Value = serde_json::from_str(&said.stdout).unwrap_or(Value::Null);
                    let mut report = report["onboardings"][0].clone();
                    if report["findings"].as_array().is_none_or(Vec::is_empty) {
                        // It shares something with a failing one.
                        report = ended.report();
                    }
                    let slug = &ended.case.slug;
                    let left = LEFT.iter().find(|(left, _)| left == slug);
                    let steps = &report["findings"][0]["fix"];
                    let fault = match (first(&report), left) {
                        (Some(fix), None) => {
                            followed
                                .lock()
                                .expect("no thread panics here")
                                .insert(slug.clone());
                            let code = report["findings"][0]["code"].as_str().unwrap_or_default();
                            fault(stage, ended, code, &fix)
                        }
                        (None, Some(_)) | (Some(_), Some((_, Why::Shared))) => None,
                        (Some(_), Some((_, why))) => {
                            Some(format!("it is left ({why:?}) and can be followed: {steps}"))
                        }
                        (None, None) => Some(format!("neither followed nor left: {steps}")),
                    };
                    let fault = fault.map(|fault| format!("== {slug}: {fault}"));
                    wrong.lock().expect("no thread panics here").extend(fault);
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().expect("no thread panics here");
    wrong.sort();
    let gone = LEFT
        .iter()
        .filter(|(left, _)| cases.iter().all(|c| c.case.slug != *left));
    wrong.extend(gone.map(|(left, _)| format!("== {left} is left and is not a case")));
    let followed = followed.into_inner().expect("no thread panics here");
    assert!(
        wrong.is_empty(),
        "{} wrong, {} followed\n{}",
        wrong.len(),
        followed.len(),
        wrong.join("\n")
    );
    assert!(followed.len() >= 10, "{followed:?}");
}
