//! What an expression finds: a JSON value, or a value that the expression itself made.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::render::go_format::{self, GoNumber};
use crate::render::json;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::render) enum Item<'v> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// One byte of a string, which is what a wildcard makes of a string.
    Byte(u8),
    Text(&'v str),
    Seq(&'v [Value]),
    Map(&'v Map<String, Value>),
    /// No value at all: the inside of a range over `null` or over nothing.
    Nothing,
}

impl<'v> From<&'v Value> for Item<'v> {
    fn from(value: &'v Value) -> Self {
        match value {
            Value::Null => Item::Null,
            Value::Bool(yes) => Item::Bool(*yes),
            Value::Number(number) => match go_format::number(number) {
                GoNumber::Int(int) => Item::Int(int),
                GoNumber::Float(float) => Item::Float(float),
            },
            Value::String(text) => Item::Text(text),
            Value::Array(items) => Item::Seq(items),
            Value::Object(map) => Item::Map(map),
        }
    }
}

impl<'v> Item<'v> {
    /// The values inside: of a list, a map (by sorted key), or the bytes of a string.
    pub(super) fn children(self) -> Vec<Item<'v>> {
        match self {
            Item::Seq(items) => items.iter().map(Item::from).collect(),
            Item::Map(map) => map.values().map(Item::from).collect(),
            Item::Text(text) => text.bytes().map(Item::Byte).collect(),
            _ => Vec::new(),
        }
    }

    /// As `-o jsonpath` prints it: maps and lists as JSON, all else bare.
    pub(super) fn printed(self) -> Cow<'v, str> {
        match self {
            Item::Seq(items) => Cow::Owned(json::compact(&items)),
            Item::Map(map) => Cow::Owned(json::compact(map)),
            Item::Null => Cow::Borrowed("null"),
            Item::Nothing => Cow::Borrowed("<no value>"),
            _ => self.sprint(),
        }
    }

    /// As Go's `fmt.Sprint` prints it, which custom columns and error messages show.
    pub(in crate::render) fn sprint(self) -> Cow<'v, str> {
        Cow::Owned(match self {
            Item::Text(text) => return Cow::Borrowed(text),
            Item::Null => return Cow::Borrowed("<nil>"),
            Item::Nothing => return Cow::Borrowed("<invalid reflect.Value>"),
            Item::Bool(yes) => yes.to_string(),
            Item::Int(int) => int.to_string(),
            Item::Float(float) => go_format::float_g(float),
            Item::Byte(byte) => byte.to_string(),
            Item::Seq(items) => {
                let mut text = String::new();
                go_format::push_list(&mut text, items);
                text
            }
            Item::Map(map) => {
                let mut text = String::new();
                go_format::push_map(&mut text, map);
                text
            }
        })
    }

    /// Go's name for the type, as error messages give it.
    pub(in crate::render) fn type_name(self) -> &'static str {
        match self {
            Item::Null | Item::Nothing => "<nil>",
            Item::Bool(_) => "bool",
            Item::Int(_) => "int64",
            Item::Float(_) => "float64",
            Item::Byte(_) => "uint8",
            Item::Text(_) => "string",
            Item::Seq(_) => "[]interface {}",
            Item::Map(_) => "map[string]interface {}",
        }
    }
}
