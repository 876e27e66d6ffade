//! The report of `troubleshoot`, with its place and time: for each onboarding its state, its findings, and the checks that were run and not
//! run.
//!
//! The same values go to every format. All text in it is clean.

mod causes;
#[cfg(test)]
mod schema;

pub use causes::{Cause, OnboardingName};

use super::description::API_VERSION;
use super::totals::Totals;
use crate::advice::{Line, Origin};
use crate::diagnosis::chain::Chain;
use crate::diagnosis::install;
use crate::diagnosis::standing::Fault;
use crate::diagnosis::{self, Case, Diagnosis, Evidence, NotRun, Root, Severity, Subject};
use crate::model::failure;
use crate::model::status::{self, Ready};
use crate::text::age;
use crate::text::one_line;
use k8s_openapi::jiff::Timestamp;
use serde::Serialize;

/// The whole report.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub api_version: &'static str,
    pub kind: &'static str,
    /// How many onboardings these were chosen from; absent when they were named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub considered: Option<Considered>,
    /// Root causes.
    #[serde(flatten)]
    pub totals: Totals,
    /// Every root cause once, with the affected onboardings; worst first.
    pub causes: Vec<Cause>,
    /// Parts that were not checked for any of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_run: Vec<NotRun>,
    pub onboardings: Vec<Onboarding>,
    /// Where and when it was made, for the text alone: `context prod-east, https://10.20.0.1:6443, 2026-11-27 09:41 UTC`.
    #[serde(skip)]
    pub scene: Option<String>,
}

/// The list that the onboardings were chosen from.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Considered {
    pub onboardings: u64,
    /// `None`: all namespaces.
    pub namespace: Option<String>,
}

/// One onboarding.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Onboarding {
    pub namespace: String,
    pub name: String,
    /// The database that its values claim; null if they do not name one.
    pub database: Option<String>,
    pub ready: &'static str,
    /// One clause: `failing for 45s, Flux has stopped retrying`.
    pub state: String,
    /// Root causes, worst first.
    pub findings: Vec<Finding>,
    /// Findings left out because they are less severe than `--severity`.
    #[serde(skip_serializing_if = "is_zero")]
    pub not_shown: u64,
    /// Ignored findings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<Ignored>,
    /// How many checks were run.
    pub checks_run: usize,
    pub not_run: Vec<NotRun>,
    /// From the chart's source to the database, for `-o html` alone.
    #[serde(skip)]
    pub chain: Chain,
}

/// One finding that nothing else explains.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub code: &'static str,
    pub slug: &'static str,
    pub severity: Severity,
    #[serde(flatten)]
    pub found: diagnosis::Finding<Line, Line>,
    /// The findings that follow from it.
    pub follows: Vec<Follows>,
}

/// An ignored finding, with the findings that follow from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Ignored {
    pub code: &'static str,
    pub message: String,
}

/// A finding that follows from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Follows {
    pub code: &'static str,
    pub message: String,
    pub evidence: Vec<Evidence>,
}

