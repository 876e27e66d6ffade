//! `doctor` without a cluster, and on this machine.

use crate::run::{BINARY, Run, Told, skvs};
use crate::server::{Listener, nobody};
use insta::assert_snapshot;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Makes an executable.
fn program(run: &Run, name: &str, script: &str) -> String {
    let file = run.file(&format!("bin/{name}"), script);
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    file.parent().unwrap().display().to_string()
}

/// A run on a machine that has the plugin under its name, helm, git and completion.
fn equipped(words: &[&str]) -> Run {
    let run = skvs(words);
    program(&run, "helm", "#!/bin/sh\necho v3.18.4+gd80839c\n");
    program(&run, "git", "#!/bin/sh\necho git version 2.47.3\n");
    let folder = program(&run, "x", "");
    for name in ["kubectl-skvs", "kubectl_complete-skvs"] {
        std::os::unix::fs::symlink(BINARY, Path::new(&folder).join(name)).unwrap();
    }
    run.env("PATH", &folder)
}

fn without_server(words: &[&str]) -> Told {
    equipped(words).server(&nobody()).run()
}

#[test]
fn a_server_that_is_away_leaves_the_checks_of_this_machine() {
    assert_snapshot!(without_server(&["doctor"]), @"
    exit 3
    stdout:
    8 checks: 1 failed, 1 not known

    failed     API server           The connection to the server SERVER was refused - did you specify the right host or port?
               is it the right cluster? kubectl config current-context
    not known  the cluster          Flux, CouchDB and your rights cannot be checked without the API server
    ok         plugin               kubectl runs HOME/bin/kubectl-skvs, which is this program
    ok         other plugins        none takes the place of a command
    ok         settings             no file, so the defaults
    ok         completion           HOME/bin/kubectl_complete-skvs is this program
    ok         helm                 v3.18.4+gd80839c, HOME/bin/helm
    ok         git                  2.47.3
    ");
}

#[test]
fn a_machine_without_anything() {
    let run = skvs(&["doctor"]);
    let empty = run.home().join("empty").display().to_string();
    assert_snapshot!(run.env("PATH", &empty).run(), @"
    exit 3
    stdout:
    8 checks: 1 failed, 4 warnings, 1 not known

    failed     API server           no kubeconfig was found, and this is not a pod of a cluster
               set KUBECONFIG or give --kubeconfig FILE
    not known  the cluster          Flux, CouchDB and your rights cannot be checked without the API server
    warning    plugin               kubectl-skvs is not on PATH, so kubectl does not know it
               put the folder of this program on PATH
    ok         other plugins        none takes the place of a command
    ok         settings             no file, so the defaults
    warning    completion           kubectl_complete-skvs is not on PATH, so kubectl completes nothing of this plugin
               save as kubectl_complete-skvs on PATH, executable: kubectl skvs completion kubectl
    warning    helm                 not on PATH; retry needs it to remove a failed release
               install Helm 3 or 4
    warning    git                  not on PATH; lint --diff-base needs it
    ");
}

#[test]
fn what_takes_a_commands_place_and_completes_otherwise() {
    let run = skvs(&["doctor"]).server(&nobody());
    program(&run, "kubectl-skvs", "#!/bin/sh\n");
    program(&run, "kubectl-skvs-list", "#!/bin/sh\n");
    program(&run, "helm", "#!/bin/sh\necho no >&2\nexit 1\n");
    let folder = program(&run, "kubectl_complete-skvs", "#!/bin/sh\n");
    assert_snapshot!(run.env("PATH", &folder).run(), @"
    exit 3
    stdout:
    8 checks: 2 failed, 3 warnings, 2 not known

    failed     API server           The connection to the server SERVER was refused - did you specify the right host or port?
               is it the right cluster? kubectl config current-context
    not known  the cluster          Flux, CouchDB and your rights cannot be checked without the API server
    warning    plugin               kubectl runs HOME/bin/kubectl-skvs, which is not this program
    failed     other plugins        kubectl runs HOME/bin/kubectl-skvs-list for: kubectl skvs list
               remove or rename it, unless it is meant to
    ok         settings             no file, so the defaults
    not known  completion           HOME/bin/kubectl_complete-skvs is another program; whether it runs this one is not known
               save as kubectl_complete-skvs on PATH, executable: kubectl skvs completion kubectl
    warning    helm                 HOME/bin/helm cannot be run, which retry needs: helm ended with exit status: 1: no
    warning    git                  not on PATH; lint --diff-base needs it
    ");
}

/// The script of `completion kubectl` runs what is first on PATH.
#[test]
fn a_completion_script_completes_the_plugin_on_path() {
    let script = include_str!("../../completions/kubectl_complete-skvs");
    let told = |plugin: bool| {
        let run = skvs(&["doctor"]).server(&nobody());
        let folder = program(&run, "kubectl_complete-skvs", script);
        if plugin {
            std::os::unix::fs::symlink(BINARY, Path::new(&folder).join("kubectl-skvs")).unwrap();
        } else {
            program(&run, "kubectl-skvs", "#!/bin/sh\n");
        }
        let told = run.env("PATH", &folder).run();
        let line = told.stdout.lines().find(|l| l.contains(" completion "));
        line.unwrap().to_owned()
    };
    assert_snapshot!(told(true), @"ok         completion           HOME/bin/kubectl_complete-skvs runs this program");
    assert_snapshot!(told(false), @"warning    completion           HOME/bin/kubectl_complete-skvs runs another kubectl-skvs, which comes first on PATH");
}

#[test]
fn as_a_document() {
    assert_snapshot!(without_server(&["doctor", "-o", "yaml"]), @r#"
    exit 3
    stdout:
    apiVersion: skvs.kubectl.io/v1alpha1
    checks:
    - area: cluster
      message: The connection to the server SERVER was refused - did you specify the right host or port?
      next: is it the right cluster? kubectl config current-context
      state: failed
      subject: API server
    - area: cluster
      message: Flux, CouchDB and your rights cannot be checked without the API server
      state: notKnown
      subject: the cluster
    - area: machine
      message: kubectl runs HOME/bin/kubectl-skvs, which is this program
      state: ok
      subject: plugin
    - area: machine
      message: none takes the place of a command
      state: ok
      subject: other plugins
    - area: machine
      message: no file, so the defaults
      state: ok
      subject: settings
    - area: machine
      message: HOME/bin/kubectl_complete-skvs is this program
      state: ok
      subject: completion
    - area: machine
      message: v3.18.4+gd80839c, HOME/bin/helm
      state: ok
      subject: helm
    - area: machine
      message: "2.47.3"
      state: ok
      subject: git
    context: here
    failed: 1
    kind: DoctorReport
    notKnown: 1
    server: https://SERVER/
    warnings: 0
    "#);
}

/// What it does not say of rights is not known, and the rest is asked all the same.
#[test]
fn a_server_that_turns_everything_down_is_there() {
    let refusal = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"no"}"#;
    let listener = Listener::answering(403, refusal);
    let told = equipped(&["doctor"]).server(&listener.http()).run();
    assert_snapshot!(told, @"
    exit 1
    stdout:
    40 checks: 34 not known

    not known  API server           it answers (context here, http://SERVER), its version is not known: forbidden (no)
    not known  user                 forbidden (no)
    not known  HelmRelease          forbidden (no)
    not known  HelmChart            forbidden (no)
    not known  HelmRepository       forbidden (no)
    not known  OCIRepository        forbidden (no)
    not known  Kustomization        forbidden (no)
    not known  helm-controller      forbidden (no)
    not known  source-controller    forbidden (no)
    not known  kustomize-controller forbidden (no)
    not known  onboardings          forbidden (no)
    not known  chart sources        the onboardings, which name them, were not read
    not known  CouchDB's pods       forbidden (no)
    not known  rights               not known for: backup, capture, check-access, completion, databases, delete-db, describe, doctor, lint, list, notes, offboard, onboard, restore, resume, retry, status, suspend, troubleshoot, version (-o json lists them)
    not known  elsewhere            the target namespaces of the onboardings are not all known: forbidden (no)
               name them with --target-namespace
    ok         plugin               kubectl runs HOME/bin/kubectl-skvs, which is this program
    ok         other plugins        none takes the place of a command
    ok         settings             no file, so the defaults
    ok         completion           HOME/bin/kubectl_complete-skvs is this program
    ok         helm                 v3.18.4+gd80839c, HOME/bin/helm
    ok         git                  2.47.3
    ");
}

#[test]
fn a_login_page_is_no_api_server() {
    let page = Listener::with_headers(200, "Content-Type: text/html\r\n", b"<html>log in</html>");
    let told = equipped(&["doctor"]).server(&page.http()).run();
    assert_eq!(told.code, Some(3), "{told}");
    assert!(
        told.stdout.contains("is not a Kubernetes API answer"),
        "{told}"
    );
    assert!(told.stdout.contains("not known  the cluster"), "{told}");
}

#[test]
fn a_role_is_the_manifest_as_it_is_and_asks_nobody() {
    let listener = Listener::answering(500, "{}");
    let told = skvs(&["doctor", "--role", "list"])
        .server(&listener.http())
        .run();
    assert_eq!(told.stdout, include_str!("../../docs/rbac/list.yaml"));
    assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""));
    assert_eq!(listener.requests(), [""; 0]);
    let two = skvs(&["doctor", "--role", "notes,list,list"]).run();
    let list = include_str!("../../docs/rbac/list.yaml");
    let notes = include_str!("../../docs/rbac/notes.yaml");
    assert_eq!(two.stdout, format!("{list}---\n{notes}"));
}

#[test]
fn a_role_for_other_namespaces_and_another_group() {
    let words = [
        "doctor",
        "--role",
        "suspend",
        "-n",
        "flux",
        "--group",
        "oncall: \"a\"",
    ];
    assert_snapshot!(skvs(&words).run(), @r#"
    exit 0
    stdout:
    # Rights of: kubectl skvs suspend
    # flux-system holds the HelmReleases.
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata: {name: kubectl-skvs-suspend, namespace: "flux"}
    rules:
    # list: for names other than the HelmRelease's own.
    - {apiGroups: ["helm.toolkit.fluxcd.io"], resources: [helmreleases], verbs: [get, list, patch]}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: {name: kubectl-skvs-suspend, namespace: "flux"}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: kubectl-skvs-suspend}
    subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "oncall: \"a\""}]
    "#);
}

#[test]
fn a_role_of_nothing_and_a_name_that_is_none() {
    assert_snapshot!(skvs(&["doctor", "--role", "explain"]).run(), @"
    exit 2
    stderr:
    error: invalid value 'explain' for '--role <COMMAND>' [possible values: backup, capture, check-access, completion, databases, delete-db, describe, doctor, lint, list, notes, offboard, onboard, restore, resume, retry, status, suspend, troubleshoot, version]
    See 'kubectl skvs doctor -h' for help and examples
    ");
    assert_snapshot!(skvs(&["doctor", "--role", "list", "--group", "a\nb"]).run(), @r#"
    exit 2
    stderr:
    error: "a\\nb" is not a name
    "#);
    let both = skvs(&["doctor", "--role", "list", "-o", "json"]).run();
    assert_eq!(both.code, Some(2), "{both}");
}
