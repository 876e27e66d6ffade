//! `-o json`: JSON as kubectl writes it.
//!
//! Four spaces, keys sorted, Go's escapes (`<`, `>`, `&` as `\u003c` ...) and Go's numbers. C1 controls and marks that reorder
//! what is read, which kubectl writes as they are, are escaped too: a reader gets the same text, and a terminal obeys none of it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::go_format;
use crate::text::misleads;

/// Writes a value indented by four spaces and ends with a line feed.
///
/// # Errors
/// The writer's own, and a value that JSON cannot hold (a map whose keys are no strings).
pub fn write(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    // Through a Value, since that sorts the keys of structs too.
    let value = serde_json::to_value(value)?;
    write_value(out, &value)
}

/// As [`write()`], without the copy that sorts a struct's keys.
pub fn write_value(out: &mut impl Write, value: &Value) -> io::Result<()> {
    let pretty = GoJson(PrettyFormatter::with_indent(b"    "), is_escaped);
    value.serialize(&mut Serializer::with_formatter(&mut *out, pretty))?;
    out.write_all(b"\n")
}

/// One line without spaces, as jsonpath prints maps and lists.
pub(super) fn compact(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    value
        .serialize(&mut Serializer::with_formatter(
            &mut text,
            GoJson(CompactFormatter, is_escaped_by_go),
        ))
        .expect("a JSON value always serializes");
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// What Go writes as `\uXXXX` beyond what JSON demands.
fn is_escaped_by_go(c: char) -> bool {
    matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')
}

/// The same, and what a terminal obeys.
fn is_escaped(c: char) -> bool {
    is_escaped_by_go(c) || c.is_control() || misleads(c)
}

/// Another formatter's layout with Go's strings and numbers, and the characters that are escaped.
struct GoJson<F>(F, fn(char) -> bool);

impl<F: Formatter> Formatter for GoJson<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        text: &str,
    ) -> io::Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find(self.1) {
            let (before, found) = rest.split_at(at);
            let c = found.chars().next().expect("find points at a character");
            out.write_all(before.as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &found[c.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }

    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, float: f64) -> io::Result<()> {
        out.write_all(go_format::float_json(float).as_bytes())
    }

    fn write_u64<W: ?Sized + Write>(&mut self, out: &mut W, int: u64) -> io::Result<()> {
        match i64::try_from(int) {
            Ok(int) => self.write_i64(out, int),
            Err(_) => self.write_f64(out, int as f64),
        }
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        self.0.write_char_escape(out, escape)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn text(value: &impl Serialize) -> String {
        let mut out = Vec::new();
        write(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn keys_are_sorted_and_indented_by_four() {
        #[derive(Serialize)]
        struct Plan {
            size: f64,
            database: &'static str,
            members: Vec<u8>,
        }
        insta::assert_snapshot!(text(&Plan { size: 2.0, database: "pds_database", members: vec![] }), @r#"
        {
            "database": "pds_database",
            "members": [],
            "size": 2
        }
        "#);
    }

    #[test]
    fn strings_have_gos_escapes() {
        let value = json!({"version": "<0.2.0 & >0.1\u{2028}\u{1b}\u{8}\u{7f}\n日"});
        assert_eq!(
            compact(&value),
            "{\"version\":\"\\u003c0.2.0 \\u0026 \\u003e0.1\\u2028\\u001b\\b\u{7f}\\n日\"}"
        );
    }

    #[test]
    fn nothing_in_an_answer_is_obeyed_by_a_terminal() {
        let value = json!({"a\u{9b}": "\u{7f}pds\u{202e}esabatad\u{200b}"});
        assert_eq!(
            text(&value),
            "{\n    \"a\\u009b\": \"\\u007fpds\\u202eesabatad\\u200b\"\n}\n"
        );
        // jsonpath is kubectl's.
        assert_eq!(compact(&json!("\u{202e}")), "\"\u{202e}\"");
    }

    #[test]
    fn numbers_are_gos() {
        assert_eq!(
            compact(&json!([1, -2, 1.0, 1e16, u64::MAX, 1e-7])),
            "[1,-2,1,10000000000000000,18446744073709552000,1e-7]"
        );
    }

    proptest! {
            #[test]
    fn it_reads_back(string in any::<String>(), int in any::<i64>(), half in any::<i32>()) {
                let float = f64::from(half) + 0.5;
                let value = json!({"s": string, &string: [int, float, null, true]});
                prop_assert_eq!(serde_json::from_str::<Value>(&text(&value)).unwrap(), value.clone());
                prop_assert_eq!(serde_json::from_str::<Value>(&compact(&value)).unwrap(), value);
            }
        }
}
