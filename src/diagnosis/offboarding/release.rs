//! The release in Helm's storage, which Flux removes with the HelmRelease, unless that was suspended.

use super::evidence::{Left, left, others};
use super::{Act, Facts, Part, State, Step, after};
use crate::advice::Command;
use crate::model::ownership::{Driver, RemainingRelease};
use crate::text::one_line;

pub(super) fn step(facts: &Facts, before: &[Step]) -> Step {
    if let Some(hr) = facts.live().filter(|hr| hr.is_remote()) {
        let says = format!(
            "the release of HelmRelease {} is on another cluster, which was not read",
            one_line(&hr.id())
        );
        return Step::new(Part::Release, State::NotKnown, says);
    }
    let releases = facts.releases();
    match left(&releases) {
        Left::Nothing(gone) => {
            let mut kept = facts.kept_releases().into_iter();
            match kept.next() {
                None => Step::new(
                    Part::Release,
                    State::Done(gone),
                    "Helm stores no release of it",
                ),
                Some(first) => Step::new(Part::Release, State::Blocked, first).says(kept),
            }
        }
        Left::NotKnown(why) => {
            let says = format!(
                "whether Helm stores a release is not known: {}",
                why.clause()
            );
            Step::new(Part::Release, State::NotKnown, says)
        }
        Left::Some(releases, not_all) => {
            let mut says = releases.iter().map(|r| format!("Helm stores {}", r.words));
            let first = says.next().unwrap_or_default();
            match after(before, &[Part::HelmRelease]) {
                Err(earlier) => {
                    let first = format!("{earlier}; Flux uninstalls the release with it");
                    let all = releases.iter().map(|r| format!("Helm stores {}", r.words));
                    Step::new(Part::Release, State::Blocked, first).says(all)
                }
                Ok(()) => Step::new(Part::Release, State::ToDo, first)
                    .says(says)
                    .acts(releases.iter().flat_map(uninstall)),
            }
            .says(others(not_all))
        }
    }
}

fn uninstall(release: &RemainingRelease) -> Vec<Act> {
    let mut acts = Vec::new();
    if let Some(relabel) = &release.relabel {
        acts.push(Act::Say(
            "Helm does not find it, since its labels are gone; put them back".to_owned(),
        ));
        acts.push(Act::Run(relabel.clone()));
    }
    let (namespace, name) = &release.helm;
    acts.push(match release.driver {
        Driver::ConfigMap => Act::Say(format!(
            "uninstall release {name} in {namespace} with HELM_DRIVER=configmap set: helm does not find it without"
        )),
        Driver::Secret => Act::Run(Command::from(["helm", "uninstall", "-n", namespace, name])),
    });
    acts
}
