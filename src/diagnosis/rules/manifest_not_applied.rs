//! SKVS148: a change to the onboarding's manifest does not reach the cluster.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::condition::Condition;
use crate::model::forbidden::Forbidden;
use crate::model::kustomization::{Remedy, State, names};
use crate::snapshot::{Unread, Why, part};
use crate::text::one_line;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS148",
    slug: "manifest-not-applied",
    severity: Severity::Warning,
    role: Role::State,
    title: "a change to the manifest does not reach the cluster",
    explanation: r#"The Kustomization that applies the onboarding's manifest fails, is suspended, has not finished or was not found, so the cluster
may not have the manifest in the GitOps repository: the onboarding is judged by its earlier manifest and may look healthy. A
Kustomization applies its whole folder or nothing, so the mistake may also be in another manifest. Checked only for an onboarding
that is given by name."#,
    fix: r#"See it: `kubectl describe kustomizations.kustomize.toolkit.fluxcd.io -n NAMESPACE NAME`

Correct what the message names in the GitOps repository. A field that is not declared in the schema needs newer CRDs of Flux,
or must be removed. Before you resume a suspended Kustomization, ask who suspended it and why."#,
    example: r#"HelmRelease/flux-system/x dry-run failed: failed to create typed patch object: .spec.y: field not declared in schema"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((namespace, name)) = case.applied_by()? else {
        return Ok(None);
    };
    let Some(kustomization) = case.kustomization(namespace, name)? else {
        return missing(case, namespace, name);
    };
    let subject = Subject::from(&kustomization.meta);
    let unknown = |why: &str| {
        let why = Why::Broken(format!("{subject}: {why}"));
        Err(Unread::new(part::KUSTOMIZATION, why))
    };
    let hr = &case.hr().metadata;
    // The labels may be those of a Kustomization of another cluster that is called the same.
    if let Err(why) = kustomization.applies(
        ["helm.toolkit.fluxcd.io", "HelmRelease"],
        [&hr.namespace, &hr.name],
    ) {
        return unknown(why);
    }
    match kustomization.state() {
        State::Applied | State::Waits(_) => Ok(None),
        State::Failed(failure) => {
            let remedy = kustomization.remedy(&failure.message);
            failed(case, &subject, failure, remedy)
        }
        State::Suspended(failure) => suspended(case, &subject, failure),
        State::Pending(ready) => pending(case, &subject, ready),
        State::Unknown(why) => unknown(why),
    }
}

fn failed(
    case: &Case<'_>,
    subject: &Subject,
    failure: &Condition,
    remedy: Option<Remedy>,
) -> Verdict {
    let (sentence, severity) = match names(&failure.message, &case.hr().metadata.name) {
        true => (
            format!("{subject} could not apply this onboarding's manifest"),
            Severity::Warning,
        ),
        false => (
            format!(
                "{subject} fails: changes to this onboarding's manifest may not reach the cluster"
            ),
            Severity::Info,
        ),
    };
    let refused = Forbidden::parse(&failure.message);
    let account = refused.as_ref().and_then(Forbidden::account);
    let account = account.map(|(namespace, name)| (one_line(namespace), one_line(name)));
    let finding = Finding::new(case.subject(), sentence)
        .severity(severity)
        .why(EARLIER)
        .seen([Evidence::condition(subject.clone(), failure)])
        .step(format!(
            "{}. The whole message:",
            remedy.map_or_else(
                || "In the GitOps repository, correct what it says".to_owned(),
                |remedy| remedy.sentence()
            )
        ))
        .command(describe(subject))
        .steps(account.as_ref().map(|_| {
            "The API server gives the same answer where that account does not exist. See whether it does:".to_owned()
        }));
    match account {
        Some((namespace, name)) => {
            finding.command(["kubectl", "get", "serviceaccounts", "-n", &namespace, &name])
        }
        None => finding,
    }
    .into()
}

fn suspended(case: &Case<'_>, subject: &Subject, failure: Option<&Condition>) -> Verdict {
    let sentence = format!(
        "{subject} is suspended: changes to this onboarding's manifest do not reach the cluster"
    );
    let failure = failure.map(|failure| Evidence::condition(subject.clone(), failure));
    Finding::new(case.subject(), sentence)
        .severity(Severity::Info)
        .why(EARLIER)
        .seen([Evidence::new(subject.clone(), ".spec.suspend", "true")])
        .seen(failure)
        .step("Ask who suspended it and why before it is resumed. Its annotations and managed fields may say who:")
        .command(describe(subject))
        .into()
}

