//! A right on the API server, and which rights the rules of a user allow.

use super::nullable::nullable;
use serde::Deserialize;
use std::fmt;

/// One verb on one kind of object, or on a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    pub verb: String,
    pub on: On,
}

/// What a right is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    Resource {
        /// Empty for the core group.
        group: String,
        /// `secrets`, `pods/exec`.
        resource: String,
        /// `None`: in all namespaces.
        namespace: Option<String>,
        /// One object of that kind; `None`: all of them.
        name: Option<String>,
    },
    /// A path beside the resources: `/version`.
    Path(String),
}

/// Resources that are in no namespace.
const OF_THE_CLUSTER: [&str; 5] = [
    "namespaces",
    "subjectaccessreviews",
    "selfsubjectaccessreviews",
    "selfsubjectrulesreviews",
    "selfsubjectreviews",
];

impl Right {
    /// The namespace that it is limited to.
    pub fn namespace(&self) -> Option<&str> {
        match &self.on {
            On::Resource { namespace, .. } => namespace.as_deref(),
            On::Path(_) => None,
        }
    }
}

impl fmt::Display for Right {
    /// `list secrets in flux-system`, as a refusal names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.on {
            On::Path(path) => write!(f, "{} {path}", self.verb),
            On::Resource {
                resource,
                namespace,
                name,
                ..
            } => {
                write!(f, "{} {resource}", self.verb)?;
                if let Some(name) = name {
                    write!(f, " {name}")?;
                }
                match namespace {
                    Some(namespace) => write!(f, " in {namespace}"),
                    None if OF_THE_CLUSTER.contains(&resource.as_str()) => Ok(()),
                    None => f.write_str(" in all namespaces"),
                }
            }
        }
    }
}

/// The rights in words, those that differ by their verbs only as one: `get, list secrets in flux-system`.
pub fn words(rights: &[&Right]) -> Vec<String> {
    let mut all: Vec<(Vec<&str>, &On)> = Vec::new();
    for right in rights {
        match all.iter_mut().find(|(_, on)| **on == right.on) {
            Some((verbs, _)) => verbs.push(&right.verb),
            None => all.push((vec![&right.verb], &right.on)),
        }
    }
    let all = all.into_iter().map(|(verbs, on)| Right {
        verb: verbs.join(", "),
        on: on.clone(),
    });
    all.map(|right| right.to_string()).collect()
}

/// A rule of a Role, or of a SelfSubjectRulesReview's answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    #[serde(default, deserialize_with = "nullable")]
    verbs: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    api_groups: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    resources: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    resource_names: Vec<String>,
    #[serde(default, deserialize_with = "nullable", rename = "nonResourceURLs")]
    paths: Vec<String>,
}

impl Rule {
    /// Each right that it gives, in this namespace or, without one, in all.
    pub fn rights(&self, namespace: Option<&str>) -> Vec<Right> {
        let mut all = Vec::new();
        for verb in &self.verbs {
            let right = |on| Right {
                verb: verb.clone(),
                on,
            };
            all.extend(self.paths.iter().map(|path| right(On::Path(path.clone()))));
            let named = self.resource_names.iter().map(Some);
            let names: Vec<Option<&String>> = match self.resource_names.is_empty() {
                true => vec![None],
                false => named.collect(),
            };
            for group in &self.api_groups {
                for resource in &self.resources {
                    all.extend(names.iter().map(|name| {
                        right(On::Resource {
                            group: group.clone(),
                            resource: resource.clone(),
                            namespace: namespace.map(str::to_owned),
                            name: name.cloned(),
                        })
                    }));
                }
            }
        }
        all
    }

    /// Whether it allows this on a resource, or on the object of that name. A rule for objects of some names allows nothing on all of them.
    fn allows(&self, verb: &str, group: &str, resource: &str, name: Option<&String>) -> bool {
        let has = |all: &[String], one: &str| all.iter().any(|w| w == "*" || w == one);
        let subresource = resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
        has(&self.verbs, verb)
            && has(&self.api_groups, group)
            && (has(&self.resources, resource)
                || subresource.is_some_and(|of_all| self.resources.contains(&of_all)))
            && (self.resource_names.is_empty()
                || name.is_some_and(|name| self.resource_names.contains(name)))
    }
}

/// The rules of a user in one namespace, as the API server knows them (SelfSubjectRulesReview).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnRules {
    #[serde(deserialize_with = "nullable")]
    resource_rules: Vec<Rule>,
    /// An authorizer does not name its rules.
    incomplete: bool,
    #[serde(default)]
    evaluation_error: String,
}

