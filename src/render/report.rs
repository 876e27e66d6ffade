//! A troubleshoot report as text: findings worst first, the same cause once with its onboardings, folded to the width.
//!
//! Colour only repeats words. Commands are never folded, so they can be pasted.

use crate::diagnosis::registry::BANDS;
use crate::diagnosis::{Severity, Step, Subject};
use crate::palette::Palette;
use crate::text;
use crate::text::fold::fold;
use crate::text::{count, shell_line};
use crate::view::report::{Finding, NotRun, Onboarding, Report};
use std::io::{self, Write};

/// How wide the labels before a finding's parts are, with the blanks around them.
const INDENT: usize = 9;

/// How to print.
#[derive(Clone, Copy)]
pub struct Style {
    pub width: Option<usize>,
    /// Names with their namespace.
    pub namespaced: bool,
    /// Seconds that the command took; left out when not measured.
    pub seconds: Option<f64>,
    pub palette: Palette,
}

/// Writes the report.
///
/// # Errors
/// The output is closed.
pub fn write(out: &mut dyn Write, report: &Report, style: Style) -> io::Result<()> {
    Printer { out, style }.report(report)
}

/// One finding, with every onboarding that it is the cause for.
struct Group<'r> {
    members: Vec<(&'r Onboarding, &'r Finding)>,
}

impl Group<'_> {
    fn finding(&self) -> &Finding {
        self.members[0].1
    }
}

/// The same cause is shown once: findings of one code, subject and sentence go together.
fn groups(report: &Report) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for onboarding in &report.onboardings {
        for finding in &onboarding.findings {
            match groups.iter_mut().find(|g| g.finding().is_same_as(finding)) {
                Some(group) => group.members.push((onboarding, finding)),
                None => groups.push(Group {
                    members: vec![(onboarding, finding)],
                }),
            }
        }
    }
    groups
}

struct Printer<'o> {
    out: &'o mut dyn Write,
    style: Style,
}

