//! SKVS554: the change removes an onboarding.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Finding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use crate::repository::Place;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS554",
        slug: "manifest-removed",
        severity: Severity::Warning,
        title: "the change removes an onboarding",
        explanation: r#"Without its manifest Flux uninstalls the release: the authorization policy goes, and nothing but Secure KVS itself may access the
database any more. The database itself stays, with its data, and a later onboarding of the same name fails because it exists
(SKVS301)."#,
        fix: r#"Merge it if the team has finished with the database. Then delete the database, with a backup:
`kubectl skvs delete-db DATABASE --backup FILE`. To keep access, bring the manifest back."#,
        example: r#"pds_database.yaml is gone"#,
        explains: &[],
    },
    check: Check::Repository(check),
};

fn check(repository: &Repository<'_>) -> Vec<Finding> {
    let Some(changes) = &repository.changes else {
        return Vec::new();
    };
    let removed = changes.removed.iter().map(|gone| {
        let name = gone.manifest.name();
        (*gone, format!("the manifest of {name} is removed"), "")
    });
    let moved = repository.onboardings.iter().filter_map(|onboarding| {
        let cluster = changes
            .left(onboarding)
            .filter(|_| !onboarding.is_applied())?;
        let name = onboarding.manifest.name();
        let sentence = format!("the manifest of {name} leaves the folder of {cluster}");
        Some((
            onboarding,
            sentence,
            "Unless another Kustomization applies it there, ",
        ))
    });
    let found = removed.chain(moved).map(|(onboarding, sentence, unless)| {
        let database = match onboarding.names() {
            Ok(Some(names)) => format!("the database {}", names.joined()),
            Ok(None) | Err(_) => "its database".to_owned(),
        };
        onboarding
            .finding_at(Place::START, sentence)
            .why(format!(
                "{unless}Flux uninstalls it, and no team may access {database} any more. The data stays."
            ))
        .step("Merge it if the team has finished with the data; then delete the database.")
    });
    found.collect()
}
