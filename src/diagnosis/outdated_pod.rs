//! A pod that its StatefulSet made from an older template, and keeps although the template was changed.

use super::case::Case;
use super::finding::{Evidence, Finding, Subject};
use super::object_commands;
use super::serving::{self, Unserving};
use crate::model::names::is_object_name;
use crate::model::pod::Pod;
use crate::model::stateful_set::{Kept, Rule, Standing, StatefulSet};
use crate::snapshot::{Checked, Unread, Why};

/// The finding with the pods that are not serving, and the step for the first: if the present template may correct its fault, to delete it
/// once. Any other fault stays with a new pod, or ends by itself in this one.
pub(super) fn shown<'p>(
    case: &Case<'_>,
    finding: Finding,
    mut pods: impl Iterator<Item = &'p Pod>,
    unserving: &[Unserving<'_>],
) -> Finding {
    let first = unserving.first().map(|first| &first.subject);
    let first = pods.find(|pod| Some(&Subject::from(&pod.meta)) == first);
    // A pod whose claim is at fault keeps it from being lost.
    let Some(pod) = first.filter(|pod| !pod.is_held_by_claims()) else {
        return serving::shown(finding, unserving);
    };
    match standing(case, pod) {
        Ok(Some((set, Standing::Kept(kept)))) => match corrected(pod, set) {
            Some(image) => {
                let finding = serving::with_reasons(finding, unserving);
                deleted_once(with_revisions(finding, pod, set, &kept, Some(image)), pod)
            }
            None => {
                let finding = serving::shown(finding, unserving);
                with_revisions(finding, pod, set, &kept, None)
            }
        },
        Ok(Some((set, Standing::Unknown))) => {
            let set = Subject::from(&set.meta);
            let unknown =
                format!("Whether {set} now has a newer template is unknown: it does not say.");
            serving::shown(finding.why(unknown), unserving)
        }
        // What keeps it from its start may be corrected in the template.
        Err(unread) if !unread.is_not_needed() && pod.culprit().is_some() => {
            let why = unread.why.clause();
            let unknown = format!(
                "Whether {} now has a newer template is unknown: {why}.",
                unread.what
            );
            serving::shown(finding.why(unknown), unserving)
        }
        Ok(_) | Err(_) => serving::shown(finding, unserving),
    }
}

/// The StatefulSet that made the pod, and whether it keeps the pod as an older template made it; `None` where no StatefulSet made it, or it is gone.
fn standing<'a>(case: &Case<'a>, pod: &'a Pod) -> Checked<Option<(&'a StatefulSet, Standing<'a>)>> {
    let Some(name) = pod.stateful_set() else {
        return Ok(None);
    };
    let what = Subject::new("StatefulSet", &pod.meta.namespace, name).to_string();
    let related = case.related();
    let related = related.map_err(|unread| Unread::new(&what, unread.why))?;
    let mut sets = related.into_iter().flat_map(|related| &related.sets);
    let is_own = |(namespace, own): (&str, &str)| namespace == pod.meta.namespace && own == name;
    let Some(found) = sets.find(|set| is_own((&set.namespace, &set.name))) else {
        let why = Why::NotNeeded("nothing asked for it".to_owned());
        return Err(Unread::new(what, why));
    };
    let set = found.set()?;
    let set = set.filter(|set| !pod.is_of_another(&set.meta.uid));
    Ok(set.map(|set| (set, set.standing(pod))))
}

/// The container that does not start or ends badly, and the image that it has in the present template, if that is another one.
fn corrected<'a>(pod: &'a Pod, set: &'a StatefulSet) -> Option<(&'a str, &'a str)> {
    // A lost node would keep the pod in its deletion.
    if !pod.meta.deleted.is_absent() || pod.unheard().is_some() {
        return None;
    }
    let name = pod.culprit()?.name.as_str();
    let (own, newest) = (pod.image(name)?, set.image(name)?);
    (own != newest).then_some((name, newest))
}

/// Adds that the pod is of an older template, and why it stays so.
fn with_revisions(
    finding: Finding,
    pod: &Pod,
    set: &StatefulSet,
    kept: &Kept<'_>,
    image: Option<(&str, &str)>,
) -> Finding {
    let subject = Subject::from(&pod.meta);
    let owner = Subject::from(&set.meta);
    let image = image.map_or_else(String::new, |(name, image)| {
        format!(" There, container {name} has image {image}.")
    });
    let rule = match kept.rule {
        Rule::OrderedReady => {
            "It does not replace a pod that is not ready (podManagementPolicy OrderedReady), so the pod keeps the older template until it is ready or deleted."
        }
        Rule::OnDelete => {
            "It replaces a pod only once that is deleted (updateStrategy OnDelete), so the pod keeps the older template until then."
        }
    };
    finding
        .why(format!("{subject} was made from an older template (revision {}) of {owner}, which now has a newer one ({}).{image}", kept.own, kept.newest))
        .why(rule)
        .seen([Evidence::new(owner, ".status.updateRevision", kept.newest)])
}

fn deleted_once(finding: Finding, pod: &Pod) -> Finding {
    let subject = Subject::from(&pod.meta);
    let (namespace, name) = (pod.meta.namespace.as_str(), pod.meta.name.as_str());
    let mut claims: Vec<&str> = pod.claims().collect();
    if !pod.has_whole_volumes() || !claims.iter().all(|claim| is_object_name(claim)) {
        // All of the namespace.
        claims.clear();
    }
    if pod.has_whole_volumes() && pod.claims().next().is_none() {
        return finding.step("A pod that is deleted is made again from the present template. This one has no PersistentVolumeClaim, so what it has stored goes with it: delete it only if that is not needed");
    }
    let finding = finding
            .step("Have the pod made from the present template: delete it once. Its claims and their data stay, unless a claim is being deleted (STATUS Terminating): then keep the pod. See that first:")
            .command(
                ["kubectl", "get", "-n", namespace, "persistentvolumeclaims"]
                    .into_iter()
                    .chain(claims)
                    .collect::<Vec<_>>(),
            )
            .step("If none is being deleted:");
    let finding = match is_object_name(name) {
        true => finding.command(["kubectl", "delete", "-n", namespace, "pod", name]),
        false => finding,
    };
    finding
        .step("If the new pod is not ready either, its events say why:")
        .command(object_commands::describe(&subject))
}

#[cfg(test)]
mod tests;
