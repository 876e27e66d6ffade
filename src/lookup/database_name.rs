//! A database's name on the command line, for the commands that touch one. An onboarding's name given in its place is looked up,
//! to say which database is meant.

use crate::advice::Command;
use crate::app::App;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::lookup;
use crate::model::helm_release::HelmRelease;
use crate::model::lookup::can_be_an_object;
use crate::model::names::{DatabaseName, NameError};
use std::time::Duration;

/// Longest that a refusal waits for the cluster.
const PATIENCE: Duration = Duration::from_secs(3);

/// Reads the name of an onboarding's database.
///
/// # Errors
/// It is not one: nothing is done.
pub(crate) async fn resolve(app: &mut App, text: &str) -> Result<DatabaseName> {
    let why = match DatabaseName::parse(text) {
        Ok(name) => return Ok(name),
        Err(why) => why,
    };
    let refused = |why: &str| Error::new(format!("refused: {why}")).with_code(Code::Refused);
    if why == NameError::NotJoined && can_be_an_object(text) {
        let claimed = tokio::time::timeout(PATIENCE, claimed(app, text)).await;
        if let Ok(Some(database)) = claimed {
            return Err(
                refused(&format!("{text:?} is an onboarding, not a database")).hint(format!(
                    "its database is {}",
                    crate::text::one_line(&database)
                )),
            );
        }
    }
    let error = refused(&format!("{text:?} is not an onboarding's database: {why}"));
    Err(error.hint(Command::skvs(["list"]).after("the name is <namespace>_<database>, as in:")))
}

/// The database that an onboarding of this name claims.
async fn claimed(app: &mut App, name: &str) -> Option<String> {
    let cluster = app.cluster().await.ok()?;
    let object = lookup::one(app, &cluster, name).await.ok()?;
    let hr = HelmRelease::from_value(&object).ok()?;
    hr.claim().joined().map(str::to_owned)
}
