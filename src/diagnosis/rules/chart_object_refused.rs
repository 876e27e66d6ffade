//! SKVS145: Flux could not make the HelmChart.

use crate::diagnosis::case::Case;
use crate::diagnosis::retries::{Fixes, kubectl, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict, always};
use crate::model::status;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS145",
    slug: "chart-object-refused",
    severity: Severity::Error,
    role: Role::Symptom,
    title: "Flux could not make the HelmChart",
    explanation: r#"helm-controller makes a HelmChart object of `spec.chart` and could not: the API server refused it. The status stays empty then;
only an event of the HelmRelease (`HelmChartSyncErr`) and the controller's log tell."#,
    fix: r#"See it: `kubectl describe hr NAME`, the events.

Mend what the event says: a name that is too long, a namespace of the source that does not exist, a right of helm-controller."#,
    example: r#"HelmChartSyncErr: failed to run server-side apply: …"#,
    needs: &[],
    explains: &[],
    when: always,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    if !status::is_unanswered(case.hr()) || case.seen_event().is_none() {
        return Verdict::Clear;
    }
    case.finding(case.subject(), "Flux could not make the HelmChart")
        .why(format!("It says: {}", case.error()))
        .why("The status stays empty meanwhile.")
        .step("Mend what the event says. More of them:")
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
            "Flux could not make the HelmChart"
        );
    }
}
