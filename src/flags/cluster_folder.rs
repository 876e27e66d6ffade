//! `--for-cluster`: clusters by their folders' names in the repository.

use crate::error::{Error, Result};
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

/// Refuses a cluster that the repository does not have. One whose onboardings are gone is still there by the rest of its files.
///
/// # Errors
/// It is not there, or it cannot be known because a folder or a file was not read.
pub(crate) fn check(repository: &Path, layout: &Layout, tree: &Tree, wanted: &str) -> Result<()> {
    let (mut known, unread) = match clusters::clusters(repository, layout) {
        Ok(known) => (known, None),
        Err(why) => (BTreeSet::new(), Some(why)),
    };
    let in_files = tree.paths().filter_map(|path| layout.cluster(path));
    known.extend(in_files.map(str::to_owned));
    let mut around = tree.paths().filter_map(|path| layout.around(path));
    let is_known = known.contains(wanted)
        || around.any(|cluster| cluster == wanted)
        || repository.join(layout.above()).join(wanted).is_dir();
    if is_known {
        return Ok(());
    }
    let mut not_known = tree.not_known.iter();
    let unread = unread.or_else(|| not_known.next().map(|n| format!("{}: {}", n.file, n.why)));
    if let Some(why) = unread {
        let (wanted, why) = (one_line(wanted), one_line(&why));
        return Err(Error::new(format!(
            "cannot tell whether the repository has cluster {wanted}: {why}"
        )));
    }
    Err(unknown(repository, wanted, &known, layout))
}

fn unknown(repository: &Path, wanted: &str, known: &BTreeSet<String>, layout: &Layout) -> Error {
    let place = folder::shown(repository);
    let error = Error::usage(format!(
        "{place} has no folder of cluster {}",
        one_line(wanted)
    ));
    let known: Vec<String> = known.iter().map(|name| one_line(name)).collect();
    match known.is_empty() {
        true => error.hint(format!(
            "no folder is {layout}: name the repository's root with --repo, or another place with --layout"
        )),
        false => error.hint(format!("clusters of the repository: {}", known.join(", "))),
    }
}
