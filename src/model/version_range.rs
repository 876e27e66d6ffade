//! A chart's version range, as Helm reads it: alternatives between `||`, comparators between commas or blanks.
//!
//! Owns only what the form says: whether it is a range, and whether every version from some on is in it. Which versions a repository has
//! is not known here.

/// What a text is as a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Some version ends it.
    Bounded,
    /// Every newer version is in it.
    Open,
    /// It is not a range.
    Invalid,
}

/// Reads a range.
pub fn range(text: &str) -> Range {
    let mut open = false;
    for alternative in text.split("||") {
        match bounds(alternative.trim()) {
            None => return Range::Invalid,
            Some(bounded) => open |= !bounded,
        }
    }
    if open { Range::Open } else { Range::Bounded }
}

/// Whether one alternative has an upper bound; `None` where it is not one.
fn bounds(text: &str) -> Option<bool> {
    if text.is_empty() {
        return Some(false);
    }
    if let Some((from, to)) = text.split_once(" - ") {
        return (version(from.trim())?.parts > 0).then_some(version(to.trim())?.parts > 0);
    }
    let mut bounded = false;
    let mut rest = text.trim_start_matches([',', ' ']);
    while !rest.is_empty() {
        let is_operator = |c: char| "=!<>~^".contains(c);
        let (operator, after) = rest.split_at(rest.find(|c| !is_operator(c)).unwrap_or(rest.len()));
        let after = after.trim_start();
        let (word, more) = after.split_at(after.find([',', ' ']).unwrap_or(after.len()));
        let version = version(word)?;
        bounded |= match operator {
            "" | "=" | "<" | "<=" | "=<" | "^" => version.parts > 0,
            "~" | "~>" => version.parts > 0,
            "!=" | ">" | ">=" | "=>" => false,
            _ => return None,
        };
        rest = more.trim_start_matches([',', ' ']);
    }
    Some(bounded)
}

struct Version {
    /// Numbers before a wildcard or the end.
    parts: usize,
}

fn version(word: &str) -> Option<Version> {
    let word = word.strip_prefix('v').unwrap_or(word);
    let (core, suffix) = match word.find(['-', '+']) {
        Some(at) => word.split_at(at),
        None => (word, ""),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || "-+.".contains(c);
    if !suffix.chars().all(fits) || suffix.len() == 1 {
        return None;
    }
    let parts: Vec<&str> = core.split('.').collect();
    let is_wild = |part: &&str| ["x", "X", "*"].contains(part);
    let is_number = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    if parts.len() > 3 || !parts.iter().all(|p| is_wild(p) || is_number(p)) {
        return None;
    }
    let parts = parts.iter().take_while(|p| is_number(p)).count();
    Some(Version { parts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn open_ranges_take_every_newer_version() {
        for text in [
            "*",
            "",
            "x",
            ">=0.1.0",
            ">0",
            "> 0.1, != 0.1.5",
            "0.1.0 || *",
            "^*",
            "~x",
            ">=0.0.0-0",
        ] {
            assert_eq!(range(text), Range::Open, "{text}");
        }
        for text in [
            "<0.2.0",
            "0.1.2",
            "v0.1.2",
            "=0.1.2",
            "0.1.x",
            "0.*",
            "~0.1",
            "^0.1.2",
            "~> 0.1",
            ">=0.1.0 <0.2.0",
            ">=0.1.0, <0.2.0",
            "0.1.0 - 0.2.0",
            "<0.2.0 || 0.3.1",
            "< 0.2.0-0",
            "1.2.3-rc.1+b",
        ] {
            assert_eq!(range(text), Range::Bounded, "{text}");
        }
        for text in [
            "latest",
            "<",
            "0.1.2.3",
            "a.b",
            "<0.2.0 |",
            "==>1",
            "1.0-",
            ">=main",
            "0.1.2 - x.y",
        ] {
            assert_eq!(range(text), Range::Invalid, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(<|>|=|~|\\^|,| |\\|\\||[0-9]|\\.|x|\\*|-|v|\\PC){0,16}") {
            let _ = range(&text);
        }
    }
}
