//! SKVS150: helm-controller is not running.

use crate::diagnosis::case::Case;
use crate::diagnosis::controllers::{self, down};
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::serving;
use crate::model::status;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS150",
    slug: "controller-not-running",
    severity: Severity::Error,
    role: Role::Cause,
    title: "helm-controller is not running",
    explanation: r#"The Deployment of helm-controller exists, but none of its pods is available: it is scaled to zero, its image cannot be
pulled, or it exits as soon as it starts. Until it runs, no HelmRelease is processed, whatever its status says.

A missing Deployment in `flux-system` proves nothing: Flux may run elsewhere, and its state is then reported as unknown."#,
    fix: r#"See it: `kubectl get deployments,pods -n flux-system`

Scale it up, or find out why its pod is not running: `kubectl logs -n flux-system deployment/helm-controller`"#,
    example: r#"helm-controller   0/1     1            0           12d"#,
    explains: &["SKVS105", "SKVS106", "SKVS108", "SKVS151"],
    contradicted_by: &[],
    check,
};

/// Flux may not be at work on it.
fn unworked(case: &Case<'_>) -> bool {
    let hr = case.hr();
    let waits = case.failure.is_none() && !case.is_ready();
    !hr.spec.suspend && (status::is_unanswered(hr) || hr.is_stale() || waits)
}

fn check(case: &Case<'_>) -> Verdict {
    if !unworked(case) {
        return Ok(None);
    }
    case.controllers()?;
    // `None` too if it is not known where it runs. If it cannot be read, the engine reports it as not checked.
    let Some(first) = down(case, "helm-controller") else {
        return Ok(None);
    };
    let subject = Subject::from(&first.meta);
    let zero = first.replicas.is(&0);
    let observed = if zero {
        "scaled to 0"
    } else {
        "no pod is available"
    };
    let mut finding = Finding::new(
        subject.clone(),
        format!("{} is not running: {observed}", subject.name),
    )
    .why("Until it runs, no HelmRelease is processed.")
    .seen([Evidence::new(
        subject.clone(),
        "image",
        &format!("{}: {observed}", first.image()),
    )]);
    let pods = controllers::unserving(case, "helm-controller");
    finding = if !pods.is_empty() {
        serving::shown(finding, &pods)
    } else if zero {
        finding
            .step("Find out who stopped it, then start it:")
            .command([
                "kubectl",
                "scale",
                "-n",
                &subject.namespace,
                "deployment",
                &subject.name,
                "--replicas=1",
            ])
    } else {
        let unread = serving::not_read(case.controller_pods(), &subject.name);
        finding
            .whys(unread.as_deref())
            .step("Find out why its pod does not run:")
            .command([
                "kubectl",
                "describe",
                "-n",
                &subject.namespace,
                "deployment",
                &subject.name,
            ])
            .command([
                "kubectl",
                "logs",
                "-n",
                &subject.namespace,
                &format!("deployment/{}", subject.name),
                "--tail=20",
            ])
    };
    finding.into()
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
        assert!(
            told.contains("Find out why its pod does not run:"),
            "{told}"
        );
    }
}
