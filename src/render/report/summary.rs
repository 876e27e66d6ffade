//! The last lines of a report: how many of what, what is not shown, which checks were run and which were not.

use crate::diagnosis::NotRun;
use crate::diagnosis::Severity;
use crate::diagnosis::registry::BANDS;
use crate::text::count;
use crate::view::report::Report;

/// Most parts that may not be read that are named one by one.
const NAMED: usize = 4;

/// Each line is a sentence or two, not folded.
pub fn lines(report: &Report, seconds: Option<f64>) -> Vec<String> {
    ending(report, seconds, &not_run(report))
}

/// The same where the parts that were not read are listed below.
pub fn short_lines(report: &Report, seconds: Option<f64>) -> Vec<String> {
    let not_run = match Reasons::collect(report).codes.len() {
        0 => String::new(),
        n => format!(", {n} not run (see Not checked)"),
    };
    ending(report, seconds, &not_run)
}

fn ending(report: &Report, seconds: Option<f64>, not_run: &str) -> Vec<String> {
    let last = format!(
        "{}, {}. {}{not_run}",
        onboardings(report),
        found(report),
        checks_run(report, seconds)
    );
    not_shown(report).into_iter().chain([last]).collect()
}

fn onboardings(report: &Report) -> String {
    let looked = report.onboardings.len() as u64;
    match &report.considered {
        Some(all) if all.onboardings != looked => format!(
            "{looked} of {} looked into",
            count(all.onboardings, "onboarding")
        ),
        _ => count(looked, "onboarding"),
    }
}

/// `1 error on 2 onboardings, 2 warnings, 1 ignored`.
fn found(report: &Report) -> String {
    let totals = &report.totals;
    let mut found = Vec::new();
    if totals.errors > 0 {
        let hit = report.onboardings.iter();
        let hit = hit.filter(|o| o.findings.iter().any(|f| f.severity == Severity::Error));
        let hit = hit.count() as u64;
        let errors = count(totals.errors, "error");
        found.push(if hit > totals.errors {
            format!("{errors} on {}", count(hit, "onboarding"))
        } else {
            errors
        });
    }
    if totals.warnings > 0 {
        found.push(count(totals.warnings, "warning"));
    }
    if found.is_empty() {
        found.push("no error".to_owned());
    }
    if totals.infos > 0 {
        found.push(count(totals.infos, "info"));
    }
    if totals.ignored > 0 {
        found.push(format!("{} ignored", totals.ignored));
    }
    found.join(", ")
}

/// `Not shown: 2 warnings, 1 info (less severe than --severity)`.
fn not_shown(report: &Report) -> Option<String> {
    let shown = |severity| {
        let causes = report.causes.iter();
        causes.filter(|c| c.severity == severity).count() as u64
    };
    let all = report.totals.by_severity();
    let parts: Vec<String> = all
        .into_iter()
        .filter_map(|(all, severity)| {
            let left = all.saturating_sub(shown(severity));
            (left > 0).then(|| count(left, severity.word()))
        })
        .collect();
    (!parts.is_empty()).then(|| {
        format!(
            "Not shown: {} (less severe than --severity asks for)",
            parts.join(", ")
        )
    })
}

/// `19 checks run in 0.2 s, nothing found (…), 1 not run: …`.
pub(super) fn nothing_found(report: &Report, seconds: Option<f64>) -> String {
    let nothing = match looked_at(report).as_slice() {
        [] => ", nothing found".to_owned(),
        what => format!(", nothing found ({})", what.join("; ")),
    };
    format!(
        "{}{nothing}{}",
        checks_run(report, seconds),
        not_run(report)
    )
}

/// `19 checks run in 0.2 s`.
fn checks_run(report: &Report, seconds: Option<f64>) -> String {
    let runs: Vec<usize> = report.onboardings.iter().map(|o| o.checks_run).collect();
    let most = runs.iter().copied().max().unwrap_or_default();
    let each = if runs.len() > 1 { " on each" } else { "" };
    let least = runs.iter().copied().min().unwrap_or_default();
    let run = if least == most {
        format!("{} run{each}", count(most as u64, "check"))
    } else {
        format!("{least} to {} run{each}", count(most as u64, "check"))
    };
    let time = seconds.map_or(String::new(), |s| format!(" in {s:.1} s"));
    format!("{run}{time}")
}

