//! `troubleshoot` of several clusters: one report for each, in the order in which they were asked for.

use super::Args;
use super::examination::Examination;
use crate::app::App;
use crate::app::fleet::{self, Answers, Fleet};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::lookup::empty;
use crate::lookup::nowhere::{self, Lookup};
use crate::model::helm_release::{GROUP, PLURAL};
use crate::render::markdown;
use crate::render::output::FindingsFormat;
use crate::render::report::none_found;
use crate::render::{json, yaml};
use crate::text::{Shown, shown};
use crate::triage;
use crate::view::contexts::{Documents, InContext, Unread};
use crate::view::report::Report;
use std::time::Instant;

/// What was read of one cluster.
struct Seen {
    /// Until it becomes a report; `None` if the cluster has none of the names.
    examined: Option<Examination>,
    /// Why a part of the cluster was not read.
    unread: Option<String>,
    /// In the order of the names.
    lookups: Vec<Lookup>,
}

/// Asks all of them, then prints.
pub(super) async fn run(app: &mut App, args: &Args, fleet: &Fleet) -> Result<Code> {
    let format = args.format.output;
    if let FindingsFormat::Github | FindingsFormat::Sarif | FindingsFormat::Html = format {
        return Err(Error::usage(
            "-o github, -o sarif and -o html are about one cluster; run them once for each context",
        ));
    }
    let mut ignores = args.gate.ignores(app);
    let started = Instant::now();
    let read = fleet.ask(app, async |app, cluster| {
        let mut picked = triage::chosen(app, cluster, args.which()).await?;
        let lookups = Lookup::all(std::mem::take(&mut picked.answers), app);
        let is_asked = !picked.objects.is_empty() || args.names.is_empty();
        let examined = Examination::run(cluster, args, picked, app.now).await;
        examined.errors.iter().for_each(|error| app.ui.error(error));
        let code = match examined.errors.is_empty() {
            true => Lookup::code(&lookups),
            false => Code::Failed,
        };
        if let (Some(none), None) = (examined.none_considered(), &args.selector)
            && let Some(why) = empty::why(app, cluster, none.namespace.as_deref()).await
        {
            app.ui.hint(&why);
        }
        let unread = examined
            .errors
            .first()
            .map(|error| error.message().to_owned());
        let examined = Some(examined).filter(|e| is_asked && !e.is_void());
        let seen = Seen {
            examined,
            unread,
            lookups,
        };
        Ok((seen, code))
    });
    let mut answers = read.await?;
    let seconds = started.elapsed().as_secs_f64();
    let mut found = Code::Ok;
    let mut reports = Vec::new();
    let examined: Vec<_> = answers.take(|seen| seen.examined.take()).collect();
    for (context, origin, examined) in examined {
        let Some(examined) = examined else { continue };
        let (document, fails) = examined.report(args, &mut ignores, &origin, Some(app.now));
        if fails {
            found = Code::Findings;
        }
        reports.push((origin, InContext { context, document }));
    }
    let reports_printed = !reports.is_empty();
    let printed = match format {
        FindingsFormat::Json | FindingsFormat::Yaml => {
            let items = reports.into_iter().map(|(_, item)| item).collect();
            document(app, format, items, &answers)
        }
        _ => reports
            .iter()
            .enumerate()
            .try_for_each(|(at, (origin, item))| {
                if at > 0 {
                    app.ui.result("")?;
                }
                app.ui.set_origin(origin.clone());
                section(app, args, item, seconds)
            }),
    };
    let printed = printed.and_then(|()| match format {
        FindingsFormat::Json | FindingsFormat::Yaml => Ok(()),
        // On stdout too: a saved report must not look whole.
        _ => unread(app, format, &answers, reports_printed),
    });
    let names = nowhere::code(&answers, &args.names, |seen| &seen.lookups);
    let code = answers.end(app, printed, found.worse(names))?;
    args.gate.tell_unused(app, &ignores);
    let what = |name: &str| format!("{PLURAL}.{GROUP} {name:?}");
    nowhere::tell(app, &answers, &args.names, what, |seen| &seen.lookups);
    fleet::ended(code)
}

impl Seen {
    fn unread(&self) -> Option<&str> {
        let unread = self.unread.as_deref();
        unread.or_else(|| Lookup::unread(&self.lookups))
    }
}

fn document(
    app: &mut App,
    format: FindingsFormat,
    items: Vec<InContext<Report>>,
    answers: &Answers<Seen>,
) -> Result<()> {
    let unread = Unread::all(answers.unread(Seen::unread));
    let document = Documents::new("TroubleshootReportList", items, unread);
    let mut out = app.ui.machine();
    match format {
        FindingsFormat::Yaml => yaml::write(&mut out, &document)?,
        _ => json::write(&mut out, &document)?,
    }
    Ok(())
}

/// The clusters that were not read, or not completely, each under its name. `follows`: reports come before.
fn unread(
    app: &mut App,
    format: FindingsFormat,
    answers: &Answers<Seen>,
    follows: bool,
) -> Result<()> {
    let unread = Unread::all(answers.unread(Seen::unread));
    for (at, Unread { context, why }) in unread.iter().enumerate() {
        if follows || at > 0 {
            app.ui.result("")?;
        }
        heading(app, format, context)?;
        app.ui.result(match format {
            FindingsFormat::Markdown => Shown::line(format!("Not read: {}", markdown::prose(why))),
            _ => Shown::line(format!("not read: {why}")),
        })?;
    }
    Ok(())
}

fn heading(app: &mut App, format: FindingsFormat, context: &str) -> Result<()> {
    match format {
        FindingsFormat::Markdown => {
            let heading = format!("## {}", markdown::span(context));
            app.ui.result(Shown::line(heading))?;
            app.ui.result("")
        }
        _ => {
            let name = Shown::line(context);
            let heading = app.ui.palette().heading(shown!("Context {name}"));
            app.ui.result(heading)
        }
    }
}

/// One cluster's report under its name.
fn section(app: &mut App, args: &Args, item: &InContext<Report>, seconds: f64) -> Result<()> {
    let InContext { context, document } = item;
    heading(app, args.format.output, context)?;
    if let Some(none) = none_found(document) {
        return app.ui.result(Shown::line(none));
    }
    // The code is for formats of one cluster.
    args.layout().print(app, document, &[], Code::Ok, seconds)
}
