//! No onboarding found: what may explain it. At most two more requests.

use crate::app::App;
use crate::cluster::helm_releases::Query;
use crate::cluster::{Cluster, List, Pages, segment};
use crate::model::helm_release::HelmRelease;
use crate::text::count;

/// HelmReleases that are named at most.
const NAMED: usize = 3;

/// Why the product's selector found nothing in the namespace (`None`: in all of them), as a hint; `None` when nothing that
/// can be read tells. Not for a list that a further selector has cut: what it left out is not missing.
pub(crate) async fn why(app: &App, cluster: &Cluster, namespace: Option<&str>) -> Option<String> {
    if let Some(namespace) = namespace {
        let path = format!("/api/v1/namespaces/{}", segment(namespace));
        let read = cluster.get::<serde::de::IgnoredAny>(&path).await;
        if read.is_err_and(|e| e.is_not_found()) {
            return Some(format!(
                "the namespace {namespace:?} does not exist on this cluster"
            ));
        }
    }
    let product = app.global.onboarding_selector.trim();
    if product.is_empty() {
        return None;
    }
    let all = Query {
        namespace: namespace.map(str::to_owned),
        selector: String::new(),
    };
    // One page is enough for a hint.
    let read: Result<(List<HelmRelease>, Pages<HelmRelease>), _> =
        cluster.helm_releases(&all).await;
    let (page, _) = read.ok()?;
    let names: Vec<&str> = page
        .items()
        .iter()
        .filter(|hr| hr.installs_onboarding_chart())
        .map(|hr| hr.metadata.name.as_str())
        .take(NAMED)
        .collect();
    if !names.is_empty() {
        return Some(format!(
            "these HelmReleases install the onboarding chart and lack the label {product}: {}",
            names.join(", ")
        ));
    }
    let held = cluster.archive()?.helm_releases().count() as u64;
    let place = namespace.map_or(String::new(), |n| format!(" of the namespace {n}"));
    Some(format!(
        "the files hold {}, none{place} has the label {product}",
        count(held, "HelmRelease")
    ))
}
