//! `-o github`: workflow commands of GitHub Actions, one line a cause, which the run's page shows as annotations.
//!
//! A runner obeys what it reads, so no text of a cluster may end a line, end a property or begin a command of its own: `%`, CR
//! and LF are written as percent codes in messages, `:` and `,` in properties too.

use super::report::summary;
use crate::advice::{Command, Line, Origin};
use crate::diagnosis::{Severity, Step};
use crate::text::{Screen, shown, thousands};
use crate::view::report::{Cause, Report};
use std::io;

/// Most onboardings that one annotation names.
const NAMES_MAX: usize = 8;

/// Writes the causes, worst first, what was not looked at, and a last line of counts.
///
/// # Errors
/// The output is closed.
pub fn write(out: &mut Screen<'_>, report: &Report, seconds: f64) -> io::Result<()> {
    for cause in &report.causes {
        let title = format!("{} {}", cause.code, cause.subject);
        line(
            out,
            command_of(cause.severity),
            &title,
            &message(report, cause),
        )?;
    }
    let mut told = Vec::new();
    for part in report.all_not_run().map(summary::unread) {
        if !told.contains(&part) {
            line(out, "notice", "not checked", &part)?;
            told.push(part);
        }
    }
    for text in summary::lines(report, Some(seconds)) {
        out.line(shown!("{}", unmarked(&text)))?;
    }
    Ok(())
}

/// The workflow command that shows a finding of this severity.
pub(super) fn command_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    }
}

/// A line that is not a command: older runners look for their own mark anywhere in one.
pub(super) fn unmarked(text: &str) -> String {
    text.replace("##[", "## [")
}

/// The sentence, whom it hits, what to do, and where more is told: a line each in the annotation.
fn message(report: &Report, cause: &Cause) -> String {
    let names: Vec<String> = cause.onboardings.iter().map(|o| o.id()).collect();
    let mut lines = vec![cause.message.clone()];
    let more = names.len().saturating_sub(NAMES_MAX) as u64;
    let mut hits = format!("Hits: {}", names[..names.len().min(NAMES_MAX)].join(", "));
    if more > 0 {
        hits.push_str(&format!(" and {} more", thousands(more)));
    }
    lines.push(hits);
    let first = cause.places.first();
    if let Some(&(at, number)) = first {
        let found = &report.onboardings[at].findings[number].found;
        lines.extend(steps(&found.why, &found.fix));
    }
    let more = Command::skvs(["explain", cause.code]).after("More:");
    lines.push(more.line(&Origin::default()).to_string());
    lines.join("\n")
}

/// Why, and what to do: a line each.
pub(super) fn steps<'f>(
    why: &'f [String],
    fix: &'f [Step<Line>],
) -> impl Iterator<Item = String> + 'f {
    let fix = fix.iter().map(|step| match step {
        Step::Text(text) => format!("Do: {text}"),
        Step::Manifest(change) => format!("Do: {change}"),
        Step::Command(line) => format!("  {line}"),
    });
    why.iter().map(|why| format!("Why: {why}")).chain(fix)
}

fn line(out: &mut Screen<'_>, command: &str, title: &str, message: &str) -> io::Result<()> {
    annotation(out, command, &[("title", title)], message)
}

/// One annotation: its properties and its message. No text can break out of them.
///
/// # Errors
/// The output is closed.
pub(super) fn annotation(
    out: &mut Screen<'_>,
    command: &str,
    properties: &[(&str, &str)],
    message: &str,
) -> io::Result<()> {
    let properties = properties.iter();
    let properties = properties.map(|(key, value)| format!("{key}={}", property(value)));
    let properties = properties.collect::<Vec<_>>().join(",");
    let message = data(message);
    out.line(shown!("::{command} {properties}::{message}"))
}