impl Report {
    /// The list that the onboardings were chosen from, if it holds no onboarding.
    pub fn none_considered(&self) -> Option<&Considered> {
        self.considered.as_ref().filter(|c| c.onboardings == 0)
    }

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
        let causes = causes::group(&onboardings);
        let mut totals = Totals {
            ignored: onboardings.iter().map(|o| o.ignored.len() as u64).sum(),
            ..Totals::default()
        };
        causes.iter().for_each(|cause| totals.add(cause.severity));
        Self {
            api_version: API_VERSION,
            kind: "TroubleshootReport",
            considered,
            totals,
            causes,
            not_run,
            onboardings,
            scene: None,
        }
    }

    /// The same, made of this cluster at this time; `None` where nothing tells the time, as in what kubectl saved.
    #[must_use]
    pub fn seen_at(self, origin: &Origin, time: Option<Timestamp>) -> Self {
        let time = time.map(|t| t.strftime("%Y-%m-%d %H:%M UTC").to_string());
        let parts: Vec<String> = origin.place().into_iter().chain(time).collect();
        let scene = match parts.is_empty() {
            true => "saved files: cluster and time unknown".to_owned(),
            false => parts.join(", "),
        };
        Self {
            scene: Some(scene),
            ..self
        }
    }

    /// Leaves out what is less severe; the counts stay.
    pub fn show(&mut self, least: Severity) {
        for onboarding in &mut self.onboardings {
            let all = onboarding.findings.len();
            onboarding.findings.retain(|f| f.severity >= least);
            onboarding.not_shown += (all - onboarding.findings.len()) as u64;
        }
        self.causes = causes::group(&self.onboardings);
        self.totals.show(self.causes.len());
    }

    /// What was not looked at, of the onboardings and of the whole.
    pub fn all_not_run(&self) -> impl Iterator<Item = &NotRun> {
        let own = self.onboardings.iter().flat_map(|o| &o.not_run);
        own.chain(&self.not_run)
    }

    /// Every finding with its onboarding.
    pub fn findings(&self) -> impl Iterator<Item = (&Onboarding, &Finding)> {
        let all = self.onboardings.iter();
        all.flat_map(|o| o.findings.iter().map(move |f| (o, f)))
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Onboarding {
    /// From a case and what came of it.
    pub fn new(case: &Case<'_>, diagnosis: Diagnosis) -> Self {
        let subject = case.subject();
        let chain = Chain::judge(case, &diagnosis.roots);
        Self {
            namespace: subject.namespace,
            name: subject.name,
            database: case.database(),
            ready: status::shown(case.hr()).word(),
            state: state(case),
            findings: diagnosis
                .roots
                .into_iter()
                .map(|root| Finding::new(root, case.origin()))
                .collect(),
            not_shown: 0,
            ignored: Vec::new(),
            checks_run: diagnosis.run.len(),
            not_run: diagnosis.not_run,
            chain,
        }
    }

    /// Takes out the findings whose code is to be ignored, with what follows from them.
    pub fn ignore(&mut self, mut ignored: impl FnMut(&str) -> bool) {
        for mut finding in std::mem::take(&mut self.findings) {
            if ignored(finding.code) {
                self.ignored.push(Ignored {
                    code: finding.code,
                    message: finding.found.sentence,
                });
                continue;
            }
            for follows in std::mem::take(&mut finding.follows) {
                if ignored(follows.code) {
                    self.ignored.push(Ignored {
                        code: follows.code,
                        message: follows.message,
                    });
                } else {
                    finding.follows.push(follows);
                }
            }
            self.findings.push(finding);
        }
    }

    /// What its errors say about waiting for it.
    pub fn faults(&self) -> Vec<Fault> {
        let errors = self.findings.iter();
        let errors = errors.filter(|f| f.severity == Severity::Error);
        let by_manifest = |f: &Finding| f.found.then.as_ref().is_some_and(|t| t.by_manifest);
        errors
            .map(|f| Fault {
                by_manifest: by_manifest(f),
            })
            .collect()
    }

    /// The HelmRelease.
    pub fn subject(&self) -> Subject {
        Subject::new("HelmRelease", &self.namespace, &self.name)
    }
}

impl Finding {
    fn new(root: Root, origin: &Origin) -> Self {
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
            found: root.finding.at(origin),
            follows: follows.collect(),
        }
    }
}

/// The onboarding's state in a clause, with how long it lasts where the status tells.
fn state(case: &Case<'_>) -> String {
    let hr = case.hr();
    let ready = status::shown(hr);
    let lasts = |since: Option<&str>| {
        case.seconds_since(since)
            .map_or(String::new(), |s| format!(" for {}", age::duration(s)))
    };
    let since = lasts(
        hr.status
            .conditions
            .shown_of("Ready")
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
        let retries = if failure::has_stopped(hr) {
            "Flux has stopped retrying"
        } else {
            "Flux keeps trying"
        };
        format!("failing{since}, {retries}")
    } else if install::is_at_work(case) {
        format!("in progress{since}")
    } else {
        format!("READY {}{since}", ready.word())
    };
    if hr.is_stale() {
        state.push_str(", by a status older than the spec");
    }
    one_line(&state)
}
