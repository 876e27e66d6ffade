//! kubectl's JSONPath dialect, for `-o jsonpath=…`, custom columns and `--sort-by`.
//!
//! The dialect has its own rules: text outside braces is printed as it is, quotes inside braces
//! know escapes, `@` and `$` both mean the current object, a missing key is no error but an index
//! out of bounds is one. The corpus `tests/fixtures/kubectl-dialect` holds what the real kubectl
//! printed. Where kubectl walks a map in random order, we walk it by sorted key.

mod compare;
mod eval;
mod item;
mod parse;
mod unquote;

use std::io::Write;

use serde_json::Value;

pub(super) use item::Item;

use super::{Error, PrintError};

/// A parsed expression, with or without text around it.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// One pair of braces, or one part of a union or filter.
    List(Vec<Node>),
    Text(String),
    Field(String),
    Slice(Slice),
    Filter(Filter),
    Int(i64),
    Float(f64),
    Bool(bool),
    Wildcard,
    Recursive,
    Union(Vec<Vec<Node>>),
    /// `range`, `end`, or a word that evaluation refuses.
    Word(String),
}

#[derive(Debug, Clone, PartialEq)]
struct Slice {
    start: Option<i64>,
    end: Option<i64>,
    /// A single index: the end was not written but is the start's successor.
    single: bool,
    step: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
struct Filter {
    left: Vec<Node>,
    /// The operator as written and its right side; `None` asks whether the left exists.
    right: Option<(String, Vec<Node>)>,
}

impl Path {
    /// Parses a template in which expressions stand in braces.
    ///
    /// # Errors
    /// Go's parse errors, for example `unterminated array`.
    pub fn parse(template: &str) -> Result<Self, Error> {
        parse::parse(template).map(|nodes| Self { nodes })
    }

    /// Parses one path as `--sort-by` and custom columns take it: `.metadata.name`,
    /// `metadata.name`, `{.metadata.name}` or `{metadata.name}`.
    ///
    /// # Errors
    /// An expression with braces inside, and all that [`Path::parse`] refuses.
    pub fn relaxed(expression: &str) -> Result<Self, Error> {
        Self::parse(&relax(expression)?)
    }

    /// All results, one list for each pair of braces or text that was passed.
    pub(super) fn find<'v>(&'v self, value: &'v Value) -> Result<Vec<Vec<Item<'v>>>, Error> {
        eval::find(&self.nodes, value)
    }
}

/// The expression in braces with a leading dot; an empty one stays empty.
pub(super) fn relax(expression: &str) -> Result<String, Error> {
    if expression.is_empty() {
        return Ok(String::new());
    }
    let inner = expression
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or(expression);
    // A lone dot is a field of that name to kubectl's pattern, not a prefix.
    let path = inner
        .strip_prefix('.')
        .filter(|path| !path.is_empty())
        .unwrap_or(inner);
    if path.is_empty() || path.contains(['{', '}']) {
        return Err(Error::new(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'",
        ));
    }
    Ok(format!("{{.{path}}}"))
}

/// `-o jsonpath=TEMPLATE`.
#[derive(Debug, Clone)]
pub struct Template {
    source: String,
    path: Path,
}

impl Template {
    /// # Errors
    /// An empty template, and `error parsing jsonpath TEMPLATE, …` as kubectl says it.
    pub fn parse(source: &str) -> Result<Self, Error> {
        if source.is_empty() {
            return Err(Error::new(
                "template format specified but no template given",
            ));
        }
        match Path::parse(source) {
            Ok(path) => Ok(Self {
                source: source.to_owned(),
                path,
            }),
            Err(error) => Err(Error::new(format!(
                "error parsing jsonpath {source}, {error}"
            ))),
        }
    }

    /// Prints what the template finds, without a line feed at the end. Nothing is written if the
    /// template does not fit the value.
    ///
    /// # Errors
    /// `error executing jsonpath "TEMPLATE": …`; kubectl goes on to print the whole object there,
    /// we do not.
    pub fn write(&self, out: &mut impl Write, value: &Value) -> Result<(), PrintError> {
        let results = self.path.find(value).map_err(|error| {
            Error::new(format!(
                "error executing jsonpath {:?}: {error}",
                self.source
            ))
        })?;
        for items in results {
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.write_all(b" ")?;
                }
                out.write_all(item.printed().as_bytes())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
