//! One onboarding that is followed: how it was seen last, and whether that is news.

use super::Looked;
use crate::diagnosis::registry;
use crate::diagnosis::standing::{Standing, standing};
use crate::model::lookup::short;
use crate::view::report::{Finding, Onboarding};
use serde_json::Value;

/// One onboarding.
pub(super) struct Track {
    looked: Looked,
    standing: Standing,
    told: Option<Verdict>,
}

/// What makes one report differ from another: neither ages nor the names of pods.
#[derive(Clone, PartialEq, Eq)]
struct Verdict {
    ready: &'static str,
    standing: Standing,
    codes: Vec<&'static str>,
}

impl Track {
    pub(super) fn new(looked: Looked) -> Self {
        Self {
            standing: standing_of(&looked),
            looked,
            told: None,
        }
    }

    /// Takes a newer look; tells whether it is another verdict.
    pub(super) fn replace(&mut self, looked: Looked) -> bool {
        let changes = self.changes_with(&looked);
        self.standing = standing_of(&looked);
        self.looked = looked;
        changes
    }

    pub(super) fn changes_with(&self, looked: &Looked) -> bool {
        verdict(looked) != verdict(&self.looked)
    }

    pub(super) fn onboarding(&self) -> &Onboarding {
        &self.looked.onboarding
    }

    /// Its HelmRelease, as it was looked into last.
    pub(super) fn object(&self) -> &Value {
        &self.looked.object
    }

    /// Namespace and name.
    pub(super) fn id(&self) -> (String, String) {
        let metadata = &self.looked.hr.metadata;
        (metadata.namespace.clone(), metadata.name.clone())
    }

    pub(super) fn is_underway(&self) -> bool {
        self.standing == Standing::Underway
    }

    pub(super) fn is_stuck(&self) -> bool {
        self.standing == Standing::Stuck
    }

    /// Whether `object` is its HelmRelease in a version that has not been looked into.
    pub(super) fn is_changed_by(&self, object: &Value) -> bool {
        let same = |path: &str| object.pointer(path) == self.looked.object.pointer(path);
        same("/metadata/namespace") && same("/metadata/name") && !same("/metadata/resourceVersion")
    }

    /// `NAME: failing for 12s; namespace "core" does not exist [SKVS101], and 1 more`.
    pub(super) fn line(&self) -> String {
        let onboarding = &self.looked.onboarding;
        let known: Vec<&Finding> = known(onboarding).collect();
        let finding = match known[..] {
            [] => String::new(),
            [one] => format!("; {} [{}]", one.found.sentence, one.code),
            [first, ref more @ ..] => {
                let more = more.len();
                format!(
                    "; {} [{}], and {more} more",
                    first.found.sentence, first.code
                )
            }
        };
        format!("{}: {}{finding}", onboarding.name, onboarding.state)
    }

    /// The same for one line of a terminal: the name without its prefix, and the worst finding or the state.
    pub(super) fn brief(&self) -> String {
        let onboarding = &self.looked.onboarding;
        let name = short(&onboarding.name).unwrap_or(&onboarding.name);
        let worst = known(onboarding)
            .next()
            .map(|finding| &finding.found.sentence);
        format!("{name}: {}", worst.unwrap_or(&onboarding.state))
    }

    /// The line, where it has not been told since the last change.
    pub(super) fn news(&mut self) -> Option<String> {
        let verdict = verdict(&self.looked);
        if self.told.as_ref() == Some(&verdict) {
            return None;
        }
        self.told = Some(verdict);
        Some(self.line())
    }
}

/// The findings, worst first. An unrecognised cause is left out: the next look may recognise it.
fn known(onboarding: &Onboarding) -> impl Iterator<Item = &Finding> {
    let all = onboarding.findings.iter();
    all.filter(|finding| !registry::is_fallback(finding.code))
}

fn standing_of(looked: &Looked) -> Standing {
    standing(&looked.hr, &looked.onboarding.faults())
}

fn verdict(looked: &Looked) -> Verdict {
    let onboarding = &looked.onboarding;
    let roots = onboarding.findings.iter();
    Verdict {
        ready: onboarding.ready,
        standing: standing_of(looked),
        codes: roots
            .flat_map(|f| std::iter::once(f.code).chain(f.follows.iter().map(|f| f.code)))
            .collect(),
    }
}
