//! Where the password is looked for while deletions run, and is not: what the API server audits and logs, what `ps` shows in the pods, what
//! the plugin says at `-v=9`, what it writes.
//!
//! Each search is shown to find a password that was put there on purpose.

mod forms;

use super::stage::{Pod, Stage, USUAL};
use crate::harness::{RunOutput, kubectl, skvs};
use forms::Forms;
use std::io::Read as _;
use std::process::Stdio;
use std::time::Duration;
use testbed::Sandbox;
use testbed::couchdb::Fault;

const USER: &str = "admin";
const CORE: &str = "Zw7Kern4711qX";
const PASSWORD: &str = r#"p"a\ss'w:100%d $HOME `id` Zw7Kern4711qX ;#?>~"#;
/// What is leaked on purpose.
const DECOY: &str = "Zw7Decoy0815qX";

fn stage(namespace: &'static str) -> Stage {
    let pod = Pod {
        password: PASSWORD,
        ..USUAL
    };
    Stage::guarded(namespace, PASSWORD, &pod)
}

/// The log that an API server or the node keeps in the run's folder.
fn log(name: &str) -> String {
    let path = Sandbox::shared().run_dir().join("log").join(name);
    std::fs::read_to_string(path).expect("the log")
}

fn audit() -> String {
    std::fs::read_to_string(Sandbox::shared().audit_log()).expect("the audit log")
}

#[test]
fn the_password_leaves_the_pod_nowhere() {
    let stage = stage("stage-credentials");
    let forms = Forms::of(USER, PASSWORD, CORE);
    for name in [
        "secret_first",
        "secret_other",
        "secret_kept",
        "secret_given",
    ] {
        stage.front.create_database(name, 2).expect("a database");
    }
    stage.secret("admin", PASSWORD);
    let watch = Sandbox::shared().watch_pod_processes();
    // Slow enough that what asks is caught in the act.
    let pause = Duration::from_millis(700);
    let slow = |method: &str, path: &str| stage.front.plant(Fault::slow(method, path, pause));
    for (method, path) in [
        ("GET", "/secret_first"),
        ("DELETE", "/secret_first"),
        ("DELETE", "/secret_given"),
        ("GET", "/pds_database"),
    ] {
        slow(method, path);
    }
    let mut said: Vec<(&str, RunOutput)> = Vec::new();
    let mut run = |what: &'static str, args: Vec<&str>| {
        said.push((what, skvs(args).run()));
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (record, saved, kept) = (file("record"), file("saved.gz"), file("kept.gz"));
    let confirmed = [
        "--confirm",
        "secret_first",
        "--record",
        &record,
        "--backup",
        &saved,
        "-v=9",
    ];
    run("a deletion", stage.args("secret_first", &confirmed));
    let by_stdin = ["--credentials-from-secret", "admin", "-v=9"];
    let confirmed = [&["--confirm", "secret_given"], &by_stdin[..]].concat();
    run("a Secret's", stage.args("secret_given", &confirmed));
    let in_pod = ["--couchdb-namespace", stage.namespace, "-v=9"];
    run(
        "a backup",
        [&["backup", "secret_kept", "--to", &kept], &in_pod[..]].concat(),
    );
    let restore = ["restore", &kept, "--to", "secret_back", "--context"];
    let confirmed = ["sandbox", "--confirm", "secret_back"];
    run(
        "a restore",
        [&restore[..], &confirmed[..], &in_pod[..]].concat(),
    );
    let both = ["secret_kept", "--dry-run", "-v=9"];
    run("a rehearsal of two", stage.args("secret_other", &both));
    let claimed = ["--confirm", "pds_database", "-v=9"];
    run("a refusal", stage.args("pds_database", &claimed));
    run(
        "a plan as JSON",
        stage.args("secret_kept", &["--dry-run", "-o", "json", "-v=9"]),
    );
    run(
        "a list",
        vec![
            "databases",
            "--couchdb-namespace",
            stage.namespace,
            "-o",
            "json",
            "-v=9",
        ],
    );
    run(
        "a look",
        vec![
            "troubleshoot",
            "skvs-onboarding-pds--database",
            "--couchdb-namespace",
            stage.namespace,
            "-v=9",
        ],
    );
    stage
        .front
        .plant(Fault::drop_connection("DELETE", "/secret_other"));
    let confirmed = ["--confirm", "secret_other", "-v=9"];
    run("an unknown end", stage.args("secret_other", &confirmed));
    stage.front.plant(Fault::lockout(1));
    let confirmed = ["--confirm", "secret_kept", "-v=9"];
    run("a lockout", stage.args("secret_kept", &confirmed));

    let codes: Vec<(&str, i32)> = said.iter().map(|(what, s)| (*what, s.code)).collect();
    let expected = [
        ("a deletion", 0),
        ("a Secret's", 0),
        ("a backup", 0),
        ("a restore", 0),
        ("a rehearsal of two", 0),
        ("a refusal", 4),
        ("a plan as JSON", 0),
        ("a list", 0),
        ("an unknown end", 5),
        ("a lockout", 1),
    ];
    for ended in expected {
        assert!(codes.contains(&ended), "{ended:?} in {said:#?}");
    }
    let asked = stage.front.requests();
    assert!(!asked.is_empty() && asked.iter().all(|r| r.authorised));
    for (what, said) in &said {
        let lines = said.stderr.matches("/exec?").count();
        assert!(*what == "a refusal" || lines > 0, "{what}: {}", said.stderr);
        for stream in [&said.stdout, &said.stderr] {
            assert_eq!(forms.found(stream), [""; 0], "{what}");
        }
    }

    for path in [&record, &saved, &kept] {
        let written = std::fs::read(path).expect("it was written");
        let mut text = String::new();
        let unpacked = flate2::read::MultiGzDecoder::new(&written[..]).read_to_string(&mut text);
        match unpacked {
            Ok(_) => assert!(path.ends_with(".gz")),
            Err(_) => text = String::from_utf8(written).expect("text"),
        }
        assert!(text.contains("secret_"), "{path}: {text}");
        assert_eq!(forms.found(&text), [""; 0], "in {path}");
    }

    let seen = watch.seen();
    for word in [
        "-X DELETE -- http://127.0.0.1:",
        "-X GET -- http://127.0.0.1:",
    ] {
        let caught = |line: &&String| line.starts_with("curl ") && line.contains(word);
        assert!(
            seen.iter().find(caught).is_some(),
            "no curl {word} in {seen:#?}"
        );
    }
    assert_eq!(
        forms.found(&seen.join("\n")),
        [""; 0],
        "in the process list"
    );

    let audit = audit();
    let of_ours = |line: &&str| line.contains("/exec?") && line.contains(stage.namespace);
    let execs: Vec<&str> = audit.lines().filter(of_ours).collect();
    for command in [
        "command=delete",
        "command=stdin",
        "%2Fsecret_first",
        "%2Fsecret_other",
    ] {
        assert!(
            execs.iter().any(|line| line.contains(command)),
            "no exec with {command}: {execs:#?}"
        );
    }
    let of_event = |line: &&str| {
        let words = ["\"resource\":\"events\"", "requestObject", "secret_first"];
        words.iter().all(|word| line.contains(word))
    };
    assert!(
        audit.lines().any(|line| of_event(&line)),
        "the Event of the deletion is not in the audit log"
    );
    assert_eq!(forms.found(&audit), [""; 0], "in the audit log");
    for name in ["kube-apiserver-sandbox.log", "node.log"] {
        assert_eq!(forms.found(&log(name)), [""; 0], "in {name}");
    }
}

