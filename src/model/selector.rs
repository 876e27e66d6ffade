//! Label and field selectors, as the API server reads them.
//!
//! Owns the grammar and the matching. An absent key matches `!=` and `notin`, as there.

use serde_json::Value;

/// A label selector: all requirements must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    /// Both as whole numbers.
    Greater(i64),
    Less(i64),
}

/// A field selector: pairs of a field's path and its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, bool, String)>);

impl Labels {
    /// Reads a selector; an empty one matches everything.
    ///
    /// # Errors
    /// The part that is not a requirement.
    pub fn parse(text: &str) -> Result<Self, String> {
        parts(text)
            .into_iter()
            .map(|part| requirement(&part).ok_or(part))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The label that it asks for, if that is all it asks for.
    pub fn pair(&self) -> Option<(&str, &str)> {
        let [Requirement { key, test }] = &self.0[..] else {
            return None;
        };
        match test {
            Test::In(values) if values.len() == 1 => Some((key, &values[0])),
            _ => None,
        }
    }

    /// Whether labels meet it, each looked up by its key.
    pub fn matches<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.0.iter().all(|r| {
            let value = label(&r.key);
            match (&r.test, value) {
                (Test::Exists, value) => value.is_some(),
                (Test::Absent, value) => value.is_none(),
                (Test::In(values), Some(value)) => values.iter().any(|v| v == value),
                (Test::NotIn(values), Some(value)) => values.iter().all(|v| v != value),
                (Test::NotIn(_), None) => true,
                (Test::Greater(than), Some(value)) => value.parse().is_ok_and(|v: i64| v > *than),
                (Test::Less(than), Some(value)) => value.parse().is_ok_and(|v: i64| v < *than),
                (_, None) => false,
            }
        })
    }
}

/// The parts between commas that are outside parentheses.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut inside = false;
    for c in text.chars() {
        match c {
            ',' if !inside => parts.push(String::new()),
            _ => {
                inside = c == '(' || (inside && c != ')');
                let last = parts.last_mut().expect("there is one from the start on");
                last.push(c);
            }
        }
    }
    if parts.len() == 1 && parts[0].trim().is_empty() {
        parts.clear();
    }
    parts
}

fn requirement(part: &str) -> Option<Requirement> {
    let part = part.trim();
    let new = |key: &str, test| {
        let key = key.trim();
        is_key(key).then(|| Requirement {
            key: key.to_owned(),
            test,
        })
    };
    if let Some(key) = part.strip_prefix('!') {
        return new(key, Test::Absent);
    }
    if let Some(set) = part.strip_suffix(')') {
        let (left, values) = set.split_once('(')?;
        let (key, word) = left.trim_end().rsplit_once(char::is_whitespace)?;
        let values: Vec<String> = values.split(',').map(|v| v.trim().to_owned()).collect();
        if !values.iter().all(|v| is_value(v)) {
            return None;
        }
        return match word {
            "in" => new(key, Test::In(values)),
            "notin" => new(key, Test::NotIn(values)),
            _ => None,
        };
    }
    let Some(at) = part.find(['=', '!', '<', '>']) else {
        return new(part, Test::Exists);
    };
    let (key, rest) = part.split_at(at);
    let one = |value: &str| {
        let value = value.trim();
        is_value(value).then(|| vec![value.to_owned()])
    };
    if let Some(value) = rest.strip_prefix("!=") {
        return new(key, Test::NotIn(one(value)?));
    }
    if let Some(value) = rest.strip_prefix("==").or_else(|| rest.strip_prefix('=')) {
        return new(key, Test::In(one(value)?));
    }
    let number = rest.get(1..)?.trim().parse().ok()?;
    match rest.as_bytes().first()? {
        b'>' => new(key, Test::Greater(number)),
        b'<' => new(key, Test::Less(number)),
        _ => None,
    }
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| is_value_char(c) || c == '/')
}

fn is_value(text: &str) -> bool {
    text.chars().all(is_value_char)
}

fn is_value_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

