//! The Secret, ConfigMap or ServiceAccount that the creation Job's pod lacks, where the chart itself creates it, and too late.

use super::case::Case;
use super::finding::Finding;
use crate::model::kubelet;
use crate::model::release_order::{Order, origin};
use crate::snapshot::Why;
use crate::text::one_line;
use std::ops::ControlFlow;

/// The finding that the chart creates the object too late, with the remedy. `Continue` has the finding for other remedies, where that is not known,
/// with the reason if the release was not read.
pub(super) fn late(
    case: &Case<'_>,
    finding: Finding,
    job: &str,
    (kind, name): (&str, &str),
) -> ControlFlow<Finding, Finding> {
    let release = match case.release() {
        Ok(Some(release)) => release,
        Ok(None) => return ControlFlow::Continue(finding),
        Err(unread) if matches!(unread.why, Why::NotNeeded(_)) => {
            return ControlFlow::Continue(finding);
        }
        Err(unread) => {
            let why = unread.why.clause();
            return ControlFlow::Continue(finding.why(format!("Whether the chart itself creates it is unknown, because Helm's release was not read: {why}.")));
        }
    };
    let Some(origin) = origin(release, (case.hr().release_namespace(), job), kind, name) else {
        return ControlFlow::Continue(finding);
    };
    let object = one_line(&format!("{} {}", origin.kind, origin.name));
    let late = match origin.order {
        Order::Before => return ControlFlow::Continue(finding),
        Order::NotKnown(what) => {
            let what = one_line(&what);
            return ControlFlow::Continue(finding.why(format!("Whether the chart creates it in time is unknown: {what} cannot be read.")));
        }
        Order::AfterHooks => "It is not a hook, so Helm creates it only after the hooks that run before the installation".to_owned(),
        Order::OtherEvent(event) => format!("It is a hook, but for {}", one_line(&event)),
        Order::AfterHook(own, of_job) if own == of_job => format!("It is a hook with the Job's weight ({own}), and Helm creates hooks of the same weight in the order of their names: the Job comes first"),
        Order::OfLaterKind(weight) => format!("It is a hook with the same weight ({weight}) and name as the Job, and Helm then creates the Job before this kind"),
        Order::AfterHook(own, of_job) => format!("It is a hook with weight {own}, and the Job has weight {of_job}: the Job comes first"),
    };
    ControlFlow::Break(finding
        .why(format!("The chart itself creates it, by {object}. {late}, and Helm waits for the Job before it continues."))
        .step(format!("Have the chart's owners make {object} a hook that comes before the Job (annotations helm.sh/hook: pre-install and a helm.sh/hook-weight below the Job's), or leave it out of the chart and create it before the installation")))
}

/// The same of what the kubelet's message says is missing, before the pod's events.
pub(super) fn late_for_pod(
    case: &Case<'_>,
    finding: Finding,
    job: &str,
    message: &str,
) -> ControlFlow<Finding, Finding> {
    let Some(missing) = kubelet::missing(message) else {
        return ControlFlow::Continue(finding);
    };
    late(case, finding, job, missing).map_break(|finding| finding.step("The pod's events:"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use crate::model::helm_storage::Release;
    use crate::snapshot::Read;
    use serde_json::{Value, json};

    /// The additions to a finding about a pod that lacks the Secret `s`, where the release has these hooks beside the Job, and this manifest.
    fn said(release: Read<Release>) -> Result<String, String> {
        let name = "sidecar-not-ready-old";
        let mut snapshot = fixture::snapshot(name);
        snapshot.release = release;
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let finding = Finding::new(case.subject(), "x");
        match late_for_pod(&case, finding, "a-create", "secret \"s\" not found") {
            ControlFlow::Break(finding) => Ok(fixture::reasoned(finding)),
            ControlFlow::Continue(finding) => Err(fixture::reasoned(finding)),
        }
    }

    fn release(others: &[Value], manifest: &str) -> Read<Release> {
        let mut hooks = vec![json!({"name": "a-create", "kind": "Job", "events": ["pre-install"]})];
        hooks.extend_from_slice(others);
        Read::Seen(serde_json::from_value(json!({"hooks": hooks, "manifest": manifest})).unwrap())
    }

    #[test]
    fn the_chart_s_own_object_that_comes_too_late_is_named() {
        let external = "kind: ExternalSecret\nmetadata:\n  name: s\nspec: {}\n";
        insta::assert_snapshot!(said(release(&[], external)).unwrap(), @"
        The chart itself creates it, by ExternalSecret s. It is not a hook, so Helm creates it only after the hooks that run before the installation, and Helm waits for the Job before it continues.
        x
        Have the chart's owners make ExternalSecret s a hook that comes before the Job (annotations helm.sh/hook: pre-install and a helm.sh/hook-weight below the Job's), or leave it out of the chart and create it before the installation
        The pod's events:
        ");
        let hook = |weight: i64, event: &str| {
            json!({"name": "s", "kind": "Secret", "weight": weight, "events": [event],
            "manifest": "kind: Secret\nmetadata:\n  name: s\n"})
        };
        let why = |hook: Value| {
            said(release(&[hook], ""))
                .unwrap()
                .lines()
                .next()
                .unwrap()
                .to_owned()
        };
        insta::assert_snapshot!(why(hook(0, "pre-install")), @"The chart itself creates it, by Secret s. It is a hook with the Job's weight (0), and Helm creates hooks of the same weight in the order of their names: the Job comes first, and Helm waits for the Job before it continues.");
        let of_job = json!({"name": "a-create", "kind": "SealedSecret", "events": ["pre-install"],
            "manifest": "kind: SealedSecret\nmetadata:\n  name: s\n"});
        insta::assert_snapshot!(why(of_job), @"The chart itself creates it, by SealedSecret s. It is a hook with the same weight (0) and name as the Job, and Helm then creates the Job before this kind, and Helm waits for the Job before it continues.");
        insta::assert_snapshot!(why(hook(5, "pre-install")), @"The chart itself creates it, by Secret s. It is a hook with weight 5, and the Job has weight 0: the Job comes first, and Helm waits for the Job before it continues.");
        insta::assert_snapshot!(why(hook(0, "post-install")), @"The chart itself creates it, by Secret s. It is a hook, but for post-install, and Helm waits for the Job before it continues.");
        assert_eq!(
            said(release(&[hook(-1, "pre-install")], "")),
            Err("\nx".to_owned())
        );
    }

    #[test]
    fn a_release_that_was_not_read_is_unknown() {
        let unread = said(Read::failed("timeout")).unwrap_err();
        assert!(
            unread.contains("Whether the chart itself creates it is unknown, "),
            "{unread}"
        );
        assert_eq!(said(Read::Absent), Err("\nx".to_owned()));
        assert_eq!(said(release(&[], "")), Err("\nx".to_owned()));
    }
}
