//! `doctor`: can this installation of the plugin do its work on this cluster?
//!
//! Owns the order of the checks: the API server first, then everything on the cluster in parallel, and beside them what is on this machine.
//! Reads only, and runs nothing in a pod.

mod couchdb;
mod flux;
mod machine;
mod rights;
mod role;
mod server;

use crate::advice::Origin;
use crate::app::App;
use crate::cluster::Cluster;
use crate::cluster::helm_releases::Query;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::couchdb_pods::PlaceArgs;
use crate::flags::format::{self, FormatArgs};
use crate::help;
use crate::model::role::{GROUP, MANIFESTS, Places, TARGET};
use crate::render::output::ReportFormat;
use crate::render::{self, json, yaml};
use crate::text::thousands;
use crate::view::doctor::{Area, Check, DoctorReport, ELSEWHERE, Next, State};
use clap::builder::PossibleValuesParser;
use std::collections::BTreeSet;
use std::time::Duration;

/// Longest that a read may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Target namespaces in which rights are asked for at most.
const TARGETS_MAX: usize = 10;

/// Check that the plugin can do its work on this cluster
///
/// Checks the API server, Flux's kinds and controllers, the onboardings' chart sources, CouchDB's pods, your rights for every command, and
/// what is installed on this machine: helm, git, completion, other plugins of this name. It changes nothing and runs nothing in a pod. What
/// cannot be checked is "not known", never "ok". Without an API server the checks of this machine are still made.
///
/// --role prints the manifest with the rights of a command, from docs/rbac, for an administrator to review and apply.
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help("Format: text, json or yaml (kind DoctorReport)")),
    after_help = "Examples:
  kubectl skvs doctor
  kubectl skvs doctor -o json
  kubectl skvs doctor --role delete-db,restore --group oncall > rights.yaml
  kubectl skvs doctor --role list | kubectl apply -f -

Exit codes: 0 no check failed; 1 no check failed, and one could not be made; 3 a check failed. Warnings, such as a missing optional right, \
do not change it"
)]
pub struct Args {
    /// Print the rights of these commands as a manifest, and check nothing
    #[arg(
        long,
        value_name = "COMMAND",
        value_delimiter = ',',
        value_parser = PossibleValuesParser::new(MANIFESTS.iter().map(|m| m.command)),
        hide_possible_values = true,
        conflicts_with = "output",
        help_heading = help::OUTPUT
    )]
    role: Vec<String>,
    /// Group that --role gives the rights to
    #[arg(
        long,
        value_name = "GROUP",
        requires = "role",
        default_value = GROUP,
        value_parser = clap::builder::NonEmptyStringValueParser::new(),
        help_heading = help::OUTPUT
    )]
    group: String,
    /// Target namespaces of the releases; by default those of the onboardings, and core for --role
    #[arg(
        long,
        value_name = "NAMESPACE",
        value_delimiter = ',',
        value_parser = clap::builder::NonEmptyStringValueParser::new(),
        help_heading = help::SELECTION
    )]
    target_namespace: Vec<String>,
    #[command(flatten)]
    couchdb: PlaceArgs,
    #[command(flatten)]
    format: FormatArgs<ReportFormat>,
}

impl Args {
    /// The namespaces whose rights are meant, where these are the releases' targets.
    fn places(&self, app: &App, targets: Vec<String>) -> Places {
        Places {
            onboardings: app.global.namespace.clone(),
            targets,
            couchdb: self.couchdb.couchdb_namespace.clone(),
        }
    }
}

/// Runs `doctor`.
///
/// # Errors
/// Only of the output: what the cluster said is in the report.
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    if !args.role.is_empty() {
        app.global.check_namespace()?;
        return role::print(app, &args);
    }
    let interrupt = crate::interrupt::any();
    tokio::pin!(interrupt);
    let report = tokio::select! {
        biased;
        report = look(app, &args) => report,
        () = &mut interrupt => {
            return Err(Error::new("interrupted").with_code(Code::Interrupted));
        }
    };
    let code = report.code();
    print(app, &args, &report)
        .and_then(|()| app.ui.flush())
        .map_err(|error| error.of_output(code))?;
    Ok(code)
}

