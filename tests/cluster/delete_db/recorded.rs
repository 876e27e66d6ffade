//! What only a CouchDB cluster does: its recorded answers are played back to a pod, and what is said of them is judged.

use super::stage::{PASSWORD, Pod, Stage, USUAL};
use crate::harness::{RunOutput, skvs};
use testbed::couchdb::{Recorded, Scene, TlsPort};

const DATABASE: &str = "scene_db";

/// A scene, and a pod in which it plays.
struct Played {
    recorded: Recorded,
    stage: Stage,
}

impl Played {
    fn new(namespace: &'static str, scene: Scene) -> Self {
        let recorded =
            Recorded::start(scene, DATABASE, "admin", PASSWORD).expect("the scene is played");
        let pod = Pod {
            port: Some(recorded.port()),
            ..USUAL
        };
        let stage = Stage::with(namespace, &pod);
        Self { recorded, stage }
    }

    fn delete(&self) -> RunOutput {
        self.stage.delete(DATABASE)
    }

    /// A rehearsal, which tells what is there.
    fn look(&self) -> RunOutput {
        skvs(self.stage.args(DATABASE, &["--dry-run"])).run()
    }

    fn deletes(&self) -> usize {
        self.recorded.count("DELETE")
    }

    /// `couchdb@c.scene says so`.
    fn third(&self, says: &str) -> String {
        format!("{} {says}", self.recorded.members()[2])
    }
}

/// stderr of a run that must have ended with `code` and without an answer.
#[track_caller]
fn told(said: RunOutput, code: i32) -> String {
    assert_eq!(said.stdout, "", "{}", said.stderr);
    said.failed(code)
}

#[test]
fn a_member_that_dies_before_the_delete_makes_it_incomplete() {
    let played = Played::new("stage-scene-dies", Scene::MemberDies);
    let stderr = told(played.delete(), 6);
    for part in [
        "answered 202",
        &played.third("is down"),
        "shards/*/scene_db.1709251200.couch",
    ] {
        assert!(stderr.contains(part), "no {part:?} in:\n{stderr}");
    }
    assert_eq!(played.deletes(), 1);
}

/// A member that is back has forgotten the name and kept the files: nothing that CouchDB answers then tells of them, so the one
/// that did the deletion must have.
#[test]
fn a_member_that_is_back_kept_the_files_all_the_same() {
    let played = Played::new("stage-scene-back", Scene::MemberComesBack);
    let stderr = told(played.delete(), 6);
    assert!(
        stderr.contains("answered 202") && stderr.contains("shards/*/scene_db.1709251200.couch"),
        "{stderr}"
    );
    let stderr = told(played.look(), 1);
    assert!(
        stderr.contains("is gone already: 3 of 3 members"),
        "{stderr}"
    );
    assert_eq!(played.deletes(), 1);
}

#[test]
fn a_member_that_answers_412_is_seen_before_anything_is_sent() {
    let played = Played::new("stage-scene-down", Scene::MemberDown);
    let stderr = told(played.delete(), 4);
    assert!(stderr.contains(&played.third("is down")), "{stderr}");
    assert_eq!(played.deletes(), 0);
}

#[test]
fn a_time_out_of_couchdb_is_unknown_though_others_have_let_go() {
    let played = Played::new("stage-scene-hangs", Scene::MemberHangs);
    let stderr = told(played.delete(), 5);
    assert!(
        stderr
            .contains("was sent and its outcome is not known: CouchDB answered 500 error timeout"),
        "{stderr}"
    );
    assert_eq!(stderr.matches("says it is deleted").count(), 2, "{stderr}");
    assert!(stderr.contains(&played.third("did not report")), "{stderr}");
    assert_eq!(played.deletes(), 1);
}

