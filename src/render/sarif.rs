//! `-o sarif`: the report as SARIF 2.1.0, for code scanning and other collectors of findings.
//!
//! A result is one finding of one onboarding, so that each is followed over runs by its fingerprint. JSON escapes all text:
//! nothing can break out of it.

use super::report::summary;
use crate::advice::Line;
use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::registry::RULES;
use crate::diagnosis::{Severity, Step, Subject};
use crate::text::one_line;
use crate::view::report::{Finding, Onboarding, Report};
use serde_json::{Value, json};

/// Where the format's own schema is.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// How the run went, apart from what it found.
pub struct Invocation {
    pub exit_code: u8,
    /// What could not be looked at at all.
    pub errors: Vec<String>,
}

/// The whole file.
pub fn log(report: &Report, invocation: &Invocation) -> Value {
    let results: Vec<Value> = report.findings().map(|(o, f)| result(o, f)).collect();
    let rules = RULES.iter().map(|r| rule(&Entry::from(*r))).collect();
    let run = json!({
        "automationDetails": {"id": "kubectl-skvs/troubleshoot/"},
        "invocations": [run(report, invocation)],
        "results": results,
        "properties": report.totals,
    });
    document(rules, run)
}

/// The file of one run with the codes that it can find.
pub(super) fn document(rules: Vec<Value>, mut run: Value) -> Value {
    run["tool"] = json!({"driver": {
        "name": "kubectl-skvs",
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "informationUri": env!("CARGO_PKG_REPOSITORY"),
        "rules": rules,
    }});
    json!({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})
}

pub(super) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

pub(super) fn rule(rule: &Entry) -> Value {
    let markdown = format!(
        "{}\n\n**What to do.** {}\n\n```text\n{}\n```",
        rule.explanation, rule.fix, rule.example
    );
    json!({
        "id": rule.code,
        "name": name(rule.slug),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": plain(rule.explanation)},
        "help": {
            "text": format!("{}\n\n{}", plain(rule.explanation), plain(rule.fix)),
            "markdown": markdown,
        },
        "defaultConfiguration": {"level": level(rule.severity)},
    })
}

/// `DatabaseExists`: the format wants a name that reads as one identifier.
fn name(slug: &str) -> String {
    let words = slug.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|l| l.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}

/// Markdown of the catalogue without its code marks.
fn plain(markdown: &str) -> String {
    markdown.replace('`', "")
}

fn result(onboarding: &Onboarding, finding: &Finding) -> Value {
    let own = onboarding.subject();
    let mut places = vec![place(&own)];
    if finding.found.subject != own {
        places.push(place(&finding.found.subject));
    }
    let found = &finding.found;
    let sentence = format!("{}: {}", onboarding.name, found.sentence);
    json!({
        "ruleId": finding.code,
        "ruleIndex": RULES.iter().position(|r| r.code == finding.code),
        "kind": "fail",
        "level": level(finding.severity),
        "message": {"text": message(&sentence, &found.why, &found.fix)},
        "locations": [{"logicalLocations": places}],
        // A code is found once on an onboarding. Neither sentence nor subject belongs to it: both change from run to run.
        "partialFingerprints": {
            "codeAndOnboarding/v1": format!("{}:{}", finding.code, own.id()),
        },
    })
}

/// Namespaces and other things without one have their name alone.
fn place(subject: &Subject) -> Value {
    json!({
        "name": subject.name,
        "fullyQualifiedName": subject.id(),
        "kind": subject.kind,
    })
}

/// The sentence, why, and what to do.
pub(super) fn message(sentence: &str, why: &[String], fix: &[Step<Line>]) -> String {
    let mut text = sentence.to_owned();
    for why in why {
        text.push_str(&format!("\n{why}"));
    }
    for step in fix {
        text.push_str(&match step {
            Step::Text(step) => format!("\n- {step}"),
            Step::Manifest(change) => format!("\n- {change}"),
            Step::Command(line) => format!("\n  {line}"),
        });
    }
    unlinked(&text)
}

/// Viewers make `[text](target)` a link, also in plain text: what a cluster says must not become one.
pub(super) fn unlinked(text: &str) -> String {
    text.replace("](", "] (")
}

fn run(report: &Report, invocation: &Invocation) -> Value {
    let mut notifications: Vec<Value> = Vec::new();
    for not_run in report.all_not_run() {
        let text = format!("not checked: {}", summary::unread(not_run));
        let rules = not_run.codes.iter();
        let places = rules.filter_map(|code| RULES.iter().position(|r| r.code == *code));
        for index in places {
            let notification = json!({
                "level": "note",
                "message": {"text": unlinked(&text)},
                "associatedRule": {"id": RULES[index].code, "index": index},
            });
            if !notifications.contains(&notification) {
                notifications.push(notification);
            }
        }
    }
    for error in &invocation.errors {
        notifications
            .push(json!({"level": "error", "message": {"text": unlinked(&one_line(error))}}));
    }
    json!({
        "executionSuccessful": invocation.errors.is_empty(),
        "exitCode": invocation.exit_code,
        "toolExecutionNotifications": notifications,
    })
}

#[cfg(test)]
mod tests;
