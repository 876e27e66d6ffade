//! Credentials that are known by their form: PEM keys, user and password in URLs, headers, tokens with a known beginning.

use super::super::MARK;
use super::{Rewrite, find, is_prose, run};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// `-----BEGIN … PRIVATE KEY-----` to its end, or to the text's where the end is cut off.
pub(super) fn private_keys(text: &str) -> Option<String> {
    let mut rewrite = Rewrite::new(text);
    let mut at = 0;
    while let Some(begin) = find(text, at, "-----begin ") {
        let label = run(text, begin + 11, |c| c != '-' && c != '\n');
        at = label;
        if !text[begin..label]
            .to_ascii_uppercase()
            .contains("PRIVATE KEY")
        {
            continue;
        }
        let end = find(text, label, "-----end ")
            .map(|end| run(text, end + 9, |c| c != '-' && c != '\n'))
            .map_or(text.len(), |end| run(text, end, |c| c == '-'));
        rewrite.redact(begin, end);
        at = end;
    }
    rewrite.finish()
}

/// `scheme://user:password@host`: all before the host goes.
pub(super) fn in_urls(text: &str) -> Option<String> {
    let mut rewrite = Rewrite::new(text);
    let mut at = 0;
    while let Some(found) = text[at..].find("://") {
        let start = at + found + 3;
        at = start;
        if text[start..].starts_with(MARK) {
            continue;
        }
        let authority = run(text, start, |c| {
            !c.is_whitespace() && !matches!(c, '/' | '?' | '#' | '"' | '\'' | '`')
        });
        // A password with a slash or a quote in it ends the authority too early: all to the last @ of the word goes.
        let word = run(text, start, |c| !c.is_whitespace());
        let told = &text[start..authority];
        let user = if told.contains('@') || has_password(told) {
            text[start..word].rfind('@').map(|i| start + i)
        } else {
            None
        };
        if let Some(end) = user {
            rewrite.redact(start, end);
            at = end;
        }
    }
    rewrite.finish()
}

/// Whether what stands before the first slash has a colon that no port follows.
fn has_password(authority: &str) -> bool {
    let Some((_, port)) = authority
        .split_once(':')
        .filter(|_| !authority.starts_with('['))
    else {
        return false;
    };
    let behind = port.trim_start_matches(|c: char| c.is_ascii_digit());
    !behind.is_empty() && !behind.starts_with([',', ';', ':', '.', ')', ']', '}', '>', '|', '\\'])
}

/// `Authorization: …`: to the end of the line or of the quotes that it stands in.
pub(super) fn authorization(text: &str) -> Option<String> {
    header(text, "authorization")
}

/// `Cookie: …` and `Set-Cookie: …`, likewise.
pub(super) fn cookies(text: &str) -> Option<String> {
    header(text, "cookie")
}

fn header(text: &str, name: &str) -> Option<String> {
    let mut rewrite = Rewrite::new(text);
    let mut at = 0;
    while let Some(found) = find(text, at, name) {
        at = found + name.len();
        let colon = run(text, at, |c| matches!(c, '"' | '\'' | '\\' | ' '));
        if !text[colon..].starts_with([':', '=']) {
            continue;
        }
        let opening = |c| matches!(c, '"' | '\'' | '\\' | ' ' | '[' | '`');
        let value = run(text, colon + 1, opening);
        let end = run(text, value, |c| {
            !matches!(c, '\n' | '\r' | '"' | '\'' | '`')
        });
        let end = value + text[value..end].trim_end_matches(['\\', ' ']).len();
        let told = &text[value..end];
        let first = told.split_whitespace().next().unwrap_or_default();
        // GitHub's scheme is called so.
        let is_prose = is_prose(first) && !first.eq_ignore_ascii_case("token");
        if !told.is_empty() && !told.starts_with(MARK) && !is_prose && !first.starts_with('$') {
            rewrite.redact(value, end);
            at = end;
        }
    }
    rewrite.finish()
}

/// `Bearer TOKEN` and `Basic BASE64` outside a header.
pub(super) fn schemes(text: &str) -> Option<String> {
    let mut places = Vec::new();
    for scheme in ["bearer ", "basic "] {
        let mut at = 0;
        while let Some(found) = find(text, at, scheme) {
            let start = found + scheme.len();
            at = start;
            let end = run(text, start, |c| {
                c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '+' | '/' | '=')
            });
            let word = &text[start..end];
            let whole = found == 0 || !text.as_bytes()[found - 1].is_ascii_alphanumeric();
            let secret = match scheme {
                "bearer " => word.len() >= 6 && !is_prose(word) && !word.starts_with("realm="),
                _ => is_basic(word),
            };
            if whole && secret {
                places.push((start, end));
                at = end;
            }
        }
    }
    places.sort_unstable();
    let mut rewrite = Rewrite::new(text);
    for (start, end) in places {
        if start >= rewrite.copied {
            rewrite.redact(start, end);
        }
    }
    rewrite.finish()
}

/// Base64 of `user:password`.
fn is_basic(word: &str) -> bool {
    let decoded = STANDARD_NO_PAD.decode(word.trim_end_matches('='));
    decoded.is_ok_and(|d| d.contains(&b':')) && word.len() >= 4
}

/// Beginnings of tokens, and how many characters follow at least.
const BEGINNINGS: [(&str, usize); 22] = [
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    // Artifactory's keys and reference tokens.
    ("AKCp", 20),
    ("cmVmdGtu", 20),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("dckr_pat_", 16),
    ("npm_", 30),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxs-", 10),
    ("sk_live_", 16),
    ("hvs.", 20),
    ("pypi-", 30),
    ("ya29.", 20),
];

/// Tokens that are known by their beginning, and JWTs.
pub(super) fn known_tokens(text: &str) -> Option<String> {
    let mut rewrite = Rewrite::new(text);
    let in_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut at = 0;
    while at < text.len() {
        let start = run(text, at, |c| !in_token(c));
        let end = run(text, start, in_token);
        at = end;
        if end - start < 12 {
            continue;
        }
        if let Some(from) = token(&text[start..end]) {
            rewrite.redact(start + from, end);
        }
    }
    rewrite.finish()
}

/// Where in a word a token begins.
fn token(word: &str) -> Option<usize> {
    let begins = |i: usize| i == 0 || !word.as_bytes()[i - 1].is_ascii_alphanumeric();
    let known = BEGINNINGS.iter().find_map(|(beginning, more)| {
        word.match_indices(beginning).map(|(i, _)| i).find(|i| {
            begins(*i) && word.len() >= i + beginning.len() + more && dense(&word[*i..], beginning)
        })
    });
    known.or_else(|| {
        word.match_indices("eyJ")
            .map(|(i, _)| i)
            .find(|i| begins(*i) && word.len() > i + 20 && word[*i..].matches('.').count() >= 2)
    })
}

/// Cloud key ids are capitals and digits alone: a word that only begins like one is a name.
fn dense(word: &str, beginning: &str) -> bool {
    !matches!(beginning, "AKIA" | "ASIA")
        || word
            .chars()
            .take(20)
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}
