//! What `troubleshoot` tells: per onboarding its state, its findings, and which checks were run and which not.
//!
//! The same values go to json, yaml and text. All text in it is clean.

use super::description::API_VERSION;
use crate::diagnosis::retries::Then;
use crate::diagnosis::{Case, Diagnosis, Evidence, Root, Severity, Step, Subject};
use crate::model::failure;
use crate::model::status::{self, Ready};
use crate::text::age;
use crate::text::one_line;
use serde::Serialize;

/// The whole report.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub api_version: &'static str,
    pub kind: &'static str,
    /// How many onboardings these were chosen from; absent when they were named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub considered: Option<Considered>,
    /// Findings that are errors; one that hits several onboardings counts once.
    pub errors: u64,
    /// The same of warnings.
    pub warnings: u64,
    /// What was not looked at for any of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_run: Vec<NotRun>,
    pub onboardings: Vec<Onboarding>,
}

/// The list that the onboardings were chosen from.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Considered {
    pub onboardings: u64,
    /// `None`: all namespaces.
    pub namespace: Option<String>,
}

/// One onboarding.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Onboarding {
    pub namespace: String,
    pub name: String,
    /// The database its values claim; null when they do not tell.
    pub database: Option<String>,
    pub ready: &'static str,
    /// One clause: `failing for 45s, Flux has stopped retrying`.
    pub state: String,
    pub findings: Vec<Finding>,
    pub checks_run: usize,
    pub not_run: Vec<NotRun>,
}

/// One finding that nothing else explains.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub code: &'static str,
    pub slug: &'static str,
    pub severity: Severity,
    pub message: String,
    pub subject: Subject,
    pub why: Vec<String>,
    pub evidence: Vec<Evidence>,
    pub fix: Vec<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<Then>,
    /// What follows from it.
    pub follows: Vec<Follows>,
}

/// A finding that follows from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Follows {
    pub code: &'static str,
    pub message: String,
    pub evidence: Vec<Evidence>,
}

/// A part that was not looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotRun {
    /// The checks that would have.
    pub codes: Vec<&'static str>,
    pub what: String,
    pub why: String,
}

impl Report {
    /// From the onboardings, worst first.
    pub fn new(
        mut onboardings: Vec<Onboarding>,
        considered: Option<Considered>,
        not_run: Vec<NotRun>,
    ) -> Self {
        onboardings.sort_by(|a, b| {
            let worst = |o: &Onboarding| o.findings.iter().map(|f| f.severity).max();
            worst(b)
                .cmp(&worst(a))
                .then_with(|| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)))
        });
        let count = |severity| {
            let mut counted: Vec<&Finding> = Vec::new();
            let all = onboardings.iter().flat_map(|o| &o.findings);
            for finding in all.filter(|f| f.severity == severity) {
                if !counted.iter().any(|c| c.is_same_as(finding)) {
                    counted.push(finding);
                }
            }
            counted.len() as u64
        };
        Self {
            api_version: API_VERSION,
            kind: "TroubleshootReport",
            considered,
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            not_run,
            onboardings,
        }
    }

    /// Whether a finding is an error.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }
}

impl Onboarding {
    /// From a case and what came of it.
    pub fn new(case: &Case<'_>, diagnosis: Diagnosis) -> Self {
        let subject = case.subject();
        let mut not_run: Vec<NotRun> = Vec::new();
        for skipped in diagnosis.not_run {
            match not_run
                .iter_mut()
                .find(|n| n.what == skipped.what && n.why == skipped.why)
            {
                Some(same) => same.codes.push(skipped.code),
                None => not_run.push(NotRun {
                    codes: vec![skipped.code],
                    what: skipped.what,
                    why: skipped.why,
                }),
            }
        }
        Self {
            namespace: subject.namespace,
            name: subject.name,
            database: case.database(),
            ready: status::ready(case.hr()).word(),
            state: state(case),
            findings: diagnosis.roots.into_iter().map(Finding::new).collect(),
            checks_run: diagnosis.run.len(),
            not_run,
        }
    }

    /// The HelmRelease.
    pub fn subject(&self) -> Subject {
        Subject::new("HelmRelease", &self.namespace, &self.name)
    }
}

impl Finding {
    /// Whether it is the same cause, which another onboarding has too.
    pub fn is_same_as(&self, other: &Self) -> bool {
        (self.code, &self.subject, &self.message) == (other.code, &other.subject, &other.message)
    }

    fn new(root: Root) -> Self {
        let severity = root.severity();
        let follows = root.follows.into_iter().map(|(rule, finding)| Follows {
            code: rule.code,
            message: finding.sentence,
            evidence: finding.evidence,
        });
        Self {
            code: root.rule.code,
            slug: root.rule.slug,
            severity,
            message: root.finding.sentence,
            subject: root.finding.subject,
            why: root.finding.why,
            evidence: root.finding.evidence,
            fix: root.finding.fix,
            then: root.finding.then,
            follows: follows.collect(),
        }
    }
}

/// The onboarding's state in a clause, with how long it lasts where the status tells.
fn state(case: &Case<'_>) -> String {
    let hr = case.hr();
    let ready = status::ready(hr);
    let lasts = |since: Option<&str>| {
        case.seconds_since(since)
            .map_or(String::new(), |s| format!(" for {}", age::duration(s)))
    };
    let since = lasts(
        hr.condition("Ready")
            .and_then(|c| c.last_transition_time.as_deref()),
    );
    let mut state = if hr.metadata.deletion_timestamp.is_some() {
        format!(
            "being deleted{}",
            lasts(hr.metadata.deletion_timestamp.as_deref())
        )
    } else if hr.spec.suspend {
        match ready {
            Ready::True => "suspended, Ready before".to_owned(),
            Ready::False => "suspended, failing before".to_owned(),
            Ready::Unknown => "suspended".to_owned(),
        }
    } else if status::is_unanswered(hr) {
        format!(
            "no answer from Flux{}",
            lasts(hr.metadata.creation_timestamp.as_deref())
        )
    } else if ready == Ready::True {
        format!("Ready{since}")
    } else if case.failure.is_some() {
        let retries = if failure::is_exhausted(hr) {
            "Flux has stopped retrying"
        } else {
            "Flux keeps trying"
        };
        format!("failing{since}, {retries}")
    } else {
        format!("in progress{since}")
    };
    if status::is_stale(hr) {
        state.push_str(", by a status older than the spec");
    }
    one_line(&state)
}
