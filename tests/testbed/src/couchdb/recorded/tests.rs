//! The scenes as a client meets them.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Failure, Recorded, Scene};

/// Status and body of an answer, `0` for none.
fn ask(recorded: &Recorded, method: &str, path: &str, password: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", recorded.port())).unwrap();
    let basic = STANDARD.encode(format!("admin:{password}"));
    let request = format!("{method} {path} HTTP/1.1\r\nAuthorization: Basic {basic}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    let status = text.split(' ').nth(1).and_then(|s| s.parse().ok());
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status.unwrap_or(0), body.trim_end().to_owned())
}

fn play(scene: Scene) -> Recorded {
    Recorded::start(scene, "ns_db", "admin", "secret").unwrap()
}

/// The statuses of these requests, one after the other.
fn statuses(scene: Scene, requests: &[(&str, &str)]) -> Vec<u16> {
    let recorded = play(scene);
    let answers = requests
        .iter()
        .map(|(method, path)| ask(&recorded, method, path, "secret").0)
        .collect();
    assert_eq!(recorded.requests().len(), requests.len());
    answers
}

const A: &str = "/_node/_local/_dbs/ns_db";
const B: &str = "/_node/couchdb%40b.scene/_dbs/ns_db";
const C: &str = "/_node/couchdb%40c.scene/_dbs/ns_db";
const DELETE: (&str, &str) = ("DELETE", "/ns_db");

#[test]
fn each_scene_is_played_in_its_order() {
    let after = [
        DELETE,
        ("GET", "/ns_db"),
        ("GET", B),
        ("GET", C),
        ("GET", C),
    ];
    for (scene, expected) in [
        (Scene::MemberDies, [202, 404, 404, 412, 412]),
        (Scene::MemberComesBack, [202, 404, 404, 412, 404]),
        (Scene::MemberDown, [200, 404, 404, 412, 412]),
        (Scene::CreatedAnew, [200, 200, 200, 200, 200]),
        (Scene::Maintenance, [200, 404, 404, 404, 404]),
        (Scene::MapWiped, [404, 404, 200, 200, 200]),
    ] {
        assert_eq!(statuses(scene, &after), expected, "{scene:?}");
    }
    let before = [("GET", "/ns_db"), ("GET", A), ("GET", B), ("GET", "/_up")];
    for (scene, expected) in [
        (Scene::MemberDies, [200, 200, 200, 200]),
        (Scene::Maintenance, [200, 200, 200, 404]),
        (Scene::MapWiped, [404, 404, 200, 200]),
    ] {
        assert_eq!(statuses(scene, &before), expected, "{scene:?}");
    }
}

#[test]
fn a_hanging_member_costs_time_and_answers_nothing() {
    let recorded = play(Scene::MemberHangs);
    let timeout = r#"{"error":"error","reason":"timeout"}"#.to_owned();
    assert_eq!(ask(&recorded, "DELETE", "/ns_db", "secret"), (500, timeout));
    assert_eq!(ask(&recorded, "GET", B, "secret").0, 404);
    assert_eq!(ask(&recorded, "GET", C, "secret"), (0, String::new()));
}

#[test]
fn a_shard_map_has_its_conflicts_only_where_they_are_asked_for() {
    let recorded = play(Scene::MapConflict);
    assert!(!ask(&recorded, "GET", A, "secret").1.contains("_conflicts"));
    let asked = format!("{A}?conflicts=true");
    assert!(
        ask(&recorded, "GET", &asked, "secret")
            .1
            .contains("_conflicts")
    );
    let foreign = play(Scene::ForeignNode);
    assert!(
        ask(&foreign, "GET", A, "secret")
            .1
            .contains("couchdb@z.scene")
    );
    let path = "/_node/couchdb%40z.scene/_dbs/ns_db";
    assert_eq!(ask(&foreign, "GET", path, "secret").0, 412);
}

#[test]
fn a_database_that_cannot_be_served_is_listed() {
    for failure in [Failure::NoShardOpens, Failure::NoProgress] {
        let recorded = play(Scene::Unserved(failure));
        let asked = |path: &str| ask(&recorded, "GET", path, "secret");
        assert_eq!(asked("/_all_dbs"), (200, r#"["ns_db"]"#.to_owned()));
        assert_eq!(asked("/ns_db").0, 500);
        assert_eq!((asked(A).0, asked(B).0, asked(C).0), (200, 200, 412));
    }
}

#[test]
fn a_member_catches_up_after_so_many_questions() {
    let recorded = play(Scene::CatchingUp(1));
    let system = |member: &str| {
        let path = format!("/_node/couchdb%40{member}.scene/_system");
        let body = ask(&recorded, "GET", &path, "secret").1;
        serde_json::from_str::<serde_json::Value>(&body).unwrap()["internal_replication_jobs"]
            .as_u64()
    };
    assert_eq!((system("a"), system("c")), (Some(4800), Some(0)));
    assert_eq!(system("a"), Some(0));
    let differ = play(Scene::CopiesDiffer);
    let copy = |member: &str| {
        let path = format!(
            "/_node/couchdb%40{member}.scene/shards%2F00000000-7fffffff%2Fns_db.1709251200"
        );
        ask(&differ, "GET", &path, "secret").1
    };
    assert!(copy("a").contains("\"doc_count\":2") && copy("c").contains("\"doc_count\":1"));
}

#[test]
fn five_failures_lock_everybody_out() {
    let recorded = play(Scene::Lockout);
    let status = |password: &str| ask(&recorded, "GET", "/", password).0;
    assert_eq!(status("secret"), 200);
    for _ in 0..5 {
        assert_eq!(status("wrong"), 401);
    }
    assert_eq!((status("wrong"), status("secret")), (403, 403));
    let right = recorded.requests().iter().filter(|r| r.authorised).count();
    assert_eq!((right, recorded.count("GET")), (2, 8));
}

#[test]
fn a_database_made_anew_has_a_later_epoch() {
    let recorded = play(Scene::CreatedAnew);
    let before = ask(&recorded, "GET", A, "secret").1;
    ask(&recorded, "DELETE", "/ns_db", "secret");
    let after = ask(&recorded, "GET", A, "secret").1;
    assert!(
        before != after && after.contains("\"_rev\":\"3-"),
        "{after}"
    );
}
