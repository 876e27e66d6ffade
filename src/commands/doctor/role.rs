//! `--role`: the manifest with the rights of commands, ready to be applied. No cluster is asked.

use super::Args;
use crate::app::App;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::model::role::{Manifest, Places, TARGET};
use crate::text;

/// Prints the manifests of the commands that `--role` names, each once.
///
/// # Errors
/// A name that no object can have, and what the output says.
pub(super) fn print(app: &mut App, args: &Args) -> Result<Code> {
    let mut targets = args.target_namespace.clone();
    if targets.is_empty() {
        targets.push(TARGET.to_owned());
    }
    targets.sort();
    targets.dedup();
    let places = args.places(app, targets);
    let Places {
        onboardings,
        targets,
        couchdb,
    } = &places;
    let names = [onboardings, couchdb, &args.group];
    for name in names.into_iter().chain(targets) {
        if text::line(name) != *name {
            let shown = text::line(name);
            return Err(Error::usage(format!("{shown:?} is not a name")));
        }
    }
    let mut commands: Vec<&str> = args.role.iter().map(String::as_str).collect();
    commands.sort_unstable();
    commands.dedup();
    let all = commands.into_iter().filter_map(Manifest::of);
    let all: Vec<String> = all.map(|m| m.text(&places, &args.group)).collect();
    app.ui.machine().write_all(all.join("---\n").as_bytes())?;
    Ok(Code::Ok)
}
