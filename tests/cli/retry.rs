//! `retry` against an API server's answers, with a helm of the test's own.

use crate::run::{Run, Told, skvs};
use crate::server::{Listener, helm_releases, status};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// An onboarding that Flux gave up because its namespace did not exist; it has been created since.
fn onboarding() -> Value {
    let message = "Helm install failed for release core/core-a with chart c@0.1.2: failed pre-install: warning: Hook pre-install c/templates/job.yaml failed: server-side apply failed for object core/pds-database-create batch/v1, Kind=Job: namespaces \"core\" not found";
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": status, "reason": reason, "message": message,
            "observedGeneration": 1, "lastTransitionTime": "2026-11-27T12:00:00Z"})
    };
    json!({"kind": "HelmRelease", "apiVersion": "helm.toolkit.fluxcd.io/v2",
    "metadata": {"name": "a", "namespace": "flux-system", "uid": "u", "resourceVersion": "7", "generation": 1},
    "spec": {"targetNamespace": "core", "releaseName": "core-a",
        "chart": {"spec": {"chart": "secure-kvs-onboarding", "sourceRef": {"kind": "HelmRepository", "name": "r"}}},
        "values": {"namespace": "pds", "database": "database"}},
    "status": {"observedGeneration": 1, "lastAttemptedGeneration": 1, "installFailures": 1, "failures": 1,
        "history": [{"name": "core-a", "namespace": "core", "version": 1, "status": "failed"}],
        "conditions": [
            condition("Stalled", "True", "RetriesExceeded", "Failed to install after 1 attempt(s)"),
            condition("Ready", "False", "InstallFailed", message),
            condition("Released", "False", "InstallFailed", message),
        ]}})
}

/// A revision's Secret without the revision's number.
const NO_NUMBER: &str = "no-number";

/// What the server holds.
#[derive(Clone)]
struct Cluster {
    /// The object, as each GET of it finds it; the last one stays.
    objects: Vec<Value>,
    /// The statuses of Helm's revisions; `None`: forbidden.
    revisions: Option<Vec<&'static str>>,
    /// Answers to changes that are not rehearsals, in order. A change with `None`, and any further one, is made.
    changes: Vec<Option<(u16, String)>>,
}

impl Cluster {
    fn new() -> Self {
        Self {
            objects: vec![onboarding()],
            revisions: Some(vec!["failed"]),
            changes: Vec::new(),
        }
    }

    fn of(object: Value) -> Self {
        Self {
            objects: vec![object],
            ..Self::new()
        }
    }
}

/// A release whose creation Job failed, as Helm stores it.
fn release(revision: u64) -> Value {
    use base64::Engine;
    use std::io::Write;
    let base64 = base64::engine::general_purpose::STANDARD;
    let release = json!({"name": "core-a", "namespace": "core", "version": revision, "info": {"status": "failed"}, "config": {"namespace": "pds", "database": "database"},
        "hooks": [{"name": "create", "kind": "Job", "events": ["pre-install"], "last_run": {"phase": "Failed"}}]});
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zip.write_all(release.to_string().as_bytes()).unwrap();
    let inner = base64.encode(zip.finish().unwrap());
    json!({"kind": "Secret", "apiVersion": "v1", "type": "helm.sh/release.v1",
        "metadata": {"name": format!("sh.helm.release.v1.core-a.v{revision}"), "namespace": "flux-system"},
        "data": {"release": base64.encode(inner)}})
}

/// A run's own helm: it writes its arguments and ends with this code.
struct Helm {
    folder: tempfile::TempDir,
}

