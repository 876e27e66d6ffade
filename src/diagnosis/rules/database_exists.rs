//! SKVS301: the database already exists.

mod age;
mod unclaimed;

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::job::{Job, Outcome};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::condition::Stated;
use crate::model::convention::{Naming, naming};
use crate::model::helm_release::HelmRelease;
use crate::model::onboarding::Claim;
use crate::model::status::{self, Ready};
use crate::snapshot::IfRead;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS301",
    slug: "database-exists",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the database already exists",
    explanation: r#"A Job, the chart's pre-install hook, creates the database once, before anything else. CouchDB answers 412 if the database
already exists, and the Job fails: it does not take over someone's data.

There are three cases. Another onboarding has the database: two teams asked for one name. Or an earlier onboarding was
removed: removal deletes the authorization policy and leaves the database. Or an earlier attempt of this onboarding created
it and failed afterwards."#,
    fix: r#"See it: the log of the Job's pod ends with `curl: (22) The requested URL returned error: 412`. Its claimant and number of
documents: `kubectl skvs databases DATABASE -o wide`

- Another onboarding has it: give this one another `values.database` (then remove the failed release: Flux only upgrades it,
  and an upgrade does not create the database), or remove it and add its service account to the other.
- It was left behind and its data is not needed: remove this manifest, run `kubectl skvs delete-db DATABASE --backup FILE`,
  and restore the manifest. The deletion is refused while anything claims the database.
- It is this onboarding's own: it worked before, and its Helm Secrets were deleted since, or a restore dropped their labels.
  Put the labels back, or keep the database and skip the Job, as below.
- It was left behind and its data is needed: skip the Job (`values.databaseCreationJob.enabled: false`, if the chart's
  version has this value), so that only access is set up."#,
    example: r#"failed pre-install: failed early due to stalled resources: [Job/core/pds-database-create status: 'Failed']
curl: (22) The requested URL returned error: 412"#,
    // Trouble of the API server passes; the database is there at the next attempt too.
    explains: &["SKVS108", "SKVS110", "SKVS113", "SKVS303"],
    contradicted_by: &[Fact::JobComplete, Fact::Installed],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let death = match case.outcome_by_log()? {
        Some(Outcome::Exists(death)) => death,
        // An older attempt may have met it.
        Some(_) => return case.all_job_pods().map(|()| None),
        None => return Ok(None),
    };
    let database = case.database();
    let named = database
        .as_ref()
        .map_or("of this onboarding".to_owned(), String::clone);
    let mut finding = Job::died(case, death, format!("the database {named} already exists, so its creation Job fails"))
        .why("The chart creates the database once, before anything else, and refuses to take over an existing one.");
    finding = age::described(case, finding);
    let rivals = case.rivals();
    finding = match rivals.first() {
        Some(first) => taken(case, finding, first, &rivals),
        None => match case.unserved() {
            Some(why) => unserved(case, finding, &why),
            None => unclaimed::advised(case, finding, database.as_deref()),
        },
    };
    if let Claim::Database(database) = case.hr().claim()
        && naming(&case.hr().metadata.name, &database) == Naming::Contradicts
    {
        finding = finding.why("The onboarding's name implies another database: the manifest may be a copy in which a value was forgotten.");
    }
    finding.into()
}

