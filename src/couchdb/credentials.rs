//! Whose credentials a script in a pod uses: the container's own, or those that a Secret gave.
//!
//! The container's own never leave it: the script reads them from its environment. Those of a Secret are held here in memory that is
//! wiped, and go to the script's stdin as its first line; they are no part of a command, a log, an error or a `Debug` text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Where the credentials are.
#[derive(Clone, Default)]
pub enum Credentials {
    /// In the container's environment: `COUCHDB_USER` and `COUCHDB_PASSWORD`.
    #[default]
    Container,
    /// Here: the line that the script reads.
    Given(Arc<Zeroizing<String>>),
}

impl Credentials {
    /// Those of a Secret.
    pub fn given(user: &str, password: &str) -> Self {
        let plain = Zeroizing::new(format!("{user}:{password}"));
        // Room for all of it, so that no shorter copy is left behind when it grows.
        let mut line = Zeroizing::new(String::with_capacity(plain.len() * 2 + 8));
        STANDARD.encode_string(plain.as_bytes(), &mut line);
        line.push('\n');
        Self::Given(Arc::new(line))
    }

    /// Whose they are, for a sentence.
    pub fn whose(&self) -> &'static str {
        match self {
            Self::Container => "the container's own credentials",
            Self::Given(_) => "the Secret's credentials",
        }
    }

    /// The script's word for it.
    pub(super) fn source(&self) -> &'static str {
        match self {
            Self::Container => "env",
            Self::Given(_) => "stdin",
        }
    }

    /// What the script reads first.
    pub(super) fn first_line(&self) -> &[u8] {
        match self {
            Self::Container => b"",
            Self::Given(line) => line.as_bytes(),
        }
    }
}

/// Two are the same when they are read the same way: the values are not compared.
impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for Credentials {}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.source())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secrets_words_are_one_line_and_in_no_debug_text() {
        let given = Credentials::given("admin", "p\"a:ss\nword");
        assert_eq!(given.first_line(), b"YWRtaW46cCJhOnNzCndvcmQ=\n");
        assert_eq!(format!("{given:?}"), "stdin");
        assert_eq!(Credentials::default().first_line(), b"");
        assert_eq!(Credentials::default().source(), "env");
    }
}
