//! SKVS526: a name that is derived from the manifest is too long.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::onboarding::VALUES;
use crate::diagnosis::lint::repository::derived;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use crate::model::names::{RELEASE_MAX, composed_release_name, shortened_release_name};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS526",
        slug: "derived-name",
        severity: Severity::Error,
        title: "a name that is derived from the manifest is too long",
        explanation: r#"Flux puts the HelmRelease's name on its HelmChart as a label of at most 63 characters; the status then stays empty (SKVS138).
Helm takes 53 characters for a release: controllers since 0.37 shorten `<targetNamespace>-<name>`, older ones fail, and none
shortens `spec.releaseName`. The chart names the creation Job after namespace and database; its pods carry that as a label, too."#,
        fix: r#"Choose a shorter name for the HelmRelease or the database before the manifest is merged."#,
        example: r#"metadata.name: skvs-onboarding-payments-and-settlement--transactions-of-the-year"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

/// Longest value of a label.
const LABEL_MAX: usize = 63;

fn check(onboarding: &Onboarding<'_>, _: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let path = ["metadata", "name"];
    let name = checked.known(onboarding.text(&path));
    if let Some(Some(name)) = name
        && name.len() > LABEL_MAX
    {
        let sentence = format!(
            "its name has {} characters, too long for a label of its HelmChart ({LABEL_MAX})",
            name.len()
        );
        let finding = onboarding.finding(&path, sentence);
        checked.push(finding.step("Choose a shorter name."));
    }
    let release = onboarding.manifest.text(&["spec", "releaseName"]);
    let target = checked.known(onboarding.text(&["spec", "targetNamespace"]));
    if let Some(release) = release {
        if release.len() > RELEASE_MAX {
            let sentence = format!(
                "its release's name has {} characters, Helm takes {RELEASE_MAX}",
                release.len()
            );
            let finding = onboarding.finding(&["spec", "releaseName"], sentence);
            checked.push(finding.step("Choose a shorter one."));
        }
    } else if let (Some(name), Some(target)) = (name, target) {
        let name = name.unwrap_or_default();
        let composed = composed_release_name(None, target, name);
        if composed.len() > RELEASE_MAX && name.len() <= LABEL_MAX {
            let stored = shortened_release_name(&composed);
            let sentence = format!("Helm's release would be called {composed}, which is too long");
            checked.push(
                onboarding
                    .finding(&path, sentence)
                    .severity(Severity::Warning)
                    .why(format!(
                        "helm-controller since 0.37 calls it {stored}; older ones fail."
                    ))
                    .step("Choose a shorter name if nothing is installed yet."),
            );
        }
    }
    if let Some(names) = checked.known(onboarding.names()).flatten() {
        let job = format!("{}-create", derived(&names.joined()));
        if job.len() > LABEL_MAX {
            let sentence = format!(
                "the creation Job's name has {} characters, too long for a label of its pods",
                job.len()
            );
            checked.push(
                onboarding
                    .finding(&[VALUES[0], VALUES[1], "database"], sentence)
                    .severity(Severity::Warning)
                    .why(format!("It is {job}, unless the chart shortens it."))
                    .step("Choose a shorter database name if nothing is installed yet."),
            );
        }
    }
    checked
}
