//! The recorded incident in `examples/`: its README shows the output of commands, and it holds nothing of the machine that made it.

use crate::run::skvs;
use std::path::{Path, PathBuf};

const EXAMPLE: &str = "examples/three-of-four-fail";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn file(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Without how many checks there are, which grows, and how long they took.
fn lasting(text: &str) -> String {
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let told = words.iter().enumerate().map(|(i, word)| {
            let next = words.get(i + 1).copied().unwrap_or_default();
            let is_number = word.parse::<f64>().is_ok();
            if is_number && (next == "checks" || next.starts_with('s')) {
                "N"
            } else {
                word
            }
        });
        told.collect::<Vec<_>>().join(" ") + "\n"
    };
    text.lines().map(line).collect()
}

/// Each block of output behind such a line is what the command says now. `BLESS=1` rewrites them.
#[test]
fn the_readme_shows_the_output_of_commands() {
    for (readme, command) in [
        ("examples/README.md", "troubleshoot orders_basket"),
        ("examples/README.md", "list"),
        ("examples/README.md", "notes users_profiles --share"),
    ] {
        let words = command.split(' ').chain(["-f", EXAMPLE]);
        let mut run = skvs(&words.collect::<Vec<_>>());
        run.command().current_dir(env!("CARGO_MANIFEST_DIR"));
        let said = run.run();
        let line = format!("$ cargo run --quiet -- {command} -f {EXAMPLE}\n");
        let text = file(readme);
        let start = text.find(&line).map(|at| at + line.len());
        let start = start.unwrap_or_else(|| panic!("{readme} must show:\n{line}"));
        let end = start + text[start..].find("```\n").expect("the block ends");
        if std::env::var_os("BLESS").is_some() {
            let new = format!("{}{}{}", &text[..start], said.stdout, &text[end..]);
            std::fs::write(path(readme), new).unwrap();
            continue;
        }
        assert_eq!(
            lasting(&text[start..end]),
            lasting(&said.stdout),
            "{readme}, {command}\n{}",
            said.stderr
        );
    }
}

#[test]
fn the_example_is_of_no_machine_and_holds_no_secret() {
    let folder = path(EXAMPLE);
    let answers = std::fs::read_dir(folder.join("answers")).unwrap();
    let mut files: Vec<PathBuf> = answers.map(|e| e.unwrap().path()).collect();
    assert!(files.len() > 20, "{}", files.len());
    files.push(folder.join("manifest.json"));
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        for word in ["/tmp/", "/home/", "/root", "eyJ", "PRIVATE KEY", "p\"a\\ss"] {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
        for (at, _) in text.match_indices("127.0.0.1:") {
            assert!(
                text[at..].starts_with("127.0.0.1:8443"),
                "{}",
                path.display()
            );
        }
    }
}
