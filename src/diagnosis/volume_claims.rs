//! A claim for which Helm waits in vain: what its events and its class say about its volume.

mod held;

pub(super) use held::also;

use super::case::Case;
use super::finding::{Change, Evidence, Finding, Subject};
use crate::model::claim::{Claim, StorageClass, awaits_pod};
use crate::model::event::Event;
use crate::model::pod::Pod;
use crate::snapshot::{IfRead, WaitedClaim, why_not_all};
use crate::text::scrub::scrub;
use serde_json::json;

/// The claim, if it was read for the wait.
pub(super) fn waited<'a>(case: &Case<'a>, of: &Subject) -> Option<&'a WaitedClaim> {
    let related = case.related().if_read()?;
    let mut claims = related.claims.iter();
    claims.find(|claim| subject(claim) == *of)
}

fn subject(waited: &WaitedClaim) -> Subject {
    Subject::new("PersistentVolumeClaim", &waited.namespace, &waited.name)
}

/// The newest event of the claim.
fn newest(waited: &WaitedClaim) -> Option<&Event> {
    waited.events().if_read()?.known().last()
}

/// The class gives its claims a volume once a pod uses them.
fn late_class(waited: &WaitedClaim) -> bool {
    let class = waited.class().if_read();
    class.is_some_and(StorageClass::binds_late)
}

/// It gets its volume only once a pod uses it, as its newest event says or, without one, its class; no pod is known to use it.
pub(super) fn is_late(case: &Case<'_>, waited: &WaitedClaim) -> bool {
    let says = newest(waited).map(|event| awaits_pod(&event.reason));
    let is_pending = waited.claim().if_read().is_some_and(Claim::is_pending);
    is_pending && says.unwrap_or_else(|| late_class(waited)) && user(case, waited).is_none()
}

/// A pod that uses the claim.
fn user<'a>(case: &Case<'a>, waited: &WaitedClaim) -> Option<&'a Pod> {
    let pods = case.target_pods().if_read()?.known().iter();
    let mut own = pods.filter(|pod| pod.meta.namespace == waited.namespace);
    own.find(|pod| !pod.is_over() && pod.claims().any(|claim| claim == waited.name))
}

/// Adds what is known of the claim to the finding.
pub(super) fn tell(case: &Case<'_>, finding: Finding, waited: &WaitedClaim) -> Finding {
    let of = subject(waited);
    let claim = match waited.claim() {
        Ok(Some(claim)) => claim,
        Ok(None) => return finding.why(format!("{of} does not exist.")),
        Err(unread) => {
            let why = unread.why.clause();
            return finding.why(format!("{of} was not read: {why}."));
        }
    };
    let Some(phase) = claim.phase.as_str() else {
        return finding.why(format!(
            "Whether {of} has a volume is unknown: it does not say."
        ));
    };
    if !claim.is_pending() {
        return finding.why(format!("{of} is {phase} by now."));
    }
    let event = newest(waited);
    let finding = finding.seen(event.map(|event| {
        let said = format!("{}: {}", event.reason, event.message);
        Evidence::new(of.clone(), "events", said.trim_end_matches([':', ' ']))
    }));
    if is_late(case, waited) {
        return late(case, finding, waited, claim);
    }
    let user = user(case, waited).map(|pod| {
        format!(
            "{} uses it: its events say why it does not start.",
            Subject::from(&pod.meta)
        )
    });
    let finding = match event {
        Some(event) => finding.why(format!(
            "{of} has no volume: {}.",
            scrub(event.message.trim_end_matches(['.', ' '])).0
        )),
        None => finding.why(format!(
            "{of} has no volume, and no event says why{}.",
            unread(waited)
        )),
    };
    let class = waited.class().err();
    let class = class.filter(|unread| event.is_none() && !unread.is_not_needed());
    let class = class.map(|unread| {
        let why = unread.why.clause();
        format!(
            "Whether its StorageClass gives it a volume only once a pod uses it is unknown: {why}."
        )
    });
    finding.whys(user.as_deref()).whys(class.as_deref())
}

/// `; its events were not read: …`
fn unread(waited: &WaitedClaim) -> String {
    let why = why_not_all(waited.events());
    why.map_or_else(String::new, |why| {
        format!(" (not all were read: {})", why.clause())
    })
}

fn late(case: &Case<'_>, finding: Finding, waited: &WaitedClaim, claim: &Claim) -> Finding {
    let class = match claim.class() {
        Some(class) => format!("StorageClass {class}"),
        None => "Its class".to_owned(),
    };
    let finding = finding.why(format!(
        "{class} gives the claim a volume only once a pod uses it (WaitForFirstConsumer). Until then it stays Pending, and Helm waits for it in vain."
    ));
    let says = newest(waited).is_some_and(|event| awaits_pod(&event.reason));
    let unknown = why_not_all(case.target_pods()).filter(|_| !says);
    let unknown = unknown.map(|why| {
        let why = why.clause();
        format!("Whether a pod uses it by now is unknown: {why}.")
    });
    let elsewhere = waited.namespace != case.hr().release_namespace();
    let elsewhere = (elsewhere && !says).then_some(
        "Whether a pod uses it by now is unknown: the pods of its namespace were not read.",
    );
    let unread = unread(waited);
    let unread = (!says && !unread.is_empty())
        .then(|| format!("Whether its events say something else is unknown{unread}."));
    let is_sure = unknown.is_none() && elsewhere.is_none() && unread.is_none();
    let finding = finding
        .whys(unknown.as_deref())
        .whys(elsewhere)
        .whys(unread.as_deref());
    match is_sure {
        true => finding.why(
            "Nothing is wrong with the storage. Keep the claim: deleting it would change nothing.",
        ),
        false => finding.why("Keep the claim: deleting it would change nothing."),
    }
}

/// Adds what lets Helm end, where it waits for nothing but such claims.
pub(super) fn without_wait(finding: Finding) -> Finding {
    let change = |action: &str| {
        Change::new(
            "Helm need not wait for the claim",
            &["spec", action, "disableWait"],
            json!(true),
        )
    };
    finding
        .change(change("install"))
        .change(change("upgrade"))
        .step("Flux then waits for no object of the chart any more. Otherwise use a chart that creates the claim together with a pod that uses it, or a StorageClass with volumeBindingMode Immediate.")
}
