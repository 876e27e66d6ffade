//! Databases that CouchDB has and cannot serve: recorded answers of clusters of three, 3.5.0 and 3.2.3, are played back to a pod.

use super::row;
use crate::delete_db::stage::{PASSWORD, Pod, Stage, USUAL};
use crate::harness::{RunOutput, skvs};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use testbed::Sandbox;
use testbed::couchdb::{Failure, Recorded, Scene};

/// A scene, and a pod in which it plays.
struct Played {
    recorded: Recorded,
    stage: Stage,
    database: &'static str,
}

impl Played {
    fn new(namespace: &'static str, failure: Failure, database: &'static str) -> Self {
        let scene = Scene::Unserved(failure);
        let recorded =
            Recorded::start(scene, database, "admin", PASSWORD).expect("the scene is played");
        let pod = Pod {
            port: Some(recorded.port()),
            ..USUAL
        };
        let stage = Stage::with(namespace, &pod);
        Self {
            recorded,
            stage,
            database,
        }
    }

    fn run(&self, command: &str, more: &[&str]) -> RunOutput {
        let pods = ["--couchdb-namespace", self.stage.namespace];
        skvs([&[command][..], more, &pods].concat()).run()
    }

    /// What every command says of it.
    fn sentence(&self, why: &str) -> String {
        let name = self.database;
        format!("error: CouchDB has the database {name} and cannot serve it: {why}")
    }
}

const NO_SHARD: &str = "CouchDB answered 500 internal_server_error No DB shards could be opened.";
const NO_PROGRESS: &str = "CouchDB answered 500 nodedown progress not possible";

#[test]
fn what_nobody_claims_and_couchdb_cannot_serve_is_no_orphan() {
    for (namespace, failure, why) in [
        ("stage-cut-shards", Failure::NoShardOpens, NO_SHARD),
        ("stage-cut-members", Failure::NoProgress, NO_PROGRESS),
    ] {
        let played = Played::new(namespace, failure, "cutoff_orphan");
        let said = played.run("databases", &["cutoff_orphan", "-o", "wide"]);
        let cells = row(&said, "cutoff_orphan");
        assert_eq!(
            cells[1..5],
            ["<none>", "unserved", "<unknown>", "<unknown>"]
        );
        assert!(said.stdout.contains(why), "{}", said.stdout);
        let stderr = said.failed(1);
        assert!(stderr.contains(&played.sentence(why)), "{stderr}");
        let hint = format!("kubectl get pods -n {namespace}");
        assert!(stderr.contains(&hint), "{stderr}");

        // Among all as well; its figures have no second line.
        let said = played.run("databases", &[]);
        assert_eq!(row(&said, "cutoff_orphan")[2], "unserved");
        let stderr = said.failed(1);
        assert!(!stderr.contains("figures of"), "{stderr}");

        // Not an orphan in any format, and not silently left out.
        for format in ["name", "table", "json"] {
            let said = played.run("databases", &["--orphans", "-o", format]);
            assert!(!said.stdout.contains("cutoff_orphan"), "{}", said.stdout);
            let stderr = said.failed(1);
            assert!(stderr.contains(&played.sentence(why)), "{stderr}");
        }
        let said = played.run("delete-db", &["--orphans", "--dry-run"]);
        assert!(
            said.stderr
                .contains("Warning: CouchDB cannot serve 1 database that nobody claims")
                && said.stderr.contains("No orphans found."),
            "{}",
            said.stderr
        );

        let stderr = played.stage.delete("cutoff_orphan").failed(4);
        for part in [
            &format!("refused: CouchDB cannot serve the database: {why}"),
            "refused: member couchdb@c.scene is down",
            "hint: it is not gone: bring the members that hold it back",
        ] {
            assert!(stderr.contains(part), "no {part:?} in:\n{stderr}");
        }
        assert!(!stderr.contains("not found"), "{stderr}");
        assert_eq!(played.recorded.count("DELETE"), 0);
    }
}

/// It may be served again in a moment, so a backup waits; what it waits for is said at once.
#[test]
fn a_backup_says_what_it_waits_for() {
    let played = Played::new("stage-cut-backup", Failure::NoShardOpens, "cutoff_kept");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kept.skvs.gz");
    let to = file.to_str().expect("a path in UTF-8");
    let namespace = played.stage.namespace;
    let args = [
        "backup",
        "cutoff_kept",
        "--to",
        to,
        "--couchdb-namespace",
        namespace,
    ];
    let mut command = skvs(args).into_command();
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .expect("the plugin starts");
    let stderr = BufReader::new(child.stderr.take().expect("its stderr"));
    let sentence = format!("CouchDB cannot serve the database cutoff_kept at present: {NO_SHARD}");
    let mut lines = stderr.lines().map_while(Result::ok);
    let said = lines.find(|line| line.contains("cutoff_kept"));
    child.kill().expect("it waits");
    child.wait().expect("it ends");
    assert!(
        said.as_ref().is_some_and(|line| line.contains(&sentence)),
        "{said:?}"
    );
    assert!(!file.exists());
}

#[test]
fn what_is_claimed_and_couchdb_cannot_serve_is_not_missing() {
    let claim = "
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: skvs-onboarding-cutoff--claimed
  namespace: stage-cut-claimed
  labels: {app.kubernetes.io/part-of: secure-kvs-onboarding}
spec:
  suspend: true
  interval: 5m
  chart:
    spec: {chart: secure-kvs-onboarding, sourceRef: {kind: HelmRepository, name: wit-artifactory, namespace: flux-system}}
  values: {namespace: cutoff, database: claimed, serviceAccounts: [cutoff]}
";
    let played = Played::new("stage-cut-claimed", Failure::NoShardOpens, "cutoff_claimed");
    let applied = Sandbox::shared().apply(claim);
    applied.expect("the HelmRelease is applied");
    let said = played.run("databases", &["cutoff_claimed", "-o", "json"]);
    let object: Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(object["state"], "unserved");
    assert_eq!(
        object["claimedBy"][0]["name"],
        "stage-cut-claimed/skvs-onboarding-cutoff--claimed"
    );
    let reason = object["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with(NO_SHARD), "{object}");
    assert!(object.get("documents").is_none(), "{object}");
    let stderr = said.failed(1);
    assert!(stderr.contains(&played.sentence(NO_SHARD)), "{stderr}");
    // What CouchDB does not have is missing, by its own GET.
    let said = played.run("databases", &["lima_events"]);
    assert_eq!(row(&said, "lima_events")[2], "missing");
    said.ok();
    let asked = played.recorded.requests();
    assert!(asked.iter().any(|r| r.path == "/lima_events"), "{asked:?}");
    Sandbox::shared()
        .kubectl(&[
            "delete",
            "helmrelease",
            "-n",
            "stage-cut-claimed",
            "skvs-onboarding-cutoff--claimed",
        ])
        .expect("it is deleted");
}
