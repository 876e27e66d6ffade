//! The session's script, run by this host's shells and curl against a server that gives back what it gets.

use super::*;
use crate::couchdb::credentials::Credentials;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

const NONCE: &str = "0123456789abcdef0123456789abcdef";
const BASIC: &str = "YWRtaW46c2VzYW1l";

/// Gives back method, type, credentials and body; `/refuse` answers before it has read the body, `/cut` half of what it says.
fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let _ = answer(stream);
        }
    });
    port
}

/// The lines of a request's head; `None` where no further request comes.
fn head(from: &mut impl BufRead) -> std::io::Result<Option<Vec<String>>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        if line.trim().is_empty() {
            return Ok(Some(lines));
        }
        lines.push(line.trim().to_owned());
    }
}

/// A header's value; empty where it is missing.
fn header(lines: &[String], name: &str) -> String {
    let value = lines.iter().find_map(|l| l.strip_prefix(name));
    value.unwrap_or_default().to_owned()
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut from = BufReader::new(stream.try_clone()?);
    let lines = head(&mut from)?.unwrap_or_default();
    let header = |name: &str| header(&lines, name);
    if lines[0].contains("/refuse") {
        let body = r#"{"error":"too_large","reason":"no"}"#;
        write!(
            stream,
            "HTTP/1.1 413 Too Large\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?;
        return Ok(());
    }
    if lines[0].contains("/encoding") {
        let told = format!("[{}]", header("Accept-Encoding: "));
        return write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{told}",
            told.len()
        );
    }
    let mut body = vec![0; header("Content-Length: ").parse().unwrap_or(0)];
    from.read_exact(&mut body)?;
    let mut told = format!(
        "{} {} {}\n",
        lines[0],
        header("Content-Type: "),
        header("Authorization: ")
    )
    .into_bytes();
    told.extend_from_slice(&body);
    let length = told.len() * if lines[0].contains("/cut") { 2 } else { 1 };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(&told)
}

/// The script as a child of this test.
struct Shell {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    frames: Frames,
    /// The links are read as long as the script runs.
    _tools: tempfile::TempDir,
}

impl Shell {
    fn start(with_curl: bool, target: &Target) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["curl", "bash", "base64", "tr", "cat", "head"] {
            if with_curl || name != "curl" {
                let found = ["/bin", "/usr/bin"].map(|d| std::path::Path::new(d).join(name));
                let found = found.into_iter().find(|p| p.exists()).unwrap();
                std::os::unix::fs::symlink(found, folder.path().join(name)).unwrap();
            }
        }
        let words = script::opening(SCRIPT, NONCE, target);
        let mut child = Command::new("/bin/sh")
            .args(&words[1..])
            .arg("5")
            .env_clear()
            .env("PATH", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(target.credentials.first_line()).unwrap();
        let stdout = child.stdout.take().unwrap();
        let frames = Frames::new(NONCE.to_owned());
        Self {
            child,
            stdin,
            stdout,
            frames,
            _tools: folder,
        }
    }

    fn frame(&mut self) -> Option<Frame> {
        let mut piece = [0; 4096];
        loop {
            if let Some(frame) = self.frames.next().unwrap() {
                return Some(frame);
            }
            match self.stdout.read(&mut piece).unwrap() {
                0 => return None,
                read => self.frames.push(&piece[..read]),
            }
        }
    }

    fn ask(&mut self, line: &str, body: &[u8]) -> (Vec<u8>, i32) {
        self.stdin.write_all(line.as_bytes()).unwrap();
        self.stdin.write_all(b"\n").unwrap();
        self.stdin.write_all(body).unwrap();
        self.answer()
    }

    fn answer(&mut self) -> (Vec<u8>, i32) {
        assert_eq!(self.frame(), Some(Frame::Ask));
        let mut answer = Vec::new();
        loop {
            match self.frame() {
                Some(Frame::Piece(bytes)) => answer.extend_from_slice(&bytes),
                Some(Frame::End(code)) => return (answer, code),
                other => panic!("{other:?}"),
            }
        }
    }
}

fn given(port: u16) -> Target {
    Target {
        credentials: Credentials::given("admin", "sesame"),
        ..Target::example(port)
    }
}

