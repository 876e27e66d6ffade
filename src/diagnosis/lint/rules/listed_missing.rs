//! SKVS542: kustomization.yaml lists a file that does not exist.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Finding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use crate::repository::tree::Standing;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS542",
        slug: "listed-missing",
        severity: Severity::Error,
        title: "kustomization.yaml lists a file that does not exist",
        explanation: r#"Kustomize refuses a folder whose `kustomization.yaml` lists a file or a folder that does not exist, and Flux then applies nothing
of it any more: no onboarding of the cluster can change."#,
        fix: r#"Remove the entry from `resources`, or add the file."#,
        example: r#"resources: [pds_database.yaml] without such a file"#,
        explains: &[],
    },
    check: Check::Repository(check),
};

fn check(repository: &Repository<'_>) -> Vec<Finding> {
    let tree = repository.tree;
    let mut found = Vec::new();
    for kustomization in &tree.kustomizations {
        for listed in &kustomization.listed {
            if tree.standing(listed) == Standing::Missing {
                let sentence = format!("it lists {}, which does not exist", listed.entry);
                found.push(
                    Finding::new(&kustomization.file, listed.place, sentence)
                        .why("Flux applies nothing of the folder.")
                        .step("Remove the entry, or add the file."),
                );
            }
        }
    }
    found
}
