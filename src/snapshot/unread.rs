//! A part that was asked for and was not read: the reason why a judgement is not possible.

use super::{Listing, Read, Why};

/// A part that is not known, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The part in words, as in "not run: the chart (…)".
    pub what: String,
    pub why: Why,
}

impl Unread {
    pub fn new(what: impl Into<String>, why: Why) -> Self {
        Self {
            what: what.into(),
            why,
        }
    }

    /// Nothing that was read gave a reason to look: no judgement is missing.
    pub fn is_not_needed(&self) -> bool {
        matches!(self.why, Why::NotNeeded(_))
    }
}

/// A value that depends on parts that may not have been read.
pub type Checked<T> = Result<T, Unread>;

/// Judging without a part.
pub trait IfRead<T> {
    /// What was read; nothing both where the part is absent and where it is not known. For what only adds to a finding or
    /// suggests a fix, never for whether there is one.
    fn if_read(self) -> Option<T>;
}

impl<T> IfRead<T> for Checked<Option<T>> {
    fn if_read(self) -> Option<T> {
        self.ok().flatten()
    }
}

impl<T> Read<T> {
    /// As [`IfRead::if_read`].
    pub fn if_read(&self) -> Option<&T> {
        match self {
            Read::Seen(value) => Some(value),
            Read::Absent | Read::Unknown(_) => None,
        }
    }

    /// The value, or `None` where it is seen to be absent.
    ///
    /// # Errors
    /// The part was not read; `what` names it.
    pub fn checked(&self, what: &str) -> Checked<Option<&T>> {
        match self {
            Read::Seen(value) => Ok(Some(value)),
            Read::Absent => Ok(None),
            Read::Unknown(why) => Err(Unread::new(what, why.clone())),
        }
    }
}

/// A part of a part. What was read of it cannot be matched on: it is opened by name, or by [`Part::if_read`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<T>(Read<T>);

impl<T> Part<T> {
    /// As [`Read::checked`].
    ///
    /// # Errors
    /// It was not read; `what` names it.
    pub fn checked(&self, what: &str) -> Checked<Option<&T>> {
        self.0.checked(what)
    }

    /// As [`IfRead::if_read`].
    pub fn if_read(&self) -> Option<&T> {
        self.0.if_read()
    }
}

impl<T> From<Read<T>> for Part<T> {
    fn from(read: Read<T>) -> Self {
        Self(read)
    }
}

/// Tests change parts where they are.
#[cfg(test)]
impl<T> std::ops::Deref for Part<T> {
    type Target = Read<T>;

    fn deref(&self) -> &Read<T> {
        &self.0
    }
}

#[cfg(test)]
impl<T> std::ops::DerefMut for Part<T> {
    fn deref_mut(&mut self) -> &mut Read<T> {
        &mut self.0
    }
}

/// Why a list, or some of it, is not known; `None` where all of it was read, or it is absent.
pub fn why_not_all<T>(list: Checked<Option<&Listing<T>>>) -> Option<Why> {
    match list {
        Ok(list) => list.and_then(Listing::not_all).cloned(),
        Err(unread) => Some(unread.why),
    }
}

/// To be shown with its reason: nothing is lost.
impl<T> From<Checked<Option<T>>> for Read<T> {
    fn from(part: Checked<Option<T>>) -> Self {
        match part {
            Ok(Some(value)) => Read::Seen(value),
            Ok(None) => Read::Absent,
            Err(unread) => Read::Unknown(unread.why),
        }
    }
}
