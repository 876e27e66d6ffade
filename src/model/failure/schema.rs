//! What a chart's JSON schema says against the values, in the words of every Helm.

/// One violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The chart whose schema it is: a dependency has its own.
    pub chart: String,
    /// The value below `spec.values`, with dots: `couchdb.port`; empty for the values as a whole.
    pub path: String,
    pub says: String,
}

/// Lead of the text.
const LEAD: &str = "values don't meet the specifications of the schema(s)";

/// Every violation; `None` when the text is about something else, empty when it names none.
pub(super) fn violations(text: &str) -> Option<Vec<Violation>> {
    // A schema that is not JSON is found before the values are checked.
    if text.contains("nvalid JSON in values.schema.json") {
        return Some(Vec::new());
    }
    let (_, after) = text.split_once(LEAD)?;
    let mut chart = "";
    let mut found: Vec<Violation> = Vec::new();
    for line in after.lines().skip(1) {
        let line = line.trim();
        if let Some(entry) = line.strip_prefix("- ") {
            let (path, says) = entry_of(entry);
            // A summary of those that stand below it.
            if says == "validation failed" {
                continue;
            }
            found.push(Violation {
                chart: chart.to_owned(),
                path,
                says: says.to_owned(),
            });
        } else if let Some(name) = line.strip_suffix(':')
            && !name.is_empty()
        {
            chart = name;
        } else if let Some(rest) = line.strip_prefix("invalid type for values: ") {
            found.push(Violation {
                chart: chart.to_owned(),
                path: String::new(),
                says: rest.to_owned(),
            });
        }
    }
    Some(found)
}

/// `at '/a/b': got string, want boolean` (since Helm 3.18.1), `a.b: Invalid type…` and `(root): x is required` (before).
fn entry_of(entry: &str) -> (String, &str) {
    if let Some(rest) = entry.strip_prefix("at '")
        && let Some((path, says)) = rest.split_once("': ")
    {
        let parts: Vec<String> = path
            .split('/')
            .filter(|p| !p.is_empty())
            .map(|p| p.replace("~1", "/").replace("~0", "~"))
            .collect();
        return (parts.join("."), says);
    }
    match entry.split_once(": ") {
        Some(("(root)", says)) => (String::new(), says),
        Some((path, says)) if !path.contains(' ') => (path.to_owned(), says),
        _ => (String::new(), entry),
    }
}

/// A schema that Helm cannot use: the values may be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unusable<'t> {
    pub why: &'t str,
    /// It refers to another host, and this version of Helm reads files only.
    pub is_elsewhere: bool,
}

impl<'t> Unusable<'t> {
    /// Reads a text; `None` where it does not say so.
    pub fn parse(text: &'t str) -> Option<Self> {
        let leads = [
            "unable to validate schema: ",
            "failing loading ",
            "Invalid JSON in ",
            "invalid JSON in ",
        ];
        let at = leads.iter().find_map(|lead| text.find(lead))?;
        let why = text[at..].lines().next().map(str::trim)?;
        let is_elsewhere = why.contains("invalid file url: http");
        Some(Self { why, is_elsewhere })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paths(text: &str) -> Vec<(String, String)> {
        violations(text)
            .unwrap()
            .into_iter()
            .map(|v| (v.path, v.says))
            .collect()
    }

    fn pair(path: &str, says: &str) -> (String, String) {
        (path.to_owned(), says.to_owned())
    }

    #[test]
    fn both_forms_are_read() {
        assert_eq!(
            paths(
                "values don't meet the specifications of the schema(s) in the following chart(s):\nsecure-kvs-onboarding:\n- (root): namespace is required\n- couchdb.port: Invalid type. Expected: integer, given: string\n"
            ),
            [
                pair("", "namespace is required"),
                pair(
                    "couchdb.port",
                    "Invalid type. Expected: integer, given: string"
                )
            ]
        );
        assert_eq!(
            paths(
                "values don't meet the specifications of the schema(s) in the following chart(s):\nsecure-kvs-onboarding:\n- at '': validation failed\n  - at '': missing property 'namespace'\n  - at '/couchdb/port': got string, want integer\nlib:\ninvalid type for values: expected object (map), got string\n"
            ),
            [
                pair("", "missing property 'namespace'"),
                pair("couchdb.port", "got string, want integer"),
                pair("", "expected object (map), got string")
            ]
        );
    }

    #[test]
    fn other_texts_are_none_of_it() {
        assert_eq!(
            violations("error validating data: unknown field \"spec.x\""),
            None
        );
        assert_eq!(violations(LEAD), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(values don't meet the specifications of the schema\\(s\\)|\n|- |at '|/a~1b|': |\\(root\\): |x:|é| ){0,14}") {
            let _ = violations(&text);
        }
    }

    #[test]
    fn a_schema_of_another_host_cannot_be_used() {
        let of = |why: &str| {
            let text = format!("values don't meet the specifications:\nfailing loading {why}\n");
            Unusable::parse(&text).map(|unusable| unusable.is_elsewhere)
        };
        let url = "https://schemas.example/a.json";
        assert_eq!(
            of(&format!("\"{url}\": invalid file url: {url}")),
            Some(true)
        );
        assert_eq!(of("\"file:///a.json\": no such file"), Some(false));
        assert_eq!(Unusable::parse("- at '/a': got number"), None);
    }
}
