//! SKVS102: the target namespace is being deleted.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::peers;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::api_service::ApiService;
use crate::model::failure::Cause;
use crate::model::failure::namespace::NamespaceError;
use crate::model::namespace::Namespace;
use crate::snapshot::{Checked, IfRead, Related};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS102",
    slug: "target-namespace-terminating",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the target namespace is being deleted",
    explanation: r#"Nothing can be created in a namespace that is being deleted. The deletion ends when all its objects are gone; an orphaned
finalizer can hold it for ever."#,
    fix: r#"See it: `kubectl get namespace NAME -o yaml` and read `.status.conditions`: they list the remaining objects.

Wait until it is gone, then create it again. If it hangs: a finalizer is removed by the controller of its objects, so have that
run again. An API that does not answer needs its Service; if nobody uses it any more, remove its APIService."#,
    example: r#"create-x is forbidden: unable to create new content in namespace core because it is being terminated"#,
    explains: &["SKVS108", "SKVS110", "SKVS900"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let target = case.hr().release_namespace();
    let namespace = case.target_namespace().if_read();
    let phase = namespace.and_then(|n| n.phase.as_str());
    let deleted = namespace.and_then(|n| n.meta.deleted.as_str());
    let told = case.cause()? == Some(&Cause::Namespace(NamespaceError::Terminating));
    let subject = Subject::new("Namespace", "", target);
    let evidence = match (deleted, phase) {
        (Some(since), _) => Some(Evidence::new(
            subject.clone(),
            ".metadata.deletionTimestamp",
            &format!("being deleted since {since}"),
        )),
        (None, Some("Terminating")) => Some(Evidence::new(
            subject.clone(),
            ".status.phase",
            "Terminating",
        )),
        _ => None,
    };
    if evidence.is_none() && !told {
        return case.target_namespace().map(|_| None);
    }
    let remains: Vec<&str> = namespace.into_iter().flat_map(Namespace::remains).collect();
    let likelier = peers::target_namespace(case, target);
    let fixes = match &likelier {
        Some(_) => Fixes::Target,
        None => Fixes::Elsewhere,
    };
    let finding = Finding::new(subject, format!("the namespace {target} is being deleted"))
        .why("Nothing can be created in it until it is gone and created again.")
        .seen(case.seen_failure())
        .seen(evidence.map(|e| e.lines(remains)))
        .change(likelier);
    held(case, finding, namespace)
        .step("Once it is gone, create it again, with everything the creation Job needs.")
        .then(then(case, fixes))
        .into()
}

/// Adds what holds the namespace, with what to do about it.
fn held(case: &Case<'_>, finding: Finding, namespace: Option<&Namespace>) -> Finding {
    let target = case.hr().release_namespace();
    let apis = case.related().if_read().map(Related::apis);
    let apis: Vec<_> = apis.into_iter().flatten().collect();
    // One that was not read may keep it.
    let is_of_api = apis.iter().any(|(_, api)| !matches!(api, Ok(None)));
    let unread = namespace
        .map_or(0, |n| n.unserved().len())
        .saturating_sub(apis.len());
    let unread = (unread > 0)
        .then(|| format!("Not all of the APIs that did not answer were read ({unread} more)."));
    let finding = finding.whys(unread.as_deref());
    let finding = apis
        .into_iter()
        .fold(finding, |finding, (name, api)| unserved(finding, name, api));
    let remaining = namespace.map(Namespace::remaining).unwrap_or_default();
    if remaining.is_empty() {
        return match is_of_api {
            true => finding,
            false => finding.step("Find out why it stays:").command([
                "kubectl",
                "get",
                "namespace",
                target,
                "-o",
                "yaml",
            ]),
        };
    }
    let finalizers = namespace.map(Namespace::finalizers).unwrap_or_default();
    let finding = finalizers.iter().fold(finding, |finding, finalizer| {
        finding.step(remover(finalizer))
    });
    finding.step("The objects that remain:").command([
        "kubectl",
        "get",
        "-n",
        target,
        &remaining.join(","),
        "-o",
        // Not as YAML: they may be Secrets.
        "custom-columns=KIND:.kind,NAME:.metadata.name,FINALIZERS:.metadata.finalizers",
    ])
}

/// What removes a finalizer.
fn remover(finalizer: &str) -> String {
    match finalizer {
        "kubernetes.io/pvc-protection" => {
            "A claim of a volume stays as long as a pod uses it (finalizer kubernetes.io/pvc-protection). Once the pod ends, the claim goes with its namespace, and with reclaim policy Delete the volume's data as well: save the data, or set persistentVolumeReclaimPolicy of the volume to Retain. Only then end that pod.".to_owned()
        }
        "finalizers.fluxcd.io" => {
            "Flux removes finalizer finalizers.fluxcd.io once it has uninstalled what the object had installed: check that its controller runs, and that the object is not suspended.".to_owned()
        }
        "foregroundDeletion" | "orphan" => format!(
            "Kubernetes removes finalizer {finalizer} once the objects that belong to this one are gone: look for one of those that has a finalizer itself."
        ),
        _ => format!(
            "Finalizer {finalizer} is removed by the controller (operator) that set it, once it has cleaned up: check that it runs. If it was uninstalled first, install it again; its clean-up may delete data, so save first what is needed. A finalizer that somebody removes leaves that clean-up undone."
        ),
    }
}

