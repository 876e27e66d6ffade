//! What an Istio AuthorizationPolicy lets in, as far as an onboarding's is read: the principals of its rules.

use serde_json::Value;

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
