//! The API server's address, as it may be shown, logged and recorded.
//!
//! A server's URL can hold `user:password@`. [`Server`] cannot: every error, log line and bundle takes the URL from one. An error
//! names the proxy on the way too.

use super::proxy::Proxy;
use crate::text::without_login;
use http::Uri;
use http::uri::{Authority, PathAndQuery};
use percent_encoding::percent_decode_str;
use std::fmt;
use std::sync::Arc;

/// The API server's URL without user and password, the proxy that leads to it, and whether credentials are withheld from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    url: Arc<str>,
    proxy: Option<Arc<Proxy>>,
    withheld: bool,
}

impl Server {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: without_login(url).into(),
            proxy: None,
            withheld: false,
        }
    }

    /// The same, behind a proxy.
    pub(super) fn through(self, proxy: Option<&Proxy>) -> Self {
        let proxy = proxy.cloned().map(Arc::new);
        Self { proxy, ..self }
    }

    /// The same, with whether the user's credentials are not sent to it.
    pub(super) fn withholding(self, withheld: bool) -> Self {
        Self { withheld, ..self }
    }

    /// Whether the user has credentials that are not sent: the server is not asked over TLS.
    pub(super) fn is_without_credentials(&self) -> bool {
        self.withheld
    }

    pub(super) fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_deref()
    }

    /// `https://10.0.0.1:6443/`
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// `https://10.0.0.1:6443/` as `10.0.0.1:6443`, as kubectl prints it.
    pub(super) fn host(&self) -> &str {
        let rest = self.url.split_once("://").map_or(&*self.url, |(_, r)| r);
        rest.trim_end_matches('/')
    }
}

impl fmt::Display for Server {
    /// For an error: `10.0.0.1:6443`, or `10.0.0.1:6443 through the proxy http://proxy:3128`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.host())?;
        match &self.proxy {
            Some(proxy) => write!(f, " through the proxy {proxy}"),
            None => Ok(()),
        }
    }
}

/// A user and password that a URL holds, decoded.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

impl fmt::Debug for Login {
    /// Neither of them: the password may stand where the user should.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

/// Splits a URL into itself without a login, and the login.
pub(super) fn split_login(url: Uri) -> (Uri, Option<Login>) {
    let authority = url.authority().map(Authority::as_str);
    let Some((login, host)) = authority.and_then(|a| a.rsplit_once('@')) else {
        return (url, None);
    };
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let login = Login {
        user: decoded(user),
        password: decoded(password),
    };
    let mut parts = http::uri::Parts::default();
    parts.scheme = url.scheme().cloned();
    parts.authority = host.parse().ok();
    parts.path_and_query = url
        .path_and_query()
        .cloned()
        .or(Some(PathAndQuery::from_static("/")));
    // What follows the `@` of a valid authority is a valid one.
    (Uri::from_parts(parts).unwrap_or_default(), Some(login))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_no_login() {
        let server = Server::new("https://jane:p%40w@10.0.0.1:6443/k8s/");
        assert_eq!(server.url(), "https://10.0.0.1:6443/k8s/");
        assert_eq!(server.to_string(), "10.0.0.1:6443/k8s");
        assert!(!format!("{server:?}").contains("jane"));
    }

    #[test]
    fn a_login_is_split_off_and_decoded() {
        let split = |url: &str| split_login(url.parse().unwrap());
        let (url, login) = split("https://jane:p%40w@h:1/k8s?x=1");
        assert_eq!(url, "https://h:1/k8s?x=1");
        let login = login.unwrap();
        assert_eq!((&*login.user, &*login.password), ("jane", "p@w"));
        assert_eq!(format!("{login:?}"), "Login");
        assert_eq!(
            split("https://h:1/a@b"),
            ("https://h:1/a@b".parse().unwrap(), None)
        );
        let (url, login) = split("socks5://jane@[::1]:1080");
        assert_eq!(url, "socks5://[::1]:1080");
        assert_eq!(login.unwrap().password, "");
    }
}
