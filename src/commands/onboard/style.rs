//! What a new onboarding takes from the ones beside it: where they agree, or most of them do.

use crate::diagnosis::lint::Onboarding;
use crate::model::new_onboarding::{Source, Style};
use std::collections::BTreeMap;

/// The style of these onboardings, and what they disagree about. What none of them says is as before.
pub(super) fn of(onboardings: &[&Onboarding<'_>], mut style: Style) -> (Style, Vec<String>) {
    let mut said = Vec::new();
    // A reference to a chart says neither source nor range.
    let known: Vec<&&Onboarding<'_>> = onboardings
        .iter()
        .filter(|o| o.manifest.at(&["spec", "chart", "spec"]).is_some())
        .collect();
    let texts = |path: &[&str]| {
        let texts = known.iter().map(|o| o.manifest.text(path));
        // What Flux puts in is not known.
        let texts = texts.filter(|text| text.is_none_or(|text| !text.contains("${")));
        texts
            .map(|text| text.map(str::to_owned))
            .collect::<Vec<Option<String>>>()
    };
    let mut take = |path: &[&str]| {
        let name = path.join(".");
        usual(texts(path), &name, |text| shown(text.as_deref()), &mut said)
    };
    if let Some(Some(version)) = take(&["apiVersion"]) {
        style.api_version = version;
    }
    if let Some(version) = take(&["spec", "chart", "spec", "version"]) {
        style.version = version;
    }
    if let Some(account) = take(&["spec", "serviceAccountName"]) {
        style.service_account = account;
    }
    if let Some(namespace) = take(&["spec", "targetNamespace"]) {
        style.target_namespace = namespace;
    }
    let at = ["spec", "chart", "spec", "sourceRef"];
    let sources = known.iter().filter_map(|o| {
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
    if let Some(source) = usual(sources.collect(), &at.join("."), words, &mut said) {
        style.source = source;
    }
    (style, said)
}

fn shown(text: Option<&str>) -> String {
    text.unwrap_or("none").to_owned()
}

/// What most have; of two that are as frequent, the last in order. Says so where not all have it.
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
