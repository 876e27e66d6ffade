//! Onboardings that the list by the label leaves out: other HelmReleases that install the onboarding chart.

use super::super::Which;
use crate::cluster::Cluster;
use crate::cluster::helm_releases::Query;
use crate::diagnosis::{NotRun, registry};
use crate::model::helm_release::{HelmRelease, ONBOARDING_SELECTOR};
use serde_json::Value;

/// Those of the namespace, or of all; nothing where a selector of the user's own says which are meant. One list more.
pub(super) async fn onboardings(
    cluster: &Cluster,
    namespace: Option<String>,
    which: Which<'_>,
    product: &str,
) -> (Vec<Value>, Option<NotRun>) {
    let Some((key, value)) = ONBOARDING_SELECTOR.split_once('=') else {
        return (Vec::new(), None);
    };
    if product != ONBOARDING_SELECTOR || which.selector.is_some() {
        return (Vec::new(), None);
    }
    // The API server takes this for those without the key as well.
    let query = Query {
        namespace,
        selector: format!("{key}!={value}"),
    };
    // Most of them are other teams' and of no interest.
    let found = cluster.whole_helm_releases(&query, Vec::new, |found, object| {
        if HelmRelease::from_value(&object).is_ok_and(|hr| hr.installs_onboarding_chart()) {
            found.push(object);
        }
    });
    match found.await {
        Ok(found) => (found, None),
        Err(error) => {
            let what = "HelmReleases without the onboarding label";
            let not_run = NotRun::new(registry::BY_LABEL, what, &error.clause());
            (Vec::new(), Some(not_run))
        }
    }
}
