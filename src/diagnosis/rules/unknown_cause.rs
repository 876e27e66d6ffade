//! SKVS900: the cause is unknown.

use crate::diagnosis::case::Case;
use crate::diagnosis::controller_log;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::flux_commands::kubectl;
use crate::diagnosis::retries::again;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, failing};
use crate::diagnosis::sources;
use crate::model::failure::{self, Failure, noted};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS900",
    slug: "unknown-cause",
    severity: Severity::Error,
    role: Role::Fallback,
    title: "the cause is unknown",
    explanation: r#"The HelmRelease fails with an unrecognised error, shown verbatim. If checks were skipped (the report's last line says which
and why), the cause may be there."#,
    fix: r#"Read the error. Then, in this order: the events of the HelmRelease, the Jobs and pods in the target namespace, and the log of
helm-controller at the time of the last attempt.

If the error recurs, please report it: it deserves its own code."#,
    example: r#"install failed: a text that no check knows"#,
    explains: &["SKVS110"],
    contradicted_by: &[],
    check,
};

/// It fails, and not in being deleted: that has its own check, which tells the text.
fn unexplained(case: &Case<'_>) -> bool {
    failing(case)
        // SKVS108 says so.
        && !case.wait_was_cancelled()
        // SKVS131 says that the status hides the cause.
        && !case.failure.as_ref().is_some_and(Failure::is_of_cleanup)
        && (case.hr().metadata.deletion_timestamp.is_none() || case.reason() != "UninstallFailed")
}

/// Lines of the raw text that are shown.
const LINES: usize = 20;

fn check(case: &Case<'_>) -> Verdict {
    if !unexplained(case) {
        return Ok(None);
    }
    let Some(failure) = &case.failure else {
        return Ok(None);
    };
    let condition = failure.condition;
    let observed = format!(
        "{}={} {}",
        condition.kind, condition.status, condition.reason
    );
    let raw = Evidence::new(
        case.subject(),
        &format!(".status.conditions[{}]", condition.kind),
        &observed,
    )
    .lines(condition.message.lines().take(LINES));
    let hr = case.hr();
    let then = failure::is_exhausted(hr).then(|| again(case));
    // The HelmRelease's own failure with a chart is helm-controller's; one that it repeats is source-controller's.
    let is_of_source = |told: &sources::Complaint| {
        let repeated = told.condition.message.contains(" is not ready");
        told.kind.is_none() && (told.subject != case.subject() || repeated)
    };
    let complaints = sources::complaints(case);
    let told = complaints.iter().find(|t| is_of_source(t));
    let finding = Finding::new(case.subject(), "it fails for an unknown reason")
        .why("This is the controller's own error, shown verbatim.")
        .seen([raw])
        // What the chart or its source says in words that no check knows either.
        .seen(
            complaints
                .iter()
                .filter(|t| t.kind.is_none() && t.subject != case.subject())
                .map(sources::Complaint::evidence),
        );
    let finding = match noted(&condition.message) {
        Some((why, step)) => finding.why(why).step(step),
        None => finding,
    };
    // Without a chart, nothing is in the target namespace.
    let (finding, controller) = match told {
        Some(told) => (
            finding
                .step(format!("It is {} that fails: look at its conditions and events, and at the log of source-controller:", told.subject))
                .command(sources::describe(&told.subject)),
            "source-controller",
        ),
        None => (
            finding
                .step("Next, look at the events and conditions, the Jobs and pods, and the log of helm-controller:")
                .command(kubectl(case, "describe"))
                .command([
                    "kubectl",
                    "get",
                    "jobs,pods,events",
                    "-n",
                    hr.release_namespace(),
                ]),
            "helm-controller",
        ),
    };
    controller_log::shown(case, finding, controller, "1h")
        .then(then)
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("unknown-cause", "SKVS900"),
            "it fails for an unknown reason"
        );
    }

    #[test]
    fn what_the_source_says_is_shown_too() {
        let finding = fixture::finding("unknown-cause-of-source", "SKVS900");
        let said: Vec<&str> = finding
            .evidence
            .iter()
            .map(|e| e.object.kind.as_str())
            .collect();
        assert_eq!(said, ["HelmRelease", "HelmRepository"]);
    }
}
