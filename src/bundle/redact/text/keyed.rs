//! `password=…`, `token: …`, `--secret …` and the like: a word that looks secret, a sign, a value.

use super::super::keys::is_secret_word;
use super::super::{MARK, is_mark};
use super::{Rewrite, is_prose, run};

/// Redacts the values.
pub(super) fn values(text: &str) -> Option<String> {
    let mut rewrite = Rewrite::new(text);
    let mut at = 0;
    while at < text.len() {
        let start = run(text, at, |c| !in_word(c));
        let end = run(text, start, in_word);
        at = end;
        let word = &text[start..end];
        let value = if takes_login(word) {
            login(text, end)
        } else if is_secret_word(word) {
            value(text, start, end)
        } else if is_signature(word) {
            signature(text, start, end)
        } else {
            None
        };
        if let Some((from, to)) = value {
            rewrite.redact(from, to);
            at = to;
        }
    }
    rewrite.finish()
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// A flag whose next word is secret: `--password`.
pub(in super::super) fn is_secret_flag(word: &str) -> bool {
    word.starts_with('-') && word.chars().all(in_word) && is_secret_word(word)
}

/// Any flag: a secret can begin with a dash, too.
pub(in super::super) fn is_flag(word: &str) -> bool {
    word.chars().all(in_word)
        && (word.starts_with("--") || (word.starts_with('-') && word.len() == 2))
}

/// curl's flag for user and password.
pub(in super::super) fn takes_login(word: &str) -> bool {
    matches!(word, "-u" | "--user" | "--proxy-user" | "-U")
}

/// A reference that is filled in elsewhere: `$PASSWORD`, `${PASSWORD}`, `$(PASSWORD)`, `{{ .password }}`.
pub(in super::super) fn is_variable(word: &str) -> bool {
    let plain = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let word = word.trim_matches('"');
    if let Some(name) = word.strip_prefix('$') {
        let inner = name
            .strip_prefix('{')
            .and_then(|n| n.strip_suffix('}'))
            .or_else(|| name.strip_prefix('(').and_then(|n| n.strip_suffix(')')));
        // A password can begin with a dollar: a name of a variable is all capitals.
        return inner.map_or_else(|| plain(name) && name == name.to_uppercase(), plain);
    }
    word.starts_with("{{") && word.ends_with("}}")
}

/// `-u USER:PASSWORD`: the word after the flag, if it has a colon.
fn login(text: &str, end: usize) -> Option<(usize, usize)> {
    let start = run(text, end, |c| matches!(c, ' ' | '=' | '\t'));
    if start == end {
        return None;
    }
    let (from, to) = bounds(text, start, false)?;
    let word = &text[from..to];
    let both = word.split_once(':')?;
    let known = is_variable(both.0) && is_variable(both.1);
    (!known && !word.starts_with(MARK)).then_some((from, to))
}

/// What makes a URL open to whoever has it: of S3, of Google's storage, of Azure's and of CloudFront.
fn is_signature(word: &str) -> bool {
    ["x-amz-signature", "x-goog-signature", "signature", "sig"]
        .iter()
        .any(|s| word.eq_ignore_ascii_case(s))
}

/// The signature of a URL's query: `&X-Amz-Signature=…`.
fn signature(text: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    let in_query = text[..start].ends_with(['?', '&']) && text[end..].starts_with('=');
    let from = end + 1;
    let to = in_query.then(|| {
        run(text, from, |c| {
            c.is_ascii_alphanumeric() || "%-_.~+/=".contains(c)
        })
    })?;
    (to > from).then_some((from, to))
}

/// Where the value of the word `start..end` is.
fn value(text: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let quoted = run(text, end, |c| matches!(c, '"' | '\'' | '\\'));
    let sign = run(text, quoted, |c| matches!(c, ' ' | '\t'));
    let structured = begins_line(text, start);
    let (from, colon) = match bytes.get(sign) {
        Some(b'=') => (run(text, sign, |c| matches!(c, '=' | '>')), false),
        Some(b':')
            if start > 0 && bytes[start - 1] == b'/' && bytes.get(sign + 1) != Some(&b' ') =>
        {
            // An image and its tag: registry/token:1.2.3
            return None;
        }
        Some(b':') => (run(text, sign, |c| matches!(c, ':' | '=')), true),
        Some(_) if sign > end && quoted == end && text[start..].starts_with('-') => (end, true),
        _ => return None,
    };
    let from = run(text, from, |c| matches!(c, ' ' | '\t'));
    if let Some(block) = block(text, start, from) {
        return Some((from, block));
    }
    let quoted = text[from..].starts_with(['"', '\'', '\\']);
    let (from, mut to) = bounds(text, from, structured)?;
    if text[..start].ends_with(['?', '&']) && text[end..].starts_with('=') && from == end + 1 {
        // Of a URL's query: what stands behind it is the next parameter, or no part of the URL.
        to = to.min(run(text, from, |c| !matches!(c, '&' | '"' | '\\')));
        if to == from {
            return None;
        }
    }
    let value = &text[from..to];
    let first = value.split_whitespace().next().unwrap_or_default();
    let told = value.starts_with(MARK)
        || (colon && value.starts_with(['{', '[']))
        || is_variable(value)
        || (colon && !quoted && (is_prose(first) || is_code(first)));
    (!told && !is_mark(value)).then_some((from, to))
}

/// The status code of an HTTP answer, as it stands behind `token: `.
fn is_code(word: &str) -> bool {
    word.len() == 3 && word.starts_with(['4', '5']) && word.chars().all(|c| c.is_ascii_digit())
}

/// Whether nothing but indentation, a list's dash or a quote stands before `start` on its line.
fn begins_line(text: &str, start: usize) -> bool {
    let line = text[..start].rfind('\n').map_or(0, |i| i + 1);
    let before = text[line..start].trim_start_matches("export ");
    before
        .chars()
        .all(|c| c.is_whitespace() || matches!(c, '-' | '"' | '\'' | '#'))
}

/// The value from `from` on, without its quotes. An empty one is none.
fn bounds(text: &str, from: usize, structured: bool) -> Option<(usize, usize)> {
    let rest = &text[from..];
    let line = run(text, from, |c| c != '\n' && c != '\r');
    let (start, end) = if rest.starts_with("\\\"") {
        let start = from + 2;
        (start, closing(text, start, "\\\"").unwrap_or(line))
    } else if rest.starts_with('"') {
        let start = from + 1;
        (
            start,
            closing(text, start, "\"").map_or(line, |end| after(text, end)),
        )
    } else if rest.starts_with('\'') {
        let start = from + 1;
        (
            start,
            closing(text, start, "'").map_or(line, |end| after(text, end)),
        )
    } else if structured {
        (from, from + text[from..line].trim_end().len())
    } else {
        let word = run(text, from, |c| !c.is_whitespace());
        let end = from
            + text[from..word]
                .trim_end_matches([',', ';', ')', '}', ']', '"', '\'', '\\'])
                .len();
        (from, end)
    };
    (end > start).then_some((start, end))
}

/// The closing quote: none that is escaped or, for single ones, doubled.
fn closing(text: &str, from: usize, quote: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(found) = text[at..].find(quote) {
        let end = at + found;
        let doubled = quote == "'" && bytes.get(end + 1) == Some(&b'\'');
        let slashes = bytes[from..end]
            .iter()
            .rev()
            .take_while(|b| **b == b'\\')
            .count();
        let escaped = match quote {
            "'" => false,
            "\"" => slashes % 2 == 1,
            // In text that is escaped once more, each backslash is two.
            _ => slashes / 2 % 2 == 1,
        };
        if !doubled && !escaped {
            return Some(end);
        }
        at = end + quote.len() + usize::from(doubled);
    }
    None
}

/// The closing quote, or the end of the word where the shell's words go on behind it: `'it'"'"'s'`.
fn after(text: &str, quote: usize) -> usize {
    let word = run(text, quote + 1, |c| {
        !c.is_whitespace() && !matches!(c, ',' | '}' | ']' | ')' | ';' | ':' | '\\')
    });
    if word == quote + 1 { quote } else { word }
}

/// The end of a YAML block (`|`, `>-`) that begins at `from`: the lines that stand deeper than the key's.
fn block(text: &str, key: usize, from: usize) -> Option<usize> {
    let line_end = run(text, from, |c| c != '\n');
    let sign = text[from..line_end].trim_end();
    let is_block = sign.starts_with(['|', '>'])
        && sign[1..]
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '+' | '-'));
    if !is_block || line_end == text.len() {
        return None;
    }
    let line = text[..key].rfind('\n').map_or(0, |i| i + 1);
    let indent = |s: &str| s.len() - s.trim_start_matches(' ').len();
    let own = indent(&text[line..]);
    let mut end = line_end + 1;
    for following in text[end..].split_inclusive('\n') {
        if !following.trim().is_empty() && indent(following) <= own {
            break;
        }
        end += following.len();
    }
    // The line end before what follows stays.
    Some(end - usize::from(text[..end].ends_with('\n')))
}
