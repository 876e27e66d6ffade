//! What a watch has already shown, so that a repeated list shows only what is new.

use crate::model::helm_release::HelmRelease;
use serde_json::Value;
use std::collections::HashMap;

/// An object as it came, and typed.
type Item = (Value, HelmRelease);

/// The objects of the watch, by `namespace/name`.
#[derive(Default)]
pub(super) struct Known {
    objects: HashMap<String, Told>,
}

struct Told {
    hr: HelmRelease,
    resource_version: String,
    /// Whether it ever passed the filters.
    shown: bool,
}

impl Known {
    /// Takes a whole list: leaves in `items` what is new or changed, and returns the ids of what was told and is gone.
    pub(super) fn relist(
        &mut self,
        items: &mut Vec<Item>,
        passes: impl Fn(&HelmRelease) -> bool,
    ) -> Vec<String> {
        let mut before = std::mem::take(&mut self.objects);
        items.retain(|(object, hr)| {
            let told = before.remove(&hr.id());
            let same = told
                .as_ref()
                .is_some_and(|t| t.resource_version == version(object));
            let shown = told.is_some_and(|t| t.shown);
            self.insert(object, hr, shown || passes(hr));
            !same
        });
        let mut gone: Vec<String> = before
            .into_iter()
            .filter_map(|(id, told)| told.shown.then_some(id))
            .collect();
        gone.sort();
        gone
    }

    /// Takes one change.
    pub(super) fn changed(&mut self, object: &Value, hr: &HelmRelease, passes: bool) {
        let shown = self.objects.get(&hr.id()).is_some_and(|t| t.shown);
        self.insert(object, hr, shown || passes);
    }

    /// Takes one deletion.
    pub(super) fn deleted(&mut self, hr: &HelmRelease) {
        self.objects.remove(&hr.id());
    }

    /// Everything that is there, whether it is shown or not.
    pub(super) fn all(&self) -> impl Iterator<Item = &HelmRelease> {
        self.objects.values().map(|told| &told.hr)
    }

    fn insert(&mut self, object: &Value, hr: &HelmRelease, shown: bool) {
        let told = Told {
            hr: hr.clone(),
            resource_version: version(object).to_owned(),
            shown,
        };
        self.objects.insert(hr.id(), told);
    }
}

fn version(object: &Value) -> &str {
    object
        .pointer("/metadata/resourceVersion")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn item(name: &str, version: &str) -> Item {
        let object =
            json!({"metadata": {"name": name, "namespace": "n", "resourceVersion": version}});
        let hr = HelmRelease::from_value(&object).unwrap();
        (object, hr)
    }

    fn names(items: &[Item]) -> Vec<&str> {
        items
            .iter()
            .map(|(_, hr)| hr.metadata.name.as_str())
            .collect()
    }

    #[test]
    fn a_second_list_tells_what_changed_and_what_is_gone() {
        let mut known = Known::default();
        let filter = |hr: &HelmRelease| hr.metadata.name != "hidden";
        let mut items = vec![
            item("a", "1"),
            item("b", "2"),
            item("c", "3"),
            item("hidden", "4"),
        ];
        assert!(known.relist(&mut items, filter).is_empty());
        assert_eq!(names(&items), ["a", "b", "c", "hidden"]);
        let (object, hr) = item("a", "5");
        known.changed(&object, &hr, true);
        known.deleted(&item("b", "2").1);
        let mut items = vec![item("a", "5"), item("d", "6")];
        // b was told when it went, hidden was never told.
        assert_eq!(known.relist(&mut items, filter), ["n/c"]);
        assert_eq!(names(&items), ["d"]);
        let mut items = vec![item("a", "7")];
        assert_eq!(known.relist(&mut items, filter), ["n/d"]);
        assert_eq!(names(&items), ["a"]);
    }
}
