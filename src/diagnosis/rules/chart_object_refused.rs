//! SKVS145: Flux could not create the HelmChart.

use crate::diagnosis::case::Case;
use crate::diagnosis::flux_commands::kubectl;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::status;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS145",
    slug: "chart-object-refused",
    severity: Severity::Error,
    role: Role::Symptom,
    title: "Flux could not create the HelmChart",
    explanation: r#"helm-controller creates a HelmChart object from `spec.chart`, and the API server refused it. The status then stays empty; the
error is only in an event of the HelmRelease (`HelmChartSyncErr`) and in the controller's log."#,
    fix: r#"See it: `kubectl describe hr NAME`, the events.

Fix the cause named in the event: a name that is too long, a source namespace that does not exist, a missing right of
helm-controller."#,
    example: r#"HelmChartSyncErr: failed to run server-side apply: …"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let text = case.failure_text()?;
    if !status::is_unanswered(case.hr()) || case.seen_event().is_none() {
        return Ok(None);
    }
    let Some(text) = text else {
        return Ok(None);
    };
    case.finding(case.subject(), "Flux could not create the HelmChart")
        .why(format!("It says: {}", text.raw))
        .why("Until then the status stays empty.")
        .step("Fix the cause named in the event. More events:")
        .command(kubectl(case, "describe"))
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_event_is_told() {
        assert_eq!(
            fixture::sentence("chart-object-refused", "SKVS145"),
            "Flux could not create the HelmChart"
        );
    }
}
