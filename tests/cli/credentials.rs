//! Exec credential plugins: they may fail, they may want to ask, and what they know stays out of errors.

use crate::run::{Told, skvs};
use crate::server::{Listener, helm_releases, nobody};
use insta::assert_snapshot;

fn plugin(script: &str, mode: &str, url: &str) -> Told {
    let user = format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: /bin/sh, args: ['-c', '{script}'], \
         env: [{{name: CLIENT_SECRET, value: hunter2}}], interactiveMode: {mode}}}}}"
    );
    skvs(&["list"]).user(url, &user).run()
}

#[test]
fn a_plugin_that_fails() {
    let told = plugin("echo no session >&2; exit 3", "IfAvailable", &nobody());
    assert_snapshot!(told, @r"
    exit 1
    stderr:
    error: cannot get credentials: the credential plugin /bin/sh ended with exit status: 3: no session
    hint: check the user in the kubeconfig, and log in again: kubectl auth whoami
    ");
}

#[test]
fn a_plugin_that_must_ask() {
    assert_snapshot!(plugin("exit 0", "Always", &nobody()), @r#"
    exit 1
    stderr:
    error: the credential plugin "/bin/sh" must ask you, and stdin is not a terminal
    hint: log in first from a terminal, then run this again
    "#);
}

#[test]
fn a_plugin_whose_answer_is_none() {
    assert_snapshot!(plugin("echo {}", "Never", &nobody()), @r"
    exit 1
    stderr:
    error: cannot get credentials: the credential plugin /bin/sh gave an answer without a status
    hint: check the user in the kubeconfig, and log in again: kubectl auth whoami
    ");
}

#[test]
fn a_plugin_that_is_not_there() {
    let user = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: acme-kubelogin, interactiveMode: Never, \
        installHint: \"acme-kubelogin is needed to log in\\n\\n  brew install \\e[31macme/tap/kubelogin\\n\"}}";
    assert_snapshot!(skvs(&["list"]).user(&nobody(), user).run(), @r"
    exit 1
    stderr:
    error: cannot get credentials: the credential plugin acme-kubelogin is not installed: no such command on PATH
    hint: acme-kubelogin is needed to log in
    hint:   brew install ^[[31macme/tap/kubelogin
    hint: check the user in the kubeconfig, and log in again: kubectl auth whoami
    ");
}

#[test]
fn a_plugin_that_gives_a_token() {
    let server = Listener::answering(200, &helm_releases(&[], ""));
    let script = r#"echo "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\"}}""#;
    let told = plugin(script, "IfAvailable", &server.http());
    assert_eq!(told.code, Some(0), "{told}");
}

#[test]
fn a_plugin_is_bounded_by_the_requests_timeout() {
    let server = Listener::answering(200, &helm_releases(&[], ""));
    let user = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/sleep, args: ['600'], interactiveMode: Never}}";
    let run = skvs(&["list", "--request-timeout=1s"]).user(&server.http(), user);
    assert_snapshot!(run.run(), @r"
    exit 1
    stderr:
    error: cannot get credentials: the credential plugin /bin/sleep did not end within 1s
    hint: a longer wait: --request-timeout=2m
    hint: check the user in the kubeconfig, and log in again: kubectl auth whoami --request-timeout 1000ms
    ");
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_token_with_a_line_end_works_from_everywhere() {
    let server = Listener::answering(200, &helm_releases(&[], ""));
    let script = r#"printf %s "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\\n\"}}""#;
    let told = plugin(script, "Never", &server.http());
    assert_eq!(told.code, Some(0), "{told}");
    let run = skvs(&["list"]).user(&server.http(), "{tokenFile: token}");
    run.file(".kube/token", "t\n");
    for run in [
        run,
        skvs(&["list"]).user(&server.http(), r#"{token: "t\n"}"#),
        skvs(&["list", "--token", "t\r\n"]).server(&server.http()),
    ] {
        let told = run.run();
        assert_eq!(told.code, Some(0), "{told}");
    }
    let heads = server.heads();
    assert!(heads.len() >= 4);
    assert!(
        heads
            .iter()
            .all(|h| h.contains("authorization: Bearer t\r\n")),
        "{heads:?}"
    );
}

#[test]
fn a_token_that_no_header_can_hold_is_an_error() {
    let run = skvs(&["list"]).user(&nobody(), r#"{token: "se\nsame"}"#);
    assert_snapshot!(run.run(), @r"
    exit 1
    stderr:
    error: cannot get credentials: the token holds a line end or a control character, which no token has
    hint: check the user in the kubeconfig, and log in again: kubectl auth whoami
    ");
}

#[test]
fn an_oidc_issuer_that_cannot_be_reached_is_named() {
    let issuer = nobody();
    // {"exp":1}
    let user = format!(
        "{{auth-provider: {{name: oidc, config: {{idp-issuer-url: '{}', client-id: a, client-secret: s3cret, refresh-token: r, id-token: a.eyJleHAiOjF9.b}}}}}}",
        issuer.replace("://", "://u:s3cret@")
    );
    let run = skvs(&["list"]).named(issuer.trim_start_matches("https://"), "ISSUER");
    assert_snapshot!(run.user("https://127.0.0.1:9", &user).run(), @r"
    exit 1
    stderr:
    error: cannot get credentials: OIDC issuer https://ISSUER: the ID token has expired and cannot be refreshed: connection refused
    hint: check the user in the kubeconfig, and log in again: kubectl auth whoami --context here
    ");
}

#[test]
fn a_token_file_that_is_not_there() {
    let told = skvs(&["list"])
        .user(&nobody(), "{tokenFile: /nonexistent/token}")
        .run();
    assert_eq!(told.code, Some(1));
    assert!(told.stderr.contains("/nonexistent/token"), "{told}");
}
