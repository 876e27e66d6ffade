//! The clusters that a repository has folders for.

use super::candidate::Candidate;
use crate::repository::Layout;
use clap::ArgMatches;
use std::path::{Path, PathBuf};

/// Most names of a folder that are looked at.
const NAMES_MAX: usize = 10_000;

/// The clusters of the repository that the words name; of the current folder where they name none.
pub(super) fn clusters(words: &ArgMatches) -> Vec<Candidate> {
    let named = |id: &str| words.try_get_one::<PathBuf>(id).ok().flatten();
    let repository = named("repo").or_else(|| named("paths"));
    let repository = repository.map_or(Path::new("."), PathBuf::as_path);
    let layout = words.try_get_one::<Layout>("layout").ok().flatten();
    layout.map_or(Vec::new(), |layout| in_folder(repository, layout))
}

fn in_folder(repository: &Path, layout: &Layout) -> Vec<Candidate> {
    let Ok(entries) = repository.join(layout.above()).read_dir() else {
        return Vec::new();
    };
    let names = entries
        .take(NAMES_MAX)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names
        .filter(|name| !name.starts_with('.') && repository.join(layout.folder(name)).is_dir())
        .filter_map(|name| Candidate::free_name(&name))
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
        for cluster in ["prod-east", "lab", ".hidden", "$(reboot)"] {
            create_dir_all(dir.path().join(layout.folder(cluster))).unwrap();
        }
        create_dir_all(dir.path().join(layout.above()).join("modules")).unwrap();
        write(dir.path().join(layout.above()).join("README.md"), "").unwrap();
        let mut words: Vec<String> = in_folder(dir.path(), &layout)
            .iter()
            .map(|c| c.word().to_owned())
            .collect();
        words.sort();
        assert_eq!(words, ["lab", "prod-east"]);
        assert_eq!(in_folder(&dir.path().join("elsewhere"), &layout), []);
    }
}
