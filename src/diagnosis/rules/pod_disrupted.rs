//! SKVS317: Kubernetes ended the creation Job's pod.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::job::Outcome;
use crate::diagnosis::nodes;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::kubelet::{self, Eviction, Limited, Use};
use crate::model::pod::{Disruption, Pod};
use crate::model::value_paths;
use crate::text::few;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS317",
    slug: "pod-disrupted",
    severity: Severity::Error,
    role: Role::Cause,
    title: "Kubernetes ended the creation Job's pod",
    explanation: r#"The pod did not fail by itself: its node ran low on memory or disk, was shut down or lost, or a pod with a higher priority
took its place. Neither CouchDB nor the values are at fault. The Job counts it as a failed attempt all the same.

A pod that writes more to its node's disk than its own limit allows (ephemeral-storage, sizeLimit) is ended too; that limit is
to be raised."#,
    fix: r#"See it: `kubectl get pod -n NAMESPACE POD -o jsonpath='{.status.reason}: {.status.message}'`.

Check first whether the pod had created the database before it ended (`kubectl skvs databases DATABASE`). If so, the next
attempt fails with 412 (SKVS301). Otherwise let Flux try again once the node is well."#,
    example: r#"Evicted: The node was low on resource: ephemeral-storage."#,
    explains: &["SKVS108", "SKVS110", "SKVS303"],
    contradicted_by: &[Fact::JobComplete, Fact::Installed],
    check,
};

/// Values that are named at most.
const SHOWN: usize = 3;

fn check(case: &Case<'_>) -> Verdict {
    let Some(Outcome::Disrupted { pod, by, message }) = case.outcome_by_pods()? else {
        return Ok(None);
    };
    let eviction = match by {
        Disruption::Evicted => kubelet::eviction(message),
        _ => None,
    };
    if let Some(Eviction::OwnLimit { of, limit }) = eviction {
        return of_limit(case, pod, message, (of, limit)).into();
    }
    let (sentence, step) = match by {
        Disruption::Evicted => (
            "the node evicted the creation Job's pod",
            "Free what the node ran short of, or wait until it has it again:",
        ),
        Disruption::Preempted => (
            "a pod with a higher priority took the place of the creation Job's pod",
            "Free or add capacity:",
        ),
        Disruption::NodeLost => (
            "the node of the creation Job's pod was lost",
            "Check the nodes:",
        ),
        Disruption::NodeShutdown => (
            "the node of the creation Job's pod was shut down",
            "Check the nodes:",
        ),
        Disruption::Drained => (
            "the creation Job's pod was evicted, as when a node is drained",
            "Wait until the maintenance of the node is over:",
        ),
    };
    let finding = Finding::new(pod.clone(), sentence)
        .why("Kubernetes ended it. Neither CouchDB nor the values are at fault.")
        .seen(case.seen_failure())
        .seen([Evidence::new(pod.clone(), ".status.message", message)]);
    let finding = created(case, finding);
    let finding = match eviction {
        Some(Eviction::Pressure { resource, uses }) => {
            pressed(case, finding, pod, (resource, &uses))
        }
        _ => finding.step(step).command(["kubectl", "describe", "nodes"]),
    };
    finding.then(then(case, Fixes::Elsewhere)).into()
}

/// Adds whether it had created the database before it ended.
fn created(case: &Case<'_>, finding: Finding) -> Finding {
    let name = case.database().unwrap_or_default();
    match case.in_couchdb() {
        Ok(Some(_)) => finding
            .why(format!(
                "The database {name} exists by now, so the next attempt fails with 412 (SKVS301)."
            ))
            .step("Find out who owns it before anything else:")
            .command(["kubectl", "skvs", "databases", &name, "-o", "wide"]),
        Ok(None) => finding.why(format!("It had not created the database {name} yet.")),
        Err(_) if name.is_empty() => finding,
        Err(_) => finding
            .step("Check whether it had created the database before it ended:")
            .command(["kubectl", "skvs", "databases", &name]),
    }
}

fn found<'a>(case: &Case<'a>, pod: &Subject) -> Option<&'a Pod> {
    nodes::pods(case).find(|found| Subject::from(&found.meta) == *pod)
}

