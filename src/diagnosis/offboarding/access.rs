//! What the chart leaves in the cluster: the policy, by which pods are let in, and the creation Job, which no uninstall removes.

use super::evidence::{Left, left, others};
use super::{Act, Facts, LeftJob, Part, State, Step, after};
use crate::advice::Command;
use crate::text::one_line;

pub(super) fn step(facts: &Facts, before: &[Step]) -> Step {
    let every = facts.policies_of_every_database();
    let every = every.iter().map(|policy| {
        let verb = if policy.surely { "lets" } else { "may let" };
        format!(
            "{} {verb} pods in to every database",
            one_line(&policy.object)
        )
    });
    own(facts, before).says(every)
}

fn own(facts: &Facts, before: &[Step]) -> Step {
    if let Some(hr) = facts.live().filter(|hr| hr.is_remote()) {
        let says = format!(
            "what HelmRelease {} made is on another cluster, which was not read",
            one_line(&hr.id())
        );
        return Step::new(Part::Access, State::NotKnown, says);
    }
    let (policies, jobs) = (facts.policies(), &facts.jobs);
    let mut says = Vec::new();
    let mut acts = Vec::new();
    let mut gone = Vec::new();
    let mut unknown = Vec::new();
    match left(&policies) {
        Left::Nothing(proof) => gone.push(proof),
        Left::NotKnown(why) => {
            let why = why.clause();
            unknown.push(format!("whether a policy lets pods in is not known: {why}"));
        }
        Left::Some(all, not_all) => {
            for policy in all {
                let object = &policy.object;
                says.push(format!("{object} lets pods in"));
                if policy.shared {
                    let database = &facts.subject.database;
                    acts.push(Act::Say(format!(
                        "remove the paths of {database} from {object}, which is about other databases too"
                    )));
                    continue;
                }
                let kind = "authorizationpolicies.security.istio.io";
                acts.push(delete(kind, &object.namespace, &object.name));
            }
            says.extend(others(not_all));
        }
    }
    match left(jobs) {
        Left::Nothing(proof) => gone.push(proof),
        Left::NotKnown(why) => {
            let why = why.clause();
            unknown.push(format!(
                "whether the creation Job is left is not known: {why}"
            ));
        }
        Left::Some(all, not_all) => {
            for LeftJob { id, doubt } in all {
                let shown = one_line(&id.to_string());
                says.push(format!("Job {shown} is left"));
                acts.push(match doubt {
                    None => delete("jobs.batch", &id.namespace, &id.name),
                    Some(why) => Act::Say(format!(
                        "find out whose Job {shown} is before you delete it: {}",
                        one_line(why)
                    )),
                });
            }
            says.extend(others(not_all));
        }
    }
    let mut gone = gone.into_iter();
    if says.is_empty()
        && unknown.is_empty()
        && let (Some(policy), Some(job)) = (gone.next(), gone.next())
    {
        let says = "no policy of its own lets pods in, and no Job has its labels or its name";
        return Step::new(Part::Access, State::Done(policy.and(job)), says);
    }
    let is_there = !says.is_empty();
    let mut all = says.into_iter().chain(unknown);
    if !is_there {
        return Step::new(
            Part::Access,
            State::NotKnown,
            all.next().unwrap_or_default(),
        )
        .says(all);
    }
    match after(before, &[Part::HelmRelease, Part::Release]) {
        Err(first) => Step::new(Part::Access, State::Blocked, first).says(all),
        Ok(()) => Step::new(Part::Access, State::ToDo, all.next().unwrap_or_default())
            .says(all)
            .acts(acts),
    }
}

fn delete(kind: &str, namespace: &str, name: &str) -> Act {
    Act::Run(Command::from([
        "kubectl", "delete", "-n", namespace, kind, name,
    ]))
}
