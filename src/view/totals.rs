//! The number of findings in a report of any kind.

use crate::diagnosis::Severity;
use serde::Serialize;

/// Findings by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Errors; one that several onboardings share counts once. Ignored findings are counted only in `ignored`.
    pub errors: u64,
    pub warnings: u64,
    pub infos: u64,
    /// How many of these are left out below because they are less severe than `--severity`.
    pub not_shown: u64,
    /// Findings that were ignored (`--ignore`).
    pub ignored: u64,
}

impl Totals {
    /// One more finding.
    pub fn add(&mut self, severity: Severity) {
        *match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Info => &mut self.infos,
        } += 1;
    }

    /// The number of findings of each severity, worst first.
    pub fn by_severity(&self) -> [(u64, Severity); 3] {
        [
            (self.errors, Severity::Error),
            (self.warnings, Severity::Warning),
            (self.infos, Severity::Info),
        ]
    }

    /// The worst severity, shown or not.
    pub fn worst(&self) -> Option<Severity> {
        let mut found = self.by_severity().into_iter().filter(|(n, _)| *n > 0);
        found.next().map(|(_, severity)| severity)
    }

    /// Sets how many of all findings are shown.
    pub fn show(&mut self, shown: usize) {
        let all: u64 = self.by_severity().iter().map(|(n, _)| n).sum();
        self.not_shown = all.saturating_sub(shown as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_counted_and_the_worst_stays_the_worst() {
        let mut totals = Totals::default();
        assert_eq!(totals.worst(), None);
        for severity in [Severity::Info, Severity::Warning, Severity::Info] {
            totals.add(severity);
        }
        totals.show(1);
        assert_eq!(
            (totals.not_shown, totals.worst()),
            (2, Some(Severity::Warning))
        );
        assert_eq!(totals.by_severity().map(|(n, _)| n), [0, 1, 2]);
    }
}
