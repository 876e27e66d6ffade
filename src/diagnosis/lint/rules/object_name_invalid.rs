//! SKVS503: Kubernetes refuses the name of the HelmRelease.

use crate::diagnosis::catalogue::Entry;
use crate::diagnosis::lint::{Check, Checked, Onboarding, Repository, Rule};
use crate::diagnosis::rule::Severity;
use crate::model::convention::name_for;
use crate::model::lookup::can_be_an_object;
use crate::model::names::DatabaseName;
use serde_json::json;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    entry: Entry {
        code: "SKVS503",
        slug: "object-name-invalid",
        severity: Severity::Error,
        title: "Kubernetes refuses the name of the HelmRelease",
        explanation: r#"A name has lower-case letters, digits, `-` and `.`, begins and ends with a letter or digit, and has 253 characters at most. The
runbook writes `skvs-onboarding-<name>_<database>`, but no Kubernetes name can have an underscore: write `--` in its place. The
API server refuses the object, and Flux then applies nothing of the folder."#,
        fix: r#"Correct `metadata.name`."#,
        example: r#"metadata.name: skvs-onboarding-pds_database"#,
        explains: &[],
    },
    check: Check::Onboarding(check),
};

fn check(onboarding: &Onboarding<'_>, _: &Repository<'_>) -> Checked {
    let mut checked = Checked::fine();
    let path = ["metadata", "name"];
    let Some(name) = checked.known(onboarding.text(&path)) else {
        return checked;
    };
    let finding = match name {
        Some(name) if can_be_an_object(name) => return checked,
        Some(name) => onboarding
            .finding(
                &path,
                format!("{name:?} is not a name that Kubernetes takes"),
            )
            .why("Flux applies nothing of the folder while one of its objects is refused."),
        None => onboarding.finding(&path, "it has no name"),
    };
    // An invalid database has its own finding.
    let names = checked.known(onboarding.names()).flatten();
    let database = names.map(|n| DatabaseName::join(&n.namespace, &n.database));
    checked.with(match database {
        Some(Ok(database)) => finding.change(
            "The name by the convention",
            &path,
            json!(name_for(&database)),
        ),
        Some(Err(_)) | None => finding.step("Set metadata.name."),
    })
}
