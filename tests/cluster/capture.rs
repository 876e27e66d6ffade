//! `capture` on the real control plane: its bundles tell what the cluster told, and hold no secret.

use crate::harness::{RunOutput, Skvs, kubectl, skvs};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use testbed::Sandbox;

const PDS: &str = "skvs-onboarding-pds--database";
const IOTA: &str = "skvs-onboarding-iota--database";

/// A bundle in a folder of its own.
struct Bundle {
    folder: tempfile::TempDir,
    said: RunOutput,
}

impl Bundle {
    #[track_caller]
    fn of(words: &[&str]) -> Self {
        Self::with(Sandbox::shared().kubeconfig(), words)
    }

    #[track_caller]
    fn with(kubeconfig: &Path, words: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let to = folder.path().join("b.tar.gz");
        let to = to.to_string_lossy();
        let words = ["capture"].iter().chain(words).copied();
        let said = Skvs::with(kubeconfig, words.chain(["--to", &to])).run();
        assert_eq!(said.code, 0, "{}", said.stderr);
        assert_eq!(said.stdout, format!("{to}\n"));
        Self { folder, said }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("b.tar.gz")
    }

    /// A command on the bundle; no cluster can be reached from it.
    fn asked(&self, words: &[&str]) -> RunOutput {
        let path = self.path();
        let path = path.to_string_lossy();
        let words = words.iter().copied().chain(["-f", &*path]);
        Skvs::with(Path::new("/nonexistent"), words).run()
    }

    /// Names and contents of its files.
    fn files(&self) -> Vec<(String, String)> {
        let file = std::fs::File::open(self.path()).expect("the bundle");
        let mut archive = tar::Archive::new(GzDecoder::new(file));
        let entries = archive.entries().expect("a tar archive");
        entries
            .map(|entry| {
                let mut entry = entry.expect("an entry");
                let mut text = String::new();
                entry.read_to_string(&mut text).expect("text");
                (
                    entry.path().expect("a path").to_string_lossy().into_owned(),
                    text,
                )
            })
            .collect()
    }

    fn manifest(&self) -> Value {
        let files = self.files();
        let (_, text) = files
            .iter()
            .find(|(name, _)| name.ends_with("/manifest.json"))
            .expect("a manifest");
        serde_json::from_str(text).expect("JSON")
    }
}

