//! Collected onboardings in each format. stdout only.

use super::item::Item;
use super::{Args, columns, summary};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::helm_release::GROUP;
use crate::render::name;
use crate::render::objects::{self, Form};
use crate::render::output::Output;
use crate::render::sort::SortBy;
use crate::view::contexts;
use crate::view::object_list;
use crate::view::onboarding_row::Row;
use serde_json::Value;

/// Prints them.
pub(super) fn print(
    app: &mut App,
    args: &Args,
    output: &Output,
    sort: Option<&SortBy>,
    mut items: Vec<Item>,
    form: Form<'_>,
) -> Result<()> {
    if let Some(sort) = sort {
        sort.sort(&mut items, |item| &item.object)
            .map_err(|e| Error::new(e.to_string()))?;
    }
    if args.failed_first {
        items.sort_by_key(|item| summary::worst_first(&item.hr, item.shared));
    }
    let now = app.now;
    match output {
        Output::Table | Output::Wide => {
            let all: Vec<Row<'_>> = items.iter().map(Item::row).collect();
            let columns = columns::fitting(app, args, output, all.iter().copied());
            let rows: Vec<Vec<String>> = all.iter().map(|row| columns.cells(*row, now)).collect();
            let mut table = columns::table(app, args, &columns);
            table.write_page(&mut app.ui.screen(), &rows)?;
        }
        Output::Name => {
            let screen = &mut app.ui.screen();
            for item in &items {
                name::write(screen, "HelmRelease", GROUP, &item.hr.metadata.name)?;
            }
        }
        output => {
            let keep = args.show_managed_fields
                || matches!(output, Output::JsonPath(_) | Output::CustomColumns(_));
            let object = |item: Item| {
                let mut object = item.object;
                if !keep {
                    object_list::drop_managed_fields(&mut object);
                }
                if let Some(context) = &item.context {
                    contexts::in_context(&mut object, context);
                }
                object
            };
            let all: Vec<Value> = items.into_iter().map(object).collect();
            objects::print(&mut app.ui, output, all, args.no_headers, form)?;
        }
    }
    Ok(())
}
