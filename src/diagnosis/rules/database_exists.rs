//! SKVS301: the database already exists.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::deletion::{self, Deletion};
use crate::diagnosis::finding::Subject;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::flux_commands::kubectl;
use crate::diagnosis::job::{Death, Job, Outcome};
use crate::diagnosis::retries::{Fixes, then, upgrade};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::convention::{Naming, naming};
use crate::model::helm_release::HelmRelease;
use crate::model::onboarding::Claim;
use crate::model::status;
use crate::snapshot::IfRead;
use crate::snapshot::databases::{Database, Found};
use crate::text::age::duration;
use crate::text::{bytes, thousands};
use k8s_openapi::jiff::Timestamp;

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
    let Some(Outcome::Exists(death)) = case.outcome_by_log()? else {
        return Ok(None);
    };
    let database = case.database();
    let named = database
        .as_ref()
        .map_or("of this onboarding".to_owned(), String::clone);
    let mut finding = Job::died(case, death, format!("the database {named} already exists, so its creation Job fails"))
        .why("The chart creates the database once, before anything else, and refuses to take over an existing one.");
    finding = facts(case, finding);
    let rivals = case.rivals();
    finding = match rivals.first() {
        Some(first) => taken(case, finding, first, &rivals),
        None => match case.unserved() {
            Some(why) => unserved(case, finding, &why),
            None => left(case, finding, database.as_deref()),
        },
    };
    if let Claim::Database(database) = case.hr().claim()
        && naming(&case.hr().metadata.name, &database) == Naming::Contradicts
    {
        finding = finding.why("The onboarding's name implies another database: the manifest may be a copy in which a value was forgotten.");
    }
    finding.into()
}

/// Adds CouchDB's view of the database: its size, and whether it is older than this onboarding.
fn facts(case: &Case<'_>, finding: Finding) -> Finding {
    let database = case.database().unwrap_or_default();
    let found = match case.in_couchdb() {
        Ok(Some(Found::Served(found))) => found,
        Ok(Some(Found::Unserved(_))) | Err(_) => return finding,
        Ok(None) => {
            return finding.why(format!(
                "CouchDB no longer has {database}: let Flux try again."
            ));
        }
    };
    let pod = case.databases().if_read();
    let pod = pod.map(|d| Subject::new("Pod", &d.namespace, &d.pod));
    let mut parts = Vec::new();
    if let Some(documents) = found.documents {
        parts.push(format!("{} documents", thousands(documents)));
    }
    if let Some(size) = found.bytes {
        parts.push(format!("{} on each copy", bytes(size)));
    }
    let created = found
        .created
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    if let Some(created) = created {
        parts.push(format!(
            "created {}",
            created.strftime("%Y-%m-%d %H:%M UTC")
        ));
    }
    let finding = finding.seen(
        pod.filter(|_| !parts.is_empty())
            .map(|pod| Evidence::new(pod, &format!("GET /{database}"), &parts.join(", "))),
    );
    match older(case, &found) {
        Some(seconds) if seconds > 0 => finding.why(format!(
            "It is {} older than this onboarding: a former owner of the name left it.",
            duration(seconds)
        )),
        Some(_) => finding.why(YOUNGER),
        None => finding,
    }
}

/// What its age says of a database that was made while this onboarding was there.
const YOUNGER: &str =
    "It is younger than this onboarding: an earlier attempt, or another onboarding, created it.";

/// Clocks may differ by this many seconds.
const SKEW: i64 = 30;

