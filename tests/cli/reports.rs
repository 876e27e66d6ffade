//! Inputs from public bug reports: what kubectl had saved, the cause that must come first, and what must not be said.
//!
//! One folder per report. `expected.yaml` names the source, or the report of the same kind where the input was made up, and the right answer; names are invented, texts are those of Flux, Helm,
//! Kubernetes and CouchDB.

use crate::run::skvs;
use serde::Deserialize;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    /// The reports, as `owner/repository#number`.
    pub(crate) source: String,
    /// A file that belongs to the input too, from the nearest folder `shared`.
    #[serde(default)]
    with: Option<String>,
    /// The onboarding that is asked for; without it all that are not well.
    #[serde(default)]
    name: Option<String>,
    /// The code of the first cause.
    #[serde(default)]
    code: Option<String>,
    /// Codes that would be right as well.
    #[serde(default, rename = "or")]
    others: Vec<String>,
    /// The exit code, where it is not that of an error that was found.
    #[serde(default)]
    exit: Option<i32>,
    says: Vec<String>,
    never: Vec<String>,
}

/// A folder of tests/fixtures.
pub(crate) fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(folder)
}

/// The right answer to the report in this folder.
pub(crate) fn expected(path: &Path) -> Expected {
    let text = std::fs::read_to_string(path.join("expected.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The file of that name in the nearest folder `shared` above a report.
fn shared(path: &Path, name: &str) -> PathBuf {
    let file = format!("shared/{name}.yaml");
    let mut files = path.ancestors().map(|folder| folder.join(&file));
    let found = files.find(|file| file.exists());
    found.unwrap_or_else(|| panic!("{}: no {file}", path.display()))
}

/// What is wrong with the answer to one report, and at last the answer.
pub(crate) fn faults(path: &Path) -> Vec<String> {
    let expected = expected(path);
    assert!(expected.source.contains('#'), "{}", path.display());
    let mut words = vec!["troubleshoot".to_owned()];
    words.extend(expected.name);
    let shared = expected.with.map(|with| shared(path, &with));
    let files = ["saved.yaml", "pods.log"].map(|file| path.join(file));
    for file in files.into_iter().chain(shared) {
        if file.exists() {
            words.extend(["-f".to_owned(), file.display().to_string()]);
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = skvs(&words).run();
    let text = format!("{}{}", said.stdout, said.stderr);
    let mut faults = Vec::new();
    let exit = expected.exit.unwrap_or(3);
    if said.code != Some(exit) {
        faults.push(format!("exit code {:?} instead of {exit}", said.code));
    }
    let first = text.lines().find_map(|line| {
        let (_, rest) = line.split_once('[')?;
        rest.starts_with("SKVS")
            .then(|| rest.split(']').next().unwrap_or_default())
    });
    let is_other = expected.others.iter().any(|code| first == Some(code));
    if first != expected.code.as_deref() && !is_other {
        faults.push(format!("first is {first:?} instead of {:?}", expected.code));
    }
    // A line may be folded.
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    faults.extend(
        expected
            .says
            .iter()
            .filter(|s| !flat.contains(*s))
            .map(|s| format!("does not say {s:?}")),
    );
    faults.extend(
        expected
            .never
            .iter()
            .filter(|s| flat.contains(*s))
            .map(|s| format!("says {s:?}")),
    );
    if !faults.is_empty() {
        faults.push(text);
    }
    faults
}

#[test]
fn every_report_has_its_right_answer() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for entry in std::fs::read_dir(fixtures("reports")).unwrap() {
        let path = entry.unwrap().path();
        seen += 1;
        let faults = faults(&path);
        if !faults.is_empty() {
            wrong.push(format!("== {}\n{}", path.display(), faults.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen >= 12, "{seen}");
}

#[test]
fn a_reader_that_goes_away_does_not_take_the_verdict() {
    let saved = fixtures("reports").join("creation-pod-evicted/saved.yaml");
    let run = skvs(&["troubleshoot", "-f", &saved.display().to_string()]);
    assert_eq!(run.run_without_reader().code, Some(3));
}
