//! Ready onboardings whose AuthorizationPolicy is gone: one list of names for each namespace that holds policies.

use crate::cluster::Cluster;
use crate::diagnosis::{NotRun, registry};
use crate::model::helm_release::HelmRelease;
use crate::model::policy::of_inventory;
use serde_json::Value;
use std::collections::BTreeMap;

/// Those of `well` whose policy, as their inventory lists it, does not exist, by `namespace/name`. Controllers before 1.5 keep no
/// inventory: of theirs nothing is known here.
pub(super) async fn gone(
    cluster: &Cluster,
    well: &[(&HelmRelease, &Value)],
) -> (Vec<String>, Option<NotRun>) {
    // By group, version and namespace.
    let mut places: BTreeMap<(String, String), Vec<(String, &HelmRelease)>> = BTreeMap::new();
    for (hr, object) in well {
        if let Some(id) = of_inventory(object) {
            let place = (id.group_version, id.namespace);
            places.entry(place).or_default().push((id.name, hr));
        }
    }
    let mut gone = Vec::new();
    for ((group_version, namespace), named) in places {
        match cluster.policy_names(&group_version, &namespace).await {
            Ok(there) => {
                let absent = named.iter().filter(|(name, _)| !there.contains(name));
                gone.extend(absent.map(|(_, hr)| hr.id()));
            }
            Err(error) => {
                let what = "AuthorizationPolicies of Ready onboardings";
                let not_run = NotRun::new(registry::BY_POLICY, what, &error.clause());
                return (gone, Some(not_run));
            }
        }
    }
    (gone, None)
}
