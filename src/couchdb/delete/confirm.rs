//! The user's word, and the value that only this file makes of it.
//!
//! A person types the database's name; a script gives it with `--confirm`, and then `--context` too, so that neither a name nor a cluster
//! is ever implied. No flag and no variable says "yes" to whatever the target happens to be.

use super::plan::Plan;
use crate::error::Error;
use crate::exit::Code;
use crate::model::names::DatabaseName;

/// A plan that was shown and confirmed. [`super::execute`] takes nothing else.
#[derive(Debug)]
pub struct Confirmed {
    plan: Plan,
}

impl Confirmed {
    /// The plan that was shown.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// How the user will confirm; settled before anything is asked of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A person at a terminal types the name.
    Typed,
    /// `--confirm`.
    Given(String),
}

/// Settles the way.
///
/// # Errors
/// There is no terminal and no `--confirm`, or `--confirm` stands without `--context` or names another database.
pub fn way(
    name: &DatabaseName,
    terminal: bool,
    confirm: Option<&str>,
    context: Option<&str>,
) -> Result<Way, Error> {
    let Some(given) = confirm else {
        if terminal {
            return Ok(Way::Typed);
        }
        return Err(refused("without a terminal nobody can be asked")
            .hint(format!("name both: --context NAME --confirm {name}")));
    };
    if given != name.as_str() {
        return Err(refused(&format!(
            "--confirm says {given:?}, the database is {name}"
        )));
    }
    if context.is_none_or(str::is_empty) {
        return Err(refused(
            "--confirm needs --context, so that the cluster is not implied either",
        )
        .hint("the contexts are: kubectl config get-contexts -o name"));
    }
    Ok(Way::Given(given.to_owned()))
}

/// Takes the answer. One wrong answer ends it.
///
/// # Errors
/// The answer is not the database's name, to the letter.
pub fn accept(plan: Plan, answer: &str) -> Result<Confirmed, Error> {
    if answer == plan.name().as_str() {
        return Ok(Confirmed { plan });
    }
    let said = if answer.is_empty() {
        "nothing was typed".to_owned()
    } else {
        format!("{answer:?} is not {}", plan.name())
    };
    Err(refused(&format!("{said}; nothing was deleted")))
}

fn refused(why: &str) -> Error {
    Error::new(format!("not confirmed: {why}")).with_code(Code::Refused)
}

#[cfg(test)]
mod tests {
    use super::super::plan::{plan, tests::facts};
    use super::*;

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
            let error = accept(plan(facts()).unwrap(), wrong).unwrap_err();
            assert_eq!(error.code(), Code::Refused, "{wrong:?}");
            assert!(error.message().starts_with("not confirmed: "), "{error}");
        }
        let confirmed = accept(plan(facts()).unwrap(), "pds_database").unwrap();
        assert_eq!(confirmed.plan().name().as_str(), "pds_database");
    }

    #[test]
    fn a_script_names_database_and_context() {
        let name = DatabaseName::parse("pds_database").unwrap();
        let way = |terminal, confirm, context| way(&name, terminal, confirm, context);
        assert_eq!(way(true, None, None), Ok(Way::Typed));
        let given = Ok(Way::Given("pds_database".to_owned()));
        assert_eq!(way(false, Some("pds_database"), Some("prod")), given);
        assert_eq!(way(true, Some("pds_database"), Some("prod")), given);
        for (terminal, confirm, context) in [
            (false, None, None),
            (false, None, Some("prod")),
            (false, Some("pds_database"), None),
            (false, Some("pds_database"), Some("")),
            (true, Some("pds_database"), None),
            (false, Some("pds_databas"), Some("prod")),
            (false, Some(""), Some("prod")),
        ] {
            let error = way(terminal, confirm, context).unwrap_err();
            assert_eq!(error.code(), Code::Refused, "{confirm:?} {context:?}");
        }
    }
}
