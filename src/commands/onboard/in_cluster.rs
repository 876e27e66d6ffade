//! The checks of a new onboarding that need the cluster: claims, the database itself, the team's namespace and accounts.

use super::Checks;
use crate::advice::Command;
use crate::cluster::helm_releases::is_not_installed;
use crate::cluster::{Cluster, ClusterError, ownership, segment};
use crate::couchdb::look;
use crate::error::{Error, Result};
use crate::flags::couchdb_pods::AskArgs;
use crate::model::convention::name_for;
use crate::model::names::DatabaseName;
use crate::model::new_onboarding::Wanted;
use crate::model::ownership::{Claim, ClaimKind, Claimant, Gap, Ownership};
use crate::snapshot::databases::{Databases, Found};
use crate::snapshot::{Read, Why};
use crate::text::{bytes, count};
use crate::triage::databases;
use serde_json::Value;

/// Makes all of these checks.
pub(super) async fn look(
    cluster: &Cluster,
    wanted: &Wanted,
    namespace: &str,
    args: &AskArgs,
) -> Checks {
    let name = name_for(&wanted.database);
    let asked = look::Wanted {
        names: vec![wanted.database.clone()],
        aged: Vec::new(),
    };
    let (ownership, couchdb, object, mut checks) = futures::join!(
        ownership::gather(cluster),
        databases::ask(cluster, Some(args), &asked),
        cluster.helm_release::<Value>(namespace, &name),
        team(cluster, wanted),
    );
    let id = format!("{namespace}/{name}");
    let claims = claims(ownership, &wanted.database, &id, &mut checks);
    database(&couchdb, &wanted.database, claims, &mut checks);
    free(object, claims == Claims::ByIt, &id, &mut checks);
    checks
}

/// Who claims the database.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Claims {
    /// Surely nobody.
    None,
    /// The HelmRelease that this manifest would be.
    ByIt,
    /// Somebody else, or it is not known.
    Perhaps,
}

/// Checks that the database is unclaimed.
fn claims(
    ownership: Result<Ownership>,
    database: &DatabaseName,
    id: &str,
    checks: &mut Checks,
) -> Claims {
    let ownership = match ownership {
        Ok(ownership) => ownership,
        Err(error) => {
            let why = error.message();
            let what = format!("who claims the database {database}: {why}");
            checks.not_checked.push(what);
            return Claims::Perhaps;
        }
    };
    let verdict = ownership.verdict(database.as_str());
    let is_it =
        |claim: &Claim| matches!(&claim.by, Claimant::HelmRelease { id: by, .. } if by == id);
    let found = if verdict.claims.iter().any(is_it) {
        Claims::ByIt
    } else if verdict.claims.is_empty() && verdict.mentions.is_empty() && verdict.gaps.is_empty() {
        Claims::None
    } else {
        Claims::Perhaps
    };
    let mut refused: Vec<Error> = verdict.claims.iter().map(claimed).collect();
    if let Some(last) = refused.pop() {
        let access = Command::skvs(["access", database.as_str(), "add", "ACCOUNT"]);
        let hint = "take another name; or, for the same team, add its accounts to the existing onboarding:";
        refused.push(last.hint(access.after(hint)));
    }
    checks.refused.extend(refused);
    let mentions = verdict.mentions.into_iter();
    checks.warnings.extend(mentions.map(|mention| mention.what));
    for gap in verdict.gaps {
        match gap {
            Gap::NoOnboardings { .. } => {
                checks.warnings.push(format!("{gap}: is it the right one?"))
            }
            Gap::Read(_) | Gap::NoHelmReleases => checks.not_checked.push(gap.to_string()),
        }
    }
    found
}

fn claimed(claim: &Claim) -> Error {
    Error::new(match claim.kind {
        ClaimKind::Names => {
            let by = claim.by.words();
            format!("{by} already claims the database {}", claim.database)
        }
        ClaimKind::InstalledWith | ClaimKind::Creates | ClaimKind::LetsIn => claim.to_string(),
    })
}

/// Checks that CouchDB does not have it: the creation Job takes over nothing.
fn database(couchdb: &Read<Databases>, name: &DatabaseName, claims: Claims, checks: &mut Checks) {
    let found = match couchdb {
        Read::Seen(databases) => databases.of(name.as_str()),
        Read::Unknown(why) => Read::Unknown(why.clone()),
        Read::Absent => Read::failed("CouchDB was not asked for it"),
    };
    match found {
        Read::Absent => {}
        Read::Unknown(why) => {
            let what = format!("whether CouchDB has {name} already: {}", why.clause());
            match why {
                Why::NotAsked(_) => checks.left_out.push(what),
                _ => checks.not_checked.push(what),
            }
        }
        Read::Seen(found) => {
            let figures = match found {
                Found::Served(database) => {
                    let documents = database.documents.map(|n| count(n, "document"));
                    let bytes = database.bytes.map(bytes);
                    let known: Vec<String> = documents.into_iter().chain(bytes).collect();
                    match known.is_empty() {
                        true => "its size is not known".to_owned(),
                        false => known.join(", "),
                    }
                }
                Found::Unserved(why) => format!("which cannot serve it: {why}"),
            };
            let error = Error::new(format!(
                "CouchDB already has the database {name} ({figures}), so the creation Job would fail"
            ));
            let error = match claims {
                Claims::None => error
                    .hint(
                        Command::skvs(["delete-db", name.as_str()])
                            .after("if its data is not needed, delete it first:"),
                    )
                    .hint("otherwise take another name, or ask the team that owns the data"),
                Claims::ByIt | Claims::Perhaps => error.hint(
                    Command::skvs(["databases", name.as_str()]).after("it may be in use; see:"),
                ),
            };
            checks.refused.push(error);
        }
    }
}

