//! The facade over the Kubernetes API: every request of this plugin goes through here.
//!
//! Only this module imports kube's client. It owns the way to the API server (configuration, time bound, brief retries of
//! reads, the request log of `-v 6`) and the version in which HelmReleases are served. It decides nothing: what is read is
//! handed on as it came, with [`ClusterError`] for what could not be had.

pub mod access;
mod answer;
mod cause;
mod client;
mod config;
mod connection_args;
mod connector;
mod contexts;
mod credentials;
mod discovery;
pub mod error;
pub mod event;
pub mod exec;
pub mod gather;
pub mod helm_releases;
mod interaction;
pub(crate) mod kubeconfig;
pub mod kustomizations;
mod login;
pub mod offboarding;
pub mod onboardings;
mod own_rights;
pub mod ownership;
mod pages;
pub mod patch;
mod proxy;
mod read;
pub(crate) mod reread;
mod review;
pub mod secret;
mod sent_once;
mod served;
mod server;
pub mod sources;
#[cfg(test)]
mod test_server;
mod tls;
mod transport;
pub mod watch;

pub use answer::{Item, Named, ObjectMeta};
pub use connection_args::ConnectionArgs;
pub use contexts::Contexts;
pub use discovery::{ApiResource, Served};
pub use error::ClusterError;
pub use own_rights::Held;
pub use pages::{All, List, ListOf, Pages, Step};

use crate::advice::Origin;
use crate::bundle::Archive;
use crate::bundle::record::Recorder;
use crate::bundle::request::Accept;
use crate::error::Result;
use crate::snapshot::Read;
use config::Resolved;
use credentials::Credentials;
use interaction::Interaction;
use kube::config::Kubeconfig;
use server::Server;
use std::sync::OnceLock;
use transport::Transport;

/// A connection to one cluster. Nothing is sent before the first read.
#[derive(Clone)]
pub struct Cluster {
    transport: Transport,
    origin: Origin,
    unverified: Option<&'static str>,
    /// The version in which HelmReleases are served, once it is known.
    helm_release_version: std::sync::Arc<OnceLock<String>>,
}

impl Cluster {
    /// Reads the configuration and makes a client.
    ///
    /// # Errors
    /// No kubeconfig, an unknown context, credentials that cannot be had.
    pub async fn connect(args: &ConnectionArgs, stdin_is_terminal: bool) -> Result<Self> {
        let interaction = Interaction::of_stdin(stdin_is_terminal);
        Self::connect_by(args.kubeconfig()?, args, interaction).await
    }

    /// The same by a kubeconfig that was read already.
    async fn connect_by(
        kubeconfig: Option<Kubeconfig>,
        args: &ConnectionArgs,
        interaction: Interaction,
    ) -> Result<Self> {
        let Resolved {
            mut config,
            context,
            proxy,
            withheld,
        } = args.resolve(kubeconfig, interaction).await?;
        let server = Server::new(&config.cluster_url.to_string());
        let origin = args.origin(context.as_deref(), Some(server.url()));
        let unverified = unverified(&config);
        let server = server.through(proxy.as_ref()).withholding(withheld);
        let limit = args.plugin_limit(interaction);
        let (credentials, given) = Credentials::take(&mut config.auth_info, limit)
            .await
            .map_err(ClusterError::Credentials)?;
        let identity = tls::Identity::take(&mut config.auth_info)?.or(given);
        let tls = tls::client_config(&config, identity)?;
        let tls = tls::TlsConnector::new(tls, config.tls_server_name.as_deref())?;
        let client = client::build(&config, tls, proxy, credentials)
            .map_err(|e| ClusterError::from_kube(e, &server))?;
        Ok(Self {
            transport: Transport::new(client, server, args.timeout(), args.verbosity),
            origin,
            unverified,
            helm_release_version: std::sync::Arc::default(),
        })
    }

    /// A cluster of tests.
    #[cfg(test)]
    fn over(transport: Transport) -> Self {
        Self {
            transport,
            origin: Origin::default(),
            unverified: None,
            helm_release_version: std::sync::Arc::default(),
        }
    }

