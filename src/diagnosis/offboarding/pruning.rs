//! The Kustomization that applies the manifest, and whether it removes the HelmRelease once the manifest is gone.

use super::evidence::{Left, left, others};
use super::{Act, Facts, Part, State, Step, after};
use crate::advice::Command;
use crate::model::convention;
use crate::model::field::Field;
use crate::model::helm_release::{GROUP, HelmRelease, KIND};
use crate::model::kustomization::{self, Kustomization, LABELS};
use crate::snapshot::{Listing, Read, Why};
use crate::text::one_line;

/// Labels or annotations of an object that Flux does not remove.
const KEPT: [&str; 2] = [
    "kustomize.toolkit.fluxcd.io/prune",
    "kustomize.toolkit.fluxcd.io/reconcile",
];

/// What Flux takes for "no" there.
const DISABLED: &str = "disabled";

/// A Kustomization that has applied the HelmRelease.
struct Holder<'f> {
    kustomization: &'f Kustomization,
    /// Why it will not remove it.
    obstacle: Option<Obstacle>,
    /// Why that is not known.
    unknown: Option<String>,
}

struct Obstacle {
    says: String,
    acts: Vec<Act>,
    /// It leaves the HelmRelease to the user.
    by_hand: bool,
}

/// Whether the HelmRelease has to be deleted by hand once its manifest is gone: no Kustomization removes it.
pub(super) fn is_by_hand(facts: &Facts) -> bool {
    let holders = holders(facts);
    let mut obstacles = holders.known().iter().filter_map(|h| h.obstacle.as_ref());
    obstacles.any(|obstacle| obstacle.by_hand)
}

pub(super) fn step(facts: &Facts, before: &[Step]) -> Step {
    let holders = holders(facts);
    let (holders, not_all) = match left(&holders) {
        Left::Nothing(gone) => {
            let says = "no Kustomization holds the HelmRelease";
            return Step::new(Part::Kustomization, State::Done(gone), says);
        }
        Left::NotKnown(why) => {
            let says = format!(
                "whether a Kustomization holds the HelmRelease is not known: {}",
                why.clause()
            );
            return Step::new(Part::Kustomization, State::NotKnown, says);
        }
        Left::Some(holders, not_all) => (holders, not_all),
    };
    let says = holders.iter().map(|holder| {
        let id = holder.kustomization.meta.id();
        match facts.live() {
            Some(hr) => format!("Kustomization {id} holds HelmRelease {}", hr.id()),
            None => format!("Kustomization {id} still lists the HelmRelease, which is gone, and may bring it back"),
        }
    });
    let mut says: Vec<String> = says.map(|says| one_line(&says)).collect();
    says.extend(others(not_all));
    let step = |state, first: String, says: Vec<String>| {
        Step::new(Part::Kustomization, state, first).says(says)
    };
    // First of all: a HelmRelease that is pruned while suspended leaves its release behind.
    if let Some((why, resume)) = super::helm_release::suspended(facts) {
        return step(State::Blocked, why, says).acts([resume]);
    }
    if let (None, Some(why)) = (facts.live(), facts.own().not_all()) {
        let why = format!(
            "whether the HelmRelease exists is not known: {}",
            why.clause()
        );
        return Step::new(Part::Kustomization, State::NotKnown, why);
    }
    if let Some(obstacle) = holders.iter().find_map(|h| h.obstacle.as_ref()) {
        let acts = obstacle.acts.iter().cloned();
        return step(State::Blocked, obstacle.says.clone(), says).acts(acts);
    }
    if let Some(why) = holders.iter().find_map(|h| h.unknown.clone()) {
        return step(State::NotKnown, why, says);
    }
    if let Err(first) = after(before, &[Part::Manifest]) {
        return step(
            State::Blocked,
            format!("{first}; it then removes the HelmRelease"),
            says,
        );
    }
    let commands = holders.iter().map(|h| {
        let meta = &h.kustomization.meta;
        let words = ["flux", "reconcile", "kustomization", "-n", &meta.namespace];
        Act::Run(Command::from(words).args([meta.name.as_str(), "--with-source"]))
    });
    let now = "it removes the HelmRelease with the next change that it applies".to_owned();
    step(State::ToDo, now, says).acts(commands)
}

/// The Kustomizations that hold it.
fn holders(facts: &Facts) -> Listing<Holder<'_>> {
    let live = facts.live();
    let all = match &facts.kustomizations {
        Read::Seen(all) => all.as_slice(),
        Read::Absent => &[],
        Read::Unknown(why) => return Listing::new(Vec::new(), Some(why.clone())),
    };
    let mut holders = Listing::whole(Vec::new());
    for kustomization in all {
        let applied = kustomization.applied([GROUP, KIND]);
        let is_it = |id: &&[&str; 2]| is_it(facts, **id);
        let names = live.is_some_and(|hr| names(hr, kustomization));
        if names || applied.known.iter().any(|id| is_it(&id)) {
            holders.extend(Listing::whole(vec![holder(kustomization, live)]));
        } else if !applied.all {
            holders.lacks(Some(Why::Broken(format!(
                "status.inventory of Kustomization {} cannot be read",
                one_line(&kustomization.meta.id())
            ))));
        } else if !kustomization.suspend.is(&true) && !kustomization.is_processed() {
            holders.lacks(Some(Why::NotAsked(format!(
                "Kustomization {} is not known to have applied its present spec",
                one_line(&kustomization.meta.id())
            ))));
        } else if let Some(stray) = applied.known.iter().find(|id| may_be_it(facts, **id)) {
            holders.lacks(Some(Why::NotAsked(format!(
                "Kustomization {} lists HelmRelease {}, which does not exist and may be this one",
                one_line(&kustomization.meta.id()),
                one_line(&stray.join("/"))
            ))));
        }
    }
    if let Some(hr) = live
        && labelled(hr)
        && holders.known().is_empty()
    {
        holders.lacks(Some(Why::NotAsked(format!(
            "HelmRelease {} is labelled as one that a Kustomization applies, and that was not found",
            one_line(&hr.id())
        ))));
    }
    holders
}

