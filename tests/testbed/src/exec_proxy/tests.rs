//! The proxy before a server of the tests' own: one that upgrades every exec and sends the frames of a short command.

use std::{io, net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
    time::timeout,
};

use super::{
    Act, Direction, ExecProxy, Point, Shared, Strike, Which, both_sides, frame::tests::frame,
};
use crate::{RunDir, cluster::Tls, pki::Authority};

const EXEC: &[u8] =
    b"GET /api/v1/namespaces/n/pods/p/exec?command=sh&command=delete HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";

/// What the server sends after its answer.
fn frames() -> Vec<Vec<u8>> {
    ["\x01one ", "\x01two", "\x03{\"status\":\"Success\"}"]
        .map(|payload| frame(payload.as_bytes(), None))
        .to_vec()
}

/// A proxy, and what the server behind it has been sent by each connection.
struct Scene {
    proxy: ExecProxy,
    port: u16,
    server: JoinHandle<Vec<u8>>,
    _run: RunDir,
}

async fn scene(at: Point, act: Act) -> Scene {
    let run = RunDir::create().unwrap();
    let tls = Tls::write(&run, &Authority::new().unwrap()).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let upstream = listener.local_addr().unwrap().port();
    let acceptor = both_sides(&tls).unwrap().0;
    let server = tokio::spawn(async move {
        let Ok((stream, _)) = listener.accept().await else {
            return Vec::new();
        };
        let mut stream = acceptor.accept(stream).await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                return request;
            }
        }
        if request.starts_with(b"GET /plain") {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nplain").await;
        } else {
            let answer = [ANSWER.to_vec(), frames().concat()].concat();
            let _ = stream.write_all(&answer).await;
        }
        let _ = stream.shutdown().await;
        request
    });
    let strike = Strike {
        exec: Which::Word("delete"),
        at,
        act,
    };
    let (proxy, port) = ExecProxy::before(upstream, &tls, Some(strike)).unwrap();
    Scene {
        proxy,
        port,
        server,
        _run: run,
    }
}

impl Scene {
    /// All that a client gets for this request, and how its connection ended.
    async fn ask(&self, request: &[u8]) -> (Vec<u8>, io::Result<()>) {
        let shared: &Shared = &self.proxy.shared;
        let stream = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
            .await
            .unwrap();
        let name = rustls::pki_types::ServerName::try_from("127.0.0.1").unwrap();
        let mut stream = shared.connector.connect(name, stream).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut got = Vec::new();
        let ended = stream.read_to_end(&mut got).await;
        (got, ended.map(|_| ()))
    }
}

/// What a client gets of the exec, how it ended, and whether the strike fell.
async fn exec(at: Point, act: Act) -> (Vec<u8>, io::Result<()>, bool) {
    let scene = scene(at, act).await;
    let (got, ended) = scene.ask(EXEC).await;
    (got, ended, scene.proxy.struck())
}

fn whole() -> Vec<u8> {
    [ANSWER.to_vec(), frames().concat()].concat()
}

/// The answer and so many bytes of the frames.
fn up_to(bytes: usize) -> Vec<u8> {
    whole()[..ANSWER.len() + bytes].to_vec()
}

#[tokio::test]
async fn what_is_not_struck_passes_as_it_is() {
    let scene = scene(Point::Byte(Direction::ToClient, 5000), Act::Rst).await;
    let (got, ended) = scene.ask(EXEC).await;
    assert_eq!((got, scene.proxy.struck()), (whole(), false));
    ended.unwrap();
    assert_eq!(scene.proxy.execs(), [["sh", "delete"]]);
    assert_eq!(scene.server.await.unwrap(), EXEC);

    let scene = self::scene(Point::BeforeUpgrade, Act::Rst).await;
    let (got, _) = scene.ask(b"GET /plain HTTP/1.1\r\n\r\n").await;
    assert_eq!(got, b"HTTP/1.1 200 OK\r\n\r\nplain");
    assert!(!scene.proxy.struck() && scene.proxy.execs().is_empty());
    let asked = scene.server.await.unwrap();
    assert_eq!(asked, b"GET /plain HTTP/1.1\r\nConnection: close\r\n\r\n");
}