/// Each run spends one attempt, so that five of them lock the account and not one alone.
#[test]
fn a_run_spends_one_attempt_and_a_lockout_is_told_as_one() {
    let played = Played::new("stage-scene-lock", Scene::Lockout);
    let wrong = Pod {
        password: "wrong",
        port: Some(played.recorded.port()),
        ..USUAL
    };
    played.stage.pod("wrong-0", &wrong);
    let from = |pod: &str| {
        let args = ["--confirm", DATABASE, "--pod", pod];
        skvs(played.stage.args(DATABASE, &args)).run()
    };
    for attempt in 1..=5 {
        let stderr = told(from("wrong-0"), 1);
        let refused = "401 unauthorized Name or password is incorrect.";
        assert!(stderr.contains(refused), "{stderr}");
        assert_eq!(played.recorded.requests().len(), attempt);
    }
    for pod in ["wrong-0", "db-0"] {
        let stderr = told(from(pod), 1);
        let locked = "403 forbidden Account is temporarily locked";
        assert!(stderr.contains(locked), "{stderr}");
    }
    assert_eq!(played.recorded.requests().len(), 7);
    assert_eq!(played.deletes(), 0);
}

/// The plugin never sends what wipes a shard map; where somebody has, "not found" would be a lie.
#[test]
fn a_member_whose_map_was_wiped_is_not_believed_alone() {
    let played = Played::new("stage-scene-wiped", Scene::MapWiped);
    for said in [played.look(), played.delete()] {
        let stderr = told(said, 1);
        assert!(
            stderr.contains("still there on couchdb@b.scene, couchdb@c.scene"),
            "{stderr}"
        );
        assert!(!stderr.contains("not found in CouchDB"), "{stderr}");
    }
    assert_eq!(played.deletes(), 0);
}

#[test]
fn a_database_with_a_later_epoch_has_come_back() {
    let played = Played::new("stage-scene-anew", Scene::CreatedAnew);
    let stderr = told(played.delete(), 1);
    assert!(
        stderr.contains("was deleted and is there again, created again, 2024-11-19"),
        "{stderr}"
    );
    assert_eq!(played.deletes(), 1);
    // A second run sees another database than the first.
    let said = played.look();
    assert!(
        said.stderr.contains("created 2024-11-19"),
        "{}",
        said.stderr
    );
    said.ok();
}

/// CouchDB deletes in maintenance as ever, so the plugin must be the one that asks.
#[test]
fn maintenance_is_a_risk_that_is_named() {
    let played = Played::new("stage-scene-upkeep", Scene::Maintenance);
    let stderr = told(played.delete(), 4);
    assert!(
        stderr.contains("couchdb@a.scene is in maintenance")
            && stderr.contains("--accept=maintenance"),
        "{stderr}"
    );
    assert_eq!(played.deletes(), 0);
    let args = ["--confirm", DATABASE, "--accept=maintenance"];
    skvs(played.stage.args(DATABASE, &args)).run().ok();
    assert_eq!(played.deletes(), 1);
}

/// What asks the whole cluster would wait for it for a minute, list after list.
#[test]
fn a_member_that_hangs_is_named_before_anything_waits_for_it() {
    let played = Played::new("stage-scene-silent", Scene::MemberSilent);
    let stderr = told(played.delete(), 4);
    let named = format!(
        "refused: member {} it hangs",
        played.third("does not answer:")
    );
    assert!(stderr.contains(&named), "{stderr}");
    let asked = played.recorded.requests();
    let waits = |path: &str| path.starts_with("/_active_tasks") || path.starts_with("/_scheduler");
    assert!(!asked.iter().any(|r| waits(&r.path)), "{asked:?}");
    assert_eq!(played.deletes(), 0);
}

