//! Flags that several commands share, and what follows from them.

pub(crate) mod cluster_folder;
pub(crate) mod contexts;
pub mod couchdb_pods;
pub(crate) mod format;
pub(crate) mod gate;
pub(crate) mod saved;

use crate::model::lookup::can_be_an_object;

/// Reads a service account's name.
pub(crate) fn service_account(text: &str) -> std::result::Result<String, &'static str> {
    match can_be_an_object(text) {
        true => Ok(text.to_owned()),
        false => Err("not the name of a service account: lower-case letters, digits, - and ."),
    }
}
