//! SKVS553: the change makes another release of an onboarding.

use super::before;
use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use serde_json::json;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS553",
        slug: "release-renamed",
        severity: Severity::Error,
        title: "the change makes another release of an onboarding",
        explanation: r#"A HelmRelease is identified by its name and namespace, and Helm's release by its name, target and storage namespace. If one of
these changes, Flux uninstalls the old release and installs a new one, whose creation Job fails because the database exists
(SKVS301). Until that is repaired the team has no access. If `spec.kubeConfig` changes, Flux installs the release in another
cluster, where its Job creates an empty database, and leaves the old release behind."#,
        fix: r#"Set the field back. A file may be renamed or moved within the cluster's folder, the object in it may not."#,
        example: r#"metadata.name: skvs-onboarding-pds--orders, before: skvs-onboarding-pds--carts"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

/// What makes a release another one.
const FIELDS: [&[&str]; 5] = [
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["spec", "releaseName"],
    &["spec", "targetNamespace"],
    &["spec", "storageNamespace"],
];

/// Which cluster the release is in. helm-controller compares the fields above with its last release, and not this one.
const CLUSTER: &[&str] = &["spec", "kubeConfig"];

fn check(onboarding: &Onboarding<'_>, repository: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let Some(before) = checked.known(before(onboarding, repository)).flatten() else {
        return checked;
    };
    for path in FIELDS {
        let was = checked.known(before.text(path));
        let is = checked.known(onboarding.text(path));
        let (Some(was), Some(is)) = (was, is) else {
            continue;
        };
        if was == is {
            continue;
        }
        let word = |text: Option<&str>| text.unwrap_or("not set").to_owned();
        let name = path.join(".");
        checked.push(
            onboarding
                .finding(path, format!("{name} must not change: it was {}, now it is {}", word(was), word(is)))
                .why("Flux would uninstall the release and install another one, whose creation Job fails because the database exists.")
                .change("Set it back", path, was.map_or(json!(null), |was| json!(was))),
        );
    }
    let was = checked.known(before.field(CLUSTER));
    let is = checked.known(onboarding.field(CLUSTER));
    if let (Some(was), Some(is)) = (was, is) {
        let (was, is) = (was.map(|f| f.value), is.map(|f| f.value));
        if was != is {
            let sentence =
                "spec.kubeConfig must not change: it says which cluster the release is in";
            checked.push(
                onboarding
                    .finding(CLUSTER, sentence)
                    .why("Flux would install the release in the other cluster, with an empty database there, and leave the old one behind.")
                    .change("Set it back", CLUSTER, was.cloned().unwrap_or_default()),
            );
        }
    }
    checked
}
