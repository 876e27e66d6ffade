//! The fault matrix: a proxy breaks one exec of a deletion at one point or a list of what may claim the database, or something happens on
//! the cluster at an exec, and what is said is held against what is true.
//!
//! What must hold at every point: "deleted" is said only of a database that is gone, "nothing was sent" only where CouchDB was not asked to
//! delete, and a run that fails says so. `docs/deletion-faults.md` is the matrix; `BLESS=1` writes it anew.

mod case;

use super::stage::{PASSWORD, Stage};
use crate::harness::{RunOutput, Skvs, kubectl};
use case::{Case, Late, Statement, Trouble, Truth};
use serde_json::json;
use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use testbed::couchdb::Fault;
use testbed::{Act, ExecProxy, Sandbox};

/// Runs at once.
const WIDTH: usize = 4;
/// How late CouchDB answers the DELETE, so that its answer is not packed into one frame with what came before.
const LATE: Duration = Duration::from_millis(400);
/// A pod is at rest when nothing of a run was seen in it so many times in a row.
const QUIET: usize = 30;

/// Where the credentials are that go by stdin.
const SECRET: &str = "couchdb-admin";

/// A finished run of one case.
struct Run {
    case: Case,
    database: String,
    ended: RunOutput,
    /// Whether the database was there when the command ended.
    left: bool,
    struck: bool,
}

#[test]
fn what_is_said_is_true_whatever_breaks() {
    let stage = Stage::new("stage-faults");
    stage.secret(SECRET, PASSWORD);
    let cases = case::all();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WIDTH {
            scope.spawn(|| {
                while let Some((number, case)) = {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    cases.get(number).map(|case| (number, case))
                } {
                    let run = run(&stage, number, case);
                    done.lock().expect("no panic").push(run);
                }
            });
        }
    });
    let runs = done.into_inner().expect("no panic");
    at_rest("faults_");
    let wrong: Vec<String> = runs.iter().filter_map(|run| judge(&stage, run)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() >= 100);
}

fn run(stage: &Stage, number: usize, case: &Case) -> Run {
    let database = format!("faults_{number:03}");
    stage
        .front
        .create_database(&database, 1)
        .expect("a database");
    let path = format!("/{database}");
    stage.front.plant(match case.truth {
        Truth::Kept => {
            let body = json!({"error": "error", "reason": "timeout"});
            Fault::answer("DELETE", &path, 500, body)
        }
        _ => Fault::slow("DELETE", &path, LATE),
    });
    let strike = case.trouble.strike();
    let stalls = strike.as_ref().is_some_and(|s| s.act == Act::Stall);
    let proxy = ExecProxy::start(Sandbox::shared(), strike).expect("a proxy");
    if let Trouble::List(list) = case.trouble {
        proxy.break_list(list);
    }
    let mut args = stage.args(&database, &["--confirm", &database, "--timeout", "1s"]);
    if case.by_stdin {
        args.extend(["--credentials-from-secret", SECRET]);
    }
    let mut command = Skvs::with(proxy.kubeconfig(), args).into_command();
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the plugin starts");
    let mut claimed = None;
    if let Trouble::Late(late, _) = case.trouble {
        let struck = || proxy.struck().then_some(());
        testbed::wait("the exec", Duration::from_secs(60), struck).expect("it is asked for");
        match late {
            Late::Claimed => claimed = Some(claim(stage, &database)),
            Late::Dropped => stage.front.drop_database(&database).expect("it is there"),
            Late::Recreated => stage
                .front
                .recreate_database(&database)
                .expect("it is there"),
            Late::Hung => {
                let member = &stage.front.members()[1];
                let path = format!("/_node/{member}/_dbs/{database}");
                stage.front.plant(Fault::hang("GET", &path));
            }
        }
        proxy.release();
    }
    if stalls {
        // The command behind a connection that is silent goes on: Ctrl-C comes when it has done its work.
        let asked = || stage.front.count("DELETE", &path) > 0;
        testbed::wait("the stall", Duration::from_secs(60), || {
            (proxy.struck() && (asked() || case.truth == Truth::Untouched)).then_some(())
        })
        .expect("it comes");
        let kill = Command::new("/bin/sh")
            .args(["-c", &format!("kill -INT {}", child.id())])
            .status();
        assert!(kill.expect("kill runs").success());
    }
    let ended = RunOutput::from(child.wait_with_output().expect("it ends"));
    if let Some(name) = claimed {
        kubectl(&["delete", "helmrelease", "-n", stage.namespace, &name]);
    }
    Run {
        case: case.clone(),
        left: stage.front.exists(&database),
        database,
        ended,
        struck: proxy.struck(),
    }
}

/// Puts a HelmRelease in that claims the database; its name.
fn claim(stage: &Stage, database: &str) -> String {
    let name = database.replace('_', "--");
    let (namespace, short) = database.split_once('_').expect("a database's name");
    let claim = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": name, "namespace": stage.namespace},
        "spec": {"suspend": true, "interval": "5m", "values": {"namespace": namespace, "database": short},
            "chart": {"spec": {"chart": "other", "sourceRef": {"kind": "HelmRepository", "name": "none"}}}}});
    Sandbox::shared()
        .apply(&claim.to_string())
        .expect("the claim is applied");
    name
}

