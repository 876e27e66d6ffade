//! AuthorizationPolicies of Istio: which databases their paths let pods in to.
//!
//! Paths are Istio's: exact, a prefix `/x*`, a suffix `*x`, `*`, and the templates `{*}` and `{**}`. Only what ALLOW allows counts; an
//! action that is none of Istio's counts as ALLOW.

use super::object::Object;
use super::words::{How, Words, decoded, loose};
use crate::model::field::Field;
use crate::text::marker::is_marked;
use serde_json::Value;

/// What a policy's paths say of databases.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    /// First segments that are a name.
    pub(super) exact: Words,
    /// Paths that cover some databases and not all.
    pub(super) patterns: Vec<Pattern>,
    /// Whether it lets in to every path.
    pub(super) every: Every,
    /// Why it cannot be read.
    pub(super) unread: Option<String>,
}

/// A path that covers more than one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// As the policy has it.
    pub(super) path: String,
    covers: Covers,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Covers {
    Beginning(String),
    End(String),
    Named(String),
    /// `{*}` stands for any name.
    Any,
}

impl Pattern {
    /// A policy that cannot be read may cover any.
    pub(super) fn unread(why: &str) -> Self {
        Self {
            path: crate::text::one_line(why),
            covers: Covers::Any,
        }
    }

    /// Whether it covers this name, in its loose form.
    pub(super) fn covers(&self, name: &str) -> bool {
        match &self.covers {
            Covers::Beginning(text) => name.starts_with(text.as_str()),
            Covers::End(text) => name.ends_with(text.as_str()),
            Covers::Named(text) => name == text,
            Covers::Any => true,
        }
    }
}

impl Paths {
    /// Reads one policy.
    pub(super) fn parse(policy: &Value) -> Self {
        let mut paths = Self::default();
        let action = policy.pointer("/spec/action").and_then(Value::as_str);
        if matches!(action, Some("DENY" | "AUDIT" | "CUSTOM")) {
            return paths;
        }
        paths.every = Every::parse(policy);
        match paths_of(policy) {
            Ok(all) if all.iter().any(|path| is_marked(path)) => {
                let known = all.into_iter().filter(|path| !is_marked(path));
                known.for_each(|path| paths.add(path));
                paths.unread = Some("a bundle holds only a part of a path of it".to_owned());
            }
            Ok(all) => all.into_iter().for_each(|path| paths.add(path)),
            Err(why) => paths.unread = Some(why),
        }
        paths
    }

    fn add(&mut self, path: &str) {
        let text = loose(&decoded(path).unwrap_or_else(|| path.to_owned()));
        // `loose` takes the slashes from the ends; what begins without one is a suffix.
        let covers = match text.strip_prefix('*') {
            // `*` is every path.
            Some("") => return,
            Some(end) => {
                let whole = end.starts_with('/');
                let segment = end.trim_start_matches('/').split('/').next();
                let segment = segment.unwrap_or_default().to_owned();
                if segment.is_empty() {
                    return;
                }
                if segment.contains(['*', '{']) {
                    Covers::Any
                } else if whole {
                    Covers::Named(segment)
                } else {
                    Covers::End(segment)
                }
            }
            None => match text.split('/').next().unwrap_or_default() {
                "{**}" => return,
                first if first.contains('{') => Covers::Any,
                first => match first.split_once('*') {
                    None => return self.exact.add(first, How::Policy),
                    Some(("", _)) => return,
                    Some((begins, _)) => {
                        self.exact.add(begins, How::Policy);
                        Covers::Beginning(begins.to_owned())
                    }
                },
            },
        };
        let path = crate::text::one_line(path);
        self.patterns.push(Pattern { path, covers });
    }
}

/// Whether a policy lets in to every path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Every {
    #[default]
    No,
    /// On some ports or hosts, or with some other condition.
    Perhaps,
    /// Of some pods, which may be CouchDB's.
    OfPods,
    Yes,
}

impl Every {
    fn parse(policy: &Value) -> Self {
        let has = |key: &str| policy.pointer(&format!("/spec/{key}")).is_some();
        let of_pods = ["selector", "targetRefs", "targetRef"].into_iter().any(has);
        let rules = list(policy.pointer("/spec/rules"));
        let every = rules.iter().map(|rule| {
            let targets = list(rule.get("to"));
            let widest = targets.iter().map(Self::of_target).max();
            match widest.unwrap_or(Self::Yes) {
                Self::Yes if !list(rule.get("when")).is_empty() => Self::Perhaps,
                Self::Yes if of_pods => Self::OfPods,
                every => every,
            }
        });
        every.max().unwrap_or_default()
    }

    /// Of a target that names no path, only others that it leaves out, or one that covers all.
    fn of_target(to: &Value) -> Self {
        let of = |key: &str| list(to.pointer(&format!("/operation/{key}")));
        let paths = of("paths");
        let covers = |path: &Value| {
            path.as_str()
                .is_some_and(|p| ["*", "/*", "/{**}"].contains(&p))
        };
        let others = [
            "notPaths",
            "ports",
            "notPorts",
            "hosts",
            "notHosts",
            "methods",
            "notMethods",
        ];
        match paths.is_empty() || paths.iter().any(covers) {
            false => Self::No,
            true if others.iter().any(|key| !of(key).is_empty()) => Self::Perhaps,
            true => Self::Yes,
        }
    }
}

fn list(value: Option<&Value>) -> Vec<Value> {
    value.and_then(Value::as_array).cloned().unwrap_or_default()
}

