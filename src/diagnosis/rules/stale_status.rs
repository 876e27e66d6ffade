//! SKVS106: the status is older than the spec.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::peers;
use crate::diagnosis::retries::{is_old_controller, kubectl};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::status;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS106",
    slug: "stale-status",
    severity: Severity::Warning,
    role: Role::State,
    title: "the status is older than the spec",
    explanation: r#"The status is from an earlier version of the manifest: the controller has not processed the present one. Good or bad, the
status may no longer be true."#,
    fix: r#"See it: compare `.metadata.generation` with `.status.observedGeneration` and `.status.lastAttemptedGeneration`.

Wait a minute after a change. If it stays, the controller hangs or is not running: see SKVS105."#,
    example: r#"generation 4, last attempted 3, and Ready True from yesterday"#,
    explains: &[],
    check,
};

fn stale(case: &Case<'_>) -> bool {
    status::is_stale(case.hr())
}

fn check(case: &Case<'_>) -> Verdict {
    if !stale(case) {
        return Ok(None);
    }
    let hr = case.hr();
    let seen = hr
        .status
        .conditions
        .iter()
        .filter_map(|c| c.observed_generation)
        .chain(hr.status.observed_generation)
        .chain(hr.status.last_attempted_generation)
        .max()
        .unwrap_or_default();
    let observed = format!(
        "generation {}, seen by Flux: {seen}",
        hr.metadata.generation
    );
    // Old controllers write the number when they begin, later ones when they have tried.
    let means = match is_old_controller(case) {
        Some(true) => {
            "This controller writes observedGeneration when it starts: it has not started."
        }
        _ => {
            "It writes lastAttemptedGeneration with each attempt: it has not tried the present one."
        }
    };
    Finding::new(case.subject(), "the status is older than the spec")
        .why("Flux has not processed the present manifest: its status is about an earlier one.")
        .why(means)
        .seen([Evidence::new(
            case.subject(),
            ".metadata.generation",
            &observed,
        )])
        .change(peers::without_shard(case))
        .step("After a change, wait a minute and look again:")
        .command(kubectl(case, "get"))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("stale-status", "SKVS106"),
            "the status is older than the spec"
        );
    }
}
