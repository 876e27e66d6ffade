//! `list` on objects that real Flux and Helm wrote, and beside the real kubectl.

use crate::harness::{RunOutput, Skvs, kubectl, skvs};
use crate::same_yaml::is_same_document;
use crate::terminal::Terminal;
use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;
use testbed::Sandbox;

#[test]
fn on_a_narrow_terminal_a_healthy_row_is_one_line_and_the_last_line_counts() {
    let terminal = Terminal::shell("stty cols 80; PLUGIN", &["list"]);
    let said = terminal.end();
    let lines: Vec<&str> = said.stdout.lines().collect();
    let at = lines.iter().position(|l| l.starts_with("golf--sessions "));
    let at = at.unwrap_or_else(|| panic!("no short name in:\n{}", said.stdout));
    assert!(lines[at].contains("\u{1b}[32mTrue"), "{}", lines[at]);
    assert!(!lines[at + 1].starts_with(' '), "{}", said.stdout);
    let counted = |l: &&str| l.contains(" onboardings: ") && l.contains(" ready, ");
    assert!(lines.iter().any(counted), "{}", said.stdout);
}

#[test]
fn each_row_says_what_is_wrong() {
    let said = skvs(["list"]).run();
    assert_eq!(said.code, 0, "{}", said.stderr);
    let ends = |name: &str, end: &str| {
        let row = said.row(&format!("skvs-onboarding-{name}"));
        assert!(row.ends_with(end), "{row:?} does not end with {end:?}");
    };
    assert!(said.stdout.starts_with("NAME "), "{}", said.stdout);
    ends("golf--sessions", "chart 0.1.2, revision 1");
    ends("lima--events", "suspended");
    ends("mike--index", "no answer from Flux yet");
    let causes = [
        (
            "kilo--orders",
            "install failed: namespace \"core-eu\" not found",
        ),
        (
            "iota--database",
            "install failed: Job core/pds-database-create failed",
        ),
        (
            "tango--metrics",
            "no 'secure-kvs-onboarding' chart with version matching '<0.1.0' found",
        ),
    ];
    for (name, cause) in causes {
        let row = said.row(&format!("skvs-onboarding-{name}"));
        assert!(row.contains(cause), "{row:?} does not tell {cause:?}");
        assert!(row.contains(" False "), "{row:?}");
    }
    assert!(
        !said.stdout.contains("attempt(s)"),
        "a summary stands where a cause should:\n{}",
        said.stdout
    );
}

#[test]
fn shared_databases_are_marked_and_warned_of_last() {
    let said = skvs(["list"]).run();
    for name in [
        "iota--database",
        "pds--database",
        "papa--ledger",
        "papa--ledger-readers",
    ] {
        let row = said.row(&format!("skvs-onboarding-{name} "));
        assert!(row.contains("SHARED: "), "{row}");
    }
    assert_eq!(
        said.stderr,
        "Warning: 2 onboardings claim the database papa_ledger: skvs-onboarding-papa--ledger, skvs-onboarding-papa--ledger-readers\n\
         Warning: 2 onboardings claim the database pds_database: skvs-onboarding-iota--database, skvs-onboarding-pds--database\n"
    );
}

#[test]
fn one_request_is_enough() {
    let said = skvs(["list", "-v", "6"]).run();
    let requests: Vec<&str> = said
        .stderr
        .lines()
        .filter(|l| l.starts_with("GET "))
        .collect();
    assert_eq!(requests.len(), 1, "{}", said.stderr);
    assert!(
        requests[0].contains("/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/"),
        "{}",
        requests[0]
    );
}

#[test]
fn filters_and_names_choose() {
    let names = |args: &[&str]| -> Vec<String> {
        let all = [&["list", "--no-headers"], args].concat();
        let out = skvs(all).run().ok();
        out.lines()
            .map(|l| l.split_whitespace().next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names(&["--database", "pds_database"]),
        [
            "skvs-onboarding-iota--database",
            "skvs-onboarding-pds--database"
        ]
    );
    assert!(names(&["--failed"]).contains(&"skvs-onboarding-kilo--orders".to_owned()));
    assert!(!names(&["--failed"]).contains(&"skvs-onboarding-golf--sessions".to_owned()));
    assert!(names(&["--ready"]).contains(&"skvs-onboarding-golf--sessions".to_owned()));
    assert_eq!(
        names(&["skvs-onboarding-golf--sessions"]),
        ["skvs-onboarding-golf--sessions"]
    );
    assert_eq!(names(&["--service-account", "golf/nobody"]), [""; 0]);
}

#[test]
fn a_name_that_is_not_there_is_kubectls_error_with_near_names() {
    let said = skvs([
        "list",
        "skvs-onboarding-golf--session",
        "skvs-onboarding-golf--sessions",
    ])
    .run();
    assert!(
        said.row("skvs-onboarding-golf--sessions")
            .contains("golf_sessions")
    );
    let stderr = said.failed(1);
    let mut lines = stderr.lines();
    assert_eq!(
        lines.next().unwrap(),
        "Error from server (NotFound): helmreleases.helm.toolkit.fluxcd.io \"skvs-onboarding-golf--session\" not found"
    );
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("hint: did you mean skvs-onboarding-golf--sessions"),
        "{stderr}"
    );
}

