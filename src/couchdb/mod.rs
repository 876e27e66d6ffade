//! CouchDB, asked from inside one of its own pods.
//!
//! Owns which pod and container that is ([`pods`]), the script that runs there ([`script`]) or stays open ([`session`]), its answers ([`response`]), whether a database exists ([`existence`]), and the
//! only act of this plugin that changes anything ([`delete`]). A container's own
//! credentials never leave it ([`credentials`]).

pub mod backup;
pub mod credentials;
pub mod delete;
pub mod existence;
pub mod figures;
pub mod look;
pub mod pods;
pub mod request;
pub mod response;
pub mod script;
pub mod session;
pub mod survey;
pub mod transport;
mod trouble;

use crate::cluster::exec::Place;
use credentials::Credentials;
use std::fmt;

/// The container that is asked, as the evidence found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub namespace: String,
    pub pod: String,
    /// UID of the pod: a pod of a StatefulSet comes back under the same name.
    pub uid: String,
    pub container: String,
    /// Port of CouchDB on the pod's loopback.
    pub port: u16,
    pub credentials: Credentials,
}

impl Target {
    /// Everything that says which CouchDB it is.
    pub fn address(&self) -> String {
        format!(
            "{}/{} (container {}, port {})",
            self.namespace, self.pod, self.container, self.port
        )
    }

    /// Where a command runs.
    pub(crate) fn place(&self) -> Place<'_> {
        Place {
            namespace: &self.namespace,
            pod: &self.pod,
            container: &self.container,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{} (container {})",
            self.namespace, self.pod, self.container
        )
    }
}

#[cfg(test)]
impl Target {
    /// A target for tests.
    pub(crate) fn example(port: u16) -> Self {
        Self {
            namespace: "secure-kvs".into(),
            pod: "db-0".into(),
            uid: "u".into(),
            container: "couchdb".into(),
            port,
            credentials: Credentials::Container,
        }
    }
}
