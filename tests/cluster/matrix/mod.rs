//! The proof of the diagnosis: real Flux, Helm, scheduler and node are led into each failure of `cases/`, and the report must
//! name exactly the causes that the case expects. `healthy/` holds onboardings of which nothing may be said.
//!
//! A sandbox of its own, since other tests count what the shared one holds. What the cases expect is also what docs/precision.md
//! tells; `src/diagnosis/precision.rs` writes it.

mod case;
mod commands;
mod follow;
mod forbidden;
mod healthy;
mod report;
mod repositories;
mod stage;
mod steps;
mod together;
