//! `describe`: one onboarding in full.

use crate::app::App;
use crate::cluster::Cluster;
use crate::cluster::onboardings::Onboardings;
use crate::error::Result;
use crate::exit::Code;
use crate::flags::format::{self, FormatArgs};
use crate::flags::saved::{self, SavedArgs};
use crate::lookup;
use crate::render::output::DocumentFormat;
use crate::render::{description, json, yaml};
use crate::view::description::Description;
use crate::view::object_list;
use serde_json::Value;

/// Show one onboarding in full
///
/// Shows its values, endpoint, chart, release, creation Job and events. NAME is the HelmRelease, the Helm release, the database
/// (pds_database) or the manifest (pds_database.yaml).
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help(
        "Format: text, json or yaml (kind OnboardingDescription), markdown (for a ticket)"
    )),
    after_help = "Examples:
  kubectl skvs describe skvs-onboarding-pds--database
  kubectl skvs describe pds_database
  kubectl skvs describe pds_database -o json
  kubectl skvs describe pds_database -f saved.yaml"
)]
pub struct Args {
    /// Onboardings; with -f, by default the one in the files
    #[arg(value_name = "NAME", required_unless_present = "filename", value_parser = crate::app::onboarding_name)]
    names: Vec<String>,
    #[command(flatten)]
    format: FormatArgs<DocumentFormat>,
    #[command(flatten)]
    saved: SavedArgs,
}

/// Runs `describe`.
///
/// # Errors
/// A name that means nothing or several onboardings, or what the cluster said.
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    let cluster = args.saved.open(app).await?;
    let names = saved::meant(&cluster, args.names)?;
    let (answers, others) = lookup::among_all(app, &cluster, &names).await?;
    let (mut objects, mut errors) = (Vec::new(), Vec::new());
    for (name, answer) in names.iter().zip(answers) {
        match lookup::only(name, answer) {
            Ok(object) => objects.push(object),
            Err(error) => errors.push(error),
        }
    }
    match args.format.output {
        DocumentFormat::Text => describe(app, &cluster, &others, objects).await?,
        DocumentFormat::Markdown => markdown(app, &cluster, &others, objects).await?,
        format => {
            let single = names.len() == 1;
            print(app, &cluster, &others, objects, format, single).await?;
        }
    }
    app.ui.flush()?;
    if let (1, Some(_)) = (names.len(), errors.first()) {
        return Err(errors.remove(0));
    }
    lookup::tell(app, &errors)
}

async fn told(cluster: &Cluster, others: &Onboardings, object: Value) -> Result<Description> {
    let snapshot = cluster.snapshot(object, others).await?;
    Ok(Description::new(snapshot, others.not_elsewhere.as_ref()))
}

/// Text, each onboarding as soon as it is read, two blank lines between them.
async fn describe(
    app: &mut App,
    cluster: &Cluster,
    others: &Onboardings,
    objects: Vec<Value>,
) -> Result<()> {
    let (now, width) = (app.now, app.ui.terminal().prose());
    for (number, object) in objects.into_iter().enumerate() {
        let told = told(cluster, others, object).await?;
        let screen = &mut app.ui.screen();
        if number > 0 {
            screen.line("\n")?;
        }
        description::write(screen, &told, now, width)?;
        app.ui.flush()?;
    }
    Ok(())
}

/// Markdown: each onboarding as a heading and its text.
async fn markdown(
    app: &mut App,
    cluster: &Cluster,
    others: &Onboardings,
    objects: Vec<Value>,
) -> Result<()> {
    for object in objects {
        let told = told(cluster, others, object).await?;
        let now = app.now;
        description::markdown(&mut app.ui.screen(), &told, now)?;
        app.ui.flush()?;
    }
    Ok(())
}

/// JSON or YAML: the one that was asked for, or a List.
async fn print(
    app: &mut App,
    cluster: &Cluster,
    others: &Onboardings,
    objects: Vec<Value>,
    format: DocumentFormat,
    single: bool,
) -> Result<()> {
    let mut values = Vec::new();
    for object in objects {
        let told = told(cluster, others, object).await?;
        let value = serde_json::to_value(&told);
        values.push(value.expect("a description has only text keys"));
    }
    if single && values.is_empty() {
        return Ok(());
    }
    let whole = if single {
        values.swap_remove(0)
    } else {
        object_list::list(values)
    };
    let mut out = app.ui.machine();
    match format {
        DocumentFormat::Yaml => yaml::write_value(&mut out, &whole)?,
        _ => json::write_value(&mut out, &whole)?,
    }
    Ok(())
}
