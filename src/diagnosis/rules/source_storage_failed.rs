//! SKVS220: source-controller cannot write to its own storage.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::controller_log;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::source_error::SourceError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS220",
    slug: "source-storage-failed",
    severity: Severity::Error,
    role: Role::Cause,
    title: "source-controller cannot write to its own storage",
    explanation: r#"source-controller has the chart or the index but cannot store it: its disk is full, read-only or has wrong permissions.
Sooner or later every source in the cluster is affected."#,
    fix: r#"See it: `kubectl logs -n NAMESPACE -l app=source-controller --since=1h --tail=-1`, in the namespace of Flux

Free space on the volumes at `/data` and `/tmp` of source-controller, or repair them (emptyDirs by default: then the node's
disk)."#,
    example: r#"StorageOperationFailed: failed to create artifact directory: mkdir /data/helmchart: no space left on device"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((told, evidence)) = sources::find(case, SourceError::Storage) else {
        return sources::nothing(case);
    };
    let (chart, _) = sources::wanted(case);
    let indexed = sources::source(case).is_some_and(|s| s.kind == "HelmRepository");
    if indexed && chart.contains('/') && told.condition.message.contains("no such file") {
        return sources::finding(
            case,
            &told.subject,
            &format!("the chart's name {chart} has a slash, and source-controller cannot store a chart under it"),
            "In a HelmRepository a chart has the name of the index, without the repository's in front.",
        )
        .seen(evidence)
        .step("Correct spec.chart.spec.chart in the manifest: the part after the slash")
        .then(then(case, Fixes::Manifest))
        .into();
    }
    let full = told.condition.message.contains("no space left on device");
    let what = if full { ": its disk is full" } else { "" };
    let finding = sources::finding(
        case,
        &told.subject,
        &format!("source-controller cannot store {}{what}", told.subject),
        "The repository and the chart are not at fault, and other sources fail too.",
    )
    .seen(evidence)
    .step("Look at the volumes at /data and /tmp of source-controller, and at its log:");
    controller_log::end(case, finding, "source-controller")
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("source-storage-failed", "SKVS220"),
            "source-controller cannot store HelmRepository flux-system/wit-artifactory: its disk is full"
        );
    }
}
