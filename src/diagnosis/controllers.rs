//! Flux's controllers as their Deployments tell: which run, and whether one takes a HelmRelease.
//!
//! Deployments that are not there prove nothing: Flux may run elsewhere.

use super::case::Case;
use super::finding::{Evidence, Subject};
use serde_json::Value;
use std::collections::BTreeMap;

/// Whether a helm-controller takes the HelmRelease by its labels.
pub(super) enum Serves {
    Some,
    /// Each one that was seen, with its selector.
    None(Vec<Evidence>),
    Unknown(String),
}

/// The helm-controllers that were seen; `Err`: why none was.
pub(super) fn helm_controllers<'a>(case: &Case<'a>) -> Result<Vec<&'a Value>, String> {
    let controllers = match case.controllers() {
        Ok(Some(controllers)) => controllers,
        Ok(None) => return Err("they were not read".to_owned()),
        Err(unread) => return Err(unread.why.clause()),
    };
    let all: Vec<&Value> = controllers
        .deployments
        .iter()
        .filter(|d| image(d).contains("helm-controller"))
        .collect();
    if all.is_empty() {
        return Err(format!("{} has no Flux Deployment", controllers.namespace));
    }
    Ok(all)
}

pub(super) fn serves(case: &Case<'_>) -> Serves {
    let all = match helm_controllers(case) {
        Ok(all) => all,
        Err(why) => return Serves::Unknown(crate::text::one_line(&why)),
    };
    let labels = &case.hr().metadata.labels;
    let mut seen = Vec::new();
    for deployment in all {
        let selector = flag(deployment, "--watch-label-selector").unwrap_or_default();
        match takes(&selector, labels) {
            Some(true) => return Serves::Some,
            Some(false) => seen.push(Evidence::new(
                Subject::of(deployment, "Deployment"),
                "args",
                &format!("--watch-label-selector={selector}"),
            )),
            None => return Serves::Unknown(format!("the selector {selector:?} cannot be read")),
        }
    }
    Serves::None(seen)
}

/// The image of the first container.
pub(super) fn image(deployment: &Value) -> &str {
    deployment
        .pointer("/spec/template/spec/containers/0/image")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The value of a container's flag, `--flag=value` or `--flag value`.
pub(super) fn flag(deployment: &Value, name: &str) -> Option<String> {
    let containers = deployment.pointer("/spec/template/spec/containers")?;
    containers.as_array()?.iter().find_map(|container| {
        let words: Vec<&str> = ["command", "args"]
            .iter()
            .filter_map(|key| container.get(key)?.as_array())
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        words.iter().enumerate().find_map(|(at, word)| {
            let rest = word.strip_prefix(name)?;
            match rest.strip_prefix('=') {
                Some(value) => Some(value.to_owned()),
                None if rest.is_empty() => words.get(at + 1).map(|w| (*w).to_owned()),
                None => None,
            }
        })
    })
}

/// Whether labels satisfy a selector; `None` where the selector cannot be read.
fn takes(selector: &str, labels: &BTreeMap<String, String>) -> Option<bool> {
    requirements(selector)
        .iter()
        .map(|r| holds(r.trim(), labels))
        .try_fold(true, |all, one| Some(all && one?))
}

/// The parts between commas, but for those within parentheses.
fn requirements(selector: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_u32;
    for c in selector.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts.retain(|p| !p.trim().is_empty());
    parts
}

fn holds(requirement: &str, labels: &BTreeMap<String, String>) -> Option<bool> {
    let value = |key: &str| labels.get(key.trim()).map(String::as_str);
    if let Some(key) = requirement.strip_prefix('!') {
        return Some(value(key).is_none());
    }
    if let Some((key, wanted)) = requirement.split_once("!=") {
        return Some(value(key) != Some(wanted.trim()));
    }
    if let Some((key, wanted)) = requirement.split_once('=') {
        let wanted = wanted.trim_start_matches('=').trim();
        return Some(value(key) == Some(wanted));
    }
    for (word, is_in) in [(" notin ", false), (" in ", true)] {
        if let Some((key, set)) = requirement.split_once(word) {
            let set = set.trim().strip_prefix('(')?.strip_suffix(')')?;
            let found = value(key).is_some_and(|v| set.split(',').any(|s| s.trim() == v));
            return Some(found == is_in);
        }
    }
    (!requirement.contains([' ', '(', ')'])).then(|| value(requirement).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn selectors_are_kubernetes_own() {
        let labels = BTreeMap::from([("k".to_owned(), "a".to_owned())]);
        for (selector, told) in [
            ("", true),
            ("k", true),
            ("!k", false),
            ("!x", true),
            ("k=a,!x", true),
            ("k==b", false),
            ("k != b", true),
            ("k in (a, b),k notin (c)", true),
            ("x in (a)", false),
            ("x notin (a)", true),
        ] {
            assert_eq!(takes(selector, &labels), Some(told), "{selector}");
        }
        assert_eq!(takes("k in a", &labels), None);
    }

    #[test]
    fn a_flag_is_read_in_both_forms() {
        let with = |args: &[&str]| json!({"spec": {"template": {"spec": {"containers": [{"args": args}]}}}});
        assert_eq!(flag(&with(&["--a=b=c"]), "--a").as_deref(), Some("b=c"));
        assert_eq!(
            flag(&with(&["--x", "--a", "b"]), "--a").as_deref(),
            Some("b")
        );
        assert_eq!(flag(&with(&["--ab=c"]), "--a"), None);
    }

    proptest! {
        #[test]
        fn no_selector_panics(selector in "(k|!|=|,| in | notin |\\(|\\)|\\PC{0,3}){0,9}") {
            let labels = BTreeMap::from([("k".to_owned(), "a".to_owned())]);
            let _ = takes(&selector, &labels);
        }
    }
}
