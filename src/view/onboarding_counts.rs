//! Onboardings counted by how they are.

use crate::model::helm_release::HelmRelease;
use crate::model::status::{self, Ready};
use crate::text::thousands;
use serde::Serialize;

/// How many onboardings are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// READY is True.
    pub ready: u64,
    /// READY is False.
    pub failing: u64,
    /// READY is Unknown, or missing.
    pub unknown: u64,
    /// Onboardings that cannot be read, so it is not known whether they are ready.
    pub unreadable: u64,
    /// Suspended ones among all of them.
    pub suspended: u64,
    /// Those whose status is older than their spec, among all of them.
    pub stale: u64,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, hr: &HelmRelease) {
        match status::shown(hr) {
            Ready::True => self.ready += 1,
            Ready::False => self.failing += 1,
            Ready::Unknown => self.unknown += 1,
        }
        self.suspended += u64::from(hr.spec.suspend);
        self.stale += u64::from(hr.is_stale());
    }

    /// How many were counted.
    pub fn total(&self) -> u64 {
        self.ready + self.failing + self.unknown + self.unreadable
    }

    /// `9 ready, 12 failing, 1 unknown; 1 suspended`, without the states that nothing is in.
    pub fn states(&self) -> String {
        let list = |all: &[(u64, &str)]| {
            let some = all.iter().filter(|(n, _)| *n > 0);
            let some = some.map(|(n, word)| format!("{} {word}", thousands(*n)));
            some.collect::<Vec<_>>().join(", ")
        };
        let states = list(&[
            (self.ready, "ready"),
            (self.failing, "failing"),
            (self.unknown, "unknown"),
            (self.unreadable, "unreadable"),
        ]);
        let marks = list(&[(self.suspended, "suspended"), (self.stale, "stale")]);
        let all = [states, marks];
        let all = all.iter().filter(|part| !part.is_empty());
        all.map(String::as_str).collect::<Vec<_>>().join("; ")
    }
}
