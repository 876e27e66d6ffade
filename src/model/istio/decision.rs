//! What the policies of a pod decide together: CUSTOM, then DENY, then ALLOW.

use super::Pairs;
use super::matching::Match;
use super::policy::{Action, AuthorizationPolicy};
use super::request::Request;

/// The pod that is asked.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    pub namespace: &'p str,
    pub labels: &'p Pairs,
    /// The namespace whose policies apply in the whole mesh.
    pub root: &'p str,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// An ALLOW policy matches, and no other can refuse it.
    Allowed,
    Denied(String),
    Unknown(String),
}

/// Decides one request.
pub fn decide(
    policies: &[AuthorizationPolicy],
    place: Place<'_>,
    request: &Request<'_>,
) -> Decision {
    let (mut denied, mut doubt) = (None, None);
    let mut unread = None;
    let (mut allow, mut selected) = (Match::No, Match::No);
    let applies = |policy: &&AuthorizationPolicy| policy.is_of(place.namespace, place.root);
    for policy in policies.iter().filter(applies) {
        let id = policy.meta.id();
        let why = |why: &str| format!("{id}: {why}");
        let action = match policy.action() {
            Ok(action) => action,
            Err(reason) => {
                unread.get_or_insert_with(|| why(reason));
                continue;
            }
        };
        if policy.is_dry_run() {
            continue;
        }
        let selects = policy.selects(place.namespace, place.root, place.labels);
        let matches = Match::all([selects.clone(), policy.matches(request)]);
        match (action, matches) {
            (Action::Audit, _) | (Action::Deny | Action::Custom, Match::No) => {}
            (Action::Allow, matches) => {
                let matches = match matches {
                    Match::Unknown(reason) => Match::Unknown(why(&reason)),
                    known => known,
                };
                allow = Match::any([allow, matches]);
                selected = Match::any([selected, selects]);
            }
            (Action::Deny, Match::Yes) => {
                denied.get_or_insert_with(|| why("a DENY policy refuses it"));
            }
            (Action::Deny, Match::Unknown(reason)) => {
                doubt
                    .get_or_insert_with(|| format!("the DENY policy {id} may refuse it: {reason}"));
            }
            (Action::Custom, _) => {
                doubt.get_or_insert_with(|| why("an external authoriser (CUSTOM) decides"));
            }
        }
    }
    // A DENY that matches refuses whatever the others say.
    if let Some(why) = denied {
        return Decision::Denied(why);
    }
    if let Some(why) = unread {
        return Decision::Unknown(format!("a policy is not understood: {why}"));
    }
    match (allow, selected, doubt) {
        (Match::Yes, _, None) => Decision::Allowed,
        (Match::Yes, _, Some(why)) => Decision::Unknown(why),
        (Match::Unknown(why), ..) | (Match::No, Match::Unknown(why), _) => Decision::Unknown(why),
        (Match::No, Match::Yes, _) => {
            Decision::Denied("no ALLOW policy of the pods lets it in".to_owned())
        }
        // Istio lets everybody in then. A database's own policy is there in any other case.
        (Match::No, Match::No, _) => Decision::Unknown(
            "no ALLOW policy is for the pods: Istio keeps nobody out, and the onboarding's own policy is missing".to_owned(),
        ),
    }
}
