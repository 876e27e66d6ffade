//! Files of the repository that are made from the code. Test code only.

use std::path::Path;

/// Asserts that `file`, a path in the repository, holds `text`. With the variable `BLESS` set, writes it first.
pub(crate) fn holds(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "{file} is not what the code makes: BLESS=1 cargo test --lib rewrites it"
    );
}
