//! What every command works with: the flags that all of them take, the terminal, the time, and the way to the cluster.

pub(crate) mod fleet;

use crate::cluster::{Cluster, ConnectionArgs};
use crate::diagnosis::lint::Conventions;
use crate::error::{Error, Result};
use crate::help;
use crate::model::helm_release::ONBOARDING_SELECTOR;
use crate::model::names::is_namespace_name;
use crate::repository::Layout;
use crate::settings::{self, Settings, or_default};
use crate::ui::{Color, Ui};
use k8s_openapi::jiff::Timestamp;
use std::rc::Rc;

/// Namespace of the onboardings where nothing names another one.
const NAMESPACE: &str = "flux-system";
/// The variable that names another one.
const NAMESPACE_VARIABLE: &str = "SKVS_NAMESPACE";

/// Reads an onboarding's name. An empty one, as of a variable that is set to nothing, names none: its path would be the
/// collection's.
pub(crate) fn onboarding_name(text: &str) -> std::result::Result<String, &'static str> {
    if crate::model::lookup::typed(text).trim().is_empty() {
        return Err("a name must not be empty");
    }
    Ok(text.to_owned())
}

/// Flags that every command takes.
#[derive(clap::Args, Clone, Debug)]
pub struct GlobalArgs {
    /// Namespace of the HelmReleases; the context's is not used
    #[arg(
        help_heading = help::ONBOARDINGS,
        short = 'n',
        long,
        global = true,
        env = NAMESPACE_VARIABLE,
        default_value = NAMESPACE,
        value_parser = or_default(NAMESPACE),
        value_name = "NAMESPACE"
    )]
    pub namespace: String,
    /// Label selector of onboardings
    #[arg(long, global = true, help_heading = help::ONBOARDINGS, env = "SKVS_SELECTOR", default_value = ONBOARDING_SELECTOR, value_name = "SELECTOR")]
    pub onboarding_selector: String,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Colour the text formats: auto, always or never; auto heeds NO_COLOR, CLICOLOR_FORCE and TERM=dumb
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        hide_possible_values = true,
        help_heading = help::OUTPUT
    )]
    pub color: Color,
    /// Which of these were on the command line.
    #[arg(skip)]
    pub given: Given,
}

impl GlobalArgs {
    /// Refuses a namespace of onboardings that cannot exist. Not done while the words are parsed: a wrong variable must not stop commands that
    /// look for no onboarding.
    ///
    /// # Errors
    /// It is not the name of a namespace.
    pub(crate) fn check_namespace(&self) -> Result<()> {
        if is_namespace_name(&self.namespace) {
            return Ok(());
        }
        let from = match self.given.namespace {
            true => "--namespace",
            // The file's is checked when it is read.
            false => NAMESPACE_VARIABLE,
        };
        Err(Error::usage(format!(
            "{from}: {:?} cannot be the name of a namespace",
            self.namespace
        )))
    }
}

/// Flags given on the command line itself. Only these override what saved files say; defaults and the environment do not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given {
    pub namespace: bool,
    pub selector: bool,
}

/// What `-f -` reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    Stdin,
    /// A bundle inside the program.
    BuiltIn(&'static [u8]),
}

/// The grammar of the whole command line: every command with its flags, whose defaults are the user's settings.
#[derive(Clone)]
pub struct Grammar {
    bare: fn() -> clap::Command,
    settings: Rc<Settings>,
}

impl Grammar {
    /// `bare` makes it without settings.
    pub fn new(bare: fn() -> clap::Command, settings: Settings) -> Self {
        Self {
            bare,
            settings: Rc::new(settings),
        }
    }

    #[cfg(test)]
    pub(crate) fn without_settings(bare: fn() -> clap::Command) -> Self {
        Self::new(bare, Settings::default())
    }

    /// Makes it.
    pub fn command(&self) -> clap::Command {
        self.settings.defaults((self.bare)())
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Makes it with the built-in defaults.
    pub fn bare(&self) -> clap::Command {
        (self.bare)()
    }
}

/// What a command works with.
pub struct App {
    pub ui: Ui,
    pub global: GlobalArgs,
    /// The grammar of the command line, for commands that speak of others.
    pub grammar: Grammar,
    pub settings: settings::Found,
    pub input: Input,
    /// The time of this run, or of the capture whose files are read: every age is counted from it.
    pub now: Timestamp,
    /// Onboardings are looked up in all namespaces: of files, where none is named.
    pub everywhere: bool,
}

impl App {
    /// What the onboardings of a repository with this layout have in common.
    ///
    /// # Errors
    /// The selector of onboardings is not one, or the settings cannot be read.
    pub(crate) fn conventions(&self, layout: &Layout) -> Result<Conventions> {
        let mark = self.global.onboarding_selector.parse();
        Ok(Conventions {
            layout: layout.clone(),
            namespace: self.global.namespace.clone(),
            mark: mark
                .map_err(|why: String| Error::usage(format!("--onboarding-selector: {why}")))?,
            style: self.settings.settings.clone()?.style(),
        })
    }

    pub(crate) fn new(
        mut ui: Ui,
        global: GlobalArgs,
        grammar: Grammar,
        settings: settings::Found,
    ) -> Self {
        // Until the kubeconfig is read the flags are what is known.
        ui.set_origin(global.connection.origin(None, None));
        Self {
            ui,
            global,
            grammar,
            settings,
            input: Input::Stdin,
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
