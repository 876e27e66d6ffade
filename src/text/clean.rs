//! The one cleaner: text from a cluster, made fit for a terminal.
//!
//! Controllers, users and charts write the text that is shown, and a terminal obeys what it contains: an escape sequence in a
//! condition's message repaints the screen or hides lines. Nothing else in the program decides which characters may pass.
//! Controls are shown (`^[`, as kubectl does), invisible marks that reorder or split what is read are removed.

use std::borrow::Cow;

/// Several lines: line feeds and tabs pass, CRLF counts as one line feed.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.contains("\r\n") {
        return Cow::Owned(show(&text.replace("\r\n", "\n"), true).into_owned());
    }
    show(text, true)
}

/// One line: line ends are shown (`\n`), a tab becomes a blank.
pub fn line(text: &str) -> Cow<'_, str> {
    show(text, false)
}

/// One line in which every run of white space, line ends too, becomes one blank: prose of several lines.
pub fn one_line(text: &str) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line(&joined).into_owned()
}

/// A table cell, as kubectl cuts it: all from the first line end on becomes `...`.
pub fn cell(text: &str) -> Cow<'_, str> {
    match text.find(['\n', '\r', '\x0c']) {
        Some(end) => Cow::Owned(format!("{}...", line(&text[..end]))),
        None => line(text),
    }
}

fn show(text: &str, several_lines: bool) -> Cow<'_, str> {
    let passes = |c: char| match c {
        '\n' | '\t' => several_lines,
        _ => !c.is_control() && !misleads(c) && !matches!(c, '\u{2028}' | '\u{2029}'),
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

/// Marks that are not seen and make a text read otherwise than it is stored: Unicode's Default_Ignorable_Code_Point
/// (DerivedCoreProperties.txt of Unicode 17), and others that take no ink: annotations, format controls of hieroglyphs, the empty Braille
/// pattern.
pub(crate) fn misleads(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{2800}' | '\u{fff0}'..='\u{fffb}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_text_passes_untouched() {
        assert!(matches!(
            line("chart 0.1.2, \u{e9}t\u{e9} \u{65e5}\u{672c}"),
            Cow::Borrowed(_)
        ));
        assert!(matches!(clean("two\n\tlines"), Cow::Borrowed(_)));
    }

    #[test]
    fn escapes_are_shown() {
        assert_eq!(line("\x1b[31mred\x1b[0m"), "^[[31mred^[[0m");
        assert_eq!(line("a\tb\0c\x7fd\u{9b}e"), "a b^@c^?d\\x9be");
        assert_eq!(line("a\r\nb"), "a\\r\\nb");
    }

    #[test]
    fn marks_that_mislead_are_removed() {
        assert_eq!(line("pds\u{202e}esabatad"), "pdsesabatad");
        assert_eq!(clean("pds_\u{200b}database\u{feff}"), "pds_database");
        for unseen in ['\u{ad}', '\u{3164}', '\u{1160}', '\u{fe0f}', '\u{e0041}'] {
            assert_eq!(cell(&format!("pds{unseen}_a")), "pds_a", "{unseen:?}");
        }
    }

    #[test]
    fn a_cell_ends_at_the_first_line_end() {
        assert_eq!(cell("install failed\nLast Helm logs:"), "install failed...");
        assert_eq!(cell("a\rb"), "a...");
        assert_eq!(cell("a\x0cb"), "a...");
        assert_eq!(cell("\nb"), "...");
    }

    #[test]
    fn several_lines_stay_several() {
        assert_eq!(clean("a\r\n\tb\x1b\rc"), "a\n\tb^[\\rc");
        assert_eq!(one_line("a\r\n\tb  c\x1b"), "a b c^[");
    }

    proptest! {
        #[test]
        fn no_control_character_survives(text in any::<String>()) {
            prop_assert!(!line(&text).chars().any(char::is_control));
            prop_assert!(!one_line(&text).chars().any(char::is_control));
            prop_assert!(!cell(&text).chars().any(char::is_control));
            prop_assert!(!clean(&text).chars().any(|c| (c.is_control() && c != '\n' && c != '\t') || misleads(c)));
        }

        #[test]
        fn clean_text_stays_as_it_is(text in any::<String>()) {
            let once = line(&text).into_owned();
            prop_assert_eq!(line(&once), once.as_str());
            let once = clean(&text).into_owned();
            prop_assert_eq!(clean(&once), once.as_str());
        }
    }
}
