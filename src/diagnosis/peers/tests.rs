use super::*;
use crate::diagnosis::fixture;
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
