//! SKVS150: one of Flux's controllers is not running.

use crate::diagnosis::case::Case;
use crate::diagnosis::controllers::outage;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::deployment::Deployment;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS150",
    slug: "controller-not-running",
    severity: Severity::Error,
    role: Role::Cause,
    title: "one of Flux's controllers is not running",
    explanation: r#"The Deployment of helm-controller or of source-controller exists, but none of its pods is available: it is scaled to zero, the API
server refuses its pod, its image cannot be pulled, its node is lost, or it exits as soon as it starts. Without helm-controller no
HelmRelease is processed, whatever its status says. Without source-controller no chart is fetched, and helm-controller may wait for
it.

A missing Deployment in `flux-system` proves nothing: Flux may run elsewhere, and its state is then reported as unknown."#,
    fix: r#"See it: `kubectl get deployments,pods -n flux-system`

Scale it up, or find out why its pod is not running: `kubectl describe deployments,pods -n flux-system`"#,
    example: r#"helm-controller   0/1     1            0           12d"#,
    explains: &[
        "SKVS105", "SKVS106", "SKVS108", "SKVS110", "SKVS151", "SKVS218",
    ],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    if outage::awaited(case).is_empty() {
        return Ok(None);
    }
    case.controllers()?;
    // None too if it is not known where they run. If it cannot be read, the engine reports it as not checked.
    let down = outage::down(case);
    let [(name, first), others @ ..] = down.as_slice() else {
        return Ok(None);
    };
    let subject = Subject::from(&first.meta);
    let finding = Finding::new(
        subject.clone(),
        format!("{} is not running: {}", subject.name, outage::observed(first)),
    )
    .why(match *name {
        "helm-controller" => "Until it runs, no HelmRelease is processed.",
        _ if !outage::may_restart(case) => "Until it runs, no chart is fetched.",
        _ => "Until it runs, no chart is fetched. helm-controller may hang while it waits for source-controller: if it does nothing once source-controller runs, restart helm-controller.",
    })
    .seen([evidence(first)]);
    let finding = outage::explained(case, finding, name, first);
    let finding = others.iter().fold(finding, |finding, (name, other)| {
        let observed = outage::observed(other);
        let finding = finding
            .why(format!(
                "{} is not running either: {observed}.",
                other.meta.name
            ))
            .seen([evidence(other)]);
        outage::explained(case, finding, name, other)
    });
    finding.into()
}

