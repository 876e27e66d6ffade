//! Who else may claim the database of a case.

use super::Case;
use crate::model::helm_release::HelmRelease;
use crate::model::ownership::{HelmReleases, may_claim};
use crate::snapshot::{Unread, Why};

impl<'a> Case<'a> {
    /// The other onboardings that claim the same database; empty too when the others are not known.
    pub fn rivals(&self) -> Vec<&'a HelmRelease> {
        let Ok(others) = self.others() else {
            return Vec::new();
        };
        let rivals = HelmReleases::of_onboardings(others).rivals(self.hr());
        let is_rival = |other: &&HelmRelease| rivals.contains(&other.id());
        others.iter().filter(is_rival).collect()
    }

    /// Other onboardings whose values were not read and may name the database.
    pub fn hidden_claims(&self) -> Vec<&'a HelmRelease> {
        let claim = self.hr().claim();
        let (Some(database), Ok(others)) = (claim.joined(), self.others()) else {
            return Vec::new();
        };
        others.iter().filter(|o| may_claim(o, database)).collect()
    }

    /// Why an onboarding that is not among the rivals may claim the database too; `None` when it is known that none does.
    pub fn unknown_claims(&self) -> Option<String> {
        if self.hr().claim().joined().is_none() {
            return Some("this onboarding's values do not name its database".to_owned());
        }
        if let Err(unread) = self.others() {
            return Some(unread.why.clause());
        }
        let hidden: Vec<String> = self
            .hidden_claims()
            .into_iter()
            .map(|o| self.name_of(o))
            .collect();
        let mut reasons = Vec::new();
        if !hidden.is_empty() {
            reasons.push(format!(
                "values of {} come from references that were not read",
                hidden.join(", ")
            ));
        }
        if let Err(Unread { why, .. }) = self.elsewhere() {
            reasons.push(match &why {
                Why::NotAsked(_) | Why::NotNeeded(_) => {
                    format!("none of those read does: {}", why.clause())
                }
                Why::Forbidden(_) | Why::Failed(_) | Why::Broken(_) => format!(
                    "none in {} does; other namespaces were not read: {}",
                    self.hr().metadata.namespace,
                    why.clause()
                ),
            });
        }
        (!reasons.is_empty()).then(|| crate::text::one_line(&reasons.join("; ")))
    }
}
