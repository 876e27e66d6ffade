//! SKVS324: CouchDB has the onboarding's database but cannot serve it.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::snapshot::databases::Found;
use crate::snapshot::{IfRead, Unread, Why};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS324",
    slug: "database-unserved",
    severity: Severity::Error,
    role: Role::State,
    title: "CouchDB has the database but cannot serve it",
    explanation: r#"CouchDB was asked from inside one of its pods. Its shard map (the list of a database's parts and their members) has the
database, so it was not deleted; but a request for it gets an error such as 500. Usually every member with a copy of one of
its shards is unreachable: CouchDB pods are down, cut off or in maintenance. A hanging member has the same effect for about a
minute.

The team's requests fail until CouchDB serves the database again. Flux does not check CouchDB, so the onboarding can be Ready
in the meantime.

The answer counts unless the release notes name another CouchDB. `--no-exec` skips the question."#,
    fix: r#"See it: `kubectl skvs databases DATABASE -o wide` shows the state unserved and CouchDB's error.

1. Look at CouchDB's pods: `kubectl get pods -n NAMESPACE`. First fix any pod that is not running or not ready.
2. If all are running: ask each pod for its own view, `GET /_membership`. A member in `cluster_nodes` but not in `all_nodes`
   is cut off from the others. The log of the pod that was asked names the shard that it could not open.
3. Do not create the database again and do not delete it: the data is on the unreachable members."#,
    example: r#"{"error":"internal_server_error","reason":"No DB shards could be opened."}"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

fn claims_one(case: &Case<'_>) -> bool {
    (case.is_installed() || case.is_about_the_job())
        && case.hr().metadata.deletion_timestamp.is_none()
}

fn check(case: &Case<'_>) -> Verdict {
    if !claims_one(case) {
        return Ok(None);
    }
    let why = match case.in_couchdb() {
        Ok(Some(Found::Unserved(why))) => why,
        Ok(Some(Found::Served(_)) | None) => return Ok(None),
        // Of an onboarding that fails this is asked beside its cause.
        Err(unread) if matches!(unread.why, Why::NotAsked(_)) && !case.is_installed() => {
            return Ok(None);
        }
        Err(unread) => return Err(unread),
    };
    let (Some(database), Some(asked)) = (case.database(), case.databases().if_read()) else {
        let why = "this onboarding's values do not name its database";
        return Err(Unread::new(
            "the database in CouchDB",
            Why::NotAsked(why.to_owned()),
        ));
    };
    let pod = Subject::new("Pod", &asked.namespace, &asked.pod);
    Finding::new(
        case.subject(),
        format!("CouchDB has the database {database} but cannot serve it"),
    )
    .why("Its shard map lists the database, so it was not deleted, but requests for it fail.")
    .why("Usually no member with a copy of its shards can be reached from the pod that was asked.")
    .seen([Evidence::new(pod, &format!("GET /{database}"), &why)])
    .step("Look at CouchDB's pods; the data is on those that are down or cut off:")
    .command([
        "kubectl",
        "get",
        "pods",
        "-n",
        &asked.namespace,
        "-o",
        "wide",
    ])
    .step("Read the log of the pod that was asked:")
    .command([
        "kubectl",
        "logs",
        "-n",
        &asked.namespace,
        &asked.pod,
        "-c",
        "couchdb",
        "--since=1h",
    ])
    .step("Once the pods are healthy, ask again:")
    .command(["kubectl", "skvs", "databases", &database, "-o", "wide"])
    .step("Do not create the database again, and do not delete it.")
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, diagnose, fixture};
    use crate::snapshot::databases::{Answer, Database, Databases};
    use crate::snapshot::{Read, Snapshot};

    const CASE: &str = "ready-and-database-unserved";

    /// Codes found and not run, after a change.
    fn codes(change: impl FnOnce(&mut Snapshot)) -> (Vec<&'static str>, Vec<&'static str>) {
        let mut snapshot = fixture::snapshot(CASE);
        change(&mut snapshot);
        let diagnosis = diagnose(&Case::new(&snapshot, fixture::meta(CASE).now));
        (
            diagnosis.roots.iter().map(|r| r.rule.code).collect(),
            diagnosis
                .not_run
                .iter()
                .flat_map(|n| n.codes.iter().copied())
                .collect(),
        )
    }

    fn answered(snapshot: &mut Snapshot, answer: Answer) {
        let Read::Seen(asked) = snapshot.on_demand.databases.as_ref() else {
            panic!("the case has CouchDB's answer");
        };
        let asked = Databases {
            asked: [("pds_database".to_owned(), answer)].into(),
            ..asked.clone()
        };
        snapshot.on_demand.databases = Read::Seen(asked).into();
    }

    #[test]
    fn it_is_found_in_couchdbs_own_words() {
        assert_eq!(
            fixture::sentence(CASE, "SKVS324"),
            "CouchDB has the database pds_database but cannot serve it"
        );
        let finding = fixture::finding(CASE, "SKVS324");
        assert_eq!(
            finding.evidence[0].observed,
            "CouchDB answered 500 internal_server_error No DB shards could be opened."
        );
        let (found, not_run) = codes(|_| {});
        assert_eq!(found, ["SKVS324"]);
        assert!(!not_run.contains(&"SKVS323"), "{not_run:?}");
    }

    #[test]
    fn an_answer_that_says_nothing_is_neither_found_nor_clear() {
        let (found, not_run) = codes(|s| {
            let why = "no answer in 5s".to_owned();
            answered(s, Answer::NotRead { why });
        });
        assert!(found.is_empty(), "{found:?}");
        for code in ["SKVS323", "SKVS324"] {
            assert!(not_run.contains(&code), "{code}: {not_run:?}");
        }
    }

    #[test]
    fn one_that_is_served_or_gone_is_another_matter() {
        let served = Answer::There(Database::default());
        assert_eq!(codes(|s| answered(s, served)).0, [""; 0]);
        let (found, not_run) = codes(|s| answered(s, Answer::Absent));
        assert_eq!(found, ["SKVS323"]);
        assert!(!not_run.contains(&"SKVS324"), "{not_run:?}");
    }
}