/// Adds who should answer for an API without which nobody knows what the namespace holds.
fn unserved(finding: Finding, name: &str, api: Checked<Option<&ApiService>>) -> Finding {
    let subject = Subject::new("APIService", "", name);
    let describe = |finding: Finding, step: &str| {
        let command = [
            "kubectl",
            "describe",
            "apiservices.apiregistration.k8s.io",
            name,
        ];
        finding.step(step).command(command)
    };
    let api = match api {
        Ok(Some(api)) => api,
        Ok(None) => {
            return finding.why(format!(
                "{subject} no longer exists, so it no longer keeps the namespace."
            ));
        }
        Err(unread) => {
            let finding = finding.why(format!(
                "It is not known who answers for {subject}: it was not read: {}.",
                unread.why.clause()
            ));
            return describe(finding, "See whether it answers:");
        }
    };
    let Some(said) = api.unavailable() else {
        let finding = finding.why(format!(
            "Kubernetes could not list what is in the namespace when the API of {subject} did not answer. Its condition does not say that this is still so: if it answers, the deletion continues."
        ));
        return match api.service.set() {
            Some(service) => describe(
                finding,
                &format!(
                    "See whether it answers. If not, bring back the pods of Service {}/{}, which answers for it:",
                    service.namespace, service.name
                ),
            ),
            None => describe(finding, "See whether it answers:"),
        };
    };
    let finding = finding
        .why(format!(
            "Kubernetes cannot list what is in the namespace, because the API of {subject} does not answer."
        ))
        .seen([Evidence::condition(subject.clone(), said)]);
    match api.service.set() {
        Some(service) => describe(
            finding,
            &format!(
                "Bring back the pods of Service {}/{}, which answers for this API. If nobody uses the API any more, have the APIService removed:",
                service.namespace, service.name
            ),
        ),
        None => describe(finding, "See why the API server does not answer for it:"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use crate::snapshot::{Read, Why};
    use serde_json::json;

    #[test]
    fn each_finalizer_has_who_removes_it() {
        for (finalizer, part) in [
            ("kubernetes.io/pvc-protection", "end that pod"),
            ("finalizers.fluxcd.io", "not suspended"),
            ("foregroundDeletion", "has a finalizer itself"),
            ("cephcluster.ceph.rook.io", "install it again"),
        ] {
            let said = remover(finalizer);
            assert!(said.contains(part) && said.contains(finalizer), "{said}");
        }
    }

    #[test]
    fn an_api_that_does_not_answer_names_its_service() {
        let of = |api: Read<serde_json::Value>| {
            let finding = Finding::new(Subject::new("Namespace", "", "core"), "x");
            let api = api.map(|object| ApiService::from_value(&object));
            fixture::reasoned(unserved(
                finding,
                "v1beta1.metrics.k8s.io",
                api.checked("x"),
            ))
        };
        let spec = json!({"service": {"namespace": "kube-system", "name": "metrics-server"}});
        let with = |available: &str| {
            let status = json!({"conditions": [{"type": "Available", "status": available}]});
            of(Read::Seen(
                json!({"metadata": {"name": "v1beta1.metrics.k8s.io"}, "spec": spec, "status": status}),
            ))
        };
        let said = with("False");
        assert!(
            said.contains("does not answer.")
                && said.contains("Service kube-system/metrics-server"),
            "{said}"
        );
        // By now it may answer, and must stay.
        let said = with("True");
        assert!(said.contains("See whether it answers"), "{said}");
        assert!(!said.contains("removed"), "{said}");
        assert!(of(Read::Absent).contains("no longer keeps the namespace"));
        let refused = of(Read::Unknown(Why::Forbidden("get apiservices".to_owned())));
        assert!(
            refused.contains("was not read: forbidden (get apiservices)"),
            "{refused}"
        );
        assert!(refused.contains("See whether it answers"), "{refused}");
        assert!(!refused.contains("removed"), "{refused}");
    }

    #[test]
    fn an_api_beyond_those_that_were_read_is_counted() {
        let name = "target-namespace-held-by-api";
        let whole = fixture::finding(name, "SKVS102");
        assert!(!whole.why.concat().contains("Not all"), "{:?}", whole.why);
        let snapshot = fixture::snapshot_of(name, &|object| {
            if object["kind"] == "Namespace" {
                let message = &mut object["status"]["conditions"][0]["message"];
                let said = message.as_str().unwrap().to_owned();
                *message = format!("{said}, custom.metrics.k8s.io/v1beta1: stale GroupVersion discovery: custom.metrics.k8s.io/v1beta1, a.example/v1: x, b.example/v1: x, c.example/v1: x").into();
            }
        });
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let unserved = case.target_namespace().if_read().unwrap().unserved().len();
        let why = fixture::of_code(crate::diagnosis::diagnose(&case), "SKVS102").why;
        let more = unserved - 3;
        assert!(more > 0);
        let line = format!("Not all of the APIs that did not answer were read ({more} more).");
        assert!(why.contains(&line), "{why:?}");
    }

    #[test]
    fn what_a_claim_holds_is_saved_before_its_pod_ends() {
        let said = remover("kubernetes.io/pvc-protection");
        let (before, end) = said.split_once("Only then ").expect("an order");
        assert!(
            before.contains("Retain") && end.contains("end that pod"),
            "{said}"
        );
    }

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("target-namespace-terminating", "SKVS102"),
            "the namespace core is being deleted"
        );
    }
}
