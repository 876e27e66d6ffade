//! SKVS505: the label of onboardings is missing.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use serde_json::json;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS505",
        slug: "onboarding-label",
        severity: Severity::Warning,
        title: "the label of onboardings is missing",
        explanation: r#"The runbook lists onboardings by the label `app.kubernetes.io/part-of=secure-kvs-onboarding`; the setting `onboarding-selector`
names another one. Without it Flux installs the onboarding as usual, but it is missing from everything that selects by the label:
`kubectl skvs list`, the runbook's `kubectl get`, and the search for other claims of the same database."#,
        fix: r#"Add the label to `metadata.labels`. It changes nothing else."#,
        example: r#"labels: {} on a HelmRelease with chart secure-kvs-onboarding"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, repository: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let Some((key, value)) = checked.known(repository.conventions.mark.label()) else {
        return checked;
    };
    let path = ["metadata", "labels", key];
    let Some(field) = checked.known(onboarding.field(&path)) else {
        return checked;
    };
    let sentence = match field {
        Some(field) if field.value.as_str() == Some(value) => return checked,
        Some(field) => format!("the label {key} is {}, not {value}", field.value),
        None => "it lacks the label of onboardings, so lists leave it out".to_owned(),
    };
    let finding = onboarding.finding(&path, sentence).change(
        "It is one of the onboardings",
        &path,
        json!(value),
    );
    checked.with(finding)
}
