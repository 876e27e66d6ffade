//! SKVS511: it does not install the onboarding chart.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use crate::model::helm_release::ONBOARDING_CHART;
use crate::model::not_read::NotRead;
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
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, _: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let path = ["spec", "chart", "spec", "chart"];
    let Some(chart) = checked.known(onboarding.field(&["spec", "chart"])) else {
        return checked;
    };
    // Beside a chart a reference counts where it is written.
    let reference = match chart {
        Some(_) => onboarding.manifest.at(&["spec", "chartRef"]).is_some(),
        None => match checked.known(onboarding.field(&["spec", "chartRef"])) {
            Some(field) => field.is_some(),
            None => return checked,
        },
    };
    match (chart, reference) {
        (None, false) => {
            let finding = onboarding.finding(&["spec"], "it names no chart");
            let chart = json!(ONBOARDING_CHART);
            return checked.with(finding.change("The chart of onboardings", &path, chart));
        }
        (Some(_), true) => {
            let sentence = "it names two charts: spec.chart and spec.chartRef";
            let finding = onboarding.finding(&["spec", "chartRef"], sentence);
            let step = "Keep one of them; the runbook's onboardings have spec.chart.";
            return checked.with(finding.step(step));
        }
        (None, true) => {
            checked.skip(NotRead::new(
                "the chart",
                "spec.chartRef names an object, which is not read",
            ));
            return checked;
        }
        (Some(_), false) => {}
    }
    let Some(name) = checked.known(onboarding.text(&path)).flatten() else {
        return checked;
    };
    if name.trim_end_matches('/').rsplit('/').next() == Some(ONBOARDING_CHART) {
        return checked;
    }
    let sentence = format!("its chart is {name}, not {ONBOARDING_CHART}");
    let finding = onboarding.finding(&path, sentence);
    let chart = json!(ONBOARDING_CHART);
    checked.with(finding.change("The chart of onboardings", &path, chart))
}
