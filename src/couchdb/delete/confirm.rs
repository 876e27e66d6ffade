//! The user's word, and the value that only this file makes of it.
//!
//! A person types the database's name; a script gives it with `--confirm`, and then `--context` too, so that neither a name nor a cluster
//! is ever implied. No flag and no variable says "yes" to whatever the target happens to be.

use super::plan::{Cleared, Plan};
use super::refusal::Refusal;
use crate::advice::Command;
use crate::couchdb::backup::format::identity;
use crate::couchdb::backup::pull::Taken;
use crate::couchdb::request::Path;
use crate::couchdb::script::{Guard, Job};
use crate::error::Error;
use crate::exit::Code;
use std::fmt::Display;

/// A plan that was shown and confirmed. [`super::execute`] takes nothing else.
#[derive(Debug)]
pub struct Confirmed {
    plan: Plan,
    /// That nothing was written since the backup.
    unchanged: Option<Guard>,
}

impl Confirmed {
    /// The plan that was shown.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// After a backup: what was written since it ended is in no file, so the DELETE is not sent.
    ///
    /// # Errors
    /// The backup is of another database than the plan.
    pub fn after(mut self, backup: &Taken) -> Result<Self, Refusal> {
        let facts = self.plan.facts();
        let same = backup.header.database == facts.name.as_str()
            && backup.header.identity == identity(&facts.shard_map);
        if !same {
            return Err(Refusal::Changed {
                what: "the database that was backed up has been created again".to_owned(),
            });
        }
        self.unchanged = Some(Guard {
            path: Path::changes(&facts.name, &backup.trailer.seq, 1),
            holds: "\"results\":[]".to_owned(),
        });
        Ok(self)
    }

    /// The run that looks once more at all that was confirmed, and then sends the DELETE.
    pub(super) fn deletion(&self) -> Job {
        #[expect(
            clippy::disallowed_methods,
            reason = "the deletion of what was confirmed"
        )]
        let deletion = self.plan.deletion();
        Job::Delete(match &self.unchanged {
            Some(guard) => deletion.guarded(guard.clone()),
            None => deletion,
        })
    }
}

/// How the user will confirm; settled before anything is asked of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfirmBy {
    /// A person at a terminal types the name.
    Typed,
    /// `--confirm`.
    Given(String),
}

/// Settles how each target, a database or a `noun`, is confirmed: all by a question, or all by `--confirm`.
///
/// # Errors
/// `--confirm` is missing outside a terminal, comes without `--context`, names something other than a target, or omits a target.
pub fn ways(
    noun: &str,
    names: &[impl Display],
    terminal: bool,
    confirm: &[String],
    context: Option<&str>,
) -> Result<Vec<ConfirmBy>, Error> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let all = || {
        let flags = names.iter().map(|n| format!(" --confirm {n}"));
        flags.collect::<String>()
    };
    if confirm.is_empty() {
        if terminal {
            return Ok(vec![ConfirmBy::Typed; names.len()]);
        }
        return Err(refused("without a terminal nobody can be asked")
            .hint(format!("name both: --context NAME{}", all())));
    }
    if let Some(other) = confirm.iter().find(|c| !names.contains(c)) {
        let what = match names.as_slice() {
            [one] => format!("the {noun} is {one}"),
            _ => format!("the {noun}s are {}", names.join(", ")),
        };
        return Err(refused(&format!("--confirm says {other:?}, {what}")));
    }
    if let Some(left_out) = names.iter().find(|n| !confirm.contains(n)) {
        return Err(refused(&format!("--confirm does not name {left_out}"))
            .hint(format!("each {noun} needs its own:{}", all())));
    }
    if context.is_none_or(str::is_empty) {
        return Err(refused(
            "--confirm needs --context, so that the cluster is not implied either",
        )
        .hint(
            Command::new(["kubectl", "config", "get-contexts", "-o", "name"])
                .after("the contexts are:"),
        ));
    }
    Ok(names.into_iter().map(ConfirmBy::Given).collect())
}

