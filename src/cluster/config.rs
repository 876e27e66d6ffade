//! From the kubectl flags and the environment to a client's configuration.
//!
//! Owns the order in which kubeconfig files, contexts, flags and the in-cluster account are looked at. It makes no request.

use super::connection_args::{ConnectionArgs, connect_limit};
use super::interaction::Interaction;
use super::kubeconfig;
use super::login::split_login;
use super::proxy::{self, Proxy};
use super::server::Server;
use crate::advice::Command;
use crate::error::{Error, Result};
use crate::text::near;
use kube::config::{
    AuthInfo, Cluster, Config, Context, KubeConfigOptions, Kubeconfig, KubeconfigError,
    NamedAuthInfo, NamedCluster, NamedContext,
};

/// A configuration and where it came from.
pub(super) struct Resolved {
    pub(super) config: Config,
    /// Name of the kubeconfig's context; `None` in a cluster or with `--server` alone.
    pub(super) context: Option<String>,
    pub(super) proxy: Option<Proxy>,
    /// Whether credentials were given that are not sent, since the server is not asked over TLS.
    pub(super) withheld: bool,
}

/// The settings that are taken out of a configuration when it is finished.
struct Finished {
    proxy: Option<Proxy>,
    withheld: bool,
}

impl ConnectionArgs {
    /// Reads the kubeconfig, merged of its files; `None` where none exists.
    ///
    /// # Errors
    /// A file that cannot be read or parsed, by its name.
    pub fn kubeconfig(&self) -> Result<Option<Kubeconfig>> {
        kubeconfig::load(self.kubeconfig.as_deref())
    }

    /// The API server's URL, as [`Cluster::server`](super::Cluster::server) gives it once connected; `None` where it is not known.
    /// No credential plugin is run.
    pub async fn server_url(&self) -> Option<String> {
        let kubeconfig = self.kubeconfig().ok()?;
        let resolved = self.resolve(kubeconfig, Interaction::NoTerminal);
        let resolved = resolved.await.ok()?;
        let server = Server::new(&resolved.config.cluster_url.to_string());
        Some(server.url().to_owned())
    }

    /// What the kubeconfig calls the user, or the flags do.
    pub fn user_name(&self) -> Option<String> {
        if self.user.is_some() {
            return self.user.clone();
        }
        let kubeconfig = kubeconfig::load(self.kubeconfig.as_deref())
            .ok()
            .flatten()?;
        let name = self.context.clone().or(kubeconfig.current_context)?;
        let contexts = kubeconfig.contexts.into_iter();
        let mut found = contexts.filter(|c| c.name == name);
        found.next()?.context?.user
    }

    /// The configuration for the client, with every flag applied.
    pub(super) async fn resolve(
        &self,
        kubeconfig: Option<Kubeconfig>,
        interaction: Interaction,
    ) -> Result<Resolved> {
        let kubeconfig = match kubeconfig {
            Some(k) if !k.contexts.is_empty() || !k.clusters.is_empty() => Some(k),
            _ if self.server.is_some() => Some(Kubeconfig::default()),
            _ => None,
        };
        let Some(mut kubeconfig) = kubeconfig else {
            return self.in_cluster();
        };
        let (context, proxy) = self.select(&mut kubeconfig)?;
        let options = KubeConfigOptions {
            context: Some(context.clone()),
            ..KubeConfigOptions::default()
        };
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(|e| match e {
                // The kubeconfig's proxy was taken out: only the variable is left.
                KubeconfigError::ParseProxyUrl(_) => Error::new("HTTPS_PROXY is not a URL"),
                other => Error::new(format!("kubeconfig: {}", kubeconfig::words(&other))),
            })?;
        let finished = self.finish(&mut config, proxy.as_deref())?;
        interaction.settle(&mut config.auth_info)?;
        let shown = self
            .context
            .clone()
            .or_else(|| (context != SELECTED).then_some(context));
        Ok(Resolved {
            config,
            context: shown,
            proxy: finished.proxy,
            withheld: finished.withheld,
        })
    }

    fn in_cluster(&self) -> Result<Resolved> {
        if let Some(name) = &self.context {
            return Err(Error::new(format!(
                "context {name:?} does not exist: there is no kubeconfig"
            ))
            .hint("set KUBECONFIG or give --kubeconfig FILE"));
        }
        let mut config = Config::incluster().map_err(|_| {
            Error::new("no kubeconfig was found, and this is not a pod of a cluster")
                .hint("set KUBECONFIG or give --kubeconfig FILE")
                .hint(Command::new(["kubectl", "config", "view"]).after("kubectl's own view:"))
        })?;
        if let Some(token) = &self.token {
            config.auth_info.token_file = None;
            config.auth_info.token = Some(token.clone().into());
        }
        self.impersonate(&mut config.auth_info);
        let finished = self.finish(&mut config, None)?;
        Ok(Resolved {
            config,
            context: None,
            proxy: finished.proxy,
            withheld: finished.withheld,
        })
    }

