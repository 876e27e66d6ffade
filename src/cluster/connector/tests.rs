//! Every way to a server, against listeners that speak the proxy's side by the byte.

use super::*;
use crate::cluster::proxy::From;
use crate::cluster::server::Server;
use crate::cluster::tls;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};

/// Something that is listened to.
trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

/// A listener that hands each connection to `serve`, and what that noted.
fn listen(
    serve: impl Fn(std::net::TcpStream) -> Vec<u8> + Send + 'static,
) -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (note, notes) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if note.send(serve(stream)).is_err() {
                return;
            }
        }
    });
    (address, notes)
}

fn take<const N: usize>(wire: &mut dyn Wire) -> [u8; N] {
    let mut bytes = [0; N];
    wire.read_exact(&mut bytes).unwrap();
    bytes
}

/// An HTTP proxy's side: the head of the CONNECT is the note.
fn connect(wire: &mut dyn Wire, answer: &str) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(take::<1>(wire));
    }
    wire.write_all(answer.as_bytes()).unwrap();
    wire.flush().unwrap();
    head
}

const CONNECTED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";
/// The methods of SOCKS5.
const OPEN: u8 = 0;
const PASSWORD: u8 = 2;

/// A SOCKS5 proxy's side, RFC 1928 and 1929, that takes one method: the login and the name it is asked for are the note.
fn socks(wire: &mut dyn Wire, takes: u8, accepts: bool) -> Vec<u8> {
    let [5, count] = take(wire) else {
        panic!("not SOCKS5");
    };
    let offered: Vec<u8> = (0..count).flat_map(|_| take::<1>(wire)).collect();
    if !offered.contains(&takes) {
        let _ = wire.write_all(&[5, 0xff]);
        return b"refused".to_vec();
    }
    wire.write_all(&[5, takes]).unwrap();
    let mut note = Vec::new();
    if takes == PASSWORD {
        let [1, length] = take(wire) else {
            panic!("not RFC 1929");
        };
        note.extend((0..length).flat_map(|_| take::<1>(wire)));
        note.push(b':');
        let [length] = take(wire);
        note.extend((0..length).flat_map(|_| take::<1>(wire)));
        note.push(b' ');
        wire.write_all(&[1, u8::from(!accepts)]).unwrap();
        if !accepts {
            return note;
        }
    }
    let [5, 1, 0, 3, length] = take(wire) else {
        panic!("not a CONNECT to a name");
    };
    note.extend((0..length).flat_map(|_| take::<1>(wire)));
    let port = u16::from_be_bytes(take(wire));
    note.extend(format!(":{port}").bytes());
    wire.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
    note
}

/// A certificate for 127.0.0.1 with its key, and a connector that trusts it.
fn trusted() -> (Arc<rustls::ServerConfig>, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let der = made.cert.der().clone();
    let key = made.signing_key.serialize_der().try_into().unwrap();
    let server = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![der.clone()], key)
        .unwrap();
    let mut config = kube::Config::new("https://127.0.0.1".parse().unwrap());
    config.root_cert = Some(vec![der.to_vec()]);
    let tls = tls::client_config(&config, None).unwrap();
    (Arc::new(server), TlsConnector::new(tls, None).unwrap())
}

fn proxy(url: &str) -> Proxy {
    proxy::choose(&"https://server.corp".parse().unwrap(), Some(url))
        .unwrap()
        .unwrap()
}

async fn through(url: &str, server: &str) -> Result<Stream, String> {
    let (_, tls) = trusted();
    let connector = Connector::new(Some(proxy(url)), tls);
    let stream = connector.oneshot(server.parse().unwrap()).await;
    stream.map_err(|e| e.to_string())
}

fn nodelay(stream: &Stream) -> bool {
    let tcp = match stream {
        MaybeHttpsStream::Http(tcp) => tcp,
        MaybeHttpsStream::Https(tls) => tls.inner().get_ref().0.inner(),
    };
    tcp.inner().nodelay().unwrap()
}

