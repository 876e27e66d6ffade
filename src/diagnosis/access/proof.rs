//! From the links to the answer.

use super::links::{Enforced, Exists, Identity, Installed, Route, Sends, Settings, Undisturbed};
use super::{Doubt, Facts, Judgement, Methods, No, Verdict, policy_effects};
use crate::model::istio::decision::Decision;
use crate::model::istio::policy::AuthorizationPolicy;
use crate::model::istio::request::{Asked, Place, USE};
use crate::snapshot::Read;

/// Evidence for each link. A yes needs all of them.
#[derive(Clone, Debug)]
pub struct Proof {
    _installed: Installed,
    _exists: Exists,
    _route: Route,
    _enforced: Enforced,
    _settings: Settings,
    _identity: Identity,
    _sends: Sends,
    _undisturbed: Undisturbed,
    _admitted: Admitted,
}

/// The policies let every request pass.
#[derive(Clone, Debug)]
struct Admitted(());

/// What the policies do with the requests that using the database takes.
enum Outcome {
    Admitted(Admitted),
    Refused(String),
    Unknown(Doubt),
}

pub(super) fn judge(facts: &Facts) -> Judgement {
    let mut doubts = Vec::new();
    let mut noted = Noted(&mut doubts);
    let exists = noted.keep(Exists::check(facts));
    let installed = noted.keep(Installed::check(facts));
    // Where others may claim the database too, what the known ones were installed with is still worth looking at.
    let endpoint = super::endpoint(&facts.claimants, &facts.database).ok();
    let route = endpoint
        .as_ref()
        .and_then(|e| noted.keep(Route::find(facts, e)));
    let settings = noted.keep(Settings::check(&facts.mesh));
    let enforced = route
        .as_ref()
        .and_then(|r| noted.keep(Enforced::check(facts, r)));
    let identity = route
        .as_ref()
        .and_then(|r| noted.keep(Identity::check(facts, r)));
    let sends = noted.keep(Sends::check(facts));
    let undisturbed = endpoint
        .as_ref()
        .and_then(|e| noted.keep(Undisturbed::check(facts, e)));
    let (outcome, methods) = match &route {
        Some(route) => outcome(facts, route),
        None => (None, Methods::default()),
    };
    let policies = route
        .as_ref()
        .map_or(Vec::new(), |route| policy_effects::all(facts, route));
    let notes = policy_effects::notes(facts, &policies);
    let pods = route.iter().flat_map(Route::pods).collect();
    let admitted = match outcome {
        Some(Outcome::Admitted(admitted)) => Ok(admitted),
        Some(Outcome::Refused(why)) => Err(Some(why)),
        Some(Outcome::Unknown(doubt)) => {
            doubts.insert(0, doubt);
            Err(None)
        }
        None => Err(None),
    };
    let verdict = match (nobody(facts), admitted) {
        // Of a release on another cluster the accounts are there too.
        (Some(why), _) if installed.is_some() => Verdict::No(No::Nobody(why)),
        (Some(_), _) | (None, Err(None)) => Verdict::Unknown,
        (None, Err(Some(why))) => {
            // Who is refused with an identity need not have shown one, unless a policy asks for its absence.
            let is_shown = identity.is_some() && sends.is_some();
            let known = facts.policies.if_read().map_or(&[][..], Vec::as_slice);
            let needs_one = known.iter().any(AuthorizationPolicy::may_spare_nobody);
            match (&installed, &enforced, &settings, &undisturbed) {
                (Some(_), Some(_), Some(_), Some(_)) if is_shown || !needs_one => {
                    Verdict::No(No::Refused(why))
                }
                _ => Verdict::Unknown,
            }
        }
        (None, Ok(admitted)) => {
            let links = (
                installed,
                exists,
                route,
                enforced,
                settings,
                identity,
                sends,
                undisturbed,
            );
            match links {
                (
                    Some(installed),
                    Some(exists),
                    Some(route),
                    Some(enforced),
                    Some(settings),
                    Some(identity),
                    Some(sends),
                    Some(undisturbed),
                ) => Verdict::Yes(Box::new(Proof {
                    _installed: installed,
                    _exists: exists,
                    _route: route,
                    _enforced: enforced,
                    _settings: settings,
                    _identity: identity,
                    _sends: sends,
                    _undisturbed: undisturbed,
                    _admitted: admitted,
                })),
                _ => Verdict::Unknown,
            }
        }
    };
    Judgement {
        verdict,
        doubts,
        methods,
        policies,
        notes,
        endpoint,
        principal: facts.account.principal(facts.trust_domain()),
        pods,
    }
}

