//! Why a pod is not where it is to run: the labels of the node that rejected it, and the nodes on which its volumes can be used.

use super::case::Case;
use super::finding::{Evidence, Finding, Subject};
use super::nodes::pods;
use crate::model::kubelet;
use crate::model::placement::Volume;
use crate::model::pod::Pod;
use crate::snapshot::{Claimed, IfRead};

/// The finding about a pod of the creation Job that its node rejected for the node's labels, which fit by now; `None` where they do not,
/// or where that is not known.
pub(super) fn rejected(case: &Case<'_>, finding: Finding, pod: &Subject) -> Option<Finding> {
    let pod = pods(case).find(|own| Subject::from(&own.meta) == *pod)?;
    let name = pod.node.as_str().filter(|_| pod.is_rejected_for_labels())?;
    let node = case.nodes().if_read()?.of(name).if_read()?;
    if pod.wanted.fits(node) != Some(true) {
        return None;
    }
    // Whether it is cordoned or tainted is not read.
    let since = node.ready_since()?;
    let node = Subject::new("Node", "", name);
    let labels = Evidence::new(
        node.clone(),
        ".metadata.labels",
        "has what the pod asks for",
    );
    Some(
        finding
            .why(format!("{node} has the labels that the pod asks for by now, and has been ready since {since}. It may have got them since, or its kubelet had just started and did not know them yet."))
            .seen([labels])
            .step("The labels need no change: have the pod made again. If it is rejected again, see whether the node is cordoned or tainted, and compare it with the pod's nodeSelector and affinity:")
            .command(["kubectl", "describe", "node", name]),
    )
}

/// The finding with the nodes on which the volumes of its pods can be used.
pub(super) fn also(case: &Case<'_>, finding: Finding) -> Finding {
    let Some(related) = case.related().if_read() else {
        return finding;
    };
    let shown: Vec<Subject> = finding.evidence.iter().map(|e| e.object.clone()).collect();
    let claims = related.volumes.iter().filter_map(|claimed| {
        let pod = pods(case).find(|pod| pod.meta.id() == claimed.pod)?;
        shown
            .contains(&Subject::from(&pod.meta))
            .then_some((pod, claimed))
    });
    of_claims(finding, claims.collect())
}

/// The finding with the claim that says most, and what may be wrong with the others.
fn of_claims(finding: Finding, mut claims: Vec<(&Pod, &Claimed)>) -> Finding {
    claims.sort_by_key(|(pod, claimed)| rank(pod, claimed));
    let Some(((pod, claimed), others)) = claims.split_first() else {
        return finding;
    };
    let unread = others.iter().filter(|(_, other)| other.volume().is_err());
    let unread = match unread.count() {
        0 => None,
        1 => Some("Another volume of these pods was not read.".to_owned()),
        several => Some(format!(
            "Of these pods, {several} other volumes were not read."
        )),
    };
    of_volume(finding.whys(unread.as_deref()), pod, claimed)
}

/// How little a claim says of why no node fits its pod.
fn rank(pod: &Pod, claimed: &Claimed) -> u8 {
    let volume = match claimed.volume() {
        Ok(Some(volume)) => volume,
        Ok(None) => return 1,
        Err(_) => return 3,
    };
    match volume.label() {
        Some((key, values)) if excluded(pod, key, &values).is_some() => 0,
        Some(_) => 2,
        None => 4,
    }
}

/// The values of a node's label that the pod asks for, if none of these is among them.
fn excluded<'p>(pod: &'p Pod, key: &str, values: &[&str]) -> Option<Vec<&'p str>> {
    let asked = pod.wanted.of_label(key)?;
    (!asked.iter().any(|value| values.contains(value))).then_some(asked)
}

/// What must not be lost over it.
const KEEP: &str = "Do not delete the claim or the volume, which hold the data";

fn of_volume(finding: Finding, pod: &Pod, claimed: &Claimed) -> Finding {
    let (namespace, claim) = (&claimed.namespace, &claimed.claim);
    let claim_subject = Subject::new("PersistentVolumeClaim", namespace, claim);
    let volume = match claimed.volume() {
        Ok(Some(volume)) => volume,
        Ok(None) => {
            return finding.why(format!("{claim_subject} or its volume does not exist."));
        }
        Err(unread) => {
            return finding.why(format!(
                "Where the volume of {claim_subject} can be used is not known: {}.",
                unread.why.clause()
            ));
        }
    };
    let subject = Subject::from(&volume.meta);
    let Some((key, values)) = volume.label() else {
        return finding
            .why(format!("The volume of {claim_subject} is {subject}."))
            .step(format!(
                "Compare the nodes that it can be used on with those that the pod asks for. {KEEP}:"
            ))
            .command(["kubectl", "describe", "persistentvolume", &volume.meta.name]);
    };
    of_label(finding, pod, volume, (key, &values), &claim_subject)
}

