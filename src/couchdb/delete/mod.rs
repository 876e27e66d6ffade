//! The deletion of an onboarding's database: the only act of this plugin that destroys anything.
//!
//! One way, no way back: [`read`] ([`facts`]) → [`plan`] (facts to a plan, or refusals) → [`plan::Cleared`] (each [`risk`] taken on, the
//! [`token`] of the reviewed plan compared) → [`confirm`] (the plan that was shown, to [`confirm::Confirmed`]) → [`execute`] (last look,
//! one DELETE) → [`sent`] (what is known of it) → `read_back` → [`outcome`]. Only [`execute`] sends a DELETE, and it takes nothing but
//! a `Confirmed`. Whose a database is, is judged in [`crate::model::ownership`], what else is at work on it is in [`work`], whether
//! its copies are level in [`catch_up`].

pub mod catch_up;
pub mod confirm;
pub mod execute;
pub mod facts;
pub mod outcome;
pub mod past;
pub mod plan;
pub mod read;
mod read_back;
pub mod refusal;
pub mod risk;
pub mod sent;
pub mod token;
pub mod work;
