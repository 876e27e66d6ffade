//! The statuses of several clusters as text: each cluster in a line, then the causes of all of them, worst first.

use super::super::report::{self, Style};
use super::super::table::Table;
use super::found;
use crate::diagnosis::Severity;
use crate::palette::Palette;
use crate::text::{Screen, Shown, count, thousands};
use crate::view::contexts::{InContext, Unread};
use crate::view::onboarding_counts::Counts;
use crate::view::status::Status;
use std::cmp::Reverse;
use std::io;

/// Most lines of causes.
const MOST: usize = 20;

/// Shown for a value of a cluster that was not read.
const UNKNOWN: &str = "<unknown>";

/// One of the contexts that were asked.
pub enum Line<'s> {
    Read(&'s InContext<&'s Status>),
    Unread(&'s Unread),
}

/// Writes them, in this order.
///
/// # Errors
/// The output is closed.
pub fn write(out: &mut Screen<'_>, all: &[Line<'_>], style: Style) -> io::Result<()> {
    let rows: Vec<Vec<String>> = all.iter().map(summary).collect();
    let headers = ["CONTEXT", "ONBOARDINGS", "DATABASES", "FOUND"];
    let mut table = Table::new(headers).fold(style.width);
    table.write_page(out, &rows)?;
    let mut causes = Vec::new();
    for line in all {
        if let Line::Read(status) = line {
            let lines = report::cause_lines(&status.document.report, style.namespaced);
            causes.extend(lines.into_iter().map(|cause| (&*status.context, cause)));
        }
    }
    if causes.is_empty() {
        return Ok(());
    }
    causes.sort_by_key(|(_, cause)| (Reverse(cause.severity), Reverse(cause.onboardings)));
    let more = causes.len().saturating_sub(MOST) as u64;
    let rows: Vec<Vec<String>> = causes
        .into_iter()
        .take(MOST)
        .map(|(context, cause)| {
            let severity = cause.severity.word().to_owned();
            vec![context.to_owned(), severity, cause.text]
        })
        .collect();
    out.line("")?;
    let mut table = Table::new(["CONTEXT", "SEVERITY", "CAUSE"])
        .fold(style.width)
        .paint(1, style.palette, severity);
    table.write_page(out, &rows)?;
    match more {
        0 => Ok(()),
        n => out.line(Shown::line(format!(
            "and {} (-o json lists all)",
            count(n, "more cause")
        ))),
    }
}

/// `22: 9 ready, 13 failing`: the namespace is the same for all.
fn onboardings(counts: &Counts) -> String {
    match counts.total() {
        0 => "none".to_owned(),
        n => format!("{}: {}", thousands(n), counts.states()),
    }
}

fn summary(line: &Line<'_>) -> Vec<String> {
    match line {
        Line::Read(InContext { context, document }) => vec![
            context.clone(),
            onboardings(&document.onboardings),
            document.databases.words(),
            found(document),
        ],
        Line::Unread(Unread { context, why }) => vec![
            context.clone(),
            UNKNOWN.to_owned(),
            UNKNOWN.to_owned(),
            format!("not read: {why}"),
        ],
    }
}

fn severity(palette: Palette, cell: Shown) -> Shown {
    let all = [Severity::Error, Severity::Warning, Severity::Info];
    match all.into_iter().find(|s| s.word() == cell.as_str()) {
        Some(severity) => report::paint(palette, severity, cell),
        None => cell,
    }
}
