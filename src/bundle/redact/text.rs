//! Secrets in running text: messages, logs, notes, arguments, files in strings.
//!
//! Owns the forms by which they are known.

mod credentials;
mod keyed;

pub(super) use keyed::{is_flag, is_secret_flag, is_variable, takes_login};

use std::borrow::Cow;

/// Redacts what looks secret in a text.
pub fn text(text: &str) -> Cow<'_, str> {
    if text.len() < 6 {
        return Cow::Borrowed(text);
    }
    let mut redacted = Cow::Borrowed(text);
    // What one form has taken away can show another one: until nothing changes, which is mostly at once.
    for _ in 0..ROUNDS {
        let mut changed = false;
        for form in FORMS {
            if let Some(text) = form(&redacted) {
                redacted = Cow::Owned(text);
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    redacted
}

/// Rounds at most: text that is made to need more keeps what the forms have left.
const ROUNDS: usize = 8;

/// Gives the redacted text where there is something of this form in it.
type Form = fn(&str) -> Option<String>;

const FORMS: [Form; 7] = [
    credentials::private_keys,
    credentials::in_urls,
    credentials::authorization,
    credentials::cookies,
    credentials::schemes,
    credentials::known_tokens,
    keyed::values,
];

/// A text that is rewritten in parts: what is skipped is copied.
struct Rewrite<'a> {
    text: &'a str,
    out: String,
    copied: usize,
}

impl<'a> Rewrite<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            out: String::new(),
            copied: 0,
        }
    }

    /// Puts the placeholder where `start..end` is.
    fn redact(&mut self, start: usize, end: usize) {
        self.out.push_str(&self.text[self.copied..start]);
        self.out.push_str(super::REDACTED);
        self.copied = end;
    }

    /// The new text, if there was anything to redact.
    fn finish(mut self) -> Option<String> {
        if self.copied == 0 {
            return None;
        }
        self.out.push_str(&self.text[self.copied..]);
        Some(self.out)
    }
}

/// Bytes at which `needle` (ASCII, lower case) stands in `text`, whatever the case.
fn find(text: &str, from: usize, needle: &str) -> Option<usize> {
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    let last = text.len().checked_sub(needle.len())?;
    (from..=last).find(|i| text[*i..*i + needle.len()].eq_ignore_ascii_case(needle))
}

/// The end of the run of characters from `from` on that `belongs` takes.
fn run(text: &str, from: usize, belongs: impl Fn(char) -> bool) -> usize {
    text[from..]
        .char_indices()
        .find(|(_, c)| !belongs(*c))
        .map_or(text.len(), |(i, _)| from + i)
}

/// Whether a word that follows a colon goes on with a sentence: `token: connection refused`.
fn is_prose(word: &str) -> bool {
    const WORDS: [&str; 136] = [
        "access",
        "after",
        "already",
        "an",
        "and",
        "as",
        "at",
        "auth",
        "authentication",
        "authorization",
        "bad",
        "be",
        "before",
        "broken",
        "but",
        "by",
        "can",
        "cannot",
        "certificate",
        "challenge",
        "check",
        "client",
        "closed",
        "configmaps",
        "connection",
        "context",
        "could",
        "denied",
        "dial",
        "does",
        "doesn't",
        "empty",
        "eof",
        "error",
        "exit",
        "expected",
        "expired",
        "failed",
        "failure",
        "field",
        "flag",
        "for",
        "forbidden",
        "found",
        "from",
        "get",
        "has",
        "head",
        "header",
        "helmchart",
        "helmrepository",
        "host",
        "http",
        "illegal",
        "in",
        "incorrect",
        "internal",
        "invalid",
        "is",
        "it",
        "key",
        "kind",
        "lookup",
        "malformed",
        "may",
        "missing",
        "must",
        "name",
        "network",
        "no",
        "no-op",
        "none",
        "not",
        "null",
        "of",
        "on",
        "only",
        "open",
        "operation",
        "or",
        "parse",
        "permission",
        "please",
        "post",
        "read",
        "realm",
        "request",
        "required",
        "reset",
        "response",
        "rpc",
        "scheme",
        "secret",
        "secretkey",
        "secrets",
        "server",
        "service",
        "serviceaccounts",
        "should",
        "signature",
        "size",
        "status",
        "still",
        "stream",
        "string",
        "temporary",
        "that",
        "the",
        "this",
        "timeout",
        "tls",
        "to",
        "token",
        "tokens",
        "too",
        "true",
        "unable",
        "unauthenticated",
        "unauthorized",
        "unexpected",
        "unknown",
        "unsupported",
        "user",
        "using",
        "value",
        "values",
        "was",
        "when",
        "while",
        "will",
        "with",
        "write",
        "wrong",
        "x509",
        "yaml",
        "you",
    ];
    let word = word
        .trim_start_matches(['"', '\'', '('])
        .trim_end_matches(|c: char| !c.is_alphanumeric());
    WORDS.binary_search(&word.to_lowercase().as_str()).is_ok()
}

#[cfg(test)]
mod tests;
