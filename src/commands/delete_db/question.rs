//! How each target is confirmed: the question on a terminal, or the flag that answers it.

use super::Args;
use super::targets::Ended;
use crate::app::App;
use crate::couchdb::delete::confirm::{self, ConfirmBy, Confirmed};
use crate::couchdb::delete::execute::Interrupt;
use crate::couchdb::delete::plan::Cleared;
use crate::error::Error;
use crate::exit::Code;
use crate::model::names::DatabaseName;
use crate::question::confirmation::{self, Act};

/// The way for each target, settled before anything is asked of the cluster; none for a rehearsal. A rehearsal with --confirm fails
/// as the deletion itself would.
///
/// # Errors
/// As [`confirm::ways`]; or a name is confirmed that is not among the targets.
pub(super) fn ways(
    app: &App,
    args: &Args,
    names: &[DatabaseName],
) -> Result<Vec<Option<ConfirmBy>>, Error> {
    let terminal = app.ui.terminal();
    let context = app.global.connection.context.as_deref();
    let rehearsal = args.is_rehearsal();
    // Of orphans nothing can be said before they are found.
    let not_found_yet = args.orphans && names.is_empty();
    if not_found_yet || rehearsal && args.confirm.is_empty() {
        return Ok(vec![None; names.len()]);
    }
    let terminal = terminal.stdin && terminal.stderr;
    let ways = confirm::ways("database", names, terminal, &args.confirm, context)?;
    Ok(ways
        .into_iter()
        .map(|w| Some(w).filter(|_| !rehearsal))
        .collect())
}

/// The plan with the user's word for it.
pub(super) async fn confirmed(
    name: &DatabaseName,
    plan: Cleared,
    way: ConfirmBy,
    interrupt: Interrupt<'_>,
) -> Result<Confirmed, Ended> {
    let answer = confirmation::answer(name, way, Act::Delete, interrupt).await;
    let answer = answer.map_err(|error| match error.code() {
        // Nobody is there to answer the next question either.
        Code::Refused => Ended::from(error).unconfirmed(),
        _ => error.into(),
    })?;
    confirm::accept(plan, &answer)
        .map_err(|why| Ended::alone(Act::Delete.not_confirmed(&why)).unconfirmed())
}
