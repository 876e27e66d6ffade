//! The connection flags of kubectl, and how long a request and a connection may take.

use super::interaction::Interaction;
use crate::advice::{Flag, Origin};
use crate::model::duration::parse_duration;
use std::path::PathBuf;
use std::time::Duration;

/// The kubectl flags that say which cluster and as whom.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection, as in kubectl")]
pub struct ConnectionArgs {
    /// Path to the kubeconfig file; KUBECONFIG may hold a list of paths
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Name of the kubeconfig context to use
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// Name of the kubeconfig cluster to use
    #[arg(long, global = true, value_name = "NAME")]
    pub cluster: Option<String>,
    /// Name of the kubeconfig user to use
    #[arg(long, global = true, value_name = "NAME")]
    pub user: Option<String>,
    /// Address and port of the API server
    #[arg(short = 's', long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// Bearer token for authentication to the API server
    #[arg(long, global = true, value_name = "TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Username to impersonate
    #[arg(long = "as", global = true, value_name = "USER")]
    pub impersonate: Option<String>,
    /// Group to impersonate; repeatable
    #[arg(long = "as-group", global = true, value_name = "GROUP")]
    pub impersonate_groups: Vec<String>,
    /// UID to impersonate
    #[arg(long = "as-uid", global = true, value_name = "UID")]
    pub impersonate_uid: Option<String>,
    /// Path to a certificate file for the certificate authority
    #[arg(long, global = true, value_name = "FILE")]
    pub certificate_authority: Option<String>,
    /// Path to a client certificate file for TLS
    #[arg(long, global = true, value_name = "FILE")]
    pub client_certificate: Option<String>,
    /// Path to a client key file for TLS
    #[arg(long, global = true, value_name = "FILE")]
    pub client_key: Option<String>,
    /// Skip the check of the server's certificate: the connection is then insecure
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub insecure_skip_tls_verify: Option<bool>,
    /// Server name to expect in the server's certificate
    #[arg(long, global = true, value_name = "NAME")]
    pub tls_server_name: Option<String>,
    /// Do not ask the server for compressed answers
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub disable_compression: Option<bool>,
    /// How long to wait for a request or a credential plugin, such as 5s or 2m; 0 waits forever. Does not bound watches nor, by default, a plugin on a terminal
    #[arg(long, global = true, value_name = "DURATION", default_value = "30s", value_parser = parse_duration)]
    pub request_timeout: Duration,
    /// Log level; 6 and above log every request to stderr
    #[arg(
        short = 'v',
        long = "v",
        global = true,
        value_name = "LEVEL",
        default_value_t = 0
    )]
    pub verbosity: u8,
}

/// A server that does not take a connection in this time is not there.
const CONNECT: Duration = Duration::from_secs(10);

/// Default of `--request-timeout`.
pub(super) const REQUEST: Duration = Duration::from_secs(30);

/// How long a connection may take: [`CONNECT`], unless `--request-timeout` was given: then its bound is the only one.
pub(super) fn connect_limit(timeout: Option<Duration>) -> Duration {
    match timeout {
        Some(REQUEST) => CONNECT,
        Some(given) => given,
        // The flag's 0: for ever, as far as a timer goes.
        None => Duration::from_secs(24 * 60 * 60),
    }
}

/// Flags that cannot be combined with several contexts: they describe one cluster or one user, and credentials for one must not reach the
/// others.
const OF_ONE_CLUSTER: [&str; 10] = [
    "context",
    "cluster",
    "user",
    "server",
    "token",
    "certificate-authority",
    "client-certificate",
    "client-key",
    "tls-server-name",
    "insecure-skip-tls-verify",
];

