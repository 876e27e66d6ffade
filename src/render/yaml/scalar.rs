//! One scalar: which style it gets, and how it is written and wrapped in that style.

use serde_json::Number;

use super::{Emitter, resolve};
use crate::render::go_format::{self, GoNumber};
use crate::text;

/// Text is continued on the next line at the first space behind this column.
const WIDTH: usize = 80;

/// Where a scalar stands: a key stays on one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Key,
    Value,
}

/// A number as kubectl's way through JSON leaves it: whole floats become integers.
pub(super) fn number(number: &Number) -> String {
    let float = match go_format::number(number) {
        GoNumber::Int(int) => return int.to_string(),
        GoNumber::Float(float) => float,
    };
    let text = go_format::float_json(float);
    if let Ok(int) = text.parse::<i64>() {
        return int.to_string();
    }
    match text.parse::<u64>() {
        Ok(int) => int.to_string(),
        Err(_) => go_format::float_g(float),
    }
}

/// What a text contains that rules styles out.
struct Contents {
    plain: bool,
    single_quoted: bool,
    block: bool,
}

fn analyze(text: &str) -> Contents {
    let special = text.chars().any(|c| !is_printable(c)) || text.contains(" \n");
    let after_break = text.contains("\n ");
    let outer = |c: char| c == ' ' || c == '\n';
    let plain = !special
        && !text.contains('\n')
        && !text.starts_with(outer)
        && !text.ends_with(outer)
        && !has_indicator(text);
    Contents {
        plain,
        single_quoted: !special && !after_break,
        block: !special && !text.ends_with(' '),
    }
}

/// Characters that mean something to YAML where they stand.
fn has_indicator(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.next();
    let second_is_blank = chars.next().is_none_or(|c| c == ' ');
    let leads = match first {
        Some(
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
            | '@' | '`',
        ) => true,
        Some('?' | ':' | '-') => second_is_blank,
        _ => false,
    };
    leads
        || text.starts_with("---")
        || text.starts_with("...")
        || text.contains(": ")
        || text.ends_with(':')
        || text.contains(" #")
}

/// What kubectl's library writes bare: no tab, nothing beyond the basic plane. It writes marks that reorder what is read bare
/// too; here they are escaped, which a reader undoes.
fn is_printable(c: char) -> bool {
    match c {
        _ if text::misleads(c) => false,
        '\u{2028}' | '\u{2029}' | '\u{feff}' => false,
        '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' => true,
        _ => false,
    }
}

impl Emitter {
    pub(super) fn string(&mut self, text: &str, indent: usize, place: Place) {
        let contents = analyze(text);
        if text.contains('\n') {
            match contents.block && place == Place::Value {
                true => self.literal(text, indent),
                false => self.double_quoted(text, indent, place),
            }
        } else if resolve::is_not_text(text) {
            self.double_quoted(text, indent, place);
        } else if contents.plain {
            self.plain(text, indent, place);
        } else if contents.single_quoted {
            self.single_quoted(text, indent, place);
        } else {
            self.double_quoted(text, indent, place);
        }
    }

    fn wraps(&self, place: Place) -> bool {
        place == Place::Value && self.column > WIDTH
    }

    fn plain(&mut self, text: &str, indent: usize, place: Place) {
        self.words(text, indent, place, false);
    }

    fn single_quoted(&mut self, text: &str, indent: usize, place: Place) {
        self.put("'");
        self.words(text, indent, place, true);
        self.put("'");
    }

    /// Text that is wrapped at single spaces only, since a reader joins lines with one.
    fn words(&mut self, text: &str, indent: usize, place: Place, quoted: bool) {
        let mut previous = None;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let single = c == ' '
                && previous.is_some_and(|c| c != ' ')
                && chars.peek().is_some_and(|c| *c != ' ');
            if single && self.wraps(place) {
                self.line(indent);
            } else if quoted && c == '\'' {
                self.put("''");
            } else {
                self.put(c.encode_utf8(&mut [0; 4]));
            }
            previous = Some(c);
        }
    }

    fn double_quoted(&mut self, text: &str, indent: usize, place: Place) {
        self.put("\"");
        // kubectl's library tests the text's start where it means the current character.
        let all = text.starts_with('\u{feff}');
        let mut previous = None;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if all || c == '\n' || c == '"' || c == '\\' || !is_printable(c) {
                self.put(&escape(c));
            } else if c == ' '
                && previous.is_some_and(|c| c != ' ')
                && chars.peek().is_some()
                && self.wraps(place)
            {
                self.line(indent);
                if chars.peek() == Some(&' ') {
                    self.put("\\");
                }
            } else {
                self.put(c.encode_utf8(&mut [0; 4]));
            }
            previous = Some(c);
        }
        self.put("\"");
    }

    /// `|`: every line as it is. A digit tells the indent where the text starts with a blank, `-`
    /// that no line feed ends it, `+` that more than one does.
    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put(&super::INDENT.to_string());
        }
        match text.strip_suffix('\n') {
            None => self.put("-"),
            Some(rest) if rest.is_empty() || rest.ends_with('\n') => self.put("+"),
            Some(_) => {}
        }
        self.text.push('\n');
        for line in text.split_inclusive('\n') {
            if line != "\n" {
                self.text.extend(std::iter::repeat_n(' ', indent));
            }
            self.text.push_str(line);
        }
    }
}

fn escape(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '\x1b' => 'e',
        '"' | '\\' => c,
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        '\0'..='\u{ff}' => return format!("\\x{:02X}", c as u32),
        '\0'..='\u{ffff}' => return format!("\\u{:04X}", c as u32),
        _ => return format!("\\U{:08X}", c as u32),
    };
    format!("\\{short}")
}
