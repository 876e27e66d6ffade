//! SKVS512: the chart comes from another source than the runbook's.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use serde_json::json;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS512",
        slug: "chart-source",
        severity: Severity::Warning,
        title: "the chart comes from another source than the runbook's",
        explanation: r#"The runbook takes the chart from the HelmRepository `wit-artifactory` in `flux-system`. A source that does not exist on the
cluster leaves the onboarding without a chart; one that does may have another chart of the same name."#,
        fix: r#"Correct `spec.chart.spec.sourceRef`. If your charts have moved, leave this out with `--ignore SKVS512`."#,
        example: r#"sourceRef: {kind: GitRepository, name: charts}"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

/// The runbook's source.
const SOURCE: [(&str, &str); 3] = [
    ("kind", "HelmRepository"),
    ("name", "wit-artifactory"),
    ("namespace", "flux-system"),
];

fn check(onboarding: &Onboarding<'_>, _: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let source = ["spec", "chart", "spec", "sourceRef"];
    if checked.known(onboarding.field(&source)).flatten().is_none() {
        return checked;
    }
    for (key, wanted) in SOURCE {
        let path = [&source[..], &[key]].concat();
        // Without a namespace it is the HelmRelease's own.
        let is = match checked.known(onboarding.text(&path)) {
            Some(Some(text)) => text,
            Some(None) if key == "namespace" => {
                match checked.known(onboarding.text(&["metadata", "namespace"])) {
                    Some(own) => own.unwrap_or(wanted),
                    None => continue,
                }
            }
            Some(None) | None => continue,
        };
        if is != wanted {
            let sentence =
                format!("the {key} of its chart's source is {is}, the runbook's is {wanted}");
            let finding = onboarding.finding(&path, sentence);
            checked.push(finding.change("The runbook's source", &path, json!(wanted)));
        }
    }
    checked
}
