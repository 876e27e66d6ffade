//! The deletion of an onboarding's database: the only act of this plugin that changes anything.
//!
//! One way, no way back: [`read`] (facts) → [`plan`] (facts to a plan, or refusals) → [`confirm`] (the plan that was shown, to
//! [`confirm::Confirmed`]) → [`execute`] (last look, one DELETE) → [`sent`] (what is known of it) → `read_back` → [`outcome`]. Only [`execute`] sends a DELETE, and it takes
//! nothing but a `Confirmed`. What claims a database is judged in [`claims`].

pub mod card;
pub mod claims;
pub mod confirm;
pub mod execute;
pub mod outcome;
pub mod plan;
pub mod read;
mod read_back;
pub mod refusal;
pub mod sent;
