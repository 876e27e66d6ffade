//! `troubleshoot`: what is wrong with onboardings, why, and what to do.

mod clusters;
mod examination;
mod manifests;

use crate::app::App;
use crate::bundle::Archive;
use crate::cluster::Cluster;
use crate::diagnosis::{NotRun, registry};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::contexts::ContextsArgs;
use crate::flags::couchdb_pods::AskArgs;
use crate::flags::format::{self, FormatArgs};
use crate::flags::gate::GateArgs;
use crate::flags::saved::{self, SavedArgs};
use crate::help;
use crate::lookup::empty;
use crate::render::output::FindingsFormat;
use crate::triage::follow::{FollowArgs, Following};
use crate::triage::print::Layout;
use crate::triage::{self, Which};
use examination::Examination;
use k8s_openapi::jiff::Timestamp;
use std::time::Instant;

/// Causes that are printed in full where no onboarding is named.
const DETAILS: usize = 3;

/// Find out what is wrong with onboardings, and what to do
///
/// Without names, looks into every onboarding that is not Ready, suspended, stale, unlabelled, shares its database or differs from
/// its installation. NAME is the HelmRelease, the Helm release, the manifest or the database (then all that claim it).
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help(
        "Format: text, markdown (for a ticket), html (one file to attach), json or yaml (kind TroubleshootReport), github (annotations), sarif (2.1.0)"
    )),
    mut_group("several", |several| several.conflicts_with_all(["filename", "wait", "watch"])),
    after_help = "Examples:
  kubectl skvs troubleshoot
  kubectl skvs troubleshoot skvs-onboarding-pds--database
  kubectl skvs troubleshoot pds_database --wait --timeout 10m
  kubectl skvs troubleshoot --contexts prod-east,prod-west
  kubectl get hr,jobs,pods,events -A -o yaml | kubectl skvs troubleshoot -f -
  kubectl skvs troubleshoot -o sarif --fail-on warning --ignore SKVS107
  kubectl skvs troubleshoot -A -o html > report.html

Exit codes: 0 no error, 1 failed, 3 an error was found (see --fail-on)"
)]
pub struct Args {
    /// Onboardings; by default all that are not well
    #[arg(value_name = "NAME", value_parser = crate::app::onboarding_name)]
    names: Vec<String>,
    /// Look in all namespaces; wins over -n
    #[arg(short = 'A', long, help_heading = help::SELECTION)]
    all_namespaces: bool,
    /// Label selector, in addition to the one that marks onboardings
    #[arg(short = 'l', long, value_name = "SELECTOR", conflicts_with = "names", help_heading = help::SELECTION)]
    selector: Option<String>,
    #[command(flatten)]
    contexts: ContextsArgs,
    #[command(flatten)]
    couchdb: AskArgs,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    follow: FollowArgs,
    #[command(flatten)]
    format: FormatArgs<FindingsFormat>,
    /// Print every cause in full; without names only the three worst are
    #[arg(long, conflicts_with = "names", help_heading = help::OUTPUT)]
    details: bool,
    #[command(flatten)]
    saved: SavedArgs,
}

impl Args {
    /// Which onboardings are meant.
    fn which(&self) -> Which<'_> {
        Which {
            names: &self.names,
            all_namespaces: self.all_namespaces,
            selector: self.selector.as_deref(),
            couchdb: Some(&self.couchdb),
        }
    }

    /// How the report is printed.
    fn layout(&self) -> Layout {
        Layout {
            format: self.format.output,
            namespaced: self.all_namespaces,
            details: (self.names.is_empty() && !self.details).then_some(DETAILS),
        }
    }
}

/// Runs `troubleshoot`.
///
/// # Errors
/// A name that means nothing, or what the cluster said.
pub async fn run(app: &mut App, mut args: Args) -> Result<Code> {
    if args.all_namespaces && !args.names.is_empty() {
        return Err(Error::usage(
            "a resource cannot be retrieved by name across all namespaces",
        ));
    }
    args.follow.check(&args.names, args.format.output)?;
    if let Some(fleet) = args.contexts.fleet(app)? {
        return clusters::run(app, &args, &fleet).await;
    }
    let mut ignores = args.gate.ignores(app);
    let started = Instant::now();
    let cluster = args.saved.open(app).await?;
    if args.names.is_empty() && args.selector.is_none() && !args.all_namespaces {
        args.names = saved::captured_names(&cluster);
    }
    args.all_namespaces |= app.everywhere;
    if args.follow.is_asked_for() {
        let following = Following {
            names: &args.names,
            couchdb: &args.couchdb,
            gate: &args.gate,
            follow: &args.follow,
            layout: args.layout(),
        };
        return following.run(app, &cluster, ignores).await;
    }
    let mut picked = triage::chosen(app, &cluster, args.which()).await?;
    if cluster.archive().is_some() {
        manifests::add_unlabelled(app, &cluster, &args, &mut picked).await;
        let manifests = manifests::taken_out(&mut picked.objects);
        if picked.objects.is_empty() && !picked.has_errors() && !manifests.is_empty() {
            return manifests::lint(app, &args, &manifests);
        }
        picked.errors.extend(manifests::left_out(&manifests));
    }
    let mut examined = Examination::run(&cluster, &args, picked, app.now).await;
    let nothing_asked = examined.is_void();
    let errors = std::mem::take(&mut examined.errors);
    let time = time(&cluster, app.now);
    let (report, fails) = examined.report(&args, &mut ignores, cluster.origin(), time);
    if !nothing_asked {
        let seconds = started.elapsed().as_secs_f64();
        let code = Code::of_findings(fails, errors.is_empty());
        let printed = args.layout().print(app, &report, &errors, code, seconds);
        // A reader that goes away takes the report, not the verdict.
        printed
            .and_then(|()| app.ui.flush())
            .map_err(|error| error.of_output(code))?;
    }
    // In every format: nothing considered must not pass for nothing wrong.
    if let (Some(none), None) = (report.none_considered(), &args.selector)
        && let Some(why) = empty::why(app, &cluster, none.namespace.as_deref()).await
    {
        app.ui.hint(&why);
    }
    app.ui.flush()?;
    args.gate.tell_unused(app, &ignores);
    for error in &errors {
        app.ui.error(error);
    }
    match Code::of_findings(fails, errors.is_empty()) {
        Code::Failed => Err(Error::silent(Code::Failed)),
        code => Ok(code),
    }
}

/// What objects that kubectl saved leave open: a list of them is what the files happen to hold.
fn unsaved(cluster: &Cluster) -> Option<NotRun> {
    let plain = cluster.archive().is_some_and(Archive::has_plain);
    plain.then(|| {
        let what = "pods and events other than the saved ones";
        NotRun::new(registry::BY_PODS, what, "only the saved files were read")
    })
}

/// When it was that things were as they are shown; what kubectl saved does not say.
fn time(cluster: &Cluster, now: Timestamp) -> Option<Timestamp> {
    let known = |archive: &Archive| archive.one_bundle().is_some();
    cluster.archive().is_none_or(known).then_some(now)
}
