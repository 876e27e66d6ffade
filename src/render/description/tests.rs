//! Descriptions of recorded onboardings, as text and as JSON.

use super::*;
use crate::model::event::Event;
use crate::model::field::Fields;
use crate::model::helm_release::HelmRelease;
use crate::model::helm_storage::{self, Revision};
use crate::model::job::Job;
use crate::model::namespace::Namespace;
use crate::model::pod::Pod;
use crate::model::policy::Policy;
use crate::model::source::Source;
use crate::snapshot::{CreationJob, Events, JobPod, Listing, OnDemand, Parts, Snapshot};
use crate::text::Screen;
use crate::view::description::KIND;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// A snapshot of `tests/fixtures/describe/<case>/objects.json`. What is not in the file is absent or, where nothing names it,
/// not asked for. The kind `PodLog` is a log.
fn snapshot(case: &str) -> Snapshot {
    let path = format!(
        "{}/tests/fixtures/describe/{case}/objects.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let list: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let items = list["items"].as_array().unwrap();
    let of_kind = |kind: &str| -> Vec<Value> {
        let mut all: Vec<Value> = items
            .iter()
            .filter(|i| i["kind"] == kind)
            .cloned()
            .collect();
        all.reverse();
        all
    };
    let one = |kind: &str| match of_kind(kind).pop() {
        Some(object) => Read::Seen(object),
        None => Read::Absent,
    };
    let link = |kind: &str| one(kind).map(|object| Source::from_value(&object, kind));
    let events = |about: &[&str]| {
        let mut objects = of_kind("Event");
        objects.retain(|e| about.iter().any(|k| e["involvedObject"]["kind"] == *k));
        let mut events: Vec<Event> = objects.iter().map(Event::from_value).collect();
        crate::model::event::sort(&mut events);
        Read::Seen(Events::whole(events))
    };
    let logs = of_kind("PodLog");
    let pods = of_kind("Pod").into_iter().map(|pod| JobPod {
        logs: logs
            .iter()
            .filter(|l| l["pod"] == pod["metadata"]["name"])
            .map(|l| {
                let text = |key: &str| l[key].as_str().unwrap().to_owned();
                (text("container"), Read::Seen(text("log")).into())
            })
            .collect(),
        pod: Pod::from_value(&pod),
    });
    let object = of_kind("HelmRelease").pop().unwrap();
    let secret = one("Secret");
    Snapshot::new(Parts {
        origin: crate::advice::Origin::example(),
        helm_release: HelmRelease::from_value(&object).unwrap(),
        object,
        chart: link("HelmChart"),
        source: link("HelmRepository"),
        revisions: secret.as_ref().map(|s| {
            vec![Revision {
                secret: s["metadata"]["name"].as_str().unwrap().to_owned(),
                revision: 1,
                status: s["metadata"]["labels"]["status"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
                created: None,
            }]
        }),
        release: secret
            .as_ref()
            .map(|s| helm_storage::from_secret(s).unwrap()),
        first_release: Read::not_asked("one revision"),
        release_secret: secret.if_read().map(|s| {
            let text = |key: &str| s["metadata"][key].as_str().unwrap();
            format!("{}/{}", text("namespace"), text("name"))
        }),
        creation_job: one("Job").map(|job| CreationJob {
            job: Job::from_value(&job),
            pods: Read::Seen(Listing::whole(pods.collect())).into(),
            events: events(&["Job", "Pod"]).into(),
            of_database: Read::not_needed("one Job runs before the installation").into(),
        }),
        lost_job: None,
        gone_job: None,
        events: events(&["HelmRelease"]),
        target_namespace: one("Namespace").map(|object| Namespace::from_value(&object)),
        service_account: one("ServiceAccount").map(|o| Fields::new(&o).meta("ServiceAccount")),
        policy: Read::not_asked("the release's manifest names no AuthorizationPolicy"),
        dependencies: Vec::new(),
        others: Arc::new(Read::Seen(Vec::new())),
        not_elsewhere: None,
        on_demand: OnDemand::default(),
    })
}

fn now(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn text_of(snapshot: Snapshot, at: &str, width: Option<usize>) -> String {
    let mut out = Vec::new();
    write(
        &mut Screen::new(&mut out),
        &Description::new(snapshot, None),
        now(at),
        width,
    )
    .unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_failed_creation_job_is_told_with_its_log() {
    let text = text_of(snapshot("creation-job-fails"), "2026-11-23T22:31:00Z", None);
    insta::assert_snapshot!(text, @r#"
    Name:             skvs-onboarding-pds--database
    Namespace:        flux-system
    Database:         pds_database   (from the release notes, revision 1, which is failed)
    Endpoint:         http://steelcouch-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984   (encrypted, through Steelcouch, not installed yet)
    Service Accounts: pds/pds
    Status:           Not ready for 21m: install failed: Job core/pds-database-create failed (retries exhausted)
    Chart:            secure-kvs-onboarding 0.1.2   (wanted <0.2.0 from HelmRepository flux-system/wit-artifactory, up to date)
    Release:          core-skvs-onboarding-pds--database, revision 1, failed, in Secret flux-system/sh.helm.release.v1.core-skvs-onboarding-pds--database.v1
    Target Namespace: core   (Active)
    Installed as:     ServiceAccount flux-system/helm-controller
    Policy:           <unknown>   (the release's manifest names no AuthorizationPolicy)
    May change:       everything, namespace and database too: no revision was ever deployed
    Conditions:
      TYPE       STATUS   REASON            AGE   MESSAGE
      Stalled    True     RetriesExceeded   21m   Failed to install after 1 attempt(s)
      Ready      False    InstallFailed     21m   Helm install failed for release core/core-skvs-onboarding-pds--database with chart secure-kvs-onboarding@0.1.2: failed pre-install: failed early due to stalled resources: [Job/core/pds-database-create status: 'Failed']
      Released   False    InstallFailed     21m   Helm install failed for release core/core-skvs-onboarding-pds--database with chart secure-kvs-onboarding@0.1.2: failed pre-install: failed early due to stalled resources: [Job/core/pds-database-create status: 'Failed']
    History:
      REVISION   UPDATED   STATUS   CHART                         DESCRIPTION
      1          21m       failed   secure-kvs-onboarding-0.1.2   Release "core-skvs-onboarding-pds--database" failed: failed pre-install: failed early due to stalled resources: [Job/core/pds-database-create status: 'Failed']
    Creation Job:     core/pds-database-create   Failed 21m ago: BackoffLimitExceeded: Job has reached the specified backoff limit
      Pod pds-database-create-rx5pb   Failed
        container create exited 7
          curl: (7) Failed to connect to 127.0.0.1 port 5984 after 0 ms: Couldn't connect to server
      Pod pds-database-create-4mw7p   Failed
        container create exited 7
          curl: (7) Failed to connect to 127.0.0.1 port 5984 after 0 ms: Couldn't connect to server
    Job Events:
      Type      Reason                  Age   From                    Message
      ----      ------                  ---   ----                    -------
      Normal    SuccessfulCreate        21m   job-controller          Created pod: pds-database-create-4mw7p
      Normal    ProviderCreateSuccess   21m   node-a/pod-controller   Create pod in provider successfully
      Normal    Scheduled               21m   default-scheduler       Successfully assigned core/pds-database-create-4mw7p to node-a
      Normal    SuccessfulCreate        21m   job-controller          Created pod: pds-database-create-rx5pb
      Normal    ProviderCreateSuccess   21m   node-a/pod-controller   Create pod in provider successfully
      Normal    Scheduled               21m   default-scheduler       Successfully assigned core/pds-database-create-rx5pb to node-a
      Warning   BackoffLimitExceeded    21m   job-controller          Job has reached the specified backoff limit
    Events:
      Type      Reason             Age   From              Message
      ----      ------             ---   ----              -------
      Normal    HelmChartCreated   21m   helm-controller   Created HelmChart/flux-system/flux-system-skvs-onboarding-pds--database with SourceRef 'HelmRepository/flux-system/wit-artifactory'
      Warning   InstallFailed      21m   helm-controller   Helm install failed for release core/core-skvs-onboarding-pds--database with chart secure-kvs-onboarding@0.1.2: failed pre-install: failed early due to stalled resources: [Job/core/pds-database-create status: 'Failed'] (Helm's log: see -o json)
    "#);
}

#[test]
fn eighty_columns_are_enough() {
    let text = text_of(
        snapshot("creation-job-fails"),
        "2026-11-23T22:31:00Z",
        Some(80),
    );
    // Only a name may stand out: names are never cut.
    for line in text.lines().filter(|l| l.chars().count() > 80) {
        let (before, name) = line.rsplit_once(' ').unwrap();
        assert!(before.trim_end().len() <= 80 && name.len() > 25, "{line}");
    }
    insta::assert_snapshot!(text.lines().take(24).collect::<Vec<_>>().join("\n"), @r#"
    Name:             skvs-onboarding-pds--database
    Namespace:        flux-system
    Database:         pds_database   (from the release notes, revision 1, which is
                      failed)
    Endpoint:         http://steelcouch-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984
                      (encrypted, through Steelcouch, not installed yet)
    Service Accounts: pds/pds
    Status:           Not ready for 21m: install failed: Job
                      core/pds-database-create failed (retries exhausted)
    Chart:            secure-kvs-onboarding 0.1.2   (wanted <0.2.0 from
                      HelmRepository flux-system/wit-artifactory, up to date)
    Release:          core-skvs-onboarding-pds--database, revision 1, failed, in
                      Secret
                      flux-system/sh.helm.release.v1.core-skvs-onboarding-pds--database.v1
    Target Namespace: core   (Active)
    Installed as:     ServiceAccount flux-system/helm-controller
    Policy:           <unknown>   (the release's manifest names no
                      AuthorizationPolicy)
    May change:       everything, namespace and database too: no revision was ever
                      deployed
    Conditions:
      TYPE       STATUS   REASON            AGE   MESSAGE
      Stalled    True     RetriesExceeded   21m
        Failed to install after 1 attempt(s)
    "#);
}

#[test]
fn an_onboarding_of_an_old_controller_is_told() {
    // The runbook's own status, which helm-controller before 0.37 wrote.
    let text = text_of(snapshot("old-controller"), "2022-09-09T05:29:37Z", None);
    insta::assert_snapshot!(text, @r#"
    Name:             skvs-onboarding-pds--database
    Namespace:        flux-system
    Database:         pds_database   (from spec.values)
    Endpoint:         <none>
    Encryption:       true
    Service Accounts: pds/pds
    Status:           Not ready for 23h: install failed: namespace "core" not found (retries exhausted)
    Chart:            secure-kvs-onboarding 0.1.2+b066f00a   (wanted <0.2.0 from HelmRepository flux-system/wit-artifactory, its HelmChart does not exist, its source does not exist)
    Release:          <none>
    Target Namespace: core   (does not exist)
    Installed as:     ServiceAccount flux-system/helm-controller   (does not exist)
    Policy:           <unknown>   (the release's manifest names no AuthorizationPolicy)
    May change:       everything, namespace and database too: no revision was ever deployed
    Conditions:
      TYPE       STATUS   REASON          AGE   MESSAGE
      Ready      False    InstallFailed   23h   install retries exhausted
      Released   False    InstallFailed   23h   Helm install failed: failed pre-install: warning: Hook pre-install secure-kvs-onboarding/templates/database-creation-job.yaml failed: namespaces "core" not found (Helm's log: see -o json)
    History:          <none>
    Creation Job:     <none>
    Events:           <none>   (events are kept for an hour)
    "#);
}

#[test]
fn what_could_not_be_read_says_so_in_its_place() {
    let mut snapshot = snapshot("ready");
    let forbidden = |what: &str| Why::Forbidden(what.to_owned());
    snapshot.events = Read::Unknown(forbidden("list events in flux-system"));
    snapshot.release = Read::Unknown(forbidden("get secrets in flux-system"));
    snapshot.revisions = Read::Unknown(forbidden("list secrets in flux-system"));
    snapshot.creation_job = Read::not_asked("no release, failure or label names a Job");
    snapshot.target_namespace = Read::Unknown(Why::Failed("no answer in 30s".to_owned()));
    snapshot.others = Arc::new(Read::Unknown(forbidden("list helmreleases in flux-system")));
    let elsewhere = forbidden("list helmreleases in all namespaces");
    let told = Description::new(snapshot, Some(&elsewhere));
    let mut out = Vec::new();
    write(
        &mut Screen::new(&mut out),
        &told,
        now("2026-11-27T16:19:19Z"),
        None,
    )
    .unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
    Name:             skvs-onboarding-pds--database
    Namespace:        flux-system
    Database:         pds_database   (from spec.values)
    Endpoint:         not read: forbidden (get secrets in flux-system)
    Encryption:       true
    Service Accounts: pds/pds
    Status:           Ready for 3d20h
    Also claimed by:  not read: forbidden (list helmreleases in flux-system)
    Other claims:     not read in other namespaces: forbidden (list helmreleases in all namespaces)
    Chart:            secure-kvs-onboarding 0.1.2   (wanted <0.2.0 from HelmRepository flux-system/wit-artifactory, up to date, its source does not exist)
    Release:          not read: forbidden (get secrets in flux-system)
    Target Namespace: core   (not read: no answer in 30s)
    Installed as:     ServiceAccount flux-system/helm-controller   (does not exist)
    Policy:           <unknown>   (the release's manifest names no AuthorizationPolicy)
    May change:       service accounts. Never: namespace, database (created at install only). Avoid: encryption
    Conditions:
      TYPE       STATUS   REASON             AGE     MESSAGE
      Ready      True     InstallSucceeded   3d20h   Helm install succeeded for release core/core-skvs-onboarding-pds--database.v1 with chart secure-kvs-onboarding@0.1.2
      Released   True     InstallSucceeded   3d20h   Helm install succeeded for release core/core-skvs-onboarding-pds--database.v1 with chart secure-kvs-onboarding@0.1.2
    History:          as far as the status tells; the Secrets were not read: forbidden (list secrets in flux-system)
    Revisions:
      REVISION   UPDATED   STATUS     CHART                         DESCRIPTION
      1          3d20h     deployed   secure-kvs-onboarding-0.1.2   -
    Creation Job:     <unknown>   (no release, failure or label names a Job)
    Events:           not read: forbidden (list events in flux-system)
    "#);
    let value = serde_json::to_value(&told).unwrap();
    assert_eq!(
        value["events"],
        json!({"notRead": "forbidden (list events in flux-system)"})
    );
    assert_eq!(value["kind"], KIND);
    // The raw status is in it.
    assert_eq!(
        value["helmRelease"]["status"]["history"][0]["action"],
        "install"
    );
}

#[test]
fn notes_and_values_that_disagree_are_marked() {
    let mut snapshot = snapshot("creation-job-fails");
    let values = &mut snapshot.helm_release.spec.values;
    values["database"] = json!("orders");
    values["encryption"] = json!(false);
    let text = text_of(snapshot, "2026-11-23T22:31:00Z", None);
    let line = |key: &str| {
        text.lines()
            .find(|l| l.starts_with(key))
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        line("Database:"),
        "Database:         pds_database   (from the release notes, revision 1, which is failed, BUT spec.values say pds_orders)"
    );
    assert!(line("Endpoint:").ends_with("BUT spec.values.encryption is false)"));
}

#[test]
fn a_policy_that_leaves_an_account_out_is_marked() {
    let mut snapshot = snapshot("ready");
    snapshot.helm_release.spec.values["serviceAccounts"] = json!(["pds", "late"]);
    snapshot.policy = Read::Seen(Policy::from_value(&json!({"kind": "AuthorizationPolicy",
        "metadata": {"namespace": "secure-kvs", "name": "core-a"},
        "spec": {"rules": [{"from": [{"source": {"principals": ["cluster.local/ns/pds/sa/pds"]}}]}]}})));
    let text = text_of(snapshot, "2026-11-27T16:19:19Z", None);
    let policy = text.lines().find(|l| l.starts_with("Policy:")).unwrap();
    assert_eq!(
        policy,
        "Policy:           AuthorizationPolicy secure-kvs/core-a   (lets in pds/pds, BUT not pds/late)"
    );
}

#[test]
fn nothing_in_it_steers_a_terminal() {
    let mut snapshot = snapshot("creation-job-fails");
    let evil = "\u{1b}[2Jx\u{7}\n\u{1b}]0;t";
    snapshot.helm_release.metadata.name = evil.to_owned();
    for condition in snapshot.helm_release.status.conditions.edit() {
        condition.message = evil.to_owned();
        condition.reason = evil.to_owned();
    }
    if let Read::Seen(job) = &mut snapshot.creation_job {
        job.job.meta.name = evil.to_owned();
        if let Some(pods) = job.pods.seen_mut() {
            pods.known_mut()[0].logs[0].1 = Read::Seen(evil.to_owned()).into();
        }
    }
    let text = text_of(snapshot, "2026-11-23T22:31:00Z", Some(80));
    assert!(
        !text.chars().any(|c| c.is_control() && c != '\n'),
        "{text:?}"
    );
}

#[test]
fn a_value_that_values_from_may_bring_is_not_told_as_the_charts_default() {
    let mut read = snapshot("old-controller");
    read.object["spec"]["values"] = json!({"namespace": "pds", "database": "database"});
    read.object["spec"]["valuesFrom"] = json!([{"kind": "Secret", "name": "s"}]);
    read.helm_release = HelmRelease::from_value(&read.object).unwrap();
    let told = serde_json::to_value(Description::new(read.clone(), None)).unwrap();
    assert_eq!(
        told["valuesNotRead"],
        json!(["serviceAccounts", "encryption"])
    );
    let text = text_of(read, "2022-09-09T05:29:37Z", None);
    let lines: Vec<&str> = text
        .lines()
        .filter(|l| l.starts_with("Encryption") || l.starts_with("Service Accounts"))
        .collect();
    assert_eq!(
        lines,
        [
            "Encryption:       <unknown>   (valuesFrom is not read)",
            "Service Accounts: <unknown>   (valuesFrom is not read)"
        ]
    );
}

#[test]
fn events_that_are_not_all_say_so() {
    let mut snapshot = snapshot("creation-job-fails");
    let why = Why::Forbidden("list events in core".to_owned());
    let cut = Why::NotAsked("only the first 200 events were read".to_owned());
    snapshot.events = Read::Seen(Events::new(Vec::new(), Some(cut)));
    let Read::Seen(job) = &mut snapshot.creation_job else {
        panic!("the fixture has a Job");
    };
    let Some(events) = job.events.seen_mut() else {
        panic!("the fixture has its events");
    };
    assert!(!events.known().is_empty());
    events.lacks(Some(why));
    let older = Why::NotAsked("only the newest 3 of its 5 pods were read".to_owned());
    job.pods.seen_mut().unwrap().lacks(Some(older));
    let text = text_of(snapshot, "2026-11-23T22:31:00Z", None);
    assert!(
        text.contains(
            "\n  not all of them were read: forbidden (list events in core)\n\
             Events:           not all of them were read: only the first 200 events were read\n"
        ),
        "{text}"
    );
    let pods = "\n  not all of its pods are shown: only the newest 3 of its 5 pods were read\n";
    assert!(text.contains(pods), "{text}");
}

#[test]
fn claims_that_were_not_read_are_told_as_such() {
    let mut read = snapshot("old-controller");
    let id = |name: &str| json!({"name": name, "namespace": "flux-system"});
    let from = json!([{"kind": "Secret", "name": "s"}]);
    let other = json!({"metadata": id("other"), "spec": {"valuesFrom": from}});
    let other = HelmRelease::from_value(&other).unwrap();
    read.others = Arc::new(Read::Seen(vec![other]));
    let told = Description::new(read.clone(), None);
    assert_eq!(told.also_claimed_by, Read::Seen(Vec::new()));
    assert_eq!(told.maybe_claimed_by, ["flux-system/other"]);
    let text = text_of(read.clone(), "2022-09-09T05:29:37Z", None);
    let line = "\nMaybe claimed by: flux-system/other   (valuesFrom is not read)\n";
    assert!(text.contains(line), "{text}");
    // Its own database is not known: nor is who else claims it.
    read.object["spec"]["values"] = json!({});
    read.object["spec"]["valuesFrom"] = from;
    read.helm_release = HelmRelease::from_value(&read.object).unwrap();
    let text = text_of(read, "2022-09-09T05:29:37Z", None);
    let line =
        "\nAlso claimed by:  <unknown>   (its own values come from references that are not read)\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn before_anything_was_deployed_everything_may_be_changed() {
    let free = |case: &str, change: &dyn Fn(&mut Snapshot)| {
        let mut snapshot = snapshot(case);
        change(&mut snapshot);
        Description::new(snapshot, None).updates.is_free()
    };
    assert!(free("creation-job-fails", &|_| ()));
    assert!(!free("ready", &|_| ()));
    let without_release = |s: &mut Snapshot| {
        s.revisions = Read::Seen(Vec::new());
        s.release = Read::Absent;
        s.creation_job = Read::not_asked("nothing names a Job");
    };
    assert!(free("creation-job-fails", &without_release));
    // What may have been made, or was not read, is never told as free.
    let may_have_been_made: [&dyn Fn(&mut Snapshot); 5] = [
        &|s| s.helm_release.status.upgrade_failures = 1,
        &|s| s.revisions = Read::not_asked("forbidden"),
        &|s| {
            s.creation_job = Read::not_asked("forbidden");
            s.release = Read::not_asked("forbidden");
        },
        &|s| {
            if let Read::Seen(found) = &mut s.creation_job {
                let status = json!({"conditions": [{"type": "Complete", "status": "True"}]});
                found.job = Job::from_value(&json!({"status": status}));
            }
        },
        &|s| {
            if let Read::Seen(revisions) = &mut s.revisions {
                revisions[0].status = "superseded".to_owned();
            }
        },
    ];
    for change in may_have_been_made {
        assert!(!free("creation-job-fails", change));
    }
}

/// The line of the creation Job.
fn job_line(snapshot: Snapshot) -> String {
    let text = text_of(snapshot, "2026-11-23T22:31:00Z", None);
    let line = text.lines().find(|l| l.starts_with("Creation Job:"));
    line.unwrap()
        .trim_start_matches("Creation Job:")
        .trim()
        .to_owned()
}

#[test]
fn a_state_that_lasts_is_told_with_how_long() {
    let with = |status: Value| {
        let mut snapshot = snapshot("creation-job-fails");
        if let Read::Seen(found) = &mut snapshot.creation_job {
            let metadata = json!({"namespace": "core", "name": "pds-database-create"});
            found.job = Job::from_value(&json!({"metadata": metadata, "status": status}));
        }
        job_line(snapshot)
    };
    let start = "2026-11-23T22:13:00Z";
    assert_eq!(
        with(json!({"startTime": start, "active": 1})),
        "core/pds-database-create   Running for 18m"
    );
    assert_eq!(
        with(json!({"startTime": start})),
        "core/pds-database-create   Waiting for 18m"
    );
}

#[test]
fn only_a_job_that_was_there_is_gone() {
    let lost = |known: Vec<Event>, namespace: Read<Namespace>| {
        let mut snapshot = snapshot("creation-job-fails");
        snapshot.creation_job = Read::Absent;
        snapshot.target_namespace = namespace;
        snapshot.lost_job = Some(crate::snapshot::LostJob {
            namespace: "core".to_owned(),
            name: "a".to_owned(),
            events: Read::Seen(Events::whole(known)).into(),
        });
        job_line(snapshot)
    };
    let there = || Read::Seen(Namespace::default());
    assert_eq!(lost(vec![Event::default()], there()), "core/a is gone");
    assert_eq!(
        lost(Vec::new(), Read::Absent),
        "core/a does not exist, and neither does the namespace"
    );
    assert_eq!(
        lost(Vec::new(), there()),
        "core/a does not exist (any more)"
    );
}