/// Other onboardings claim it.
fn taken(
    case: &Case<'_>,
    mut finding: Finding,
    first: &HelmRelease,
    rivals: &[&HelmRelease],
) -> Finding {
    let owner = rivals
        .iter()
        .find(|r| status::ready(r) == Stated::Present(Ready::True));
    // By an older spec it may have created another database.
    let was_ready = rivals.iter().any(|r| status::shown(r) == Ready::True);
    let ready = match was_ready {
        true => "known to be Ready for its present spec",
        false => "Ready",
    };
    finding = match owner {
        Some(owner) => finding.why(format!("{} owns it and is Ready.", case.name_of(owner))),
        None => {
            let names: Vec<String> = rivals.iter().map(|r| case.name_of(r)).collect();
            finding.why(format!(
                "{} claims it too and is not {ready}: which one created it is unknown.",
                names.join(", ")
            ))
        }
    };
    for rival in rivals {
        let other = Subject::new(
            "HelmRelease",
            &rival.metadata.namespace,
            &rival.metadata.name,
        );
        let database = case.database().unwrap_or_default();
        finding = finding.seen([Evidence::new(
            other,
            ".spec.values",
            &format!("claims {database} too"),
        )]);
    }
    let shown = owner.copied().unwrap_or(first);
    finding
        .step("Two teams asked for the same name. Give this onboarding another database name in its manifest.")
        .step("If both are the same team, remove this manifest and add its service account to the other one.")
        .command(["kubectl", "skvs", "describe", "-n", &shown.metadata.namespace, &shown.metadata.name])
        .then(then(case, Fixes::Manifest))
}

