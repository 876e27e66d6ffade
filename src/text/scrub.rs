//! Takes credentials out of free text by a fixed list of forms ([`FORMS`]), each found in one pass over the text.
//!
//! Knows nothing of where the text is. What has none of these forms stays: docs/capture.md lists the fields in which that can happen.

mod words;

use std::borrow::Cow;
use std::ops::Range;

use super::marker::SCRUBBED;
use words::{is_prose, is_secret};

/// A form of credential.
pub struct Form {
    /// As docs/capture.md describes it.
    pub what: &'static str,
    /// A text of this form; between `«` and `»` is what goes.
    pub example: &'static str,
    find: fn(&str, &mut Vec<Range<usize>>),
}

/// Every form, as docs/capture.md lists them.
pub const FORMS: [Form; 10] = [
    Form {
        what: "PEM blocks, whole or cut off",
        example: "«-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----»",
        find: pem,
    },
    Form {
        what: "User and password before an `@`, with a scheme or without",
        example: "PUT http://«admin:pw»@couch:5984/a",
        find: user_info,
    },
    Form {
        what: "The value of `-u`, `--user`, `--proxy-user`, `-setcookie` and `--cookie`",
        example: "curl -u «admin:pw» http://couch",
        find: login_flags,
    },
    Form {
        what: "The headers Authorization, Proxy-Authorization, Cookie and Set-Cookie, to the end of the line",
        example: "-H 'Authorization: «Token x'»",
        find: headers,
    },
    Form {
        what: "The word after Bearer or Basic",
        example: "sent Bearer «a1b2» to it",
        find: schemes,
    },
    Form {
        what: "The value of a key that names a credential (password, passwd, pw, pwd, pass, secret, token, credential, API or app key, …) after `=` or `:`, or of a flag so named",
        example: "DB_PW=«hunter2»",
        find: keyed,
    },
    Form {
        what: "The values in an ini section `[admins]`",
        example: "[admins]\nadmin = «hunter2»",
        find: admins,
    },
    Form {
        what: "Incoming webhooks of Slack, Discord and Teams",
        example: "https://hooks.slack.com/«services/T0/B0/x»",
        find: webhooks,
    },
    Form {
        what: "JWTs, PEM in base64, and tokens with a known beginning (GitHub, GitLab, Slack, AWS, Google, npm, Vault, Artifactory, …)",
        example: "with «ghp_0123456789abcdef» it works",
        find: tokens,
    },
    Form {
        what: "Runs of 32 or more characters that look random, in base64 or hex, but for digests, UIDs and names",
        example: "got «Zm9vYmFyMTIzNDU2Nzg5QUJDREVGZ2hpSg==» back",
        find: random,
    },
];

/// The text without credentials, and how many were taken out.
pub fn scrub(text: &str) -> (Cow<'_, str>, usize) {
    let mut found = Vec::new();
    for form in FORMS {
        (form.find)(text, &mut found);
    }
    found.retain(|range| !range.is_empty() && !text[range.clone()].starts_with(SCRUBBED));
    if found.is_empty() {
        return (Cow::Borrowed(text), 0);
    }
    found.sort_by_key(|range| range.start);
    let (mut out, mut copied, mut count) = (String::new(), 0, 0);
    for range in found {
        if range.start >= copied {
            out.push_str(&text[copied..range.start]);
            out.push_str(SCRUBBED);
            count += 1;
        }
        copied = copied.max(range.end);
    }
    out.push_str(&text[copied..]);
    (Cow::Owned(out), count)
}

/// Longest key that is looked at, in bytes.
const KEY_MAX: usize = 64;

/// The end of the run of characters from `from` on that `belongs` takes.
fn run(text: &str, from: usize, belongs: impl Fn(char) -> bool) -> usize {
    let rest = &text[from..];
    rest.find(|c| !belongs(c))
        .map_or(text.len(), |end| from + end)
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`')
}

/// One argument's end among several (a bundle joins them so).
pub const JOINT: char = '\u{1f}';

fn is_space(c: char) -> bool {
    c.is_whitespace() || c == JOINT
}

/// A value that begins at or behind blanks after `from`: in quotes, or to the next character that `ends` it.
fn value(text: &str, from: usize, ends: impl Fn(char) -> bool) -> Range<usize> {
    let mut start = run(text, from, |c| is_space(c) && c != '\n');
    // A value on the next line is another key's.
    if text[start..].starts_with('\\') && text[start + 1..].starts_with(is_quote) {
        start += 1;
    }
    let quote = text[start..].chars().next().filter(|c| is_quote(*c));
    match quote {
        Some(quote) => {
            let start = start + quote.len_utf8();
            // `\"` within quotes does not end them, but for those of a text in a text.
            let mut escaped = false;
            let rest = text[start..].char_indices().find(|(_, c)| {
                let end = (*c == quote && !escaped) || *c == '\n';
                escaped = *c == '\\' && !escaped;
                end
            });
            start..rest.map_or(text.len(), |(end, _)| start + end)
        }
        None => start..run(text, start, |c| !is_space(c) && !ends(c)),
    }
}