fn evidence(deployment: &Deployment) -> Evidence {
    let observed = format!("{}: {}", deployment.image(), outage::observed(deployment));
    Evidence::new(Subject::from(&deployment.meta), "image", &observed)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, diagnose, fixture};
    use crate::model::field::Field;
    use crate::snapshot::{Controllers, Listing, Read, ServingPod, Why};

    #[test]
    fn it_is_found_with_what_its_pod_waits_for() {
        let finding = fixture::finding("controller-not-running", "SKVS150");
        assert_eq!(
            finding.sentence,
            "helm-controller is not running: no pod is available"
        );
        assert!(
            finding.evidence[1]
                .observed
                .contains(": ImagePullBackOff: ")
        );
    }

    #[test]
    fn what_was_not_read_is_not_run_and_what_is_not_there_is_not_known() {
        let look = |controllers| {
            let mut snapshot = fixture::snapshot("controller-not-running");
            snapshot.on_demand.controllers = controllers;
            let now = fixture::meta("controller-not-running").now;
            let diagnosis = diagnose(&Case::new(&snapshot, now));
            let root = diagnosis.roots[0].rule.code;
            (
                root,
                diagnosis
                    .not_run
                    .iter()
                    .any(|n| n.codes.contains(&"SKVS150")),
            )
        };
        let refused = Why::Forbidden("list deployments in flux-system".to_owned());
        assert_eq!(look(Read::Unknown(refused)), ("SKVS105", true));
        let none = Controllers {
            namespace: "flux-system".to_owned(),
            deployments: Vec::new(),
        };
        assert_eq!(look(Read::Seen(none)), ("SKVS105", false));
    }

    #[test]
    fn without_pods_it_is_scaled_up_or_they_are_looked_at() {
        let look = |replicas: i64, pods: Read<Listing<ServingPod>>| {
            let name = "controller-not-running";
            let mut snapshot = fixture::snapshot(name);
            fixture::stop(&mut snapshot, "helm-controller");
            let controllers = snapshot.on_demand.controllers.seen_mut().unwrap();
            controllers.deployments[0].replicas = Field::Set(replicas);
            snapshot.on_demand.controller_pods = pods;
            let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
            let found = found.unwrap().unwrap();
            let why = found.why.last().cloned();
            (why.unwrap_or_default(), fixture::lines(found))
        };
        let (_, told) = look(0, Read::Seen(Listing::default()));
        insta::assert_snapshot!(told, @"
        helm-controller is not running: scaled to 0
        Find out who stopped it, then start it:
        $ kubectl scale -n flux-system deployment helm-controller --replicas=1
        ");
        let refused = Why::Forbidden("list pods in flux-system".to_owned());
        let (why, told) = look(1, Read::Unknown(refused));
        assert_eq!(
            why,
            "It is not known why helm-controller is not serving, because its pods were not read: forbidden (list pods in flux-system)."
        );
        assert!(told.contains("Find out why its pod does not run"), "{told}");
    }

    /// What is said of source-controller after this change of a fixture.
    fn of_source(name: &str, change: &dyn Fn(&mut crate::snapshot::Snapshot)) -> Option<String> {
        let mut snapshot = fixture::snapshot(name);
        fixture::stop(&mut snapshot, "source-controller");
        change(&mut snapshot);
        let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
        found.unwrap().map(fixture::reasoned)
    }

    /// The API server refuses the pods of the only Deployment, which has none.
    fn refuse(snapshot: &mut crate::snapshot::Snapshot, name: &str) {
        let failed = serde_json::json!([{"type": "ReplicaFailure", "status": "True", "message": "pods \"p-\" is forbidden: no PriorityClass with name p was found"}]);
        let image = format!("fluxcd/{name}:v1");
        let refused = serde_json::json!({"metadata": {"name": name, "namespace": "flux-system"},
            "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "manager", "image": image}]}}},
            "status": {"conditions": failed}});
        let known = snapshot.on_demand.controllers.seen_mut().unwrap();
        known.deployments = vec![crate::model::deployment::Deployment::from_value(&refused)];
        snapshot.on_demand.controller_pods = Read::Seen(Listing::default());
    }

    #[test]
    fn a_source_that_nobody_works_on_waits_for_its_controller() {
        let name = "source-not-looked-at";
        let said = of_source(name, &|s| refuse(s, "source-controller")).unwrap();
        insta::assert_snapshot!(said, @"
        Until it runs, no chart is fetched. helm-controller may hang while it waits for source-controller: if it does nothing once source-controller runs, restart helm-controller.
        The API server refuses a pod of source-controller: pods \"p-\" is forbidden: no PriorityClass with name p was found.
        source-controller is not running: no pod is available
        Change what the message names in the Deployment, or create what it lacks:
        $ kubectl describe -n flux-system deployment source-controller
        ");
        // SKVS221 says which pod of it does not serve.
        assert_eq!(of_source(name, &|_| ()), None);
        // It runs, or may.
        let runs = |available: Field<i64>| {
            of_source(name, &|s| {
                let known = s.on_demand.controllers.seen_mut().unwrap();
                known.deployments[0].available = available;
                s.on_demand.controller_pods = Read::Seen(Listing::default());
            })
        };
        assert_eq!(runs(Field::Set(1)), None);
        assert_eq!(runs(Field::Malformed), None);
        assert!(runs(Field::Set(0)).is_some());
        // Another fault of the source is not the controller's.
        assert_eq!(of_source("repository-unreachable", &|_| ()), None);
    }

    #[test]
    fn an_action_that_runs_and_a_deletion_do_not_wait_for_a_chart() {
        let down = |s: &mut crate::snapshot::Snapshot| {
            refuse(s, "source-controller");
        };
        for name in [
            "image-not-pulled-in-progress",
            "in-progress",
            "release-uninstalling",
            "being-deleted",
            "being-deleted-old",
        ] {
            assert_eq!(of_source(name, &down), None, "{name}");
        }
        // The attempt before failed, and the next one may run.
        let mut again = fixture::snapshot_of("image-not-pulled", &|object| {
            if object["kind"] == "HelmRelease" {
                object["metadata"]["generation"] = 7.into();
                object["status"]["conditions"] = serde_json::json!([
                    {"type": "Ready", "status": "Unknown", "reason": "Progressing", "observedGeneration": 7, "message": "Running 'upgrade' action with timeout of 5m0s"},
                    {"type": "Released", "status": "False", "reason": "UpgradeFailed", "observedGeneration": 7, "message": "Helm upgrade failed for release a/b: timed out waiting for the condition"}]);
            }
        });
        fixture::stop(&mut again, "source-controller");
        down(&mut again);
        let found = super::check(&Case::new(&again, fixture::meta("image-not-pulled").now));
        let said = found.unwrap().map(fixture::reasoned);
        assert!(said.is_none_or(|said| !said.contains("restart")));
        // Whether an action runs is not said there.
        let old = of_source("in-progress-old", &down);
        assert!(old.is_none_or(|said| !said.contains("restart")));
        let mut snapshot = fixture::snapshot("image-not-pulled-in-progress");
        fixture::stop(&mut snapshot, "source-controller");
        down(&mut snapshot);
        let now = fixture::meta("image-not-pulled-in-progress").now;
        let diagnosis = diagnose(&Case::new(&snapshot, now));
        assert_eq!(diagnosis.roots[0].rule.code, "SKVS306");
    }

    #[test]
    fn of_two_that_are_down_both_are_told() {
        let said = of_source("controller-not-running", &|s| {
            let mut helm = s.clone();
            refuse(&mut helm, "helm-controller");
            let known = helm.on_demand.controllers.seen_mut().unwrap();
            let all = s.on_demand.controllers.seen_mut().unwrap();
            all.deployments.append(&mut known.deployments);
        });
        let said = said.unwrap();
        assert!(
            said.contains("helm-controller is not running: no pod is available"),
            "{said}"
        );
        assert!(
            said.contains("source-controller is not running either: no pod is available."),
            "{said}"
        );
        assert!(said.contains("no PriorityClass with name p"), "{said}");
    }
}
