//! The root parser: the commands, and how a wrong command line is reported.
//!
//! Owns argv. A command's own flags live with the command.

use crate::advice::{Command, Origin};
use crate::app::{Given, GlobalArgs, Grammar};
use crate::commands;
use crate::exit::Code;
use crate::help::{self, Detail};
use crate::text::shown;
use crate::ui::{Color, Ui};
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};
use std::ffi::OsString;

/// Carry out the Secure KVS onboarding runbook: diagnose, hand over, clean up
#[derive(Parser, Debug)]
#[command(
    name = "kubectl skvs",
    bin_name = "kubectl skvs",
    version,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: commands::Command,
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// A command line that ends before a command runs: help that was asked for, or a usage error.
pub struct Rejected {
    error: clap::Error,
    /// The command that the line is about: `kubectl skvs list`.
    command: Command,
    color: Color,
}

impl Cli {
    /// Parses argv.
    ///
    /// # Errors
    /// Help, or what is wrong, ready to be told.
    pub fn from_args(
        args: impl Iterator<Item = OsString>,
        grammar: &Grammar,
    ) -> std::result::Result<Self, Box<Rejected>> {
        let argv: Vec<OsString> = args.collect();
        Self::parsed(&argv, grammar).map_err(|error| {
            Box::new(Rejected {
                error,
                command: command_of(&argv),
                color: color_of(&argv),
            })
        })
    }

    fn parsed(argv: &[OsString], grammar: &Grammar) -> std::result::Result<Self, clap::Error> {
        let root = help::arranged(grammar.command(), Detail::asked_for(argv));
        let matches = root.clone().try_get_matches_from(argv)?;
        if let Some(unnamed) = grammar.settings().unnamed(&root, &matches) {
            return Err(Self::command().error(ErrorKind::MissingRequiredArgument, unnamed));
        }
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

impl Rejected {
    /// Prints it as kubectl would and gives the exit code.
    pub fn tell(&self, ui: &mut Ui) -> Code {
        ui.set_color(self.color);
        let error = &self.error;
        match error.kind() {
            // No command: that asks what there is.
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::MissingSubcommand => match ui.help(&self.text()) {
                Ok(()) => Code::Ok,
                Err(error) => error.code(),
            },
            _ => {
                ui.error(&self.usage());
                let help = self.command.clone().args(["-h"]).at(&Origin::default());
                ui.status(shown!("See '{help}' for help and examples"));
                Code::Usage
            }
        }
    }

    /// clap's own text, or the root's help where a command is missing.
    fn text(&self) -> StyledStr {
        match self.error.kind() {
            ErrorKind::MissingSubcommand => {
                help::arranged(Cli::command(), Detail::Full).render_help()
            }
            _ => self.error.render(),
        }
    }

    /// What is wrong, in kubectl's words where it has some.
    fn usage(&self) -> crate::error::Error {
        let value = |kind| match self.error.get(kind) {
            Some(ContextValue::String(value)) => Some(value.as_str()),
            // Of several suggestions clap has the nearest one last.
            Some(ContextValue::Strings(values)) => values.last().map(String::as_str),
            _ => None,
        };
        let near = |near: Option<&str>| near.map(|near| format!("did you mean {near}?"));
        let (message, hint) = match self.error.kind() {
            ErrorKind::InvalidSubcommand => {
                let word = value(ContextKind::InvalidSubcommand).unwrap_or_default();
                let message = format!(
                    "unknown command {word:?} for \"{}\"",
                    self.command.at(&Origin::default())
                );
                // An alias is suggested by the name that the help has.
                let near_to = value(ContextKind::SuggestedSubcommand);
                let root = Cli::command();
                let named = near_to.and_then(|near| root.find_subcommand(near));
                let named = named.map_or(near_to, |command| Some(command.get_name()));
                (message, near(named))
            }
            ErrorKind::UnknownArgument => {
                let word = value(ContextKind::InvalidArg).unwrap_or_default();
                if !word.starts_with('-') {
                    return crate::error::Error::usage(message(&self.error));
                }
                let confirms = ["delete-db", "restore"].map(|name| Command::skvs([name]));
                let hint = if CONFIRMING.contains(&word) && confirms.contains(&self.command) {
                    Some("confirm with --context NAME --confirm DATABASE".to_owned())
                } else {
                    near(value(ContextKind::SuggestedArg))
                };
                (format!("unknown flag: {word}"), hint)
            }
            _ => (message(&self.error), None),
        };
        let error = crate::error::Error::usage(message);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// Flags of other programs that confirm without a question.
const CONFIRMING: [&str; 4] = ["--yes", "--force", "-y", "--assume-yes"];

/// What `--color` says on a line that cannot be parsed.
fn color_of(argv: &[OsString]) -> Color {
    let words = argv.iter().map(|word| word.to_string_lossy());
    let words: Vec<_> = words.take_while(|word| word != "--").collect();
    let given = words.iter().enumerate().find_map(|(at, word)| {
        let next = || words.get(at + 1).map(|next| next.as_ref());
        match word.strip_prefix("--color") {
            Some("") => next(),
            Some(value) => value.strip_prefix('='),
            None => None,
        }
    });
    let color = given.and_then(|word| Color::from_str(word, false).ok());
    color.unwrap_or_default()
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
fn command_of(argv: &[OsString]) -> Command {
    let root = Cli::command();
    argv.iter()
        .skip(1)
        .filter_map(|word| root.find_subcommand(word))
        .map(|command| command.get_name())
        .next()
        .map_or_else(|| Command::skvs::<&str>([]), |name| Command::skvs([name]))
}