/// `secrets=2` of a quota.
fn is_amount(key: &str, value: &str) -> bool {
    key.eq_ignore_ascii_case("secrets")
        && value.len() < 7
        && value.chars().all(|c| c.is_ascii_digit())
}

/// `$NAME` or `${NAME}`: what is in it is elsewhere.
fn is_variable(value: &str) -> bool {
    let name = value
        .strip_prefix('$')
        .map(|v| v.trim_matches(['{', '}', '(', ')']));
    name.is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

fn pem(text: &str, found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(begin) = text[at..].find("-----BEGIN ").map(|b| at + b) {
        let body = begin + "-----BEGIN ".len();
        let end = text[body..].find("-----END ").map_or(text.len(), |end| {
            let label = body + end + "-----END ".len();
            let label = run(text, label, |c| c != '-' && c != '\n');
            run(text, label, |c| c == '-')
        });
        found.push(begin..end);
        at = end;
    }
}

/// The words between blanks and quotes.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = run(text, at, |c| is_space(c) || is_quote(c));
        let end = run(text, start, |c| !is_space(c) && !is_quote(c));
        at = end;
        (start < end).then_some(start..end)
    })
}

fn user_info(text: &str, found: &mut Vec<Range<usize>>) {
    // Of a password with quotes in it all goes: words end at blanks alone here.
    let mut at = 0;
    while at < text.len() {
        let start = run(text, at, is_space);
        let end = run(text, start, |c| !is_space(c));
        let word = &text[start..end];
        at = end;
        let Some(last) = word.rfind('@') else {
            // The host may be cut off.
            if let Some(scheme) = word.find("://") {
                let authority = &word[scheme + 3..run(word, scheme + 3, in_authority)];
                if has_password(authority) {
                    found.push(start + scheme + 3..start + scheme + 3 + authority.len());
                }
            }
            continue;
        };
        let user = match word.find("://") {
            Some(scheme) => {
                let first = scheme + 3;
                let authority = run(word, first, in_authority);
                let told = &word[first..authority];
                (told.contains('@') || has_password(told)).then_some(first)
            }
            None => {
                let first = word[..last]
                    .rfind(['=', '"', '\'', '`', '(', '<', ','])
                    .map_or(0, |i| i + 1);
                let digest = ["sha1:", "sha256:", "sha512:"];
                let digest = digest.iter().any(|d| word[last + 1..].starts_with(d));
                let colon = word[first..last]
                    .find(':')
                    .is_some_and(|at| at > 0 && first + at + 1 < last);
                (colon && !digest && last + 1 < word.len()).then_some(first)
            }
        };
        if let Some(first) = user.filter(|first| *first < last) {
            found.push(start + first..start + last);
        }
    }
}

fn in_authority(c: char) -> bool {
    !matches!(c, '/' | '?' | '#') && !is_quote(c)
}

/// Whether what stands before the first slash has a colon that no port follows.
fn has_password(authority: &str) -> bool {
    let authority = authority.trim_end_matches(|c: char| !c.is_alphanumeric());
    let port = authority
        .split_once(':')
        .filter(|_| !authority.starts_with('['));
    port.is_some_and(|(_, port)| {
        let rest = port.trim_start_matches(|c: char| c.is_ascii_digit());
        rest.starts_with(|c: char| c.is_alphanumeric())
    })
}

fn login_flags(text: &str, found: &mut Vec<Range<usize>>) {
    const LOGIN: [&str; 4] = ["-u", "-U", "--user", "--proxy-user"];
    const COOKIE: [&str; 3] = ["-setcookie", "--setcookie", "--cookie"];
    for word in words(text) {
        let flag = &text[word.clone()];
        if !flag.starts_with('-') {
            continue;
        }
        let next = || value(text, run(text, word.end, is_quote), |_| false);
        if LOGIN.contains(&flag) {
            let value = next();
            let told = &text[value.clone()];
            if told.contains(':') && !told.split(':').all(is_variable) {
                found.push(value);
            }
        } else if COOKIE.contains(&flag) {
            found.push(next());
        } else if let Some(glued) = LOGIN.iter().find_map(|lead| flag.strip_prefix(lead))
            && glued.contains(':')
        {
            let glued = glued.trim_start_matches('=');
            let start = word.end - glued.len();
            found.push(start..run(text, start, |c| !is_space(c)));
        } else if flag.strip_suffix('=').is_some_and(|f| LOGIN.contains(&f)) {
            // `--user="a:b"`
            found.push(value(text, word.end, |_| false));
        }
    }
}

