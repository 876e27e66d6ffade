//! `list`: the onboardings, one line each, printed as the pages arrive.

mod clusters;
mod collect;
mod columns;
mod filter;
mod item;
mod named;
mod print;
mod shared;
mod summary;
mod watch;

use crate::app::App;
use crate::cluster::helm_releases::Query;
use crate::cluster::{Cluster, List, Pages, Step};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::contexts::ContextsArgs;
use crate::flags::saved::SavedArgs;
use crate::help;
use crate::lookup::empty;
use crate::model::helm_release::HelmRelease;
use crate::model::ownership::HelmReleases;
use crate::render::objects::Form;
use crate::render::output::Output;
use crate::render::sort::SortBy;
use crate::text::shown;
use crate::view::onboarding_row::Row;
use columns::LabelArgs;
use filter::Unjudged;
use serde_json::Value;
use std::collections::HashSet;
use summary::Summary;

/// List onboardings, one line each
///
/// STATUS says what is wrong, not only that something is. STALE: the status is older than the spec. SHARED: another
/// onboarding claims the same database. On a narrow terminal names are printed without skvs-onboarding-
/// (reading commands accept them so), then AGE and the STATUS of healthy rows are left out; pipes and -o wide show everything.
#[derive(clap::Args, Debug)]
#[command(
    mut_group("several", |several| several.conflicts_with_all(["filename", "watch"])),
    after_help = "Examples:
  kubectl skvs list
  kubectl skvs list --failed -A
  kubectl skvs list --service-account pds/pds -o wide
  kubectl get helmreleases -A -o yaml | kubectl skvs list -f -
  kubectl skvs list --contexts prod-east,prod-west --failed
  kubectl skvs list -o jsonpath='{.items[*].metadata.name}'"
)]
pub struct Args {
    /// Names of onboardings, in any of their forms (a database's: all that claim it); without names, all
    #[arg(value_name = "NAME", value_parser = crate::app::onboarding_name)]
    names: Vec<String>,
    /// List the onboardings of all namespaces; wins over -n
    #[arg(short = 'A', long, help_heading = help::SELECTION)]
    all_namespaces: bool,
    /// Label selector beside the one that marks onboardings; not with names
    #[arg(short = 'l', long, value_name = "SELECTOR", help_heading = help::SELECTION)]
    selector: Option<String>,
    /// Only onboardings that are not ready: READY is False
    #[arg(long, conflicts_with = "ready", help_heading = help::SELECTION)]
    failed: bool,
    /// Only onboardings that are ready: READY is True
    #[arg(long, help_heading = help::SELECTION)]
    ready: bool,
    /// Only the onboardings that claim this database, such as pds_database
    #[arg(long, value_name = "DATABASE", help_heading = help::SELECTION)]
    database: Option<String>,
    /// Only onboardings that let this account in: NAME or NAMESPACE/NAME
    #[arg(long, value_name = "ACCOUNT", help_heading = help::SELECTION)]
    service_account: Option<String>,
    /// Sort by this JSONPath, such as .metadata.creationTimestamp; the list is then printed when all of it is there
    #[arg(long, value_name = "JSONPATH", help_heading = help::OUTPUT)]
    sort_by: Option<String>,
    /// List the worst first: READY False, then Unknown, then ready ones that are suspended, stale or shared. Nothing is printed
    /// before the whole list has arrived
    #[arg(long, conflicts_with = "sort_by", help_heading = help::OUTPUT)]
    failed_first: bool,
    #[command(flatten)]
    labels: LabelArgs,
    /// Leave the header line out
    #[arg(long, alias = "no-header", help_heading = help::OUTPUT)]
    no_headers: bool,
    /// After the list, continue with the changes
    #[arg(short = 'w', long, conflicts_with = "filename", help_heading = help::OUTPUT)]
    watch: bool,
    /// Keep metadata.managedFields in json and yaml
    #[arg(long, help_heading = help::OUTPUT)]
    show_managed_fields: bool,
    /// Format: table, wide, json, yaml, name, jsonpath=TEMPLATE or custom-columns=SPEC
    #[arg(
        short = 'o',
        long,
        value_name = "FORMAT",
        default_value = "table",
        hide_default_value = true,
        help_heading = help::OUTPUT
    )]
    output: String,
    #[command(flatten)]
    contexts: ContextsArgs,
    #[command(flatten)]
    saved: SavedArgs,
}

/// Runs `list`.
///
/// # Errors
/// A wrong flag, or what the cluster said.
pub async fn run(app: &mut App, mut args: Args) -> Result<Code> {
    let output = Output::parse(&args.output).map_err(|e| Error::usage(e.to_string()))?;
    args.labels.check(&args.output, &output)?;
    let sort = match &args.sort_by {
        Some(path) => Some(SortBy::parse(path).map_err(|e| Error::usage(e.to_string()))?),
        None => None,
    };
    if args.all_namespaces && !args.names.is_empty() {
        return Err(Error::usage(
            "a resource cannot be retrieved by name across all namespaces",
        ));
    }
    if args.selector.is_some() && !args.names.is_empty() {
        return Err(Error::usage(
            "name cannot be provided when a selector is specified",
        ));
    }
    if let Some(fleet) = args.contexts.fleet(app)? {
        return clusters::run(app, &args, &fleet, &output, sort.as_ref()).await;
    }
    let cluster = args.saved.open(app).await?;
    args.all_namespaces |= app.everywhere;
    if !args.names.is_empty() {
        return named::run(app, &args, &cluster, &output, sort.as_ref()).await;
    }
    let query = query(app, &args);
    if args.watch {
        return watch::run(app, &args, &cluster, &query, &output).await;
    }
    match (&output, &sort) {
        (Output::Table | Output::Wide, None) if !args.failed_first => {
            stream(app, &args, &cluster, &query, &output).await
        }
        _ => collect(app, &args, &cluster, &query, &output, sort.as_ref()).await,
    }
}

