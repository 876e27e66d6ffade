//! Requests of the harness itself to an API server, through kube's client, for callers that are not async.

use std::{path::Path, thread, time::Duration};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::Request;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::Value;

use crate::error::{Error, Result};

const PATIENCE: Duration = Duration::from_secs(10);

/// Requests under way at once in `create_many`.
const WIDTH: usize = 48;

/// Runs what `future` makes to its end on a thread of its own, so that it works inside an async test too.
fn block_on<T: Send, F: Future<Output = T>>(future: impl FnOnce() -> F + Send) -> T {
    thread::scope(|scope| {
        scope
            .spawn(|| {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime needs only an epoll handle")
                    .block_on(future())
            })
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

async fn client(kubeconfig: &Path) -> Result<Client> {
    let refused = |error: &dyn std::fmt::Display| Error::Api {
        what: format!("read {}", kubeconfig.display()),
        reason: error.to_string(),
    };
    let file = Kubeconfig::read_from(kubeconfig).map_err(|error| refused(&error))?;
    let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .map_err(|error| refused(&error))?;
    config.connect_timeout = Some(PATIENCE);
    config.read_timeout = Some(PATIENCE);
    // A proxy of this machine's environment does not reach its loopback.
    config.proxy_url = None;
    Client::try_from(config).map_err(|error| refused(&error))
}

fn request(method: &str, path: &str, body: Vec<u8>) -> Result<Request<Vec<u8>>> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("Content-Type", "application/json")
        .body(body)
        .map_err(|error| Error::Api {
            what: format!("{method} {path}"),
            reason: error.to_string(),
        })
}

async fn send(client: &Client, method: &str, path: &str, body: &Value) -> Result<Value> {
    let bytes = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    client
        .request::<Value>(request(method, path, bytes)?)
        .await
        .map_err(|error| Error::Api {
            what: format!("{method} {path}"),
            reason: error.to_string(),
        })
}

/// Whether a server's health path answers well.
pub(crate) fn healthy(kubeconfig: &Path, path: &str) -> bool {
    block_on(async || {
        let client = client(kubeconfig).await.ok()?;
        client
            .request_text(request("GET", path, Vec::new()).ok()?)
            .await
            .ok()
    })
    .is_some()
}

/// One request with a JSON body (`Value::Null` for none) and a JSON answer.
pub(crate) fn json(kubeconfig: &Path, method: &str, path: &str, body: &Value) -> Result<Value> {
    block_on(async || send(&client(kubeconfig).await?, method, path, body).await)
}

/// POSTs every object to the collection at `path`, many at once; a `status` in it is then written through the status subresource.
pub(crate) fn create_many(kubeconfig: &Path, path: &str, objects: &[Value]) -> Result<()> {
    block_on(async || {
        let client = client(kubeconfig).await?;
        stream::iter(objects)
            .map(|object| create(&client, path, object))
            .buffer_unordered(WIDTH)
            .try_collect()
            .await
    })
}

async fn create(client: &Client, path: &str, object: &Value) -> Result<()> {
    let mut created = send(client, "POST", path, object).await?;
    let Some(status) = object.get("status") else {
        return Ok(());
    };
    let name = created["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    created["status"] = status.clone();
    send(client, "PUT", &format!("{path}/{name}/status"), &created).await?;
    Ok(())
}
