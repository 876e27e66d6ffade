//! The clusters that a repository has folders for, with onboardings or without.

use super::folder;
use super::layout::Layout;
use crate::error::io_words;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// Most names of a folder that are looked at.
const NAMES_MAX: usize = 10_000;

/// The clusters with a folder for onboardings, by its path from the repository's folder on. No file is read.
///
/// # Errors
/// A folder that may have others cannot be read.
pub fn clusters(repository: &Path, layout: &Layout) -> Result<BTreeSet<String>, String> {
    let above = repository.join(layout.above());
    let failed = |path: &Path, error: &io::Error| {
        let (path, why) = (folder::shown(path), io_words(error));
        format!("{path}: {why}")
    };
    let entries = match above.read_dir() {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => {
            return leads_somewhere(repository, &above).map(|()| BTreeSet::new());
        }
        Err(error) => return Err(failed(&above, &error)),
    };
    let mut found = BTreeSet::new();
    for (at, entry) in entries.enumerate() {
        if at == NAMES_MAX {
            let above = folder::shown(&above);
            return Err(format!("{above}: more than {NAMES_MAX} names are not read"));
        }
        let entry = entry.map_err(|error| failed(&above, &error))?;
        let name = entry.file_name().into_string().map_err(|name| {
            let path = folder::shown(&above.join(name));
            format!("{path}: its name is not text in UTF-8")
        })?;
        if name.starts_with('.') {
            continue;
        }
        let path = repository.join(layout.folder(&name));
        match path.metadata() {
            Ok(facts) if facts.is_dir() => drop(found.insert(name)),
            Ok(_) => {}
            Err(error) if is_absent(&error) => leads_somewhere(repository, &path)?,
            Err(error) => return Err(failed(&path, &error)),
        }
    }
    Ok(found)
}

/// Fails if it is a symbolic link that makes the path absent: what it is meant to lead to may have a cluster.
///
/// # Errors
/// The link.
pub fn leads_somewhere(repository: &Path, absent: &Path) -> Result<(), String> {
    let mut parts = absent.ancestors().take_while(|part| *part != repository);
    match parts.find(|part| part.is_symlink()) {
        Some(link) if !link.exists() => {
            Err(format!("{}: the link leads nowhere", folder::shown(link)))
        }
        _ => Ok(()),
    }
}

fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir_all, write};

    #[test]
    fn a_cluster_is_a_folder_with_a_place_for_onboardings() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::default();
        for cluster in ["prod-east", "lab", ".hidden"] {
            create_dir_all(dir.path().join(layout.folder(cluster))).unwrap();
        }
        create_dir_all(dir.path().join(layout.above()).join("modules")).unwrap();
        write(dir.path().join(layout.above()).join("README.md"), "").unwrap();
        let all = clusters(dir.path(), &layout).unwrap();
        assert_eq!(all.into_iter().collect::<Vec<_>>(), ["lab", "prod-east"]);
        let elsewhere = clusters(&dir.path().join("elsewhere"), &layout);
        assert_eq!(elsewhere, Ok(BTreeSet::new()));
    }

    #[test]
    #[cfg(unix)]
    fn a_folder_that_cannot_be_read_is_not_one_without_clusters() {
        use std::os::unix::fs::symlink;
        let layout: Layout = "k8s/<cluster>/onboarding".parse().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let above = dir.path().join(layout.above());
        symlink(&above, &above).unwrap();
        let told = clusters(dir.path(), &layout).unwrap_err();
        assert!(told.contains("k8s: "), "{told}");
        std::fs::remove_file(&above).unwrap();
        let folder = dir.path().join(layout.folder("lab"));
        std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
        symlink(&folder, &folder).unwrap();
        let told = clusters(dir.path(), &layout).unwrap_err();
        assert!(told.contains("onboarding: "), "{told}");
    }

    #[test]
    #[cfg(unix)]
    fn what_is_meant_to_be_there_is_not_absent() {
        use std::os::unix::{ffi::OsStrExt, fs::symlink};
        let layout: Layout = "k8s/<cluster>/onboarding".parse().unwrap();
        for (at, what) in [
            ("k8s", "k8s: "),
            ("k8s/lab", "lab: "),
            ("k8s/lab/onboarding", "onboarding: "),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let link = dir.path().join(at);
            create_dir_all(link.parent().unwrap()).unwrap();
            symlink("gone", &link).unwrap();
            let told = clusters(dir.path(), &layout).unwrap_err();
            assert!(
                told.contains(what) && told.ends_with("leads nowhere"),
                "{told}"
            );
        }
        let dir = tempfile::tempdir().unwrap();
        let odd = std::ffi::OsStr::from_bytes(b"l\xffb");
        create_dir_all(dir.path().join("k8s").join(odd)).unwrap();
        let told = clusters(dir.path(), &layout).unwrap_err();
        assert!(told.contains("not text in UTF-8"), "{told}");
    }
}
