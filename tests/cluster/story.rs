//! One onboarding from its request to its end, by the commands that an engineer would use, on real Flux and Helm.

use crate::harness::{RunOutput, kubectl, skvs};
use crate::offboard::{FOLDER, Stage};
use crate::troubleshoot::{mend, paste};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use testbed::Sandbox;

const TEAM: &str = "zulu-story";
const DATABASE: &str = "zulu-story_data";
const NAME: &str = "skvs-onboarding-zulu-story--data";
/// The second database, whose first installation fails.
const LATER: &str = "skvs-onboarding-zulu-story--later";

/// What the test makes goes with it.
struct Cleared;

impl Drop for Cleared {
    fn drop(&mut self) {
        let sandbox = Sandbox::shared();
        for name in [NAME, LATER] {
            let _ = sandbox.kubectl(&["delete", "helmrelease", "-n", "flux-system", name]);
        }
        for namespace in [TEAM, "zulu-tardy"] {
            let _ = sandbox.kubectl(&["delete", "namespace", namespace, "--wait=false"]);
        }
    }
}

/// A clone of the GitOps repository.
struct Clone(tempfile::TempDir);

impl Clone {
    fn new() -> Self {
        let clone = Self(tempfile::tempdir().expect("a folder"));
        fs::create_dir_all(clone.folder()).expect("the folder is made");
        let list =
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\n";
        fs::write(clone.folder().join("kustomization.yaml"), list).expect("it is written");
        clone.git("init -q");
        clone.commit();
        clone
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn folder(&self) -> PathBuf {
        self.path().join(FOLDER)
    }

    fn git(&self, words: &str) {
        paste(&format!("cd {} && git {words}", self.path().display()));
    }

    fn commit(&self) {
        self.git("add -A && git -c user.name=a -c user.email=a@example.com commit -qm change");
    }

    /// What kustomize-controller would do with the commit.
    fn apply(&self) {
        let folder = self.folder().display().to_string();
        let own = ["--server-side", "--force-conflicts"];
        let by = ["--field-manager=kustomize-controller", "-k", &folder];
        kubectl(&[&["apply"], &own[..], &by].concat());
    }

    /// Runs a command on it, at its root.
    fn run(&self, words: &[&str]) -> RunOutput {
        let mut command = skvs(words).into_command();
        RunOutput::from(command.current_dir(self.path()).output().expect("it runs"))
    }

    /// Changes a manifest by hand.
    fn edit(&self, file: &str, from: &str, to: &str) {
        let file = self.folder().join(file);
        let text = fs::read_to_string(&file).expect("the manifest");
        assert!(text.contains(from), "{text}");
        fs::write(&file, text.replace(from, to)).expect("it is written");
    }
}

fn wait(name: &str) -> RunOutput {
    skvs(["troubleshoot", name, "--wait", "--timeout", "4m"]).run()
}

#[test]
fn an_onboarding_from_its_request_to_its_end() {
    let _cleared = Cleared;
    kubectl(&["create", "namespace", TEAM]);
    for account in ["web", "batch"] {
        kubectl(&["create", "serviceaccount", account, "-n", TEAM]);
    }
    let clone = Clone::new();

    // The request.
    let account = ["--service-account", "web", "--repo", "."];
    let words = [&["onboard", TEAM, "data"], &account[..]].concat();
    clone.run(&words).ok();
    clone.run(&["lint", "--diff-base", "HEAD"]).ok();
    clone.commit();
    clone.apply();
    assert!(wait(NAME).ok().contains("nothing found"));
    assert!(Sandbox::shared().couchdb().exists(DATABASE));
    let message = skvs(["notes", DATABASE, "--share"]).run().ok();
    assert!(message.contains("zulu-story"), "{message}");
    clone.run(&["lint", "--installed"]).ok();

    // Another account.
    clone.run(&["access", DATABASE, "add", "batch"]).ok();
    clone
        .run(&["lint", "--diff-base", "HEAD", "--installed"])
        .ok();
    clone.commit();
    clone.apply();
    wait(NAME).ok();
    let policies = kubectl(&[
        "get",
        "authorizationpolicies",
        "-n",
        "secure-kvs",
        "-o",
        "json",
    ]);
    assert!(policies.contains("/ns/zulu-story/sa/batch"), "{policies}");

    // What must not change.
    clone.edit("zulu-story_data.yaml", "database: data", "database: moved");
    let told = clone.run(&["lint", "--diff-base", "HEAD", "--installed"]);
    assert!(told.stdout.contains("SKVS551"), "{}", told.stdout);
    assert_eq!(told.code, 3);
    // It is merged all the same.
    clone.apply();
    let told = wait(NAME);
    assert_eq!(told.code, 3, "{}\n{}", told.stdout, told.stderr);
    assert!(
        told.stdout.contains("zulu-story_moved") && told.stdout.contains(DATABASE),
        "{}",
        told.stdout
    );
    clone.git("checkout -q .");
    clone.apply();
    assert!(wait(NAME).ok().contains("nothing found"));

    // An installation that fails, and the next attempt.
    let words = [&["onboard", TEAM, "later"], &account[..]].concat();
    clone.run(&words).ok();
    let own = ["targetNamespace: core", "targetNamespace: zulu-tardy"];
    clone.edit("zulu-story_later.yaml", own[0], own[1]);
    clone.commit();
    clone.apply();
    let told = wait(LATER);
    assert_eq!(told.code, 3, "{}\n{}", told.stdout, told.stderr);
    assert!(told.stdout.contains("SKVS101"), "{}", told.stdout);
    mend("zulu-tardy");
    let sandbox = Sandbox::shared();
    let helm = sandbox.bin("helm");
    let path = format!(
        "{}:/usr/bin:/bin",
        helm.parent().expect("a folder").display()
    );
    let confirmed = ["--context", "sandbox", "--confirm", LATER, "-o", "json"];
    let retry = skvs([&["retry", LATER], &confirmed[..]].concat()).env("PATH", &path);
    let done: Value = serde_json::from_str(&retry.run().ok()).expect("a document");
    assert_eq!(done["outcome"], "requested", "{done}");
    assert_eq!(done["causes"][0]["code"], "SKVS101", "{done}");
    assert!(wait(LATER).ok().contains("nothing found"));

    // The end, by the plan's own commands.
    let stage = || Stage::of(DATABASE, Some(clone.path()));
    let plan = stage();
    plan.applies(clone.path());
    paste(plan.next());
    clone.commit();
    // Nothing prunes here: the plan says how to delete it.
    for state in ["helmRelease=toDo", "access=toDo"] {
        let plan = stage();
        plan.has(state);
        paste(plan.next());
    }
    let row = skvs(["databases"]).run().ok();
    let row = row.lines().find(|line| line.contains(DATABASE));
    assert!(row.is_some_and(|row| row.contains(" orphan ")), "{row:?}");
    let plan = stage();
    plan.has("database=toDo");
    let backup = tempfile::tempdir().expect("a folder");
    paste(&format!(
        "cd {} && {} --confirm {DATABASE}",
        backup.path().display(),
        plan.next()
    ));
    assert!(!Sandbox::shared().couchdb().exists(DATABASE));
    assert!(Sandbox::shared().couchdb().exists("zulu-story_later"));
    assert_eq!(stage().code(), 0);
}
