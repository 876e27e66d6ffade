//! How each target is confirmed: the question on a terminal, or the flag that stands for its answer.

use super::Args;
use super::told::interrupted;
use crate::cli::App;
use crate::couchdb::delete::confirm::{self, Confirmed, Way};
use crate::couchdb::delete::execute::Interrupt;
use crate::couchdb::delete::plan::Cleared;
use crate::error::Error;
use crate::exit::Code;
use crate::model::names::DatabaseName;
use crate::ui::Answer;

use super::several::Ended;

/// The way for each target, settled before anything is asked of the cluster; none for a rehearsal. A rehearsal with --confirm fails
/// as the deletion itself would.
///
/// # Errors
/// As [`confirm::ways`]; or a name is confirmed that is not among the targets.
pub(super) fn ways(
    app: &App,
    args: &Args,
    names: &[DatabaseName],
) -> Result<Vec<Option<Way>>, Error> {
    let terminal = app.ui.terminal();
    let context = app.global.connection.context.as_deref();
    let rehearsal = args.is_rehearsal();
    // Of orphans nothing can be said before they are found.
    let not_found_yet = args.orphans && names.is_empty();
    if not_found_yet || rehearsal && args.confirm.is_empty() {
        return Ok(vec![None; names.len()]);
    }
    let terminal = terminal.stdin && terminal.stderr;
    let ways = confirm::ways(names, terminal, &args.confirm, context)?;
    Ok(ways
        .into_iter()
        .map(|w| Some(w).filter(|_| !rehearsal))
        .collect())
}

/// The plan with the user's word for it.
pub(super) async fn confirmed(
    name: &DatabaseName,
    plan: Cleared,
    way: Way,
    mut interrupt: Interrupt<'_>,
) -> Result<Confirmed, Ended> {
    let answer = match way {
        Way::Given(given) => given,
        Way::Typed => {
            let question = format!("Type {name} to delete it");
            // The prompt waits for a person; connections live on meanwhile.
            let asked = tokio::task::spawn_blocking(move || crate::ui::ask(&question));
            let typed = tokio::select! {
                biased;
                () = &mut interrupt => {
                    // The cursor still stands behind the question.
                    crate::ui::log("");
                    return Err(interrupted().into());
                }
                typed = asked => typed.map_err(|e| Error::new(format!("the question failed: {e}")))?,
            };
            match typed {
                Ok(Answer::Line(typed)) => typed,
                // Nobody is there to answer the next one either.
                Ok(Answer::End) => {
                    return Err(not_confirmed("the input ended; nothing was deleted").into());
                }
                Err(error) => {
                    return Err(
                        not_confirmed(&format!("the answer cannot be read: {error}")).into(),
                    );
                }
            }
        }
    };
    confirm::accept(plan, &answer).map_err(Ended::alone)
}

fn not_confirmed(why: &str) -> Error {
    Error::new(format!("not confirmed: {why}")).with_code(Code::Refused)
}
