//! The same root cause once, with every onboarding that it hits.
//!
//! A cause is a code and a subject: one repository that refuses its credentials is one cause, also where the sentence about
//! it names the onboarding that waits for it.

use super::{Finding, Onboarding};
use crate::diagnosis::{Severity, Subject, registry};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::HashMap;

/// One root cause of one or more onboardings.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    pub code: &'static str,
    /// The worst of its findings.
    pub severity: Severity,
    pub subject: Subject,
    /// The findings' sentence, or the code's title with the subject where their sentences differ.
    pub message: String,
    /// The affected onboardings.
    pub onboardings: Vec<OnboardingName>,
    /// Where its findings are in the report: the onboarding's place and the finding's.
    #[serde(skip)]
    pub places: Vec<(usize, usize)>,
}

/// An onboarding's HelmRelease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OnboardingName {
    pub namespace: String,
    pub name: String,
}

impl OnboardingName {
    /// `namespace/name`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

/// The causes of these onboardings: worst first, then those that hit most.
pub(super) fn group(onboardings: &[Onboarding]) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    let mut known: HashMap<(&str, &Subject), usize> = HashMap::new();
    for (at, onboarding) in onboardings.iter().enumerate() {
        for (number, finding) in onboarding.findings.iter().enumerate() {
            let place = *known
                .entry((finding.code, &finding.found.subject))
                .or_insert_with(|| {
                    causes.push(Cause::new(finding));
                    causes.len() - 1
                });
            causes[place].add(onboarding, finding, (at, number));
        }
    }
    causes.sort_by_key(|c| (Reverse(c.severity), Reverse(c.places.len())));
    causes
}

impl Cause {
    fn new(finding: &Finding) -> Self {
        Self {
            code: finding.code,
            severity: finding.severity,
            subject: finding.found.subject.clone(),
            message: finding.found.sentence.clone(),
            onboardings: Vec::new(),
            places: Vec::new(),
        }
    }

    fn add(&mut self, onboarding: &Onboarding, finding: &Finding, place: (usize, usize)) {
        self.severity = self.severity.max(finding.severity);
        if self.message != finding.found.sentence
            && let Some(rule) = registry::find(finding.code)
        {
            self.message = format!("{}: {}", rule.title, self.subject);
        }
        self.onboardings.push(OnboardingName {
            namespace: onboarding.namespace.clone(),
            name: onboarding.name.clone(),
        });
        self.places.push(place);
    }
}
