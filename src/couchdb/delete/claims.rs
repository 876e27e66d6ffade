//! What claims a database is a reason not to delete it, and so is everything that leaves it open.
//!
//! Asks nothing and judges nothing itself: whose a database is, is judged in [`crate::model::ownership`], for all commands alike.

use super::refusal::Refusal;
use crate::model::names::DatabaseName;
pub use crate::model::ownership::LookedAt as Unclaimed;
use crate::model::ownership::{Claimant, Gap, Ownership, Word};

/// What was looked at, where nothing claims the database and nothing is open.
///
/// # Errors
/// Every refusal; a release's revisions are not told beside a HelmRelease that claims.
pub fn judge(ownership: &Ownership, name: &DatabaseName) -> Result<Unclaimed, Vec<Refusal>> {
    let refusals: Vec<Refusal> = ownership
        .of(name.as_str())
        .into_iter()
        .map(refusal)
        .collect();
    if refusals.is_empty() {
        Ok(ownership.looked_at().clone())
    } else {
        Err(refusals)
    }
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
