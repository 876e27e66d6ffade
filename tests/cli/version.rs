//! `version` and `--version`.

use crate::run::skvs;
use crate::server::nobody;
use insta::assert_snapshot;
use std::os::unix::fs::PermissionsExt;

#[test]
fn the_clients_own() {
    assert_snapshot!(skvs(&["version", "--client"]).run(), @r"
    exit 0
    stdout:
    Client Version: v0.1.0
    ");
    assert_snapshot!(skvs(&["version", "--client", "-o", "json"]).run(), @r#"
    exit 0
    stdout:
    {
        "apiVersion": "skvs.kubectl.io/v1alpha1",
        "clientVersion": {
            "gitVersion": "v0.1.0"
        },
        "kind": "Version"
    }
    "#);
    assert_snapshot!(skvs(&["version", "--client", "-o", "yaml"]).run(), @r"
    exit 0
    stdout:
    apiVersion: skvs.kubectl.io/v1alpha1
    clientVersion:
      gitVersion: v0.1.0
    kind: Version
    ");
    assert_snapshot!(skvs(&["--version"]).run(), @r"
    exit 0
    stdout:
    kubectl skvs 0.1.0
    ");
}

#[test]
fn a_server_that_is_away_leaves_the_clients_version() {
    assert_snapshot!(skvs(&["version"]).server(&nobody()).run(), @r"
    exit 1
    stdout:
    Client Version: v0.1.0
    stderr:
    The connection to the server SERVER was refused - did you specify the right host or port?
    ");
}

#[test]
fn a_wrong_format() {
    assert_snapshot!(skvs(&["version", "-o", "xml"]).run(), @r"
    exit 2
    stderr:
    error: invalid value 'xml' for '--output <FORMAT>' [possible values: text, json, yaml]; a similar value exists: 'yaml'
    See 'kubectl skvs version -h' for help and examples
    ");
}

#[test]
fn executables_that_take_a_commands_place() {
    let run = skvs(&["version", "--client"]);
    for (name, mode) in [
        ("kubectl-skvs-list", 0o755),
        ("kubectl-skvs-completion", 0o644),
        ("kubectl-skvs-other", 0o755),
    ] {
        let file = run.file(&format!("bin/{name}"), "#!/bin/sh\n");
        std::fs::set_permissions(file, PermissionsExt::from_mode(mode)).unwrap();
    }
    let path = run.file("bin/x", "");
    let folder = path.parent().unwrap().display().to_string();
    assert_snapshot!(run.env("PATH", &folder).run(), @r"
    exit 0
    stdout:
    Client Version: v0.1.0
    stderr:
    Warning: kubectl runs HOME/bin/kubectl-skvs-list for: kubectl skvs list
    ");
}
