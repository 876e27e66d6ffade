//! Nothing found: kubectl's line, and what may explain it. At most two more requests.

use crate::cli::App;
use crate::cluster::helm_releases::Query;
use crate::cluster::{Cluster, List, Pages, segment};
use crate::model::helm_release::HelmRelease;
use crate::text::count;

/// Tells that nothing was found; `filtered`: how many there were before the filters.
pub(super) async fn tell(app: &mut App, cluster: &Cluster, query: &Query, filtered: usize) {
    match &query.namespace {
        Some(namespace) => app
            .ui
            .status(&format!("No resources found in {namespace} namespace.")),
        None => app.ui.status("No resources found"),
    }
    if filtered > 0 {
        let were = if filtered == 1 { "was" } else { "were" };
        app.ui.hint(&format!(
            "{} {were} left out by the filters",
            count(filtered as u64, "onboarding")
        ));
        return;
    }
    if let Some(namespace) = &query.namespace {
        let read = cluster
            .get::<serde::de::IgnoredAny>(&format!("/api/v1/namespaces/{}", segment(namespace)))
            .await;
        if read.is_err_and(|e| e.is_not_found()) {
            app.ui.hint(&format!(
                "the namespace {namespace:?} does not exist on this cluster"
            ));
            return;
        }
    }
    let all = Query {
        selector: String::new(),
        ..query.clone()
    };
    let unlabelled: Result<(List<HelmRelease>, Pages<HelmRelease>), _> =
        cluster.helm_releases(&all).await;
    if let Ok((page, _)) = unlabelled {
        let names: Vec<&str> = page
            .items
            .iter()
            .filter(|hr| hr.installs_onboarding_chart())
            .map(|hr| hr.metadata.name.as_str())
            .take(3)
            .collect();
        if !names.is_empty() {
            app.ui.hint(&format!(
                "these HelmReleases install the onboarding chart and lack the label {}: {}",
                app.global.onboarding_selector,
                names.join(", ")
            ));
        }
    }
}
