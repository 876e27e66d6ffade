//! Two onboardings that claim one database: both can look Ready in Flux, and nothing else tells.

use crate::model::helm_release::HelmRelease;
use crate::model::ownership::HelmReleases;
use crate::text::count;
use crate::ui::Ui;
use std::collections::HashSet;

/// One warning for each database of `shown` that is claimed more than once.
pub(super) fn warn(claims: &HelmReleases, shown: &HashSet<String>, ui: &mut Ui) {
    for (database, ids) in claims.shared(shown) {
        ui.warning(line(database, &ids));
    }
}

/// The database that an onboarding claims, where its values name one.
pub(super) fn database(hr: &HelmRelease) -> Option<String> {
    hr.claim().joined().map(str::to_owned)
}

fn line(database: &str, ids: &[String]) -> String {
    let split = |id: &str| -> (String, String) {
        let (namespace, name) = id.split_once('/').unwrap_or(("", id));
        (namespace.to_owned(), name.to_owned())
    };
    // The namespace is told only where they are in different ones.
    let namespace = ids.first().map(|id| split(id).0);
    let one = ids.iter().all(|id| Some(split(id).0) == namespace);
    let names: Vec<String> = ids
        .iter()
        .map(|id| if one { split(id).1 } else { id.clone() })
        .collect();
    format!(
        "{} claim the database {database}: {}",
        count(ids.len() as u64, "onboarding"),
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn namespaces_are_told_where_they_differ() {
        let ids = |all: [&str; 2]| all.map(str::to_owned);
        assert_eq!(
            line("pds_database", &ids(["n/b", "n/a"])),
            "2 onboardings claim the database pds_database: b, a"
        );
        assert_eq!(
            line("pds_database", &ids(["n/b", "m/a"])),
            "2 onboardings claim the database pds_database: n/b, m/a"
        );
    }
}
