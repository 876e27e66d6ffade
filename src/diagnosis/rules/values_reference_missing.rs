//! SKVS104: a ConfigMap or Secret in valuesFrom is missing or lacks a key.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::values_reference::Trouble;
use crate::text::age::duration;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS104",
    slug: "values-reference-missing",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a ConfigMap or Secret in valuesFrom is missing or lacks a key",
    explanation: r#"`spec.valuesFrom` reads chart values from ConfigMaps and Secrets in the HelmRelease's namespace. If one is missing or lacks
the key, Flux stops before it calls Helm, unless the reference is marked `optional`."#,
    fix: r#"See it: `kubectl get secret,configmap -n NAMESPACE`

Create the object or the key, or correct the reference. The runbook's onboardings have all values inline and do not use it."#,
    example: r#"ValuesError: could not resolve Secret chart values reference 'flux-system/x' with key 'values.yaml': key not found
InitFailed: could not find ConfigMap 'flux-system/x'"#,
    explains: &["SKVS108", "SKVS110"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Values(found)) = case.cause()? else {
        return Ok(None);
    };
    let absent = match found.trouble {
        Trouble::Missing => true,
        Trouble::Key => false,
        Trouble::Kind | Trouble::Content(_) => return Ok(None),
    };
    let (namespace, name) = found
        .id
        .split_once('/')
        .unwrap_or((&case.hr().metadata.namespace, &found.id));
    let named = case
        .hr()
        .spec
        .values_from
        .iter()
        .find(|r| r.kind == found.kind && r.name == name);
    let key = match found.key.as_str() {
        "" => named
            .and_then(|r| r.values_key.as_deref())
            .unwrap_or("values.yaml"),
        key => key,
    };
    let subject = Subject::new(&found.kind, namespace, name);
    // The text is of Flux's last look: the object may be there by now.
    let sentence = if absent {
        format!("Flux cannot find {subject}, named in spec.valuesFrom")
    } else {
        format!("{subject} lacks the key {key}, named in spec.valuesFrom")
    };
    let looked = case
        .failure
        .as_ref()
        .and_then(|f| case.seconds_since(f.condition.last_transition_time.as_deref()))
        .map_or(String::new(), |s| {
            format!(" It has been so for {}.", duration(s))
        });
    let kind = found.kind.to_lowercase();
    let all = format!("{kind}s");
    // One that is not there cannot be described: its namespace may hold it under another name.
    let command = if absent {
        vec!["kubectl", "get", &all, "-n", namespace]
    } else {
        vec!["kubectl", "describe", "-n", namespace, &kind, name]
    };
    let left = match case.hr().revision() {
        Some(_) => "installed objects stay as they are",
        None => "nothing was installed",
    };
    Finding::new(subject.clone(), sentence)
        .why(format!(
            "Flux reads the values before it calls Helm, so {left}.{looked}"
        ))
        .seen(case.seen_failure())
        .seen([Evidence::new(
            case.subject(),
            ".spec.valuesFrom",
            &format!("{} {name}, key {key}", found.kind),
        )])
        .step("Look at the existing ones, then create it or correct the manifest:")
        .command(command)
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::case::Case;
    use crate::diagnosis::finding::Step;
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("values-reference-missing", "SKVS104"),
            "Secret flux-system/skvs-values lacks the key values.yaml, named in spec.valuesFrom"
        );
    }

    #[test]
    fn what_does_not_exist_is_not_described() {
        let command = |error: &str| {
            let mut snapshot = fixture::snapshot("values-reference-missing");
            for condition in snapshot.helm_release.status.conditions.edit() {
                condition.message = error.to_owned();
            }
            let now = fixture::meta("values-reference-missing").now;
            match super::check(&Case::new(&snapshot, now)) {
                Ok(Some(finding)) => finding.fix[1].clone(),
                other => panic!("{other:?}"),
            }
        };
        let words = |line: &str| Step::Command(crate::advice::Command::new(line.split(' ')));
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
