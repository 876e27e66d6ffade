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

use super::onboarding::Onboarding;
use super::repository::Repository;
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
