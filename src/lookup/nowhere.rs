//! A name that is looked up in several clusters: it is an error only where none of them has it.

use crate::app::App;
use crate::app::fleet::{Answer, Answers};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::text::one_line;

/// The result of one name in one cluster.
pub(crate) enum Lookup {
    Found,
    /// It does not have the name.
    Missing(Error),
    /// It was not read, and why; the error has been printed.
    Unknown(String),
}

impl Lookup {
    /// Classifies the results of one cluster, and prints errors other than "not found".
    pub(crate) fn all(answers: Vec<Result<()>>, app: &mut App) -> Vec<Self> {
        let lookups = answers.into_iter().map(|answer| match answer {
            Ok(()) => Self::Found,
            Err(error) if error.is_absence() => Self::Missing(error),
            Err(error) => {
                app.ui.error(&error);
                Self::Unknown(error.message().to_owned())
            }
        });
        lookups.collect()
    }

    /// Why a name of one cluster was not read.
    pub(crate) fn unread(all: &[Self]) -> Option<&str> {
        all.iter().find_map(|lookup| match lookup {
            Self::Unknown(why) => Some(&**why),
            Self::Found | Self::Missing(_) => None,
        })
    }

    /// The exit code for one cluster. A missing name does not count yet: another cluster may have it.
    pub(crate) fn code(all: &[Self]) -> Code {
        match Self::unread(all) {
            Some(_) => Code::Failed,
            None => Code::Ok,
        }
    }
}

/// The clusters in which a name was not found.
struct Nowhere<'a, T> {
    name: &'a str,
    missing: Vec<(&'a Answer<T>, &'a Error)>,
    unknown: Vec<&'a str>,
}

/// The names that no cluster has, as far as is known. `lookups` returns the results of a cluster, in the order of `names`.
fn nowhere<'a, T>(
    answers: &'a Answers<T>,
    names: &'a [String],
    lookups: impl Fn(&T) -> &[Lookup],
) -> Vec<Nowhere<'a, T>> {
    let of = |(at, name): (usize, &'a String)| {
        let (mut missing, mut unknown) = (Vec::new(), Vec::new());
        for answer in answers.iter() {
            match answer.seen.as_ref().map(|seen| lookups(seen).get(at)) {
                Ok(Some(Lookup::Found)) => return None,
                Ok(Some(Lookup::Missing(error))) => missing.push((answer, error)),
                Ok(Some(Lookup::Unknown(_)) | None) | Err(_) => unknown.push(&*answer.context),
            }
        }
        Some(Nowhere {
            name,
            missing,
            unknown,
        })
    };
    names.iter().enumerate().filter_map(of).collect()
}

/// The exit code of the names.
pub(crate) fn code<T>(
    answers: &Answers<T>,
    names: &[String],
    lookups: impl Fn(&T) -> &[Lookup],
) -> Code {
    match nowhere(answers, names, lookups).is_empty() {
        true => Code::Ok,
        false => Code::Failed,
    }
}

/// Prints an error for each name that no cluster has, or that may exist in a cluster that was not read.
pub(crate) fn tell<T>(
    app: &mut App,
    answers: &Answers<T>,
    names: &[String],
    what: impl Fn(&str) -> String,
    lookups: impl Fn(&T) -> &[Lookup],
) {
    for Nowhere {
        name,
        missing,
        unknown,
    } in nowhere(answers, names, lookups)
    {
        let contexts: Vec<&str> = missing.iter().map(|(a, _)| &*a.context).collect();
        let (what, contexts) = (what(name), contexts.join(", "));
        app.ui.error(&Error::new(one_line(&match unknown[..] {
            [] => format!("{what} not found in any of the contexts {contexts}"),
            _ => {
                let missing = match contexts.is_empty() {
                    true => String::new(),
                    false => format!("not found in {contexts}; "),
                };
                format!("{what} {missing}not known in {}", unknown.join(", "))
            }
        })));
        let mut printed = Vec::new();
        for (answer, error) in missing {
            for hint in error.hints() {
                let line = hint.line(&answer.origin).to_string();
                if printed.contains(&line) {
                    continue;
                }
                printed.push(line);
                let mut ui = app.ui.apart(&answer.context);
                ui.set_origin(answer.origin.clone());
                ui.hint(hint.clone());
                app.ui.tell(ui);
            }
        }
    }
}
