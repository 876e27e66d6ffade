//! SKVS541: kustomization.yaml does not list the file.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use crate::model::not_read::NotRead;
use crate::repository::manifest::folder;
use crate::repository::tree::{Nearest, is_below};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS541",
        slug: "not-listed",
        severity: Severity::Error,
        title: "kustomization.yaml does not list the file",
        explanation: r#"If a folder has a `kustomization.yaml`, Flux applies only what it lists, from the folders below it too. An unlisted manifest
is never installed, and no error says so."#,
        fix: r#"Add the file to `resources` of that `kustomization.yaml`."#,
        example: r#"resources: [pds_database.yaml] beside kilo_orders.yaml"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, repository: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let manifest = onboarding.manifest;
    let tree = repository.tree;
    let appliers = tree.appliers(&manifest.file);
    if let Some(top) = appliers.iter().min_by_key(|k| k.folder().len()) {
        let above = folder(top.folder());
        if let Nearest::Known(above) = tree.nearest(above)
            && !top.folder().is_empty()
        {
            checked.skip(NotRead::new(
                "what is applied",
                format!(
                    "{} does not lead to the file, a Kustomization of Flux may",
                    above.file
                ),
            ));
        }
        return checked;
    }
    let kustomization = match tree.nearest(manifest.folder()) {
        Nearest::None => return checked,
        // Of one that is not known it is not known what it lists.
        Nearest::NotKnown(n) => {
            checked.skip(NotRead::new(
                "what kustomization.yaml lists",
                format!("{}: {}", n.file, n.why),
            ));
            return checked;
        }
        Nearest::Known(kustomization) => kustomization,
    };
    if let Some((by, key)) = kustomization.brings_files() {
        checked.skip(NotRead::new(
            "what is applied",
            format!("{key} of {by} may bring the file"),
        ));
        return checked;
    }
    let by = kustomization.folder();
    // A kustomization above the folder that Flux applies may not be used: Flux can begin at the folder itself.
    let is_its_own =
        by == manifest.folder() || onboarding.home.is_some_and(|home| is_below(by, home));
    if !is_its_own {
        checked.skip(NotRead::new(
            "what is applied",
            format!(
                "{} does not lead to the file, a Kustomization of Flux may",
                kustomization.file
            ),
        ));
        return checked;
    }
    let entry = manifest.file.strip_prefix(by).unwrap_or(&manifest.file);
    let entry = entry.trim_start_matches('/');
    let finding = onboarding
        .finding(
            &[],
            format!(
                "{} does not list it, so it is never applied",
                manifest.beside(&kustomization.file)
            ),
        )
        .step(format!("Add - {entry} to its resources."));
    checked.with(finding)
}
