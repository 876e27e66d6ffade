//! SKVS501: the file is not named after its database.

use super::claim_changed;
use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use crate::model::names::DatabaseName;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS501",
        slug: "file-name",
        severity: Severity::Warning,
        title: "the file is not named after its database",
        explanation: r#"By convention the manifest of the database `<namespace>_<database>` is the file `<namespace>_<database>.yaml`, one onboarding a
file. People look a database up by that name, and a copied file whose name was forgotten is how two teams get one database."#,
        fix: r#"Rename the file, and its entry in the folder's `kustomization.yaml`. Flux does not read the name: renaming the file changes
nothing on the cluster as long as the object in it stays as it is."#,
        example: r#"orders.yaml with values.namespace pds, values.database database"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, repository: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let manifest = onboarding.manifest;
    let others = repository.in_file(&manifest.file).saturating_sub(1);
    if others > 0 {
        let sentence = format!("the file holds {} onboardings", others + 1);
        let finding = onboarding
            .finding(&[], sentence)
            .why("One file an onboarding: then the file's name says which database it is about.")
            .step("Move each onboarding into a file of its own.");
        return checked.with(finding);
    }
    let Some(names) = checked.known(onboarding.names()).flatten() else {
        return checked;
    };
    // An invalid name and one that has changed have their own findings: they are to be corrected first.
    if DatabaseName::join(&names.namespace, &names.database).is_err()
        || matches!(claim_changed(onboarding, repository), Ok(true))
    {
        return checked;
    }
    let name = manifest.file_name();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let joined = names.joined();
    if stem == joined {
        return checked;
    }
    let finding = onboarding.finding(&[], format!("the file of {joined} is called {name}"));
    let target = match manifest.folder() {
        "" => format!("{joined}.yaml"),
        folder => format!("{folder}/{joined}.yaml"),
    };
    checked.with(match repository.tree.has(&target) {
        true => finding.step(format!(
            "{joined}.yaml already exists: compare the two files, then correct the values or remove one of them."
        )),
        false => finding.step(format!(
            "Rename it to {joined}.yaml, in kustomization.yaml too: the cluster sees no change. Or correct the values, if nothing is installed yet."
        )),
    })
}
