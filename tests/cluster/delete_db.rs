//! `delete-db` against CouchDB's front, behind real pods and real execs.

mod act;
mod elsewhere;
mod faults;
mod outcomes;
mod refusals;
mod several;
mod stage;
mod terminal;
