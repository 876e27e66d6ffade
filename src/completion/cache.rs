//! The names of a CouchDB's databases as `databases` saw them last, for completion: a TAB starts no exec.
//!
//! One small file for each CouchDB in the user's cache folder, named by a hash, so that no name of a cluster is in a path. What is in it
//! is only a hint: nothing is decided by it, and each name still has to become a candidate. A file that is not this user's own, too old,
//! too large or malformed is as good as none.

use crate::flags::couchdb_pods::PodArgs;
use crate::private_file;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long names are offered.
const AGE: Duration = Duration::from_secs(600);
/// The largest file, in bytes: more than 20,000 names.
const LARGEST: usize = 1 << 20;
/// Form of the file.
const VERSION: u32 = 1;

/// Databases in CouchDB.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Databases {
    /// Those that nobody claims.
    pub(crate) orphans: Vec<String>,
    pub(crate) others: Vec<String>,
}

#[derive(Deserialize, Serialize)]
struct File {
    version: u32,
    /// Seconds since 1970.
    seen: u64,
    #[serde(flatten)]
    databases: Databases,
}

/// Keeps the names. `server`: the API server's URL.
///
/// # Errors
/// The home folder is not known, or the file cannot be written.
pub(crate) fn write(server: &str, pods: &PodArgs, databases: Databases) -> io::Result<()> {
    let path = path(server, pods).ok_or_else(|| io::Error::other("no home folder is known"))?;
    let content = encoded(databases, now())?;
    private_file::make_folder(private_file::folder(&path))?;
    private_file::write(&path, true, |out| out.write_all(&content))
}

/// The names, if they were kept a short while ago.
pub(crate) fn recall(server: &str, pods: &PodArgs) -> Option<Databases> {
    let content = private_file::read_own(&path(server, pods)?, LARGEST).ok()?;
    decoded(&content, now())
}

fn encoded(databases: Databases, now: u64) -> io::Result<Vec<u8>> {
    let content = serde_json::to_vec(&File {
        version: VERSION,
        seen: now,
        databases,
    })?;
    match content.len() > LARGEST {
        true => Err(io::Error::other("too many names")),
        false => Ok(content),
    }
}

fn decoded(content: &[u8], now: u64) -> Option<Databases> {
    let file: File = serde_json::from_slice(content).ok()?;
    let is_fresh = now
        .checked_sub(file.seen)
        .is_some_and(|age| age <= AGE.as_secs());
    (file.version == VERSION && is_fresh).then_some(file.databases)
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Where the names of this CouchDB are kept: by everything that chooses it.
fn path(server: &str, pods: &PodArgs) -> Option<PathBuf> {
    let port = pods.port.map(|port| port.to_string());
    let parts = [
        Some(server),
        Some(pods.place.couchdb_namespace.as_str()),
        pods.place.pod_selector.as_deref(),
        pods.pod.as_deref(),
        pods.container.as_deref(),
        port.as_deref(),
    ];
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    for part in parts {
        // No two lists of parts are the same bytes.
        let part = part.unwrap_or_default();
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let hash = hash.finish();
    let hex: String = hash.as_ref()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let folder = private_file::user_folder("XDG_CACHE_HOME", ".cache")?;
    Some(folder.join(format!("databases-{hex}.json")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn databases() -> Databases {
        Databases {
            orphans: vec!["orphan_db".to_owned()],
            others: vec!["pds_database".to_owned(), "_users".to_owned()],
        }
    }

    #[test]
    fn names_are_offered_for_ten_minutes() {
        let content = encoded(databases(), 1000).unwrap();
        assert_eq!(decoded(&content, 1000), Some(databases()));
        assert_eq!(decoded(&content, 1600), Some(databases()));
        assert_eq!(decoded(&content, 1601), None);
        assert_eq!(decoded(&content, 999), None, "kept by another clock");
    }

    #[test]
    fn another_form_is_none() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"version": 2, "seen": 1000, "orphans": [], "others": []}"#,
            r#"{"version": 1, "seen": -1, "orphans": [], "others": []}"#,
            r#"{"version": 1, "seen": 1000, "orphans": [1], "others": []}"#,
            r#"{"version": 1, "seen": 1000, "orphans": []}"#,
            r#"{"version": 1, "seen": 1000, "orphans": [], "others": []} x"#,
        ] {
            assert_eq!(decoded(text.as_bytes(), 1000), None, "{text}");
        }
        let many = Databases {
            orphans: vec!["a".repeat(100); LARGEST / 100],
            others: Vec::new(),
        };
        assert!(encoded(many, 0).is_err());
    }

    proptest! {
        #[test]
        fn no_content_panics(content in proptest::collection::vec(any::<u8>(), 0..99)) {
            prop_assert_eq!(decoded(&content, 1000), None);
        }
    }
}
