//! `list` of several clusters: one table or list whose every row names its context.

use super::item::Item;
use super::{Args, collect, named, print, query};
use crate::app::App;
use crate::app::fleet::{self, Answers, Fleet};
use crate::error::Result;
use crate::exit::Code;
use crate::flags::contexts::names_contexts;
use crate::lookup::nowhere::{self, Lookup};
use crate::model::helm_release::{GROUP, PLURAL};
use crate::render::objects::Form;
use crate::render::output::Output;
use crate::render::sort::SortBy;
use crate::view::contexts::Unread;

/// What one cluster has.
struct Seen {
    items: Vec<Item>,
    /// In the order of the names.
    lookups: Vec<Lookup>,
}

/// Asks all of them, then prints.
pub(super) async fn run(
    app: &mut App,
    args: &Args,
    fleet: &Fleet,
    output: &Output,
    sort: Option<&SortBy>,
) -> Result<Code> {
    names_contexts(output)?;
    let mut answers = match args.names.is_empty() {
        true => all(app, args, fleet, output).await?,
        false => of_names(app, args, fleet, output).await?,
    };
    let unread = Unread::all(answers.unread(|seen| Lookup::unread(&seen.lookups)));
    let items = answers.take(|seen| std::mem::take(&mut seen.items));
    let items = items.flat_map(|(context, _, items)| {
        items.into_iter().map(move |item| Item {
            context: Some(context.clone()),
            ..item
        })
    });
    let items = items.collect();
    let printed = print::print(app, args, output, sort, items, Form::Contexts(&unread));
    let names = nowhere::code(&answers, &args.names, |seen| &seen.lookups);
    let code = answers.end(app, printed, names)?;
    let what = |name: &str| format!("{PLURAL}.{GROUP} {name:?}");
    nowhere::tell(app, &answers, &args.names, what, |seen| &seen.lookups);
    fleet::ended(code)
}

async fn all(app: &mut App, args: &Args, fleet: &Fleet, output: &Output) -> Result<Answers<Seen>> {
    let query = query(app, args);
    let read = fleet.ask(app, async |app, cluster| {
        let (items, beside) = collect::items(cluster, args, &query).await?;
        beside.tell(app, args, cluster, &query, output).await;
        let lookups = Vec::new();
        Ok((Seen { items, lookups }, Code::Ok))
    });
    read.await
}

async fn of_names(
    app: &mut App,
    args: &Args,
    fleet: &Fleet,
    output: &Output,
) -> Result<Answers<Seen>> {
    let read = fleet.ask(app, async |app, cluster| {
        let (items, beside, answers) = named::items(app, args, cluster, output).await?;
        if let Some(beside) = beside {
            beside.tell(app, output);
        }
        let lookups = Lookup::all(answers, app);
        let code = Lookup::code(&lookups);
        Ok((Seen { items, lookups }, code))
    });
    read.await
}
