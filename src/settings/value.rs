//! The values of settings, checked while the file is read, so that an error has its line.

use crate::model::names::is_namespace_name;
use crate::model::selector::Labels;
use crate::model::version_range::{Range, range};
use serde::{Deserialize, Deserializer, de};
use std::str::FromStr;

/// Parses a text.
pub(super) fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(de::Error::custom)
}

/// A text without a fault.
fn faultless<'de, D: Deserializer<'de>>(
    deserializer: D,
    fault: fn(&str) -> Option<String>,
) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match fault(&text) {
        Some(fault) => Err(de::Error::custom(fault)),
        None => Ok(Some(text)),
    }
}

pub(super) fn namespace<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    faultless(d, |text| {
        let fault = || format!("{text:?} cannot be the name of a namespace");
        (!is_namespace_name(text)).then(fault)
    })
}

/// A label selector. One that selects everything is a mistake.
pub(super) fn selector<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    faultless(d, |text| match Labels::parse(text) {
        _ if text.trim().is_empty() => Some("an empty selector selects everything".to_owned()),
        Ok(_) => None,
        Err(part) => Some(format!("{part:?} is not a requirement of a label selector")),
    })
}

/// A range of chart versions.
pub(super) fn chart_version<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    faultless(d, |text| match range(text) {
        _ if text.trim().is_empty() => Some("an empty range takes any version".to_owned()),
        Range::Invalid => Some(format!("{text:?} is not a range of versions")),
        Range::Bounded | Range::Open => None,
    })
}
