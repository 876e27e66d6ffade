//! The clusters that `lint --installed` compares with, and which folder of the repository is for which.

use super::Args;
use crate::app::App;
use crate::app::fleet::{Answers, Fleet};
use crate::diagnosis::lint::onboarding::Cluster;
use crate::diagnosis::lint::{Installed, Repository};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::cluster_folder;
use crate::triage::installed;
use crate::triage::lint::LeftOut;
use std::collections::BTreeSet;

/// What was read.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) installed: Vec<Installed>,
    /// Contexts that no folder is for, and folders that no context is for.
    pub(super) left_out: Vec<LeftOut>,
    /// The messages and codes of several clusters.
    pub(super) answers: Option<Answers<Installed>>,
}

/// Reads what each cluster has of the manifests that are for it.
///
/// # Errors
/// It is not clear which manifests are for a cluster, or the one cluster cannot be reached.
pub(super) async fn read(app: &mut App, args: &Args, repository: &Repository<'_>) -> Result<Asked> {
    if let Some(fleet) = args.contexts.fleet(app)? {
        return several(app, args, repository, fleet).await;
    }
    let folder = folder(args, repository)?;
    let cluster = app.cluster().await?;
    let read = installed::read(&cluster, repository, folder).await;
    Ok(Asked {
        installed: vec![read],
        ..Asked::default()
    })
}

async fn several(
    app: &mut App,
    args: &Args,
    repository: &Repository<'_>,
    mut fleet: Fleet,
) -> Result<Asked> {
    let left_out = left_out(args, repository, &mut fleet)?;
    let folders = folders(args, repository, fleet.names())?;
    let answers = fleet
        .ask(app, async |_, cluster| {
            let context = cluster.origin().context();
            let folder = folders.iter().find(|(name, _)| Some(*name) == context);
            let (_, folder) = folder.ok_or_else(|| Error::new("no folder is for this context"))?;
            let read = installed::read(cluster, repository, Some(folder)).await;
            Ok((read, Code::Ok))
        })
        .await?;
    let installed = answers.iter().zip(&folders);
    let installed = installed.map(|(answer, (_, folder))| match &answer.seen {
        Ok(installed) => installed.clone(),
        Err(why) => Installed::unread(&answer.context, folder, repository, why),
    });
    Ok(Asked {
        installed: installed.collect(),
        left_out,
        answers: Some(answers),
    })
}

/// Of all contexts, leaves out those that have no folder of their name, since a kubeconfig may have more clusters than the repository, and says
/// which folders have no context. A context that is named is an error instead: its folder may have another name, which only the user can say.
fn left_out(args: &Args, repository: &Repository<'_>, fleet: &mut Fleet) -> Result<Vec<LeftOut>> {
    if !args.contexts.is_all() || !args.for_cluster.is_empty() {
        return Ok(Vec::new());
    }
    let named = named(repository);
    let without = fleet.keep(|context| named.contains(context));
    if fleet.names().is_empty() {
        let error = Error::usage("no context has the name of a folder with onboardings");
        let error = error.hint(format!("the contexts are {}", without.join(", ")));
        return Err(match named.is_empty() {
            true => error.hint(without_manifests(args, repository)),
            false => error.hint(format!("the folders are {}; name the contexts with --contexts, and in the same order the folders with --for-cluster", list(&named))),
        });
    }
    let contexts = fleet.names();
    let of_none = |folder: &&&str| !contexts.iter().any(|context| context == **folder);
    let folders = named.iter().filter(of_none);
    let left_out = [
        LeftOut {
            what: "context",
            names: without,
            why: "no manifest that was read is for it",
        },
        LeftOut {
            what: "folder",
            names: folders.map(ToString::to_string).collect(),
            why: "no context of this name",
        },
    ];
    let left_out = left_out.into_iter().filter(|left| !left.names.is_empty());
    Ok(left_out.collect())
}

