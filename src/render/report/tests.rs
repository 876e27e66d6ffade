//! Reports of recorded and written cases as text, exactly.

use super::*;
use crate::diagnosis::{Case, diagnose, fixture};
use crate::snapshot::Snapshot;
use crate::text::Screen;
use crate::view::report::Considered;
use k8s_openapi::jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

fn onboarding(snapshot: &Snapshot, now: Timestamp) -> Onboarding {
    let case = Case::new(snapshot, now);
    let diagnosis = diagnose(&case);
    let mut onboarding = Onboarding::new(&case, diagnosis);
    fixture::settle(&mut onboarding);
    onboarding
}

fn of(cases: &[&str]) -> Report {
    let all = cases
        .iter()
        .map(|c| onboarding(&fixture::snapshot(c), fixture::meta(c).now));
    Report::new(all.collect(), None, Vec::new())
}

fn printed(report: &Report, width: Option<usize>) -> String {
    printed_with(report, width, None)
}

fn printed_with(report: &Report, width: Option<usize>, details: Option<usize>) -> String {
    let style = Style {
        width,
        namespaced: false,
        details,
        seconds: Some(0.2),
        palette: Palette::new(false),
    };
    let mut out = Vec::new();
    write(&mut Screen::new(&mut out), report, style).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_database_that_exists() {
    insta::assert_snapshot!(printed(&of(&["database-exists"]), Some(80)), @r#"
    skvs-onboarding-iota--database (database pds_database): failing for 45s, Flux
      has stopped retrying

    error[SKVS301]: the database pds_database already exists, so its creation Job
      fails
      --> Job core/pds-database-create

      Why    The chart creates the database once, before anything else, and refuses
             to take over an existing one.
             skvs-onboarding-pds--database owns it and is Ready.
             The onboarding's name implies another database: the manifest may be a
             copy in which a value was forgotten.
      Seen   HelmRelease   Released=False InstallFailed: failed pre-install: failed
               early due to stalled resources: [Job/core/pds-database-create status:
               'Failed']
             Pod core/pds-database-create-8kk64   container create exited 22
               curl: (22) The requested URL returned error: 412
             HelmRelease skvs-onboarding-pds--database   claims pds_database too
      Do     Two teams asked for the same name. Give this onboarding another
             database name in its manifest.
             If both are the same team, remove this manifest and add its service
             account to the other one.
             kubectl skvs describe -n flux-system skvs-onboarding-pds--database --context prod-east
      Then   Flux has stopped retrying; once the manifest changes, it starts again
             on its own. Whether the creation Job succeeded is unknown: if it did
             not, first remove the failed release (helm uninstall), because an
             upgrade does not run the Job.

      = SKVS110 follows from this: install retries exhausted after 1 failure
        (spec.install.remediation.retries: 0)
      = more: kubectl skvs explain SKVS301

    1 onboarding, 1 error. 19 checks run in 0.2 s
    "#);
}

#[test]
fn causes_without_details_are_in_the_overview_at_the_end() {
    let cases = [
        "database-exists",
        "target-namespace-missing",
        "image-not-pulled",
    ];
    let text = printed_with(&of(&cases), Some(100), Some(1));
    assert_eq!(text.matches("\n  Why ").count(), 1, "{text}");
    assert!(text.contains("Not shown in full: 2 causes"), "{text}");
    let (_, end) = text.split_once("Not shown in full").unwrap();
    for code in ["SKVS301", "SKVS101", "SKVS306"] {
        assert!(end.contains(code), "{code}: {text}");
    }
    let whole = printed_with(&of(&cases), Some(100), None);
    assert_eq!(whole.matches("\n  Why ").count(), 3, "{whole}");
    assert!(!whole.contains("Not shown in full"), "{whole}");
}

#[test]
fn a_healthy_onboarding_is_one_line() {
    insta::assert_snapshot!(printed(&of(&["ready"]), None), @r#"skvs-onboarding-pds--database (database pds_database): Ready for 101s. 19 checks run in 0.2 s, nothing found (Flux and the HelmRelease; the chart and its source; the database and its creation Job; access)"#);
}

#[test]
fn what_was_not_looked_at_whole_is_not_told_as_looked_at() {
    let mut report = of(&["ready"]);
    let not_run = |codes: &[&'static str]| crate::diagnosis::NotRun {
        codes: codes.to_vec(),
        what: "a".to_owned(),
        why: "b".to_owned(),
    };
    report.onboardings[0].not_run = vec![not_run(&["SKVS203", "SKVS410"])];
    let told = printed(&report, None);
    let whole = "nothing found (Flux and the HelmRelease; the database and its creation Job), ";
    assert!(told.contains(whole), "{told}");
    let all = not_run(&["SKVS101", "SKVS203", "SKVS302", "SKVS410"]);
    report.onboardings[0].not_run = vec![all];
    let told = printed(&report, None);
    assert!(told.contains("nothing found, 4 not run"), "{told}");
}

#[test]
fn one_cause_of_several_onboardings_is_told_once() {
    let mut second = fixture::snapshot("target-namespace-missing");
    second.helm_release.metadata.name = "skvs-onboarding-b--main".to_owned();
    second.helm_release.status.history[0].name = "nope-skvs-onboarding-b--main".to_owned();
    let now = fixture::meta("target-namespace-missing").now;
    let mut all = of(&["suspended", "target-namespace-missing"]).onboardings;
    all.push(onboarding(&second, now));
    let considered = Considered {
        onboardings: 12,
        namespace: None,
    };
    let report = Report::new(all, Some(considered), Vec::new());
    assert_eq!(
        (report.totals.errors, report.totals.warnings),
        (1, 2),
        "as json tells it"
    );
    insta::assert_snapshot!(printed(&report, Some(80)), @r#"
    error[SKVS101]: the namespace nope does not exist
      --> Namespace nope

      Hits   skvs-onboarding-a--missing-target (database a_main): failing for 33s,
               Flux has stopped retrying
             skvs-onboarding-b--main (database a_main): failing for 33s, Flux has
               stopped retrying
      Why    The chart is installed into this namespace (spec.targetNamespace), and
             Flux only creates it if spec.install.createNamespace is set.
      Seen   HelmRelease skvs-onboarding-a--missing-target   Released=False
               InstallFailed: failed pre-install: warning: Hook pre-install
               secure-kvs-onboarding/templates/database-creation-job.yaml failed:
               server-side apply failed for object nope/a-main-create batch/v1,
               Kind=Job: namespaces "nope" not found
             Namespace nope   not found
      Do     If the name is wrong, correct spec.targetNamespace in the manifest.
             If it is right, create the namespace, with everything the creation Job
             needs:
             kubectl create namespace nope --context prod-east
             kubectl create serviceaccount -n nope agora-kvs --context prod-east
      Then   Flux has stopped retrying. Remove the failed release first: the next
             attempt would be an upgrade of the failed revision, which does not
             create the database. Make it start again:
             helm uninstall -n flux-system nope-skvs-onboarding-a--missing-target --kube-context prod-east
             kubectl annotate -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-a--missing-target --overwrite --field-manager=flux-client-side-apply reconcile.fluxcd.io/requestedAt=2026-11-23T20:21:00Z reconcile.fluxcd.io/resetAt=2026-11-23T20:21:00Z --context prod-east
             helm uninstall -n flux-system nope-skvs-onboarding-b--main --kube-context prod-east
             kubectl annotate -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-b--main --overwrite --field-manager=flux-client-side-apply reconcile.fluxcd.io/requestedAt=2026-11-23T20:21:00Z reconcile.fluxcd.io/resetAt=2026-11-23T20:21:00Z --context prod-east

      = SKVS110 follows from this: install retries exhausted after 3 failures
        (spec.install.remediation.retries: 2)
      = more: kubectl skvs explain SKVS101

    skvs-onboarding-b--main (database a_main): failing for 33s, Flux has stopped
      retrying

    warning[SKVS302]: 2 onboardings claim the database a_main
      --> Database a_main

      Why    Only one of them can create it.
      Seen   HelmRelease skvs-onboarding-a--missing-target   Ready=False: install
               failed: namespace "nope" not found (retries exhausted)
             HelmRelease   Ready=False: install failed: namespace "nope" not found
               (retries exhausted)
      Do     Keep one. Remove the other, and give its team another database or add
             its service accounts to the remaining onboarding.
             kubectl skvs list -A -o wide --database a_main --context prod-east

      = more: kubectl skvs explain SKVS302

    skvs-onboarding-i--suspended (database i_main): suspended

    warning[SKVS107]: it is suspended: Flux does nothing for it
      --> HelmRelease

      Why    Whether anything was installed is not known: its status names no
             release, and Helm's revisions were not read (not in the saved files).
      Seen   HelmRelease   suspend: true
      Do     Ask first who suspended it and why: the entry in managedFields with
             f:suspend names the writer.
             kubectl get -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-i--suspended -o yaml --show-managed-fields --context prod-east
             To resume, remove suspend from the manifest, or do as follows.
      Then   It is suspended: Flux does nothing until it is resumed.
             kubectl patch -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-i--suspended --type=merge '-p={"spec":{"suspend":false}}' --context prod-east

      = more: kubectl skvs explain SKVS107

    3 of 12 onboardings looked into, 1 error on 2 onboardings, 2 warnings. 19 checks
      run on each in 0.2 s
    "#);
}

/// `count` onboardings whose namespace is missing, each with a sentence of its own, and two that are suspended.
fn many(count: usize) -> Report {
    let now = fixture::meta("target-namespace-missing").now;
    let mut all = Vec::new();
    for number in 0..count {
        let mut snapshot = fixture::snapshot("target-namespace-missing");
        snapshot.helm_release.metadata.name = format!("skvs-onboarding-team{number}--main");
        let mut one = onboarding(&snapshot, now);
        one.database = Some(format!("team{number}_main"));
        one.findings.truncate(1);
        one.findings[0].found.sentence = format!("team{number} cannot be installed into nope");
        all.push(one);
    }
    for number in 0..2 {
        let mut snapshot = fixture::snapshot("suspended");
        snapshot.helm_release.metadata.name = format!("skvs-onboarding-late{number}--main");
        let mut one = onboarding(&snapshot, now);
        one.findings.retain(|f| f.code == "SKVS107");
        all.push(one);
    }
    Report::new(all, None, Vec::new())
}

#[test]
fn a_cause_of_many_has_one_line_before_all_and_some_of_its_names() {
    let text = printed(&many(17), Some(60));
    let (before, rest) = text.split_once("  Why ").unwrap();
    insta::assert_snapshot!(before, @r"
    error    17 onboardings: the target namespace does not
               exist: Namespace nope (SKVS101)
    warning  2 onboardings: it is suspended: Flux does nothing
               for it (SKVS107)

    error[SKVS101]: the target namespace does not exist:
      Namespace nope
      --> Namespace nope

      Hits   skvs-onboarding-team0--main (database team0_main):
               team0 cannot be installed into nope
             skvs-onboarding-team1--main (database team1_main):
               team1 cannot be installed into nope
             skvs-onboarding-team10--main (database
               team10_main): team10 cannot be installed into
               nope
             skvs-onboarding-team11--main (database
               team11_main): team11 cannot be installed into
               nope
             skvs-onboarding-team12--main (database
               team12_main): team12 cannot be installed into
               nope
             skvs-onboarding-team13--main (database
               team13_main): team13 cannot be installed into
               nope
             skvs-onboarding-team14--main (database
               team14_main): team14 cannot be installed into
               nope
             skvs-onboarding-team15--main (database
               team15_main): team15 cannot be installed into
               nope
             and 9 more (-o json lists them)
    ");
    assert!(rest.contains("and so for 9 onboardings more (-o"), "{rest}");
    insta::assert_snapshot!(text.lines().rev().nth(1).unwrap(), @r"19 onboardings, 1 error on 17 onboardings, 2 warnings. 19");
}

#[test]
fn where_and_when_stand_under_the_first_cause_of_a_text_alone() {
    let origin = crate::advice::Origin::example();
    let now: Timestamp = "2026-11-27T09:41:30Z".parse().unwrap();
    let at = |cases: &[&str]| of(cases).seen_at(&origin, Some(now));
    let report = at(&["database-exists", "target-namespace-missing", "suspended"]);
    let text = printed(&report, Some(80));
    let line = "  context prod-east, https://10.20.0.1:6443, 2026-11-27 09:41 UTC\n";
    assert_eq!(text.matches(line).count(), 1, "{text}");
    assert_eq!(text.matches("09:41").count(), 1, "{text}");
    let (before, after) = text.split_once(line).unwrap();
    assert_eq!(before.matches("error[").count(), 1, "{before}");
    assert!(before.lines().last().unwrap().starts_with("  --> "));
    assert!(after.starts_with('\n'), "{after}");
    assert!(printed(&report, Some(30)).contains(
        "\n  context prod-east,\n    https://10.20.0.1:6443,\n    2026-11-27 09:41 UTC\n"
    ));
    let json = serde_json::to_string(&report).unwrap();
    assert!(
        !json.contains("09:41") && !json.contains("10.20.0.1"),
        "{json}"
    );
    // Nothing found, nothing said.
    assert!(!printed(&at(&["ready-and-drift-corrected-middle"]), None).contains("prod-east"));
    // What kubectl saved does not say where it is from.
    let saved = of(&["database-exists"]).seen_at(&crate::advice::Origin::default(), None);
    assert!(printed(&saved, None).contains("\n  saved files: cluster and time unknown\n"));
}

#[test]
fn what_is_left_out_is_counted() {
    let mut report = many(1);
    report.onboardings[1].ignore(|code| code == "SKVS107");
    let mut report = Report::new(report.onboardings, None, Vec::new());
    report.show(Severity::Error);
    assert_eq!(
        (
            report.totals.errors,
            report.totals.warnings,
            report.totals.ignored
        ),
        (1, 1, 1)
    );
    assert_eq!((report.causes.len(), report.totals.not_shown), (1, 1));
    assert_eq!(report.totals.worst(), Some(Severity::Error));
    let text = printed(&report, Some(80));
    let end: Vec<&str> = text.lines().rev().take(6).collect();
    let end: Vec<&str> = end.into_iter().rev().collect();
    insta::assert_snapshot!(end.join("\n"), @r"
      = more: kubectl skvs explain SKVS101

    skvs-onboarding-late1--main (database i_main): suspended; 1 finding not shown
    skvs-onboarding-late0--main (database i_main): suspended; SKVS107 ignored
    Not shown: 1 warning (less severe than --severity asks for)
    3 onboardings, 1 error, 1 warning, 1 ignored. 19 checks run on each in 0.2 s
    ");
    report.onboardings.remove(0);
    let rest = Report::new(report.onboardings, None, Vec::new());
    assert!(!printed(&rest, None).contains("nothing found"));
}

#[test]
fn what_was_not_read_is_told() {
    insta::assert_snapshot!(printed(&of(&["database-exists-log-forbidden"]), None).lines().last().unwrap(), @"1 onboarding, 1 error, 1 warning. 19 checks run in 0.2 s, 6 not run: the log of the creation Job, CouchDB's Service (forbidden: get pods/log in core)");
}

#[test]
fn no_width_breaks_a_command() {
    for name in fixture::names() {
        let wide = printed(&of(&[&name]), None);
        let narrow = printed(&of(&[&name]), Some(40));
        for command in wide
            .lines()
            .map(str::trim)
            .filter(|l| l.starts_with("kubectl "))
        {
            assert!(
                narrow.lines().any(|l| l.trim() == command),
                "{name}: {command}"
            );
        }
    }
}

/// What a broken controller or a hostile user could write.
fn anything() -> impl Strategy<Value = String> {
    let texts = [
        "Helm install failed: failed pre-install: ",
        "failed early due to stalled resources: [Job/core/x status: 'Failed'",
        "timeout waiting for: [",
        "namespaces \"",
        "\" not found",
        "User \"system:serviceaccount:",
        "\" cannot list resource \"secrets\" in API group \"\" in the namespace \"",
        "dependency 'a/b' is not ready",
        "HelmChart 'a/b' is not ready: ",
        "no chart name found",
        " : 401",
        "install retries exhausted",
        "\n\nLast Helm logs:\n\n",
        "\u{1b}[2J\u{202e}\r\u{9b}",
        "curl: (22) The requested URL returned error: 412",
    ];
    let piece = prop_oneof![
        proptest::sample::select(texts.to_vec()).prop_map(str::to_owned),
        "\\PC{0,8}",
        any::<String>()
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|p| p.concat())
}

/// A JSON value of any kind, so that objects break in every place.
fn broken() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!([null, 1, {}])),
        any::<i64>().prop_map(Value::from),
        anything().prop_map(Value::from)
    ]
}

/// Puts `value` at the `at`-th place of `object`, counted over all places in it.
fn break_at(object: &mut Value, at: &mut usize, value: &Value) {
    if *at == 0 {
        *object = value.clone();
    }
    *at = at.wrapping_sub(1);
    match object {
        Value::Object(map) => map.values_mut().for_each(|v| break_at(v, at, value)),
        Value::Array(all) => all.iter_mut().for_each(|v| break_at(v, at, value)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn nothing_a_cluster_says_panics_or_steers(
        case in proptest::sample::select(fixture::names()),
        reason in prop_oneof![Just("InstallFailed".to_owned()), Just("SourceNotReady".to_owned()), Just("ValuesError".to_owned()), anything()],
        message in anything(),
        name in anything(),
        log in anything(),
        at in 1usize..60,
        value in broken(),
        width in proptest::option::of(1usize..120),
    ) {
        let mut snapshot = fixture::snapshot(&case);
        snapshot.helm_release.metadata.name = name;
        for condition in snapshot.helm_release.status.conditions.edit() {
            condition.message = message.clone();
            condition.reason = reason.clone();
        }
        fixture::reread(&case, &mut snapshot, &mut |object| break_at(object, &mut at.clone(), &value));
        if let crate::snapshot::Read::Seen(job) = &mut snapshot.creation_job
            && let Some(pods) = job.pods.seen_mut()
        {
            for (_, text) in pods.known_mut().iter_mut().flat_map(|pod| &mut pod.logs) {
                *text = crate::snapshot::Read::Seen(log.clone()).into();
            }
        }
        let now = fixture::meta(&case).now;
        let report = Report::new(vec![onboarding(&snapshot, now)], None, Vec::new());
        let text = printed(&report, width);
        let bad = text.chars().find(|c| c.is_control() && *c != '\n' || ('\u{202a}'..='\u{202e}').contains(c));
        prop_assert!(bad.is_none(), "{bad:?} in {text}");
        let values = serde_json::to_string(&report).unwrap();
        prop_assert!(!values.contains("\\u001b"), "{values}");
    }
}
