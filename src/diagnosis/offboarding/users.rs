//! Who uses the database: the accounts that are let in, the pods that run with them, other onboardings of the same database.

use super::evidence::{Left, left, others};
use super::{Facts, Part, State, Step};
use crate::model::field::Field;
use crate::model::helm_release::HelmRelease;
use crate::model::istio::request::Account;
use crate::model::ownership::RemainingPolicy;
use crate::snapshot::{Listing, Why};
use crate::text::{count, few, one_line};

/// Pods that are named at most.
const NAMED: usize = 3;

/// The accounts that policies let in, and those that the HelmRelease names.
pub fn accounts(policies: &[RemainingPolicy], hr: Option<&HelmRelease>) -> Listing<Account> {
    let mut accounts = Listing::whole(Vec::new());
    let mut add = |text: &str, shown: &str| match Account::parse(text) {
        Ok(account) if accounts.known().contains(&account) => {}
        Ok(account) => accounts.extend(Listing::whole(vec![account])),
        Err(_) => accounts.lacks(Some(Why::NotAsked(format!(
            "{} is not one service account",
            one_line(shown)
        )))),
    };
    for policy in policies {
        match &policy.principals {
            Field::Set(all) => {
                for principal in all {
                    // `cluster.local/ns/pds/sa/pds`
                    let account = principal.split_once("/ns/");
                    // Accounts of another mesh have pods that were not read.
                    let account = account.filter(|(domain, _)| *domain == "cluster.local");
                    let account = account.and_then(|(_, rest)| rest.split_once("/sa/"));
                    let account = account.map(|(namespace, name)| format!("{namespace}/{name}"));
                    add(account.as_deref().unwrap_or_default(), principal);
                }
            }
            Field::Absent => add("", &format!("who {} lets in", policy.object)),
            Field::Malformed => add("", &format!("what {} says", policy.object)),
        }
    }
    for account in hr.map(|hr| hr.values().accounts()).unwrap_or_default() {
        add(&account, &account);
    }
    accounts
}

pub(super) fn step(facts: &Facts) -> Step {
    let mut step = judged(facts);
    let every = facts.policies_of_every_database().into_iter();
    let mut open = every.filter(|policy| policy.anybody);
    if let Some(open) = open.next().filter(|_| step.is_done()) {
        let policy = one_line(&open.object);
        let verb = if open.surely { "lets" } else { "may let" };
        let says =
            format!("{policy} {verb} anybody in to every database, so who uses it is not known");
        step = Step::new(Part::Users, State::NotKnown, says).says(step.says);
    }
    let others = facts.others();
    step.says(others.iter().map(|by| format!("{by} uses it too")))
}

fn judged(facts: &Facts) -> Step {
    if let Some(hr) = facts.live().filter(|hr| hr.is_remote()) {
        let says = format!(
            "who is let in by HelmRelease {} is decided on another cluster, which was not read",
            one_line(&hr.id())
        );
        return Step::new(Part::Users, State::NotKnown, says);
    }
    let policies = facts.policies();
    let (policies, not_all) = match left(&policies) {
        Left::Nothing(gone) => {
            let says = "no policy of its own lets anybody in";
            return Step::new(Part::Users, State::Done(gone), says);
        }
        Left::NotKnown(why) => {
            let says = format!("who is let in is not known: {}", why.clause());
            return Step::new(Part::Users, State::NotKnown, says);
        }
        Left::Some(policies, not_all) => (policies, not_all),
    };
    let accounts = accounts(policies, facts.live());
    let names: Vec<String> = accounts.known().iter().map(ToString::to_string).collect();
    let not_all = accounts.not_all().or(not_all);
    let mut pods = Listing::new(Vec::new(), not_all.cloned());
    for account in accounts.known() {
        pods.extend(facts.pods_of(account));
    }
    let names = match names.as_slice() {
        [] => "an account that it lets in".to_owned(),
        names => names.join(", "),
    };
    match left(&pods) {
        Left::Nothing(gone) => {
            let says = format!("no pod runs as {names}");
            Step::new(Part::Users, State::Done(gone), says)
        }
        Left::NotKnown(why) => {
            let says = format!(
                "whether a pod runs as {names} is not known: {}",
                why.clause()
            );
            Step::new(Part::Users, State::NotKnown, says)
        }
        Left::Some(pods, not_all) => {
            let number = count(pods.len() as u64, "pod");
            let verb = if pods.len() == 1 { "runs" } else { "run" };
            let shown = one_line(&few(pods, ", ", NAMED));
            let says = format!("{number} {verb} as {names}: {shown}");
            Step::new(Part::Users, State::ToDo, says)
                .says(others(not_all))
                .acts([super::Act::Say(
                    "agree with the team: access ends with the HelmRelease".to_owned(),
                )])
        }
    }
}
