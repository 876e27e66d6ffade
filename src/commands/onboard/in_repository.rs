//! The new manifest in the repository: the style of its neighbours, the findings of `lint` for it, and the way it is written.

use super::{Args, Checks, style};
use crate::advice::Command;
use crate::diagnosis::lint::onboarding::{Cluster, Onboarding};
use crate::diagnosis::lint::{self, Conventions, Outcome, Repository};
use crate::diagnosis::rule::Severity;
use crate::error::{Error, Result};
use crate::flags::cluster_folder;
use crate::model::helm_release::GROUP;
use crate::model::mark::{self, Mark};
use crate::model::new_onboarding::{Style, Wanted, file_name, manifest};
use crate::repository::edit::{self, ListChange};
use crate::repository::folder::{self, File};
use crate::repository::tree::Nearest;
use crate::repository::{Files, Layout, Tree};
use crate::text::{diff, one_line};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

/// The files to write, and the results of the checks.
pub(super) struct Plan {
    pub(super) planned: Vec<Planned>,
    pub(super) checks: Checks,
}

/// One manifest.
pub(super) struct Planned {
    /// Its name in messages.
    pub(super) file: String,
    pub(super) text: String,
    pub(super) list: List,
}

/// The kustomization of its folder.
pub(super) enum List {
    /// The folder has none.
    None,
    /// It already lists the file.
    Has(String),
    Edited {
        file: String,
        before: String,
        after: String,
    },
}

/// The names of the clusters that the repository has, those without onboardings too.
///
/// # Errors
/// The folder cannot be read, or has no clusters.
pub(super) fn clusters(repo: &Path, layout: &Layout) -> Result<BTreeSet<String>> {
    let files = folder::load(&[repo.to_owned()])?;
    let all = known_clusters(repo, layout, &files)?;
    if all.is_empty() {
        let error = Error::usage("the repository has no clusters");
        return Err(error.hint(cluster_folder::elsewhere(layout)));
    }
    Ok(all)
}

fn known_clusters(repo: &Path, layout: &Layout, files: &Files) -> Result<BTreeSet<String>> {
    cluster_folder::known(repo, layout, files.all.iter().map(|f| f.path.as_str()))
}

/// The folders of each cluster.
fn homes(files: &Files, layout: &Layout) -> BTreeMap<String, BTreeSet<String>> {
    let mut homes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (cluster, home) in files.all.iter().filter_map(|f| layout.home(&f.path)) {
        let folders = homes.entry(cluster.to_owned()).or_default();
        folders.insert(home.to_owned());
    }
    homes
}

/// The request and its place.
pub(super) struct Request<'r> {
    pub(super) wanted: &'r Wanted,
    pub(super) conventions: &'r Conventions,
    /// The version of HelmReleases that the cluster serves, if known.
    pub(super) version: Option<String>,
}

impl Request<'_> {
    /// The style if no other onboarding has one.
    fn style(&self) -> Style {
        let mut style = self.conventions.style.clone();
        if let Some(version) = &self.version {
            style.api_version = format!("{GROUP}/{version}");
        }
        style
    }

    fn manifest(&self, style: &Style) -> String {
        let runbook = Mark::default();
        // Where the selector does not say which labels to write, `lint` says so.
        let label = self.conventions.mark.label().or_else(|_| runbook.label());
        let namespace = &self.conventions.namespace;
        let label = label.unwrap_or_default();
        manifest(self.wanted, style, namespace, label, edit::text)
    }

    fn file_name(&self) -> String {
        file_name(&self.wanted.database)
    }

    /// The findings of `lint` for a tree.
    fn linted(&self, tree: &Tree) -> Outcome {
        lint::run(&Repository::new(tree, self.conventions))
    }
}

/// The manifest alone.
pub(super) fn alone(request: &Request<'_>) -> Plan {
    let planned = Planned {
        file: request.file_name(),
        text: request.manifest(&request.style()),
        list: List::None,
    };
    let files = Files {
        all: vec![planned.as_file()],
        roots: Vec::new(),
        alone: true,
    };
    let tree = Tree::parse(files, &request.conventions.layout);
    let outcome = request.linted(&tree);
    let mut plan = Plan {
        planned: vec![planned],
        checks: Checks::default(),
    };
    plan.take(outcome, &Outcome::default(), &tree);
    let left_out = &mut plan.checks.left_out;
    left_out.retain(|what| !what.starts_with("other manifests"));
    left_out.push("other manifests: no repository is named (--repo)".to_owned());
    plan
}

