//! placeholder
pub mod couchdb;
