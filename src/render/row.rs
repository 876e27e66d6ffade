//! A line of a report: a state, a subject and a message in columns, the message folded under itself.

use crate::text::fold::fold;
use crate::text::{Screen, Shown, shown};
use std::io;

/// Where the columns start; the state is in the first one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    pub(super) subject: usize,
    pub(super) message: usize,
}

impl Columns {
    /// Writes one. The state is given as it is and in its style.
    ///
    /// # Errors
    /// The output is closed.
    pub(super) fn write(
        self,
        out: &mut Screen<'_>,
        width: Option<usize>,
        (word, state): (&str, Shown),
        subject: &str,
        message: &str,
    ) -> io::Result<()> {
        let gap = format!("{:1$}", "", self.subject.saturating_sub(word.len()));
        let room = self.message - self.subject;
        let subject = format!("{subject} ");
        let lead = state.and(shown!("{gap}{subject:room$}"));
        let mut lines = self.folded(message, width).into_iter();
        let first = lines.next().unwrap_or_default();
        out.line(lead.and(first))?;
        lines.try_for_each(|line| self.below(out, line))
    }

    /// Writes a message below, in its column.
    ///
    /// # Errors
    /// The output is closed.
    pub(super) fn further(
        self,
        out: &mut Screen<'_>,
        width: Option<usize>,
        message: &str,
    ) -> io::Result<()> {
        let lines = self.folded(message, width).into_iter();
        lines.into_iter().try_for_each(|line| self.below(out, line))
    }

    fn below(self, out: &mut Screen<'_>, line: Shown) -> io::Result<()> {
        let indent = self.message;
        out.line(shown!("{:indent$}{line}", ""))
    }

    fn folded(self, message: &str, width: Option<usize>) -> Vec<Shown> {
        let width = width.filter(|width| *width > self.message + 20);
        fold(message, width.map(|width| width - self.message), "", "")
    }
}
