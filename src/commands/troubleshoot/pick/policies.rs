//! Ready onboardings whose AuthorizationPolicy is gone: one list of names for each namespace that holds policies.

use crate::cluster::Cluster;
use crate::model::policy::{PolicyId, of_inventory};
use crate::view::report::NotRun;
use serde_json::Value;
use std::collections::BTreeMap;

/// The policies of one namespace, each with the place of its onboarding among the objects.
type Places<'a> = BTreeMap<(String, String), Vec<(PolicyId, &'a Value)>>;

/// Those of `well` whose policy, as their inventory lists it, does not exist. Controllers before 1.5 keep no inventory: of theirs
/// nothing is known here.
pub(super) async fn gone<'a>(
    cluster: &Cluster,
    well: &[&'a Value],
) -> (Vec<&'a Value>, Option<NotRun>) {
    let mut places: Places<'a> = BTreeMap::new();
    for object in well {
        if let Some(id) = of_inventory(object) {
            let place = (id.group_version.clone(), id.namespace.clone());
            places.entry(place).or_default().push((id, object));
        }
    }
    let mut gone = Vec::new();
    for ((group_version, namespace), named) in places {
        match cluster.policy_names(&group_version, &namespace).await {
            Ok(there) => {
                let absent = named.iter().filter(|(id, _)| !there.contains(&id.name));
                gone.extend(absent.map(|(_, object)| *object));
            }
            Err(error) => {
                let not_run = NotRun {
                    codes: vec!["SKVS410"],
                    what: "AuthorizationPolicies of Ready onboardings".to_owned(),
                    why: crate::text::one_line(&error.clause()),
                };
                return (gone, Some(not_run));
            }
        }
    }
    (gone, None)
}
