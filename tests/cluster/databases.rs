//! `databases` on the sandbox's shared CouchDB: real pods, real execs, the seeded onboardings.

mod broken;
mod figures;
mod unserved;

use crate::harness::{RunOutput, Skvs, skvs};
use serde_json::{Value, json};
use testbed::Sandbox;
use testbed::couchdb::{ORPHAN, ORPHAN_DOCUMENTS};

/// The cells of the row of a database.
#[track_caller]
fn row(said: &RunOutput, name: &str) -> Vec<String> {
    let line = said
        .stdout
        .lines()
        .find(|l| l.starts_with(&format!("{name} ")));
    let line = line.unwrap_or_else(|| panic!("no {name} in:\n{}\n{}", said.stdout, said.stderr));
    line.split("   ")
        .map(str::trim)
        .filter(|c| !c.is_empty())
        .map(str::to_owned)
        .collect()
}

fn state(line: &str) -> &str {
    line.split_whitespace().nth(2).unwrap_or_default()
}

#[test]
fn states_choose_what_is_shown() {
    let of = |states: &str| {
        let said = skvs(["databases", "--no-headers", "--state", states]).run();
        let stdout = said.ok();
        let mut seen: Vec<String> = stdout.lines().map(|l| state(l).to_owned()).collect();
        seen.dedup();
        seen
    };
    assert_eq!(of("orphan"), ["orphan"]);
    assert_eq!(of("missing,shared"), ["shared", "missing"]);
    assert_eq!(of("system"), ["system"]);
    let names = |state: &str| {
        let words = ["databases", "-o", "name", "--state", state];
        skvs(words).run().ok()
    };
    // Missing ones are seen by their own GET, for names alone too.
    assert!(names("missing").lines().any(|l| l == "quebec_archive"));
    assert!(names("orphan,shared").lines().any(|l| l == ORPHAN));
    assert!(!names("unserved").contains("pds_database"));
    let said = skvs(["databases", "--state", "in use"]).run();
    assert!(
        said.failed(2)
            .contains("[possible values: orphan, shared, ")
    );
}

#[test]
fn a_watch_prints_what_changes_until_it_is_interrupted() {
    use std::io::{BufRead, BufReader};
    let sandbox = Sandbox::shared();
    let front = sandbox.couchdb();
    let name = "watched_db";
    front.create_database(name, 1).unwrap();
    let mut child = skvs(["databases", "-w", name, "lima_events"])
        .into_command()
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the plugin starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = || lines.next().expect("a line").expect("UTF-8");
    assert!(next().starts_with("NAME "));
    assert!(next().starts_with("watched_db "));
    assert!(next().starts_with("lima_events "));
    front.create_database("watched_other", 1).unwrap();
    front.write_document(name, "more").unwrap();
    // Other tests may change what the other row shows.
    let row = std::iter::repeat_with(&mut next).find(|row| row.starts_with("watched_db "));
    let row = row.expect("its row");
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!((cells[0], cells[3]), (name, "2"), "{row}");
    front.drop_database(name).unwrap();
    front.drop_database("watched_other").unwrap();
    let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let said = stderr.lines().next().expect("a line").expect("UTF-8");
    assert_eq!(said, "database \"watched_db\" is not listed any more");
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("it is interrupted");
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
}

#[test]
fn each_database_is_shown_with_whose_it_is() {
    let said = skvs(["databases", "-n", "nowhere", "--onboarding-selector", "a=b"]).run();
    assert_eq!(said.code, 0, "{}", said.stderr);
    let header = said.stdout.lines().next().unwrap_or_default();
    let header: Vec<&str> = header.split_whitespace().collect();
    assert_eq!(
        header,
        ["NAME", "ONBOARDING", "STATE", "DOCS", "SIZE", "CREATED"]
    );
    // Namespaces are shown where another test has onboardings in others.
    let told = |name: &str| -> Vec<String> {
        let cells = row(&said, name);
        let plain = |cell: &String| cell.trim_start_matches("flux-system/").to_owned();
        cells[1..3].iter().map(plain).collect()
    };
    assert_eq!(
        told("lima_events"),
        ["skvs-onboarding-lima--events", "in-use"]
    );
    assert_eq!(
        told("quebec_archive"),
        ["skvs-onboarding-quebec--archive", "missing"]
    );
    assert_eq!(told("pds_database")[1], "shared");
    assert_eq!(told("_users"), ["<none>", "system"]);
    let orphan = row(&said, ORPHAN);
    assert_eq!(
        orphan[1..4],
        ["<none>", "orphan", &ORPHAN_DOCUMENTS.to_string()]
    );
    // The shared CouchDB is a 3.2: when it was created is in the shard map.
    assert!(!orphan[5].contains('<'), "{orphan:?}");
    // One word in each column, and first what wants a person.
    let mut lines = said.stdout.lines();
    let columns = header.len();
    assert!(
        lines.all(|l| l.split_whitespace().count() == columns),
        "{}",
        said.stdout
    );
    let states: Vec<&str> = said.stdout.lines().skip(1).map(state).collect();
    let order = ["orphan", "shared", "missing"];
    let first: Vec<&str> = states
        .iter()
        .copied()
        .filter(|s| order.contains(s))
        .collect();
    assert_eq!(states[..first.len()], first, "{}", said.stdout);
    let at = |s: &&str| order.iter().position(|o| o == s);
    assert!(first.is_sorted_by_key(at), "{}", said.stdout);
    assert!(
        said.stderr.contains("Warning: 2 onboardings claim the database pds_database: flux-system/skvs-onboarding-iota--database, flux-system/skvs-onboarding-pds--database\n"),
        "{}",
        said.stderr
    );
}

