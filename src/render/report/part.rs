//! The labelled parts of a cause: `Why`, `Seen`, `Do`, `Then`.

use super::Style;
use crate::palette::Palette;
use crate::text::fold::fold;
use crate::text::{Screen, Shown, shown};
use std::io;

/// How wide the labels before a cause's parts are, with the blanks around them.
const INDENT: usize = 9;

/// The lines under one label.
pub(in crate::render) struct Part {
    label: &'static str,
    width: Option<usize>,
    palette: Palette,
    lines: Vec<Shown>,
}

impl Part {
    pub(in crate::render) fn new(label: &'static str, style: Style) -> Self {
        Self {
            label,
            width: style.width,
            palette: style.palette,
            lines: Vec::new(),
        }
    }

    pub(in crate::render) fn sentence(&mut self, sentence: &str) {
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

    pub(in crate::render) fn further(&mut self, line: &str) {
        let (first, further) = (" ".repeat(INDENT + 2), " ".repeat(INDENT + 4));
        self.lines.extend(fold(line, self.width, &first, &further));
    }

    pub(in crate::render) fn command(&mut self, line: &str) {
        let command = self.palette.command(shown!("{line}"));
        self.lines.push(shown!("{:INDENT$}", "").and(command));
    }

    /// Prints it with its label before the first line; nothing when it is empty.
    ///
    /// # Errors
    /// The output is closed.
    pub(in crate::render) fn write(self, out: &mut Screen<'_>, style: Style) -> io::Result<()> {
        for (i, line) in self.lines.iter().enumerate() {
            if i > 0 {
                out.line(line)?;
                continue;
            }
            let blanks = " ".repeat(INDENT - 2 - self.label.len());
            let label = Shown::from("  ").and(style.palette.heading(self.label));
            let rest = line.without_indent();
            out.line(label.and(shown!("{blanks}")).and(rest))?;
        }
        Ok(())
    }
}