/// What was looked at whole: the bands of which every check was run.
fn looked_at(report: &Report) -> Vec<&'static str> {
    let not_run: Vec<&str> = report.all_not_run().flat_map(|n| n.codes.clone()).collect();
    let whole = |band: char| {
        !not_run
            .iter()
            .any(|code| code["SKVS".len()..].starts_with(band))
    };
    BANDS
        .iter()
        .filter(|(band, _)| *band != '9' && whole(*band))
        .map(|(_, about)| *about)
        .collect()
}

/// The parts that were not read, grouped by the reason.
struct Reasons<'r> {
    codes: Vec<&'r str>,
    reasons: Vec<(&'r str, Vec<&'r str>)>,
}

impl<'r> Reasons<'r> {
    fn collect(report: &'r Report) -> Self {
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        let mut codes: Vec<&str> = Vec::new();
        for NotRun {
            codes: own,
            what,
            why,
        } in report.all_not_run()
        {
            codes.extend(own);
            match reasons.iter_mut().find(|(known, _)| known == why) {
                Some((_, all)) if all.contains(&what.as_str()) => {}
                Some((_, all)) => all.push(what),
                None => reasons.push((why, vec![what])),
            }
        }
        codes.sort_unstable();
        codes.dedup();
        Self { codes, reasons }
    }

    /// How many parts may not be read.
    fn forbidden(&self) -> usize {
        let refused = self.reasons.iter().filter(|(why, _)| is_forbidden(why));
        refused.map(|(_, parts)| parts.len()).sum()
    }
}

fn is_forbidden(why: &str) -> bool {
    why.starts_with("forbidden (")
}

/// Whether more parts may not be read than a line can name.
pub fn lacks_rights(report: &Report) -> bool {
    Reasons::collect(report).forbidden() > NAMED
}

/// `, 2 not run: the log of the creation Job (forbidden: get pods/log in core)`; empty when all were run. Many parts that may not be
/// read are counted: what helps is the same for all of them.
pub(super) fn not_run(report: &Report) -> String {
    let unread = Reasons::collect(report);
    let forbidden = unread.forbidden();
    let counts = forbidden > NAMED;
    let reasons = unread.reasons.iter();
    let named = reasons.filter(|(why, _)| !(counts && is_forbidden(why)));
    let named = named.map(|(why, all)| said(&all.join(", "), why));
    let counted = counts.then(|| format!("{forbidden} parts that may not be read"));
    let parts: Vec<String> = counted.into_iter().chain(named).collect();
    if parts.is_empty() {
        return String::new();
    }
    format!(", {} not run: {}", unread.codes.len(), parts.join("; "))
}

/// `the log of the creation Job (forbidden: get pods/log in core)`.
pub fn unread(not_run: &NotRun) -> String {
    said(&not_run.what, &not_run.why)
}

fn said(what: &str, why: &str) -> String {
    let right = why.strip_prefix("forbidden (");
    match right.and_then(|w| w.strip_suffix(')')) {
        Some(right) => format!("{what} (forbidden: {right})"),
        None => format!("{what} ({why})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(parts: &[(&str, &str)]) -> Report {
        let part = |(what, why): &(&str, &str)| NotRun {
            codes: vec!["SKVS301"],
            what: (*what).to_owned(),
            why: (*why).to_owned(),
        };
        Report::new(Vec::new(), None, parts.iter().map(part).collect())
    }

    #[test]
    fn many_parts_that_may_not_be_read_are_counted_and_others_named() {
        let all = [
            ("a", "forbidden (get a)"),
            ("b", "forbidden (get b)"),
            ("c", "forbidden (get c)"),
            ("d", "forbidden (get c)"),
            ("e", "timeout"),
            ("f", "forbidden (get f)"),
        ];
        let few = report(&all[..5]);
        assert!(!lacks_rights(&few));
        assert_eq!(
            not_run(&few),
            ", 1 not run: a (forbidden: get a); b (forbidden: get b); c, d (forbidden: get c); e (timeout)"
        );
        let many = report(&all);
        assert!(lacks_rights(&many));
        assert_eq!(
            not_run(&many),
            ", 1 not run: 5 parts that may not be read; e (timeout)"
        );
        assert_eq!(not_run(&report(&[])), "");
    }
}
