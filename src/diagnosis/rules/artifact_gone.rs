//! SKVS219: helm-controller cannot get the chart from source-controller.

use crate::diagnosis::case::Case;
use crate::diagnosis::controller_log;
use crate::diagnosis::controllers;
use crate::diagnosis::finding::{Evidence, Subject};
use crate::diagnosis::peers;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::field::Field;
use crate::model::source_error::{SourceError, is_of_disk};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS219",
    slug: "artifact-gone",
    severity: Severity::Error,
    role: Role::Cause,
    title: "helm-controller cannot get the chart from source-controller",
    explanation: r#"The chart was fetched, but helm-controller cannot get it from source-controller's storage: source-controller was restarted
without a volume and has not fetched the chart again, is not running, or is cut off by a network policy. The HelmChart's
Ready is from before. Or helm-controller itself cannot write the fetched chart to its /tmp."#,
    fix: r#"See it: `kubectl get pods -n flux-system -l app=source-controller`

Wait a minute after a restart. Then have the chart fetched again:
`kubectl annotate helmcharts.source.toolkit.fluxcd.io -n flux-system NAME --overwrite reconcile.fluxcd.io/requestedAt=TOKEN`"#,
    example: r#"Source not ready: artifact not found. Retrying in 30s
artifact 'http://source-controller.flux-system.svc/…' download failed (status code: 404)"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((told, evidence)) = sources::find(case, SourceError::ArtifactGone) else {
        return sources::nothing(case);
    };
    let text = &told.condition.message;
    if is_of_disk(text) {
        return own_disk(case, evidence);
    }
    // The index is the repository's, and has to be fetched for it.
    let subject = match text.contains("index") {
        true => Some(sources::repository_of(case, &told)),
        false => sources::chart(case),
    };
    let subject = subject.unwrap_or_else(|| told.subject.clone());
    let gone = [
        "artifact not found",
        "file not found",
        "status code: 404",
        "no such file or directory",
    ]
    .iter()
    .any(|t| text.contains(t));
    let down = controllers::down(case, "source-controller");
    let spoilt = [
        "computed digest doesn't match",
        "artifact untar error: ",
        "artifact close error: ",
    ]
    .iter()
    .any(|t| text.contains(t));
    let (sentence, why) = if gone {
        (
            format!("source-controller no longer has its stored copy of {subject}"),
            "Most likely it was restarted without its storage and has not fetched the chart again yet.",
        )
    } else if spoilt {
        (
            format!("source-controller's stored copy of {subject} is corrupt"),
            "The stored file was changed, or is being written again.",
        )
    } else if down.is_some() {
        (
            format!("helm-controller cannot get {subject}: source-controller is not running"),
            "No pod of source-controller is available.",
        )
    } else if text.contains("dial tcp: lookup ") {
        (
            format!("helm-controller cannot get {subject}: the cluster's DNS does not answer"),
            "It asked for the address of source-controller. Other names fail too, so the onboarding is not at fault.",
        )
    } else {
        (
            format!("helm-controller cannot get {subject} from source-controller"),
            "source-controller is not running or does not answer, or a network policy cuts it off.",
        )
    };
    let finding = sources::finding(case, &subject, &sentence, why)
        .whys(apart(case).as_deref())
        .seen(evidence);
    if let Some(down) = down.filter(|_| !gone && !spoilt) {
        let finding = finding.seen([Evidence::new(
            Subject::from(&down.meta),
            ".status.availableReplicas",
            controllers::outage::observed(down),
        )]);
        return controllers::outage::explained(case, finding, "source-controller", down)
            .then(then(case, Fixes::Elsewhere))
            .into();
    }
    if text.contains("dial tcp: lookup ") {
        return finding
            .step("Check the cluster's DNS (its pods, and a network policy between Flux and them):")
            .command([
                "kubectl",
                "get",
                "pods",
                "-n",
                "kube-system",
                "-l",
                "k8s-app=kube-dns",
            ])
            .then(then(case, Fixes::Elsewhere))
            .into();
    }
    finding
        .step("Check that source-controller is running, then have the chart fetched again:")
        .command([
            "kubectl",
            "get",
            "pods",
            "-A",
            "-l",
            "app=source-controller",
        ])
        .command(sources::reconcile(case, &subject))
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// helm-controller cannot write the fetched chart to its own /tmp.
fn own_disk(case: &Case<'_>, evidence: Vec<Evidence>) -> Verdict {
    let finding = sources::finding(
        case,
        &case.subject(),
        "helm-controller cannot write the chart to its own disk",
        "It keeps what it gets from source-controller in /tmp. The chart and its source are not at fault, and other onboardings fail too.",
    )
    .seen(evidence)
    .step("Look at the volume at /tmp of helm-controller's pod (an emptyDir by default), its user and readOnlyRootFilesystem, and at its log:");
    controller_log::end(case, finding, "helm-controller")
}