#[test]
fn an_orphan_goes_to_delete_db_by_its_bare_name() {
    let names = skvs(["databases", "--orphans", "-o", "name"]).run().ok();
    assert!(names.lines().any(|l| l == ORPHAN), "{names}");
    assert!(
        !names.contains("pds_database") && !names.contains("_users"),
        "{names}"
    );
    let said = skvs(["delete-db", ORPHAN, "--dry-run"]).run();
    assert_eq!(said.code, 0, "{}", said.stderr);

    let one = skvs(["databases", ORPHAN, "--orphans", "-o", "json"])
        .run()
        .ok();
    let object: Value = serde_json::from_str(&one).expect("JSON");
    assert_eq!(
        (
            &object["apiVersion"],
            &object["kind"],
            &object["metadata"]["name"]
        ),
        (
            &json!("skvs.kubectl.io/v1alpha1"),
            &json!("Database"),
            &json!(ORPHAN)
        )
    );
    assert_eq!(
        (&object["state"], &object["documents"], &object["claimedBy"]),
        (&json!("orphan"), &json!(ORPHAN_DOCUMENTS), &json!([]))
    );
    let wide = skvs(["databases", "lima_events", "-o", "wide", "--no-headers"]).run();
    assert!(
        wide.stdout
            .ends_with("   HelmRelease flux-system/skvs-onboarding-lima--events\n"),
        "{}",
        wide.stdout
    );
}

#[test]
fn nothing_found_is_quiet_and_an_absent_name_is_not() {
    let said = skvs(["databases", "lima_events", "--orphans"]).run();
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (0, ""),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.starts_with("No resources found\nhint: "),
        "{}",
        said.stderr
    );
    let said = skvs(["databases", "lima_event", "lima_events", "--no-headers"]).run();
    assert!(said.stdout.starts_with("lima_events "), "{}", said.stdout);
    let stderr = said.failed(1);
    assert!(
        stderr.contains("error: database \"lima_event\" not found: "),
        "{stderr}"
    );
    assert!(
        stderr.contains("hint: did you mean lima_events?"),
        "{stderr}"
    );
}

/// A user with these rules in all namespaces.
fn user(name: &str, rules: &[Value]) -> std::path::PathBuf {
    let api = "rbac.authorization.k8s.io";
    let subject = json!([{"apiGroup": api, "kind": "User", "name": name}]);
    let objects = [
        json!({"apiVersion": format!("{api}/v1"), "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}),
        json!({"apiVersion": format!("{api}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": name}, "subjects": subject}),
    ]
    .map(|o| o.to_string());
    let user = Sandbox::shared().user(name, &[], &objects.join("\n---\n"));
    user.expect("a user")
}

#[test]
fn what_may_not_be_read_makes_no_orphan() {
    let releases = json!({"apiGroups": ["helm.toolkit.fluxcd.io"], "resources": ["helmreleases"], "verbs": ["list"]});
    let secrets = json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]});
    let pods = json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]});
    let exec = json!({"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get", "create"]});
    let run = |user: &std::path::Path, more: &[&str]| {
        Skvs::with(user, [&["databases"][..], more].concat()).run()
    };

    let blind = user("dbs-blind", &[pods.clone(), exec.clone()]);
    let said = run(&blind, &[]);
    assert_eq!(row(&said, ORPHAN)[1..3], ["<unknown>", "unknown"]);
    assert_eq!(row(&said, "pds_database")[2], "unknown");
    let stderr = said.failed(1);
    for what in [
        "error: the HelmReleases of all namespaces could not be read: forbidden (list helmreleases in all namespaces)\n",
        "error: Helm's Secrets of all namespaces could not be read: forbidden (list secrets in all namespaces)\n",
    ] {
        assert!(stderr.contains(what), "{stderr}");
    }

    // An edited manifest leaves its database to a revision, and those are not seen.
    let half = user("dbs-half", &[releases.clone(), pods.clone(), exec.clone()]);
    let said = run(&half, &[]);
    assert_eq!(row(&said, ORPHAN)[2], "unknown");
    assert_eq!(row(&said, "lima_events")[2], "in-use");
    assert!(said.failed(1).contains("hint: so it is not known whose "));
    let said = run(&half, &["--orphans", "-o", "name"]);
    assert_eq!(said.stdout, "");
    assert!(said.failed(1).contains("No resources found\nhint: "));
    let said = run(&half, &[ORPHAN, "-o", "jsonpath={.state}: {.reason}"]);
    assert!(
        said.stdout
            .starts_with("unknown: Helm's Secrets of all namespaces could not be read: forbidden"),
        "{}",
        said.stdout
    );

    let no_exec = user("dbs-no-exec", &[releases.clone(), secrets.clone(), pods]);
    let stderr = run(&no_exec, &[]).failed(1);
    assert!(
        stderr.contains("cannot get resource \"pods/exec\"")
            && stderr.contains("hint: an exec needs both verbs, get and (from Kubernetes 1.35 on) create, on pods/exec in secure-kvs"),
        "{stderr}"
    );
    let no_pods = user("dbs-no-pods", &[releases, secrets, exec]);
    let stderr = run(&no_pods, &[]).failed(1);
    assert!(
        stderr.contains("hint: ask for: list pods in secure-kvs"),
        "{stderr}"
    );
}
