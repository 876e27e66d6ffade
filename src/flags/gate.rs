//! Which part of a report is shown, and which findings make the run fail: two separate things. [`crate::exit::Code::of_findings`] decides
//! the exit code.

use crate::app::App;
use crate::diagnosis::ignore::Ignores;
use crate::diagnosis::{Severity, catalogue};
use crate::text::Shown;

/// Thresholds and exceptions.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Threshold")]
pub(crate) struct GateArgs {
    /// Exit with 3 if a finding is at least this severe: error, warning, info or never
    #[arg(
        long,
        value_name = "SEVERITY",
        value_enum,
        default_value_t,
        hide_possible_values = true
    )]
    fail_on: FailOn,
    /// Show findings that are at least this severe; counts and exit code stay
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = Severity::Info, hide_possible_values = true)]
    pub(crate) severity: Severity,
    /// Ignore this code, on every onboarding or on NAME; repeatable
    #[arg(long, value_name = "CODE[=NAME]")]
    ignore: Vec<String>,
}

/// From which severity on a run fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
    #[default]
    Error,
    Warning,
    Info,
    Never,
}

/// As without any of the flags.
impl Default for GateArgs {
    fn default() -> Self {
        Self {
            fail_on: FailOn::default(),
            severity: Severity::Info,
            ignore: Vec::new(),
        }
    }
}

impl GateArgs {
    /// Reads `--ignore`, and tells what in it is no code.
    pub(crate) fn ignores(&self, app: &mut App) -> Ignores {
        let ignores = Ignores::parse(&self.ignore);
        for text in ignores.unknown() {
            let code = text.split('=').next().unwrap_or(text);
            let wrong = if catalogue::find(code).is_some() {
                format!(
                    "--ignore {text:?} names no onboarding after its =; nothing is ignored by it"
                )
            } else {
                format!("cannot ignore code {code:?}: it does not exist")
            };
            app.ui.warning(wrong);
            let near = catalogue::near(code);
            if catalogue::find(code).is_none() && !near.is_empty() {
                app.ui.hint(format!("did you mean {}?", near.join(", ")));
            }
        }
        ignores
    }

    /// Tells with `-v 1` and more which wishes were of no use: an exception for a finding that does not exist (any more) is no
    /// fault of the run.
    pub(crate) fn tell_unused(&self, app: &mut App, ignores: &Ignores) {
        if app.global.connection.verbosity == 0 {
            return;
        }
        for unused in ignores.unused() {
            let line = format!("--ignore {unused}: no finding matches");
            app.ui.status(Shown::line(line));
        }
    }

    /// Whether nothing that is found makes the run fail.
    pub(crate) fn never_fails(&self) -> bool {
        self.fail_on == FailOn::Never
    }

    /// Whether the worst finding makes the run fail, shown or not.
    pub(crate) fn fails(&self, worst: Option<Severity>) -> bool {
        let least = match self.fail_on {
            FailOn::Error => Severity::Error,
            FailOn::Warning => Severity::Warning,
            FailOn::Info => Severity::Info,
            FailOn::Never => return false,
        };
        worst.is_some_and(|worst| worst >= least)
    }
}
