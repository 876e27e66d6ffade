//! The words of an error's causes: of the one at the root, or of all in a row.
//!
//! Replaces rustls' words where they hide the case from most readers.

use crate::error::io_words;

/// Said when the answer to the handshake is not TLS at all.
pub(super) const NO_TLS: &str = "the server does not speak TLS on this port";

/// Said of a certificate that cannot be checked: rustls on ring has no P-521.
pub(super) const UNKNOWN_SIGNATURE: &str = "the server's certificate is signed in a way that this program cannot check, such as P-521; kubectl may";

/// Returns rustls' words, or ours for the cases that they hide.
pub(super) fn tls_words(rustls: &str) -> String {
    if rustls.contains("corrupt message") {
        NO_TLS.to_owned()
    } else if rustls.contains("UnsupportedSignatureAlgorithm") {
        // The library names neither by its name.
        UNKNOWN_SIGNATURE.to_owned()
    } else {
        rustls.to_owned()
    }
}

/// The cause of an error. An `io::Error` that wraps another names the inner one's source as its own.
pub(super) fn inner<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a (dyn std::error::Error + 'static)> {
    let io = error.downcast_ref::<std::io::Error>();
    match io.map(std::io::Error::get_ref) {
        Some(Some(inner)) => Some(inner),
        _ => error.source(),
    }
}

/// The words of the error at the root.
pub(super) fn root_words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut root = error;
    while let Some(inner) = inner(root) {
        root = inner;
    }
    tls_words(&words(root))
}

/// An error's own words, the system's without their number.
pub(super) fn words(error: &(dyn std::error::Error + 'static)) -> String {
    match error.downcast_ref::<std::io::Error>() {
        Some(io) if io.get_ref().is_none() => io_words(io),
        _ => error.to_string(),
    }
}

/// The words of an error and of all its causes, each once.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        let next = e.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = e.source();
    }
    text
}
