//! `--for-cluster`: clusters by their folders' names in the repository.

use crate::error::{Error, Result};
use crate::repository::tree::NotKnown;
use crate::repository::{Layout, Tree, clusters, folder};
use crate::text::one_line;
use std::collections::BTreeSet;
use std::path::Path;

/// Reads the name of a cluster's folder.
pub(crate) fn folder(text: &str) -> std::result::Result<String, &'static str> {
    let is_name = !text.is_empty() && !text.starts_with('.') && !text.contains(['/', '\\', ',']);
    match is_name {
        true => Ok(text.to_owned()),
        false => Err("not the name of a folder"),
    }
}

/// The clusters that the repository has: those with a folder for onboardings, and those of the files' paths.
///
/// # Errors
/// A folder that may have others cannot be read.
pub(crate) fn known<'p>(
    repository: &Path,
    layout: &Layout,
    paths: impl Iterator<Item = &'p str>,
) -> Result<BTreeSet<String>> {
    let in_folders = clusters::clusters(repository, layout);
    let mut all = in_folders.map_err(|why| {
        let why = one_line(&why);
        Error::new(format!(
            "cannot tell which clusters the repository has: {why}"
        ))
    })?;
    let in_files = paths.filter_map(|path| layout.cluster(path));
    all.extend(in_files.map(str::to_owned));
    Ok(all)
}

/// Refuses a cluster that the repository does not have. One whose onboardings are gone is still there by the rest of its files.
///
/// # Errors
/// It is not there, or it cannot be known because a folder or a file was not read.
pub(crate) fn check(repository: &Path, layout: &Layout, tree: &Tree, wanted: &str) -> Result<()> {
    let mut around = tree.paths().filter_map(|path| layout.around(path));
    if around.any(|cluster| cluster == wanted)
        || repository.join(layout.above()).join(wanted).is_dir()
    {
        return Ok(());
    }
    let known = known(repository, layout, tree.paths())?;
    if known.contains(wanted) {
        return Ok(());
    }
    if let Some(unread) = tree.not_known.first() {
        let (cluster, unread) = (one_line(wanted), told(unread));
        return Err(Error::new(format!(
            "cannot tell whether the repository has cluster {cluster}: {unread}"
        )));
    }
    Err(unknown(repository, layout, wanted, &known))
}

/// What was not read in the cluster's part of the repository, with the reason.
pub(crate) fn unread(layout: &Layout, tree: &Tree, cluster: &str) -> Option<String> {
    // It may be the folder itself.
    let is_its = |path: &str| {
        layout.around(path) == Some(cluster) || layout.around(&format!("{path}/x")) == Some(cluster)
    };
    let mut all = tree.not_known.iter();
    all.find(|unread| is_its(&unread.file)).map(told)
}

fn told(unread: &NotKnown) -> String {
    format!("{}: {}", one_line(&unread.file), one_line(&unread.why))
}

/// The error of a cluster that the repository does not have.
pub(crate) fn unknown(
    repository: &Path,
    layout: &Layout,
    wanted: &str,
    known: &BTreeSet<String>,
) -> Error {
    let place = folder::shown(repository);
    if repository.is_file() {
        let error = Error::usage(format!(
            "{place} is a file: it has no folder of cluster {}",
            one_line(wanted)
        ));
        return error.hint("name the repository's folder with --repo");
    }
    let error = Error::usage(format!(
        "{place} has no folder of cluster {}",
        one_line(wanted)
    ));
    let known: Vec<String> = known.iter().map(|name| one_line(name)).collect();
    match known.is_empty() {
        true => error.hint(elsewhere(layout)),
        false => error.hint(format!("clusters of the repository: {}", known.join(", "))),
    }
}

/// What to do where no folder is a cluster's.
pub(crate) fn elsewhere(layout: &Layout) -> String {
    format!(
        "no folder is {layout}: name the repository's root with --repo, or another place with --layout"
    )
}
