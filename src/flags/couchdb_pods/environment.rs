//! The flags about CouchDB's pods that the environment gave: what is confirmed by a flag must be named by flags too.

use crate::error::Error;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

/// Flags that choose where CouchDB is asked, by clap's id, with their variables.
const CHOOSING: [(&str, &str, &str); 3] = [
    (
        "couchdb_namespace",
        "--couchdb-namespace",
        "SKVS_COUCHDB_NAMESPACE",
    ),
    ("pod_selector", "--pod-selector", "SKVS_POD_SELECTOR"),
    ("port", "--port", "SKVS_COUCHDB_PORT"),
];

/// The first of these flags that only its variable gave, with its value. Takes no argument of its own.
#[derive(Clone, Debug, Default)]
pub struct Environment(Option<(&'static str, &'static str, String)>);

impl Environment {
    /// For what is confirmed by a flag.
    ///
    /// # Errors
    /// A variable chooses where it would happen.
    pub(crate) fn refuse(&self) -> Result<(), Error> {
        let Some((flag, variable, value)) = &self.0 else {
            return Ok(());
        };
        let value = crate::text::shell_quote(value);
        Err(Error::usage(format!(
            "{variable} is set, and --confirm takes what it chooses from flags only"
        ))
        .hint(format!("name it: {flag} {value}; or unset {variable}")))
    }
}

impl clap::FromArgMatches for Environment {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = CHOOSING.into_iter().find_map(|(id, flag, variable)| {
            let source = matches.value_source(id);
            let value = matches.get_raw(id)?.next()?.to_string_lossy().into_owned();
            // One that is set to nothing chooses nothing.
            let chooses = source == Some(ValueSource::EnvVariable) && !value.trim().is_empty();
            chooses.then_some((flag, variable, value))
        });
        Ok(Self(given))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for Environment {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_variable_that_chooses_is_known() {
        let root = crate::cli::Cli::command();
        for command in ["delete-db", "restore"] {
            let command = root.find_subcommand(command).unwrap();
            let variables = command.get_arguments().filter_map(|arg| {
                let variable = arg.get_env()?.to_str()?;
                let flag = format!("--{}", arg.get_long()?);
                let chooses =
                    variable.starts_with("SKVS_COUCHDB_") || variable == "SKVS_POD_SELECTOR";
                chooses.then(|| (arg.get_id().as_str(), flag, variable))
            });
            let mut known = CHOOSING.to_vec();
            for (id, flag, variable) in variables {
                let at = known
                    .iter()
                    .position(|k| *k == (id, flag.as_str(), variable));
                known.remove(at.unwrap_or_else(|| panic!("{variable} is not known")));
            }
            assert_eq!(known, []);
        }
    }
}
