//! The user and password in a URL: the API server's or a proxy's.

use http::Uri;
use http::uri::{Authority, PathAndQuery};
use percent_encoding::percent_decode_str;
use std::fmt;

/// A user and password that a URL holds, decoded.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

impl fmt::Debug for Login {
    /// Shows neither: the password may be in the user's place.
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
