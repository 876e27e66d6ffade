//! `-o markdown`: text for a ticket. Cluster text must not become markup, a link or a mention there.
//!
//! Owns what is safe in Markdown. A word that a ticket system could act on is a code span, and several lines are a code block, each
//! fenced by more backticks than the text holds.

use crate::text::{Screen, Shown, one_line};
use std::io;

/// A sentence of ours with cluster text in it, as one line of Markdown.
pub fn prose(text: &str) -> String {
    let text = one_line(text);
    let words = text.split(' ').enumerate();
    let words = words.map(|(at, word)| self::word(word, at == 0));
    words.collect::<Vec<_>>().join(" ")
}

/// A word; the marks around it stay outside of its code span.
fn word(word: &str, first: bool) -> String {
    let inner = word.trim_start_matches(['(', '"', '\'']);
    let before = &word[..word.len() - inner.len()];
    let inner = inner.trim_end_matches([',', ';', ':', '.', ')', '"', '\'']);
    let after = &word[before.len() + inner.len()..];
    let numbered = after.starts_with(['.', ')']) && inner.chars().all(|c| c.is_ascii_digit());
    let begins_a_block =
        first && before.is_empty() && (numbered || !inner.starts_with(char::is_alphanumeric));
    if inner.is_empty() || (is_plain(inner) && !begins_a_block) {
        return word.to_owned();
    }
    format!("{before}{}{after}", span(inner))
}

/// Whether a word means nothing but itself: letters and digits, joined by single marks that no Markdown and no ticket system reads.
fn is_plain(word: &str) -> bool {
    // A time, a number, a version.
    let digits = |c: char| c.is_ascii_digit() || matches!(c, '.' | ':' | ',');
    if word.chars().all(digits) {
        return true;
    }
    let letters = |c: char| c.is_alphanumeric() || matches!(c, ',' | ';' | '\'' | '-' | '(' | ')');
    // A commit's hash, or the key of another ticket (ABC-12, GH-12).
    let hash = word.len() >= 7 && word.chars().all(|c| c.is_ascii_hexdigit());
    let key = word.split_once('-').is_some_and(|(project, number)| {
        project.chars().all(|c| c.is_ascii_uppercase())
            && number.starts_with(|c: char| c.is_ascii_digit())
    });
    let is_word = word.chars().all(char::is_alphabetic);
    word.chars().all(letters) && !key && (!hash || is_word)
}

/// A code span: its fence is longer than any run of backticks in it.
pub fn span(text: &str) -> String {
    let text = one_line(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    // A blank keeps a backtick apart from the fence; Markdown takes it away again.
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A code block of these lines, indented; its fence is longer than any run of backticks in it.
///
/// # Errors
/// The writer's own.
pub(super) fn block(
    out: &mut Screen<'_>,
    language: &'static str,
    text: &str,
    indent: usize,
) -> io::Result<()> {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let before = " ".repeat(indent);
    out.line(Shown::line(format!("{before}{fence}{language}")))?;
    for line in text.lines() {
        out.line(Shown::line(format!("{before}{line}")))?;
    }
    out.line(Shown::line(format!("{before}{fence}")))
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_code_and_sentences_stay_sentences() {
        assert_eq!(
            prose("the database pds_database already exists, so its creation Job fails"),
            "the database `pds_database` already exists, so its creation Job fails"
        );
        assert_eq!(
            prose("(Job core/pds-create): \"a_b\"."),
            "(Job `core/pds-create`): \"`a_b`\"."
        );
    }

    #[test]
    fn what_a_ticket_system_acts_on_is_code() {
        for text in [
            "@everyone",
            "#12",
            "!7",
            "GH-12",
            "PAY-431",
            "deadbeef1",
            "http://evil.example",
            "www.evil.example",
            "a@b.example",
            "[x](y)",
            "<img>",
            "&amp",
            "**b**",
            "_i_",
            "~~s~~",
            "$x$",
            ":smile:",
            "/close",
            "- [ ]",
            "# heading",
            "> quote",
            "1. item",
            "+ item",
            "=== x",
            "--- x",
            "| cell",
        ] {
            let told = prose(text);
            let first = told.split(' ').next().unwrap();
            assert!(first.contains('`'), "{text}: {told}");
        }
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(span("a"), "`a`");
        assert_eq!(span("a``b"), "```a``b```");
        assert_eq!(span("`"), "`` ` ``");
        let mut out = Vec::new();
        block(&mut Screen::new(&mut out), "text", "a\n````\n# b", 2).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "  `````text\n  a\n  ````\n  # b\n  `````\n"
        );
    }

    proptest! {
        /// Outside of code spans there is nothing that Markdown or a ticket system reads.
        #[test]
        fn nothing_outside_of_code_is_markup(text in "([a-z@#<>\\[\\]()!*_`~|:/.& -]|\\PC){0,30}") {
            let told = prose(&text);
            let mut rest = told.as_str();
            while let Some(at) = rest.find('`') {
                check(&rest[..at])?;
                let fence = rest[at..].chars().take_while(|c| *c == '`').count();
                let inner = &rest[at + fence..];
                // The closing run has the same length.
                let mut end = 0;
                loop {
                    let next = inner[end..].find('`');
                    prop_assert!(next.is_some(), "{told}");
                    let start = end + next.unwrap();
                    let run = inner[start..].chars().take_while(|c| *c == '`').count();
                    if run == fence { rest = &inner[start + run..]; break; }
                    end = start + run;
                }
            }
            check(rest)?;
        }
    }

    fn check(plain: &str) -> Result<(), TestCaseError> {
        let marks = |c: char| "@#<>[]!*_~|&/\\$^=+{}%?".contains(c);
        prop_assert!(!plain.contains(marks), "{plain}");
        Ok(())
    }
}
