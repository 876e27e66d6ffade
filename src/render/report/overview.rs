//! The overview of a report on many onboardings: each cause in a line, with how many onboardings it hits.

use super::Printer;
use crate::diagnosis::{Severity, registry};
use crate::text::fold::fold;
use crate::text::{Shown, count, shown};
use crate::view::report::{Cause, Report};
use std::cmp::Reverse;
use std::io;

/// From so many onboardings with findings on there is an overview.
const FROM: usize = 4;
/// Most lines.
const LINES_MAX: usize = 20;
/// How wide the severities before the lines are.
const INDENT: usize = 9;

/// Causes that read alike.
pub(in crate::render) struct Entry<'r> {
    pub(in crate::render) code: &'static str,
    pub(in crate::render) severity: Severity,
    pub(in crate::render) message: &'r str,
    pub(in crate::render) causes: Vec<&'r Cause>,
    /// The subject is each onboarding itself: such causes are many of one kind.
    own: bool,
}

/// A cause in a line, or those that read alike.
pub(in crate::render) struct CauseLine {
    pub(in crate::render) severity: Severity,
    /// How many onboardings it hits.
    pub(in crate::render) onboardings: usize,
    pub(in crate::render) text: String,
}

/// A line for each cause, or for those that read alike, worst first; `namespaced`: onboardings are named with their namespaces.
pub(in crate::render) fn cause_lines(report: &Report, namespaced: bool) -> Vec<CauseLine> {
    let line = |entry: Entry<'_>| {
        let who = match entry.causes[..] {
            [cause] if cause.places.len() == 1 => {
                super::name(&report.onboardings[cause.places[0].0], namespaced)
            }
            _ => count(entry.hits() as u64, "onboarding"),
        };
        CauseLine {
            severity: entry.severity,
            onboardings: entry.hits(),
            text: format!("{who}: {} ({})", entry.message, entry.code),
        }
    };
    entries(report).into_iter().map(line).collect()
}

impl Entry<'_> {
    /// How many onboardings they hit.
    pub(in crate::render) fn hits(&self) -> usize {
        self.causes.iter().map(|c| c.places.len()).sum()
    }
}

impl Printer<'_, '_> {
    /// `in_place_of_details`: something is in it alone.
    pub(super) fn overview(
        &mut self,
        report: &Report,
        in_place_of_details: bool,
    ) -> io::Result<()> {
        let hit = report.onboardings.iter().filter(|o| !o.findings.is_empty());
        if hit.count() < FROM && !in_place_of_details {
            return Ok(());
        }
        self.entries(report)?;
        self.out.line("")
    }

    /// A line for each cause, or for those that read alike.
    pub(super) fn entries(&mut self, report: &Report) -> io::Result<()> {
        let entries = cause_lines(report, self.style.namespaced);
        let mut last = None;
        for entry in entries.iter().take(LINES_MAX) {
            let word = entry.severity.word();
            let label = if last == Some(entry.severity) {
                Shown::line(" ".repeat(INDENT))
            } else {
                let blanks = Shown::line(" ".repeat(INDENT - word.len()));
                super::paint(self.style.palette, entry.severity, word).and(blanks)
            };
            last = Some(entry.severity);
            let indent = " ".repeat(INDENT);
            for (i, line) in fold(
                &entry.text,
                self.style.width,
                &indent,
                &format!("{indent}  "),
            )
            .into_iter()
            .enumerate()
            {
                match i {
                    0 => {
                        let rest = Shown::line(line.as_str().trim_start());
                        self.out.line(label.clone().and(rest))?;
                    }
                    _ => self.out.line(line)?,
                }
            }
        }
        let more = entries.len().saturating_sub(LINES_MAX) as u64;
        if more > 0 {
            let more = count(more, "cause");
            self.out.line(shown!(
                "{}and {more} more (-o json lists them)",
                " ".repeat(INDENT)
            ))?;
        }
        Ok(())
    }
}

/// The causes, those of one code whose subject is the onboarding itself put together.
pub(in crate::render) fn entries(report: &Report) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for cause in &report.causes {
        let own = match cause.places[..] {
            [(at, _)] => report.onboardings[at].subject() == cause.subject,
            _ => false,
        };
        let alike = entries
            .iter_mut()
            .find(|e| own && e.own && (e.code, e.severity) == (cause.code, cause.severity));
        match alike {
            Some(entry) => {
                entry.causes.push(cause);
                if entry.message != cause.message
                    && let Some(rule) = registry::find(cause.code)
                {
                    entry.message = rule.title;
                }
            }
            None => entries.push(Entry {
                code: cause.code,
                severity: cause.severity,
                message: &cause.message,
                causes: vec![cause],
                own,
            }),
        }
    }
    entries.sort_by_key(|e| (Reverse(e.severity), Reverse(e.hits())));
    entries
}
