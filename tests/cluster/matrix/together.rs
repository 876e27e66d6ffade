//! One cause behind several onboardings is told once.

use super::stage::{skvs, stage};

#[test]
fn onboardings_with_one_broken_repository_are_one_group() {
    let stage = stage();
    let said = skvs(
        &stage.sandbox,
        &["troubleshoot", "-l", "group=one-repository"],
    );
    assert_eq!(said.code, 3, "{}{}", said.stdout, said.stderr);
    let text = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(text.matches("error[SKVS").count(), 1, "{}", said.stdout);
    for part in [
        "error[SKVS204]: HelmRepository flux-system/repository-unauthorized at http://127.0.0.1:",
        "Hits skvs-onboarding-repository-unauthorized--data (",
        " skvs-onboarding-repository-unauthorized-as-well--data (",
        " skvs-onboarding-repository-unauthorized-too--data (",
        "3 onboardings, 1 error on 3 onboardings.",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{}", said.stdout);
    }
}
