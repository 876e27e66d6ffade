//! Executables that take a command's place: kubectl prefers the longest name, so `kubectl-skvs-list` wins over
//! `kubectl-skvs` for `kubectl skvs list`.

use super::{Folders, Listed};
use std::path::PathBuf;

const PREFIX: &str = "kubectl-skvs-";

/// An executable that kubectl runs in place of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shadow {
    pub(crate) file: PathBuf,
    /// The words after `kubectl skvs`.
    command: String,
}

impl Shadow {
    pub(crate) fn sentence(&self) -> String {
        let (file, command) = (self.file.display(), &self.command);
        format!("kubectl runs {file} for: kubectl skvs {command}")
    }
}

/// Those on PATH.
#[derive(Debug, Default)]
pub(crate) struct Shadows {
    pub(crate) found: Vec<Shadow>,
    /// Folders that cannot be listed, each with the reason.
    pub(crate) unlisted: Vec<String>,
}

/// Looks through PATH for those that take the place of one of `root`'s commands.
pub(crate) fn all(root: &clap::Command) -> Shadows {
    let commands: Vec<&str> = root
        .get_subcommands()
        .flat_map(|c| std::iter::once(c.get_name()).chain(c.get_all_aliases()))
        .collect();
    let mut shadows = Shadows::default();
    for Listed { folder, files } in Folders::of_path().beginning_with(PREFIX) {
        match files {
            Ok(files) => shadows.found.extend(files.into_iter().filter_map(|file| {
                let name = file.file_name()?.to_string_lossy().into_owned();
                let command = shadowed(&name, &commands)?;
                Some(Shadow { file, command })
            })),
            Err(why) => {
                let folder = folder.display();
                shadows.unlisted.push(format!("{folder}: {why}"));
            }
        }
    }
    shadows
}

/// The words after `kubectl skvs` for which kubectl runs the executable `name`; `None` when they begin with none of `commands`.
fn shadowed(name: &str, commands: &[&str]) -> Option<String> {
    let rest = name.strip_prefix(PREFIX)?;
    let rest = rest.strip_suffix(".exe").unwrap_or(rest);
    // kubectl writes a dash within a word as an underscore.
    let words: Vec<String> = rest.split('-').map(|w| w.replace('_', "-")).collect();
    let first = words.first()?;
    commands.contains(&first.as_str()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_longest_name_wins() {
        let commands = ["list", "delete-db"];
        let of = |name| shadowed(name, &commands);
        assert_eq!(of("kubectl-skvs-list").as_deref(), Some("list"));
        assert_eq!(of("kubectl-skvs-delete_db").as_deref(), Some("delete-db"));
        assert_eq!(of("kubectl-skvs-list-x.exe").as_deref(), Some("list x"));
        for other in [
            "kubectl-skvs",
            "kubectl-skvs-",
            "kubectl-skvs-more",
            "kubectl-skvslist",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_file_name_panics(name in "(kubectl-skvs-)?\\PC{0,12}") {
            let _ = shadowed(&name, &["list"]);
        }
    }
}
