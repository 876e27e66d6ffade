//! Why a Deployment has no pod at work, and the step that fits: a pod that does not serve, a stop by somebody, a pod that may not be made.

use super::unserving;
use crate::advice::Hint;
use crate::diagnosis::case::Case;
use crate::diagnosis::controller_log;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::{object_commands, serving, sources};
use crate::model::condition::Stated;
use crate::model::deployment::{Deployment, UnknownRefusal};
use crate::model::failure::refusal::{Refusal, is_of_security_context};
use crate::model::failure::{Failure, is_installing};
use crate::model::status;

const HELM: &str = "helm-controller";
const SOURCE: &str = "source-controller";

/// The controllers whose work is missing, as far as the HelmRelease tells.
pub(in crate::diagnosis) fn awaited(case: &Case<'_>) -> &'static [&'static str] {
    let hr = case.hr();
    let waits = case.failure.is_none() && !case.is_ready();
    let is_deleted = hr.metadata.deletion_timestamp.is_some();
    let needs_helm = status::is_unanswered(hr) || hr.is_stale() || waits;
    if hr.spec.suspend {
        &[]
    } else if needs_helm && (is_deleted || acts(case)) {
        // An uninstall needs no chart, and an action that runs has its own.
        &[HELM]
    } else if needs_helm {
        &[HELM, SOURCE]
    } else if !is_deleted && is_without_source(case) {
        &[SOURCE]
    } else {
        &[]
    }
}

/// An action of Helm runs. Controllers up to 0.36 do not say so: there a creation Job tells it.
fn acts(case: &Case<'_>) -> bool {
    let has_job = || {
        status::is_about_creation_job(case.hr())
            && case.outcome_by_pods().is_ok_and(|found| found.is_some())
    };
    let waits = case.failure.is_none() && !case.is_ready();
    is_installing(case.hr()) || waits && (!sources::blocks(case) || has_job())
}

/// No action of Helm runs that a restart of helm-controller would cut off.
pub(in crate::diagnosis) fn may_restart(case: &Case<'_>) -> bool {
    // Controllers up to 0.36 do not say which action runs, nor whether one does.
    let is_mute = case.failure.is_none() && status::is_old_controller(case.hr()) == Some(true);
    // After an attempt that failed the next one may run.
    let ready = case.hr().conditions().get("Ready").map(Stated::of_any_spec);
    let tries_again = case.failure.is_some() && ready.is_some_and(|c| c.status == "Unknown");
    let is_deleted = case.hr().metadata.deletion_timestamp.is_some();
    !is_deleted && !acts(case) && !is_mute && !tries_again
}

/// All that is said is that source-controller has not done its work yet, and no pod of it says why.
fn is_without_source(case: &Case<'_>) -> bool {
    let is_idle = case
        .failure
        .as_ref()
        .is_some_and(Failure::is_of_idle_source);
    is_idle
        && sources::blocks(case)
        && sources::only_waits(&sources::complaints(case))
        && unserving(case, SOURCE).is_empty()
}

/// Those of them of which no pod is available, with their Deployments.
pub(in crate::diagnosis) fn down<'a>(case: &Case<'a>) -> Vec<(&'static str, &'a Deployment)> {
    let all = awaited(case).iter().copied();
    all.filter_map(|name| Some((name, super::down(case, name)?)))
        .collect()
}

/// source-controller is one of them.
pub(in crate::diagnosis) fn is_of_source(case: &Case<'_>) -> bool {
    down(case).iter().any(|(name, _)| *name == SOURCE)
}

/// `scaled to 0`
pub(in crate::diagnosis) fn observed(deployment: &Deployment) -> &'static str {
    match deployment.replicas.is(&0) {
        true => "scaled to 0",
        false => "no pod is available",
    }
}

/// The finding with why no pod of that controller's Deployment is available, and what to do about it.
pub(in crate::diagnosis) fn explained(
    case: &Case<'_>,
    finding: Finding,
    controller: &str,
    deployment: &Deployment,
) -> Finding {
    let pods = unserving(case, controller);
    if !pods.is_empty() {
        // Another one may be refused beside it.
        let finding = finding.whys(unknown(deployment).as_deref());
        return serving::shown(with_refusal(finding, deployment), &pods);
    }
    if deployment.replicas.is(&0) {
        return started(finding, deployment);
    }
    if deployment.refusal().is_some() {
        return refused(finding, deployment);
    }
    let (namespace, name) = (&deployment.meta.namespace, &deployment.meta.name);
    let unread = serving::not_read(case.controller_pods(), name);
    finding
        .whys(unread.as_deref())
        .whys(unknown(deployment).as_deref())
        .step("Find out why its pod does not run (memory, disk, image):")
        .command(object_commands::describe(&Subject::from(&deployment.meta)))
        .command(controller_log::pods(namespace, controller))
}

