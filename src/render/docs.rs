//! The codes as text: one for `explain`, the list of codes, and the page docs/diagnoses.md.

use crate::diagnosis::catalogue::{self, Entry};
use crate::diagnosis::registry;
use crate::text::Shown;
use std::fmt::Write;

/// Most codes that are listed one by one.
const LISTED: usize = 8;

/// One code in full, folded to `width`.
pub fn explain(rule: &Entry, width: Option<usize>) -> String {
    let heading = format!(
        "{} {}: {} ({})",
        rule.code,
        rule.severity.word(),
        rule.title,
        rule.slug
    );
    let mut out = format!("{}\n\nWhy\n", fold(&heading, width, "", "  "));
    indented(&mut out, rule.explanation, width);
    out.push_str("\nDo\n");
    indented(&mut out, rule.fix, width);
    out.push_str("\nExample\n");
    for line in rule.example.lines() {
        let _ = writeln!(out, "  {line}");
    }
    if !rule.explains.is_empty() {
        let line = format!("Follows from it: {}", rule.explains.join(", "));
        let _ = writeln!(out, "\n{}", fold(&line, width, "", "  "));
    }
    let above: Vec<&str> = catalogue::all()
        .iter()
        .filter(|r| r.explains.contains(&rule.code))
        .map(|r| r.code)
        .collect();
    if !above.is_empty() && !registry::is_fallback(rule.code) {
        let line = format!("Can follow from: {}", codes(&above));
        let _ = writeln!(out, "\n{}", fold(&line, width, "", "  "));
    }
    out
}

/// A few codes by name; of many, how many each band has.
fn codes(all: &[&str]) -> String {
    if all.len() <= LISTED {
        return all.join(", ");
    }
    let of = |digit: char| all.iter().filter(|code| band(code) == Some(digit)).count();
    let bands = catalogue::bands().into_iter();
    let bands = bands.map(|(digit, about)| (of(digit), digit, about));
    let bands: Vec<String> = bands
        .filter(|(n, ..)| *n > 0)
        .map(|(n, digit, about)| format!("{n} of SKVS{digit}xx ({about})"))
        .collect();
    format!(
        "{}; troubleshoot names the one, with this below it",
        bands.join(", ")
    )
}

/// The bands of codes, each with its heading and codes.
pub fn bands() -> impl Iterator<Item = (String, Vec<Entry>)> {
    let all = catalogue::all();
    catalogue::bands().into_iter().map(move |(digit, about)| {
        let rules = all.iter().filter(|r| band(r.code) == Some(digit));
        (format!("SKVS{digit}xx {about}"), rules.copied().collect())
    })
}

/// docs/diagnoses.md.
pub fn page() -> String {
    let mut out = String::from(
        "# Diagnoses\n\n\
        The findings of `kubectl skvs troubleshoot` and `kubectl skvs lint`. Generated from the rules in `src/diagnosis/`; do not\n\
        edit (`BLESS=1 cargo test docs` rewrites it). The same text offline: `kubectl skvs explain CODE`\n\n\
        Codes are stable: a code never changes its meaning.",
    );
    out.push('\n');
    let all = catalogue::all();
    for (digit, about) in catalogue::bands() {
        let _ = write!(
            out,
            "\n## {digit}xx: {about}\n\n| Code | Severity | Finding |\n|---|---|---|\n"
        );
        for rule in all.iter().filter(|r| band(r.code) == Some(digit)) {
            let anchor = format!("{}-{}", rule.code.to_lowercase(), rule.slug);
            let _ = writeln!(
                out,
                "| [{}](#{anchor}) | {} | {} |",
                rule.code,
                rule.severity.word(),
                rule.title
            );
        }
        for rule in all.iter().filter(|r| band(r.code) == Some(digit)) {
            let _ = write!(
                out,
                "\n### {} {}\n\n{}: {}.\n\n{}\n\n**What to do.** {}\n\n```text\n{}\n```\n",
                rule.code,
                rule.slug,
                capital(rule.severity.word()),
                rule.title,
                rule.explanation,
                rule.fix,
                rule.example
            );
            if !rule.explains.is_empty() {
                let _ = writeln!(out, "\nShown under it: {}", rule.explains.join(", "));
            }
        }
    }
    out
}

/// The first digit of a code.
fn band(code: &str) -> Option<char> {
    code.chars().find(char::is_ascii_digit)
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// Markdown paragraphs and list items, indented and folded.
fn indented(out: &mut String, markdown: &str, width: Option<usize>) {
    for (i, paragraph) in markdown.split("\n\n").enumerate() {
        if i > 0 {
            out.push('\n');
        }
        let mut items: Vec<String> = Vec::new();
        for line in paragraph.lines() {
            match items.last_mut() {
                Some(last) if !line.starts_with("- ") => {
                    last.push(' ');
                    last.push_str(line.trim());
                }
                _ => items.push(line.trim().to_owned()),
            }
        }
        for item in items {
            let further = if item.starts_with("- ") { "    " } else { "  " };
            out.push_str(&fold(&item, width, "  ", further));
            out.push('\n');
        }
    }
}

fn fold(text: &str, width: Option<usize>, first: &str, further: &str) -> String {
    let lines = crate::text::fold::fold(text, width, first, further);
    let lines: Vec<&str> = lines.iter().map(Shown::as_str).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_what_the_rules_say() {
        crate::generated::holds("docs/diagnoses.md", &page());
    }

    #[test]
    fn an_explanation_folds_and_keeps_its_commands() {
        for rule in &catalogue::all() {
            let text = explain(rule, Some(80));
            for line in text.lines().filter(|l| l.contains(' ')) {
                assert!(
                    line.chars().count() <= 80 || rule.example.contains(line.trim()),
                    "{line}"
                );
            }
        }
        let text = explain(&catalogue::find("skvs110").unwrap(), None);
        assert!(text.starts_with("SKVS110 error: Flux has stopped retrying (retries-exhausted)\n"));
        let last = text.lines().last().unwrap();
        assert!(
            last.starts_with("Can follow from: ") && last.len() < 300,
            "{last}"
        );
        for rule in &catalogue::all() {
            let text = explain(rule, None);
            let last = text.lines().last().unwrap_or_default();
            assert!(last.matches("SKVS").count() <= LISTED, "{last}");
        }
    }

    #[test]
    fn every_code_is_in_one_band() {
        let listed: Vec<&str> = bands()
            .flat_map(|(_, rules)| rules)
            .map(|r| r.code)
            .collect();
        for rule in catalogue::all() {
            let times = listed.iter().filter(|code| **code == rule.code).count();
            assert_eq!(times, 1, "{}", rule.code);
        }
    }
}
