//! `capture`: what the other commands read of onboardings in one file, which they read without the cluster.
//!
//! Owns which reads are made: those of the other commands, by their own code, while a recorder listens.

mod target;

use crate::app::App;
use crate::bundle::record::{Recorder, Recording};
use crate::bundle::write::{self, Capture};
use crate::cluster::Cluster;
use crate::cluster::helm_releases::Query;
use crate::cluster::onboardings::Onboardings;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::couchdb_pods::AskArgs;
use crate::help;
use crate::lookup;
use crate::lookup::empty;
use crate::lookup::release_notes;
use crate::text::{Shown, count};
use crate::triage::{self, Which, databases};
use futures::StreamExt;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use target::Target;

/// Reasons that are told at most; the manifest has them all.
const REASONS: usize = 5;

/// Save onboardings in one file, to look into without the cluster
///
/// list, describe, notes and troubleshoot read the file with -f and say what they said on the cluster. It holds the fields that they
/// read and nothing else: no payloads of Secrets, and known forms of credentials are removed from messages, logs and arguments
/// (docs/capture.md lists both). Read it before you pass it on.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  kubectl skvs capture skvs-onboarding-pds--database --to bundle.tar.gz
  kubectl skvs capture -A --to bundle.tar.gz
  kubectl skvs troubleshoot -f bundle.tar.gz
  kubectl skvs capture pds_database --to - | tar -xz")]
pub struct Args {
    /// Onboardings; by default all that are not well
    #[arg(value_name = "NAME", value_parser = crate::app::onboarding_name)]
    names: Vec<String>,
    /// File to write, a .tar.gz; - for stdout
    #[arg(long, value_name = "FILE", help_heading = help::OUTPUT, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    to: String,
    /// Replace the file if it exists
    #[arg(long, help_heading = help::OUTPUT)]
    force: bool,
    /// Look in all namespaces; wins over -n
    #[arg(short = 'A', long, help_heading = help::SELECTION)]
    all_namespaces: bool,
    /// Label selector, in addition to the one that marks onboardings
    #[arg(short = 'l', long, value_name = "SELECTOR", conflicts_with = "names", help_heading = help::SELECTION)]
    selector: Option<String>,
    #[command(flatten)]
    couchdb: AskArgs,
}

/// Runs `capture`.
///
/// # Errors
/// A file that cannot be written, a name that means nothing, or what the cluster said where nothing at all could be read.
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    if args.all_namespaces && !args.names.is_empty() {
        return Err(Error::usage(
            "a resource cannot be retrieved by name across all namespaces",
        ));
    }
    // Before anything is read, which can take a while.
    let target = Target::parse(&args.to, args.force, app.ui.terminal().stdout)?;
    let recorder = Arc::new(Recorder::default());
    let cluster = app.cluster().await?.recorded(recorder.clone());
    let which = Which {
        names: &args.names,
        all_namespaces: args.all_namespaces,
        selector: args.selector.as_deref(),
        couchdb: Some(&args.couchdb),
    };
    let mut picked = triage::chosen(app, &cluster, which).await?;
    let mut errors = picked.take_errors();
    let query = listed(app, &args);
    let asked = picked.databases;
    let (_, read, ()) = futures::join!(
        databases::answers(&cluster, Some(&args.couchdb), asked, &picked.objects),
        every(app, &cluster, picked.objects.clone(), &picked.others),
        list(&cluster, &query)
    );
    let mut captured = 0;
    for outcome in read {
        match outcome {
            Ok(()) => captured += 1,
            Err(error) => errors.push(error),
        }
    }
    let recording = recorder.take();
    let known = picked.considered.as_ref().map(|c| c.onboardings);
    if captured == 0 && known.unwrap_or_default() == 0 {
        return nothing(app, &cluster, &query, errors).await;
    }
    let (summary, kept) = (summary(captured, known, &recording), kept(&recording));
    let capture = Capture {
        // Whole seconds, as kubectl prints times.
        at: Timestamp::from_second(app.now.as_second()).unwrap_or(app.now),
        context: cluster.context().map(str::to_owned),
        server: cluster.server().to_owned(),
        namespace: query.namespace,
        selector: query.selector,
        names: args.names,
    };
    write_to(app, &target, &capture, recording)?;
    app.ui.status(Shown::line(summary));
    app.ui.status(Shown::line(kept));
    lookup::tell(app, &errors)
}

/// What `list` would ask for, with the selectors of this run.
fn listed(app: &App, args: &Args) -> Query {
    let product = app.global.onboarding_selector.trim();
    let further = args.selector.as_deref().unwrap_or_default().trim();
    let selectors: Vec<&str> = [product, further]
        .into_iter()
        .filter(|s| !s.is_empty())
        .collect();
    Query {
        namespace: (!args.all_namespaces).then(|| app.global.namespace.clone()),
        selector: selectors.join(","),
    }
}

/// Reads what `troubleshoot`, `describe` and `notes` read of each.
async fn every(
    app: &App,
    cluster: &Cluster,
    objects: Vec<Value>,
    others: &Onboardings,
) -> Vec<Result<()>> {
    let now = app.now;
    futures::stream::iter(objects)
        .map(|object| async move {
            let looked = triage::look(cluster, object, others, now).await?;
            release_notes::read_release(cluster, &looked.hr).await;
            Ok(())
        })
        .buffered(triage::SIDE_BY_SIDE)
        .collect()
        .await
}

