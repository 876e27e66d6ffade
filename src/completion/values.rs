//! Which values each flag and argument can have, told by its name on the command line's help.
//!
//! One table for all commands: a new command's NAME, DATABASE or NAMESPACE is completed without a word here.

use super::cache::{self, Databases};
use super::candidate::own::Wanted;
use super::candidate::{Candidate, Description};
use super::folders;
use super::live::{Live, Onboarding};
use crate::app::{GlobalArgs, Grammar};
use crate::diagnosis::catalogue::{self, Entry};
use crate::flags::couchdb_pods::PodArgs;
use crate::model::lookup::short;
use crate::model::names::DatabaseName;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Command, FromArgMatches, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;

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
    /// Names of HelmReleases, whole, without their prefix, and the databases that they claim.
    Onboarding,
    /// Databases that onboardings claim; `everywhere`: of all namespaces, whatever -n says.
    Database {
        everywhere: bool,
    },
    /// Databases in CouchDB that nobody claims, as `databases` saw them last: a claimed one is refused.
    Orphan,
    /// All databases, as `databases` saw them last; else those that are claimed.
    InCouchdb,
    /// `namespace/name`.
    ServiceAccount,
    /// The names alone, as manifests have them.
    AccountName,
    /// Codes of diagnoses, with their titles.
    Code,
    /// Clusters that the repository has folders for.
    ClusterFolder,
    Format,
    File,
}

/// What can be offered for one command line.
pub(super) struct Offer {
    /// `None` where the words cannot be read: they may choose another cluster.
    live: Option<Live>,
    before: Before,
    wanted: Wanted<Kind>,
}

impl Offer {
    /// Reads what the words already say: flags of the connection, namespaces, names.
    pub(super) fn new(grammar: Grammar, words: &[OsString]) -> Self {
        let words = words.split_last().map_or(&[][..], |(_, before)| before);
        let everywhere = words.iter().any(|w| w == "-A" || w == "--all-namespaces");
        let before = Before {
            grammar,
            words: words.to_vec(),
        };
        Self {
            live: before
                .global()
                .map(|global| Live::new(global, before.files(), everywhere)),
            before,
            wanted: Wanted::new(),
        }
    }

    /// Whether a file name is wanted: the shell knows those best.
    pub(super) fn wants_files(&self) -> bool {
        self.wanted
            .all()
            .iter()
            .any(|(kind, _)| *kind == Kind::File)
    }

    /// The command in which each argument that has a source of values notes when it is asked for them.
    pub(super) fn attach(&self, command: Command) -> Command {
        let name = command.get_name().to_owned();
        command
            .mut_args(|arg| match kind(&name, &arg) {
                None => arg,
                Some(kind) => arg.add(self.wanted.note(kind)),
            })
            .mut_subcommands(|sub| self.attach(sub))
    }

    /// The values that `word` can become, each behind what stands before it in the same word: a flag, or other names of a list.
    pub(super) fn values(&self, word: &str) -> Vec<Candidate> {
        let of = |(kind, current): (Kind, String)| {
            let flag = word.strip_suffix(current.as_str()).unwrap_or_default();
            let mut values = self.candidates(kind, &current);
            let listed: Vec<&str> = match flag.rsplit_once(',') {
                Some((before, "")) => before.split([',', '=']).collect(),
                _ => Vec::new(),
            };
            values.retain(|value| !listed.contains(&value.word()));
            values
                .into_iter()
                .filter_map(move |value| value.behind(flag))
        };
        self.wanted.all().into_iter().flat_map(of).collect()
    }

    /// What `databases` saw last of the CouchDB that the words choose.
    fn kept(&self) -> Option<Databases> {
        let pods = PodArgs::from_arg_matches(&self.before.matches()?).ok()?;
        cache::recall(&self.live.as_ref()?.server()?, &pods)
    }

