//! The exec's protocol against an API server that speaks it by the byte: what ends a command, and that nothing is sent twice.

use super::*;
use crate::cluster::ConnectionArgs;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn read(status: serde_json::Value) -> Ended {
    ended(&serde_json::from_value(status).unwrap())
}

fn exit_code(code: &str) -> serde_json::Value {
    json!({"status": "Failure", "reason": "NonZeroExitCode", "message": "command terminated with non-zero exit code",
        "details": {"causes": [{"reason": "ExitCode", "message": code}]}})
}

#[test]
fn only_a_status_tells_an_exit_code() {
    assert_eq!(read(json!({"status": "Success"})), Ended::Exit(0));
    assert_eq!(read(exit_code("91")), Ended::Exit(91));
    assert!(matches!(read(exit_code("x")), Ended::Failed(_)));
    let failed = json!({"status": "Failure", "reason": "InternalError", "message": "no sh"});
    assert_eq!(read(failed), Ended::Failed("no sh".to_owned()));
    assert!(matches!(read(json!({})), Ended::Failed(_)));
}

/// An API server that hands each connection, its request read, to `answer`; and how often it was asked.
fn server(answer: impl Fn(&str, TcpStream) + Send + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut head = Vec::new();
            let mut byte = [0; 1];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.push(byte[0]);
            }
            if !head.is_empty() {
                count.fetch_add(1, Ordering::SeqCst);
                answer(&String::from_utf8(head).unwrap(), stream);
            }
        }
    });
    (url, asked)
}

/// Takes the upgrade, sends these messages (channel first), and closes unless `stay`.
fn websocket(messages: Vec<Vec<u8>>, stay: bool) -> String {
    let (url, _) = server(move |head, mut stream| {
        let key = head
            .lines()
            .find_map(|l| {
                l.split_once(": ")
                    .filter(|(k, _)| k.eq_ignore_ascii_case("sec-websocket-key"))
            })
            .unwrap()
            .1;
        let accept = digest(
            &SHA1_FOR_LEGACY_USE_ONLY,
            format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes(),
        );
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n",
            STANDARD.encode(accept)
        );
        stream.write_all(head.as_bytes()).unwrap();
        for message in &messages {
            // One final binary frame, unmasked; lengths above 125 take two more bytes.
            let mut frame = vec![0x82];
            match u8::try_from(message.len()) {
                Ok(short) if short < 126 => frame.push(short),
                _ => {
                    frame.push(126);
                    frame.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
                }
            }
            frame.extend(message);
            let _ = stream.write_all(&frame);
        }
        if stay {
            std::thread::sleep(Duration::from_secs(60));
        }
    });
    url
}

fn message(channel: u8, text: &str) -> Vec<u8> {
    [&[channel], text.as_bytes()].concat()
}

async fn exec_at(url: &str, limit: Duration) -> (Result<Execed, ClusterError>, u64) {
    let args = ConnectionArgs {
        server: Some(url.to_owned()),
        ..ConnectionArgs::default()
    };
    let cluster = Cluster::connect(&args, false).await.unwrap();
    let place = Place {
        namespace: "n",
        pod: "p",
        container: "c",
    };
    #[expect(clippy::disallowed_methods, reason = "the exec itself is tested")]
    let answer = cluster.exec(&place, &["true".to_owned()], b"", limit).await;
    (answer, cluster.requests())
}

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn an_upgrade_is_sent_once_whatever_the_server_says() {
    for (code, line) in [
        (503, "503 Service Unavailable\r\nRetry-After: 0"),
        (429, "429 Too Many Requests\r\nRetry-After: 0"),
        (504, "504 Gateway Timeout"),
        (403, "403 Forbidden"),
    ] {
        let (url, asked) = server(move |_, mut stream| {
            let answer =
                format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes());
        });
        let (answer, counted) = exec_at(&url, LONG).await;
        let error = answer.unwrap_err();
        assert!(!error.is_refusal() && error.clause().starts_with(&format!("HTTP {code} from ")));
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{code}");
        assert_eq!(counted, 1);
    }
    let (url, asked) = server(|_, stream| drop(stream));
    assert_eq!(exec_at(&url, LONG).await.0.unwrap_err().api_code(), None);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_status_counts_under_its_own_http_status_only() {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}).to_string();
    for (line, refusal) in [
        ("404 Not Found", true),
        ("500 Internal Server Error", false),
        ("200 OK", false),
    ] {
        let body = body.clone();
        let (url, _) = server(move |_, mut stream| {
            let answer = format!(
                "HTTP/1.1 {line}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes());
        });
        let error = exec_at(&url, LONG).await.0.unwrap_err();
        assert_eq!(error.is_refusal(), refusal, "{line}: {error:?}");
    }
}

#[tokio::test]
async fn streams_and_exit_code_come_back() {
    let messages = vec![
        message(1, "out"),
        message(2, "err"),
        message(1, "put"),
        message(3, &exit_code("7").to_string()),
    ];
    let execed = exec_at(&websocket(messages, false), LONG).await.0.unwrap();
    assert_eq!(
        (execed.stdout.as_slice(), execed.stderr.as_slice()),
        (&b"output"[..], &b"err"[..])
    );
    assert_eq!(execed.ended, Ended::Exit(7));
}

#[tokio::test]
async fn a_stream_that_ends_without_a_status_is_lost_and_its_output_kept() {
    let url = websocket(vec![message(1, "nonce done\n")], false);
    let execed = exec_at(&url, LONG).await.0.unwrap();
    assert!(matches!(execed.ended, Ended::Lost(_)), "{execed:?}");
    assert_eq!(execed.stdout, b"nonce done\n");
}

#[tokio::test]
async fn a_command_that_does_not_end_is_lost_after_the_limit() {
    let url = websocket(vec![message(1, "half")], true);
    let execed = exec_at(&url, Duration::from_millis(300)).await.0.unwrap();
    assert!(matches!(execed.ended, Ended::Lost(_)), "{execed:?}");
}
