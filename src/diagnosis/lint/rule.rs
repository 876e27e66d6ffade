//! What a rule of `lint` is, and what it finds.

use super::onboarding::Onboarding;
use super::repository::Repository;
use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::finding::{Change, Step, Subject};
use crate::diagnosis::rule::Severity;
use crate::model::not_read::NotRead;
use crate::repository::Place;
use crate::text::one_line;
use serde_json::Value;

/// One rule: its texts, and a function that looks.
pub struct Rule {
    pub entry: Entry,
    pub check: Check,
}

/// What a rule looks at.
pub enum Check {
    /// Each onboarding on its own or beside the others.
    Onboarding(fn(&Onboarding<'_>, &Repository<'_>) -> Checked),
    /// What belongs to no onboarding: a kustomization, a manifest that is gone.
    Repository(fn(&Repository<'_>) -> Vec<Finding>),
}

/// The result of a check: its findings, and the parts that it could not look at. It is not a `Result`, so that `?` cannot end a check that
/// has found something: an unknown part is noted, and the check continues.
#[derive(Debug, Default)]
pub struct Checked {
    pub found: Vec<Finding>,
    pub not_checked: Vec<NotRead>,
}

impl Checked {
    /// Nothing was found, and everything was looked at.
    pub fn fine() -> Self {
        Self::default()
    }

    /// A part; if it is not known, this is noted.
    pub fn known<T>(&mut self, part: Result<T, NotRead>) -> Option<T> {
        part.map_err(|missing| self.skip(missing)).ok()
    }

    /// Notes a part that is not known, once.
    pub fn skip(&mut self, missing: NotRead) {
        if !self.not_checked.contains(&missing) {
            self.not_checked.push(missing);
        }
    }

    pub fn push(&mut self, finding: Finding) {
        self.found.push(finding);
    }

    /// With one more finding.
    #[must_use]
    pub fn with(mut self, finding: Finding) -> Self {
        self.push(finding);
        self
    }
}

/// One thing that is wrong at one place.
#[derive(Clone, Debug)]
pub struct Finding {
    pub file: String,
    pub place: Place,
    /// The HelmRelease, where it is about one.
    pub subject: Option<Subject>,
    /// The names by which `--ignore` may call it.
    pub called: Vec<String>,
    /// In place of the rule's.
    pub severity: Option<Severity>,
    pub sentence: String,
    pub why: Vec<String>,
    pub steps: Vec<Step>,
}

impl Finding {
    /// About a place in a file.
    pub fn new(file: &str, place: Place, sentence: impl AsRef<str>) -> Self {
        Self {
            file: file.to_owned(),
            place,
            subject: None,
            called: Vec::new(),
            severity: None,
            sentence: one_line(sentence.as_ref()),
            why: Vec::new(),
            steps: Vec::new(),
        }
    }

    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    #[must_use]
    pub fn why(mut self, sentence: impl AsRef<str>) -> Self {
        self.why.push(one_line(sentence.as_ref()));
        self
    }

    #[must_use]
    pub fn step(mut self, sentence: impl AsRef<str>) -> Self {
        self.steps.push(Step::Text(one_line(sentence.as_ref())));
        self
    }

    /// One field and its value, as exact as a command.
    #[must_use]
    pub fn change(mut self, reason: &str, path: &[&str], value: Value) -> Self {
        let change = Change::new(reason, path, value);
        self.steps.push(Step::Manifest(change));
        self
    }
}
