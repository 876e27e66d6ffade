//! SKVS101: the target namespace does not exist.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Step, Subject};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::{needs, peers};
use crate::model::failure::Cause;
use crate::model::failure::namespace::NamespaceError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS101",
    slug: "target-namespace-missing",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the target namespace does not exist",
    explanation: r#"Helm installs the chart into `spec.targetNamespace`. Flux does not create that namespace unless the manifest says so, and the
chart's first object there, the creation Job, is refused with `namespaces "…" not found`.

Creating the namespace after Flux gave up is not enough: the retries are used up. And a reset alone makes Flux upgrade the
failed revision, which does not create the database: remove the failed release first."#,
    fix: r#"See it: `kubectl get namespace NAME`

Correct `spec.targetNamespace`: usually it is misspelt; the runbook's onboardings use `core`. If the namespace is intended,
create it with everything the creation Job needs: its ServiceAccount (`agora-kvs` if not set) and the Secret with CouchDB's
credentials. An empty one, as created by `spec.install.createNamespace: true`, only leads to the next failure (SKVS314)."#,
    example: r#"install failed: namespaces "core" not found"#,
    explains: &["SKVS108", "SKVS110"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let target = case.hr().release_namespace();
    // What is there now was read; what the error says was so at the last attempt.
    let (missing, now_unknown) = match (case.target_namespace(), told(case.cause()?)) {
        (Ok(None), _) => (target, None),
        // Another namespace than the target: the chart asks for it, and only the error names it.
        (_, Some(other)) if other != target => (other, Some("it was not looked for".to_owned())),
        (Ok(Some(_)), Some(_)) => return made_since(case, target),
        (Err(unread), Some(_)) => (target, Some(unread.why.clause())),
        (Ok(Some(_)), None) => return Ok(None),
        (Err(unread), None) => return Err(unread),
    };
    let subject = Subject::new("Namespace", "", missing);
    let sentence = match &now_unknown {
        None => format!("the namespace {missing} does not exist"),
        Some(_) => format!("the namespace {missing} did not exist at Flux's last attempt"),
    };
    let mut finding = Finding::new(subject.clone(), sentence)
        .why(if missing == target {
            "The chart is installed into this namespace (spec.targetNamespace), and Flux only creates it if spec.install.createNamespace is set."
        } else if case.hr().is_stale() {
            "Flux's last attempt used it; the present manifest has another spec.targetNamespace."
        } else {
            "The chart applies an object in this namespace; it is not the target namespace."
        })
        .seen(case.seen_failure());
    let stale = case.hr().is_stale();
    let likelier = peers::target_namespace(case, missing).filter(|_| !stale);
    let fixes = match &likelier {
        Some(_) => Fixes::Target,
        None => Fixes::Elsewhere,
    };
    finding = match now_unknown {
        None => finding
            .seen([Evidence::new(subject, "", "not found")])
            .change(likelier),
        Some(why) => finding
            .why(format!("Whether it exists now is unknown: {why}."))
            .change(likelier)
            .step("Check whether it exists now:")
            .command(["kubectl", "get", "namespace", missing]),
    };
    created(case, finding, missing)
        .then(then(case, fixes))
        .into()
}

/// The namespace made, with what the creation Job needs in it: an empty one leads to the next failure (SKVS314).
fn created(case: &Case<'_>, finding: Finding, missing: &str) -> Finding {
    let elsewhere = peers::target_namespaces(case);
    let elsewhere = elsewhere.map_or(String::new(), |all| {
        format!(" (the others install into {all})")
    });
    let finding = match finding.fix.iter().any(|s| matches!(s, Step::Manifest(_))) {
        true => finding,
        false => finding.step(format!(
            "If the name is wrong, correct spec.targetNamespace in the manifest{elsewhere}."
        )),
    };
    let needs = needs::needs(case);
    let mut finding = finding
        .step("If it is right, create the namespace, with everything the creation Job needs:")
        .command(["kubectl", "create", "namespace", missing])
        .command([
            "kubectl",
            "create",
            "serviceaccount",
            "-n",
            missing,
            &needs.account,
        ]);
    if !needs.others.is_empty() {
        finding = finding.step(format!(
            "It also needs, as in the namespace of another onboarding: {}",
            needs.others.join(", ")
        ));
    }
    finding
}

/// The namespace is there now, and Flux has not tried since.
fn made_since(case: &Case<'_>, target: &str) -> Verdict {
    let sentence = format!("the namespace {target} did not exist at Flux's last attempt");
    Finding::new(Subject::new("Namespace", "", target), sentence)
        .why("It exists now: it was created after the attempt, and the status is from before.")
        .seen(case.seen_failure())
        .step("There is nothing to fix.")
        .of_attempt()
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// The namespace that the error says is missing.
fn told(cause: Option<&Cause>) -> Option<&str> {
    match cause {
        Some(Cause::Namespace(NamespaceError::Missing(name))) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn flux_16_and_the_runbooks_example_are_found() {
        assert_eq!(
            fixture::sentence("target-namespace-missing", "SKVS101"),
            "the namespace nope does not exist"
        );
        assert_eq!(
            fixture::sentence("runbook-example", "SKVS101"),
            "the namespace core does not exist"
        );
    }

    #[test]
    fn an_old_error_is_no_proof_of_now() {
        let finding = fixture::finding("target-namespace-not-read", "SKVS101");
        assert_eq!(
            finding.sentence,
            "the namespace nope did not exist at Flux's last attempt"
        );
        assert_eq!(
            finding.why[1],
            "Whether it exists now is unknown: forbidden (get namespaces in nope)."
        );
    }

    #[test]
    fn a_namespace_that_only_the_error_names_is_not_said_to_be_missing_now() {
        assert_eq!(
            fixture::sentence("target-namespace-other", "SKVS101"),
            "the namespace nope did not exist at Flux's last attempt"
        );
    }

    #[test]
    fn a_namespace_made_since_only_needs_another_attempt() {
        assert_eq!(
            fixture::sentence("target-namespace-made-since", "SKVS101"),
            "the namespace core did not exist at Flux's last attempt"
        );
    }

    #[test]
    fn what_the_job_refers_to_is_named() {
        let finding = fixture::finding("target-namespace-missing-and-needs", "SKVS101");
        let fix = format!("{:?}", finding.fix);
        let named = "of another onboarding: ConfigMap couch-ca, ConfigMap couch-url, ConfigMap projected-settings, ConfigMap wait-settings, \
            Secret couch-admin, Secret couch-more, Secret couch-tls, Secret couch-wait, Secret projected-secret\"";
        assert!(fix.contains(named), "{fix}");
    }
}
