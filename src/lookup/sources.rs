//! What the onboardings take their chart from. Nearly every installation has one such source.

use crate::cluster::Cluster;
use crate::model::helm_release::{HelmRelease, ObjectRef};
use crate::model::not_read::NotRead;
use crate::text::count;
use crate::view::status::Source;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Sources that are read at most: those that most onboardings use.
const MOST: usize = 20;

/// Kind, namespace and name.
type Id = (String, String, String);

/// Reads them, those first that most onboardings use; beside them, how many were left out.
pub(crate) async fn load(
    cluster: &Cluster,
    onboardings: &[HelmRelease],
) -> (Vec<Source>, Option<NotRead>) {
    let (used, left_out) = used(onboardings);
    let read = used
        .into_iter()
        .map(|((kind, namespace, name), users)| async move {
            let read = cluster.source(&kind, &namespace, &name).await;
            Source::new(format!("{kind} {namespace}/{name}"), users, &read)
        });
    let sources = futures::future::join_all(read).await;
    let not_read = (left_out > 0).then(|| {
        let what = count(left_out as u64, "more chart source");
        NotRead::new(what, format!("only {MOST} are read"))
    });
    (sources, not_read)
}

fn used(onboardings: &[HelmRelease]) -> (Vec<(Id, u64)>, usize) {
    let mut used: BTreeMap<Id, u64> = BTreeMap::new();
    for hr in onboardings {
        let spec = &hr.spec;
        let template = spec.chart.as_ref().map(|chart| &chart.spec.source_ref);
        if let Some(reference) = spec.chart_ref.as_ref().or(template) {
            *used.entry(id(hr, reference)).or_default() += 1;
        }
    }
    let mut used: Vec<(Id, u64)> = used.into_iter().collect();
    used.sort_by_key(|(_, users)| Reverse(*users));
    let left_out = used.len().saturating_sub(MOST);
    used.truncate(MOST);
    (used, left_out)
}

fn id(hr: &HelmRelease, reference: &ObjectRef) -> Id {
    let namespace = reference.namespace.as_deref().filter(|n| !n.is_empty());
    (
        reference.kind.clone(),
        namespace.unwrap_or(&hr.metadata.namespace).to_owned(),
        reference.name.clone(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn using(spec: Value) -> HelmRelease {
        let object = json!({"metadata": {"name": "a", "namespace": "team"}, "spec": spec});
        HelmRelease::from_value(&object).unwrap()
    }

    fn chart(name: &str, namespace: Value) -> HelmRelease {
        let source = json!({"kind": "HelmRepository", "name": name, "namespace": namespace});
        using(json!({"chart": {"spec": {"chart": "c", "sourceRef": source}}}))
    }

    #[test]
    fn each_source_is_read_once_and_the_most_used_first() {
        let all = [
            chart("a", Value::Null),
            chart("b", json!("flux-system")),
            chart("b", json!("flux-system")),
            using(json!({"chartRef": {"kind": "OCIRepository", "name": "o"}})),
            using(json!({})),
        ];
        let (used, left_out) = used(&all);
        let used: Vec<String> = used
            .iter()
            .map(|((kind, namespace, name), n)| format!("{n} {kind} {namespace}/{name}"))
            .collect();
        assert_eq!(
            used,
            [
                "2 HelmRepository flux-system/b",
                "1 HelmRepository team/a",
                "1 OCIRepository team/o"
            ]
        );
        assert_eq!(left_out, 0);
    }

    #[test]
    fn sources_beyond_the_bound_are_counted() {
        let all: Vec<HelmRelease> = (0..MOST + 3)
            .map(|n| chart(&format!("r{n}"), Value::Null))
            .collect();
        let (used, left_out) = used(&all);
        assert_eq!((used.len(), left_out), (MOST, 3));
    }
}
