//! Makes the guided tour: runs each of [`STOPS`] on the sandbox and shows its real output.

use std::{
    ffi::OsStr,
    io::{self, Write as _},
};

use testbed::{
    Error, Result, Sandbox,
    tour::{BACKUP, BUNDLE, CONTEXT, REPOSITORY, STOPS},
};

use crate::{shell, tools};

/// Makes every stop; the tour fails if one ended otherwise than it must.
pub(crate) fn run(sandbox: &Sandbox, path: &OsStr) -> Result<u8> {
    let mut wrong = Vec::new();
    let bundle = sandbox.run_dir().join("onboarding.tar.gz");
    let bundle = bundle.to_string_lossy();
    let backup = sandbox.run_dir().join("orphan_db.skvs.gz");
    let backup = backup.to_string_lossy();
    for stop in STOPS {
        let argv = stop.argv.iter().map(|&word| match word {
            CONTEXT => sandbox.context(),
            BUNDLE => &bundle,
            BACKUP => &backup,
            REPOSITORY => concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/gitops"),
            _ => word,
        });
        let argv: Vec<&str> = argv.collect();
        let line = argv.join(" ");
        say(&format!("\n# {}\n$ {line}", stop.title))?;
        let code = shell::finish(
            tools::command(sandbox, path, argv[0]).args(&argv[1..]),
            argv[0],
        )?;
        if code != 0 {
            say(&format!("(exit code {code})"))?;
        }
        if code != stop.exit {
            wrong.push(format!(
                "{line}: exit code {code} in the place of {}",
                stop.exit
            ));
        }
    }
    if wrong.is_empty() {
        return Ok(0);
    }
    Err(Error::Other(format!(
        "the tour went wrong:\n  {}",
        wrong.join("\n  ")
    )))
}

fn say(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(|error| tools::failed("write to stdout", &error))
}
