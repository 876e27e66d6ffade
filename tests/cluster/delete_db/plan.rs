//! The plan: as a document, as a token that holds only for what was seen, and the risks that need a name.

use super::stage::{Stage, USUAL};
use crate::harness::{RunOutput, Skvs, kubectl, skvs};
use serde_json::{Value, json};
use testbed::Sandbox;
use testbed::couchdb::Fault;

impl Stage {
    /// A rehearsal as a document.
    fn planned(&self, database: &str, more: &[&str]) -> RunOutput {
        skvs(self.args(database, &[&["--dry-run", "-o", "json"], more].concat())).run()
    }

    fn document(&self, database: &str, more: &[&str]) -> Value {
        serde_json::from_str(&self.planned(database, more).stdout).expect("JSON")
    }

    fn token(&self, database: &str) -> String {
        let token = self.document(database, &[])["token"].take();
        token.as_str().expect("a token").to_owned()
    }

    /// A confirmed deletion with more flags.
    fn delete_with(&self, database: &str, more: &[&str]) -> RunOutput {
        let confirm = ["--confirm", database, "--timeout", "2s"];
        skvs(self.args(database, &[&confirm[..], more].concat())).run()
    }
}

#[test]
fn a_rehearsal_is_a_document_with_all_that_was_seen() {
    let stage = Stage::new("stage-plan");
    stage.front.create_database("plan_one", 3).unwrap();
    stage.front.create_database("plan_two", 0).unwrap();
    let member = stage.front.members()[1].clone();
    stage
        .front
        .set_setting(&member, "couchdb/enable_database_recovery", "true");
    let said = stage.planned("plan_one", &[]);
    assert_eq!(
        (said.code, said.stderr.as_str()),
        (0, ""),
        "{}",
        said.stdout
    );
    let plan: Value = serde_json::from_str(&said.stdout).unwrap();
    let uid = kubectl(&[
        "get",
        "pod",
        "-n",
        stage.namespace,
        "db-0",
        "-o",
        "jsonpath={.metadata.uid}",
    ]);
    for (path, value) in [
        ("/apiVersion", json!("skvs.kubectl.io/v1alpha1")),
        ("/kind", json!("DeletionPlan")),
        ("/context", json!("sandbox")),
        ("/database/name", json!("plan_one")),
        ("/database/documents", json!(3)),
        ("/database/updateSequence", json!(3)),
        ("/couchdb/version", json!("3.2.2")),
        (
            "/couchdb/pods",
            json!([{"name": "db-0", "uid": uid, "ready": true}]),
        ),
        ("/couchdb/members/0/maintenance", json!("false")),
        ("/couchdb/members/0/keepsDeletedFiles", json!(false)),
        ("/couchdb/members/1/keepsDeletedFiles", json!(true)),
        ("/replications", json!([])),
        ("/tasks", json!([])),
        ("/claims/last", json!([])),
        ("/risks", json!([])),
    ] {
        assert_eq!(plan.pointer(path), Some(&value), "{path}: {plan:#}");
    }
    // Two looks at the same state make the same token, also in another pod's order and format.
    assert_eq!(plan["token"].as_str(), Some(&*stage.token("plan_one")));
    let text = skvs(stage.args("plan_one", &["--dry-run"])).run();
    for told in [
        &format!("  Plan         {}\n", plan["token"].as_str().unwrap()),
        &format!("keeps the files of deleted databases on {member} (enable_database_recovery)"),
        "  At work      nothing: no replication and no task\n",
    ] {
        assert!(text.stderr.contains(told), "{}", text.stderr);
    }

    assert!(!text.stderr.contains("  TLS "), "{}", text.stderr);
    let flag = ["--dry-run", "--insecure-skip-tls-verify"];
    let by_flag = skvs(stage.args("plan_one", &flag)).run();
    let kubeconfig = std::fs::read_to_string(Sandbox::shared().kubeconfig()).unwrap();
    let mut unverified: Value = serde_json::from_str(&kubeconfig).unwrap();
    let cluster = &mut unverified["clusters"][0]["cluster"];
    *cluster = json!({"server": cluster["server"], "insecure-skip-tls-verify": true});
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), unverified.to_string()).unwrap();
    let by_file = Skvs::with(file.path(), stage.args("plan_one", &["--dry-run"])).run();
    for said in [by_flag, by_file] {
        let told = "\n  TLS          the server's certificate is not verified (insecure-skip-tls-verify): ";
        assert!(said.stderr.contains(told), "{}", said.stderr);
        assert_eq!(said.code, 0);
    }

    let list = stage.document("plan_one", &["plan_two"]);
    assert_eq!(list["kind"], "DeletionPlanList");
    let names: Vec<&Value> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| &p["database"]["name"])
        .collect();
    assert_eq!(names, ["plan_one", "plan_two"]);
    let yaml = skvs(stage.args("plan_one", &["--dry-run", "-o", "yaml"])).run();
    assert!(
        yaml.stdout.contains("\nkind: DeletionPlan\n"),
        "{}",
        yaml.stdout
    );
    let stderr = skvs(stage.args("plan_one", &["-o", "json"]))
        .run()
        .failed(2);
    assert!(stderr.contains("need --dry-run"), "{stderr}");
    assert_eq!(stage.deletes(), 0);
}

