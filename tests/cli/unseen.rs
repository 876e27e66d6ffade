//! Public bug reports that were chosen by a fixed rule: the first answer to each, kept as it was, and whether the present one is right.
//!
//! `first-try.yaml` is never changed. `not-yet.yaml` names the reports whose answer is not right now; the test fails when one of
//! them gets right as well as when another gets wrong. Both make docs/public-reports.md.

use crate::reports::{expected, faults, fixtures};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

/// What the first answer was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Right,
    Partly,
    Wrong,
    Harmful,
}

impl Verdict {
    const ALL: [Self; 4] = [Self::Right, Self::Partly, Self::Wrong, Self::Harmful];

    fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Partly => "partly",
            Self::Wrong => "wrong",
            Self::Harmful => "harmful",
        }
    }
}

/// The first answer to a report.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    report: String,
    source: String,
    verdict: Verdict,
    #[serde(default)]
    why: String,
}

/// A report whose answer is not right now.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NotYet {
    report: String,
    verdict: Verdict,
    why: String,
    /// What the test finds wrong with the answer, as it says it: another fault is a change for the worse.
    faults: Vec<String>,
}

fn first_try() -> Vec<First> {
    let text = std::fs::read_to_string(fixtures("unseen/first-try.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

/// What the answer to a report is worth that is not right now, by report.
fn not_yet() -> BTreeMap<String, NotYet> {
    let text = std::fs::read_to_string(fixtures("unseen/not-yet.yaml")).unwrap();
    let all: Vec<NotYet> = serde_saphyr::from_str(&text).unwrap();
    assert!(all.iter().all(|n| n.verdict != Verdict::Right));
    all.into_iter().map(|n| (n.report.clone(), n)).collect()
}

/// The folders with a report.
fn reports() -> BTreeSet<String> {
    std::fs::read_dir(fixtures("unseen"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("expected.yaml").exists())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn the_answers_are_right_but_for_those_that_are_listed() {
    let listed = not_yet();
    let mut wrong = Vec::new();
    let mut faulty = BTreeSet::new();
    for report in reports() {
        let faults = faults(&fixtures("unseen").join(&report));
        if faults.is_empty() {
            continue;
        }
        // The last one is the whole answer.
        let (answer, faults) = faults.split_last().unwrap();
        let known = listed.get(&report).map(|n| n.faults.as_slice());
        if known != Some(faults) {
            wrong.push(format!("== {report}\n{}\n{answer}", faults.join("\n")));
        }
        faulty.insert(report);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let right: Vec<&String> = listed.keys().filter(|r| !faulty.contains(*r)).collect();
    assert!(right.is_empty(), "right by now, or no report: {right:?}");
}

#[test]
fn every_report_has_a_first_answer_and_is_in_the_list() {
    let list = std::fs::read_to_string(fixtures("unseen/README.md")).unwrap();
    let first = first_try();
    let judged: BTreeSet<String> = first.iter().map(|f| f.report.clone()).collect();
    assert_eq!(judged, reports());
    assert!(first.len() >= 60, "{}", first.len());
    for First {
        report,
        source,
        verdict,
        why,
    } in &first
    {
        let path = fixtures("unseen").join(report);
        assert_eq!(&expected(&path).source, source, "{report}");
        let row = format!("| {source} | ");
        let row = list.lines().find(|line| line.starts_with(&row)).unwrap();
        assert!(row.ends_with(&format!(" | `{report}` |")), "{row}");
        assert_eq!(*verdict == Verdict::Right, why.is_empty(), "{report}");
    }
    let used = list.lines().filter(|line| line.ends_with("` |")).count();
    assert_eq!(used, first.len());
}

/// docs/public-reports.md.
fn page() -> String {
    let (first, not_yet) = (first_try(), not_yet());
    let total = first.len();
    let share = |n: usize| format!("{n} ({} %)", (n * 200 + total) / (total * 2));
    let of = |verdict: Verdict| first.iter().filter(|f| f.verdict == verdict).count();
    let mut out = format!(
        "# Public reports: first try and now\n\n\
        {total} public bug reports that neither a rule nor a test knew, chosen by a fixed rule: the list with the rule was written first, then \
        the\ninputs and the right answers, then the program was run once. [The list](../tests/fixtures/unseen/README.md) \
        also names the\nreports that could not be used, and why. Generated; do not edit (`BLESS=1 cargo test --test cli unseen`).\n\n\
        \"First try\" was judged by reading the answers and is never changed. \"Now\" is what the tests find: the answer names one of the\n\
        causes that are right, says what it must, and says nothing harmful or false. The program was then fixed using these reports, so\nonly the first try predicts how it does on new ones.\n\n\
        | Answer | First try | Now |\n|---|---|---|\n"
    );
    for verdict in Verdict::ALL {
        let now = match verdict {
            Verdict::Right => total - not_yet.len(),
            other => not_yet.values().filter(|n| n.verdict == other).count(),
        };
        let (word, then, now) = (verdict.word(), share(of(verdict)), share(now));
        let _ = writeln!(out, "| {word} | {then} | {now} |");
    }
    out.push_str(
        "\n- right: the cause and what to do about it\n\
        - partly: the right area, but not the cause or not the remedy\n\
        - wrong: another cause, or none\n\
        - harmful: a remedy that would lose data, take a working onboarding down or hide the cause\n\n\
        | Report | Case | First try | Now |\n|---|---|---|---|\n",
    );
    for f in &first {
        let mut verdict = f.verdict.word().to_owned();
        if !f.why.is_empty() {
            let _ = write!(verdict, ": {}", f.why);
        }
        let now = not_yet.get(&f.report).map_or("right".to_owned(), |n| {
            format!("{}: {}", n.verdict.word(), n.why)
        });
        let (repository, number) = f.source.split_once('#').unwrap();
        let _ = writeln!(
            out,
            "| [{}](https://github.com/{repository}/issues/{number}) | {} | {verdict} | {now} |",
            f.source, f.report
        );
    }
    out
}

#[test]
fn the_page_is_what_the_cases_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/public-reports.md");
    let page = page();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == page,
        "BLESS=1 cargo test --test cli unseen rewrites docs/public-reports.md"
    );
}
