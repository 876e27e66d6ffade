//! The code for each text of Helm in tests/fixtures/texts/helm.txt, and cases in which Helm or a source reports a text. Test code only.

use super::{Case, diagnose, fixture};
use crate::snapshot::Snapshot;
use serde_json::{Value, json};

/// The case whose action failed with `text` in each condition.
pub(super) fn failed(action: &str, text: &str) -> (&'static str, Snapshot) {
    let name = match action {
        "install" => "values-refused",
        _ => "write-race",
    };
    let mut snapshot = fixture::snapshot(name);
    let lead =
        format!("Helm {action} failed for release core/x with chart secure-kvs-onboarding@0.1.2: ");
    for condition in snapshot.helm_release.status.conditions.edit() {
        condition.message = format!("{lead}{text}");
    }
    (name, snapshot)
}

/// Codes of the roots for an onboarding whose action failed with `text`.
fn codes(action: &str, text: &str) -> Vec<&'static str> {
    let (name, snapshot) = failed(action, text);
    let case = Case::new(&snapshot, fixture::meta(name).now);
    let roots = diagnose(&case).roots;
    roots.iter().map(|root| root.rule.code).collect()
}

/// What `code` says and advises where an action failed with `text`.
pub(super) fn of_helm(action: &str, text: &str, code: &str) -> String {
    let (name, snapshot) = failed(action, text);
    let case = Case::new(&snapshot, fixture::meta(name).now);
    fixture::lines(fixture::of_code(diagnose(&case), code))
}

/// What `code` says and advises where a chart's source of this kind and spec says `text`.
pub(super) fn of_source(kind: &str, spec: &Value, text: &str, code: &str) -> String {
    let name = "repository-unreachable";
    let snapshot = fixture::snapshot_of(name, &|object| {
        let references = ["/spec/sourceRef/kind", "/spec/chart/spec/sourceRef/kind"];
        for reference in references {
            if let Some(reference) = object.pointer_mut(reference) {
                *reference = json!(kind);
            }
        }
        if object["kind"] == "HelmRepository" {
            object["kind"] = json!(kind);
            fixture::case::merge(&mut object["spec"], spec);
            let conditions = object["status"]["conditions"].as_array_mut().unwrap();
            for condition in conditions {
                condition["message"] = json!(text);
            }
        }
    });
    let case = Case::new(&snapshot, fixture::meta(name).now);
    fixture::lines(fixture::of_code(diagnose(&case), code))
}

#[test]
fn every_text_has_its_code() {
    let table = include_str!("../../tests/fixtures/texts/helm.txt");
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let mut wrong = Vec::new();
    let mut seen = 0;
    for line in lines {
        let mut words = line.splitn(3, ' ');
        let (Some(code), Some(action), Some(text)) = (words.next(), words.next(), words.next())
        else {
            panic!("{line}");
        };
        let found = codes(action, &text.replace("\\n", "\n").replace("\\t", "\t"));
        if !found.contains(&code) || found.contains(&"SKVS900") {
            wrong.push(format!("{found:?} instead of {code}: {text}"));
        }
        seen += 1;
    }
    assert!(seen > 100, "{seen}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
