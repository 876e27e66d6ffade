//! Checks onboardings' manifests and prints the report, for `lint` and for manifests among saved files.

use crate::app::App;
use crate::diagnosis::lint::installed::WHAT;
use crate::diagnosis::lint::onboarding::Cluster;
use crate::diagnosis::lint::{self, Conventions, Installed, NotChecked, Repository};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::gate::GateArgs;
use crate::model::not_read::NotRead;
use crate::render::lint::{github, sarif};
use crate::render::output::LintFormat;
use crate::render::report::Style;
use crate::render::{json, yaml};
use crate::repository::{Tree, folder, git};
use crate::text::{count, line, one_line};
use crate::view::lint::LintReport;
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;

/// Which onboardings are reported.
pub(crate) enum Subjects {
    All,
    /// By namespace and name.
    These(Vec<(String, String)>),
}

/// How a tree is checked and told.
pub(crate) struct Wishes<'w> {
    pub(crate) conventions: &'w Conventions,
    pub(crate) gate: &'w GateArgs,
    pub(crate) format: LintFormat,
    pub(crate) subjects: Subjects,
    /// What was named, for messages.
    pub(crate) paths: &'w [PathBuf],
}

/// The states that the manifests are compared with.
#[derive(Default)]
pub(crate) struct Compared {
    pub(crate) base: Option<git::Base>,
    /// Of each cluster that was asked.
    pub(crate) installed: Vec<Installed>,
    /// What was left out of `--all-contexts`.
    pub(crate) left_out: Vec<LeftOut>,
}

/// Contexts without a folder, or folders without a context: neither is compared.
pub(crate) struct LeftOut {
    /// `context` or `folder`.
    pub(crate) what: &'static str,
    pub(crate) names: Vec<String>,
    pub(crate) why: &'static str,
}

/// Checks the manifests, compares them with other states if any were read, and prints the report.
///
/// # Errors
/// No onboarding was found, or the output is closed.
pub(crate) fn check(
    app: &mut App,
    tree: &Tree,
    compared: Compared,
    wishes: &Wishes<'_>,
) -> Result<Code> {
    let Compared {
        base,
        installed,
        left_out,
    } = compared;
    let mut ignores = wishes.gate.ignores(app);
    let commit = base.as_ref().map(|base| base.commit.clone());
    let conventions = wishes.conventions;
    let before = base.map(|base| Tree::parse(base.files, &conventions.layout));
    let before = before.as_ref();
    let before = before.map(|tree| Repository::new(tree, conventions));
    let mut repository = Repository::new(tree, conventions);
    if let Some(before) = &before {
        repository = repository.since(before);
    }
    repository = repository.beside(installed);
    let removed = repository.changes.as_ref().map_or(0, |c| c.removed.len());
    if repository.onboardings.is_empty() && removed == 0 && tree.not_known.is_empty() {
        return Err(nothing(wishes, tree));
    }
    let mut outcome = lint::run(&repository);
    for LeftOut { what, names, why } in &left_out {
        outcome
            .not_checked
            .extend(names.iter().map(|name| NotChecked {
                file: None,
                codes: vec!["SKVS551", "SKVS552"],
                missing: NotRead::new(format!("{what} {}", one_line(name)), why),
            }));
    }
    if let Subjects::These(names) = &wishes.subjects {
        outcome.found.retain(|found| {
            let subject = found.finding.subject.as_ref();
            subject.is_none_or(|s| {
                names.iter().any(|(namespace, name)| {
                    s.namespace == one_line(namespace) && s.name == one_line(name)
                })
            })
        });
    }
    let mut report = LintReport::new(&repository, outcome, commit.as_deref(), &mut ignores);
    report.show(wishes.gate.severity);
    let fails = wishes.gate.fails(report.totals.worst());
    // Whoever asks for it must not take "not read" for "nothing differs".
    let unread = unread(&repository, &report);
    let is_known = report.not_known.is_empty() && unread.is_empty() && left_out.is_empty();
    let code = Code::of_findings(fails, is_known);
    // A reader that goes away takes the report, not the verdict.
    let printed = print(app, &report, wishes.format, code);
    let printed = printed.and_then(|()| app.ui.flush());
    printed.map_err(|error| error.of_output(code))?;
    wishes.gate.tell_unused(app, &ignores);
    for file in &report.not_known {
        app.ui
            .error(&Error::new(format!("not known: {}", file.sentence())));
    }
    for unread in unread {
        app.ui.error(&Error::new(unread));
    }
    for LeftOut { what, names, why } in left_out {
        let plural = if names.len() == 1 { "" } else { "s" };
        let names: Vec<String> = names.iter().map(|name| one_line(name)).collect();
        let error = format!("not compared: {what}{plural} {}: {why}", names.join(", "));
        app.ui.error(&Error::new(error));
    }
    Ok(code)
}

