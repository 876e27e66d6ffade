//! The help screens: the root's groups of commands, one layout for every command, and the flags that all of them take.
//!
//! Owns order and headings; the texts are the doc comments of the commands. clap prints and folds them.

use clap::builder::{Resettable, StyledStr};
use clap::{Arg, ArgAction, Command};
use std::ffi::OsString;

/// Headings of flags, so that the same kind of flag has the same heading everywhere.
pub(crate) const ONBOARDINGS: &str = "Onboardings";
pub(crate) const SELECTION: &str = "Selection";
pub(crate) const OUTPUT: &str = "Output";
pub(crate) const SAVED: &str = "Saved files";
pub(crate) const COUCHDB: &str = "CouchDB";
pub(crate) const CHANGE: &str = "Change";
pub(crate) const CONFIRMATION: &str = "Confirmation";

/// The commands by what they are for.
const GROUPS: [(&str, &[&str]); 5] = [
    (
        "Look",
        &["status", "list", "describe", "notes", "databases"],
    ),
    (
        "Fix",
        &[
            "troubleshoot",
            "explain",
            "check-access",
            "retry",
            "suspend",
            "resume",
            "capture",
        ],
    ),
    ("In the GitOps repository", &["onboard", "lint", "access"]),
    (
        "Delete and keep",
        &["offboard", "delete-db", "backup", "restore"],
    ),
    (
        "Other",
        &[
            "doctor",
            "config",
            "demo",
            "completion",
            "options",
            "version",
        ],
    ),
];

/// Commands that look for onboardings, and so take `-n` and `--onboarding-selector`.
const LOOK_FOR_ONBOARDINGS: [&str; 11] = [
    "check-access",
    "retry",
    "suspend",
    "resume",
    "status",
    "list",
    "describe",
    "notes",
    "troubleshoot",
    "capture",
    "doctor",
];

/// About, usage, examples, arguments, flags, notes.
const LAYOUT: &str =
    "{about-with-newline}\n{usage-heading} {usage}\n\n{before-help}{all-args}{after-help}";

const POINTER: &str = "Use \"kubectl skvs options\" for the flags that every command takes";

/// How much a command's help says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// `-h`: one screen.
    Brief,
    /// `--help`: everything.
    Full,
}

/// Flags that only `--help` shows.
const RARE: [&str; 10] = [
    "onboarding_selector",
    "couchdb_namespace",
    "pod_selector",
    "pod",
    "container",
    "port",
    "credentials_from_secret",
    "credentials_keys",
    "recursive",
    "show_managed_fields",
];

impl Detail {
    /// What this command line asks for.
    pub(crate) fn asked_for(argv: &[OsString]) -> Self {
        if argv.iter().any(|word| word == "-h") {
            Self::Brief
        } else {
            Self::Full
        }
    }
}

/// The parser with its help screens.
pub(crate) fn arranged(root: Command, detail: Detail) -> Command {
    let screen = screen(&root);
    let shared: Vec<Arg> = root
        .get_arguments()
        .filter(|arg| ["namespace", "onboarding_selector"].contains(&arg.get_id().as_str()))
        .map(|arg| arg.clone().help_heading(SELECTION))
        .collect();
    root.override_help(screen)
        .mut_args(|arg| {
            if arg.is_global_set() {
                arg.hide(true)
            } else {
                arg
            }
        })
        .mut_subcommands(|command| {
            let looks = LOOK_FOR_ONBOARDINGS.contains(&command.get_name());
            let own = if looks { shared.clone() } else { Vec::new() };
            laid_out(command.args(own), detail, false)
        })
}

