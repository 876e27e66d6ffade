//! The front before a real pouchdb-server. Each test has its own pair of them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::auth::basic;
use super::{Config, Fault, Front, pouchdb};
use crate::{Process, RunDir, cache, free_port};

const PASSWORD: &str = r#"p"a\ss:w%d $x`y'"#;

/// A front before its own pouchdb-server. Fields are dropped in this order: the front first, the run folder last.
struct Server {
    front: Front,
    /// pouchdb-server's port.
    upstream: u16,
    _pouchdb: Process,
    _run: RunDir,
}

fn server() -> Server {
    let installed = pouchdb::install(&cache().unwrap()).unwrap();
    let run = RunDir::create().unwrap();
    let port = free_port().unwrap();
    let command = pouchdb::command(&installed, port, run.path());
    let pouchdb = Process::spawn(&run, "pouchdb-server", &command).unwrap();
    pouchdb
        .wait_ready(Duration::from_secs(120), || pouchdb::ready(port))
        .unwrap();
    let front = Front::start(Config::new(port, "admin", PASSWORD, "db", "kvs")).unwrap();
    Server {
        front,
        upstream: port,
        _pouchdb: pouchdb,
        _run: run,
    }
}

/// What came back: everything up to the connection's end.
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// `404 missing`, `200 ok`.
    fn said(&self) -> String {
        let body = self.json();
        match body["reason"].as_str() {
            Some(reason) => format!("{} {reason}", self.status),
            None if body["ok"] == true => format!("{} ok", self.status),
            None => format!("{} {}", self.status, body),
        }
    }
}

