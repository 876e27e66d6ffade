//! Public bug reports that were chosen by a fixed rule: the first answer to each, kept as it was, and whether the present one is right.
//! They came in rounds; a round was collected when the program had been fixed using those before it.
//!
//! `first-try.yaml` is never changed. `not-yet.yaml` names the reports whose answer is not right now; the test fails when one of
//! them gets right as well as when another gets wrong. Both make docs/public-reports.md.

use crate::reports::{expected, faults, fixtures};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

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

/// A round of reports.
struct Round {
    name: &'static str,
    /// Below tests/fixtures.
    folder: &'static str,
    /// Reports at the least.
    least: usize,
}

const ROUNDS: [Round; 10] = [
    Round {
        name: "First round",
        folder: "unseen",
        least: 60,
    },
    Round {
        name: "Second round",
        folder: "unseen/second",
        least: 40,
    },
    Round {
        name: "Third round",
        folder: "unseen/third",
        least: 40,
    },
    Round {
        name: "Fourth round",
        folder: "unseen/fourth",
        least: 40,
    },
    Round {
        name: "Fifth round",
        folder: "unseen/fifth",
        least: 30,
    },
    Round {
        name: "Sixth round",
        folder: "unseen/sixth",
        least: 30,
    },
    Round {
        name: "Seventh round",
        folder: "unseen/seventh",
        least: 30,
    },
    Round {
        name: "Eighth round",
        folder: "unseen/eighth",
        least: 28,
    },
    Round {
        name: "Ninth round",
        folder: "unseen/ninth",
        least: 24,
    },
    Round {
        name: "Tenth round",
        folder: "unseen/tenth",
        least: 21,
    },
];

impl Round {
    fn path(&self) -> PathBuf {
        fixtures(self.folder)
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path().join(file)).unwrap()
    }

    fn first_try(&self) -> Vec<First> {
        serde_saphyr::from_str(&self.read("first-try.yaml")).unwrap()
    }

    /// What the answer to a report is worth that is not right now, by report.
    fn not_yet(&self) -> BTreeMap<String, NotYet> {
        let all: Vec<NotYet> = serde_saphyr::from_str(&self.read("not-yet.yaml")).unwrap();
        assert!(all.iter().all(|n| n.verdict != Verdict::Right));
        all.into_iter().map(|n| (n.report.clone(), n)).collect()
    }

    /// The folders with a report.
    fn reports(&self) -> BTreeSet<String> {
        std::fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.join("expected.yaml").exists())
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect()
    }
}

