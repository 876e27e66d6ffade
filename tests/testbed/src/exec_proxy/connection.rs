//! One connection of a client through the proxy: an exec with its strike, or anything else as it is.
//!
//! Each connection carries one request: the API server is told to close it, so that no exec hides behind another request.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_rustls::{client, server};

use super::{
    Shared,
    frame::Frame,
    strike::{Act, Direction, Point, Strike, Watch},
};
use crate::couchdb::target::decode;

/// Longest head of a request or an answer; an exec's URL holds a whole script.
const HEAD_LIMIT: usize = 1 << 20;
/// How long a client may take to notice that its connection was closed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked whether what is held may go on.
const TICK: Duration = Duration::from_millis(20);

type Client = server::TlsStream<TcpStream>;
type Server = client::TlsStream<TcpStream>;

/// Why the bytes of one way have come to an end.
enum End {
    /// One side closed its connection.
    Closed,
    Struck(Act),
}

pub(super) async fn serve(shared: &Shared, stream: TcpStream) -> io::Result<()> {
    let mut client = shared.acceptor.accept(stream).await?;
    let (head, rest) = head(&mut client).await?;
    let text = String::from_utf8_lossy(&head).into_owned();
    let Some(command) = exec(&text) else {
        let path = text.split(' ').nth(1).unwrap_or_default();
        if let Some(body) = shared.broken(path) {
            return answer(&mut client, 200, "application/json", body).await;
        }
        let mut server = shared.connect().await?;
        server.write_all(one_request(&text).as_bytes()).await?;
        server.write_all(&rest).await?;
        server.flush().await?;
        // The server closes after its answer; that a side does so without a word of TLS is no matter here.
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        return Ok(());
    };
    let strike = shared.strike(command);
    let (server, act) = match exchange(shared, &mut client, &head, rest, strike).await {
        Ok((server, End::Struck(act))) => (server, act),
        Ok((server, End::Closed)) => (server, Act::Close),
        Err(_) => (None, Act::Close),
    };
    end(client, server, act).await
}

/// The upgrade and all frames, up to the end of either side or the strike's.
async fn exchange(
    shared: &Shared,
    client: &mut Client,
    request: &[u8],
    rest: Vec<u8>,
    strike: Option<Strike>,
) -> io::Result<(Option<Server>, End)> {
    let point = strike.as_ref().map(|s| s.at);
    let piece = |whole: &[u8], before: Point, half: Point, after: Option<Point>| {
        let at = match point {
            p if p == Some(before) => Some(0),
            p if p == Some(half) => Some(whole.len() / 2),
            Some(p) if Some(p) == after => Some(whole.len()),
            _ => None,
        };
        at.zip(strike.as_ref().map(|s| s.act))
    };

    let struck = piece(request, Point::BeforeUpgrade, Point::HalfUpgrade, None);
    if let Some((
        0,
        act
        @ (Act::Close | Act::Fin | Act::Rst | Act::Stall | Act::Gateway(_) | Act::Status { .. }),
    )) = struck
    {
        shared.struck();
        return Ok((None, End::Struck(act)));
    }
    let mut server = shared.connect().await?;
    if let Some(act) = pass(shared, request, struck, &mut server).await? {
        return Ok((Some(server), End::Struck(act)));
    }
    let (answer, frames) = head(&mut server).await?;
    let struck = piece(
        &answer,
        Point::AfterUpgrade,
        Point::HalfAnswer,
        Some(Point::Upgraded),
    );
    if let Some(act) = pass(shared, &answer, struck, client).await? {
        return Ok((Some(server), End::Struck(act)));
    }

    let act = strike.map_or(Act::Close, |s| s.act);
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let pump = |way, held| Pump {
        shared,
        watch: Watch::new(way, point),
        act,
        held,
    };
    let ended = tokio::select! {
        ended = pump(Direction::ToClient, frames).run(&mut from_server, &mut to_client) => ended,
        ended = pump(Direction::ToServer, rest).run(&mut from_client, &mut to_server) => ended,
    };
    Ok((
        Some(from_server.unsplit(to_server)),
        ended.unwrap_or(End::Closed),
    ))
}

/// The frames of one way.
struct Pump<'a> {
    shared: &'a Shared,
    watch: Watch,
    act: Act,
    held: Vec<u8>,
}

