//! Text that a terminal may show.
//!
//! A [`Shown`] is made of literals and of cleaned text, and nothing else: [`Screen`] and `ui` take no other text, so that what a
//! cluster, a kubeconfig or a saved file says cannot repaint the screen or begin a line of its own.

use super::clean;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

/// Text without a control character, but for the line ends and the styles that this program puts there.
///
/// A string is not one:
///
/// ```compile_fail
/// let cluster_text = String::from("\u{1b}[2J");
/// kubectl_skvs::text::Screen::new(&mut Vec::new()).line(cluster_text);
/// ```
///
/// nor is a slice of it:
///
/// ```compile_fail
/// let cluster_text = String::from("\u{1b}[2J");
/// kubectl_skvs::text::Screen::new(&mut Vec::new()).line(cluster_text.as_str());
/// ```
///
/// ```
/// use kubectl_skvs::text::{Screen, Shown};
/// let cluster_text = String::from("\u{1b}[2J");
/// let mut out = Vec::new();
/// Screen::new(&mut out).line(Shown::line(cluster_text))?;
/// assert_eq!(out, b"^[[2J\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown(Cow<'static, str>);

impl Shown {
    /// One line: line ends in the text are shown as `\n`.
    pub fn line<'t>(text: impl Into<Cow<'t, str>>) -> Self {
        Self::cleaned(text.into(), clean::line)
    }

    /// Several lines: line feeds and tabs stay.
    pub fn lines<'t>(text: impl Into<Cow<'t, str>>) -> Self {
        Self::cleaned(text.into(), clean::clean)
    }

    fn cleaned(text: Cow<'_, str>, clean: impl Fn(&str) -> Cow<'_, str>) -> Self {
        let changed = match clean(&text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(cleaned) => Some(cleaned),
        };
        Self(Cow::Owned(changed.unwrap_or_else(|| text.into_owned())))
    }

    /// The same text in a style; only the palette names one.
    pub(crate) fn styled<S: fmt::Display>(&self, style: impl FnOnce(&str) -> S) -> Self {
        Self(Cow::Owned(style(&self.0).to_string()))
    }

    /// clap's own help, several lines with its styles (`ESC [ … m`).
    pub(crate) fn help(help: &str) -> Self {
        let mut parts = help.split('\u{1b}');
        let mut shown = Self::lines(parts.next().unwrap_or_default()).0.into_owned();
        for part in parts {
            let style = part.strip_prefix('[').and_then(|rest| {
                let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';')?;
                rest[end..].starts_with('m').then_some(end + "[m".len())
            });
            match style {
                Some(end) => {
                    shown.push('\u{1b}');
                    shown.push_str(&part[..end]);
                    shown.push_str(&clean::clean(&part[end..]));
                }
                None => shown.push_str(&clean::clean(&format!("\u{1b}{part}"))),
            }
        }
        Self(Cow::Owned(shown))
    }

    /// The text with another one behind it.
    #[must_use]
    pub fn and(self, more: impl Into<Self>) -> Self {
        let mut text = self.0.into_owned();
        text.push_str(&more.into().0);
        Self(Cow::Owned(text))
    }

    /// The text without the blanks before it.
    pub(crate) fn without_indent(&self) -> Self {
        Self(Cow::Owned(self.0.trim_start_matches(' ').to_owned()))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for Shown {
    /// A literal of this program, as it is.
    fn from(literal: &'static str) -> Self {
        Self(Cow::Borrowed(literal))
    }
}

impl From<&Self> for Shown {
    fn from(shown: &Self) -> Self {
        shown.clone()
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
impl PartialEq<&str> for Shown {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// One line of text from a format, cleaned whole.
macro_rules! shown {
    ($($part:tt)*) => {
        $crate::text::Shown::line(format!($($part)*))
    };
}
pub(crate) use shown;

/// A stream that a person reads.
pub struct Screen<'w>(&'w mut dyn Write);

impl<'w> Screen<'w> {
    /// The lines go to this writer.
    pub fn new(out: &'w mut dyn Write) -> Self {
        Self(out)
    }

    /// Writes a line, or several that have line feeds between them.
    ///
    /// # Errors
    /// The writer's own.
    pub fn line(&mut self, line: impl Into<Shown>) -> io::Result<()> {
        let line = line.into();
        self.0.write_all(line.0.as_bytes())?;
        self.0.write_all(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn clean_text_keeps_its_allocation_and_the_rest_is_cleaned() {
        let text = String::from("two words");
        let at = text.as_ptr();
        assert_eq!(Shown::line(text).as_str().as_ptr(), at);
        assert_eq!(Shown::line("a\nb\u{9b}"), "a\\nb\\x9b");
        assert_eq!(Shown::lines("a\nb\u{9b}"), "a\nb\\x9b");
        assert_eq!(shown!("{}: {:>4}", "x\r", 7), "x\\r:    7");
    }

    #[test]
    fn help_keeps_its_styles_and_nothing_else() {
        assert_eq!(
            Shown::help("\u{1b}[1mUsage\u{1b}[0m a\n\u{1b}[2J\u{1b}]0;x\u{7}\u{1b}[1;31mb\u{1b}"),
            "\u{1b}[1mUsage\u{1b}[0m a\n^[[2J^[]0;x^G\u{1b}[1;31mb^["
        );
    }

    proptest! {
        #[test]
        fn nothing_but_a_style_of_ours_is_a_control(text in any::<String>(), help in "(\u{1b}|\\[|[0-9;]|m|J|\\PC){0,20}") {
            let of = |shown: Shown| shown.as_str().to_owned();
            prop_assert!(!of(Shown::line(&text)).contains(char::is_control));
            let lines = of(Shown::lines(&text).and(Shown::line(&text)));
            prop_assert!(!lines.contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
            let help = of(Shown::help(&help));
            for part in help.split('\u{1b}').skip(1) {
                let end = part.find(|c: char| !c.is_ascii_digit() && c != ';' && c != '[');
                prop_assert!(end.is_some_and(|end| part[end..].starts_with('m')), "{:?}", help);
            }
        }
    }
}
