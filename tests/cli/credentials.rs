//! Exec credential plugins: they may fail, they may want to ask, and what they know stays out of errors.

use crate::run::{Told, skvs};
use crate::server::{Listener, helm_releases, nobody, status};
use insta::assert_snapshot;

fn plugin(script: &str, mode: &str, url: &str) -> Told {
    let user = format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: /bin/sh, args: ['-c', '{script}'], \
         env: [{{name: CLIENT_SECRET, value: hunter2}}], interactiveMode: {mode}}}}}"
    );
    skvs(&["list"]).unchecked(url, &user).run()
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
    let tls = Listener::over_tls(&server);
    let script = r#"echo "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\"}}""#;
    let told = plugin(script, "IfAvailable", &tls.https());
    assert_eq!(told.code, Some(0), "{told}");
    let heads = server.heads();
    assert!(
        heads
            .iter()
            .all(|h| h.contains("authorization: Bearer t\r\n")),
        "{heads:?}"
    );
}

/// As in client-go; a watch would end with the token otherwise.
#[test]
fn a_plugin_is_run_again_when_its_token_is_refused() {
    let refused = || status(401, "Unauthorized", "Unauthorized");
    let list = helm_releases(&[], "");
    let folder = tempfile::TempDir::new().unwrap();
    let count = folder.path().join("count").display().to_string();
    let script = format!(
        r#"echo >> {count}; n=$(wc -l < {count}); echo "{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"t$n\"}}}}""#
    );
    let tokens = |answers: &[(u16, &str)]| {
        let server = Listener::in_turn(answers);
        let told = plugin(&script, "IfAvailable", &Listener::over_tls(&server).https());
        let heads = server.heads();
        let token = |head: &String| {
            let (_, rest) = head.split_once("authorization: Bearer ").unwrap();
            rest.lines().next().unwrap_or_default().to_owned()
        };
        let mut tokens: Vec<String> = heads.iter().map(token).collect();
        tokens.dedup();
        (told.code, tokens)
    };
    let answered = tokens(&[(401, &refused()), (200, &list)]);
    assert_eq!(answered, (Some(0), vec!["t1".into(), "t2".into()]));
    // Once: a user who is not known is not known the next time.
    let never = tokens(&[(401, &refused())]);
    assert_eq!(never, (Some(1), vec!["t3".into(), "t4".into()]));
}

#[test]
fn a_plugin_is_bounded_by_the_requests_timeout() {
    let server = Listener::silent();
    let user = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/sleep, args: ['600'], interactiveMode: Never}}";
    let run = skvs(&["list", "--request-timeout=1s"]).user(&server.https(), user);
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
    let tls = Listener::over_tls(&server);
    let script = r#"printf %s "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\\n\"}}""#;
    let told = plugin(script, "Never", &tls.https());
    assert_eq!(told.code, Some(0), "{told}");
    let run = skvs(&["list"]).unchecked(&tls.https(), "{tokenFile: token}");
    run.file(".kube/token", "t\n");
    for run in [
        run,
        skvs(&["list"]).unchecked(&tls.https(), r#"{token: "t\n"}"#),
        skvs(&["list", "--token", "t\r\n"]).unchecked(&tls.https(), "{}"),
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

/// client-go reads the user's credentials only if the server is asked over TLS.
#[test]
fn without_tls_no_credentials_are_sent_and_nothing_is_run_for_them() {
    let server = Listener::answering(200, &helm_releases(&[], ""));
    let ran = tempfile::TempDir::new().unwrap().path().join("ran");
    let plugin = format!(
        "exec: {{apiVersion: client.authentication.k8s.io/v1, command: /bin/sh, args: ['-c', 'mkdir -p {}; exit 1'], interactiveMode: Always}}",
        ran.display()
    );
    let users = [
        "token: sesame",
        "tokenFile: /nonexistent/token",
        "username: jane, password: sesame",
        "client-certificate: /nonexistent/crt, client-key: /nonexistent/key",
        "auth-provider: {name: oidc, config: {id-token: sesame}}",
        &plugin,
    ];
    for user in users {
        let user = format!("{{as: jane, as-groups: [ops], {user}}}");
        for flags in [&["list"][..], &["list", "--token", "sesame"]] {
            let told = skvs(flags).user(&server.http(), &user).run();
            assert_eq!(told.code, Some(0), "{user} {told}");
        }
    }
    assert!(!ran.exists());
    let heads = server.heads();
    assert!(heads.len() >= 2 * users.len());
    for head in heads {
        let head = head.to_lowercase();
        assert!(!head.contains("\nauthorization:"), "{head}");
        assert!(head.contains("impersonate-user: jane"), "{head}");
        assert!(head.contains("impersonate-group: ops"), "{head}");
    }
}

#[test]
fn a_refusal_says_that_credentials_were_not_sent() {
    let message = "helmreleases.helm.toolkit.fluxcd.io is forbidden: User \"system:anonymous\" cannot list resource \"helmreleases\" in API group \"helm.toolkit.fluxcd.io\" in the namespace \"flux-system\"";
    for (code, body) in [
        (401, status(401, "Unauthorized", "Unauthorized")),
        (403, status(403, "Forbidden", message)),
        (401, "log in".to_owned()),
    ] {
        let server = Listener::answering(code, &body);
        let hint = "hint: your credentials were not sent: the server's URL is http://, and they are sent over https only\n";
        let told = skvs(&["list"]).server(&server.http()).run();
        assert!(told.stderr.ends_with(hint), "{told}");
        assert_eq!(told.stderr.matches("hint: ").count(), 1, "{told}");
        for run in [
            skvs(&["list"]).user(&server.http(), "{as: jane}"),
            skvs(&["list"]).unchecked(&Listener::over_tls(&server).https(), "{token: sesame}"),
        ] {
            let told = run.run();
            assert!(!told.stderr.contains("not sent"), "{told}");
        }
    }
}

#[test]
fn a_token_that_no_header_can_hold_is_an_error() {
    let run = skvs(&["list"]).user(&nobody(), r#"{token: "se\nsame"}"#);
    assert_snapshot!(run.run(), @r"
    exit 1
    stderr:
    error: cannot get credentials: the token contains a line break or a control character, which a token never has
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