fn print(app: &mut App, args: &Args, report: &DoctorReport) -> Result<()> {
    match args.format.output {
        ReportFormat::Text => {
            let (width, palette) = (app.ui.terminal().prose(), app.ui.palette());
            render::doctor::write(&mut app.ui.screen(), report, width, palette)?;
        }
        ReportFormat::Json => json::write(&mut app.ui.machine(), report)?,
        ReportFormat::Yaml => yaml::write(&mut app.ui.machine(), report)?,
    }
    Ok(())
}

/// Makes every check.
async fn look(app: &mut App, args: &Args) -> DoctorReport {
    let settings = app.settings.clone();
    let usable = settings.settings.as_ref().map_err(Clone::clone);
    let usable = usable.and_then(|_| app.global.check_namespace());
    let machine = machine::checks(app.grammar.command(), &settings, usable);
    let ((origin, mut checks, grant), machine) = futures::join!(of_cluster(app, args), machine);
    checks.extend(machine);
    DoctorReport::new(&origin, checks, grant)
}

/// The checks on the cluster, and how missing rights are granted.
async fn of_cluster(app: &mut App, args: &Args) -> (Origin, Vec<Check>, Option<Next>) {
    let cluster = match app.cluster().await {
        Ok(cluster) => cluster.within(LIMIT),
        Err(error) => {
            let origin = app.ui.origin().clone();
            let checks = vec![server::failed(&error, &origin), server::unasked()];
            return (origin, checks, None);
        }
    };
    let origin = cluster.origin().clone();
    let (mut checks, answers) = server::checks(&cluster).await;
    if !answers {
        checks.push(server::unasked());
        return (origin, checks, None);
    }
    let (flux, onboardings, couchdb) = futures::join!(
        flux::checks(&cluster),
        of_onboardings(app, args, &cluster),
        couchdb::check(&cluster, &args.couchdb)
    );
    let (sources, rights, grant) = onboardings;
    checks.extend(flux);
    checks.extend(sources);
    checks.push(couchdb);
    checks.extend(rights);
    (origin, checks, grant)
}

/// The checks that depend on the onboardings: their chart sources, and rights, some of which are needed in their target namespaces.
async fn of_onboardings(
    app: &App,
    args: &Args,
    cluster: &Cluster,
) -> (Vec<Check>, Vec<Check>, Option<Next>) {
    if app.global.check_namespace().is_err() {
        let why = "not checked: no namespace can have this name, see settings";
        let check = Check::new(Area::Rights, "onboardings", State::NotKnown, why);
        return (Vec::new(), vec![check], None);
    }
    let query = Query {
        namespace: Some(app.global.namespace.clone()),
        selector: app.global.onboarding_selector.clone(),
    };
    let listed = cluster.onboardings(&query, |_| false).await;
    let mut targets: BTreeSet<String> = args.target_namespace.iter().cloned().collect();
    if targets.is_empty() {
        let onboardings = listed.iter().flat_map(|listed| &listed.typed);
        let own = onboardings.filter(|hr| !hr.is_remote());
        targets = own.map(|hr| hr.release_namespace().to_owned()).collect();
    }
    let not_known = match &listed {
        _ if !args.target_namespace.is_empty() => None,
        Err(error) => Some(error.clause()),
        Ok(listed) if !listed.unreadable.is_empty() => {
            Some("some HelmReleases cannot be read".to_owned())
        }
        Ok(_) => None,
    };
    if targets.is_empty() {
        targets.insert(TARGET.to_owned());
    }
    let left_out = targets.len().saturating_sub(TARGETS_MAX);
    let targets: Vec<String> = targets.into_iter().take(TARGETS_MAX).collect();
    let places = args.places(app, targets);
    let (sources, (mut rights, grant)) = futures::join!(
        flux::sources(cluster, &app.global.namespace, &listed),
        rights::checks(cluster, &places)
    );
    if let Some(why) = not_known {
        let why = format!("the target namespaces of the onboardings are not all known: {why}");
        let check = Check::new(Area::Rights, ELSEWHERE, State::NotKnown, why);
        rights.push(check.next("name them with --target-namespace", cluster.origin()));
    }
    if left_out > 0 {
        let why = format!(
            "rights in {} more target namespaces were not asked for",
            thousands(left_out as u64)
        );
        let check = Check::new(Area::Rights, ELSEWHERE, State::NotKnown, why);
        rights.push(check.next("name them with --target-namespace", cluster.origin()));
    }
    (sources, rights, grant)
}