/// Why no pod of the Deployment is available, as hints of an error that is not about an onboarding; nothing where it does not say.
pub fn hints(deployment: &Deployment) -> Vec<Hint> {
    let subject = Subject::from(&deployment.meta);
    let finding = Finding::new(subject.clone(), "");
    let finding = match deployment.replicas.is(&0) {
        true => started(
            finding.why(format!("{subject} is scaled to 0.")),
            deployment,
        ),
        // What was refused once no longer counts.
        false if deployment.is_available() => return Vec::new(),
        false => refused(finding, deployment),
    };
    let unknown = unknown(deployment).map(Hint::from);
    serving::of_finding(finding)
        .into_iter()
        .chain(unknown)
        .collect()
}

/// With the step for one that somebody has stopped.
fn started(finding: Finding, deployment: &Deployment) -> Finding {
    let (namespace, name) = (&deployment.meta.namespace, &deployment.meta.name);
    finding
        .step("Find out who stopped it, then start it:")
        .command([
            "kubectl",
            "scale",
            "-n",
            namespace,
            "deployment",
            name,
            "--replicas=1",
        ])
}

/// With why its pod may not be made, and the step for it.
fn refused(finding: Finding, deployment: &Deployment) -> Finding {
    let Some(said) = deployment.refusal() else {
        return finding;
    };
    let namespace = &deployment.meta.namespace;
    let quota = full_quota(said);
    let subject = match &quota {
        Some(quota) => Subject::new("ResourceQuota", namespace, quota),
        None => Subject::from(&deployment.meta),
    };
    with_refusal(finding, deployment)
        .step(format!("{}:", remedy(said, namespace)))
        .command(object_commands::describe(&subject))
}

/// The ResourceQuota that has no room for the pod.
fn full_quota(said: &str) -> Option<String> {
    match Refusal::parse(said).filter(|_| !is_of_security_context(said))? {
        Refusal::QuotaUsedUp { quota, .. } => Some(quota),
        _ => None,
    }
}

fn with_refusal(finding: Finding, deployment: &Deployment) -> Finding {
    let Some(said) = deployment.refusal() else {
        return finding;
    };
    let said = crate::text::one_line(said);
    let subject = Subject::from(&deployment.meta);
    let why = said.trim_end_matches('.');
    finding
        .why(format!(
            "The API server refuses a pod of {}: {why}.",
            subject.name
        ))
        .seen([Evidence::new(
            subject,
            "ReplicaFailure",
            &format!("its pod could not be created: {said}"),
        )])
}

/// What is not known of whether its pods may be made.
fn unknown(deployment: &Deployment) -> Option<String> {
    let name = &deployment.meta.name;
    Some(match deployment.unknown_refusal()? {
        UnknownRefusal::Malformed => format!(
            "Whether a pod of {name} may be made is unknown: its status.conditions are malformed."
        ),
        UnknownRefusal::Untold("") => format!(
            "A pod of {name} could not be made, and why is unknown: its condition ReplicaFailure is True without a reason or a message."
        ),
        UnknownRefusal::Untold(reason) => format!(
            "A pod of {name} could not be made, and why is unknown: its condition ReplicaFailure is True ({}) without a message.",
            crate::text::one_line(reason)
        ),
        UnknownRefusal::Odd => format!(
            "Whether a pod of {name} may be made is unknown: its condition ReplicaFailure is neither True nor False."
        ),
    })
}

