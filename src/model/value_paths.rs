//! Paths below `spec.values`: where an amount is set, and what a text names almost.

use super::quantity;
use serde_json::Value;

/// The paths whose last keys are these and that have one of these amounts, each with its amount; without it where a capture has left the
/// value out. In the order of the values.
pub fn of_amount(values: &Value, end: &[&str], amounts: &[&str]) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let mut keys = Vec::new();
    walk(values, &mut keys, &mut |keys, value| {
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return,
        };
        let amount = quantity::amount(&text);
        let is_left_out = amount.is_none();
        let is_wanted = amounts.iter().any(|one| quantity::amount(one) == amount);
        if keys.ends_with(end) && (is_left_out || is_wanted) {
            let path = format!("spec.values.{}", keys.join("."));
            found.push((path, Some(text).filter(|_| !is_left_out)));
        }
    });
    found
}

/// The path that a text asks for and the values lack, with the one beside it that has almost the same name.
pub fn misspelt<'t>(values: &Value, text: &'t str) -> Option<(&'t str, String)> {
    const ASKS: [&str; 6] = [
        "required",
        "missing",
        "must be set",
        "must be given",
        "not set",
        "set ",
    ];
    const REFUSES: [&str; 4] = ["must not", "not allowed", "not supported", "may not"];
    let has = |words: &[&str]| words.iter().any(|word| text.to_lowercase().contains(word));
    if !has(&ASKS) || has(&REFUSES) {
        return None;
    }
    let is_inner = |c: char| c.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&c);
    text.split(|c| !is_inner(c)).find_map(|word| {
        let word = word.trim_matches('.');
        let path = word.strip_prefix("Values.").unwrap_or(word);
        let path = path.strip_prefix("values.").unwrap_or(path);
        // A word alone may be no path.
        let (before, last) = path.rsplit_once('.')?;
        let mut keys = before.split('.');
        let parent = keys.try_fold(values, |at, key| at.get(key))?.as_object()?;
        if parent.contains_key(last) {
            return None;
        }
        let near = crate::text::near(last, parent.keys().map(String::as_str));
        // A longer name may be another key.
        let near = near
            .iter()
            .find(|key| key.len().abs_diff(last.len()) <= 2)?;
        Some((path, format!("{before}.{near}")))
    })
}

fn walk<'v>(
    value: &'v Value,
    keys: &mut Vec<&'v str>,
    visit: &mut impl FnMut(&[&'v str], &'v Value),
) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                keys.push(key);
                walk(value, keys, visit);
                keys.pop();
            }
        }
        Value::Array(items) => {
            for item in items {
                walk(item, keys, visit);
            }
        }
        _ => visit(keys, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_path_with_almost_the_same_name_is_found() {
        let values = json!({"job": {"resource": {}, "image": "x"}, "namespce": "a"});
        let of =
            |text: &str| misspelt(&values, text).map(|(wanted, has)| format!("{wanted} {has}"));
        let found = Some("job.resources job.resource".to_owned());
        for text in [
            "A valid job.resources is required",
            "set .Values.job.resources.",
            "values.job.resources: missing",
        ] {
            assert_eq!(of(text), found, "{text}");
        }
        let preset = json!({"job": {"resourcesPreset": "nano"}});
        assert_eq!(misspelt(&preset, "job.resources is required"), None);
        for text in [
            // It is there; nothing is like it; no map; a word alone.
            "job.image must be text",
            "job.account is required",
            "job.resources must not be set",
            "job.resources is refused",
            "job.image.tags is required",
            "namespace is required",
            "no such.path",
            "",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn only_the_amount_under_these_keys_is_found() {
        let values = json!({
            "job": {"resources": {"limits": {"ephemeral-storage": "10Mi", "memory": "10Mi"}, "requests": {"ephemeral-storage": "10Mi"}}},
            "other": {"limits": {"ephemeral-storage": "20Mi"}},
            "volumes": [{"emptyDir": {"sizeLimit": "10Mi"}}, {"emptyDir": {"sizeLimit": 1024}}],
        });
        let of = |end: &[&str], amount: &str| {
            let found = of_amount(&values, end, &[amount]).into_iter();
            let found =
                found.map(|(path, amount)| format!("{path}: {}", amount.as_deref().unwrap_or("?")));
            found.collect::<Vec<_>>()
        };
        let end = ["limits", "ephemeral-storage"];
        assert_eq!(
            of(&end, "10Mi"),
            ["spec.values.job.resources.limits.ephemeral-storage: 10Mi"]
        );
        assert_eq!(of(&end, "30Mi"), Vec::<String>::new());
        assert_eq!(
            of(&["sizeLimit"], "10Mi"),
            ["spec.values.volumes.emptyDir.sizeLimit: 10Mi"]
        );
        assert_eq!(of(&["sizeLimit"], "1024").len(), 1);
        assert_eq!(of(&end, "0.01Gi"), Vec::<String>::new());
        assert_eq!(of(&end, "10240Ki").len(), 1);
        let left_out = json!({"a": {"sizeLimit": "<left out>"}});
        let found = of_amount(&left_out, &["sizeLimit"], &["10Mi"]);
        assert_eq!(found, [("spec.values.a.sizeLimit".to_owned(), None)]);
        assert!(of_amount(&json!(null), &end, &["10Mi"]).is_empty());
    }
}
