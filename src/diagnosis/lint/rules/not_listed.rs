//! SKVS541: kustomization.yaml does not list the file.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::NotChecked;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use crate::repository::kustomization::{folder, is_one};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS541",
        slug: "not-listed",
        severity: Severity::Error,
        title: "kustomization.yaml does not list the file",
        explanation: r#"Where a folder has a `kustomization.yaml`, Flux applies what it lists and nothing else. A manifest that is not listed is never
installed, and nothing says so."#,
        fix: r#"Add the file to `resources` of the folder's `kustomization.yaml`."#,
        example: r#"resources: [pds_database.yaml] beside kilo_orders.yaml"#,
        explains: &[],
        is_fallback: false,
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, repository: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let manifest = onboarding.manifest;
    let tree = repository.tree;
    let Some(kustomization) = tree.kustomization(manifest.folder()) else {
        // Of one that is not known it is not known what it lists.
        let mut not_known = tree.not_known.iter();
        let not_known = not_known.find(|n| is_one(&n.file) && folder(&n.file) == manifest.folder());
        if let Some(n) = not_known {
            checked.skip(NotChecked::new(
                "what kustomization.yaml lists",
                &format!("{}: {}", n.file, n.why),
            ));
        }
        return checked;
    };
    if !tree.appliers(&manifest.file).is_empty() {
        return checked;
    }
    if let Some((by, key)) = kustomization.brings_files() {
        checked.skip(NotChecked::new(
            "what is applied",
            &format!("{key} of {by} may bring the file"),
        ));
        return checked;
    }
    let finding = onboarding
        .finding(
            &[],
            format!(
                "{} does not list it, so it is never applied",
                manifest.beside(&kustomization.file)
            ),
        )
        .step(format!("Add - {} to its resources.", manifest.file_name()));
    checked.with(finding)
}
