//! A part of what can claim, and what of it was not read.

/// A part that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// `Helm's Secrets of all namespaces`.
    pub what: String,
    pub why: String,
}

/// A part: what was read of it, and why that may not be all. What was read claims; only a whole part can say that nothing does.
#[derive(Clone, Debug)]
pub struct Part<T> {
    pub(super) known: Option<T>,
    pub(super) unread: Option<Unread>,
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
    pub fn unread(unread: Unread) -> Self {
        Self {
            known: None,
            unread: Some(unread),
        }
    }

    /// Some of it.
    pub fn some(known: T, unread: Unread) -> Self {
        Self {
            known: Some(known),
            unread: Some(unread),
        }
    }
}
