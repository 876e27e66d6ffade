//! Chart repositories that do not do their part: each path of one listener stands for one answer, and is named by it.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

/// Longer than any timeout of a repository in the cases.
const SILENCE: Duration = Duration::from_secs(900);

/// Starts the listener, which lives as long as this process; gives its URL.
pub(super) fn serve() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port on 127.0.0.1");
    let port = listener.local_addr().expect("it listens").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A reader that went away is its own affair.
            std::thread::spawn(move || answer(&stream).ok());
        }
    });
    format!("http://127.0.0.1:{port}")
}

fn answer(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream);
    let mut request = String::new();
    lines.read_line(&mut request)?;
    let mut header = String::new();
    while lines.read_line(&mut header)? > 2 {
        header.clear();
    }
    let path = request.split_whitespace().nth(1).unwrap_or_default();
    let kind = path.split('/').nth(1).unwrap_or_default();
    let (status, body) = match kind {
        "unauthorized" => ("401 Unauthorized", ""),
        "forbidden" => ("403 Forbidden", ""),
        "failing" => ("503 Service Unavailable", "try later"),
        "page" => (
            "200 OK",
            "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n",
        ),
        "silent" => {
            std::thread::sleep(SILENCE);
            return Ok(());
        }
        _ => ("404 Not Found", ""),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
