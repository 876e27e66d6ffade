//! One cause: its sentence, whom it hits, why, what was seen, what to do, what follows.

use super::part::{INDENT, Part};
use super::{Group, NAMES_MAX, Printer};
use crate::advice::{Command, Line, Origin};
use crate::diagnosis::{Step, Subject, registry};
use crate::text::fold::fold;
use crate::text::{self, Shown, count, shown};
use std::io;

impl Printer<'_, '_> {
    pub(super) fn cause(&mut self, group: &Group<'_>) -> io::Result<()> {
        let cause = group.cause;
        let mark = format!("{}[{}]", cause.severity.word(), cause.code);
        let mut lines = fold(
            &format!("{mark}: {}", cause.message),
            self.style.width,
            "",
            "  ",
        );
        let first = lines.first().map(Shown::as_str);
        if let Some(rest) = first.and_then(|l| l.strip_prefix(&mark)) {
            let rest = Shown::line(rest);
            lines[0] = self.paint(cause.severity, Shown::line(mark)).and(rest);
        }
        for line in lines {
            self.out.line(line)?;
        }
        let label = self.label(&cause.subject, group);
        self.out.line(shown!("  --> {label}"))?;
        if let Some(scene) = self.scene.take() {
            for line in fold(scene, self.style.width, "  ", "    ") {
                self.out.line(line)?;
            }
        }
        self.out.line("")?;
        self.hits(group)?;
        let finding = group.finding();
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
        self.todo(group)?;
        self.then(group)?;
        self.ends(group)
    }

    /// The onboardings of a cause that several have.
    fn hits(&mut self, group: &Group<'_>) -> io::Result<()> {
        if !group.is_shared() {
            return Ok(());
        }
        let mut part = self.part("Hits");
        for (onboarding, finding) in group.members.iter().take(NAMES_MAX) {
            if finding.message == group.cause.message {
                part.sentence(&self.headline(onboarding));
            } else {
                part.sentence(&format!("{}: {}", self.title(onboarding), finding.message));
            }
        }
        let more = group.members.len().saturating_sub(NAMES_MAX) as u64;
        if more > 0 {
            part.sentence(&format!(
                "and {} more (-o json lists them)",
                text::thousands(more)
            ));
        }
        self.print(part)
    }

    fn todo(&mut self, group: &Group<'_>) -> io::Result<()> {
        let mut part = self.part("Do");
        let mut told: Vec<&Step<Line>> = Vec::new();
        for (_, finding) in group.members.iter().take(NAMES_MAX) {
            for step in &finding.fix {
                if told.contains(&step) {
                    continue;
                }
                told.push(step);
                match step {
                    Step::Text(sentence) => part.sentence(sentence),
                    Step::Manifest(change) => part.sentence(&change.to_string()),
                    Step::Command(line) => part.command(&line.to_string()),
                }
            }
        }
        let others = group.members.iter().skip(NAMES_MAX);
        let own = others.filter(|(_, f)| f.fix.iter().any(|step| !told.contains(&step)));
        self.others(&mut part, own.count());
        self.print(part)
    }

    /// What Flux does afterwards; the commands differ by onboarding.
    fn then(&mut self, group: &Group<'_>) -> io::Result<()> {
        let mut part = self.part("Then");
        let mut lines: Vec<&str> = Vec::new();
        let mut commands: Vec<&Line> = Vec::new();
        let all = || group.members.iter().filter_map(|(_, f)| f.then.as_ref());
        for then in all().take(NAMES_MAX) {
            if !lines.contains(&then.line.as_str()) {
                lines.push(&then.line);
                part.sentence(&then.line);
            }
            for command in &then.commands {
                if !commands.contains(&command) {
                    commands.push(command);
                    part.command(&command.to_string());
                }
            }
        }
        let own = all().skip(NAMES_MAX);
        let own = own.filter(|t| t.commands.iter().any(|c| !commands.contains(&c)));
        self.others(&mut part, own.count());
        self.print(part)
    }

    /// Says that there are more commands of the same kind.
    fn others(&self, part: &mut Part, onboardings: usize) {
        if onboardings > 0 {
            part.sentence(&format!(
                "and so for {} more (-o json has the commands)",
                count(onboardings as u64, "onboarding")
            ));
        }
    }

    fn ends(&mut self, group: &Group<'_>) -> io::Result<()> {
        self.out.line("")?;
        let follows = || group.members.iter().flat_map(|(_, f)| &f.follows);
        let mut told: Vec<&str> = Vec::new();
        for one in follows() {
            if told.contains(&one.code) {
                continue;
            }
            told.push(one.code);
            let same = follows().all(|f| f.code != one.code || f.message == one.message);
            let title = registry::find(one.code).map(|rule| rule.title);
            let message = match title {
                Some(title) if !same => title,
                _ => &one.message,
            };
            let line = format!("= {} follows from this: {message}", one.code);
            for folded in fold(&line, self.style.width, "  ", "    ") {
                self.out.line(folded)?;
            }
        }
        let more = Command::skvs(["explain", group.cause.code]).after("  = more:");
        self.out.line(more.line(&Origin::default()))
    }

    /// An object as it is named here: the onboarding under its own headline needs no name.
    fn label(&self, object: &Subject, group: &Group<'_>) -> String {
        let own = group.members[0].0;
        if object.kind == "HelmRelease" {
            if !group.is_shared() && *object == own.subject() {
                return "HelmRelease".to_owned();
            }
            if object.namespace == own.namespace && !self.style.namespaced {
                return format!("HelmRelease {}", object.name);
            }
        }
        object.to_string()
    }

    fn part(&self, label: &'static str) -> Part {
        Part::new(label, self.style.width)
    }

    /// Prints a part with its label before the first line; nothing when it is empty.
    fn print(&mut self, part: Part) -> io::Result<()> {
        for (i, line) in part.lines.iter().enumerate() {
            if i > 0 {
                self.out.line(line)?;
                continue;
            }
            let blanks = " ".repeat(INDENT - 2 - part.label.len());
            let label = Shown::from("  ").and(self.style.palette.heading(part.label));
            let rest = shown!("{blanks}{}", line.as_str().trim_start());
            self.out.line(label.and(rest))?;
        }
        Ok(())
    }
}