/// What lets the pod be made, as the beginning of a sentence.
fn remedy(said: &str, namespace: &str) -> String {
    if is_of_security_context(said) {
        return "Let the ServiceAccount of its pod use a security context constraint that allows what the message names, or remove those fields (fsGroup, runAsUser) from the Deployment where Flux's installation is defined".to_owned();
    }
    match Refusal::parse(said) {
        Some(Refusal::QuotaUsedUp { quota, .. }) => {
            format!(
                "Make room in ResourceQuota {quota} of namespace {namespace}, or have it raised"
            )
        }
        Some(Refusal::QuotaNeeds { quota, needs }) => format!(
            "Give its containers what ResourceQuota {quota} of namespace {namespace} wants ({needs})"
        ),
        Some(Refusal::PodSecurity { level, .. }) => format!(
            "Correct the securityContext in the Deployment as the message says, or have a level other than {level} set on namespace {namespace} (label pod-security.kubernetes.io/enforce)"
        ),
        Some(Refusal::Webhook { name, .. }) => format!(
            "Change what admission webhook {name} refuses in the Deployment, or have the webhook exclude namespace {namespace}"
        ),
        Some(Refusal::Policy { name, .. }) => format!(
            "Change what ValidatingAdmissionPolicy {name} refuses in the Deployment, or have the policy exclude namespace {namespace}"
        ),
        Some(Refusal::AccountMissing { namespace, name }) => format!(
            "Restore ServiceAccount {namespace}/{name} with Flux's installation, or correct its name in the Deployment"
        ),
        Some(Refusal::Limits(_)) => format!(
            "Correct the resources of its containers, or the LimitRange of namespace {namespace}"
        ),
        Some(Refusal::WebhookDown { name, .. }) => format!(
            "Find out why admission webhook {name} does not answer, or have it exclude namespace {namespace}"
        ),
        Some(Refusal::Escalation { .. } | Refusal::Plugin { .. }) | None => {
            "Change what the message names in the Deployment, or create what it lacks".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use serde_json::{Value, json};

    fn deployment(conditions: &Value) -> Deployment {
        Deployment::from_value(
            &json!({"metadata": {"name": "source-controller", "namespace": "flux-system"},
            "spec": {"replicas": 1}, "status": {"conditions": conditions}}),
        )
    }

    #[test]
    fn each_refusal_of_a_pod_has_its_remedy() {
        let told = |said: &str| {
            let message = format!("pods \"source-controller-5d8f-\" is forbidden: {said}");
            let failed = json!([{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}]);
            let subject = Subject::new("Deployment", "flux-system", "source-controller");
            fixture::reasoned(refused(Finding::new(subject, ""), &deployment(&failed)))
        };
        let scc = "unable to validate against any security context constraint: [fsGroup: Invalid value: []int64{1337}: 1337 is not an allowed group]";
        insta::assert_snapshot!(told(scc), @"
        The API server refuses a pod of source-controller: pods \"source-controller-5d8f-\" is forbidden: unable to validate against any security context constraint: [fsGroup: Invalid value: []int64{1337}: 1337 is not an allowed group].

        Let the ServiceAccount of its pod use a security context constraint that allows what the message names, or remove those fields (fsGroup, runAsUser) from the Deployment where Flux's installation is defined:
        $ kubectl describe -n flux-system deployment source-controller
        ");
        for (said, part) in [
            (
                "exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5",
                "Make room in ResourceQuota q of namespace flux-system",
            ),
            (
                "failed quota: q: must specify limits.cpu for: manager",
                "ResourceQuota q of namespace flux-system wants",
            ),
            (
                "violates PodSecurity \"restricted:latest\": runAsNonRoot != true",
                "a level other than restricted",
            ),
            (
                "error looking up service account flux-system/source-controller: serviceaccount \"source-controller\" not found",
                "Restore ServiceAccount flux-system/source-controller",
            ),
            (
                "no PriorityClass with name critical was found",
                "create what it lacks",
            ),
            ("something new", "what the message names"),
        ] {
            let told = told(said);
            assert!(told.contains(part), "{said}: {told}");
        }
        let full = told("exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5");
        assert!(
            full.contains("$ kubectl describe -n flux-system resourcequota q"),
            "{full}"
        );
        let webhook = "admission webhook \"policy.example\" denied the request: no";
        assert!(told(webhook).contains("admission webhook policy.example refuses"));
    }

    #[test]
    fn a_refusal_counts_only_while_no_pod_is_available() {
        let failed = json!([{"type": "ReplicaFailure", "status": "True", "message": "pods \"p-\" is forbidden: x"}]);
        let told = |available: Value| {
            let object = json!({"metadata": {"name": "source-controller", "namespace": "flux-system"},
                "spec": {"replicas": 1}, "status": {"availableReplicas": available, "conditions": failed}});
            hints(&Deployment::from_value(&object)).len()
        };
        assert_eq!(told(json!(1)), 0);
        for none in [json!(0), json!(null), json!("1")] {
            assert!(told(none.clone()) > 0, "{none}");
        }
    }

    #[test]
    fn a_failure_without_words_is_told_as_one() {
        let said = |status: &str, reason: &str| {
            let failed = json!([{"type": "ReplicaFailure", "status": status, "reason": reason}]);
            let told = unknown(&deployment(&failed));
            told.unwrap_or_default()
        };
        assert!(said("True", "FailedCreate").contains("True (FailedCreate) without a message"));
        assert!(said("True", "").contains("True without a reason or a message"));
        assert!(said("true", "").contains("neither True nor False"));
        assert_eq!(said("False", ""), "");
    }

    #[test]
    fn conditions_that_cannot_be_read_may_hold_a_refusal() {
        assert!(unknown(&deployment(&json!([]))).is_none());
        for odd in [json!("x"), json!([7])] {
            let deployment = deployment(&odd);
            assert!(deployment.refusal().is_none() && unknown(&deployment).is_some());
        }
    }
}
