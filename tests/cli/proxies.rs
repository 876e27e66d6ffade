//! Proxies: one that is named is used, one that NO_PROXY excludes is not.

use crate::run::skvs;
use crate::server::Listener;

const EMPTY_LIST: &str = r#"{"kind": "HelmReleaseList", "apiVersion": "helm.toolkit.fluxcd.io/v2", "metadata": {}, "items": []}"#;

#[test]
fn a_proxy_of_the_environment_is_used() {
    let (server, proxy) = (Listener::answering(200, EMPTY_LIST), Listener::proxy());
    let told = skvs(&["list"])
        .server(&server.http())
        .env("HTTP_PROXY", &proxy.http())
        .run();
    assert_eq!(told.code, Some(0), "{told}");
    let asked = proxy.requests();
    let target = server.http().replace("http://", "CONNECT ");
    assert!(!asked.is_empty(), "the proxy was not asked");
    assert!(asked.iter().all(|r| r.starts_with(&target)), "{asked:?}");
    assert_eq!(asked.len(), server.requests().len());
}

#[test]
fn no_proxy_is_honoured() {
    let (server, proxy) = (Listener::answering(200, EMPTY_LIST), Listener::proxy());
    let told = skvs(&["list"])
        .server(&server.http())
        .env("HTTP_PROXY", &proxy.http())
        .env("NO_PROXY", "127.0.0.0/8,")
        .run();
    assert_eq!(told.code, Some(0), "{told}");
    assert_eq!(proxy.requests(), [""; 0]);
    assert!(!server.requests().is_empty());
}

#[test]
fn a_proxy_that_is_down_is_told() {
    let server = Listener::answering(200, EMPTY_LIST);
    let nobody = crate::server::nobody().replace("https:", "http:");
    let told = skvs(&["list"])
        .server(&server.http())
        .env("HTTP_PROXY", &nobody)
        .run();
    assert_eq!(told.code, Some(1), "{told}");
    assert!(server.requests().is_empty());
}
