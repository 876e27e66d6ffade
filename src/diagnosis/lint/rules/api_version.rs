//! SKVS506: no controller serves this version of HelmReleases.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use crate::model::helm_release::GROUP;
use serde_json::json;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS506",
        slug: "api-version",
        severity: Severity::Error,
        title: "no controller serves this version of HelmReleases",
        explanation: r#"Flux serves HelmReleases as `helm.toolkit.fluxcd.io/v2` and, depending on its version, `v2beta2` and `v2beta1`. An API server
refuses an object of a version that does not exist, and Flux then applies nothing of the folder."#,
        fix: r#"Use the version of the other manifests, or of the cluster: `kubectl skvs version` says which one it serves."#,
        example: r#"apiVersion: helm.toolkit.fluxcd.io/v2beta3"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

/// The versions that a Flux has served.
const VERSIONS: [&str; 3] = ["v2", "v2beta2", "v2beta1"];

fn check(onboarding: &Onboarding<'_>, repository: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let path = ["apiVersion"];
    let Some(version) = checked.known(onboarding.text(&path)) else {
        return checked;
    };
    let served = |text: &str| {
        text.split_once('/')
            .is_some_and(|(group, version)| group == GROUP && VERSIONS.contains(&version))
    };
    if version.is_some_and(served) {
        return checked;
    }
    let sentence = match version {
        Some(version) => format!("no controller serves {version}"),
        None => "it has no apiVersion".to_owned(),
    };
    let others = repository
        .onboardings
        .iter()
        .filter_map(|o| o.manifest.text(&path));
    let mut others = others.filter(|v| served(v));
    let usual = others
        .next()
        .map_or_else(|| format!("{GROUP}/v2"), str::to_owned);
    let finding = onboarding.finding(&path, sentence);
    checked.with(finding.change("As in other manifests", &path, json!(usual)))
}