/// Waits until nothing in any pod has a database of this prefix in its command line.
pub(super) fn at_rest(prefix: &str) {
    let mut quiet = 0;
    let path = format!("/{prefix}");
    testbed::wait("the end of all execs", Duration::from_secs(180), || {
        let busy = Sandbox::shared()
            .pod_processes()
            .iter()
            .any(|line| line.contains(&path));
        quiet = if busy { 0 } else { quiet + 1 };
        (quiet >= QUIET).then_some(())
    })
    .expect("the pods come to rest");
}

/// What is wrong with a run, in one text.
fn judge(stage: &Stage, run: &Run) -> Option<String> {
    let Run { case, ended, .. } = run;
    let (exists, asked) = (
        stage.front.exists(&run.database),
        stage.front.count("DELETE", &format!("/{}", run.database)),
    );
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    let deleted = format!(
        "database \"{}\" deleted from {} namespace\n",
        run.database, stage.namespace
    );
    let said = match ended.code {
        0 => Some(Statement::Done),
        1 | 4 => Some(Statement::NotSent),
        5 => Some(Statement::Unknown),
        _ => None,
    };
    must(run.struck, "the strike did not fall");
    must(asked <= 1, "more than one DELETE was asked for");
    let kept = case.truth == Truth::Kept;
    let dropped = case.truth == Truth::Dropped;
    must(
        exists == (!dropped && (asked == 0 || kept)),
        "the front lost the truth",
    );
    // The claims, whatever the point is.
    must(
        (ended.code == 0) == (ended.stdout == deleted),
        "stdout has the line and the exit code is another, or the other way round",
    );
    must(
        ended.code == 0 || ended.stdout.is_empty(),
        "stdout has an answer",
    );
    must(
        said != Some(Statement::Done) || !run.left,
        "\"deleted\" is said, and it was there",
    );
    must(
        said != Some(Statement::NotSent) || asked == 0,
        "nothing is said of the DELETE that was sent",
    );
    must(
        said != Some(Statement::Unknown)
            || ended.stderr.contains("sent") && ended.stderr.contains(&run.database),
        "what is not known is not told",
    );
    let told = [
        "error: ",
        "Error from server",
        "Unable to connect to the server",
    ];
    must(
        ended.code == 0
            || ended
                .stderr
                .lines()
                .any(|l| told.iter().any(|t| l.starts_with(t))),
        "it ended without a word",
    );
    // What this point is known to give.
    must(
        said.is_some_and(|said| case.said.contains(&said)),
        "another word is said than the matrix has",
    );
    match case.truth {
        Truth::Gone => must(!exists, "it is still there"),
        Truth::Untouched => must(exists && asked == 0, "it was asked to be deleted"),
        Truth::Kept => must(exists, "it is gone"),
        Truth::Dropped => must(asked == 0, "it was asked to be deleted"),
        Truth::Either => {}
    }
    (!wrong.is_empty()).then(|| {
        format!(
            "{}: {}\n  exit {}, there: {exists}, DELETEs: {asked}\n  {}{}",
            case::words(case).join(", "),
            wrong.join("; "),
            ended.code,
            ended.stdout,
            ended.stderr
        )
    })
}

#[test]
fn the_matrix_is_documented() {
    let cases = case::all();
    let mut page = format!(
        "# Deletions that are cut off

What `delete-db` says when the connection to the pod breaks, when something else answers in the API server's place and when something
changes on the cluster in the meantime, and what is true in CouchDB then. Generated from the fault matrix
(`tests/cluster/delete_db/faults/`), whose {} points are each brought about in every run of the tests; do not edit
(`BLESS=1 cargo test --test cluster faults` writes it anew).

A run's execs: a first look, a look at each member, a look at the database, all three again after the confirmation, the deletion (guards,
and the DELETE when all holds), the read-back. Who claims the database is read before the first look, and once more right before the deletion.
\"Deleted\" is said only with exit code 0, \"nothing was sent\" with 1 or 4, \"not known\" with 5 and the command that tells. Where a point has
two words, it depends on how the output was packed into frames, or on whether the command was through when the members were asked. \"By stdin\": with --credentials-from-secret.

| Exec or list | Where | What happens | What is said | What is true |
|---|---|---|---|---|
",
        cases.len()
    );
    for case in &cases {
        let [exec, at, act] = case::words(case);
        let said: Vec<String> = case.said.iter().map(Statement::to_string).collect();
        let said = said.join(", or ");
        writeln!(page, "| {exec} | {at} | {act} | {said} | {} |", case.truth).expect("a text");
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/deletion-faults.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(file, &page).expect("it can be written");
    }
    let there = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        there == page,
        "docs/deletion-faults.md is not the matrix; BLESS=1 cargo test --test cluster faults"
    );
}
