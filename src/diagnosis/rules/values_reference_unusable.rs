//! SKVS238: a value from valuesFrom cannot be used.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Finding, Subject};
use crate::diagnosis::rendering;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::values_reference::Trouble;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS238",
    slug: "values-reference-unusable",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a value from valuesFrom cannot be used",
    explanation: r#"The ConfigMap or Secret in `spec.valuesFrom` exists with its key, but Flux cannot use it: its content is not YAML or cannot
be set at `targetPath`, or the reference is neither a ConfigMap nor a Secret. `optional` does not help here."#,
    fix: r#"See it: `kubectl get configmap -n NAMESPACE NAME -o jsonpath='{.data.values\.yaml}'`

Correct the content, or the reference in the manifest."#,
    example: r#"could not resolve ConfigMap chart values reference 'flux-system/x' with key 'values.yaml': error converting YAML to JSON: yaml: line 2: …
unable to read values from key 'values.yaml' in ConfigMap 'flux-system/x': …"#,
    explains: rendering::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Values(found)) = case.cause()? else {
        return Ok(None);
    };
    let namespace = &case.hr().metadata.namespace;
    let (place, name) = found.id.split_once('/').unwrap_or((namespace, &found.id));
    let subject = if name.is_empty() {
        case.subject()
    } else {
        Subject::new(&found.kind, place, name)
    };
    let readable = matches!(found.trouble, Trouble::Content(_));
    let (sentence, why) = match &found.trouble {
        Trouble::Kind => (
            format!(
                "spec.valuesFrom names a {}, but only accepts ConfigMaps and Secrets",
                found.kind
            ),
            "Flux only reads values from ConfigMaps and Secrets.".to_owned(),
        ),
        Trouble::Content(said) => {
            let target = case
                .hr()
                .spec
                .values_from
                .iter()
                .find(|r| r.name == name && r.kind == found.kind)
                .and_then(|r| r.target_path.as_deref());
            let sentence = match target {
                Some(path) => format!(
                    "key {} of {subject} cannot be set at {path} of the values",
                    found.key
                ),
                None => format!("key {} of {subject} is not YAML", found.key),
            };
            (
                sentence,
                format!("Flux reads the values before it calls Helm: {said}"),
            )
        }
        Trouble::Missing | Trouble::Key => return Ok(None),
    };
    let unset = why.contains("assignment to entry in nil map");
    let is_set_at_path =
        matches!(found.trouble, Trouble::Content(_)) && sentence.contains(" cannot be set at ");
    let mut finding = Finding::new(subject.clone(), sentence)
        .why(why)
        .seen(case.seen_failure());
    if unset {
        return finding
            .why("The content is right: this controller cannot set a value where spec.values has nothing yet.")
            .step("Update helm-controller (0.1.3 or later), or write the map that the value goes into in spec.values of the manifest")
            .then(then(case, Fixes::Manifest))
            .into();
    }
    finding = finding
        .whys(is_set_at_path.then_some("With targetPath the content is read as by helm --set, where a comma, a brace or a bracket has a meaning: escape each one that is part of the value with a backslash."))
        .step("Correct its content, or the reference in spec.valuesFrom of the manifest:");
    if readable {
        finding = finding.command([
            "kubectl",
            "describe",
            "-n",
            place,
            &found.kind.to_lowercase(),
            name,
        ]);
    }
    finding.then(then(case, Fixes::Elsewhere)).into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, fixture};

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("values-reference-unusable", "SKVS238"),
            "key values.yaml of ConfigMap flux-system/skvs-values is not YAML"
        );
        assert_eq!(
            fixture::sentence("values-reference-unusable-old", "SKVS238"),
            "key values.yaml of ConfigMap flux-system/skvs-values is not YAML"
        );
        assert_eq!(
            fixture::sentence("values-reference-of-wrong-kind", "SKVS238"),
            "spec.valuesFrom names a Pod, but only accepts ConfigMaps and Secrets"
        );
        assert_eq!(
            fixture::sentence("values-reference-target-path", "SKVS238"),
            "key port of Secret flux-system/skvs-values cannot be set at couchdb.port of the values"
        );
    }

    #[test]
    fn a_value_at_a_path_has_its_own_remedies() {
        let look = |name: &str, new: &str| {
            let mut snapshot = fixture::snapshot(name);
            fixture::reword(&mut snapshot, "key map \"couchdb\" has no value", new);
            let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
            let found = found.unwrap().unwrap();
            (found.why[1..].concat(), fixture::lines(found))
        };
        let at_path = "values-reference-target-path";
        let (why, told) = look(at_path, "key map \"couchdb\" has no value");
        assert!(
            why.starts_with("With targetPath the content is read as by helm --set"),
            "{why}"
        );
        assert!(
            told.contains("$ kubectl describe -n flux-system secret skvs-values"),
            "{told}"
        );
        let (why, told) = look(at_path, "assignment to entry in nil map");
        assert!(why.starts_with("The content is right:"), "{why}");
        assert!(
            told.contains("Update helm-controller (0.1.3 or later)"),
            "{told}"
        );
        assert!(!told.contains("Correct its content"), "{told}");
        let (why, _) = look("values-reference-unusable", "");
        assert_eq!(why, "");
        let (why, told) = look("values-reference-of-wrong-kind", "");
        assert_eq!(why, "");
        assert!(!told.contains("kubectl describe"), "{told}");
    }

    #[test]
    fn the_path_is_that_of_the_reference_to_the_object() {
        let name = "values-reference-target-path";
        let mut snapshot = fixture::snapshot(name);
        let from = &mut snapshot.helm_release.spec.values_from;
        let (mut other, mut config) = (from[0].clone(), from[0].clone());
        other.name = "other".to_owned();
        other.target_path = Some("a".to_owned());
        config.kind = "ConfigMap".to_owned();
        config.target_path = Some("b".to_owned());
        from.splice(0..0, [other, config]);
        let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
        let sentence = found.unwrap().unwrap().sentence;
        assert!(
            sentence.contains("cannot be set at couchdb.port"),
            "{sentence}"
        );
    }
}