#[test]
fn one_request_follows_the_other_whatever_their_bodies_hold() {
    let sent: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    for with_curl in [true, false] {
        let mut shell = Shell::start(with_curl, &given(echo()));
        assert_eq!(shell.frame(), Some(Frame::Ready));
        let (answer, code) = shell.ask("GET /a -", b"");
        assert_eq!(code, 0);
        let (head, body) = Head::parse(&answer).unwrap();
        assert!(head.is_success());
        let body = String::from_utf8_lossy(body).into_owned();
        assert!(body.starts_with("GET /a HTTP/1."), "{body}");
        assert!(body.ends_with(&format!(" Basic {BASIC}\n")), "{body}");
        for (method, accept, kind) in [
            ("POST", "multipart/mixed", "application/json"),
            ("POST", "-", "application/json"),
            ("PUT", "-", "a/b; boundary=\"c d\""),
        ] {
            let (answer, code) = shell.ask(
                &format!("{method} /b {} {accept} {kind}", sent.len()),
                &sent,
            );
            let (_, body) = Head::parse(&answer).unwrap();
            let end = body.iter().position(|b| *b == b'\n').unwrap();
            let first = String::from_utf8_lossy(&body[..end]).into_owned();
            assert!(
                first.starts_with(&format!("{method} /b HTTP/1.")),
                "{first}"
            );
            assert!(
                first.ends_with(&format!(" {kind} Basic {BASIC}")),
                "{first}"
            );
            assert!(body[end + 1..] == sent, "{with_curl} {method}");
            assert_eq!(code, 0);
        }
        let (_, code) = shell.ask("POST /b 0 - text/plain", b"");
        assert_eq!(code, 0);
        shell.stdin.write_all(b"end\n").unwrap();
        assert_eq!(shell.frame(), Some(Frame::Done));
        assert!(shell.child.wait().unwrap().success());
    }
}

#[test]
fn an_encoding_is_taken_only_where_it_is_asked_for() {
    for with_curl in [true, false] {
        let mut shell = Shell::start(with_curl, &given(echo()));
        assert_eq!(shell.frame(), Some(Frame::Ready));
        for (line, told) in [
            ("GET /encoding -", "[]"),
            ("GET /encoding - gzip", "[gzip]"),
            ("GET /encoding -", "[]"),
        ] {
            let (answer, code) = shell.ask(line, b"");
            let (_, body) = Head::parse(&answer).unwrap();
            assert_eq!((String::from_utf8_lossy(body).as_ref(), code), (told, 0));
        }
    }
}

#[test]
fn several_are_asked_for_at_once_until_one_is_refused() {
    let mut shell = Shell::start(true, &given(echo()));
    assert_eq!(shell.frame(), Some(Frame::Ready));
    let first = |answer: &[u8]| {
        let body = Head::parse(answer).unwrap().1;
        String::from_utf8_lossy(body)
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    let (answer, code) = shell.ask("GETS /a* /b?c=%2F /c", b"");
    assert!(code == 0 && first(&answer).starts_with("GET /a* HTTP"));
    let (answer, code) = shell.answer();
    assert!(code == 0 && first(&answer).starts_with("GET /b?c=%2F HTTP"));
    let (answer, code) = shell.answer();
    assert!(code == 0 && first(&answer).starts_with("GET /c HTTP"));
    assert_eq!(shell.answer(), (Vec::new(), 0));
    let (_, mut code) = shell.ask("GETS /a /refuse /never", b"");
    let mut answers = 1;
    while code == 0 {
        let (answer, end) = shell.answer();
        assert!(!String::from_utf8_lossy(&answer).contains("/never"));
        (code, answers) = (end, answers + 1);
    }
    assert!(code == 22 && answers <= 3, "{code} {answers}");
    // The session goes on, and what has no curl asks for each alone.
    assert_eq!(shell.ask("GET /a -", b"").1, 0);
    let mut shell = Shell::start(false, &given(echo()));
    assert_eq!(shell.frame(), Some(Frame::Ready));
    assert_eq!(shell.ask("GETS /a /b", b""), (Vec::new(), 22));
    assert_eq!(shell.ask("GET /a -", b"").1, 0);
}

/// What a server got: connections, and path, type, credentials and body of each request.
type Got = Arc<Mutex<(usize, Vec<(String, String, String, Vec<u8>)>)>>;

/// Keeps its connections, answers one request after the other, `/refuse` with 403 and `/gone` with the end of the connection.
fn keeping() -> (u16, Got) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let got = Got::default();
    let log = Arc::clone(&got);
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            log.lock().unwrap().0 += 1;
            let log = Arc::clone(&log);
            std::thread::spawn(move || keep(&stream, &log));
        }
    });
    (port, got)
}

fn keep(mut stream: &TcpStream, got: &Got) -> std::io::Result<()> {
    let mut from = BufReader::new(stream);
    loop {
        let Some(lines) = head(&mut from)? else {
            return Ok(());
        };
        let header = |name: &str| header(&lines, name);
        let mut body = vec![0; header("Content-Length: ").parse().unwrap_or(0)];
        from.read_exact(&mut body)?;
        let (kind, basic) = (header("Content-Type: "), header("Authorization: Basic "));
        let asked = (lines[0].clone(), kind, basic, body);
        got.lock().unwrap().1.push(asked);
        if lines[0].contains("/gone") {
            return stream.shutdown(std::net::Shutdown::Both);
        }
        let status = match lines[0].contains("/refuse") {
            true => "403 Forbidden",
            false => "201 Created",
        };
        write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-length: 5\r\nServer: x\r\n\r\n{{\n\n}}\n"
        )?;
    }
}

