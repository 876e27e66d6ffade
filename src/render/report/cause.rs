//! One cause: its sentence, whom it hits, why, what was seen, what to do, what follows.

use super::group::{Deed, Deeds, Group};
use super::part::Part;
use super::{NAMES_MAX, Printer, paint};
use crate::advice::{Command, Origin};
use crate::diagnosis::Subject;
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
            lines[0] = paint(self.style.palette, cause.severity, Shown::line(mark)).and(rest);
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
        for sentence in &finding.found.why {
            why.sentence(sentence);
        }
        self.print(why)?;
        let mut seen = self.part("Seen");
        for evidence in &finding.found.evidence {
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
        self.deeds("Do", &group.fix())?;
        self.deeds("Then", &group.then())?;
        self.ends(group)
    }

    /// The onboardings of a cause that several have.
    fn hits(&mut self, group: &Group<'_>) -> io::Result<()> {
        if !group.is_shared() {
            return Ok(());
        }
        let mut part = self.part("Hits");
        for (onboarding, finding) in group.members.iter().take(NAMES_MAX) {
            if finding.found.sentence == group.cause.message {
                part.sentence(&self.headline(onboarding));
            } else {
                part.sentence(&format!(
                    "{}: {}",
                    self.title(onboarding),
                    finding.found.sentence
                ));
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

    fn deeds(&mut self, label: &'static str, deeds: &Deeds) -> io::Result<()> {
        let mut part = self.part(label);
        for deed in &deeds.all {
            match deed {
                Deed::Sentence(sentence) => part.sentence(sentence),
                Deed::Command(line) => part.command(line),
            }
        }
        self.others(&mut part, deeds.others);
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
        for (code, message) in group.follows() {
            let line = format!("= {code} follows from this: {message}");
            for folded in fold(&line, self.style.width, "  ", "    ") {
                self.out.line(folded)?;
            }
        }
        let more = Command::skvs(["explain", group.cause.code]).after("  = more:");
        self.out
            .line(more.styled(&Origin::default(), self.style.palette))
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
        Part::new(label, self.style)
    }

    fn print(&mut self, part: Part) -> io::Result<()> {
        part.write(self.out, self.style)
    }
}