impl ConnectionArgs {
    /// A flag that says which cluster or as whom, if one was given.
    pub fn given(&self) -> Option<&'static str> {
        let mut flags = self.flags().into_iter();
        flags.find_map(|(flag, value)| value.map(|_| flag))
    }

    /// A flag that names one cluster or one user, if one was given.
    pub fn of_one_cluster(&self) -> Option<&'static str> {
        let flags = self.flags().into_iter();
        let mut given = flags.filter_map(|(flag, value)| value.map(|_| flag));
        given.find(|flag| OF_ONE_CLUSTER.contains(flag))
    }

    /// What leads to the same cluster as the same user, for commands that are printed: the flags that were given, and the
    /// context that was used. A token is never printed.
    pub fn origin(&self, context: Option<&str>, server: Option<&str>) -> Origin {
        let timeout = (self.request_timeout != REQUEST)
            .then(|| format!("{}ms", self.request_timeout.as_millis()));
        let flags = self
            .flags()
            .into_iter()
            .chain([("request-timeout", timeout)]);
        let flags = flags
            .filter(|(name, _)| !["context", "token"].contains(name))
            .filter_map(|(name, value)| {
                Some(Flag {
                    name,
                    value: value?,
                })
            });
        let context = context.or(self.context.as_deref()).map(str::to_owned);
        Origin::new(context, server.map(str::to_owned), flags.collect())
            .with_token(self.token.is_some())
    }

    /// Every flag that says which cluster or as whom, with its value where it was given; a token is left empty. Taken apart whole, so that
    /// a new flag must be given its place here.
    fn flags(&self) -> Vec<(&'static str, Option<String>)> {
        let Self {
            kubeconfig,
            context,
            cluster,
            user,
            server,
            token,
            impersonate,
            impersonate_groups,
            impersonate_uid,
            certificate_authority,
            client_certificate,
            client_key,
            insecure_skip_tls_verify,
            tls_server_name,
            disable_compression,
            request_timeout: _,
            verbosity: _,
        } = self;
        let path = kubeconfig.as_ref().map(|p| p.display().to_string());
        let groups = impersonate_groups.iter();
        let mut flags = vec![
            ("kubeconfig", path),
            ("context", context.clone()),
            ("cluster", cluster.clone()),
            ("user", user.clone()),
            ("server", server.clone()),
            ("token", token.as_ref().map(|_| String::new())),
            ("as", impersonate.clone()),
        ];
        flags.extend(groups.map(|group| ("as-group", Some(group.clone()))));
        flags.extend([
            ("as-uid", impersonate_uid.clone()),
            ("certificate-authority", certificate_authority.clone()),
            ("client-certificate", client_certificate.clone()),
            ("client-key", client_key.clone()),
            ("tls-server-name", tls_server_name.clone()),
            (
                "insecure-skip-tls-verify",
                insecure_skip_tls_verify.map(|on| on.to_string()),
            ),
            (
                "disable-compression",
                disable_compression.map(|on| on.to_string()),
            ),
        ]);
        flags
    }

    /// The request's bound, `None` for none.
    pub fn timeout(&self) -> Option<Duration> {
        (self.request_timeout > Duration::ZERO).then_some(self.request_timeout)
    }

    /// A credential plugin's bound. A person who is asked to log in takes longer than the default.
    pub(super) fn plugin_limit(&self, interaction: Interaction) -> Option<Duration> {
        let waits = interaction == Interaction::Allowed;
        self.timeout().filter(|limit| !(waits && *limit == REQUEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_wait_that_was_asked_for_holds_for_the_connection_too() {
        use clap::Parser;
        let limit = |argv: &[&str]| {
            let cli = crate::cli::Cli::try_parse_from(argv).unwrap();
            connect_limit(cli.global.connection.timeout())
        };
        assert_eq!(limit(&["skvs", "list"]), CONNECT);
        let asked = limit(&["skvs", "list", "--request-timeout=2m"]);
        assert_eq!(asked, Duration::from_secs(120));
        let asked = limit(&["skvs", "list", "--request-timeout=1s"]);
        assert_eq!(asked, Duration::from_secs(1));
    }
}
