//! The names of the domain and the rules they obey: databases, Helm releases, release Secrets.
//!
//! Never derives a database from a release name: `_` and `-` are lost in it. The database is what `spec.values` says.

use std::fmt;

/// Longest database name CouchDB can store, in bytes: a file name of 255 less `.<10 digits>.couch`.
pub const DATABASE_MAX: usize = 238;

/// Longest name Helm takes for a release, in bytes.
pub const RELEASE_MAX: usize = 53;

/// The name of an onboarding's database: `<namespace>_<database>`, checked.
///
/// The namespace is an RFC 1123 label that starts with a letter and so holds no `_`: the first `_` splits the name in one way
/// only. The rest is `[a-z0-9_-]+`, stricter than CouchDB, which needs no escaping in a URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatabaseName {
    full: String,
    split: usize,
}

impl DatabaseName {
    /// Checks a joined name.
    ///
    /// # Errors
    /// A lower-case fragment that says which rule is broken.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        let first = name.chars().next().ok_or(NameError::Empty)?;
        if first == '_' {
            return Err(NameError::System);
        }
        if name.len() > DATABASE_MAX {
            return Err(NameError::TooLong(name.len()));
        }
        let (namespace, database) = name.split_once('_').ok_or(NameError::NotJoined)?;
        Self::join(namespace, database)
    }

    /// Joins the two halves of an onboarding's values.
    ///
    /// # Errors
    /// As [`DatabaseName::parse`].
    pub fn join(namespace: &str, database: &str) -> Result<Self, NameError> {
        let label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let begins = namespace.starts_with(|c: char| c.is_ascii_lowercase());
        if !begins
            || namespace.len() > 63
            || !namespace.chars().all(label)
            || namespace.ends_with('-')
        {
            return Err(NameError::Namespace(namespace.to_owned()));
        }
        if database.is_empty() || !database.chars().all(|c| label(c) || c == '_') {
            return Err(NameError::Database(database.to_owned()));
        }
        let full = format!("{namespace}_{database}");
        if full.len() > DATABASE_MAX {
            return Err(NameError::TooLong(full.len()));
        }
        Ok(Self {
            full,
            split: namespace.len(),
        })
    }

    /// The whole name, as CouchDB knows it.
    pub fn as_str(&self) -> &str {
        &self.full
    }

    /// The part before the first `_`.
    pub fn namespace(&self) -> &str {
        &self.full[..self.split]
    }

    /// The part after the first `_`.
    pub fn database(&self) -> &str {
        &self.full[self.split + 1..]
    }
}

impl fmt::Display for DatabaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}

/// Why a name is not an onboarding's database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("the name is empty")]
    Empty,
    #[error("names that start with _ are CouchDB's own")]
    System,
    #[error("it has no _ between namespace and database")]
    NotJoined,
    #[error(
        "{0:?} is not a namespace (a-z, 0-9 and -, starting with a letter, not ending with -, 63 characters at most)"
    )]
    Namespace(String),
    #[error("{0:?} is not a database (one or more of a-z, 0-9, _ and -)")]
    Database(String),
    #[error("it is {0} bytes long, CouchDB takes {DATABASE_MAX} at most")]
    TooLong(usize),
}

/// The release name that the controller composes: `releaseName`, else `<targetNamespace>-<name>`, else `<name>`; unshortened.
pub fn composed_release_name(
    release_name: Option<&str>,
    target_namespace: Option<&str>,
    name: &str,
) -> String {
    let given = |t: Option<&str>| t.filter(|t| !t.is_empty()).map(str::to_owned);
    given(release_name).unwrap_or_else(|| match given(target_namespace) {
        Some(target) => format!("{target}-{name}"),
        None => name.to_owned(),
    })
}

/// The name as helm-controller stores it since 0.37: cut to 40 bytes, `-` and 12 hex digits of its SHA-256 when it is too long
/// for Helm. Older controllers do not shorten and fail.
pub fn shortened_release_name(composed: &str) -> String {
    if composed.len() <= RELEASE_MAX {
        return composed.to_owned();
    }
    let digest = ring::digest::digest(&ring::digest::SHA256, composed.as_bytes());
    let mut hex = String::with_capacity(12);
    for byte in &digest.as_ref()[..6] {
        hex.push_str(&format!("{byte:02x}"));
    }
    let mut cut = 40;
    while !composed.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}-{hex}", &composed[..cut])
}

