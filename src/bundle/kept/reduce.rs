//! Cuts a document down to the fields of the table.
//!
//! Types stay as they are, so that what is of the wrong type is still of the wrong type; what a field holds goes by its class.

use super::super::answer::MORE;
use super::Tally;
use super::fields::{Class, Field};
use crate::model::names::DATABASE_MAX;
use crate::model::ownership;
use crate::text::marker::SCRUBBED;
use crate::text::scrub::{JOINT, scrub};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

pub(super) use crate::text::marker::LEFT_OUT;

/// Ends of keys under which the chart, or one like it, names a database: what they hold makes a claim.
const NAMING: [&str; 3] = ["namespace", "database", "databasename"];

/// Cuts `value` down to `field`.
pub(super) fn reduce(value: &mut Value, field: &Field, tally: &mut Tally) {
    match value {
        Value::Object(map) if !field.is_leaf() => {
            map.retain(|key, value| match field.at(key) {
                Some(field) => {
                    reduce(value, field, tally);
                    is_plain_key(key)
                }
                None => {
                    let rest = field.rest.is_some();
                    if rest {
                        shape(value, 0);
                    }
                    rest && is_plain_key(key)
                }
            });
        }
        Value::Array(items) if field.class == Some(Class::Arguments) => arguments(items, tally),
        Value::Array(items) if !field.is_leaf() => match field.at("*") {
            Some(field) => items.iter_mut().for_each(|item| reduce(item, field, tally)),
            None if field.rest.is_some() => items.iter_mut().for_each(|item| shape(item, 0)),
            None => items.clear(),
        },
        container @ (Value::Object(_) | Value::Array(_)) => match (field.class, container) {
            (Some(Class::Shape), container) => shape(container, 0),
            (_, Value::Object(map)) => map.clear(),
            (_, Value::Array(items)) => items.clear(),
            _ => {}
        },
        Value::String(text) => match field.class {
            Some(class) => leaf(text, class, tally),
            None => *text = left_out(text),
        },
        Value::Number(_) if matches!(field.class, None | Some(Class::Shape | Class::Url)) => {
            *value = 0.into()
        }
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

fn leaf(text: &mut String, class: Class, tally: &mut Tally) {
    let fits = match class {
        Class::Word => is_word(text),
        Class::Figure => is_figure(text),
        Class::Name => is_name(text),
        Class::Database => is_database(text),
        Class::Url => {
            if let Some(url) = url(text) {
                *text = url;
                return;
            }
            false
        }
        Class::Shape => false,
        Class::Text | Class::Arguments => return tally.scrub(text),
    };
    match class {
        _ if fits || text.is_empty() => {}
        Class::Name | Class::Database => tally.scrub(text),
        _ => *text = left_out(text),
    }
}

/// Deepest list or map in a shape. A bundle is read to 64 levels, and a shape lies some 10 deep; values of real charts are 20 deep.
const SHAPE_MAX: usize = 40;

/// Keys and types, with what names a database. A list or a map that is too deep becomes the marker: an empty one would say that nothing
/// is in it.
fn shape(value: &mut Value, depth: usize) {
    match value {
        Value::Object(_) | Value::Array(_) if depth >= SHAPE_MAX => {
            *value = left_out(&value.to_string()).into();
        }
        Value::Object(map) => {
            map.retain(|key, _| is_plain_key(key));
            for (key, value) in map {
                let key = key.to_lowercase();
                let naming = NAMING.iter().any(|end| key.ends_with(end));
                match value {
                    Value::String(text) if naming && is_name(&text.replace('_', "-")) => {}
                    Value::Number(_) if naming => {}
                    value => shape(value, depth + 1),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| shape(item, depth + 1)),
        Value::String(text) => *text = left_out(text),
        Value::Number(_) => *value = 0.into(),
        Value::Bool(_) | Value::Null => {}
    }
}

/// The marker with the words of the text that may be a database's name: [`settle`] takes out what is none.
fn left_out(text: &str) -> String {
    let mut marker = if text.is_empty() {
        String::new()
    } else {
        LEFT_OUT.to_owned()
    };
    for name in ownership::names_in(text) {
        marker.push(' ');
        marker.push_str(&name);
    }
    marker
}

/// Keeps only those words in markers that `is_known` accepts as database names.
pub(super) fn settle(value: &mut Value, is_known: &dyn Fn(&str) -> bool) {
    match value {
        Value::Object(map) => map.values_mut().for_each(|v| settle(v, is_known)),
        Value::Array(items) => items.iter_mut().for_each(|v| settle(v, is_known)),
        Value::String(text) => {
            let Some(rest) = text.strip_prefix(LEFT_OUT) else {
                return;
            };
            // Of a URL, the host and behind it the names as segments of its path.
            let (first, names, between) = match rest.strip_prefix(JOINT) {
                Some(url) => {
                    let (url, names) = url.split_once(JOINT).unwrap_or((url, ""));
                    (url, names.split(JOINT), "/")
                }
                None => (LEFT_OUT, rest.split(' '), " "),
            };
            let names = names.filter(|name| is_known(name));
            *text = std::iter::once(first)
                .chain(names)
                .collect::<Vec<_>>()
                .join(between);
        }
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// Arguments are scrubbed as one text: a flag and its value can be two of them.
fn arguments(items: &mut [Value], tally: &mut Tally) {
    let words: Vec<String> = items
        .iter()
        .map(|item| item.as_str().unwrap_or_default().replace(JOINT, " "))
        .collect();
    let mut text = words.join(&JOINT.to_string());
    tally.scrub(&mut text);
    let mut parts = text.split(JOINT);
    for item in items {
        let part = parts.next().unwrap_or(SCRUBBED);
        *item = Value::from(part);
    }
}

/// A key that says no more than what it is.
fn is_plain_key(key: &str) -> bool {
    key.len() <= 253 && scrub(key).1 == 0
}

fn is_word(text: &str) -> bool {
    text.len() <= 63 && text.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
}

fn is_figure(text: &str) -> bool {
    let in_id = |c: char| matches!(c, '0'..='9' | 'a'..='f' | '-');
    let is_id =
        text.len() <= 36 && text.chars().all(in_id) && text.contains(|c: char| c.is_ascii_digit());
    is_id || text.parse::<Timestamp>().is_ok() || text.parse::<SignedDuration>().is_ok()
}

/// A DNS name.
fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    text.len() <= 253 && text.chars().all(plain)
}

/// A name that CouchDB takes: unlike any other text it is never scrubbed, since two names would look the same.
fn is_database(text: &str) -> bool {
    let plain = |c: char| {
        c.is_ascii_lowercase()
            || c.is_ascii_digit()
            || matches!(c, '_' | '$' | '(' | ')' | '+' | '/' | '.' | '-')
    };
    text.len() <= DATABASE_MAX && text.chars().all(plain)
}

/// Scheme, host and port of a URL, in a marker with the words of the rest that may be a database's name, for [`settle`].
fn url(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let fits = matches!(scheme, "http" | "https")
        && !name.is_empty()
        && name.chars().all(plain)
        && port.chars().all(|c| c.is_ascii_digit())
        // With a slash in a password, what comes before it looks like the host.
        && !rest.contains('@');
    let url = format!("{scheme}://{host}");
    if !fits || scrub(&url).1 > 0 {
        return None;
    }
    let parts = std::iter::once(url).chain(ownership::names_in(rest));
    Some(parts.fold(LEFT_OUT.to_owned(), |all, part| {
        format!("{all}{JOINT}{part}")
    }))
}

/// Takes the token out of a list that goes on, which says no more than that it does.
pub(super) fn shorten_token(list: &mut Map<String, Value>, token: Option<String>) {
    if let (Some(token), Some(Value::Object(metadata))) = (token, list.get_mut("metadata")) {
        let token = if token.is_empty() { "" } else { MORE };
        metadata.insert("continue".to_owned(), token.into());
    }
}
