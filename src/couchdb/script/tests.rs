//! The script itself, run by this host's shells and curl against recorded answers, and the reading of its output.

use super::*;
use crate::couchdb::response::{NoResponse, Response};
use crate::model::names::DatabaseName;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

const NONCE: &str = "0123456789abcdef0123456789abcdef";
const PASSWORD: &str = r#"p"a\ss'w:100%d $HOME `id` ;#"#;

/// An answer that does not come: the connection stays open.
const HANGS: &str = "hangs";

/// Answers by path, in the bytes they have on the wire, and what was asked with which credentials.
struct Recorded {
    port: u16,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

fn recorded(answers: &[(&str, &str)]) -> Recorded {
    let answers: BTreeMap<String, String> = answers
        .iter()
        .map(|(p, a)| ((*p).to_owned(), (*a).to_owned()))
        .collect();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().and_then(Result::ok).unwrap_or_default();
            let mut credentials = String::new();
            for line in lines.map_while(Result::ok).take_while(|l| !l.is_empty()) {
                if let Some(value) = line.strip_prefix("Authorization: ") {
                    credentials = value.to_owned();
                }
            }
            let request = first.rsplit_once(' ').map_or("", |(r, _)| r).to_owned();
            let answer = answers.get(&request).cloned().unwrap_or_default();
            log.lock().unwrap().push((request, credentials));
            if answer == HANGS {
                std::mem::forget(stream);
                continue;
            }
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    Recorded { port, seen }
}

fn ok(json: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nServer: CouchDB/3.2.2 (Erlang OTP/23)\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{json}\n",
        json.len() + 1
    )
}

/// A folder with links to these programs only: the PATH of a container.
fn tools(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let found = ["/bin", "/usr/bin"]
            .iter()
            .map(|d| PathBuf::from(d).join(name))
            .find(|p| p.exists())
            .unwrap();
        std::os::unix::fs::symlink(found, folder.path().join(name)).unwrap();
    }
    folder
}

struct Ran {
    output: Output,
    code: i32,
    everything: String,
}

fn run(job: &Job, port: u16, shell: &str, path: &std::path::Path, user: Option<&str>) -> Ran {
    let mut words = job.command(NONCE, &Target::example(port));
    words[0] = shell.to_owned();
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .env_clear()
        .env("PATH", path)
        .env("http_proxy", "http://127.0.0.1:1");
    if let Some(user) = user {
        command
            .env("COUCHDB_USER", user)
            .env("COUCHDB_PASSWORD", PASSWORD);
    }
    let ran = command.output().unwrap();
    Ran {
        output: parse(&ran.stdout, NONCE),
        code: ran.status.code().unwrap(),
        everything: format!(
            "{}{}{}",
            words.join(" "),
            String::from_utf8_lossy(&ran.stdout),
            String::from_utf8_lossy(&ran.stderr)
        ),
    }
}

fn name() -> DatabaseName {
    DatabaseName::parse("pds_database").unwrap()
}

/// Shells of this machine that CouchDB's images have too; sh is always there.
fn shells() -> impl Iterator<Item = &'static str> {
    ["/bin/sh", "/bin/dash", "/bin/bash"]
        .into_iter()
        .filter(|shell| std::path::Path::new(shell).exists())
}

const ALL: [&str; 5] = ["curl", "bash", "base64", "tr", "cat"];

#[test]
fn each_way_asks_with_the_containers_credentials_and_shows_none() {
    use base64::Engine;
    let want = format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(format!("admin:{PASSWORD}"))
    );
    for (shell, with) in shells().flat_map(|s| [(s, &ALL[..]), (s, &ALL[1..])]) {
        let server = recorded(&[
            ("GET /", &ok(r#"{"couchdb":"Welcome"}"#)),
            ("GET /_membership", &ok("{}")),
        ]);
        let tools = tools(with);
        let job = Job::Read(vec![Path::root(), Path::membership()]);
        let ran = run(&job, server.port, shell, tools.path(), Some("admin"));
        assert_eq!(ran.code, 0, "{shell} {with:?}: {}", ran.everything);
        assert!(ran.output.complete);
        let answer = Response::from_exchange(&ran.output.exchanges[0]).unwrap();
        assert_eq!(answer.body["couchdb"], "Welcome");
        let seen = server.seen.lock().unwrap();
        assert_eq!(
            *seen,
            [
                ("GET /".to_owned(), want.clone()),
                ("GET /_membership".to_owned(), want.clone())
            ]
        );
        assert!(!ran.everything.contains(PASSWORD) && !ran.everything.contains(&want));
    }
}

#[test]
fn a_refusal_of_the_credentials_ends_the_run() {
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let refusal =
            format!("HTTP/1.1 {status}\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{{}}\n");
        let server = recorded(&[("GET /", &refusal)]);
        let tools = tools(&ALL);
        let job = Job::Read(vec![
            Path::root(),
            Path::membership(),
            Path::database(&name()),
        ]);
        let ran = run(&job, server.port, "/bin/sh", tools.path(), Some("admin"));
        assert!(ran.output.complete);
        assert_eq!(ran.output.exchanges.len(), 1);
        assert_eq!(server.seen.lock().unwrap().len(), 1);
    }
}

