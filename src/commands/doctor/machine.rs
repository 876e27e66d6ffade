//! This machine: which file kubectl runs, what takes a command's place, completion, and the programs that some commands run.

use crate::advice::{Command, Origin};
use crate::completion;
use crate::error::Result;
use crate::helm::Helm;
use crate::programs::{self, Folders, shadow};
use crate::repository::git;
use crate::settings;
use crate::view::doctor::{Area, Check, State};
use std::path::Path;

/// Under this name kubectl runs the plugin.
const PLUGIN: &str = "kubectl-skvs";
/// Under this one it asks for completions.
const COMPLETION: &str = "kubectl_complete-skvs";

/// The checks; `root` is the grammar of the command line, `usable` whether the settings in force can be used.
pub(super) async fn checks(
    root: clap::Command,
    found: &settings::Found,
    usable: Result<()>,
) -> Vec<Check> {
    let folders = Folders::of_path();
    let mut all = vec![plugin(&folders)];
    all.extend(shadows(shadow::all(&root)));
    all.push(of_settings(found, usable));
    all.push(of_completion(&folders));
    all.push(helm().await);
    all.push(git());
    all
}

fn check(subject: &str, state: State, message: impl AsRef<str>) -> Check {
    Check::new(Area::Machine, subject, state, message)
}

/// Whether a file is this program.
enum Identity {
    This,
    Another,
    Unknown(String),
}

fn identity(file: &Path) -> Identity {
    let same = std::env::current_exe().and_then(|own| programs::are_one(&own, file));
    match same {
        Ok(true) => Identity::This,
        Ok(false) => Identity::Another,
        Err(error) => Identity::Unknown(crate::error::io_words(&error)),
    }
}

fn plugin(folders: &Folders) -> Check {
    let Some(file) = folders.first(PLUGIN) else {
        let why = format!("{PLUGIN} is not on PATH, so kubectl does not know it");
        let next = "put the folder of this program on PATH";
        return check("plugin", State::Warning, why).next(next, &Origin::default());
    };
    let shown = file.display();
    match identity(&file) {
        Identity::This => check(
            "plugin",
            State::Ok,
            format!("kubectl runs {shown}, which is this program"),
        ),
        Identity::Another => {
            let why = format!("kubectl runs {shown}, which is not this program");
            check("plugin", State::Warning, why)
        }
        Identity::Unknown(why) => {
            let why =
                format!("kubectl runs {shown}; whether it is this program is not known: {why}");
            check("plugin", State::NotKnown, why)
        }
    }
}

fn shadows(shadow::Shadows { found, unlisted }: shadow::Shadows) -> Vec<Check> {
    const SUBJECT: &str = "other plugins";
    let found = found.iter().map(|shadow| {
        let next = "remove or rename it, unless it is meant to";
        check(SUBJECT, State::Failed, shadow.sentence()).next(next, &Origin::default())
    });
    let unlisted = unlisted
        .iter()
        .map(|why| check(SUBJECT, State::NotKnown, why));
    let all: Vec<Check> = found.chain(unlisted).collect();
    match all.is_empty() {
        true => vec![check(
            SUBJECT,
            State::Ok,
            "none takes the place of a command",
        )],
        false => all,
    }
}

fn of_settings(found: &settings::Found, usable: Result<()>) -> Check {
    const SUBJECT: &str = "settings";
    let path = found.path.as_ref().map(|path| path.display().to_string());
    let next = match &found.settings {
        Err(_) => "correct the file, see docs/configuration.md",
        Ok(_) => "correct it, see docs/configuration.md",
    };
    match (usable, path) {
        (Err(error), _) => {
            check(SUBJECT, State::Failed, error.message()).next(next, &Origin::default())
        }
        (Ok(()), Some(path)) if found.exists => check(SUBJECT, State::Ok, path),
        (Ok(()), _) => check(SUBJECT, State::Ok, "no file, so the defaults"),
    }
}

fn of_completion(folders: &Folders) -> Check {
    const SUBJECT: &str = "completion";
    let install = Command::skvs(["completion", "kubectl"]);
    let install = install.after(format!("save as {COMPLETION} on PATH, executable:"));
    let origin = Origin::default();
    let Some(file) = folders.first(COMPLETION) else {
        let why =
            format!("{COMPLETION} is not on PATH, so kubectl completes nothing of this plugin");
        return check(SUBJECT, State::Warning, why).next(install, &origin);
    };
    let shown = file.display();
    let is_ours = match identity(&file) {
        Identity::This => return check(SUBJECT, State::Ok, format!("{shown} is this program")),
        Identity::Unknown(why) => {
            return check(SUBJECT, State::NotKnown, format!("{shown}: {why}"));
        }
        Identity::Another => programs::holds(&file, completion::FOR_KUBECTL.as_bytes()),
    };
    match is_ours {
        Err(error) => {
            let why = format!("{shown}: {}", crate::error::io_words(&error));
            check(SUBJECT, State::NotKnown, why)
        }
        Ok(false) => {
            let why = format!("{shown} is another program; whether it runs this one is not known");
            check(SUBJECT, State::NotKnown, why).next(install, &origin)
        }
        // The script runs the plugin that is on PATH.
        Ok(true) => match folders.first(PLUGIN).map(|plugin| identity(&plugin)) {
            Some(Identity::This) => check(SUBJECT, State::Ok, format!("{shown} runs this program")),
            Some(Identity::Another) => {
                let why = format!("{shown} runs another {PLUGIN}, which comes first on PATH");
                check(SUBJECT, State::Warning, why)
            }
            Some(Identity::Unknown(why)) => {
                check(SUBJECT, State::NotKnown, format!("{shown}: {why}"))
            }
            None => {
                let why = format!("{shown} runs {PLUGIN}, which is not on PATH");
                check(SUBJECT, State::Warning, why)
            }
        },
    }
}

async fn helm() -> Check {
    let Some(helm) = Helm::find() else {
        let why = "not on PATH; retry needs it to remove a failed release";
        let next = "install Helm 3 or 4";
        return check("helm", State::Warning, why).next(next, &Origin::default());
    };
    let file = helm.path().display();
    match helm.version().await {
        Ok(version) => check("helm", State::Ok, format!("{version}, {file}")),
        Err(why) => {
            let why = format!("{file} cannot be run, which retry needs: {why}");
            check("helm", State::Warning, why)
        }
    }
}

fn git() -> Check {
    match git::version() {
        Ok(version) => check("git", State::Ok, version),
        Err(why) => check(
            "git",
            State::Warning,
            format!("{why}; lint --diff-base needs it"),
        ),
    }
}
