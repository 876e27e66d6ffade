use super::*;
use crate::advice::Origin;
use crate::diagnosis::after_fix::Then;
use crate::diagnosis::finding::Step;
use crate::diagnosis::{diagnose, fixture};
use crate::snapshot::{Read, Snapshot, Why};
use std::sync::Arc;

fn peer(name: &str, target: &str, ready: &str) -> HelmRelease {
    HelmRelease::from_value(&json!({
        "metadata": {"namespace": "flux-system", "name": name, "generation": 1},
        "spec": {"targetNamespace": target},
        "status": {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": ready}]},
    }))
    .unwrap()
}

/// What is suggested to the onboarding of this case, which installs into the namespace `nope`, beside these.
fn suggested(others: Vec<HelmRelease>, change: impl FnOnce(&mut Snapshot)) -> Option<String> {
    let mut snapshot = fixture::snapshot("target-namespace-missing");
    let me = snapshot.helm_release.clone();
    snapshot.others = Arc::new(Read::Seen([vec![me], others].concat()));
    change(&mut snapshot);
    let case = Case::new(&snapshot, fixture::meta("target-namespace-missing").now);
    target_namespace(&case, "nope").map(|change| change.to_string())
}

#[test]
fn only_what_all_others_have_is_suggested() {
    let all = || vec![peer("a", "core", "True"), peer("b", "core", "False")];
    assert_eq!(
        suggested(all(), |_| {}).as_deref(),
        Some("Every other onboarding here installs into core; set spec.targetNamespace: core")
    );
    assert_eq!(
        suggested(vec![peer("a", "core", "True")], |_| {}).as_deref(),
        Some("The only other onboarding here installs into core; set spec.targetNamespace: core")
    );
    // One differs, one does not say, one has the same, none works, there is none.
    let and = |other: HelmRelease| [all(), vec![other]].concat();
    assert_eq!(suggested(and(peer("c", "other", "True")), |_| {}), None);
    assert_eq!(suggested(and(peer("c", "", "True")), |_| {}), None);
    assert_eq!(suggested(and(peer("c", "nope", "True")), |_| {}), None);
    assert_eq!(suggested(vec![peer("a", "core", "False")], |_| {}), None);
    assert_eq!(suggested(Vec::new(), |_| {}), None);
}

#[test]
fn what_was_not_read_is_no_agreement() {
    let all = || vec![peer("a", "core", "True"), peer("b", "core", "True")];
    let forbidden = || Why::Forbidden("list helmreleases".to_owned());
    assert!(suggested(all(), |_| {}).is_some());
    assert_eq!(
        suggested(all(), |s| s.not_elsewhere = Some(forbidden())),
        None
    );
    assert_eq!(
        suggested(all(), |s| s.others = Arc::new(Read::Unknown(forbidden()))),
        None
    );
}

/// The first step of the finding in this case, beside others that the change makes.
fn first_step(name: &str, code: &str, change: impl FnOnce(&mut Snapshot)) -> (Step, Then) {
    let mut snapshot = fixture::snapshot(name);
    change(&mut snapshot);
    let case = Case::new(&snapshot, fixture::meta(name).now);
    let roots = diagnose(&case).roots;
    let root = roots.into_iter().find(|r| r.rule.code == code).unwrap();
    let step = root.finding.fix.into_iter().next().unwrap();
    (step, root.finding.then.unwrap())
}

#[test]
fn a_missing_namespace_is_misspelt_where_the_others_agree_and_is_made_whole_where_not() {
    let (name, code) = ("target-namespace-missing", "SKVS101");
    let (step, then) = first_step(name, code, |s| {
        s.others = Arc::new(Read::Seen(vec![peer("a", "core", "True")]));
    });
    let Step::Manifest(change) = step else {
        panic!("{step:?}");
    };
    assert_eq!(
        serde_json::to_value(&change).unwrap(),
        json!({"path": ["spec", "targetNamespace"], "value": "core"})
    );
    assert!(then.by_manifest && then.acts.is_empty(), "{then:?}");
    let finding = fixture::finding(name, code);
    let lines: Vec<String> = finding
        .fix
        .into_iter()
        .map(|step| match step.at(&Origin::default()) {
            Step::Text(text) => text,
            Step::Manifest(change) => change.to_string(),
            Step::Command(line) => line.to_string(),
        })
        .collect();
    assert_eq!(
        lines,
        [
            "If the name is wrong, correct spec.targetNamespace in the manifest.",
            "If it is right, create the namespace, with everything the creation Job needs:",
            "kubectl create namespace nope",
            "kubectl create serviceaccount -n nope agora-kvs",
        ]
    );
}

#[test]
fn a_change_says_what_can_be_typed() {
    let text = |path: &[&str], value: Value| Change::new("So it is", path, value).to_string();
    for (value, shown) in [
        (json!("core"), "So it is; set a.b: core"),
        (json!("<0.2.0"), "So it is; set a.b: <0.2.0"),
        (json!("true"), "So it is; set a.b: \"true\""),
        (json!("0.1"), "So it is; set a.b: \"0.1\""),
        (json!("a: b"), "So it is; set a.b: \"a: b\""),
        (json!(true), "So it is; set a.b: true"),
        (Value::Null, "So it is; remove a.b"),
    ] {
        assert_eq!(text(&["a", "b"], value), shown);
    }
    assert_eq!(
        text(&["metadata", "labels", SHARD], Value::Null),
        "So it is; remove metadata.labels.\"sharding.fluxcd.io/key\""
    );
}

/// The version of the chart that is named beside these onboardings, where the last attempt had 0.1.4.
fn other_version(others: Vec<HelmRelease>) -> Option<String> {
    let mut snapshot = fixture::snapshot("target-namespace-missing");
    snapshot.helm_release.status.last_attempted_revision = Some("0.1.4".to_owned());
    let me = snapshot.helm_release.clone();
    snapshot.others = Arc::new(Read::Seen([vec![me], others].concat()));
    // That some were not read does not matter.
    snapshot.not_elsewhere = Some(Why::Forbidden("list helmreleases".to_owned()));
    let case = Case::new(&snapshot, fixture::meta("target-namespace-missing").now);
    version(&case).map(|(version, peer)| format!("{version} {}", peer.id()))
}

#[test]
fn another_version_is_named_where_an_onboarding_is_ready_with_it() {
    let own = &fixture::snapshot("target-namespace-missing").helm_release;
    let with = |version: &str, ready: &str, status: &str| {
        let mut other = peer("a", "core", ready);
        other.spec.chart = own.spec.chart.clone();
        other.metadata.namespace.clone_from(&own.metadata.namespace);
        other.status.history = vec![
            serde_json::from_value(json!({"name": "a", "chartVersion": version, "status": status}))
                .unwrap(),
        ];
        other
    };
    let good = || with("0.1.3", "True", "deployed");
    assert_eq!(
        other_version(vec![good()]).as_deref(),
        Some("0.1.3 flux-system/a")
    );
    assert_eq!(other_version(vec![with("0.1.4", "True", "deployed")]), None);
    assert_eq!(
        other_version(vec![with("0.1.3", "False", "deployed")]),
        None
    );
    assert_eq!(other_version(vec![with("0.1.3", "True", "failed")]), None);
    let mut other_source = good();
    let chart = other_source.spec.chart.as_mut().unwrap();
    chart.spec.source_ref.name = "other".to_owned();
    assert_eq!(other_version(vec![other_source]), None);
    assert_eq!(other_version(Vec::new()), None);
}
