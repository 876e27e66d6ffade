//! A troubleshoot report as text: causes worst first, the same cause once with its onboardings, folded to the width.
//!
//! Colour only repeats words. Commands are never folded, so they can be pasted. A cause is printed by [`cause`], what stands
//! before many of them by [`overview`], the last lines by [`summary`].

mod cause;
pub(super) mod group;
pub mod markdown;
pub(super) mod overview;
pub(super) mod part;
pub mod summary;

use crate::diagnosis::Severity;
use crate::palette::Palette;
use crate::text::fold::fold;
use crate::text::{Screen, Shown, count};
use crate::view::report::{Onboarding, Report};
use group::Group;
pub(super) use overview::cause_lines;
use std::cmp::Reverse;
use std::io;

/// Most onboardings that are named under one cause.
pub(super) const NAMES_MAX: usize = 8;

/// How to print.
#[derive(Clone, Copy)]
pub struct Style {
    pub width: Option<usize>,
    /// Names with their namespace.
    pub namespaced: bool,
    /// How many causes are printed in full, the worst first; the others are in the overview only. `None` for all.
    pub details: Option<usize>,
    /// Seconds that the command took; left out when not measured.
    pub seconds: Option<f64>,
    pub palette: Palette,
}

/// Writes the report.
///
/// # Errors
/// The output is closed.
pub fn write(out: &mut Screen<'_>, report: &Report, style: Style) -> io::Result<()> {
    let scene = report.scene.as_deref();
    Printer { out, style, scene }.report(report)
}

/// Writes the causes alone, each in a line, worst first.
///
/// # Errors
/// The output is closed.
pub fn causes(out: &mut Screen<'_>, report: &Report, style: Style) -> io::Result<()> {
    let scene = None;
    Printer { out, style, scene }.entries(report)
}

/// Causes that are printed together.
pub(super) enum Block<'r> {
    /// One cause of several onboardings.
    Shared(Group<'r>),
    /// One onboarding with the causes that are its own.
    Own(&'r Onboarding, Vec<Group<'r>>),
}

impl Block<'_> {
    /// What comes first: the worst, then what hits most.
    fn weight(&self) -> (Severity, usize) {
        match self {
            Block::Shared(group) => (group.cause.severity, group.members.len()),
            Block::Own(_, groups) => {
                let worst = groups.iter().map(|g| g.cause.severity).max();
                (worst.unwrap_or(Severity::Info), 1)
            }
        }
    }
}

/// All causes: what several share, and what one onboarding has alone; worst first.
pub(super) fn blocks(report: &Report) -> Vec<Block<'_>> {
    let groups = report.causes.iter().map(|c| Group::new(report, c));
    let (shared, mut own): (Vec<_>, Vec<_>) = groups.partition(Group::is_shared);
    let mut blocks: Vec<Block<'_>> = shared.into_iter().map(Block::Shared).collect();
    for onboarding in &report.onboardings {
        let (ours, rest): (Vec<_>, Vec<_>) = own
            .into_iter()
            .partition(|g| std::ptr::eq(g.members[0].0, onboarding));
        own = rest;
        if !ours.is_empty() {
            blocks.push(Block::Own(onboarding, ours));
        }
    }
    blocks.sort_by_key(|block| Reverse(block.weight()));
    blocks
}

/// The whole report if no onboarding was found, which does not mean that all is well.
pub fn none_found(report: &Report) -> Option<String> {
    let none = report.none_considered()?;
    let place = none.namespace.as_ref();
    let place = place.map_or(String::new(), |n| format!(" in {n} namespace"));
    Some(format!("No onboardings found{place}."))
}

/// The whole report where every onboarding is well.
pub(super) fn nothing_to_look_into(report: &Report) -> Option<String> {
    let all = report.considered.as_ref()?;
    let place = all.namespace.as_ref();
    let place = place.map_or(String::new(), |n| format!(" in {n}"));
    report.onboardings.is_empty().then(|| {
        format!(
            "{}{place}: none is unready, suspended, unanswered, being deleted or shares its database; nothing was looked into further{}",
            count(all.onboardings, "onboarding"),
            summary::not_run(report)
        )
    })
}

/// An onboarding's name; `namespaced`: with its namespace.
pub(super) fn name(onboarding: &Onboarding, namespaced: bool) -> String {
    match namespaced {
        true => onboarding.subject().id(),
        false => onboarding.name.clone(),
    }
}

/// The onboarding's name and what it claims.
pub(super) fn title(onboarding: &Onboarding, namespaced: bool) -> String {
    let database = match &onboarding.database {
        Some(database) => format!("database {database}"),
        None => "no database known".to_owned(),
    };
    format!("{} ({database})", name(onboarding, namespaced))
}

