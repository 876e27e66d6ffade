//! A lint report as text: one block a finding by file and line, then how many, and what was not checked.

pub mod github;
pub mod sarif;

use super::report::part::Part;
use super::report::{Style, paint};
use crate::advice::{Command, Origin};
use crate::diagnosis::Step;
use crate::diagnosis::lint::NotChecked;
use crate::text::fold::fold;
use crate::text::{Screen, Shown, count, shown};
use crate::view::lint::{Finding, LintReport};
use std::io;

/// Most parts that are named one by one in the last line.
const NAMED: usize = 4;

/// Writes the report.
///
/// # Errors
/// The output is closed.
pub fn write(out: &mut Screen<'_>, report: &LintReport, style: Style) -> io::Result<()> {
    for finding in &report.findings {
        block(out, finding, style)?;
    }
    for text in summary(report) {
        for line in fold(&text, style.width, "", "  ") {
            out.line(line)?;
        }
    }
    Ok(())
}

fn block(out: &mut Screen<'_>, finding: &Finding, style: Style) -> io::Result<()> {
    let mark = format!("{}[{}]", finding.severity.word(), finding.code);
    let sentence = format!("{mark}: {}", finding.message);
    let mut lines = fold(&sentence, style.width, "", "  ");
    let first = lines.first().map(Shown::as_str);
    if let Some(rest) = first.and_then(|l| l.strip_prefix(&mark)) {
        let rest = Shown::line(rest);
        lines[0] = paint(style.palette, finding.severity, Shown::line(mark)).and(rest);
    }
    for line in lines {
        out.line(line)?;
    }
    out.line(shown!(
        "  --> {}:{}:{}",
        finding.file,
        finding.line,
        finding.column
    ))?;
    if let Some(subject) = &finding.subject {
        out.line(shown!("  {subject}"))?;
    }
    out.line("")?;
    let mut why = Part::new("Why", style);
    for sentence in &finding.why {
        why.sentence(sentence);
    }
    why.write(out, style)?;
    let mut deeds = Part::new("Do", style);
    for step in &finding.fix {
        match step {
            Step::Text(text) => deeds.sentence(text),
            Step::Manifest(change) => deeds.sentence(&change.to_string()),
            Step::Command(line) => deeds.command(&line.to_string()),
        }
    }
    deeds.write(out, style)?;
    let more = Command::skvs(["explain", finding.code]).after("  = more:");
    out.line(more.styled(&Origin::default(), style.palette))?;
    out.line("")
}

/// The last lines, each a sentence or two.
pub(super) fn summary(report: &LintReport) -> Vec<String> {
    let mut lines = Vec::new();
    if report.totals.not_shown > 0 {
        let hidden = count(report.totals.not_shown, "finding");
        lines.push(format!("{hidden} less severe than --severity not shown."));
    }
    let mut parts = vec![match report.clusters.len() as u64 {
        0 => count(report.manifests, "manifest"),
        n => format!(
            "{} for {}",
            count(report.manifests, "manifest"),
            count(n, "cluster")
        ),
    }];
    parts.push(match report.totals.worst() {
        None => "nothing found".to_owned(),
        Some(_) => {
            let all = report.totals.by_severity();
            let all = all.into_iter().filter(|(n, _)| *n > 0);
            all.map(|(n, severity)| count(n, severity.word()))
                .collect::<Vec<_>>()
                .join(", ")
        }
    });
    if report.totals.ignored > 0 {
        parts.push(format!("{} ignored", report.totals.ignored));
    }
    if report.passed_over > 0 {
        parts.push(format!(
            "{} passed over (not an onboarding)",
            count(report.passed_over, "HelmRelease")
        ));
    }
    let not_known = report.not_known.len() as u64;
    if not_known > 0 {
        parts.push(format!("{} not known", count(not_known, "file")));
    }
    let mut last = format!("{}.", parts.join(", "));
    if let Some(base) = &report.base {
        last.push_str(&format!(
            " Compared with {}.",
            base.get(..12).unwrap_or(base)
        ));
    }
    for installed in &report.installed {
        let context = installed.context.as_ref();
        let context = context.map_or(String::new(), |context| format!(" on context {context}"));
        let folder = installed.folder.as_ref();
        let folder = folder.filter(|folder| Some(*folder) != installed.context.as_ref());
        let folder = folder.filter(|_| report.installed.len() > 1);
        let folder = folder.map_or(String::new(), |folder| format!(" (folder {folder})"));
        let Some(found) = installed.installed else {
            let all = count(installed.manifests, "manifest");
            last.push_str(&format!(
                " Not known what is installed of {all}{context}{folder}."
            ));
            continue;
        };
        let not_known = match installed.not_known {
            0 => String::new(),
            n => format!(", {n} not known"),
        };
        let known = installed.manifests - installed.not_known;
        last.push_str(&format!(
            " {found} of {known} installed{context}{folder}{not_known}."
        ));
    }
    if let Some(text) = not_checked(report) {
        last.push_str(&format!(" {text}"));
    }
    lines.push(last);
    lines
}

/// A part that was not checked, without its file.
pub(super) fn unread(skipped: &NotChecked) -> String {
    format!("{} ({})", skipped.missing.what, skipped.missing.why)
}

fn not_checked(report: &LintReport) -> Option<String> {
    let mut parts: Vec<(String, u64)> = Vec::new();
    for text in report.not_checked.iter().map(unread) {
        match parts.iter_mut().find(|(known, _)| *known == text) {
            Some((_, times)) => *times += 1,
            None => parts.push((text, 1)),
        }
    }
    let more = parts.len().saturating_sub(NAMED);
    let named = parts.iter().take(NAMED).map(|(text, times)| match times {
        1 => text.clone(),
        times => format!("{text} in {}", count(*times, "manifest")),
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() {
        return None;
    }
    let more = match more {
        0 => String::new(),
        more => format!("; and {} (-o json lists them)", count(more as u64, "part")),
    };
    Some(format!("Not checked: {}{more}", named.join("; ")))
}