    fn candidates(&self, kind: Kind, current: &str) -> Vec<Candidate> {
        let mut all: Vec<Candidate> = match (kind, &self.live) {
            (Kind::File, _) => Vec::new(),
            (Kind::Format, _) => FORMATS
                .iter()
                .filter_map(|f| Candidate::literal(f))
                .collect(),
            (Kind::Code, _) => catalogue::all().into_iter().flat_map(codes).collect(),
            (Kind::ClusterFolder, _) => self
                .before
                .matches()
                .map_or(Vec::new(), |words| folders::clusters(&words)),
            (_, None) => Vec::new(),
            (Kind::Context, Some(live)) => live.contexts(),
            (Kind::Cluster, Some(live)) => live.clusters(),
            (Kind::User, Some(live)) => live.users(),
            (Kind::Namespace, Some(live)) => live.namespaces(),
            (Kind::Onboarding, Some(live)) => {
                let onboardings = live.onboardings(false);
                let mut all: Vec<_> = onboardings.iter().filter_map(named).collect();
                // One name each, until what is typed begins another.
                if !current.is_empty() {
                    all.extend(onboardings.iter().filter_map(shortened));
                    all.extend(onboardings.into_iter().filter_map(claimed));
                }
                all
            }
            (Kind::Database { everywhere }, Some(live)) => live
                .onboardings(everywhere)
                .into_iter()
                .filter_map(claimed)
                .collect(),
            (Kind::Orphan, Some(_)) => {
                let known = self.kept().unwrap_or_default();
                let about = Description::literal("orphan");
                let orphans = known.orphans.iter().filter_map(|n| database(n));
                orphans.map(|c| c.about(about.clone())).collect()
            }
            (Kind::InCouchdb, Some(live)) => match self.kept() {
                Some(known) => {
                    let all = known.orphans.iter().chain(&known.others);
                    all.filter_map(|n| database(n)).collect()
                }
                None => {
                    let onboardings = live.onboardings(true);
                    onboardings.into_iter().filter_map(claimed).collect()
                }
            },
            (Kind::ServiceAccount, Some(live)) => live
                .onboardings(false)
                .into_iter()
                .flat_map(|o| o.service_accounts)
                .collect(),
            (Kind::AccountName, Some(live)) => live
                .onboardings(false)
                .into_iter()
                .flat_map(|o| o.service_accounts)
                .filter_map(|account| Candidate::account_name(account.word()))
                .collect(),
        };
        all.retain(|c| {
            c.word().starts_with(current) && !self.before.words.iter().any(|w| w == c.word())
        });
        all.sort();
        // One word twice with two descriptions would have a shell insert the beginning that the lines share.
        all.dedup_by(|a, b| a.word() == b.word());
        if kind == Kind::Format {
            all.sort_by_key(|c| FORMATS.iter().position(|f| *f == c.word()));
        }
        all
    }
}

/// A database in CouchDB whose name is an onboarding's.
fn database(name: &str) -> Option<Candidate> {
    Candidate::database(&DatabaseName::parse(name).ok()?)
}

/// A code and its slug, with its title.
fn codes(rule: Entry) -> impl Iterator<Item = Candidate> {
    let title = Description::literal(rule.title);
    let words = [rule.code, rule.slug].map(Candidate::literal);
    words
        .into_iter()
        .flatten()
        .map(move |c| c.about(title.clone()))
}

/// An onboarding's name, with the database that it claims.
fn named(onboarding: &Onboarding) -> Option<Candidate> {
    let database = onboarding.database.as_ref();
    let about = database.and_then(|database| Description::naming("", database));
    Some(onboarding.name.clone()?.about(about))
}

/// The same without the prefix of its name.
fn shortened(onboarding: &Onboarding) -> Option<Candidate> {
    let name = onboarding.name.as_ref()?;
    let about = Description::naming("", name);
    Some(Candidate::onboarding(short(name.word())?)?.about(about))
}

/// An onboarding's database, with the name: `delete-db` refuses a claimed database, and the description says why.
fn claimed(onboarding: Onboarding) -> Option<Candidate> {
    let about = match &onboarding.name {
        Some(name) => Description::naming("claimed by ", name),
        None => Description::literal("claimed by an onboarding"),
    };
    Some(onboarding.database?.about(about))
}

/// The source of an argument's values, by its name and the name of its value.
fn kind(command: &str, arg: &Arg) -> Option<Kind> {
    let value = arg
        .get_value_names()
        .and_then(|names| names.first())
        .map(ToString::to_string)
        .unwrap_or_default();
    match (arg.get_id().as_str(), value.as_str()) {
        ("context" | "contexts", _) => Some(Kind::Context),
        ("cluster", _) => Some(Kind::Cluster),
        ("user", _) => Some(Kind::User),
        ("for_cluster", _) => Some(Kind::ClusterFolder),
        (_, "NAMESPACE") => Some(Kind::Namespace),
        (_, "DATABASE") if arg.is_positional() && command == "delete-db" => Some(Kind::Orphan),
        // It does not exist yet.
        (_, "DATABASE") if command == "onboard" => None,
        (_, "DATABASE") if arg.is_positional() && command == "backup" => Some(Kind::InCouchdb),
        (_, "DATABASE") => Some(Kind::Database {
            everywhere: arg.is_positional(),
        }),
        (_, "NAME") if arg.is_positional() => Some(Kind::Onboarding),
        (_, "CODE" | "CODE[=NAME]") => Some(Kind::Code),
        (_, "ACCOUNT") if ["access", "onboard"].contains(&command) => Some(Kind::AccountName),
        (_, "ACCOUNT") => Some(Kind::ServiceAccount),
        (_, "FILE") => Some(Kind::File),
        _ if names_a_file(arg) => Some(Kind::File),
        ("output", _) if arg.get_value_parser().possible_values().is_none() => Some(Kind::Format),
        _ => None,
    }
}

/// Whether clap would read the folder for names; the shell quotes them, so it is left to it.
fn names_a_file(arg: &Arg) -> bool {
    !matches!(arg.get_value_hint(), ValueHint::Unknown | ValueHint::Other)
}

/// The words before the one being typed.
struct Before {
    grammar: Grammar,
    words: Vec<OsString>,
}