#[test]
fn a_token_holds_only_for_what_was_seen() {
    let stage = Stage::new("stage-token");
    for database in ["token_one", "token_two"] {
        stage.front.create_database(database, 2).unwrap();
    }
    let token = stage.token("token_one");
    let refused = |database: &str, why: &str| {
        let stderr = stage.delete_with(database, &["--plan", &token]).failed(4);
        assert!(
            stderr.contains(&format!("refused: since the plan was made, {why}")),
            "{stderr}"
        );
        assert_eq!(stage.deletes(), 0);
    };
    refused(
        "token_two",
        "the database is another one, or was created again: now token_two",
    );
    stage.front.write_document("token_one", "late").unwrap();
    refused(
        "token_one",
        "the number of documents changed: now 3 documents, and 0 deleted",
    );
    refused(
        "token_one",
        "documents were written or purged: the update sequence is now 3",
    );
    let both = ["--plan", &token, "--accept", "writes"];
    let stderr = stage.delete_with("token_one", &both).failed(2);
    assert!(
        stderr.contains("--accept writes does not go with --plan"),
        "{stderr}"
    );

    let token = stage.token("token_two");
    stage.front.recreate_database("token_two").unwrap();
    let stderr = stage
        .delete_with("token_two", &["--plan", &token])
        .failed(4);
    assert!(
        stderr.contains("was created again: now token_two"),
        "{stderr}"
    );

    let token = stage.token("token_two");
    kubectl(&["delete", "pod", "-n", stage.namespace, "db-0", "--now"]);
    stage.pod("db-0", &USUAL);
    let stderr = stage
        .delete_with("token_two", &["--plan", &token])
        .failed(4);
    assert!(
        stderr.contains("pods of CouchDB were replaced, added or removed: now db-0"),
        "{stderr}"
    );
    // A rehearsal refuses as the deletion does.
    let rehearsal = skvs(stage.args("token_two", &["--dry-run", "--plan", &token])).run();
    assert_eq!(rehearsal.failed(4).matches("refused: ").count(), 1);
    assert_eq!(stage.deletes(), 0);

    let token = stage.token("token_two");
    let said = stage.delete_with("token_two", &["--plan", &token]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(!stage.front.exists("token_two"));
    assert_eq!(stage.deletes(), 1);
}

#[test]
fn what_is_at_work_needs_its_name_and_shows_no_credentials() {
    let stage = Stage::new("stage-work");
    stage.front.create_database("work_db", 1).unwrap();
    let nightly = json!({"database": "_replicator", "doc_id": "nightly", "id": null, "state": "crashing", "node": stage.front.members()[0],
        "source": "https://reader:SESAME@elsewhere/orders/", "target": "http://admin:SESAME@127.0.0.1:5984/work_db/"});
    let other = json!({"database": "_replicator", "doc_id": "other", "id": null, "state": "running", "source": "a", "target": "http://h/work_db2/"});
    stage
        .front
        .set_work("_scheduler/docs", vec![nightly, other]);
    let shard = "shards/00000000-7fffffff/work_db.1709251200";
    stage.front.set_work(
        "_active_tasks",
        vec![json!({"type": "indexer", "database": shard})],
    );
    let stderr = stage.delete("work_db").failed(4);
    for told in [
        "  Risk         replication of document _replicator/nightly (crashing) writes into it from https://elsewhere/orders/ and may create it again: needs --accept=replication\n",
        "refused: replication of document _replicator/nightly (crashing) writes into it from https://elsewhere/orders/ and may create it again\n",
        "refused: indexer works on it (1 task)\n",
        "--accept=tasks\n",
    ] {
        assert!(stderr.contains(told), "no {told:?} in:\n{stderr}");
    }
    // The plan is a document though it is refused, and what is accepted is in it.
    let said = stage.planned("work_db", &["--accept", "tasks"]);
    assert!(!format!("{}{}{stderr}", said.stdout, said.stderr).contains("SESAME"));
    let plan: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(said.failed(4).matches("refused: ").count(), 1);
    assert_eq!(plan["replications"][0]["document"], "_replicator/nightly");
    assert_eq!(plan["replications"].as_array().map(Vec::len), Some(1));
    let accepted: Vec<&Value> = plan["risks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["accepted"])
        .collect();
    assert_eq!(accepted, [false, true]);
    assert_eq!(stage.deletes(), 0);

    // A list that is not read is no empty one, and no flag lifts that.
    let broken = || Fault::answer("GET", "/_scheduler/jobs", 500, json!({"error": "x"}));
    stage.front.plant(broken());
    let all = ["--accept", "replication", "--accept", "tasks"];
    let stderr = stage.delete_with("work_db", &all).failed(4);
    assert!(
        stderr.contains(
            "refused: the replications (_scheduler/jobs) could not be read: CouchDB answered 500"
        ),
        "{stderr}"
    );
    // A server without a replicator database has no documents in it.
    stage.front.set_work("_active_tasks", Vec::new());
    let none = json!({"error": "not_found", "reason": "Database does not exist."});
    stage
        .front
        .plant(Fault::answer("GET", "/_scheduler/docs", 404, none));
    let said = stage.delete_with("work_db", &all);
    assert_eq!(said.code, 0, "{}", said.stderr);
    for unneeded in ["replication", "tasks"] {
        let warning = format!("Warning: --accept {unneeded} was not needed");
        assert!(said.stderr.contains(&warning), "{}", said.stderr);
    }
    assert_eq!(stage.deletes(), 1);
}

#[test]
fn a_member_that_is_away_or_in_maintenance_needs_its_name() {
    let stage = Stage::new("stage-away");
    for database in ["away_one", "away_two"] {
        stage.front.create_database(database, 1).unwrap();
    }
    let members = stage.front.members().to_vec();
    stage
        .front
        .set_setting(&members[1], "couchdb/maintenance_mode", "true");
    let stderr = stage.delete("away_one").failed(4);
    let maintenance = format!(
        "refused: member {} is in maintenance (maintenance_mode = true)\n",
        members[1]
    );
    assert!(stderr.contains(&maintenance), "{stderr}");
    let said = stage.delete_with("away_one", &["--accept", "maintenance"]);
    assert_eq!(said.code, 0, "{}", said.stderr);

    stage
        .front
        .set_setting(&members[1], "couchdb/maintenance_mode", "false");
    stage.front.set_up(&members[2], false);
    let stderr = stage.delete("away_two").failed(4);
    assert!(
        stderr.contains("or take it on: --accept=member-down\n"),
        "{stderr}"
    );
    let before = stage.deletes();
    let token = stage.token("away_two");
    let away = ["--accept", "member-down", "--plan", &token];
    let said = stage.delete_with("away_two", &away);
    // It is done, and it is not told as done: the member keeps its files.
    assert_eq!(said.stdout, "");
    let stderr = said.failed(6);
    assert!(stderr.contains("answered 202"), "{stderr}");
    assert_eq!(stage.deletes(), before + 1);
    let left = (members[2].clone(), "away_two".to_owned());
    assert_eq!(stage.front.leftovers(), [left]);
}

#[test]
fn who_claimed_it_last_is_told_where_anything_is_left() {
    let stage = Stage::new("stage-last-claim");
    stage.front.create_database("last-claim_db", 0).unwrap();
    let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "gone.1", "namespace": stage.namespace},
        "involvedObject": {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "namespace": stage.namespace, "name": "skvs-onboarding-last-claim--db"},
        "reason": "UninstallSucceeded", "message": "uninstalled", "type": "Normal", "lastTimestamp": "2026-11-24T03:00:00Z"});
    Sandbox::shared().apply(&event.to_string()).unwrap();
    let last = stage.document("last-claim_db", &[])["claims"]["last"].take();
    let by = format!(
        "HelmRelease {}/skvs-onboarding-last-claim--db",
        stage.namespace
    );
    assert_eq!(
        last,
        json!([{"by": by, "evidence": "event", "at": "2026-11-24T03:00:00Z"}])
    );
    // A history that Helm was told to keep is no claim, and asks for a word of its own.
    let release = json!({"name": "gone", "namespace": stage.namespace, "version": 1, "info": {"status": "uninstalled", "deleted": "2026-11-24T03:00:00Z"},
        "config": {"namespace": "last-claim", "database": "db"}, "chart": {"metadata": {"name": "secure-kvs-onboarding"}}});
    use base64::Engine;
    let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
        "metadata": {"name": "sh.helm.release.v1.gone.v1", "namespace": stage.namespace},
        "data": {"release": encode(encode(release.to_string()))}});
    Sandbox::shared().apply(&secret.to_string()).unwrap();
    let stderr = stage.delete("last-claim_db").failed(4);
    assert!(
        stderr.contains("uninstalled at 2026-11-24T03:00:00Z, and its history is kept\n"),
        "{stderr}"
    );
    let said = stage.delete_with("last-claim_db", &["--accept", "recent-claim"]);
    kubectl(&[
        "delete",
        "secret",
        "-n",
        stage.namespace,
        "sh.helm.release.v1.gone.v1",
    ]);
    assert_eq!(said.code, 0, "{}", said.stderr);
}
