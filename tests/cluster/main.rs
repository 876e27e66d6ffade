//! The plugin against the real control plane: everything that crosses the wire.
//!
//! One binary, so that the sandbox is started once. A command's tests are in the file of its name.

mod backup;
mod capture;
mod check_access;
mod completion;
mod connection;
mod contexts;
mod databases;
mod delete_db;
mod describe;
mod dialect;
mod doctor;
mod example;
mod follow;
mod harness;
#[path = "../support/json_schema.rs"]
mod json_schema;
mod krew;
mod list;
mod matrix;
mod notes;
mod offboard;
mod onboard;
mod rbac;
mod reads;
mod retry;
#[path = "../support/same_yaml.rs"]
mod same_yaml;
mod saved;
mod status;
mod story;
mod suspension;
mod terminal;
mod troubleshoot;