/// Nobody else is seen to claim it, and what is in it cannot be seen: nothing is decided about it now.
fn unserved(case: &Case<'_>, finding: Finding, why: &str) -> Finding {
    let finding = finding.why(format!(
        "CouchDB cannot serve it at present ({why}), so its contents cannot be checked."
    ));
    let finding = match case.databases().if_read() {
        Some(asked) => finding
            .step("Fix CouchDB first; decide about the database once its documents can be counted. Look at CouchDB's pods:")
            .command(["kubectl", "get", "pods", "-n", &asked.namespace]),
        None => finding,
    };
    finding.then(then(case, Fixes::Back))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Finding, fixture};
    use crate::model::ownership::tests::Objects;
    use crate::snapshot::databases::{Answer, Database};
    use crate::snapshot::{Read, Snapshot, Why};
    use std::sync::Arc;

    /// Of a cluster on which everything that can claim was read: the HelmReleases of the case, and these objects.
    fn read_all(snapshot: &mut Snapshot, mut objects: Objects) {
        objects.helm_releases.push(snapshot.object.clone());
        snapshot.on_demand.ownership = Read::Seen(objects.ownership()).into();
    }

    fn found(snapshot: &Snapshot, name: &str) -> Finding {
        let case = crate::diagnosis::Case::new(snapshot, fixture::meta(name).now);
        super::check(&case).unwrap().expect("it is found")
    }

    fn with_all_read(name: &str) -> Finding {
        let mut snapshot = fixture::snapshot(name);
        read_all(&mut snapshot, Objects::default());
        found(&snapshot, name)
    }

    fn rehearses(finding: &Finding) -> bool {
        let commands = format!("{:?}", finding.fix);
        commands.contains("--dry-run") && !commands.contains("--backup")
    }

    #[test]
    fn what_couchdb_cannot_serve_is_not_offered_for_deletion() {
        let name = "database-left-behind";
        let mut snapshot = fixture::snapshot(name);
        read_all(&mut snapshot, Objects::default());
        assert!(format!("{:?}", found(&snapshot, name).fix).contains("delete-db"));
        let Read::Seen(asked) = snapshot.on_demand.databases.as_ref() else {
            panic!("the case has CouchDB's answer");
        };
        let mut asked = asked.clone();
        let why = "CouchDB answered 500 nodedown progress not possible".to_owned();
        asked
            .asked
            .insert("pds_database".to_owned(), Answer::Unserved { why });
        snapshot.on_demand.databases = Read::Seen(asked).into();
        let finding = found(&snapshot, name);
        let fix = format!("{:?}", finding.fix);
        assert!(!fix.contains("delete-db"), "{fix}");
        assert!(fix.contains("pods"), "{fix}");
        let why = finding.why.join(" ");
        assert!(
            why.contains("cannot serve it at present (CouchDB answered 500"),
            "{why}"
        );
    }

    #[test]
    fn a_database_that_stayed_when_its_onboarding_was_moved_is_its_own() {
        use crate::model::event::Event;
        use crate::snapshot::Listing;
        use serde_json::json;
        let name = "database-left-behind";
        let mut snapshot = fixture::snapshot(name);
        let hr = &snapshot.helm_release;
        let release = format!("{}/{}", hr.release_namespace(), hr.release_name());
        read_all(&mut snapshot, Objects::default());
        snapshot.helm_release.metadata.creation_timestamp = Some("2026-11-27T04:39:58Z".to_owned());
        let event = |reason: &str, message: &str, time: &str| {
            let time = format!("2026-11-27T{time}Z");
            Event::from_value(&json!({"reason": reason, "message": message, "lastTimestamp": time}))
        };
        let uninstall = |release: &str, chart: &str, time: &str| {
            let message = format!(
                "Helm uninstall succeeded for release {release}.v1 with chart {chart}@0.1.2"
            );
            event("UninstallSucceeded", &message, time)
        };
        let read = |events: Vec<Event>| Read::Seen(Listing::whole(events));
        const CHART: &str = "secure-kvs-onboarding";
        let own = uninstall(&release, CHART, "04:39:37");
        snapshot.on_demand.former_events = read(vec![own.clone()]);
        let labels = &mut snapshot.helm_release.metadata.labels;
        for (label, value) in crate::model::kustomization::LABELS
            .iter()
            .zip(["teams", "flux-system"])
        {
            labels.insert((*label).to_owned(), value.to_owned());
        }
        insta::assert_snapshot!(fixture::reasoned(found(&snapshot, name)), @"
        The chart creates the database once, before anything else, and refuses to take over an existing one.
        It is 2y271d older than this HelmRelease.
        A HelmRelease of this name was removed at 2026-11-27T04:39:37Z, and Flux uninstalled its release. The database stayed: it is most likely this onboarding's own and holds its team's data.
        The onboarding's name implies another database: the manifest may be a copy in which a value was forgotten.
        the database pds_database already exists, so its creation Job fails
        Do not delete it. Skip the creation Job: values.databaseCreationJob.enabled: false, if the chart has this value.
        It is applied by Kustomization flux-system/teams now. If it was moved there from another one, that one has pruned it: before the next move, annotate the HelmRelease in Git with kustomize.toolkit.fluxcd.io/prune: disabled, and move it after that is applied.
        ");
        for others in [
            vec![uninstall("core/another", CHART, "04:39:37")],
            vec![uninstall(&release, "nginx", "04:39:37")],
            // It was removed after this one was created, or had not been installed.
            vec![uninstall(&release, CHART, "04:41:00")],
            vec![
                event("InstallFailed", "Helm install failed", "04:30:00"),
                own,
            ],
        ] {
            snapshot.on_demand.former_events = read(others);
            assert!(format!("{:?}", found(&snapshot, name).fix).contains("delete-db"));
        }
        snapshot.on_demand.former_events = Read::failed("timeout");
        let unread = format!("{:?}", found(&snapshot, name));
        assert!(
            !unread.contains("--backup") && unread.contains("unknown"),
            "{unread}"
        );
        assert!(!unread.contains("a former owner"), "{unread}");
    }

    #[test]
    fn a_revision_of_its_own_that_was_in_use_is_its_own_data() {
        use base64::Engine;
        use base64::engine::general_purpose::STANDARD;
        let name = "database-left-behind";
        let mut snapshot = fixture::snapshot(name);
        let hr = &snapshot.helm_release;
        let (release, namespace) = (hr.release_name(), hr.storage_namespace().to_owned());
        let stored = serde_json::json!({"name": release, "namespace": "core", "version": 7, "info": {"status": "deployed"},
            "config": hr.spec.values, "chart": {"metadata": {"name": "secure-kvs-onboarding"}}});
        let secret = serde_json::json!({"metadata": {"namespace": namespace, "name": format!("sh.helm.release.v1.{release}.v7")},
            "data": {"release": STANDARD.encode(STANDARD.encode(stored.to_string()))}});
        let mut objects = Objects::default();
        objects.secrets.push(secret);
        read_all(&mut snapshot, objects);
        let finding = found(&snapshot, name);
        let told = format!("{finding:?}");
        assert!(
            told.contains("this onboarding's own") && told.contains("lost the labels"),
            "{told}"
        );
        assert!(
            told.contains("owner=helm") && told.contains("version=7"),
            "{told}"
        );
        for never in ["delete-db", "not needed", "it stayed when", "uninstall"] {
            assert!(!told.contains(never), "{never}: {told}");
        }
    }

    #[test]
    fn the_other_onboarding_is_named() {
        assert_eq!(
            fixture::sentence("database-exists", "SKVS301"),
            "the database pds_database already exists, so its creation Job fails"
        );
        let why = fixture::finding("database-exists", "SKVS301").why;
        assert_eq!(
            why[1],
            "skvs-onboarding-pds--database owns it and is Ready."
        );
        let mut snapshot = fixture::snapshot("database-exists");
        let Read::Seen(others) = Arc::make_mut(&mut snapshot.others) else {
            panic!("the fixture has others");
        };
        for other in others {
            other.metadata.generation += 1;
        }
        let found = found(&snapshot, "database-exists");
        assert_eq!(
            found.why[1],
            "skvs-onboarding-pds--database claims it too and is not known to be Ready for its present spec: which one created it is unknown."
        );
    }

    #[test]
    fn a_database_that_was_left_behind_can_be_deleted() {
        let finding = with_all_read("database-left-behind");
        assert_eq!(
            finding.why[1],
            "It is 2y267d older than this onboarding: a former owner of the name left it."
        );
        assert!(finding.why[2].starts_with("Nothing else claims it"));
        let told: Vec<&str> = finding
            .evidence
            .iter()
            .map(|e| e.observed.as_str())
            .collect();
        assert!(
            told.contains(
                &"1,204,311 documents, 3.3 GB on each copy, created 2024-03-01 00:00 UTC"
            ),
            "{told:?}"
        );
        let commands = format!("{:?}", finding.fix);
        assert!(
            commands.contains("delete-db") && commands.contains("--backup"),
            "{commands}"
        );
        assert!(!commands.contains("--dry-run"), "{commands}");
    }

    #[test]
    fn nothing_is_offered_for_deletion_before_it_is_known_whether_this_onboarding_was_installed() {
        let name = "database-left-behind";
        let mut snapshot = fixture::snapshot(name);
        read_all(&mut snapshot, Objects::default());
        let commands = |snapshot: &Snapshot| format!("{:?}", found(snapshot, name).fix);
        assert!(commands(&snapshot).contains("--backup"));
        snapshot.events = Read::Unknown(Why::Forbidden("list events".to_owned()));
        let finding = found(&snapshot, name);
        let doubt =
            "It is unknown whether this onboarding was installed before: forbidden (list events).";
        assert!(finding.why.iter().any(|why| why == doubt), "{finding:?}");
        let commands = commands(&snapshot);
        assert!(
            commands.contains("--dry-run") && !commands.contains("--backup"),
            "{commands}"
        );
    }

    #[test]
    fn an_attempt_that_was_not_read_may_have_created_it() {
        let cut = || {
            Some(Why::NotAsked(
                "only the newest 3 of its 5 pods were read".to_owned(),
            ))
        };
        let name = "database-left-behind";
        let mut snapshot = fixture::snapshot(name);
        let Read::Seen(asked) = snapshot.on_demand.databases.as_ref() else {
            panic!("the case has CouchDB's answer");
        };
        let mut asked = asked.clone();
        let empty = Answer::There(Database::default());
        asked.asked.insert("pds_database".to_owned(), empty);
        snapshot.on_demand.databases = Read::Seen(asked).into();
        read_all(&mut snapshot, Objects::default());
        let doubt = "It is unknown whether an earlier attempt of this Job created it: only the newest 3 of its 5 pods were read.";
        let has_doubt = |finding: &Finding| finding.why.iter().any(|why| why == doubt);
        let before = found(&snapshot, name);
        assert!(!has_doubt(&before) && !rehearses(&before), "{before:?}");
        let job = snapshot.creation_job.seen_mut().unwrap();
        job.pods.seen_mut().unwrap().lacks(cut());
        let after = found(&snapshot, name);
        assert!(has_doubt(&after) && rehearses(&after), "{after:?}");
        // One that is older than the onboarding is not of any of its attempts.
        let mut older = fixture::snapshot(name);
        read_all(&mut older, Objects::default());
        let job = older.creation_job.seen_mut().unwrap();
        job.pods.seen_mut().unwrap().lacks(cut());
        assert!(!has_doubt(&found(&older, name)));
    }

    #[test]
    fn an_attempt_that_was_not_read_may_have_met_it() {
        let name = "couchdb-unreachable";
        let mut snapshot = fixture::snapshot(name);
        let not_run = |snapshot: &Snapshot| {
            let case = crate::diagnosis::Case::new(snapshot, fixture::meta(name).now);
            super::check(&case).err().map(|unread| unread.why.clause())
        };
        assert_eq!(not_run(&snapshot), None);
        let job = snapshot.creation_job.seen_mut().unwrap();
        let why = Why::NotAsked("only the newest 3 of its 5 pods were read".to_owned());
        job.pods.seen_mut().unwrap().lacks(Some(why.clone()));
        assert_eq!(not_run(&snapshot), Some(why.clause()));
    }

    #[test]
    fn one_that_is_younger_was_not_left_by_an_earlier_onboarding() {
        let mut snapshot = fixture::snapshot("database-left-behind");
        snapshot.helm_release.metadata.creation_timestamp = Some("2024-02-01T00:00:00Z".to_owned());
        let now = fixture::meta("database-left-behind").now;
        let case = crate::diagnosis::Case::new(&snapshot, now);
        let Ok(Some(finding)) = super::check(&case) else {
            panic!("nothing found");
        };
        assert_eq!(finding.why[1], super::age::YOUNGER);
        assert!(
            finding.why[2].starts_with("Whether anything else claims it is unknown"),
            "{:?}",
            finding.why
        );
    }

    #[test]
    fn unread_onboardings_are_not_taken_for_none() {
        let finding = fixture::finding("database-exists-others-forbidden", "SKVS301");
        assert_eq!(
            finding.why[1],
            "Whether anything else claims it is unknown: forbidden (list helmreleases in flux-system)."
        );
        assert!(rehearses(&finding));
    }

    #[test]
    fn other_namespaces_that_were_not_read_are_not_taken_for_empty() {
        let finding = fixture::finding("database-exists-elsewhere-forbidden", "SKVS301");
        assert_eq!(
            finding.why[1],
            "Whether anything else claims it is unknown: none in flux-system does; other namespaces were not read: forbidden (list helmreleases in all namespaces)."
        );
        assert!(rehearses(&finding));
    }

    #[test]
    fn another_onboardings_unread_values_may_claim_it() {
        let finding = fixture::finding("database-exists-claim-unread", "SKVS301");
        assert_eq!(
            finding.why[1],
            "Whether anything else claims it is unknown: values of skvs-onboarding-hidden come from references that were not read."
        );
        assert!(rehearses(&finding));
    }

    #[test]
    fn without_a_name_no_deletion_is_offered() {
        let finding = fixture::finding("database-exists-own-values-unread", "SKVS301");
        assert_eq!(
            finding.sentence,
            "the database of this onboarding already exists, so its creation Job fails"
        );
        assert_eq!(
            finding.why[1],
            "Whether anything else claims it is unknown: this onboarding's values do not name its database."
        );
        assert!(!format!("{:?}", finding.fix).contains("delete-db"));
    }
}