impl Pump<'_> {
    async fn run(
        mut self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<End> {
        loop {
            while let Some(frame) = Frame::take(&mut self.held) {
                let struck = self.watch.falls(&frame).map(|at| (at, self.act));
                if let Some(act) = pass(self.shared, &frame.raw, struck, to).await? {
                    return Ok(End::Struck(act));
                }
            }
            if from.read_buf(&mut self.held).await? == 0 {
                return Ok(End::Closed);
            }
        }
    }
}

/// Passes a piece on, struck at this offset or whole. Gives the act back when it ends the exec.
async fn pass(
    shared: &Shared,
    bytes: &[u8],
    struck: Option<(usize, Act)>,
    to: &mut (impl AsyncWrite + Unpin),
) -> io::Result<Option<Act>> {
    let Some((at, act)) = struck else {
        to.write_all(bytes).await?;
        to.flush().await?;
        return Ok(None);
    };
    let (before, rest) = bytes.split_at(at);
    to.write_all(before).await?;
    to.flush().await?;
    shared.struck();
    match act {
        Act::Delay(pause) => {
            sleep(pause).await;
            to.write_all(rest).await?;
        }
        Act::Garble => {
            let turned: Vec<u8> = rest.iter().map(|byte| !byte).collect();
            to.write_all(&turned).await?;
        }
        Act::Hold => {
            while !shared.released() {
                sleep(TICK).await;
            }
            to.write_all(rest).await?;
        }
        Act::Swallow => {}
        Act::Close | Act::Fin | Act::Rst | Act::Stall | Act::Gateway(_) | Act::Status { .. } => {
            return Ok(Some(act));
        }
    }
    to.flush().await?;
    Ok(None)
}

/// Ends both connections as the act says.
async fn end(mut client: Client, server: Option<Server>, act: Act) -> io::Result<()> {
    match act {
        Act::Stall => return std::future::pending().await,
        Act::Rst => {
            client.get_ref().0.set_zero_linger()?;
            return Ok(());
        }
        Act::Fin => client.get_mut().0.shutdown().await?,
        Act::Gateway(status) => {
            let body = "the upstream server did not answer\n";
            answer(&mut client, status, "text/plain", body).await?;
        }
        Act::Status { http, code } => {
            let body = format!(
                r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"the proxy says so","reason":"Forbidden","code":{code}}}"#
            );
            answer(&mut client, http, "application/json", &body).await?;
        }
        Act::Close | Act::Delay(_) | Act::Garble | Act::Swallow | Act::Hold => {
            client.shutdown().await?;
        }
    }
    drop(server);
    // Bytes that nobody has read would make the close an RST.
    let mut left = Vec::new();
    let _ = timeout(PATIENCE, client.get_mut().0.read_to_end(&mut left)).await;
    Ok(())
}

/// Answers a request in the API server's place.
async fn answer(client: &mut Client, status: u16, kind: &str, body: &str) -> io::Result<()> {
    let answer = format!(
        "HTTP/1.1 {status} Proxy\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}

/// A head with its blank line, and what has come behind it.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let rest = bytes.split_off(at + 4);
            return Ok((bytes, rest));
        }
        if bytes.len() > HEAD_LIMIT || stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The command of an exec's request, or `None` for any other one.
fn exec(head: &str) -> Option<Vec<String>> {
    let target = head.split(' ').nth(1)?;
    let (path, query) = target.split_once('?')?;
    let command = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("command="))
        .map(decode)
        .collect();
    path.ends_with("/exec").then_some(command)
}

/// The same head with the wish that the connection is closed after the answer.
fn one_request(head: &str) -> String {
    let kept = head
        .trim_end()
        .split("\r\n")
        .filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let lines: Vec<&str> = kept.chain(["Connection: close", "\r\n"]).collect();
    lines.join("\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execs_command_is_read_from_its_url() {
        let head = "GET /api/v1/namespaces/n/pods/p/exec?stdin=true&command=sh&command=-c&command=a+%22b%22%0A HTTP/1.1\r\n\r\n";
        assert_eq!(exec(head).unwrap(), ["sh", "-c", "a \"b\"\n"]);
        assert_eq!(exec("GET /api/v1/pods?limit=5 HTTP/1.1\r\n\r\n"), None);
    }

    #[test]
    fn one_request_a_connection() {
        let head = "GET / HTTP/1.1\r\nHost: x\r\nconnection: keep-alive\r\n\r\n";
        assert_eq!(
            one_request(head),
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        );
    }
}
