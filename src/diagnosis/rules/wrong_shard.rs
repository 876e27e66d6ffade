//! SKVS151: the HelmRelease belongs to a shard that no controller serves.

use crate::diagnosis::case::Case;
use crate::diagnosis::controllers::{self, Serves};
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::peers;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::status;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS151",
    slug: "wrong-shard",
    severity: Severity::Error,
    role: Role::Cause,
    title: "no controller serves the shard of the HelmRelease",
    explanation: r#"Flux can split its work into shards: each helm-controller handles only the objects with its key in the label
`sharding.fluxcd.io/key`. This HelmRelease has the label, and no controller serves its key, so nobody ever processes it.

If the controllers cannot be read, the label on an unanswered HelmRelease is the evidence."#,
    fix: r#"See it: `kubectl get deployments -n flux-system -o yaml` and look for `--watch-label-selector`.

Remove the label from the manifest, or set it to a key that is served. The main controller handles everything without the
label (`--watch-label-selector=!sharding.fluxcd.io/key`)."#,
    example: r#"labels: {sharding.fluxcd.io/key: shard1}, and no status at all"#,
    explains: &["SKVS105", "SKVS108"],
    contradicted_by: &[],
    check,
};

/// The label that says which shard serves an object.
const KEY: &str = peers::SHARD;

fn sharded(case: &Case<'_>) -> bool {
    status::is_unanswered(case.hr())
        && !case.hr().spec.suspend
        && case.seen_event().is_none()
        && case.hr().metadata.labels.contains_key(KEY)
}

fn check(case: &Case<'_>) -> Verdict {
    if !sharded(case) {
        return Ok(None);
    }
    let Some(key) = case.hr().metadata.labels.get(KEY) else {
        return Ok(None);
    };
    let label = Evidence::new(case.subject(), ".metadata.labels", &format!("{KEY}={key}"));
    let finding = Finding::new(
        case.subject(),
        format!("its label assigns it to shard {key}, and no controller serves that shard"),
    )
    .seen([label]);
    let finding = match controllers::serves(case) {
        Serves::Some => return Ok(None),
        Serves::None(seen) => finding
            .why("A shard is a part of Flux's work with its own controller. No helm-controller selects this HelmRelease.")
            .seen(seen),
        Serves::Unknown(why) => finding.why(format!(
            "A shard is a part of Flux's work with its own controller, which answers within seconds; none has. The controllers' selectors are unknown ({why})."
        )),
    };
    finding
        .change(peers::without_shard(case))
        .step(format!("Remove the label {KEY} from the manifest, or set it to a shard that is served. The controllers:"))
        .command(["kubectl", "get", "deployments", "-A", "-l", "app.kubernetes.io/part-of=flux"])
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, diagnose, fixture};
    use crate::model::deployment::Deployment;
    use crate::snapshot::{Controllers, Read};
    use serde_json::json;

    #[test]
    fn the_label_is_evidence_where_selectors_are_unknown() {
        let finding = fixture::finding("no-answer-recorded", "SKVS151");
        assert_eq!(
            finding.sentence,
            "its label assigns it to shard shard1, and no controller serves that shard"
        );
        assert!(finding.why[0].contains("are unknown"), "{:?}", finding.why);
    }

    fn controller(selector: &str) -> Deployment {
        Deployment::from_value(
            &json!({"kind": "Deployment", "metadata": {"name": "helm-controller", "namespace": "flux-system"},
            "spec": {"replicas": 1, "template": {"spec": {"containers": [{"image": "ghcr.io/fluxcd/helm-controller:v1.6.0",
                "args": [format!("--watch-label-selector={selector}")]}]}}},
            "status": {"availableReplicas": 1}}),
        )
    }

    fn codes(selectors: &[&str]) -> Vec<&'static str> {
        let mut snapshot = fixture::snapshot("no-answer-recorded");
        snapshot.on_demand.controllers = Read::Seen(Controllers {
            namespace: "flux-system".to_owned(),
            deployments: selectors.iter().map(|s| controller(s)).collect(),
        });
        let now = fixture::meta("no-answer-recorded").now;
        let diagnosis = diagnose(&Case::new(&snapshot, now));
        diagnosis.roots.iter().map(|r| r.rule.code).collect()
    }

    #[test]
    fn a_shard_that_is_served_is_another_matter() {
        assert_eq!(codes(&["!sharding.fluxcd.io/key"]), ["SKVS151"]);
        let served = "sharding.fluxcd.io/key in (shard1, shard2)";
        assert_eq!(codes(&["!sharding.fluxcd.io/key", served]), ["SKVS105"]);
        assert_eq!(codes(&["sharding.fluxcd.io/key=shard1"]), ["SKVS105"]);
    }
}
