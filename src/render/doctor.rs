//! The report of `doctor` as text: how much was found, then a line per check and under it what to do. Commands that the user has every
//! right for share a line.

use super::row::Columns;
use crate::palette::Palette;
use crate::text::fold::fold;
use crate::text::{Screen, Shown, count};
use crate::view::doctor::{Area, Check, DoctorReport, ELSEWHERE, State};
use std::io;

/// Where subjects start.
const SUBJECT: usize = 11;
/// Where messages start.
const MESSAGE: usize = 32;
/// Commands without all of their rights that have a line of their own at most.
const ROWS: usize = 6;

/// Writes it.
///
/// # Errors
/// The output is closed.
pub fn write(
    out: &mut Screen<'_>,
    report: &DoctorReport,
    width: Option<usize>,
    palette: Palette,
) -> io::Result<()> {
    let mut page = Page {
        out,
        width,
        palette,
    };
    for line in fold(&found(report), width, "", "  ") {
        page.out.line(line)?;
    }
    page.out.line("")?;
    let (rights, others): (Vec<&Check>, Vec<&Check>) =
        report.checks.iter().partition(|c| c.area == Area::Rights);
    let (machine, cluster): (Vec<&Check>, Vec<&Check>) =
        others.into_iter().partition(|c| c.area == Area::Machine);
    cluster
        .into_iter()
        .try_for_each(|check| page.check(check))?;
    page.rights(&rights)?;
    if let Some(next) = &report.grant {
        page.next(next.hint.styled(&next.origin, palette))?;
    }
    machine.into_iter().try_for_each(|check| page.check(check))
}

/// `1 failed, 2 not known of 24 checks`.
fn found(report: &DoctorReport) -> String {
    let counts = [
        (report.failed, format!("{} failed", report.failed)),
        (report.warnings, count(report.warnings, "warning")),
        (report.not_known, format!("{} not known", report.not_known)),
    ];
    let counts = counts.into_iter().filter(|(n, _)| *n > 0);
    let counts: Vec<String> = counts.map(|(_, words)| words).collect();
    let all = count(report.checks.len() as u64, "check");
    match counts.as_slice() {
        [] => format!("{all}, all ok"),
        counts => format!("{all}: {}", counts.join(", ")),
    }
}

struct Page<'p, 's> {
    out: &'p mut Screen<'s>,
    width: Option<usize>,
    palette: Palette,
}

impl Page<'_, '_> {
    fn check(&mut self, check: &Check) -> io::Result<()> {
        self.row(check.state, &check.subject, &check.message)?;
        match &check.next {
            Some(next) => self.next(next.hint.styled(&next.origin, self.palette)),
            None => Ok(()),
        }
    }

    fn rights(&mut self, all: &[&Check]) -> io::Result<()> {
        let (elsewhere, commands): (Vec<&Check>, Vec<&Check>) =
            all.iter().partition(|c| c.subject == ELSEWHERE);
        self.commands(&commands)?;
        elsewhere
            .into_iter()
            .try_for_each(|check| self.check(check))
    }

    fn commands(&mut self, all: &[&Check]) -> io::Result<()> {
        let (held, lacking): (Vec<&Check>, Vec<&Check>) =
            all.iter().partition(|c| c.state == State::Ok);
        if !held.is_empty() {
            let names: Vec<&str> = held.iter().map(|c| c.subject.as_str()).collect();
            self.row(State::Ok, "rights", &names.join(", "))?;
        }
        if lacking.len() > ROWS {
            return [State::Failed, State::NotKnown, State::Warning]
                .into_iter()
                .try_for_each(|state| self.lacking(&lacking, state));
        }
        for check in lacking {
            let subject = format!("rights: {}", check.subject);
            self.row(check.state, &subject, &check.message)?;
        }
        Ok(())
    }

    /// The commands in this state, in one line.
    fn lacking(&mut self, all: &[&Check], state: State) -> io::Result<()> {
        let names = all.iter().filter(|c| c.state == state);
        let names: Vec<&str> = names.map(|c| c.subject.as_str()).collect();
        if names.is_empty() {
            return Ok(());
        }
        let lack = match state {
            State::Failed => "rights are missing",
            State::NotKnown => "not known for",
            State::Ok | State::Warning => "optional rights are missing",
        };
        let names = names.join(", ");
        self.row(
            state,
            "rights",
            &format!("{lack}: {names} (-o json lists them)"),
        )
    }

    fn row(&mut self, state: State, subject: &str, message: &str) -> io::Result<()> {
        let word = state.word();
        let styled = match state {
            State::Ok => self.palette.good(word),
            State::Warning | State::NotKnown => self.palette.warning(word),
            State::Failed => self.palette.error(word),
        };
        let columns = Columns {
            subject: SUBJECT,
            message: MESSAGE,
        };
        columns.write(self.out, self.width, (word, styled), subject, message)
    }

    /// Not folded: what ends in a command is to be copied.
    fn next(&mut self, line: Shown) -> io::Result<()> {
        let indent = format!("{:1$}", "", SUBJECT);
        self.out.line(Shown::line(indent).and(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::Origin;
    use crate::view::doctor::tests::report;

    fn text(report: &DoctorReport) -> String {
        let mut out = Vec::new();
        write(&mut Screen::new(&mut out), report, Some(80), Palette::PLAIN).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_per_check_and_what_to_do_under_it() {
        insta::assert_snapshot!(text(&report()), @r"
        6 checks: 1 failed, 1 warning, 1 not known

        ok         API server           v1.36.3
        not known  helm-controller      no Deployment of it in flux-system: Flux may run
                                        elsewhere
                   look for it: kubectl get deployments -A --context prod-east
        ok         rights               list, notes
        failed     rights: delete-db    missing: list secrets in all namespaces; not
                                        known: list pods in secure-kvs (timed out)
                   for an administrator: kubectl skvs doctor --role delete-db
        warning    helm                 not on PATH: retry needs it
                   install Helm 3 or 4
        ");
    }

    #[test]
    fn many_commands_without_their_rights_share_a_line() {
        let check = |name: &str, state| Check::new(Area::Rights, name, state, "missing: a");
        let mut checks = vec![check("list", State::Ok), check("retry", State::NotKnown)];
        let names = ["a", "b", "c", "d", "e", "f"];
        checks.extend(names.map(|name| check(name, State::Failed)));
        let report = DoctorReport::new(&Origin::default(), checks, None);
        insta::assert_snapshot!(text(&report), @r"
        8 checks: 6 failed, 1 not known

        ok         rights               list
        failed     rights               rights are missing: a, b, c, d, e, f (-o json
                                        lists them)
        not known  rights               not known for: retry (-o json lists them)
        ");
    }

    #[test]
    fn a_text_of_the_cluster_begins_no_line_and_paints_nothing() {
        let check = Check::new(Area::Flux, "a\nb", State::Ok, "c\u{1b}[2J\nfailed");
        let report = DoctorReport::new(&Origin::default(), vec![check], None);
        let text = text(&report);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}
