//! What was asked of the front: method, path, whether with the admin's credentials, status. Never a body or a header.

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    /// As sent: still encoded, with its query.
    pub path: String,
    /// Whether it carried the admin's credentials.
    pub authorised: bool,
    /// None while it is not answered, or when it was hung or dropped.
    pub status: Option<u16>,
}

impl Seen {
    /// The path without its query.
    pub fn bare_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }
}