/// Reads what `list` reads. Where it is refused the recording says so.
async fn list(cluster: &Cluster, query: &Query) {
    let _ = cluster.all_helm_releases::<Value>(query).await;
}

/// There is nothing to write: why.
async fn nothing(
    app: &mut App,
    cluster: &Cluster,
    query: &Query,
    errors: Vec<Error>,
) -> Result<Code> {
    lookup::tell(app, &errors)?;
    let place = query
        .namespace
        .as_ref()
        .map_or(String::new(), |n| format!(" in {n} namespace"));
    let error = Error::new(format!("nothing to capture: no onboardings found{place}"));
    Err(
        match empty::why(app, cluster, query.namespace.as_deref()).await {
            Some(why) => error.hint(why),
            None => error,
        },
    )
}

/// `captured 3 onboardings, 57 answers, 2 not readable: list events in core (forbidden), …`
fn summary(captured: u64, known: Option<u64>, recording: &Recording) -> String {
    let onboardings = match known {
        Some(known) if captured == 0 => format!(
            "none of {} in full, since they are well (name one to have it)",
            count(known, "onboarding")
        ),
        _ => count(captured, "onboarding"),
    };
    let answers = count(recording.answers() as u64, "answer");
    let mut line = format!("captured {onboardings}, {answers}");
    let reasons = recording.unreadable();
    if !reasons.is_empty() {
        let (told, more) = reasons.split_at(reasons.len().min(REASONS));
        line.push_str(&format!(
            ", {} not readable: {}",
            reasons.len(),
            told.join(", ")
        ));
        if !more.is_empty() {
            line.push_str(&format!(" and {} more", more.len()));
        }
    }
    line
}

/// `kept: 3 HelmReleases, 5 Events, …; 2 places scrubbed in 1 text; no Secret payloads except the listed fields of Helm releases`
fn kept(recording: &Recording) -> String {
    let kinds = recording.kinds();
    let tally = recording.tally();
    let scrubbed = match tally.places {
        0 => "no text scrubbed".to_owned(),
        places => format!(
            "{} scrubbed in {}",
            count(places, "place"),
            count(tally.texts, "text")
        ),
    };
    format!(
        "kept: {}; {scrubbed}; no Secret payloads except the listed fields of Helm releases",
        kinds.join(", ")
    )
}

/// Writes the bundle; a file's path is the answer.
fn write_to(app: &mut App, target: &Target, capture: &Capture, recording: Recording) -> Result<()> {
    match target {
        Target::Stdout => {
            write::tar_gz(capture, recording, app.ui.machine())?;
            app.ui.flush()
        }
        Target::File(file) => {
            file.write(|out| write::tar_gz(capture, recording, out).map(drop))?;
            app.ui.result(Shown::line(file.path.to_string_lossy()))?;
            app.ui.flush()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::record::Heard;
    use crate::bundle::request::{Accept, Status};

    #[test]
    fn what_was_kept_is_counted_once_by_kind() {
        let recorder = Recorder::default();
        let policy = br#"{"metadata":{"name":"a","namespace":"n"},"spec":{"action":"ALLOW"}}"#;
        let policies = "/apis/security.istio.io/v1/namespaces/n/authorizationpolicies";
        let event = br#"{"items":[{"metadata":{"name":"e"},"message":"token=a, password=b"},{"metadata":{"name":"f"}}]}"#;
        for (path, body) in [
            (format!("{policies}/a"), &policy[..]),
            (format!("{policies}/b"), &policy[..]),
            ("/api/v1/namespaces/n/events?limit=1".to_owned(), &event[..]),
        ] {
            recorder.record(&path, Accept::Json, None, Heard::Body(body));
        }
        assert_eq!(
            kept(&recorder.take()),
            "kept: 2 Events, 1 AuthorizationPolicy; 2 places scrubbed in 1 text; \
             no Secret payloads except the listed fields of Helm releases"
        );
    }

    #[test]
    fn the_summary_says_what_was_not_readable() {
        let recorder = Recorder::default();
        recorder.record(
            "/api/v1/namespaces/a",
            Accept::Json,
            None,
            Heard::Body(b"{}"),
        );
        let one = recorder.take();
        assert_eq!(summary(1, None, &one), "captured 1 onboarding, 1 answer");
        assert_eq!(
            kept(&one),
            "kept: 1 Namespace; no text scrubbed; no Secret payloads except the listed fields of Helm releases"
        );
        assert_eq!(
            summary(0, Some(2), &one),
            "captured none of 2 onboardings in full, since they are well (name one to have it), 1 answer"
        );
        for n in 0..7 {
            let message = format!(
                "pods is forbidden: User \"dev\" cannot list resource \"pods\" in API group \"\" in the namespace \"n{n}\""
            );
            let status = Status {
                code: 403,
                message,
                ..Status::default()
            };
            recorder.record(&format!("/{n}"), Accept::Json, None, Heard::Refused(status));
        }
        assert_eq!(
            summary(3, Some(9), &recorder.take()),
            "captured 3 onboardings, 0 answers, 7 not readable: list pods in n0 (forbidden), list pods in n1 (forbidden), \
             list pods in n2 (forbidden), list pods in n3 (forbidden), list pods in n4 (forbidden) and 2 more"
        );
    }
}
