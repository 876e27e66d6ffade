//! The object that `kubectl get -o json|yaml` prints for several objects, and what it leaves out.

use serde_json::{Value, json};

/// Wraps objects as kubectl does: `kind: List`, `apiVersion: v1`, an empty resource version.
pub fn list(items: Vec<Value>) -> Value {
    json!({
        "apiVersion": "v1",
        "items": items,
        "kind": "List",
        "metadata": { "resourceVersion": "" },
    })
}

/// Removes `metadata.managedFields`, which kubectl prints only with `--show-managed-fields`.
pub fn drop_managed_fields(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_kubectls() {
        let mut release =
            json!({"metadata": {"name": "a", "managedFields": [{"manager": "flux"}]}});
        drop_managed_fields(&mut release);
        let mut out = Vec::new();
        serde_json::to_writer_pretty(&mut out, &list(vec![release])).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        {
          "apiVersion": "v1",
          "items": [
            {
              "metadata": {
                "name": "a"
              }
            }
          ],
          "kind": "List",
          "metadata": {
            "resourceVersion": ""
          }
        }
        "#);
    }

    #[test]
    fn an_object_without_metadata_stays_as_it_is() {
        let mut value = json!("text");
        drop_managed_fields(&mut value);
        assert_eq!(value, json!("text"));
    }
}
