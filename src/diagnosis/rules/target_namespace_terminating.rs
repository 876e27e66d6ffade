//! SKVS102: the target namespace is being deleted.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::peers;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::namespace::NamespaceError;
use crate::model::namespace::Namespace;
use crate::snapshot::IfRead;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS102",
    slug: "target-namespace-terminating",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the target namespace is being deleted",
    explanation: r#"Nothing can be created in a namespace that is being deleted. The deletion ends when all its objects are gone; an orphaned
finalizer can hold it for ever."#,
    fix: r#"See it: `kubectl get namespace NAME -o yaml` and read `.status.conditions`: they list the remaining objects.

Wait until it is gone, then create it again. If it hangs, remove the objects named in the conditions."#,
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
    Finding::new(subject, format!("the namespace {target} is being deleted"))
        .why("Nothing can be created in it until it is gone and created again.")
        .seen(case.seen_failure())
        .seen(evidence.map(|e| e.lines(remains)))
        .change(likelier)
        .step("Find out why it stays:")
        .command(["kubectl", "get", "namespace", target, "-o", "yaml"])
        .step("Once it is gone, create it again, with everything the creation Job needs.")
        .then(then(case, fixes))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("target-namespace-terminating", "SKVS102"),
            "the namespace core is being deleted"
        );
    }
}
