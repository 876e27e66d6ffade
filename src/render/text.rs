//! Text from the cluster, made safe to print on a terminal.
//!
//! Controllers, users and charts write the text that is shown; a terminal obeys what it contains.
//! Nothing else in the program decides which characters may pass.

use std::borrow::Cow;

/// One line: every control character is shown (`\n`, `^[`) or removed.
pub fn line(text: &str) -> Cow<'_, str> {
    clean(text, false)
}

/// Several lines: as [`line()`], but line feeds pass (CRLF counts as one).
pub fn block(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        return Cow::Owned(clean(&text.replace("\r\n", "\n"), true).into_owned());
    }
    clean(text, true)
}

/// A table cell, as kubectl cuts it: all from the first line end on becomes `...`.
pub fn cell(text: &str) -> Cow<'_, str> {
    match text.find(['\n', '\r', '\x0c']) {
        Some(end) => Cow::Owned(format!("{}...", clean(&text[..end], false))),
        None => clean(text, false),
    }
}

fn clean(text: &str, keep_line_feeds: bool) -> Cow<'_, str> {
    let passes = |c: char| match c {
        '\n' => keep_line_feeds,
        _ => !c.is_control() && !reorders(c) && !matches!(c, '\u{2028}' | '\u{2029}'),
    };
    if text.chars().all(passes) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if passes(c) => safe.push(c),
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' | '\u{2028}' | '\u{2029}' => safe.push(' '),
            '\x7f' => safe.push_str("^?"),
            '\0'..='\x1f' => {
                safe.push('^');
                safe.push(char::from(c as u8 + b'@'));
            }
            '\u{80}'..='\u{9f}' => safe.push_str(&format!("\\x{:02x}", c as u32)),
            _ => {}
        }
    }
    Cow::Owned(safe)
}

/// Characters that make a terminal show text in another order than it is stored.
fn reorders(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_text_passes_untouched() {
        assert!(matches!(line("chart 0.1.2, été 日本"), Cow::Borrowed(_)));
        assert!(matches!(block("two\nlines"), Cow::Borrowed(_)));
    }

    #[test]
    fn escapes_are_shown() {
        assert_eq!(line("\x1b[31mred\x1b[0m"), "^[[31mred^[[0m");
        assert_eq!(line("a\tb\0c\x7fd\u{9b}e"), "a b^@c^?d\\x9be");
        assert_eq!(line("a\r\nb"), "a\\r\\nb");
    }

    #[test]
    fn bidi_overrides_are_removed() {
        assert_eq!(line("pds\u{202e}esabatad"), "pdsesabatad");
    }

    #[test]
    fn a_cell_ends_at_the_first_line_end() {
        assert_eq!(cell("install failed\nLast Helm logs:"), "install failed...");
        assert_eq!(cell("a\rb"), "a...");
        assert_eq!(cell("a\x0cb"), "a...");
        assert_eq!(cell("\nb"), "...");
    }

    #[test]
    fn a_block_keeps_its_lines() {
        assert_eq!(block("a\r\nb\x1b"), "a\nb^[");
    }

    proptest! {
        #[test]
        fn no_control_character_survives(text in any::<String>()) {
            prop_assert!(!line(&text).chars().any(char::is_control));
            prop_assert!(!cell(&text).chars().any(char::is_control));
            prop_assert!(!block(&text).chars().any(|c| c.is_control() && c != '\n'));
        }

        #[test]
        fn clean_text_stays_as_it_is(text in any::<String>()) {
            let once = line(&text).into_owned();
            prop_assert_eq!(line(&once), once.as_str());
        }
    }
}
