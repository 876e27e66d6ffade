//! A file's text as documents: YAML with any number of them, or a stream of JSON values.
//!
//! Owns the bounds within which text is read: depth, values, text, aliases. What the documents mean is for others.

use crate::model::json_values;
use crate::text::{document, thousands};
use serde_json::Value;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Budget, DuplicateKeyPolicy, NonFiniteFloatPolicy, Options};

/// Most values of all files together: those of some 25,000 objects. One takes up to 700 bytes of memory (`{"a":{"a":…`), 100 on average.
const VALUES_MAX: usize = 5_000_000;
/// Most bytes of text of all files together, what aliases repeat included: twice what is read of files.
const TEXT_MAX: usize = 512 * 1024 * 1024;
/// Most aliases in one file of YAML: what kubectl prints has none, and each can repeat a large part of the file.
const ALIASES_MAX: usize = 1_000;
/// Deepest value in a value of YAML; serde_json has a bound of its own, 128. A HelmRelease of a real chart is 20 deep.
const DEPTH_MAX: usize = 64;

/// What is left of the bounds for the files that are still to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    values: usize,
    text: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            values: VALUES_MAX,
            text: TEXT_MAX,
        }
    }
}

impl Room {
    #[cfg(test)]
    pub(crate) fn for_text(text: usize) -> Self {
        Self {
            text,
            ..Self::default()
        }
    }

    /// Takes up the room of a text that is kept as it is.
    ///
    /// # Errors
    /// A clause: more text than is read.
    pub(crate) fn take_text(&mut self, bytes: usize) -> Result<(), String> {
        self.text = self.text.checked_sub(bytes).ok_or_else(too_much_text)?;
        Ok(())
    }

    /// Takes up the room of a value and of all values in it.
    fn take(&mut self, value: &Value) -> Result<(), String> {
        self.values = self.values.checked_sub(1).ok_or_else(too_many_values)?;
        match value {
            Value::String(text) => self.take_text(text.len()),
            Value::Array(items) => items.iter().try_for_each(|item| self.take(item)),
            Value::Object(map) => map.iter().try_for_each(|(key, value)| {
                self.take_text(key.len())?;
                self.take(value)
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }
}

/// The documents of a file, without empty ones, within what is left of `room`.
///
/// # Errors
/// A clause that says where and what is wrong: `line 3, column 5: …`.
pub(crate) fn documents(bytes: &[u8], room: &mut Room) -> Result<Vec<Value>, String> {
    // One file can be read for many requests: each time counts.
    room.take_text(bytes.len())?;
    let text = document::decode(bytes)?;
    let documents = if text.trim_start().starts_with('{') {
        if json_values::exceed(text.as_bytes(), room.values) {
            return Err(too_many_values());
        }
        // A flow mapping of YAML begins like JSON.
        json(&text).or_else(|why| yaml(&text, room).map_err(|_| why))
    } else {
        yaml(&text, room)
    }?;
    documents.iter().try_for_each(|d| room.take(d))?;
    Ok(documents.into_iter().filter(|d| !d.is_null()).collect())
}

fn json(text: &str) -> Result<Vec<Value>, String> {
    serde_json::Deserializer::from_str(text)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|e| document::place(e.line() as u64, e.column() as u64, &e.to_string()))
}

fn yaml(text: &str, room: &Room) -> Result<Vec<Value>, String> {
    let read = serde_saphyr::from_multiple_with_options(text, options(room));
    read.map_err(|e| match document::breach(&e) {
        Some(BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. }) => too_many_values(),
        Some(BudgetBreach::ScalarBytes { .. }) => too_much_text(),
        Some(BudgetBreach::Depth { .. }) => {
            format!("values nested deeper than {DEPTH_MAX} levels are not read")
        }
        Some(
            BudgetBreach::Aliases { .. }
            | BudgetBreach::AliasAnchorRatio { .. }
            | BudgetBreach::RecordedAnchorEvents { .. }
            | BudgetBreach::RecordedAnchorBytes { .. },
        ) => {
            let most = thousands(ALIASES_MAX as u64);
            format!("aliases that repeat much of a file, or more than {most}, are not read")
        }
        _ => document::yaml_error(&e),
    })
}

fn too_many_values() -> String {
    let most = thousands(VALUES_MAX as u64);
    format!("more than {most} values of all files are not read")
}

fn too_much_text() -> String {
    let most = TEXT_MAX / 1024 / 1024;
    format!("more than {most} MiB of text of all files, aliases included, are not read")
}

fn options(room: &Room) -> Options {
    let mut budget = Budget::default();
    budget.max_nodes = room.values;
    // Each list and each map ends.
    budget.max_events = 2 * room.values + 2;
    budget.max_documents = room.values;
    budget.max_total_scalar_bytes = room.text;
    budget.max_depth = DEPTH_MAX;
    budget.max_aliases = ALIASES_MAX;
    budget.max_recorded_anchor_events = 100 * ALIASES_MAX;
    let mut options = Options::default();
    options.budget = Some(budget);
    options.with_snippet = false;
    // As kubectl reads it.
    options.duplicate_keys = DuplicateKeyPolicy::LastWins;
    options.non_finite_float_policy = NonFiniteFloatPolicy::AsString;
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(text: &str) -> Result<Vec<Value>, String> {
        documents(text.as_bytes(), &mut Room::default())
    }

    #[test]
    fn yaml_and_json_are_read_with_any_number_of_documents() {
        let both = vec![json!({"a": "1"}), json!({"b": [2, null]})];
        for text in [
            "a: \"1\"\n---\nb: [2, null]\n",
            "---\na: \"1\"\n---\n# nothing\n---\nb:\n- 2\n- null\n...\n",
            "{\"a\": \"1\"}\n{\"b\": [2, null]}",
            "{\"a\":\"1\"}{\"b\":[2,null]}",
            "\u{feff}a: '1'\n---\nb: [2, ~]\n",
            "{a: '1'}\n---\n{b: [2, null, ]}\n",
        ] {
            assert_eq!(read(text).unwrap(), both, "{text}");
        }
        assert_eq!(read(" \n# nothing\n").unwrap(), Vec::<Value>::new());
    }

    #[test]
    fn a_broken_file_tells_where() {
        for (text, told) in [
            (
                "a: b\n  c: d\n",
                "line 2, column 4: mapping values are not allowed in this context",
            ),
            ("{\"a\": 1,\n \"b\" 2}", "line 2, column 6: expected `:`"),
            ("{\"a\": 1", "line 1, column 7: EOF while parsing an object"),
            (
                "a: *x\n",
                "line 1, column 4: alias references unknown anchor",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), told, "{text}");
        }
    }

