//! `troubleshoot` of several clusters: one report for each, in the order in which they were asked for.

use super::Args;
use super::examination::Examination;
use crate::app::App;
use crate::app::fleet::{Answers, Fleet};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::lookup::empty;
use crate::lookup::nowhere::{self, Lookup};
use crate::model::helm_release::{GROUP, PLURAL};
use crate::render::output::FindingsFormat;
use crate::render::{json, yaml};
use crate::text::{Shown, shown};
use crate::triage;
use crate::view::contexts::{Documents, InContext, Unread};
use crate::view::report::Report;
use std::time::Instant;

/// What was read of one cluster.
struct Seen {
    /// Until the report is made of it; none where none of the names is there.
    examined: Option<Examination>,
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
        let examined = Examination::of(cluster, args, picked, app.now).await;
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
        let examined = Some(examined).filter(|e| is_asked && !e.is_void());
        Ok((Seen { examined, lookups }, code))
    });
    let mut answers = read.await?;
    let seconds = started.elapsed().as_secs_f64();
    let origins: Vec<_> = answers.seen().map(|(a, _)| a.origin.clone()).collect();
    let mut found = Code::Ok;
    let mut reports = Vec::new();
    let examined: Vec<_> = answers.take(|seen| seen.examined.take()).collect();
    for ((context, examined), origin) in examined.into_iter().zip(origins) {
        let Some(examined) = examined else { continue };
        let (document, fails) = examined.report(args, &mut ignores, &origin, Some(app.now));
        if fails {
            found = Code::Findings;
        }
        reports.push((origin, InContext { context, document }));
    }
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
                section(app, args, item, found.worse(Code::Ok), seconds)
            }),
    };
    let printed = printed.and_then(|()| match format {
        FindingsFormat::Json | FindingsFormat::Yaml => Ok(()),
        // On stdout too: a saved report must not look whole.
        _ => unread(app, format, &answers),
    });
    let code = answers.end(app, printed)?.worse(found);
    args.gate.tell_unused(app, &ignores);
    let what = |name: &str| format!("{PLURAL}.{GROUP} {name:?}");
    let names = nowhere::tell(app, &answers, &args.names, what, |seen| &seen.lookups);
    match code.worse(names) {
        Code::Failed => Err(Error::silent(Code::Failed)),
        code => Ok(code),
    }
}

fn document(
    app: &mut App,
    format: FindingsFormat,
    items: Vec<InContext<Report>>,
    answers: &Answers<Seen>,
) -> Result<()> {
    let unread = answers
        .unread()
        .map(|(context, why)| Unread::new(context, why));
    let document = Documents::new("TroubleshootReportList", items, unread.collect());
    let mut out = app.ui.machine();
    match format {
        FindingsFormat::Yaml => yaml::write(&mut out, &document)?,
        _ => json::write(&mut out, &document)?,
    }
    Ok(())
}

/// The clusters that could not be read, each under its name.
fn unread(app: &mut App, format: FindingsFormat, answers: &Answers<Seen>) -> Result<()> {
    for (context, why) in answers.unread() {
        let unread = Unread::new(context, why);
        app.ui.result("")?;
        heading(app, format, &unread.context)?;
        app.ui
            .result(Shown::line(format!("not read: {}", unread.why)))?;
    }
    Ok(())
}

fn heading(app: &mut App, format: FindingsFormat, context: &str) -> Result<()> {
    let name = Shown::line(context);
    app.ui.result(match format {
        FindingsFormat::Markdown => shown!("## {name}\n"),
        _ => app.ui.palette().heading(shown!("Context {name}")),
    })
}

/// One cluster's report under its name.
fn section(
    app: &mut App,
    args: &Args,
    item: &InContext<Report>,
    code: Code,
    seconds: f64,
) -> Result<()> {
    let InContext { context, document } = item;
    heading(app, args.format.output, context)?;
    if let Some(none) = document.none_considered() {
        let namespace = none.namespace.as_deref();
        let place = namespace.map_or(String::new(), |n| format!(" in {n} namespace"));
        return app.ui.result(shown!("No onboardings found{place}."));
    }
    args.layout().print(app, document, &[], code, seconds)
}