impl Fields {
    /// Reads a selector; an empty one matches everything.
    ///
    /// # Errors
    /// The part that is not a pair.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| {
                let at = part.find(['=', '!']).ok_or(part)?;
                let (path, rest) = part.split_at(at);
                let pair = |value: &str, equal| (path.trim().to_owned(), equal, value.to_owned());
                if let Some(value) = rest.strip_prefix("!=") {
                    return Ok(pair(value, false));
                }
                let value = rest.strip_prefix("==").or_else(|| rest.strip_prefix('='));
                value.map(|v| pair(v, true)).ok_or(part)
            })
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(str::to_owned)
    }

    /// Whether the object's fields meet it. A field that is absent is the empty text, as on the server.
    pub fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|(path, equal, wanted)| {
            let found = path
                .split('.')
                .try_fold(object, |at, field| at.get(field))
                .and_then(Value::as_str)
                .unwrap_or_default();
            (found == wanted) == *equal
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn matches(selector: &str) -> bool {
        let labels = json!({"app.kubernetes.io/part-of": "skvs", "tier": "db", "version": "10", "empty": ""});
        Labels::parse(selector)
            .unwrap()
            .matches(|key| labels.get(key)?.as_str())
    }

    #[test]
    fn labels_match_as_on_the_api_server() {
        for selector in [
            "",
            " ",
            "tier",
            "tier=db",
            "tier==db",
            "tier = db",
            "tier!=web",
            "other!=db",
            "!other",
            "! other",
            "tier in (web,db)",
            "tier in ( web , db )",
            "tier notin (web)",
            "other notin (db)",
            "empty=",
            "empty in ()",
            "version>9",
            "version<11",
            "app.kubernetes.io/part-of=skvs,tier in (db,web),!gone",
        ] {
            assert!(matches(selector), "{selector}");
        }
        for selector in [
            "other",
            "!tier",
            "tier=web",
            "tier!=db",
            "other in (db)",
            "tier notin (db)",
            "other=",
            "version>10",
            "tier>1",
            "other<1",
            "tier=db,other",
        ] {
            assert!(!matches(selector), "{selector}");
        }
    }

    #[test]
    fn what_is_no_requirement_is_named() {
        for (selector, part) in [
            ("a=b,,c", ""),
            ("a,b c", "b c"),
            ("a=b=c", "a=b=c"),
            ("a in b", "a in b"),
            ("a near (b)", "a near (b)"),
            ("a>b", "a>b"),
            ("=b", "=b"),
            ("!", "!"),
        ] {
            assert_eq!(Labels::parse(selector), Err(part.to_owned()), "{selector}");
        }
        assert_eq!(Fields::parse("a=b,c"), Err("c".to_owned()));
    }

    #[test]
    fn fields_are_read_by_their_path() {
        let event = json!({"type": "Warning", "metadata": {"name": "e"}, "involvedObject": {"kind": "Job", "name": "a", "uid": "7"}});
        let matches = |selector: &str| Fields::parse(selector).unwrap().matches(&event);
        for selector in [
            "",
            "involvedObject.kind=Job,involvedObject.name=a,involvedObject.uid=7",
            "type==Warning",
            "metadata.name=e",
            "reason!=x",
            "involvedObject.fieldPath=",
        ] {
            assert!(matches(selector), "{selector}");
        }
        for selector in ["involvedObject.kind=Pod", "type!=Warning", "reason=x"] {
            assert!(!matches(selector), "{selector}");
        }
    }

    proptest! {
        #[test]
        fn no_selector_panics(text in "\\PC{0,40}|[a-z!=<>(), ]{0,30}") {
            let object = json!({"metadata": {"labels": {"a": "b"}}});
            if let Ok(labels) = Labels::parse(&text) {
                labels.matches(|key| (key == "a").then_some("b"));
            }
            if let Ok(fields) = Fields::parse(&text) {
                fields.matches(&object);
            }
        }

        #[test]
        fn in_and_notin_are_opposites(values in proptest::collection::vec("[a-c]{1,2}", 1..4), value in "[a-c]{1,2}") {
            let label = |key: &str| (key == "k").then_some(value.as_str());
            let set = values.join(",");
            let within = Labels::parse(&format!("k in ({set})")).unwrap().matches(label);
            let without = Labels::parse(&format!("k notin ({set})")).unwrap().matches(label);
            prop_assert_ne!(within, without);
            prop_assert_eq!(within, values.contains(&value));
        }
    }
}
