//! `delete-db`: the runbook's manual deletion of a database whose onboarding is gone.
//!
//! Owns the flags and the words; what is safe is decided in [`crate::couchdb::delete`].

use crate::cli::App;
use crate::cluster::{Cluster, ClusterError, segment};
use crate::couchdb::Target;
use crate::couchdb::delete::card;
use crate::couchdb::delete::confirm::{self, Confirmed, Way};
use crate::couchdb::delete::execute::{self, Interrupt};
use crate::couchdb::delete::outcome::Outcome;
use crate::couchdb::delete::plan::{Member, Plan, plan};
use crate::couchdb::delete::read::{self, Look};
use crate::couchdb::delete::refusal::Refusal;
use crate::couchdb::pods::{self, Choice, NoTarget};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::model::names::DatabaseName;
use crate::text::{near, shell_line};
use k8s_openapi::api::core::v1::Pod;

/// Most refusals that are told one by one.
const TOLD: usize = 10;

/// Delete the database of an onboarding that is gone
///
/// Refuses while anything claims it, while a member of the CouchDB cluster is missing, and whatever it cannot read. Asks for the
/// database's name before it deletes; a script gives it with --confirm, and the cluster with --context.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  kubectl skvs delete-db pds_database --dry-run
  kubectl skvs delete-db pds_database
  kubectl skvs delete-db pds_database --context prod-east --confirm pds_database

Exit codes: 0 deleted, 1 failed or not there, 4 refused or not confirmed, 5 the outcome is not known, 6 a member still holds the data, 130 interrupted before anything was sent")]
pub struct Args {
    /// The database, <namespace>_<database>, such as pds_database
    #[arg(value_name = "DATABASE")]
    database: String,
    /// Confirm without a question; must be the database's name, and needs --context
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
    /// Read everything and delete nothing
    #[arg(long, value_name = "WHERE", num_args = 0..=1, require_equals = true, default_missing_value = "server", default_value = "none", hide_default_value = true, value_parser = ["none", "server"])]
    dry_run: String,
    /// Namespace of CouchDB's pods
    #[arg(
        long,
        env = "SKVS_COUCHDB_NAMESPACE",
        default_value = "secure-kvs",
        value_name = "NAMESPACE"
    )]
    couchdb_namespace: String,
    /// Label selector that chooses among CouchDB's pods
    #[arg(long, env = "SKVS_POD_SELECTOR", value_name = "SELECTOR")]
    pod_selector: Option<String>,
    /// Chooses one of CouchDB's pods
    #[arg(long, value_name = "POD")]
    pod: Option<String>,
    /// Chooses one of the containers that look like CouchDB
    #[arg(long, value_name = "CONTAINER")]
    container: Option<String>,
    /// Port of CouchDB in its container; else the port named couchdb, else 5984
    #[arg(long, env = "SKVS_COUCHDB_PORT", value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
}

/// Runs `delete-db`.
///
/// # Errors
/// A refusal, what could not be read, or the outcome that is not "deleted".
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    let name = DatabaseName::parse(&args.database).map_err(|why| {
        let wrong = format!(
            "refused: {:?} is not an onboarding's database: {why}",
            args.database
        );
        Error::new(wrong)
            .with_code(Code::Refused)
            .hint("the name is <namespace>_<database>, as in: kubectl skvs list")
    })?;
    let dry_run = args.dry_run != "none";
    let way = match dry_run {
        true => None,
        false => Some(way(app, &args, &name)?),
    };
    // Registered first, so that from here on Ctrl-C is ours to tell.
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::pin!(interrupt);
    let cluster = app.cluster().await?;
    let prepared = tokio::select! {
        biased;
        prepared = prepare(app, &args, &cluster, &name) => prepared?,
        () = &mut interrupt => return Err(interrupted()),
    };
    let plan = prepared;
    for line in card::lines(&plan, cluster.context(), cluster.server()) {
        app.ui.status(&line);
    }
    let Some(way) = way else {
        app.ui
            .result(&done(&name, &args.couchdb_namespace, " (dry run)"))?;
        return Ok(Code::Ok);
    };
    let confirmed = confirmed(&name, plan, way, interrupt.as_mut()).await?;
    let outcome = execute::execute(&cluster, confirmed, interrupt.as_mut()).await;
    tell(app, &args, &name, outcome)
}

fn way(app: &App, args: &Args, name: &DatabaseName) -> Result<Way> {
    let terminal = app.ui.terminal();
    confirm::way(
        name,
        terminal.stdin && terminal.stderr,
        args.confirm.as_deref(),
        app.global.connection.context.as_deref(),
    )
}

