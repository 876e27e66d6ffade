//! A troubleshoot report as Markdown, for a ticket: the causes as in the text, commands and evidence as code.

use super::group::{Deed, Deeds, Group};
use super::{Block, NAMES_MAX, blocks, summary};
use crate::render::markdown::{block, prose, span};
use crate::text::{Screen, Shown, count};
use crate::view::report::{Onboarding, Report};
use std::io;

/// Writes the report. `namespaced`: names with their namespace.
///
/// # Errors
/// The output is closed.
pub fn write(
    out: &mut Screen<'_>,
    report: &Report,
    namespaced: bool,
    seconds: f64,
) -> io::Result<()> {
    let page = &mut Page { out, namespaced };
    if let Some(scene) = &report.scene {
        page.paragraph(&prose(scene))?;
    }
    for block in blocks(report) {
        match block {
            Block::Shared(group) => page.cause(&group)?,
            Block::Own(onboarding, groups) => {
                page.paragraph(&format!("### {}", page.headline(onboarding)))?;
                groups.iter().try_for_each(|group| page.cause(group))?;
            }
        }
    }
    let quiet = report.onboardings.iter().filter(|o| o.findings.is_empty());
    let quiet: Vec<&Onboarding> = quiet.collect();
    for onboarding in quiet.iter().take(NAMES_MAX) {
        page.line(&format!("- {}", page.headline(onboarding)))?;
    }
    if !quiet.is_empty() {
        if let Some(more) = quiet.len().checked_sub(NAMES_MAX).filter(|more| *more > 0) {
            page.line(&format!("- {} more", count(more as u64, "onboarding")))?;
        }
        page.line("")?;
    }
    for line in summary::lines(report, Some(seconds)) {
        page.line(&prose(&line))?;
    }
    Ok(())
}

struct Page<'o, 'w> {
    out: &'o mut Screen<'w>,
    namespaced: bool,
}

impl Page<'_, '_> {
    fn cause(&mut self, group: &Group<'_>) -> io::Result<()> {
        let cause = group.cause;
        self.paragraph(&format!(
            "**{} {}**: {}",
            cause.severity.word(),
            cause.code,
            prose(&cause.message)
        ))?;
        if group.is_shared() {
            for (onboarding, _) in group.members.iter().take(NAMES_MAX) {
                self.line(&format!("- {}", self.headline(onboarding)))?;
            }
            if let Some(more @ 1..) = group.members.len().checked_sub(NAMES_MAX) {
                self.line(&format!("- and {more} more"))?;
            }
            self.line("")?;
        }
        let finding = group.finding();
        for sentence in &finding.found.why {
            self.paragraph(&prose(sentence))?;
        }
        self.seen(group)?;
        self.deeds("Do", &group.fix())?;
        self.deeds("Then", &group.then())?;
        for (code, message) in group.follows() {
            self.paragraph(&format!("{code} follows from this: {}", prose(message)))?;
        }
        Ok(())
    }

    fn seen(&mut self, group: &Group<'_>) -> io::Result<()> {
        let mut text = String::new();
        for evidence in &group.finding().found.evidence {
            text.push_str(&format!("{}   {}\n", evidence.object, evidence.observed));
            for line in &evidence.lines {
                text.push_str(&format!("  {line}\n"));
            }
        }
        if text.is_empty() {
            return Ok(());
        }
        self.paragraph(&format!(
            "Seen on {}:",
            span(&group.cause.subject.to_string())
        ))?;
        block(self.out, "text", &text, 0)?;
        self.line("")
    }

    fn deeds(&mut self, label: &str, deeds: &Deeds) -> io::Result<()> {
        if deeds.all.is_empty() {
            return Ok(());
        }
        self.paragraph(&format!("{label}:"))?;
        for deed in &deeds.all {
            match deed {
                Deed::Sentence(sentence) => self.line(&format!("- {}", prose(sentence)))?,
                Deed::Command(command) => block(self.out, "sh", command, 2)?,
            }
        }
        if deeds.others > 0 {
            let more = count(deeds.others as u64, "onboarding");
            self.line(&format!("- and so for {more} more"))?;
        }
        self.line("")
    }

    fn headline(&self, onboarding: &Onboarding) -> String {
        let name = if self.namespaced {
            onboarding.subject().id()
        } else {
            onboarding.name.clone()
        };
        let database = match &onboarding.database {
            Some(database) => format!("database {}", span(database)),
            None => "no database known".to_owned(),
        };
        format!("{} ({database}): {}", span(&name), prose(&onboarding.state))
    }

    fn paragraph(&mut self, markdown: &str) -> io::Result<()> {
        self.line(markdown)?;
        self.line("")
    }

    /// A line that is Markdown already.
    fn line(&mut self, markdown: &str) -> io::Result<()> {
        self.out.line(Shown::line(markdown))
    }
}
