//! The manifests of the repository that declare an onboarding, and whether all that could were read.

use super::Args;
use crate::diagnosis::lint::Repository;
use crate::diagnosis::lint::onboarding::{Cluster, Onboarding, PATCHES, is_replaced_text};
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
    let here = repository.onboardings.iter();
    let here = here.filter(|o| may_be_here(args, tree, &o.manifest.file));
    let here: Vec<&Onboarding<'_>> = here.collect();
    let is_seen = here.iter().any(|o| match &args.for_cluster {
        Some(wanted) => o.cluster == Cluster::Named(wanted),
        None => true,
    });
    let several = are_several(args, tree);
    let mut found = Listing::new(Vec::new(), not_all(args, tree, is_seen));
    for onboarding in &here {
        let (own, name) = onboarding.id();
        let own = if own.is_empty() { namespace } else { own };
        let id = Id::new(own, name);
        let database = onboarding.names();
        let joined = database.as_ref().ok().and_then(Option::as_ref);
        let joined = joined.map(|names| names.joined());
        let is_it = joined.as_deref() == Some(subject.database.as_str());
        let is_it = is_it || (subject.certain && id == subject.id);
        if let (true, Some(by)) = (is_it, only_elsewhere(args, tree, &onboarding.manifest.file)) {
            // Nothing is left to change for this cluster, but Flux's own Kustomizations, which may apply the folder, are not read.
            found.lacks(Some(Why::NotAsked(format!(
                "{} declares it, and only {} is known to list it",
                one_line(&onboarding.manifest.file),
                one_line(by)
            ))));
        } else if is_it {
            let cluster = match onboarding.cluster {
                Cluster::Named(cluster) => Some(cluster.to_owned()),
                Cluster::Folder(_) => None,
            };
            let file = &onboarding.manifest.file;
            found.extend(Listing::whole(vec![Declared {
                file: file.clone(),
                line: onboarding.manifest.place(&["metadata", "name"]).line,
                cluster,
                id,
                removal: Removal::of(tree, repo, onboarding.manifest),
                by_hand: shared(args, tree, file).filter(|_| several),
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
    let others = tree.manifests.iter().filter(|m| !is_onboarding(m));
    for manifest in others.filter(|m| may_be_here(args, tree, &m.file)) {
        let own = manifest
            .text(&["metadata", "namespace"])
            .unwrap_or(namespace);
        let values = manifest
            .at(&["spec", "values"])
            .map(Values::parse)
            .unwrap_or_default();
        let is_it = values.namespace.zip(values.database).is_some_and(|pair| {
            let (namespace, database) = &pair;
            match is_replaced_text(namespace) || is_replaced_text(database) {
                // The part that is not replaced must fit.
                true => may_become(&pair, subject.database.as_str()),
                false => {
                    loose(&format!("{namespace}_{database}")) == loose(subject.database.as_str())
                }
            }
        });
        let is_named = manifest.name() == subject.id.name
            && (own == subject.id.namespace || is_replaced_text(own));
        if is_it || is_named {
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
        several,
    }
}

/// Whether a namespace and a database, with variables in one of them, can become this name.
fn may_become((namespace, database): &(String, String), name: &str) -> bool {
    let name = loose(name);
    let starts = || name.starts_with(&*loose(&format!("{namespace}_")));
    let ends = || name.ends_with(&*loose(&format!("_{database}")));
    (is_replaced_text(namespace) || starts()) && (is_replaced_text(database) || ends())
}

/// Whether the files are for several clusters.
fn are_several(args: &Args, tree: &Tree) -> bool {
    let files = tree.manifests.iter().map(|m| m.file.as_str());
    let files = files.chain(tree.kustomizations.iter().map(|k| k.file.as_str()));
    let clusters = files.filter_map(|file| args.layout.around(file));
    clusters.collect::<BTreeSet<&str>>().len() > 1
}

/// Whether a file may be for the cluster that is named: by its path, or because a kustomization of that cluster applies it.
fn may_be_here(args: &Args, tree: &Tree, file: &str) -> bool {
    let Some(wanted) = args.for_cluster.as_deref() else {
        return true;
    };
    if args.layout.around(file).is_none_or(|is| is == wanted) {
        return true;
    }
    let folder = file.rsplit_once('/').map_or(".", |(folder, _)| folder);
    let appliers = tree.appliers(file).into_iter().chain(tree.appliers(folder));
    appliers
        .into_iter()
        .any(|k| args.layout.around(&k.file) == Some(wanted))
}

/// One of the kustomizations that list a file outside the clusters' folders, if all of them are another cluster's.
fn only_elsewhere<'t>(args: &Args, tree: &'t Tree, file: &str) -> Option<&'t str> {
    let wanted = args.for_cluster.as_deref()?;
    let appliers = tree.appliers(file);
    let is_elsewhere =
        |by: &str| matches!(args.layout.around(by), Some(cluster) if cluster != wanted);
    // Those that another one applies, as a base, decide nothing.
    let is_base = |by: &str| args.layout.around(by).is_none();
    let mut ends = appliers
        .iter()
        .filter(|k| !is_base(&k.file) || tree.appliers(k.folder()).is_empty());
    let first = ends.clone().next()?;
    let first = ends.all(|k| is_elsewhere(&k.file)).then_some(first)?;
    args.layout.around(file).is_none().then_some(&first.file)
}

/// Why a file may be another cluster's too; `None` if only the wanted cluster applies it.
fn shared(args: &Args, tree: &Tree, file: &str) -> Option<String> {
    let of = |file: &str| args.layout.around(file).map(str::to_owned);
    let this = args.for_cluster.clone().or_else(|| of(file));
    let appliers = tree.appliers(file);
    let mut clusters = appliers.iter().map(|k| (&k.file, of(&k.file)));
    if let Some((by, cluster)) = clusters.find(|(_, cluster)| *cluster != this) {
        let by = one_line(by);
        return Some(match cluster {
            Some(cluster) => format!("{by} applies it for {}", one_line(&cluster)),
            None => format!("{by} applies it, and its path does not name a cluster"),
        });
    }
    let is_unlisted = appliers.is_empty() && of(file) != this;
    is_unlisted.then(|| match of(file) {
        Some(cluster) => format!("it is in the folder of {}", one_line(&cluster)),
        None => "its path does not name a cluster".to_owned(),
    })
}

/// Why not all manifests are known that may declare it. `is_seen`: the cluster's folder has an onboarding.
fn not_all(args: &Args, tree: &Tree, is_seen: bool) -> Option<Why> {
    let is_here = |file: &str| may_be_here(args, tree, file);
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
