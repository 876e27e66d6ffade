//! SKVS511: it does not install the onboarding chart.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::NotChecked;
use crate::diagnosis::lint::{Check, Onboarding, Repository, Rule, Verdict};
use crate::diagnosis::rule::Severity;
use crate::model::helm_release::ONBOARDING_CHART;
use serde_json::json;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS511",
        slug: "chart-name",
        severity: Severity::Error,
        title: "it does not install the onboarding chart",
        explanation: r#"The chart `secure-kvs-onboarding` creates the database and lets the service accounts in. Under a mistyped name Flux finds no
chart, and without a chart it does nothing and says nothing. Flux wants exactly one of `spec.chart` and `spec.chartRef`."#,
        fix: r#"Set `spec.chart.spec.chart`. For a chart in Git or a bucket it is a path whose last folder has the chart's name."#,
        example: r#"spec.chart.spec.chart: secure-kvs-onbording"#,
        explains: &[],
        is_fallback: false,
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, _: &Repository<'_>) -> Verdict {
    let path = ["spec", "chart", "spec", "chart"];
    let chart = onboarding.field(&["spec", "chart"])?;
    // Beside a chart a reference counts where it is written.
    let reference = match chart {
        Some(_) => onboarding.manifest.at(&["spec", "chartRef"]).is_some(),
        None => onboarding.field(&["spec", "chartRef"])?.is_some(),
    };
    match (chart, reference) {
        (None, false) => {
            return onboarding
                .finding(&["spec"], "it names no chart")
                .change("The chart of onboardings", &path, json!(ONBOARDING_CHART))
                .into();
        }
        (Some(_), true) => {
            return onboarding
                .finding(
                    &["spec", "chartRef"],
                    "it names two charts: spec.chart and spec.chartRef",
                )
                .step("Keep one of them; the runbook's onboardings have spec.chart.")
                .into();
        }
        (None, true) => {
            return Err(NotChecked::new(
                "the chart",
                "spec.chartRef names an object, which is not read",
            ));
        }
        (Some(_), false) => {}
    }
    let Some(name) = onboarding.text(&path)? else {
        return Ok(Vec::new());
    };
    if name.trim_end_matches('/').rsplit('/').next() == Some(ONBOARDING_CHART) {
        return Ok(Vec::new());
    }
    onboarding
        .finding(
            &path,
            format!("its chart is {name}, not {ONBOARDING_CHART}"),
        )
        .change("The chart of onboardings", &path, json!(ONBOARDING_CHART))
        .into()
}
