//! Green onboardings whose chart or repository fails: two lists tell it of all of them, where their own statuses do not.

use crate::cluster::{Cluster, ClusterError, ListOf, segment};
use crate::diagnosis::{NotRun, registry};
use crate::model::helm_release::HelmRelease;
use crate::model::source::Source;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// API versions of source-controller's objects, the newer one first.
const VERSIONS: [&str; 2] = ["v1", "v1beta2"];

/// Objects by `namespace/name`.
type ById = BTreeMap<String, Source>;

/// Those of `well` whose HelmChart or HelmRepository complains or is gone, by `namespace/name`.
pub(super) async fn failing(
    cluster: &Cluster,
    well: &[(&HelmRelease, &Value)],
) -> (Vec<String>, Vec<NotRun>) {
    let well: Vec<&HelmRelease> = well.iter().map(|(hr, _)| *hr).collect();
    let charts: BTreeSet<String> = well
        .iter()
        .filter(|hr| hr.spec.chart_ref.is_none())
        .filter_map(|hr| {
            let (chart, _) = hr.helm_chart()?;
            Some([chart, hr.source_namespace()?.to_owned()])
        })
        .flatten()
        .collect();
    if charts.is_empty() {
        return (Vec::new(), Vec::new());
    }
    // One namespace holds the sources of nearly every installation.
    let only = match charts.into_iter().collect::<Vec<_>>().as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    };
    let (charts, repositories) = futures::join!(
        list(cluster, only.as_deref(), "helmcharts"),
        list(cluster, only.as_deref(), "helmrepositories")
    );
    let mut not_run = Vec::new();
    let mut known = |read: Result<ById, ClusterError>, what: &str| match read {
        Ok(all) => Some(all),
        Err(error) => {
            let what = format!("{what} of green onboardings");
            not_run.push(NotRun::new(registry::of_sources(), what, &error.clause()));
            None
        }
    };
    let charts = known(charts, "HelmCharts");
    let repositories = known(repositories, "HelmRepositories");
    let found = well
        .iter()
        .filter(|hr| fails(hr, charts.as_ref(), repositories.as_ref()))
        .map(|hr| hr.id())
        .collect();
    (found, not_run)
}

async fn list(
    cluster: &Cluster,
    namespace: Option<&str>,
    plural: &str,
) -> Result<ById, ClusterError> {
    let place = namespace.map_or(String::new(), |n| format!("namespaces/{}/", segment(n)));
    let mut unserved = None;
    for version in VERSIONS {
        let path = format!("/apis/source.toolkit.fluxcd.io/{version}/{place}{plural}");
        match cluster.all::<Value>(&ListOf::objects(path)).await {
            Ok(all) => return Ok(all.items().iter().map(by_id).collect()),
            Err(error) if error.is_unserved() => unserved = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(unserved.unwrap_or_else(|| ClusterError::Other("no version is served".to_owned())))
}

fn by_id(object: &Value) -> (String, Source) {
    let source = Source::from_value(object, "");
    (source.meta.id(), source)
}

/// Worth a look: the checks judge. What cannot be read may be a complaint, what was not listed is none.
fn fails(hr: &HelmRelease, charts: Option<&ById>, repositories: Option<&ById>) -> bool {
    let (Some((namespace, name)), Some(template)) = (hr.helm_chart(), &hr.spec.chart) else {
        return false;
    };
    let bad = |all: Option<&ById>, namespace: &str, name: &str| {
        all.is_some_and(|all| {
            all.get(&format!("{namespace}/{name}"))
                .is_none_or(|source| {
                    !source.has_no_complaint() || !source.meta.malformed.is_empty()
                })
        })
    };
    let source = &template.spec.source_ref;
    let own = hr.source_namespace().unwrap_or(&namespace);
    bad(charts, &namespace, &name)
        || (source.kind == "HelmRepository" && bad(repositories, own, &source.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hr() -> HelmRelease {
        HelmRelease::from_value(&json!({
            "metadata": {"name": "a", "namespace": "flux-system"},
            "spec": {"chart": {"spec": {"chart": "c", "sourceRef": {"kind": "HelmRepository", "name": "r"}}}},
            "status": {"helmChart": "flux-system/flux-system-a"}
        }))
        .unwrap()
    }

    fn all(name: &str, fetch_failed: bool) -> ById {
        let status = if fetch_failed { "True" } else { "False" };
        let object = json!({"metadata": {"namespace": "flux-system", "name": name},
            "status": {"conditions": [{"type": "FetchFailed", "status": status, "reason": "Failed", "message": "401"}]}});
        BTreeMap::from([by_id(&object)])
    }

    #[test]
    fn a_source_that_complains_or_is_gone_is_worth_a_look() {
        let (good, bad) = (all("flux-system-a", false), all("flux-system-a", true));
        let (repository, dead) = (all("r", false), all("r", true));
        assert!(!fails(&hr(), Some(&good), Some(&repository)));
        assert!(fails(&hr(), Some(&bad), Some(&repository)));
        assert!(fails(&hr(), Some(&good), Some(&dead)));
        assert!(fails(&hr(), Some(&good), Some(&ById::new())));
        assert!(
            !fails(&hr(), None, None),
            "what was not read is no complaint"
        );
    }
}
