//! Manifests among saved files: no cluster has seen them, so they are linted instead of diagnosed.

use super::Args;
use crate::advice::Command;
use crate::app::App;
use crate::diagnosis::lint::onboarding::is_onboarding;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::render::output::{FindingsFormat, LintFormat};
use crate::repository::{Tree, folder};
use crate::text::{count, one_line};
use crate::triage::lint::{self, Compared, Subjects};
use serde_json::Value;

/// Whether an object is as it is in a repository: every server gives it a uid, and Flux a status.
fn is_manifest(object: &Value) -> bool {
    let uid = object.pointer("/metadata/uid").and_then(Value::as_str);
    let status = object.get("status").and_then(Value::as_object);
    uid.is_none_or(str::is_empty) && status.is_none_or(serde_json::Map::is_empty)
}

/// Takes the manifests out of what was picked of saved files.
pub(super) fn taken_out(objects: &mut Vec<Value>) -> Vec<Value> {
    let all = std::mem::take(objects);
    let (manifests, saved) = all.into_iter().partition(is_manifest);
    *objects = saved;
    manifests
}

/// What is said of manifests beside saved objects, which alone are diagnosed.
pub(super) fn left_out(manifests: &[Value]) -> Vec<Error> {
    let name = |m: &Value| {
        m.pointer("/metadata/name")
            .and_then(Value::as_str)
            .map(one_line)
    };
    let error = |m: &Value| {
        let name = name(m).unwrap_or_default();
        Error::new(format!("{name} is a manifest, without uid and status: no cluster has seen it, so it was not diagnosed"))
            .hint(Command::skvs(["lint", "FILE"]).after("check it in its own file:"))
    };
    manifests.iter().map(error).collect()
}

/// Lints these manifests in the files that were named.
///
/// # Errors
/// As `lint`; or the files cannot be read again.
pub(super) fn lint(app: &mut App, args: &Args, manifests: &[Value]) -> Result<Code> {
    let format = match args.format.output {
        FindingsFormat::Text => LintFormat::Text,
        FindingsFormat::Json => LintFormat::Json,
        FindingsFormat::Yaml => LintFormat::Yaml,
        FindingsFormat::Github => LintFormat::Github,
        FindingsFormat::Sarif => LintFormat::Sarif,
        FindingsFormat::Markdown => return Err(unavailable("markdown")),
        FindingsFormat::Html => return Err(unavailable("html")),
    };
    let paths = args.saved.paths();
    if paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(Error::new("standard input holds manifests, without uid and status: no cluster has seen them, so nothing can be diagnosed")
            .hint(Command::skvs(["lint", "FILE"]).after("check them in their files:")));
    }
    let mut files = folder::load(paths)?;
    if !args.saved.is_recursive() {
        files.keep_tops(paths);
    }
    let text = |m: &Value, key: &str| {
        m.pointer(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let subjects = manifests
        .iter()
        .map(|m| (text(m, "/metadata/namespace"), text(m, "/metadata/name")));
    let subjects: Vec<(String, String)> = subjects.collect();
    let conventions = app.conventions(&app.settings.settings.clone()?.layout())?;
    let tree = Tree::parse(files, &conventions.layout);
    let is_checked = |(namespace, name): &(String, String)| {
        let all = tree.manifests.iter();
        let all = all.filter(|m| is_onboarding(m, &conventions.mark));
        let mut ids = all.map(|m| (m.text(&["metadata", "namespace"]), m.name()));
        ids.any(|id| id == (Some(namespace.as_str()).filter(|n| !n.is_empty()), name))
    };
    if let Some((_, name)) = subjects.iter().find(|subject| !is_checked(subject)) {
        let hint = Command::skvs(["lint", "FILE"]).after("check it in its own file:");
        return Err(Error::new(format!(
            "{} is a manifest, without uid and status, and not among the onboardings that lint reads in these files",
            one_line(name)
        ))
        .hint(hint));
    }
    let what = match manifests.len() {
        1 => "The file holds a manifest".to_owned(),
        n => format!("The files hold {}", count(n as u64, "manifest")),
    };
    app.ui.status(crate::text::shown!(
        "{what}, without uid and status: no cluster has seen {}, so {} checked as lint does:",
        if manifests.len() == 1 { "it" } else { "them" },
        if manifests.len() == 1 {
            "it is"
        } else {
            "they are"
        }
    ));
    lint::check(
        app,
        &tree,
        Compared::default(),
        &lint::Wishes {
            conventions: &conventions,
            gate: &args.gate,
            format,
            subjects: Subjects::These(subjects),
            paths,
        },
    )
}

/// A format that `lint` does not have.
fn unavailable(format: &str) -> Error {
    Error::usage(format!(
        "-o {format} is not available for manifests: use text, json, yaml, github or sarif"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_without_uid_and_status_is_a_manifest() {
        for object in [
            json!({"metadata": {"name": "a"}}),
            json!({"metadata": {"name": "a", "uid": ""}, "status": {}}),
            json!({"metadata": {"name": "a"}, "status": null}),
        ] {
            assert!(is_manifest(&object), "{object}");
        }
        for object in [
            json!({"metadata": {"name": "a", "uid": "1"}}),
            json!({"metadata": {"name": "a"}, "status": {"observedGeneration": -1}}),
        ] {
            assert!(!is_manifest(&object), "{object}");
        }
    }
}
