//! A part that was not read, in words.

use crate::text::one_line;
use serde::Serialize;

// `snapshot::Unread` also has the kind of the reason, for the checks; `NotRun` and `NotChecked` name the checks that miss the part.
/// A part that was not read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NotRead {
    pub what: String,
    pub why: String,
}

impl NotRead {
    /// Text of clusters and files is cleaned.
    pub fn new(what: impl AsRef<str>, why: impl AsRef<str>) -> Self {
        Self {
            what: one_line(what.as_ref()),
            why: one_line(why.as_ref()),
        }
    }
}