/// Which HelmReleases the flags mean.
fn query(app: &App, args: &Args) -> Query {
    let product = app.global.onboarding_selector.trim();
    let parts = [product, args.selector.as_deref().unwrap_or_default().trim()];
    Query {
        namespace: (!args.all_namespaces).then(|| app.global.namespace.clone()),
        selector: parts
            .into_iter()
            .filter(|p| !p.is_empty())
            .collect::<Vec<_>>()
            .join(","),
    }
}

/// Rows as pages arrive: what was printed is never looked at again.
async fn stream(
    app: &mut App,
    args: &Args,
    cluster: &Cluster,
    query: &Query,
    output: &Output,
) -> Result<Code> {
    let (mut page, mut pages): (List<HelmRelease>, Pages<HelmRelease>) =
        cluster.helm_releases(query).await?;
    // With one page nothing is printed before all is known, so a shared database can be marked in its row.
    let whole = page.is_last();
    let columns = match whole {
        true => {
            let rows = page.items().iter().map(|hr| Row::new(hr, false));
            columns::fitting(app, args, output, rows)
        }
        false => columns::all(args, output),
    };
    let mut table = columns::table(app, args, &columns);
    let mut claims = HelmReleases::default();
    let mut summary = Summary::default();
    let mut unjudged = Unjudged::default();
    let mut shown = HashSet::new();
    let mut printed = HashSet::new();
    loop {
        for hr in page.items() {
            claims.add_onboarding(hr);
        }
        let rows: Vec<Vec<String>> = page
            .items()
            .iter()
            .filter(|hr| unjudged.passes(args, hr))
            .filter(|hr| printed.insert(hr.id()))
            .map(|hr| {
                shown.extend(shared::database(hr));
                summary.add(hr);
                columns.cells(Row::new(hr, whole && claims.is_shared(hr)), app.now)
            })
            .collect();
        table.write_page(&mut app.ui.screen(), &rows)?;
        app.ui.flush()?;
        drop(page);
        page = match pages.next().await? {
            None => break,
            Some(Step::Page(next)) => next,
            // The list begins again: who shares a database is judged by it alone, and rows that were printed stay.
            Some(Step::Again(first)) => {
                claims = HelmReleases::default();
                unjudged = Unjudged::default();
                first
            }
        };
    }
    if printed.is_empty() {
        tell_empty(app, args, cluster, query, claims.len()).await;
    }
    summary.print(app, claims.len());
    unjudged.warn(&mut app.ui);
    shared::warn(&claims, &shown, &mut app.ui);
    Ok(Code::Ok)
}

/// Everything first, then the answer: for formats and orders that need all of it.
async fn collect(
    app: &mut App,
    args: &Args,
    cluster: &Cluster,
    query: &Query,
    output: &Output,
    sort: Option<&SortBy>,
) -> Result<Code> {
    let (items, beside) = collect::items(cluster, args, query).await?;
    print::print(app, args, output, sort, items, Form::List)?;
    beside.tell(app, args, cluster, query, output).await;
    Ok(Code::Ok)
}

/// Tells that nothing was found, in kubectl's line, and why; `filtered`: how many there were before the filters.
async fn tell_empty(app: &mut App, args: &Args, cluster: &Cluster, query: &Query, filtered: usize) {
    tell_none(app, query.namespace.as_deref());
    hint_at_none(app, args, cluster, query, filtered).await;
}

/// Tells why nothing was found.
async fn hint_at_none(
    app: &mut App,
    args: &Args,
    cluster: &Cluster,
    query: &Query,
    filtered: usize,
) {
    if filtered > 0 {
        app.ui.hint(filter::left_out(filtered));
    } else if args.selector.is_none()
        && let Some(why) = empty::why(app, cluster, query.namespace.as_deref()).await
    {
        app.ui.hint(why);
    }
}

/// kubectl's line where nothing is found.
fn tell_none(app: &mut App, namespace: Option<&str>) {
    match namespace {
        Some(namespace) => app
            .ui
            .status(shown!("No resources found in {namespace} namespace.")),
        None => app.ui.status("No resources found"),
    }
}

/// Each object with its typed form.
fn typed(objects: Vec<Value>) -> Result<Vec<(Value, HelmRelease)>> {
    objects
        .into_iter()
        .map(|object| match HelmRelease::from_value(&object) {
            Ok(hr) => Ok((object, hr)),
            Err(e) => {
                let name = object
                    .pointer("/metadata/name")
                    .and_then(Value::as_str)
                    .unwrap_or("?");
                Err(Error::new(format!(
                    "helmrelease {name:?} cannot be read: {e}"
                )))
            }
        })
        .collect()
}