#[tokio::test]
async fn no_way_waits_for_an_acknowledgement() {
    let (server, tls) = trusted();
    let straight = Connector::new(None, tls.clone());
    let (address, _notes) = listen(|_| Vec::new());
    let stream = straight.oneshot(format!("http://{address}").parse().unwrap());
    assert!(nodelay(&stream.await.unwrap()), "straight");

    let (address, _notes) = listen(|mut s| connect(&mut s, CONNECTED));
    let stream = through(&format!("http://{address}"), "https://server.corp").await;
    assert!(nodelay(&stream.unwrap()), "http proxy");

    let (address, _notes) = listen(|mut s| socks(&mut s, OPEN, true));
    let stream = through(&format!("socks5://{address}"), "https://server.corp").await;
    assert!(nodelay(&stream.unwrap()), "socks5 proxy");

    let (address, notes) = listen(move |s| {
        let session = rustls::ServerConnection::new(Arc::clone(&server)).unwrap();
        connect(&mut rustls::StreamOwned::new(session, s), CONNECTED)
    });
    let connector = Connector::new(Some(proxy(&format!("https://u:p@{address}"))), tls);
    let stream = connector.oneshot("https://server.corp:6443".parse().unwrap());
    let stream = stream.await.unwrap();
    assert!(matches!(stream, MaybeHttpsStream::Https(_)));
    assert!(nodelay(&stream), "https proxy");
    let head = String::from_utf8(notes.recv().unwrap()).unwrap();
    assert!(head.starts_with("CONNECT server.corp:6443 "), "{head}");
    assert!(
        head.contains("Proxy-Authorization: Basic dTpw\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn an_http_proxy_gets_the_login_and_the_schemes_port() {
    let (address, notes) = listen(|mut s| connect(&mut s, CONNECTED));
    for (server, asked) in [
        ("https://server.corp", "CONNECT server.corp:443 "),
        ("http://server.corp", "CONNECT server.corp:80 "),
        ("https://[fd00::1]:6443", "CONNECT [fd00::1]:6443 "),
    ] {
        through(&format!("http://jane:p%40w@{address}"), server)
            .await
            .unwrap();
        let head = String::from_utf8(notes.recv().unwrap()).unwrap();
        assert!(head.starts_with(asked), "{head}");
        // jane:p@w
        assert!(
            head.contains("Proxy-Authorization: Basic amFuZTpwQHc=\r\n"),
            "{head}"
        );
    }
}

#[tokio::test]
async fn a_socks_proxy_gets_the_login_and_resolves_the_name() {
    for scheme in ["socks5", "socks5h"] {
        let (address, notes) = listen(|mut s| socks(&mut s, PASSWORD, true));
        let url = format!("{scheme}://oncall:s%3Acret@{address}");
        through(&url, "https://kube.corp:28443").await.unwrap();
        assert_eq!(notes.recv().unwrap(), b"oncall:s:cret kube.corp:28443");
    }
}

/// Go offers both methods, so a proxy that wants no login accepts it too.
#[tokio::test]
async fn a_socks_proxy_that_takes_no_login_is_asked_without_one() {
    let (address, notes) = listen(|mut s| socks(&mut s, OPEN, true));
    let url = format!("socks5://oncall:secret@{address}");
    through(&url, "https://kube.corp").await.unwrap();
    assert_eq!(notes.recv().unwrap(), b"refused");
    assert_eq!(notes.recv().unwrap(), b"kube.corp:443");
}

#[cfg(unix)]
#[tokio::test]
async fn a_proxy_that_fails_says_why() {
    let http = |answer: &'static str| listen(move |mut s| connect(&mut s, answer));
    let refused = "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
    let (asks, _asking) = http(refused);
    let (closed, _closing) = http("");
    let (forbids, _forbidding) = http("HTTP/1.1 403 Forbidden\r\n\r\n");
    let (password, _refusing) = listen(|mut s| socks(&mut s, PASSWORD, false));
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (plain, _talking) = listen(|mut s| {
        let _ = s.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        Vec::new()
    });
    for (url, why) in [
        (
            format!("http://{asks}"),
            "the proxy asks for a user and password",
        ),
        (
            format!("http://u:secret@{asks}"),
            "the proxy does not accept the user and password",
        ),
        (
            format!("http://{forbids}"),
            "the proxy refused to connect to the server",
        ),
        (
            format!("http://{closed}"),
            "the proxy closed the connection",
        ),
        (
            format!("socks5://{password}"),
            "the proxy asks for a user and password",
        ),
        (
            format!("socks5://u:secret@{password}"),
            "the proxy does not accept the user and password",
        ),
        (
            format!("http://u:secret@{nobody}"),
            "the proxy cannot be reached: connection refused",
        ),
        (
            format!("socks5://u:secret@{nobody}"),
            "the proxy cannot be reached: connection refused",
        ),
        (
            format!("https://{plain}"),
            "the proxy cannot be reached: the server does not speak TLS on this port",
        ),
    ] {
        assert_eq!(
            through(&url, "https://server.corp").await.unwrap_err(),
            why,
            "{url}"
        );
    }
}

#[test]
fn a_server_behind_a_proxy_names_it_without_the_login() {
    let server = Server::new("https://server.corp:6443/");
    let proxy = proxy("http://u:secret@p:3128");
    assert_eq!(proxy.from, From::Kubeconfig);
    assert_eq!(
        server.through(Some(&proxy)).to_string(),
        "server.corp:6443 through the proxy http://p:3128"
    );
}
