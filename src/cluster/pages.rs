//! A list read page by page, the next page asked for while the last one is being used.
//!
//! Owns `limit`, `continue` and what to do when a token is too old.

use super::{ClusterError, transport::Transport};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use tokio::task::JoinHandle;

/// Objects in a page, as kubectl asks for them.
const LIMIT: usize = 500;

/// One page of a list.
#[derive(Clone, Debug, Deserialize)]
pub struct List<T> {
    #[serde(default)]
    pub metadata: ListMeta,
    #[serde(default = "Vec::new")]
    pub items: Vec<T>,
}

/// `.metadata` of a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMeta {
    pub resource_version: String,
    #[serde(rename = "continue")]
    pub continue_token: String,
}

/// The pages of one list.
pub struct Pages<T> {
    transport: Transport,
    path: String,
    first: bool,
    ahead: Option<JoinHandle<Result<bytes::Bytes, ClusterError>>>,
    inconsistent: bool,
    item: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Pages<T> {
    pub(super) fn new(transport: Transport, path: String) -> Self {
        Self {
            transport,
            path,
            first: true,
            ahead: None,
            inconsistent: false,
            item: PhantomData,
        }
    }

    /// True once a token was too old and the rest came from a later state of the cluster: the list is no snapshot.
    pub fn is_inconsistent(&self) -> bool {
        self.inconsistent
    }

    /// The next page; `None` after the last one.
    ///
    /// # Errors
    /// What the API server or the connection said. After an error there is no further page.
    pub async fn next(&mut self) -> Result<Option<List<T>>, ClusterError> {
        let body = if self.first {
            self.first = false;
            self.transport.get_bytes(&self.page_path("")).await
        } else {
            match self.ahead.take() {
                None => return Ok(None),
                Some(task) => task.await.map_err(|e| ClusterError::Other(e.to_string()))?,
            }
        };
        let body = match body {
            Ok(body) => body,
            Err(error) => self.after_expiry(error).await?,
        };
        let page: List<T> =
            serde_json::from_slice(&body).map_err(|e| ClusterError::Malformed(e.to_string()))?;
        drop(body);
        if !page.metadata.continue_token.is_empty() {
            let transport = self.transport.clone();
            let path = self.page_path(&page.metadata.continue_token);
            self.ahead = Some(tokio::spawn(
                async move { transport.get_bytes(&path).await },
            ));
            // Lets the request leave before the caller works on this page.
            tokio::task::yield_now().await;
        }
        Ok(Some(page))
    }

    /// All items of all pages, where the caller needs them together.
    ///
    /// # Errors
    /// As [`Pages::next`].
    pub async fn all(mut self) -> Result<Vec<T>, ClusterError> {
        let mut items = Vec::new();
        while let Some(page) = self.next().await? {
            items.extend(page.items);
        }
        Ok(items)
    }

    /// A token that is too old (410) comes with one that goes on from the same place in a later state.
    async fn after_expiry(&mut self, error: ClusterError) -> Result<bytes::Bytes, ClusterError> {
        let token = match &error {
            ClusterError::Api(status) if status.code == 410 => status
                .metadata
                .as_ref()
                .and_then(|m| m.continue_.clone())
                .filter(|t| !t.is_empty()),
            _ => None,
        };
        let Some(token) = token else {
            return Err(error);
        };
        self.inconsistent = true;
        self.transport.get_bytes(&self.page_path(&token)).await
    }

    fn page_path(&self, token: &str) -> String {
        let join = if self.path.contains('?') { '&' } else { '?' };
        let mut path = format!("{}{join}limit={LIMIT}", self.path);
        if !token.is_empty() {
            path.push_str("&continue=");
            path.push_str(&super::segment(token));
        }
        path
    }
}

impl<T> Drop for Pages<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.ahead {
            task.abort();
        }
    }
}
