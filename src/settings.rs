//! The user's settings: `~/.config/kubectl-skvs/config.toml`, or the file that SKVS_CONFIG names.
//!
//! Owns the file's form. Settings are defaults: a flag comes first, then its variable, then the file. Nothing in it can confirm anything, and
//! commands that remove or overwrite data refuse to run if the file names another CouchDB and no flag does.

mod file;
mod template;
mod value;

pub use file::Found;
pub use template::{Filled, Template};

use crate::model::names::is_namespace_name;
use crate::model::new_onboarding::{Source, Style};
use crate::repository::Layout;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use serde::Deserialize;
use std::convert::Infallible;
use std::num::NonZero;

/// Commands that remove or overwrite data: they take CouchDB's place from flags and variables only.
const BY_FLAGS_ONLY: [&str; 3] = ["delete-db", "restore", "retry"];

/// The settings of one file; what it does not have is `None`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    #[serde(deserialize_with = "value::namespace")]
    namespace: Option<String>,
    #[serde(deserialize_with = "value::selector")]
    onboarding_selector: Option<String>,
    couchdb: Couchdb,
    repository: Repository,
    onboard: Onboard,
    notes: Notes,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Couchdb {
    #[serde(deserialize_with = "value::namespace")]
    namespace: Option<String>,
    #[serde(deserialize_with = "value::selector")]
    pod_selector: Option<String>,
    port: Option<NonZero<u16>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Repository {
    #[serde(deserialize_with = "value::parsed")]
    layout: Option<Layout>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Onboard {
    #[serde(deserialize_with = "value::parsed")]
    source: Option<Source>,
    #[serde(deserialize_with = "value::chart_version")]
    chart_version: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Notes {
    #[serde(deserialize_with = "value::parsed")]
    template: Option<Template>,
}

/// One key of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `couchdb.port`.
    pub key: &'static str,
    pub use_: Use,
    /// What the file says.
    pub value: Option<String>,
}

/// What a setting is the default of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// A flag, by clap's id.
    Flag(&'static str),
    /// A value without a flag; with what is used where the file is silent.
    Own(Option<String>),
}

impl Settings {
    /// Every key, in the order of the docs.
    pub fn all(&self) -> Vec<Setting> {
        // Without `..`, so that no key is forgotten.
        let Self {
            namespace,
            onboarding_selector,
            couchdb,
            repository: Repository { layout },
            onboard,
            notes: Notes { template },
        } = self;
        let Couchdb {
            namespace: pods,
            pod_selector,
            port,
        } = couchdb;
        let Onboard {
            source,
            chart_version,
        } = onboard;
        let flag = |key, id, value: &Option<String>| Setting {
            key,
            use_: Use::Flag(id),
            value: value.clone(),
        };
        let own = |key, default: Option<String>, value: Option<String>| Setting {
            key,
            use_: Use::Own(default),
            value,
        };
        let built_in = Style::default();
        vec![
            flag("namespace", "namespace", namespace),
            flag(
                "onboarding-selector",
                "onboarding_selector",
                onboarding_selector,
            ),
            flag("couchdb.namespace", "couchdb_namespace", pods),
            flag("couchdb.pod-selector", "pod_selector", pod_selector),
            flag("couchdb.port", "port", &text(port.as_ref())),
            flag("repository.layout", "layout", &text(layout.as_ref())),
            own(
                "onboard.source",
                Some(built_in.source.to_string()),
                text(source.as_ref()),
            ),
            own(
                "onboard.chart-version",
                built_in.version,
                chart_version.clone(),
            ),
            own("notes.template", None, text(template.as_ref())),
        ]
    }

    /// Where a cluster's onboardings are in the repository.
    pub fn layout(&self) -> Layout {
        self.repository.layout.clone().unwrap_or_default()
    }

    /// The style of the first onboarding in a repository.
    pub fn style(&self) -> Style {
        let mut style = Style::default();
        if let Some(source) = &self.onboard.source {
            style.source = source.clone();
        }
        if let Some(version) = &self.onboard.chart_version {
            style.version = Some(version.clone());
        }
        style
    }

    /// The message for the team, where it is not the built-in one.
    pub fn template(&self) -> Option<&Template> {
        self.notes.template.as_ref()
    }

    /// The error of a command that takes CouchDB's place from flags only, if the file names another place than the command would use.
    pub fn unnamed(&self, root: &Command, matches: &ArgMatches) -> Option<String> {
        let (name, own) = matches.subcommand()?;
        if !BY_FLAGS_ONLY.contains(&name) {
            return None;
        }
        let command = root.find_subcommand(name)?;
        let mut keys = Vec::new();
        let mut flags = Vec::new();
        for Setting { key, use_, value } in self.all() {
            let (Use::Flag(id), Some(value)) = (use_, value) else {
                continue;
            };
            let Some(arg) = command.get_arguments().find(|arg| arg.get_id() == id) else {
                continue;
            };
            let used = own.get_raw(id).and_then(|mut raw| raw.next());
            let is_named = match own.value_source(id) {
                Some(ValueSource::CommandLine) => true,
                Some(ValueSource::EnvVariable) => {
                    used.is_some_and(|used| !used.to_string_lossy().trim().is_empty())
                }
                _ => false,
            };
            if is_named || used.is_some_and(|used| used == value.as_str()) {
                continue;
            }
            keys.push(key);
            let flag = arg.get_long().unwrap_or(id);
            flags.push(format!("--{flag} {}", crate::text::shell_quote(&value)));
        }
        (!flags.is_empty()).then(|| {
            format!(
                "{name} does not use {} of the settings; pass {}, or what you mean instead",
                keys.join(", "),
                flags.join(" ")
            )
        })
    }

    /// The grammar with these settings as the defaults of its flags.
    pub fn defaults(&self, root: Command) -> Command {
        let all: Vec<(&str, String)> = self
            .all()
            .into_iter()
            .filter_map(|setting| match (setting.use_, setting.value) {
                (Use::Flag(id), Some(value)) => Some((id, value)),
                _ => None,
            })
            .collect();
        match all.is_empty() {
            true => root,
            false => with(root, &all),
        }
    }
}

fn text(value: Option<&impl ToString>) -> Option<String> {
    value.map(ToString::to_string)
}

/// Not `mut_arg`, which moves a flag behind all others.
fn with(command: Command, all: &[(&str, String)]) -> Command {
    if BY_FLAGS_ONLY.contains(&command.get_name()) {
        return command;
    }
    command
        .mut_args(|arg| {
            let value = all.iter().find(|(id, _)| arg.get_id() == id);
            value.map_or(arg.clone(), |(_, value)| with_default(arg, value))
        })
        .mut_subcommands(|command| with(command, all))
}

fn with_default(arg: Arg, value: &str) -> Arg {
    let arg = arg.default_value(value.to_owned());
    match arg.get_id().as_str() {
        "couchdb_namespace" => arg.value_parser(namespace_or(value.to_owned())),
        "namespace" | "pod_selector" => arg.value_parser(or_default(value.to_owned())),
        _ => arg,
    }
}

/// Reads a text that must not be empty: an empty one, as of a variable that is set to nothing, is the default.
pub(crate) fn or_default(
    default: impl Into<String>,
) -> impl Fn(&str) -> Result<String, Infallible> + Clone {
    let default: String = default.into();
    move |text| {
        let given = Some(text).filter(|t| !t.trim().is_empty());
        Ok(given.unwrap_or(&default).to_owned())
    }
}

/// Reads the name of a namespace; an empty text is the default here too.
pub(crate) fn namespace_or(
    default: impl Into<String>,
) -> impl Fn(&str) -> Result<String, String> + Clone {
    let default: String = default.into();
    move |text| match text.trim() {
        "" => Ok(default.clone()),
        name if is_namespace_name(name) => Ok(name.to_owned()),
        _ => Err("it cannot be the name of a namespace".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    /// The file of docs/configuration.md, in which every key is set.
    pub(super) fn whole() -> Settings {
        let docs = include_str!("../docs/configuration.md");
        let (_, rest) = docs.split_once("```toml\n").unwrap();
        let (text, _) = rest.split_once("```").unwrap();
        file::parse(text).unwrap()
    }

    #[test]
    fn the_file_of_the_docs_has_every_key() {
        for setting in whole().all() {
            assert!(setting.value.is_some(), "{}", setting.key);
        }
        assert!(Settings::default().all().iter().all(|s| s.value.is_none()));
    }

    /// The defaults of a flag, by command.
    fn defaults(root: &Command, id: &str, found: &mut Vec<(String, Option<String>)>) {
        for arg in root.get_arguments().filter(|arg| arg.get_id() == id) {
            let default = arg.get_default_values().first();
            let default = default.map(|value| value.to_string_lossy().into_owned());
            found.push((root.get_name().to_owned(), default));
        }
        root.get_subcommands()
            .for_each(|command| defaults(command, id, found));
    }

    #[test]
    fn a_setting_is_the_default_of_its_flag_but_not_where_a_command_writes_to_couchdb() {
        let settings = whole();
        let (bare, with) = (Cli::command(), settings.defaults(Cli::command()));
        for setting in settings.all() {
            let Use::Flag(id) = setting.use_ else {
                continue;
            };
            let (mut before, mut after) = (Vec::new(), Vec::new());
            defaults(&bare, id, &mut before);
            defaults(&with, id, &mut after);
            assert!(!after.is_empty(), "{id}");
            for (before, after) in before.iter().zip(&after) {
                let writes = BY_FLAGS_ONLY.contains(&after.0.as_str());
                let expected = match writes {
                    true => &before.1,
                    false => &setting.value,
                };
                assert_eq!(&after.1, expected, "{id} of {}", after.0);
                assert_ne!(before.1, setting.value, "{id}: the docs show the default");
            }
        }
    }

    /// What its variable can choose, the file can too; the way that runs past the file is seen here.
    #[test]
    fn every_variable_has_its_setting() {
        fn variables(command: &Command, found: &mut std::collections::BTreeSet<String>) {
            for arg in command
                .get_arguments()
                .filter(|arg| arg.get_env().is_some())
            {
                found.insert(arg.get_id().to_string());
            }
            command
                .get_subcommands()
                .for_each(|command| variables(command, found));
        }
        let mut found = std::collections::BTreeSet::new();
        variables(&Cli::command(), &mut found);
        let settings = Settings::default().all();
        for id in found {
            assert!(
                settings
                    .iter()
                    .any(|s| matches!(s.use_, Use::Flag(flag) if flag == id)),
                "{id}"
            );
        }
    }

    #[test]
    fn no_namespace_has_such_a_name() {
        let parse = namespace_or("from-the-file");
        assert_eq!(parse(""), Ok("from-the-file".to_owned()));
        assert_eq!(parse("team-a"), Ok("team-a".to_owned()));
        for wrong in ["A", "a b", "a/b", "a.b", &"a".repeat(64)] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_variable_that_is_set_to_nothing_leaves_the_setting() {
        let parse = or_default("from-the-file");
        assert_eq!(parse(" "), Ok("from-the-file".to_owned()));
        assert_eq!(parse("given"), Ok("given".to_owned()));
    }

    #[test]
    fn a_new_repository_gets_the_style_of_the_settings() {
        let style = whole().style();
        assert_eq!(style.source.kind, "HelmRepository");
        assert_eq!(style.source.name, "charts");
        assert_eq!(style.source.namespace.as_deref(), Some("platform"));
        assert_eq!(style.version.as_deref(), Some("<0.3.0"));
        assert_eq!(Settings::default().style(), Style::default());
    }
}
