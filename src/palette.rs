//! The only file that names colours.
//!
//! A style repeats what a word says. `colored` decides by stdout alone, so each [`Palette`] is told whether its own
//! stream takes colour and sets the answer for every call.

use colored::Colorize;

/// Styles for one stream: plain where the stream takes no colour.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    on: bool,
}

impl Palette {
    /// `on`: whether the stream takes colour.
    pub fn new(on: bool) -> Self {
        if on {
            colored::control::set_override(true);
        }
        Self { on }
    }

    /// Whether this stream takes colour.
    pub fn is_on(self) -> bool {
        self.on
    }

    fn paint(self, text: &str, style: impl FnOnce(&str) -> colored::ColoredString) -> String {
        if self.on {
            style(text).to_string()
        } else {
            text.to_owned()
        }
    }

    /// Something failed.
    pub fn error(self, text: &str) -> String {
        self.paint(text, |t| t.red().bold())
    }

    /// Something wants attention.
    pub fn warning(self, text: &str) -> String {
        self.paint(text, |t| t.yellow().bold())
    }

    /// All is well.
    pub fn good(self, text: &str) -> String {
        self.paint(text, |t| t.green())
    }

    /// What to do next.
    pub fn hint(self, text: &str) -> String {
        self.paint(text, |t| t.cyan())
    }

    /// A heading.
    pub fn heading(self, text: &str) -> String {
        self.paint(text, |t| t.bold())
    }
}
