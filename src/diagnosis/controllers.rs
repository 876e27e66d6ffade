//! Flux's controllers as their Deployments tell: which run, and whether one takes a HelmRelease.
//!
//! Deployments that are not there prove nothing: Flux may run elsewhere.

use super::case::Case;
use super::finding::{Evidence, Subject};
use crate::model::selector::Labels;
use serde_json::Value;

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
        match Labels::parse(&selector)
            .map(|selector| selector.matches(|key| labels.get(key).map(String::as_str)))
        {
            Ok(true) => return Serves::Some,
            Ok(false) => seen.push(Evidence::new(
                Subject::of(deployment, "Deployment"),
                "args",
                &format!("--watch-label-selector={selector}"),
            )),
            Err(_) => return Serves::Unknown(format!("the selector {selector:?} cannot be read")),
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
}
