//! SKVS147: helm-controller cannot write to its own disk.

use crate::diagnosis::case::Case;
use crate::diagnosis::controller_log;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS147",
    slug: "controller-disk",
    severity: Severity::Error,
    role: Role::Cause,
    title: "helm-controller cannot write to its own disk",
    explanation: r#"helm-controller keeps the chart, the cache of the cluster's APIs and other temporary files on its own disk. It is full,
read-only, or belongs to another user. Other onboardings fail at the same time."#,
    fix: r#"See it: `kubectl describe pods -n NAMESPACE -l app=helm-controller`, in the namespace of Flux

Give the pod a writable volume at `/tmp` (an emptyDir by default) that its user may write to, or free space on the node."#,
    example: r#"could not get Kubernetes discovery client: mkdir /.kube: read-only file system"#,
    explains: &["SKVS108", "SKVS110", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Disk(said)) = case.cause()? else {
        return Ok(None);
    };
    let said = said.lines().next().unwrap_or_default();
    let finding = case
        .finding(
            case.subject(),
            format!("helm-controller cannot write to its own disk: {said}"),
        )
        .why("The onboarding and its chart are not at fault, and other onboardings fail too.")
        .step("Look at the volumes of helm-controller's pod (an emptyDir at /tmp by default), its user and readOnlyRootFilesystem, and at its log:");
    controller_log::end(case, finding, "helm-controller")
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("controller-disk", "SKVS147"),
            "helm-controller cannot write to its own disk: could not get Kubernetes discovery client: mkdir /.kube: read-only file system"
        );
    }
}
