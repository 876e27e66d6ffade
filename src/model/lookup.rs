//! Which onboarding a typed name means.
//!
//! People know an onboarding by its HelmRelease, with or without the prefix that all of them share, by Helm's release, by its
//! database or by the manifest's file name, which is the database's. Pure: the onboardings are given.

use super::convention::PREFIX;
use super::helm_release::HelmRelease;
use crate::text::near;
use std::collections::HashSet;

/// What a name means among some onboardings.
#[derive(Debug)]
pub enum Found<'a> {
    One(&'a HelmRelease),
    /// Several answer to it: it is not for us to choose.
    Several(Vec<&'a HelmRelease>),
    /// None does; names that are near.
    None(Vec<String>),
}

/// The name in what was typed: `hr/NAME` and `helmrelease.helm.toolkit.fluxcd.io/NAME` (as `-o name` prints it) lose their
/// kind, `some/folder/pds_database.yaml` its folder and ending.
pub fn typed(text: &str) -> &str {
    let (before, last) = text.rsplit_once('/').unwrap_or(("", text));
    let file = last
        .strip_suffix(".yaml")
        .or_else(|| last.strip_suffix(".yml"));
    if let Some(stem) = file.filter(|s| !s.is_empty()) {
        return stem;
    }
    let kind = before.split('.').next().unwrap_or_default();
    if ["hr", "helmrelease", "helmreleases"].contains(&kind.to_lowercase().as_str()) {
        return last;
    }
    text
}

/// Whether a HelmRelease can have this name (an RFC 1123 subdomain): the others need not be asked for.
pub fn can_be_an_object(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let label = |part: &str| {
        !part.is_empty()
            && part.chars().all(inner)
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// What `name` means among `all`. A HelmRelease of exactly this name wins over what others are called.
pub fn find<'a>(name: &str, all: &[&'a HelmRelease]) -> Found<'a> {
    if let Some(exact) = all.iter().find(|hr| hr.metadata.name == name) {
        return Found::One(exact);
    }
    let answering = all.iter().copied().filter(|hr| answers(hr, name));
    let mut answering: Vec<&HelmRelease> = answering.collect();
    match answering.len() {
        0 => Found::None(similar(name, all)),
        1 => Found::One(answering.remove(0)),
        _ => Found::Several(answering),
    }
}

/// Whether the onboarding is called so.
pub fn answers(hr: &HelmRelease, name: &str) -> bool {
    names(hr).iter().any(|n| n == name)
}

/// An onboarding's name without the prefix; `None` where it has another name or nothing would be left.
pub fn short(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX).filter(|s| can_be_an_object(s))
}

/// Whether all of these HelmReleases, `namespace/name`, can be named without the prefix: none is called what another one is then.
pub fn can_be_short<'n>(ids: impl IntoIterator<Item = &'n str>) -> bool {
    let ids: HashSet<&str> = ids.into_iter().collect();
    ids.iter().all(|id| {
        let Some((namespace, name)) = id.split_once('/') else {
            return false;
        };
        short(name).is_none_or(|short| !ids.contains(format!("{namespace}/{short}").as_str()))
    })
}

/// Everything an onboarding is called.
fn names(hr: &HelmRelease) -> Vec<String> {
    let mut names = vec![
        hr.metadata.name.clone(),
        hr.release_name(),
        hr.composed_release_name(),
    ];
    names.extend(short(&hr.metadata.name).map(str::to_owned));
    names.extend(hr.status.history.iter().map(|h| h.name.clone()));
    names.extend(hr.claim().joined().map(str::to_owned));
    names
}