/// The folder for each context: those that are named, in the same order, else those of the contexts' names.
fn folders<'a>(
    args: &'a Args,
    repository: &Repository<'_>,
    contexts: &'a [String],
) -> Result<Vec<(&'a str, &'a str)>> {
    let named = named(repository);
    let folders = match args.for_cluster.as_slice() {
        [] => contexts,
        folders => folders,
    };
    if args.contexts.is_all() && !args.for_cluster.is_empty() {
        let error = "--all-contexts compares each context with the folder of its name";
        return Err(Error::usage(error).hint(
            "name the contexts with --contexts, and in the same order the folders with --for-cluster",
        ));
    }
    if folders.len() != contexts.len() {
        return Err(Error::usage(
            "--for-cluster must name one folder for each of --contexts, in the same order",
        ));
    }
    for (at, folder) in folders.iter().enumerate() {
        if !named.contains(folder.as_str()) {
            let error = no_manifest(args, repository, folder, &named);
            return Err(match args.for_cluster.is_empty() {
                true => error.hint("if folders and contexts differ, name the contexts with --contexts, and in the same order the folders with --for-cluster"),
                false => error,
            });
        }
        if folders[..at].contains(folder) {
            let twice = format!("--for-cluster names {folder} for two contexts");
            return Err(Error::usage(twice));
        }
    }
    let folders = folders.iter().map(String::as_str);
    Ok(contexts.iter().map(String::as_str).zip(folders).collect())
}

/// The clusters that manifests are for, as far as their paths say so.
fn named<'r>(repository: &'r Repository<'_>) -> BTreeSet<&'r str> {
    let named = repository.onboardings.iter();
    let named = named.filter_map(|o| match o.cluster {
        Cluster::Named(name) => Some(name),
        Cluster::Folder(_) => None,
    });
    named.collect()
}

/// The clusters of everything that was read, with manifests or without.
fn folders_of<'r>(args: &Args, repository: &'r Repository<'_>) -> BTreeSet<&'r str> {
    let paths = repository.tree.paths();
    paths.filter_map(|path| args.layout.cluster(path)).collect()
}

fn list(named: &BTreeSet<&str>) -> String {
    named.iter().copied().collect::<Vec<&str>>().join(", ")
}

fn no_manifest(
    args: &Args,
    repository: &Repository<'_>,
    folder: &str,
    named: &BTreeSet<&str>,
) -> Error {
    if let Some(unread) = cluster_folder::unread(&args.layout, repository.tree, folder) {
        return Error::new(format!(
            "cannot tell whether a manifest is for the cluster {folder}: {unread}"
        ));
    }
    let error = Error::usage(format!("no manifest is for the cluster {folder}"));
    error.hint(match named.is_empty() {
        true => without_manifests(args, repository),
        false => format!("the manifests are for {}", list(named)),
    })
}

/// Why no manifest is for a cluster.
fn without_manifests(args: &Args, repository: &Repository<'_>) -> String {
    let folders = folders_of(args, repository);
    match folders.is_empty() {
        true => "no path follows --layout".to_owned(),
        false => format!(
            "no onboarding was read in the folders of {}",
            list(&folders)
        ),
    }
}

/// The folder of the one cluster; `None` where every manifest is for it.
fn folder<'a>(args: &'a Args, repository: &'a Repository<'_>) -> Result<Option<&'a str>> {
    let named = named(repository);
    match (args.for_cluster.as_slice(), named.len()) {
        ([folder], _) if named.contains(folder.as_str()) => Ok(Some(folder)),
        ([folder], _) => Err(no_manifest(args, repository, folder, &named)),
        ([_, _, ..], _) => Err(Error::usage(
            "--installed compares with one cluster, and --for-cluster names several",
        )
        .hint("name as many contexts with --contexts")),
        ([], 1) if folders_of(args, repository).len() < 2 => Ok(named.first().copied()),
        ([], 0) => {
            let folders = repository.onboardings.iter().map(|o| o.manifest.folder());
            if folders.collect::<BTreeSet<&str>>().len() > 1 {
                return Err(Error::usage(
                    "--installed compares with one cluster, and no path says which cluster a manifest is for",
                )
                .hint("say where a cluster's onboardings are with --layout, or name one folder"));
            }
            Ok(None)
        }
        ([], _) => Err(Error::usage(
            "--installed compares with one cluster, and the repository has several",
        )
        .hint(format!(
            "name this cluster's folder with --for-cluster: {}",
            list(&folders_of(args, repository))
        ))),
    }
}