impl Helm {
    fn new(exit: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("helm");
        let said = folder.path().join("said");
        let script = format!(
            "#!/bin/sh\nfor word; do printf '%s\\n' \"$word\"; done > {}\necho \"driver=$HELM_DRIVER server=$HELM_KUBEAPISERVER\" >> {}\nprintf 'release \"core-a\" \\033[1muninstalled\\n'\nexit {exit}\n",
            said.display(),
            said.display()
        );
        std::fs::write(&file, script).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    fn said(&self) -> PathBuf {
        self.folder.path().join("said")
    }

    /// Its arguments on one line; `None` if it was not run.
    fn words(&self) -> Option<String> {
        let said = std::fs::read_to_string(self.said()).ok()?;
        Some(said.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// A server that holds the cluster until helm has removed the release, and its log of changes.
fn server(cluster: Cluster, said: &Path) -> (Listener, Arc<Mutex<Vec<String>>>) {
    let changes = Arc::new(Mutex::new(Vec::new()));
    let (log, said) = (Arc::clone(&changes), said.to_owned());
    let reads = Mutex::new(0_usize);
    let refusals = Mutex::new(cluster.changes.clone().into_iter());
    let listener = Listener::reading(move |path, body| {
        let is_gone = said.exists();
        let removed = match is_gone {
            true => "after helm",
            false => "before helm",
        };
        if path.contains("fieldManager=") {
            let is_dry = path.contains("dryRun=All");
            let kind = if is_dry { "rehearsed" } else { "changed" };
            log.lock().unwrap().push(format!("{kind} {removed}"));
            if !is_dry && let Some(Some(refused)) = refusals.lock().unwrap().next() {
                return refused;
            }
            let patch: Value = serde_json::from_slice(body).unwrap();
            let mut object = cluster.objects[0].clone();
            object["metadata"]["annotations"] = patch["metadata"]["annotations"].clone();
            object["spec"]["suspend"] = patch["spec"]["suspend"].clone();
            let asked = patch["metadata"]["annotations"].as_object().unwrap();
            let asked: Vec<&str> = asked.keys().map(String::as_str).collect();
            log.lock().unwrap().push(asked.join(" "));
            return (200, object.to_string());
        }
        match path {
            path if path.contains("/helmreleases?") => (200, helm_releases(&[], "")),
            path if path.ends_with("/helmreleases/a") => {
                let mut reads = reads.lock().unwrap();
                let at = (*reads).min(cluster.objects.len() - 1);
                *reads += 1;
                (200, cluster.objects[at].to_string())
            }
            path if path.contains("/secrets?") => match &cluster.revisions {
                None => (403, status(403, "Forbidden", "no")),
                Some(all) => {
                    let all = all.iter().filter(|_| !is_gone).enumerate().map(|(at, status)| {
                        if *status == NO_NUMBER {
                            return json!({"metadata": {"name": NO_NUMBER}});
                        }
                        let name = format!("sh.helm.release.v1.core-a.v{}", at + 1);
                        json!({"metadata": {"name": name, "labels": {"status": status, "version": (at + 1).to_string()}}})
                    });
                    let list = json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
                        "metadata": {}, "items": all.collect::<Vec<_>>()});
                    (200, list.to_string())
                }
            },
            path if path.contains("/secrets/sh.helm") && !is_gone => {
                let (_, revision) = path.rsplit_once(".v").unwrap();
                (200, release(revision.parse().unwrap()).to_string())
            }
            path if path.ends_with("/namespaces/core") => (
                200,
                json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "core"}})
                    .to_string(),
            ),
            path if path.ends_with("/jobs") || path.contains("/jobs?") => (
                200,
                json!({"kind": "JobList", "apiVersion": "batch/v1", "metadata": {}, "items": []})
                    .to_string(),
            ),
            _ => {
                let mut absent: Value =
                    serde_json::from_str(&status(404, "NotFound", "not found")).unwrap();
                absent["details"] = json!({"name": "x", "kind": "x"});
                (404, absent.to_string())
            }
        }
    });
    (listener, changes)
}

const NAME: [&str; 5] = ["--context", "here", "--confirm", "a", "--no-exec"];

