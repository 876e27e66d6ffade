//! `databases` of several clusters: one table or list whose every row names its context.

use super::look::{Seen, look};
use super::print::{self, Item};
use super::{Args, messages, remember};
use crate::app::App;
use crate::app::fleet::{self, Fleet};
use crate::error::Result;
use crate::exit::Code;
use crate::flags::contexts::names_contexts;
use crate::lookup::nowhere::{self, Lookup};
use crate::render::objects::Form;
use crate::render::output::Output;
use crate::render::sort::SortBy;
use crate::view::contexts::Unread;

/// Asks all of them, then prints.
pub(super) async fn run(
    app: &mut App,
    args: &Args,
    fleet: &Fleet,
    output: &Output,
    sort: Option<&SortBy>,
) -> Result<Code> {
    names_contexts(output)?;
    let read = fleet.ask(app, async |app, cluster| {
        let seen = look(cluster, args, output).await?;
        remember(&seen, app, args, cluster);
        let code = messages::beside(app, args, output, &seen);
        let lookups = lookups(args, &seen);
        Ok(((seen, lookups), code))
    });
    let mut answers = read.await?;
    let unread = Unread::all(answers.unread(|(_, lookups)| Lookup::unread(lookups)));
    let items = answers.seen();
    let items = items.flat_map(|(answer, (seen, _))| print::items(Some(&answer.context), seen));
    let items: Vec<Item<'_>> = items.collect();
    let printed = print::print(app, args, output, sort, &items, Form::Contexts(&unread));
    let names = nowhere::code(&answers, &args.databases, |(_, lookups)| lookups);
    let code = answers.end(app, printed, names)?;
    let what = |name: &str| format!("database {name:?}");
    nowhere::tell(app, &answers, &args.databases, what, |(_, lookups)| lookups);
    fleet::ended(code)
}

/// The result of each name in this cluster. A database that CouchDB does not have may still be claimed.
fn lookups(args: &Args, seen: &Seen) -> Vec<Lookup> {
    let unread = seen.ownership.gaps().into_iter().next();
    let of = |name: &String| {
        let missing = seen.not_found.iter().find(|(missing, _)| missing == name);
        match (missing, &unread) {
            (None, _) => Lookup::Found,
            (Some((name, near)), None) => Lookup::Missing(messages::not_found(seen, name, near)),
            (Some((name, _)), Some(gap)) => Lookup::Unknown(format!(
                "whether anything claims {name} is not known: {gap}"
            )),
        }
    };
    args.databases.iter().map(of).collect()
}
