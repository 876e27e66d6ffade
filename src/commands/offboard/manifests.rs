//! The manifests of the repository that declare an onboarding, and whether all that could were read.

use super::Args;
use crate::diagnosis::lint::Repository;
use crate::diagnosis::lint::onboarding::{Cluster, Onboarding, PATCHES};
use crate::diagnosis::offboarding::{Declared, Id, Manifests, Subject};
use crate::model::onboarding::Values;
use crate::model::ownership::loose;
use crate::repository::folder;
use crate::repository::removal::Removal;
use crate::repository::tree::Standing;
use crate::repository::{Manifest, Tree};
use crate::snapshot::{Listing, Why};
use crate::text::one_line;
use std::collections::BTreeSet;
use std::path::Path;

/// Finds them.
pub(super) fn find(
    args: &Args,
    repository: &Repository<'_>,
    subject: &Subject,
    namespace: &str,
) -> Manifests {
    let repo = args.repo.as_deref().unwrap_or(Path::new("."));
    let tree = repository.tree;
    let is_here = |o: &&Onboarding<'_>| match (&args.for_cluster, o.cluster) {
        (Some(wanted), Cluster::Named(is)) => wanted == is,
        // It may be of any cluster.
        (Some(_), Cluster::Folder(_)) | (None, _) => true,
    };
    let here: Vec<&Onboarding<'_>> = repository.onboardings.iter().filter(is_here).collect();
    let is_seen = here.iter().any(|o| match &args.for_cluster {
        Some(wanted) => o.cluster == Cluster::Named(wanted),
        None => true,
    });
    let mut found = Listing::new(Vec::new(), not_all(args, tree, is_seen));
    for onboarding in &here {
        let (own, name) = onboarding.id();
        let own = if own.is_empty() { namespace } else { own };
        let id = Id::new(own, name);
        let database = onboarding.names();
        let joined = database.as_ref().ok().and_then(Option::as_ref);
        let joined = joined.map(|names| names.joined());
        let is_it = joined.as_deref() == Some(subject.database.as_str());
        if is_it || (subject.certain && id == subject.id) {
            let mut removal = Removal::of(tree, repo, onboarding.manifest);
            let cluster = match onboarding.cluster {
                Cluster::Named(cluster) => Some(cluster.to_owned()),
                Cluster::Folder(_) => None,
            };
            // What another cluster applies is not removed for this one.
            let this = args.for_cluster.as_deref().or(cluster.as_deref());
            let of = |file: &str| {
                this.zip(args.layout.cluster(file))
                    .map(|(this, is)| this == is)
            };
            let appliers = tree.appliers(&onboarding.manifest.file);
            let foreign = appliers.iter().find(|k| of(&k.file) == Some(false));
            let stays_for = foreign.map(|k| k.file.clone());
            if stays_for.is_some() {
                if !appliers.iter().any(|k| of(&k.file) == Some(true)) {
                    // Only another cluster applies it.
                    continue;
                }
                removal.lists.retain(|list| of(&list.file) == Some(true));
            }
            found.extend(Listing::whole(vec![Declared {
                file: onboarding.manifest.file.clone(),
                line: onboarding.manifest.place(&["metadata", "name"]).line,
                cluster,
                id,
                removal,
                stays_for,
            }]));
        } else if joined.is_none() {
            let why = match database {
                Err(unread) => unread.why,
                Ok(_) => "its values do not say it".to_owned(),
            };
            found.lacks(Some(Why::NotAsked(format!(
                "which database {} declares is not known: {why}",
                one_line(&onboarding.manifest.file)
            ))));
        }
    }
    // A HelmRelease that is not recognised as an onboarding may still be this one.
    let is_onboarding = |m: &&Manifest| {
        let mut all = repository.onboardings.iter();
        all.any(|o| std::ptr::eq(o.manifest, *m))
    };
    for manifest in tree.manifests.iter().filter(|m| !is_onboarding(m)) {
        let own = manifest
            .text(&["metadata", "namespace"])
            .unwrap_or(namespace);
        let values = manifest
            .at(&["spec", "values"])
            .map(Values::parse)
            .unwrap_or_default();
        let joined = values.namespace.zip(values.database);
        let is_it = joined
            .is_some_and(|(n, d)| loose(&format!("{n}_{d}")) == loose(subject.database.as_str()));
        if is_it || Id::new(own, manifest.name()) == subject.id {
            found.lacks(Some(Why::NotAsked(format!(
                "{} has a HelmRelease that may be it, and is not recognised as an onboarding",
                one_line(&manifest.file)
            ))));
        }
    }
    Manifests {
        folder: folder::shown(repo),
        found,
        looked_at: here.len(),
        cluster: args.for_cluster.clone(),
        several: {
            let files = tree.manifests.iter().map(|m| m.file.as_str());
            let files = files.chain(tree.kustomizations.iter().map(|k| k.file.as_str()));
            let clusters = files.filter_map(|file| args.layout.cluster(file));
            clusters.collect::<BTreeSet<&str>>().len() > 1
        },
    }
}

/// Why not all manifests are known that may declare it. `is_seen`: the cluster's folder has an onboarding.
fn not_all(args: &Args, tree: &Tree, is_seen: bool) -> Option<Why> {
    let is_here = |file: &str| match (&args.for_cluster, args.layout.cluster(file)) {
        (Some(wanted), Some(is)) => wanted == is,
        _ => true,
    };
    if tree.alone {
        let why = "a single file was named: what is beside it was not read";
        return Some(Why::NotAsked(why.to_owned()));
    }
    if let Some(file) = tree.not_known.iter().find(|n| is_here(&n.file)) {
        let (file, why) = (one_line(&file.file), one_line(&file.why));
        return Some(Why::Failed(format!("{file} is not known: {why}")));
    }
    let kustomizations = tree.kustomizations.iter().filter(|k| is_here(&k.file));
    for kustomization in kustomizations.clone() {
        let file = one_line(&kustomization.file);
        let applies = tree.manifests.iter().any(|m| {
            let mut appliers = tree.appliers(&m.file).into_iter();
            appliers.any(|k| std::ptr::eq(k, kustomization))
        });
        if let Some(key) = PATCHES.iter().find(|key| applies && kustomization.has(key)) {
            let why = format!("{key} of {file} may change what a manifest declares");
            return Some(Why::NotAsked(why));
        }
        if let Some((_, key)) = kustomization.brings_files() {
            let why = format!("{key} of {file} may bring manifests that it does not list");
            return Some(Why::NotAsked(why));
        }
        for listed in &kustomization.listed {
            let why = match tree.standing(listed) {
                Standing::Read => continue,
                Standing::Missing => "it does not exist here",
                Standing::NotRead(why) => why,
            };
            let entry = one_line(&listed.entry);
            return Some(Why::NotAsked(format!(
                "{entry} of {file} was not read: {why}"
            )));
        }
    }
    // A folder without any may be the wrong one.
    let is_the_clusters = |file: &str| args.layout.cluster(file).is_some();
    let mut kustomizations = kustomizations;
    if !is_seen && !kustomizations.any(|k| is_the_clusters(&k.file)) {
        let cluster = args.for_cluster.as_deref().unwrap_or("<cluster>");
        let place = one_line(&args.layout.folder(cluster));
        return Some(Why::NotAsked(format!(
            "it has no onboarding and no kustomization in {place}: is it the right folder?"
        )));
    }
    None
}