#[test]
fn an_unfit_container_is_told_before_anything_is_asked() {
    let server = recorded(&[]);
    let job = Job::Read(vec![Path::root()]);
    let code = |with: &[&str], user| {
        let tools = tools(with);
        run(&job, server.port, "/bin/sh", tools.path(), user).code
    };
    assert_eq!(
        Unfit::from_exit(code(&["base64", "tr", "cat"], Some("admin"))),
        Some(Unfit::NoClient)
    );
    assert_eq!(
        Unfit::from_exit(code(&ALL, None)),
        Some(Unfit::NoCredentials)
    );
    assert_eq!(
        Unfit::from_exit(code(&ALL, Some(""))),
        Some(Unfit::NoCredentials)
    );
    assert_eq!(
        Unfit::from_exit(code(&["curl", "bash", "tr", "cat"], Some("admin"))),
        Some(Unfit::NoTools)
    );
    assert!(server.seen.lock().unwrap().is_empty());
}

#[test]
fn a_server_that_hangs_holds_no_way_for_ever() {
    for with in [&ALL[..], &ALL[1..]] {
        let server = recorded(&[("GET /", HANGS)]);
        let tools = tools(with);
        let job = Job::Look(vec![Path::root()]);
        let ran = run(&job, server.port, "/bin/sh", tools.path(), Some("admin"));
        assert!(ran.output.complete, "{}", ran.everything);
        assert_eq!(ran.output.exchanges[0].exit, 28, "{with:?}");
    }
}

#[test]
fn what_a_port_for_tls_says_is_recognised_each_way() {
    let alert = "\u{15}\u{3}\u{3}\0\u{2}\u{2}\n";
    let said = "HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    for (answer, with) in [alert, said]
        .into_iter()
        .flat_map(|a| [(a, &ALL[..]), (a, &ALL[1..])])
    {
        let server = recorded(&[("GET /", answer)]);
        let tools = tools(with);
        let job = Job::Read(vec![Path::root()]);
        let ran = run(&job, server.port, "/bin/sh", tools.path(), Some("admin"));
        let read = Response::from_exchange(&ran.output.exchanges[0]);
        assert_eq!(
            read,
            Err(NoResponse::NotHttp),
            "{with:?}: {}",
            ran.everything
        );
    }
}

fn guarded(guards: Vec<Guard>) -> Job {
    #[expect(clippy::disallowed_methods, reason = "of a server that is recorded")]
    let deletion = Deletion::new(guards, &name());
    Job::Delete(deletion)
}

