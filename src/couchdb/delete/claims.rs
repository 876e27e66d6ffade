//! What claims a database is a reason not to delete it, and so is everything that leaves it open.
//!
//! Asks nothing and judges nothing itself: whose a database is, is judged in [`crate::model::ownership`], for all commands alike. Only
//! what a release that Helm calls uninstalled was installed with is no refusal: it is told as the last claim, and is a risk.

use super::past::PastRelease;
use super::refusal::Refusal;
use crate::model::names::DatabaseName;
use crate::model::ownership::{Claimant, Gap, LookedAt, Ownership, Word};

/// What was looked at and claims nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unclaimed {
    pub looked_at: LookedAt,
    /// Releases that were installed with it and uninstalled.
    pub past: Vec<PastRelease>,
}

/// What was looked at, where nothing claims the database and nothing is open.
///
/// # Errors
/// Every refusal; a release's revisions are not told beside a HelmRelease that claims.
pub fn judge(ownership: &Ownership, name: &DatabaseName) -> Result<Unclaimed, Vec<Refusal>> {
    let mut past = Vec::new();
    let mut refusals = Vec::new();
    for word in ownership.of(name.as_str()) {
        match past_release(ownership, &word) {
            Some(release) => past.push(release),
            None => refusals.push(refusal(word)),
        }
    }
    if refusals.is_empty() {
        let looked_at = ownership.looked_at().clone();
        Ok(Unclaimed { looked_at, past })
    } else {
        Err(refusals)
    }
}

/// The word of a release that is uninstalled.
fn past_release(ownership: &Ownership, word: &Word<'_>) -> Option<PastRelease> {
    let Word::Claimed { by, .. } = word else {
        return None;
    };
    let at = ownership.uninstalled(by)?.map(str::to_owned);
    let by = by.words();
    Some(PastRelease { by, at })
}

/// No word is left out: each one is a refusal.
fn refusal(word: Word<'_>) -> Refusal {
    match word {
        Word::Claimed { by, database } => {
            let (by, database, kept) = (
                by.words(),
                database.into_owned(),
                matches!(by, Claimant::Revision { .. }),
            );
            if kept {
                Refusal::ClaimedByRevision { by, database }
            } else {
                Refusal::Claimed { by, database }
            }
        }
        Word::Gap(gap) => match gap.into_owned() {
            Gap::Claim { by, why } => Refusal::ClaimNotKnown { by, why },
            Gap::Read { what, why } => Refusal::NotRead { what, why },
            Gap::NoHelmReleases => Refusal::NoHelmReleases,
            Gap::NoOnboardings { looked_at } => Refusal::NoOnboardings { looked_at },
        },
    }
}

#[cfg(test)]
mod tests;
