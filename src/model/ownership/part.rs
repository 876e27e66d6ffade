//! A part of what can claim, and what of it was not read.

use crate::model::not_read::NotRead;

/// A part: what was read of it, and why that may not be all. What was read claims; only a whole part can say that nothing does.
#[derive(Clone, Debug)]
pub struct Part<T> {
    pub(super) known: Option<T>,
    pub(super) unread: Option<NotRead>,
}

impl<T> Part<T> {
    /// All of it.
    pub fn whole(known: T) -> Self {
        Self {
            known: Some(known),
            unread: None,
        }
    }

    /// Nothing of it.
    pub fn unread(unread: NotRead) -> Self {
        Self {
            known: None,
            unread: Some(unread),
        }
    }

    /// Some of it.
    pub fn some(known: T, unread: NotRead) -> Self {
        Self {
            known: Some(known),
            unread: Some(unread),
        }
    }

    /// The same, with something else that was not read.
    #[cfg(test)]
    pub fn lacking(self, unread: NotRead) -> Self {
        Self {
            unread: Some(unread),
            ..self
        }
    }
}