/// What is not known of installations: one line for each cluster and reason.
fn unread(repository: &Repository<'_>, report: &LintReport) -> Vec<String> {
    let installed = repository.installed.iter();
    let of_folders: HashMap<Option<&str>, &Installed> =
        installed.map(|i| (i.folder.as_deref(), i)).collect();
    let clusters = repository.onboardings.iter().filter_map(|o| {
        let folder = match o.cluster {
            Cluster::Named(name) => of_folders.get(&Some(name)),
            Cluster::Folder(_) => None,
        };
        let installed = folder.or_else(|| of_folders.get(&None))?;
        Some((line(&o.manifest.file), installed.context.as_deref()?))
    });
    let clusters: HashMap<Cow<'_, str>, &str> = clusters.collect();
    let mut groups: Vec<(Option<&str>, &str, Vec<&str>)> = Vec::new();
    for not_checked in report.not_checked.iter().filter(|n| n.missing.what == WHAT) {
        let file = not_checked.file.as_deref().unwrap_or_default();
        let (context, why) = (clusters.get(file).copied(), &*not_checked.missing.why);
        match groups
            .iter_mut()
            .find(|(c, w, _)| (*c, *w) == (context, why))
        {
            Some((.., files)) => files.push(file),
            None => groups.push((context, why, vec![file])),
        }
    }
    let words = |(context, why, files): (Option<&str>, &str, Vec<&str>)| {
        let of = match files[..] {
            [one] => one.to_owned(),
            _ => count(files.len() as u64, "manifest"),
        };
        let on = context.map_or(String::new(), |context| format!(" on context {context}"));
        format!("not known: {WHAT} of {of}{on}: {why}")
    };
    groups.into_iter().map(words).collect()
}

/// Nothing that was checked must not pass for nothing wrong.
fn nothing(wishes: &Wishes<'_>, tree: &Tree) -> Error {
    let paths: Vec<String> = wishes.paths.iter().map(|p| folder::shown(p)).collect();
    let others = match tree.manifests.len() {
        0 => String::new(),
        n => format!(", only {}", count(n as u64, "other HelmRelease")),
    };
    Error::new(format!("no onboarding in {}{others}", paths.join(", "))).hint(
        "an onboarding is a HelmRelease with the chart, the label or the name of onboardings, or in a folder secure-kvs-onboarding",
    )
}

fn print(app: &mut App, report: &LintReport, format: LintFormat, code: Code) -> Result<()> {
    let style = Style {
        width: app.ui.terminal().prose(),
        namespaced: true,
        details: None,
        seconds: None,
        palette: app.ui.palette(),
    };
    match format {
        LintFormat::Text => crate::render::lint::write(&mut app.ui.screen(), report, style)?,
        LintFormat::Github => github::write(&mut app.ui.screen(), report)?,
        LintFormat::Json => json::write(&mut app.ui.machine(), report)?,
        LintFormat::Yaml => yaml::write(&mut app.ui.machine(), report)?,
        LintFormat::Sarif => {
            let log = sarif::log(report, code.number());
            json::write_value(&mut app.ui.machine(), &log)?;
        }
    }
    Ok(())
}