fn headers(text: &str, found: &mut Vec<Range<usize>>) {
    let mut done = 0;
    for (key, from) in keys(text, &[':', '=']) {
        let name = key.rsplit('-').next().unwrap_or_default();
        let is_header = ["authorization", "cookie"]
            .iter()
            .any(|n| name.eq_ignore_ascii_case(n));
        if !is_header || from < done {
            continue;
        }
        let start = run(text, from, |c| {
            is_space(c) || is_quote(c) || c == '\\' || c == '['
        });
        let end = run(text, start, |c| c != '\n' && c != '\r' && c != JOINT);
        done = end;
        let first = text[start..end]
            .split_whitespace()
            .next()
            .unwrap_or_default();
        let is_scheme = ["token", "basic", "bearer", "digest"]
            .iter()
            .any(|s| first.eq_ignore_ascii_case(s));
        let is_scheme_or_value = is_scheme || !is_prose(first);
        let is_answer = is_of_registry(&text[..from], &text[start..end]);
        if start < end && is_scheme_or_value && !is_variable(first) && !is_answer {
            found.push(start..end);
        }
    }
}

/// Words of a registry's answer: `repository does not exist or may require authorization: server message: insufficient_scope: …`.
fn is_of_registry(before: &str, after: &str) -> bool {
    before.ends_with(" may require authorization:") && after.starts_with("server message: ")
}

fn schemes(text: &str, found: &mut Vec<Range<usize>>) {
    let mut scheme = false;
    for word in words(text) {
        let told = &text[word.clone()];
        if scheme && !is_prose(told) && !is_variable(told) {
            found.push(word.clone());
        }
        scheme = ["bearer", "basic"]
            .iter()
            .any(|s| told.trim_start_matches(['(', '[']).eq_ignore_ascii_case(s));
    }
}

/// Every key before one of the separators, and where what follows the separator begins.
fn keys<'a>(text: &'a str, separators: &'static [char]) -> impl Iterator<Item = (&'a str, usize)> {
    text.match_indices(separators).filter_map(move |(at, _)| {
        let before = text[..at].trim_end_matches(' ');
        // One blank at most, so that no sentence is walked back.
        let before = if at - before.len() > 1 {
            &text[..at]
        } else {
            before
        };
        let key = before.strip_suffix(is_quote).unwrap_or(before);
        let key = key.strip_suffix('\\').unwrap_or(key);
        let first = key.len().saturating_sub(KEY_MAX);
        let in_key = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        let start = key.as_bytes()[first..].iter().rposition(|b| !in_key(b));
        let start = start.map_or(first, |i| first + i + 1);
        // A letter that was cut in half is not part of a key.
        let key = key.get(start..).filter(|k| !k.is_empty())?;
        Some((key, at + 1))
    })
}

fn keyed(text: &str, found: &mut Vec<Range<usize>>) {
    // Nothing is walked twice: what is in a value has been looked at.
    let mut done = 0;
    for (key, from) in keys(text, &['=', ':']) {
        if !is_secret(key) {
            continue;
        }
        let separator = &text[from - 1..from];
        let from = run(text, from, |c| matches!(c, '=' | '>'));
        let blank = text[from..].starts_with([' ', '\n']);
        // The tag of an image.
        let tag = separator == ":"
            && !blank
            && text[..from - 1]
                .strip_suffix(key)
                .is_some_and(|before| before.ends_with('/'));
        // The keys of a map are looked at one by one; a path or URL is not a credential.
        let is_answer = is_of_registry(&text[..from], text[from..].trim_start_matches(' '));
        if tag
            || is_answer
            || from < done
            || text[from..].trim_start_matches(' ').starts_with(['{', '/'])
        {
            continue;
        }
        let ends = |c| matches!(c, ',' | ';' | '&' | '}' | ')');
        let mut value = value(text, from, ends);
        // `%2F` of a URL in a format string of Go: `%!F(MISSING)`.
        while text[..value.end].ends_with("(MISSING") && text[value.end..].starts_with(')') {
            value.end = run(text, value.end + 1, |c| !is_space(c) && !ends(c));
        }
        let told = &text[value.clone()];
        let quoted = text[..value.start].ends_with(is_quote);
        if matches!(told, "|" | ">" | "|-" | ">-" | "|+" | ">+") {
            found.push(block(text, from, value.end));
        } else if told.starts_with('[') {
            let end = run(text, value.start, |c| c != ']' && c != '\n');
            found.push(value.start..end);
        } else if !is_variable(told)
            && !is_amount(key, told)
            && (separator == "=" || !blank || quoted || !is_prose(told))
        {
            found.push(value);
        } else {
            continue;
        }
        done = found.last().map_or(done, |last| last.end);
    }
    // `--token VALUE`
    for word in words(text) {
        let flag = &text[word.clone()];
        if flag.starts_with('-') && !flag.contains(['=', ':']) && is_secret(flag) {
            let next = value(text, run(text, word.end, is_quote), |_| false);
            if !text[next.clone()].starts_with('-') && !is_variable(&text[next.clone()]) {
                found.push(next);
            }
        }
    }
}

