//! Commands that follow a deletion, for the same CouchDB: the one that shows what became of it, and the one that puts a backup back.
//!
//! The flags are taken apart whole, so that a new one must be given its place here. Which cluster it is, and as whom, is added
//! where it is printed.

use super::Args;
use crate::advice::Command;
use crate::model::names::DatabaseName;
use std::path::Path;

/// The command that looks at the database, read only.
pub(super) fn again(args: &Args, name: &DatabaseName) -> Command {
    command(args, &["delete-db", name.as_str(), "--dry-run"])
}

/// The command that puts a backup back.
pub(super) fn put_back(args: &Args, name: &DatabaseName, file: &Path) -> Command {
    let file = file.display().to_string();
    // A file of this name must not be read as a flag.
    let file = match file.starts_with('-') {
        true => format!("./{file}"),
        false => file,
    };
    command(args, &["restore", &file, "--to", name.as_str()])
}

/// A command with the flags that choose where CouchDB is asked.
fn command(args: &Args, words: &[&str]) -> Command {
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
        pods,
    } = args;
    Command::skvs(words).args(pods.words())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use crate::cluster::ConnectionArgs;
    use crate::commands;
    use clap::Parser;

    fn read(words: &[&str]) -> (ConnectionArgs, Args) {
        let cli = Cli::try_parse_from(["kubectl-skvs", "delete-db", "a_b"].iter().chain(words))
            .expect("a command line");
        match cli.command {
            commands::Command::DeleteDb(args) => (cli.global.connection, *args),
            other => panic!("{other:?}"),
        }
    }

    fn line(words: &[&str]) -> String {
        let (connection, args) = read(words);
        let command = again(&args, &DatabaseName::parse("a_b").unwrap());
        command.at(&connection.origin(None, None)).to_string()
    }

    #[test]
    fn a_backup_is_put_back_where_it_was_taken() {
        let (connection, args) = read(&["--pod", "p", "--kubeconfig", "/k"]);
        let name = DatabaseName::parse("a_b").unwrap();
        let origin = connection.origin(Some("prod east"), None);
        let line = |file: &str| put_back(&args, &name, Path::new(file)).at(&origin);
        assert_eq!(
            line("a b.gz").to_string(),
            "kubectl skvs restore 'a b.gz' --to a_b --pod p --kubeconfig /k --context 'prod east'"
        );
        assert!(
            line("-x.gz")
                .to_string()
                .starts_with("kubectl skvs restore ./-x.gz --to a_b ")
        );
        let line = line("a.gz");
        Cli::try_parse_from(&line.words()[1..]).expect("a command line");
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
        assert_eq!(args.pods.place.couchdb_namespace, "secure-kvs");
    }

    #[test]
    fn no_token_is_printed() {
        let plain = "kubectl skvs delete-db a_b --dry-run";
        assert_eq!(line(&[]), plain);
        assert_eq!(line(&["--token", "sesame"]), plain);
    }
}
