//! SKVS133: the tests of the release failed.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Subject};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::{hook_pod, object_commands};
use crate::model::failure::{failed_pod, split_trailer};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS133",
    slug: "tests-failed",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the tests of the release failed",
    explanation: r#"With `spec.test.enable` Flux runs the chart's test hooks after an installation or an upgrade, and one of them failed. The
release itself was applied. Unless `spec.test.ignoreFailures` is set, Flux counts this as a failure, and remediates if the
manifest says so."#,
    fix: r#"See it: the condition TestSuccess, and the log of the test's pod.

Fix the test's complaint, or set `spec.test.ignoreFailures`. Do not let Flux uninstall and reinstall an onboarding: the
second installation fails on the database (SKVS301)."#,
    example: r#"TestSuccess=False TestFailed: Helm test failed for release core/x.v1 with chart c@0.1.2: pod x-test failed"#,
    explains: &["SKVS108", "SKVS111", "SKVS303", "SKVS308"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let hr = case.hr();
    let Some(condition) = hr.failed_test().filter(|_| !case.is_ready()) else {
        return Ok(None);
    };
    let (message, _) = split_trailer(&condition.message);
    let pod = failed_pod(message).map(|name| Subject::new("Pod", hr.release_namespace(), name));
    let sentence = match &pod {
        Some(pod) => format!("a test of the release failed: {pod}"),
        None => "the tests of the release failed".to_owned(),
    };
    let finding = case
        .finding(pod.clone().unwrap_or_else(|| case.subject()), sentence)
        .why("The release was applied, but its tests, enabled in the manifest, failed.")
        .seen([Evidence::condition(case.subject(), condition)]);
    let (finding, is_read) = hook_pod::explained(case, finding);
    match pod {
        Some(pod) => finding
            .step(match is_read {
                true => "Fix what its log says, or see whether that is over by now, and let the test run again. The whole log:",
                false => "Read its log:",
            })
            .command(object_commands::logs(&pod)),
        None => finding.step("Look at its pods:").command([
            "kubectl",
            "get",
            "pods,jobs",
            "-n",
            hr.release_namespace(),
        ]),
    }
    .then(then(case, Fixes::Elsewhere))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_pod_is_named() {
        assert_eq!(
            fixture::sentence("tests-failed", "SKVS133"),
            "the tests of the release failed"
        );
        assert_eq!(
            fixture::sentence("tests-failed-middle", "SKVS133"),
            "a test of the release failed: Pod core/pds-database-test"
        );
        assert_eq!(
            fixture::sentence("tests-failed-old", "SKVS133"),
            "a test of the release failed: Pod core/pds-database-test"
        );
    }
}
