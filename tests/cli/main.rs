//! Hermetic runs of the binary: what it prints and how it ends, without a cluster.
//!
//! Where an API server's answer is needed, a loopback listener gives that one answer and is named by it (see [`server`]);
//! what a whole API server does is tested in `tests/cluster`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails there"
)]

mod access;
mod answers;
mod changes;
mod check_access;
mod claims;
mod color;
mod completion;
mod config;
mod connection;
mod contexts;
mod conventions;
mod credentials;
mod databases;
mod demo;
mod doctor;
mod documents;
mod example;
mod help;
mod hostile;
mod html;
mod layers;
mod links;
mod lint;
mod list;
mod markdown;
mod offboard;
mod onboard;
mod opened;
mod output;
mod parsed;
mod picture;
mod proxies;
mod reading;
mod release;
mod reports;
mod retry;
mod rights;
mod run;
mod saved;
mod server;
mod sources;
mod suspension;
mod tour;
mod troubleshoot;
mod unreadable;
mod unseen;
mod usage;
mod version;
