//! When output has colour: the flag, `NO_COLOR`, `CLICOLOR_FORCE`, the terminal.

use crate::run::{BINARY, skvs};
use std::process::Command;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/three-of-four-fail");
const ESCAPE: char = '\u{1b}';

/// stdout of a run without a terminal.
fn stdout(words: &[&str], environment: &[(&str, &str)]) -> String {
    let mut run = skvs(words);
    for (name, value) in environment {
        run = run.env(name, value);
    }
    run.command()
        .output()
        .map(|output| String::from_utf8(output.stdout).unwrap())
        .unwrap()
}

fn colored(words: &[&str], environment: &[(&str, &str)]) -> bool {
    stdout(words, environment).contains(ESCAPE)
}

#[test]
fn the_flag_comes_first_then_no_color_then_force() {
    let words = ["troubleshoot", "-f", EXAMPLE];
    let flag = |when| ["troubleshoot", "-f", EXAMPLE, "--color", when];
    assert!(!colored(&words, &[]));
    assert!(colored(&words, &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&words, &[("CLICOLOR_FORCE", "0")]));
    assert!(!colored(
        &words,
        &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]
    ));
    assert!(colored(&flag("always"), &[("NO_COLOR", "1")]));
    assert!(!colored(&flag("never"), &[("CLICOLOR_FORCE", "1")]));
    assert!(colored(&["list", "-h", "--color=always"], &[]));
}

#[test]
fn a_document_is_never_coloured() {
    for format in ["json", "yaml", "sarif", "github", "markdown", "html"] {
        let words = [
            "troubleshoot",
            "-f",
            EXAMPLE,
            "--color",
            "always",
            "-o",
            format,
        ];
        assert!(!colored(&words, &[]), "{format}");
    }
    for words in [
        &["describe", "users_profiles", "-f", EXAMPLE, "-o", "json"][..],
        &["list", "-f", EXAMPLE, "-o", "yaml"],
        &["explain", "SKVS301", "-o", "json"],
        &["version", "--client", "-o", "yaml"],
    ] {
        let words = [words, &["--color", "always"]].concat();
        assert!(!colored(&words, &[]), "{words:?}");
    }
}

#[test]
fn colour_changes_no_word() {
    let plain = |text: &str| {
        let mut parts = text.split(ESCAPE);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |all, part| {
            all + part.split_once('m').map_or("", |(_, rest)| rest)
        })
    };
    for words in [&["demo"][..], &["troubleshoot", "-h"], &["options"], &[]] {
        let always = [words, &["--color=always"]].concat();
        let always = plain(&stdout(&always, &[]));
        let lasting = |text: &str| {
            let lines = text.lines().filter(|line| !line.contains("checks run"));
            lines.collect::<Vec<_>>().join("\n")
        };
        assert_eq!(lasting(&always), lasting(&stdout(words, &[])), "{words:?}");
    }
}

/// Under script(1), which gives it a terminal.
#[test]
fn a_dumb_terminal_gets_no_control_code() {
    let on = |term: &str| {
        let line = format!("{BINARY} troubleshoot -f {EXAMPLE}; {BINARY} list --nope");
        let output = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .env("TERM", term)
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(on("xterm").contains(ESCAPE));
    let dumb = on("dumb");
    assert!(dumb.contains("SKVS301") && !dumb.contains(ESCAPE), "{dumb}");
}
