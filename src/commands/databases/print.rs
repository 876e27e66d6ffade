//! The databases in each format. stdout only.

use super::{Args, Seen};
use crate::cli::App;
use crate::error::{Error, Result};
use crate::render::output::Output;
use crate::render::sort::SortBy;
use crate::render::table::Table;
use crate::render::{PrintError, json, list as kube_list, yaml};
use crate::text::Shown;
use crate::view::databases::{Columns, Database};
use serde_json::Value;

/// Prints what is shown.
pub(super) fn print(
    app: &mut App,
    args: &Args,
    output: &Output,
    sort: Option<&SortBy>,
    seen: &Seen,
) -> Result<()> {
    let pod = format!("{}/{}", seen.target.namespace, seen.target.pod);
    let mut items: Vec<(Value, &Database)> = seen
        .shown
        .iter()
        .map(|database| (database.object(&pod), database))
        .collect();
    if let Some(sort) = sort {
        sort.sort(&mut items, |(object, _)| object)
            .map_err(|e| Error::new(e.to_string()))?;
    }
    let now = app.now;
    let width = app.ui.terminal().width;
    match output {
        Output::Table | Output::Wide => {
            let columns = Columns::of(matches!(output, Output::Wide), &seen.shown);
            let rows: Vec<Vec<String>> = items.iter().map(|(_, d)| columns.cells(d, now)).collect();
            Table::new(columns.headers())
                .no_headers(args.no_headers)
                .fold(width)
                .write_page(&mut app.ui.screen(), &rows)?;
        }
        // The name alone: it is no object of the API server, and delete-db takes it as it is.
        Output::Name => {
            let screen = &mut app.ui.screen();
            for (_, database) in &items {
                screen.line(Shown::line(&database.entry.name))?;
            }
        }
        Output::CustomColumns(columns) => {
            let objects: Vec<Value> = items.into_iter().map(|(object, _)| object).collect();
            let mut printer = columns.printer(args.no_headers);
            let screen = &mut app.ui.screen();
            printer.write_page(screen, &objects).map_err(printing)?;
            printer.finish(screen)?;
        }
        Output::Json | Output::Yaml | Output::JsonPath(_) => {
            let mut objects: Vec<Value> = items.into_iter().map(|(object, _)| object).collect();
            // As kubectl: one that was asked for by name stands alone.
            let whole = match (args.databases.len(), objects.len()) {
                (1, 1) => objects.swap_remove(0),
                _ => kube_list::list(objects),
            };
            let mut out = app.ui.machine();
            match output {
                Output::Json => json::write_value(&mut out, &whole)?,
                Output::Yaml => yaml::write_value(&mut out, &whole)?,
                Output::JsonPath(template) => template.write(&mut out, &whole).map_err(printing)?,
                _ => {}
            }
        }
    }
    Ok(())
}

fn printing(error: PrintError) -> Error {
    match error {
        PrintError::Render(e) => Error::new(e.to_string()),
        PrintError::Output(e) => e.into(),
    }
}
