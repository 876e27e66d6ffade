//! How things are printed: kubectl's formats, and the text of the reports that have one of their own.
//!
//! Every function here is synchronous and deterministic, takes plain text or a JSON value and
//! writes to an [`std::io::Write`]. No module below may import the cluster's client, read the
//! environment or look at a terminal: what it needs to know (the time, a width) is an argument.

pub mod access_check;
pub mod card;
#[cfg(test)]
mod corpus;
pub mod custom_columns;
pub mod deletion_card;
pub mod description;
pub mod docs;
pub mod doctor;
pub mod github;
mod go_format;
pub mod html;
pub mod json;
pub mod jsonpath;
pub mod lint;
pub mod markdown;
pub mod name;
pub(crate) mod objects;
pub mod offboarding;
pub mod output;
pub mod progress;
pub mod report;
mod row;
pub mod sarif;
pub mod share;
pub mod sheet;
pub mod sort;
pub mod status;
pub mod table;
#[cfg(test)]
mod untrusted;
pub use crate::text::yaml;

/// An expression or format that cannot be used, in kubectl's words where it has them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

impl Error {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Why a printer stopped: the value does not fit the expression, or the output is closed.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    #[error(transparent)]
    Render(#[from] Error),
    #[error(transparent)]
    Output(#[from] std::io::Error),
}
