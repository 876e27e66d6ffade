//! The clusters that a repository has folders for, with onboardings or without.

use super::layout::Layout;
use std::collections::BTreeSet;
use std::path::Path;

/// Most names of a folder that are looked at.
const NAMES_MAX: usize = 10_000;

/// The clusters with a folder for onboardings, by its path from the repository's folder on. No file is read.
pub fn clusters(repository: &Path, layout: &Layout) -> BTreeSet<String> {
    let Ok(entries) = repository.join(layout.above()).read_dir() else {
        return BTreeSet::new();
    };
    let names = entries
        .take(NAMES_MAX)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names
        .filter(|name| !name.starts_with('.') && repository.join(layout.folder(name)).is_dir())
        .collect()
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
        let all = clusters(dir.path(), &layout);
        assert_eq!(all.into_iter().collect::<Vec<_>>(), ["lab", "prod-east"]);
        assert!(clusters(&dir.path().join("elsewhere"), &layout).is_empty());
    }
}
