//! What goes into a release: line ends, man pages, licences, workflows.

use crate::sources::root;
use std::process::Command;

/// Built into the binary and run by other programs: a carriage return would be part of their words.
#[test]
fn no_script_has_a_carriage_return_and_git_keeps_it_so() {
    let attributes = std::fs::read_to_string(root().join(".gitattributes")).unwrap();
    assert!(attributes.lines().any(|line| line == "* text=auto eol=lf"));
    for folder in ["src/couchdb/script", "completions", "krew"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let bytes = std::fs::read(&path).unwrap();
                assert!(!bytes.contains(&b'\r'), "{}", path.display());
            }
        }
    }
}

#[test]
fn a_release_has_a_man_page_for_each_command_and_the_licence_of_each_crate() {
    let folder = tempfile::tempdir().unwrap();
    let run = [
        "run",
        "--quiet",
        "--locked",
        "--example",
        "release_files",
        "--",
    ];
    let made = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(run)
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let command = <kubectl_skvs::cli::Cli as clap::CommandFactory>::command();
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let page = folder
            .path()
            .join(format!("man/kubectl-skvs-{}.1", sub.get_name()));
        let text =
            std::fs::read_to_string(&page).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
        assert!(
            text.contains(".SH OPTIONS") && text.contains(".TH "),
            "{text}"
        );
    }
    let licences = std::fs::read_to_string(folder.path().join("THIRD-PARTY.txt")).unwrap();
    for name in ["kube ", "clap ", "ring ", "tokio "] {
        assert!(
            licences.lines().any(|line| line.starts_with(name)),
            "{name}"
        );
    }
    for of_tests in ["proptest ", "insta ", "serde_derive "] {
        assert!(
            !licences.lines().any(|line| line.starts_with(of_tests)),
            "{of_tests}"
        );
    }
    for text in [
        "Apache License",
        "Permission is hereby granted, free of charge",
        "Mozilla Public License",
    ] {
        assert!(licences.contains(text), "{text}");
    }
}

/// Another's action runs with the release's rights: it is named by its commit, which nobody can move.
#[test]
fn every_action_is_pinned_to_a_commit() {
    let mut actions = 0;
    for entry in std::fs::read_dir(root().join(".github/workflows")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for (_, action) in text.lines().filter_map(|line| line.split_once("uses: ")) {
            let (_, commit) = action.split_once('@').unwrap();
            let commit = commit.split(' ').next().unwrap();
            let is_commit = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(is_commit, "{action}");
            actions += 1;
        }
    }
    assert!(actions > 8, "only {actions} actions were looked at");
}
