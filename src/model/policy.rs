//! An onboarding's Istio AuthorizationPolicy: which object it is, and the principals that it lets in.

use serde_json::Value;

/// Which object a policy is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyId {
    /// `security.istio.io/v1`.
    pub group_version: String,
    pub namespace: String,
    pub name: String,
}

/// The policy that a HelmRelease's `status.inventory` lists (helm-controller since 1.5): `<ns>_<name>_<group>_<kind>`.
pub fn of_inventory(object: &Value) -> Option<PolicyId> {
    let entries = object.pointer("/status/inventory/entries")?.as_array()?;
    entries.iter().find_map(|entry| {
        let id = entry.get("id")?.as_str()?;
        let version = entry.get("v")?.as_str()?;
        let parts: Vec<&str> = id.split('_').collect();
        match parts[..] {
            [namespace, name, group, "AuthorizationPolicy"] => Some(PolicyId {
                group_version: format!("{group}/{version}"),
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            }),
            _ => None,
        }
    })
}

/// The principals of all `from` parts, as they stand there; `None` where a rule lets everybody in or the object has another shape.
pub fn principals(policy: &Value) -> Option<Vec<&str>> {
    let rules = policy.pointer("/spec/rules")?.as_array()?;
    let mut all = Vec::new();
    for rule in rules {
        for from in rule.get("from")?.as_array()? {
            let principals = from.pointer("/source/principals")?.as_array()?;
            all.extend(principals.iter().filter_map(Value::as_str));
        }
    }
    Some(all)
}

/// Whether one of `principals` is the service account `namespace/name`, in whatever trust domain. Istio takes a `*` at the beginning or at the end.
pub fn lets_in(principals: &[&str], account: &str) -> bool {
    let Some((namespace, name)) = account.split_once('/') else {
        return false;
    };
    let wanted = format!("/ns/{namespace}/sa/{name}");
    principals.iter().any(|p| {
        if let Some(start) = p.strip_suffix('*') {
            // Any trust domain: what stands before /ns/ is not compared.
            let from = start.find("/ns/").map(|at| &start[at..]);
            start.is_empty() || from.is_some_and(|from| wanted.starts_with(from))
        } else if let Some(end) = p.strip_prefix('*') {
            wanted.ends_with(end) || end.ends_with(&wanted)
        } else {
            p.ends_with(&wanted)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn the_inventory_names_the_policy() {
        let object = json!({"status": {"inventory": {"entries": [
            {"id": "core_a-policy__ConfigMap", "v": "v1"},
            {"id": "secure-kvs_a_security.istio.io_AuthorizationPolicy", "v": "v1beta1"},
        ]}}});
        let id = of_inventory(&object).unwrap();
        assert_eq!(
            (
                id.group_version.as_str(),
                id.namespace.as_str(),
                id.name.as_str()
            ),
            ("security.istio.io/v1beta1", "secure-kvs", "a")
        );
        assert!(of_inventory(&json!({})).is_none());
    }

    #[test]
    fn accounts_are_found_among_principals() {
        let policy = json!({"spec": {"rules": [{"from": [{"source": {"principals":
            ["cluster.local/ns/pds/sa/pds", "*/ns/pds/sa/batch"]}}]}]}});
        let all = principals(&policy).unwrap();
        assert!(lets_in(&all, "pds/pds") && lets_in(&all, "pds/batch"));
        assert!(!lets_in(&all, "pds/other") && !lets_in(&all, "other/pds"));
        assert!(lets_in(&["*"], "pds/pds") && lets_in(&["cluster.local/ns/pds/*"], "pds/x"));
        assert!(!lets_in(&["cluster.local/ns/pds/*"], "pd/x"));
    }

    #[test]
    fn a_rule_without_principals_is_not_judged() {
        assert_eq!(principals(&json!({"spec": {"rules": [{}]}})), None);
        assert_eq!(principals(&json!({"spec": {}})), None);
        assert_eq!(principals(&json!({"spec": {"rules": []}})), Some(vec![]));
    }

    proptest! {
        #[test]
        fn no_principal_panics(principal in "\\PC{0,12}", account in "\\PC{0,8}") {
            let _ = lets_in(&[&principal], &account);
        }
    }
}
