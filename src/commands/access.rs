//! `access`: which service accounts an onboarding lets in, changed in the GitOps repository. No cluster is asked.

use crate::app::App;
use crate::diagnosis::lint::onboarding::{Cluster, VALUES};
use crate::diagnosis::lint::{Onboarding, Repository};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::cluster_folder;
use crate::flags::format::{self, FormatArgs};
use crate::flags::service_account;
use crate::help;
use crate::model::lookup::typed;
use crate::render::output::ReportFormat;
use crate::render::{json, yaml};
use crate::repository::edit::{self, ListChange};
use crate::repository::write::Replaceable;
use crate::repository::{Layout, Tree, clusters, folder, layout};
use crate::text::{Shown, diff, near, one_line, shown};
use crate::view::access_change::AccessChange;
use std::path::{Path, PathBuf};

/// Add service accounts to a manifest, or remove them
///
/// Edits spec.values.serviceAccounts of an onboarding in the GitOps repository and nothing else, and shows the difference. A form that
/// cannot be edited safely is left alone; the error says what to write. Flux applies the change when it is merged.
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help("Format: text, json or yaml (kind AccessChange)")),
    after_help = "Examples:
  kubectl skvs access pds_database add pds-batch
  kubectl skvs access pds_database remove pds-old --for-cluster prod-east
  kubectl skvs access pds--database add a b --repo ~/gitops --dry-run

Exit codes: 0 changed or already so, 1 failed, 4 refused: nothing was written"
)]
pub struct Args {
    /// Onboarding: its HelmRelease, manifest or database
    #[arg(value_name = "NAME", value_parser = crate::app::onboarding_name)]
    name: String,
    /// What to do: add or remove
    #[arg(value_name = "ACTION", value_enum, hide_possible_values = true)]
    action: Action,
    /// Service accounts, in the onboarding's namespace
    #[arg(value_name = "ACCOUNT", required = true, value_parser = service_account)]
    accounts: Vec<String>,
    /// Folder of the GitOps repository
    #[arg(long, value_name = "FOLDER", default_value = ".", help_heading = help::SELECTION)]
    repo: PathBuf,
    /// Cluster by its folder's name, where several have the onboarding
    #[arg(long, value_name = "CLUSTER", value_parser = cluster_folder::folder, help_heading = help::SELECTION)]
    for_cluster: Option<String>,
    /// Where a cluster's onboardings are in the repository: a path with <cluster> in it; by default as in the runbook
    #[arg(long, value_name = "LAYOUT", default_value = layout::RUNBOOK, hide_default_value = true, help_heading = help::SELECTION)]
    layout: Layout,
    /// Show the difference and write nothing
    #[arg(long, help_heading = help::OUTPUT)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatArgs<ReportFormat>,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Action {
    Add,
    Remove,
}

/// Runs `access`.
///
/// # Errors
/// No manifest or several are meant, it cannot be edited, or it cannot be written.
pub fn run(app: &mut App, args: &Args) -> Result<Code> {
    let conventions = app.conventions(&args.layout)?;
    let files = folder::load(std::slice::from_ref(&args.repo))?;
    let tree = Tree::parse(files, &args.layout);
    if let Some(cluster) = &args.for_cluster {
        cluster_folder::check(&args.repo, &args.layout, &tree, cluster)?;
    }
    let repository = Repository::new(&tree, &conventions);
    let onboarding = meant(args, &repository)?;
    for file in &tree.not_known {
        app.ui.warning(format!(
            "not known, and not looked into: {}: {}",
            file.file, file.why
        ));
    }
    let change = planned(args, onboarding)?;
    let file = Path::new(&onboarding.manifest.file);
    let (before, after) = edited(args, onboarding, file, &change)?;
    let replaceable = match change.is_nothing() {
        true => None,
        false => {
            let file = Replaceable::check(&args.repo, file, before.as_bytes());
            Some(file.map_err(refused)?)
        }
    };
    let replaceable = replaceable.filter(|_| !args.dry_run);
    let written = replaceable.is_some();
    if let Some(file) = replaceable {
        file.replace(&after)?;
    }
    let diff = diff::unified(&onboarding.manifest.file, &before, &after);
    let change = change.told(written, &diff);
    tell(app, args, onboarding, &change)?;
    app.ui.flush()?;
    Ok(Code::Ok)
}

/// The same error, of what is not done although it could be.
fn refused(error: Error) -> Error {
    error.with_code(Code::Refused)
}

