//! `config`: the settings in force, each with where it comes from. Offline: no cluster is asked.

use crate::app::App;
use crate::error::Result;
use crate::exit::Code;
use crate::flags::format::{self, FormatArgs};
use crate::render::output::ReportFormat;
use crate::render::table::Table;
use crate::render::{json, yaml};
use crate::settings::{Setting, Use};
use crate::text::Shown;
use crate::view::config::{Config, File, Origin, Value};
use clap::{Arg, Command};

/// Show the settings, and where each comes from
///
/// A flag comes first, then its variable, then the file $XDG_CONFIG_HOME/kubectl-skvs/config.toml (default
/// ~/.config/kubectl-skvs/config.toml; SKVS_CONFIG names another one), then the built-in default. delete-db and restore do not use the file,
/// and nothing in it confirms anything. Its keys: docs/configuration.md.
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help("Format: text, json or yaml (kind Config)")),
    after_help = "Examples:
  kubectl skvs config
  SKVS_CONFIG=team.toml kubectl skvs config -o json"
)]
pub struct Args {
    #[command(flatten)]
    format: FormatArgs<ReportFormat>,
}

/// Runs `config`.
///
/// # Errors
/// The file cannot be read.
pub fn run(app: &mut App, args: &Args) -> Result<Code> {
    let settings = app.settings.settings.clone()?;
    let root = app.grammar.bare();
    let values = settings.all().into_iter();
    let values = values.map(|setting| value(app, &root, setting)).collect();
    let file = app.settings.path.as_ref().map(|path| File {
        path: path.display().to_string(),
        exists: app.settings.exists,
    });
    let config = Config::new(file, values);
    match args.format.output {
        ReportFormat::Text => print(app, &config)?,
        ReportFormat::Json => json::write(&mut app.ui.machine(), &config)?,
        ReportFormat::Yaml => yaml::write(&mut app.ui.machine(), &config)?,
    }
    Ok(Code::Ok)
}

/// The value in force.
fn value(app: &App, root: &Command, setting: Setting) -> Value {
    let Setting { key, use_, value } = setting;
    let from_file = |default| match value {
        Some(value) => (Some(value), Origin::File),
        None => (default, Origin::Default),
    };
    let (value, origin, variable) = match use_ {
        Use::Own(default) => {
            let (value, origin) = from_file(default);
            (value, origin, None)
        }
        Use::Flag(id) => {
            let arg = arg(root, id);
            let variable = arg.as_ref().and_then(|arg| arg.get_env()?.to_str());
            let variable = variable.map(str::to_owned);
            let given = [
                (
                    "namespace",
                    app.global.given.namespace,
                    &app.global.namespace,
                ),
                (
                    "onboarding_selector",
                    app.global.given.selector,
                    &app.global.onboarding_selector,
                ),
            ];
            let given = given
                .into_iter()
                .find(|(flag, given, _)| *flag == id && *given);
            let set = variable
                .as_deref()
                .and_then(|name| std::env::var(name).ok());
            // A variable that is set to nothing chooses nothing.
            let set = set.filter(|value| !value.trim().is_empty());
            let default = arg.and_then(|arg| {
                let default = arg.get_default_values().first()?;
                Some(default.to_string_lossy().into_owned())
            });
            let (value, origin) = match (given, set) {
                (Some((_, _, value)), _) => (Some(value.clone()), Origin::Flag),
                (None, Some(value)) => (Some(value), Origin::Environment),
                (None, None) => from_file(default),
            };
            (value, origin, variable)
        }
    };
    Value {
        key,
        value,
        origin,
        variable,
    }
}

/// A flag of the first command that has it.
fn arg(command: &Command, id: &str) -> Option<Arg> {
    let own = command.get_arguments().find(|arg| arg.get_id() == id);
    own.cloned().or_else(|| {
        command
            .get_subcommands()
            .find_map(|command| arg(command, id))
    })
}

fn print(app: &mut App, config: &Config) -> Result<()> {
    let file = match &config.file {
        Some(File { path, exists: true }) => path.clone(),
        Some(File {
            path,
            exists: false,
        }) => format!("{path} (does not exist)"),
        None => "none: this user has no home".to_owned(),
    };
    let rows: Vec<Vec<String>> = config
        .settings
        .iter()
        .map(|setting| {
            let value = setting.value.as_deref().map(|value| {
                let mut lines = value.trim().lines();
                let first = lines.next().unwrap_or_default().to_owned();
                let more = if lines.next().is_some() { " …" } else { "" };
                first + more
            });
            vec![
                setting.key.to_owned(),
                value.unwrap_or_else(|| "<none>".to_owned()),
                setting.origin(),
            ]
        })
        .collect();
    let screen = &mut app.ui.screen();
    screen.line(Shown::line(format!("File: {file}")))?;
    screen.line("")?;
    let mut table = Table::new(["KEY", "VALUE", "ORIGIN"]);
    table.write_page(screen, &rows)?;
    Ok(())
}
