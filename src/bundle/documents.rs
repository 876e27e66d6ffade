//! A file's text as documents: YAML with any number of them, or a stream of JSON values.
//!
//! Owns the bounds within which text is read: depth, nodes, aliases. What the documents mean is for others.

use crate::text::document;
use serde_json::Value;
use serde_saphyr::{Budget, DuplicateKeyPolicy, NonFiniteFloatPolicy, Options};

/// Most values in one file: some 100,000 objects.
const NODES_MAX: usize = 20_000_000;
/// Most aliases in one file of YAML.
const ALIASES_MAX: usize = 1_000;

/// The documents of a file, without empty ones.
///
/// # Errors
/// A clause that says where and what is wrong: `line 3, column 5: …`.
pub(crate) fn documents(bytes: &[u8]) -> Result<Vec<Value>, String> {
    let text = document::decode(bytes)?;
    let documents = if text.trim_start().starts_with('{') {
        // A flow mapping of YAML begins like JSON.
        json(&text).or_else(|why| yaml(&text).map_err(|_| why))
    } else {
        yaml(&text)
    };
    Ok(documents?.into_iter().filter(|d| !d.is_null()).collect())
}

fn json(text: &str) -> Result<Vec<Value>, String> {
    serde_json::Deserializer::from_str(text)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|e| document::place(e.line() as u64, e.column() as u64, &e.to_string()))
}

fn yaml(text: &str) -> Result<Vec<Value>, String> {
    serde_saphyr::from_multiple_with_options(text, options()).map_err(|e| document::yaml_error(&e))
}

fn options() -> Options {
    let mut budget = Budget::default();
    budget.max_nodes = NODES_MAX;
    budget.max_events = 2 * NODES_MAX;
    budget.max_documents = NODES_MAX;
    budget.max_total_scalar_bytes = usize::MAX;
    // What kubectl prints has none of these: a file that lives by them is made to grow.
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
        documents(text.as_bytes())
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
        let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
        let deeper = format!("{{\"a\":{}{}}}", "[".repeat(9_000), "]".repeat(9_000));
        for text in [bomb, deep, deeper] {
            let why = read(&text).unwrap_err();
            assert!(
                why.contains("more than is read") || why.contains("limit exceeded"),
                "{why}"
            );
        }
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
            let _ = documents(&bytes);
            let _ = documents(text.as_bytes());
        }

        #[test]
        fn what_kubectls_printer_writes_is_read_back(value in any_value()) {
            let value = json!({"kind": "X", "value": value});
            let mut yaml = Vec::new();
            crate::render::yaml::write_value(&mut yaml, &value).unwrap();
            prop_assert_eq!(documents(&yaml), Ok(vec![value.clone()]), "{}", String::from_utf8_lossy(&yaml));
            prop_assert_eq!(documents(value.to_string().as_bytes()), Ok(vec![value]));
        }
    }
}
