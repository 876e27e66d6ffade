//! `--sort-by`: orders objects by a JSONPath, as kubectl does.
//!
//! Objects without the field come first; numbers by value, strings by bytes, but two strings that
//! both are quantities (`500Mi`, `1.5`, `12`) by what they amount to. Times in RFC 3339 are strings and sort
//! as such. Equal objects keep their order, which kubectl does not promise.

use std::cmp::Ordering;

use serde_json::Value;

use super::Error;
use super::jsonpath::{Item, Path, relax};
use crate::model::quantity;

/// A checked `--sort-by` expression.
#[derive(Debug, Clone)]
pub struct SortBy {
    field: String,
    path: Path,
}

impl SortBy {
    /// # Errors
    /// An expression that is no path, in kubectl's words.
    pub fn parse(expression: &str) -> Result<Self, Error> {
        let field = relax(expression)?;
        Ok(Self {
            path: Path::parse(&field)?,
            field,
        })
    }

    /// Sorts what `object` finds in each element. Fewer than two elements are left alone.
    ///
    /// # Errors
    /// A field that no object has, one that holds maps, lists or booleans, or holds text here and
    /// numbers there. The elements are then in no useful order.
    pub fn sort<T>(
        &self,
        elements: &mut Vec<T>,
        object: impl Fn(&T) -> &Value,
    ) -> Result<(), Error> {
        if elements.len() < 2 {
            return Ok(());
        }
        let mut keyed = Vec::with_capacity(elements.len());
        for (i, element) in elements.iter().enumerate() {
            keyed.push((self.key(object(element))?, i));
        }
        if keyed.iter().all(|(key, _)| *key == Key::Missing) {
            return Err(Error::new(format!(
                "couldn't find any field with path {:?} in the list of objects",
                self.field
            )));
        }
        let number = |key: &Key| matches!(key, Key::Int(_) | Key::Float(_));
        let text = |key: &Key| matches!(key, Key::Text(..));
        if keyed.iter().any(|(key, _)| number(key)) && keyed.iter().any(|(key, _)| text(key)) {
            return Err(self.unsortable("text in one object, a number in another"));
        }
        keyed.sort_by(|(left, _), (right, _)| left.order(right));
        let mut taken: Vec<Option<T>> = elements.drain(..).map(Some).collect();
        elements.extend(keyed.iter().filter_map(|(_, i)| taken[*i].take()));
        Ok(())
    }

    fn key(&self, object: &Value) -> Result<Key, Error> {
        let found = self.path.find(object)?;
        Ok(match found.first().and_then(|items| items.first()) {
            None | Some(Item::Nothing) => Key::Missing,
            Some(Item::Null) => Key::Null,
            Some(Item::Int(int)) => Key::Int(*int),
            Some(Item::Byte(byte)) => Key::Int((*byte).into()),
            Some(Item::Float(float)) => Key::Float(*float),
            Some(Item::Text(text)) => Key::Text((*text).to_owned(), quantity::amount(text)),
            Some(other) => return Err(self.unsortable(other.type_name())),
        })
    }

    fn unsortable(&self, why: &str) -> Error {
        Error::new(format!("field {} is an unsortable type: {why}", self.field))
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Key {
    Missing,
    Null,
    Int(i64),
    Float(f64),
    /// A string and, if it is a quantity, its amount.
    Text(String, Option<f64>),
}

impl Key {
    fn order(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Int(left), Key::Int(right)) => left.cmp(right),
            (Key::Text(_, Some(left)), Key::Text(_, Some(right))) => left.total_cmp(right),
            // Quantities apart from other text: kubectl compares the two as text, which is no order.
            (Key::Text(left, left_amount), Key::Text(right, right_amount)) => right_amount
                .is_some()
                .cmp(&left_amount.is_some())
                .then_with(|| left.cmp(right)),
            (left, right) => match (left.amount(), right.amount()) {
                (Some(left), Some(right)) => left.total_cmp(&right),
                _ => left.rank().cmp(&right.rank()),
            },
        }
    }

    fn amount(&self) -> Option<f64> {
        match self {
            Key::Int(int) => Some(*int as f64),
            Key::Float(float) => Some(*float),
            _ => None,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Key::Missing => 0,
            Key::Null => 1,
            Key::Int(_) | Key::Float(_) | Key::Text(..) => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn sorted(expression: &str, values: Value) -> Result<Vec<Value>, String> {
        let mut objects = values.as_array().unwrap().clone();
        let by = SortBy::parse(expression).map_err(|error| error.to_string())?;
        by.sort(&mut objects, |object| object)
            .map_err(|error| error.to_string())?;
        Ok(objects)
    }

    #[test]
    fn missing_fields_come_first() {
        let objects = sorted(".a", json!([{"a": 2}, {"b": 1}, {"a": 1}, {"a": null}])).unwrap();
        assert_eq!(
            json!(objects),
            json!([{"b": 1}, {"a": null}, {"a": 1}, {"a": 2}])
        );
    }

    #[test]
    fn strings_sort_by_bytes_and_quantities_by_amount() {
        let by = |values: &[&str]| {
            let objects = values
                .iter()
                .map(|value| json!({"a": value}))
                .collect::<Value>();
            sorted("a", objects)
                .unwrap()
                .iter()
                .map(|object| object["a"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(by(&["b10", "b9", "B"]), ["B", "b10", "b9"]);
        assert_eq!(
            by(&["1Gi", "500Mi", "2k", "0.3", "200m", "1e1"]),
            ["200m", "0.3", "1e1", "2k", "500Mi", "1Gi"]
        );
        assert_eq!(
            by(&["2024-03-02T00:00:00Z", "2024-03-01T00:00:00Z"]),
            ["2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z"]
        );
    }

    #[test]
    fn what_cannot_be_ordered_is_an_error() {
        let error = |value: Value| sorted(".a", json!([{"a": 1}, {"a": value}])).unwrap_err();
        assert_eq!(
            error(json!({})),
            "field {.a} is an unsortable type: map[string]interface {}"
        );
        assert_eq!(error(json!(true)), "field {.a} is an unsortable type: bool");
        assert_eq!(
            error(json!("x")),
            "field {.a} is an unsortable type: text in one object, a number in another"
        );
        assert_eq!(
            sorted(".b", json!([{"a": 1}, {"a": 2}])).unwrap_err(),
            "couldn't find any field with path \"{.b}\" in the list of objects"
        );
    }

    #[test]
    fn equal_objects_keep_their_order() {
        let objects = sorted(
            ".a",
            json!([{"a": 1, "n": 1}, {"a": 0, "n": 2}, {"a": 1, "n": 3}]),
        )
        .unwrap();
        assert_eq!(
            objects
                .iter()
                .map(|object| object["n"].as_i64().unwrap())
                .collect::<Vec<_>>(),
            [2, 1, 3]
        );
    }

    proptest! {
        #[test]
        fn sorting_is_a_permutation_and_settles(texts in proptest::collection::vec("[0-9a-zKMi.+-]{0,6}", 2..8)) {
            let objects = texts.iter().map(|text| json!({"a": text})).collect::<Value>();
            let once = sorted(".a", objects).unwrap();
            prop_assert_eq!(sorted(".a", json!(once)).unwrap(), once.clone());
            let mut before: Vec<_> = texts.iter().map(String::as_str).collect();
            let mut after: Vec<_> = once.iter().map(|object| object["a"].as_str().unwrap()).collect();
            before.sort_unstable();
            after.sort_unstable();
            prop_assert_eq!(before, after);
        }

    }
}
