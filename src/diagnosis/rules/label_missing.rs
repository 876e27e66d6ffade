//! SKVS161: it is an onboarding and does not carry the label.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Change, Evidence, Finding};
use crate::diagnosis::flux_commands::kubectl;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::helm_release::ONBOARDING_SELECTOR;
use serde_json::json;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS161",
    slug: "label-missing",
    severity: Severity::Warning,
    role: Role::State,
    title: "an onboarding lacks the onboarding label",
    explanation: r#"The HelmRelease installs the onboarding chart but lacks the label `app.kubernetes.io/part-of=secure-kvs-onboarding`. Flux
handles it as usual, but it is missing from everything that selects by the label: `kubectl skvs list`, the runbook's
`kubectl get`, and the search for other claims of the same database. (`kubectl skvs delete-db` reads all HelmReleases,
labelled or not.)"#,
    fix: r#"See it: `kubectl get helmreleases.helm.toolkit.fluxcd.io -A --show-labels`.

Add the label to the manifest in the GitOps repository."#,
    example: r#"labels: {} on a HelmRelease with chart secure-kvs-onboarding"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

fn unlabelled(case: &Case<'_>) -> bool {
    let labels = &case.hr().metadata.labels;
    let carries = ONBOARDING_SELECTOR
        .split_once('=')
        .is_some_and(|(key, value)| labels.get(key).is_some_and(|v| v == value));
    case.hr().installs_onboarding_chart() && !carries
}

fn check(case: &Case<'_>) -> Verdict {
    if !unlabelled(case) {
        return Ok(None);
    }
    let me = &case.hr().metadata;
    let others = case.others()?;
    // The others were found by the selector; the namespace of this one is always among those that were read.
    if others
        .iter()
        .any(|o| o.metadata.name == me.name && o.metadata.namespace == me.namespace)
    {
        return Ok(None);
    }
    let labels: Vec<String> = me.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let observed = match labels.as_slice() {
        [] => "labels: none".to_owned(),
        some => format!("labels: {}", some.join(", ")),
    };
    let (key, value) = ONBOARDING_SELECTOR
        .split_once('=')
        .unwrap_or((ONBOARDING_SELECTOR, ""));
    let label = kubectl(case, "label").args([ONBOARDING_SELECTOR]);
    Finding::new(
        case.subject(),
        "it installs the onboarding chart but lacks the onboarding label, so lists leave it out",
    )
    .why("Lists and the search for shared databases select by the label.")
    .seen([Evidence::new(case.subject(), ".metadata.labels", &observed)])
    .change(Change::new(
        "It is one of the onboardings",
        &["metadata", "labels", key],
        json!(value),
    ))
    .step("Until that change is in the cluster:")
    .command(label)
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found_by_its_chart() {
        let finding = fixture::finding("label-missing", "SKVS161");
        assert_eq!(
            finding.sentence,
            "it installs the onboarding chart but lacks the onboarding label, so lists leave it out"
        );
        assert_eq!(finding.evidence[0].observed, "labels: none");
    }
}