/// The one onboarding that the name means.
fn meant<'r>(args: &Args, repository: &'r Repository<'r>) -> Result<&'r Onboarding<'r>> {
    let name = typed(&args.name);
    let all = repository.onboardings.iter();
    let found: Vec<&Onboarding<'_>> = all
        .filter(|o| {
            o.called()
                .iter()
                .any(|called| called == name || *called == args.name)
        })
        .filter(|o| is_for(args, o))
        .collect();
    // A path says which of several files of one name it is.
    let path = folder::shown(Path::new(&args.name));
    let exact: Vec<&Onboarding<'_>> = found
        .iter()
        .copied()
        .filter(|o| o.manifest.file == path)
        .collect();
    let found = if exact.is_empty() { found } else { exact };
    match found[..] {
        [one] if one.manifest.file == path => Ok(one),
        [one] => of_its_own(args, one),
        [] => Err(nobody(args, repository, name)),
        _ => {
            let files: Vec<String> = found.iter().map(|o| one_line(&o.manifest.file)).collect();
            let error = Error::new(format!(
                "{name:?} means {} manifests: {}",
                files.len(),
                files.join(", ")
            ));
            Err(error.hint(match args.for_cluster {
                Some(_) => "name the file",
                None => "name the file, or its cluster with --for-cluster",
            }))
        }
    }
}

/// Whether an onboarding is for the cluster that is named, or none is.
fn is_for(args: &Args, onboarding: &Onboarding<'_>) -> bool {
    match (&args.for_cluster, onboarding.cluster) {
        (None, _) => true,
        (Some(wanted), Cluster::Named(is)) => wanted == is,
        (Some(_), Cluster::Folder(_)) => false,
    }
}

/// Refuses a name that matches only the manifest's file: the list belongs to another database.
fn of_its_own<'r>(args: &Args, onboarding: &'r Onboarding<'r>) -> Result<&'r Onboarding<'r>> {
    let name = typed(&args.name);
    let is_file = args.name.ends_with(".yaml") || args.name.ends_with(".yml");
    let itself = onboarding.called_itself();
    if is_file || itself.iter().any(|c| c == name || *c == args.name) {
        return Ok(onboarding);
    }
    let file = one_line(&onboarding.manifest.file);
    let of = match onboarding.names() {
        Ok(Some(names)) => format!("the database {}", one_line(&names.joined())),
        Ok(None) | Err(_) => "an unknown database".to_owned(),
    };
    let error = Error::new(format!("only a file is named {name}: {file} is for {of}"));
    Err(refused(
        error.hint(format!("name the database, or the file: {file}")),
    ))
}

fn nobody(args: &Args, repository: &Repository<'_>, name: &str) -> Error {
    let place = match &args.for_cluster {
        Some(cluster) => format!("{} for cluster {cluster}", folder::shown(&args.repo)),
        None => folder::shown(&args.repo),
    };
    let layout = &args.layout;
    let unread = args.for_cluster.as_ref();
    let unread = unread.and_then(|cluster| {
        let folder = args.repo.join(layout.folder(cluster));
        let link = clusters::leads_somewhere(&args.repo, &folder).err();
        cluster_folder::unread(layout, repository.tree, cluster).or(link)
    });
    let error = Error::new(match &unread {
        Some(unread) => format!("cannot tell whether onboarding {name:?} is in {place}: {unread}"),
        None => format!("no onboarding {name:?} in {place}"),
    });
    let is_it = |o: &&Onboarding<'_>| o.called().iter().any(|called| called == name);
    let elsewhere = repository.onboardings.iter().filter(is_it).map(|o| {
        let file = one_line(&o.manifest.file);
        match o.cluster {
            Cluster::Named(cluster) => format!("{file} (cluster {})", one_line(cluster)),
            Cluster::Folder(_) => format!("{file} (its path names no cluster)"),
        }
    });
    let elsewhere: Vec<String> = elsewhere.collect();
    let here = repository.onboardings.iter();
    let here = here.filter(|o| is_for(args, o));
    let names: Vec<String> = here.flat_map(Onboarding::called).collect();
    let near = near(name, names.iter().map(String::as_str));
    let error = match (elsewhere.is_empty(), near.is_empty()) {
        (false, _) => error.hint(format!("it is in {}", elsewhere.join(", "))),
        (true, true) => error,
        (true, false) => error.hint(format!("did you mean {}?", near.join(", "))),
    };
    match repository.tree.not_known.first() {
        Some(file) if args.for_cluster.is_none() => error.hint(format!(
            "it may be in what was not read: {}: {}",
            one_line(&file.file),
            one_line(&file.why)
        )),
        _ => error,
    }
}

/// What is to be done, before it is.
struct Plan {
    add: Vec<String>,
    remove: Vec<String>,
    /// Accounts that are already as they should be.
    unchanged: Vec<String>,
    /// The list afterwards.
    accounts: Vec<String>,
    onboarding: (String, String),
    file: String,
}

impl Plan {
    fn is_nothing(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }

    fn told(self, written: bool, diff: &str) -> AccessChange {
        let (namespace, name) = &self.onboarding;
        AccessChange {
            added: self.add,
            removed: self.remove,
            unchanged: self.unchanged,
            accounts: self
                .accounts
                .iter()
                .map(|account| one_line(account))
                .collect(),
            ..AccessChange::new(namespace, name, &self.file, written, diff)
        }
    }
}

