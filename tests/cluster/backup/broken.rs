//! Connections that break, runs that are interrupted, disks that are full.

use super::couch::{all, args, odd, put, run};
use crate::delete_db::stage::Stage;
use crate::harness::{RunOutput, Skvs, skvs};
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;
use testbed::couchdb::Fault;
use testbed::{Act, Direction, ExecProxy, Point, Sandbox, Strike, Which};

#[test]
fn a_broken_exec_is_opened_again_and_the_rest_is_read() {
    let stage = Stage::open("stage-backup-broken");
    odd(&stage, "broken_db", 1500);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b.gz");
    let to = file.to_str().unwrap();
    let strike = Strike {
        exec: Which::Number(0),
        at: Point::Byte(Direction::ToClient, 400_000),
        act: Act::Rst,
    };
    let proxy = ExecProxy::start(Sandbox::shared(), strike).expect("a proxy");
    // CouchDB's own connection breaks as well, later.
    stage
        .front
        .plant(Fault::cut("GET", "/broken_db/large/1/b/2.bin"));
    let words = args(&stage, &["backup", "broken_db", "--to", to]);
    let said = Skvs::with(proxy.kubeconfig(), words).run();
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(proxy.struck(), "{}", said.stderr);
    assert_eq!(
        said.stderr.matches("; tried again in ").count(),
        2,
        "{}",
        said.stderr
    );
    let words = [
        "restore",
        to,
        "--to",
        "broken_copy",
        "--confirm",
        "broken_copy",
    ];
    // So does a restore.
    stage
        .front
        .plant(Fault::drop_connection("POST", "/broken_copy/_bulk_docs"));
    stage.front.plant(Fault::cut("PUT", "/broken_copy/large/1"));
    let strike = Strike {
        exec: Which::Number(0),
        // In the second attempt to write large/1: the first one is cut.
        at: Point::Byte(Direction::ToServer, 2_200_000),
        act: Act::Fin,
    };
    let proxy = ExecProxy::start(Sandbox::shared(), strike).expect("a proxy");
    let said = Skvs::with(proxy.kubeconfig(), args(&stage, &words)).run();
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(proxy.struck(), "{}", said.stderr);
    assert_eq!(
        said.stderr.matches("; tried again in ").count(),
        3,
        "{}",
        said.stderr
    );
    assert_eq!(all("broken_copy"), all("broken_db"));
}

/// Sessions beside the first are a convenience: a policy or a limit that forbids them, or one that is lost, costs time and nothing else.
#[test]
fn a_slow_couchdb_is_asked_over_several_sessions_and_does_without_them() {
    let stage = Stage::open("stage-backup-slow");
    stage.front.create_database("slow_db", 0).unwrap();
    let docs = (0..2000).map(|n| {
        let history = json!({"start": 2, "ids": [format!("b{n}"), "a"]});
        json!({"_id": format!("doc-{n}"), "_rev": format!("2-b{n}"), "_revisions": history})
    });
    put("slow_db", &docs.collect());
    let refused = Act::Status {
        http: 403,
        code: 403,
    };
    for (at, act) in [
        (
            Point::Frame(Direction::ToClient, 1),
            Act::Delay(Duration::ZERO),
        ),
        (Point::BeforeUpgrade, refused),
        (Point::Byte(Direction::ToClient, 9_000), Act::Rst),
    ] {
        let pause = Duration::from_millis(1500);
        stage
            .front
            .plant(Fault::slow("POST", "/slow_db/_bulk_get", pause));
        let exec = Which::Number(2);
        let strike = Strike { exec, at, act };
        let proxy = ExecProxy::start(Sandbox::shared(), strike).expect("a proxy");
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("s.gz");
        let to = to.to_str().unwrap();
        let words = args(&stage, &["backup", "slow_db", "--to", to]);
        let said = Skvs::with(proxy.kubeconfig(), words).run();
        assert_eq!(said.code, 0, "{act:?}: {}", said.stderr);
        assert!(proxy.struck(), "{act:?}: no further session");
        assert!(!said.stderr.contains("tried again"), "{}", said.stderr);
        let copy = ["restore", to, "--to", "slow_copy", "--confirm", "slow_copy"];
        run(&stage, &copy).ok();
        assert_eq!(all("slow_copy"), all("slow_db"));
        stage.front.drop_database("slow_copy").unwrap();
    }
}

