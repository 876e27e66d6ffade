//! Flags that several commands share, and what follows from them.

pub mod couchdb_pods;
pub(crate) mod format;
pub(crate) mod gate;
pub(crate) mod saved;
