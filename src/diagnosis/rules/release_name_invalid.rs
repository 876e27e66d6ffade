//! SKVS137: Helm rejects the release's name.

use crate::diagnosis::case::Case;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::release::ReleaseError;
use crate::model::status::is_old_controller;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS137",
    slug: "release-name-invalid",
    severity: Severity::Error,
    role: Role::Cause,
    title: "Helm rejects the release's name",
    explanation: r#"A release's name has at most 53 characters: lower-case letters, digits, `-` and `.`. Without `spec.releaseName` Flux derives
it from the target namespace and the HelmRelease's name, and `core-skvs-onboarding-…` is soon too long. Controllers since
0.37 shorten it with a hash; older ones pass it on, and Helm refuses it."#,
    fix: r#"See it: count the characters of `TARGETNAMESPACE-NAME`.

Set `spec.releaseName` in the manifest to a name of at most 53 characters. Nothing is installed yet, so you can choose
freely."#,
    example: r#"install failed: invalid release name, must match regex ^[a-z0-9]… and the length must not be longer than 53"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

/// Helm's limit.
const LONGEST: usize = 53;

fn check(case: &Case<'_>) -> Verdict {
    if case.cause()? != Some(&Cause::Release(ReleaseError::NameInvalid)) {
        return Ok(None);
    }
    let name = case.hr().composed_release_name();
    let why = if name.len() > LONGEST {
        format!(
            "it has {} characters, but only {LONGEST} are allowed",
            name.len()
        )
    } else {
        "it has characters that Helm does not allow".to_owned()
    };
    let finding = case
        .finding(case.subject(), format!("Helm rejects the release name {name}: {why}"))
        .why("Flux derives it from the target namespace and the HelmRelease's name, unless spec.releaseName is set.");
    let finding = if is_old_controller(case.hr()) == Some(true) {
        finding.why("This controller does not shorten it; controllers since 0.37 do.")
    } else {
        finding
    };
    finding
        .step("Set spec.releaseName in the manifest, at most 53 characters: lower-case letters, digits and -")
        .then(then(case, Fixes::Manifest))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_length_is_told() {
        assert_eq!(
            fixture::sentence("release-name-too-long-old", "SKVS137"),
            "Helm rejects the release name core-skvs-onboarding-payments-and-settlement--transactions: it has 58 characters, but only 53 are allowed"
        );
        assert_eq!(
            fixture::sentence("release-name-invalid", "SKVS137"),
            "Helm rejects the release name Core-Database: it has characters that Helm does not allow"
        );
    }
}
