//! The style that a new onboarding takes from its neighbours: the values of all or most of them.

use crate::diagnosis::lint::Onboarding;
use crate::model::new_onboarding::{Source, Style};
use std::collections::BTreeMap;

/// Returns the style of these onboardings, what they disagree about, and the fields for which the default is used because none of them
/// has a plain value.
pub(super) fn prevailing(
    onboardings: &[&Onboarding<'_>],
    mut style: Style,
) -> (Style, Vec<String>) {
    let mut said = Vec::new();
    // A reference to a chart says neither source nor range.
    let with_chart: Vec<&Onboarding<'_>> = onboardings
        .iter()
        .filter(|o| o.manifest.at(&["spec", "chart", "spec"]).is_some())
        .copied()
        .collect();
    let texts = |path: &[&str]| {
        let of = match path {
            ["spec", "chart", ..] => &with_chart[..],
            _ => onboardings,
        };
        let texts = of.iter().map(|o| o.manifest.text(path));
        // The value that Flux puts in is not known.
        let texts = texts.filter(|text| text.is_none_or(|text| !text.contains("${")));
        texts
            .map(|text| text.map(str::to_owned))
            .collect::<Vec<Option<String>>>()
    };
    let mut defaults = Vec::new();
    let mut take = |path: &[&str], default: Option<&str>| {
        let name = path.join(".");
        let found = usual(texts(path), &name, |text| shown(text.as_deref()), &mut said);
        if found.is_none() {
            defaults.push(format!("{name}: {}", shown(default)));
        }
        found
    };
    if let Some(Some(version)) = take(&["apiVersion"], Some(&style.api_version)) {
        style.api_version = version;
    }
    if let Some(version) = take(
        &["spec", "chart", "spec", "version"],
        style.version.as_deref(),
    ) {
        style.version = version;
    }
    let account = style.service_account.as_deref();
    if let Some(account) = take(&["spec", "serviceAccountName"], account) {
        style.service_account = account;
    }
    let target = style.target_namespace.as_deref();
    if let Some(namespace) = take(&["spec", "targetNamespace"], target) {
        style.target_namespace = namespace;
    }
    let at = ["spec", "chart", "spec", "sourceRef"];
    let sources = with_chart.iter().filter_map(|o| {
        let text = |key: &str| {
            let path = [&at[..], &[key]].concat();
            let text = o.manifest.text(&path);
            text.filter(|text| !text.contains("${")).map(str::to_owned)
        };
        Some(Source {
            kind: text("kind")?,
            name: text("name")?,
            namespace: text("namespace"),
        })
    });
    let words = |source: &Source| {
        let namespace = source.namespace.as_ref().map(|n| format!("{n}/"));
        let namespace = namespace.unwrap_or_default();
        format!("{} {namespace}{}", source.kind, source.name)
    };
    match usual(sources.collect(), &at.join("."), words, &mut said) {
        Some(source) => style.source = source,
        None => defaults.push(format!("{}: {}", at.join("."), words(&style.source))),
    }
    if !onboardings.is_empty() && !defaults.is_empty() {
        said.push(format!(
            "the other manifests do not say what to use for {}; check these",
            defaults.join(", ")
        ));
    }
    (style, said)
}

fn shown(text: Option<&str>) -> String {
    text.unwrap_or("none").to_owned()
}

/// The most frequent value, or the last in order of two that are equally frequent. Says so if not all agree.
fn usual<T: Ord>(
    all: Vec<T>,
    name: &str,
    words: impl Fn(&T) -> String,
    said: &mut Vec<String>,
) -> Option<T> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    if counts.len() > 1 {
        let all: Vec<String> = counts
            .iter()
            .map(|(one, n)| format!("{} ({n})", words(one)))
            .collect();
        let most = counts.iter().max_by_key(|(_, n)| **n).map(|(one, _)| one);
        let most = most.map(&words).unwrap_or_default();
        said.push(format!(
            "the other manifests disagree about {name}: {}; {most} is taken",
            all.join(", ")
        ));
    }
    let most = counts.into_iter().max_by_key(|(_, n)| *n);
    most.map(|(one, _)| one)
}
