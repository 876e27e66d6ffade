//! JSON's null, as Go's decoders read it.

use serde::{Deserialize, Deserializer};

/// Reads a field; null is its default.
///
/// # Errors
/// The value has another type.
pub fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