#[tokio::test]
async fn a_connection_ends_as_the_act_says() {
    let at = Point::Frame(Direction::ToClient, 1);
    let first = up_to(frames()[0].len());
    let (got, ended, struck) = exec(at, Act::Close).await;
    assert_eq!((got, struck), (first.clone(), true));
    ended.unwrap();
    let (got, ended, struck) = exec(at, Act::Fin).await;
    assert_eq!((got, struck), (first.clone(), true));
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    let (got, ended, struck) = exec(at, Act::Rst).await;
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert!(struck && first.starts_with(&got));
}

#[tokio::test]
async fn each_point_is_where_it_says() {
    let lengths: Vec<usize> = frames().iter().map(Vec::len).collect();
    let status = lengths[0] + lengths[1];
    for (at, got) in [
        (Point::AfterUpgrade, Vec::new()),
        (Point::HalfAnswer, ANSWER[..ANSWER.len() / 2].to_vec()),
        (Point::Upgraded, up_to(0)),
        (Point::Byte(Direction::ToClient, 3), up_to(3)),
        (
            Point::HalfFrame(Direction::ToClient, 1),
            up_to(lengths[0] + lengths[1] / 2),
        ),
        (Point::Before("one two"), up_to(lengths[0])),
        (Point::After("one"), up_to(lengths[0])),
        (Point::BeforeStatus, up_to(status)),
        (Point::WithinStatus, up_to(status + lengths[2] / 2)),
        (Point::AfterStatus, whole()),
    ] {
        assert_eq!(exec(at, Act::Close).await.0, got, "{at:?}");
    }
}

#[tokio::test]
async fn before_the_upgrade_nothing_reaches_the_server() {
    let scene = scene(Point::BeforeUpgrade, Act::Gateway(502)).await;
    let (got, _) = scene.ask(EXEC).await;
    assert!(got.starts_with(b"HTTP/1.1 502 "), "{got:?}");
    assert!(!scene.server.is_finished(), "nobody has connected");
    scene.server.abort();

    let scene = self::scene(Point::HalfUpgrade, Act::Fin).await;
    let (got, _) = scene.ask(EXEC).await;
    assert!(got.is_empty());
    assert_eq!(scene.server.await.unwrap(), EXEC[..EXEC.len() / 2]);
}

#[tokio::test]
async fn what_goes_on_goes_on() {
    let at = Point::Frame(Direction::ToClient, 1);
    let (got, _, struck) = exec(at, Act::Delay(Duration::from_millis(20))).await;
    assert_eq!((got, struck), (whole(), true));
    let mut parts = frames();
    parts[1] = parts[1].iter().map(|byte| !byte).collect();
    let (got, _, _) = exec(at, Act::Garble).await;
    assert_eq!(got, [ANSWER.to_vec(), parts.concat()].concat());
    parts.remove(1);
    let (got, _, _) = exec(at, Act::Swallow).await;
    assert_eq!(got, [ANSWER.to_vec(), parts.concat()].concat());
}

#[tokio::test]
async fn a_stall_holds_until_the_proxy_goes() {
    let Scene {
        proxy,
        port,
        server,
        _run,
    } = scene(Point::BeforeStatus, Act::Stall).await;
    let connector = proxy.shared.connector.clone();
    let stream = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    let name = rustls::pki_types::ServerName::try_from("127.0.0.1").unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    stream.write_all(EXEC).await.unwrap();
    let mut got = vec![0; whole().len() - frames()[2].len()];
    stream.read_exact(&mut got).await.unwrap();
    server.await.unwrap();
    let more = timeout(Duration::from_millis(50), stream.read_u8()).await;
    assert!(more.is_err() && proxy.struck(), "nothing comes any more");
    drop(proxy);
    assert!(stream.read_u8().await.is_err());
}