fn is_it(facts: &Facts, [namespace, name]: [&str; 2]) -> bool {
    let Facts { subject, .. } = facts;
    match subject.certain {
        true => subject.id.namespace == namespace && subject.id.name == name,
        false => {
            let named = subject.id.name == name && subject.id.namespace == namespace;
            let named = named || convention::is_named_for(name, &subject.database);
            named && !is_live(facts, [namespace, name])
        }
    }
}

/// One that is gone and whose database nothing says.
fn may_be_it(facts: &Facts, id: [&str; 2]) -> bool {
    !facts.subject.certain && !is_live(facts, id)
}

fn is_live(facts: &Facts, [namespace, name]: [&str; 2]) -> bool {
    let all = facts.helm_releases.known().iter();
    all.map(|hr| &hr.metadata)
        .any(|m| m.namespace == namespace && m.name == name)
}

/// Whether the labels of a HelmRelease name this Kustomization.
fn names(hr: &HelmRelease, kustomization: &Kustomization) -> bool {
    let [name, namespace] = LABELS.map(|label| hr.metadata.labels.get(label));
    let meta = &kustomization.meta;
    name == Some(&meta.name) && namespace == Some(&meta.namespace)
}

fn labelled(hr: &HelmRelease) -> bool {
    LABELS
        .iter()
        .any(|label| hr.metadata.labels.contains_key(*label))
}

fn holder<'f>(kustomization: &'f Kustomization, live: Option<&HelmRelease>) -> Holder<'f> {
    let id = one_line(&kustomization.meta.id());
    let (namespace, name) = (&kustomization.meta.namespace, &kustomization.meta.name);
    let by_hand = |says: String| Obstacle {
        says,
        acts: vec![Act::Say(
            "once the manifest is gone, delete the HelmRelease by hand".to_owned(),
        )],
        by_hand: true,
    };
    let mut unknown = None;
    let mut obstacle = None;
    if kustomization.suspend.is(&true) {
        let resume = ["flux", "resume", "kustomization", "-n", namespace, name];
        obstacle = Some(Obstacle {
            says: format!("Kustomization {id} is suspended, so it removes nothing"),
            acts: vec![Act::Run(Command::from(resume))],
            by_hand: false,
        });
    } else if kustomization.is_remote() {
        unknown = Some(format!(
            "Kustomization {id} may apply its folder to another cluster (spec.kubeConfig)"
        ));
    } else if kustomization.prune.is_malformed() || kustomization.suspend.is_malformed() {
        unknown = Some(format!(
            "whether Kustomization {id} removes what it has applied cannot be read (spec.prune, spec.suspend)"
        ));
    } else if !kustomization.prune.is(&true) && live.is_some() {
        obstacle = Some(by_hand(format!(
            "spec.prune of Kustomization {id} is not true, so the HelmRelease stays when the manifest goes"
        )));
    } else if let Some(hr) = live {
        match kept(hr) {
            Ok(None) => {}
            Ok(Some(key)) => {
                obstacle = Some(by_hand(format!(
                    "the HelmRelease has {key}: {DISABLED}, so it stays when the manifest goes"
                )));
            }
            Err(why) => unknown = Some(why.to_owned()),
        }
    }
    if obstacle.is_none() && unknown.is_none() {
        match kustomization.state() {
            kustomization::State::Failed(condition) => {
                let message = one_line(&condition.message);
                obstacle = Some(Obstacle {
                    says: format!(
                        "Kustomization {id} cannot apply its folder, and removes nothing until it can: {message}"
                    ),
                    acts: kustomization::remedy(&condition.message)
                        .map(|remedy| Act::Say(remedy.sentence()))
                        .into_iter()
                        .collect(),
                    by_hand: false,
                });
            }
            kustomization::State::Unknown(why) => {
                unknown = Some(format!(
                    "whether Kustomization {id} works is not known: {why}"
                ));
            }
            kustomization::State::Applied
            | kustomization::State::Waits(_)
            | kustomization::State::Pending(_)
            | kustomization::State::Suspended(_) => {}
        }
    }
    Holder {
        kustomization,
        obstacle,
        unknown,
    }
}

/// The label or annotation that keeps it.
fn kept(hr: &HelmRelease) -> Result<Option<&'static str>, &'static str> {
    let labels = &hr.metadata.labels;
    let says = |key: &&str| labels.get(*key).is_some_and(|v| v == DISABLED);
    if let Some(key) = KEPT.iter().find(|key| says(key)) {
        return Ok(Some(key));
    }
    match &hr.metadata.annotations {
        Field::Absent => Ok(None),
        Field::Malformed => Err("the annotations of the HelmRelease cannot be read"),
        Field::Set(annotations) => {
            let says = |key: &&str| annotations.get(*key).is_some_and(|v| v == DISABLED);
            Ok(KEPT.iter().find(|key| says(key)).copied())
        }
    }
}
