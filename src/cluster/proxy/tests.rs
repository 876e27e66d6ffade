//! The tables of Go's `httpproxy` (proxy_test.go of golang.org/x/net v0.38.0), and what we have beside it.

use super::*;
use proptest::prelude::*;

/// What is chosen for a server in this environment.
fn chosen(server: &str, env: &[(&str, &str)]) -> Result<Option<Proxy>> {
    choose_from(&server.parse().unwrap(), None, |name| {
        let found = env.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn shown(server: &str, env: &[(&str, &str)]) -> String {
    match chosen(server, env) {
        Ok(Some(proxy)) => proxy.to_string(),
        Ok(None) => "<nil>".to_owned(),
        Err(error) => error.message().to_owned(),
    }
}

/// `proxyForURLTests`, but for names that are not ASCII, which a server's URL cannot hold here. The port is always shown.
#[test]
fn gos_table_of_urls() {
    let http = |value| ("HTTP_PROXY", value);
    let https = |value| ("HTTPS_PROXY", value);
    let no = |value| ("NO_PROXY", value);
    let plain = "http://example.com";
    for (env, server, want) in [
        (vec![http("127.0.0.1:8080")], plain, "http://127.0.0.1:8080"),
        (
            vec![http("cache.corp.example.com:1234")],
            plain,
            "http://cache.corp.example.com:1234",
        ),
        (
            vec![http("cache.corp.example.com")],
            plain,
            "http://cache.corp.example.com:80",
        ),
        (vec![http("localhost")], plain, "http://localhost:80"),
        (
            vec![http("https://cache.corp.example.com")],
            plain,
            "https://cache.corp.example.com:443",
        ),
        (
            vec![http("http://127.0.0.1:8080")],
            plain,
            "http://127.0.0.1:8080",
        ),
        (
            vec![http("https://127.0.0.1:8080")],
            plain,
            "https://127.0.0.1:8080",
        ),
        (
            vec![http("socks5://127.0.0.1")],
            plain,
            "socks5://127.0.0.1:1080",
        ),
        // Go keeps an unknown scheme, and speaks HTTP then.
        (
            vec![http("foo://host")],
            plain,
            "HTTP_PROXY: a proxy of kind \"foo\" cannot be used",
        ),
        (
            vec![http("http.proxy.tld"), https("secure.proxy.tld")],
            "http://insecure.tld/",
            "http://http.proxy.tld:80",
        ),
        (
            vec![http("http.proxy.tld"), https("secure.proxy.tld")],
            "https://secure.tld/",
            "http://secure.proxy.tld:80",
        ),
        (
            vec![http("http.proxy.tld"), https("https://secure.proxy.tld")],
            "https://secure.tld/",
            "https://secure.proxy.tld:443",
        ),
        (vec![http("http.proxy.tld")], "https://secure.tld/", "<nil>"),
        (
            vec![http("http://10.1.2.3:8080"), ("REQUEST_METHOD", "GET")],
            plain,
            "refusing to use HTTP_PROXY value in CGI environment; see golang.org/s/cgihttpproxy",
        ),
        (
            vec![https("https://secure.proxy.tld"), ("REQUEST_METHOD", "GET")],
            "https://secure.tld/",
            "https://secure.proxy.tld:443",
        ),
        (vec![], plain, "<nil>"),
        (
            vec![no("example.com"), http("proxy")],
            "http://example.com/",
            "<nil>",
        ),
        (
            vec![no(".example.com"), http("proxy")],
            "http://example.com/",
            "http://proxy:80",
        ),
        (
            vec![no("ample.com"), http("proxy")],
            "http://example.com/",
            "http://proxy:80",
        ),
        (
            vec![no("example.com"), http("proxy")],
            "http://foo.example.com/",
            "<nil>",
        ),
        (
            vec![no(".foo.com"), http("proxy")],
            "http://example.com/",
            "http://proxy:80",
        ),
        // TestInvalidNoProxy
        (vec![no(":1"), http("proxy")], plain, "http://proxy:80"),
        // TestFromEnvironmentLowerCase
        (vec![("https_proxy", "p")], "https://a.tld", "http://p:80"),
        (
            vec![https(""), ("https_proxy", "p")],
            "https://a.tld",
            "http://p:80",
        ),
        (
            vec![https("p"), ("no_proxy", "a.tld")],
            "https://a.tld",
            "<nil>",
        ),
        // Go does not read it.
        (
            vec![("ALL_PROXY", "p"), ("all_proxy", "p")],
            "https://a.tld",
            "<nil>",
        ),
        (
            vec![https("socks5h://p")],
            "https://a.tld",
            "socks5h://p:1080",
        ),
    ] {
        assert_eq!(shown(server, &env), want, "{env:?} {server}");
    }
}

/// `UseProxyTests`: false is "without a proxy".
const USE_PROXY: [(&str, bool); 30] = [
    ("localhost", false),
    ("127.0.0.1", false),
    ("127.0.0.2", false),
    ("[::1]", false),
    ("[::ffff:127.0.0.1]", false),
    ("[::2]", true),
    ("192.168.1.1", false),
    ("192.168.1.2", true),
    ("192.168.1.3", false),
    ("192.168.1.4", true),
    ("10.0.0.2", false),
    ("10.0.0.4", true),
    ("[2001:db8::52:0:1]", false),
    ("[2001:db8::52:0:2]", true),
    ("[2001:db8::52:0:3]", false),
    ("[2002:db8:a::123]", false),
    ("[fe80::424b:c8be:1643:a1b6]", true),
    ("barbaz.net", true),
    ("www.barbaz.net", false),
    ("foobar.com", false),
    ("www.foobar.com", false),
    ("WWW.FOOBAR.COM", false),
    ("foofoobar.com", true),
    ("baz.com", true),
    ("localhost.net", true),
    ("local.localhost", true),
    ("barbarbaz.net", true),
    ("wildcard.io", true),
    ("nested.wildcard.io", false),
    ("awildcard.io", true),
];

const NO_PROXY: &str = "foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, 10.0.0.0/30, 2001:db8::52:0:1, [2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, 2002:db8:a::45/64";

#[test]
fn gos_table_of_hosts() {
    for (host, proxied) in USE_PROXY {
        let server: Uri = format!("http://{host}:80").parse().unwrap();
        assert_eq!(is_direct(&server, NO_PROXY), !proxied, "{host}");
        assert!(is_direct(&server, "*"), "{host}");
        assert!(is_direct(&server, "x, * ,y"), "{host}");
    }
}

#[test]
fn a_port_that_is_not_written_is_the_schemes() {
    let direct = |server: &str, no: &str| is_direct(&server.parse().unwrap(), no);
    assert!(direct("https://a.corp", "a.corp:443"));
    assert!(!direct("https://a.corp", "a.corp:80"));
    assert!(direct("http://a.corp", "a.corp:80"));
    assert!(!direct("https://10.0.0.1:6443", "10.0.0.1:443"));
}

#[test]
fn the_kubeconfigs_proxy_wins_over_the_environment_and_no_proxy() {
    let everything = |name: &str| (name == "NO_PROXY").then(|| "*".to_owned());
    for server in ["https://a.corp", "https://127.0.0.1:6443"] {
        let server = server.parse().unwrap();
        let proxy = choose_from(&server, Some("socks5h://oncall:s%40cret@p"), everything)
            .unwrap()
            .unwrap();
        assert_eq!(proxy.to_string(), "socks5h://p:1080");
        assert_eq!(proxy.kind, Kind::Socks5);
        assert_eq!(proxy.login.unwrap().password, "s@cret");
    }
}

#[test]
fn a_proxy_that_cannot_be_spoken_is_named_without_its_login() {
    let server = "https://a.corp".parse().unwrap();
    for (url, said) in [
        (
            "socks4://u:sesame@p:1",
            "a proxy of kind \"socks4\" cannot be used",
        ),
        ("http://u:ses ame@p", "is not a URL"),
        ("http://", "is not a URL"),
        ("http://u:sesame@", "is not a URL"),
    ] {
        let error = choose_from(&server, Some(url), |_| None).unwrap_err();
        assert!(error.message().contains(said), "{url}: {error}");
        assert!(!error.message().contains("ame"), "{error}");
    }
}

proptest! {
    #[test]
    fn no_list_panics(list in ".{0,40}", entry in "[\\[\\]:.*/0-9a]{0,12}") {
        for server in ["https://10.0.0.1:6443", "https://api.corp", "https://[fe80::1]"] {
            let _ = is_direct(&server.parse().unwrap(), &list);
            let _ = is_direct(&server.parse().unwrap(), &entry);
        }
    }
}
