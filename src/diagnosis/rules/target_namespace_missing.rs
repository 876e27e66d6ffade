//! SKVS101: the target namespace does not exist.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::snapshot::Read;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS101",
    slug: "target-namespace-missing",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the target namespace does not exist",
    explanation: r#"Helm installs the chart into `spec.targetNamespace`. Flux does not make that namespace unless it is told to, and the first
object that the chart applies there, the creation Job, is refused with `namespaces "…" not found`.

A namespace that was made after Flux gave up changes nothing by itself: the retries are used up."#,
    fix: r#"See it: `kubectl get namespace NAME`

Either create the namespace, or set `spec.install.createNamespace: true` in the manifest, or correct `spec.targetNamespace`.
The runbook's onboardings use `core`."#,
    example: r#"install failed: namespaces "core" not found"#,
    needs: &[],
    explains: &["SKVS108", "SKVS110"],
    when: always,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let target = case.hr().release_namespace();
    let told = told(case.error());
    let missing = match (&case.snapshot.target_namespace, told) {
        (Read::Absent, _) => target,
        // Another namespace than the target: the chart asks for it, and only the error names it.
        (_, Some(other)) if other != target => other,
        (Read::Seen(_), Some(_)) => return made_since(case, target),
        (Read::Unknown(_), Some(_)) => target,
        (Read::Seen(_), None) => return Verdict::Clear,
        (Read::Unknown(why), None) => {
            return Verdict::skipped(format!("the namespace {target}"), why);
        }
    };
    let subject = Subject::new("Namespace", "", missing);
    let mut finding = Finding::new(subject.clone(), format!("the namespace {missing} does not exist"))
        .why(if missing == target {
            "The chart is installed into this namespace (spec.targetNamespace), and Flux does not create it unless spec.install.createNamespace says so."
        } else {
            "The chart applies an object in this namespace; it is not the target namespace."
        })
        .seen(case.seen_failure());
    if case.snapshot.target_namespace.is_absent() && missing == target {
        finding = finding.seen([Evidence::new(subject, "", "not found")]);
    }
    finding
        .step("Create it, if the name is right:")
        .command(["kubectl", "create", "namespace", missing])
        .step("If the name is wrong, correct spec.targetNamespace in the manifest.")
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// The namespace is there now, and Flux has not tried since.
fn made_since(case: &Case<'_>, target: &str) -> Verdict {
    let sentence = format!("the namespace {target} did not exist at Flux's last attempt");
    Finding::new(Subject::new("Namespace", "", target), sentence)
        .why("It exists now: it was created after the attempt, and the status still tells of the time before.")
        .seen(case.seen_failure())
        .step("Nothing is to be mended.")
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// The namespace that the error says is missing.
fn told(error: &str) -> Option<&str> {
    let (before, after) = error.split_once("\" not found")?;
    let (_, name) = before
        .rsplit_once("namespace \"")
        .or_else(|| before.rsplit_once("namespaces \""))?;
    (!name.contains('"') && after.len() < error.len()).then_some(name)
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
    fn a_namespace_made_since_only_needs_another_attempt() {
        assert_eq!(
            fixture::sentence("target-namespace-made-since", "SKVS101"),
            "the namespace core did not exist at Flux's last attempt"
        );
    }
}
