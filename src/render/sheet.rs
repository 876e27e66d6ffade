//! kubectl's describe: `Key:` and value, tables and logs under a key, folded to the terminal.
//!
//! Values are cleaned here; a long one goes on under itself. Names are never cut or hyphenated: they are there to be copied.

use super::table::Table;
use crate::text::fold::fold;
use crate::text::{Screen, Shown, shown};
use std::io;

/// Where values start.
const VALUE: usize = 18;
/// What stands where there is nothing.
pub const NONE: &str = "<none>";

/// One object's text, written as it is told.
pub struct Sheet<'s, 'w> {
    out: &'s mut Screen<'w>,
    /// Columns of the terminal; `None` for piped output, which is not folded.
    width: Option<usize>,
}

impl<'s, 'w> Sheet<'s, 'w> {
    /// A sheet on this screen.
    pub fn new(out: &'s mut Screen<'w>, width: Option<usize>) -> Self {
        Self { out, width }
    }

    /// `Key:   value`; an empty value is `<none>`.
    ///
    /// # Errors
    /// The writer's own, as in all that follows.
    pub fn field(&mut self, key: &str, value: &str) -> io::Result<()> {
        self.fields(key, std::slice::from_ref(&value))
    }

    /// Several values under one key, each on its own line.
    pub fn fields<T: AsRef<str>>(&mut self, key: &str, values: &[T]) -> io::Result<()> {
        let mut lead = format!("{key}:");
        let none = [NONE];
        let values: Vec<&str> = values
            .iter()
            .map(AsRef::as_ref)
            .filter(|v| !v.is_empty())
            .collect();
        for value in if values.is_empty() {
            none.as_slice()
        } else {
            values.as_slice()
        } {
            for line in self.folded(value, VALUE) {
                self.out.line(shown!("{lead:VALUE$}{line}"))?;
                lead.clear();
            }
        }
        Ok(())
    }

    /// `Key:` and a table under it; without rows, `<none>`.
    pub fn table(&mut self, key: &str, headers: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
        if rows.is_empty() {
            return self.field(key, NONE);
        }
        self.out.line(shown!("{key}:"))?;
        Table::new(headers.iter().copied())
            .indent(2)
            .fold(self.width)
            .write_page(self.out, rows)
    }

    /// A line at an indent, folded under itself.
    pub fn line(&mut self, indent: usize, line: &str) -> io::Result<()> {
        for part in self.folded(line, indent) {
            self.out.line(shown!("{:indent$}{part}", ""))?;
        }
        Ok(())
    }

    /// The lines of a log, each folded under itself.
    pub fn log(&mut self, indent: usize, log: &str) -> io::Result<()> {
        for line in log.trim_end().lines() {
            self.line(indent, line)?;
        }
        Ok(())
    }

    fn folded(&self, value: &str, start: usize) -> Vec<Shown> {
        match self.width {
            Some(width) if width > start + 20 => fold(value, Some(width - start), "", ""),
            _ => vec![Shown::line(value)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(width: Option<usize>, write: impl Fn(&mut Sheet<'_, '_>)) -> String {
        let mut out = Vec::new();
        write(&mut Sheet::new(&mut Screen::new(&mut out), width));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_stand_in_one_column_and_fold_under_themselves() {
        let text = sheet(Some(48), |s| {
            s.field("Name", "skvs-onboarding-pds--database").unwrap();
            s.field("Events", "").unwrap();
            s.field(
                "Chart",
                "secure-kvs-onboarding 0.1.2 (wanted <0.2.0, up to date)",
            )
            .unwrap();
            s.fields("Depends on", &["a", "b\u{1b}[2J"]).unwrap();
        });
        insta::assert_snapshot!(text, @r"
        Name:             skvs-onboarding-pds--database
        Events:           <none>
        Chart:            secure-kvs-onboarding 0.1.2
                          (wanted <0.2.0, up to date)
        Depends on:       a
                          b^[[2J
        ");
    }

    #[test]
    fn a_table_without_room_puts_its_last_cell_below() {
        let text = sheet(Some(40), |s| {
            let cells = [
                "secure-kvs-onboarding-0.1.2",
                "failed: the Job has failed twice",
            ];
            let row = cells.map(str::to_owned).to_vec();
            s.table("History", &["CHART", "TEXT"], &[row]).unwrap();
        });
        assert_eq!(
            text,
            "History:\n  CHART                         TEXT\n  secure-kvs-onboarding-0.1.2\n    failed: the Job has failed twice\n"
        );
    }

    #[test]
    fn tables_and_logs_stand_under_their_key() {
        let text = sheet(None, |s| {
            s.table("Events", &["TYPE", "MESSAGE"], &[]).unwrap();
            s.table(
                "Conditions",
                &["TYPE", "MESSAGE"],
                &[vec!["Ready".into(), "ok".into()]],
            )
            .unwrap();
            s.log(4, "one\r\ntwo\n\n").unwrap();
        });
        assert_eq!(
            text,
            "Events:           <none>\nConditions:\n  TYPE    MESSAGE\n  Ready   ok\n    one\n    two\n"
        );
    }
}
