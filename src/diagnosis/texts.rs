//! The code for each text of Helm in tests/fixtures/texts/helm.txt. Test code only.

use super::{Case, diagnose, fixture};

/// Codes of the roots for an onboarding whose action failed with `text`.
fn codes(action: &str, text: &str) -> Vec<&'static str> {
    let name = match action {
        "install" => "values-refused",
        _ => "write-race",
    };
    let mut snapshot = fixture::snapshot(name);
    let lead =
        format!("Helm {action} failed for release core/x with chart secure-kvs-onboarding@0.1.2: ");
    for condition in &mut snapshot.helm_release.status.conditions {
        condition.message = format!("{lead}{text}");
    }
    let case = Case::new(&snapshot, fixture::meta(name).now);
    let roots = diagnose(&case).roots;
    roots.iter().map(|root| root.rule.code).collect()
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
