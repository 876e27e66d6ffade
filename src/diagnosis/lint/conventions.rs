//! What all onboardings have in common, by the user's flags and settings: `onboard` writes it and the rules expect it.

use crate::model::mark::Mark;
use crate::model::new_onboarding::Style;
use crate::repository::Layout;

/// The conventions of a repository.
#[derive(Clone, Debug)]
pub struct Conventions {
    pub layout: Layout,
    /// Where the HelmReleases of onboardings are.
    pub namespace: String,
    pub mark: Mark,
    /// The chart's source and version, where no other onboarding shows them.
    pub style: Style,
}

#[cfg(test)]
impl Conventions {
    /// The runbook's.
    pub(crate) fn runbook() -> Self {
        Self {
            layout: Layout::default(),
            namespace: "flux-system".to_owned(),
            mark: Mark::default(),
            style: Style::default(),
        }
    }
}