/// Takes the answer. One wrong answer ends it.
///
/// # Errors
/// The answer is not the database's name, to the letter.
pub fn accept(plan: Cleared, answer: &str) -> Result<Confirmed, String> {
    let plan = plan.into_plan();
    check(plan.name(), answer)?;
    Ok(Confirmed {
        plan,
        unchanged: None,
    })
}

/// Compares an answer with the name that was asked for.
///
/// # Errors
/// It is not that name, to the letter.
pub fn check(name: &impl Display, answer: &str) -> Result<(), String> {
    if answer == name.to_string() {
        Ok(())
    } else if answer.is_empty() {
        Err("nothing was typed".to_owned())
    } else {
        Err(format!("{answer:?} is not {name}"))
    }
}

fn refused(why: &str) -> Error {
    Error::new(format!("not confirmed: {why}")).with_code(Code::Refused)
}

#[cfg(test)]
mod tests {
    use super::super::plan::{plan, tests::facts};
    use super::*;
    use crate::model::names::DatabaseName;

    #[test]
    fn only_the_very_name_confirms() {
        for wrong in [
            "",
            " ",
            "pds",
            "pds_databas",
            "pds_database ",
            " pds_database",
            "PDS_database",
            "Pds_Database",
            "pds-database",
            "pds_database\n",
            "y",
            "yes",
            "pds/database",
            "pds_databasе",
        ] {
            let why = accept(plan(facts()).unwrap().cleared().unwrap(), wrong).unwrap_err();
            let told = why.ends_with(" is not pds_database") || why == "nothing was typed";
            assert!(told, "{why}");
        }
        let confirmed = accept(plan(facts()).unwrap().cleared().unwrap(), "pds_database").unwrap();
        assert_eq!(confirmed.plan().name().as_str(), "pds_database");
    }

    #[test]
    fn a_script_names_database_and_context() {
        let names = [DatabaseName::parse("pds_database").unwrap()];
        let ways = |terminal, confirm: Option<&str>, context| {
            let confirm: Vec<String> = confirm.into_iter().map(str::to_owned).collect();
            ways("database", &names, terminal, &confirm, context)
        };
        assert_eq!(ways(true, None, None), Ok(vec![ConfirmBy::Typed]));
        let given = Ok(vec![ConfirmBy::Given("pds_database".to_owned())]);
        assert_eq!(ways(false, Some("pds_database"), Some("prod")), given);
        assert_eq!(ways(true, Some("pds_database"), Some("prod")), given);
        for (terminal, confirm, context) in [
            (false, None, None),
            (false, None, Some("prod")),
            (false, Some("pds_database"), None),
            (false, Some("pds_database"), Some("")),
            (true, Some("pds_database"), None),
            (false, Some("pds_databas"), Some("prod")),
            (false, Some(""), Some("prod")),
        ] {
            let error = ways(terminal, confirm, context).unwrap_err();
            assert_eq!(error.code(), Code::Refused, "{confirm:?} {context:?}");
        }
    }

    #[test]
    fn each_of_several_is_named_and_no_other() {
        let names = ["a_b", "a_c"].map(|n| DatabaseName::parse(n).unwrap());
        let given = |confirm: &[&str]| {
            let confirm: Vec<String> = confirm.iter().map(|c| (*c).to_owned()).collect();
            ways("database", &names, true, &confirm, Some("prod")).map_err(|e| e.to_string())
        };
        assert_eq!(given(&[]), Ok(vec![ConfirmBy::Typed, ConfirmBy::Typed]));
        let both = vec![
            ConfirmBy::Given("a_b".to_owned()),
            ConfirmBy::Given("a_c".to_owned()),
        ];
        assert_eq!(given(&["a_c", "a_b"]), Ok(both));
        let not = |confirm: &[&str]| given(confirm).unwrap_err();
        assert!(not(&["a_b"]).ends_with("--confirm does not name a_c"));
        assert!(
            not(&["a_b", "a_c", "a_d"])
                .ends_with("--confirm says \"a_d\", the databases are a_b, a_c")
        );
    }
}