/// One command. What is `below` another is listed in its help by its description, which is then one line.
fn laid_out(command: Command, detail: Detail, below: bool) -> Command {
    let brief = detail == Detail::Brief;
    let about = command.get_long_about().filter(|_| !brief && !below);
    let about = about.or(command.get_about()).cloned();
    let after = command.get_after_help().map(ToString::to_string);
    let after = after.unwrap_or_default();
    let (examples, notes) = match after.split_once("\n\n") {
        Some((examples, notes)) => (examples.to_owned(), notes.to_owned()),
        None => (after, String::new()),
    };
    let rare = |arg: &Arg| RARE.contains(&arg.get_id().as_str());
    let has_rare = command.get_arguments().any(rare);
    let end = match (brief, has_rare, notes.as_str()) {
        (true, true, _) => format!("Use --help for more flags\n{POINTER}"),
        (true, false, _) | (false, _, "") => POINTER.to_owned(),
        (false, _, notes) => format!("{notes}\n\n{POINTER}"),
    };
    let help = Arg::new("help").short('h').long("help");
    let command = command
        .help_template(LAYOUT)
        .about(about.unwrap_or_default())
        .long_about(Resettable::Reset)
        .after_help(end)
        .disable_help_flag(true)
        .mut_args(|arg| {
            let hidden = arg.is_hide_set() || (brief && rare(&arg));
            let arg = arg.long_help(Resettable::Reset).hide_env_values(true);
            arg.hide(hidden).hide_env(brief)
        })
        .arg(help.help("Print help").action(ArgAction::Help).hide(true))
        .mut_subcommands(|command| laid_out(command, detail, true));
    if examples.is_empty() {
        command
    } else {
        command.before_help(examples)
    }
}

/// What `kubectl skvs` alone prints.
fn screen(root: &Command) -> String {
    let heading = root.get_styles().get_header();
    let mut text = format!("{}\n", root.get_about().cloned().unwrap_or_default());
    let about = |name: &str| {
        let command = root.find_subcommand(name).expect("a group names commands");
        command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    let row = |name: &str, about: &str| format!("  {name:<14}{about}\n");
    for (group, names) in GROUPS {
        text.push_str(&format!("\n{heading}{group}:{heading:#}\n"));
        text.extend(names.iter().map(|name| row(name, &about(name))));
    }
    text.push_str(&row("help", "Show the help of a command"));
    text.push_str(&format!(
        "\n{heading}Usage:{heading:#} kubectl skvs <command> [flags]\n\n\
         Use \"kubectl skvs <command> --help\" for more information about a command\n{POINTER}\n"
    ));
    text
}

/// The flags that every command takes, as a help text.
pub(crate) fn options(root: &Command) -> StyledStr {
    let global = root.get_arguments().filter(|arg| arg.is_global_set());
    let mut command = Command::new("options")
        .help_template("The following flags can be passed to any command:\n\n{all-args}")
        .max_term_width(100)
        .disable_help_flag(true)
        .args(global.cloned())
        .mut_args(|arg| arg.hide_env_values(true));
    command.render_help()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// An example that is folded is pasted in half.
    #[test]
    fn no_example_is_folded_at_80_columns() {
        fn check(command: &Command) {
            let after = command.get_after_help().map(ToString::to_string);
            for line in after.iter().flat_map(|text| text.lines()) {
                let example = line.trim_start().starts_with("kubectl ");
                assert!(!example || line.chars().count() <= 80, "{line}");
            }
            command.get_subcommands().for_each(check);
        }
        check(&crate::cli::Cli::command());
    }

    #[test]
    fn every_command_is_in_one_group() {
        let root = crate::cli::Cli::command();
        let mut commands: Vec<&str> = root.get_subcommands().map(Command::get_name).collect();
        let mut grouped: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        commands.sort_unstable();
        grouped.sort_unstable();
        assert_eq!(grouped, commands);
    }

    #[test]
    fn every_rare_flag_exists() {
        fn ids(command: &Command, all: &mut Vec<String>) {
            all.extend(command.get_arguments().map(|arg| arg.get_id().to_string()));
            command.get_subcommands().for_each(|below| ids(below, all));
        }
        let mut all = Vec::new();
        ids(&crate::cli::Cli::command(), &mut all);
        for id in RARE {
            assert!(all.iter().any(|known| known == id), "{id}");
        }
    }

    /// Of every command and every flag of its own: a flag without a heading would be under clap's "Options".
    #[test]
    fn every_flag_has_a_heading() {
        fn check(command: &Command) {
            for arg in command.get_arguments() {
                let shown = !arg.is_positional() && !arg.is_hide_set();
                assert!(
                    !shown || arg.get_help_heading().is_some(),
                    "{} --{}",
                    command.get_name(),
                    arg.get_id()
                );
            }
            command.get_subcommands().for_each(check);
        }
        let root = arranged(crate::cli::Cli::command(), Detail::Full);
        root.get_subcommands().for_each(check);
    }
}
