//! Why a database is not deleted, in words, each with what to do first.

use std::fmt;

/// One reason. No flag lifts any of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An object claims the database: `HelmRelease flux-system/x`, and what it calls it if not by its exact name.
    Claimed { by: String, database: String },
    /// A retained revision of a Helm release was installed with the database.
    ClaimedByRevision { by: String, database: String },
    /// An onboarding whose database is not known.
    ClaimNotKnown { by: String, why: String },
    /// The cluster knows no HelmReleases.
    NoHelmReleases,
    /// The cluster has HelmReleases, and none is an onboarding.
    NoOnboardings { looked_at: usize },
    /// A fact that could not be read.
    NotRead { what: String, why: String },
    /// A member of CouchDB's cluster that would keep the data.
    Member { member: String, why: String },
    /// Something is not as it was when the plan was made.
    Changed { what: String },
    /// CouchDB itself refused the DELETE.
    ByCouchDb { answer: String },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claimed { by, database } => write!(f, "{by} still claims {database}"),
            Self::ClaimedByRevision { by, database } => {
                write!(f, "{by} was installed with {database}")
            }
            Self::ClaimNotKnown { by, why } => {
                write!(f, "which database {by} claims is not known: {why}")
            }
            Self::NoHelmReleases => f.write_str(
                "this cluster has no HelmReleases, so what claims the database cannot be known",
            ),
            Self::NoOnboardings { looked_at } => write!(
                f,
                "there is no onboarding on this cluster ({looked_at} HelmReleases in all namespaces looked at)"
            ),
            Self::NotRead { what, why } => write!(f, "{what} could not be read: {why}"),
            Self::Member { member, why } => write!(
                f,
                "member {member} {why}; a deletion now would leave the data on its disk"
            ),
            Self::Changed { what } => write!(f, "since the plan was made, {what}"),
            Self::ByCouchDb { answer } => write!(f, "CouchDB did not delete it: {answer}"),
        }
    }
}

impl Refusal {
    /// What to do first.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Claimed { .. } => Some(
                "remove its manifest from the GitOps repository, wait until it is gone, then run this again",
            ),
            Self::ClaimedByRevision { .. } => Some(
                "its onboarding may use this database although its manifest names another one; remove the onboarding, and its revisions go with it",
            ),
            Self::ClaimNotKnown { .. } => {
                Some("set namespace and database in its spec.values, or remove it")
            }
            Self::NoHelmReleases | Self::NoOnboardings { .. } => {
                Some("is this the right cluster? kubectl config current-context")
            }
            Self::Member { .. } => Some("bring the member back, then run this again"),
            Self::Changed { .. } => Some("look at it anew: run this again"),
            Self::NotRead { .. } | Self::ByCouchDb { .. } => None,
        }
    }
}