fn pending(case: &Case<'_>, subject: &Subject, ready: &Condition) -> Verdict {
    let sentence = format!(
        "{subject} has not finished: a change to this onboarding's manifest may not have reached the cluster yet"
    );
    Finding::new(case.subject(), sentence)
        .severity(Severity::Info)
        .seen([Evidence::condition(subject.clone(), ready)])
        .step("If you expect a change, check whether it finishes:")
        .command(describe(subject))
        .into()
}

fn missing(case: &Case<'_>, namespace: &str, name: &str) -> Verdict {
    let subject = Subject::new("Kustomization", namespace, name);
    let sentence = format!(
        "{subject} was not found: whether changes to this onboarding's manifest reach the cluster is not known"
    );
    Finding::new(case.subject(), sentence)
        .severity(Severity::Info)
        .why("The labels of the HelmRelease name it. It was deleted or renamed, or it is in another cluster and applies its folder to this one (its spec.kubeConfig).")
        .step("See which exist here:")
        .command(["kubectl", "get", KIND, "-A"])
        .into()
}

/// Which manifest the report is about.
const EARLIER: &str = "The rest of this report is about the manifest applied before.";

const KIND: &str = "kustomizations.kustomize.toolkit.fluxcd.io";

fn describe(subject: &Subject) -> [&str; 6] {
    let (namespace, name) = (&subject.namespace, &subject.name);
    ["kubectl", "describe", "-n", namespace, KIND, name]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use crate::model::kustomization::Kustomization;
    use crate::snapshot::Read;
    use serde_json::{Value, json};
    use std::sync::Arc;

    const CASE: &str = "ready-and-manifest-not-applied";
    const OWN: &str = "HelmRelease/flux-system/skvs-onboarding-pds--database dry-run failed: no";

    /// The verdict if this is the only Kustomization.
    fn with(object: &Value) -> Verdict {
        let mut snapshot = fixture::snapshot(CASE);
        let all = vec![Kustomization::from_value(object)];
        snapshot.on_demand.kustomizations = Arc::new(Read::Seen(all));
        check(&Case::new(&snapshot, fixture::meta(CASE).now))
    }

    fn object(name: &str, suspend: bool, generation: i64, conditions: &Value) -> Value {
        json!({
            "kind": "Kustomization",
            "metadata": {"name": name, "namespace": "flux-system", "generation": generation},
            "spec": {"suspend": suspend},
            "status": {"observedGeneration": 3, "conditions": conditions},
        })
    }

    fn ready(status: &str, reason: &str, message: &str) -> Value {
        json!([{"type": "Ready", "status": status, "reason": reason, "message": message, "observedGeneration": 3}])
    }

    #[test]
    fn an_account_that_was_refused_may_not_exist() {
        let message = format!(
            "{OWN}: helmreleases.helm.toolkit.fluxcd.io \"x\" is forbidden: User \"system:serviceaccount:flux-system:onboarder\" cannot patch resource \"helmreleases\" in API group \"helm.toolkit.fluxcd.io\" in the namespace \"flux-system\""
        );
        let conditions = ready("False", "ReconciliationFailed", &message);
        let found = with(&object("onboardings", false, 3, &conditions));
        let lines = fixture::lines(found.unwrap().unwrap());
        assert!(
            lines.contains("where that account does not exist"),
            "{lines}"
        );
        assert!(
            lines.contains("serviceaccounts -n flux-system onboarder"),
            "{lines}"
        );
    }

    #[test]
    fn each_state_says_whether_a_change_reaches_the_cluster() {
        let of = |name: &str, suspend: bool, conditions: &Value| {
            let found = with(&object(name, suspend, 3, conditions)).unwrap();
            found.map(|finding| format!("{:?}: {}", finding.severity.unwrap(), finding.sentence))
        };
        let refused = ready("False", "ReconciliationFailed", OWN);
        let broken = ready("False", "BuildFailed", "kustomize build failed: no");
        let waits = ready("False", "DependencyNotReady", "x");
        let unhealthy = ready("False", "HealthCheckFailed", OWN);
        let applied = ready("True", "ReconciliationSucceeded", "x");
        let all = [
            of("onboardings", false, &refused),
            of("onboardings", false, &broken),
            of("onboardings", true, &refused),
            of("onboardings", true, &applied),
            of("onboardings", false, &waits),
            of("other", false, &refused),
        ];
        insta::assert_snapshot!(all.map(Option::unwrap).join("\n"), @"
        Warning: Kustomization flux-system/onboardings could not apply this onboarding's manifest
        Info: Kustomization flux-system/onboardings fails: changes to this onboarding's manifest may not reach the cluster
        Info: Kustomization flux-system/onboardings is suspended: changes to this onboarding's manifest do not reach the cluster
        Info: Kustomization flux-system/onboardings is suspended: changes to this onboarding's manifest do not reach the cluster
        Info: Kustomization flux-system/onboardings has not finished: a change to this onboarding's manifest may not have reached the cluster yet
        Info: Kustomization flux-system/onboardings was not found: whether changes to this onboarding's manifest reach the cluster is not known
        ");
        assert_eq!(of("onboardings", false, &applied), None);
        assert_eq!(of("onboardings", false, &unhealthy), None);
    }

    #[test]
    fn a_status_of_another_spec_says_nothing() {
        let why = |generation: i64, conditions: &Value| {
            let unread = with(&object("onboardings", false, generation, conditions)).unwrap_err();
            assert_eq!(unread.what, part::KUSTOMIZATION);
            unread.why.clause()
        };
        let old = "Kustomization flux-system/onboardings: its Ready is not known to be of its present spec";
        assert_eq!(why(4, &ready("True", "ReconciliationSucceeded", "x")), old);
        assert_eq!(why(4, &ready("False", "ReconciliationFailed", OWN)), old);
        assert_eq!(
            why(3, &json!([])),
            "Kustomization flux-system/onboardings: it has no Ready condition"
        );
    }

    #[test]
    fn a_namesake_that_does_not_apply_it_says_nothing() {
        let applied = ready("True", "ReconciliationSucceeded", "x");
        let why = |suspend: bool, path: &str, value: Value| {
            let mut object = object("onboardings", suspend, 3, &applied);
            let (parent, field) = path.rsplit_once('/').unwrap();
            object.pointer_mut(parent).unwrap()[field] = value;
            with(&object).map_err(|unread| unread.why.clause())
        };
        let remote = "Kustomization flux-system/onboardings: it may apply its folder to another cluster (spec.kubeConfig)";
        let elsewhere = Err(remote.to_owned());
        let kube_config = json!({"secretRef": {"name": "other"}});
        assert_eq!(why(true, "/spec/kubeConfig", kube_config), elsewhere);
        assert_eq!(why(false, "/spec/kubeConfig", json!("other")), elsewhere);
        assert_eq!(why(false, "/spec/kubeConfig", json!(null)), Ok(None));
        let id = "flux-system_skvs-onboarding-pds--database_helm.toolkit.fluxcd.io_HelmRelease";
        let entries = |entries: Value| why(false, "/status/inventory", json!({"entries": entries}));
        let other = json!({"id": id.replace("database", "other"), "v": "v2"});
        let own = json!({"id": id, "v": "v2"});
        let none = "Kustomization flux-system/onboardings: its status does not list this HelmRelease among what it has applied";
        assert_eq!(entries(json!([other, own])), Ok(None));
        assert_eq!(entries(json!([other])), Err(none.to_owned()));
        assert_eq!(entries(json!([])), Err(none.to_owned()));
        let odd = "Kustomization flux-system/onboardings: its status.inventory cannot be read";
        assert_eq!(entries(json!([other, 5])), Err(odd.to_owned()));
        assert_eq!(entries(json!([own, 5])), Ok(None));
        assert_eq!(
            why(false, "/status/inventory", json!([])),
            Err(odd.to_owned())
        );
    }

    #[test]
    fn a_step_fits_what_the_message_is_about() {
        let step = |message: &str| {
            let failed = ready("False", "ReconciliationFailed", message);
            let found = with(&object("onboardings", false, 3, &failed)).unwrap();
            format!("{:?}", found.unwrap())
        };
        let webhook = step(
            "HelmRelease/n/x dry-run failed: failed calling webhook \"v\": failed to call webhook: Post \"https://k.k.svc:443/v\": context deadline exceeded",
        );
        assert!(
            webhook.contains("Change nothing in the manifest: "),
            "{webhook}"
        );
        let build = step("kustomize build failed: no");
        assert!(
            build.contains("In the GitOps repository, build the folder"),
            "{build}"
        );
    }

    #[test]
    fn half_a_name_is_not_none() {
        let mut snapshot = fixture::snapshot(CASE);
        let now = fixture::meta(CASE).now;
        let labels = &mut snapshot.helm_release.metadata.labels;
        labels.remove("kustomize.toolkit.fluxcd.io/namespace");
        assert!(check(&Case::new(&snapshot, now)).is_err());
        let labels = &mut snapshot.helm_release.metadata.labels;
        labels.remove("kustomize.toolkit.fluxcd.io/name");
        assert_eq!(check(&Case::new(&snapshot, now)), Ok(None));
    }
}
