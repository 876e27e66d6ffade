//! The API server's address, as it may be shown, logged and recorded.
//!
//! A server's URL can hold `user:password@`. [`Server`] cannot: every error, log line and bundle takes the URL from one. An error
//! names the proxy on the way too.

use super::proxy::Proxy;
use crate::text::without_login;
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
}
