//! `-o yaml`: YAML as kubectl writes it, byte for byte.
//!
//! An emitter of our own: kubectl's wraps long plain and quoted text at 80 columns, sorts `a2`
//! before `a10`, prints Go's numbers and chooses quotes by YAML 1.1; serde-saphyr's options reach
//! none of these, and a diff against `kubectl get -o yaml` would show every one. Only block style
//! is written, without tags and anchors. Where kubectl itself garbles a value (U+0085, U+2028 and
//! U+2029 inside text) we escape it.

mod order;
mod resolve;
mod scalar;

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value};

const INDENT: usize = 2;
/// Longer keys (in bytes) are written with `?`.
const LONGEST_SIMPLE_KEY: usize = 128;

/// Writes a value as one document, without a `---` line.
///
/// # Errors
/// The writer's own, and a value that JSON cannot hold (a map whose keys are no strings).
pub fn write(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    write_value(out, &serde_json::to_value(value)?)
}

/// As [`write`], without a copy.
pub fn write_value(out: &mut impl Write, value: &Value) -> io::Result<()> {
    let mut emitter = Emitter::default();
    emitter.root(value);
    out.write_all(emitter.text.as_bytes())
}

/// The document so far and the column that the next character gets.
#[derive(Default)]
struct Emitter {
    text: String,
    column: usize,
}

impl Emitter {
    fn root(&mut self, value: &Value) {
        match value {
            Value::Object(map) if !map.is_empty() => self.mapping(map, 0, true),
            Value::Array(items) if !items.is_empty() => self.sequence(items, 0, true),
            other => self.leaf(other, INDENT),
        }
        self.line(0);
    }

    /// `inline`: the cursor already stands where the first entry belongs.
    fn mapping(&mut self, map: &Map<String, Value>, indent: usize, inline: bool) {
        for (i, (key, value)) in order::sorted(map).into_iter().enumerate() {
            if i > 0 || !inline {
                self.line(indent);
            }
            if key.len() > LONGEST_SIMPLE_KEY || key.contains('\n') {
                self.put("? ");
                self.string(key, indent + INDENT, scalar::Place::Value);
                self.line(indent);
                self.put(":");
                self.item(value, indent);
                continue;
            }
            self.string(key, indent + INDENT, scalar::Place::Key);
            self.put(":");
            match value {
                Value::Object(map) if !map.is_empty() => self.mapping(map, indent + INDENT, false),
                // Lists stand right under their key, as gofmt'd manifests have them.
                Value::Array(items) if !items.is_empty() => self.sequence(items, indent, false),
                other => {
                    self.put(" ");
                    self.leaf(other, indent + INDENT);
                }
            }
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize, inline: bool) {
        for (i, item) in items.iter().enumerate() {
            if i > 0 || !inline {
                self.line(indent);
            }
            self.put("-");
            self.item(item, indent);
        }
    }

    /// What follows a `-` or `:` indicator on the same line.
    fn item(&mut self, value: &Value, indent: usize) {
        self.put(" ");
        match value {
            Value::Object(map) if !map.is_empty() => self.mapping(map, indent + INDENT, true),
            Value::Array(items) if !items.is_empty() => self.sequence(items, indent + INDENT, true),
            other => self.leaf(other, indent + INDENT),
        }
    }

    /// A scalar or an empty collection; continued lines start at `indent`.
    fn leaf(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Null => self.put("null"),
            Value::Bool(true) => self.put("true"),
            Value::Bool(false) => self.put("false"),
            Value::Number(number) => self.put(&scalar::number(number)),
            Value::String(text) => self.string(text, indent, scalar::Place::Value),
            Value::Array(_) => self.put("[]"),
            Value::Object(_) => self.put("{}"),
        }
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }

    /// Starts a line, unless the cursor stands at the start of one (behind a block of text).
    fn line(&mut self, indent: usize) {
        if !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }
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
    fn long_text_is_wrapped_at_spaces() {
        let message = "Helm install failed for release core/skvs-onboarding-pds--database with chart secure-kvs-onboarding";
        insta::assert_snapshot!(print(&json!({"message": message})), @r"
        message: Helm install failed for release core/skvs-onboarding-pds--database with chart
          secure-kvs-onboarding
        ");
    }

    fn values() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            any::<String>(),
            "[ \\n'\"a:#\\-]{0,12}",
            "[0-9.:eExob_+T-]{0,10}",
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
        fn no_control_character_is_written(value in values()) {
            prop_assert!(!print(&value).chars().any(|c| c.is_control() && c != '\n'));
        }
    }
}
