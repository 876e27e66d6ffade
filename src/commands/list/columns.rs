//! The table of `list`: which columns the flags and the terminal's width make it of.

use super::Args;
use crate::app::App;
use crate::error::{Error, Result};
use crate::help;
use crate::model::lookup::can_be_short;
use crate::model::status::Ready;
use crate::palette::Palette;
use crate::render::output::Output;
use crate::render::table::Table;
use crate::text::Shown;
use crate::view::onboarding_row::{Columns, Row, is_healthy};
use unicode_width::UnicodeWidthStr;

/// Labels as columns, as in kubectl.
#[derive(clap::Args, Debug)]
pub(super) struct LabelArgs {
    /// Labels to print as columns, separated by commas; can be repeated
    #[arg(
        short = 'L',
        long = "label-columns",
        value_name = "LABEL",
        value_delimiter = ',',
        help_heading = help::OUTPUT
    )]
    columns: Vec<String>,
    /// Print all labels as the last column
    #[arg(long = "show-labels", help_heading = help::OUTPUT)]
    show: bool,
}

impl LabelArgs {
    /// Whether the format, which is typed so, can show them.
    ///
    /// # Errors
    /// kubectl's own.
    pub(super) fn check(&self, typed: &str, output: &Output) -> Result<()> {
        match output {
            _ if !self.show => Ok(()),
            Output::Table | Output::Wide => Ok(()),
            _ => Err(Error::usage(format!(
                "--show-labels option cannot be used with {typed} printer"
            ))),
        }
    }
}

/// All columns that the flags ask for.
pub(super) fn all(args: &Args, output: &Output) -> Columns {
    Columns {
        context: args.contexts.is_asked_for(),
        namespace: args.all_namespaces,
        wide: matches!(output, Output::Wide),
        short: false,
        age: true,
        healthy_status: true,
        label_columns: args.labels.columns.clone(),
        show_labels: args.labels.show,
    }
}

/// As many of them as leave room for the healthy rows' STATUS beside the others. A pipe, `-o wide` and a table with labels, which come
/// after STATUS, lose nothing.
pub(super) fn fitting<'r>(
    app: &App,
    args: &Args,
    output: &Output,
    all: impl IntoIterator<Item = Row<'r>>,
) -> Columns {
    let whole = self::all(args, output);
    let labels = whole.show_labels || !whole.label_columns.is_empty();
    if whole.wide || labels || app.ui.terminal().width.is_none() {
        return whole;
    }
    let all: Vec<Row<'_>> = all.into_iter().collect();
    let fits = |columns: &Columns| {
        let cells = |row: &Row<'_>| {
            let unmarked = Row {
                shared: false,
                ..*row
            };
            columns.cells(unmarked, app.now)
        };
        let rows: Vec<Vec<String>> = all.iter().map(cells).collect();
        let healthy = all.iter().zip(&rows).filter(|(row, _)| is_healthy(row.hr));
        let header = (!args.no_headers).then(|| columns.headers());
        let rows_to_fit = healthy.map(|(_, row)| row).chain(&header);
        let last = rows_to_fit.filter_map(|row| Some(row.last()?.width()));
        let room = table(app, args, columns).room(&rows);
        room.is_none_or(|room| last.max().unwrap_or(0) <= room)
    };
    let ids: Vec<String> = all.iter().map(|row| row.hr.id()).collect();
    let short = Columns {
        short: can_be_short(ids.iter().map(String::as_str)),
        ..whole.clone()
    };
    let ageless = Columns {
        age: false,
        ..short.clone()
    };
    let least = Columns {
        healthy_status: false,
        ..ageless.clone()
    };
    [whole, short, ageless]
        .into_iter()
        .find(|columns| fits(columns))
        .unwrap_or(least)
}

/// An empty table for them.
pub(super) fn table(app: &App, args: &Args, columns: &Columns) -> Table {
    Table::new(columns.headers())
        .no_headers(args.no_headers)
        .fold(app.ui.terminal().width)
        .paint(columns.ready(), app.ui.palette(), ready)
}

/// READY in colour.
fn ready(palette: Palette, cell: Shown) -> Shown {
    let is = |ready: Ready| cell.as_str() == ready.word();
    if is(Ready::False) {
        palette.error(cell)
    } else if is(Ready::Unknown) {
        palette.warning(cell)
    } else if is(Ready::True) {
        palette.good(cell)
    } else {
        cell
    }
}
