//! What several clusters say, put together: each part names its context, and so does what could not be read.

use super::description::API_VERSION;
use super::object_list;
use crate::text::one_line;
use serde::Serialize;
use serde_json::{Value, json};

/// A context that was not read, or not completely.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Unread {
    pub context: String,
    pub why: String,
}

/// A document with the context whose cluster it is about.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InContext<T> {
    pub context: String,
    #[serde(flatten)]
    pub document: T,
}

/// One document for each context that was read.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Documents<T> {
    pub api_version: &'static str,
    pub kind: &'static str,
    /// In the order in which the contexts were asked for.
    pub items: Vec<InContext<T>>,
    /// The contexts that were not read, or not completely. The items say nothing about what is missing.
    pub not_read: Vec<Unread>,
}

impl<T> Documents<T> {
    /// `kind`: that of the whole, such as `StatusList`.
    pub fn new(kind: &'static str, items: Vec<InContext<T>>, not_read: Vec<Unread>) -> Self {
        Self {
            api_version: API_VERSION,
            kind,
            items,
            not_read,
        }
    }
}

impl Unread {
    /// Each context with why.
    pub fn all<'a>(all: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Self> {
        all.map(|(context, why)| Self::new(context, why)).collect()
    }

    /// `why` is cleaned.
    pub fn new(context: &str, why: &str) -> Self {
        Self {
            context: context.to_owned(),
            why: one_line(why),
        }
    }
}

/// Objects of several clusters as one list: kubectl's, with `notRead` for the contexts whose objects it lacks.
pub fn list(items: Vec<Value>, not_read: &[Unread]) -> Value {
    let mut list = object_list::list(items);
    list["notRead"] = json!(not_read);
    list
}

/// Gives an object the name of its context, at its top: no object of the API server has a field of this name there.
pub fn in_context(object: &mut Value, context: &str) {
    if let Some(object) = object.as_object_mut() {
        object.insert("context".to_owned(), context.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_names_its_context_and_a_list_what_it_lacks() {
        let mut object = json!({"kind": "HelmRelease", "metadata": {"name": "a"}});
        in_context(&mut object, "prod");
        let list = list(vec![object], &[Unread::new("lab", "connection refused\n")]);
        insta::assert_snapshot!(serde_json::to_string_pretty(&list).unwrap(), @r#"
        {
          "apiVersion": "v1",
          "items": [
            {
              "context": "prod",
              "kind": "HelmRelease",
              "metadata": {
                "name": "a"
              }
            }
          ],
          "kind": "List",
          "metadata": {
            "resourceVersion": ""
          },
          "notRead": [
            {
              "context": "lab",
              "why": "connection refused"
            }
          ]
        }
        "#);
    }
}
