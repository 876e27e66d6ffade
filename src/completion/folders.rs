//! The clusters that a repository has folders for.

use super::candidate::Candidate;
use crate::repository::{Layout, clusters};
use clap::ArgMatches;
use std::path::{Path, PathBuf};

/// The clusters of the repository that the words name; of the current folder where they name none.
pub(super) fn clusters(words: &ArgMatches) -> Vec<Candidate> {
    let named = |id: &str| words.try_get_one::<PathBuf>(id).ok().flatten();
    let repository = named("repo").or_else(|| named("paths"));
    let repository = repository.map_or(Path::new("."), PathBuf::as_path);
    let layout = words.try_get_one::<Layout>("layout").ok().flatten();
    let all = layout.map(|layout| clusters::clusters(repository, layout));
    let all = all.and_then(Result::ok).unwrap_or_default();
    let candidates = all.iter().map(|name| Candidate::free_name(name));
    candidates.flatten().collect()
}