fn request(port: u16, method: &str, path: &str, authorization: Option<&str>, body: &str) -> Reply {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let authorization = authorization
        .map(|a| format!("Authorization: {a}\r\n"))
        .unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
         {authorization}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .unwrap_or(0);
    Reply {
        status,
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}

impl Server {
    fn raw(&self, method: &str, path: &str, authorization: Option<&str>, body: &str) -> Reply {
        request(self.front.port(), method, path, authorization, body)
    }

    fn ask(&self, method: &str, path: &str) -> Reply {
        self.raw(method, path, Some(&basic("admin", PASSWORD)), "")
    }
}

/// A replication by pouchdb-server itself.
fn replicate(s: &Server, source: &str, target: &str) -> Reply {
    let work = json!({"source": source, "target": target}).to_string();
    request(s.upstream, "POST", "/_replicate", None, &work)
}

#[test]
fn a_replication_passes_the_front_and_one_that_fails_leaves_the_server_up() {
    let s = server();
    s.front.create_database("x_y", 3).unwrap();
    let password: String = PASSWORD.bytes().map(|b| format!("%{b:02X}")).collect();
    let url = format!("http://admin:{password}@127.0.0.1:{}/x_y", s.front.port());
    let done = replicate(&s, &url, "copy").body;
    assert!(done.contains("\"docs_written\":3,"), "{done}");
    let nobody = format!("http://127.0.0.1:{}/x_y", free_port().unwrap());
    let failed = replicate(&s, &nobody, "copy").body;
    assert!(failed.contains("ECONNREFUSED"), "{failed}");
    assert_eq!(s.ask("GET", "/x_y").json()["doc_count"], 3);
}

#[test]
fn credentials_are_judged_as_couchdb_does() {
    let s = server();
    let none = |method: &str, path: &str| s.raw(method, path, None, "").said();
    let with = |a: &str, path: &str| s.raw("GET", path, Some(a), "").said();
    s.front.create_database("x_y", 0).unwrap();
    assert_eq!(s.raw("GET", "/", None, "").json()["version"], "3.2.2");
    assert_eq!(none("GET", "/_up"), r#"200 {"seeds":{},"status":"ok"}"#);
    for path in [
        "/_all_dbs",
        "/_membership",
        "/_node/_local/_dbs/x_y",
        "/_active_tasks",
    ] {
        assert_eq!(
            none("GET", path),
            "401 You are not a server admin.",
            "{path}"
        );
    }
    assert_eq!(
        none("GET", "/x_y"),
        "401 You are not authorized to access this db."
    );
    assert_eq!(none("GET", "/absent"), "404 Database does not exist.");
    assert_eq!(none("DELETE", "/x_y"), "401 You are not a server admin.");
    assert_eq!(none("DELETE", "/absent"), "401 You are not a server admin.");
    assert_eq!(none("PUT", "/new"), "401 You are not a server admin.");
    assert_eq!(
        with(&basic("admin", "wrong"), "/"),
        "401 Name or password is incorrect."
    );
    assert_eq!(
        with("Basic !", "/x_y"),
        "400 Authorization header has invalid base64 value"
    );
    assert_eq!(
        s.ask("GET", "/_session").json()["userCtx"],
        json!({"name": "admin", "roles": ["_admin"]})
    );
    assert!(s.front.exists("x_y"));
    let seen = s.front.requests();
    assert_eq!(seen.iter().filter(|r| r.authorised).count(), 1);
    assert_eq!(s.front.count("DELETE", "/x_y"), 1);
}

#[test]
fn a_database_is_created_once_used_and_deleted_on_every_member() {
    let s = server();
    assert_eq!(s.ask("PUT", "/x_y").said(), "201 ok");
    assert_eq!(
        s.ask("PUT", "/x_y").said(),
        "412 The database could not be created, the file already exists."
    );
    assert_eq!(
        s.ask("PUT", "/UPPER").json()["error"],
        "illegal_database_name"
    );
    let docs = s.raw(
        "POST",
        "/x_y/_bulk_docs",
        Some(&basic("admin", PASSWORD)),
        r#"{"docs":[{"_id":"a"},{"_id":"b"}]}"#,
    );
    assert_eq!(docs.status, 201);
    let info = s.ask("GET", "/x_y").json();
    assert_eq!(
        (&info["db_name"], &info["doc_count"]),
        (&json!("x_y"), &json!(2))
    );
    assert_eq!(info["cluster"], json!({"q": 2, "n": 3, "w": 2, "r": 2}));
    assert_eq!(s.ask("GET", "/x_y/a").json()["_id"], "a");
    let reply = s.ask("DELETE", "/x_y");
    assert_eq!(reply.said(), "200 ok");
    assert!(
        reply.head.contains("server: couchdb/3.2.2 (erlang otp/23)")
            && reply.head.contains("x-couch-request-id: ")
    );
    for member in s.front.members() {
        assert_eq!(
            s.ask("GET", &format!("/_node/{member}/_dbs/x_y")).said(),
            "404 deleted"
        );
    }
    assert_eq!(
        s.ask("GET", "/_node/_local/_dbs/never").said(),
        "404 missing"
    );
    assert_eq!(
        s.ask("DELETE", "/x_y").said(),
        "404 Database does not exist."
    );
    assert_eq!(
        s.ask("DELETE", "/UPPER").said(),
        "404 Database does not exist."
    );
}

#[test]
fn names_with_a_slash_stay_apart() {
    let s = server();
    for path in ["/a%2Fb", "/ab", "/a%2Bb"] {
        assert_eq!(s.ask("PUT", path).said(), "201 ok", "{path}");
    }
    assert_eq!(s.ask("GET", "/a%2Fb").json()["db_name"], "a/b");
    assert_eq!(s.ask("DELETE", "/a/b").said(), "404 missing");
    assert_eq!(s.ask("DELETE", "/a%2Fb").said(), "200 ok");
    assert!(s.front.exists("ab") && s.front.exists("a+b") && !s.front.exists("a/b"));
}

#[test]
fn with_a_member_down_a_deletion_is_202() {
    let s = server();
    s.front.create_database("x_y", 3).unwrap();
    let down = s.front.members()[2].clone();
    s.front.set_up(&down, false);
    let membership = s.ask("GET", "/_membership").json();
    assert_eq!(membership["all_nodes"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        membership["cluster_nodes"].as_array().map(Vec::len),
        Some(3)
    );
    assert_eq!(s.ask("DELETE", "/x_y").said(), "202 ok");
    assert_eq!(
        s.ask("GET", &format!("/_node/{down}/_dbs/x_y")).said(),
        format!("412 {down} is down")
    );
    assert_eq!(s.front.leftovers(), [(down, "x_y".to_owned())]);
    assert_eq!(
        s.ask("GET", "/_node/nobody/_dbs/x_y").said(),
        "404 no such node: nobody"
    );
}

#[test]
fn careless_deletions_delete_more_than_asked() {
    let s = server();
    for name in ["a_a", "b_b", "c_c", "d_d"] {
        s.front.create_database(name, 0).unwrap();
    }
    assert_eq!(s.ask("DELETE", "/a_a/").said(), "200 ok");
    assert_eq!(s.ask("DELETE", "//b_b").said(), "200 ok");
    assert!(
        s.ask("DELETE", "/c_c?rev")
            .said()
            .starts_with("400 You tried to DELETE a database")
    );
    assert_eq!(s.ask("DELETE", "/_session").said(), "200 ok");
    assert_eq!(s.ask("DELETE", "/").said(), "405 Only GET,HEAD allowed");
    assert_eq!(s.ask("DELETE", "/_users").said(), "200 ok");
    assert_eq!(s.front.databases(), ["_replicator", "c_c", "d_d"]);
    assert_eq!(s.ask("DELETE", "/_dbs").said(), "500 badarg");
    assert!(s.front.wiped());
    assert_eq!(s.ask("GET", "/_all_dbs").json(), json!([]));
}

#[test]
fn lists_and_figures_follow_the_version() {
    let s = server();
    for name in ["team_a", "team_b_c", "team-x_a"] {
        s.front.create_database(name, 1).unwrap();
    }
    let listed = s
        .ask(
            "GET",
            "/_all_dbs?start_key=%22team_%22&end_key=%22team_%EF%BF%B0%22",
        )
        .json();
    assert_eq!(listed, json!(["team_a", "team_b_c"]));
    assert_eq!(s.ask("GET", "/_dbs_info").said(), "405 Only POST allowed");
    let keys = r#"{"keys":["team_a","absent"]}"#;
    let rows = s
        .raw("POST", "/_dbs_info", Some(&basic("admin", PASSWORD)), keys)
        .json();
    assert_eq!(
        (&rows[0]["info"]["doc_count"], &rows[1]),
        (&json!(1), &json!({"key": "absent", "error": "not_found"}))
    );
    assert_eq!(s.ask("GET", "/team_a").json()["instance_start_time"], "0");
    s.front.set_version("3.5.0");
    assert_eq!(s.ask("GET", "/_dbs_info").status, 200);
    let epoch = |s: &Server| s.ask("GET", "/team_a").json()["instance_start_time"].clone();
    let first = epoch(&s);
    s.front.recreate_database("team_a").unwrap();
    assert_ne!(epoch(&s), first);
    assert_eq!(s.ask("GET", "/team_a").json()["doc_count"], 0);
}

#[test]
fn planted_faults_strike_once() {
    let s = server();
    s.front.create_database("x_y", 0).unwrap();
    let timeout = json!({"error": "error", "reason": "timeout"});
    s.front
        .plant(Fault::answer("DELETE", "/x_y", 500, timeout).after_it_happened());
    assert_eq!(s.ask("DELETE", "/x_y").said(), "500 timeout");
    assert_eq!(
        s.ask("DELETE", "/x_y").said(),
        "404 Database does not exist."
    );

    s.front.plant(Fault::cut("GET", "/_membership"));
    let cut = s.ask("GET", "/_membership");
    assert!(cut.status == 200 && !cut.body.is_empty() && cut.json() == Value::Null);
    s.front.plant(Fault::drop_connection("GET", "/_up"));
    assert_eq!(s.ask("GET", "/_up").status, 0);
    assert_eq!(s.ask("GET", "/_up").status, 200);
    s.front.plant(Fault::lockout(1));
    assert_eq!(s.ask("GET", "/_all_dbs").status, 403);
    let statuses: Vec<Option<u16>> = s.front.requests().iter().map(|r| r.status).collect();
    assert_eq!(
        statuses,
        [Some(500), Some(404), Some(200), None, Some(200), Some(403)]
    );
}

#[test]
fn a_slow_deletion_has_happened_before_its_answer() {
    let s = server();
    s.front.create_database("x_y", 3).unwrap();
    assert_eq!(s.front.documents("x_y").unwrap(), Some(3));
    s.front
        .plant(Fault::slow("DELETE", "/x_y", Duration::from_secs(600)));
    let mut stream = TcpStream::connect(("127.0.0.1", s.front.port())).unwrap();
    let authorization = basic("admin", PASSWORD);
    write!(
        stream,
        "DELETE /x_y HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n\r\n"
    )
    .unwrap();
    while s.front.exists("x_y") {
        std::thread::yield_now();
    }
    assert_eq!(s.front.requests()[0].status, None, "it is not answered yet");
    assert_eq!(s.front.documents("x_y").unwrap(), None);
    s.front
        .plant(Fault::slow("GET", "/_up", Duration::from_millis(1)));
    assert_eq!(s.ask("GET", "/_up").status, 200);
}

#[test]
fn a_hung_request_ends_with_the_front() {
    let s = server();
    s.front.plant(Fault::hang("GET", "/_up"));
    let port = s.front.port();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .write_all(b"GET /_up HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    while s.front.requests().is_empty() {
        std::thread::yield_now();
    }
    drop(s);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty());
}

#[test]
fn a_shell_without_curl_is_answered_too() {
    let s = server();
    s.front.create_database("x_y", 2).unwrap();
    for (path, expected) in [
        ("/x_y", "\"doc_count\":2"),
        ("/x_y/_all_docs", "\"total_rows\":2"),
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", s.front.port())).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.0\r\nAuthorization: {}\r\n\r\n",
            basic("admin", PASSWORD)
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.contains(expected),
            "{answer}"
        );
    }
}

#[test]
fn a_request_that_ends_after_its_record_is_forgotten_marks_no_other() {
    let s = server();
    let mut slow = TcpStream::connect(("127.0.0.1", s.front.port())).unwrap();
    slow.write_all(
        b"POST /_dbs_info HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n",
    )
    .unwrap();
    while s.front.requests().is_empty() {
        std::thread::yield_now();
    }
    s.front.forget_requests();
    assert_eq!(s.ask("GET", "/").status, 200);
    slow.write_all(b"{}").unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    let seen = s.front.requests();
    assert_eq!((seen.len(), seen[0].status), (1, Some(200)));
}
