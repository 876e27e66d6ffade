//! The guided tour: every command of the plugin on the sandbox's onboardings, with its real output.

use std::{
    ffi::OsStr,
    io::{self, Write as _},
};

use testbed::{Error, Result, Sandbox};

use crate::{shell, tools};

/// Stands for the name of the sandbox's context.
const CONTEXT: &str = "CONTEXT";

/// One stop: what it shows, what is run, and how that must end.
struct Stop {
    title: &'static str,
    argv: &'static [&'static str],
    exit: u8,
}

const STOPS: &[Stop] = &[
    Stop {
        title: "All onboardings, with what is wrong in one line",
        argv: &["kubectl", "skvs", "list"],
        exit: 0,
    },
    Stop {
        title: "Everything about one: values, release, conditions, history",
        argv: &[
            "kubectl",
            "skvs",
            "describe",
            "skvs-onboarding-pds--database",
        ],
        exit: 0,
    },
    Stop {
        title: "Why an onboarding fails (exit code 3: errors were found)",
        argv: &[
            "kubectl",
            "skvs",
            "troubleshoot",
            "skvs-onboarding-iota--database",
        ],
        exit: 3,
    },
    Stop {
        title: "The release notes, which have the endpoint",
        argv: &["kubectl", "skvs", "notes", "skvs-onboarding-pds--database"],
        exit: 0,
    },
    Stop {
        title: "The message for the team that asked",
        argv: &[
            "kubectl",
            "skvs",
            "notes",
            "skvs-onboarding-pds--database",
            "--share",
        ],
        exit: 0,
    },
    Stop {
        title: "What a diagnosis means",
        argv: &["kubectl", "skvs", "explain", "SKVS301"],
        exit: 0,
    },
    Stop {
        title: "A database that an onboarding claims is not deleted (exit code 4: refused)",
        argv: &[
            "kubectl",
            "skvs",
            "delete-db",
            "pds_database",
            "--context",
            CONTEXT,
            "--confirm",
            "pds_database",
        ],
        exit: 4,
    },
    Stop {
        title: "One whose onboarding is gone is",
        argv: &[
            "kubectl",
            "skvs",
            "delete-db",
            "orphan_db",
            "--context",
            CONTEXT,
            "--confirm",
            "orphan_db",
        ],
        exit: 0,
    },
];

/// Makes every stop; the tour fails if one ended otherwise than it must.
pub(crate) fn run(sandbox: &Sandbox, path: &OsStr) -> Result<u8> {
    let mut wrong = Vec::new();
    for stop in STOPS {
        let argv = stop.argv.iter().map(|&word| {
            if word == CONTEXT {
                sandbox.context()
            } else {
                word
            }
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