/// By how many seconds the database is older than the onboarding; below zero it is younger. `None` where nothing tells.
fn older(case: &Case<'_>, found: &Database) -> Option<i64> {
    let since = case.hr().metadata.creation_timestamp.as_deref()?;
    let since: Timestamp = since.parse().ok()?;
    let older = since.as_second().checked_sub(found.created?)?;
    (older.unsigned_abs() > SKEW.unsigned_abs()).then_some(older)
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
        .find(|r| status::ready(r) == status::Ready::True);
    finding = match owner {
        Some(owner) => finding.why(format!("{} owns it and is Ready.", case.name_of(owner))),
        None => {
            let names: Vec<String> = rivals.iter().map(|r| case.name_of(r)).collect();
            finding.why(format!(
                "{} claims it too and is not Ready: which one created it is unknown.",
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

/// Nobody else is seen to claim it. Its deletion is offered only where that is known of everybody.
fn left(case: &Case<'_>, mut finding: Finding, database: Option<&str>) -> Finding {
    if let Some(event) = installed_before(case) {
        return finding
            .why(format!("This onboarding was installed before ({event}), so the database is its own and holds its team's data: Helm's record of it is gone."))
            .step("Do not delete it. Skip the creation Job: values.databaseCreationJob.enabled: false, if the chart has this value.")
            .then(then(case, Fixes::Back));
    }
    if let Some(race) = case.job_as_far_as_read().lost_race() {
        let finding = finding
            .why("CouchDB answered an attempt with a conflict: another request created the database at the same time.")
            .seen([race.evidence()]);
        let finding = match database {
            Some(database) => finding
                .step("Find out who did that. What claims it, and how much is in it:")
                .command(["kubectl", "skvs", "databases", database]),
            None => finding,
        };
        return finding
            .step("If it was meant for this onboarding, skip the creation Job: values.databaseCreationJob.enabled: false, if the chart has this value.")
            .then(then(case, Fixes::Back));
    }
    let deletion = database.map(|database| case.deletion(database));
    if let Some(Deletion::Own(by)) = &deletion {
        return deletion::own(finding, by).then(Some(upgrade(case)));
    }
    let unknown = match (&deletion, case.unknown_claims()) {
        (Some(Deletion::Claimed(claim)), _) => Some(claim.clone()),
        // Everything was read.
        (Some(Deletion::Agreed), _) => None,
        (Some(Deletion::Open(why)), unknown) => Some(unknown.unwrap_or_else(|| why.clone())),
        (Some(Deletion::Own(_)) | None, unknown) => unknown,
    };
    if let Some(first) = case.job_as_far_as_read().own_creation()
        && may_be_its_own(case)
    {
        let doubt = unknown.as_ref().map(|why| match deletion {
            Some(Deletion::Claimed(_)) => format!("{why}."),
            _ => format!("Whether anything else claims it is unknown: {why}."),
        });
        let finding = finding.whys(doubt.as_deref());
        return own_attempt(case, finding, first, deletion.as_ref().zip(database));
    }
    let younger = finding.why.iter().any(|w| w == YOUNGER);
    finding = finding.why(match &unknown {
        Some(claim) if matches!(deletion, Some(Deletion::Claimed(_))) => format!("{claim}."),
        Some(why) => format!("Whether anything else claims it is unknown: {why}."),
        None if younger => "Nothing else claims it.".to_owned(),
        None => "Nothing else claims it: an earlier onboarding was removed, and its database stayed. Its owner is unknown: Helm keeps no record of a removed release.".to_owned(),
    });
    if let Some(pod) = case.job_as_far_as_read().silent_attempt() {
        finding = finding.why(format!("Or an earlier attempt of this Job created it: {pod} was ended, and no log says how far it came."));
    }
    if case.hr().status.install_failures > 1 {
        let tries = case.hr().status.install_failures.max(1);
        finding = finding.why(format!("Or an earlier attempt of this onboarding created it and failed later (failed installs: {tries})."));
    }
    if is_long_before_its_job(case) {
        finding = finding
            .why("Or this onboarding itself created it: it is much older than this Job, and Helm's record of it may be gone.")
            .step("Ask its team first whether it worked before. If so, the data is its own and the database must stay.");
    }
    finding = match (deletion, database) {
        (Some(agreed @ Deletion::Agreed), Some(database)) => finding
            .step("If its data is not needed: remove this manifest, wait until the HelmRelease is gone, delete the database, and restore the manifest.")
            .command(kubectl(case, "get"))
            .command(deletion::command(&agreed, database)),
        (Some(open), Some(database)) => finding
            .step("First find out who uses it. This reads everything that could claim it, and deletes nothing:")
            .command(deletion::command(&open, database)),
        _ => finding
            .step("First read its values: they name the database, and so lead to any other claim.")
            .command(kubectl(case, "describe")),
    };
    finding
        .step("If its data is needed, skip the creation Job: values.databaseCreationJob.enabled: false, if the chart has this value. Ask its former owner first.")
        .then(then(case, Fixes::Back))
}

/// Nothing that CouchDB says of the database speaks against an attempt of this onboarding: it is not older, and holds no documents.
fn may_be_its_own(case: &Case<'_>) -> bool {
    match case.in_couchdb() {
        Ok(Some(Found::Served(found))) => {
            let is_older = older(case, &found).is_some_and(|seconds| seconds > 0);
            !is_older && found.documents.unwrap_or(0) == 0
        }
        Ok(Some(Found::Unserved(_)) | None) | Err(_) => true,
    }
}

/// An earlier attempt of the same Job created it, although CouchDB answered that with an error or not at all.
fn own_attempt(
    case: &Case<'_>,
    finding: Finding,
    first: &Death,
    deletion: Option<(&Deletion, &str)>,
) -> Finding {
    let line = first.lines.last().map_or("an error", String::as_str);
    let finding = finding
        .why(format!("An earlier attempt of this Job ended with \"{line}\". CouchDB can carry out a creation and answer with an error all the same, so that attempt most likely created the database."))
        .seen([first.evidence()]);
    let documents = match case.in_couchdb() {
        Ok(Some(Found::Served(found))) => found.documents,
        _ => None,
    };
    let finding = finding.why(match documents {
        Some(0) => "It is empty.",
        _ => "Whether it is empty is unknown.",
    });
    let finding = finding.step("Check CouchDB's members first: such an answer means that one of them was away or overloaded.");
    let finding = match case.databases().if_read() {
        Some(asked) => finding.command(["kubectl", "get", "pods", "-n", &asked.namespace]),
        None => finding,
    };
    let finding = finding.step("Then keep the database and leave the creation out: values.databaseCreationJob.enabled: false, where the chart has this value.");
    match deletion {
        Some((deletion, database)) => finding
            .step("Or delete it if it is empty, and let Flux try again:")
            .command(deletion::command(deletion, database)),
        None => finding,
    }
    .then(then(case, Fixes::Back))
}

/// The event that tells of an installation or upgrade of this onboarding that ended well.
fn installed_before<'a>(case: &Case<'a>) -> Option<&'a str> {
    let well = ["InstallSucceeded", "UpgradeSucceeded"];
    let event = case.newest_event(|event| well.contains(&event.reason.as_str()));
    event.if_read().map(|event| event.reason.as_str())
}

/// The onboarding was there for a while when the Job was made that fails.
fn is_long_before_its_job(case: &Case<'_>) -> bool {
    let Some(found) = case.creation_job().if_read() else {
        return false;
    };
    let job = case.seconds_since(found.job.meta.created.as_str());
    let own = case.seconds_since(case.hr().metadata.creation_timestamp.as_deref());
    own.zip(job).is_some_and(|(own, job)| own - job > WHILE)
}

/// Seconds in which a first installation begins.
const WHILE: i64 = 600;

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Finding, fixture};
    use crate::model::ownership::tests::Objects;
    use crate::snapshot::databases::Answer;
    use crate::snapshot::{Read, Snapshot};

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
    fn one_that_is_younger_was_not_left_by_an_earlier_onboarding() {
        let mut snapshot = fixture::snapshot("database-left-behind");
        snapshot.helm_release.metadata.creation_timestamp = Some("2024-02-01T00:00:00Z".to_owned());
        let now = fixture::meta("database-left-behind").now;
        let case = crate::diagnosis::Case::new(&snapshot, now);
        let Ok(Some(finding)) = super::check(&case) else {
            panic!("nothing found");
        };
        assert_eq!(finding.why[1], super::YOUNGER);
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
