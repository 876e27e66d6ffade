//! YAML with the place of each value in its text.
//!
//! Says where something is written and how. What a value means is for the decoder of `model::documents`: aliases and merge keys are
//! kept here as they are written.

use crate::text::document;
use serde::Serialize;
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StructureStyle};
use std::ops::Range;

/// Where something is written, counted from 1 in lines and characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Place {
    pub line: u64,
    pub column: u64,
}

impl Place {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Single,
    Double,
    /// `|` or `>`.
    Block,
}

/// One value as it is written.
#[derive(Clone, Debug)]
pub struct Node {
    pub kind: Kind,
    pub place: Place,
    /// Its bytes; a list or a map may reach up to what follows it.
    pub range: Range<usize>,
    /// Has an anchor (`&a`) or a tag (`!!str`).
    pub marked: bool,
    /// Has a tag.
    pub tagged: bool,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Scalar { text: String, style: Style },
    List { items: Vec<Node>, flow: bool },
    Map { entries: Vec<Entry>, flow: bool },
    Alias,
}

/// One key of a map with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    pub key: Node,
    pub value: Node,
}

impl Node {
    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            Kind::List { .. } | Kind::Map { .. } | Kind::Alias => None,
        }
    }

    /// The entries of a map; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map { entries, .. } => entries,
            Kind::Scalar { .. } | Kind::List { .. } | Kind::Alias => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::List { items, .. } => items,
            Kind::Scalar { .. } | Kind::Map { .. } | Kind::Alias => &[],
        }
    }

    /// The entry of this key. Of a key that is there twice the last one counts, as for kubectl.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        let mut entries = self.entries().iter().rev();
        entries.find(|entry| entry.key.text() == Some(key))
    }

    /// The value under these keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter()
            .try_fold(self, |node, key| Some(&node.entry(key)?.value))
    }

    /// Where the value under these keys is written; where it is missing, the nearest key above it.
    pub fn place_of(&self, path: &[&str]) -> Place {
        let mut place = self.place;
        let mut node = self;
        for key in path {
            let Some(entry) = node.entry(key) else { break };
            place = entry.key.place;
            node = &entry.value;
            if !matches!(node.kind, Kind::Map { .. }) {
                place = node.place;
            }
        }
        place
    }

    /// An empty document, or an explicit null.
    fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Scalar { text, style } => {
                let words = ["", "~", "null", "Null", "NULL"];
                *style == Style::Plain && words.contains(&text.as_str())
            }
            Kind::List { .. } | Kind::Map { .. } | Kind::Alias => false,
        }
    }
}

/// The documents of a text, without empty ones.
///
/// # Errors
/// A clause that says where and what is wrong: `line 3, column 5: …`.
pub fn documents(text: &str) -> Result<Vec<Node>, String> {
    let mut reader = Reader {
        events: Parser::new_from_str(text),
        length: text.len(),
    };
    let mut documents = Vec::new();
    while let Some((event, span)) = reader.next()? {
        match event {
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            Event::StreamEnd => break,
            event => documents.push(reader.node(event, span)?),
        }
    }
    documents.retain(|d| !d.is_null());
    Ok(documents)
}

struct Reader<'t> {
    events: Parser<'t, serde_saphyr::granit_parser::StrInput<'t>>,
    length: usize,
}

