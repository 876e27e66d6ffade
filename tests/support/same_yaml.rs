//! Whether our YAML is the document that kubectl's is. Test code only.

use serde_json::Value;

/// YAML differs from kubectl's in where long text is wrapped and in the kind of some quotes, and in nothing else.
pub(crate) fn is_same_document(ours: &str, theirs: &str) -> bool {
    // kubectl makes a float of a number that an int64 does not hold.
    let read = |text: &str| {
        let value: Value = serde_saphyr::from_str(text).expect("YAML");
        value
            .to_string()
            .replace("18446744073709551615", "1.8446744073709552e+19")
    };
    read(ours) == read(theirs) && keys(ours) == keys(theirs)
}

/// Each key with the text before it on its line, in the order of the lines.
fn keys(yaml: &str) -> Vec<&str> {
    let is_key = |text: &str| {
        let name = text.trim_start_matches([' ', '-']);
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || "./_-".contains(c))
    };
    let before_colon = yaml.lines().filter_map(|line| line.split_once(':'));
    let keys = before_colon.map(|(key, _)| key);
    keys.filter(|key| is_key(key)).collect()
}