    #[test]
    fn a_file_that_is_made_to_grow_is_refused() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for n in 1..12 {
            let ten = format!("*a{},", n - 1).repeat(10);
            bomb.push_str(&format!("a{n}: &a{n} [{ten}]\n"));
        }
        let many = format!("a: &a 1\nb: &b 2\nc: [{}]\n", "*a,".repeat(ALIASES_MAX + 1));
        for text in [bomb, many] {
            let why = read(&text).unwrap_err();
            assert!(why.starts_with("aliases that repeat much"), "{why}");
        }
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(read(&nested(DEPTH_MAX)).is_ok());
        assert_eq!(
            read(&nested(DEPTH_MAX + 1)).unwrap_err(),
            "values nested deeper than 64 levels are not read"
        );
        for text in [nested(9_000), format!("{{\"a\":{}}}", nested(9_000))] {
            let why = read(&text).unwrap_err();
            assert!(why.ends_with(": nested too deeply"), "{why}");
        }
    }

    /// The room that is left, or the error.
    fn left(text: &str, values: usize, bytes: usize) -> Result<(usize, usize), String> {
        let mut room = Room {
            values,
            text: bytes,
        };
        documents(text.as_bytes(), &mut room)?;
        Ok((room.values, room.text))
    }

    #[test]
    fn small_values_are_counted() {
        for text in [
            r#"{"a":[{"a":0},{"a":0}]}"#,
            "a: [{a: 0}, {a: 0}]",
            "a: &b [{a: 0}]\n---\n[]",
        ] {
            assert!(left(text, 20, 1000).is_ok(), "{text}");
        }
        assert_eq!(left(r#"{"a":[{"b":0}]}"#, 4, 100), Ok((0, 83)));
        for text in [
            r#"{"a":[{"b":0}]}"#,
            "a:\n- b: 0\n",
            "[{},{},{}]",
            "a: &b [0]\nb: *b\n",
        ] {
            let why = left(text, 3, 100).unwrap_err();
            assert!(
                why.starts_with("more than 5,000,000 values"),
                "{text}: {why}"
            );
        }
    }

    #[test]
    fn text_that_aliases_repeat_is_counted() {
        let long = "x".repeat(1000);
        let mut bomb = format!("- &a {long}\n");
        bomb.push_str(&"- *a\n".repeat(90));
        let why = left(&bomb, 1000, 50_000).unwrap_err();
        assert!(why.starts_with("more than 512 MiB of text"), "{why}");
        assert_eq!(left(&bomb, 1000, 100_000).unwrap().0, 1000 - 92);
        let why = left("a: bc", 9, 4).unwrap_err();
        assert!(why.starts_with("more than 512 MiB of text"), "{why}");
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,12}|[0-9eE+_.xa-f-]{1,6}|(yes|no|on|null|~|true|=|<<)".prop_map(Value::from),
            "[a-z:#\\n\\t -]{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map("[a-z./]{1,6}", inner, 0..4)
                    .prop_map(|m| m.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_text_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[a-z:{}\\[\\]\"'&*#|>\\n -]{0,60}") {
            let _ = documents(&bytes, &mut Room::default());
            let _ = read(&text);
        }

        #[test]
        fn what_kubectls_printer_writes_is_read_back(value in any_value()) {
            let value = json!({"kind": "X", "value": value});
            let mut yaml = Vec::new();
            crate::text::yaml::write_value(&mut yaml, &value).unwrap();
            let yaml = String::from_utf8(yaml).unwrap();
            prop_assert_eq!(read(&yaml), Ok(vec![value.clone()]), "{}", yaml);
            prop_assert_eq!(read(&value.to_string()), Ok(vec![value]));
        }
    }
}
