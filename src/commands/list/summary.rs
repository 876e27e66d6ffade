//! How the onboardings of a list are, counted, and which of them are worst.

use crate::app::App;
use crate::model::helm_release::HelmRelease;
use crate::model::status::{self, Ready};
use crate::text::{Shown, count, thousands};
use crate::view::onboarding_counts::Counts;

/// The onboardings that were shown, counted.
#[derive(Default)]
pub(super) struct Summary(Counts);

impl Summary {
    pub(super) fn add(&mut self, hr: &HelmRelease) {
        self.0.add(hr);
    }

    /// Prints it on a terminal, unless nothing was counted; `all`: the number with those that were filtered out.
    pub(super) fn print(&self, app: &mut App, all: usize) {
        if app.ui.terminal().stderr
            && let Some(line) = self.line(all as u64)
        {
            app.ui.status(Shown::line(line));
        }
    }

    /// `22 onboardings: 9 ready, 12 failing, 1 unknown; 1 suspended`, or `12 of 22 onboardings: 12 failing`.
    fn line(&self, all: u64) -> Option<String> {
        let shown = self.0.total();
        if shown < 2 {
            return None;
        }
        let onboardings = match all > shown {
            true => format!("{} of {}", thousands(shown), count(all, "onboarding")),
            false => count(shown, "onboarding"),
        };
        Some(format!("{onboardings}: {}", self.0.states()))
    }
}

/// The key of `--failed-first`: what is not ready, then what is and wants a look all the same.
pub(super) fn worst_first(hr: &HelmRelease, shared: bool) -> (Ready, bool) {
    let wants_a_look = shared || hr.spec.suspend || hr.is_stale();
    (status::shown(hr), !wants_a_look)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn onboarding(ready: &str, suspend: bool) -> HelmRelease {
        let conditions = [json!({"type": "Ready", "status": ready})];
        HelmRelease::from_value(
            &json!({"metadata": {"generation": 1}, "spec": {"suspend": suspend}, "status": {"conditions": conditions}}),
        )
        .unwrap()
    }

    #[test]
    fn onboardings_are_counted_by_what_ready_says() {
        let mut summary = Summary::default();
        assert_eq!(summary.line(0), None);
        summary.add(&onboarding("True", false));
        assert_eq!(summary.line(1), None);
        summary.add(&onboarding("False", false));
        assert_eq!(
            summary.line(2).unwrap(),
            "2 onboardings: 1 ready, 1 failing"
        );
        summary.add(&onboarding("Unknown", true));
        assert_eq!(
            summary.line(1200).unwrap(),
            "3 of 1,200 onboardings: 1 ready, 1 failing, 1 unknown; 1 suspended"
        );
    }

    #[test]
    fn a_ready_that_is_about_an_older_spec_is_counted_as_stale_too() {
        let mut hr = onboarding("True", true);
        hr.metadata.generation = 2;
        hr.status.observed_generation = Some(1);
        let mut summary = Summary::default();
        summary.add(&hr);
        summary.add(&onboarding("True", false));
        assert_eq!(
            summary.line(2).unwrap(),
            "2 onboardings: 2 ready; 1 suspended, 1 stale"
        );
    }

    #[test]
    fn the_worst_come_first() {
        let key = |ready, suspended, shared| worst_first(&onboarding(ready, suspended), shared);
        let all = [
            key("False", true, false),
            key("False", false, false),
            key("Unknown", false, false),
            key("True", false, true),
            key("True", false, false),
        ];
        assert!(all.is_sorted());
        assert_eq!(key("True", true, false), key("True", false, true));
    }
}
