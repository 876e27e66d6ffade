//! What the seeds in `seed/` expect of CouchDB: the shared cluster's names and credentials, and a database nobody claims.

use anyhow::Result;

use super::{Config, Front};

const ADMIN: &str = "admin";
const PASSWORD: &str = r#"p"a\ss'w:100%d $HOME `id` ;#"#;
const NAME: &str = "db-agora-kvs-secure-kvs-agora-couchdb";
const NAMESPACE: &str = "secure-kvs";

/// A database whose onboarding is gone.
pub const ORPHAN: &str = "orphan_db";
/// The number of its documents.
pub const ORPHAN_DOCUMENTS: usize = 42;

impl Config {
    /// The shared cluster of the runbook, with the credentials that `seed/10-couchdb.yaml` puts into its Secrets.
    pub fn shared_cluster(upstream: u16) -> Self {
        Self::new(upstream, ADMIN, PASSWORD, NAME, NAMESPACE)
    }
}

/// Makes what no onboarding makes: the orphan.
pub fn populate(front: &Front) -> Result<()> {
    front.create_database(ORPHAN, ORPHAN_DOCUMENTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeded_secrets_hold_the_fronts_credentials() {
        let seed = include_str!("../../seed/10-couchdb.yaml");
        let quoted = format!(
            "adminUsername: {ADMIN}\n  adminPassword: '{}'\n",
            PASSWORD.replace('\'', "''")
        );
        assert_eq!(seed.matches(&quoted).count(), 2);
        assert!(seed.contains(&format!(
            "kind: StatefulSet\nmetadata:\n  name: {NAME}\n  namespace: {NAMESPACE}\n"
        )));
    }
}
