//! The rules, one a file: its text and its check.

pub(in crate::diagnosis) mod api_version;
pub(in crate::diagnosis) mod chart_name;
pub(in crate::diagnosis) mod chart_range;
pub(in crate::diagnosis) mod chart_source;
pub(in crate::diagnosis) mod claim_changed;
pub(in crate::diagnosis) mod database_name;
pub(in crate::diagnosis) mod database_twice;
pub(in crate::diagnosis) mod derived_name;
pub(in crate::diagnosis) mod duplicate_key;
pub(in crate::diagnosis) mod encryption_switched;
pub(in crate::diagnosis) mod file_name;
pub(in crate::diagnosis) mod listed_missing;
pub(in crate::diagnosis) mod manifest_removed;
pub(in crate::diagnosis) mod names_collide;
pub(in crate::diagnosis) mod not_listed;
pub(in crate::diagnosis) mod object_name;
pub(in crate::diagnosis) mod object_name_invalid;
pub(in crate::diagnosis) mod object_namespace;
pub(in crate::diagnosis) mod object_twice;
pub(in crate::diagnosis) mod onboarding_label;
pub(in crate::diagnosis) mod release_renamed;
pub(in crate::diagnosis) mod required_field;
pub(in crate::diagnosis) mod service_accounts;
pub(in crate::diagnosis) mod value_type;
pub(in crate::diagnosis) mod value_unknown;
pub(in crate::diagnosis) mod value_unset;

use super::installed::{self, Installation};
use super::onboarding::Onboarding;
use super::repository::Repository;
use super::rule::Checked;
use crate::model::not_read::NotRead;
use serde_json::Value;

/// A value's type, as a sentence names it.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// Whether the change gives the onboarding another database.
fn claim_changed(
    onboarding: &Onboarding<'_>,
    repository: &Repository<'_>,
) -> Result<bool, NotRead> {
    let before = before(onboarding, repository)?;
    let was = before.map_or(Ok(None), Onboarding::names)?;
    Ok(was.is_some() && was != onboarding.names()?)
}

/// A state that the values of an onboarding must agree with.
#[derive(Clone, Copy)]
enum Earlier<'r> {
    Manifest(&'r Onboarding<'r>),
    Installed(&'r Installation),
}

impl<'r> Earlier<'r> {
    /// A value of the chart; `None` where it is not set.
    ///
    /// # Errors
    /// Something other than the manifest says it, or the installation does not.
    fn value(self, key: &str) -> Result<Option<&'r Value>, NotRead> {
        let installation = match self {
            Self::Manifest(before) => return Ok(before.value(key)?.map(|field| field.value)),
            Self::Installed(installation) => installation,
        };
        let what = if installation.values.is_object() {
            key
        } else {
            "values"
        };
        let value = installation
            .values
            .get(key)
            .filter(|value| !value.is_null());
        value.map(Some).ok_or_else(|| {
            let why = format!("revision {} has no {what}", installation.revision);
            NotRead::new(installed::WHAT, why)
        })
    }

    /// As [`Earlier::value`], for true or false. A manifest's value of another type is another rule's finding.
    fn flag(self, key: &str) -> Result<Option<&'r Value>, NotRead> {
        let value = self.value(key)?;
        match (self, value) {
            (Self::Installed(installation), Some(other)) if !other.is_boolean() => {
                let why = format!("revision {} has {key} {other}", installation.revision);
                Err(NotRead::new(installed::WHAT, why))
            }
            (_, value) => Ok(value),
        }
    }

    /// `it was`, for a sentence.
    fn it_was(self) -> &'static str {
        match self {
            Self::Manifest(_) => "it was",
            Self::Installed(_) => "it was installed as",
        }
    }

    /// Where the earlier value is.
    fn source(self) -> Option<String> {
        match self {
            Self::Manifest(_) => None,
            Self::Installed(Installation {
                revision,
                is_first: true,
                ..
            }) => Some(format!("Revision {revision} in Helm's storage says so.")),
            Self::Installed(Installation { revision, .. }) => Some(format!(
                "Revision {revision} says so, the oldest in Helm's storage."
            )),
        }
    }
}

/// The state that this onboarding is compared with: the installation if one is known, else the earlier manifest.
fn earlier<'r>(
    onboarding: &Onboarding<'_>,
    repository: &'r Repository<'_>,
    checked: &mut Checked,
) -> Option<Earlier<'r>> {
    let installed = repository.installation(onboarding);
    if let Some(installation) = checked.known(installed).flatten() {
        return Some(Earlier::Installed(installation));
    }
    let before = checked.known(before(onboarding, repository)).flatten();
    before.map(Earlier::Manifest)
}

/// A value as a template prints it.
pub(super) fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What this onboarding was in the earlier state; `None` for a new one, and where no state is compared.
///
/// # Errors
/// It may have been in an unknown part.
fn before<'r>(
    onboarding: &Onboarding<'_>,
    repository: &'r Repository<'_>,
) -> Result<Option<&'r Onboarding<'r>>, NotRead> {
    let Some(changes) = &repository.changes else {
        return Ok(None);
    };
    if let Some(before) = changes.before(onboarding) {
        return Ok(Some(before));
    }
    // Any unknown part may have held it.
    match changes.not_known().first() {
        Some(n) => Err(NotRead::new(
            "what has changed",
            format!("the earlier {} is not known: {}", n.file, n.why),
        )),
        None => Ok(None),
    }
}
