//! A name that is looked up in several clusters: it is an error only where none of them has it.

use crate::app::App;
use crate::app::fleet::Answers;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::text::one_line;

/// What one cluster says of one name.
pub(crate) enum Lookup {
    Found,
    /// It has none of this name.
    Missing(Error),
    /// That could not be read, which was told.
    Unknown,
}

impl Lookup {
    /// From the answers of one cluster. An error that does not say that the name is absent is told.
    pub(crate) fn all(answers: Vec<Result<()>>, app: &mut App) -> Vec<Self> {
        let lookups = answers.into_iter().map(|answer| match answer {
            Ok(()) => Self::Found,
            Err(error) if error.is_absence() => Self::Missing(error),
            Err(error) => {
                app.ui.error(&error);
                Self::Unknown
            }
        });
        lookups.collect()
    }

    /// How the run ended for one cluster, whatever it lacks.
    pub(crate) fn code(all: &[Self]) -> Code {
        match all.iter().any(|lookup| matches!(lookup, Self::Unknown)) {
            true => Code::Failed,
            false => Code::Ok,
        }
    }
}

/// Tells which names none of the clusters has, and of which that is not known; `lookups` has those of a cluster in the order of `names`.
pub(crate) fn tell<T>(
    app: &mut App,
    answers: &Answers<T>,
    names: &[String],
    what: impl Fn(&str) -> String,
    lookups: impl Fn(&T) -> &[Lookup],
) -> Code {
    let mut code = Code::Ok;
    for (at, name) in names.iter().enumerate() {
        let (mut missing, mut unknown, mut found) = (Vec::new(), Vec::new(), false);
        for answer in answers.iter() {
            match answer.seen.as_ref().map(|seen| &lookups(seen)[at]) {
                Ok(Lookup::Found) => found = true,
                Ok(Lookup::Missing(error)) => missing.push((answer, error)),
                Ok(Lookup::Unknown) | Err(_) => unknown.push(&*answer.context),
            }
        }
        if found {
            continue;
        }
        code = Code::Failed;
        let contexts: Vec<&str> = missing.iter().map(|(a, _)| &*a.context).collect();
        let what = what(name);
        app.ui.error(&Error::new(one_line(&match unknown[..] {
            [] => format!(
                "{what} not found in any of the contexts {}",
                contexts.join(", ")
            ),
            _ if contexts.is_empty() => {
                format!("it is not known whether {what} exists: no context could be asked")
            }
            _ => format!(
                "{what} not found in {}; not known in {}",
                contexts.join(", "),
                unknown.join(", ")
            ),
        })));
        let mut told = Vec::new();
        for (answer, error) in missing {
            for hint in error.hints() {
                if told.contains(&hint) {
                    continue;
                }
                told.push(hint);
                let mut ui = app.ui.apart(&answer.context);
                ui.set_origin(answer.origin.clone());
                ui.hint(hint.clone());
                app.ui.tell(ui);
            }
        }
    }
    code
}