fn similar(name: &str, all: &[&HelmRelease]) -> Vec<String> {
    // The prefix that all share makes none of them near.
    let own = |name: &str| short(name).unwrap_or(name).to_owned();
    let mut known: Vec<(String, String)> = Vec::new();
    for hr in all {
        let database = hr.claim().joined().map(str::to_owned);
        let shown = match name.starts_with(PREFIX) {
            true => hr.metadata.name.clone(),
            false => own(&hr.metadata.name),
        };
        known.push((own(&hr.metadata.name), shown));
        known.extend(database.map(|database| (database.clone(), database)));
    }
    let found = near(&own(name), known.iter().map(|(own, _)| own.as_str()));
    let shown = |own: &str| known.iter().find(|(known, _)| known == own);
    let shown = found.into_iter().filter_map(shown);
    shown.map(|(_, shown)| shown.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn onboarding(name: &str, database: &str) -> HelmRelease {
        HelmRelease::from_value(&json!({"metadata": {"name": name, "namespace": "flux-system"},
            "spec": {"targetNamespace": "core", "values": {"namespace": "pds", "database": database}},
            "status": {"history": [{"name": format!("core-{name}"), "version": 1}]}}))
        .unwrap()
    }

    #[test]
    fn every_name_of_an_onboarding_is_understood() {
        let all = [
            onboarding("skvs-onboarding-pds--database", "database"),
            onboarding("other", "orders"),
        ];
        for name in [
            "skvs-onboarding-pds--database",
            "pds--database",
            "core-skvs-onboarding-pds--database",
            "pds_database",
            "pds_database.yaml",
            "infrastructure/k8s/lab/secure-kvs/secure-kvs-onboarding/pds_database.yml",
            "hr/skvs-onboarding-pds--database",
            "helmrelease.helm.toolkit.fluxcd.io/skvs-onboarding-pds--database",
        ] {
            match find(typed(name), &all.each_ref()) {
                Found::One(hr) => assert_eq!(hr.metadata.name, "skvs-onboarding-pds--database"),
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_shared_database_names_nobody_alone() {
        let all = [onboarding("a", "database"), onboarding("b", "database")];
        assert!(
            matches!(find("pds_database", &all.each_ref()), Found::Several(both) if both.len() == 2)
        );
        assert!(matches!(find("b", &all.each_ref()), Found::One(hr) if hr.metadata.name == "b"));
    }

    #[test]
    fn a_short_name_is_an_onboardings_and_never_nothing() {
        assert_eq!(
            short("skvs-onboarding-pds--database"),
            Some("pds--database")
        );
        for name in ["other", "skvs-onboarding-", "skvs-onboarding--x"] {
            assert_eq!(short(name), None, "{name}");
        }
        assert!(can_be_short(["n/skvs-onboarding-a", "m/a", "n/b"]));
        assert!(!can_be_short(["n/skvs-onboarding-a", "n/a"]));
        // Another onboarding's full name wins, and two that answer alike are for the user to choose from.
        let all = [onboarding("skvs-onboarding-a", "x"), onboarding("a", "y")];
        assert!(matches!(find("a", &all.each_ref()), Found::One(hr) if hr.metadata.name == "a"));
        let mut release = onboarding("b", "y");
        release.spec.release_name = Some("a".to_owned());
        let all = [onboarding("skvs-onboarding-a", "x"), release];
        assert!(matches!(find("a", &all.each_ref()), Found::Several(both) if both.len() == 2));
    }

    #[test]
    fn near_names_are_told() {
        let all = [onboarding("skvs-onboarding-pds--database", "database")];
        match find("pds_databse", &all.each_ref()) {
            Found::None(near) => assert_eq!(near[0], "pds_database"),
            other => panic!("{other:?}"),
        }
        match find("pds--databse", &all.each_ref()) {
            Found::None(near) => assert_eq!(near, ["pds--database"]),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_databases_name_is_never_asked_for_as_an_object() {
        assert!(can_be_an_object("skvs-onboarding-pds--database"));
        for name in ["pds_database", "", "-a", "A", "a/b", ".."] {
            assert!(!can_be_an_object(name), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn typed_is_a_part_of_what_was_typed(text in "\\PC{0,20}|(hr/|a/)?[a-z_.]{0,8}(.ya?ml)?") {
            prop_assert!(text.contains(typed(&text)));
        }
    }
}
