//! `-f` on what the real kubectl saved of the sandbox: the same causes as on the cluster itself.

use crate::harness::{RunOutput, kubectl, skvs};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tempfile::TempDir;

/// What an engineer would save, without a Secret.
const KINDS: &str =
    "helmreleases,helmcharts,helmrepositories,jobs,pods,events,serviceaccounts,namespaces";
/// Seeded onboardings whose failure is settled.
const SEEDED: [&str; 16] = [
    "skvs-onboarding-iota--database",
    "skvs-onboarding-kilo--orders",
    "skvs-onboarding-lima--events",
    "skvs-onboarding-mike--index",
    "skvs-onboarding-papa--ledger",
    "skvs-onboarding-papa--ledger-readers",
    "skvs-onboarding-pds--database",
    "skvs-onboarding-quebec--archive",
    "skvs-onboarding-romeo--tokens",
    "skvs-onboarding-sierra--invoices",
    "skvs-onboarding-tango--metrics",
    "skvs-onboarding-uniform--notes",
    "skvs-onboarding-victor--carts",
    "skvs-onboarding-whiskey--photos",
    "skvs-onboarding-xray--vitals",
    "skvs-onboarding-yankee--orders",
];

/// The log of every Job's pod.
const LOGS: [&str; 9] = [
    "logs",
    "-n",
    "core",
    "-l",
    "job-name",
    "--all-containers",
    "--prefix",
    "--tail=-1",
    "--ignore-errors",
];

/// The names of the Jobs' pods that failed.
fn failed_pods() -> Vec<String> {
    let failed = "--field-selector=status.phase=Failed";
    let words = [
        "get", "pods", "-n", "core", "-l", "job-name", failed, "-o", "name",
    ];
    let name = |line: &str| line.strip_prefix("pod/").map(str::to_owned);
    kubectl(&words).lines().filter_map(name).collect()
}

/// The codes of the roots of each onboarding.
fn roots(said: &RunOutput) -> BTreeMap<String, Vec<String>> {
    let report: Value = serde_json::from_str(&said.stdout).expect("the report is JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let all = report["onboardings"].as_array().expect("a list");
    all.iter()
        .map(|o| {
            let findings = o["findings"].as_array().expect("a list");
            (
                text(&o["name"]),
                findings.iter().map(|f| text(&f["code"])).collect(),
            )
        })
        .collect()
}

#[test]
fn saved_objects_have_the_same_causes_as_the_cluster() {
    let folder = TempDir::new().expect("a folder");
    let save = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("the file is written");
    };
    let live = roots(&skvs(["troubleshoot", "-o", "json"]).run());
    // The objects and the logs must be of the same pods: kubectl passes over a pod whose log it does
    // not get, and between two commands a retry may replace one.
    let both = testbed::wait(
        "the log of each failed pod",
        Duration::from_secs(60),
        || {
            let (objects, pods) = (kubectl(&["get", KINDS, "-A", "-o", "yaml"]), failed_pods());
            let log = kubectl(&LOGS);
            let has_log = |pod: &String| log.contains(&format!("[pod/{pod}/"));
            let of_one_time = |pod: &String| objects.contains(&format!("name: {pod}\n"));
            let whole =
                pods.iter().all(|pod| has_log(pod) && of_one_time(pod)) && failed_pods() == pods;
            whole.then_some((objects, log))
        },
    );
    let (objects, log) = both.expect("kubectl saves the objects and the Job's log");
    save("all.yaml", &objects);
    save("jobs.log", &log);
    let path = folder.path().display().to_string();
    let said = skvs(["troubleshoot", "-f", &path, "-o", "json"])
        .env("KUBECONFIG", "/nonexistent")
        .run();
    assert_eq!(
        (said.code, said.stderr.as_str()),
        (3, ""),
        "{}",
        said.stdout
    );
    let saved = roots(&said);
    for name in SEEDED {
        let expected = match name {
            // That the account is missing no saved list can tell, only that it has no right.
            "skvs-onboarding-romeo--tokens" => Some(&vec!["SKVS402".to_owned()]),
            name => live.get(name),
        };
        assert!(
            expected.is_some_and(|codes| !codes.is_empty()),
            "{name}: {live:?}"
        );
        assert_eq!(saved.get(name), expected, "{name}\n{log}");
    }
}

#[test]
fn lists_and_objects_are_shown_as_of_the_cluster() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("all.json");
    let kinds = "helmreleases,secrets";
    std::fs::write(
        &file,
        kubectl(&["get", kinds, "-n", "flux-system", "-o", "json"]),
    )
    .expect("the file is written");
    let file = file.display().to_string();
    let name = "skvs-onboarding-golf--sessions";
    for words in [
        &["list", name, "-o", "json"][..],
        &["list", name, "-o", "name"],
        &["list", "--database", "golf_sessions", "-o", "wide"],
        &["notes", "golf_sessions"],
        &["notes", "golf_sessions", "--share"],
    ] {
        let there = skvs(words).run();
        let here = skvs(words.iter().chain(&["-n", "flux-system", "-f", &file])).run();
        // The age may have become another.
        let steady = |said: &RunOutput| {
            let words = said.stdout.split_whitespace();
            let age = |w: &&str| {
                let digits = w.trim_end_matches(['s', 'm', 'h', 'd']);
                digits != *w
                    && digits
                        .chars()
                        .all(|c| c.is_ascii_digit() || "mhd".contains(c))
            };
            words.filter(|w| !age(w)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!((there.code, here.code), (0, 0), "{}", here.stderr);
        assert_eq!(steady(&here), steady(&there), "{words:?}");
    }
}
