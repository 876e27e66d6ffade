//! The HelmRelease itself: there, being deleted, or gone. Flux uninstalls the release with it.

use super::evidence::{Left, left};
use super::{Act, Facts, Part, State, Step, after};
use crate::advice::Command;
use crate::model::helm_release::{GROUP, HelmRelease, PLURAL};
use crate::text::one_line;

/// Flux's own finalizer: it uninstalls the release first.
const FINALIZER: &str = "finalizers.fluxcd.io";

/// Deletes it, which makes Flux uninstall the release.
fn delete(hr: &HelmRelease) -> Command {
    let kind = format!("{PLURAL}.{GROUP}");
    let words = ["kubectl", "delete", "-n", &hr.metadata.namespace, &kind];
    Command::from(words).args([&hr.metadata.name])
}

fn skvs(verb: &str, hr: &HelmRelease) -> Command {
    Command::skvs([verb, "-n", &hr.metadata.namespace, &hr.metadata.name])
}

pub(super) fn step(facts: &Facts, before: &[Step]) -> Step {
    let own = facts.own();
    let hr = match left(&own) {
        Left::Nothing(gone) => {
            let says = match facts.subject.certain {
                true => format!(
                    "HelmRelease {} does not exist",
                    one_line(&facts.subject.id.to_string())
                ),
                false => "no HelmRelease of any namespace claims the database".to_owned(),
            };
            return Step::new(Part::HelmRelease, State::Done(gone), says);
        }
        Left::NotKnown(why) => {
            let says = format!("whether it exists is not known: {}", why.clause());
            return Step::new(Part::HelmRelease, State::NotKnown, says);
        }
        Left::Some(own, _) => own[0],
    };
    let id = one_line(&hr.id());
    let step = match &hr.metadata.deletion_timestamp {
        Some(since) => deleted(hr, &one_line(since)),
        None => present(hr, facts, before),
    };
    let remote = hr.is_remote().then(|| {
        format!("the release of {id} is on another cluster (spec.kubeConfig): look there for what remains")
    });
    step.says(remote)
}

/// Why nothing may remove it yet: Flux leaves the release of a suspended one where it is.
pub(super) fn suspended(facts: &Facts) -> Option<(String, Act)> {
    let hr = facts.live()?;
    let is_suspended = hr.spec.suspend && hr.metadata.deletion_timestamp.is_none();
    let id = one_line(&hr.id());
    is_suspended.then(|| {
        let says = format!(
            "HelmRelease {id} is suspended: removed like that, its release and the policy would stay"
        );
        (says, Act::Run(skvs("resume", hr)))
    })
}

/// It exists, and nobody has deleted it.
fn present(hr: &HelmRelease, facts: &Facts, before: &[Step]) -> Step {
    let id = one_line(&hr.id());
    let step = |state, says: String| Step::new(Part::HelmRelease, state, says);
    if let Some((says, resume)) = suspended(facts) {
        return step(State::Blocked, says).acts([resume]);
    }
    if let Err(first) = after(before, &[Part::Manifest]) {
        return step(
            State::Blocked,
            format!("HelmRelease {id} exists and {first}"),
        );
    }
    let mut kustomization = before.iter().filter(|s| s.part == Part::Kustomization);
    let held = kustomization.find(|s| !s.is_done());
    match held.map(|step| &step.state) {
        Some(State::NotKnown) => {
            let says = format!(
                "HelmRelease {id} exists and waits for {}",
                Part::Kustomization.words()
            );
            step(State::Blocked, says)
        }
        Some(_) if !super::pruning::is_by_hand(facts) => {
            let says = format!("HelmRelease {id} exists; the Kustomization removes it");
            step(State::Blocked, says)
        }
        Some(_) | None => {
            let says = format!("HelmRelease {id} exists, and no Kustomization removes it");
            step(State::ToDo, says).acts([Act::Run(delete(hr))])
        }
    }
}

/// It waits for its finalizers.
fn deleted(hr: &HelmRelease, since: &str) -> Step {
    let id = one_line(&hr.id());
    let step = |state, says: String| {
        Step::new(Part::HelmRelease, state, says).acts([Act::Run(skvs("troubleshoot", hr))])
    };
    let foreign = hr.metadata.finalizers.iter().find(|f| *f != FINALIZER);
    if let Some(finalizer) = foreign {
        let finalizer = one_line(finalizer);
        let says =
            format!("HelmRelease {id} was deleted at {since}; the finalizer {finalizer} holds it");
        return step(State::Blocked, says);
    }
    let failed = ["Released", "Ready"]
        .into_iter()
        .filter_map(|kind| hr.condition(kind))
        .find(|c| c.reason == "UninstallFailed");
    if let Some(condition) = failed {
        let message = one_line(&condition.message);
        let says = format!(
            "HelmRelease {id} was deleted at {since}, and Flux cannot uninstall its release: {message}"
        );
        return step(State::Blocked, says);
    }
    if hr.spec.suspend {
        let says = format!(
            "HelmRelease {id} was deleted at {since} while it is suspended: Flux leaves its release and the policy"
        );
        return Step::new(Part::HelmRelease, State::ToDo, says)
            .acts([Act::Run(skvs("resume", hr))]);
    }
    let says = format!("HelmRelease {id} was deleted at {since}; Flux uninstalls its release");
    step(State::ToDo, says)
}
