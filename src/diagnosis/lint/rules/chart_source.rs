//! SKVS512: the chart comes from another source than the runbook's.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use crate::model::new_onboarding::Style;
use serde_json::json;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS512",
        slug: "chart-source",
        severity: Severity::Warning,
        title: "the chart comes from another source than the runbook's",
        explanation: r#"The runbook takes the chart from the HelmRepository `wit-artifactory` in `flux-system`; the setting `onboard.source` names another
source. A source that does not exist on the
cluster leaves the onboarding without a chart; one that does may have another chart of the same name."#,
        fix: r#"Correct `spec.chart.spec.sourceRef`. If your charts have moved, set `onboard.source` (docs/configuration.md)."#,
        example: r#"sourceRef: {kind: GitRepository, name: charts}"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, repository: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let conventions = &repository.conventions;
    let expected = &conventions.style.source;
    let (whose, reason) = match *expected == Style::default().source {
        true => ("the runbook's", "The runbook's source"),
        false => ("the settings'", "The settings' source"),
    };
    let source = ["spec", "chart", "spec", "sourceRef"];
    if checked.known(onboarding.field(&source)).flatten().is_none() {
        return checked;
    }
    for (key, wanted) in [
        ("kind", Some(&expected.kind)),
        ("name", Some(&expected.name)),
        ("namespace", expected.namespace.as_ref()),
    ] {
        let path = [&source[..], &[key]].concat();
        let Some(is) = checked.known(onboarding.text(&path)) else {
            continue;
        };
        // Without a namespace, here or in the settings, it is the HelmRelease's own.
        let (is, wanted) = match (is, wanted) {
            (Some(is), Some(wanted)) => (is, wanted.as_str()),
            (None, None) => continue,
            (None, Some(_)) | (Some(_), None) if key != "namespace" => continue,
            (is, wanted) => {
                let own = onboarding.text(&["metadata", "namespace"]);
                let Some(own) = checked.known(own) else {
                    continue;
                };
                let own = own.unwrap_or(&conventions.namespace);
                (is.unwrap_or(own), wanted.map_or(own, String::as_str))
            }
        };
        if is != wanted {
            let sentence = format!("the {key} of its chart's source is {is}, {whose} is {wanted}");
            let finding = onboarding.finding(&path, sentence);
            checked.push(finding.change(reason, &path, json!(wanted)));
        }
    }
    checked
}
