//! A question before something is changed: the card that shows what will happen, and the confirmation.

pub(crate) mod card;
pub(crate) mod confirmation;
