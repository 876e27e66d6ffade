//! Values of one Secret: read past every recorder, and wiped when they are dropped.
//!
//! For credentials that a user asked to be taken from a Secret. The request log tells the Secret and a size. What TLS and HTTP kept of the
//! answer on its way is not in this program's hands.

use super::{Cluster, ClusterError, answer, segment};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use std::collections::BTreeMap;
use zeroize::{Zeroize, Zeroizing};

/// What was read of a Secret.
#[derive(Debug)]
pub struct SecretValues {
    /// The value of each key that was asked for, in that order; `None` where the Secret has not the key.
    pub values: Vec<Option<Value>>,
    /// All keys that the Secret has.
    pub keys: Vec<String>,
}

/// A value; no `Debug` text shows it.
pub struct Value(Zeroizing<Vec<u8>>);

impl Value {
    /// The value as text.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Value(..)")
    }
}

impl Cluster {
    /// Reads these keys of a Secret.
    ///
    /// # Errors
    /// What the API server or the connection said.
    pub async fn secret_values(
        &self,
        namespace: &str,
        name: &str,
        keys: &[&str],
    ) -> Result<SecretValues, ClusterError> {
        let path = format!(
            "/api/v1/namespaces/{}/secrets/{}",
            segment(namespace),
            segment(name)
        );
        let body = self.transport.get_unrecorded(&path).await?;
        let values = match answer::check_object(&path, &body) {
            Err(fault) => Err(self.transport.fault(fault)),
            // The parser's own words would show the text that it failed at.
            Ok(()) => decode(&body, keys)
                .ok_or_else(|| ClusterError::Malformed(format!("it is not a Secret: {path}"))),
        };
        wipe(body);
        values
    }
}

#[derive(Deserialize)]
struct Secret<'a> {
    // Base64 needs no escapes, so that nothing is copied here.
    #[serde(borrow)]
    data: Option<BTreeMap<&'a str, &'a str>>,
}

fn decode(body: &[u8], keys: &[&str]) -> Option<SecretValues> {
    let secret: Secret<'_> = serde_json::from_slice(body).ok()?;
    let data = secret.data.unwrap_or_default();
    let mut values = Vec::new();
    for key in keys {
        let value = match data.get(key) {
            None => None,
            Some(encoded) => {
                // Room for all of it, so that no shorter copy is left behind when it grows.
                let mut plain = Zeroizing::new(Vec::with_capacity(encoded.len()));
                STANDARD.decode_vec(encoded, &mut plain).ok()?;
                Some(Value(plain))
            }
        };
        values.push(value);
    }
    let keys = data.keys().map(|k| (*k).to_owned()).collect();
    Some(SecretValues { values, keys })
}

/// Overwrites the answer, where nobody else holds it.
fn wipe(body: Bytes) {
    if let Ok(mut body) = body.try_into_mut() {
        body.as_mut().zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_there_are_read_and_no_debug_text_shows_them() {
        let body = br#"{"kind":"Secret","metadata":{"name":"a\"b"},"data":{"user":"YWRtaW4=","raw":"/w=="}}"#;
        let read = decode(body, &["user", "password", "raw"]).unwrap();
        assert_eq!(read.values[0].as_ref().and_then(Value::text), Some("admin"));
        assert!(read.values[1].is_none());
        assert_eq!(read.values[2].as_ref().unwrap().text(), None);
        assert_eq!(read.keys, ["raw", "user"]);
        assert!(!format!("{read:?}").contains("admin"));
    }

    #[test]
    fn what_is_no_secret_is_not_read() {
        for body in [
            &b"{"[..],
            b"[]",
            br#"{"data":{"user":"***"}}"#,
            br#"{"data":{"user":7}}"#,
        ] {
            assert!(decode(body, &["user"]).is_none());
        }
    }
}