/// Text as a command's message.
fn data(text: &str) -> String {
    let text = crate::text::clean(text);
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Text as a property's value.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Case, diagnose, fixture};
    use crate::view::report::Onboarding;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn written(report: &Report) -> String {
        let mut out = Vec::new();
        write(&mut Screen::new(&mut out), report, 0.2).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn report(name: &str) -> Report {
        let snapshot = fixture::snapshot(name);
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let mut onboarding = Onboarding::new(&case, diagnose(&case));
        fixture::settle(&mut onboarding);
        Report::new(vec![onboarding], None, Vec::new())
    }

    #[test]
    fn one_line_a_cause() {
        insta::assert_snapshot!(written(&report("database-exists-log-forbidden")), @"
        ::error title=SKVS303 Job core/pds-database-create::the creation Job failed: container create exited 22%0AHits: flux-system/skvs-onboarding-iota--database%0AWhy: If the Job's last command is curl, status 22 means that CouchDB answered 400 or more: have the Job print the answer.%0AWhy: Its log was not read: forbidden (get pods/log in core). The reason is therefore unknown.%0ADo: Read the whole log, and fix the error in it:%0A  kubectl logs -n core job/pds-database-create --all-containers --context prod-east%0AMore: kubectl skvs explain SKVS303
        ::warning title=SKVS302 Database pds_database::2 onboardings claim the database pds_database%0AHits: flux-system/skvs-onboarding-iota--database%0AWhy: Only one of them can create it.%0ADo: Keep one. Remove the other, and give its team another database or add its service accounts to the remaining onboarding.%0A  kubectl skvs list -A -o wide --database pds_database --context prod-east%0AMore: kubectl skvs explain SKVS302
        ::notice title=not checked::the log of the creation Job (forbidden: get pods/log in core)
        ::notice title=not checked::CouchDB's Service (forbidden: get pods/log in core)
        1 onboarding, 1 error, 1 warning. 19 checks run in 0.2 s, 6 not run: the log of the creation Job, CouchDB's Service (forbidden: get pods/log in core)
        ");
    }

    /// What a runner makes of a line: the command, its title and its message.
    fn obeyed(line: &str) -> Option<(&str, String, String)> {
        let (head, message) = line.strip_prefix("::")?.split_once("::")?;
        let (command, title) = head.split_once(" title=")?;
        assert!(!title.contains([':', ',']), "{title}");
        let text = |t: &str| {
            t.replace("%3A", ":")
                .replace("%2C", ",")
                .replace("%0D", "\r")
                .replace("%0A", "\n")
                .replace("%25", "%")
        };
        Some((command, text(title), text(message)))
    }

    proptest! {
        #[test]
        fn no_text_breaks_out_of_its_line(title in any::<String>(), message in any::<String>()) {
            let mut out = Vec::new();
            line(&mut Screen::new(&mut out), "error", &title, &message).unwrap();
            let text = String::from_utf8(out).unwrap();
            let one = text.strip_suffix('\n').unwrap();
            prop_assert!(!one.contains(['\n', '\r']));
            let (command, read_title, read) = obeyed(one).unwrap();
            prop_assert_eq!(command, "error");
            prop_assert_eq!(read_title, crate::text::clean(&title).into_owned());
            prop_assert_eq!(read, crate::text::clean(&message).into_owned());
        }

        #[test]
        fn every_line_of_a_report_is_an_annotation_or_a_count(text in "(::|##\\[|%|\r|\n|error |add-mask|,|:|[a-z]){0,24}") {
            let mut report = report("database-exists-log-forbidden");
            for onboarding in &mut report.onboardings {
                onboarding.name.clone_from(&text);
                for not_run in &mut onboarding.not_run {
                    not_run.why.clone_from(&text);
                }
                for finding in &mut onboarding.findings {
                    finding.found.sentence.clone_from(&text);
                    finding.found.subject.name.clone_from(&text);
                    finding.found.fix.push(Step::Text(text.clone()));
                    finding.found.fix.push(Step::Command(Command::new([&text]).at(&Origin::default())));
                }
            }
            let report = Report::new(report.onboardings, None, Vec::new());
            let all = written(&report);
            let lines: Vec<&str> = all.lines().collect();
            let (last, commands) = lines.split_last().unwrap();
            prop_assert!(last.starts_with("1 onboarding") && !last.contains("##["), "{}", last);
            let not_run = report.onboardings.iter().flat_map(|onboarding| &onboarding.not_run);
            let parts: BTreeSet<&str> = not_run.map(|not_run| not_run.what.as_str()).collect();
            let expected = report.causes.len() + parts.len();
            prop_assert_eq!(commands.len(), expected, "{}", all);
            for command in commands {
                let name = obeyed(command).map(|(name, ..)| name);
                prop_assert!(matches!(name, Some("error" | "warning" | "notice")), "{}", command);
            }
        }
    }
}
