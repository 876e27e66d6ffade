//! SKVS513: the chart's version may be any newer one.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use crate::model::new_onboarding::Style;
use crate::model::version_range::{self, Range};
use serde_json::Value;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS513",
        slug: "chart-range",
        severity: Severity::Warning,
        title: "the chart's version may be any newer one",
        explanation: r#"Flux installs the newest chart in the range. Without a version, with `*` or with a lower bound alone, the next release of the
chart is rolled out to the onboarding the minute it is published, tested or not. A text that is not a range leaves the
onboarding without a chart."#,
        fix: r#"End the range, as the runbook's `<0.2.0` does, or name one version. The range of the setting
`onboard.chart-version` is left alone."#,
        example: r#"version: "*", or no version at all"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, repository: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let path = ["spec", "chart", "spec", "version"];
    let source = onboarding.text(&["spec", "chart", "spec", "sourceRef", "kind"]);
    let Some(source) = checked.known(source) else {
        return checked;
    };
    let chart = checked.known(onboarding.field(&path[..2])).flatten();
    // Of a chart in Git or a bucket Flux takes what is there.
    if source.is_some_and(|kind| kind != "HelmRepository") || chart.is_none() {
        return checked;
    }
    let Some(range) = checked.known(onboarding.field(&path)) else {
        return checked;
    };
    let text = match range.map(|r| r.value) {
        Some(Value::String(text)) => text.as_str(),
        // Another type is another finding.
        Some(_) => return checked,
        None => "",
    };
    let wanted = repository.conventions.style.version.as_deref();
    if range.is_some() && wanted == Some(text) {
        return checked;
    }
    let finding = match version_range::range(text) {
        Range::Bounded => return checked,
        Range::Invalid => onboarding
            .finding(&path, format!("{text:?} is not a version range"))
            .severity(Severity::Error),
        Range::Open if range.is_none() => onboarding.finding(
            &path,
            "no chart version is set, so every newer one is installed",
        ),
        Range::Open => onboarding.finding(
            &path,
            format!("the version range {text:?} has no end, so every newer chart is installed"),
        ),
    };
    let whose = match wanted == Style::default().version.as_deref() {
        true => "the runbook does",
        false => "the settings do",
    };
    let bounded = wanted.filter(|wanted| version_range::range(wanted) == Range::Bounded);
    checked.with(match bounded {
        Some(wanted) => finding.step(format!("End the range, as {whose}: version: {wanted:?}")),
        None => finding.step("End the range"),
    })
}
