//! The program's own words: its commands, flags and the values that they list.
//!
//! clap's engine sees nothing else. Arguments with values from elsewhere have a completer that gives none and only notes that it
//! was asked (see [`Wanted`]).

use super::{Candidate, Description};
use clap::Command;
use clap_complete::CompletionCandidate;
use clap_complete::engine::{ArgValueCompleter, complete};
use std::ffi::{OsStr, OsString};
use std::sync::{Arc, Mutex, PoisonError};

/// The kinds of values that the word being typed can have, each with the part of the word that is the value.
#[derive(Clone, Debug)]
pub(in crate::completion) struct Wanted<K>(Arc<Mutex<Vec<(K, String)>>>);

impl<K: Clone + PartialEq + Send + Sync + 'static> Wanted<K> {
    pub(in crate::completion) fn new() -> Self {
        Self(Arc::default())
    }

    /// A completer that notes `kind`.
    pub(in crate::completion) fn note(&self, kind: K) -> ArgValueCompleter {
        let all = Arc::clone(&self.0);
        ArgValueCompleter::new(move |current: &OsStr| {
            let noted = (kind.clone(), current.to_string_lossy().into_owned());
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            if !all.contains(&noted) {
                all.push(noted);
            }
            Vec::<CompletionCandidate>::new()
        })
    }

    /// Everything noted so far.
    pub(in crate::completion) fn all(&self) -> Vec<(K, String)> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The words of the program that the last word of `argv` can become.
pub(in crate::completion) fn words(command: &mut Command, argv: Vec<OsString>) -> Vec<Candidate> {
    let last = argv.len().saturating_sub(1);
    let all = complete(command, argv, last, None).unwrap_or_default();
    all.iter().filter_map(candidate).collect()
}

fn candidate(own: &CompletionCandidate) -> Option<Candidate> {
    let help = own.get_help().map(ToString::to_string).unwrap_or_default();
    let about = Description::harmless(help.lines().next().unwrap_or_default());
    Some(Candidate::plain(own.get_value().to_str()?)?.about(about))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Grammar;
    use clap::CommandFactory;

    /// Whatever the program itself has to offer can be offered.
    #[test]
    fn no_word_or_help_of_the_program_is_dropped() {
        fn check(command: &Command, path: &[OsString]) {
            for typed in ["", "-", "--"] {
                let mut argv = path.to_vec();
                argv.push(typed.into());
                let last = argv.len() - 1;
                let offer = crate::completion::values::Offer::new(
                    Grammar::without_settings(crate::cli::Cli::command),
                    &[],
                );
                let mut root = offer.attach(crate::cli::Cli::command());
                for own in complete(&mut root, argv, last, None).unwrap_or_default() {
                    let offered = candidate(&own);
                    let about = offered.as_ref().and_then(|c| c.about.as_ref());
                    assert!(offered.is_some(), "{own:?}");
                    assert_eq!(about.is_some(), own.get_help().is_some(), "{own:?}");
                }
            }
            for sub in command.get_subcommands() {
                let mut path = path.to_vec();
                path.push(sub.get_name().into());
                check(sub, &path);
            }
        }
        check(&crate::cli::Cli::command(), &["kubectl-skvs".into()]);
    }
}
