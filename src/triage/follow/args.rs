//! The flags `--wait`, `--timeout` and `--watch`.

use crate::error::{Error, Result};
use crate::model::duration::parse_duration;
use crate::render::output::FindingsFormat;
use std::time::Duration;

/// How onboardings are followed.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Follow")]
pub(crate) struct FollowArgs {
    /// Wait until each named onboarding is Ready (exit code 0) or stuck (3)
    #[arg(long, conflicts_with_all = ["watch", "filename", "all_namespaces", "selector"])]
    pub(super) wait: bool,
    /// Longest wait, such as 90s or 10m, then exit code 1 [default: 5m]
    #[arg(long, value_name = "DURATION", requires = "wait", value_parser = parse_duration)]
    timeout: Option<Duration>,
    /// Print a new report whenever the verdict on a named onboarding changes
    #[arg(short = 'w', long, conflicts_with_all = ["filename", "all_namespaces", "selector"])]
    pub(super) watch: bool,
}

impl FollowArgs {
    pub(crate) fn is_asked_for(&self) -> bool {
        self.wait || self.watch
    }

    /// What clap cannot check.
    pub(crate) fn check(&self, names: &[String], format: FindingsFormat) -> Result<()> {
        if self.is_asked_for() && names.is_empty() {
            let flag = if self.wait { "--wait" } else { "--watch" };
            return Err(Error::usage(format!(
                "{flag} needs the name of an onboarding"
            )));
        }
        let whole = matches!(
            format,
            FindingsFormat::Github | FindingsFormat::Sarif | FindingsFormat::Html
        );
        if self.watch && whole {
            return Err(Error::usage("a watch prints text, json or yaml"));
        }
        Ok(())
    }

    /// As `--wait`, with `--timeout` if there is a limit.
    pub(super) fn wait(limit: Option<Duration>) -> Self {
        Self {
            wait: true,
            timeout: limit,
            watch: false,
        }
    }

    pub(super) fn limit(&self) -> Option<Duration> {
        let given = self.timeout.unwrap_or(Duration::from_secs(300));
        self.wait.then_some(given)
    }
}
