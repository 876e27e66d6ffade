//! Asks for values that the command line does not give, on a terminal only.

use super::Args;
use crate::app::App;
use crate::error::{Error, Result};
use crate::flags::service_account;
use crate::model::names::DatabaseName;
use crate::model::new_onboarding::Wanted;
use crate::question::confirmation::{self, Act};
use std::collections::BTreeSet;

/// What the choice of encryption means.
const ENCRYPTION: [&str; 3] = [
    "Encrypted: the team uses Steelcouch, which encrypts what CouchDB stores and lacks some of its features.",
    "Not encrypted: the team uses CouchDB itself, which stores documents as they are. Only for data that is not sensitive.",
    "Do not change this after the installation.",
];

/// The complete request.
///
/// # Errors
/// A value is missing and cannot be asked for (stdin or stderr is not a terminal), or a name is invalid.
pub(super) async fn wanted(app: &mut App, args: &Args, asks: bool) -> Result<Wanted> {
    let mut missing = Vec::new();
    missing.extend(args.team.is_none().then_some("NAMESPACE"));
    missing.extend(args.database.is_none().then_some("DATABASE"));
    missing.extend(args.accounts.is_empty().then_some("--service-account"));
    if !missing.is_empty() && !asks {
        let missing = missing.join(", ");
        return Err(Error::usage(format!("missing: {missing}")));
    }
    let team = match &args.team {
        Some(team) => team.clone(),
        None => {
            let read = |text: &str| {
                let joined = DatabaseName::join(text, "x");
                joined.map(|_| text.to_owned()).map_err(|e| e.to_string())
            };
            until(app, "Namespace of the team's pods", read).await?
        }
    };
    let database = match &args.database {
        Some(database) => joined(&team, database).map_err(Error::usage)?,
        None => {
            let question = format!("Database: {team}_");
            until(app, &question, |text| joined(&team, text)).await?
        }
    };
    let mut accounts = args.accounts.clone();
    if accounts.is_empty() {
        let question = "Service accounts, separated by blanks";
        accounts = until(app, question, read_accounts).await?;
    }
    let encryption = match missing.is_empty() || args.no_encryption {
        true => !args.no_encryption,
        false => {
            ENCRYPTION.into_iter().for_each(|line| app.ui.status(line));
            until(app, "Encrypt the documents, yes or no (yes)", read_choice).await?
        }
    };
    let mut service_accounts: Vec<String> = Vec::new();
    for account in accounts {
        if !service_accounts.contains(&account) {
            service_accounts.push(account);
        }
    }
    Ok(Wanted {
        database,
        service_accounts,
        encryption,
    })
}

/// The chosen clusters of the repository.
///
/// # Errors
/// There are several, none is named, and it cannot be asked for.
pub(super) async fn clusters(
    app: &mut App,
    args: &Args,
    all: &BTreeSet<String>,
    asks: bool,
) -> Result<Vec<String>> {
    if !args.for_cluster.is_empty() {
        let meant: BTreeSet<String> = args.for_cluster.iter().cloned().collect();
        return Ok(meant.into_iter().collect());
    }
    let names: Vec<String> = all.iter().cloned().collect();
    match names.len() {
        1 => Ok(names),
        _ if !asks => Err(Error::usage(format!(
            "the repository has several clusters: {}",
            names.join(", ")
        ))
        .hint("choose with --for-cluster")),
        _ => {
            let question = format!("Clusters, separated by blanks ({})", names.join(", "));
            let read = |text: &str| {
                let meant: BTreeSet<String> = words(text).map(str::to_owned).collect();
                match meant.iter().find(|name| !all.contains(*name)) {
                    Some(other) => Err(format!("the repository has no folder of cluster {other}")),
                    None if meant.is_empty() => Err("at least one must be named".to_owned()),
                    None => Ok(meant.into_iter().collect()),
                }
            };
            until(app, &question, read).await
        }
    }
}

fn joined(team: &str, database: &str) -> std::result::Result<DatabaseName, String> {
    DatabaseName::join(team, database)
        .map_err(|why| format!("{team}_{database} cannot be the name of a database: {why}"))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', '\t']).filter(|word| !word.is_empty())
}

fn read_accounts(text: &str) -> std::result::Result<Vec<String>, String> {
    let all: std::result::Result<Vec<String>, &str> = words(text).map(service_account).collect();
    let all = all.map_err(str::to_owned)?;
    match all.is_empty() {
        true => Err("without a service account the database cannot be accessed".to_owned()),
        false => Ok(all),
    }
}

fn read_choice(text: &str) -> std::result::Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "" | "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err("yes or no".to_owned()),
    }
}

/// Asks until the answer is valid.
async fn until<T>(
    app: &mut App,
    question: &str,
    read: impl Fn(&str) -> std::result::Result<T, String>,
) -> Result<T> {
    loop {
        let interrupt = crate::interrupt::any();
        tokio::pin!(interrupt);
        let typed = confirmation::typed(question, Act::Write, interrupt.as_mut()).await?;
        match read(typed.trim()) {
            Ok(answer) => return Ok(answer),
            Err(why) => app.ui.warning(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_flags_are() {
        let two = || vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(read_accounts("a, b"), Ok(two()));
        assert_eq!(read_accounts(" a  b "), Ok(two()));
        for wrong in ["", " , ", "A", "a/b"] {
            assert!(read_accounts(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(read_choice(""), Ok(true));
        assert_eq!(read_choice("No"), Ok(false));
        assert!(read_choice("nope").is_err());
        assert!(joined("pds", "orders").is_ok() && joined("pds_a", "b").is_err());
    }
}
