//! A list read page by page, the next page asked for while the last one is being used.
//!
//! Owns `limit`, `continue` and what to do when a token is too old.

use super::{ClusterError, transport::Transport};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use std::marker::PhantomData;
use tokio::task::JoinHandle;

/// Objects in a page, as kubectl asks for them.
const LIMIT: usize = 500;

/// One page of a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub struct List<T> {
    #[serde(default)]
    pub metadata: ListMeta,
    /// The API server writes an empty list of metadata as null.
    #[serde(default = "Vec::new", deserialize_with = "null_is_empty")]
    pub items: Vec<T>,
}

fn null_is_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}

/// `.metadata` of a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMeta {
    pub resource_version: String,
    #[serde(rename = "continue")]
    pub continue_token: String,
}

/// A whole list.
#[derive(Debug)]
pub struct All<T> {
    pub items: Vec<T>,
    /// The first page's moment: a watch from there misses nothing.
    pub resource_version: String,
    /// True when the end came from a later moment than the beginning: it is no snapshot.
    pub inconsistent: bool,
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

    /// All items of all pages that are still to come, where the caller needs them together.
    ///
    /// # Errors
    /// As [`Pages::next`].
    pub async fn all(mut self) -> Result<All<T>, ClusterError> {
        let mut all: Option<All<T>> = None;
        while let Some(page) = self.next().await? {
            match &mut all {
                Some(all) => all.items.extend(page.items),
                None => {
                    all = Some(All {
                        items: page.items,
                        resource_version: page.metadata.resource_version,
                        inconsistent: false,
                    });
                }
            }
        }
        let mut all = all.unwrap_or_else(|| All {
            items: Vec::new(),
            resource_version: String::new(),
            inconsistent: false,
        });
        all.inconsistent = self.inconsistent;
        Ok(all)
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

#[cfg(test)]
mod tests {
    use super::*;
    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::{Value, json};

    /// Answers each request in turn and returns the queries that were asked.
    async fn served(
        answers: Vec<(u16, Value)>,
    ) -> (Vec<String>, Result<Vec<Value>, ClusterError>, bool) {
        let (service, mut handle) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
        let client = kube::Client::new(service, "default");
        let transport = Transport::new(client, "https://test/".into(), None, 0);
        let server = tokio::spawn(async move {
            let mut asked = Vec::new();
            for (code, body) in answers {
                let (request, send) = handle.next_request().await.expect("a request is sent");
                asked.push(request.uri().query().unwrap_or_default().to_owned());
                let body = Body::from(serde_json::to_vec(&body).unwrap());
                send.send_response(Response::builder().status(code).body(body).unwrap());
            }
            asked
        });
        let mut pages: Pages<Value> = Pages::new(transport, "/apis/x?labelSelector=a".into());
        let mut items = Vec::new();
        let outcome = loop {
            match pages.next().await {
                Ok(Some(page)) => items.extend(page.items),
                Ok(None) => break Ok(items),
                Err(error) => break Err(error),
            }
        };
        (server.await.unwrap(), outcome, pages.is_inconsistent())
    }

    fn page(items: &[i32], token: &str) -> (u16, Value) {
        (
            200,
            json!({"metadata": {"continue": token}, "items": items}),
        )
    }

    #[tokio::test]
    async fn pages_follow_the_token() {
        let (asked, items, inconsistent) =
            served(vec![page(&[1, 2], "a/b="), page(&[3], "")]).await;
        assert_eq!(
            asked,
            [
                "labelSelector=a&limit=500",
                "labelSelector=a&limit=500&continue=a%2Fb%3D"
            ]
        );
        assert_eq!(items.unwrap(), [json!(1), json!(2), json!(3)]);
        assert!(!inconsistent);
    }

    #[tokio::test]
    async fn a_token_too_old_is_replaced_by_the_servers_new_one() {
        let expired = json!({"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old",
            "metadata": {"continue": "new"}});
        let (asked, items, inconsistent) =
            served(vec![page(&[1], "old"), (410, expired), page(&[2], "")]).await;
        assert_eq!(asked[2], "labelSelector=a&limit=500&continue=new");
        assert_eq!(items.unwrap(), [json!(1), json!(2)]);
        assert!(inconsistent);
    }

    #[tokio::test]
    async fn without_a_new_token_the_error_is_told() {
        let expired = json!({"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old"});
        let (_, outcome, _) = served(vec![page(&[1], "old"), (410, expired)]).await;
        assert_eq!(outcome.unwrap_err().api_code(), Some(410));
    }

    #[test]
    fn an_empty_list_may_be_null() {
        let list: List<serde_json::Value> =
            serde_json::from_str(r#"{"metadata":{"resourceVersion":"1"},"items":null}"#).unwrap();
        assert!(list.items.is_empty());
    }
}
