//! Claims because of which no node takes a pod: one that is being deleted, or has no volume. Nothing here may lead to the loss of data: before
//! a claim may go, its volume has to stay without it.

mod deleted;
mod unbound;

use super::subject;
use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Finding, Subject};
use crate::diagnosis::nodes::pods;
use crate::diagnosis::object_commands;
use crate::diagnosis::serving::SHOWN;
use crate::model::claim::Claim;
use crate::model::names::is_object_name;
use crate::model::pod::Pod;
use crate::snapshot::{IfRead, Listing, Related, WaitedClaim};
use crate::text::few;

/// The finding with the claims because of which no node takes its pods.
pub(in crate::diagnosis) fn also(case: &Case<'_>, finding: Finding) -> Finding {
    let is_shown = |pod: &Pod| {
        let pod = Subject::from(&pod.meta);
        finding.evidence.iter().any(|e| e.object == pod)
    };
    let webhook = case.webhook().if_read();
    let webhook = webhook.and_then(|webhook| webhook.pods().if_read());
    let webhook = webhook.into_iter().flat_map(Listing::known);
    let all = pods(case).chain(webhook.map(|found| &found.pod));
    let held: Vec<&Pod> = all.filter(|pod| pod.is_held_by_claims()).collect();
    // A finding shows only some of a workload's pods, and the claims of all have to be safe. Other pods are none of its business.
    let shown: Vec<&Pod> = held.iter().copied().filter(|pod| is_shown(pod)).collect();
    let is_near = |pod: &&Pod| is_shown(pod) || shown.iter().any(|own| own.is_sibling_of(pod));
    let held: Vec<&Pod> = held.into_iter().filter(is_near).collect();
    if held.is_empty() {
        return finding;
    }
    let related = match case.related() {
        Ok(Some(related)) => related,
        Ok(None) => return finding,
        Err(unread) if unread.is_not_needed() => return finding,
        Err(unread) => {
            return finding.why(format!(
                "The state of the pods' claims is unknown: {}.",
                unread.why.clause()
            ));
        }
    };
    let is_of = |waited: &&WaitedClaim| {
        let mut own = held
            .iter()
            .filter(|pod| pod.meta.namespace == waited.namespace);
        own.any(|pod| pod.claims().any(|claim| claim == waited.name))
    };
    let claims: Vec<&WaitedClaim> = related.claims.iter().filter(is_of).collect();
    let odd = held.iter().find(|pod| !pod.has_whole_volumes());
    let odd = odd.map(|pod| {
        format!(
            "Not all claims of {} are known: spec.volumes is malformed.",
            Subject::from(&pod.meta)
        )
    });
    of_claims(finding.whys(odd.as_deref()), &claims, related)
}

fn of_claims(finding: Finding, claims: &[&WaitedClaim], related: &Related) -> Finding {
    let finding = unknown(finding, claims);
    let finding = lost(finding, claims);
    let finding = bound(finding, claims);
    let finding = deleted::with_deleted(finding, claims);
    unbound::with_unbound(finding, claims, related)
}

/// Adds the claims whose volumes do not exist any more.
fn lost(finding: Finding, claims: &[&WaitedClaim]) -> Finding {
    let is_lost = |waited: &&WaitedClaim| waited.claim().if_read().is_some_and(Claim::is_lost);
    let lost: Vec<&WaitedClaim> = claims.iter().copied().filter(is_lost).collect();
    let [first, ..] = lost.as_slice() else {
        return finding;
    };
    let finding = finding
        .why(format!(
            "{} {} Lost: the volume that such a claim had no longer exists. Its data may still be in the storage system.",
            named(&lost),
            verb(lost.len())
        ))
        .step("Find out in the storage system whether the disk still exists, before the claim is deleted or created again. Its former volume is in spec.volumeName:");
    object_command(finding, first)
}

/// Adds that the scheduler's message is out of date where nothing is wrong with the claims.
fn bound(finding: Finding, claims: &[&WaitedClaim]) -> Finding {
    let is_well = |waited: &&WaitedClaim| {
        let claim = waited.claim().if_read();
        claim.is_some_and(|claim| claim.is_bound() && claim.meta.deleted.is_absent())
    };
    match claims {
        [] => finding,
        all if all.iter().all(is_well) => finding.why(format!(
            "{} {} Bound now, and not being deleted: the scheduler's message is older than that.",
            named(claims),
            verb(claims.len())
        )),
        _ => finding,
    }
}

/// `PersistentVolumeClaims n/a, n/b, n/c and 2 more`
fn named(claims: &[&WaitedClaim]) -> String {
    let names = claims.iter().map(|waited| subject(waited).id());
    kind_with("PersistentVolumeClaim", &names.collect::<Vec<_>>())
}

fn kind_with<T: AsRef<str>>(kind: &str, names: &[T]) -> String {
    let plural = if names.len() == 1 { "" } else { "s" };
    format!("{kind}{plural} {}", few(names, ", ", SHOWN))
}

fn verb(number: usize) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

/// Says of which claims it is not known how they are.
fn unknown(finding: Finding, claims: &[&WaitedClaim]) -> Finding {
    let mut whys: Vec<(String, Vec<&WaitedClaim>)> = Vec::new();
    for waited in claims {
        let why = match waited.claim() {
            Err(unread) => unread.why.clause(),
            Ok(Some(claim)) if claim.meta.deleted.is_malformed() => {
                "metadata.deletionTimestamp is malformed".to_owned()
            }
            Ok(Some(claim)) if claim.phase.as_str().is_none() => {
                "it does not say whether it has a volume".to_owned()
            }
            Ok(_) => continue,
        };
        match whys.iter_mut().find(|(own, _)| *own == why) {
            Some((_, same)) => same.push(waited),
            None => whys.push((why, vec![waited])),
        }
    }
    let absent: Vec<&WaitedClaim> = claims
        .iter()
        .copied()
        .filter(|waited| matches!(waited.claim(), Ok(None)))
        .collect();
    let absent = (!absent.is_empty()).then(|| match absent.len() {
        1 => format!("{} does not exist.", named(&absent)),
        _ => format!("{} do not exist.", named(&absent)),
    });
    let whys = whys
        .iter()
        .map(|(why, claims)| format!("The state of {} is unknown: {why}.", named(claims)));
    let whys: Vec<String> = whys.chain(absent).collect();
    finding.whys(whys.iter().map(String::as_str))
}

fn object_command(finding: Finding, waited: &WaitedClaim) -> Finding {
    finding.command(object_commands::describe(&subject(waited)))
}

/// Those that may go into a command.
fn valid<'n>(names: &[&'n str]) -> impl Iterator<Item = &'n str> {
    names.iter().copied().filter(|name| is_object_name(name))
}

#[cfg(test)]
mod tests;
