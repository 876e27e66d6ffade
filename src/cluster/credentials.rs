//! How a request says who asks: by a token, a password, or what a credential plugin gives.
//!
//! Owns the `Authorization` header; kube makes it for an auth-provider alone. A value that is not fit for a header is an error with a
//! name. No error here holds a credential.

mod plugin;

use super::tls::Identity;
use crate::error::io_words;
use crate::text::line;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use kube::config::AuthInfo;
use plugin::Plugin;
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long a token that was read from a file is used before it is read again, as in client-go.
const FRESH: Duration = Duration::from_secs(60);

/// Why there are no credentials, and what the user can do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct CredentialsError {
    why: String,
    pub(super) hints: Vec<String>,
}

impl CredentialsError {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            hints: Vec::new(),
        }
    }
}

/// What the `Authorization` header is made of.
#[derive(Clone)]
pub(super) enum Credentials {
    /// There is none, or kube makes it.
    None,
    Fixed(HeaderValue),
    File(Arc<Mutex<TokenFile>>),
    Plugin(Arc<Mutex<Plugin>>),
}

/// A token in a file that something else keeps up to date.
pub(super) struct TokenFile {
    path: String,
    header: HeaderValue,
    read: Instant,
}

impl Credentials {
    /// Takes all that makes the header out of `user`. A credential plugin is run, for `limit` at most; it may give a client certificate.
    ///
    /// # Errors
    /// A token that cannot be read or sent, a plugin that gives none.
    pub(super) async fn take(
        user: &mut AuthInfo,
        limit: Option<Duration>,
    ) -> Result<(Self, Option<Identity>), CredentialsError> {
        let given = |text: &Option<String>| text.as_deref().is_some_and(|t| !t.is_empty());
        let (token, file) = (user.token.take(), user.token_file.take());
        let (name, password) = (user.username.take(), user.password.take());
        let exec = user.exec.take();
        let token = token.as_ref().map(|t| t.expose_secret().trim());
        let token = token.filter(|t| !t.is_empty());
        let password = password.as_ref().map_or("", |p| p.expose_secret());
        // client-go's order. The file's token wins; the other one is used while the file cannot be read.
        let credentials = if let Some(path) = file.filter(|f| !f.is_empty()) {
            Self::File(Arc::new(Mutex::new(TokenFile::new(path, token)?)))
        } else if let Some(token) = token {
            Self::Fixed(bearer(token, "the token")?)
        } else if given(&name) || !password.is_empty() {
            let both = format!("{}:{password}", name.unwrap_or_default());
            Self::Fixed(header(
                &format!("Basic {}", STANDARD.encode(both)),
                "the user",
            )?)
        } else if let Some(exec) = exec
            && !given(&user.client_certificate)
            && !given(&user.client_certificate_data)
        {
            let (plugin, identity) = Plugin::run(exec, limit).await?;
            return Ok((Self::Plugin(Arc::new(Mutex::new(plugin))), identity));
        } else {
            return Ok((Self::None, None));
        };
        user.auth_provider = None;
        Ok((credentials, None))
    }

    /// The header's value now; `None` where it is not ours to make.
    ///
    /// # Errors
    /// A plugin that gives no new token when the last one has expired.
    pub(super) async fn header(&self) -> Result<Option<HeaderValue>, CredentialsError> {
        match self {
            Self::None => Ok(None),
            Self::Fixed(value) => Ok(Some(value.clone())),
            Self::File(file) => Ok(Some(file.lock().await.header())),
            Self::Plugin(plugin) => plugin.lock().await.header().await,
        }
    }

    /// The header's value after the server refused `used`: a plugin is asked again, unless another request has already done so. `None`
    /// if these credentials cannot be renewed.
    pub(super) async fn renewed(&self, used: &HeaderValue) -> Option<HeaderValue> {
        let Self::Plugin(plugin) = self else {
            return None;
        };
        let renewed = plugin.lock().await.renewed(used).await;
        renewed.filter(|value| value != used)
    }
}

impl TokenFile {
    fn new(path: String, instead: Option<&str>) -> Result<Self, CredentialsError> {
        let header = match (token_in(&path), instead) {
            (Err(_), Some(token)) => bearer(token, "the token"),
            (read, _) => read,
        };
        Ok(Self {
            header: header?,
            path,
            read: Instant::now(),
        })
    }

    fn header(&mut self) -> HeaderValue {
        if self.read.elapsed() >= FRESH {
            self.read = Instant::now();
            // A file that is gone or torn for a moment leaves the last token.
            if let Ok(header) = token_in(&self.path) {
                self.header = header;
            }
        }
        self.header.clone()
    }
}

fn token_in(path: &str) -> Result<HeaderValue, CredentialsError> {
    let what = format!("token file {}", line(path));
    let text = std::fs::read_to_string(path)
        .map_err(|e| CredentialsError::new(format!("{what}: {}", io_words(&e))))?;
    if text.trim().is_empty() {
        return Err(CredentialsError::new(format!("{what}: it is empty")));
    }
    bearer(&text, &what)
}

/// `token` may end with the line end of the file or command that it came from.
fn bearer(token: &str, what: &str) -> Result<HeaderValue, CredentialsError> {
    header(&format!("Bearer {}", token.trim()), what)
}

fn header(value: &str, what: &str) -> Result<HeaderValue, CredentialsError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        CredentialsError::new(format!(
            "{what} contains a line break or a control character, which a token never has"
        ))
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