/// The manifest in the folders of these clusters.
///
/// # Errors
/// A folder does not exist, or the manifest cannot be added to it.
pub(super) fn plan(repo: &Path, request: &Request<'_>, clusters: &[String]) -> Result<Plan> {
    let layout = &request.conventions.layout;
    let files = folder::load(&[repo.to_owned()])?;
    let homes = homes(&files, layout);
    let mut would_be = files.clone();
    let tree = Tree::parse(files, layout);
    let repository = Repository::new(&tree, request.conventions);
    let mut plan = Plan {
        planned: Vec::new(),
        checks: Checks::default(),
    };
    for cluster in clusters {
        let home = home(repo, layout, &would_be, &homes, cluster)?;
        let neighbours = repository.onboardings.iter();
        let neighbours: Vec<_> = neighbours
            .filter(|o| o.cluster == Cluster::Named(cluster))
            .collect();
        let (style, said) = style::prevailing(&neighbours, request.style());
        let of_cluster = said.into_iter().map(|said| format!("{cluster}: {said}"));
        plan.checks.warnings.extend(of_cluster);
        let name = request.file_name();
        let file = format!("{home}/{name}");
        let list = listed(&tree, &would_be, &home, &file, &name)?;
        if let List::Edited { file, after, .. } = &list
            && let Some(known) = would_be.all.iter_mut().find(|f| f.path == *file)
        {
            known.bytes = Ok(after.clone().into_bytes());
        }
        plan.planned.push(Planned {
            file,
            text: request.manifest(&style),
            list,
        });
    }
    for planned in &plan.planned {
        // The rest of the run refuses to write an existing file.
        would_be.all.retain(|f| f.path != planned.file);
        would_be.all.push(planned.as_file());
    }
    would_be.all.sort_by(|a, b| a.path.cmp(&b.path));
    let after = Tree::parse(would_be, layout);
    plan.take(request.linted(&after), &lint::run(&repository), &after);
    let meant = |o: &&Onboarding<'_>| {
        let mut meant = clusters
            .iter()
            .map(|c| o.cluster.is_same(Cluster::Named(c)));
        meant.any(|same| same != Some(false))
    };
    let others = repository.onboardings.iter().filter(meant);
    let unknown = others.filter_map(unknown_claim);
    plan.checks.not_checked.extend(unknown);
    Ok(plan)
}

/// Why it is not known which database another onboarding claims: `lint` reported that before, but it may be the new one's.
fn unknown_claim(other: &Onboarding<'_>) -> Option<String> {
    let why = match other.names() {
        Ok(Some(_)) => return None,
        Ok(None) => "its values do not name one".to_owned(),
        Err(missing) => format!("{}: {}", missing.what, missing.why),
    };
    let file = one_line(&other.manifest.file);
    Some(format!("{file}, which may claim the database: {why}"))
}

/// The folder of a cluster.
fn home(
    repo: &Path,
    layout: &Layout,
    files: &Files,
    homes: &BTreeMap<String, BTreeSet<String>>,
    cluster: &str,
) -> Result<String> {
    let known = homes.get(cluster).into_iter().flatten();
    let known: Vec<&String> = known.collect();
    match known[..] {
        [one] => Ok(one.clone()),
        [] => {
            let home = repo.join(layout.folder(cluster));
            if folder::is_there(&home) {
                // A neighbour or a list that was not read may conflict with the manifest.
                if folder::load(std::slice::from_ref(&home))?.all.is_empty() {
                    return Ok(folder::shown(&home));
                }
                let home = folder::shown(&home);
                let error = Error::new(format!(
                    "{home} is not read with the repository; nothing was written"
                ));
                return Err(error.hint("it is, or is in, a link or a folder whose name begins with a dot: name a folder in it with --repo and --layout"));
            }
            if home.symlink_metadata().is_ok() {
                let home = folder::shown(&home);
                return Err(Error::new(format!(
                    "{home} is not a folder; nothing was written"
                )));
            }
            let is_there = folder::is_there(&repo.join(layout.above()).join(cluster));
            let home = folder::shown(&home);
            Err(match is_there {
                true => Error::usage(format!(
                    "cluster {} has no folder for onboardings",
                    one_line(cluster)
                ))
                .hint(format!(
                    "create {home} first, along with whatever applies it"
                )),
                false => {
                    let known = known_clusters(repo, layout, files)?;
                    cluster_folder::unknown(repo, layout, cluster, &known).hint(format!(
                        "a new cluster needs {home} first, along with whatever applies it"
                    ))
                }
            })
        }
        _ => {
            let known: Vec<String> = known.into_iter().map(|k| one_line(k)).collect();
            let all = known.join(", ");
            Err(
                Error::usage(format!("the cluster {cluster} has several folders: {all}"))
                    .hint("name the folder above one of them with --repo"),
            )
        }
    }
}