#[test]
fn a_node_that_is_no_member_is_a_risk_and_keeps_its_files() {
    let played = Played::new("stage-scene-foreign", Scene::ForeignNode);
    let said = played.look();
    assert!(said.stderr.contains("2 of 3 members up"), "{}", said.stderr);
    let stderr = told(played.delete(), 4);
    for part in [
        "its shard map names couchdb@z.scene, which is not a member of the cluster",
        "--accept=foreign-member",
    ] {
        assert!(stderr.contains(part), "no {part:?} in:\n{stderr}");
    }
    assert_eq!(played.deletes(), 0);
    // CouchDB answers 200, which says nothing of a node that it does not ask.
    let args = ["--confirm", DATABASE, "--accept=foreign-member"];
    let stderr = told(skvs(played.stage.args(DATABASE, &args)).run(), 6);
    assert!(
        stderr.contains("couchdb@z.scene, which its shard map names, is not a member"),
        "{stderr}"
    );
    assert_eq!(played.deletes(), 1);
}

#[test]
fn a_shard_map_with_conflicts_is_refused() {
    let played = Played::new("stage-scene-conflict", Scene::MapConflict);
    for more in [&[][..], &["--accept=foreign-member"]] {
        let args = [&["--confirm", DATABASE][..], more].concat();
        let stderr = told(skvs(played.stage.args(DATABASE, &args)).run(), 4);
        assert!(
            stderr.contains("which members hold the database could not be read: its entry in the shard map has conflicts"),
            "{stderr}"
        );
    }
    assert_eq!(played.deletes(), 0);
}

#[test]
fn a_member_that_catches_up_is_waited_for() {
    let played = Played::new("stage-scene-behind", Scene::CatchingUp(2));
    played.delete().ok();
    assert_eq!(played.deletes(), 1);
    let systems = |member: &str| {
        let path = format!("/_node/{}/_system", member.replace('@', "%40"));
        let asked = played.recorded.requests();
        asked.iter().filter(|r| r.path == path).count()
    };
    // Behind twice, then level; and the last look.
    assert_eq!(systems(played.recorded.members()[2]), 4);
}

#[test]
fn copies_that_stay_different_are_a_risk_with_a_name() {
    let played = Played::new("stage-scene-differ", Scene::CopiesDiffer);
    let stderr = told(played.delete(), 4);
    for part in [
        "refused: the copies of shard 00000000-7fffffff on couchdb@a.scene, couchdb@b.scene, couchdb@c.scene differ",
        "--accept=catching-up",
    ] {
        assert!(stderr.contains(part), "no {part:?} in:\n{stderr}");
    }
    assert_eq!(played.deletes(), 0);
}

/// Through a pod whose own member is in maintenance, not all of CouchDB can be asked.
#[test]
fn a_pod_in_maintenance_is_passed_over_for_another() {
    let played = Played::new("stage-scene-other", Scene::Maintenance);
    let stage = &played.stage;
    stage.front.create_database(DATABASE, 1).unwrap();
    let other = Pod {
        port: Some(stage.front.port()),
        ..USUAL
    };
    stage.pod("db-1", &other);
    let said = played.delete();
    assert!(
        said.stderr
            .contains("CouchDB      stage-scene-other/db-1 (container couchdb, port "),
        "{}",
        said.stderr
    );
    said.ok();
    assert!(!stage.front.exists(DATABASE));
    assert_eq!((played.deletes(), stage.deletes()), (0, 1));
    // Unless it is named.
    let args = ["--confirm", DATABASE, "--pod", "db-0"];
    let stderr = told(skvs(stage.args(DATABASE, &args)).run(), 4);
    assert!(stderr.contains("--accept=maintenance"), "{stderr}");
}

/// Nothing recorded: a listener that speaks TLS, as CouchDB's own port for it does.
#[test]
fn a_port_for_tls_is_told_as_one() {
    let port = TlsPort::start().expect("it listens");
    let pod = Pod {
        port: Some(port.port()),
        ..USUAL
    };
    let stage = Stage::with("stage-tls", &pod);
    let stderr = told(stage.delete(DATABASE), 1);
    assert!(stderr.contains("it may be its port for TLS"), "{stderr}");
    assert!(stderr.contains("--port"), "{stderr}");
}
