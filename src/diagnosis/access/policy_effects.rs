//! What each policy says of the account, for the report. Nothing is decided by it.

use super::Facts;
use super::links::Route;
use crate::model::istio::matching::Match;
use crate::model::istio::policy::{Action, AuthorizationPolicy};
use crate::model::istio::request::USE;
use crate::text::one_line;

/// What a policy does with the account's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    LetsIn,
    LetsInPartly,
    Refuses,
    RefusesPartly,
    /// An external authoriser decides.
    Custom,
    NoMatch,
    OtherPods,
    /// It is only tried, or only audits: nothing is decided by it.
    Nothing,
    Unknown,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyEffect {
    /// `namespace/name`.
    pub policy: String,
    pub action: Option<Action>,
    pub effect: Effect,
    /// Why the effect is not known.
    pub why: Option<String>,
    /// Paths of it that let into other databases as well.
    pub wide_paths: Vec<String>,
}

/// The policies that can apply to the pods: of their namespace and the mesh's root.
pub(super) fn all(facts: &Facts, route: &Route) -> Vec<PolicyEffect> {
    let policies = facts.policies.if_read().map_or(&[][..], Vec::as_slice);
    let applies = |policy: &&AuthorizationPolicy| {
        let mut stops = route.stops().iter();
        stops.any(|stop| policy.is_of(&stop.workload.meta.namespace, facts.root()))
    };
    let applying = policies.iter().filter(applies);
    applying
        .map(|policy| policy_effect(policy, facts, route))
        .collect()
}

fn policy_effect(policy: &AuthorizationPolicy, facts: &Facts, route: &Route) -> PolicyEffect {
    let (effect, why) = effect(policy, facts, route);
    let lets_in = matches!(effect, Effect::LetsIn | Effect::LetsInPartly);
    let wide = policy.wide_paths(facts.database.as_str());
    PolicyEffect {
        policy: one_line(&policy.meta.id()),
        action: policy.action().ok(),
        effect,
        why: why.map(|why| one_line(&why)),
        wide_paths: wide.filter(|_| lets_in).map(one_line).collect(),
    }
}

fn effect(policy: &AuthorizationPolicy, facts: &Facts, route: &Route) -> (Effect, Option<String>) {
    let action = match policy.action() {
        Ok(action) => action,
        Err(why) => return (Effect::Unknown, Some(why.to_owned())),
    };
    if policy.is_dry_run() || action == Action::Audit {
        return (Effect::Nothing, None);
    }
    let selects = |of: &super::links::Stop| {
        policy.selects(&of.workload.meta.namespace, facts.root(), &of.labels)
    };
    if route.stops().iter().all(|stop| selects(stop).is_no()) {
        return (Effect::OtherPods, None);
    }
    let cells = || {
        route.stops().iter().flat_map(move |stop| {
            USE.into_iter().map(move |asked| {
                let (_, request) = stop.request(facts, asked);
                Match::all([selects(stop), policy.matches(&request)])
            })
        })
    };
    let (all, any) = (Match::all(cells()), Match::any(cells()));
    let whole = all.is_yes();
    match (action, any) {
        (_, Match::No) => (Effect::NoMatch, None),
        (Action::Custom, _) => (Effect::Custom, None),
        (_, Match::Unknown(why)) => (Effect::Unknown, Some(why)),
        (Action::Deny, Match::Yes) if whole => (Effect::Refuses, None),
        (Action::Deny, Match::Yes) => (Effect::RefusesPartly, None),
        (_, Match::Yes) if whole => (Effect::LetsIn, None),
        (_, Match::Yes) => (Effect::LetsInPartly, None),
    }
}

/// What is worth knowing beside the answer.
pub(super) fn notes(facts: &Facts, policies: &[PolicyEffect]) -> Vec<String> {
    let mut notes = Vec::new();
    for claimant in facts.claimants.known().iter().filter(|c| c.is_stale) {
        let id = one_line(&claimant.id);
        notes.push(format!(
            "{id} was changed and this is not installed yet: the answer is about what is installed"
        ));
    }
    for said in policies {
        if let Some(path) = said.wide_paths.first() {
            let policy = &said.policy;
            notes.push(format!(
                "the path {path} of {policy} lets into other databases too"
            ));
        }
    }
    notes
}
