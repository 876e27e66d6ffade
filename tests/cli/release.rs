//! What goes into a release: line ends, man pages, licences, workflows.

use crate::sources::root;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Built into the binary and run by other programs: a carriage return would be part of their words.
#[test]
fn no_script_has_a_carriage_return_and_git_keeps_it_so() {
    for folder in ["src/couchdb/script", "completions", "krew"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let bytes = std::fs::read(&path).unwrap();
                assert!(!bytes.contains(&b'\r'), "{}", path.display());
                assert_eq!(line_end(&path), "lf", "{}", path.display());
            }
        }
    }
}

/// The line end with which git checks a file out, whatever its settings say.
fn line_end(path: &Path) -> String {
    let git = Command::new("git")
        .current_dir(root())
        .args(["check-attr", "-z", "eol", "--"])
        .arg(path)
        .output()
        .unwrap();
    assert!(git.status.success(), "{git:?}");
    let answer = String::from_utf8(git.stdout).unwrap();
    // The path, the attribute, its value.
    answer.split('\0').nth(2).unwrap().to_owned()
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

/// The notes of `version` from a changelog, or why there are none.
fn notes(version: &str, changelog: &str) -> Result<String, String> {
    let mut script = Command::new(root().join(".github/release-notes"))
        .arg(version)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = script.stdin.take().unwrap();
    stdin.write_all(changelog.as_bytes()).unwrap();
    drop(stdin);
    let output = script.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    match output.status.success() {
        true => Ok(text(output.stdout)),
        false => Err(text(output.stderr)),
    }
}

#[test]
fn the_notes_of_a_release_are_its_section_of_the_changelog() {
    let changelog = "# Changelog\n\n## Unreleased\n\n- next\n\n## 0.1.10 - 2026-02-02\n\n### Added\n\n- ten\n\n\
        ## [0.1.1] - 2026-01-01\n\n- one\n\n- two\n\n## 0.1.0-rc.1\n- candidate\n\n## 0.0.9\n\n### Fixed\n\n## 0.0.8\n";
    for (version, expected) in [
        ("v0.1.10", "### Added\n\n- ten\n"),
        ("v0.1.1", "- one\n\n- two\n"),
        ("v0.1.0-rc.1", "- candidate\n"),
    ] {
        assert_eq!(
            notes(version, changelog).as_deref(),
            Ok(expected),
            "{version}"
        );
    }
    // Not there (though others begin or match so), only a heading below it, nothing below it.
    for version in ["0.1", "0.1.0", "0.1.100", "0a1.1", "0.0.9", "0.0.8"] {
        let why =
            format!(".github/release-notes: the changelog says nothing under \"## {version}\"\n");
        assert_eq!(notes(&format!("v{version}"), changelog), Err(why));
    }
    // Of our own changelog only the first section may be empty: the one of what is to come.
    let own = std::fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let headings = own.lines().filter_map(|line| line.strip_prefix("## "));
    let sections: Vec<_> = headings
        .map(|heading| {
            heading
                .split([' ', '[', ']'])
                .find(|w| !w.is_empty())
                .unwrap()
        })
        .map(|version| notes(version, &own))
        .collect();
    assert!(sections.iter().skip(1).all(Result::is_ok), "{sections:?}");
    assert!(sections.iter().any(Result::is_ok), "{sections:?}");
}

/// Another's action runs with the release's rights: it is named by its commit, which nobody can move.
#[test]
fn every_action_is_pinned_to_a_commit() {
    let mut actions = 0;
    for entry in std::fs::read_dir(root().join(".github/workflows")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let used = text.lines().filter_map(|line| line.split_once("uses: "));
        // Our own are of the same commit.
        for (_, action) in used.filter(|(_, action)| !action.starts_with("./")) {
            let (_, commit) = action.split_once('@').unwrap();
            let commit = commit.split(' ').next().unwrap();
            let is_commit = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(is_commit, "{action}");
            actions += 1;
        }
    }
    assert!(actions > 8, "only {actions} actions were looked at");
}
