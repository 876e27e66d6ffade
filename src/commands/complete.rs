//! `__complete WORDS…`: what could stand where the last word is, in cobra's protocol.
//!
//! kubectl (through `kubectl_complete-skvs`) and the scripts of `completions/` call it. Each line is a candidate with an
//! optional tab and description; the last one is `:` and a directive. It is silent on stderr, never reads stdin and always
//! ends well: a shell has no use for an error.

mod live;
mod values;

use crate::cli::Cli;
use crate::exit::Code;
use crate::ui::Ui;
use clap::CommandFactory;
use clap_complete::CompletionCandidate;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Name under which kubectl looks for a plugin's completion.
const KUBECTL_COMPLETE: &str = "kubectl_complete-skvs";

/// Directive: add no space after the candidate.
const NO_SPACE: u8 = 2;
/// Directive: offer no file names.
const NO_FILES: u8 = 4;

/// The words to complete, when this command line asks for completion: by `__complete`, or by the program's own name.
pub fn asked(argv: &[OsString]) -> Option<&[OsString]> {
    let (program, words) = argv.split_first()?;
    if Path::new(program).file_stem() == Some(OsStr::new(KUBECTL_COMPLETE)) {
        return Some(words);
    }
    let (first, words) = words.split_first()?;
    (first == "__complete").then_some(words)
}

/// Prints the candidates for the last of `words`.
pub fn run(ui: &mut Ui, words: &[OsString]) -> Code {
    let answer = answer(words);
    // Whoever asked is gone if this fails.
    let _ = ui.result(&answer).and_then(|()| ui.flush());
    Code::Ok
}

/// The lines of the answer.
fn answer(words: &[OsString]) -> String {
    let current = words.last().cloned().unwrap_or_default();
    let offer = values::Offer::new(words);
    let mut command = offer.attach(Cli::command());
    let mut argv = vec![OsString::from("kubectl-skvs")];
    argv.extend_from_slice(words);
    if words.is_empty() {
        argv.push(OsString::new());
    }
    let last = argv.len() - 1;
    let candidates =
        clap_complete::engine::complete(&mut command, argv, last, None).unwrap_or_default();
    lines(&current.to_string_lossy(), &candidates, offer.wants_files())
}

fn lines(current: &str, candidates: &[CompletionCandidate], files: bool) -> String {
    let mut text = String::new();
    let mut all_open = true;
    for candidate in candidates {
        let value = candidate.get_value().to_string_lossy();
        // Flags are offered to who begins one, as kubectl does.
        if value.starts_with('-') && !current.starts_with('-') {
            continue;
        }
        let value = crate::text::one_line(&value);
        if value.is_empty() {
            continue;
        }
        all_open &= value.ends_with('=');
        text.push_str(&value);
        if let Some(help) = candidate.get_help() {
            let help = help.to_string();
            let first = crate::text::one_line(help.lines().next().unwrap_or_default());
            if !first.is_empty() {
                text.push('\t');
                text.push_str(&first);
            }
        }
        text.push('\n');
    }
    let mut directive = if files { 0 } else { NO_FILES };
    if !text.is_empty() && all_open {
        directive |= NO_SPACE;
    }
    text.push_str(&format!(":{directive}\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(words: &[&str]) -> String {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        answer(&words)
    }

    #[test]
    fn argv_tells_who_asks() {
        let argv = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let words = |a: &[&str]| asked(&argv(a)).map(<[_]>::len);
        assert_eq!(words(&["kubectl-skvs", "__complete", "li", ""]), Some(2));
        assert_eq!(words(&["/x/kubectl_complete-skvs", "li"]), Some(1));
        assert_eq!(words(&["kubectl_complete-skvs.exe"]), Some(0));
        assert_eq!(words(&["kubectl-skvs", "list", "__complete"]), None);
        assert_eq!(words(&["kubectl-skvs"]), None);
    }

    #[test]
    fn commands_have_their_first_line_as_description() {
        assert_eq!(told(&["li"]), "list\tList onboardings, one line each\n:4\n");
        assert!(told(&[]).contains("completion\tPrint a completion script for a shell\n"));
    }

    #[test]
    fn flags_are_offered_to_who_begins_one() {
        assert!(!told(&["completion", ""]).contains("--"));
        assert!(told(&["list", "--no-h"]).starts_with("--no-headers\t"));
        assert_eq!(told(&["completion", "z"]), "zsh\n:4\n");
    }

    #[test]
    fn formats_that_go_on_take_no_space() {
        assert_eq!(told(&["list", "-o", "j"]), "json\njsonpath=\n:4\n");
        assert_eq!(told(&["list", "-o", "jsonp"]), "jsonpath=\n:6\n");
        assert_eq!(told(&["list", "--output=y"]), "--output=yaml\n:4\n");
    }

    #[test]
    fn files_are_left_to_the_shell() {
        assert_eq!(told(&["list", "--kubeconfig", ""]), ":0\n");
        assert_eq!(told(&["list", "--no-such-flag"]), ":4\n");
    }

    proptest! {
        #[test]
        fn every_answer_ends_with_its_directive(words in proptest::collection::vec("[-a-z=_ ]{0,9}", 0..4)) {
            // No word here can name a kubeconfig, so nothing is asked of a cluster.
            let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
            words.insert(0, "--kubeconfig=/nonexistent");
            let text = told(&words);
            let last = text.lines().last().unwrap();
            prop_assert!([":0", ":2", ":4", ":6"].contains(&last), "{text}");
        }
    }
}