#[test]
fn ctrl_c_leaves_a_part_and_the_same_command_goes_on() {
    let stage = Stage::open("stage-backup-interrupt");
    odd(&stage, "paused_db", 1500);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p.gz");
    let words = [
        "delete-db",
        "paused_db",
        "--confirm",
        "paused_db",
        "--backup",
        file.to_str().unwrap(),
    ];
    let path = "/paused_db/large%2F1/b%2F2.bin";
    stage
        .front
        .plant(Fault::hang("GET", "/paused_db/large/1/b/2.bin"));
    let mut command = skvs(args(&stage, &words)).into_command();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the plugin starts");
    testbed::wait("the request that hangs", Duration::from_secs(60), || {
        (stage.front.count("GET", path) > 0).then_some(())
    })
    .expect("it is asked for");
    let kill = std::process::Command::new("/bin/sh")
        .args(["-c", &format!("kill -INT {}", child.id())])
        .status();
    assert!(kill.expect("kill runs").success());
    let said = RunOutput::from(child.wait_with_output().expect("it ends"));
    let stderr = said.failed(130);
    for line in [
        "error: interrupted: the backup of database \"paused_db\" is not finished, and nothing was changed\n",
        "p.gz.part; run the same command to resume\n",
    ] {
        assert!(stderr.contains(line), "{stderr}");
    }
    assert!(!file.exists() && stage.front.exists("paused_db"));
    let said = run(&stage, &words);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(
        said.stderr.contains("paused_db: continuing after the "),
        "{}",
        said.stderr
    );
    assert!(file.exists() && !stage.front.exists("paused_db"));
}

/// The signals are taken over before the file is read; the plugin runs after it.
#[test]
fn a_restore_that_waits_for_a_credential_plugin_can_be_ended() {
    let stage = Stage::open("stage-restore-plugin");
    odd(&stage, "waiting_db", 10);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let file = path("w.gz");
    let said = run(&stage, &["backup", "waiting_db", "--to", &file]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let (kubeconfig, started) = (path("config"), path("started"));
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "sandbox",
        "contexts": [{"name": "sandbox", "context": {"cluster": "a", "user": "a"}}],
        "clusters": [{"name": "a", "cluster": {"server": "https://127.0.0.1:9"}}],
        "users": [{"name": "a", "user": {"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh", "interactiveMode": "Never",
            "args": ["-c", format!("mkdir {started}; exec sleep 20")],
        }}}],
    });
    std::fs::write(&kubeconfig, config.to_string()).unwrap();
    for signal in ["INT", "TERM"] {
        let _ = std::fs::remove_dir(&started);
        let words = [
            "restore",
            &file,
            "--to",
            "other_db",
            "--confirm",
            "other_db",
        ];
        let words = args(&stage, &words);
        let mut command = Skvs::with(kubeconfig.as_ref(), words).into_command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("the plugin starts");
        testbed::wait("the credential plugin", Duration::from_secs(60), || {
            std::path::Path::new(&started).exists().then_some(())
        })
        .expect("it is run");
        let kill = std::process::Command::new("/bin/sh")
            .args(["-c", &format!("kill -{signal} {}", child.id())])
            .status();
        assert!(kill.expect("kill runs").success());
        let said = RunOutput::from(child.wait_with_output().expect("it ends"));
        assert_eq!(
            said.failed(130),
            "error: interrupted: nothing was written\n"
        );
    }
}

#[test]
fn a_full_disk_is_told_and_nothing_is_deleted() {
    let stage = Stage::open("stage-backup-full");
    odd(&stage, "full_db", 10);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f.gz");
    let words = [
        "delete-db",
        "full_db",
        "--confirm",
        "full_db",
        "--backup",
        file.to_str().unwrap(),
    ];
    // Files of this shell's children may be so many blocks long; beyond that a write fails.
    let command = skvs(args(&stage, &words)).into_command();
    let mut shell = std::process::Command::new("/bin/sh");
    shell
        .args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\""])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear();
    for (key, value) in command.get_envs() {
        shell.env(key, value.unwrap_or_default());
    }
    let said = RunOutput::from(shell.output().expect("the shell starts"));
    let stderr = said.failed(4);
    assert!(stderr.contains("f.gz.part cannot be written: "), "{stderr}");
    assert!(!file.exists() && stage.front.exists("full_db") && stage.deletes() == 0);
}
