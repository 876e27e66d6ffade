//! `delete-db` against CouchDB's front, behind real pods and real execs.

mod act;
mod credentials;
mod elsewhere;
mod faults;
mod kill;
mod outcomes;
mod ownership;
mod plan;
mod recorded;
mod refusals;
mod secret;
pub(crate) mod stage;
mod targets;
mod terminal;
mod trace;