/// The change to the folder's kustomization.
fn listed(tree: &Tree, files: &Files, home: &str, file: &str, name: &str) -> Result<List> {
    let kustomization = match tree.nearest(home) {
        Nearest::Known(found) if found.folder() == home => found,
        Nearest::NotKnown(not_known) if folder_of(&not_known.file) == home => {
            return Err(Error::new(format!(
                "not known: {}: {}; nothing was written",
                one_line(&not_known.file),
                one_line(&not_known.why)
            )));
        }
        Nearest::Known(_) | Nearest::NotKnown(_) | Nearest::None => return Ok(List::None),
    };
    if kustomization.lists(file) {
        return Ok(List::Has(kustomization.file.clone()));
    }
    let cannot = |why: &str| {
        let file = one_line(&kustomization.file);
        let error = Error::new(format!(
            "cannot edit {file}: {}; nothing was written",
            one_line(why)
        ));
        error.hint(format!(
            "add {name} to its resources by hand, then run this again"
        ))
    };
    let bytes = files.all.iter().find(|f| f.path == kustomization.file);
    let bytes = bytes.and_then(|f| f.bytes.clone().ok());
    let before = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let before = before.ok_or_else(|| cannot("it is not text in UTF-8"))?;
    let change = ListChange {
        path: &["resources"],
        remove: &[],
        add: &[name.to_owned()],
        sorted: true,
    };
    let after = edit::changed(&before, |_| true, change).map_err(|why| cannot(&why))?;
    Ok(List::Edited {
        file: kustomization.file.clone(),
        before,
        after,
    })
}

fn folder_of(file: &str) -> &str {
    crate::repository::manifest::folder(file)
}

impl Planned {
    fn as_file(&self) -> File {
        File {
            path: self.file.clone(),
            bytes: Ok(self.text.clone().into_bytes()),
        }
    }
}

impl Plan {
    /// Takes the findings of `lint` that the new files add to the repository.
    fn take(&mut self, outcome: Outcome, before: &Outcome, tree: &Tree) {
        let key = |f: &lint::Found| {
            let sentence = f.finding.sentence.clone();
            (f.rule.entry.code, f.finding.file.clone(), sentence)
        };
        let known: HashSet<_> = before.found.iter().map(key).collect();
        let is_ours = |file: &str| self.planned.iter().any(|p| p.file == file);
        let new = outcome.found.into_iter();
        let new: Vec<_> = new.filter(|f| !known.contains(&key(f))).collect();
        let ours: HashSet<&str> = new
            .iter()
            .filter(|f| is_ours(&f.finding.file))
            .map(|f| f.rule.entry.code)
            .collect();
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        for found in &new {
            let code = found.rule.entry.code;
            // A fault between two manifests is reported on the new one.
            if !is_ours(&found.finding.file) && ours.contains(code) {
                continue;
            }
            let finding = &found.finding;
            let sentence = format!("{}: {} ({code})", one_line(&finding.file), finding.sentence);
            match found.severity() {
                Severity::Error => {
                    let explain = Command::skvs(["explain", code]);
                    errors.push(Error::new(sentence).hint(explain.after("what it means:")));
                }
                _ => warnings.push(sentence),
            }
        }
        let key = |s: &lint::NotChecked| (s.file.clone(), s.missing.clone());
        let known: HashSet<_> = before.not_checked.iter().map(key).collect();
        let skipped = outcome.not_checked.iter();
        let skipped = skipped.filter(|s| !known.contains(&key(s)));
        // Lists may not find what was written without knowing the label.
        let (unlabelled, left_out): (Vec<_>, Vec<_>) =
            skipped.partition(|s| s.missing.what == mark::WHAT);
        let words = |s: &lint::NotChecked| format!("{}: {}", s.missing.what, s.missing.why);
        let unlabelled: BTreeSet<String> = unlabelled.into_iter().map(words).collect();
        let left_out: BTreeSet<String> = left_out.into_iter().map(words).collect();
        let not_known = tree.not_known.iter().map(|n| {
            let (file, why) = (one_line(&n.file), one_line(&n.why));
            format!("{file}, which may claim the database: {why}")
        });
        self.checks.refused.extend(errors);
        self.checks.warnings.extend(warnings);
        self.checks.left_out.extend(left_out);
        self.checks.not_checked.extend(unlabelled);
        self.checks.not_checked.extend(not_known);
    }

    /// The manifests' texts.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.planned.iter().map(|planned| planned.text.as_str())
    }

    /// All changes, as `diff -u` prints them.
    pub(super) fn diff(&self) -> String {
        let mut all = String::new();
        for planned in &self.planned {
            all += &diff::created(&planned.file, &planned.text);
            if let List::Edited {
                file,
                before,
                after,
            } = &planned.list
            {
                all += &diff::unified(file, before, after);
            }
        }
        all
    }

    /// What was done, a line each.
    pub(super) fn done(&self, args: &Args) -> Vec<String> {
        if args.dry_run {
            return vec!["Nothing was written (--dry-run).".to_owned()];
        }
        if args.repo.is_none() {
            return Vec::new();
        }
        let line = |planned: &Planned| {
            let file = &planned.file;
            match &planned.list {
                List::Edited { file: list, .. } => {
                    format!(
                        "{file} written and listed in {list}; Flux installs it when it is merged"
                    )
                }
                List::Has(list) => {
                    format!(
                        "{file} written, {list} lists it already; Flux installs it when it is merged"
                    )
                }
                List::None => {
                    format!("{file} written; its folder has no kustomization.yaml to list it in")
                }
            }
        };
        self.planned.iter().map(line).collect()
    }
}
