//! `--contexts` and `--all-contexts`: the same question to several clusters, for commands that only read.

use crate::app::App;
use crate::app::fleet::Fleet;
use crate::cluster::Contexts;
use crate::error::{Error, Result};
use crate::help;
use crate::render::output::Output;

/// The flags.
#[derive(clap::Args, Debug)]
#[group(id = "several", multiple = false)]
#[command(next_help_heading = help::SELECTION)]
pub(crate) struct ContextsArgs {
    /// Contexts to ask, separated by commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    contexts: Vec<String>,
    /// Ask all contexts of the kubeconfig
    #[arg(long)]
    all_contexts: bool,
}

impl ContextsArgs {
    /// Whether several clusters are asked.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.all_contexts || !self.contexts.is_empty()
    }

    /// Whether all contexts are asked, whose order nobody has named.
    pub(crate) fn is_all(&self) -> bool {
        self.all_contexts
    }

    /// The clusters; `None` where one is asked, as by every other command.
    ///
    /// # Errors
    /// A flag of one cluster beside these, or a context that does not exist. Nothing was asked then.
    pub(crate) fn fleet(&self, app: &App) -> Result<Option<Fleet>> {
        let given = match (self.all_contexts, self.contexts.is_empty()) {
            (true, _) => "all-contexts",
            (false, false) => "contexts",
            (false, true) => return Ok(None),
        };
        let connection = &app.global.connection;
        if let Some(flag) = connection.of_one_cluster() {
            let both = format!("--{flag} cannot be used with --{given}");
            return Err(Error::usage(both));
        }
        let contexts = match self.all_contexts {
            true => Contexts::all(connection),
            false => Contexts::named(connection, &self.contexts),
        };
        Ok(Some(Fleet::new(contexts?)))
    }
}

/// Refuses a format whose lines cannot say which cluster they are about.
///
/// # Errors
/// It is one.
pub(crate) fn names_contexts(output: &Output) -> Result<()> {
    match output {
        Output::Name => Err(
            Error::usage("-o name cannot say which context a name is of")
                .hint("use -o custom-columns=CONTEXT:.context,NAME:.metadata.name"),
        ),
        _ => Ok(()),
    }
}
