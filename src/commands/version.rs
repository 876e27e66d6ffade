//! `version`: the plugin's version, the server's, and the API version in which HelmReleases are served.

use crate::app::App;
use crate::cluster::ClusterError;
use crate::cluster::helm_releases::is_not_installed;
use crate::error::Result;
use crate::exit::Code;
use crate::flags::format::{self, FormatArgs};
use crate::help;
use crate::model::helm_release::GROUP;
use crate::programs::shadow;
use crate::render::output::ReportFormat;
use crate::render::{json, yaml};
use crate::text::{Shown, one_line};
use crate::view::description::API_VERSION;
use serde_json::{Value, json};

/// This plugin's version.
const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));
/// The commit that it was built from and that commit's date, RFC 3339. A release sets both; the time of the build would make every
/// build another binary.
const COMMIT: (Option<&str>, Option<&str>) =
    (option_env!("SKVS_COMMIT"), option_env!("SKVS_COMMIT_DATE"));

/// Show the versions of the plugin and of the server
///
/// Shows the version of the HelmRelease API too. Warns about executables on PATH that kubectl runs in place of a command of this
/// plugin.
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help("Format: text, json or yaml (kind Version)")),
    after_help = "Examples:
  kubectl skvs version
  kubectl skvs version --client -o json"
)]
pub struct Args {
    /// Show only the plugin's version; no cluster is asked
    #[arg(long, help_heading = help::OUTPUT)]
    client: bool,
    #[command(flatten)]
    format: FormatArgs<ReportFormat>,
}

/// Runs `version`.
///
/// # Errors
/// What the cluster said; the plugin's own version is printed all the same.
pub async fn run(app: &mut App, args: &Args) -> Result<Code> {
    for shadow in shadow::all(&app.grammar.command()).found {
        app.ui.warning(shadow.sentence());
    }
    let mut report =
        json!({ "apiVersion": API_VERSION, "kind": "Version", "clientVersion": client(COMMIT) });
    let asked = if args.client {
        Ok(())
    } else {
        ask(app, &mut report).await
    };
    match args.format.output {
        ReportFormat::Text => app.ui.result(Shown::lines(text(&report)))?,
        ReportFormat::Json => json::write_value(&mut app.ui.machine(), &report)?,
        ReportFormat::Yaml => yaml::write_value(&mut app.ui.machine(), &report)?,
    }
    asked.map(|()| Code::Ok)
}

/// The plugin's own version, and the commit where the build knew it.
fn client((commit, date): (Option<&str>, Option<&str>)) -> Value {
    let mut client = json!({ "gitVersion": VERSION });
    for (key, value) in [("gitCommit", commit), ("commitDate", date)] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            client[key] = value.into();
        }
    }
    client
}

/// Adds what the server says of itself.
async fn ask(app: &mut App, report: &mut Value) -> Result<()> {
    let cluster = app.cluster().await?;
    report["serverVersion"] = cluster.server_version().await?;
    report["helmReleaseApi"] = match cluster.served_version().await {
        Ok(version) => json!({ "groupVersion": format!("{GROUP}/{version}") }),
        Err(error) => json!({ "error": not_served(&error) }),
    };
    Ok(())
}

fn not_served(error: &ClusterError) -> String {
    if is_not_installed(error) {
        "not served: Flux's helm-controller is not installed on this cluster".to_owned()
    } else {
        format!("not read: {}", error.clause())
    }
}

fn text(report: &Value) -> String {
    let lines = [
        ("Client Version", &["/clientVersion/gitVersion"][..]),
        ("Client Commit", &["/clientVersion/gitCommit"]),
        ("Client Commit Date", &["/clientVersion/commitDate"]),
        ("Server Version", &["/serverVersion/gitVersion"]),
        (
            "HelmRelease API",
            &["/helmReleaseApi/groupVersion", "/helmReleaseApi/error"],
        ),
    ];
    let known = lines.iter().filter_map(|(title, paths)| {
        let mut values = paths.iter().map(|path| report.pointer(path)?.as_str());
        let value = one_line(values.find_map(|value| value)?);
        Some(format!("{title}: {value}"))
    });
    known.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_a_line_for_each_thing_that_is_known() {
        let report = json!({
            "clientVersion": {"gitVersion": "v1.2.3"},
            "serverVersion": {"gitVersion": "v1.36.3\u{1b}[31m"},
            "helmReleaseApi": {"error": "not read: forbidden"},
        });
        assert_eq!(
            text(&report),
            "Client Version: v1.2.3\nServer Version: v1.36.3^[[31m\nHelmRelease API: not read: forbidden"
        );
        let built = client((Some("4c282c8"), Some("2026-11-27T21:00:00+00:00")));
        assert_eq!(
            text(&json!({ "clientVersion": built })),
            format!(
                "Client Version: {VERSION}\nClient Commit: 4c282c8\nClient Commit Date: 2026-11-27T21:00:00+00:00"
            )
        );
        assert_eq!(client((None, Some(""))), json!({ "gitVersion": VERSION }));
        assert_eq!(
            text(&json!({"clientVersion": {"gitVersion": "v1.2.3"}})),
            "Client Version: v1.2.3"
        );
    }
}
