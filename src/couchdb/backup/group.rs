//! Revisions with small attachments that are written in one go: a process for each costs more than the writing.

use super::multipart;
use crate::couchdb::request::Path;
use crate::couchdb::transport::nonce;

/// Largest body that is held, in bytes.
pub(super) const SMALL: u64 = 256 * 1024;
/// What is written at once: bytes, bytes of paths, and revisions.
const BYTES: usize = 4 * 1024 * 1024;
const PATHS: usize = 32 * 1024;
const MOST: usize = 256;

/// The bodies of some revisions, all with one boundary.
pub(super) struct Group {
    boundary: String,
    puts: Vec<(Path, Vec<u8>)>,
    bytes: usize,
    paths: usize,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            boundary: nonce(),
            puts: Vec::new(),
            bytes: 0,
            paths: 0,
        }
    }
}

impl Group {
    pub(super) fn boundary(&self) -> &str {
        &self.boundary
    }

    pub(super) fn content_type(&self) -> String {
        multipart::content_type(&self.boundary)
    }

    pub(super) fn push(&mut self, path: Path, body: Vec<u8>) {
        self.bytes += body.len();
        self.paths += path.as_str().len();
        self.puts.push((path, body));
    }

    pub(super) fn puts(&self) -> &[(Path, Vec<u8>)] {
        &self.puts
    }

    pub(super) fn is_empty(&self) -> bool {
        self.puts.is_empty()
    }

    /// It is to be written before another one comes.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= BYTES || self.paths >= PATHS || self.puts.len() >= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::DatabaseName;

    #[test]
    fn a_group_is_full_by_bytes_by_paths_and_by_number() {
        let name = DatabaseName::parse("a_b").unwrap();
        let filled = |id: &str, body: usize| {
            let mut group = Group::default();
            while !group.is_full() {
                group.push(Path::revision(&name, id).unwrap(), vec![0; body]);
            }
            group.puts().len()
        };
        assert_eq!(filled("a", 1), 256);
        assert_eq!(filled("a", 256 * 1024), 16);
        // A path has the database's name and the query too.
        assert_eq!(filled(&"x".repeat(1000), 1), 33);
    }
}