fn planned(args: &Args, onboarding: &Onboarding<'_>) -> Result<Plan> {
    let file = &onboarding.manifest.file;
    let refused = |why: &str| {
        refused(Error::new(format!(
            "cannot edit {}: {}",
            one_line(file),
            one_line(why)
        )))
    };
    let field = onboarding.value("serviceAccounts");
    let field = field.map_err(|missing| refused(&format!("{}: {}", missing.what, missing.why)))?;
    let list = field.map(|field| field.value.as_array());
    let is: Option<Vec<String>> = match list {
        None => Some(Vec::new()),
        Some(None) => None,
        Some(Some(items)) => items
            .iter()
            .map(|i| i.as_str().map(str::to_owned))
            .collect(),
    };
    let is = is.ok_or_else(|| refused("spec.values.serviceAccounts is not a list of texts"))?;
    let mut wanted: Vec<String> = Vec::new();
    for account in &args.accounts {
        if !wanted.contains(account) {
            wanted.push(account.clone());
        }
    }
    let (there, not_there): (Vec<String>, Vec<String>) =
        wanted.into_iter().partition(|a| is.contains(a));
    let (add, remove, unchanged) = match args.action {
        Action::Add => (not_there, Vec::new(), there),
        Action::Remove => (Vec::new(), there, not_there),
    };
    let kept = is.iter().filter(|account| !remove.contains(account));
    let accounts: Vec<String> = kept.chain(&add).cloned().collect();
    if accounts.is_empty() && !remove.is_empty() {
        return Err(refused("nobody would be left who may access the database")
            .hint("remove the manifest where the onboarding is not needed any more"));
    }
    let (namespace, name) = onboarding.id();
    Ok(Plan {
        add,
        remove,
        unchanged,
        accounts,
        onboarding: (namespace.to_owned(), name.to_owned()),
        file: file.clone(),
    })
}

/// The file's text before and after.
fn edited(
    args: &Args,
    onboarding: &Onboarding<'_>,
    file: &Path,
    plan: &Plan,
) -> Result<(String, String)> {
    let shown = folder::shown(file);
    let failed = |why: &str| Error::new(format!("cannot edit {shown}: {}", one_line(why)));
    let mut files = folder::load(&[file.to_owned()])?;
    let bytes = files.all.pop().map(|file| file.bytes);
    let bytes = bytes
        .unwrap_or_else(|| Err("it is gone".to_owned()))
        .map_err(|why| failed(&why))?;
    let not_text = |_| refused(failed("it is not text in UTF-8"));
    let before = String::from_utf8(bytes).map_err(not_text)?;
    if plan.is_nothing() {
        return Ok((before.clone(), before));
    }
    let path = [VALUES[0], VALUES[1], "serviceAccounts"];
    let change = ListChange {
        path: &path,
        remove: &plan.remove,
        add: &plan.add,
        sorted: false,
    };
    let is_meant = |value: &serde_json::Value| *value == onboarding.manifest.value;
    match edit::changed(&before, is_meant, change) {
        Ok(after) => Ok((before, after)),
        Err(why) => {
            let list: Vec<String> = plan.accounts.iter().map(|a| edit::text(a)).collect();
            let verb = match args.action {
                Action::Add => "added",
                Action::Remove => "removed",
            };
            let error = failed(&format!("{why}; nothing was {verb}")).hint(format!(
                "write it by hand: serviceAccounts: [{}]",
                list.join(", ")
            ));
            Err(refused(error))
        }
    }
}

fn tell(
    app: &mut App,
    args: &Args,
    onboarding: &Onboarding<'_>,
    change: &AccessChange,
) -> Result<()> {
    match args.format.output {
        ReportFormat::Json => return Ok(json::write(&mut app.ui.machine(), change)?),
        ReportFormat::Yaml => return Ok(yaml::write(&mut app.ui.machine(), change)?),
        ReportFormat::Text => {}
    }
    if !change.diff.is_empty() {
        app.ui
            .result(Shown::lines(change.diff.trim_end_matches('\n')))?;
    }
    app.ui.flush()?;
    let word = match args.action {
        Action::Add => "is in the list already",
        Action::Remove => "is not in the list",
    };
    for account in &change.unchanged {
        app.ui.status(shown!("{account} {word}"));
    }
    match (change.diff.is_empty(), change.written) {
        (true, _) => app.ui.status("Nothing to change."),
        (false, true) => app.ui.status(shown!(
            "{} changed; Flux applies it when it is merged",
            change.file
        )),
        (false, false) => app.ui.status("Nothing was written (--dry-run)."),
    }
    if let Some((by, key)) = onboarding.patched_by() {
        app.ui
            .warning(format!("{key} of {} may change the list again", by.file));
    }
    Ok(())
}