/// The text without what time makes of it: ages, durations, times, and how wide they are.
fn timeless(text: &str) -> String {
    let is_age = |word: &str| {
        let word = word.trim_matches(|c: char| ",;:()".contains(c));
        word.starts_with(|c: char| c.is_ascii_digit())
            && word.ends_with(['s', 'm', 'h', 'd'])
            && word
                .chars()
                .all(|c| c.is_ascii_digit() || "smhd".contains(c))
    };
    let is_time = |word: &str| word.contains("At=20");
    let line = |line: &str| {
        let mut words = Vec::new();
        let mut rest = line.split_whitespace().peekable();
        while let Some(word) = rest.next() {
            if word == "in" && rest.peek().is_some_and(|n| n.parse::<f64>().is_ok()) {
                // How long the checks took is no part of what they say.
                words.push("in TIME");
                rest.nth(1);
            } else if is_age(word) {
                words.push("AGE");
            } else if is_time(word) {
                words.push(word.split_once('=').map_or("", |(name, _)| name));
            } else {
                words.push(word);
            }
        }
        words.join(" ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn same(bundle: &Bundle, words: &[&str]) {
    let (live, saved) = (skvs(words).run(), bundle.asked(words));
    assert_eq!(
        timeless(&saved.stdout),
        timeless(&live.stdout),
        "{words:?}\n{}",
        saved.stderr
    );
    assert_eq!(saved.code, live.code, "{words:?}\n{}", saved.stderr);
}

#[test]
fn a_bundle_tells_what_the_cluster_told() {
    for name in [
        PDS,
        IOTA,
        "skvs-onboarding-kilo--orders",
        "skvs-onboarding-uniform--notes",
    ] {
        let bundle = Bundle::of(&[name]);
        for command in ["troubleshoot", "describe"] {
            same(&bundle, &[command, name]);
        }
        same(&bundle, &["list", name]);
        if name == PDS {
            same(&bundle, &["notes", name]);
            same(&bundle, &["notes", name, "--share"]);
        }
    }
}

#[test]
fn names_need_not_be_said_again_and_a_database_means_all_that_claim_it() {
    let bundle = Bundle::of(&["pds_database"]);
    let said = &bundle.said.stderr;
    assert!(said.starts_with("captured 2 onboardings, "), "{said}");
    assert!(!said.contains("not readable"), "{said}");
    let live = skvs(["troubleshoot", "pds_database"]).run();
    let saved = bundle.asked(&["troubleshoot"]);
    assert_eq!(timeless(&saved.stdout), timeless(&live.stdout));
    assert_eq!(saved.code, 3);
}

#[test]
fn without_names_all_that_are_not_well_are_captured() {
    let bundle = Bundle::of(&[]);
    let live = skvs(["troubleshoot", "-o", "json"]).run();
    let codes = |said: &RunOutput| -> Vec<(String, Vec<String>)> {
        let report: Value = serde_json::from_str(&said.stdout).expect("JSON");
        let all = report["onboardings"].as_array().expect("a list").iter();
        all.map(|o| {
            let findings = o["findings"].as_array().expect("a list").iter();
            let codes = findings.map(|f| f["code"].to_string()).collect();
            (o["name"].to_string(), codes)
        })
        .collect()
    };
    let saved = bundle.asked(&["troubleshoot", "-o", "json"]);
    assert_eq!(codes(&saved), codes(&live));
    assert_eq!((saved.code, live.code), (3, 3));
    same(&bundle, &["list"]);
}

/// The administrator's password of the testbed's CouchDB has every character that breaks quoting.
#[test]
fn no_secret_is_in_any_byte() {
    let payloads = kubectl(&["get", "secrets", "-A", "-o", "json"]);
    let payloads: Value = serde_json::from_str(&payloads).expect("JSON");
    let bundle = Bundle::of(&["-A"]);
    let files = bundle.files();
    assert!(files.len() > 50, "{}", files.len());
    let mut searched = 0;
    for secret in payloads["items"].as_array().expect("a list") {
        let data = secret["data"].as_object().into_iter().flatten();
        for (key, value) in data {
            let encoded = value.as_str().expect("base64");
            let plain = STANDARD.decode(encoded).expect("base64");
            let plain = String::from_utf8_lossy(&plain).into_owned();
            // A user's name is no secret and stands in many places.
            if plain.len() < 8 || key == "ca.crt" {
                continue;
            }
            searched += 1;
            let in_json = Value::from(plain.clone()).to_string();
            for (name, text) in &files {
                for form in [encoded, &plain, in_json.trim_matches('"')] {
                    assert!(!text.contains(form), "{} of a Secret is in {name}", key);
                }
            }
        }
    }
    assert!(searched > 3, "{searched}");
}

#[test]
fn what_may_not_be_read_is_told_by_the_bundle_as_by_the_cluster() {
    let rights = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: capture-less}
rules:
- {apiGroups: [helm.toolkit.fluxcd.io, source.toolkit.fluxcd.io, batch, security.istio.io], resources: ['*'], verbs: [get, list]}
- {apiGroups: [''], resources: [namespaces, serviceaccounts], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: capture-less}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: capture-less}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: capture-less}]
";
    let user = Sandbox::shared().user("capture-less", &["capture-less"], rights);
    let user = user.expect("a user");
    let bundle = Bundle::with(&user, &[IOTA]);
    let manifest = bundle.manifest();
    let refused: Vec<&str> = manifest["requests"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|r| r["status"]["code"] == 403)
        .map(|r| r["path"].as_str().expect("a path"))
        .collect();
    for (right, path) in [
        (
            "list events in flux-system",
            "/namespaces/flux-system/events?",
        ),
        ("list pods in core", "/namespaces/core/pods?"),
        (
            "list secrets in flux-system",
            "/namespaces/flux-system/secrets?",
        ),
    ] {
        assert!(
            refused.iter().any(|p| p.contains(path)),
            "{right}: {refused:#?}"
        );
    }
    let said = &bundle.said.stderr;
    assert!(
        said.contains(
            "not readable: list events in core (forbidden), list pods in core (forbidden), \
             list events in flux-system (forbidden), "
        ),
        "{said}"
    );
    let words = ["troubleshoot", IOTA];
    let live = Skvs::with(&user, words).run();
    let saved = bundle.asked(&words);
    assert!(live.stdout.contains("not run: "), "{}", live.stdout);
    assert!(live.stdout.contains("forbidden"), "{}", live.stdout);
    assert_eq!(timeless(&saved.stdout), timeless(&live.stdout));
    assert_eq!(saved.code, live.code);
}

#[test]
fn where_nothing_can_be_read_nothing_is_written() {
    let user = Sandbox::shared()
        .user("capture-nothing", &[], "")
        .expect("a user");
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("b.tar.gz");
    let to = to.to_string_lossy();
    for words in [
        &["capture", "--to", &to][..],
        &["capture", PDS, "--to", &to],
    ] {
        let said = Skvs::with(&user, words).run();
        assert!(said.failed(1).contains("orbidden"));
    }
    let said = skvs(["capture", "no-such-onboarding", "--to", &to]).run();
    assert!(said.failed(1).contains("not found"));
    assert_eq!(
        std::fs::read_dir(folder.path())
            .expect("the folder")
            .count(),
        0
    );
}

#[test]
fn one_wrong_name_does_not_keep_the_others_from_being_captured() {
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("b.tar.gz");
    let said = skvs([
        "capture",
        PDS,
        "no-such-onboarding",
        "--to",
        &to.to_string_lossy(),
    ])
    .run();
    assert!(
        said.stderr.starts_with("captured 1 onboarding, "),
        "{}",
        said.stderr
    );
    assert!(said.failed(1).contains("no-such-onboarding"));
    assert!(to.is_file());
    let again = skvs(["capture", PDS, "--to", &to.to_string_lossy()]).run();
    assert!(again.failed(1).contains("is there already"));
}

#[test]
fn stdout_is_the_archive() {
    let mut command = skvs(["capture", PDS, "--to", "-"]).into_command();
    let output = command.output().expect("the plugin runs");
    assert_eq!(output.status.code(), Some(0));
    let mut archive = tar::Archive::new(GzDecoder::new(output.stdout.as_slice()));
    let entries = archive.entries().expect("a tar archive");
    let entries: Vec<_> = entries.map(|e| e.expect("an entry")).collect();
    assert!(entries.len() > 10);
    for entry in entries {
        let path = entry.path().expect("a path");
        assert!(path.starts_with(path.iter().next().expect("a folder")));
        assert_eq!(entry.header().mode().expect("a mode"), 0o600);
    }
}
