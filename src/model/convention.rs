//! The runbook's convention for an onboarding's own name: `skvs-onboarding-<namespace>--<database>`.
//!
//! The runbook writes `_`, which no Kubernetes name can hold; people write `-` or `--` in its place, so names are compared word
//! by word. Nothing is derived from a name: the database is what the values say.

use super::names::DatabaseName;

/// What an onboarding's name begins with.
pub const PREFIX: &str = "skvs-onboarding-";

/// How a name stands to the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// It says the database of the values, or its beginning, perhaps with more after it.
    Kept,
    /// It does not begin as the convention says.
    Other,
    /// It says another database than the values.
    Contradicts,
}

/// Compares a HelmRelease's name with the database that its values claim.
pub fn naming(name: &str, database: &DatabaseName) -> Naming {
    let Some(told) = name.strip_prefix(PREFIX) else {
        return Naming::Other;
    };
    if words(database.as_str())
        .zip(words(told))
        .all(|(is, told)| is == told)
    {
        Naming::Kept
    } else {
        Naming::Contradicts
    }
}

/// Whether a HelmRelease's name is the database's, word by word and with nothing after it.
pub fn is_named_for(name: &str, database: &DatabaseName) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|told| words(told).eq(words(database.as_str())))
}

/// The name that the convention asks for.
pub fn name_for(database: &DatabaseName) -> String {
    let name = database.database().replace('_', "--");
    format!("{PREFIX}{}--{name}", database.namespace())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(['-', '_']).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(name: &str, database: &str) -> Naming {
        naming(name, &DatabaseName::parse(database).unwrap())
    }

    #[test]
    fn separators_do_not_matter_words_do() {
        assert_eq!(
            of("skvs-onboarding-pds--database", "pds_database"),
            Naming::Kept
        );
        assert_eq!(
            of(
                "skvs-onboarding-demo-secure-kvs-demo",
                "demo_secure-kvs-demo"
            ),
            Naming::Kept
        );
        assert_eq!(
            of("skvs-onboarding-papa--ledger-readers", "papa_ledger"),
            Naming::Kept
        );
        assert_eq!(
            of("skvs-onboarding-iota--database", "pds_database"),
            Naming::Contradicts
        );
        assert_eq!(of("skvs-onboarding-pds", "pds_database"), Naming::Kept);
        assert_eq!(of("pds--database", "pds_database"), Naming::Other);
    }

    proptest! {
        #[test]
        fn the_name_that_is_asked_for_keeps_the_convention(
            namespace in "[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,3})?",
            database in "[a-z0-9][a-z0-9_-]{0,9}"
        ) {
            let database = DatabaseName::join(&namespace, &database).unwrap();
            prop_assert_eq!(naming(&name_for(&database), &database), Naming::Kept);
            prop_assert!(is_named_for(&name_for(&database), &database));
            let longer = format!("{}-x", name_for(&database));
            prop_assert!(!is_named_for(&longer, &database));
        }
    }
}