    /// Puts the chosen cluster and user, with the flags laid over them, under names of our own and returns the context
    /// that binds them, and the cluster's proxy.
    fn select(&self, kubeconfig: &mut Kubeconfig) -> Result<(String, Option<String>)> {
        let current = kubeconfig.current_context.clone().filter(|c| !c.is_empty());
        let name = self.context.clone().or(current);
        let mut context = match &name {
            None => Context::default(),
            Some(name) => named("context", name, &kubeconfig.contexts, |c| &c.name)?
                .context
                .clone()
                .unwrap_or_default(),
        };
        if name.is_none() && self.server.is_none() && self.cluster.is_none() {
            return Err(Error::new("the kubeconfig has no current context").hint(
                Command::new(["kubectl", "config", "use-context", "NAME"])
                    .after("choose one with --context NAME, or:"),
            ));
        }
        let cluster_name = self
            .cluster
            .clone()
            .unwrap_or_else(|| context.cluster.clone());
        let found = named("cluster", &cluster_name, &kubeconfig.clusters, |c| &c.name);
        let mut cluster = match found {
            Ok(found) => found.cluster.clone().unwrap_or_default(),
            Err(_) if self.cluster.is_none() && self.server.is_some() => Cluster::default(),
            Err(unknown) => return Err(unknown),
        };
        let user_name = self.user.as_ref().or(context.user.as_ref());
        let found = user_name.map(|name| named("user", name, &kubeconfig.auth_infos, |u| &u.name));
        let mut user = match found {
            Some(Ok(found)) => found.auth_info.clone().unwrap_or_default(),
            Some(Err(unknown)) if self.user.is_some() => return Err(unknown),
            Some(Err(_)) | None => AuthInfo::default(),
        };
        self.lay_over_cluster(&mut cluster)?;
        self.lay_over_user(&mut user);
        let proxy = cluster.proxy_url.take();
        let name = name.unwrap_or_else(|| SELECTED.to_owned());
        context.cluster = SELECTED.to_owned();
        context.user = Some(SELECTED.to_owned());
        kubeconfig.contexts = vec![NamedContext {
            name: name.clone(),
            context: Some(context),
            ..NamedContext::default()
        }];
        kubeconfig.clusters = vec![NamedCluster {
            name: SELECTED.to_owned(),
            cluster: Some(cluster),
            ..NamedCluster::default()
        }];
        kubeconfig.auth_infos = vec![NamedAuthInfo {
            name: SELECTED.to_owned(),
            auth_info: Some(user),
            ..NamedAuthInfo::default()
        }];
        Ok((name, proxy))
    }

    fn lay_over_cluster(&self, cluster: &mut Cluster) -> Result<()> {
        if let Some(server) = &self.server {
            let server = if server.contains("://") {
                server.clone()
            } else {
                format!("https://{server}")
            };
            cluster.server = Some(server);
        }
        if cluster.server.as_deref().is_none_or(str::is_empty) {
            return Err(
                Error::new("the kubeconfig's cluster has no server").hint("give --server URL")
            );
        }
        // As in kubectl, a flag about the check of the server's certificate replaces everything the file says about it.
        if self.insecure_skip_tls_verify == Some(true) || self.certificate_authority.is_some() {
            cluster.insecure_skip_tls_verify = Some(false);
            cluster.certificate_authority = self.certificate_authority.clone();
            cluster.certificate_authority_data = None;
        }
        cluster.insecure_skip_tls_verify = self
            .insecure_skip_tls_verify
            .or(cluster.insecure_skip_tls_verify);
        self.refuse_unchecked_authority(cluster)?;
        cluster.disable_compression = self.disable_compression.or(cluster.disable_compression);
        // The file's name belongs to the file's server.
        if self.server.is_some() || self.tls_server_name.is_some() {
            cluster.tls_server_name = self.tls_server_name.clone();
        }
        Ok(())
    }

    /// An authority that would not be used must not look as if it were: kubectl refuses it too, before it connects.
    fn refuse_unchecked_authority(&self, cluster: &Cluster) -> Result<()> {
        let given = |text: &Option<String>| text.as_deref().is_some_and(|t| !t.is_empty());
        let authority =
            given(&cluster.certificate_authority) || given(&cluster.certificate_authority_data);
        let encrypted = cluster
            .server
            .as_deref()
            .is_some_and(|s| !s.starts_with("http://"));
        if !(encrypted && authority && cluster.insecure_skip_tls_verify == Some(true)) {
            return Ok(());
        }
        let error =
            Error::new("specifying a root certificates file with the insecure flag is not allowed");
        Err(if self.insecure_skip_tls_verify == Some(true) {
            error.hint("give --certificate-authority or --insecure-skip-tls-verify, not both")
        } else {
            error.hint(kubeconfig::view().after(
                "remove insecure-skip-tls-verify or certificate-authority from the cluster in the kubeconfig:",
            ))
        })
    }

