//! Which values each flag and argument can have, told by its name on the command line's help.
//!
//! One table for all commands: a new command's NAME, DATABASE or NAMESPACE is completed without a word here.

use super::live::{Live, Onboarding};
use crate::cli::{Cli, GlobalArgs};
use crate::diagnosis::registry;
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};
use clap_complete::CompletionCandidate;
use clap_complete::engine::ArgValueCompleter;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Formats of `list`; commands whose formats are an enum need none here.
const FORMATS: [&str; 7] = [
    "table",
    "wide",
    "json",
    "yaml",
    "name",
    "jsonpath=",
    "custom-columns=",
];

/// Where an argument's values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Context,
    Cluster,
    User,
    Namespace,
    /// Names of HelmReleases; with `databases` also the databases that they claim.
    Onboarding {
        databases: bool,
    },
    /// `everywhere`: in all namespaces, whatever -n says.
    Database {
        everywhere: bool,
    },
    ServiceAccount,
    /// Codes of diagnoses, with their titles.
    Code,
    Format,
    File,
}

/// What can be offered for one command line.
#[derive(Clone)]
pub(super) struct Offer(Arc<Inner>);

struct Inner {
    live: Live,
    /// The words before the one being typed.
    before: Vec<OsString>,
    wants_files: AtomicBool,
}

impl Offer {
    /// Reads what the words already say: flags of the connection, namespaces, names.
    pub(super) fn new(words: &[OsString]) -> Self {
        let before = words.split_last().map_or(&[][..], |(_, before)| before);
        let everywhere = before.iter().any(|w| w == "-A" || w == "--all-namespaces");
        Self(Arc::new(Inner {
            live: Live::new(global(before), files(before), everywhere),
            before: before.to_vec(),
            wants_files: AtomicBool::new(false),
        }))
    }

    /// Whether a file name is wanted: the shell knows those best.
    pub(super) fn wants_files(&self) -> bool {
        self.0.wants_files.load(Ordering::Relaxed)
    }

    /// The command with a source of values at each argument that has one.
    pub(super) fn attach(&self, command: Command) -> Command {
        let name = command.get_name().to_owned();
        command
            .mut_args(|arg| match kind(&name, &arg) {
                None => arg,
                Some(kind) => {
                    let offer = self.clone();
                    arg.add(ArgValueCompleter::new(move |current: &OsStr| {
                        offer.candidates(kind, &current.to_string_lossy())
                    }))
                }
            })
            .mut_subcommands(|sub| self.attach(sub))
    }

    fn candidates(&self, kind: Kind, current: &str) -> Vec<CompletionCandidate> {
        let live = &self.0.live;
        let mut all: Vec<(String, Option<String>)> = match kind {
            Kind::File => {
                self.0.wants_files.store(true, Ordering::Relaxed);
                Vec::new()
            }
            Kind::Format => FORMATS.iter().map(|f| ((*f).to_owned(), None)).collect(),
            Kind::Code => registry::RULES
                .iter()
                .flat_map(|r| [r.code, r.slug].map(|c| (c.to_owned(), Some(r.title.to_owned()))))
                .collect(),
            Kind::Context => plain(live.contexts()),
            Kind::Cluster => plain(live.clusters()),
            Kind::User => plain(live.users()),
            Kind::Namespace => plain(live.namespaces()),
            Kind::Onboarding { databases } => {
                let onboardings = live.onboardings(false);
                let mut all: Vec<_> = onboardings
                    .iter()
                    .map(|o| (o.name.clone(), o.database.clone()))
                    .collect();
                if databases && !current.is_empty() {
                    all.extend(claimed(onboardings));
                }
                all
            }
            Kind::Database { everywhere } => claimed(live.onboardings(everywhere)),
            Kind::ServiceAccount => plain(
                live.onboardings(false)
                    .into_iter()
                    .flat_map(|o| o.service_accounts)
                    .collect(),
            ),
        };
        all.retain(|(value, _)| {
            value.starts_with(current) && !self.0.before.iter().any(|w| w == value.as_str())
        });
        all.sort();
        all.dedup_by(|a, b| a.0 == b.0);
        if kind == Kind::Format {
            all.sort_by_key(|(value, _)| FORMATS.iter().position(|f| f == value));
        }
        all.into_iter()
            .map(|(value, help)| CompletionCandidate::new(value).help(help.map(Into::into)))
            .collect()
    }
}

fn plain(values: Vec<String>) -> Vec<(String, Option<String>)> {
    values.into_iter().map(|v| (v, None)).collect()
}

