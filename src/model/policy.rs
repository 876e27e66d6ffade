//! An onboarding's Istio AuthorizationPolicy: which object it is, and the principals that it lets in.

use super::field::{Field, Fields, Meta, Parsed};
use serde::Deserialize;
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

/// An AuthorizationPolicy, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub meta: Meta,
    /// Read as a whole: a list of accounts that lacks some would be a false one.
    rules: Field<Vec<Rule>>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct Rule {
    from: Option<Vec<From>>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct From {
    source: Option<Source>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct Source {
    principals: Option<Vec<String>>,
}

impl Policy {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            rules: fields.at("/spec/rules"),
            meta: fields.meta("AuthorizationPolicy"),
        }
    }

    /// The principals of all `from` parts, as written; absent if there are no rules, or one of them does not select by principals.
    pub fn principals(&self) -> Field<Vec<&str>> {
        let rules = match &self.rules {
            Field::Set(rules) => rules,
            Field::Absent => return Field::Absent,
            Field::Malformed => return Field::Malformed,
        };
        let mut all = Vec::new();
        for rule in rules {
            // An empty list is as none: anybody.
            let Some(from) = rule.from.as_ref().filter(|from| !from.is_empty()) else {
                return Field::Absent;
            };
            for from in from {
                match from.source.as_ref().and_then(|s| s.principals.as_ref()) {
                    Some(principals) if !principals.is_empty() => {
                        all.extend(principals.iter().map(String::as_str));
                    }
                    // The same.
                    Some(_) | None => return Field::Absent,
                }
            }
        }
        Field::Set(all)
    }

    /// The same, to be kept.
    pub fn owned_principals(&self) -> Field<Vec<String>> {
        match self.principals() {
            Field::Set(all) => Field::Set(all.into_iter().map(str::to_owned).collect()),
            Field::Absent => Field::Absent,
            Field::Malformed => Field::Malformed,
        }
    }
}

impl Parsed for Policy {
    fn meta(&self) -> &Meta {
        &self.meta
    }
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
        let policy = Policy::from_value(&policy);
        let Field::Set(all) = policy.principals() else {
            panic!("it has principals");
        };
        assert!(lets_in(&all, "pds/pds") && lets_in(&all, "pds/batch"));
        assert!(!lets_in(&all, "pds/other") && !lets_in(&all, "other/pds"));
        assert!(lets_in(&["*"], "pds/pds") && lets_in(&["cluster.local/ns/pds/*"], "pds/x"));
        assert!(!lets_in(&["cluster.local/ns/pds/*"], "pd/x"));
    }

    #[test]
    fn a_rule_without_principals_is_not_judged() {
        let kind = |rules: Value| {
            let policy = Policy::from_value(&json!({"spec": {"rules": rules}}));
            match policy.principals() {
                Field::Absent => "absent".to_owned(),
                Field::Set(all) => all.join(" "),
                Field::Malformed => policy.meta.malformed.join(" "),
            }
        };
        let of = |principals: Value| json!([{"from": [{"source": {"principals": principals}}]}]);
        assert_eq!(kind(json!([{}])), "absent");
        assert_eq!(kind(json!(null)), "absent");
        assert_eq!(kind(of(json!(null))), "absent");
        assert_eq!(kind(json!([])), "");
        assert_eq!(kind(of(json!(["a", "b"]))), "a b");
        for odd in [
            json!("all"),
            json!([7]),
            of(json!("a")),
            of(json!(["a", 7])),
        ] {
            assert_eq!(kind(odd), "spec.rules");
        }
    }

    proptest! {
        #[test]
        fn no_principal_panics(principal in "\\PC{0,12}", account in "\\PC{0,8}") {
            let _ = lets_in(&[&principal], &account);
        }
    }
}
