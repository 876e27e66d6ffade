//! What a hook Job and its pods say of themselves, for the diagnosis and the views.
//!
//! Plain reading of the objects: nothing here judges what it means for an onboarding.

use super::helm_release::GROUP;
use serde_json::Value;

/// `namespace/name` of the HelmRelease that Flux's labels name; controllers before 1.6 put none on hooks.
pub fn made_by(job: &Value) -> Option<String> {
    let labels = job.pointer("/metadata/labels")?;
    let label = |key: &str| labels.get(format!("{GROUP}/{key}"))?.as_str();
    Some(format!("{}/{}", label("namespace")?, label("name")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_labels_name_the_maker() {
        let labels = json!({"helm.toolkit.fluxcd.io/name": "a", "helm.toolkit.fluxcd.io/namespace": "flux-system"});
        let job = json!({"metadata": {"labels": labels}});
        assert_eq!(made_by(&job).as_deref(), Some("flux-system/a"));
        let half = json!({"metadata": {"labels": {"helm.toolkit.fluxcd.io/name": "a"}}});
        assert_eq!((made_by(&half), made_by(&json!({}))), (None, None));
    }
}