impl OwnRules {
    /// Whether they allow a right on a resource of their namespace; `None` where they do not decide it.
    pub fn allow(&self, right: &Right) -> Option<bool> {
        if self.incomplete || !self.evaluation_error.is_empty() {
            return None;
        }
        match &right.on {
            On::Resource {
                group,
                resource,
                namespace: Some(_),
                name,
            } => {
                let mut rules = self.resource_rules.iter();
                Some(rules.any(|rule| rule.allows(&right.verb, group, resource, name.as_ref())))
            }
            On::Resource { .. } | On::Path(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn right(verb: &str, group: &str, resource: &str, namespace: Option<&str>) -> Right {
        Right {
            verb: verb.to_owned(),
            on: On::Resource {
                group: group.to_owned(),
                resource: resource.to_owned(),
                namespace: namespace.map(str::to_owned),
                name: None,
            },
        }
    }

    fn rules(rules: Value) -> OwnRules {
        let status = json!({"resourceRules": rules, "nonResourceRules": [], "incomplete": false});
        serde_json::from_value(status).unwrap()
    }

    #[test]
    fn rules_allow_what_rbac_allows() {
        let allows = |rule: Value, verb, group, resource| {
            rules(json!([rule])).allow(&right(verb, group, resource, Some("n")))
        };
        let rule = |groups: &[&str], resources: &[&str], verbs: &[&str]| json!({"apiGroups": groups, "resources": resources, "verbs": verbs});
        let exec = rule(&[""], &["pods/exec"], &["get", "create"]);
        assert_eq!(allows(exec.clone(), "create", "", "pods/exec"), Some(true));
        assert_eq!(allows(exec.clone(), "create", "", "pods"), Some(false));
        assert_eq!(allows(exec, "create", "apps", "pods/exec"), Some(false));
        let pods = rule(&[""], &["pods"], &["*"]);
        assert_eq!(allows(pods.clone(), "list", "", "pods"), Some(true));
        assert_eq!(allows(pods, "get", "", "pods/exec"), Some(false));
        let all = rule(&["*"], &["*"], &["*"]);
        assert_eq!(allows(all, "get", "x", "pods/exec"), Some(true));
        let of_all = rule(&[""], &["*/exec"], &["get"]);
        assert_eq!(allows(of_all, "get", "", "pods/exec"), Some(true));
        let named = json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["a"]});
        assert_eq!(allows(named.clone(), "get", "", "secrets"), Some(false));
        let rule: Rule = serde_json::from_value(named.clone()).unwrap();
        let own = rule.rights(Some("n"));
        assert_eq!(
            super::words(&own.iter().collect::<Vec<_>>()),
            ["get secrets a in n"]
        );
        assert_eq!(rules(json!([named])).allow(&own[0]), Some(true));
    }

    #[test]
    fn rules_that_are_not_all_decide_nothing() {
        let list = right("list", "", "pods", Some("n"));
        let all = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]);
        let with = |key: &str, value: Value| -> OwnRules {
            let mut status = json!({"resourceRules": all, "incomplete": false});
            status[key] = value;
            serde_json::from_value(status).unwrap()
        };
        assert_eq!(with("x", json!(1)).allow(&list), Some(true));
        assert_eq!(with("incomplete", json!(true)).allow(&list), None);
        assert_eq!(with("evaluationError", json!("down")).allow(&list), None);
        // Rules of one namespace say nothing of the others.
        assert_eq!(
            rules(all.clone()).allow(&right("list", "", "pods", None)),
            None
        );
        for broken in [
            json!({}),
            json!({"resourceRules": []}),
            json!({"incomplete": false}),
        ] {
            assert!(serde_json::from_value::<OwnRules>(broken).is_err());
        }
    }

    #[test]
    fn a_right_is_named_as_a_refusal_names_it() {
        let words = |namespace| right("list", "", "secrets", namespace).to_string();
        assert_eq!(words(Some("flux-system")), "list secrets in flux-system");
        assert_eq!(words(None), "list secrets in all namespaces");
        let get = right("get", "", "namespaces", None);
        assert_eq!(get.to_string(), "get namespaces");
        let (of_one, of_all) = (Some("n"), None);
        let list = [of_one, of_all].map(|namespace| right("list", "", "pods", namespace));
        let watch = right("watch", "", "pods", of_one);
        assert_eq!(
            super::words(&[&list[0], &list[1], &watch]),
            ["list, watch pods in n", "list pods in all namespaces"]
        );
    }
}