impl Printer<'_> {
    fn report(&mut self, report: &Report) -> io::Result<()> {
        if let (true, Some(all)) = (report.onboardings.is_empty(), &report.considered) {
            let place = all
                .namespace
                .as_ref()
                .map_or(String::new(), |n| format!(" in {n}"));
            let line = format!(
                "{}{place}: none is unready, suspended, unanswered, being deleted or shares its database; nothing was looked into further{}",
                count(all.onboardings, "onboarding"),
                not_run(report)
            );
            return self.line(&line);
        }
        let (shared, own): (Vec<_>, Vec<_>) = groups(report)
            .into_iter()
            .partition(|g| g.members.len() > 1);
        let mut blocks: Vec<(Severity, usize, Block<'_>)> = shared
            .into_iter()
            .map(|g| (g.finding().severity, g.members.len(), Block::Shared(g)))
            .collect();
        for onboarding in &report.onboardings {
            let findings: Vec<&Finding> = own
                .iter()
                .filter(|g| std::ptr::eq(g.members[0].0, onboarding))
                .map(|g| g.finding())
                .collect();
            if let Some(worst) = findings.iter().map(|f| f.severity).max() {
                blocks.push((worst, 1, Block::Own(onboarding, findings)));
            }
        }
        blocks.sort_by_key(|block| std::cmp::Reverse((block.0, block.1)));
        for (_, _, block) in &blocks {
            match block {
                Block::Shared(group) => self.finding(group)?,
                Block::Own(onboarding, findings) => {
                    self.line(&self.headline(onboarding))?;
                    for finding in findings {
                        writeln!(self.out)?;
                        self.finding(&Group {
                            members: vec![(onboarding, finding)],
                        })?;
                    }
                }
            }
            writeln!(self.out)?;
        }
        let healthy: Vec<&Onboarding> = report
            .onboardings
            .iter()
            .filter(|o| o.findings.is_empty())
            .collect();
        if let ([one], true) = (&healthy[..], blocks.is_empty()) {
            let line = format!("{}. {}", self.headline(one), self.checks(report, true));
            return self.line(&line);
        }
        for onboarding in &healthy {
            self.line(&format!("{}; nothing found", self.headline(onboarding)))?;
        }
        self.summary(report)
    }

    fn headline(&self, onboarding: &Onboarding) -> String {
        let name = if self.style.namespaced {
            onboarding.subject().id()
        } else {
            onboarding.name.clone()
        };
        let database = match &onboarding.database {
            Some(database) => format!("database {database}"),
            None => "no database known".to_owned(),
        };
        format!("{name} ({database}): {}", onboarding.state)
    }

    fn finding(&mut self, group: &Group<'_>) -> io::Result<()> {
        let finding = group.finding();
        let word = finding.severity.word();
        let mark = format!("{word}[{}]", finding.code);
        let mut lines = fold(
            &format!("{mark}: {}", finding.message),
            self.style.width,
            "",
            "  ",
        );
        if let Some(rest) = lines.first().and_then(|l| l.strip_prefix(&mark)) {
            lines[0] = format!("{}{rest}", self.paint(finding.severity, &mark));
        }
        for line in lines {
            writeln!(self.out, "{line}")?;
        }
        writeln!(
            self.out,
            "  --> {}\n",
            text::line(&self.label(&finding.subject, group))
        )?;
        if group.members.len() > 1 {
            let mut part = self.part("Hits");
            for (onboarding, _) in &group.members {
                part.sentence(&self.headline(onboarding));
            }
            self.print(part)?;
        }
        let mut why = self.part("Why");
        for sentence in &finding.why {
            why.sentence(sentence);
        }
        self.print(why)?;
        let mut seen = self.part("Seen");
        for evidence in &finding.evidence {
            seen.sentence(&format!(
                "{}   {}",
                self.label(&evidence.object, group),
                evidence.observed
            ));
            for line in &evidence.lines {
                seen.further(line);
            }
        }
        self.print(seen)?;
        let mut todo = self.part("Do");
        let mut told: Vec<&Step> = Vec::new();
        for step in group.members.iter().flat_map(|(_, f)| &f.fix) {
            if told.contains(&step) {
                continue;
            }
            told.push(step);
            match step {
                Step::Text(sentence) => todo.sentence(sentence),
                Step::Command(words) => todo.command(&shell_line(words)),
            }
        }
        self.print(todo)?;
        self.then(group)?;
        self.ends(group)
    }

    /// What Flux does afterwards; the commands differ by onboarding.
    fn then(&mut self, group: &Group<'_>) -> io::Result<()> {
        let mut part = self.part("Then");
        let mut told: Vec<&str> = Vec::new();
        for then in group.members.iter().filter_map(|(_, f)| f.then.as_ref()) {
            if !told.contains(&then.line.as_str()) {
                told.push(&then.line);
                part.sentence(&then.line);
            }
            for command in &then.commands {
                part.command(&shell_line(command));
            }
        }
        self.print(part)
    }

    fn ends(&mut self, group: &Group<'_>) -> io::Result<()> {
        writeln!(self.out)?;
        let mut told: Vec<String> = Vec::new();
        for follows in group.members.iter().flat_map(|(_, f)| &f.follows) {
            let line = format!("= {} follows from this: {}", follows.code, follows.message);
            if !told.contains(&line) {
                for folded in fold(&line, self.style.width, "  ", "    ") {
                    writeln!(self.out, "{folded}")?;
                }
                told.push(line);
            }
        }
        writeln!(
            self.out,
            "  = more: kubectl skvs explain {}",
            group.finding().code
        )
    }

    /// An object as it is named here: the onboarding under its own headline needs no name.
    fn label(&self, object: &Subject, group: &Group<'_>) -> String {
        let one = group.members.len() == 1;
        let own = group.members[0].0;
        if object.kind == "HelmRelease" {
            if one && *object == own.subject() {
                return "HelmRelease".to_owned();
            }
            if object.namespace == own.namespace && !self.style.namespaced {
                return format!("HelmRelease {}", object.name);
            }
        }
        object.to_string()
    }

    fn summary(&mut self, report: &Report) -> io::Result<()> {
        let looked = report.onboardings.len() as u64;
        let onboardings = match &report.considered {
            Some(all) if all.onboardings != looked => {
                format!(
                    "{looked} of {} looked into",
                    count(all.onboardings, "onboarding")
                )
            }
            _ => count(looked, "onboarding"),
        };
        let mut found = Vec::new();
        if report.errors > 0 {
            let hit = report.onboardings.iter();
            let hit = hit.filter(|o| o.findings.iter().any(|f| f.severity == Severity::Error));
            let hit = hit.count() as u64;
            let errors = count(report.errors, "error");
            found.push(if hit > report.errors {
                format!("{errors} on {}", count(hit, "onboarding"))
            } else {
                errors
            });
        }
        if report.warnings > 0 {
            found.push(count(report.warnings, "warning"));
        }
        if found.is_empty() {
            found.push("no error".to_owned());
        }
        let line = format!(
            "{onboardings}, {}. {}",
            found.join(", "),
            self.checks(report, false)
        );
        self.line(&line)
    }

    /// `19 checks run in 0.2 s, 1 not run: …`; with `areas`, what they look at.
    fn checks(&self, report: &Report, areas: bool) -> String {
        let runs: Vec<usize> = report.onboardings.iter().map(|o| o.checks_run).collect();
        let most = runs.iter().copied().max().unwrap_or_default();
        let each = if runs.len() > 1 { " on each" } else { "" };
        let least = runs.iter().copied().min().unwrap_or_default();
        let run = if least == most {
            format!("{} run{each}", count(most as u64, "check"))
        } else {
            format!("{least} to {} run{each}", count(most as u64, "check"))
        };
        let time = self
            .style
            .seconds
            .map_or(String::new(), |s| format!(" in {s:.1} s"));
        let nothing = if areas {
            let what: Vec<&str> = BANDS
                .iter()
                .filter(|(d, _)| *d != '9')
                .map(|(_, about)| *about)
                .collect();
            format!(", nothing found ({})", what.join("; "))
        } else {
            String::new()
        };
        format!("{run}{time}{nothing}{}", not_run(report))
    }

    fn paint(&self, severity: Severity, text: &str) -> String {
        match severity {
            Severity::Error => self.style.palette.error(text),
            Severity::Warning => self.style.palette.warning(text),
            Severity::Info => self.style.palette.hint(text),
        }
    }

    fn line(&mut self, sentence: &str) -> io::Result<()> {
        for line in fold(sentence, self.style.width, "", "  ") {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    fn part(&self, label: &'static str) -> Part {
        Part {
            label,
            width: self.style.width,
            lines: Vec::new(),
        }
    }

    /// Prints a part with its label before the first line; nothing when it is empty.
    fn print(&mut self, part: Part) -> io::Result<()> {
        for (i, line) in part.lines.iter().enumerate() {
            if i > 0 {
                writeln!(self.out, "{line}")?;
                continue;
            }
            let blanks = " ".repeat(INDENT - 2 - part.label.len());
            let label = self.style.palette.heading(part.label);
            writeln!(self.out, "  {label}{blanks}{}", line.trim_start())?;
        }
        Ok(())
    }
}

enum Block<'r> {
    /// One finding of several onboardings.
    Shared(Group<'r>),
    /// One onboarding with the findings that are its own.
    Own(&'r Onboarding, Vec<&'r Finding>),
}

/// The lines under one label.
struct Part {
    label: &'static str,
    width: Option<usize>,
    lines: Vec<String>,
}

impl Part {
    fn sentence(&mut self, sentence: &str) {
        let (first, further) = (" ".repeat(INDENT), " ".repeat(INDENT + 2));
        // What follows the first line of a sentence of ours stands under it; evidence is long, so all is the same.
        let further = if self.label == "Seen" {
            further
        } else {
            first.clone()
        };
        self.lines
            .extend(fold(sentence, self.width, &first, &further));
    }

    fn further(&mut self, line: &str) {
        let (first, further) = (" ".repeat(INDENT + 2), " ".repeat(INDENT + 4));
        self.lines.extend(fold(line, self.width, &first, &further));
    }

    fn command(&mut self, line: &str) {
        self.lines
            .push(format!("{}{}", " ".repeat(INDENT), text::line(line)));
    }
}

/// `, 2 not run: the log of the creation Job (forbidden: get pods/log in core)`; empty when all were run.
fn not_run(report: &Report) -> String {
    let all = report
        .onboardings
        .iter()
        .flat_map(|o| &o.not_run)
        .chain(&report.not_run);
    let mut parts: Vec<String> = Vec::new();
    let mut codes: Vec<&str> = Vec::new();
    for NotRun {
        codes: more,
        what,
        why,
    } in all
    {
        codes.extend(more);
        let why = match why
            .strip_prefix("forbidden (")
            .and_then(|w| w.strip_suffix(')'))
        {
            Some(right) => format!("forbidden: {right}"),
            None => why.clone(),
        };
        let part = format!("{what} ({why})");
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    codes.sort_unstable();
    codes.dedup();
    if parts.is_empty() {
        return String::new();
    }
    format!(", {} not run: {}", codes.len(), parts.join("; "))
}

#[cfg(test)]
mod tests;
