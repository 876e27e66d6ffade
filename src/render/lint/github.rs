//! `-o github` of `lint`: one annotation a finding, at its line of the pull request.

use super::{summary, unread};
use crate::advice::{Command, Origin};
use crate::render::github::{annotation, command_of, steps, unmarked};
use crate::text::{Screen, shown};
use crate::view::lint::{Finding, LintReport};
use std::io;

/// Writes the findings, what was not checked or is not known, and a last line of counts.
///
/// # Errors
/// The output is closed.
pub fn write(out: &mut Screen<'_>, report: &LintReport) -> io::Result<()> {
    for finding in &report.findings {
        let (line, column) = (finding.line.to_string(), finding.column.to_string());
        let title = format!("{} {}", finding.code, finding.slug);
        let properties = [
            ("file", finding.file.as_str()),
            ("line", &line),
            ("col", &column),
            ("title", &title),
        ];
        annotation(
            out,
            command_of(finding.severity),
            &properties,
            &message(finding),
        )?;
    }
    for file in &report.not_known {
        let line = file.line.unwrap_or(1).to_string();
        let properties = [
            ("file", file.file.as_str()),
            ("line", &line),
            ("title", "not known"),
        ];
        annotation(out, "error", &properties, &file.why)?;
    }
    let mut told = Vec::new();
    for skipped in &report.not_checked {
        let text = unread(skipped);
        if !told.contains(&text) {
            let title = ("title", "not checked");
            match &skipped.file {
                Some(file) => annotation(out, "notice", &[("file", file), title], &text)?,
                None => annotation(out, "notice", &[title], &text)?,
            }
            told.push(text);
        }
    }
    for text in summary(report) {
        out.line(shown!("{}", unmarked(&text)))?;
    }
    Ok(())
}

fn message(finding: &Finding) -> String {
    let mut lines = vec![finding.message.clone()];
    lines.extend(steps(&finding.why, &finding.fix));
    let more = Command::skvs(["explain", finding.code]).after("More:");
    lines.push(more.line(&Origin::default()).to_string());
    lines.join("\n")
}
