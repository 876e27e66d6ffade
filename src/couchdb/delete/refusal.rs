//! Why a database is not deleted, in words, each with what to do first.

use super::risk::{Risk, RiskKind};
use crate::advice::{Command, Hint, current_context};
use crate::model::not_read::NotRead;
use crate::model::ownership::{Claim, Claimant, Driver, Gap, Verdict};
use std::fmt;

/// One reason. No flag lifts any of them but a [`Refusal::Risk`], which has a name of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Something claims the database.
    Claimed(Box<Claim>),
    /// It is not known what claims it.
    Gap(Gap),
    /// A fact that could not be read.
    NotRead { what: String, why: String },
    /// What `--accept` takes when it is named.
    Risk(Risk),
    /// CouchDB fails to answer for the database.
    Unserved { why: String },
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
            Self::Claimed(claim) => claim.fmt(f),
            Self::Gap(gap) => gap.fmt(f),
            Self::NotRead { what, why } => write!(f, "{what} could not be read: {why}"),
            Self::Risk(risk) => f.write_str(&risk.what),
            Self::Member { member, why } => write!(
                f,
                "member {member} {why}; a deletion now would leave the data on its disk"
            ),
            Self::Unserved { why } => write!(
                f,
                "CouchDB cannot serve the database: {why}; its contents cannot be checked, and a deletion now may not reach all of it"
            ),
            Self::Changed { what } => write!(f, "since the plan was made, {what}"),
            Self::ByCouchDb { answer } => write!(f, "CouchDB did not delete it: {answer}"),
        }
    }
}

impl Refusal {
    /// Every reason in a verdict that is not "unclaimed": what must be accepted by name is among them, so that one look shows all.
    pub fn of_verdict(verdict: Verdict) -> Vec<Self> {
        let claims = verdict.claims.into_iter().map(Box::new).map(Self::Claimed);
        let gaps = verdict.gaps.into_iter().map(Self::Gap);
        let mentions = verdict.mentions.iter().map(Risk::mention).map(Self::Risk);
        claims.chain(gaps).chain(mentions).collect()
    }

    /// What to do first.
    pub fn hint(&self) -> Option<Hint> {
        match self {
            Self::NotRead { why, .. } | Self::Gap(Gap::Read(NotRead { why, .. })) => {
                return right(why).map(ask_for);
            }
            Self::Risk(risk) => return Some(risk.hint().into()),
            _ => {}
        }
        let hint = match self {
            Self::Claimed(claim) => return Some(remedy(claim)),
            Self::Gap(Gap::NoHelmReleases | Gap::NoOnboardings { .. }) => {
                return Some(current_context().after("is this the right cluster?"));
            }
            Self::Member { .. } => Some("bring the member back, then run this again"),
            Self::Unserved { .. } => {
                Some("it is not gone: bring the members that hold it back, then run this again")
            }
            Self::Changed { .. } => Some("review the plan again: --dry-run shows it as it is now"),
            Self::Gap(Gap::Read(_))
            | Self::NotRead { .. }
            | Self::Risk(_)
            | Self::ByCouchDb { .. } => None,
        };
        hint.map(Hint::from)
    }

    /// Reads the guard that did not hold: whether it tells that documents were written, in place of anything else.
    pub fn written(guard: &str) -> Option<Self> {
        let (path, held) = guard.split_once(' ')?;
        let key = held.strip_prefix('"')?.split('"').next()?;
        let counts = ["doc_count", "doc_del_count", "update_seq", "purge_seq"];
        counts.contains(&key).then(|| {
            let what = format!("documents were written since the plan was made ({path}: {key})");
            Self::Risk(Risk::new(RiskKind::Writes, what))
        })
    }
}

/// What ends a claim.
fn remedy(claim: &Claim) -> Hint {
    if let Some(relabel) = claim.by.relabel() {
        return relabel
            .after("Helm does not find this revision, since its labels are gone; put them back:");
    }
    match &claim.by {
        Claimant::HelmRelease {
            suspended: true, ..
        } => "resume it first, since Flux leaves the release of a suspended HelmRelease behind; then remove its manifest from the GitOps repository, wait until it is gone, and run this again".into(),
        Claimant::HelmRelease { .. } => "remove its manifest from the GitOps repository, wait until it is gone, then run this again".into(),
        Claimant::Revision { managed: true, .. } => "its onboarding may use this database although its manifest names another one; remove the onboarding, and its revisions go with it".into(),
        Claimant::Revision {
            helm: (namespace, name),
            driver,
            ..
        } => {
            let text = match driver {
                Driver::Secret => "it has no HelmRelease any more; if it is not needed:",
                Driver::ConfigMap => {
                    "it has no HelmRelease; if it is not needed, with HELM_DRIVER=configmap set:"
                }
            };
            Command::new(["helm", "uninstall", "-n", namespace, name]).after(text)
        }
        Claimant::Policy { object } => Command::new([
            "kubectl",
            "edit",
            "authorizationpolicies.security.istio.io",
            "-n",
            &object.namespace,
            &object.name,
        ])
        .after("remove the rule with this path, or the whole policy:"),
        Claimant::Object { kind, id } => format!("remove {kind} {id}, then run this again").into(),
    }
}

/// The right that is missing, and all that this command needs.
fn ask_for(right: &str) -> Hint {
    Command::new(["kubectl", "apply", "-f", "docs/rbac/delete-db.yaml"]).after(format!(
        "ask for: {right}; all rights that this command needs:"
    ))
}

/// The right that is missing, where that is why: `list secrets in all namespaces`.
fn right(why: &str) -> Option<&str> {
    let right = why.strip_prefix("forbidden (")?.strip_suffix(')')?;
    let verb = right.split(' ').next()?;
    matches!(verb, "get" | "list" | "watch" | "create").then_some(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::Origin;

    #[test]
    fn a_right_that_is_missing_is_asked_for() {
        let hint = |why: &str| {
            let (what, why) = ("Helm's Secrets".to_owned(), why.to_owned());
            Refusal::NotRead { what, why }.hint()
        };
        let asked = hint("forbidden (list secrets in all namespaces)").unwrap();
        let line = asked.line(&Origin::default());
        assert!(
            line.as_str()
                .starts_with("ask for: list secrets in all namespaces;"),
            "{line}"
        );
        assert!(
            line.as_str()
                .ends_with(": kubectl apply -f docs/rbac/delete-db.yaml"),
            "{line}"
        );
        assert_eq!(hint("forbidden (no such user)"), None);
        assert_eq!(hint("timed out"), None);
    }

    #[test]
    fn a_guard_that_tells_of_writes_is_a_risk() {
        let written = |guard: &str| Refusal::written(guard).map(|r| r.hint());
        let hint = "stop the writer, then run this again; or take it on: --accept=writes";
        assert_eq!(
            written("/pds_database \"update_seq\":\"12-"),
            Some(Some(hint.into()))
        );
        assert_eq!(written("/pds_database \"db_name\":\"pds_database\""), None);
        assert_eq!(written("garbled"), None);
    }
}
