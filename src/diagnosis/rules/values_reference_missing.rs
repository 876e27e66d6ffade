//! SKVS104: a ConfigMap or Secret of valuesFrom is missing or has no such key.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS104",
    slug: "values-reference-missing",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a ConfigMap or Secret of valuesFrom is missing or has no such key",
    explanation: r#"`spec.valuesFrom` takes chart values out of ConfigMaps and Secrets in the HelmRelease's namespace. One that is missing, or
lacks the key, stops the release before Helm is asked, unless it is marked `optional`."#,
    fix: r#"See it: `kubectl get secret,configmap -n NAMESPACE`

Create the object or the key, or correct the reference. The runbook's onboardings give all values inline and need none."#,
    example: r#"ValuesError: could not resolve Secret chart values reference 'flux-system/x' with key 'values.yaml': key not found"#,
    needs: &[],
    explains: &["SKVS108", "SKVS110"],
    when: values,
    check,
};

fn values(case: &Case<'_>) -> bool {
    let old = [
        "could not find Secret '",
        "could not find ConfigMap '",
        "missing key '",
    ];
    case.reason() == "ValuesError"
        || (case.reason() == "InitFailed" && old.iter().any(|t| case.error().contains(t)))
}

fn check(case: &Case<'_>) -> Verdict {
    let namespace = &case.hr().metadata.namespace;
    let error = case.error();
    let reference = case
        .hr()
        .spec
        .values_from
        .iter()
        .find(|r| error.contains(&format!("'{namespace}/{}'", r.name)));
    let Some(reference) = reference else {
        return Finding::new(
            case.subject(),
            "a reference of spec.valuesFrom cannot be resolved",
        )
        .seen(case.seen_failure())
        .step("Correct spec.valuesFrom in the manifest.")
        .then(then(case, Fixes::Manifest))
        .into();
    };
    let key = reference.values_key.as_deref().unwrap_or("values.yaml");
    let subject = Subject::new(&reference.kind, namespace, &reference.name);
    let lacks_key = error.contains("key not found") || error.contains("missing key");
    let absent = !lacks_key && (error.contains("not found") || error.contains("could not find"));
    let sentence = if lacks_key {
        format!("{subject} has no key {key}, which spec.valuesFrom asks for")
    } else if absent {
        format!("{subject} does not exist, and spec.valuesFrom asks for it")
    } else {
        format!("the values in {subject} cannot be used")
    };
    let kind = reference.kind.to_lowercase();
    let all = format!("{kind}s");
    // One that is not there cannot be described: its namespace may hold it under another name.
    let command = if absent {
        vec!["kubectl", "get", &all, "-n", namespace]
    } else {
        vec![
            "kubectl",
            "describe",
            "-n",
            namespace,
            &kind,
            &reference.name,
        ]
    };
    Finding::new(subject.clone(), sentence)
        .why("Flux composes the values before it asks Helm, so nothing was installed.")
        .seen(case.seen_failure())
        .seen([Evidence::new(
            case.subject(),
            ".spec.valuesFrom",
            &format!("{} {}, key {key}", reference.kind, reference.name),
        )])
        .step("See what is there, then create it or correct the manifest:")
        .command(command)
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::case::Case;
    use crate::diagnosis::finding::Step;
    use crate::diagnosis::fixture;
    use crate::diagnosis::rule::Verdict;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("values-reference-missing", "SKVS104"),
            "Secret flux-system/skvs-values has no key values.yaml, which spec.valuesFrom asks for"
        );
    }

    #[test]
    fn what_does_not_exist_is_not_described() {
        let command = |error: &str| {
            let mut snapshot = fixture::snapshot("values-reference-missing");
            for condition in &mut snapshot.helm_release.status.conditions {
                condition.message = error.to_owned();
            }
            let now = fixture::meta("values-reference-missing").now;
            match super::check(&Case::new(&snapshot, now)) {
                Verdict::Found(finding) => finding.fix[1].clone(),
                other => panic!("{other:?}"),
            }
        };
        let words = |line: &str| Step::Command(line.split(' ').map(str::to_owned).collect());
        assert_eq!(
            command(
                "could not resolve Secret chart values reference 'flux-system/skvs-values' with key 'values.yaml': secrets \"skvs-values\" not found"
            ),
            words("kubectl get secrets -n flux-system")
        );
        assert_eq!(
            command(
                "could not resolve Secret chart values reference 'flux-system/skvs-values' with key 'values.yaml': key not found"
            ),
            words("kubectl describe -n flux-system secret skvs-values")
        );
    }
}
