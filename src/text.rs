//! Text: what came from a cluster made fit for a terminal, and the small wording helpers.
//!
//! It must not know where a text is printed.

pub mod age;
mod clean;
pub mod diff;
pub mod document;
pub mod fold;
pub mod marker;
pub mod scrub;
mod shown;
mod url;
pub mod yaml;

pub(crate) use clean::misleads;
pub use clean::{cell, clean, line, one_line};
pub(crate) use shown::shown;
pub use shown::{Screen, Shown};
pub use url::without_login;

use std::borrow::Cow;

/// `1 error`, `2 errors`, with thousands separated: `1,204,311 documents`.
pub fn count(n: u64, singular: &str) -> String {
    let ending = if n == 1 { "" } else { "s" };
    format!("{} {singular}{ending}", thousands(n))
}

/// The first ones, and how many there are beyond: `a, b and 3 more`.
pub fn few<T: AsRef<str>>(names: &[T], joint: &str, most: usize) -> String {
    let first: Vec<&str> = names.iter().take(most).map(AsRef::as_ref).collect();
    let first = first.join(joint);
    match names.len().saturating_sub(most) {
        0 => first,
        more => format!("{first} and {} more", thousands(more as u64)),
    }
}

/// `1204311` as `1,204,311`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes as people say them: `512 B`, `8.4 kB`, `3.1 GB` (decimal, as disks are sold and CouchDB counts).
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if n < 1000 {
        return format!("{n} B");
    }
    let mut value = n as f64;
    let mut unit = "";
    for name in UNITS {
        value /= 1000.0;
        unit = name;
        if value < 999.95 {
            break;
        }
    }
    format!("{value:.1} {unit}")
}

/// The same as one word, for a column.
pub fn size(n: u64) -> String {
    bytes(n).replace(' ', "")
}

/// One argument quoted for a shell, or as it is when it needs no quotes. What is not shown, and would be left out of a line, is written as an
/// escape that bash, zsh and ksh read (`$'...'`): another shell finds no object of that name, and not another one.
pub fn shell_quote(word: &str) -> Cow<'_, str> {
    if word.chars().any(is_unseen) {
        let mut quoted = "$'".to_owned();
        for c in word.chars() {
            match c {
                '\\' | '\'' => quoted.extend(['\\', c]),
                c if is_unseen(c) => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
                c => quoted.push(c),
            }
        }
        quoted.push('\'');
        return Cow::Owned(quoted);
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

fn is_unseen(c: char) -> bool {
    c.is_control() || misleads(c)
}

/// A command's words as one line that can be pasted into a shell.
pub fn shell_line<S: AsRef<str>>(words: &[S]) -> String {
    words
        .iter()
        .map(|w| shell_quote(w.as_ref()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Up to three of `candidates` that are near `wanted`, nearest first: for "did you mean". Counted in typing errors, not in
/// what the beginnings share: onboardings all begin alike.
pub fn near<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut scored: Vec<(f64, &str)> = candidates
        .into_iter()
        .filter_map(|c| {
            let score = strsim::normalized_damerau_levenshtein(wanted, c);
            (score > 0.75 || (wanted.len() > 2 && c.contains(wanted))).then_some((score, c))
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(3).map(|(_, c)| c).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1, "error"), "1 error");
        assert_eq!(count(1_204_311, "document"), "1,204,311 documents");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(8351), "8.4 kB");
        assert_eq!(bytes(3_100_000_000), "3.1 GB");
        assert_eq!(bytes(999_999_999), "1.0 GB");
        assert_eq!(size(8351), "8.4kB");
    }

    #[test]
    fn quoting_survives_a_shell() {
        assert_eq!(shell_line(&["kubectl", "get", "a b"]), "kubectl get 'a b'");
        assert_eq!(shell_quote("it's"), r"'it'\''s'");
        assert_eq!(shell_quote(""), "''");
        // A mark that is not shown must not lead to another object.
        assert_eq!(shell_quote("pro\u{ad}d"), r"$'pro\U000000add'");
        assert_eq!(
            shell_quote("a\n'\\\u{e0041}"),
            r"$'a\U0000000a\'\\\U000e0041'"
        );
    }

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        assert_eq!(
            near("prod-esat", ["prod-east", "prod-west", "lab"]),
            ["prod-east", "prod-west"]
        );
        let all = [
            "skvs-onboarding-golf--sessions",
            "skvs-onboarding-uniform--notes",
            "skvs-onboarding-lima--events",
        ];
        assert_eq!(
            near("skvs-onboarding-gulf--sessions", all),
            ["skvs-onboarding-golf--sessions"]
        );
        assert_eq!(near("golf", all), ["skvs-onboarding-golf--sessions"]);
        assert!(near("alpha", ["zzz"]).is_empty());
    }
}