struct Noted<'d>(&'d mut Vec<Doubt>);

impl Noted<'_> {
    /// The link; without it the reason is noted, once.
    fn keep<T>(&mut self, link: Result<T, Doubt>) -> Option<T> {
        match link {
            Ok(link) => Some(link),
            Err(doubt) => {
                if !self.0.contains(&doubt) {
                    self.0.push(doubt);
                }
                None
            }
        }
    }
}

/// Seen that nobody can be the account.
fn nobody(facts: &Facts) -> Option<String> {
    let account = &facts.account;
    if facts.client.namespace.is_absent() {
        return Some(format!(
            "the namespace {} does not exist",
            account.namespace
        ));
    }
    let is_absent = facts.client.service_account.is_absent();
    is_absent.then(|| format!("the service account {account} does not exist"))
}

fn outcome(facts: &Facts, route: &Route) -> (Option<Outcome>, Methods) {
    const WHAT: &str = "what the policies say";
    let policies = match &facts.policies {
        Read::Seen(policies) => policies,
        Read::Absent => {
            let doubt = Doubt::new(WHAT, "Istio's AuthorizationPolicies do not exist here");
            return (Some(Outcome::Unknown(doubt)), Methods::default());
        }
        Read::Unknown(why) => {
            let doubt = Doubt::new("the AuthorizationPolicies", why.clause());
            return (Some(Outcome::Unknown(doubt)), Methods::default());
        }
    };
    let mut methods = Methods::default();
    let (mut refused, mut unknown) = (None, None);
    let all = USE.map(|asked| (asked, route.decide(facts, policies, asked)));
    for (Asked { method, .. }, decision) in &all {
        match decision {
            Decision::Allowed => {}
            Decision::Denied(why) => {
                refused.get_or_insert(why);
            }
            Decision::Unknown(why) => {
                unknown.get_or_insert(why);
            }
        }
        let own = all.iter().filter(|(asked, _)| asked.method == *method);
        let mut own = own.map(|(_, decision)| decision);
        let is_allowed = |decision: &Decision| *decision == Decision::Allowed;
        let list = if own.clone().all(is_allowed) {
            &mut methods.allowed
        } else if own.clone().any(|d| matches!(d, Decision::Denied(_))) {
            match own.all(|d| matches!(d, Decision::Denied(_))) {
                true => &mut methods.refused,
                false => &mut methods.partly,
            }
        } else {
            &mut methods.unknown
        };
        if !list.contains(method) {
            list.push(method);
        }
    }
    let outcome = match (refused, unknown) {
        // What is asked in one place only says nothing of the other.
        (Some(why), _) if methods.partly.is_empty() => Outcome::Refused(why.clone()),
        (Some(why), _) => Outcome::Refused(match only_refused(&all) {
            Some(Place::Database) => format!(
                "for /{0} itself, not for what is below it: {why}",
                facts.database
            ),
            Some(Place::Below) => format!(
                "for what is below /{0}, not for it itself: {why}",
                facts.database
            ),
            None => why.clone(),
        }),
        (None, Some(why)) => Outcome::Unknown(Doubt::new(WHAT, why.clone())),
        (None, None) => Outcome::Admitted(Admitted(())),
    };
    (Some(outcome), methods)
}

/// The place in which alone something is refused, where the other one is let in with the same methods.
fn only_refused(all: &[(Asked, Decision)]) -> Option<Place> {
    let refused = |place: Place| {
        let own = all.iter().filter(move |(asked, _)| asked.place == place);
        own.filter(|(_, decision)| matches!(decision, Decision::Denied(_)))
            .count()
    };
    let admitted = |place: Place| {
        let mut own = all.iter().filter(|(asked, _)| asked.place == place);
        own.all(|(_, decision)| *decision == Decision::Allowed)
    };
    let both = [
        (Place::Database, Place::Below),
        (Place::Below, Place::Database),
    ];
    let found = both
        .into_iter()
        .find(|(one, other)| refused(*one) > 0 && admitted(*other));
    found.map(|(one, _)| one)
}
