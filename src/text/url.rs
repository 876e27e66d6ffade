//! URLs that may hold a user and a password.

/// Returns the URL without `user:password@`, all else as it is.
pub fn without_login(url: &str) -> String {
    let (before, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{before}{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_login_goes_and_the_rest_stays() {
        for (url, shown) in [
            ("https://u:p@h:6443/k8s/c@1", "https://h:6443/k8s/c@1"),
            ("https://u@h", "https://h"),
            ("https://u:p@w@h/", "https://h/"),
            ("u:p@h:1", "h:1"),
            ("https://[::1]:6443/", "https://[::1]:6443/"),
            ("https://h?a=b@c", "https://h?a=b@c"),
        ] {
            assert_eq!(without_login(url), shown);
        }
    }

    proptest! {
        #[test]
        fn no_password_is_left(password in "[a-z0-9:@%.]{1,12}", host in "[a-z]{1,8}", path in "(/[a-z@]{0,4})?") {
            let url = format!("https://jane:{password}@{host}{path}");
            prop_assert_eq!(without_login(&url), format!("https://{host}{path}"));
        }
    }
}