    fn lay_over_user(&self, user: &mut AuthInfo) {
        if let Some(token) = &self.token {
            *user = AuthInfo {
                token: Some(token.clone().into()),
                ..impersonation(user)
            };
        }
        if let Some(file) = &self.client_certificate {
            user.client_certificate = Some(file.clone());
            user.client_certificate_data = None;
        }
        if let Some(file) = &self.client_key {
            user.client_key = Some(file.clone());
            user.client_key_data = None;
        }
        self.impersonate(user);
    }

    fn impersonate(&self, user: &mut AuthInfo) {
        if let Some(name) = &self.impersonate {
            user.impersonate = Some(name.clone());
        }
        if !self.impersonate_groups.is_empty() {
            user.impersonate_groups = Some(self.impersonate_groups.clone());
        }
        if let Some(uid) = &self.impersonate_uid {
            user.impersonate_uid = Some(uid.clone());
        }
    }

    /// Applies the settings of every source of a configuration.
    fn finish(&self, config: &mut Config, proxy: Option<&str>) -> Result<Finished> {
        // kube's own retry layer repeats any verb for minutes; reads are retried by the facade, briefly.
        config.default_retry = false;
        config.connect_timeout = Some(connect_limit(self.timeout()));
        config.headers.push((
            http::header::USER_AGENT,
            http::HeaderValue::from_static(concat!("kubectl-skvs/", env!("CARGO_PKG_VERSION"))),
        ));
        // As Go's HTTP client: a login in the URL wins over every other credential.
        let (url, login) = split_login(std::mem::take(&mut config.cluster_url));
        config.cluster_url = url;
        // As in client-go: whoever listens on the way would read them.
        let is_plain = config.cluster_url.scheme() != Some(&http::uri::Scheme::HTTPS);
        let withheld = is_plain && has_credentials(&config.auth_info);
        if is_plain {
            config.auth_info = impersonation(&mut config.auth_info);
        }
        if let Some(login) = login {
            let user = &mut config.auth_info;
            (user.username, user.password) = (Some(login.user), Some(login.password.into()));
            (user.token, user.token_file) = (None, None);
            (user.exec, user.auth_provider) = (None, None);
        }
        if config.cluster_url.host().is_none() {
            return Err(Error::new(format!(
                "the server {} is not a URL with a host",
                config.cluster_url
            )));
        }
        config.proxy_url = None;
        let proxy = proxy::choose(&config.cluster_url, proxy)?;
        Ok(Finished { proxy, withheld })
    }
}

/// Takes the impersonation out of `user`, without any credentials.
fn impersonation(user: &mut AuthInfo) -> AuthInfo {
    AuthInfo {
        impersonate: user.impersonate.take(),
        impersonate_groups: user.impersonate_groups.take(),
        impersonate_uid: user.impersonate_uid.take(),
        impersonate_user_extra: user.impersonate_user_extra.take(),
        ..AuthInfo::default()
    }
}

fn has_credentials(user: &AuthInfo) -> bool {
    let texts = [
        &user.username,
        &user.token_file,
        &user.client_certificate,
        &user.client_certificate_data,
    ];
    let is_filled = |text: &&Option<String>| text.as_ref().is_some_and(|t| !t.is_empty());
    texts.iter().any(is_filled)
        || user.token.is_some()
        || user.exec.is_some()
        || user.auth_provider.is_some()
}

/// Name under which the chosen cluster and user stand while the configuration is made.
const SELECTED: &str = "kubectl-skvs";

/// The entry of a list of the kubeconfig.
///
/// # Errors
/// No entry has this name; the error lists those that exist.
pub(super) fn named<'a, T>(
    what: &str,
    name: &str,
    all: &'a [T],
    name_of: impl Fn(&'a T) -> &'a str,
) -> Result<&'a T> {
    let mut found = all.iter().filter(|one| name_of(one) == name);
    let found = found.next();
    found.ok_or_else(|| unknown(what, name, all.iter().map(&name_of)))
}

fn unknown<'a>(what: &str, name: &str, all: impl Iterator<Item = &'a str> + Clone) -> Error {
    let names: Vec<&str> = all.collect();
    let mut hint = match near(name, names.iter().copied()).first() {
        Some(best) => format!("did you mean {best}? "),
        None => String::new(),
    };
    hint.push_str(&if names.is_empty() {
        format!("the kubeconfig has no {what}s")
    } else {
        format!("{what}s: {}", names.join(", "))
    });
    Error::new(format!("{what} {name:?} does not exist in the kubeconfig")).hint(hint)
}

#[cfg(test)]
mod tests;