#[test]
fn the_answers_are_right_but_for_those_that_are_listed() {
    let mut wrong = Vec::new();
    for round in ROUNDS {
        let listed = round.not_yet();
        let mut faulty = BTreeSet::new();
        for report in round.reports() {
            let faults = faults(&round.path().join(&report));
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
        let right = listed.keys().filter(|r| !faulty.contains(*r));
        wrong.extend(right.map(|report| format!("== {report}: right by now, or no report")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_report_has_a_first_answer_and_is_in_the_list() {
    for round in ROUNDS {
        let list = round.read("README.md");
        let first = round.first_try();
        let judged: BTreeSet<String> = first.iter().map(|f| f.report.clone()).collect();
        assert_eq!(judged, round.reports());
        assert!(first.len() >= round.least, "{}", first.len());
        for First {
            report,
            source,
            verdict,
            why,
        } in &first
        {
            let path = round.path().join(report);
            assert_eq!(&expected(&path).source, source, "{report}");
            let row = format!("| {source} | ");
            let row = list.lines().find(|line| line.starts_with(&row)).unwrap();
            assert!(row.ends_with(&format!(" | `{report}` |")), "{row}");
            assert_eq!(*verdict == Verdict::Right, why.is_empty(), "{report}");
        }
        let used = list.lines().filter(|line| line.ends_with("` |")).count();
        assert_eq!(used, first.len());
    }
}

#[test]
fn no_round_repeats_a_report_of_another() {
    let mut seen = BTreeSet::new();
    for round in ROUNDS {
        for line in round.read("README.md").lines() {
            let source = line.strip_prefix("| ").and_then(|l| l.split(" | ").next());
            if let Some(source) = source.filter(|s| s.contains('#')) {
                assert!(seen.insert(source.to_owned()), "{source}");
            }
        }
    }
}

/// The counts of a round, as columns "first try" and "now".
fn counts(round: &Round) -> Vec<[String; 2]> {
    let (first, not_yet) = (round.first_try(), round.not_yet());
    let total = first.len();
    let share = |n: usize| format!("{n} ({} %)", (n * 200 + total) / (total * 2));
    let of = |verdict: Verdict| first.iter().filter(|f| f.verdict == verdict).count();
    let now = |verdict: Verdict| match verdict {
        Verdict::Right => total - not_yet.len(),
        other => not_yet.values().filter(|n| n.verdict == other).count(),
    };
    Verdict::ALL
        .map(|verdict| [share(of(verdict)), share(now(verdict))])
        .into()
}

/// What a first try should be, and whether the last one was.
fn aim() -> String {
    let first = ROUNDS.last().unwrap().first_try();
    let of = |verdict: Verdict| first.iter().filter(|f| f.verdict == verdict).count();
    let reached = of(Verdict::Right) * 100 >= 80 * first.len() && of(Verdict::Harmful) == 0;
    let missed = if reached { "reached" } else { "missed" };
    format!("It should be 80 % right and never\nharmful: the last round {missed} that.")
}

/// docs/public-reports.md.
fn page() -> String {
    let lists = ROUNDS.map(|round| {
        let (name, reports) = (round.name, round.first_try().len());
        let folder = round.folder;
        format!("- {name}: {reports} reports ([list](../tests/fixtures/{folder}/README.md))\n")
    });
    let mut out = format!(
        "# Public reports: first try and now\n\n\
        Public bug reports that neither a rule nor a test knew, chosen by a fixed rule: the list with the rule was written first, then the\n\
        inputs and the right answers, then the program was run once. Each round was collected after the program had been fixed using those\n\
        before it. The lists also name the reports that could not be used, and why. Generated; do not edit\n\
        (`BLESS=1 cargo test --test cli unseen`).\n\n\
        {}\n\
        \"First try\" was judged by reading the answers and is never changed. \"Now\" is what the tests find: the answer names one of the\n\
        causes that are right, says what it must, and says nothing harmful or false. The program was then fixed using these reports, so\nonly the first try predicts how it does on new ones. {}\n\n\
        | Answer |",
        lists.concat(),
        aim()
    );
    for round in &ROUNDS {
        let _ = write!(out, " {}, first try | now |", round.name);
    }
    out.push_str("\n|---|");
    out.push_str(&"---|---|".repeat(ROUNDS.len()));
    out.push('\n');
    let columns = ROUNDS.each_ref().map(counts);
    for (at, verdict) in Verdict::ALL.iter().enumerate() {
        let _ = write!(out, "| {} |", verdict.word());
        for column in &columns {
            let [first, now] = &column[at];
            let _ = write!(out, " {first} | {now} |");
        }
        out.push('\n');
    }
    out.push_str(
        "\n- right: the cause and what to do about it\n\
        - partly: the right area, but not the cause or not the remedy\n\
        - wrong: another cause, or none\n\
        - harmful: a remedy that would lose data, take a working onboarding down or hide the cause\n",
    );
    for round in ROUNDS {
        rows(&mut out, &round);
    }
    out
}

/// The reports of a round.
fn rows(out: &mut String, round: &Round) {
    let not_yet = round.not_yet();
    let _ = writeln!(
        out,
        "\n## {}\n\n| Report | Case | First try | Now |\n|---|---|---|---|",
        round.name
    );
    for f in &round.first_try() {
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
