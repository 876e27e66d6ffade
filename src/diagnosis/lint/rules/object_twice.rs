//! SKVS532: two manifests of a cluster are one object.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS532",
        slug: "object-twice",
        severity: Severity::Error,
        title: "two manifests of a cluster are one object",
        explanation: r#"Two HelmReleases of one name in one namespace are one object. Kustomize refuses a folder with both; applied one after the other,
the last one wins, and the database of the other is never created or no longer served."#,
        fix: r#"Give one of them another `metadata.name`, by its own database."#,
        example: r#"two files with metadata.name skvs-onboarding-pds--database"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, repository: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let path = ["metadata", "name"];
    // A kustomization that renames it decides.
    let Some(name) = checked.known(onboarding.text(&path)).flatten() else {
        return checked;
    };
    let namespace = onboarding.text(&["metadata", "namespace"]);
    if checked.known(namespace).is_none() {
        return checked;
    }
    let others = repository.same_object(onboarding).into_iter();
    let others = others.filter(|o| onboarding.cluster.is_same(o.cluster) == Some(true));
    checked.found.extend(others.map(|other| {
        onboarding
            .finding(
                &path,
                format!(
                    "{} has a HelmRelease {name} too",
                    onboarding.manifest.beside(&other.manifest.file)
                ),
            )
            .step("Give one of them another name, by its own database.")
    }));
    checked
}