#[test]
fn nothing_found_is_kubectls_line_and_says_why() {
    let said = skvs(["list", "-n", "no-such-namespace"]).run();
    assert_eq!((said.stdout.as_str(), said.code), ("", 0));
    assert_eq!(
        said.stderr,
        "No resources found in no-such-namespace namespace.\nhint: the namespace \"no-such-namespace\" does not exist on this cluster\n"
    );
    let said = skvs(["list"]).env("SKVS_NAMESPACE", "core").run();
    assert!(
        said.stderr
            .starts_with("No resources found in core namespace.\n"),
        "{}",
        said.stderr
    );
    // What a selector leaves out does not lack the product's label.
    let said = skvs(["list", "-l", "team=nobody"]).run();
    assert_eq!(
        said.stderr,
        "No resources found in flux-system namespace.\n"
    );
}

/// The same bytes as kubectl's (of YAML the same document), for objects whose status does not change any more.
#[test]
fn output_forms_are_kubectls() {
    for output in [
        "json",
        "yaml",
        "name",
        "jsonpath={range .items[*]}{.metadata.name}{\"\\t\"}{.status.conditions[?(@.type==\"Ready\")].status}{\"\\n\"}{end}",
        "custom-columns=NAME:.metadata.name,DB:.spec.values.database,SA:.spec.values.serviceAccounts[*],NONE:.spec.nothing",
    ] {
        for name in [Some("skvs-onboarding-golf--sessions"), None] {
            if name.is_some() && output.starts_with("jsonpath") {
                continue;
            }
            let (mut ours, mut theirs) = (
                vec!["list", "-o", output],
                vec!["get", "helmreleases", "-n", "flux-system", "-o", output],
            );
            match name {
                Some(name) => {
                    ours.push(name);
                    theirs.push(name);
                }
                None => {
                    ours.extend(["-l", "team=stable"]);
                    theirs.extend([
                        "-l",
                        "team=stable,app.kubernetes.io/part-of=secure-kvs-onboarding",
                    ]);
                }
            }
            label_stable_ones();
            let expected = kubectl(&theirs);
            let told = skvs(&ours).run().ok();
            if output != "yaml" || !is_same_document(&told, &expected) {
                assert_eq!(told, expected, "{ours:?}");
            }
        }
    }
}

/// Marks three onboardings whose objects stay as they are.
fn label_stable_ones() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        for name in ["golf--sessions", "hotel--catalogue", "kilo--orders"] {
            kubectl(&[
                "label",
                "helmrelease",
                "-n",
                "flux-system",
                &format!("skvs-onboarding-{name}"),
                "team=stable",
                "--overwrite",
            ]);
        }
        // A label is no change of the spec: Flux writes nothing more about it, but its informer may still be patching.
        let quiet = || {
            kubectl(&[
                "get",
                "helmreleases",
                "-n",
                "flux-system",
                "-l",
                "team=stable",
                "-o",
                "jsonpath={.items[*].metadata.resourceVersion}",
            ])
        };
        let mut before = quiet();
        testbed::wait(
            "Flux to leave the objects alone",
            Duration::from_secs(20),
            || {
                std::thread::sleep(Duration::from_millis(700));
                let now = quiet();
                let same = now == before;
                before = now;
                same.then_some(())
            },
        )
        .expect("objects come to rest");
    });
}

