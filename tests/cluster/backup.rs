//! `backup`, `restore` and `delete-db --backup` against CouchDB's front, behind real pods and real execs.

mod attached;
mod broken;
mod couch;
mod deletion;
mod large;
mod refusals;
mod round_trip;
