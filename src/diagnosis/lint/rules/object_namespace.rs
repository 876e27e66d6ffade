//! SKVS504: the HelmRelease is in another namespace than the onboardings.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use serde_json::json;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS504",
        slug: "object-namespace",
        severity: Severity::Warning,
        title: "the HelmRelease is in another namespace than the onboardings",
        explanation: r#"Onboardings are HelmReleases in `flux-system` (`-n` names another one). One that is elsewhere works, but it is missing from the
runbook's `kubectl get` and from `kubectl skvs list`. Without a namespace it goes where the Flux Kustomization says.

`metadata.namespace` is the HelmRelease's own. The team's namespace belongs into `values.namespace`."#,
        fix: r#"Set `metadata.namespace` before the manifest is merged. Afterwards it cannot be moved: in another namespace it is another
release (SKVS553)."#,
        example: r#"metadata.namespace: pds"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, repository: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let path = ["metadata", "namespace"];
    let wanted = repository.conventions.namespace.as_str();
    let Some(namespace) = checked.known(onboarding.text(&path)) else {
        return checked;
    };
    let sentence = match namespace {
        Some(namespace) if namespace == wanted => return checked,
        Some(namespace) => {
            format!("it is in namespace {namespace}, the onboardings are in {wanted}")
        }
        None => "it has no namespace".to_owned(),
    };
    let finding = onboarding
        .finding(&path, sentence)
        .why("Lists look for onboardings in one namespace.")
        .change("The onboardings are there", &path, json!(wanted));
    checked.with(finding)
}
