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

use super::installed::Installation;
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
    /// Something other than the manifest says it.
    fn value(self, key: &str) -> Result<Option<&'r Value>, NotRead> {
        match self {
            Self::Manifest(before) => Ok(before.value(key)?.map(|field| field.value)),
            Self::Installed(installation) => {
                let value = installation.values.get(key);
                Ok(value.filter(|value| !value.is_null()))
            }
        }
    }

    /// Notes that it does not have a value that an installation needs.
    fn lacks(self, key: &str, checked: &mut Checked) {
        if let Self::Installed(installation) = self {
            let why = format!("revision {} has no {key}", installation.revision);
            checked.skip(NotRead::new("what is installed", why));
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
            Self::Installed(installation) => Some(format!(
                "Revision {} in Helm's storage says so.",
                installation.revision
            )),
        }
    }
}

/// The states that this onboarding is compared with: the earlier manifest and what is installed, as far as each is known and there.
fn earlier<'r>(
    onboarding: &Onboarding<'_>,
    repository: &'r Repository<'_>,
    checked: &mut Checked,
) -> Vec<Earlier<'r>> {
    let manifest = checked.known(before(onboarding, repository)).flatten();
    let installed = repository.installed.as_ref();
    let installed = installed.map_or(Ok(None), |installed| installed.of(onboarding));
    let installed = checked.known(installed).flatten();
    let manifest = manifest.map(Earlier::Manifest);
    manifest
        .into_iter()
        .chain(installed.map(Earlier::Installed))
        .collect()
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
