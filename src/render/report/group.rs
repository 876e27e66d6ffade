//! One cause with the onboardings that have it, and what is said of them together: each sentence and each command once.

use super::NAMES_MAX;
use crate::advice::Line;
use crate::diagnosis::{Step, registry};
use crate::view::report::{Cause, Finding, Onboarding, Report};

/// One cause with its findings.
pub(in crate::render) struct Group<'r> {
    pub(in crate::render) cause: &'r Cause,
    pub(in crate::render) members: Vec<(&'r Onboarding, &'r Finding)>,
}

/// A sentence or a command, ready to be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::render) enum Deed {
    Sentence(String),
    Command(String),
}

/// What to do, and for how many onboardings more there are commands of the same kind.
pub(in crate::render) struct Deeds {
    pub(in crate::render) all: Vec<Deed>,
    pub(in crate::render) others: usize,
}

impl<'r> Group<'r> {
    pub(in crate::render) fn new(report: &'r Report, cause: &'r Cause) -> Self {
        let member = |&(at, number): &(usize, usize)| {
            let onboarding = &report.onboardings[at];
            (onboarding, &onboarding.findings[number])
        };
        Self {
            cause,
            members: cause.places.iter().map(member).collect(),
        }
    }

    /// Of the first onboarding that has it.
    pub(in crate::render) fn finding(&self) -> &'r Finding {
        self.members[0].1
    }

    pub(in crate::render) fn is_shared(&self) -> bool {
        self.members.len() > 1
    }

    /// The steps of the fix.
    pub(in crate::render) fn fix(&self) -> Deeds {
        self.once(|finding| {
            let deed = |step: &Step<Line>| match step {
                Step::Text(sentence) => Deed::Sentence(sentence.clone()),
                Step::Manifest(change) => Deed::Sentence(change.to_string()),
                Step::Command(line) => Deed::Command(line.to_string()),
            };
            finding.found.fix.iter().map(deed).collect()
        })
    }

    /// What Flux does afterwards; the commands differ by onboarding.
    pub(in crate::render) fn then(&self) -> Deeds {
        self.once(|finding| {
            let then = finding.found.then.iter();
            then.flat_map(|then| {
                let commands = then.acts.iter();
                let commands = commands.map(|line| Deed::Command(line.to_string()));
                std::iter::once(Deed::Sentence(then.line.clone())).chain(commands)
            })
            .collect()
        })
    }

    fn once(&self, of: impl Fn(&Finding) -> Vec<Deed>) -> Deeds {
        let mut all: Vec<Deed> = Vec::new();
        for (_, finding) in self.members.iter().take(NAMES_MAX) {
            for deed in of(finding) {
                if !all.contains(&deed) {
                    all.push(deed);
                }
            }
        }
        let more = self.members.iter().skip(NAMES_MAX);
        let own = more.filter(|(_, f)| of(f).iter().any(|deed| !all.contains(deed)));
        let others = own.count();
        Deeds { all, others }
    }

    /// What follows from it: code and message; the rule's title where the messages differ.
    pub(in crate::render) fn follows(&self) -> Vec<(&'static str, &'r str)> {
        let follows = || self.members.iter().flat_map(|(_, f)| &f.follows);
        let mut all: Vec<(&'static str, &'r str)> = Vec::new();
        for one in follows() {
            if all.iter().any(|(code, _)| *code == one.code) {
                continue;
            }
            let same = follows().all(|f| f.code != one.code || f.message == one.message);
            let title = registry::find(one.code).map(|rule| rule.title);
            all.push(match title {
                Some(title) if !same => (one.code, title),
                _ => (one.code, &one.message),
            });
        }
        all
    }
}