/// The lines below a key that are indented more than the key.
fn block(text: &str, key: usize, from: usize) -> Range<usize> {
    let line = text[..key].rfind('\n').map_or(0, |at| at + 1);
    let indent = run(text, line, |c| c == ' ') - line;
    let mut end = run(text, from, |c| c != '\n');
    let start = end;
    for line in text[end..].split_inclusive('\n').skip(1) {
        let deep = line.len() - line.trim_start_matches(' ').len() > indent;
        if !deep && !line.trim().is_empty() {
            break;
        }
        end += line.len();
    }
    start..end
}

fn admins(text: &str, found: &mut Vec<Range<usize>>) {
    let (mut at, mut within) = (0, false);
    for line in text.split_inclusive(['\n', JOINT]) {
        let plain = line.trim().trim_start_matches(['"', '\'']);
        if plain.starts_with('[') {
            within = plain
                .trim_end_matches(['"', '\''])
                .eq_ignore_ascii_case("[admins]");
        } else if let Some(equals) = line.find('=').filter(|_| within) {
            let start = run(text, at + equals + 1, |c| c == ' ');
            found.push(start..(at + line.trim_end().len()).max(start));
        }
        at += line.len();
    }
}

fn webhooks(text: &str, found: &mut Vec<Range<usize>>) {
    for host in [
        "hooks.slack.com/",
        "discord.com/api/webhooks/",
        "webhook.office.com/",
    ] {
        let mut at = 0;
        while let Some(start) = text[at..].find(host).map(|found| at + found + host.len()) {
            at = run(text, start, |c| !is_space(c) && !is_quote(c));
            found.push(start..at);
        }
    }
}

/// Beginnings of tokens.
const BEGINNINGS: &str = "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- xoxa- xoxb- xoxe- xoxp- xoxr- \
    xoxs- xapp- ya29. hvs. sk_live_ dckr_pat_ AKIA ASIA AIza npm_ AKCp eyJ LS0tLS1CRUdJTi";

/// Fewest characters behind them.
const TOKEN_MIN: usize = 8;

fn tokens(text: &str, found: &mut Vec<Range<usize>>) {
    let in_token =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '/' | '=');
    let mut at = 0;
    while at < text.len() {
        let start = run(text, at, |c| !c.is_ascii_alphanumeric());
        let rest = &text[start..];
        at = match BEGINNINGS
            .split(' ')
            .find(|begins| rest.starts_with(begins))
        {
            Some(begins) => {
                let end = run(text, start, in_token);
                if end - start >= begins.len() + TOKEN_MIN {
                    found.push(start..end);
                    end
                } else {
                    start + begins.len()
                }
            }
            None => run(text, start, |c| c.is_ascii_alphanumeric()),
        };
    }
}

/// Fewest characters of a run that can look random.
const RANDOM_MIN: usize = 32;

fn random(text: &str, found: &mut Vec<Range<usize>>) {
    let in_run = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '_' | '-');
    let mut at = 0;
    while at < text.len() {
        let start = run(text, at, |c| !in_run(c));
        let end = run(text, start, in_run);
        at = end;
        let told = &text[start..end];
        let is_digest = text[..start].ends_with("sha1:")
            || text[..start].ends_with("sha256:")
            || text[..start].ends_with("sha512:");
        if told.len() < RANDOM_MIN || is_digest {
            continue;
        }
        if looks_random(told) {
            found.push(start..run(text, end, |c| c == '='));
        } else {
            // Hex may be glued to a path.
            let mut from = start;
            for part in told.split(['+', '/', '_', '-']) {
                if part.len() >= RANDOM_MIN && is_hex(part) {
                    found.push(from..from + part.len());
                }
                from += part.len() + 1;
            }
        }
    }
}

fn is_hex(text: &str) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b.to_ascii_lowercase());
    text.bytes().all(hex)
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Letters of both cases and digits, changing as often as chance has it.
fn looks_random(text: &str) -> bool {
    let class = |b: u8| match b {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let count = |of: u8| text.bytes().filter(|b| class(*b) == of).count();
    let changes = text
        .as_bytes()
        .windows(2)
        .filter(|w| class(w[0]) != class(w[1]))
        .count();
    count(0) >= 3
        && count(1) >= 3
        && count(2) >= 1
        && count(3) * 8 <= text.len()
        && changes * 5 >= text.len() * 2
}

#[cfg(test)]
mod tests;