fn deletion() -> Job {
    let guard = |path: Path, holds: &str| Guard {
        path,
        holds: holds.to_owned(),
    };
    guarded(vec![
        guard(Path::root(), r#""uuid":"u1""#),
        guard(Path::root(), r#""version":"3.2.2""#),
        guard(Path::database(&name()), r#""db_name":"pds_database""#),
    ])
}

#[test]
fn one_delete_is_sent_after_every_guard_held() {
    for (shell, with) in shells().flat_map(|s| [(s, &ALL[..]), (s, &ALL[1..])]) {
        let server = recorded(&[
            // Blanks do not matter.
            ("GET /", &ok(r#"{ "uuid" : "u1", "version": "3.2.2" }"#)),
            ("GET /pds_database", &ok(r#"{"db_name":"pds_database"}"#)),
            ("DELETE /pds_database", &ok(r#"{"ok":true}"#)),
        ]);
        let tools = tools(with);
        let ran = run(&deletion(), server.port, shell, tools.path(), Some("admin"));
        assert!(ran.output.complete && ran.output.sending && ran.output.differs.is_none());
        let asked: Vec<String> = server
            .seen
            .lock()
            .unwrap()
            .iter()
            .map(|(r, _)| r.clone())
            .collect();
        assert_eq!(
            asked,
            ["GET /", "GET /pds_database", "DELETE /pds_database"]
        );
    }
}

#[test]
fn no_delete_is_sent_when_a_guard_does_not_hold() {
    let root = ok(r#"{"uuid":"u1","version":"3.2.2"}"#);
    let longer = ok(r#"{"db_name":"pds_database2"}"#);
    let nested = ok(r#"{"db_name":"x","was":"\"db_name\":\"pds_database\""}"#);
    let failing = ok(r#"{"db_name":"pds_database"}"#).replace("200 OK", "500 Oops");
    let cut = ok(r#"{"db_name":"pds_database"}"#).replace("Content-Length: 2", "Content-Length: 9");
    for database in [&longer, &nested, &failing, &cut, &String::new()] {
        let server = recorded(&[("GET /", &root), ("GET /pds_database", database)]);
        let tools = tools(&ALL);
        let ran = run(
            &deletion(),
            server.port,
            "/bin/sh",
            tools.path(),
            Some("admin"),
        );
        assert!(ran.output.complete && !ran.output.sending, "{database}");
        assert_eq!(
            ran.output.differs.as_deref(),
            Some(r#"/pds_database "db_name":"pds_database""#)
        );
        let asked = server.seen.lock().unwrap();
        assert!(
            asked.iter().all(|(r, _)| !r.starts_with("DELETE")),
            "{asked:?}"
        );
    }
}

#[test]
fn a_number_is_compared_whole_and_a_sequence_by_its_number() {
    for shell in shells() {
        for (body, holds) in [
            (r#"{"doc_count":12,"update_seq":"34-g1AAA"}"#, true),
            (r#"{"update_seq":"34-x]y","doc_count" : 12 }"#, true),
            (r#"{"doc_count":123,"update_seq":"34-g1AAA"}"#, false),
            (r#"{"doc_count":1,"update_seq":"34-g1AAA"}"#, false),
            (r#"{"doc_count":12,"update_seq":"345-g1AAA"}"#, false),
        ] {
            let server = recorded(&[
                ("GET /pds_database", &ok(body)),
                ("DELETE /pds_database", &ok(r#"{"ok":true}"#)),
            ]);
            let database = Path::database(&name());
            let guards = [r#""doc_count":12"#, r#""update_seq":"34-"#]
                .map(|holds| Guard {
                    path: database.clone(),
                    holds: holds.to_owned(),
                })
                .to_vec();
            let tools = tools(&ALL);
            let job = guarded(guards);
            let ran = run(&job, server.port, shell, tools.path(), Some("admin"));
            assert!(ran.output.complete);
            assert_eq!(ran.output.sending, holds, "{shell} {body}");
        }
    }
}

#[test]
fn nothing_in_the_command_is_secret_and_curl_is_safe() {
    let command = deletion().command(NONCE, &Target::example(5984));
    assert_eq!(command[..2], ["sh", "-c"]);
    assert!(command.iter().all(|w| !w.contains("COUCHDB_PASSWORD=")));
    // -q stands first; nothing follows a redirect, traces, or passes credentials as an argument.
    assert!(SCRIPT.contains("curl -q -sS -i -H @- --noproxy '*' --globoff "));
    for never in [
        " -L",
        " -u ",
        "--user",
        "curl -v",
        "set -x",
        "sh -x",
        "--fail-with-body",
        "--json",
        "/proc/",
    ] {
        assert!(!SCRIPT.contains(never), "{never}");
    }
    // CouchDB gives up on a member after 60 s: curl must outlast that.
    const { assert!(DELETE_SECONDS > 60) };
    assert!(command.contains(&DELETE_SECONDS.to_string()));
}

fn printed() -> String {
    format!(
        "{NONCE} ask GET /\nHTTP/1.1 200 OK\r\n\r\n{{}}\n{NONCE} end 0\n{NONCE} sending\n{NONCE} ask DELETE /a_b\nHTTP/1.1 200 OK\r\n\r\n{{\"ok\":true}}\n{NONCE} end 0\n{NONCE} done\n"
    )
}

#[test]
fn no_cut_output_is_complete() {
    let whole = printed();
    let output = parse(whole.as_bytes(), NONCE);
    assert!(output.complete && output.sending && output.exchanges.len() == 2);
    // The last byte is the line's end: without it the mark is whole.
    for cut in 0..whole.len() - 1 {
        let output = parse(&whole.as_bytes()[..cut], NONCE);
        assert!(!output.complete, "{cut}");
    }
    let more = format!("{whole}more");
    assert!(!parse(more.as_bytes(), NONCE).complete);
}

proptest! {
    #[test]
    fn no_output_panics_and_none_without_the_nonce_is_complete(output in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!parse(&output, NONCE).complete);
    }

    #[test]
    fn what_an_answer_holds_cannot_end_the_run(body in "(\\PC|\n|[0-9a-f]{32} (done|end 0|sending)\n){0,40}") {
        let text = printed().replace("{\"ok\":true}", &body);
        let output = parse(text.as_bytes(), NONCE);
        prop_assert!(output.complete);
        prop_assert_eq!(output.exchanges.len(), 2);
        let raw = &output.exchanges[1].raw;
        prop_assert!(raw.ends_with(body.as_bytes()));
    }

    #[test]
    fn garbled_marks_never_panic(words in proptest::collection::vec("(ask GET /|end 0|end x|sending|differs / x|done|ask|)", 0..12)) {
        let text: String = words.iter().map(|w| format!("{NONCE} {w}\n")).collect();
        let _ = parse(text.as_bytes(), NONCE);
    }
}