fn puts(shell: &mut Shell, paths: &[String], body: impl Fn(usize) -> Vec<u8>) -> (Vec<u8>, i32) {
    let bodies: Vec<Vec<u8>> = (0..paths.len()).map(body).collect();
    let all = bodies.concat();
    let mut line = format!("PUTS /db {} a/b;c=\"d\"", all.len());
    for (path, body) in paths.iter().zip(&bodies) {
        line.push_str(&format!(" {} {path}", body.len()));
    }
    shell.ask(&line, &all)
}

#[test]
fn several_are_written_in_one_go_over_a_few_connections() {
    for with_curl in [true, false] {
        let (port, got) = keeping();
        let mut shell = Shell::start(with_curl, &given(port));
        assert_eq!(shell.frame(), Some(Frame::Ready));
        let paths: Vec<String> = (0..50).map(|n| format!("/db/*{n}%2F?e=false")).collect();
        let body = |n: usize| {
            let bytes = (0..n * 4000).map(|b| (b % 251) as u8);
            [b"\n\0\r", &bytes.collect::<Vec<u8>>()[..]].concat()
        };
        assert_eq!(puts(&mut shell, &paths, body), (Vec::new(), 0));
        let (connections, mut asked) = std::mem::take(&mut *got.lock().unwrap());
        asked.sort();
        let mut wanted: Vec<_> = (0..50)
            .map(|n| {
                let first = format!("PUT {} HTTP/1.1", paths[n]);
                (first, "a/b;c=\"d\"".to_owned(), BASIC.to_owned(), body(n))
            })
            .collect();
        wanted.sort();
        assert!(asked == wanted, "{with_curl}");
        assert!((2..=16).contains(&connections), "{connections}");
    }
}

#[test]
fn of_several_one_that_is_not_written_ends_it_and_the_session_goes_on() {
    for (at, which, most, wanted) in [
        // After the first one nothing is sent unless it is taken.
        (0, "refuse", 1, Some(22)),
        (3, "refuse", 20, Some(22)),
        (99, "refuse", 100, Some(22)),
        (3, "gone", 100, None),
        (99, "gone", 100, None),
    ] {
        let (port, got) = keeping();
        let mut shell = Shell::start(true, &given(port));
        assert_eq!(shell.frame(), Some(Frame::Ready));
        let mut paths: Vec<String> = (0..100).map(|n| format!("/db/{n}")).collect();
        paths[at] = format!("/db/{which}");
        let (answer, code) = puts(&mut shell, &paths, |_| vec![b'\n'; 30_000]);
        assert!(answer.is_empty() && code != 0, "{which} {at}: {code}");
        assert!(wanted.is_none_or(|w| w == code), "{which} {at}: {code}");
        let asked = got.lock().unwrap().1.len();
        assert!(asked <= most, "{which} {at}: {asked}");
        assert_eq!(shell.ask("GET /a -", b"").1, 0);
    }
    let mut shell = Shell::start(true, &given(1));
    assert_eq!(shell.frame(), Some(Frame::Ready));
    assert_ne!(puts(&mut shell, &["/a".to_owned()], |_| vec![1]).1, 0);
}

#[test]
fn a_body_that_nobody_read_is_passed_over() {
    for with_curl in [true, false] {
        let mut shell = Shell::start(with_curl, &given(echo()));
        assert_eq!(shell.frame(), Some(Frame::Ready));
        let body = vec![b'\n'; 2_000_000];
        shell.ask(&format!("POST /refuse {} - text/plain", body.len()), &body);
        let (answer, code) = shell.ask("GET /a -", b"");
        assert!(code == 0 && Head::parse(&answer).is_some(), "{with_curl}");
    }
}

#[test]
fn no_server_and_a_cut_answer_are_told_and_the_session_goes_on() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    for with_curl in [true, false] {
        let mut shell = Shell::start(with_curl, &given(port));
        assert_eq!(shell.frame(), Some(Frame::Ready));
        for line in ["GET /a -", "POST /b 3 - text/plain"] {
            let (_, code) = shell.ask(line, if line.contains('3') { b"abc" } else { b"" });
            assert_eq!(NoResponse::from_exit(code), Some(NoResponse::NotConnected));
        }
    }
    let mut shell = Shell::start(true, &given(echo()));
    assert_eq!(shell.frame(), Some(Frame::Ready));
    let (_, code) = shell.ask("GET /cut -", b"");
    assert!(matches!(
        NoResponse::from_exit(code),
        Some(NoResponse::Broken(_))
    ));
}

#[test]
fn a_deletion_is_no_request_of_a_session() {
    for line in ["DELETE /a -", "delete /a -", "", "end"] {
        let mut shell = Shell::start(true, &given(1));
        assert_eq!(shell.frame(), Some(Frame::Ready));
        shell
            .stdin
            .write_all(format!("{line}\n").as_bytes())
            .unwrap();
        assert_eq!(shell.frame(), Some(Frame::Done), "{line}");
    }
}

#[test]
fn a_container_without_credentials_is_unfit() {
    let mut shell = Shell::start(true, &Target::example(1));
    assert_eq!(shell.frame(), None);
    let code = shell.child.wait().unwrap().code().unwrap();
    assert_eq!(Unfit::from_exit(code), Some(Unfit::NoCredentials));
}
