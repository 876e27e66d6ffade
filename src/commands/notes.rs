//! `notes`: what the chart told when the database was made, out of Helm's Secret.
//!
//! Two requests where the status names the revision: the HelmRelease and its Secret. No list right is needed then.

use crate::advice::Command;
use crate::app::App;
use crate::cluster::{Cluster, ClusterError};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::format::{self, FormatArgs};
use crate::flags::saved::{self, SavedArgs};
use crate::help;
use crate::lookup;
use crate::lookup::first_install::first_install;
use crate::model::helm_release::HelmRelease;
use crate::model::helm_storage::{Creation, ReleaseNotes, creation};
use crate::model::names::release_secret;
use crate::model::notes::Notes;
use crate::model::onboarding::Values;
use crate::model::status::{self, Ready};
use crate::render::output::ReportFormat;
use crate::render::share::Share;
use crate::render::{json, yaml};
use crate::text::Shown;
use crate::view::release_notes as view;
use serde_json::json;

/// Print the release notes of an onboarding
///
/// Prints what helm get notes prints: the database, its endpoint and the service accounts. NAME is the HelmRelease, the Helm
/// release, the database or the manifest.
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help("Format: text, json or yaml (kind ReleaseNotes)")),
    after_help = "Examples:
  kubectl skvs notes skvs-onboarding-pds--database
  kubectl skvs notes pds_database --share"
)]
pub struct Args {
    /// Onboarding; with -f, by default the one in the files
    #[arg(value_name = "NAME", required_unless_present = "filename", value_parser = crate::app::onboarding_name)]
    name: Option<String>,
    /// Print the notes of this revision instead of the newest
    #[arg(long, value_name = "N", value_parser = read_revision, help_heading = help::SELECTION)]
    revision: Option<i64>,
    /// Print the message for the team that asked for the database
    #[arg(long, conflicts_with = "revision", help_heading = help::OUTPUT)]
    share: bool,
    /// With --share: print the message even if the onboarding is not ready
    #[arg(long, requires = "share", help_heading = help::OUTPUT)]
    force: bool,
    #[command(flatten)]
    format: FormatArgs<ReportFormat>,
    #[command(flatten)]
    saved: SavedArgs,
}

/// Reads the number of a revision; Helm counts from 1.
fn read_revision(text: &str) -> std::result::Result<i64, &'static str> {
    let number = text.parse().ok();
    number
        .filter(|n| *n > 0)
        .ok_or("a revision is a whole number from 1 on")
}

/// Runs `notes`.
///
/// # Errors
/// No such onboarding, no release, a Secret that cannot be read, or with `--share` an onboarding that is not ready.
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    if args.share && args.format.output != ReportFormat::Text {
        return Err(Error::usage("-o cannot be used with --share"));
    }
    let cluster = args.saved.open(app).await?;
    let named = saved::meant(&cluster, args.name.into_iter().collect())?;
    let [name] = named.as_slice() else {
        return Err(Error::usage("name one onboarding"));
    };
    let object = lookup::one(app, &cluster, name).await?;
    let hr = HelmRelease::from_value(&object)
        .map_err(|e| Error::new(format!("helmrelease {name:?}: {e}")))?;
    let mut unready = unready(&hr);
    if let (true, false, Some(why)) = (args.share, args.force, &unready) {
        return Err(refused(&hr, why));
    }
    let release = newest_or(&cluster, &hr, args.revision).await?;
    if args.share {
        if unready.is_none() {
            match never_created(&cluster, &hr, &release).await {
                Ok(why) => unready = why,
                Err(why) => app.ui.warning(why),
            }
        }
        match &unready {
            Some(why) if !args.force => return Err(refused(&hr, why)),
            Some(why) => app
                .ui
                .warning(format!("{} is not ready: {why}", hr.metadata.name)),
            None => {}
        }
        let message = share(&hr, &release, args.force)?.text(unready.as_deref());
        app.ui.result(message)?;
        return Ok(Code::Ok);
    }
    let status = crate::text::one_line(&release.info.status);
    if status == "failed" || status.starts_with("pending-") {
        app.ui.warning(format!(
            "revision {} is {status}: these notes do not apply yet",
            release.version
        ));
    }
    let document = || json!(view::ReleaseNotes::new(&hr, &release));
    match args.format.output {
        ReportFormat::Json => json::write_value(&mut app.ui.machine(), &document())?,
        ReportFormat::Yaml => yaml::write_value(&mut app.ui.machine(), &document())?,
        ReportFormat::Text if release.info.notes.is_empty() => {}
        ReportFormat::Text => {
            let notes = format!("NOTES:\n{}", release.info.notes);
            app.ui.result(Shown::lines(notes))?;
        }
    }
    Ok(Code::Ok)
}

/// Reads all that `notes` and `notes --share` read of this onboarding, for a recording: what it is does not matter here.
pub(super) async fn read_release(cluster: &Cluster, hr: &HelmRelease) {
    if let Ok(newest) = newest_or(cluster, hr, None).await {
        // What was not had is in the recording.
        let _ = never_created(cluster, hr, &newest).await;
    }
}

/// What the status has against announcing the database.
fn unready(hr: &HelmRelease) -> Option<String> {
    let headline = status::headline(hr);
    if headline.ready == Ready::True && !headline.stale {
        return None;
    }
    Some(if headline.ready == Ready::True {
        "its status is older than its spec".to_owned()
    } else {
        headline.text
    })
}

/// A database that is not there yet must not be announced.
fn refused(hr: &HelmRelease, why: &str) -> Error {
    let name = &hr.metadata.name;
    Error::new(format!(
        "onboarding {name} is not ready to be shared: {why}"
    ))
    .hint(Command::skvs(["troubleshoot", name]).after("find out why:"))
    .hint("--force shares it all the same")
}