/// The paths of all rules.
fn paths_of(policy: &Value) -> Result<Vec<&str>, String> {
    fn list<'v>(value: Option<&'v Value>, what: &str) -> Result<&'v [Value], String> {
        match value {
            None | Some(Value::Null) => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(format!("its {what} are not a list")),
        }
    }
    let mut paths = Vec::new();
    for rule in list(policy.pointer("/spec/rules"), "rules")? {
        for to in list(rule.get("to"), "targets")? {
            for path in list(to.pointer("/operation/paths"), "paths")? {
                paths.push(path.as_str().ok_or("a path of it is not a text")?);
            }
        }
    }
    Ok(paths)
}

/// The live policies of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    pub(super) all: Vec<Policy>,
}

/// One live policy.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) object: Object,
    pub(super) paths: Paths,
    /// The HelmRelease that made it, `namespace/name`, as Flux labels it.
    pub(super) made_by: Option<String>,
    /// Who is let in; absent where a rule does not say it by principals.
    pub(super) principals: Field<Vec<String>>,
}

impl Policies {
    /// Adds one policy.
    pub fn add(&mut self, policy: &Value) {
        let paths = Paths::parse(policy);
        let says_nothing =
            paths.patterns.is_empty() && paths.unread.is_none() && paths.every == Every::No;
        if says_nothing && paths.exact.iter().next().is_none() {
            return;
        }
        let label = |key: &str| {
            let labels = policy.pointer("/metadata/labels")?;
            labels
                .get(format!("helm.toolkit.fluxcd.io/{key}"))?
                .as_str()
        };
        let made_by = label("namespace").zip(label("name"));
        self.all.push(Policy {
            object: Object::of_kind("AuthorizationPolicy", policy),
            paths,
            made_by: made_by.map(|(namespace, name)| format!("{namespace}/{name}")),
            principals: crate::model::policy::Policy::from_value(policy).owned_principals(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn policy(action: Value, paths: Value) -> Value {
        json!({"metadata": {"namespace": "secure-kvs", "name": "p"},
            "spec": {"action": action, "rules": [{"to": [{"operation": {"paths": paths}}]}]}})
    }

    /// Whether it names `pds_database` itself, and whether it covers it among others.
    fn of(path: &str) -> (bool, bool) {
        let paths = Paths::parse(&policy(json!("ALLOW"), json!([path])));
        let exact = paths.exact.iter().any(|(n, _)| n == "pds_database");
        (
            exact,
            paths.patterns.iter().any(|p| p.covers("pds_database")),
        )
    }

    #[test]
    fn a_policy_for_every_path_is_one_for_every_database() {
        let of = |spec: Value| Every::parse(&json!({ "spec": spec }));
        let to = |operation: Value| json!({"rules": [{"to": [{"operation": operation}]}]});
        assert_eq!(of(json!({"rules": [{}]})), Every::Yes);
        assert_eq!(of(to(json!({"paths": ["/*"]}))), Every::Yes);
        assert_eq!(of(to(json!({"paths": ["/a", "*"]}))), Every::Yes);
        assert_eq!(of(to(json!({"paths": ["/a"]}))), Every::No);
        assert_eq!(of(json!({})), Every::No);
        for narrow in [
            to(json!({"ports": ["9100"]})),
            to(json!({"paths": ["*"], "methods": ["GET"]})),
            to(json!({"notPaths": ["/a"]})),
            json!({"rules": [{"when": [{"key": "source.ip"}]}]}),
        ] {
            assert_eq!(of(narrow.clone()), Every::Perhaps, "{narrow}");
        }
        let of_pods =
            json!({"selector": {"matchLabels": {"app": "kvs"}}, "rules": [{"when": [{}]}, {}]});
        assert_eq!(of(of_pods), Every::OfPods);
    }

    #[test]
    fn the_first_segment_is_the_database() {
        for path in [
            "/pds_database",
            "/pds_database/",
            "/pds_database/*",
            "/pds%5Fdatabase/_all_docs",
            "/pds_database/{*}",
        ] {
            assert_eq!(of(path), (true, false), "{path}");
        }
        assert_eq!(of("/pds_database*"), (true, true));
        for path in [
            "/pds_*",
            "/p*",
            "*_database",
            "*/pds_database",
            "/{*}",
            "/{*}/_all_docs",
        ] {
            assert_eq!(of(path), (false, true), "{path}");
        }
        for path in [
            "*",
            "/*",
            "/",
            "/{**}",
            "*/_all_docs",
            "/lima_*",
            "/x/pds_database",
            "/pds_database2",
        ] {
            assert_eq!(of(path), (false, false), "{path}");
        }
    }

    #[test]
    fn only_what_is_allowed_counts_and_what_cannot_be_read_may_be_anything() {
        let names = |action: Value| {
            let paths = Paths::parse(&policy(action, json!(["/pds_database"])));
            paths.exact.iter().count()
        };
        assert_eq!(names(json!(null)), 1);
        assert_eq!(names(json!("PERMIT")), 1);
        assert_eq!(names(json!("DENY")) + names(json!("AUDIT")), 0);
        let without = json!({"spec": {"rules": [{"from": [{"source": {"principals": ["a"]}}]}]}});
        assert!(Paths::parse(&without).unread.is_none());
        let scrubbed = json!(["/pds_database", "/orders_<scrubbed>"]);
        assert_eq!(
            Paths::parse(&policy(json!("ALLOW"), scrubbed.clone()))
                .exact
                .iter()
                .count(),
            1
        );
        for paths in [json!("/pds_database"), json!([7]), scrubbed] {
            assert!(
                Paths::parse(&policy(json!("ALLOW"), paths))
                    .unread
                    .is_some()
            );
        }
    }
}
