//! Manifests among saved files: no cluster has seen them, so they are linted instead of diagnosed.

use super::Args;
use crate::advice::Command;
use crate::app::App;
use crate::cluster::Cluster;
use crate::cluster::helm_releases::Query;
use crate::diagnosis::lint::onboarding::is_onboarding;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::lookup;
use crate::model::convention::PREFIX;
use crate::model::helm_release::HelmRelease;
use crate::render::output::{FindingsFormat, LintFormat};
use crate::repository::{Tree, folder};
use crate::text::{count, one_line};
use crate::triage::Picked;
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

/// Adds the manifests that the list by the label leaves out: to lack it is one of the mistakes that lint finds. A list that cannot be read has
/// its error already.
pub(super) async fn add_unlabelled(app: &App, cluster: &Cluster, args: &Args, picked: &mut Picked) {
    if args.selector.is_some() {
        return;
    }
    let answers = picked.answers.iter().enumerate();
    let missing = answers.filter(|(_, a)| a.as_ref().is_err_and(Error::is_not_found));
    let missing: Vec<usize> = missing.map(|(at, _)| at).collect();
    let query = Query {
        namespace: app.namespace().filter(|_| !args.all_namespaces),
        selector: String::new(),
    };
    let all = cluster.whole_helm_releases(&query, Vec::new, |found, object: Value| {
        found.extend(is_manifest(&object).then_some(object));
    });
    for object in all.await.unwrap_or_default() {
        let Ok(hr) = HelmRelease::from_value(&object) else {
            continue;
        };
        if !hr.installs_onboarding_chart() && !hr.metadata.name.starts_with(PREFIX) {
            continue;
        }
        let mut is_meant = args.names.is_empty();
        for at in &missing {
            if lookup::is_meant(&args.names[*at..=*at], &hr) {
                picked.answers[*at] = Ok(());
                is_meant = true;
            }
        }
        if is_meant && !picked.objects.contains(&object) {
            picked.objects.push(object);
        }
    }
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
    let all = tree.manifests.iter();
    let all = all.filter(|m| is_onboarding(m, &conventions.mark));
    let ids: Vec<(&str, &str)> = all
        .map(|m| {
            let namespace = m.text(&["metadata", "namespace"]);
            (namespace.unwrap_or_default(), m.name())
        })
        .collect();
    // Of each name the folders of several clusters can have one.
    let of = |(namespace, name): &(String, String)| {
        let all = ids.iter();
        all.filter(|id| **id == (namespace, name)).count() as u64
    };
    if let Some((_, name)) = subjects.iter().find(|subject| of(subject) == 0) {
        let hint = Command::skvs(["lint", "FILE"]).after("check it in its own file:");
        return Err(Error::new(format!(
            "{} is a manifest, without uid and status, and not among the onboardings that lint reads in these files",
            one_line(name)
        ))
        .hint(hint));
    }
    let (what, them, they_are) = match subjects.iter().map(of).sum() {
        1 => ("The file holds a manifest".to_owned(), "it", "it is"),
        n => (
            format!("The files hold {}", count(n, "manifest")),
            "them",
            "they are",
        ),
    };
    app.ui.status(crate::text::shown!(
        "{what}, without uid and status: no cluster has seen {them}, so {they_are} checked as lint does:"
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