#[test]
fn sorting_and_columns_follow_kubectl() {
    label_stable_ones();
    let ours = skvs([
        "list",
        "-l",
        "team=stable",
        "--sort-by",
        ".spec.values.database",
        "-o",
        "name",
    ])
    .run()
    .ok();
    let theirs = kubectl(&[
        "get",
        "helmreleases",
        "-n",
        "flux-system",
        "-l",
        "team=stable",
        "--sort-by",
        ".spec.values.database",
        "-o",
        "name",
    ]);
    assert_eq!(ours, theirs);
    let wide = skvs(["list", "-A", "-o", "wide"]).run();
    assert!(wide.stdout.starts_with("NAMESPACE"), "{}", wide.stdout);
    let row = wide.row("flux-system   skvs-onboarding-golf--sessions");
    assert!(
        row.ends_with("0.1.2 1 false 0 chart 0.1.2, revision 1"),
        "{row}"
    );
}

#[test]
fn an_old_cluster_is_read_in_the_version_it_serves() {
    let old = Sandbox::shared().old_cluster();
    let said = Skvs::with(old.kubeconfig(), ["list", "-v", "6"]).run();
    assert_eq!(said.code, 0, "{}", said.stderr);
    let row = said.row("skvs-onboarding-pds--database");
    assert!(row.contains("pds_database False"), "{row}");
    assert!(
        row.ends_with("install failed: namespace \"core\" not found (retries exhausted)"),
        "{row}"
    );
    let asked: Vec<&str> = said
        .stderr
        .lines()
        .filter(|l| l.starts_with("GET "))
        .collect();
    assert!(asked.last().unwrap().contains("/v2beta2/"), "{asked:?}");
    assert_eq!(
        asked.len(),
        3,
        "the newest version, the discovery, the list: {asked:?}"
    );
}

/// A row that does not come in this time will not come.
const LINE_WAIT: Duration = Duration::from_secs(60);

/// The lines of a running program, read beside the test so that a line that never comes does not hold it up.
fn lines_of(stdout: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[test]
fn a_watch_prints_the_list_and_then_each_change() {
    let (name, twin) = ("watched--row", "watched--twin");
    let mut child = skvs(["list", "-w", "--no-headers", "-l", "team=watched"])
        .into_command()
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = lines_of(child.stdout.take().unwrap());
    let manifest = |name: &str, suspend: bool| {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: {name}\n  namespace: flux-system\n  labels: {{app.kubernetes.io/part-of: secure-kvs-onboarding, team: watched, sharding.fluxcd.io/key: nobody}}\nspec:\n  suspend: {suspend}\n  interval: 5m\n  chart: {{spec: {{chart: secure-kvs-onboarding, sourceRef: {{kind: HelmRepository, name: wit-artifactory}}}}}}\n  values: {{namespace: watched, database: row}}\n"
        )
    };
    // The list may be read before or after the object is there: the first row comes either way.
    Sandbox::shared().apply(&manifest(name, false)).unwrap();
    let first = lines.recv_timeout(LINE_WAIT).expect("a first row");
    assert!(
        first.contains("watched_row") && first.ends_with("no answer from Flux yet"),
        "{first}"
    );
    Sandbox::shared().apply(&manifest(name, true)).unwrap();
    let second = lines.recv_timeout(LINE_WAIT).expect("a second row");
    assert!(second.ends_with("suspended"), "{second}");
    Sandbox::shared().apply(&manifest(twin, false)).unwrap();
    let third = lines.recv_timeout(LINE_WAIT).expect("a third row");
    assert!(
        third.ends_with("SHARED: no answer from Flux yet"),
        "{third}"
    );
    let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    // As kubectl get -w.
    assert_eq!(child.wait().unwrap().code(), Some(1));
    kubectl(&["delete", "helmrelease", "-n", "flux-system", name, twin]);
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let mut child = skvs(["list", "-o", "json"])
        .into_command()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let said = RunOutput::from(child.wait_with_output().unwrap());
    assert_eq!((said.stderr.as_str(), said.code), ("", 0));
}

#[test]
fn without_the_right_it_says_what_to_ask_for() {
    let kubeconfig = Sandbox::shared().user("nobody", &[], "").unwrap();
    let stderr = Skvs::with(&kubeconfig, ["list"]).run().failed(1);
    assert!(stderr.starts_with("Error from server (Forbidden): helmreleases.helm.toolkit.fluxcd.io is forbidden: User \"nobody\""), "{stderr}");
    assert!(
        stderr.ends_with("hint: ask for: list helmreleases in flux-system\n"),
        "{stderr}"
    );
    // The same user, as someone else: an administrator may.
    let said = skvs(["list", "--as", "nobody"]).run().failed(1);
    assert!(said.contains("User \"nobody\""), "{said}");
}