/// Checks that the HelmRelease's name is free. One that claims the database is already reported.
fn free(
    object: std::result::Result<Value, ClusterError>,
    claims_it: bool,
    id: &str,
    checks: &mut Checks,
) {
    match object {
        Ok(_) if claims_it => {}
        Ok(_) => {
            let why = format!("the HelmRelease {id} exists already");
            checks.refused.push(Error::new(why));
        }
        // The check of claims reports that no HelmReleases exist.
        Err(error) if is_not_installed(&error) => {}
        Err(error) if error.is_not_found() => {}
        Err(error) => {
            let what = format!("whether the name {id} is free: {}", error.clause());
            checks.not_checked.push(what);
        }
    }
}

/// Checks the namespace and the service accounts, which the team creates itself.
async fn team(cluster: &Cluster, wanted: &Wanted) -> Checks {
    let mut checks = Checks::default();
    let namespace = wanted.database.namespace();
    let path = format!("/api/v1/namespaces/{}", segment(namespace));
    match exists(cluster, &path).await {
        Read::Seen(()) => {}
        Read::Absent => {
            let what = format!(
                "the namespace {namespace} does not exist; the team creates it, with its service accounts"
            );
            checks.warnings.push(what);
            return checks;
        }
        Read::Unknown(why) => {
            let what = format!("whether the namespace {namespace} exists: {}", why.clause());
            checks.not_checked.push(what);
        }
    }
    for account in &wanted.service_accounts {
        let path = format!("{path}/serviceaccounts/{}", segment(account));
        match exists(cluster, &path).await {
            Read::Seen(()) => {}
            Read::Absent => checks.warnings.push(format!(
                "the service account {namespace}/{account} does not exist; it gives no access until it does"
            )),
            Read::Unknown(why) => checks.not_checked.push(format!(
                "whether the service account {namespace}/{account} exists: {}",
                why.clause()
            )),
        }
    }
    checks
}

async fn exists(cluster: &Cluster, path: &str) -> Read<()> {
    Read::from_result(cluster.get::<Value>(path).await).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::databases::{Answer, Database};

    fn of(answer: Option<Answer>) -> Checks {
        with(answer, Claims::None)
    }

    fn with(answer: Option<Answer>, claims: Claims) -> Checks {
        let name = DatabaseName::parse("pds_orders").unwrap();
        let mut databases = Databases::default();
        let answer = answer.map(|answer| ("pds_orders".to_owned(), answer));
        databases.asked.extend(answer);
        let mut checks = Checks::default();
        database(&Read::Seen(databases), &name, claims, &mut checks);
        checks
    }

    #[test]
    fn a_database_that_is_there_speaks_against_it_and_silence_is_not_absence() {
        let absent = of(Some(Answer::Absent));
        assert!(absent.refused.is_empty() && absent.not_checked.is_empty());
        let there = of(Some(Answer::There(Database {
            documents: Some(1204),
            bytes: Some(3_000_000),
            created: None,
        })));
        assert_eq!(
            there.refused[0].message(),
            "CouchDB already has the database pds_orders (1,204 documents, 3.0 MB), so the creation Job would fail"
        );
        let hints = |checks: &Checks| {
            checks.refused[0]
                .hints()
                .iter()
                .map(|hint| hint.plain())
                .collect::<String>()
        };
        assert!(hints(&there).contains("delete-db pds_orders"));
        for claims in [Claims::ByIt, Claims::Perhaps] {
            let there = Answer::There(Database::default());
            let hints = hints(&with(Some(there), claims));
            assert!(!hints.contains("delete"), "{hints}");
        }
        let why = "nodedown".to_owned();
        assert_eq!(of(Some(Answer::Unserved { why })).refused.len(), 1);
        let why = "timeout".to_owned();
        assert_eq!(of(Some(Answer::NotRead { why })).not_checked.len(), 1);
        assert_eq!(of(None).left_out.len(), 1);
    }

    #[test]
    fn a_claim_speaks_against_it_and_what_was_not_read_is_told() {
        use crate::model::ownership::tests::Objects;
        use serde_json::json;
        let claim = json!({
            "metadata": {"name": "x", "namespace": "flux-system", "labels": {"app.kubernetes.io/part-of": "secure-kvs-onboarding"}},
            "spec": {"values": {"namespace": "pds", "database": "orders"}},
        });
        let of = |ownership: Result<Ownership>, name: &str| {
            let name = DatabaseName::parse(name).unwrap();
            let mut checks = Checks::default();
            let found = claims(ownership, &name, "flux-system/x", &mut checks);
            (found, checks)
        };
        let ownership = || Ok(Objects::of(std::slice::from_ref(&claim)).ownership());
        let (found, checks) = of(ownership(), "pds_orders");
        assert_eq!(found, Claims::ByIt);
        assert_eq!(
            checks.refused[0].message(),
            "HelmRelease flux-system/x already claims the database pds_orders"
        );
        let (found, checks) = of(ownership(), "pds_carts");
        assert_eq!(found, Claims::None);
        assert!(checks.refused.is_empty() && checks.not_checked.is_empty());
        let (found, checks) = of(Err(Error::new("no answer")), "pds_carts");
        assert_eq!(found, Claims::Perhaps);
        assert_eq!(
            checks.not_checked,
            ["who claims the database pds_carts: no answer"]
        );
        let mut checks = Checks::default();
        free(Ok(claim.clone()), false, "flux-system/x", &mut checks);
        free(Ok(claim.clone()), true, "flux-system/x", &mut checks);
        assert_eq!(checks.refused.len(), 1);
    }
}
