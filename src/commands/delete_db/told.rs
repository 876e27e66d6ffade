//! The words of `delete-db`: why there is no plan, and how a deletion ended.

use super::Args;
use crate::cli::App;
use crate::cluster::{Cluster, ClusterError, segment};
use crate::couchdb::Target;
use crate::couchdb::delete::card;
use crate::couchdb::delete::outcome::Outcome;
use crate::couchdb::delete::plan::Member;
use crate::couchdb::delete::refusal::Refusal;
use crate::couchdb::pods::NoTarget;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::model::names::DatabaseName;
use crate::text::{near, shell_line};

/// Most refusals that are told one by one.
const TOLD: usize = 10;

/// Ctrl-C before the DELETE.
pub(super) fn interrupted() -> Error {
    Error::new("interrupted: nothing was sent").with_code(Code::Interrupted)
}

/// kubectl's line, the only one on stdout.
pub(super) fn done(name: &DatabaseName, namespace: &str, suffix: &str) -> String {
    format!("database \"{name}\" deleted from {namespace} namespace{suffix}\n")
}

/// Tells all refusals but the last, which ends the run.
pub(super) fn refused(app: &mut App, mut refusals: Vec<Refusal>) -> Error {
    let more = refusals.len().saturating_sub(TOLD);
    refusals.truncate(TOLD);
    let last = refusals.pop();
    for refusal in refusals {
        app.ui.error(&refusal.into_error());
    }
    let last = last.map_or_else(
        || Error::silent(Code::Refused),
        |refusal| refusal.into_error().with_code(Code::Refused),
    );
    if more > 0 {
        return last.hint(format!("{more} more reasons are not shown"));
    }
    last
}

/// A database that is not there, or not there any more.
pub(super) fn not_found(
    name: &DatabaseName,
    target: &Target,
    members: &[(String, Member)],
    others: &[String],
) -> Error {
    let still: Vec<&str> = members
        .iter()
        .filter(|(_, m)| matches!(m, Member::Has(_)))
        .map(|(node, _)| node.as_str())
        .collect();
    if !still.is_empty() {
        return Error::new(format!(
            "database \"{name}\" is gone for CouchDB in {target}, and still there on {}",
            still.join(", ")
        ))
        .hint("a member that was away forgets it when it is back; look again in a minute");
    }
    let deleted = members
        .iter()
        .filter(|(_, m)| *m == Member::Deleted)
        .count();
    if deleted > 0 {
        return Error::new(format!(
            "database \"{name}\" is gone already: {deleted} of {} members of CouchDB in {target} say that it was deleted",
            members.len()
        ));
    }
    let error = Error::new(format!(
        "database \"{name}\" not found in CouchDB in {target}"
    ));
    let twice = format!("{}_", name.namespace());
    if let Some(short) = name.database().strip_prefix(&twice) {
        let meant = format!("{twice}{short}");
        if others.contains(&meant) {
            return error.hint(format!(
                "the namespace is in the name already: did you mean {meant}?"
            ));
        }
    }
    let near = near(name.as_str(), others.iter().map(String::as_str));
    if near.is_empty() {
        error
    } else {
        error.hint(format!("did you mean {}?", near.join(", ")))
    }
}

