//! kubectl's table: columns three spaces apart, no borders, printed page by page.
//!
//! It is a writer of our own and not comfy-table: rows are printed as pages arrive, a later page
//! may widen a column and must not touch what is already on the screen, and the last cell is not
//! padded. comfy-table lays out a whole table at once from all of its rows.
//!
//! Width is what a terminal shows (wide characters take two columns, combining marks none).
//! kubectl counts characters, so its columns drift after such a cell; for ASCII both agree.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::text;
use crate::text::fold::fold;

/// Spaces between a column's widest cell and the next column.
const GAP: usize = 3;
/// The least that a column takes, its gap included.
const NARROWEST: usize = 6;
/// A last column narrower than this is not folded beside the others: its text goes below its row.
const FOLD_AT_LEAST: usize = 40;
/// Least that a cell below its row is set in.
const OWN_LINE: usize = 4;

/// A table that remembers how wide its columns have been.
#[derive(Debug, Clone)]
pub struct Table {
    headers: Option<Vec<String>>,
    widths: Vec<usize>,
    indent: usize,
    terminal: Option<usize>,
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

    /// Prints rows, before the first of them the header. No rows print nothing.
    pub fn write_page(&mut self, out: &mut impl Write, rows: &[Vec<String>]) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let header = self.headers.take();
        self.write_lines(out, header.iter().chain(rows))
    }

    /// Prints the header now if it was not printed yet, for a table that may stay empty.
    pub fn write_header(&mut self, out: &mut impl Write) -> io::Result<()> {
        let header = self.headers.take();
        self.write_lines(out, header.iter())
    }

    fn write_lines<'r>(
        &mut self,
        out: &mut impl Write,
        rows: impl Iterator<Item = &'r Vec<String>>,
    ) -> io::Result<()> {
        let lines: Vec<Vec<_>> = rows
            .map(|row| row.iter().map(|cell| text::cell(cell)).collect())
            .collect();
        for line in &lines {
            self.widen(line);
        }
        for line in &lines {
            self.write_line(out, line)?;
        }
        Ok(())
    }

    fn widen(&mut self, line: &[impl AsRef<str>]) {
        let padded = line.len().saturating_sub(1);
        if self.widths.len() < padded {
            self.widths.resize(padded, NARROWEST);
        }
        for (width, cell) in self.widths.iter_mut().zip(&line[..padded]) {
            *width = (*width).max(cell.as_ref().width() + GAP);
        }
    }

    /// No room beside the other columns: the last cell goes under them, set in further than its row.
    fn write_below(&self, out: &mut impl Write, text: &str, last: &str) -> io::Result<()> {
        let start = (self.indent * 2).max(OWN_LINE);
        let room = self.terminal.map_or(0, |width| width.saturating_sub(start));
        writeln!(out, "{}", text.trim_end())?;
        for part in fold(last, Some(room.max(FOLD_AT_LEAST)), "", "") {
            writeln!(out, "{:start$}{part}", "")?;
        }
        Ok(())
    }

    fn write_line(&self, out: &mut impl Write, line: &[impl AsRef<str>]) -> io::Result<()> {
        let Some((last, padded)) = line.split_last() else {
            return writeln!(out);
        };
        let mut text = " ".repeat(self.indent);
        for (cell, width) in padded.iter().zip(&self.widths) {
            let cell = cell.as_ref();
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width - cell.width()));
        }
        let start = self.indent + self.widths[..padded.len()].iter().sum::<usize>();
        let last = last.as_ref();
        let room = self.terminal.map_or(0, |width| width.saturating_sub(start));
        if last.width() <= room || self.terminal.is_none() {
            return writeln!(out, "{text}{last}");
        }
        if room < FOLD_AT_LEAST {
            return self.write_below(out, &text, last);
        }
        for (number, part) in fold(last, Some(room), "", "").iter().enumerate() {
            match number {
                0 => writeln!(out, "{text}{part}")?,
                _ => writeln!(out, "{:start$}{part}", "")?,
            }
        }
        Ok(())
    }
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
        table.write_page(&mut out, &rows(page)).unwrap();
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

    proptest! {
        #[test]
        fn cells_break_neither_the_line_nor_the_terminal(page in proptest::collection::vec(proptest::collection::vec(any::<String>(), 0..5), 0..6)) {
            let mut out = Vec::new();
            Table::new(["A", "B", "C"]).write_page(&mut out, &page).unwrap();
            let text = String::from_utf8(out).unwrap();
            let lines = if page.is_empty() { 0 } else { page.len() + 1 };
            prop_assert_eq!(text.matches('\n').count(), lines);
            prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
        }

        #[test]
        fn folding_loses_no_word(cell in "[a-zß日 ]{0,120}", terminal in 0usize..200) {
            let mut out = Vec::new();
            Table::new(["NAME", "STATUS"]).fold(Some(terminal)).no_headers(true)
                .write_page(&mut out, &[vec!["x".to_owned(), cell.clone()]]).unwrap();
            let text = String::from_utf8(out).unwrap();
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&text), letters(&format!("x{cell}")));
        }

        #[test]
        fn columns_line_up(cells in proptest::collection::vec("[a-z日é]{0,12}", 1..6)) {
            let page: Vec<_> = cells.iter().map(|cell| vec![cell.clone(), "|".to_owned()]).collect();
            let mut out = Vec::new();
            Table::new(["N", "|"]).write_page(&mut out, &page).unwrap();
            let text = String::from_utf8(out).unwrap();
            let ends: Vec<_> = text.lines().map(UnicodeWidthStr::width).collect();
            prop_assert!(ends.iter().all(|end| *end == ends[0]), "{}", text);
        }
    }
}
