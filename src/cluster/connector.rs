//! The TCP connection to the API server, straight or through a proxy.
//!
//! Owns the socket's options and the words of a proxy that fails. TLS with the server comes on top of it.

use super::cause::root_words;
use super::login::Login;
use super::proxy::{self, Kind, Proxy};
use super::tls::TlsConnector;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderValue, Uri};
use hyper_rustls::MaybeHttpsStream;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use std::future::{Ready, ready};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::net::TcpStream;
use tower::{BoxError, Service, ServiceExt};

/// What the connection runs over: TLS only with an `https://` proxy.
pub(super) type Stream = MaybeHttpsStream<Tcp>;
type Tcp = TokioIo<TcpStream>;

/// The proxy did not make the connection: a clause that says why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ProxyFailure(String);

/// Connects to the API server.
#[derive(Clone)]
pub(super) struct Connector {
    http: HttpConnector,
    proxy: Option<Arc<Proxy>>,
    tls: TlsConnector,
}

impl Connector {
    /// `tls` is for the proxy: as in Go it checks the proxy's certificate as it does the server's.
    pub(super) fn new(proxy: Option<Proxy>, tls: TlsConnector) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        // Else a request waits for the acknowledgement of what was sent before it, 40 ms on Linux. Go's connections have it on.
        http.set_nodelay(true);
        Self {
            http,
            proxy: proxy.map(Arc::new),
            tls,
        }
    }

    async fn connect(self, server: Uri) -> Result<Stream, BoxError> {
        let Some(proxy) = self.proxy.clone() else {
            return Ok(MaybeHttpsStream::Http(self.http.oneshot(server).await?));
        };
        // The tunnels take 443 for a port that is not written.
        let host = server.host().unwrap_or_default();
        let server: Uri = format!("https://{host}:{}", proxy::port(&server)).parse()?;
        let stream = match proxy.kind {
            Kind::Http | Kind::Https => self.tunnel(&proxy, server).await,
            Kind::Socks5 => self.socks(&proxy, server).await,
        };
        stream.map_err(|why| ProxyFailure(format!("the proxy {why}")).into())
    }

    async fn tunnel(&self, proxy: &Proxy, server: Uri) -> Result<Stream, String> {
        let stream = self.reach(proxy).await?;
        let mut tunnel = Tunnel::new(proxy.url.clone(), Once(Some(stream)));
        if let Some(header) = proxy.login.as_ref().and_then(basic) {
            tunnel = tunnel.with_auth(header);
        }
        let tunnel = tunnel.call(server).await;
        tunnel.map_err(|e| said(&e, proxy.login.as_ref()))
    }

    async fn socks(&self, proxy: &Proxy, server: Uri) -> Result<Stream, String> {
        let ask = async |login: Option<&Login>| {
            let stream = self.reach(proxy).await?;
            let mut socks = SocksV5::new(proxy.url.clone(), Once(Some(stream)));
            if let Some(Login { user, password }) = login {
                socks = socks.with_auth(user.clone(), password.clone());
            }
            let socks = socks.call(server.clone()).await;
            socks.map_err(|e| said(&e, login))
        };
        match ask(proxy.login.as_ref()).await {
            // Go offers both methods at once; the library offers one.
            Err(why) if why == NO_PASSWORD => ask(None).await,
            answer => answer,
        }
    }

    /// The connection to the proxy itself.
    async fn reach(&self, proxy: &Proxy) -> Result<Stream, String> {
        let unreachable =
            |e: &(dyn std::error::Error + 'static)| format!("cannot be reached: {}", root_words(e));
        let tcp = self.http.clone().oneshot(proxy.url.clone()).await;
        let tcp = tcp.map_err(|e| unreachable(&e))?;
        if proxy.kind != Kind::Https {
            return Ok(MaybeHttpsStream::Http(tcp));
        }
        let mut tls = self.tls.over(Once(Some(tcp)));
        let stream = tls.call(proxy.url.clone()).await;
        stream.map_err(|e| unreachable(&*e))
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Stream, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.http.poll_ready(cx).map_err(BoxError::from)
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        self.clone().connect(server).boxed()
    }
}

/// A connection that is already there, as a connector.
struct Once<T>(Option<T>);

impl<T> Service<Uri> for Once<T> {
    type Response = T;
    type Error = io::Error;
    type Future = Ready<io::Result<T>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(
            self.0
                .take()
                .ok_or_else(|| io::ErrorKind::NotConnected.into()),
        )
    }
}

fn basic(login: &Login) -> Option<HeaderValue> {
    let both = format!("{}:{}", login.user, login.password);
    let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(both))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

const NO_PASSWORD: &str = "takes no user and password";

/// The library's words for a handshake, whose types it does not export, as a clause after "the proxy".
fn said(error: &dyn std::error::Error, login: Option<&Login>) -> String {
    let text = error.to_string();
    let text = text
        .strip_prefix("tunnel error: ")
        .or_else(|| text.strip_prefix("SOCKS error: "))
        .unwrap_or(&text);
    let words = match (text, login) {
        (
            "proxy authorization required" | "server does not support user/pass authentication",
            None,
        ) => "asks for a user and password",
        ("proxy authorization required" | "credentials not accepted", _) => {
            "does not accept the user and password"
        }
        ("server does not support user/pass authentication", Some(_)) => NO_PASSWORD,
        ("unsuccessful", _) => "refused to connect to the server",
        ("unexpected end of file" | "io error during SOCKS handshake", _) => {
            "closed the connection"
        }
        (other, _) => return format!("failed: {other}"),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests;
