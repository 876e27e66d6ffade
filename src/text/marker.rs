//! Markers in the texts of a bundle, in place of text that is not in it.

/// Replaces a credential within a text.
pub const SCRUBBED: &str = "<scrubbed>";

/// Replaces a value. Words can follow it: names of databases that the value mentions.
pub const LEFT_OUT: &str = "<left out>";

/// Whether part of the text is missing: two texts that differ can look the same, so it must not be compared or read as a name.
pub fn is_marked(text: &str) -> bool {
    text.contains(SCRUBBED) || text.contains(LEFT_OUT)
}
