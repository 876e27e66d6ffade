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
use crate::view::databases::{Columns, Database};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

/// Prints what is shown.
pub(super) fn print(
    app: &mut App,
    args: &Args,
    output: &Output,
    sort: Option<&SortBy>,
    seen: &Seen,
) -> Result<()> {
    let pod = pod(seen);
    let mut items: Vec<(Value, &Database)> = seen
        .shown
        .iter()
        .map(|database| (database.object(pod.as_deref()), database))
        .collect();
    if let Some(sort) = sort {
        sort.sort(&mut items, |(object, _)| object)
            .map_err(|e| Error::new(e.to_string()))?;
    }
    let now = app.now;
    match output {
        Output::Table | Output::Wide => {
            let (columns, mut table) = table(app, args, output, seen);
            let rows: Vec<Vec<String>> = items.iter().map(|(_, d)| columns.cells(d, now)).collect();
            table.write_page(&mut app.ui.screen(), &rows)?;
        }
        // The name alone: it is no object of the API server, and delete-db takes it as it is.
        Output::Name => {
            let screen = &mut app.ui.screen();
            for (_, database) in &items {
                screen.line(Shown::line(&database.entry.name))?;
            }
        }
        output => {
            let all = items.into_iter().map(|(object, _)| object).collect();
            objects::print(
                &mut app.ui,
                output,
                all,
                args.no_headers,
                Form::single(args.databases.len() == 1),
            )?;
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
pub(super) fn table(app: &App, args: &Args, output: &Output, seen: &Seen) -> (Columns, Table) {
    let all = &seen.shown;
    let whole = Columns::whole(matches!(output, Output::Wide), all);
    let whole = match seen.target {
        Some(_) => whole,
        None => whole.of_claims(),
    };
    let table = |columns: Columns| {
        Table::new(columns.headers())
            .no_headers(args.no_headers)
            .fold(app.ui.terminal().width)
            .paint(Columns::STATE, app.ui.palette(), state)
    };
    let fits = |columns: &Columns| {
        let rows: Vec<Vec<String>> = all.iter().map(|d| columns.cells(d, app.now)).collect();
        let header = (!args.no_headers).then(|| columns.headers());
        let header = header.iter().filter_map(|row| Some(row.last()?.width()));
        let last = rows.iter().filter_map(|row| Some(row.last()?.width()));
        let room = table(*columns).room(&rows);
        room.is_none_or(|room| last.chain(header).max().unwrap_or(0) <= room)
    };
    let short = whole.shortened(all);
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
