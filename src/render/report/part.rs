//! The labelled parts of a cause: `Why`, `Seen`, `Do`, `Then`.

use super::Style;
use crate::palette::Palette;
use crate::text::fold::fold;
use crate::text::{Shown, shown};

/// How wide the labels before a cause's parts are, with the blanks around them.
pub(super) const INDENT: usize = 9;

/// The lines under one label.
pub(super) struct Part {
    pub(super) label: &'static str,
    width: Option<usize>,
    palette: Palette,
    pub(super) lines: Vec<Shown>,
}

impl Part {
    pub(super) fn new(label: &'static str, style: Style) -> Self {
        Self {
            label,
            width: style.width,
            palette: style.palette,
            lines: Vec::new(),
        }
    }

    pub(super) fn sentence(&mut self, sentence: &str) {
        let (first, further) = (" ".repeat(INDENT), " ".repeat(INDENT + 2));
        // What follows the first line of a sentence of ours stands under it; evidence is long, and names are many: both are
        // told apart by where they begin.
        let further = if matches!(self.label, "Seen" | "Hits") {
            further
        } else {
            first.clone()
        };
        self.lines
            .extend(fold(sentence, self.width, &first, &further));
    }

    pub(super) fn further(&mut self, line: &str) {
        let (first, further) = (" ".repeat(INDENT + 2), " ".repeat(INDENT + 4));
        self.lines.extend(fold(line, self.width, &first, &further));
    }

    pub(super) fn command(&mut self, line: &str) {
        let command = self.palette.command(shown!("{line}"));
        self.lines.push(shown!("{:INDENT$}", "").and(command));
    }
}
