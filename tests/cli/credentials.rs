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
    error: the credentials could not be had: the credential plugin /bin/sh ended with exit status: 3: no session
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
    error: the credentials could not be had: exec-plugin response did not contain a status
    hint: check the user in the kubeconfig, and log in again: kubectl auth whoami
    ");
}

#[test]
fn a_plugin_that_is_not_there() {
    let user = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin, interactiveMode: Never}}";
    assert_snapshot!(skvs(&["list"]).user(&nobody(), user).run(), @r"
    exit 1
    stderr:
    error: the credentials could not be had: the credential plugin no-such-plugin cannot be started: no such file or directory
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
fn a_token_file_that_is_not_there() {
    let told = skvs(&["list"])
        .user(&nobody(), "{tokenFile: /nonexistent/token}")
        .run();
    assert_eq!(told.code, Some(1));
    assert!(told.stderr.contains("/nonexistent/token"), "{told}");
}
