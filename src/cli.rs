//! The root parser: the commands, the flags that every command takes, and how a wrong command line is told.
//!
//! Owns argv. A command's own flags live with the command.

use crate::advice::{self, Origin};
use crate::cluster::{Cluster, ConnectionArgs};
use crate::commands::Command;
use crate::error::Result;
use crate::exit::Code;
use crate::model::helm_release::ONBOARDING_SELECTOR;
use crate::text::{Shown, shown};
use crate::ui::Ui;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser};
use k8s_openapi::jiff::Timestamp;
use std::ffi::OsString;

/// Namespace of the onboardings where nothing names another one.
const NAMESPACE: &str = "flux-system";

/// Reads a text that must not be empty: an empty one, as of a variable that is set to nothing, is the default.
pub(crate) fn or_default(
    default: &'static str,
) -> impl Fn(&str) -> std::result::Result<String, std::convert::Infallible> + Clone {
    move |text| {
        let given = Some(text).filter(|t| !t.trim().is_empty());
        Ok(given.unwrap_or(default).to_owned())
    }
}

/// Reads an onboarding's name. An empty one, as of a variable that is set to nothing, names none: its path would be the
/// collection's.
pub(crate) fn onboarding_name(text: &str) -> std::result::Result<String, &'static str> {
    if crate::model::lookup::typed(text).trim().is_empty() {
        return Err("a name must not be empty");
    }
    Ok(text.to_owned())
}

/// The Secure KVS onboarding runbook: list, describe and troubleshoot onboardings, delete their databases
#[derive(Parser, Debug)]
#[command(
    name = "kubectl skvs",
    bin_name = "kubectl skvs",
    version,
    max_term_width = 100,
    after_help = "Onboardings are looked up in the namespace flux-system; the context's own namespace is not used.\nFlags stand after skvs: kubectl skvs list --context NAME"
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// Flags that every command takes.
#[derive(clap::Args, Clone, Debug)]
pub struct GlobalArgs {
    /// Namespace of the onboardings' HelmReleases. The context's namespace is ignored: the runbook's is flux-system
    #[arg(
        short = 'n',
        long,
        global = true,
        env = "SKVS_NAMESPACE",
        default_value = NAMESPACE,
        value_parser = or_default(NAMESPACE),
        value_name = "NAMESPACE"
    )]
    pub namespace: String,
    /// Label selector that marks a HelmRelease as an onboarding
    #[arg(long, global = true, env = "SKVS_SELECTOR", default_value = ONBOARDING_SELECTOR, value_name = "SELECTOR")]
    pub onboarding_selector: String,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Which of these were on the command line.
    #[arg(skip)]
    pub given: Given,
}

/// Flags that stand on the command line itself: files tell better than the defaults and the environment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given {
    pub namespace: bool,
    pub selector: bool,
}

/// What a command works with.
pub struct App {
    pub ui: Ui,
    pub global: GlobalArgs,
    /// The time of this run, or of the capture whose files are read: every age is counted from it.
    pub now: Timestamp,
    /// Onboardings are looked up in all namespaces: of files, where none is named.
    pub everywhere: bool,
}

impl App {
    pub(crate) fn new(mut ui: Ui, global: GlobalArgs) -> Self {
        // Until the kubeconfig is read the flags are what is known.
        ui.set_origin(global.connection.origin(None, None));
        Self {
            ui,
            global,
            now: Timestamp::now(),
            everywhere: false,
        }
    }

    /// The namespace in which onboardings are looked up; `None` for all.
    pub fn namespace(&self) -> Option<String> {
        (!self.everywhere).then(|| self.global.namespace.clone())
    }

    /// Connects to the cluster that the flags name.
    ///
    /// # Errors
    /// As [`Cluster::connect`].
    pub async fn cluster(&mut self) -> Result<Cluster> {
        let terminal = self.ui.terminal().stdin;
        let cluster = Cluster::connect(&self.global.connection, terminal).await?;
        self.ui.set_origin(cluster.origin().clone());
        Ok(cluster)
    }
}

/// A command line that ends before a command runs: help that was asked for, or a usage error.
pub struct Told {
    error: clap::Error,
    /// The command that the line is about: `kubectl skvs list`.
    command: advice::Command,
}

impl Cli {
    /// Parses argv.
    ///
    /// # Errors
    /// Help, or what is wrong, ready to be told.
    pub fn read(args: impl Iterator<Item = OsString>) -> std::result::Result<Self, Box<Told>> {
        let argv: Vec<OsString> = args.collect();
        Self::parsed(&argv).map_err(|error| {
            Box::new(Told {
                error,
                command: command_of(&argv),
            })
        })
    }

    fn parsed(argv: &[OsString]) -> std::result::Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches_from(argv)?;
        let mut cli =
            Self::from_arg_matches(&matches).map_err(|e| e.format(&mut Self::command()))?;
        let given = |flag| matches.value_source(flag) == Some(ValueSource::CommandLine);
        cli.global.given = Given {
            namespace: given("namespace"),
            selector: given("onboarding_selector"),
        };
        Ok(cli)
    }
}

impl Told {
    /// Prints it as kubectl would and gives the exit code.
    pub fn tell(&self, ui: &mut Ui) -> Code {
        let error = &self.error;
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                let text = error.render();
                let text = if ui.palette().is_on() {
                    text.ansi().to_string()
                } else {
                    text.to_string()
                };
                let text = Shown::help(text.trim_end_matches('\n'));
                match ui.result(text).and_then(|()| ui.flush()) {
                    Ok(()) => Code::Ok,
                    Err(error) => error.code(),
                }
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
                ui.status(Shown::lines(error.render().to_string().trim_end()));
                Code::Usage
            }
            _ => {
                ui.error(&crate::error::Error::usage(message(error)));
                let help = self.command.clone().args(["-h"]).at(&Origin::default());
                ui.status(shown!("See '{help}' for help and examples"));
                Code::Usage
            }
        }
    }
}

/// clap's first paragraph without its heading, on one line, with its tip.
fn message(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let mut parts = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        if !line.is_empty() {
            parts.push(line.replace("tip: ", "; "));
        }
    }
    parts.join(" ").replace(" ;", ";")
}

/// The command that a line is about: its first word that is one.
fn command_of(argv: &[OsString]) -> advice::Command {
    let root = Cli::command();
    argv.iter()
        .skip(1)
        .filter_map(|word| root.find_subcommand(word))
        .map(|command| command.get_name())
        .next()
        .map_or_else(
            || advice::Command::skvs::<&str>([]),
            |name| advice::Command::skvs([name]),
        )
}
