//! The answer of `access -o json|yaml`: kind `AccessChange`.

use super::description::API_VERSION;
use crate::text::{line, one_line};
use serde::Serialize;

/// A change of an onboarding's service accounts in its manifest.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AccessChange {
    pub api_version: &'static str,
    pub kind: &'static str,
    pub namespace: String,
    pub name: String,
    pub file: String,
    /// Whether the file was changed.
    pub written: bool,
    pub added: Vec<String>,
    pub removed: Vec<String>,
    /// Accounts that were asked for and already are as they should be.
    pub unchanged: Vec<String>,
    /// The whole list, as it is after the change.
    pub accounts: Vec<String>,
    /// The change as diff -u prints it; empty where nothing changes.
    pub diff: String,
}

impl AccessChange {
    /// A change of no account yet.
    pub fn new(namespace: &str, name: &str, file: &str, written: bool, diff: &str) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "AccessChange",
            namespace: one_line(namespace),
            name: one_line(name),
            file: line(file).into_owned(),
            written,
            added: Vec::new(),
            removed: Vec::new(),
            unchanged: Vec::new(),
            accounts: Vec::new(),
            diff: crate::text::clean(diff).into_owned(),
        }
    }
}
