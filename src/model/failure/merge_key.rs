//! Lists that Helm merges by one field of their entries, in the texts of a patch that could not be made.

use std::collections::BTreeSet;

/// The field by which a list is merged, and the values of it that two entries share, as far as the text says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    pub key: String,
    pub twice: Vec<String>,
}

/// The lists with this merge key in pods, Services and their owners. Source: `patchMergeKey` in the Kubernetes API's types.
const LISTS: [(&str, &str); 9] = [
    ("name", "containers, env, imagePullSecrets, volumes"),
    ("ip", "hostAliases"),
    ("containerPort", "ports of a container"),
    ("port", "ports of a Service"),
    ("mountPath", "volumeMounts"),
    ("devicePath", "volumeDevices"),
    ("topologyKey", "topologySpreadConstraints"),
    ("uid", "ownerReferences"),
    ("type", "conditions"),
];

impl Merge {
    /// Reads `doesn't match $setElementOrder list: [map[ip:1.2.3.4] …]` and `does not contain declared merge key: name`.
    pub fn parse(text: &str) -> Option<Self> {
        const NO_KEY: &str = "does not contain declared merge key: ";
        if let Some((_, key)) = text.split_once(NO_KEY) {
            let key = key.split_whitespace().next()?;
            return Some(Self {
                key: key.to_owned(),
                twice: Vec::new(),
            });
        }
        let (_, order) = text.split_once("$setElementOrder list:")?;
        let entries = order.trim_start().strip_prefix('[')?;
        // What follows may be about another object.
        let entries = entries.find("]]").map_or(entries, |end| &entries[..=end]);
        let mut entries = entries.split("map[").skip(1);
        let first = entries.clone().next()?;
        let (key, _) = first.split_once(':')?;
        let mut seen = BTreeSet::new();
        let mut twice = BTreeSet::new();
        for entry in &mut entries {
            let value = entry.strip_prefix(key)?.strip_prefix(':')?;
            let value = &value[..value.find(']')?];
            if !seen.insert(value) {
                twice.insert(value.to_owned());
            }
        }
        Some(Self {
            key: key.to_owned(),
            twice: twice.into_iter().collect(),
        })
    }

    /// Which lists they may be.
    pub fn lists(&self) -> Option<&'static str> {
        let mut lists = LISTS.iter();
        let found = lists.find(|(key, _)| *key == self.key);
        found.map(|(_, lists)| *lists)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_key_and_what_is_twice_are_read() {
        let of = |text: &str| {
            let merge = Merge::parse(text).unwrap();
            (merge.lists(), merge.twice.join(" "))
        };
        let text = "The order in patch list: [map[hostnames:[a] ip:10.0.0.7]] doesn't match $setElementOrder list: [map[ip:10.0.0.7] map[ip:10.0.0.7] map[ip:10.0.0.9]]";
        assert_eq!(of(text), (Some("hostAliases"), "10.0.0.7".to_owned()));
        let text = "doesn't match $setElementOrder list: [map[name:A] map[name:B]]";
        assert_eq!(
            of(text),
            (
                Some("containers, env, imagePullSecrets, volumes"),
                String::new()
            )
        );
        let text = "map: map[value:x] does not contain declared merge key: mountPath";
        assert_eq!(of(text), (Some("volumeMounts"), String::new()));
        let two = "$setElementOrder list: [map[ip:A] map[ip:B] map[ip:B]] && cannot patch \"b\": $setElementOrder list: [map[ip:A] map[ip:C]]";
        assert_eq!(of(two), (Some("hostAliases"), "B".to_owned()));
        assert_eq!(Merge::parse("cannot patch \"a\" with kind Job"), None);
        assert_eq!(Merge::parse("$setElementOrder list: [a b]"), None);
        let unknown = "$setElementOrder list: [map[other:1] map[other:1]]";
        assert_eq!(of(unknown), (None, "1".to_owned()));
    }

    proptest! {
        #[test]
        fn what_is_twice_is_in_the_text_twice(values in prop::collection::vec("[a-c.0-9]{1,3}", 1..6)) {
            let list: Vec<String> = values.iter().map(|v| format!("map[ip:{v}]")).collect();
            let merge = Merge::parse(&format!("$setElementOrder list: [{}]", list.join(" "))).unwrap();
            for value in &values {
                let is_twice = values.iter().filter(|v| *v == value).count() > 1;
                prop_assert_eq!(merge.twice.contains(value), is_twice);
            }
        }
    }
}