/// The databases, each with the onboarding that claims it: `delete-db` refuses such a one, and the description says why.
fn claimed(onboardings: Vec<Onboarding>) -> Vec<(String, Option<String>)> {
    onboardings
        .into_iter()
        .filter_map(|o| Some((o.database?, Some(format!("claimed by {}", o.name)))))
        .collect()
}

/// The source of an argument's values, by its name and the name of its value.
fn kind(command: &str, arg: &Arg) -> Option<Kind> {
    let value = arg
        .get_value_names()
        .and_then(|names| names.first())
        .map(ToString::to_string)
        .unwrap_or_default();
    match (arg.get_id().as_str(), value.as_str()) {
        ("context", _) => Some(Kind::Context),
        ("cluster", _) => Some(Kind::Cluster),
        ("user", _) => Some(Kind::User),
        (_, "NAMESPACE") => Some(Kind::Namespace),
        (_, "DATABASE") => Some(Kind::Database {
            everywhere: arg.is_positional(),
        }),
        (_, "NAME") if arg.is_positional() => Some(Kind::Onboarding {
            databases: command != "list",
        }),
        (_, "CODE" | "CODE[=NAME]") => Some(Kind::Code),
        (_, "ACCOUNT") => Some(Kind::ServiceAccount),
        (_, "FILE") => Some(Kind::File),
        ("output", _) if arg.get_value_parser().possible_values().is_none() => Some(Kind::Format),
        _ => None,
    }
}

/// The words as far as they can be read: what is wrong in them is not completion's business.
fn matches(words: &[OsString]) -> Option<ArgMatches> {
    let mut argv = vec![OsString::from("kubectl-skvs")];
    argv.extend_from_slice(words);
    let mut matches = Cli::command()
        .ignore_errors(true)
        .try_get_matches_from(argv)
        .ok()?;
    let sub = matches.remove_subcommand().map(|(_, sub)| sub);
    Some(sub.unwrap_or(matches))
}

/// What -f names.
fn files(before: &[OsString]) -> Vec<PathBuf> {
    let matches = matches(before);
    let files = matches
        .as_ref()
        .and_then(|m| m.try_get_many("filename").ok()?);
    files.map_or(Vec::new(), |files| files.cloned().collect())
}

/// The global flags.
fn global(before: &[OsString]) -> GlobalArgs {
    let read = |words: &[OsString]| GlobalArgs::from_arg_matches(&matches(words)?).ok();
    let mut global = read(before)
        .or_else(|| read(&[]))
        .expect("no words at all can be read");
    // The request log is on stderr, which belongs to the shell's prompt.
    global.connection.verbosity = 0;
    global
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> GlobalArgs {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        global(&words)
    }

    #[test]
    fn flags_already_typed_are_honoured() {
        let read = of(&["list", "-n", "team-a", "--context=prod", "-v", "9"]);
        assert_eq!(read.namespace, "team-a");
        assert_eq!(read.connection.context.as_deref(), Some("prod"));
        assert_eq!(read.connection.verbosity, 0);
        let read = of(&["--kubeconfig", "/k", "list", "-o"]);
        assert_eq!(
            read.connection.kubeconfig.as_deref(),
            Some(std::path::Path::new("/k"))
        );
    }

    #[test]
    fn a_wrong_line_still_has_its_defaults() {
        for words in [
            &["list", "--bogus"][..],
            &["no-such"],
            &["list", "-h"],
            &["-n"],
        ] {
            assert_eq!(of(words).namespace, "flux-system", "{words:?}");
        }
    }

    #[test]
    fn codes_come_with_their_titles() {
        let offer = Offer::new(&["explain".into(), "SKVS30".into()]);
        let codes = offer.candidates(Kind::Code, "SKVS301");
        assert_eq!(codes.len(), 1);
        assert!(
            codes[0]
                .get_help()
                .is_some_and(|h| !h.to_string().is_empty())
        );
    }

    #[test]
    fn what_was_typed_is_not_offered_again() {
        let words: Vec<OsString> = ["list", "-o", "json", ""]
            .iter()
            .map(OsString::from)
            .collect();
        let offer = Offer::new(&words);
        let values: Vec<_> = offer
            .candidates(Kind::Format, "")
            .iter()
            .map(|c| c.get_value().to_string_lossy().into_owned())
            .collect();
        assert_eq!(
            values,
            [
                "table",
                "wide",
                "yaml",
                "name",
                "jsonpath=",
                "custom-columns="
            ]
        );
    }
}