/// Why no finding of an onboarding is shown: none was found, or they are left out.
pub(super) fn left_out(onboarding: &Onboarding) -> String {
    let mut parts = Vec::new();
    if onboarding.not_shown > 0 {
        parts.push(format!(
            "{} not shown",
            count(onboarding.not_shown, "finding")
        ));
    }
    for ignored in &onboarding.ignored {
        parts.push(format!("{} ignored", ignored.code));
    }
    match parts.is_empty() {
        true => "nothing found".to_owned(),
        false => parts.join(", "),
    }
}

struct Printer<'o, 'w> {
    out: &'o mut Screen<'w>,
    style: Style,
    /// Where and when, until it has been printed: once, under the first cause.
    scene: Option<&'o str>,
}

impl Printer<'_, '_> {
    fn report(&mut self, report: &Report) -> io::Result<()> {
        if let Some(line) = nothing_to_look_into(report) {
            return self.line(&line);
        }
        let blocks = blocks(report);
        let shown = self.style.details.unwrap_or(usize::MAX);
        let left_out = blocks.len().saturating_sub(shown) as u64;
        self.overview(report, left_out > 0)?;
        for block in blocks.iter().take(shown) {
            match block {
                Block::Shared(group) => self.cause(group)?,
                Block::Own(onboarding, groups) => {
                    self.line(&self.headline(onboarding))?;
                    for group in groups {
                        self.out.line("")?;
                        self.cause(group)?;
                    }
                }
            }
            self.out.line("")?;
        }
        if left_out > 0 {
            self.line(&format!(
                "Not shown in full: {}, see the overview below. Name an onboarding, or use --details.",
                count(left_out, "cause")
            ))?;
            self.out.line("")?;
        }
        let quiet: Vec<&Onboarding> = report
            .onboardings
            .iter()
            .filter(|o| o.findings.is_empty())
            .collect();
        if let ([one], true) = (&quiet[..], blocks.is_empty())
            && one.not_shown == 0
            && one.ignored.is_empty()
        {
            let checks = summary::nothing_found(report, self.style.seconds);
            let line = format!("{}. {checks}", self.headline(one));
            return self.line(&line);
        }
        self.quiet(&quiet)?;
        // Again at the end, where a terminal stops scrolling.
        if blocks.len() > 1 {
            self.overview(report, left_out > 0)?;
        }
        for line in summary::lines(report, self.style.seconds) {
            self.line(&line)?;
        }
        Ok(())
    }

    /// Onboardings of which no finding is shown, and whether there is one.
    fn quiet(&mut self, all: &[&Onboarding]) -> io::Result<()> {
        let (well, others): (Vec<&Onboarding>, Vec<&Onboarding>) = all
            .iter()
            .partition(|o| o.not_shown == 0 && o.ignored.is_empty());
        for onboarding in others.iter().take(NAMES_MAX) {
            self.line(&format!(
                "{}; {}",
                self.headline(onboarding),
                left_out(onboarding)
            ))?;
        }
        if others.len() > NAMES_MAX {
            let more = (others.len() - NAMES_MAX) as u64;
            self.line(&format!(
                "{} more with findings that are not shown or ignored (-o json lists them)",
                count(more, "onboarding")
            ))?;
        }
        for onboarding in well.iter().take(NAMES_MAX) {
            self.line(&format!("{}; nothing found", self.headline(onboarding)))?;
        }
        if well.len() > NAMES_MAX {
            let more = (well.len() - NAMES_MAX) as u64;
            self.line(&format!(
                "{} more; nothing found",
                count(more, "onboarding")
            ))?;
        }
        Ok(())
    }

    /// The onboarding's name and what it claims.
    fn title(&self, onboarding: &Onboarding) -> String {
        title(onboarding, self.style.namespaced)
    }

    fn headline(&self, onboarding: &Onboarding) -> String {
        format!("{}: {}", self.title(onboarding), onboarding.state)
    }

    fn line(&mut self, sentence: &str) -> io::Result<()> {
        for line in fold(sentence, self.style.width, "", "  ") {
            self.out.line(line)?;
        }
        Ok(())
    }
}

/// A severity's own style.
pub(super) fn paint(palette: Palette, severity: Severity, text: impl Into<Shown>) -> Shown {
    match severity {
        Severity::Error => palette.error(text),
        Severity::Warning => palette.warning(text),
        Severity::Info => palette.hint(text),
    }
}

#[cfg(test)]
mod tests;
