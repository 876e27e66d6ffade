//! kube's client over our own connection: every request, watch and exec is sent by it.
//!
//! kube's builder gives no access to the socket, and takes a proxy's login for some kinds only; its layers are used as they are.

use super::cause::root_words;
use super::connector::Connector;
use super::credentials::{Credentials, CredentialsError};
use super::proxy::Proxy;
use super::tls::TlsConnector;
use crate::text::{line, without_login};
use http::{Request, header};
use hyper_util::rt::TokioExecutor;
use kube::client::{AuthError, Body, ConfigExt};
use kube::{Client, Config};
use std::io;
use std::sync::Arc;
use tower::util::{BoxCloneService, option_layer};
use tower::{BoxError, Layer, ServiceExt};
use tower_http::decompression::DecompressionLayer;

/// Makes the client. Nothing is sent yet.
pub(super) fn build(
    config: &Config,
    tls: TlsConnector,
    proxy: Option<Proxy>,
    credentials: Credentials,
) -> Result<Client, kube::Error> {
    let connector = tls.over(Connector::new(proxy, tls.clone()));
    let limit = config.connect_timeout;
    let connector = ServiceExt::<http::Uri>::map_future(connector, move |connecting| {
        Box::pin(async move {
            match limit {
                None => connecting.await,
                Some(limit) => tokio::time::timeout(limit, connecting)
                    .await
                    .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into())),
            }
        })
    });
    let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
    let client = client.build::<_, Body>(connector).map_err(BoxError::from);
    let client = config.extra_headers_layer()?.layer(client);
    // Of an auth-provider only.
    let client = option_layer(config.auth_layer()?).layer(client);
    let gzip = DecompressionLayer::new().gzip(!config.disable_compression);
    let client = gzip.layer(config.base_uri_layer().layer(client));
    let client = BoxCloneService::new(client);
    let issuer = issuer(config);
    let service = tower::service_fn(move |mut request: Request<Body>| {
        let (client, credentials, issuer) = (client.clone(), credentials.clone(), issuer.clone());
        async move {
            let Some(value) = credentials.header().await? else {
                let answer = client.oneshot(request).await;
                return answer.map_err(|e| named(e, issuer.as_deref()));
            };
            let again = repeatable(&request);
            let headers = request.headers_mut();
            headers.insert(header::AUTHORIZATION, value.clone());
            let answer = client.clone().oneshot(request).await?;
            // A token may say nothing of its end, and a watch outlives it.
            if answer.status() == http::StatusCode::UNAUTHORIZED
                && let Some(mut again) = again
                && let Some(value) = credentials.renewed(&value).await
            {
                again.headers_mut().insert(header::AUTHORIZATION, value);
                return client.oneshot(again).await;
            }
            Ok(answer)
        }
    });
    Ok(Client::new(service, config.default_namespace.clone()))
}

/// A copy of a plain GET. Nothing else is sent twice, an exec least of all.
fn repeatable(request: &Request<Body>) -> Option<Request<Body>> {
    if request.method() != http::Method::GET || request.headers().contains_key(header::UPGRADE) {
        return None;
    }
    let mut copy = Request::new(Body::empty());
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

/// The OIDC issuer's URL.
fn issuer(config: &Config) -> Option<Arc<str>> {
    let provider = config.auth_info.auth_provider.as_ref()?;
    let issuer = provider.config.get("idp-issuer-url")?;
    Some(line(&without_login(issuer)).into())
}

/// The error of a refresh, which does not name the issuer itself.
fn named(error: BoxError, issuer: Option<&str>) -> BoxError {
    match (error.downcast_ref::<AuthError>(), issuer) {
        (Some(AuthError::Oidc(why)), Some(issuer)) => {
            let expired = if why.to_string().starts_with("ID token expired") {
                "the ID token has expired and cannot be refreshed: "
            } else {
                ""
            };
            let why = format!("{expired}{}", root_words(why));
            CredentialsError::new(format!("OIDC issuer {issuer}: {why}")).into()
        }
        _ => error,
    }
}