/// Everything up to the plan: claims first, since they need no exec.
async fn prepare(
    app: &mut App,
    args: &Args,
    cluster: &Cluster,
    name: &DatabaseName,
) -> Result<Plan> {
    let unclaimed = match read::claims(cluster, name).await? {
        Ok(unclaimed) => unclaimed,
        Err(refusals) => return Err(refused(app, refusals)),
    };
    let target = target(args, cluster).await?;
    match read::couchdb(cluster, &target, name, unclaimed).await? {
        Look::Facts(facts) => plan(*facts).map_err(|refusals| refused(app, refusals)),
        Look::NotFound { members, others } => Err(not_found(name, &target, &members, &others)),
    }
}

async fn target(args: &Args, cluster: &Cluster) -> Result<Target> {
    let namespace = &args.couchdb_namespace;
    let mut path = format!("/api/v1/namespaces/{}/pods", segment(namespace));
    if let Some(selector) = args
        .pod_selector
        .as_deref()
        .filter(|s| !s.trim().is_empty())
    {
        path.push_str("?labelSelector=");
        path.push_str(&segment(selector));
    }
    let pods: Vec<Pod> = cluster.pages(path).all().await?;
    let choice = Choice {
        pod: args.pod.clone(),
        container: args.container.clone(),
        port: args.port,
    };
    match pods::target(&pods, &choice) {
        Ok(target) => Ok(target),
        Err(why) => Err(no_target(cluster, namespace, why).await),
    }
}

/// The question, or the flag that stands for its answer.
async fn confirmed(
    name: &DatabaseName,
    plan: Plan,
    way: Way,
    mut interrupt: Interrupt<'_>,
) -> Result<Confirmed> {
    let answer = match way {
        Way::Given(given) => given,
        Way::Typed => {
            let question = format!("Type {name} to delete it");
            // The prompt waits for a person; connections live on meanwhile.
            let asked = tokio::task::spawn_blocking(move || crate::ui::ask(&question));
            let typed = tokio::select! {
                biased;
                typed = asked => typed.map_err(|e| Error::new(format!("the question failed: {e}")))?,
                () = &mut interrupt => return Err(interrupted()),
            };
            match typed {
                Ok(typed) => typed,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                    return Err(interrupted());
                }
                Err(error) => {
                    let why = format!("not confirmed: the answer cannot be read: {error}");
                    return Err(Error::new(why).with_code(Code::Refused));
                }
            }
        }
    };
    confirm::accept(plan, &answer)
}

fn interrupted() -> Error {
    Error::new("interrupted: nothing was sent").with_code(Code::Interrupted)
}

fn done(name: &DatabaseName, namespace: &str, suffix: &str) -> String {
    format!("database \"{name}\" deleted from {namespace} namespace{suffix}\n")
}

/// Tells all refusals but the last, which ends the run.
fn refused(app: &mut App, mut refusals: Vec<Refusal>) -> Error {
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

fn not_found(
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

async fn no_target(cluster: &Cluster, namespace: &str, why: NoTarget) -> Error {
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
fn tell(app: &mut App, args: &Args, name: &DatabaseName, outcome: Outcome) -> Result<Code> {
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
        Outcome::Incomplete { why, seen } => {
            let hint = format!(
                "when every member is back, remove shards/*/{name}.*.couch by hand from the disk of the one that was away; which that was: {}",
                again()
            );
            let error = Error::new(format!(
                "database \"{name}\" is not deleted everywhere: {why}"
            ));
            app.ui.error(&error);
            tell_seen(app, &seen);
            app.ui.hint(&hint);
            Err(Error::silent(code))
        }
        Outcome::Unknown { why, seen } => {
            let hint = format!("what became of it: {}", again());
            let error = Error::new(format!(
                "the DELETE of database \"{name}\" was sent and its outcome is not known: {why}"
            ));
            app.ui.error(&error);
            tell_seen(app, &seen);
            app.ui.hint(&hint);
            Err(Error::silent(code))
        }
        Outcome::Interrupted => Err(interrupted()),
    }
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
    fn a_name_with_its_namespace_twice_gets_a_hint_and_no_guess() {
        let (_, hints) = told("team_team_a", &[Member::Never], &["team_a", "team_b"]);
        assert_eq!(
            hints,
            ["the namespace is in the name already: did you mean team_a?"]
        );
    }
}
