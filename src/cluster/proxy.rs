//! Which proxy, if any, stands between us and the API server.
//!
//! The rules are those of Go's `golang.org/x/net/http/httpproxy`, so that we go where kubectl goes; its own tests are the table below.
//! (hyper-util's matcher follows curl: it lets `.example.com` match `example.com`, knows no ports and no loopback.) Owns that choice
//! alone.

use super::login::{Login, split_login};
use crate::error::{Error, Result};
use http::Uri;
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;

/// A proxy on the way to the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proxy {
    /// Scheme, host and port, and nothing else.
    pub(super) url: Uri,
    pub(super) kind: Kind,
    pub(super) login: Option<Login>,
    pub(super) from: From,
}

/// What is spoken with the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Http,
    Https,
    /// The proxy resolves the server's name, whether the URL says `socks5` or `socks5h`: Go makes no difference either.
    Socks5,
}

/// Where the proxy is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    Kubeconfig,
    /// The variable, in capitals.
    Variable(&'static str),
}

impl From {
    /// What to look at when the proxy does not work.
    pub(super) fn hint(self) -> String {
        match self {
            Self::Kubeconfig => "check proxy-url of the cluster in the kubeconfig".to_owned(),
            Self::Variable(name) => {
                format!("check {name}, or list the server in NO_PROXY to connect without a proxy")
            }
        }
    }
}

impl fmt::Display for Proxy {
    /// Without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.to_string().trim_end_matches('/'))
    }
}

/// Returns the proxy to `server`: `named`, the kubeconfig's `proxy-url`, wins; else `HTTPS_PROXY` or `HTTP_PROXY` by the server's
/// scheme, unless the server is on this machine or in `NO_PROXY`.
///
/// # Errors
/// A proxy that is not a URL or of a kind that cannot be spoken.
pub(super) fn choose(server: &Uri, named: Option<&str>) -> Result<Option<Proxy>> {
    choose_from(server, named, |name| std::env::var(name).ok())
}

fn choose_from(
    server: &Uri,
    named: Option<&str>,
    env: impl Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>> {
    if let Some(named) = named.filter(|n| !n.is_empty()) {
        return parse(named, From::Kubeconfig).map(Some);
    }
    let get = |upper: &str| {
        let both = [upper.to_owned(), upper.to_ascii_lowercase()];
        both.iter().filter_map(|n| env(n)).find(|v| !v.is_empty())
    };
    let variable = match server.scheme_str() {
        Some("http") => "HTTP_PROXY",
        _ => "HTTPS_PROXY",
    };
    let Some(text) = get(variable) else {
        return Ok(None);
    };
    if variable == "HTTP_PROXY" && get("REQUEST_METHOD").is_some() {
        // In a CGI program a request's header can set it.
        return Err(Error::new(
            "refusing to use HTTP_PROXY value in CGI environment; see golang.org/s/cgihttpproxy",
        ));
    }
    if is_direct(server, &get("NO_PROXY").unwrap_or_default()) {
        return Ok(None);
    }
    parse(&text, From::Variable(variable)).map(Some)
}

fn parse(text: &str, from: From) -> Result<Proxy> {
    let named = match from {
        From::Kubeconfig => "proxy-url in the kubeconfig",
        From::Variable(name) => name,
    };
    let text = text.trim();
    let full = match text.contains("://") {
        true => text.to_owned(),
        false => format!("http://{text}"),
    };
    let url: Option<Uri> = full.parse().ok();
    let Some(url) = url.filter(|u| u.host().is_some_and(|h| !h.is_empty())) else {
        return Err(Error::new(format!("{named} is not a URL")));
    };
    let (url, login) = split_login(url);
    let (kind, port) = match url.scheme_str() {
        Some("http") => (Kind::Http, 80),
        Some("https") => (Kind::Https, 443),
        Some("socks5" | "socks5h") => (Kind::Socks5, 1080),
        other => {
            let other = other.unwrap_or_default();
            return Err(
                Error::new(format!("{named}: a proxy of kind {other:?} cannot be used"))
                    .hint("use a URL that starts with http://, https://, socks5:// or socks5h://"),
            );
        }
    };
    let url = format!(
        "{}://{}:{}",
        url.scheme_str().unwrap_or_default(),
        url.host().unwrap_or_default(),
        url.port_u16().unwrap_or(port)
    );
    let url = url
        .parse()
        .map_err(|_| Error::new(format!("{named} is not a URL")))?;
    Ok(Proxy {
        url,
        kind,
        login,
        from,
    })
}

/// The host as Go's `URL.Hostname` gives it, and the port.
fn host_and_port(server: &Uri) -> (&str, u16) {
    let host = server.host().unwrap_or_default();
    let host = host
        .strip_prefix('[')
        .and_then(|h| h.strip_suffix(']'))
        .unwrap_or(host);
    (host, port(server))
}

/// The server's port, or its scheme's.
pub(super) fn port(server: &Uri) -> u16 {
    let default = match server.scheme_str() {
        Some("http") => 80,
        _ => 443,
    };
    server.port_u16().unwrap_or(default)
}

/// Whether `server` is on this machine or `NO_PROXY` names it: Go's `useProxy`, turned round.
fn is_direct(server: &Uri, no_proxy: &str) -> bool {
    let (host, port) = host_and_port(server);
    let address = host.parse().ok().map(|a: IpAddr| a.to_canonical());
    if host == "localhost" || address.is_some_and(|a| a.is_loopback()) {
        return true;
    }
    let host = host.trim().to_ascii_lowercase();
    no_proxy
        .split(',')
        .map(|entry| entry.trim().to_lowercase())
        .any(|entry| entry == "*" || matches(&entry, &host, address, port))
}

/// Whether one entry of `NO_PROXY` names the host: a CIDR block, an address, a domain; the latter two with an optional port.
fn matches(entry: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    if let Ok(block) = entry.parse::<IpNet>() {
        return address.is_some_and(|a| block.contains(&a));
    }
    // As Go's SplitHostPort: of several colons those in brackets do not separate.
    let (name, wanted) = match entry.rsplit_once(':') {
        Some((name, port)) if name.starts_with('[') && name.ends_with(']') => {
            (&name[1..name.len() - 1], port)
        }
        Some((name, port)) if !name.contains(':') => (name, port),
        _ => (entry, ""),
    };
    if name.is_empty() || !(wanted.is_empty() || wanted == port.to_string()) {
        return false;
    }
    match (name.parse::<IpAddr>(), address) {
        (Ok(named), address) => address == Some(named.to_canonical()),
        (Err(_), Some(_)) => false,
        (Err(_), None) => {
            let name = match name.strip_prefix('*') {
                Some(below) if below.starts_with('.') => below,
                _ => name,
            };
            if name.starts_with('.') {
                return host.ends_with(name);
            }
            let above = host.strip_suffix(name);
            above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
        }
    }
}

#[cfg(test)]
mod tests;
