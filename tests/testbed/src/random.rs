//! Random names and tokens.

use std::fmt::Write as _;

use ring::rand::{SecureRandom as _, SystemRandom};

/// `bytes` random bytes in hexadecimal.
pub(crate) fn hex(bytes: usize) -> String {
    let mut raw = vec![0; bytes];
    SystemRandom::new()
        .fill(&mut raw)
        .expect("the system gives random bytes");
    encode(&raw)
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_every_byte_in_two_digits() {
        assert_eq!(encode(&[0, 15, 255]), "000fff");
        assert_eq!(hex(8).len(), 16);
        assert_ne!(hex(8), hex(8));
    }
}
