//! `-o custom-columns=NAME:.path,…`: a table whose cells are JSONPath results.
//!
//! As kubectl prints it, but for line feeds and other control characters inside a value: they are
//! shown (`\n`), so that one object stays one row.

use std::io;

use serde_json::Value;

use super::jsonpath::{Path, relax};
use super::table::Table;
use super::{Error, PrintError};
use crate::text::{self, Screen};

/// Columns that were asked for, in their order.
#[derive(Debug, Clone)]
pub struct CustomColumns {
    columns: Vec<(String, Path)>,
}

impl CustomColumns {
    /// Parses `HEADER:PATH,HEADER:PATH`. Commas always separate columns, even inside brackets.
    ///
    /// # Errors
    /// kubectl's own: no columns, a column without a colon, a path that is none.
    pub fn parse(spec: &str) -> Result<Self, Error> {
        if spec.is_empty() {
            return Err(Error::new(
                "custom-columns format specified but no custom columns given",
            ));
        }
        // All columns are read before the first path is, as kubectl does: that decides which of
        // two errors is told.
        let column = |part| match str::split_once(part, ':') {
            Some((header, path)) => Ok((header.to_owned(), relax(path)?)),
            None => Err(Error::new(format!(
                "unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
            ))),
        };
        let columns: Vec<(String, String)> =
            spec.split(',').map(column).collect::<Result<_, _>>()?;
        let parsed = columns
            .into_iter()
            .map(|(header, path)| Ok((header, Path::parse(&path)?)));
        Ok(Self {
            columns: parsed.collect::<Result<_, Error>>()?,
        })
    }

    /// Starts the output; the printer takes objects page by page.
    pub fn printer(&self, no_headers: bool) -> Printer<'_> {
        let headers = self.columns.iter().map(|(header, _)| header.as_str());
        Printer {
            columns: &self.columns,
            table: Table::new(headers).no_headers(no_headers),
        }
    }
}

/// Prints objects as rows; widths are remembered from page to page.
#[derive(Debug)]
pub struct Printer<'c> {
    columns: &'c [(String, Path)],
    table: Table,
}

impl Printer<'_> {
    /// Prints one row per object. If a path does not fit an object, the rows before it are printed
    /// and the path's error is returned.
    ///
    /// # Errors
    /// The path's, for example `array index out of bounds: index 1, length 1`, and the writer's.
    pub fn write_page(
        &mut self,
        screen: &mut Screen<'_>,
        objects: &[Value],
    ) -> Result<(), PrintError> {
        let mut rows = Vec::with_capacity(objects.len());
        let mut failed = None;
        for object in objects {
            match self
                .columns
                .iter()
                .map(|(_, path)| cell(path, object))
                .collect()
            {
                Ok(row) => rows.push(row),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        self.table.write_page(screen, &rows)?;
        if failed.is_some() {
            self.table.write_header(screen)?;
        }
        failed.map_or(Ok(()), |error| Err(PrintError::Render(error)))
    }

    /// Ends the output: kubectl prints the header even without objects.
    pub fn finish(mut self, screen: &mut Screen<'_>) -> io::Result<()> {
        self.table.write_header(screen)
    }
}

fn cell(path: &Path, object: &Value) -> Result<String, Error> {
    let found = path.find(object)?;
    let first_is_empty = found.first().is_none_or(|items| items.is_empty());
    let values = found
        .iter()
        .flatten()
        .map(|item| text::line(&item.sprint()).into_owned());
    let none = first_is_empty.then(|| "<none>".to_owned());
    Ok(none.into_iter().chain(values).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn print(spec: &str, no_headers: bool, objects: &[Value]) -> Result<String, String> {
        let columns = CustomColumns::parse(spec).map_err(|error| error.to_string())?;
        let mut printer = columns.printer(no_headers);
        let mut out = Vec::new();
        let screen = &mut Screen::new(&mut out);
        printer
            .write_page(screen, objects)
            .map_err(|error| error.to_string())?;
        printer.finish(screen).unwrap();
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn values_are_joined_and_missing_ones_named() {
        let objects = [
            json!({"metadata": {"name": "a"}, "spec": {"values": {"serviceAccounts": ["pds", "x"]}}}),
            json!({"metadata": {"name": "longer"}, "spec": {"values": null}}),
        ];
        let spec = "NAME:.metadata.name,SA:.spec.values.serviceAccounts[*],VALUES:spec.values";
        insta::assert_snapshot!(print(spec, false, &objects).unwrap(), @r"
        NAME     SA       VALUES
        a        pds,x    map[serviceAccounts:[pds x]]
        longer   <none>   <nil>
        ");
    }

    #[test]
    fn one_object_stays_one_row() {
        let object = json!({"message": "install failed\n\x1b[31mlogs"});
        assert_eq!(
            print("M:.message", true, &[object]).unwrap(),
            "install failed\\n^[[31mlogs\n"
        );
    }

    #[test]
    fn the_header_stands_alone_without_objects() {
        assert_eq!(
            print("NAME:.metadata.name,X:.x", false, &[]).unwrap(),
            "NAME   X\n"
        );
        assert_eq!(print("NAME:.metadata.name", true, &[]).unwrap(), "");
    }

    #[test]
    fn wrong_specs_are_refused_in_kubectls_words() {
        let error = |spec| CustomColumns::parse(spec).unwrap_err().to_string();
        assert_eq!(
            error(""),
            "custom-columns format specified but no custom columns given"
        );
        assert_eq!(
            error("NAME"),
            "unexpected custom-columns spec: NAME, expected <header>:<json-path-expr>"
        );
        assert_eq!(error("NAME:.a["), "unterminated array");
    }

    proptest! {
        #[test]
        fn no_spec_or_value_panics(spec in "([A-Z]{0,2}[:,.a*\\[\\]0-9{}-]{0,8}){0,4}", value in any::<String>()) {
            if let Ok(text) = print(&spec, false, &[json!({"a": [value]})]) {
                prop_assert_eq!(text.lines().count(), 2);
                prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
            }
        }
    }
}
