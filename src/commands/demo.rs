//! `demo`: an incident that is inside the program, played through the commands that read saved files.
//!
//! Needs no cluster and no kubeconfig, and writes nothing. Owns the script; what the commands print is their own.

use crate::advice::{Command, Origin};
use crate::app::{App, GlobalArgs, Input};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::settings;
use crate::text::fold::fold;
use crate::text::{Shown, shown};
use crate::ui::{Answer, ask};
use clap::FromArgMatches;
use std::future::Future;
use std::pin::Pin;

/// `examples/three-of-four-fail` as `capture` writes it.
const BUNDLE: &[u8] = include_bytes!("../../examples/three-of-four-fail.tar.gz");

const OPENING: &str = "Four onboardings were merged in one pull request, and three did not come up. \
     An engineer on call captured them on a real cluster; the commands below read that capture.";

const CLOSING: &str = "That was a recording: nothing was asked of a cluster. Next, on yours:";

/// Why a command is run, and its words.
const SCRIPT: [(&str, &[&str]); 4] = [
    ("Which onboardings are not well?", &["list"]),
    (
        "Flux says only that a Job failed. What is wrong, and what is to be done?",
        &["troubleshoot", "orders_basket"],
    ),
    (
        "The one that is well, in full:",
        &["describe", "users_profiles"],
    ),
    (
        "Its team gets this message:",
        &["notes", "users_profiles", "--share"],
    ),
];

/// Play a recorded incident, without a cluster
///
/// Runs list, troubleshoot, describe and notes on a capture that is inside this program, as -f runs them on one of yours. On a
/// terminal it waits for Enter between them.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  kubectl skvs demo")]
pub struct Args {}

/// Runs `demo`.
///
/// # Errors
/// Those of its commands.
pub async fn run(app: &mut App) -> Result<Code> {
    let interrupt = crate::interrupt::any();
    tokio::pin!(interrupt);
    app.input = Input::BuiltIn(BUNDLE);
    // The recording is not the user's.
    app.settings = settings::Found::nothing();
    prose(app, OPENING)?;
    for (number, (why, words)) in SCRIPT.iter().enumerate() {
        if number > 0 && !next(app, interrupt.as_mut()).await? {
            return Ok(Code::Ok);
        }
        app.ui.result("")?;
        prose(app, why)?;
        command(app, &Command::skvs(*words), "$ ")?;
        app.ui.flush()?;
        step(app, words).await?;
        app.ui.flush()?;
    }
    app.ui.result("")?;
    prose(app, CLOSING)?;
    for words in [&["list"][..], &["troubleshoot"]] {
        command(app, &Command::skvs(words), "  ")?;
    }
    prose(app, "Without one, in this repository:")?;
    command(app, &Command::new(["cargo", "sandbox"]), "  ")?;
    Ok(Code::Ok)
}

/// Runs one command on the bundle. Findings are what the demo is about.
async fn step(app: &mut App, words: &[&str]) -> Result<Code> {
    let argv = ["kubectl-skvs"].iter().chain(words).chain(&["-f", "-"]);
    let read = |_: clap::Error| {
        // Only a change of the program makes it so.
        Error::new(format!(
            "the demo's own command is wrong: {}",
            words.join(" ")
        ))
    };
    let matches = app
        .grammar
        .bare()
        .try_get_matches_from(argv)
        .map_err(read)?;
    let command = super::Command::from_arg_matches(&matches).map_err(read)?;
    // Flags that lead to a cluster have no meaning here.
    app.global = GlobalArgs::from_arg_matches(&matches).map_err(read)?;
    match Box::pin(super::run(app, command)).await? {
        Code::Ok | Code::Findings => Ok(Code::Ok),
        code => Err(Error::silent(code)),
    }
}

/// Waits for Enter where a person reads along; false when that person has seen enough.
async fn next(app: &mut App, interrupt: Pin<&mut (dyn Future<Output = ()> + '_)>) -> Result<bool> {
    let terminal = app.ui.terminal();
    if !(terminal.stdin && terminal.stdout && terminal.stderr) {
        return Ok(true);
    }
    app.ui.result("")?;
    app.ui.flush()?;
    match ask(
        &Shown::line("Press Enter to continue, Ctrl-C to stop"),
        interrupt,
    )
    .await
    {
        Ok(Answer::Line(_)) => Ok(true),
        Ok(Answer::End) => Ok(false),
        Ok(Answer::Interrupted) => Err(Error::silent(Code::Interrupted)),
        Err(error) => Err(error.into()),
    }
}

fn prose(app: &mut App, text: &str) -> Result<()> {
    for line in fold(text, app.ui.terminal().prose(), "", "") {
        app.ui.result(line)?;
    }
    Ok(())
}

/// A command line that can be pasted.
fn command(app: &mut App, command: &Command, before: &'static str) -> Result<()> {
    let line = command.at(&Origin::default());
    let line = app.ui.palette().command(shown!("{line}"));
    app.ui.result(Shown::from(before).and(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::read::GzDecoder;
    use flate2::write::GzEncoder;
    use std::collections::BTreeMap;
    use std::io::Read;
    use std::path::{Path, PathBuf};

    type Files = BTreeMap<String, Vec<u8>>;

    fn path(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples")
            .join(name)
    }

    fn folder() -> Files {
        let root = path("three-of-four-fail");
        let mut files = Files::new();
        for folder in ["", "answers/"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_file() {
                    let name = format!("{folder}{}", entry.file_name().to_str().unwrap());
                    files.insert(name, std::fs::read(entry.path()).unwrap());
                }
            }
        }
        files
    }

    fn packed(files: &Files) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, bytes.as_slice())
                .unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    /// `BLESS=1 cargo test --lib demo` packs it again.
    #[test]
    fn the_bundle_is_the_example() {
        let folder = folder();
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path("three-of-four-fail.tar.gz"), packed(&folder)).unwrap();
            return;
        }
        let mut files = Files::new();
        for entry in tar::Archive::new(GzDecoder::new(BUNDLE)).entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_str().unwrap().to_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.insert(name, bytes);
        }
        assert!(
            files == folder,
            "BLESS=1 cargo test --lib demo packs the example again"
        );
    }
}
