//! One onboarding of a list.

use super::shared;
use crate::model::helm_release::HelmRelease;
use crate::model::ownership::HelmReleases;
use crate::view::onboarding_row::Row;
use serde_json::Value;
use std::collections::HashSet;

/// One onboarding, as it came and typed.
pub(super) struct Item {
    /// Where several are asked.
    pub(super) context: Option<String>,
    pub(super) object: Value,
    pub(super) hr: HelmRelease,
    /// Another onboarding of its cluster claims the same database.
    pub(super) shared: bool,
}

impl Item {
    /// Those of one cluster.
    pub(super) fn all(objects: Vec<(Value, HelmRelease)>, claims: &HelmReleases) -> Vec<Self> {
        let items = objects.into_iter().map(|(object, hr)| Self {
            context: None,
            shared: claims.is_shared(&hr),
            object,
            hr,
        });
        items.collect()
    }

    pub(super) fn row(&self) -> Row<'_> {
        Row {
            context: self.context.as_deref(),
            hr: &self.hr,
            shared: self.shared,
        }
    }
}

/// The databases that they claim.
pub(super) fn databases(items: &[Item]) -> HashSet<String> {
    let all = items.iter();
    all.filter_map(|item| shared::database(&item.hr)).collect()
}