impl<'t> Reader<'t> {
    /// The next event that is not a comment.
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, String> {
        loop {
            match self.events.next() {
                None => return Ok(None),
                Some(Err(error)) => return Err(broken(&error)),
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok(next)) => return Ok(Some(next)),
            }
        }
    }

    fn expected(&mut self) -> Result<(Event<'t>, Span), String> {
        self.next()?
            .ok_or_else(|| "the text ends too early".to_owned())
    }

    fn node(&mut self, event: Event<'t>, span: Span) -> Result<Node, String> {
        let mut range = self.range(&span);
        let place = Place {
            line: span.start.line() as u64,
            column: span.start.col() as u64 + 1,
        };
        let tagged = matches!(&event, Event::Scalar(_, _, _, tag) if tag.is_some());
        let is_marked = |anchor: usize, tag: bool| anchor != 0 || tag;
        let (kind, marked) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let text = text.into_owned();
                let kind = Kind::Scalar { text, style };
                (kind, is_marked(anchor, tag.is_some()))
            }
            Event::SequenceStart(style, anchor, tag) => {
                let mut items = Vec::new();
                loop {
                    match self.expected()? {
                        (Event::SequenceEnd, end) => {
                            range.end = self.range(&end).end.max(range.end);
                            break;
                        }
                        (event, span) => items.push(self.node(event, span)?),
                    }
                }
                let flow = style == StructureStyle::Flow;
                let kind = Kind::List { items, flow };
                (kind, is_marked(anchor, tag.is_some()))
            }
            Event::MappingStart(style, anchor, tag) => {
                let mut entries = Vec::new();
                loop {
                    match self.expected()? {
                        (Event::MappingEnd, end) => {
                            range.end = self.range(&end).end.max(range.end);
                            break;
                        }
                        (event, span) => {
                            let key = self.node(event, span)?;
                            let (event, span) = self.expected()?;
                            let value = self.node(event, span)?;
                            entries.push(Entry { key, value });
                        }
                    }
                }
                let flow = style == StructureStyle::Flow;
                let kind = Kind::Map { entries, flow };
                (kind, is_marked(anchor, tag.is_some()))
            }
            Event::Alias(_) => (Kind::Alias, false),
            _ => return Err(format!("line {}: it is not understood", place.line)),
        };
        Ok(Node {
            kind,
            place,
            range,
            marked,
            tagged,
        })
    }

    fn range(&self, span: &Span) -> Range<usize> {
        let at = |offset: Option<usize>| offset.unwrap_or(self.length).min(self.length);
        at(span.start.byte_offset())..at(span.end.byte_offset())
    }
}

fn broken(error: &ScanError) -> String {
    let marker = error.marker();
    let (line, column) = (marker.line() as u64, marker.col() as u64 + 1);
    document::place(line, column, &error.info())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str =
        "# first\n---\n# nothing\n---\na: 1\nb:\n  - x # why\n  - 'y'\nc: {d: \"é\", e: *f}\n";

    #[test]
    fn values_are_found_where_they_are_written() {
        let all = documents(&TEXT.replace("*f", "f")).unwrap();
        let [one] = &all[..] else { panic!("{all:?}") };
        let at = |path: &[&str]| one.at(path).map(|n| (n.place.line, n.place.column));
        assert_eq!(at(&["a"]), Some((5, 4)));
        assert_eq!(at(&["c", "e"]), Some((9, 16)));
        assert_eq!(at(&["c", "x"]), None);
        let list = one.at(&["b"]).unwrap();
        let items: Vec<&str> = list
            .items()
            .iter()
            .map(|n| &TEXT[n.range.clone()])
            .collect();
        assert_eq!(items, ["x", "'y'"]);
        assert_eq!(list.items()[1].text(), Some("y"));
        // The nearest key above it.
        let missing = one.place_of(&["c", "x"]);
        assert_eq!((missing.line, missing.column), (9, 1));
        assert_eq!(one.place_of(&["x"]), Place { line: 5, column: 1 });
    }

    #[test]
    fn a_key_that_is_there_twice_is_kept_twice() {
        let all = documents("a: 1\nb: 2\na: 3\n").unwrap();
        assert_eq!(all[0].entries().len(), 3);
        assert_eq!(all[0].at(&["a"]).and_then(Node::text), Some("3"));
    }

    #[test]
    fn a_broken_text_says_where() {
        let why = documents("a: b\n  c: d\n").unwrap_err();
        assert!(why.starts_with("line 2, column "), "{why}");
        assert!(documents(TEXT).is_err(), "an alias without its anchor");
    }

    proptest! {
        #[test]
        fn every_range_is_of_the_text(text in "([a-c]: ?|- |\\[|\\]|\\{|\\}|'|\"|\n|  |&a |\\*a|#|é|,|\\|){0,24}") {
            fn check(node: &Node, text: &str) {
                assert!(text.get(node.range.clone()).is_some(), "{text:?} {node:?}");
                node.items().iter().for_each(|n| check(n, text));
                for entry in node.entries() {
                    check(&entry.key, text);
                    check(&entry.value, text);
                }
            }
            for node in documents(&text).unwrap_or_default() {
                check(&node, &text);
            }
        }
    }
}
