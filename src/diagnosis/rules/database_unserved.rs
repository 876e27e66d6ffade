//! SKVS324: CouchDB has the onboarding's database and cannot serve it.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::snapshot::databases::Found;
use crate::snapshot::{Read, Why};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS324",
    slug: "database-unserved",
    severity: Severity::Error,
    role: Role::State,
    title: "CouchDB has the database and cannot serve it",
    explanation: r#"CouchDB was asked in one of its own pods. Its shard map has the database, so it was not deleted; but CouchDB answers a request for
it with an error of its own, such as 500. The usual cause: no member that holds a copy of one of its shards can be reached, because
pods of CouchDB are down, are cut off or are in maintenance. A member that hangs has the same effect for about a minute.

The team's requests fail until CouchDB serves it again. Flux does not look at CouchDB, so the onboarding can be Ready all the while.

The answer counts only where the release notes do not name another CouchDB than the one that was asked. `--no-exec` leaves the
question out."#,
    fix: r#"See it: `kubectl skvs databases DATABASE -o wide` shows the state unserved and CouchDB's own words.

1. Look at CouchDB's pods: `kubectl get pods -n NAMESPACE`. A pod that is not running or not ready is the first thing to mend.
2. Where all are running: the members' own view, `GET /_membership` on each pod; a member of `cluster_nodes` that is not in
   `all_nodes` is cut off from the others. The log of the pod that was asked names the shard that it could not open.
3. Do not create the database again and do not delete it: the data is on the members that cannot be reached."#,
    example: r#"{"error":"internal_server_error","reason":"No DB shards could be opened."}"#,
    needs: &[],
    explains: &[],
    when: claims_one,
    check,
};

fn claims_one(case: &Case<'_>) -> bool {
    (case.is_ready() || case.is_about_the_job()) && case.hr().metadata.deletion_timestamp.is_none()
}

fn check(case: &Case<'_>) -> Verdict {
    let why = match case.in_couchdb() {
        Read::Seen(Found::Unserved(why)) => why,
        Read::Seen(Found::Served(_)) | Read::Absent => return Verdict::Clear,
        // Of an onboarding that fails this is asked beside its cause.
        Read::Unknown(Why::NotAsked(_)) if !case.is_ready() => return Verdict::Clear,
        Read::Unknown(why) => return Verdict::skipped("the database in CouchDB", &why),
    };
    let (Some(database), Some(asked)) = (case.database(), case.snapshot.further.databases.seen())
    else {
        let why = "this onboarding's values do not tell which database it is";
        return Verdict::skipped("the database in CouchDB", &Why::NotAsked(why.to_owned()));
    };
    let pod = Subject::new("Pod", &asked.namespace, &asked.pod);
    Finding::new(
        case.subject(),
        format!("CouchDB has the database {database} and cannot serve it"),
    )
    .why("Its shard map has the database, so it is not deleted; a request for it fails.")
    .why("Most often no member that holds a copy of its shards can be reached from the pod that was asked.")
    .seen([Evidence::new(pod, &format!("GET /{database}"), &why)])
    .step("Look at CouchDB's pods; the data is on those that are down or cut off:")
    .command(["kubectl", "get", "pods", "-n", &asked.namespace, "-o", "wide"])
    .step("See what the pod that was asked says of it:")
    .command(["kubectl", "logs", "-n", &asked.namespace, &asked.pod, "-c", "couchdb", "--since=1h"])
    .step("When the pods are well again, ask again:")
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
            diagnosis.not_run.iter().map(|n| n.code).collect(),
        )
    }

    fn answered(snapshot: &mut Snapshot, answer: Answer) {
        let Read::Seen(asked) = snapshot.further.databases.as_ref() else {
            panic!("the case has CouchDB's answer");
        };
        let asked = Databases {
            asked: [("pds_database".to_owned(), answer)].into(),
            ..asked.clone()
        };
        snapshot.further.databases = Read::Seen(asked).into();
    }

    #[test]
    fn it_is_found_in_couchdbs_own_words() {
        assert_eq!(
            fixture::sentence(CASE, "SKVS324"),
            "CouchDB has the database pds_database and cannot serve it"
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
