//! YAML with kubectl's order of keys and kind of blocks, so that a diff against `kubectl get -o yaml` shows what differs.
//!
//! serde-saphyr writes it: block style without tags and anchors, lists right under their key, and quotes for what some reader of
//! YAML takes for another type. Long text stays on its line, where kubectl wraps it at 80 columns.

mod order;

use crate::text;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde::{Serialize, ser};
use serde_json::{Number, Value};
use serde_saphyr::{SerializerOptions, ser_options, to_fmt_writer_with_options};
use std::borrow::Cow;
use std::io::{self, Write};

/// Begins and ends the number of a character that must not be written as it is. It is a control character itself, so a
/// text that holds one gets double quotes, in which escapes have their meaning.
const MARK: char = '\x01';
/// The same as it is written.
const WRITTEN_MARK: &str = "\\x01";

/// Writes a value as one document, without a `---` line.
///
/// # Errors
/// The writer's own, and a value that JSON cannot hold (a map whose keys are not strings).
pub fn write(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    write_value(out, &serde_json::to_value(value)?)
}

/// As [`write()`], without a copy.
///
/// # Errors
/// The writer's own.
pub fn write_value(out: &mut impl Write, value: &Value) -> io::Result<()> {
    let mut text = String::new();
    to_fmt_writer_with_options(&mut text, &Node(value), options()).map_err(io::Error::other)?;
    out.write_all(unmarked(&text).as_bytes())
}

fn options() -> SerializerOptions {
    ser_options! {
        compact_list_indent: true,
        folded_wrap_chars: usize::MAX,
    }
}

/// A value in kubectl's order and numbers, with marks for what a terminal must not get.
struct Node<'v>(&'v Value);

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(number) => serialize_number(number, serializer),
            Value::String(text) => serializer.serialize_str(&marked(text)),
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Node(item))?;
                }
                list.end()
            }
            Value::Object(map) => {
                let mut entries = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in order::sorted(map) {
                    entries.serialize_entry(&marked(key), &Node(value))?;
                }
                entries.end()
            }
        }
    }
}

/// Whole numbers have no fraction, as kubectl writes them.
fn serialize_number<S: Serializer>(number: &Number, serializer: S) -> Result<S::Ok, S::Error> {
    /// The floats up to this one are whole numbers that an `i64` holds exactly.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Some(value) = number.as_i64() {
        return serializer.serialize_i64(value);
    }
    if let Some(value) = number.as_u64() {
        return serializer.serialize_u64(value);
    }
    let Some(value) = number.as_f64() else {
        return Err(ser::Error::custom(format!("{number} is not a number")));
    };
    match value.fract() == 0.0
        && value.abs() <= EXACT
        && !(value == 0.0 && value.is_sign_negative())
    {
        true => serializer.serialize_i64(value as i64),
        false => serializer.serialize_f64(value),
    }
}

/// What the writer leaves bare and a terminal must not get: marks that reorder or hide what is read. The mark itself, too.
fn is_hidden(c: char) -> bool {
    c == MARK || text::misleads(c)
}

/// The text with marks. A backslash that would read as the beginning of a mark is marked too, so that what looks like one in the
/// document is one.
fn marked(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) && !text.contains(WRITTEN_MARK) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        match is_hidden(c) || text[at..].starts_with(WRITTEN_MARK) {
            true => out.push_str(&format!("{MARK}{:04X}{MARK}", u32::from(c))),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Turns marks into YAML's own escapes. The numbers between them have four digits, or more beyond U+FFFF.
fn unmarked(text: &str) -> Cow<'_, str> {
    if !text.contains(WRITTEN_MARK) {
        return Cow::Borrowed(text);
    }
    let parts = text.split(WRITTEN_MARK).enumerate();
    let escaped = parts.map(|(i, part)| match i % 2 {
        0 => part.to_owned(),
        _ if part.len() > 4 => format!("\\U{part:0>8}"),
        _ => format!("\\u{part}"),
    });
    Cow::Owned(escaped.collect())
}

