//! `-f`: saved objects and bundles instead of a cluster, for the commands that only read.
//!
//! Owns the flags and what follows from them: which time it is, where onboardings are looked for, who is meant when none is
//! named.

use crate::app::{App, Input};
use crate::bundle::manifest::Manifest;
use crate::bundle::{Archive, get_helm_releases};
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::help;
use crate::text::{Shown, few, one_line};
use std::io;
use std::path::PathBuf;

/// Names that are told at most.
const NAMED: usize = 5;

/// The flags.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = help::SAVED)]
pub(crate) struct SavedArgs {
    /// Read files instead of a cluster: output of kubectl get -o yaml|json and of kubectl logs --prefix, a folder, a bundle, or -
    /// for stdin; repeatable
    #[arg(short = 'f', long, value_name = "FILE")]
    filename: Vec<PathBuf>,
    /// Read the folders below -f's folder too
    #[arg(short = 'R', long, requires = "filename")]
    recursive: bool,
}

impl SavedArgs {
    /// What -f names.
    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.filename
    }

    /// Whether the folders below a folder are read too.
    pub(crate) fn is_recursive(&self) -> bool {
        self.recursive
    }

    /// The saved files as a cluster or, without -f, the cluster.
    ///
    /// # Errors
    /// A file that cannot be read, a flag that is of no use with files; or as [`Cluster::connect`].
    pub(crate) async fn open(&self, app: &mut App) -> Result<Cluster> {
        if self.filename.is_empty() {
            return app.cluster().await;
        }
        if let Some(flag) = app.global.connection.given() {
            return Err(Error::usage(format!(
                "--{flag} cannot be used with -f: files are read, no cluster is asked"
            )));
        }
        let archive = match app.input {
            Input::Stdin => Archive::load(&self.filename, self.recursive, &mut io::stdin().lock()),
            Input::BuiltIn(mut bundle) => {
                Archive::load(&self.filename, self.recursive, &mut bundle)
            }
        }?;
        let given = app.global.given;
        let product = app.global.onboarding_selector.clone();
        let asked_for = archive.one_bundle();
        match asked_for.map(|b| &b.namespace) {
            _ if given.namespace => {}
            Some(Some(namespace)) => app.global.namespace.clone_from(namespace),
            Some(None) | None => app.everywhere = true,
        }
        if let Some(bundle) = asked_for.filter(|b| !b.selector.is_empty() && !given.selector) {
            app.global.onboarding_selector.clone_from(&bundle.selector);
        }
        let others = archive.bundles().iter();
        for bundle in others.filter(|_| app.input == Input::Stdin) {
            app.ui.status(Shown::line(captured(bundle, &product)));
        }
        // Ages are counted from when it was captured; when kubectl saved a file nothing tells.
        if let Some(last) = archive.bundles().iter().map(|b| b.captured_at).max() {
            app.now = last;
        }
        let verbosity = app.global.connection.verbosity;
        Ok(Cluster::saved(archive, verbosity))
    }
}

/// Whom the bundle was captured for, by the names that were given then; nobody by name without a bundle.
pub(crate) fn captured_names(cluster: &Cluster) -> Vec<String> {
    let bundle = cluster.archive().and_then(Archive::one_bundle);
    bundle.map_or(Vec::new(), |b| b.names.clone())
}

/// Who is meant where a command needs a name and none is given: those of the bundle, or the only one that there is.
///
/// # Errors
/// There are several, or none.
pub(crate) fn meant(cluster: &Cluster, given: Vec<String>) -> Result<Vec<String>> {
    let Some(archive) = cluster.archive().filter(|_| given.is_empty()) else {
        return Ok(given);
    };
    let captured = captured_names(cluster);
    if !captured.is_empty() {
        return Ok(captured);
    }
    let mut names: Vec<String> = archive.helm_releases().map(str::to_owned).collect();
    if names.len() > 1 {
        return Err(
            Error::usage("several HelmReleases are in the saved files: name one")
                .hint(held(cluster).unwrap_or_default()),
        );
    }
    match names.pop() {
        Some(name) => Ok(vec![name]),
        None => Err(Error::new("no HelmRelease is in the saved files")
            .hint(get_helm_releases().after("save them too, and name both with -f:"))),
    }
}

/// The HelmReleases that the files hold, as a hint; `None` for a cluster, and where there is none.
pub(crate) fn held(cluster: &Cluster) -> Option<String> {
    // A file's names can be anything: one must not begin a line of its own.
    let all = cluster.archive()?.helm_releases();
    let names: Vec<String> = all.map(one_line).collect();
    (!names.is_empty()).then(|| format!("the files hold: {}", few(&names, ", ", NAMED)))
}

/// `captured 2026-11-24T01:02:03Z on context prod-east`, and what was captured of it where that is not all.
fn captured(bundle: &Manifest, product: &str) -> String {
    let place = match (&bundle.context, &bundle.server) {
        (Some(context), _) => format!(" on context {context}"),
        (None, Some(server)) => format!(" on {server}"),
        (None, None) => String::new(),
    };
    let part = match bundle.selector.as_str() {
        "" => String::new(),
        selector if selector == product => String::new(),
        selector => format!(", only HelmReleases with {selector}"),
    };
    one_line(&format!("captured {}{place}{part}", bundle.captured_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_in_a_file_begins_a_line() {
        let object = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: \"a\\n::error::b\"}";
        let paths = [PathBuf::from("-")];
        let archive = Archive::load(&paths, false, &mut object.as_bytes()).unwrap();
        let told = held(&Cluster::saved(archive, 0)).unwrap();
        assert_eq!(told, "the files hold: a ::error::b");
    }
}
