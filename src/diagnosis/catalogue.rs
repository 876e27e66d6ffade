//! Every code with its texts, whoever finds it: the rules of [`registry`] on a cluster, those of [`lint`] in a manifest.

use super::lint;
use super::registry;
use super::rule::{Rule, Severity};
use serde::Serialize;

/// One code.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Entry {
    /// `SKVS101`: stable for ever.
    pub code: &'static str,
    /// Its other name, such as `database-exists`: its file name, with dashes.
    pub slug: &'static str,
    pub severity: Severity,
    /// A sentence without names and full stop.
    pub title: &'static str,
    /// Markdown: what happens and why.
    pub explanation: &'static str,
    /// Markdown: how to see it and how to fix it.
    pub fix: &'static str,
    /// What a cluster or a manifest shows.
    pub example: &'static str,
    /// Codes that follow from this one.
    pub explains: &'static [&'static str],
}

impl From<&Rule> for Entry {
    fn from(rule: &Rule) -> Self {
        Self {
            code: rule.code,
            slug: rule.slug,
            severity: rule.severity,
            title: rule.title,
            explanation: rule.explanation,
            fix: rule.fix,
            example: rule.example,
            explains: rule.explains,
        }
    }
}

/// The bands of codes: first digit and what it is about.
pub fn bands() -> Vec<(char, &'static str)> {
    let mut bands = registry::BANDS.to_vec();
    bands.push(lint::registry::BAND);
    bands.sort_unstable();
    bands
}

/// Every code, sorted.
pub fn all() -> Vec<Entry> {
    let on_clusters = registry::RULES.iter().map(|rule| Entry::from(*rule));
    let in_manifests = lint::registry::RULES.iter().map(|rule| rule.entry);
    let mut all: Vec<Entry> = on_clusters.chain(in_manifests).collect();
    all.sort_by_key(|entry| entry.code);
    all
}

/// The code that was typed, in any case of letters: its name and its number alone do too.
pub fn find(typed: &str) -> Option<Entry> {
    let mut all = all().into_iter();
    all.find(|entry| names(entry.code, entry.slug, typed))
}

/// Whether `typed` means this code.
pub(super) fn names(code: &str, slug: &str, typed: &str) -> bool {
    let typed = typed.trim();
    // `301` says enough.
    code.eq_ignore_ascii_case(typed)
        || code == format!("SKVS{typed}")
        || slug.eq_ignore_ascii_case(typed)
}

/// Codes or their names that are near what was typed, for "did you mean".
pub fn near(typed: &str) -> Vec<&'static str> {
    let all = all();
    let upper = typed.trim().to_uppercase();
    match upper.strip_prefix("SKVS").map(str::parse::<i32>) {
        Some(Ok(number)) => nearest(&all, number),
        Some(Err(_)) => crate::text::near(&upper, all.iter().map(|e| e.code)),
        None => crate::text::near(&typed.trim().to_lowercase(), all.iter().map(|e| e.slug)),
    }
}

/// The three codes of the same band that are nearest to `number`.
fn nearest(all: &[Entry], number: i32) -> Vec<&'static str> {
    let digits = |code: &str| {
        code.trim_start_matches("SKVS")
            .parse::<i32>()
            .unwrap_or_default()
    };
    let codes = all.iter().map(|e| e.code);
    let mut codes: Vec<&str> = codes.filter(|c| digits(c) / 100 == number / 100).collect();
    codes.sort_by_key(|c| (digits(c).abs_diff(number), *c));
    codes.truncate(3);
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_and_no_name_is_there_twice() {
        let all = all();
        for (at, one) in all.iter().enumerate() {
            for other in &all[..at] {
                assert!(
                    one.code != other.code && one.slug != other.slug,
                    "{}",
                    one.code
                );
            }
        }
    }

    #[test]
    fn codes_of_both_kinds_are_found_in_any_letters() {
        assert_eq!(find(" skvs301 ").map(|e| e.code), Some("SKVS301"));
        assert_eq!(find("Database-Exists").map(|e| e.code), Some("SKVS301"));
        assert_eq!(find("524").map(|e| e.code), Some("SKVS524"));
        assert!(find("SKVS999").is_none());
        assert_eq!(near("SKVS500"), ["SKVS501", "SKVS502", "SKVS503"]);
    }
}
