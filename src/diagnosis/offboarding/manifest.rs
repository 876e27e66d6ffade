//! The manifest in the GitOps repository.

use super::evidence::{Left, left, others};
use super::{Act, Declared, Facts, Part, State, Step};
use crate::advice::Command;
use crate::repository::removal::Unlisting;
use crate::text::{count, one_line};
use std::collections::BTreeSet;

pub(super) fn step(facts: &Facts) -> Step {
    let Some(manifests) = &facts.manifests else {
        let says = "it was not looked for: no repository was named";
        let act = Act::Say("name the folder of the GitOps repository with --repo".to_owned());
        return Step::new(Part::Manifest, State::NotKnown, says).acts([act]);
    };
    let folder = one_line(&manifests.folder);
    let of = match &manifests.cluster {
        Some(cluster) => format!(" for cluster {}", one_line(cluster)),
        None => String::new(),
    };
    match left(&manifests.found) {
        Left::Nothing(gone) => {
            let all = count(manifests.looked_at as u64, "onboarding");
            let says = format!("{folder} does not declare it{of} ({all} looked at)");
            Step::new(Part::Manifest, State::Done(gone), says)
        }
        Left::NotKnown(why) => {
            let says = format!(
                "whether {folder} declares it{of} is not known: {}",
                why.clause()
            );
            Step::new(Part::Manifest, State::NotKnown, says)
        }
        Left::Some(found, not_all) => {
            let clusters: BTreeSet<&Option<String>> = found.iter().map(|d| &d.cluster).collect();
            let is_named = manifests.cluster.is_some();
            let several = clusters.len() > 1 || (manifests.several && !is_named);
            let mut says = found.iter().map(declared);
            let step = Step::new(
                Part::Manifest,
                match several {
                    true => State::Blocked,
                    false => State::ToDo,
                },
                says.next().unwrap_or_default(),
            );
            let step = step.says(says).says(others(not_all));
            if several {
                let act = "the repository is for several clusters: name the folder of this one with --for-cluster";
                return step.acts([Act::Say(act.to_owned())]);
            }
            // Once it is merged, the HelmRelease goes as it is.
            if let Some((why, resume)) = super::helm_release::suspended(facts) {
                let declared = step.says;
                let step = Step::new(Part::Manifest, State::Blocked, why);
                return step.says(declared).acts([resume]);
            }
            let acts = found.iter().flat_map(|d| removal(d, &manifests.folder));
            let merge = "commit and merge it: Flux reads what is merged".to_owned();
            step.acts(acts).acts([Act::Say(merge)])
        }
    }
}

fn declared(declared: &Declared) -> String {
    let cluster = match &declared.cluster {
        Some(cluster) => format!(", for cluster {}", one_line(cluster)),
        None => String::new(),
    };
    let id = one_line(&declared.id.to_string());
    format!(
        "{}, line {}, declares HelmRelease {id}{cluster}",
        one_line(&declared.file),
        declared.line
    )
}

fn removal(declared: &Declared, folder: &str) -> Vec<Act> {
    let removal = &declared.removal;
    let mut acts = Vec::new();
    if let Some(why) = &declared.by_hand {
        acts.push(Act::Say(format!(
            "{} may be another cluster's too, so change by hand only what this cluster applies: {}",
            one_line(&declared.file),
            one_line(why)
        )));
        return acts;
    }
    match &removal.whole_file {
        Ok(path) => {
            let git = match folder {
                "." => Command::from(["git", "rm"]),
                folder => Command::from(["git", "-C", folder, "rm"]),
            };
            // What follows is a path whatever its name is.
            acts.push(Act::Run(git.args(["--", path])));
        }
        Err(why) => acts.push(Act::Say(format!(
            "remove this document from {}, {why}",
            one_line(&declared.file)
        ))),
    }
    // The entry stays while the file does.
    let lists = removal.lists.iter().filter(|_| removal.whole_file.is_ok());
    acts.extend(lists.flat_map(unlisting));
    if removal.unlisted {
        acts.push(Act::Say(
            "no kustomization.yaml that was read lists it".to_owned(),
        ));
    }
    acts
}

/// Takes an entry out of its list.
fn unlisting(list: &Unlisting) -> Vec<Act> {
    let file = one_line(&list.file);
    let mut acts = vec![match &list.edit {
        Ok(edit) => Act::Edit(edit.clone()),
        Err(why) => Act::Say(format!(
            "remove the entry {} from line {} of {file} by hand: {}",
            one_line(&list.entry),
            list.line,
            one_line(why)
        )),
    }];
    if list.is_last {
        acts.push(Act::Say(format!(
            "{file} then lists nothing: build its folder with kubectl kustomize before you merge, since Flux removes nothing while the build fails"
        )));
    }
    acts
}
