//! Which proxy, if any, stands between us and the API server.
//!
//! kube reads the proxy variables too but matches `NO_PROXY` against the proxy's own host; here it is matched against the
//! server's host, as Go's clients do. Owns that choice alone.

use crate::error::{Error, Result};
use http::Uri;
use kube::Config;
use std::net::IpAddr;

/// Settles `config.proxy_url`: `named`, the kubeconfig's `proxy-url`, wins; else `HTTPS_PROXY`/`HTTP_PROXY`/`ALL_PROXY` by the server's
/// scheme, unless `NO_PROXY` names the server.
///
/// # Errors
/// A proxy that is no URL or of a kind that cannot be spoken.
pub(super) fn choose(config: &mut Config, named: Option<&str>) -> Result<()> {
    choose_from(config, named, |name| std::env::var(name).ok())
}

fn choose_from(
    config: &mut Config,
    named: Option<&str>,
    env: impl Fn(&str) -> Option<String>,
) -> Result<()> {
    let get = |upper: &str| {
        env(upper)
            .or_else(|| env(&upper.to_ascii_lowercase()))
            .filter(|v| !v.is_empty())
    };
    let from_env = match config.cluster_url.scheme_str() {
        Some("http") => get("HTTP_PROXY"),
        _ => get("HTTPS_PROXY"),
    }
    .or_else(|| get("ALL_PROXY"));
    config.proxy_url = match (named.filter(|n| !n.is_empty()), from_env) {
        (Some(named), _) => Some(parse(named)?),
        (None, Some(text))
            if !bypassed(&config.cluster_url, &get("NO_PROXY").unwrap_or_default()) =>
        {
            Some(parse(&text)?)
        }
        _ => None,
    };
    match config.proxy_url.as_ref().and_then(Uri::scheme_str) {
        None | Some("http" | "https" | "socks5") => Ok(()),
        Some(other) => Err(
            Error::new(format!("a proxy of kind {other:?} cannot be used"))
                .hint("use a proxy URL that starts with http://, https:// or socks5://"),
        ),
    }
}

fn parse(text: &str) -> Result<Uri> {
    let full = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    full.parse().map_err(|_| {
        Error::new("the proxy is not a URL")
            .hint("check proxy-url in the kubeconfig, and HTTPS_PROXY")
    })
}

/// Whether `NO_PROXY` names `server`'s host: `*`, a host, a domain with all below it, an address, a CIDR block; each with an
/// optional port.
fn bypassed(server: &Uri, no_proxy: &str) -> bool {
    let Some(host) = server
        .host()
        .map(|h| h.trim_matches(['[', ']']).to_ascii_lowercase())
    else {
        return false;
    };
    let port = server
        .port_u16()
        .unwrap_or(if server.scheme_str() == Some("http") {
            80
        } else {
            443
        });
    let address: Option<IpAddr> = host.parse().ok();
    no_proxy
        .split(',')
        .map(|e| e.trim().to_ascii_lowercase())
        .filter(|e| !e.is_empty())
        .any(|entry| {
            if entry == "*" {
                return true;
            }
            if let (Some(address), Some((net, bits))) = (address, entry.split_once('/')) {
                return in_block(address, net, bits);
            }
            let (name, wanted) = match entry.rsplit_once(':') {
                Some((name, p)) if !name.contains(':') || name.ends_with(']') => {
                    (name, p.parse::<u16>().ok())
                }
                _ => (entry.as_str(), None),
            };
            if wanted.is_some_and(|w| w != port) {
                return false;
            }
            let name = name.trim_matches(['[', ']']);
            if address.is_some() {
                return name.parse::<IpAddr>().ok() == address;
            }
            let domain = name.trim_start_matches('*').trim_start_matches('.');
            let below = host
                .strip_suffix(domain)
                .is_some_and(|head| head.ends_with('.'));
            below || (!name.starts_with(['.', '*']) && host == domain)
        })
}

fn in_block(address: IpAddr, net: &str, bits: &str) -> bool {
    let (Ok(net), Ok(bits)) = (net.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    match (address, net) {
        (IpAddr::V4(a), IpAddr::V4(n)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            u32::from(a) & mask == u32::from(n) & mask
        }
        (IpAddr::V6(a), IpAddr::V6(n)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            u128::from(a) & mask == u128::from(n) & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chosen(server: &str, env: &[(&str, &str)]) -> Option<String> {
        let mut config = Config::new(server.parse().unwrap());
        choose_from(&mut config, None, |n| {
            env.iter()
                .find(|(k, _)| *k == n)
                .map(|(_, v)| (*v).to_owned())
        })
        .unwrap();
        config.proxy_url.map(|u| u.to_string())
    }

    #[test]
    fn no_proxy_is_matched_against_the_server() {
        let proxy = ("HTTPS_PROXY", "http://proxy.corp:3128");
        assert_eq!(
            chosen("https://10.20.0.1:6443", &[proxy]).as_deref(),
            Some("http://proxy.corp:3128/")
        );
        for no in [
            "*",
            "10.20.0.1",
            "10.20.0.0/16",
            "10.20.0.1:6443",
            "x, 10.20.0.1",
        ] {
            assert_eq!(
                chosen("https://10.20.0.1:6443", &[proxy, ("NO_PROXY", no)]),
                None,
                "{no}"
            );
        }
        for no in ["10.20.0.1:443", "10.21.0.0/16", "proxy.corp", ""] {
            assert!(
                chosen("https://10.20.0.1:6443", &[proxy, ("NO_PROXY", no)]).is_some(),
                "{no}"
            );
        }
        for (no, bypass) in [
            ("corp", true),
            (".corp", true),
            ("api.corp", true),
            ("pi.corp", false),
            (".api.corp", false),
        ] {
            assert_eq!(
                chosen("https://api.corp", &[proxy, ("no_proxy", no)]).is_none(),
                bypass,
                "{no}"
            );
        }
        assert_eq!(
            chosen("https://[::1]:6443", &[proxy, ("NO_PROXY", "::1")]),
            None
        );
    }

    #[test]
    fn a_proxy_of_the_kubeconfig_is_kept() {
        let mut config = Config::new("https://a.corp".parse().unwrap());
        choose_from(&mut config, Some("socks5://p:1080"), |n| {
            (n == "NO_PROXY").then(|| "*".to_owned())
        })
        .unwrap();
        assert_eq!(config.proxy_url.unwrap().to_string(), "socks5://p:1080/");
    }

    #[test]
    fn a_proxy_that_cannot_be_spoken_is_named() {
        let mut config = Config::new("https://a.corp".parse().unwrap());
        let error = choose_from(&mut config, Some("socks4://p:1"), |_| None).unwrap_err();
        assert!(error.message().contains("socks4"), "{error}");
    }

    proptest! {
        #[test]
        fn no_list_panics(list in ".{0,40}") {
            let _ = bypassed(&"https://10.0.0.1:6443".parse().unwrap(), &list);
            let _ = bypassed(&"https://api.corp".parse().unwrap(), &list);
        }
    }
}
