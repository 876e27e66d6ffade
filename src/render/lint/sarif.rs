//! `-o sarif` of `lint`: SARIF 2.1.0 with the place of each finding in its file.

use super::unread;
use crate::diagnosis::lint::registry::RULES;
use crate::render::sarif::{document, level, message, rule, unlinked};
use crate::view::lint::{Finding, LintReport};
use serde_json::{Value, json};

/// The whole file.
pub fn log(report: &LintReport, exit_code: u8) -> Value {
    let rules = RULES.iter().map(|r| rule(&r.entry)).collect();
    let results = report.findings.iter().map(result).collect::<Vec<_>>();
    let run = json!({
        "automationDetails": {"id": "kubectl-skvs/lint/"},
        "invocations": [invocation(report, exit_code)],
        "results": results,
        "properties": report.totals,
    });
    document(rules, run)
}

fn result(finding: &Finding) -> Value {
    let about = finding
        .subject
        .as_ref()
        .map_or_else(|| finding.file.clone(), |s| s.id());
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri(&finding.file)},
            "region": {"startLine": finding.line, "startColumn": finding.column},
        },
    });
    if let Some(subject) = &finding.subject {
        location["logicalLocations"] = json!([{
            "name": subject.name,
            "fullyQualifiedName": subject.id(),
            "kind": subject.kind,
        }]);
    }
    json!({
        "ruleId": finding.code,
        "ruleIndex": RULES.iter().position(|r| r.entry.code == finding.code),
        "kind": "fail",
        "level": level(finding.severity),
        "message": {"text": message(&finding.message, &finding.why, &finding.fix)},
        "locations": [location],
        // Lines move from commit to commit.
        "partialFingerprints": {"codeAndManifest/v1": format!("{}:{about}", finding.code)},
    })
}

/// A path as the format wants it: from the folder of the run on, with what a URI cannot have in percent codes.
fn uri(file: &str) -> String {
    let mut uri = String::new();
    for byte in file.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

fn invocation(report: &LintReport, exit_code: u8) -> Value {
    let mut notifications: Vec<Value> = Vec::new();
    for skipped in &report.not_checked {
        let file = skipped
            .file
            .as_deref()
            .map_or(String::new(), |f| format!("{f}: "));
        let text = format!("not checked: {file}{}", unread(skipped));
        notifications.push(json!({"level": "note", "message": {"text": unlinked(&text)}}));
    }
    for file in &report.not_known {
        let text = format!("not known: {}", file.sentence());
        notifications.push(json!({"level": "error", "message": {"text": unlinked(&text)}}));
    }
    json!({
        "executionSuccessful": report.not_known.is_empty(),
        "exitCode": exit_code,
        "toolExecutionNotifications": notifications,
    })
}