/// Runs `retry a` with these words; returns its output, helm's arguments and the changes.
fn retry(cluster: Cluster, words: &[&str], helm: Option<&Helm>) -> (Told, Vec<String>) {
    let nowhere = tempfile::tempdir().unwrap();
    let said = helm.map_or(nowhere.path().join("said"), Helm::said);
    let (server, changes) = server(cluster, &said);
    let words = [&["retry", "a"], words].concat();
    let mut run: Run = skvs(&words).server(&server.http());
    if let Some(helm) = helm {
        let folder = helm.folder.path().display().to_string();
        run = run
            .env("PATH", &format!("{folder}:/usr/bin:/bin"))
            .named(&folder, "HELM");
    }
    let told = run
        .env("HELM_DRIVER", "sql")
        .env("HELM_KUBEAPISERVER", "elsewhere")
        .run();
    let changes = changes.lock().unwrap().clone();
    (told, changes)
}

const RESET: &str = "reconcile.fluxcd.io/requestedAt reconcile.fluxcd.io/resetAt";

#[test]
fn what_failed_is_removed_by_the_users_helm_and_flux_is_asked_to_install_it() {
    let helm = Helm::new(0);
    let (told, changes) = retry(Cluster::new(), &NAME, Some(&helm));
    // How long it has failed depends on the day.
    let (before, rest) = told.stderr.split_once("failing for ").unwrap();
    let (_, after) = rest.split_once(',').unwrap();
    let stderr = format!("{before}failing for AGE,{after}");
    assert_eq!(told.code, Some(0), "{told}");
    assert_eq!(
        told.stdout,
        "helmrelease.helm.toolkit.fluxcd.io/a retried\n"
    );
    insta::assert_snapshot!(stderr, @r#"
    This removes a failed Helm release, and has Flux install it again.

      Context      here   http://SERVER
      TLS          not used: another server may answer for this one
      Onboarding   flux-system/a, database pds_database
      State        failing for AGE, Flux has stopped retrying
      Cause        SKVS101 the namespace core did not exist at Flux's last attempt
      Why          Flux has stopped retrying. Remove the failed release first: the next attempt would be an upgrade of the failed revision, which does not create the database. Make it start again
      Step 1       HELM/helm uninstall -n flux-system core-a --kube-apiserver http://SERVER/ --kube-context here
      Step 2       ask Flux for an attempt, with the failures counted from zero (annotations requestedAt and resetAt)

    release "core-a" ^[[1muninstalled
    hint: follow it: kubectl skvs troubleshoot a -n flux-system --wait --no-exec --context here
    "#);
    // The server that was read, whatever the kubeconfig says by now.
    let words = helm.words().unwrap();
    let (_, rest) = words
        .split_once("uninstall -n flux-system core-a --kube-apiserver http://127.0.0.1:")
        .unwrap();
    let (_, rest) = rest.split_once(' ').unwrap();
    assert_eq!(rest, "--kube-context here driver= server=");
    // The API server has checked the request before anything was removed.
    assert_eq!(
        changes,
        ["rehearsed before helm", RESET, "changed after helm", RESET]
    );
}

#[test]
fn a_rehearsal_runs_no_helm_and_changes_nothing() {
    let helm = Helm::new(0);
    let (told, changes) = retry(Cluster::new(), &["--dry-run", "--no-exec"], Some(&helm));
    assert_eq!(told.code, Some(0), "{told}");
    assert!(
        told.stdout.ends_with("a retried (server dry run)\n"),
        "{told}"
    );
    assert_eq!(
        (helm.words(), changes),
        (
            None,
            vec!["rehearsed before helm".to_owned(), RESET.to_owned()]
        )
    );
}

/// The document on stdout, without what depends on the day.
fn document(told: &Told) -> Value {
    let mut document: Value = serde_json::from_str(&told.stdout).unwrap_or_default();
    let state = document["state"].as_str().unwrap_or_default();
    let words = state.split_once(',').map_or("", |(_, words)| words);
    document["state"] = json!(words.trim());
    document
}

#[test]
fn a_script_is_told_what_was_done_and_why() {
    let helm = Helm::new(0);
    let words = [&NAME[..], &["-o", "json"]].concat();
    let (told, changes) = retry(Cluster::new(), &words, Some(&helm));
    assert_eq!((told.code, changes.len()), (Some(0), 4), "{told}");
    let mut requested = document(&told);
    let commands: Vec<String> = requested["steps"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .map(|step| step["command"].take().as_str().unwrap().to_owned())
        .collect();
    assert!(
        commands[0].starts_with("helm uninstall -n flux-system core-a --kube-apiserver http://"),
        "{told}"
    );
    assert!(
        commands[1].starts_with("kubectl annotate -n flux-system "),
        "{told}"
    );
    assert_eq!(
        requested,
        json!({"apiVersion": "skvs.kubectl.io/v1alpha1", "kind": "Retry", "context": "here", "outcome": "requested",
            "helmRelease": "flux-system/a", "database": "pds_database", "state": "Flux has stopped retrying",
            "causes": [{"code": "SKVS101", "object": {"kind": "Namespace", "name": "core"},
                "message": "the namespace core did not exist at Flux's last attempt", "excused": false}],
            "why": "Flux has stopped retrying. Remove the failed release first: the next attempt would be an upgrade of the failed revision, \
                which does not create the database. Make it start again",
            "steps": [{"act": "uninstall", "command": null}, {"act": "reset", "command": null}],
            "notRun": []})
    );
}

#[test]
fn a_document_says_that_nothing_was_done() {
    let helm = Helm::new(0);
    let rehearsal = ["--dry-run", "--no-exec", "-o", "json"];
    let (told, _) = retry(Cluster::new(), &rehearsal, Some(&helm));
    assert_eq!(told.code, Some(0), "{told}");
    assert_eq!(document(&told)["outcome"], "rehearsed", "{told}");

    let (told, changes) = retry(Cluster::new(), &rehearsal, None);
    assert_eq!((told.code, changes), (Some(1), vec![]), "{told}");
    assert_eq!(document(&told)["outcome"], "byHand", "{told}");

    // The release is gone, and Flux was not asked.
    let cluster = Cluster {
        changes: vec![Some((403, status(403, "Forbidden", "no")))],
        ..Cluster::new()
    };
    let words = [&NAME[..], &["-o", "json"]].concat();
    let (told, _) = retry(cluster, &words, Some(&helm));
    assert_eq!(told.code, Some(1), "{told}");
    assert_eq!(document(&told)["outcome"], "incomplete", "{told}");

    // It is not known whether helm removed anything.
    let words = [&NAME[..], &["-o", "json"]].concat();
    let (told, _) = retry(Cluster::new(), &words, Some(&Helm::new(1)));
    assert_eq!(told.code, Some(1), "{told}");
    assert_eq!(document(&told)["outcome"], "incomplete", "{told}");

    // The only change was refused, so nothing was changed.
    let cluster = Cluster {
        revisions: Some(Vec::new()),
        changes: vec![Some((403, status(403, "Forbidden", "no")))],
        ..Cluster::new()
    };
    let words = [&NAME[..], &["-o", "json"]].concat();
    let (told, _) = retry(cluster, &words, Some(&helm));
    assert_eq!((told.code, &*told.stdout), (Some(1), ""), "{told}");

    // Neither a refusal nor --wait prints a document.
    let helm = Helm::new(0);
    let cluster = Cluster {
        revisions: Some(vec!["deployed"]),
        ..Cluster::new()
    };
    let (told, _) = retry(cluster, &rehearsal, Some(&helm));
    assert_eq!((told.code, told.stdout.as_str()), (Some(4), ""), "{told}");
    let words = [&NAME[..], &["--wait", "-o", "json"]].concat();
    let (told, changes) = retry(Cluster::new(), &words, Some(&helm));
    assert_eq!((told.code, changes), (Some(2), vec![]), "{told}");
}

#[test]
fn without_helm_the_commands_are_printed_and_nothing_is_changed() {
    for words in [&NAME[..], &["--dry-run", "--no-exec", "--context", "here"]] {
        let (told, changes) = retry(Cluster::new(), words, None);
        assert_eq!((told.code, changes), (Some(1), vec![]), "{told}");
        let lines: Vec<&str> = told.stdout.lines().collect();
        assert_eq!(
            lines[0],
            "helm uninstall -n flux-system core-a --kube-apiserver http://SERVER/ --kube-context here"
        );
        assert!(
            lines[1].starts_with("kubectl annotate -n flux-system "),
            "{told}"
        );
        assert_eq!(lines.len(), 2, "{told}");
        assert!(
            told.stderr
                .contains("helm was not found on PATH: nothing was changed"),
            "{told}"
        );
    }
    // As another user than helm would be.
    let helm = Helm::new(0);
    let words = [&NAME[..], &["--user", "me"]].concat();
    let (told, changes) = retry(Cluster::new(), &words, Some(&helm));
    assert!(
        told.stderr
            .contains("--user cannot be passed to helm: nothing was changed"),
        "{told}"
    );
    assert_eq!((told.code, helm.words(), changes), (Some(1), None, vec![]));
}

/// Refused, with these words, and nothing was done.
#[track_caller]
fn refused(cluster: Cluster, words: &[&str], why: &str) {
    let helm = Helm::new(0);
    let (told, changes) = retry(cluster, words, Some(&helm));
    assert_eq!(
        (told.code, helm.words(), changes),
        (Some(4), None, vec![]),
        "{told}"
    );
    assert!(told.stderr.contains(why), "{told}");
    assert_eq!(told.stdout, "");
}

#[test]
fn what_was_deployed_or_is_not_known_is_refused() {
    let with = |revisions| Cluster {
        revisions,
        ..Cluster::new()
    };
    let deployed =
        "refused: revision 2 is deployed: a release that was ever deployed is not removed";
    refused(with(Some(vec!["failed", "deployed"])), &NAME, deployed);
    let unread = "refused: it is not known whether a revision was ever deployed: Helm's revisions were not read: forbidden";
    refused(with(None), &NAME, unread);
    let odd = "refused: revision 1 is uninstalled: it may have been deployed before";
    refused(with(Some(vec!["uninstalled"])), &NAME, odd);
    let nameless = "Helm's revisions were not read: ";
    refused(with(Some(vec!["failed", NO_NUMBER])), &NAME, nameless);
    let pending = "refused: revision 1 is pending-install";
    refused(with(Some(vec!["pending-install"])), &NAME, pending);
    let mut applied = onboarding();
    applied["status"]["lastAppliedRevision"] = json!("0.1.1");
    refused(
        Cluster::of(applied),
        &NAME,
        "has the chart 0.1.1 as applied",
    );
}

#[test]
fn one_that_is_suspended_asked_or_on_its_way_out_is_refused() {
    let with = |path: &str, value: Value| {
        let mut object = onboarding();
        let (parent, key) = path.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap()[key] = value;
        Cluster::of(object)
    };
    let suspended = "hint: Flux does nothing until it is resumed: kubectl skvs resume a -n flux-system --context here";
    refused(with("/spec/suspend", json!(true)), &NAME, suspended);
    let asked = json!({"reconcile.fluxcd.io/requestedAt": "1"});
    refused(
        with("/metadata/annotations", asked),
        &NAME,
        "Flux was asked for an attempt, and has not started it",
    );
    let gone = with("/metadata/deletionTimestamp", json!("2026-11-27T12:00:00Z"));
    refused(gone, &NAME, "\"a\" is being deleted; nothing was changed");
    refused(
        with("/metadata/generation", json!(2)),
        &NAME,
        "Flux has not taken up the present spec",
    );
}

#[test]
fn a_cause_that_is_left_is_named_and_can_be_excused() {
    let mut object = onboarding();
    for at in [1, 2] {
        object["status"]["conditions"][at]["message"] = json!(
            "Helm install failed for release core/core-a with chart c@0.1.2: failed pre-install: warning: Hook pre-install c/templates/job.yaml failed: server-side apply failed for object core/pds-database-create batch/v1, Kind=Job: namespaces \"elsewhere\" not found"
        );
    }
    let why = "refused: not seen to be fixed: ";
    refused(Cluster::of(object.clone()), &NAME, why);
    // A retry takes CouchDB's place from its own flags only, so the printed one has them again.
    let place = [&NAME[..], &["--couchdb-namespace", "kvs"]].concat();
    let excuse =
        "kubectl skvs retry a -n flux-system --no-exec --couchdb-namespace kvs --even-if SKVS101";
    refused(Cluster::of(object.clone()), &place, excuse);
    let helm = Helm::new(0);
    let words = [&NAME[..], &["--even-if", "skvs101", "--even-if", "SKVS304"]].concat();
    let (told, changes) = retry(Cluster::of(object), &words, Some(&helm));
    assert_eq!((told.code, changes.len()), (Some(0), 4), "{told}");
    assert!(
        told.stderr
            .contains("SKVS101 the namespace elsewhere did not exist"),
        "{told}"
    );
    assert!(told.stderr.contains("(--even-if)"), "{told}");
    assert!(
        told.stderr
            .contains("Warning: --even-if SKVS304 was not needed"),
        "{told}"
    );
    let (told, _) = retry(Cluster::new(), &["--even-if", "SKVS9999"], None);
    assert_eq!(told.code, Some(2), "{told}");
}

#[test]
fn it_is_confirmed_as_a_deletion_is() {
    let nobody = "not confirmed: without a terminal nobody can be asked";
    refused(Cluster::new(), &["--no-exec"], nobody);
    let other = "not confirmed: --confirm says \"b\", the HelmRelease is a";
    refused(
        Cluster::new(),
        &["--no-exec", "--context", "here", "--confirm", "b"],
        other,
    );
    let context = "--confirm needs --context";
    refused(Cluster::new(), &["--no-exec", "--confirm", "a"], context);
}

#[test]
fn what_changes_between_the_card_and_the_act_is_seen() {
    let after = |change: &dyn Fn(&mut Value)| {
        let mut changed = onboarding();
        change(&mut changed);
        Cluster {
            objects: vec![onboarding(), changed],
            ..Cluster::new()
        }
    };
    let asked = |o: &mut Value| {
        o["metadata"]["annotations"] = json!({"reconcile.fluxcd.io/requestedAt": "1"})
    };
    refused(
        after(&asked),
        &NAME,
        "hint: this was different when the card was shown",
    );
    refused(
        after(&|o| o["metadata"]["uid"] = json!("v")),
        &NAME,
        "refused: the HelmRelease was deleted and created again",
    );
    refused(
        after(&|o| o["spec"]["suspend"] = json!(true)),
        &NAME,
        "is suspended",
    );
}

/// What is decided with the release there is done without it.
#[test]
fn the_steps_that_were_confirmed_are_taken_after_the_removal() {
    let mut on_failure = onboarding();
    on_failure["spec"]["install"] = json!({"strategy": {"name": "RetryOnFailure"}});
    let conditions = on_failure["status"]["conditions"].as_array_mut().unwrap();
    conditions.remove(0);
    let mut many = onboarding();
    let entry = |version: u64| json!({"name": "core-a", "namespace": "core", "version": version, "status": "failed"});
    many["status"]["history"] = (3..=7).rev().map(entry).collect();
    let many = Cluster {
        revisions: Some(vec!["failed"; 7]),
        ..Cluster::of(many)
    };
    for cluster in [many, Cluster::of(on_failure)] {
        let helm = Helm::new(0);
        let (told, changes) = retry(cluster, &NAME, Some(&helm));
        assert_eq!(told.code, Some(0), "{told}");
        let all = ["rehearsed before helm", RESET, "changed after helm", RESET];
        assert_eq!(changes, all, "{told}");
    }
}

#[test]
fn after_a_removal_it_is_said_how_to_go_on() {
    let helm = Helm::new(0);
    let failing = (
        500,
        status(500, "InternalError", "etcdserver: request timed out"),
    );
    let cluster = Cluster {
        changes: vec![Some(failing)],
        ..Cluster::new()
    };
    let (told, changes) = retry(cluster, &NAME, Some(&helm));
    assert_eq!((told.code, changes.len()), (Some(1), 3), "{told}");
    for part in [
        "the release was removed, and Flux was not asked to install it: ",
        "it is not known whether it was changed; see: kubectl get -n flux-system",
        "to have it installed: kubectl skvs retry a -n flux-system --no-exec --context here",
    ] {
        assert!(told.stderr.contains(part), "{told}");
    }
    // After a conflict the change is tried again on the new object.
    let conflict = || (409, status(409, "Conflict", "the object has been modified"));
    let cluster = Cluster {
        changes: vec![Some(conflict()), Some(conflict())],
        ..Cluster::new()
    };
    let helm = Helm::new(0);
    let (told, changes) = retry(cluster, &NAME, Some(&helm));
    assert_eq!(
        (told.code, changes.last().map(String::as_str)),
        (Some(0), Some(RESET)),
        "{told}"
    );
}

#[test]
fn a_helm_that_fails_ends_it_before_flux_is_asked() {
    let helm = Helm::new(1);
    let (told, changes) = retry(Cluster::new(), &NAME, Some(&helm));
    assert_eq!(
        (told.code, changes),
        (
            Some(1),
            vec!["rehearsed before helm".to_owned(), RESET.to_owned()]
        ),
        "{told}"
    );
    assert!(
        told.stderr.contains(
            "it is not known whether the release was removed: helm ended with exit status: 1"
        ),
        "{told}"
    );
    assert!(
        told.stderr.contains("Flux was not asked for anything"),
        "{told}"
    );
}

/// Before 0.37 only a changed spec makes Flux start again.
#[test]
fn an_old_controller_is_made_to_start_by_a_suspend_and_a_resume() {
    let mut object = onboarding();
    let failure = object["status"]["conditions"][2]["message"].clone();
    object["status"] = json!({"lastReleaseRevision": 1, "installFailures": 1, "failures": 1, "conditions": [
        {"type": "Ready", "status": "False", "reason": "InstallFailed", "message": "install retries exhausted"},
        {"type": "Released", "status": "False", "reason": "InstallFailed", "message": failure},
    ]});
    let record = ["at", "by", "generation", "reason"];
    let record = record.map(|field| format!("skvs.kubectl.io/suspended-{field}"));
    let record = record.join(" ");
    let helm = Helm::new(0);
    let (told, changes) = retry(Cluster::of(object.clone()), &NAME, Some(&helm));
    assert_eq!(told.code, Some(0), "{told}");
    assert!(
        told.stderr.contains("suspend it (spec.suspend: true)"),
        "{told}"
    );
    let expected = [
        "rehearsed before helm",
        "changed after helm",
        "changed after helm",
    ];
    let expected = expected.map(|change| [change.to_owned(), record.clone()]);
    assert_eq!(changes, expected.concat());
    // It does not stay suspended in silence.
    let forbidden = (403, status(403, "Forbidden", "no"));
    let cluster = Cluster {
        changes: vec![None, Some(forbidden)],
        ..Cluster::of(object)
    };
    let (told, _) = retry(cluster, &NAME, Some(&Helm::new(0)));
    assert_eq!((told.code, told.stdout.as_str()), (Some(1), ""), "{told}");
    let resume = "hint: it is still suspended: kubectl skvs resume a -n flux-system --context here";
    assert!(told.stderr.contains(resume), "{told}");
}