/// What Helm's storage has against it: only an installation runs the Job that creates the database, and a failed one can be
/// followed by an upgrade that ends well. Asks for the first revision only where the newest did not run the Job.
///
/// # Errors
/// A warning where that revision could not be read.
async fn never_created(
    cluster: &Cluster,
    hr: &HelmRelease,
    newest: &ReleaseNotes,
) -> std::result::Result<Option<String>, String> {
    if creation(&newest.hooks) != Creation::NotRun {
        return Ok(None);
    }
    let never = |what: &str| {
        Ok(Some(format!(
            "the database was probably never created: the creation Job {what}"
        )))
    };
    if newest.version == 1 {
        return never("was not run");
    }
    let first = first_install(cluster, hr).await.map_err(|why| {
        format!("whether the installation created the database is not known: {why}")
    })?;
    let Some(first) = first else {
        return Ok(None);
    };
    match creation(&first.hooks) {
        Creation::Failed => {
            return never("failed in revision 1, and an upgrade does not run it");
        }
        Creation::NotRun => {
            return never("was not run in revision 1, and an upgrade does not run it");
        }
        Creation::Unknown => {
            return Err("whether the installation created the database is not known: Helm's storage does not say how the creation Job ended".to_owned());
        }
        Creation::None | Creation::Succeeded => {}
    }
    let (was, is) = (Values::parse(&first.config).claim(), hr.claim());
    Ok(match (was.joined(), is.joined()) {
        (Some(was), Some(is)) if was != is => Some(format!(
            "its database was changed from {was} to {is} after the installation, which created {was}"
        )),
        _ => None,
    })
}

fn share(hr: &HelmRelease, release: &ReleaseNotes, force: bool) -> Result<Share> {
    let notes = Notes::parse(&release.info.notes);
    let installed = Values::parse(&release.config);
    let values = if installed.namespace.is_some() {
        installed
    } else {
        hr.values()
    };
    let name = &hr.metadata.name;
    let claim = hr.claim();
    if let (false, Some(told), Some(claimed)) = (force, &notes.database, claim.joined())
        && told != claimed
    {
        return Err(Error::new(format!(
            "onboarding {name} cannot be shared: its notes say {told}, spec.values say {claimed}"
        ))
        .hint("share what the notes say with --force"));
    }
    Share::compose(&notes, &values).map_err(|what| {
        Error::new(format!(
            "the notes of revision {} do not name {what}",
            release.version
        ))
        .hint(Command::skvs(["notes", name]).after("what they say:"))
    })
}

/// The release of this revision or, without one, of the newest, as helm takes it: whatever its status is.
async fn newest_or(
    cluster: &Cluster,
    hr: &HelmRelease,
    revision: Option<i64>,
) -> Result<ReleaseNotes> {
    if hr.is_remote() {
        return Err(Error::new(format!(
            "the release of {} is on another cluster (spec.kubeConfig)",
            hr.metadata.name
        ))
        .hint("choose that cluster and ask Helm there"));
    }
    let (namespace, name) = (hr.storage_namespace(), hr.release_name());
    let Some(number) = revision.or(hr.revision()) else {
        // Nothing names a revision: an attempt is under way, or there was none.
        return newest(cluster, hr, &name).await;
    };
    let secret = release_secret(&name, number);
    match cluster.release_secret(namespace, &secret).await {
        Ok(stored) => stored
            .decode()
            .map_err(|why| corrupt(namespace, &secret, &why)),
        Err(error) if !error.is_not_found() => Err(unread(error)),
        // The status can be behind: Helm keeps a few revisions only.
        Err(_) if revision.is_none() => newest(cluster, hr, &name).await,
        Err(_) => {
            let there = cluster
                .revisions(namespace, &name)
                .await
                .unwrap_or_default();
            let there: Vec<String> = there.iter().map(|r| r.revision.to_string()).collect();
            let error = Error::new(format!(
                "revision {number} of release {name} is not stored: Secret {namespace}/{secret} does not exist"
            ));
            Err(if there.is_empty() {
                error
            } else {
                error.hint(format!("stored revisions: {}", there.join(", ")))
            })
        }
    }
}

/// The newest of the Secrets that are there.
async fn newest(cluster: &Cluster, hr: &HelmRelease, release: &str) -> Result<ReleaseNotes> {
    let namespace = hr.storage_namespace();
    let revisions = cluster
        .revisions(namespace, release)
        .await
        .map_err(unread)?;
    let Some(newest) = revisions.first() else {
        let name = &hr.metadata.name;
        return Err(Error::new(format!(
            "onboarding {name} has no release: there is no Secret {namespace}/{} ({})",
            release_secret(release, hr.revision().unwrap_or(1)),
            status::headline(hr).line()
        ))
        .hint(Command::skvs(["describe", name]).after("find out why:")));
    };
    let stored = cluster
        .release_secret(namespace, &newest.secret)
        .await
        .map_err(unread)?;
    stored
        .decode()
        .map_err(|why| corrupt(namespace, &newest.secret, &why))
}

fn corrupt(namespace: &str, secret: &str, why: &crate::model::helm_storage::StorageError) -> Error {
    Error::new(format!(
        "Secret {namespace}/{secret} does not hold a release: {why}"
    ))
    .hint("another revision may still be readable: give --revision N")
}

/// What the API server said of a Secret, with what it is needed for.
fn unread(error: ClusterError) -> Error {
    if !error.is_forbidden() {
        return error.into();
    }
    let asked = crate::model::forbidden::Forbidden::parse(&error.message());
    let needed = asked.map_or(String::new(), |f| format!("; ask for: {f}"));
    Error::server("Forbidden", error.message())
        .hint(format!("the notes are kept in that Secret{needed}"))
}
