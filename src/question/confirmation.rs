//! The question for a name that `delete-db`, `restore` and `retry` ask, or the flag that answers it.

use crate::couchdb::delete::confirm::{ConfirmBy, check};
use crate::couchdb::delete::execute::Interrupt;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::text::Shown;
use crate::ui::{Answer, ask, discard_typed};
use std::fmt::Display;

/// What is confirmed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Delete,
    Write,
    Retry,
}

impl Act {
    /// What the question asks for: "Type NAME to …".
    fn verb(self) -> &'static str {
        match self {
            Self::Delete => "delete it",
            Self::Write => "write it",
            Self::Retry => "try it again",
        }
    }

    /// What holds after a refusal.
    fn refused(self) -> &'static str {
        match self {
            Self::Delete => "nothing was deleted",
            Self::Write => "nothing was written",
            Self::Retry => "nothing was changed",
        }
    }

    /// Ctrl-C before anything was done.
    pub(crate) fn interrupted(self) -> Error {
        let what = match self {
            Self::Delete => "nothing was sent",
            Self::Write => "nothing was written",
            Self::Retry => "nothing was changed",
        };
        Error::new(format!("interrupted: {what}")).with_code(Code::Interrupted)
    }

    /// Does what precedes the act, until Ctrl-C.
    ///
    /// # Errors
    /// The work's own, or [`Act::interrupted`].
    pub(crate) async fn before<T, E: From<Error>>(
        self,
        interrupt: Interrupt<'_>,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        tokio::select! {
            biased;
            () = interrupt => Err(self.interrupted().into()),
            done = work => done,
        }
    }

    /// An answer that is not the name, or no answer.
    pub(crate) fn not_confirmed(self, why: &str) -> Error {
        Error::new(format!("not confirmed: {why}; {}", self.refused())).with_code(Code::Refused)
    }
}

/// The answer, not judged yet. An error ends the run: nobody is there to answer the next question either.
///
/// # Errors
/// Ctrl-C, the end of the input, or a terminal that cannot be read.
pub(crate) async fn answer(
    name: &impl Display,
    way: ConfirmBy,
    act: Act,
    interrupt: Interrupt<'_>,
) -> Result<String> {
    if let ConfirmBy::Given(given) = way {
        return Ok(given);
    }
    let question = format!("Type {name} to {}", act.verb());
    typed(&question, act, interrupt).await
}

/// One line from the terminal, not judged yet.
///
/// # Errors
/// As [`answer`].
pub(crate) async fn typed(question: &str, act: Act, interrupt: Interrupt<'_>) -> Result<String> {
    match ask(&Shown::line(question), interrupt).await {
        Ok(Answer::Line(typed)) => Ok(typed),
        Ok(Answer::End) => Err(act.not_confirmed("the input ended")),
        Ok(Answer::Interrupted) => Err(act.interrupted()),
        Err(error) => Err(act.not_confirmed(&format!("the answer cannot be read: {error}"))),
    }
}

/// Asks for the name once.
///
/// # Errors
/// As [`answer`]; or the answer is not the name.
pub(crate) async fn confirmed(
    name: &impl Display,
    way: ConfirmBy,
    act: Act,
    interrupt: Interrupt<'_>,
) -> Result<()> {
    let answer = answer(name, way, act, interrupt).await?;
    check(name, &answer).map_err(|why| act.not_confirmed(&why))
}

/// The outcome of a run that asks. After a refusal nobody reads an answer that was typed ahead: it must not run in the shell.
pub(crate) fn refused_unread<T>(asks: bool, outcome: Result<T>) -> Result<T> {
    if asks && matches!(&outcome, Err(error) if error.code() == Code::Refused) {
        discard_typed();
    }
    outcome
}
