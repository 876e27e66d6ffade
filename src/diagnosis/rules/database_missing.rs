//! SKVS323: the onboarding is Ready and CouchDB does not have its database.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::flux_commands::uninstall;
use crate::diagnosis::retries::restart;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::snapshot::{IfRead, Unread, Why};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS323",
    slug: "database-missing",
    severity: Severity::Error,
    role: Role::State,
    title: "CouchDB does not have the database of a Ready onboarding",
    explanation: r#"CouchDB was asked from inside one of its pods and says that the database does not exist, although the onboarding is Ready:
its service accounts have access to nothing. It was deleted by hand, was never created (SKVS310 then comes first), or CouchDB
was set up again without its data.

The answer counts only if the release notes name the CouchDB that was asked. `--no-exec` skips the question."#,
    fix: r#"See it: `curl -i ENDPOINT/DATABASE` from a pod of the team answers 404.

First find out why it is gone: if data was lost, a new empty database hides that. Only an installation creates a new one:
`helm uninstall -n NAMESPACE RELEASE`, then make Flux start again. Until then the service accounts have no access."#,
    example: r#"{"error":"not_found","reason":"Database does not exist."}"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

fn claims_one(case: &Case<'_>) -> bool {
    case.is_installed() && case.hr().metadata.deletion_timestamp.is_none()
}

fn check(case: &Case<'_>) -> Verdict {
    if !claims_one(case) {
        return Ok(None);
    }
    if case.in_couchdb()?.is_some() {
        return Ok(None);
    }
    let (Some(database), Some(endpoint), Some(asked)) =
        (case.database(), case.endpoint(), case.databases().if_read())
    else {
        let why = "the release notes, which name its CouchDB, were not read";
        return Err(Unread::new(
            "the database in CouchDB",
            Why::NotAsked(why.to_owned()),
        ));
    };
    let pod = Subject::new("Pod", &asked.namespace, &asked.pod);
    Finding::new(
        case.subject(),
        format!("CouchDB does not have the database {database}, although the onboarding is Ready"),
    )
    .why(format!(
        "The notes send the team to {}/{}, and that CouchDB does not have the database.",
        endpoint.namespace, endpoint.name
    ))
    .why(
        "Only an installation creates the database: no upgrade and no retry creates it again.",
    )
    .seen([Evidence::new(
        pod,
        &format!("GET /{database}"),
        "404: the database does not exist",
    )])
    .step("Find out why it is gone before a new, empty one hides it. Each CouchDB pod logs its deletion requests:")
    .command(["kubectl", "logs", "-n", &asked.namespace, &asked.pod, "-c", "couchdb", "--since=24h"])
    .step("If you want an empty one, remove the release and let Flux install it again:")
    .command(uninstall(case))
    .then(Some(restart(case)))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, diagnose, fixture};
    use crate::snapshot::databases::{Answer, Databases};
    use crate::snapshot::{Read, Snapshot};
    use std::sync::Arc;

    /// Codes found and not run, after a change.
    fn codes(change: impl FnOnce(&mut Snapshot)) -> (Vec<&'static str>, Vec<&'static str>) {
        let name = "ready-and-database-missing";
        let mut snapshot = fixture::snapshot(name);
        change(&mut snapshot);
        let diagnosis = diagnose(&Case::new(&snapshot, fixture::meta(name).now));
        (
            diagnosis.roots.iter().map(|r| r.rule.code).collect(),
            diagnosis
                .not_run
                .iter()
                .flat_map(|n| n.codes.iter().copied())
                .collect(),
        )
    }

    #[test]
    fn it_is_found() {
        let told = fixture::sentence("ready-and-database-missing", "SKVS323");
        assert!(
            told.starts_with("CouchDB does not have the database ")
                && told.ends_with("although the onboarding is Ready"),
            "{told}"
        );
    }

    #[test]
    fn another_couchdb_proves_nothing() {
        for (namespace, pod) in [
            ("elsewhere", "db-agora-kvs-secure-kvs-agora-couchdb-0"),
            ("secure-kvs", "db-agora-kvs-other-0"),
        ] {
            let (found, not_run) = codes(|s| {
                s.on_demand.databases = Arc::new(Read::Seen(Databases {
                    namespace: namespace.to_owned(),
                    pod: pod.to_owned(),
                    asked: [("pds_database".to_owned(), Answer::Absent)].into(),
                }));
            });
            assert!(found.is_empty(), "{found:?}");
            assert!(not_run.contains(&"SKVS323"), "{not_run:?}");
        }
    }

    #[test]
    fn without_notes_or_an_answer_it_is_not_run() {
        let (found, not_run) = codes(|s| s.release = Read::not_asked("forbidden (get secrets)"));
        assert!(!found.contains(&"SKVS323") && not_run.contains(&"SKVS323"));
        let refused = || Arc::new(Read::failed("CouchDB answered 401"));
        let (found, not_run) = codes(|s| s.on_demand.databases = refused());
        assert!(found.is_empty() && not_run.contains(&"SKVS323"));
    }
}