/// Its node ran short of something.
fn pressed(
    case: &Case<'_>,
    finding: Finding,
    pod: &Subject,
    (resource, uses): (&str, &[Use<'_>]),
) -> Finding {
    let finding = uses.iter().fold(finding, |finding, own| {
        let Use {
            container, used, ..
        } = own;
        match own.is_without_request() {
            true => finding.why(format!(
                "Container {container} used {used}, and requests no {resource}: pods that use more than they request are ended first."
            )),
            false => finding.why(format!(
                "Container {container} used {used}, and requests {}: pods that use more than they request are ended first.",
                own.request
            )),
        }
    });
    let without_request = uses.iter().any(Use::is_without_request);
    let what = match resource {
        "ephemeral-storage" | "DiskPressure" => "disk space (unused images, logs, emptyDirs)",
        "memory" | "MemoryPressure" => "memory",
        "inodes" => "inodes (many small files)",
        "pids" | "PIDPressure" => "process IDs",
        _ => "what the node ran short of",
    };
    let request = match without_request {
        true => format!(". A request for {resource} makes the pod a less likely victim"),
        false => String::new(),
    };
    let node = found(case, pod).and_then(|pod| pod.node.as_str());
    match node {
        Some(node) => finding
            .step(format!(
                "Free {what} on node {node}, or have the retry run on another one{request}:"
            ))
            .command(nodes::describe(node)),
        None => finding
            .step(format!(
                "Free {what} on the pod's node, or have the retry run on another one{request}:"
            ))
            .command(["kubectl", "describe", "nodes"]),
    }
}

/// It wrote more than a limit of its own allows.
fn of_limit(
    case: &Case<'_>,
    pod: &Subject,
    message: &str,
    (of, limit): (Limited<'_>, &str),
) -> Finding {
    let (what, field, end): (String, &str, &[&str]) = match of {
        Limited::Pod => (
            "than its containers may together (logs, their own file systems, emptyDirs)".to_owned(),
            "limits.ephemeral-storage",
            &["limits", "ephemeral-storage"],
        ),
        Limited::Container(name) => (
            format!("than its container {name} may (log, own file system)"),
            "limits.ephemeral-storage",
            &["limits", "ephemeral-storage"],
        ),
        Limited::Volume(name) => (
            format!("to its emptyDir {name} than that may hold"),
            "sizeLimit",
            &["sizeLimit"],
        ),
    };
    let own = found(case, pod);
    let amounts: Vec<&str> = match of {
        Limited::Volume(_) => vec![limit],
        // The total of several containers is none of their limits.
        Limited::Pod | Limited::Container(_) => {
            let own = own.into_iter().flat_map(Pod::disk_limits);
            std::iter::once(limit).chain(own).collect()
        }
    };
    let values = value_paths::of_amount(&case.hr().spec.values, end, &amounts);
    let seen = values.iter().filter_map(|(path, amount)| {
        let amount = format!("{path}: {}", amount.as_ref()?);
        Some(Evidence::new(case.subject(), &format!(".{path}"), &amount))
    });
    let seen: Vec<Evidence> = seen.collect();
    let paths: Vec<&String> = values.iter().map(|(path, _)| path).collect();
    let sentence =
        format!("the creation Job's pod was evicted: it wrote more than its own limit, {limit}");
    let finding = Finding::new(pod.clone(), sentence)
        .why(format!("It wrote more {what}: {limit}, its {field}. The limit is the pod's own; its node need not be short of disk."))
        .seen(case.seen_failure())
        .seen([Evidence::new(pod.clone(), ".status.message", message)])
        .seen(seen);
    let finding = created(case, finding);
    match paths.as_slice() {
        [] if matches!(of, Limited::Volume(_)) => finding
            .why("spec.values does not set it: it comes from spec.valuesFrom, or from the chart's defaults.")
            .step("Raise the limit where it comes from, or find out what the Job writes.")
            .then(then(case, Fixes::Elsewhere)),
        [] => finding
            .why(format!("spec.values does not set it: {field} comes from spec.valuesFrom, from the chart's defaults, or from a LimitRange of the namespace."))
            .step("Raise the limit where it comes from, or find out what the Job writes:")
            .command(["kubectl", "get", "limitranges", "-n", &pod.namespace, "-o", "yaml"])
            .then(then(case, Fixes::Elsewhere)),
        paths => finding
            .step(format!(
                "Raise {} in the manifest, if it is what sets this limit, or find out what the Job writes.",
                few(paths, " or ", SHOWN)
            ))
            .then(then(case, Fixes::Manifest)),
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, fixture};
    use serde_json::{Value, json};

    /// What is said of an eviction in these words, where the pod and the values have these limits.
    fn told(message: &str, limit: &Value, values: &Value) -> String {
        let name = "pod-disrupted";
        let snapshot = fixture::snapshot_of(name, &|object| match object["kind"].as_str() {
            Some("Pod") => {
                object["spec"]["nodeName"] = json!("w");
                object["spec"]["containers"][0]["resources"] =
                    json!({"limits": {"ephemeral-storage": limit}});
                object["status"]["message"] = json!(message);
                object["status"]["conditions"] = json!([]);
            }
            Some("HelmRelease") => object["spec"]["values"]["job"] = values.clone(),
            _ => {}
        });
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let finding = (super::RULE.check)(&case).unwrap().unwrap();
        let seen = finding
            .evidence
            .iter()
            .filter(|e| e.field.contains("values"));
        let seen: Vec<String> = seen.map(|e| e.observed.clone()).collect();
        let why = finding.why.join("\n");
        format!("{why}\n{}\n{}", seen.join("\n"), fixture::lines(finding))
    }

    #[test]
    fn a_limit_of_its_own_is_raised_where_the_values_set_it() {
        let of_pod =
            "Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ";
        let values = json!({"limits": {"ephemeral-storage": "10Mi"}});
        insta::assert_snapshot!(told(of_pod, &json!("10Mi"), &values), @"
        It wrote more than its containers may together (logs, their own file systems, emptyDirs): 10Mi, its limits.ephemeral-storage. The limit is the pod's own; its node need not be short of disk.
        spec.values.job.limits.ephemeral-storage: 10Mi
        the creation Job's pod was evicted: it wrote more than its own limit, 10Mi
        Check whether it had created the database before it ended:
        $ kubectl skvs databases acme_search
        Raise spec.values.job.limits.ephemeral-storage in the manifest, if it is what sets this limit, or find out what the Job writes.
        ");
        // With a sidecar the total is another amount.
        let total =
            "Pod ephemeral local storage usage exceeds the total limit of containers 1034Mi. ";
        assert!(
            told(total, &json!("10Mi"), &values)
                .contains("Raise spec.values.job.limits.ephemeral-storage in")
        );
        let other =
            json!({"requests": {"ephemeral-storage": "10Mi"}, "limits": {"memory": "10Mi"}});
        insta::assert_snapshot!(told(of_pod, &json!("10Mi"), &other), @"
        It wrote more than its containers may together (logs, their own file systems, emptyDirs): 10Mi, its limits.ephemeral-storage. The limit is the pod's own; its node need not be short of disk.
        spec.values does not set it: limits.ephemeral-storage comes from spec.valuesFrom, from the chart's defaults, or from a LimitRange of the namespace.

        the creation Job's pod was evicted: it wrote more than its own limit, 10Mi
        Check whether it had created the database before it ended:
        $ kubectl skvs databases acme_search
        Raise the limit where it comes from, or find out what the Job writes:
        $ kubectl get limitranges -n core -o yaml
        ");
        let of_container = "Container create exceeded its local ephemeral storage limit \"10Mi\". ";
        assert!(
            told(of_container, &json!("10Mi"), &values).contains("than its container create may")
        );
    }

    #[test]
    fn a_full_volume_of_its_own_is_enlarged_where_the_values_set_it() {
        let said = "Usage of EmptyDir volume \"tmp\" exceeds the limit \"5Mi\". ";
        let values = json!({"tmp": {"sizeLimit": "5Mi"}, "limits": {"ephemeral-storage": "5Mi"}});
        let unset = told(said, &json!("10Mi"), &json!(null));
        assert!(unset.contains("from the chart's defaults.") && !unset.contains("limitranges"));
        insta::assert_snapshot!(told(said, &json!("10Mi"), &values), @"
        It wrote more to its emptyDir tmp than that may hold: 5Mi, its sizeLimit. The limit is the pod's own; its node need not be short of disk.
        spec.values.job.tmp.sizeLimit: 5Mi
        the creation Job's pod was evicted: it wrote more than its own limit, 5Mi
        Check whether it had created the database before it ended:
        $ kubectl skvs databases acme_search
        Raise spec.values.job.tmp.sizeLimit in the manifest, if it is what sets this limit, or find out what the Job writes.
        ");
    }

    #[test]
    fn the_pressure_of_its_node_is_relieved_there() {
        let none = json!({});
        let of = |message: &str| told(message, &json!(null), &none);
        insta::assert_snapshot!(of("The node was low on resource: memory. Container create was using 1Gi, which exceeds its request of 64Mi. "), @"
        Kubernetes ended it. Neither CouchDB nor the values are at fault.
        Container create used 1Gi, and requests 64Mi: pods that use more than they request are ended first.

        the node evicted the creation Job's pod
        Check whether it had created the database before it ended:
        $ kubectl skvs databases acme_search
        Free memory on node w, or have the retry run on another one:
        $ kubectl describe node w
        ");
        let disk = of(
            "The node was low on resource: ephemeral-storage. Container create was using 36Ki, request is 0, has larger consumption of ephemeral-storage. ",
        );
        assert!(
            disk.contains("requests no ephemeral-storage")
                && disk.contains("A request for ephemeral-storage"),
            "{disk}"
        );
        for (resource, part) in [
            ("[PIDPressure]", "Free process IDs"),
            ("inodes", "Free inodes"),
            ("gpu", "Free what the node ran short of"),
        ] {
            let said = of(&format!("The node was low on resource: {resource}. "));
            assert!(said.contains(part), "{said}");
        }
        // In other words nothing is known of what it lacked.
        assert!(of("Evicted by somebody").contains("Free what the node ran short of, or wait"));
    }

    #[test]
    fn it_is_found() {
        let finding = fixture::finding("pod-disrupted", "SKVS317");
        assert_eq!(finding.sentence, "the node evicted the creation Job's pod");
        let shown = format!("{finding:?}");
        assert!(shown.contains("low on resource"), "{shown}");
        assert!(!shown.contains("\"logs\""), "{shown}");
    }
}
