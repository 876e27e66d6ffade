//! `__complete WORDS…`: what could stand where the last word is, in cobra's protocol.
//!
//! kubectl (through `kubectl_complete-skvs`) and the scripts of `completions/` call it. Each line is a candidate with an
//! optional tab and description; the last one is `:` and a directive. It is silent on stderr, never reads stdin and always
//! ends well: a shell has no use for an error. Only a [`Candidate`] is printed.

pub(crate) mod cache;
mod candidate;
mod folders;
mod live;
mod values;

use crate::app::Grammar;
use crate::exit::Code;
use crate::ui::Ui;
use candidate::Candidate;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The file kubectl_complete-skvs.
pub(crate) const FOR_KUBECTL: &str = include_str!("../completions/kubectl_complete-skvs");

/// Name under which kubectl looks for a plugin's completion.
const KUBECTL_COMPLETE: &str = "kubectl_complete-skvs";

/// Directive: add no space after the candidate.
const NO_SPACE: u8 = 2;
/// Directive: offer no file names.
const NO_FILES: u8 = 4;

/// The words to complete, when this command line asks for completion: by `__complete`, or by the program's own name.
pub(crate) fn asked(argv: &[OsString]) -> Option<&[OsString]> {
    let (program, words) = argv.split_first()?;
    if Path::new(program).file_stem() == Some(OsStr::new(KUBECTL_COMPLETE)) {
        return Some(words);
    }
    let (first, words) = words.split_first()?;
    (first == "__complete").then_some(words)
}

/// Prints the candidates for the last of `words`.
pub(crate) fn run(ui: &mut Ui, grammar: Grammar, words: &[OsString]) -> Code {
    let answer = answer(grammar, words);
    // Whoever asked is gone if this fails.
    let _ = ui
        .machine()
        .write_all(answer.as_bytes())
        .and_then(|()| ui.machine().flush());
    Code::Ok
}

/// The lines of the answer.
fn answer(grammar: Grammar, words: &[OsString]) -> String {
    let current = words.last().cloned().unwrap_or_default();
    let root = grammar.command();
    let offer = values::Offer::new(grammar, words);
    let mut command = offer.attach(root);
    let mut argv = vec![OsString::from("kubectl-skvs")];
    argv.extend_from_slice(words);
    if words.is_empty() {
        argv.push(OsString::new());
    }
    let mut candidates = candidate::own::words(&mut command, argv);
    let current = current.to_string_lossy();
    candidates.extend(offer.values(&current));
    lines(&current, &candidates, offer.wants_files())
}

fn lines(current: &str, candidates: &[Candidate], files: bool) -> String {
    let mut text = String::new();
    let mut all_open = true;
    for candidate in candidates {
        // Flags are offered to who begins one, as kubectl does.
        if candidate.word().starts_with('-') && !current.starts_with('-') {
            continue;
        }
        all_open &= candidate.word().ends_with('=');
        text.push_str(&candidate.line());
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
    use crate::cli::Cli;
    use clap::CommandFactory;
    use proptest::prelude::*;

    fn told(words: &[&str]) -> String {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        answer(Grammar::without_settings(Cli::command), &words)
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
        assert_eq!(
            told(&["lis"]),
            "list\tList onboardings, one line each\n:4\n"
        );
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

    /// The answers for each argument whose values others choose, from a saved list and a kubeconfig that hold these strings.
    fn offered(text: &[String; 5]) -> Vec<String> {
        let [name, namespace, database, account, context] = text;
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, value: serde_json::Value| {
            let path = folder.path().join(name);
            std::fs::write(&path, value.to_string()).unwrap();
            path.display().to_string()
        };
        let saved = file(
            "saved.json",
            serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [
                {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
                 "metadata": {"name": name, "namespace": "flux-system",
                              "labels": {"app.kubernetes.io/part-of": "secure-kvs-onboarding"}},
                 "spec": {"values": {"namespace": namespace, "database": database, "serviceAccounts": [account]}}},
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}]}),
        );
        let kubeconfig = file(
            "kubeconfig",
            serde_json::json!({"apiVersion": "v1", "kind": "Config",
                "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
                "clusters": [{"name": context, "cluster": {"server": "https://127.0.0.1:1"}}],
                "users": [{"name": context, "user": {}}]}),
        );
        let offered = |typed: &[&str]| {
            let mut words = vec!["list", "--kubeconfig", &kubeconfig, "-f", &saved];
            words.extend(typed);
            told(&words)
        };
        let flags = [
            "--service-account",
            "--database",
            "--namespace",
            "--context",
            "--cluster",
            "--user",
        ];
        let mut all = vec![offered(&[""])];
        for flag in flags {
            all.push(offered(&[flag, ""]));
            all.push(offered(&[&format!("{flag}=")]));
        }
        all
    }

    #[test]
    fn values_of_files_are_offered() {
        let text = ["pds--database", "pds", "database", "batch", "prod@east"].map(str::to_owned);
        let all = offered(&text).concat();
        for line in [
            "pds--database\tpds_database\n",
            "pds/batch\n",
            "--service-account=pds/batch\n",
            "pds_database\tclaimed by pds--database\n",
            "\nprod@east\n",
            "--user=prod@east\n",
        ] {
            assert!(all.contains(line), "{line:?} is not in {all}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn every_answer_ends_with_its_directive(words in proptest::collection::vec("[-a-z=_ ]{0,9}", 0..4)) {
            // No word here can name a kubeconfig, so nothing is asked of a cluster.
            let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
            words.insert(0, "--kubeconfig=/nonexistent");
            let text = told(&words);
            let last = text.lines().last().unwrap();
            prop_assert!([":0", ":2", ":4", ":6"].contains(&last), "{text}");
        }

        #[test]
        fn whatever_a_file_holds_the_candidates_are_plain(
            text in proptest::array::uniform5(proptest::prop_oneof![
                "[a-z]{1,6}(--?[a-z]{1,3})?",
                "[-a-z$(){}`;|&<>'\"\\\\~!*?#=/:_.\t\n \u{1b}\u{9b}\u{202e}]{1,9}",
                proptest::prelude::any::<String>(),
            ])
        ) {
            let plain = |c: char| matches!(c, 'A'..='Z' | 'a'..='z' | '0'..='9' | '.' | '_' | '/' | '@' | ':' | '=' | '+' | '-');
            for answer in offered(&text) {
                let mut lines: Vec<&str> = answer.split_terminator('\n').collect();
                let directive = lines.pop().unwrap();
                prop_assert!([":0", ":2", ":4", ":6"].contains(&directive), "{answer:?}");
                for line in lines {
                    let (word, about) = line.split_once('\t').unwrap_or((line, ""));
                    prop_assert!(!word.is_empty() && word.chars().all(plain), "{answer:?}");
                    prop_assert!(about.chars().all(|c| c == ' ' || plain(c)), "{answer:?}");
                }
            }
        }
    }
}
