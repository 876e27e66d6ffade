//! `check-access`: whether Istio's policies let a service account use a database. Nothing is changed, and nothing is sent to CouchDB.

use crate::advice::{Command, Hint};
use crate::app::App;
use crate::cluster::access;
use crate::diagnosis::access::judge;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::format::{self, FormatArgs};
use crate::help;
use crate::model::istio::request::Account;
use crate::model::names::DatabaseName;
use crate::render::access_check;
use crate::render::output::ReportFormat;
use crate::render::{json, yaml};
use crate::view::access_check::{AccessCheck, Answer};

/// Check whether a service account may use a database
///
/// Answers a team's "RBAC: access denied": reads the installed endpoint, the pods behind it, Istio's policies and settings, and the
/// account's pods. The verdict is yes only if all of it was read and understood. CouchDB is not asked.
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help("Format: text, json or yaml (kind AccessCheck)")),
    after_help = "Examples:
  kubectl skvs check-access pds_database --service-account pds/pds
  kubectl skvs check-access pds_database --service-account pds/pds -o json

Exit codes: 0 yes, 3 no, 1 not known or failed"
)]
pub struct Args {
    /// Database, as in CouchDB: <namespace>_<database>
    #[arg(value_name = "DATABASE", value_parser = DatabaseName::parse)]
    database: DatabaseName,
    /// Service account to check, NAMESPACE/NAME; required
    #[arg(long, value_name = "ACCOUNT", value_parser = Account::parse, help_heading = help::SELECTION)]
    service_account: Option<Account>,
    #[command(flatten)]
    format: FormatArgs<ReportFormat>,
}

/// Runs `check-access`.
///
/// # Errors
/// What the cluster said: of a part that could not be read alone the answer says so.
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    let Some(account) = args.service_account else {
        return Err(
            Error::usage("name the service account with --service-account NAMESPACE/NAME")
                .hint("--as is the user who asks, as in kubectl"),
        );
    };
    let cluster = app.cluster().await?;
    let (namespace, selector) = (&app.global.namespace, &app.global.onboarding_selector);
    let reading = access::gather(&cluster, namespace, selector, args.database, account);
    let facts = reading.await?;
    let judgement = judge(&facts);
    let check = AccessCheck::new(&facts, judgement);
    match args.format.output {
        ReportFormat::Text => {
            let width = app.ui.terminal().prose();
            access_check::write(&mut app.ui.screen(), &check, width)?;
        }
        ReportFormat::Json => json::write(&mut app.ui.machine(), &check)?,
        ReportFormat::Yaml => yaml::write(&mut app.ui.machine(), &check)?,
    }
    app.ui.flush()?;
    if args.format.output == ReportFormat::Text {
        app.ui.hint(next(&check));
    }
    match check.code() {
        Code::Failed => Err(Error::silent(Code::Failed)),
        code => Ok(code),
    }
}

/// The next command.
fn next(check: &AccessCheck) -> Hint {
    let onboarding = check.onboardings.first().and_then(|id| id.split_once('/'));
    let pod = check.pods.first().and_then(|id| id.split_once('/'));
    match (check.verdict, onboarding, pod) {
        (Answer::Yes, _, Some((namespace, pod))) => {
            let logs = ["kubectl", "logs", "-n", namespace, pod, "-c", "istio-proxy"];
            Command::from(logs)
                .after("if it still gets 403, the proxy's log says which rule refused it:")
        }
        (_, None, _) => {
            let database = check.database.as_str();
            Command::skvs(["databases", database]).after("whose the database is:")
        }
        (_, Some((namespace, name)), _) => {
            let troubleshoot = Command::skvs(["troubleshoot", name, "-n", namespace]);
            troubleshoot.after("whether the policy is what the onboarding says:")
        }
    }
}