/// The chart and its source are of different shards, and each shard's source-controller has its own storage.
fn apart(case: &Case<'_>) -> Option<String> {
    let shards: Vec<(Subject, &str)> = sources::links(case)
        .filter_map(|link| {
            let shard = match link.meta.label(peers::SHARD) {
                Field::Set(shard) => shard,
                Field::Absent => "none",
                Field::Malformed => return None,
            };
            Some((Subject::from(&link.meta), shard))
        })
        .collect();
    let [(one, first), (other, second)] = shards.as_slice() else {
        return None;
    };
    (first != second).then(|| {
        format!("The shard of {one} is {first}, that of {other} {second}: each shard has a source-controller with its own storage. Give both the same label sharding.fluxcd.io/key.")
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, fixture};
    use crate::snapshot::{Read, Why};

    #[test]
    fn shards_of_their_own_have_storages_of_their_own() {
        let why = |name: &str| {
            let snapshot = fixture::snapshot(name);
            let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
            found.unwrap().unwrap().why
        };
        let apart = |why: &String| why.starts_with("The shard of HelmRepository ");
        assert!(why("artifact-gone-other-shard").iter().any(apart));
        assert!(!why("artifact-gone").iter().any(apart));
    }

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("artifact-gone", "SKVS219"),
            "source-controller no longer has its stored copy of HelmChart flux-system/flux-system-skvs-onboarding-pds--database"
        );
        assert_eq!(
            fixture::sentence("artifact-gone-old", "SKVS219"),
            "source-controller no longer has its stored copy of HelmChart flux-system/flux-system-skvs-onboarding-pds--database"
        );
        assert_eq!(
            fixture::sentence("artifact-gone-middle", "SKVS219"),
            "helm-controller cannot get HelmChart flux-system/flux-system-skvs-onboarding-pds--database from source-controller"
        );
    }

    #[test]
    fn a_controller_that_is_down_is_the_reason_unless_the_text_has_another() {
        let look = |name: &str, said: &str, is_read: bool| {
            let mut snapshot = fixture::snapshot(name);
            fixture::reword(
                &mut snapshot,
                "dial tcp 10.96.12.7:80: connect: connection refused",
                said,
            );
            fixture::stop(&mut snapshot, "source-controller");
            if !is_read {
                let why = Why::Forbidden("list pods in flux-system".to_owned());
                snapshot.on_demand.controller_pods = Read::Unknown(why);
            }
            let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
            let found = found.unwrap().unwrap();
            (found.why.join(" "), fixture::lines(found))
        };
        let (_, told) = look("artifact-gone-middle", "EOF", true);
        insta::assert_snapshot!(told, @"
        helm-controller cannot get HelmChart flux-system/flux-system-skvs-onboarding-pds--database: source-controller is not running
        Find out why it is not ready, and fix it:
        $ kubectl describe -n flux-system pod source-controller-5d8f-x2x7q
        ");
        let (why, told) = look("artifact-gone-middle", "EOF", false);
        assert!(
            why.contains("It is not known why source-controller is not serving"),
            "{why}"
        );
        assert!(told.contains("(memory, disk, image)"), "{told}");
        for (name, said, part) in [
            ("artifact-gone", "", "no longer has its stored copy"),
            (
                "artifact-gone-middle",
                "computed digest doesn't match 'x'",
                "is corrupt",
            ),
        ] {
            let (_, told) = look(name, said, true);
            assert!(
                told.contains(part) && !told.contains("why it is not ready"),
                "{told}"
            );
        }
    }

    #[test]
    fn a_name_that_is_not_resolved_is_of_the_clusters_dns() {
        let name = "artifact-gone-middle";
        let mut snapshot = fixture::snapshot(name);
        let old = "dial tcp 10.96.12.7:80: connect: connection refused";
        fixture::reword(
            &mut snapshot,
            old,
            "dial tcp: lookup source-controller: i/o timeout",
        );
        let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
        let told = fixture::lines(found.unwrap().unwrap());
        assert!(told.contains("the cluster's DNS does not answer"), "{told}");
        assert!(told.contains("k8s-app=kube-dns"), "{told}");
    }
}