/// Why no container can be asked; one request more where the namespace may be absent.
pub(super) async fn no_target(cluster: &Cluster, namespace: &str, why: NoTarget) -> Error {
    let list = format!("kubectl get pods -n {namespace}");
    match why {
        NoTarget::None { looked_at } => {
            let error = Error::new(format!(
                "no CouchDB pod in namespace {namespace} ({looked_at} pods looked at)"
            ));
            let path = format!("/api/v1/namespaces/{}", segment(namespace));
            let read: std::result::Result<serde::de::IgnoredAny, ClusterError> =
                cluster.get(&path).await;
            if looked_at == 0 && read.is_err_and(|e| e.is_not_found()) {
                return error.hint(format!(
                    "the namespace {namespace:?} does not exist on this cluster; name another one with --couchdb-namespace"
                ));
            }
            error.hint(format!(
                "CouchDB has a port named couchdb or numbered 5984; see: {list}"
            ))
        }
        NoTarget::Clusters(clusters) => {
            let all: Vec<String> = clusters
                .iter()
                .map(|(cluster, pods)| format!("{cluster} ({})", pods.join(", ")))
                .collect();
            Error::new(format!(
                "more than one CouchDB cluster in namespace {namespace}: {}",
                all.join("; ")
            ))
            .hint("choose one with --pod or --pod-selector")
        }
        NoTarget::PodNotFound { pod, found } => Error::new(format!(
            "{pod:?} is not one of CouchDB's pods in namespace {namespace}"
        ))
        .hint(format!("those are: {}", found.join(", "))),
        NoTarget::Containers { pod, found } => Error::new(format!(
            "more than one container of pod {namespace}/{pod} looks like CouchDB: {}",
            found.join(", ")
        ))
        .hint("choose one with --container"),
        NoTarget::ContainerNotFound {
            pod,
            container,
            found,
        } => Error::new(format!(
            "container {container:?} of pod {namespace}/{pod} does not look like CouchDB"
        ))
        .hint(format!("those that do: {}", found.join(", "))),
        NoTarget::NotReady(pods) => Error::new(format!(
            "no CouchDB pod in namespace {namespace} is ready: {}",
            pods.join(", ")
        ))
        .hint(list),
    }
}

/// Tells how it ended. stdout gets the one line only when the database was deleted.
pub(super) fn tell(
    app: &mut App,
    args: &Args,
    name: &DatabaseName,
    outcome: Outcome,
) -> Result<Code> {
    let code = outcome.code();
    let again = || again(app, args, name);
    match outcome {
        Outcome::Deleted { gone, of, unread } => {
            app.ui.result(&done(name, &args.couchdb_namespace, ""))?;
            app.ui.flush()?;
            if gone > 0 {
                app.ui
                    .status(&format!("Checked on {gone} of {of} members: gone."));
            }
            for line in unread {
                app.ui.warning(&format!("not read back: {line}"));
            }
            Ok(code)
        }
        Outcome::CameBack { created } => {
            let when = created.map_or_else(
                || "since".to_owned(),
                |c| format!("anew, {}", card::date(c)),
            );
            Err(Error::new(format!("database \"{name}\" was deleted and is there again, created {when}"))
                .with_code(code)
                .hint("a replication with create_target, a client or an onboarding creates it; end that first"))
        }
        Outcome::AlreadyGone => Err(Error::new(format!(
            "database \"{name}\" was gone already when the DELETE arrived"
        ))
        .with_code(code)),
        Outcome::Refused(refusals) => Err(refused(app, refusals)),
        Outcome::Incomplete { why, seen, files } => {
            let hints = incomplete_hints(&files, &again());
            let error = Error::new(format!(
                "database \"{name}\" is not deleted everywhere: {why}"
            ));
            app.ui.error(&error);
            tell_seen(app, &seen);
            hints.iter().for_each(|hint| app.ui.hint(hint));
            Err(Error::silent(code))
        }
        Outcome::Unknown {
            answered,
            why,
            seen,
        } => {
            let hint = format!("what became of it: {}", again());
            let sent = if answered {
                "was sent"
            } else {
                "may have been sent"
            };
            let error = Error::new(format!(
                "the DELETE of database \"{name}\" {sent} and its outcome is not known: {why}"
            ));
            app.ui.error(&error);
            tell_seen(app, &seen);
            app.ui.hint(&hint);
            Err(Error::silent(code))
        }
        Outcome::Interrupted => Err(interrupted()),
    }
}

/// When a member still holds data. The files are named by the suffix of the database that was deleted: one that was created anew
/// since has files of its own beside them.
fn incomplete_hints(files: &str, again: &str) -> [String; 2] {
    [
        format!("when every member is back, look again: {again}"),
        format!(
            "a member that was away forgets the name and keeps the files; once the database is gone on all of them, remove by hand from its data folder: {files}"
        ),
    ]
}