    /// What was saved, as the cluster it was saved of.
    pub fn saved(archive: Archive, verbosity: u8) -> Self {
        let bundle = archive.one_bundle();
        let server = bundle.and_then(|b| b.server.as_deref()).unwrap_or_default();
        let server = Server::new(server);
        let context = bundle.and_then(|b| b.context.clone());
        let origin = Origin::new(context, Some(server.url().to_owned()), Vec::new());
        Self {
            transport: Transport::saved(archive.into(), server, verbosity),
            origin,
            unverified: None,
            helm_release_version: std::sync::Arc::default(),
        }
    }

    /// The same connection, with every read from now on told to `recorder`.
    #[must_use]
    pub fn recorded(mut self, recorder: std::sync::Arc<Recorder>) -> Self {
        self.transport = self.transport.recorded(recorder);
        self
    }

    /// The same connection, heard by no recorder: for reads that only lead to a part which is recorded itself.
    #[must_use]
    pub fn unrecorded(&self) -> Self {
        Self {
            transport: self.transport.clone().unrecorded(),
            ..self.clone()
        }
    }

    /// The files, where they are read instead of a cluster.
    pub fn archive(&self) -> Option<&Archive> {
        self.transport.archive()
    }

    /// The API server's URL, without credentials.
    pub fn server(&self) -> &str {
        self.transport.server().url()
    }

    /// The kubeconfig's context, if one was used.
    pub fn context(&self) -> Option<&str> {
        self.origin.context()
    }

    /// Where what is read comes from, for commands that are printed.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Why it is not certain that the server is the one that was meant, in words; `None` where TLS says so.
    pub fn unverified(&self) -> Option<&'static str> {
        self.unverified
    }

    /// The same cluster, where no read takes longer than `limit`, unless a `--request-timeout` was given.
    #[must_use]
    pub fn within(&self, limit: std::time::Duration) -> Self {
        Self {
            transport: self.transport.within(limit),
            ..self.clone()
        }
    }

    /// Requests sent so far.
    pub fn requests(&self) -> u64 {
        self.transport.requests()
    }

    /// Reads one object by its API path: one of another kind or name is an error, and so are a list, a status and whatever a
    /// gateway says.
    ///
    /// # Errors
    /// What the API server or the connection said.
    pub async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, ClusterError> {
        self.transport.object(path).await
    }

    /// What the server says of its version.
    ///
    /// # Errors
    /// As [`Cluster::get`].
    pub async fn server_version(&self) -> Result<serde_json::Value, ClusterError> {
        let body = self.transport.get_bytes("/version").await?;
        match serde_json::from_slice::<serde_json::Value>(&body) {
            Ok(version) if version["gitVersion"].is_string() => Ok(version),
            _ => Err(self
                .transport
                .fault(answer::Fault::Form(answer::said(&body)))),
        }
    }

    /// Reads a path's body as text: a pod's log.
    ///
    /// # Errors
    /// As [`Cluster::get`].
    pub async fn get_text(&self, path: &str) -> Result<String, ClusterError> {
        let body = self.transport.get_bytes_as(path, Accept::Text).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// A part that is not read of the API server itself (an exec brings it), kept in a bundle and answered from one under `name`
    /// as if it were.
    pub async fn aside<T: serde::Serialize + serde::de::DeserializeOwned>(
        &self,
        name: &str,
        live: impl Future<Output = Read<T>>,
    ) -> Read<T> {
        if self.archive().is_some() {
            let saved = self.transport.get_bytes(name).await.and_then(|body| {
                serde_json::from_slice(&body).map_err(|e| ClusterError::Malformed(e.to_string()))
            });
            return Read::from_result(saved);
        }
        let read = live.await;
        self.transport.record_aside(name, &read);
        read
    }
}

fn unverified(config: &kube::Config) -> Option<&'static str> {
    if config.cluster_url.scheme_str() != Some("https") {
        return Some("not used");
    }
    config
        .accept_invalid_certs
        .then_some("the server's certificate is not verified (insecure-skip-tls-verify)")
}

/// One segment of an API path: a name typed by a user cannot leave its place in the URL.
pub fn segment(text: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~');
    match text {
        // These two are steps in a path even when nothing in them needs encoding.
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        _ => utf8_percent_encode(text, KEPT).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn a_name_stays_one_segment() {
        assert_eq!(
            segment("skvs-onboarding-pds--database"),
            "skvs-onboarding-pds--database"
        );
        assert_eq!(segment("a/../b?x#y"), "a%2F..%2Fb%3Fx%23y");
        assert_eq!(segment(".."), "%2E%2E");
    }
}