/// Whether Helm accepts it as a release's name.
pub fn is_release_name(name: &str) -> bool {
    is_dotted_name(name, RELEASE_MAX)
}

/// Whether a Secret or another object with a DNS name can have this name.
pub fn is_object_name(name: &str) -> bool {
    is_dotted_name(name, 253)
}

/// Whether a namespace can have this name.
pub fn is_namespace_name(name: &str) -> bool {
    is_dotted_name(name, 63) && !name.contains('.')
}

/// Small letters, digits, `-` and `.`, with a letter or digit at both ends of each part.
fn is_dotted_name(name: &str, longest: usize) -> bool {
    let is_inner = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(is_inner)
    };
    name.len() <= longest && name.split('.').all(is_part)
}

/// Name of the Secret that holds a release's revision.
pub fn release_secret(release: &str, revision: i64) -> String {
    format!("sh.helm.release.v1.{release}.v{revision}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_underscore_splits() {
        let name = DatabaseName::parse("team-x_a_b").unwrap();
        assert_eq!((name.namespace(), name.database()), ("team-x", "a_b"));
        assert_eq!(
            DatabaseName::parse("pds_database").unwrap().to_string(),
            "pds_database"
        );
        for good in ["ns__x", "ns_-x", "ns_1", "a_0"] {
            assert!(DatabaseName::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn names_that_delete_more_than_asked_are_refused() {
        for bad in [
            "",
            "_users",
            "_replicator",
            "_dbs",
            "_session",
            "ns",
            "ns_",
            "_x",
            "1abc_db",
            "Ns_db",
            "ns_Db",
            "ns_db/",
            "/ns_db",
            "ns_db.couch",
            "x/../ns_db",
            "ns_db#frag",
            "ns_db?rev=1",
            "ns_a+b",
            "ns_db ",
            " ns_db",
            "ns_d\u{e9}",
            "ns-_db",
            "-ns_db",
            "ns_a%2Fb",
            "ns_db\n",
        ] {
            assert!(DatabaseName::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(DatabaseName::parse("_dbs"), Err(NameError::System));
    }

    #[test]
    fn the_length_is_couchdbs() {
        let longest = format!("ns_{}", "a".repeat(DATABASE_MAX - 3));
        assert!(DatabaseName::parse(&longest).is_ok());
        assert_eq!(
            DatabaseName::parse(&format!("{longest}a")),
            Err(NameError::TooLong(239))
        );
    }

    #[test]
    fn release_names_are_composed_and_shortened_as_flux_does() {
        assert_eq!(composed_release_name(None, Some("core"), "a"), "core-a");
        assert_eq!(composed_release_name(Some("r"), Some("core"), "a"), "r");
        assert_eq!(composed_release_name(None, Some(""), "a"), "a");
        assert_eq!(shortened_release_name("core-a"), "core-a");
        let long = "a".repeat(60);
        let short = shortened_release_name(&long);
        assert_eq!(short.len(), 53);
        // The digest of sixty times the letter a, by another tool: sha256sum.
        assert_eq!(short, format!("{}-11ee391211c6", "a".repeat(40)));
        assert_eq!(
            release_secret("core-a", 10),
            "sh.helm.release.v1.core-a.v10"
        );
    }

    proptest! {
        #[test]
        fn an_accepted_name_is_plain_and_splits_back(name in "\\PC{0,20}|[a-z0-9_-]{0,260}") {
            if let Ok(parsed) = DatabaseName::parse(&name) {
                prop_assert_eq!(parsed.as_str(), name.as_str());
                prop_assert!(name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() <= DATABASE_MAX);
                prop_assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c)));
                prop_assert_eq!(DatabaseName::join(parsed.namespace(), parsed.database()), Ok(parsed.clone()));
            }
        }

        #[test]
        fn a_stored_release_name_fits_helm(name in "\\PC{0,90}") {
            prop_assert!(shortened_release_name(&name).len() <= 53);
        }
    }
}