fn tell_seen(app: &mut App, seen: &[String]) {
    for line in seen {
        app.ui.status(&format!("  {line}"));
    }
}

/// The one command that tells: the same target, read only.
fn again(app: &App, args: &Args, name: &DatabaseName) -> String {
    let mut words = ["kubectl", "skvs", "delete-db", name.as_str(), "--dry-run"]
        .map(str::to_owned)
        .to_vec();
    let connection = &app.global.connection;
    let flags = [
        (
            "--kubeconfig",
            connection
                .kubeconfig
                .as_ref()
                .map(|p| p.display().to_string()),
        ),
        ("--context", connection.context.clone()),
        ("--cluster", connection.cluster.clone()),
        ("--user", connection.user.clone()),
        ("--server", connection.server.clone()),
        (
            "--couchdb-namespace",
            Some(args.couchdb_namespace.clone()).filter(|n| n != "secure-kvs"),
        ),
        ("--pod-selector", args.pod_selector.clone()),
        ("--pod", args.pod.clone()),
        ("--container", args.container.clone()),
        ("--port", args.port.map(|p| p.to_string())),
    ];
    for (flag, value) in flags {
        if let Some(value) = value {
            words.extend([flag.to_owned(), value]);
        }
    }
    shell_line(&words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::couchdb::response::ShardMap;

    fn told(name: &str, members: &[Member], others: &[&str]) -> (String, Vec<String>) {
        let target = Target {
            namespace: "secure-kvs".into(),
            pod: "db-0".into(),
            uid: "u".into(),
            container: "couchdb".into(),
            port: 5984,
        };
        let members: Vec<(String, Member)> = members
            .iter()
            .enumerate()
            .map(|(i, m)| (format!("couchdb@db-{i}"), m.clone()))
            .collect();
        let others: Vec<String> = others.iter().map(|o| (*o).to_owned()).collect();
        let error = not_found(
            &DatabaseName::parse(name).unwrap(),
            &target,
            &members,
            &others,
        );
        assert_eq!(error.code(), Code::Failed);
        (error.message().to_owned(), error.hints().to_vec())
    }

    #[test]
    fn a_database_that_is_not_there_is_told_apart_from_one_that_was() {
        let (message, hints) = told("pds_databas", &[Member::Never], &["pds_database"]);
        assert_eq!(
            message,
            "database \"pds_databas\" not found in CouchDB in secure-kvs/db-0 (container couchdb)"
        );
        assert_eq!(hints, ["did you mean pds_database?"]);
        let (message, _) = told(
            "pds_database",
            &[Member::Deleted, Member::Deleted, Member::Down],
            &[],
        );
        assert!(
            message.contains("is gone already: 2 of 3 members"),
            "{message}"
        );
        let map = ShardMap {
            rev: "1-a".into(),
            shard_suffix: vec![],
        };
        let (message, _) = told("pds_database", &[Member::Deleted, Member::Has(map)], &[]);
        assert!(
            message.ends_with("still there on couchdb@db-1"),
            "{message}"
        );
    }

    #[test]
    fn the_files_of_a_later_database_are_not_named() {
        let files =
            "shards/*/pds_database.1709251200.couch .shards/*/pds_database.1709251200_design";
        let [first, last] =
            incomplete_hints(files, "kubectl skvs delete-db pds_database --dry-run");
        assert!(first.ends_with("look again: kubectl skvs delete-db pds_database --dry-run"));
        assert!(last.ends_with(files) && !last.contains(".*."), "{last}");
    }

    #[test]
    fn a_name_with_its_namespace_twice_gets_a_hint_and_no_guess() {
        let (_, hints) = told("team_team_a", &[Member::Never], &["team_a", "team_b"]);
        assert_eq!(
            hints,
            ["the namespace is in the name already: did you mean team_a?"]
        );
    }
}