#[test]
fn what_is_leaked_on_purpose_is_found() {
    let stage = stage("stage-leak");
    let forms = Forms::of(USER, DECOY, DECOY);
    let watch = Sandbox::shared().watch_pod_processes();
    // An argument of the exec, and one of a process that it starts; what it prints comes back.
    let script = r#"sh -c 'sleep 0.5; echo "$0"' "$1""#;
    let exec = ["exec", "-n", stage.namespace, "db-0", "-c", "couchdb", "--"];
    let command = ["sh", "-c", script, "sh", DECOY];
    let output = kubectl(&[&exec[..], &command[..]].concat());
    assert_eq!(forms.found(&output).len(), 1);
    assert!(!forms.found(&watch.seen().join("\n")).is_empty());
    assert!(!forms.found(&audit()).is_empty());
    // The container has what nobody may see: the scripts do read it.
    let child = Sandbox::shared()
        .command(Sandbox::shared().bin("kubectl"))
        .args(exec)
        .args([
            "sh",
            "-c",
            r#"printf '%s:%s' "$COUCHDB_USER" "$COUCHDB_PASSWORD" | base64"#,
        ])
        .stdout(Stdio::piped())
        .output()
        .expect("kubectl runs");
    let own = Forms::of(USER, PASSWORD, CORE);
    let printed = String::from_utf8_lossy(&child.stdout).replace('\n', "");
    assert_eq!(own.found(&printed).len(), 1, "{printed}");
}
