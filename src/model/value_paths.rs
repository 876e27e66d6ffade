//! Where the values set an amount: the paths below `spec.values` that end in given keys.

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
