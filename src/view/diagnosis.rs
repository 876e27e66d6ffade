//! `explain -o json|yaml`: what a code means, kind `Diagnosis`.

use super::description::API_VERSION;
use crate::diagnosis::Severity;
use crate::diagnosis::catalogue::Entry;
use serde::Serialize;

/// One code.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    pub api_version: &'static str,
    pub kind: &'static str,
    pub code: &'static str,
    /// Its other name, such as `database-exists`.
    pub slug: &'static str,
    pub severity: Severity,
    pub title: &'static str,
    /// Markdown: what happens and why.
    pub explanation: &'static str,
    /// Markdown: how to see it and how to fix it.
    pub fix: &'static str,
    /// What a cluster or a manifest shows.
    pub example: &'static str,
    /// Codes that follow from it.
    pub explains: &'static [&'static str],
}

impl From<Entry> for Diagnosis {
    fn from(rule: Entry) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "Diagnosis",
            code: rule.code,
            slug: rule.slug,
            severity: rule.severity,
            title: rule.title,
            explanation: rule.explanation,
            fix: rule.fix,
            example: rule.example,
            explains: rule.explains,
        }
    }
}
