//! kubectl's table: columns three spaces apart, no borders, printed page by page.
//!
//! comfy-table lays out all columns of a page. Three things it has no setting for are done here:
//! - No column gets narrower than an earlier page had it: that width is its lower boundary, so that rows already on the screen
//!   stay in line with the next.
//! - The last column's text comes folded. comfy-table fills a line with a part of the next word where that word is longer than
//!   the column, so URLs and names could not be copied any more; here a word is never cut. Where the other columns leave no room
//!   the text goes below its row, across all columns, which no column can do.
//! - comfy-table pads the last column and counts in 16 bits. The padding is taken off again, as kubectl has none, and a row
//!   with a wider cell than 16 bits count is set alone.
//!
//! Width is what a terminal shows (wide characters take two columns, combining marks none).
//! kubectl counts characters, so its columns drift after such a cell; for ASCII both agree.

use std::borrow::Cow;
use std::io;

use comfy_table::ColumnConstraint::LowerBoundary;
use comfy_table::{Cell, Width, presets};
use unicode_width::UnicodeWidthStr;

use crate::palette::Palette;
use crate::text::fold::fold;
use crate::text::{self, Screen, Shown, shown};

/// Spaces between a column's widest cell and the next column.
const GAP: u16 = 3;
/// The least that a column takes, its gap included.
const NARROWEST: u16 = 6;
/// Rows that comfy-table lays out at once: it copies each cell several times, and few of them stay in the processor's cache.
const AT_ONCE: usize = 16;
/// The widest cell that comfy-table lays out whole, its gap included.
const WIDEST: usize = (u16::MAX - GAP) as usize;
/// A last column narrower than this is not folded beside the others: its text goes below its row.
const FOLD_AT_LEAST: usize = 40;
/// Least that a cell below its row is set in.
const OWN_LINE: usize = 4;

/// A table that remembers how wide its columns have been.
#[derive(Debug, Clone)]
pub struct Table {
    headers: Option<Vec<String>>,
    /// Of all columns but the last, gaps included.
    widths: Vec<u16>,
    indent: usize,
    terminal: Option<usize>,
    paint: Option<Paint>,
}

/// Colours for one column, by what its cells say.
#[derive(Debug, Clone, Copy)]
struct Paint {
    column: usize,
    palette: Palette,
    style: fn(Palette, Shown) -> Shown,
}

impl Table {
    /// Headers are printed as given; kubectl writes them in upper case.
    pub fn new<H: Into<String>>(headers: impl IntoIterator<Item = H>) -> Self {
        let headers = headers.into_iter().map(Into::into).collect();
        Self {
            headers: Some(headers),
            widths: Vec::new(),
            indent: 0,
            terminal: None,
            paint: None,
        }
    }

    /// Leaves the header line out, and its width too (`--no-headers`).
    pub fn no_headers(mut self, yes: bool) -> Self {
        if yes {
            self.headers = None;
        }
        self
    }

    /// Starts every line with this many spaces, for a table inside another text.
    pub fn indent(mut self, spaces: usize) -> Self {
        self.indent = spaces;
        self
    }

    /// Folds the last column's long text under itself on a terminal of this width. With `None`
    /// (piped output) every row stays one line.
    pub fn fold(mut self, terminal: Option<usize>) -> Self {
        self.terminal = terminal;
        self
    }

    /// Paints the cells of this column, which is not the last one: `style` is given each of them.
    pub fn paint(
        mut self,
        column: usize,
        palette: Palette,
        style: fn(Palette, Shown) -> Shown,
    ) -> Self {
        self.paint = palette.is_on().then_some(Paint {
            column,
            palette,
            style,
        });
        self
    }

    /// How many columns of the terminal are left for the last cell beside these rows; `None` where nothing is folded.
    pub fn room(&self, rows: &[Vec<String>]) -> Option<usize> {
        let terminal = self.terminal?;
        let mut table = self.clone();
        for row in self.headers.iter().chain(rows) {
            let row: Vec<_> = row.iter().map(|cell| text::cell(cell)).collect();
            table.widen(&row);
        }
        Some(terminal.saturating_sub(table.start()))
    }

