//! The one command that tells what became of a deletion: the same target as the same user, read only.
//!
//! Both structs are taken apart whole, so that a new flag must be given its place here. A token is never printed.

use super::super::couchdb_pods::{PodArgs, SecretArgs};
use super::Args;
use crate::cluster::ConnectionArgs;
use crate::model::endpoint::COUCHDB_NAMESPACE;
use crate::model::names::DatabaseName;
use crate::text::shell_line;
use std::time::Duration;

/// The bound on a request where no flag gives another.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The command, shell-quoted, without `--token`.
pub(super) fn again(connection: &ConnectionArgs, args: &Args, name: &DatabaseName) -> String {
    let ConnectionArgs {
        kubeconfig,
        context,
        cluster,
        user,
        server,
        token: _,
        impersonate,
        impersonate_groups,
        impersonate_uid,
        certificate_authority,
        client_certificate,
        client_key,
        insecure_skip_tls_verify,
        tls_server_name,
        disable_compression,
        request_timeout,
        verbosity: _,
    } = connection;
    let Args {
        databases: _,
        orphans: _,
        confirm: _,
        dry_run: _,
        timeout: _,
        // It is to tell what is there, whatever was planned.
        plan: _,
        trace: _,
        backup: _,
        pods:
            PodArgs {
                environment: _,
                couchdb_namespace,
                pod_selector,
                pod,
                container,
                port,
                secret:
                    SecretArgs {
                        credentials_from_secret,
                        credentials_keys,
                    },
            },
    } = args;
    let kubeconfig = kubeconfig.as_ref().map(|p| p.display().to_string());
    let timeout = format!("{}ms", request_timeout.as_millis());
    let secret = credentials_from_secret.as_ref().map(ToString::to_string);
    let keys = credentials_keys.as_ref().map(ToString::to_string);
    let port = port.map(|p| p.to_string());
    let mut words = ["kubectl", "skvs", "delete-db", name.as_str(), "--dry-run"]
        .map(str::to_owned)
        .to_vec();
    let mut flag = |flag: &str, value: Option<&str>| {
        if let Some(value) = value {
            words.extend([flag.to_owned(), value.to_owned()]);
        }
    };
    flag("--kubeconfig", kubeconfig.as_deref());
    flag("--context", context.as_deref());
    flag("--cluster", cluster.as_deref());
    flag("--user", user.as_deref());
    flag("--server", server.as_deref());
    flag("--as", impersonate.as_deref());
    for group in impersonate_groups {
        flag("--as-group", Some(group));
    }
    flag("--as-uid", impersonate_uid.as_deref());
    flag("--certificate-authority", certificate_authority.as_deref());
    flag("--client-certificate", client_certificate.as_deref());
    flag("--client-key", client_key.as_deref());
    flag("--tls-server-name", tls_server_name.as_deref());
    if *request_timeout != REQUEST_TIMEOUT {
        flag("--request-timeout", Some(&timeout));
    }
    if couchdb_namespace != COUCHDB_NAMESPACE {
        flag("--couchdb-namespace", Some(couchdb_namespace));
    }
    flag("--pod-selector", pod_selector.as_deref());
    flag("--pod", pod.as_deref());
    flag("--container", container.as_deref());
    flag("--port", port.as_deref());
    flag("--credentials-from-secret", secret.as_deref());
    flag("--credentials-keys", keys.as_deref());
    for (flag, value) in [
        ("--insecure-skip-tls-verify", insecure_skip_tls_verify),
        ("--disable-compression", disable_compression),
    ] {
        if let Some(value) = value {
            words.push(format!("{flag}={value}"));
        }
    }
    shell_line(&words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use crate::commands::Command;
    use clap::Parser;

    fn read(words: &[&str]) -> (ConnectionArgs, Args) {
        let cli = Cli::try_parse_from(["kubectl-skvs", "delete-db", "a_b"].iter().chain(words))
            .expect("a command line");
        match cli.command {
            Command::DeleteDb(args) => (cli.global.connection, *args),
            other => panic!("{other:?}"),
        }
    }

    fn line(words: &[&str]) -> String {
        let (connection, args) = read(words);
        again(&connection, &args, &DatabaseName::parse("a_b").unwrap())
    }

    #[test]
    fn every_flag_but_the_token_is_there_again() {
        let words = [
            "--kubeconfig",
            "/k",
            "--context",
            "c",
            "--cluster",
            "l",
            "--user",
            "u",
            "--server",
            "https://h",
            "--as",
            "a",
            "--as-group",
            "g1",
            "--as-group",
            "g2",
            "--as-uid",
            "i",
            "--certificate-authority",
            "/ca",
            "--client-certificate",
            "/crt",
            "--client-key",
            "/key",
            "--tls-server-name",
            "t",
            "--request-timeout",
            "1m30s",
            "--insecure-skip-tls-verify",
            "--disable-compression=false",
            "--couchdb-namespace",
            "n",
            "--pod-selector",
            "x=y",
            "--pod",
            "p",
            "--container",
            "o",
            "--port",
            "1",
            "--credentials-from-secret",
            "n/s",
            "--credentials-keys",
            "u,p",
        ];
        let told = line(&words);
        let flags: Vec<&str> = told.split(' ').skip(4).collect();
        let (there, mut given) = (read(&flags), read(&words));
        assert_eq!(there.1.dry_run, "server");
        given.1.dry_run.clone_from(&there.1.dry_run);
        assert_eq!(format!("{there:?}"), format!("{given:?}"));
    }

    #[test]
    fn an_empty_namespace_is_not_given() {
        let (_, args) = read(&["--couchdb-namespace", ""]);
        assert_eq!(args.pods.couchdb_namespace, "secure-kvs");
    }

    #[test]
    fn no_token_is_printed() {
        let plain = "kubectl skvs delete-db a_b --dry-run";
        assert_eq!(line(&[]), plain);
        assert_eq!(line(&["--token", "sesame"]), plain);
    }
}
