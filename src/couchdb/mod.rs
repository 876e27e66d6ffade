//! CouchDB, asked from inside one of its own pods.
//!
//! Owns which pod and container that is ([`pods`]), the one script that runs there ([`script`]), its answers ([`response`]), and the
//! only act of this plugin that changes anything ([`delete`]). Credentials never leave the pod.

pub mod delete;
pub mod look;
pub mod pods;
pub mod request;
pub mod response;
pub mod script;
pub mod transport;

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
