//! Proxies: one that is named is used, and one that Go's clients leave out is not.

use crate::run::skvs;
use crate::server::{Listener, nobody};
use insta::assert_snapshot;

const EMPTY_LIST: &str = r#"{"kind": "HelmReleaseList", "apiVersion": "helm.toolkit.fluxcd.io/v2", "metadata": {}, "items": []}"#;

/// A server that only the proxy can find.
const FAR: &str = "http://kube.corp.invalid:6443";

#[test]
fn a_proxy_of_the_environment_is_used() {
    let server = Listener::answering(200, EMPTY_LIST);
    let proxy = Listener::proxy(&server);
    let told = skvs(&["list"])
        .server(FAR)
        .env("HTTP_PROXY", &proxy.http().replace("://", "://jane:pa55@"))
        .run();
    assert_eq!(told.code, Some(0), "{told}");
    let asked = proxy.heads();
    assert!(!asked.is_empty(), "the proxy was not asked");
    for head in &asked {
        assert!(
            head.starts_with("CONNECT kube.corp.invalid:6443 "),
            "{head}"
        );
        // jane:pa55
        assert!(
            head.contains("Proxy-Authorization: Basic amFuZTpwYTU1"),
            "{head}"
        );
    }
    assert_eq!(asked.len(), server.requests().len());
}

#[test]
fn no_proxy_is_honoured() {
    let proxy = Listener::proxy(&Listener::silent());
    let told = skvs(&["list"])
        .server(FAR)
        .env("HTTP_PROXY", &proxy.http())
        .env("NO_PROXY", "10.0.0.0/8,.corp.invalid,")
        .run();
    // Nobody knows the name.
    assert_eq!(told.code, Some(1), "{told}");
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn a_server_on_this_machine_is_asked_straight() {
    let server = Listener::answering(200, EMPTY_LIST);
    let nobody = nobody().replace("https:", "http:");
    for url in [
        server.http(),
        server.http().replace("127.0.0.1", "localhost"),
    ] {
        let told = skvs(&["list"])
            .server(&url)
            .env("HTTP_PROXY", &nobody)
            .env("HTTPS_PROXY", &nobody)
            .run();
        assert_eq!(told.code, Some(0), "{told}");
    }
}

#[test]
fn a_socks_proxy_gets_the_login_of_the_kubeconfig() {
    let server = Listener::answering(200, EMPTY_LIST);
    for scheme in ["socks5", "socks5h"] {
        let proxy = Listener::socks(&server);
        let url = proxy
            .http()
            .replace("http://", &format!("{scheme}://oncall:s3cret@"));
        let told = skvs(&["list", "-v", "6"])
            .cluster(FAR, &format!("proxy-url: '{url}'"))
            .run();
        assert_eq!(told.code, Some(0), "{told}");
        assert!(!told.to_string().contains("s3cret"), "{told}");
        let asked = proxy.requests();
        assert!(!asked.is_empty());
        assert!(
            asked.iter().all(|r| r == "oncall:s3cret kube.corp.invalid"),
            "{asked:?}"
        );
    }
}

#[test]
fn a_proxy_that_is_down_is_told() {
    let nobody = nobody();
    let proxy = |scheme: &str| nobody.replace("https://", &format!("{scheme}://jane:s3cret@"));
    let told = skvs(&["list"])
        .server(FAR)
        .named(nobody.trim_start_matches("https://"), "PROXY")
        .env("HTTP_PROXY", &proxy("http"));
    assert_snapshot!(told.run(), @r"
    exit 1
    stderr:
    Unable to connect to the server: SERVER through the proxy http://PROXY: the proxy cannot be reached: connection refused
    hint: check HTTP_PROXY, or list the server in NO_PROXY to connect without a proxy
    ");
    let told = skvs(&["list"])
        .named(nobody.trim_start_matches("https://"), "PROXY")
        .cluster(FAR, &format!("proxy-url: '{}'", proxy("socks5")));
    assert_snapshot!(told.run(), @r"
    exit 1
    stderr:
    Unable to connect to the server: SERVER through the proxy socks5://PROXY: the proxy cannot be reached: connection refused
    hint: check proxy-url of the cluster in the kubeconfig
    ");
}

#[test]
fn an_error_behind_a_proxy_names_it() {
    let proxy = Listener::proxy(&Listener::silent());
    let told = skvs(&["list", "--request-timeout=1s"])
        .named(proxy.http().trim_start_matches("http://"), "PROXY")
        .server(FAR)
        .env("HTTP_PROXY", &proxy.http());
    assert_snapshot!(told.run(), @r"
    exit 1
    stderr:
    Unable to connect to the server: SERVER through the proxy http://PROXY: no answer within 1s
    hint: check HTTP_PROXY, or list the server in NO_PROXY to connect without a proxy
    hint: a longer wait: --request-timeout=2m
    ");
    let refused = Listener::with_headers(403, "", b"no");
    let told = skvs(&["list"])
        .named(refused.http().trim_start_matches("http://"), "PROXY")
        .server(FAR)
        .env("HTTP_PROXY", &refused.http());
    assert_snapshot!(told.run(), @r"
    exit 1
    stderr:
    Unable to connect to the server: SERVER through the proxy http://PROXY: the proxy refused to connect to the server
    hint: check HTTP_PROXY, or list the server in NO_PROXY to connect without a proxy
    ");
}
