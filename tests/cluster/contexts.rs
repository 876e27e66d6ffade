//! `--contexts`: two API servers of different versions, and one that is away.

use crate::harness::{RunOutput, Skvs, kubectl};
use crate::json_schema::faults;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use tempfile::NamedTempFile;
use testbed::Sandbox;
use testbed::couchdb::ORPHAN;

/// A kubeconfig of these contexts: each has the cluster and the user of the current one of a file.
fn kubeconfig(contexts: &[(&str, &Path)]) -> NamedTempFile {
    let mut merged =
        json!({"apiVersion": "v1", "kind": "Config", "contexts": [], "clusters": [], "users": []});
    let mut add = |list: &str, name: &str, key: &str, value: Value| {
        let entry = json!({"name": name, key: value});
        merged[list].as_array_mut().expect("a list").push(entry);
    };
    for (name, file) in contexts {
        let file = file.to_str().expect("a path in UTF-8");
        let view = [
            "config",
            "view",
            "--raw",
            "--flatten",
            "--minify",
            "-o",
            "json",
        ];
        let whole = kubectl(&[&view[..], &["--kubeconfig", file]].concat());
        let mut whole: Value = serde_json::from_str(&whole).expect("kubectl prints JSON");
        let context = json!({"cluster": name, "user": name});
        add("contexts", name, "context", context);
        let cluster = whole["clusters"][0]["cluster"].take();
        add("clusters", name, "cluster", cluster);
        add("users", name, "user", whole["users"][0]["user"].take());
    }
    add(
        "contexts",
        "dark",
        "context",
        json!({"cluster": "dark", "user": "dark"}),
    );
    // Nothing listens on the port of nobody's service.
    add(
        "clusters",
        "dark",
        "cluster",
        json!({"server": "https://127.0.0.1:9"}),
    );
    add("users", "dark", "user", json!({}));
    let file = NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), merged.to_string()).expect("the file is written");
    file
}

/// A run with the contexts `new` and `old`, which answer, and `dark`, which does not.
fn fleet(words: &[&str]) -> RunOutput {
    let sandbox = Sandbox::shared();
    let file = kubeconfig(&[
        ("new", sandbox.kubeconfig()),
        ("old", sandbox.old_cluster().kubeconfig()),
    ]);
    Skvs::with(file.path(), words).run()
}

/// The line that begins so, with single blanks.
fn row(said: &RunOutput, start: &str) -> String {
    let lines = said.stdout.lines();
    let mut lines = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let found = lines.find(|line| line.starts_with(start));
    found.unwrap_or_else(|| panic!("no line begins with {start:?}:\n{}", said.stdout))
}

fn document(said: &RunOutput) -> Value {
    serde_json::from_str(&said.stdout).unwrap_or_else(|e| panic!("{e}: {}", said.stderr))
}

#[test]
fn a_list_has_the_onboardings_of_each_cluster_and_the_dark_one_is_not_none() {
    let said = fleet(&["list", "--contexts", "old,dark,new"]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    let places = said
        .stdout
        .lines()
        .map(|l| l.split_whitespace().next().unwrap());
    let mut places: Vec<&str> = places.collect();
    places.dedup();
    assert_eq!(places, ["CONTEXT", "old", "new"], "{}", said.stdout);
    let old = row(&said, "old skvs-onboarding-pds--database ");
    assert!(
        old.contains("install failed: namespace \"core\" not found"),
        "{old}"
    );
    assert!(row(&said, "new skvs-onboarding-golf--sessions ").contains("True"));
    assert!(
        said.stderr.contains("dark: The connection to the server "),
        "{}",
        said.stderr
    );

    // A name of one of them, and a name of none.
    let said = fleet(&[
        "list",
        "golf--sessions",
        "--contexts",
        "old,new",
        "--no-headers",
    ]);
    assert_eq!(
        (said.code, said.stdout.lines().count()),
        (0, 1),
        "{}",
        said.stderr
    );
    let none = fleet(&["list", "no-such", "--contexts", "old,new"]).failed(1);
    assert!(
        none.contains("\"no-such\" not found in any of the contexts old, new"),
        "{none}"
    );
}

#[test]
fn statuses_and_reports_fit_their_schemas_and_lead_to_their_clusters() {
    for (command, kind) in [
        ("status", "status-list"),
        ("troubleshoot", "troubleshoot-report-list"),
    ] {
        let said = fleet(&[command, "--all-contexts", "-o", "json"]);
        assert_eq!(said.code, 3, "{}", said.stderr);
        let document = document(&said);
        let file = format!("{}/docs/schema/{kind}.v1.json", env!("CARGO_MANIFEST_DIR"));
        let schema = std::fs::read_to_string(file).expect("the schema");
        let schema = serde_json::from_str(&schema).expect("JSON");
        assert_eq!(faults(&schema, &document), [""; 0]);
        let items = document["items"].as_array().unwrap();
        let contexts: Vec<&str> = items.iter().filter_map(|i| i["context"].as_str()).collect();
        assert_eq!(contexts, ["new", "old"]);
        assert_eq!(document["notRead"][0]["context"], "dark");
        for item in items {
            let text = item.to_string();
            let own = format!("--context {}", item["context"].as_str().unwrap());
            let all: BTreeSet<&str> = text
                .match_indices("--context ")
                .map(|(at, _)| &text[at..(at + own.len())])
                .collect();
            assert!(all.iter().all(|flag| *flag == own), "{all:?}");
            assert!(command == "status" || !all.is_empty());
        }
    }
    let said = fleet(&["status", "--contexts", "new,dark,old"]);
    assert_eq!(said.code, 3);
    assert!(row(&said, "dark <unknown> <unknown> ").contains("not read: "));
}

#[test]
fn databases_of_a_cluster_without_couchdb_do_not_hide_the_others() {
    let said = fleet(&["databases", ORPHAN, "--contexts", "old,new"]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(row(&said, &format!("new {ORPHAN} ")).contains("orphan"));
    assert!(
        said.stderr.lines().any(|l| l.starts_with("old: error: ")),
        "{}",
        said.stderr
    );
    let json = fleet(&["databases", "--orphans", "--contexts", "new", "-o", "json"]);
    assert_eq!(document(&json)["items"][0]["context"], "new");
}

/// Forty contexts of one server are more than are asked at once; nothing of one is lost to another.
#[test]
fn forty_contexts_are_forty_answers() {
    let sandbox = Sandbox::shared();
    let names: Vec<String> = (0..40).map(|n| format!("c{n:02}")).collect();
    let contexts: Vec<(&str, &Path)> = names.iter().map(|n| (&**n, sandbox.kubeconfig())).collect();
    let file = kubeconfig(&contexts);
    let of = |contexts: &str| {
        let words = [
            "list",
            "golf--sessions",
            "-o",
            "custom-columns=C:.context",
            "--contexts",
            contexts,
        ];
        Skvs::with(file.path(), words).run().ok()
    };
    let said = of(&names.join(","));
    let expected: Vec<&str> = ["C"]
        .into_iter()
        .chain(names.iter().map(|n| &**n))
        .collect();
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}
