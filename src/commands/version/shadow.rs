//! Executables that take a command's place: kubectl prefers the longest name, so `kubectl-skvs-list` wins over
//! `kubectl-skvs` for `kubectl skvs list`.

use std::path::Path;

const PREFIX: &str = "kubectl-skvs-";

/// One line for each such executable on PATH.
pub(super) fn warnings(root: &clap::Command) -> Vec<String> {
    let commands: Vec<&str> = root
        .get_subcommands()
        .flat_map(|c| std::iter::once(c.get_name()).chain(c.get_all_aliases()))
        .collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut lines = Vec::new();
    for folder in std::env::split_paths(&path) {
        let Ok(entries) = folder.read_dir() else {
            continue;
        };
        let mut names: Vec<_> = entries.flatten().map(|e| e.file_name()).collect();
        names.sort();
        for name in names {
            let file = folder.join(&name);
            if let Some(command) = shadowed(&name.to_string_lossy(), &commands)
                && is_executable(&file)
            {
                let file = file.display();
                lines.push(format!("kubectl runs {file} for: kubectl skvs {command}"));
            }
        }
    }
    lines
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

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
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
