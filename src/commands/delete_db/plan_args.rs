//! The flags that are about the plan: the one that was reviewed, the risks that are taken on, and the plan as a document.

use crate::couchdb::delete::plan::Overrides;
use crate::couchdb::delete::risk::{Accepted, RiskKind};
use crate::couchdb::delete::token::Token;
use crate::error::{Error, Result};
use crate::render::output::ReportFormat;

#[derive(clap::Args, Clone, Debug)]
pub(super) struct PlanArgs {
    /// The token of the plan that was reviewed, as --dry-run shows it: refused if anything is not as it was then
    #[arg(long, value_name = "TOKEN")]
    pub(super) plan: Option<Token>,
    /// Take on a risk that the plan or a refusal names. Repeat it for each
    #[arg(long, value_name = "RISK", value_enum)]
    pub(super) accept: Vec<RiskKind>,
    /// With --dry-run, format of the plan: text, json or yaml (kind DeletionPlan, of several databases DeletionPlanList)
    #[arg(
        short = 'o',
        long,
        value_name = "FORMAT",
        value_enum,
        default_value_t,
        hide_default_value = true
    )]
    pub(super) output: ReportFormat,
}

impl PlanArgs {
    /// Whether the plan is to be a document.
    pub(super) fn is_document(&self) -> bool {
        self.output != ReportFormat::Text
    }

    /// What they say of a plan; `databases` is how many are to be deleted.
    ///
    /// # Errors
    /// Flags that do not go together.
    pub(super) fn overrides(&self, rehearsal: bool, databases: usize) -> Result<Overrides> {
        if self.is_document() && !rehearsal {
            return Err(Error::usage("-o json and -o yaml need --dry-run").hint(
                "a deletion prints one line: database \"NAME\" deleted from NAMESPACE namespace",
            ));
        }
        if self.plan.is_some() && databases > 1 {
            return Err(Error::usage(
                "--plan is the token of one database's plan, and several databases are named",
            ));
        }
        if self.plan.is_some() && self.accept.contains(&RiskKind::Writes) {
            return Err(
                Error::usage("--accept writes does not go with --plan: a plan that was reviewed holds for what was seen")
                    .hint("leave one of them out"),
            );
        }
        Ok(Overrides {
            accepted: Accepted::new(self.accept.iter().copied()),
            token: self.plan.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: PlanArgs,
    }

    fn of(words: &[&str], rehearsal: bool, databases: usize) -> Result<Overrides, String> {
        let line = Line::try_parse_from(["x"].iter().chain(words)).map_err(|e| e.to_string())?;
        let overrides = line.args.overrides(rehearsal, databases);
        overrides.map_err(|e| e.message().to_owned())
    }

    const TOKEN: &str = "v1-abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstu";

    #[test]
    fn flags_that_do_not_go_together_are_refused() {
        assert!(of(&["-o", "json"], true, 2).is_ok());
        assert!(
            of(&["-o", "json"], false, 1)
                .unwrap_err()
                .contains("need --dry-run")
        );
        assert!(of(&["--plan", TOKEN], false, 1).is_ok());
        assert!(
            of(&["--plan", TOKEN], false, 2)
                .unwrap_err()
                .contains("one database")
        );
        let both = ["--plan", TOKEN, "--accept", "writes"];
        assert!(of(&both, false, 1).unwrap_err().contains("--accept writes"));
        assert!(
            of(&["--plan", "v1-x"], false, 1)
                .unwrap_err()
                .contains("no plan token")
        );
        assert!(
            of(&["--plan", "v2-x"], false, 1)
                .unwrap_err()
                .contains("another version")
        );
    }

    #[test]
    fn an_unknown_risk_is_told_those_that_are_known() {
        let told = of(&["--accept", "everything"], false, 1).unwrap_err();
        for kind in [
            "member-down",
            "maintenance",
            "replication",
            "tasks",
            "writes",
            "recent-claim",
        ] {
            assert!(told.contains(kind), "{told}");
            assert!(of(&["--accept", kind], false, 1).is_ok());
        }
    }
}
