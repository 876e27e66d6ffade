//! The only file that names colours.
//!
//! A style repeats what a word says. `colored` decides by stdout alone, so each [`Palette`] is told whether its own
//! stream takes colour and sets the answer for every call.

use crate::text::Shown;
use colored::Colorize;

/// Styles for one stream: plain where the stream takes no colour.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    on: bool,
}

impl Palette {
    /// `on`: whether the stream takes colour.
    pub fn new(on: bool) -> Self {
        #[cfg(windows)]
        let on = on && is_obeyed();
        if on {
            colored::control::set_override(true);
        }
        Self { on }
    }

    /// No styles.
    pub const PLAIN: Self = Self { on: false };

    /// Whether this stream takes colour.
    pub fn is_on(self) -> bool {
        self.on
    }

    fn paint(
        self,
        text: impl Into<Shown>,
        style: impl FnOnce(&str) -> colored::ColoredString,
    ) -> Shown {
        let text = text.into();
        if self.on { text.styled(style) } else { text }
    }

    /// Something failed.
    pub fn error(self, text: impl Into<Shown>) -> Shown {
        self.paint(text, |t| t.red().bold())
    }

    /// Something wants attention.
    pub fn warning(self, text: impl Into<Shown>) -> Shown {
        self.paint(text, |t| t.yellow().bold())
    }

    /// All is well.
    pub fn good(self, text: impl Into<Shown>) -> Shown {
        self.paint(text, |t| t.green())
    }

    /// What to do next.
    pub fn hint(self, text: impl Into<Shown>) -> Shown {
        self.paint(text, |t| t.cyan())
    }

    /// A command to paste.
    pub fn command(self, text: impl Into<Shown>) -> Shown {
        self.paint(text, |t| t.cyan().bold())
    }

    /// A heading.
    pub fn heading(self, text: impl Into<Shown>) -> Shown {
        self.paint(text, |t| t.bold())
    }
}

/// Whether stdout obeys the codes: Windows' console does so when it is asked to. Where stdout is not a console, `--color always` is taken
/// at its word.
#[cfg(windows)]
fn is_obeyed() -> bool {
    use std::io::IsTerminal;
    colored::control::set_virtual_terminal(true).is_ok() || !std::io::stdout().is_terminal()
}