    /// Prints rows, before the first of them the header. No rows print nothing.
    pub fn write_page(&mut self, screen: &mut Screen<'_>, rows: &[Vec<String>]) -> io::Result<()> {
        let mut lines = self.page(rows).into_iter();
        lines.try_for_each(|line| screen.line(line))
    }

    /// The lines of rows, before the first of them the header.
    pub fn page(&mut self, rows: &[Vec<String>]) -> Vec<Shown> {
        if rows.is_empty() {
            return Vec::new();
        }
        let header = self.headers.take();
        self.lines(header.iter().chain(rows))
    }

    /// Prints the header now if it was not printed yet, for a table that may stay empty.
    pub fn write_header(&mut self, screen: &mut Screen<'_>) -> io::Result<()> {
        let header = self.headers.take();
        let mut lines = self.lines(header.iter()).into_iter();
        lines.try_for_each(|line| screen.line(line))
    }

    fn lines<'r>(&mut self, rows: impl Iterator<Item = &'r Vec<String>>) -> Vec<Shown> {
        let rows: Vec<Vec<_>> = rows
            .map(|row| row.iter().map(|cell| text::cell(cell)).collect())
            .collect();
        for row in &rows {
            self.widen(row);
        }
        let mut lines = Vec::with_capacity(rows.len());
        for rows in rows.chunks(AT_ONCE) {
            self.lay_out(rows, &mut lines);
        }
        lines
    }

    /// Lets comfy-table set rows in columns that are wide enough for them, and takes what it gives.
    fn lay_out(&self, rows: &[Vec<Cow<'_, str>>], out: &mut Vec<Shown>) {
        let padded = self.widths.len();
        let ends: Vec<_> = rows.iter().map(|row| self.end(row)).collect();
        let lines = ends.iter().flat_map(|end| &end.lines);
        let widest = lines.map(|line| width(line)).max().unwrap_or(0).max(1);
        let mut page = comfy_table::Table::new();
        page.load_style(presets::NOTHING);
        for (row, end) in rows.iter().zip(&ends) {
            if end.lines.is_empty() {
                continue;
            }
            let cells = (0..padded).map(|at| row.get(at).map_or("", |cell| cell.as_ref()));
            let last = Cell::new_owned(end.lines.join("\n"));
            page.add_row(cells.map(Cell::new).chain([last]));
        }
        for column in page.column_iter_mut() {
            match self.widths.get(column.index) {
                Some(width) => column
                    .set_padding((0, GAP))
                    .set_constraint(LowerBoundary(Width::Fixed(*width))),
                None => column.set_padding((0, 0)),
            };
        }
        let mut laid_out = page.lines();
        let indent = " ".repeat(self.indent);
        let below = " ".repeat(self.below());
        for (row, end) in rows.iter().zip(&ends) {
            if end.lines.is_empty() {
                // Too wide for any column.
                let gap = " ".repeat(usize::from(GAP));
                out.push(shown!("{indent}{}", row.join(&gap)));
            }
            for (number, part) in end.lines.iter().enumerate() {
                let line = laid_out.next().unwrap_or_default();
                let line = &line[..line.len().saturating_sub(widest - width(part))];
                let line = format!("{indent}{line}");
                let line = match end.below.is_empty() {
                    true => &line,
                    false => line.trim_end(),
                };
                out.push(match self.paint {
                    Some(paint) if number == 0 => self.painted(paint, row, line),
                    _ => Shown::line(line),
                });
            }
            for part in &end.below {
                out.push(shown!("{below}{part}"));
            }
        }
    }

    /// A row's line with one of its cells in its style.
    fn painted(&self, paint: Paint, row: &[Cow<'_, str>], line: &str) -> Shown {
        let before = row.iter().zip(&self.widths).take(paint.column);
        let padded =
            before.map(|(cell, wide)| cell.len() + usize::from(*wide).saturating_sub(width(cell)));
        let start = self.indent + padded.sum::<usize>();
        let cell = row.get(paint.column).map_or("", |cell| cell.as_ref());
        let parts = line.split_at_checked(start).and_then(|(before, rest)| {
            let after = rest.strip_prefix(cell)?;
            Some((before, after))
        });
        match parts {
            Some((before, after)) => Shown::line(before)
                .and((paint.style)(paint.palette, Shown::line(cell)))
                .and(Shown::line(after)),
            None => Shown::line(line),
        }
    }

    /// Where the last column starts.
    fn start(&self) -> usize {
        self.indent + self.widths.iter().map(|w| usize::from(*w)).sum::<usize>()
    }

    /// Makes the columns as wide as this row wants them.
    fn widen(&mut self, row: &[Cow<'_, str>]) {
        let padded = row.len().saturating_sub(1).max(self.widths.len());
        self.widths.resize(padded, NARROWEST);
        for (width, cell) in self.widths.iter_mut().zip(row) {
            // One that is set alone is in no column.
            let cell = u16::try_from(self::width(cell)).ok();
            let cell = cell.and_then(|cell| cell.checked_add(GAP));
            *width = (*width).max(cell.unwrap_or(0));
        }
    }

    /// The last cell as it is set: beside the others if there is room, else below them.
    fn end<'c>(&self, row: &'c [Cow<'_, str>]) -> End<'c> {
        let padded = self.widths.len();
        let last = row.get(padded).map_or("", |cell| cell.as_ref());
        let start = self.start();
        let mut lines = vec![Cow::Borrowed(last)];
        let mut below = Vec::new();
        if let Some(terminal) = self.terminal
            && width(last) > terminal.saturating_sub(start)
        {
            let room = terminal.saturating_sub(start);
            if room >= FOLD_AT_LEAST {
                let parts = fold(last, Some(room), "", "");
                lines = parts
                    .into_iter()
                    .map(|part| Cow::Owned(part.to_string()))
                    .collect();
            } else {
                let room = terminal.saturating_sub(self.below()).max(FOLD_AT_LEAST);
                below = fold(last, Some(room), "", "");
                lines = vec![Cow::Borrowed("")];
            }
        }
        let cells = row.iter().take(padded).chain(&lines);
        if cells.map(|cell| width(cell)).any(|w| w > WIDEST) {
            lines.clear();
            below.clear();
        }
        End { lines, below }
    }

    /// Where text below its row starts.
    fn below(&self) -> usize {
        (self.indent * 2).max(OWN_LINE)
    }
}

/// Columns of a text that has been cleaned.
fn width(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.width()
    }
}

/// How a row ends.
struct End<'c> {
    /// The last column's lines; none where the row is set alone.
    lines: Vec<Cow<'c, str>>,
    /// Lines below the row.
    below: Vec<Shown>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter()
            .map(|row| row.iter().map(|cell| (*cell).to_owned()).collect())
            .collect()
    }

    fn print(table: &mut Table, page: &[&[&str]]) -> String {
        let mut out = Vec::new();
        let mut screen = Screen::new(&mut out);
        table.write_page(&mut screen, &rows(page)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_three_spaces_apart_and_six_at_least() {
        let mut table = Table::new(["A", "NAME", "STATUS"]);
        let text = print(
            &mut table,
            &[
                &["x", "skvs-a", "ok"],
                &["y", "b", "install failed\nLast logs"],
            ],
        );
        assert_eq!(
            text,
            "A     NAME     STATUS\nx     skvs-a   ok\ny     b        install failed...\n"
        );
    }

    #[test]
    fn a_later_page_widens_and_never_narrows() {
        let mut table = Table::new(["NAME", "STATUS"]);
        assert_eq!(
            print(&mut table, &[&["ab", "ok"]]),
            "NAME   STATUS\nab     ok\n"
        );
        assert_eq!(print(&mut table, &[&["abcdefgh", "ok"]]), "abcdefgh   ok\n");
        assert_eq!(print(&mut table, &[&["c", "ok"]]), "c          ok\n");
    }

    #[test]
    fn no_rows_print_no_header() {
        let mut table = Table::new(["NAME", "STATUS"]);
        assert_eq!(print(&mut table, &[]), "");
        assert_eq!(
            print(&mut table, &[&["a", "b"]]),
            "NAME   STATUS\na      b\n"
        );
    }

    #[test]
    fn without_headers_only_cells_count() {
        let mut table = Table::new(["A LONG HEADER", "STATUS"])
            .no_headers(true)
            .indent(2);
        assert_eq!(
            print(&mut table, &[&["a", ""], &["b", "ok"]]),
            "  a     \n  b     ok\n"
        );
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let mut table = Table::new(["NAME", "STATUS"]);
        assert_eq!(
            print(&mut table, &[&["日本語", "ok"], &["abcdef", "ok"]]),
            "NAME     STATUS\n日本語   ok\nabcdef   ok\n"
        );
    }

    #[test]
    fn the_last_column_folds_under_itself() {
        let mut table = Table::new(["NAME", "STATUS"]).fold(Some(50));
        let text = print(
            &mut table,
            &[&["a", "namespace \"core\" not found (retries exhausted)"]],
        );
        insta::assert_snapshot!(text, @r#"
        NAME   STATUS
        a      namespace "core" not found (retries
               exhausted)
        "#);
    }

    #[test]
    fn where_the_last_column_finds_no_room_it_takes_lines_of_its_own() {
        let mut table = Table::new(["NAME", "READY", "STATUS"]).fold(Some(52));
        let text = print(
            &mut table,
            &[
                &[
                    "skvs-onboarding",
                    "False",
                    "namespace \"core\" not found (retries exhausted)",
                ],
                &["b", "True", "ok"],
            ],
        );
        insta::assert_snapshot!(text, @r#"
        NAME              READY   STATUS
        skvs-onboarding   False
            namespace "core" not found (retries exhausted)
        b                 True    ok
        "#);
    }

    #[test]
    fn one_column_is_painted_and_nothing_moves() {
        let rows = rows(&[
            &[
                "日本語",
                "False",
                "namespace \"core\" not found (retries exhausted)",
            ],
            &["a", "True", "False True"],
        ]);
        let style = |palette: Palette, cell: Shown| match cell.as_str() {
            "False" => palette.error(cell),
            _ => cell,
        };
        let table = || {
            Table::new(["NAME", "READY", "STATUS"])
                .indent(2)
                .fold(Some(62))
        };
        let plain = table().page(&rows);
        assert_eq!(
            table().paint(1, Palette::new(false), style).page(&rows),
            plain
        );
        let painted = table().paint(1, Palette::new(true), style).page(&rows);
        let text = |lines: &[Shown]| lines.iter().map(|l| format!("{l}\n")).collect::<String>();
        let red = text(&painted);
        assert_eq!(red.matches("\u{1b}[1;31mFalse\u{1b}[0m").count(), 1);
        assert_eq!(
            red.replace("\u{1b}[1;31m", "").replace("\u{1b}[0m", ""),
            text(&plain)
        );
    }

    #[test]
    fn the_room_of_the_last_column_is_known_before_it_is_printed() {
        let table = Table::new(["NAME", "STATUS"]).indent(2).fold(Some(50));
        let all = rows(&[&["abcdefgh", "ok"]]);
        assert_eq!(table.room(&all), Some(50 - 2 - "abcdefgh   ".len()));
        assert_eq!(table.clone().fold(None).room(&all), None);
        assert_eq!(table.fold(Some(5)).room(&all), Some(0));
    }

    #[test]
    fn a_cell_wider_than_16_bits_count_is_set_whole_and_alone() {
        let wide = "x".repeat(70_000);
        let mut table = Table::new(["NAME", "READY", "STATUS"]);
        let page = [
            ["a", &wide, "ok"],
            ["b", "True", "ok"],
            ["c", "True", &wide],
        ];
        let page: Vec<&[&str]> = page.iter().map(|row| row.as_slice()).collect();
        let text = print(&mut table, &page);
        let expected = [
            "NAME   READY   STATUS",
            &format!("a   {wide}   ok"),
            "b      True    ok",
            &format!("c   True   {wide}"),
        ];
        assert!(text.lines().eq(expected), "{}", text.len());
        // The widest that comfy-table lays out.
        for columns in [WIDEST - 1, WIDEST, WIDEST + 1, 65_535, 65_536] {
            let wide = "x".repeat(columns);
            let mut table = Table::new(["NAME", "STATUS"]).no_headers(true);
            let text = print(&mut table, &[&[&wide, "ok"], &["b", "ok"]]);
            let ends = text.lines().map(|line| line.trim_end().len());
            let second = if columns > WIDEST { 8 } else { columns + 5 };
            assert!(ends.eq([columns + 5, second]), "{columns}");
        }
        // On a terminal a long text folds, and only a word that is too wide is alone.
        let prose = "word ".repeat(14_000);
        let mut table = Table::new(["NAME", "STATUS"]).fold(Some(60));
        let text = print(&mut table, &[&["a", &prose], &["b", &wide]]);
        assert!(
            text.lines()
                .filter(|line| line.len() > 60)
                .eq([format!("b   {wide}")])
        );
        assert_eq!(text.matches("word").count(), 14_000);
    }

    #[test]
    fn names_and_urls_stay_whole() {
        let url =
            "http://steelcouch-agora-kvs-secure-kvs-agora-couchdb.secure-kvs.svc:5984/pds_database";
        let mut table = Table::new(["NAME", "STATUS"]).fold(Some(60));
        let text = print(&mut table, &[&["a", &format!("see {url} for more")]]);
        assert_eq!(
            text,
            format!("NAME   STATUS\na      see\n       {url}\n       for more\n")
        );
    }

    /// Cells that are as they come: every one set three blanks beside the widest so far.
    fn set_by_hand(pages: &[Vec<Vec<String>>]) -> String {
        let mut widths = [6; 2];
        let mut text = String::new();
        for page in pages {
            for row in page {
                for (width, cell) in widths.iter_mut().zip(row) {
                    *width = cell.width().saturating_add(3).max(*width);
                }
            }
            for row in page {
                for (width, cell) in widths.iter().zip(row) {
                    text.push_str(cell);
                    text.push_str(&" ".repeat(width - cell.width()));
                }
                text.push_str(&row[2]);
                text.push('\n');
            }
        }
        text
    }

    proptest! {
        #[test]
        fn comfy_table_sets_what_kubectl_sets(pages in proptest::collection::vec(proptest::collection::vec(proptest::collection::vec("[a-z日é\u{301} ]{0,12}", 3), 1..5), 1..4)) {
            let mut out = Vec::new();
            let mut table = Table::new(["", "", ""]).no_headers(true);
            for page in &pages {
                table.write_page(&mut Screen::new(&mut out), page).unwrap();
            }
            prop_assert_eq!(String::from_utf8(out).unwrap(), set_by_hand(&pages));
        }

        #[test]
        fn cells_break_neither_the_line_nor_the_terminal(page in proptest::collection::vec(proptest::collection::vec(any::<String>(), 0..5), 0..6)) {
            let mut out = Vec::new();
            Table::new(["A", "B", "C"]).write_page(&mut Screen::new(&mut out), &page).unwrap();
            let text = String::from_utf8(out).unwrap();
            let lines = if page.is_empty() { 0 } else { page.len() + 1 };
            prop_assert_eq!(text.matches('\n').count(), lines);
            prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
        }

        #[test]
        fn folding_loses_no_word(cell in "[a-zß日 ]{0,120}", terminal in 0usize..200) {
            let mut out = Vec::new();
            Table::new(["NAME", "STATUS"]).fold(Some(terminal)).no_headers(true)
                .write_page(&mut Screen::new(&mut out), &[vec!["x".to_owned(), cell.clone()]]).unwrap();
            let text = String::from_utf8(out).unwrap();
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&text), letters(&format!("x{cell}")));
        }

        #[test]
        fn columns_line_up(cells in proptest::collection::vec("[a-z日é]{0,12}", 1..6)) {
            let page: Vec<_> = cells.iter().map(|cell| vec![cell.clone(), "|".to_owned()]).collect();
            let mut out = Vec::new();
            Table::new(["N", "|"]).write_page(&mut Screen::new(&mut out), &page).unwrap();
            let text = String::from_utf8(out).unwrap();
            let ends: Vec<_> = text.lines().map(UnicodeWidthStr::width).collect();
            prop_assert!(ends.iter().all(|end| *end == ends[0]), "{}", text);
        }
    }
}
