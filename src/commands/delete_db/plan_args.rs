//! The flags that are about the plan: the one that was reviewed, the risks that are taken on, and the plan as a document.

use crate::couchdb::delete::plan::{Overrides, Plan};
use crate::couchdb::delete::risk::{Acceptance, Accepted, RiskKind};
use crate::couchdb::delete::token::{Part, Token};
use crate::error::{Error, Result};
use crate::flags::format::{self, FormatArgs};
use crate::help;
use crate::render::output::ReportFormat;

#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = help::CONFIRMATION, mut_args(format::help("Format of --dry-run's plan: text, json or yaml (kind DeletionPlan or DeletionPlanList)")))]
pub(super) struct PlanArgs {
    /// Token of the reviewed plan, from --dry-run: refused if anything has changed since; repeatable
    #[arg(long, value_name = "TOKEN")]
    pub(super) plan: Vec<Token>,
    /// Accept a risk, or an object that may claim the database (KIND/NAMESPACE/NAME), as the plan names it; repeatable
    #[arg(long, value_name = "RISK|OBJECT")]
    pub(super) accept: Vec<Acceptance>,
    #[command(flatten)]
    pub(super) format: FormatArgs<ReportFormat>,
}

impl PlanArgs {
    /// Whether the plan is to be a document.
    pub(super) fn is_document(&self) -> bool {
        self.format.output != ReportFormat::Text
    }

    /// Whether they go together.
    ///
    /// # Errors
    /// They do not.
    pub(super) fn check(&self, rehearsal: bool) -> Result<()> {
        if self.is_document() && !rehearsal {
            return Err(Error::usage("-o json and -o yaml need --dry-run").hint(
                "a deletion prints one line: database \"NAME\" deleted from NAMESPACE namespace",
            ));
        }
        if !self.plan.is_empty() && self.accept.contains(&RiskKind::Writes.into()) {
            return Err(
                Error::usage("--accept writes does not go with --plan: a plan that was reviewed holds for what was seen")
                    .hint("leave one of them out"),
            );
        }
        Ok(())
    }

    /// Whether there is a token for each of so many databases, or none at all.
    ///
    /// # Errors
    /// Some lack theirs.
    pub(super) fn count(&self, databases: usize) -> Result<()> {
        match self.plan.len() {
            0 => Ok(()),
            tokens if tokens == databases => Ok(()),
            tokens => Err(Error::usage(format!(
                "--plan is given {tokens} times for {}: each database has its own plan",
                crate::text::count(databases as u64, "database")
            ))),
        }
    }

    /// What they say of a plan. Of several tokens its own is that of what was seen, else the one for the same database, by which what
    /// changed is told.
    pub(super) fn overrides(&self, plan: &Plan) -> Overrides {
        let now = plan.token();
        let own = self
            .plan
            .iter()
            .min_by_key(|token| match token.differs(now) {
                None => 0,
                Some(parts) if !parts.is_empty() && !parts.contains(&Part::Database) => 1,
                Some(_) => 2,
            });
        Overrides {
            accepted: Accepted::new(self.accept.iter().cloned()),
            token: own.cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::couchdb::delete::plan::{plan, tests::facts};
    use crate::model::names::DatabaseName;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: PlanArgs,
    }

    fn of(words: &[&str], rehearsal: bool, databases: usize) -> Result<(), String> {
        let line = Line::try_parse_from(["x"].iter().chain(words)).map_err(|e| e.to_string())?;
        let checked = line.args.check(rehearsal);
        let checked = checked.and_then(|()| line.args.count(databases));
        checked.map_err(|e| e.message().to_owned())
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
                .contains("given 1 times for 2 databases")
        );
        assert!(of(&["--plan", TOKEN, "--plan", TOKEN], false, 2).is_ok());
        let both = ["--plan", TOKEN, "--accept", "writes"];
        assert!(of(&both, false, 1).unwrap_err().contains("--accept writes"));
        assert!(
            of(&["--plan", "v1-x"], false, 1)
                .unwrap_err()
                .contains("not a plan token")
        );
        assert!(
            of(&["--plan", "v2-x"], false, 1)
                .unwrap_err()
                .contains("another version")
        );
    }

    #[test]
    fn a_plan_takes_its_own_token_or_the_one_for_the_same_database() {
        let with = |documents: u64| {
            let mut facts = facts();
            facts.database.doc_count = documents;
            plan(facts).unwrap()
        };
        let mut other = facts();
        other.name = DatabaseName::parse("pds_other").unwrap();
        other.database.db_name = "pds_other".into();
        let other = plan(other).unwrap().token().to_string();
        let (then, now) = (with(1).token().to_string(), with(2).token().to_string());
        let token = |given: &[&String]| {
            let words = given.iter().flat_map(|t| ["--plan", t.as_str()]);
            let line = Line::try_parse_from(["x"].into_iter().chain(words)).unwrap();
            line.args.overrides(&with(2)).token.map(|t| t.to_string())
        };
        assert_eq!(token(&[]), None);
        assert_eq!(token(&[&other, &then, &now]), Some(now.clone()));
        assert_eq!(token(&[&other, &then]), Some(then));
        assert_eq!(token(&[&other]), Some(other));
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
            "foreign-member",
            "catching-up",
        ] {
            assert!(told.contains(kind), "{told}");
            assert!(of(&["--accept", kind], false, 1).is_ok());
        }
    }
}