/// Whether every reader of YAML takes this for text without quotes; of what it is not sure of it says no.
pub fn is_plain(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || "-_./<>=".contains(c);
    let begins = |c: char| c.is_ascii_alphabetic() || "<".contains(c);
    let other = [
        "true", "false", "null", "yes", "no", "on", "off", "y", "n", "<<",
    ];
    text.starts_with(begins)
        && text.chars().all(word)
        && !other.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn print(value: &Value) -> String {
        let mut out = Vec::new();
        write_value(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lists_stand_under_their_key() {
        let value = json!({
            "spec": {"values": {"serviceAccounts": ["pds", {"a": 1, "b": [[2]]}], "encryption": true, "none": []}},
            "status": {"version": "0.1", "message": "install failed:\nLast Helm logs:\n"},
        });
        insta::assert_snapshot!(print(&value), @r#"
        spec:
          values:
            encryption: true
            none: []
            serviceAccounts:
            - pds
            - a: 1
              b:
              - - 2
        status:
          message: |
            install failed:
            Last Helm logs:
          version: "0.1"
        "#);
    }

    #[test]
    fn long_text_stays_on_its_line() {
        let message = "Helm install failed for release core/skvs-onboarding-pds--database with chart secure-kvs-onboarding";
        assert_eq!(
            print(&json!({"message": message})),
            format!("message: {message}\n")
        );
    }

    #[test]
    fn what_is_no_text_to_another_reader_is_quoted() {
        let ambiguous = [
            "yes",
            "No",
            "on",
            "y",
            "null",
            "~",
            "",
            "0x1F",
            "0o7",
            "017",
            "1_000",
            "1e3",
            "1.0",
            "+1",
            ".5",
            "1:20",
            "2024-01-01",
            "<<",
            "=",
            "True",
            ".inf",
            "0b101",
        ];
        for text in ambiguous {
            assert_eq!(print(&json!(text)), format!("\"{text}\"\n"));
            assert_eq!(print(&json!({text: 1})), format!("\"{text}\": 1\n"));
        }
    }

    #[test]
    fn marks_that_mislead_are_escaped() {
        assert_eq!(
            print(&json!({"a\u{202e}b": "c\\\u{200b}\"\u{1}\nd"})),
            "\"a\\u202Eb\": \"c\\\\\\u200B\\\"\\u0001\\nd\"\n"
        );
        assert_eq!(print(&json!("a\u{e0041}")), "\"a\\U000E0041\"\n");
    }

    #[test]
    fn what_looks_like_a_mark_is_text() {
        for text in [
            "C:\\x01dir",
            "a\\x01b and c\\x01202Ed\\x01",
            "a\u{200b} \\x01\\x01\" # rest",
            "\\\\x01\u{202e}\\",
            "\u{1}\\x01\u{1}",
        ] {
            let written = print(&json!({text: text}));
            let read: Value = serde_saphyr::from_str(&written).unwrap();
            assert_eq!(read, json!({text: text}), "{written}");
        }
    }

    #[test]
    fn whole_numbers_have_no_fraction() {
        let value = json!([1.0, -2.5, 1e21, u64::MAX, i64::MIN, 100_000_000.0]);
        assert_eq!(
            print(&value),
            "- 1\n- -2.5\n- 1.0e+21\n- 18446744073709551615\n- -9223372036854775808\n- 100000000\n"
        );
    }

    fn values() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            any::<String>(),
            "[ \\n'\"a:#\\-]{0,12}",
            "[0-9.:eExob_+T-]{0,10}",
            "[a\\x01\\u{202e}\\u{feff}\\u{e0041}\n\\\\]{0,6}",
            "(\\\\x01|\\\\|\"|\\u{200b}|\\x01|#| |a){0,8}",
            "[a-z ]{70,200}"
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<i32>().prop_map(|half| json!(f64::from(half) + 0.5)),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 5, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(text.clone(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_reads_back(value in values()) {
            let text = print(&value);
            let read: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            prop_assert_eq!(read, value, "{}", text);
        }

        #[test]
        fn nothing_that_steers_a_terminal_is_written(value in values()) {
            prop_assert!(!print(&value).chars().any(|c| (c.is_control() && c != '\n' && c != '\t') || text::misleads(c)));
        }
    }
}
