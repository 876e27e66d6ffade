//! How a fault of the chart or its source is said: as bad as what it does to the onboarding, and where to look further.

use super::{blocks, describe, links, reconcile};
use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Finding, Subject};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Severity, Verdict};
use crate::model::source::Source;
use crate::snapshot::IfRead;
use crate::text::age::duration;

/// A finding on the chart or its source, as bad as what it does to the onboarding.
pub(in crate::diagnosis) fn finding(
    case: &Case<'_>,
    subject: &Subject,
    sentence: &str,
    why: &str,
) -> Finding {
    Finding::new(subject.clone(), sentence)
        .severity(severity(case))
        .why(why)
        .whys(goes_on(case).as_deref())
}

/// As bad as what it does to the onboarding.
fn severity(case: &Case<'_>) -> Severity {
    if blocks(case) {
        Severity::Error
    } else {
        Severity::Warning
    }
}

/// Ends a finding whose fix is outside the manifest: a step, and `kubectl describe` of the subject.
pub(in crate::diagnosis) fn look_at(
    case: &Case<'_>,
    finding: Finding,
    subject: &Subject,
    step: &str,
) -> Verdict {
    let finding = finding.step(step).command(describe(subject));
    match stalled(case) {
        Some(chart) => finding
            .step(format!("{chart} is Stalled: source-controller does not try again until its spec or its source changes. Once the cause is gone, have it fetched:"))
            .command(reconcile(case, &chart)),
        None => finding.then(then(case, Fixes::Elsewhere)),
    }
    .into()
}

/// The chart, where source-controller has stopped trying to fetch it.
fn stalled(case: &Case<'_>) -> Option<Subject> {
    let chart = case.chart().if_read()?;
    chart.is_stalled().then(|| Subject::from(&chart.meta))
}

/// What an onboarding makes of it that does not wait for a chart: how old its chart is, and since when no newer one comes.
fn goes_on(case: &Case<'_>) -> Option<String> {
    if blocks(case) {
        return None;
    }
    if !case.is_ready() {
        return Some(
            "This does not keep the onboarding from being Ready: it has a chart.".to_owned(),
        );
    }
    let ago = |time: Option<&str>| case.seconds_since(time).map(duration);
    let chart = case.chart().if_read();
    let stored = chart
        .and_then(|chart| ago(chart.artifact.set()?.last_update_time.as_str()))
        .map_or(String::new(), |age| format!(", stored {age} ago"));
    let since = links(case)
        .filter_map(Source::complaint)
        .find_map(|c| ago(c.last_transition_time.as_deref()))
        .map_or(String::new(), |age| {
            format!("; the last attempts failed for {age}")
        });
    Some(format!(
        "The onboarding runs on its present chart{stored}; newer ones do not arrive{since}."
    ))
}
