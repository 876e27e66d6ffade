//! SKVS513: the chart's version may be any newer one.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Onboarding, Repository, Rule, Verdict};
use crate::diagnosis::rule::Severity;
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
        fix: r#"End the range, as the runbook's `<0.2.0` does, or name one version."#,
        example: r#"version: "*", or no version at all"#,
        explains: &[],
        is_fallback: false,
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, _: &Repository<'_>) -> Verdict {
    let path = ["spec", "chart", "spec", "version"];
    let source = onboarding.text(&["spec", "chart", "spec", "sourceRef", "kind"])?;
    // Of a chart in Git or a bucket Flux takes what is there.
    if source.is_some_and(|kind| kind != "HelmRepository")
        || onboarding.field(&path[..2])?.is_none()
    {
        return Ok(Vec::new());
    }
    let range = onboarding.field(&path)?;
    let text = match range.map(|r| r.value) {
        Some(Value::String(text)) => text.as_str(),
        // Another type is another finding.
        Some(_) => return Ok(Vec::new()),
        None => "",
    };
    let finding = match version_range::range(text) {
        Range::Bounded => return Ok(Vec::new()),
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
    finding
        .step("End the range, as the runbook does: version: \"<0.2.0\"")
        .into()
}