impl Before {
    /// The words as far as they can be read: what is wrong in them is not completion's business.
    fn matches(&self) -> Option<ArgMatches> {
        let read = self.read(self.grammar.command().ignore_errors(true));
        let mut matches = read.ok()?;
        let sub = matches.remove_subcommand().map(|(_, sub)| sub);
        Some(sub.unwrap_or(matches))
    }

    fn read(&self, grammar: Command) -> Result<ArgMatches, clap::Error> {
        let program = OsString::from("kubectl-skvs");
        grammar.try_get_matches_from([&program].into_iter().chain(&self.words))
    }

    /// The words if each is read, without a flag whose value is typed next. Behind a wrong one clap reads nothing more, such as --context.
    fn complete(&self) -> Option<ArgMatches> {
        let Err(error) = self.read(self.grammar.command()) else {
            return self.matches();
        };
        let is_typed_next = || {
            let value = error.get(ContextKind::InvalidValue);
            matches!(value, Some(ContextValue::String(value)) if value.is_empty())
        };
        match error.kind() {
            ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::TooFewValues
            | ErrorKind::WrongNumberOfValues => self.matches(),
            ErrorKind::InvalidValue if is_typed_next() => {
                let (_, before) = self.words.split_last()?;
                let before = Before {
                    grammar: self.grammar.clone(),
                    words: before.to_vec(),
                };
                before.complete()
            }
            _ => None,
        }
    }

    /// What -f names.
    fn files(&self) -> Vec<PathBuf> {
        let matches = self.matches();
        let files = matches
            .as_ref()
            .and_then(|m| m.try_get_many("filename").ok()?);
        files.map_or(Vec::new(), |files| files.cloned().collect())
    }

    /// The global flags; `None` if the words cannot be read.
    fn global(&self) -> Option<GlobalArgs> {
        let matches = self.complete()?;
        let mut global = GlobalArgs::from_arg_matches(&matches).ok()?;
        // Of several contexts the first is asked, never the current one.
        let contexts = matches.try_get_many::<String>("contexts").ok().flatten();
        if let Some(first) = contexts.and_then(|mut named| named.next()) {
            global.connection.context = Some(first.clone());
        }
        // The request log is on stderr, which belongs to the shell's prompt.
        global.connection.verbosity = 0;
        Some(global)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    fn of(words: &[&str]) -> Option<GlobalArgs> {
        let words = words.iter().map(OsString::from).collect();
        let grammar = Grammar::without_settings(Cli::command);
        Before { grammar, words }.global()
    }

    #[test]
    fn flags_already_typed_are_honoured() {
        let read = of(&["list", "-n", "team-a", "--context=prod", "-v", "9"]).unwrap();
        assert_eq!(read.namespace, "team-a");
        assert_eq!(read.connection.context.as_deref(), Some("prod"));
        assert_eq!(read.connection.verbosity, 0);
        let read = of(&["--kubeconfig", "/k", "list", "-o"]).unwrap();
        assert_eq!(
            read.connection.kubeconfig.as_deref(),
            Some(std::path::Path::new("/k"))
        );
    }

    #[test]
    fn an_unfinished_line_has_its_defaults_and_a_wrong_one_nothing() {
        for words in [&["list"][..], &["retry"], &["list", "-n"], &["-n"], &[]] {
            let read = of(words).map(|global| global.namespace);
            assert_eq!(read.as_deref(), Some("flux-system"), "{words:?}");
        }
        // What comes after a wrong word is not read: it could be the context.
        for words in [
            &["list", "--bogus", "--context", "prod"][..],
            &["no-such"],
            &["list", "-h"],
            &["list", "--request-timeout=x", "--context=prod"],
        ] {
            assert!(of(words).is_none(), "{words:?}");
        }
    }

    #[test]
    fn codes_come_with_their_titles() {
        let offer = Offer::new(
            Grammar::without_settings(Cli::command),
            &["explain".into(), "SKVS30".into()],
        );
        let codes = offer.candidates(Kind::Code, "SKVS301");
        assert_eq!(codes.len(), 1);
        assert!(codes[0].line().starts_with("SKVS301\t"), "{codes:?}");
    }

    #[test]
    fn an_account_of_a_manifest_has_no_namespace() {
        let cli = Cli::command();
        let of = |command: &str| {
            let command = cli.find_subcommand(command).unwrap();
            let arguments = command.get_arguments();
            let kinds = arguments.filter_map(|arg| kind(command.get_name(), arg));
            let mut kinds =
                kinds.filter(|kind| matches!(kind, Kind::AccountName | Kind::ServiceAccount));
            kinds.next()
        };
        assert!(matches!(of("access"), Some(Kind::AccountName)));
        assert!(matches!(of("onboard"), Some(Kind::AccountName)));
        assert!(matches!(of("list"), Some(Kind::ServiceAccount)));
    }

    #[test]
    fn what_was_typed_is_not_offered_again() {
        let words: Vec<OsString> = ["list", "-o", "json", ""]
            .iter()
            .map(OsString::from)
            .collect();
        let offer = Offer::new(Grammar::without_settings(Cli::command), &words);
        let values: Vec<_> = offer
            .candidates(Kind::Format, "")
            .iter()
            .map(|c| c.word().to_owned())
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
