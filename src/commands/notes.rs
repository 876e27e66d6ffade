//! `notes`: what the chart told when the database was made, out of Helm's Secret.
//!
//! Two requests where the status names the revision: the HelmRelease and its Secret. No list right is needed then.

use crate::advice::Command;
use crate::app::App;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::format::{self, FormatArgs};
use crate::flags::saved::{self, SavedArgs};
use crate::help;
use crate::lookup;
use crate::lookup::release_notes::{never_created, newest_or};
use crate::model::condition::Stated;
use crate::model::helm_release::HelmRelease;
use crate::model::helm_storage::ReleaseNotes;
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
        let settings = app.settings.settings.clone()?;
        let share = share(&hr, &release, args.force)?;
        let message = share.message(settings.template(), unready.as_deref());
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

/// What the status has against announcing the database.
fn unready(hr: &HelmRelease) -> Option<String> {
    if status::ready(hr) == Stated::Present(Ready::True) {
        return None;
    }
    let headline = status::headline(hr);
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
