//! `config`: the settings in force, each with where it comes from. Offline: no cluster is asked.

use crate::app::App;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::format::{self, FormatArgs};
use crate::render::output::ReportFormat;
use crate::render::table::Table;
use crate::render::{json, yaml};
use crate::settings::{Setting, Use};
use crate::text::Shown;
use crate::view::config::{Config, File, Origin, Value};
use clap::parser::ValueSource;
use clap::{Arg, Command};

/// Show the settings, and where each comes from
///
/// A flag comes first, then its variable, then the file $XDG_CONFIG_HOME/kubectl-skvs/config.toml (default
/// ~/.config/kubectl-skvs/config.toml; SKVS_CONFIG names another one), then the built-in default. Nothing in the file confirms anything, and
/// delete-db, restore and retry do not take CouchDB's place from it. Its keys: docs/configuration.md.
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
    let root = app.grammar.command();
    let values = settings.all().into_iter();
    let values = values.map(|setting| value(app, &root, setting));
    let values = values.collect::<Result<Vec<Value>>>()?;
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
///
/// # Errors
/// A variable has a value that its flag does not take.
fn value(app: &App, root: &Command, setting: Setting) -> Result<Value> {
    let Setting { key, use_, value } = setting;
    let in_file = value.is_some();
    let otherwise = if in_file {
        Origin::File
    } else {
        Origin::Default
    };
    let (value, origin, variable) = match use_ {
        Use::Own(default) => (value.or(default), otherwise, None),
        Use::Flag(id) => {
            let (value, source, variable) = in_force(root, id)?;
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
            match given
                .into_iter()
                .find(|(flag, given, _)| *flag == id && *given)
            {
                Some((_, _, value)) => (Some(value.clone()), Origin::Flag, variable),
                None if source == Some(ValueSource::EnvVariable) => {
                    (value, Origin::Environment, variable)
                }
                None => (value, otherwise, variable),
            }
        }
    };
    Ok(Value {
        key,
        value,
        origin,
        variable,
    })
}

/// The value of a flag that is not given, as clap has it, where it comes from, and the flag's variable.
fn in_force(
    root: &Command,
    id: &str,
) -> Result<(Option<String>, Option<ValueSource>, Option<String>)> {
    let Some(arg) = arg(root, id) else {
        return Ok((None, None, None));
    };
    let variable = arg
        .get_env()
        .and_then(|name| name.to_str())
        .map(str::to_owned);
    let parser = Command::new("config")
        .no_binary_name(true)
        .arg(arg.global(false));
    let matches = parser.try_get_matches_from([""; 0]).map_err(|error| {
        let text = error.render().to_string();
        let text = text.lines().next().unwrap_or_default();
        let text = text.strip_prefix("error: ").unwrap_or(text);
        let variable = variable.as_deref().unwrap_or(id);
        Error::new(format!("{variable}: {text}"))
    })?;
    let raw = matches.get_raw(id).and_then(|mut raw| raw.next());
    let raw = raw.map(|raw| raw.to_string_lossy().into_owned());
    let source = matches.value_source(id);
    // One that is set to nothing is the default for some flags, by their own parsers.
    let parsed = matches.try_get_one::<String>(id).ok().flatten().cloned();
    let source = source.filter(|_| parsed.is_none() || parsed == raw);
    Ok((parsed.or(raw), source, variable))
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
