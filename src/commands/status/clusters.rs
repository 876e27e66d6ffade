//! `status` of several clusters: a line for each, then the causes of all of them, worst first.

use super::couchdb::Asking;
use super::{Args, look, style};
use crate::advice::Command;
use crate::app::App;
use crate::app::fleet::{self, Answers, Fleet};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::lookup::empty;
use crate::render::output::StatusFormat;
use crate::render::status::clusters::{self, Line};
use crate::render::{json, yaml};
use crate::view::contexts::{Documents, InContext, Unread};
use crate::view::status::Status;

/// Asks all of them, then prints.
pub(super) async fn run(app: &mut App, args: &Args, fleet: &Fleet) -> Result<Code> {
    if args.format.output == StatusFormat::Html {
        return Err(one_cluster_only());
    }
    let read = fleet.ask(app, async |app, cluster| {
        let status = look(app, args, cluster, &mut Asking::default()).await?;
        if status.onboardings.total() == 0
            && let Some(why) = empty::why(app, cluster, status.namespace.as_deref()).await
        {
            app.ui.hint(&why);
        }
        let code = status.code();
        Ok((status, code))
    });
    let mut answers = read.await?;
    let printed = print(app, args, &answers);
    let code = answers.end(app, printed, Code::Ok)?;
    if args.format.output == StatusFormat::Text {
        hint(app, args, &answers);
    }
    fleet::ended(code)
}

fn print(app: &mut App, args: &Args, answers: &Answers<Status>) -> Result<()> {
    let items = answers.seen().map(|(answer, status)| InContext {
        context: answer.context.clone(),
        document: status,
    });
    let items: Vec<InContext<&Status>> = items.collect();
    let unread = Unread::all(answers.unread(|_| None));
    let document = || Documents::new("StatusList", items.clone(), unread.clone());
    match args.format.output {
        StatusFormat::Text => {
            let (mut items, mut unread) = (items.iter(), unread.iter());
            let lines = answers.iter().filter_map(|answer| match &answer.seen {
                Ok(_) => items.next().map(Line::Read),
                Err(_) => unread.next().map(Line::Unread),
            });
            let lines: Vec<Line<'_>> = lines.collect();
            let style = style(app, args);
            clusters::write(&mut app.ui.screen(), &lines, style)?;
        }
        // Refused before anything is asked.
        StatusFormat::Html => return Err(one_cluster_only()),
        StatusFormat::Json => json::write(&mut app.ui.machine(), &document())?,
        StatusFormat::Yaml => yaml::write(&mut app.ui.machine(), &document())?,
    }
    Ok(())
}

/// Leads to the cluster with the most errors, and to the first that was not read completely.
fn hint(app: &mut App, args: &Args, answers: &Answers<Status>) {
    let whole = |command: Command| {
        let command = command.args(args.couchdb.words());
        match args.all_namespaces {
            true => command.args(["-A"]),
            false => command,
        }
    };
    let hints = [
        (
            // The first of those with the most errors.
            answers
                .seen()
                .filter(|(_, status)| !status.causes.is_empty())
                .min_by_key(|(_, status)| std::cmp::Reverse(status.errors)),
            Command::skvs(["troubleshoot"]),
            "evidence and what to do, for the cluster with the most errors:",
        ),
        (
            answers
                .seen()
                .find(|(_, status)| !status.not_read.is_empty()),
            Command::skvs(["status"]),
            "what was not read, for the first such cluster:",
        ),
    ];
    for (found, command, text) in hints {
        if let Some((answer, _)) = found {
            app.ui.set_origin(answer.origin.clone());
            app.ui.hint(whole(command).after(text));
        }
    }
}

fn one_cluster_only() -> Error {
    Error::usage("-o html is about one cluster; run it once for each context")
}
