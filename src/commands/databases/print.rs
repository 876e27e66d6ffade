//! The databases in each format. stdout only.

use super::{Args, Seen};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::inventory::State;
use crate::palette::Palette;
use crate::render::objects::{self, Form};
use crate::render::output::Output;
use crate::render::sort::SortBy;
use crate::render::table::Table;
use crate::text::Shown;
use crate::view::contexts;
use crate::view::databases::{Columns, Database};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

/// One database of a list.
#[derive(Clone, Copy)]
pub(super) struct Item<'s> {
    /// Where several clusters are asked.
    pub(super) context: Option<&'s str>,
    seen: &'s Seen,
    database: &'s Database,
}

/// What one cluster shows.
pub(super) fn items<'s>(context: Option<&'s str>, seen: &'s Seen) -> Vec<Item<'s>> {
    let all = seen.shown.iter();
    let item = |database| Item {
        context,
        seen,
        database,
    };
    all.map(item).collect()
}

impl Item<'_> {
    fn object(&self) -> Value {
        let mut object = self.database.object(pod(self.seen).as_deref());
        if let Some(context) = self.context {
            contexts::in_context(&mut object, context);
        }
        object
    }

    fn cells(&self, app: &App, columns: Columns) -> Vec<String> {
        columns.cells(self.context, self.database, app.now)
    }
}

/// Prints them.
pub(super) fn print(
    app: &mut App,
    args: &Args,
    output: &Output,
    sort: Option<&SortBy>,
    items: &[Item<'_>],
    form: Form<'_>,
) -> Result<()> {
    let all = items.iter().map(|item| (item.object(), *item));
    let mut all: Vec<(Value, Item<'_>)> = all.collect();
    if let Some(sort) = sort {
        sort.sort(&mut all, |(object, _)| object)
            .map_err(|e| Error::new(e.to_string()))?;
    }
    match output {
        Output::Table | Output::Wide => {
            let (columns, mut table) = table(app, args, output, items);
            let rows = all.iter().map(|(_, item)| item.cells(app, columns));
            let rows: Vec<Vec<String>> = rows.collect();
            table.write_page(&mut app.ui.screen(), &rows)?;
        }
        // The name alone: it is no object of the API server, and delete-db takes it as it is.
        Output::Name => {
            let screen = &mut app.ui.screen();
            for (_, item) in &all {
                screen.line(Shown::line(&item.database.entry.name))?;
            }
        }
        output => {
            let all = all.into_iter().map(|(object, _)| object).collect();
            objects::print(&mut app.ui, output, all, args.no_headers, form)?;
        }
    }
    Ok(())
}

/// Which pod was asked.
pub(super) fn pod(seen: &Seen) -> Option<String> {
    let target = seen.target.as_ref()?;
    Some(format!("{}/{}", target.namespace, target.pod))
}

/// The columns for these databases, and an empty table for them. Where a terminal has no room for whole rows, names are short, and then
/// CREATED is left out.
pub(super) fn table(app: &App, args: &Args, output: &Output, all: &[Item<'_>]) -> (Columns, Table) {
    let databases = || all.iter().map(|item| item.database);
    let whole = Columns {
        context: args.contexts.is_asked_for(),
        ..Columns::whole(matches!(output, Output::Wide), databases())
    };
    let whole = match args.saved.paths() {
        [] => whole,
        _ => whole.of_claims(),
    };
    let table = |columns: Columns| {
        Table::new(columns.headers())
            .no_headers(args.no_headers)
            .fold(app.ui.terminal().width)
            .paint(columns.state(), app.ui.palette(), state)
    };
    let fits = |columns: &Columns| {
        let rows = all.iter().map(|item| item.cells(app, *columns));
        let rows: Vec<Vec<String>> = rows.collect();
        let header = (!args.no_headers).then(|| columns.headers());
        let header = header.iter().filter_map(|row| Some(row.last()?.width()));
        let last = rows.iter().filter_map(|row| Some(row.last()?.width()));
        let room = table(*columns).room(&rows);
        room.is_none_or(|room| last.chain(header).max().unwrap_or(0) <= room)
    };
    let short = whole.shortened(databases());
    let least = Columns {
        created: false,
        ..short
    };
    let columns = match whole.wide || fits(&whole) {
        true => whole,
        false => Some(short).filter(fits).unwrap_or(least),
    };
    (columns, table(columns))
}

/// STATE in colour.
fn state(palette: Palette, cell: Shown) -> Shown {
    match State::parse(cell.as_str()) {
        Some(State::Shared | State::Missing | State::Unserved) => palette.error(cell),
        Some(State::Orphan | State::Unknown | State::Mentioned) => palette.warning(cell),
        Some(State::InUse) => palette.good(cell),
        Some(State::Foreign | State::System) | None => cell,
    }
}