fn of_label(
    finding: Finding,
    pod: &Pod,
    volume: &Volume,
    (key, values): (&str, &[&str]),
    claim: &Subject,
) -> Finding {
    let subject = Subject::from(&volume.meta);
    let places = format!("{key} {}", values.join(" or "));
    let finding = finding
        .why(format!(
            "The volume of {claim} ({}) can only be used on nodes with {places}.",
            volume.meta.name
        ))
        .seen([Evidence::new(subject, ".spec.nodeAffinity", &places)]);
    match excluded(pod, key, values) {
        Some(asked) => finding
            .why(format!(
                "The pod asks for nodes with {key} {}, so no node fits both.",
                asked.join(" or ")
            ))
            .step(format!(
                "Allow {places} in the pod's nodeSelector or affinity, where the pod is defined. {KEEP}; it has to be moved with a backup if the pod must run elsewhere."
            )),
        // The step of the pod says so.
        None if pod.unscheduled().is_some_and(kubelet::is_held_by_spread) => finding.why(
            "The pod's topologySpreadConstraints allow no further pod there, so no node fits both.",
        ),
        None => {
            let selector = match values {
                [one] => format!("{key}={one}"),
                several => format!("{key} in ({})", several.join(",")),
            };
            finding
                .step(format!("See why no node with {places} takes the pod: it may be missing, full, cordoned or tainted, or the pod's own nodeSelector or affinity excludes it. {KEEP}:"))
                .command(["kubectl", "get", "nodes", "-l", &selector])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use crate::model::node::Node;
    use crate::snapshot::{Nodes, Read, Why};
    use serde_json::{Value, json};

    fn terms(key: &str, values: &Value) -> Value {
        json!({"nodeSelectorTerms": [{"matchExpressions": [{"key": key, "operator": "In", "values": values}]}]})
    }

    fn told(affinity: &Value, volume: Read<Value>) -> String {
        let pod = json!({"metadata": {"namespace": "n", "name": "db-0"}, "spec": {"affinity": {"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": affinity}}}});
        let claimed = Claimed {
            pod: "n/db-0".to_owned(),
            namespace: "n".to_owned(),
            claim: "data".to_owned(),
            volume: volume.map(|object| Volume::from_value(&object)).into(),
        };
        let finding = Finding::new(Subject::new("Pod", "n", "db-0"), "x");
        fixture::reasoned(of_volume(finding, &Pod::from_value(&pod), &claimed))
    }

    #[test]
    fn a_volume_says_on_which_nodes_it_can_be_used() {
        let volume = |required: &Value| {
            Read::Seen(
                json!({"metadata": {"name": "pv-1"}, "spec": {"nodeAffinity": {"required": required}}}),
            )
        };
        let zone = |values: Value| terms("topology.kubernetes.io/zone", &values);
        insta::assert_snapshot!([
            told(&zone(json!(["b", "c"])), volume(&zone(json!(["d"])))),
            told(&zone(json!(["c", "d"])), volume(&zone(json!(["d"])))),
            told(&json!(null), volume(&terms("kubernetes.io/hostname", &json!(["w-1"])))),
            told(&json!(null), volume(&json!(7))),
            told(&json!(null), Read::Absent),
            told(&json!(null), Read::Unknown(Why::Forbidden("get persistentvolumes".to_owned()))),
        ].join("\n\n"), @"
        The volume of PersistentVolumeClaim n/data (pv-1) can only be used on nodes with topology.kubernetes.io/zone d.
        The pod asks for nodes with topology.kubernetes.io/zone b or c, so no node fits both.
        x
        Allow topology.kubernetes.io/zone d in the pod's nodeSelector or affinity, where the pod is defined. Do not delete the claim or the volume, which hold the data; it has to be moved with a backup if the pod must run elsewhere.

        The volume of PersistentVolumeClaim n/data (pv-1) can only be used on nodes with topology.kubernetes.io/zone d.
        x
        See why no node with topology.kubernetes.io/zone d takes the pod: it may be missing, full, cordoned or tainted, or the pod's own nodeSelector or affinity excludes it. Do not delete the claim or the volume, which hold the data:
        $ kubectl get nodes -l topology.kubernetes.io/zone=d

        The volume of PersistentVolumeClaim n/data (pv-1) can only be used on nodes with kubernetes.io/hostname w-1.
        x
        See why no node with kubernetes.io/hostname w-1 takes the pod: it may be missing, full, cordoned or tainted, or the pod's own nodeSelector or affinity excludes it. Do not delete the claim or the volume, which hold the data:
        $ kubectl get nodes -l kubernetes.io/hostname=w-1

        The volume of PersistentVolumeClaim n/data is PersistentVolume pv-1.
        x
        Compare the nodes that it can be used on with those that the pod asks for. Do not delete the claim or the volume, which hold the data:
        $ kubectl describe persistentvolume pv-1

        PersistentVolumeClaim n/data or its volume does not exist.
        x

        Where the volume of PersistentVolumeClaim n/data can be used is not known: forbidden (get persistentvolumes).
        x
        ");
    }

    #[test]
    fn of_several_claims_the_one_that_is_surely_in_the_way_is_told() {
        let claimed = |claim: &str, volume: Read<Value>| Claimed {
            pod: "n/db-0".to_owned(),
            namespace: "n".to_owned(),
            claim: claim.to_owned(),
            volume: volume.map(|object| Volume::from_value(&object)).into(),
        };
        let zoned = |zone: &str| {
            let required = terms("zone", &json!([zone]));
            Read::Seen(
                json!({"metadata": {"name": "pv"}, "spec": {"nodeAffinity": {"required": required}}}),
            )
        };
        let affinity = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms("zone", &json!(["b"]))}});
        let pod = Pod::from_value(
            &json!({"metadata": {"namespace": "n", "name": "db-0"}, "spec": {"affinity": affinity}}),
        );
        let ranked = [
            claimed("elsewhere", zoned("a")),
            claimed("gone", Read::Absent),
            claimed("fits", zoned("b")),
            claimed("unread", Read::not_asked("x")),
            claimed("anywhere", Read::Seen(json!({"metadata": {"name": "pv"}}))),
        ];
        let told = |claims: &[Claimed]| {
            let finding = Finding::new(Subject::new("Pod", "n", "db-0"), "x");
            let claims = claims.iter().map(|claimed| (&pod, claimed)).collect();
            of_claims(finding, claims).why
        };
        for (number, first) in ranked.iter().enumerate() {
            let mut claims = ranked[number..].to_vec();
            claims.reverse();
            let why = told(&claims);
            let said = why.last().unwrap();
            let claim = format!("n/{}", first.claim);
            assert!(why.iter().any(|line| line.contains(&claim)), "{said}");
            let is_told = why
                .concat()
                .contains("Another volume of these pods was not read.");
            assert_eq!(is_told, number < 3, "{why:?}");
        }
    }

    #[test]
    fn a_pod_that_fits_its_node_by_now_only_has_to_start_again() {
        let name = "image-not-pulled";
        let of = |labels: Value, ready: &str| {
            let mut snapshot = fixture::snapshot_of(name, &|object| {
                if object["kind"] == "Pod" {
                    object["spec"]["nodeName"] = "w".into();
                    object["spec"]["nodeSelector"] = json!({"pool": "batch"});
                    object["status"] = json!({"phase": "Failed", "reason": "NodeAffinity", "message": "Predicate NodeAffinity failed"});
                }
            });
            let place = json!({"metadata": {"name": "w", "labels": labels}, "status": {"conditions": [
                {"type": "Ready", "status": ready, "lastTransitionTime": "2026-11-27T05:00:02Z"}]}});
            snapshot.on_demand.nodes = Read::Seen(Nodes {
                nodes: vec![("w".to_owned(), Read::Seen(Node::from_value(&place)).into())],
                events: Vec::new(),
                attachments: Read::not_needed("x").into(),
            });
            let case = Case::new(&snapshot, fixture::meta(name).now);
            let pod = pods(&case).next().unwrap();
            let pod = Subject::from(&pod.meta);
            let finding = Finding::new(case.subject(), "x");
            rejected(&case, finding, &pod).map(|finding| finding.why.concat())
        };
        let fits = of(json!({"pool": "batch"}), "True").unwrap();
        assert!(fits.contains("ready since 2026-11-27T05:00:02Z"), "{fits}");
        assert_eq!(of(json!({"pool": "other"}), "True"), None);
        assert_eq!(of(json!(7), "True"), None);
        assert_eq!(of(json!({"pool": "batch"}), "False"), None);
    }
}
