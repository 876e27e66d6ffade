//! The manifests in docs/rbac say what their rights allow beyond what a command needs.

use serde_json::Value;
use std::path::Path;

/// A list of Secrets holds their payloads. The manifest says so above each rule that grants it.
#[test]
fn a_right_to_list_secrets_is_called_a_right_to_read_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rbac");
    let mut rules = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let text = std::fs::read_to_string(&file).unwrap();
        for document in text.split("\n---\n") {
            let object: Value = serde_saphyr::from_str(document).unwrap();
            let expected = match object["kind"].as_str().unwrap() {
                "ClusterRole" => "the cluster",
                "Role" => "this namespace",
                _ => continue,
            };
            let lists = |rule: &&Value| {
                let has = |key: &str, words: [&str; 2]| {
                    let all = rule[key].as_array().into_iter().flatten();
                    let mut all = all.filter_map(Value::as_str);
                    all.any(|word| words.contains(&word))
                };
                has("resources", ["secrets", "*"]) && has("verbs", ["list", "*"])
            };
            let granted = object["rules"].as_array().unwrap().iter().filter(lists);
            let granted = granted.count();
            let sentence = format!(
                "# Listing Secrets means reading every Secret in {expected}, not only Helm's.\n- {{apiGroups: [\"\"], resources: [secrets], verbs: ["
            );
            let said = document.matches(&sentence).count();
            assert_eq!(said, granted, "{}:\n{document}", file.display());
            rules += granted;
        }
    }
    assert!(rules >= 7, "{rules}");
}
