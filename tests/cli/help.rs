//! The help of every command, kept as docs/cli.md. `BLESS=1 cargo test --test cli` rewrites it.

use crate::run::skvs;
use std::fmt::Write;
use std::path::Path;

#[test]
fn docs_cli_is_the_help() {
    let root = help(&[]);
    let mut text = String::from(
        "# Command line\n\nEvery command's help at 80 columns. A test keeps this file equal to the program: \
         `BLESS=1 cargo test --test cli` rewrites it.\n",
    );
    section(&mut text, "kubectl skvs", &root);
    let options = skvs(&["options"]).run().stdout;
    section(
        &mut text,
        "Flags of every command: kubectl skvs options",
        &options,
    );
    for command in commands(&root) {
        let help_of = help(&[&command]);
        section(&mut text, &format!("kubectl skvs {command}"), &help_of);
        for below in listed(&help_of) {
            let title = format!("kubectl skvs {command} {below}");
            section(&mut text, &title, &help(&[&command, &below]));
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    same(&kept, &text);
}

/// The most lines of `-h`: a screen, or nearly.
const SCREEN: usize = 60;

/// The long help; the short one must work too, and fit on a screen.
pub(crate) fn help(command: &[&str]) -> String {
    let short: Vec<&str> = command.iter().copied().chain(["-h"]).collect();
    let brief = skvs(&short).run();
    assert_eq!((brief.code, brief.stderr.as_str()), (Some(0), ""));
    assert!(brief.stdout.lines().count() <= SCREEN, "{short:?}");
    let long: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
    let told = skvs(&long).run();
    assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""));
    told.stdout
}

fn section(text: &mut String, title: &str, help: &str) {
    for line in help.lines() {
        // A URL or an example that is longer cannot be folded.
        assert!(
            line.chars().count() <= 80 || line.trim_start().starts_with("kubectl"),
            "{title}: more than 80 columns: {line}"
        );
    }
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    write!(
        text,
        "\n## {title}\n\n```text\n{}\n```\n",
        help.join("\n").trim_end()
    )
    .unwrap();
}

/// The names in the root's groups, but for `help`, which is clap's own and has no help of its own.
pub(crate) fn commands(root: &str) -> Vec<String> {
    let groups = root.lines().take_while(|l| !l.starts_with("Usage:"));
    let names = names(groups);
    assert!(names.len() >= 3, "no commands in {root}");
    names
}

/// The names under `Commands:`.
fn listed(help: &str) -> Vec<String> {
    let commands = help.lines().skip_while(|l| *l != "Commands:").skip(1);
    names(commands.take_while(|l| !l.is_empty()))
}

fn names<'t>(lines: impl Iterator<Item = &'t str>) -> Vec<String> {
    lines
        .filter(|l| l.starts_with("  ") && !l.starts_with("   "))
        .filter_map(|l| l.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != "help")
        .collect()
}

/// Tells the first line that differs, not two whole files.
fn same(kept: &str, now: &str) {
    if let Some((n, (kept, now))) = kept
        .lines()
        .chain(std::iter::repeat("<end>"))
        .zip(now.lines().chain(["<end>"]))
        .enumerate()
        .find(|(_, (kept, now))| kept != now)
    {
        panic!(
            "docs/cli.md line {}: has {kept:?}, the program says {now:?}; BLESS=1 cargo test --test cli rewrites it",
            n + 1
        );
    }
}
