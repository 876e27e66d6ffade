//! SKVS138: a name is too long for an object derived from it.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::object::ObjectError;
use crate::model::status;
use crate::text::one_line;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS138",
    slug: "name-too-long",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a name is too long for an object derived from it",
    explanation: r#"Flux and the chart derive names and labels from the onboarding's: the HelmChart is called `NAMESPACE-NAME` and carries the
HelmRelease's name as a label (at most 63 characters, controllers since 0.37); the creation Job is named after namespace and
database. One of these is too long, and the API server refuses the object. If it is the HelmChart, the status stays empty."#,
    fix: r#"See it: the condition Released, or the events of the HelmRelease (`HelmChartSyncErr`).

Choose a shorter name: for the HelmRelease, in a new manifest; for the database, in the values, while nothing has been
created."#,
    example: r#"HelmChart.source.toolkit.fluxcd.io "flux-system-skvs-onboarding-…" is invalid: metadata.labels: Invalid value: "…": must be no more than 63 bytes"#,
    explains: &["SKVS105", "SKVS108", "SKVS145", "SKVS303", "SKVS308"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Object(ObjectError::NameTooLong {
        object,
        field,
        rule,
    })) = case.cause()?
    else {
        return unanswered(case);
    };
    let finding = case.finding(
        case.subject(),
        format!("{field} of {object} is too long: {rule}"),
    );
    if let Some(finding) = of_release(case, finding.clone(), object, rule) {
        return finding.into();
    }
    finding
        .why("It is derived from the onboarding's names.")
        .step("Choose a shorter name for the HelmRelease or, in the values, for namespace or database.")
        .then(then(case, Fixes::Back))
        .into()
}

/// The object's name begins with the release's, which the manifest can set.
fn of_release(case: &Case<'_>, finding: Finding, object: &str, rule: &str) -> Option<Finding> {
    let hr = case.hr();
    let release = hr.release_name();
    let name = object.rsplit(' ').next()?;
    let added = name.strip_prefix(release.as_str())?;
    let most: usize = rule.split_whitespace().find_map(|word| word.parse().ok())?;
    let rest = most.checked_sub(added.len()).filter(|rest| *rest > 0)?;
    // Otherwise another text than this name is too long.
    if name.len() <= most {
        return None;
    }
    let origin = match hr.spec.release_name {
        Some(_) => "spec.releaseName",
        None => "Flux makes it of target namespace and HelmRelease",
    };
    let finding = finding.why(format!(
        "Its name is that of the release ({}; {origin}), to which the chart adds {} characters.",
        one_line(&release),
        added.len()
    ));
    let is_new = case.reason() == "InstallFailed" && hr.deployed_version().is_none();
    let finding = match is_new {
        true => finding.step(format!(
            "Set spec.releaseName in the manifest to a name of {rest} characters at most, or have the chart's publisher shorten the object's name"
        )),
        false => finding
            .why("A release may be installed under this name. With another one Flux uninstalls it and installs a new one, whose creation Job fails with 412 (SKVS301) because the database exists.")
            .step("Have the chart's publisher shorten the object's name, and keep spec.releaseName as it is"),
    };
    Some(finding.then(then(case, Fixes::Manifest)))
}

/// A label's value has 63 characters at most; the event that says so may be gone.
fn unanswered(case: &Case<'_>) -> Verdict {
    let name = &case.hr().metadata.name;
    if !status::is_unanswered(case.hr()) || name.len() <= 63 {
        return Ok(None);
    }
    case.finding(case.subject(), format!("its name has {} characters, too long for a label of its HelmChart", name.len()))
        .why("Controllers since 0.37 put the name on the HelmChart as a label of at most 63 characters; the status then stays empty.")
        .seen([Evidence::new(case.subject(), ".metadata.name", name)])
        .step("Choose a shorter name for the HelmRelease.")
        .then(then(case, Fixes::Back))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, fixture};

    /// What is said of a Job of this name, where the release has that one.
    fn of_job(job: &str, release: &str, deployed: &str) -> Vec<String> {
        let name = "name-too-long-job-old";
        let mut snapshot = fixture::snapshot(name);
        fixture::reword(
            &mut snapshot,
            "payments-and-settlement-transactions-of-the-whole-last-year-create",
            job,
        );
        snapshot.helm_release.status.history = vec![serde_json::from_value(serde_json::json!({
            "name": release, "namespace": "core", "version": 1, "status": deployed, "chartVersion": "0.1.2"
        })).unwrap()];
        let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
        let found = found.unwrap().unwrap();
        let said = fixture::reasoned(found);
        said.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_name_that_is_the_release_s_is_set_in_the_manifest() {
        let release = "core-skvs-onboarding-logistics-planning--cceb8fd4d59b";
        let job = format!("{release}-database-creation");
        insta::assert_snapshot!(of_job(&job, release, "failed").join("\n"), @"
        Its name is that of the release (core-skvs-onboarding-logistics-planning--cceb8fd4d59b; Flux makes it of target namespace and HelmRelease), to which the chart adds 18 characters.
        spec.template.labels of Job core-skvs-onboarding-logistics-planning--cceb8fd4d59b-database-creation is too long: must be no more than 63 characters
        Set spec.releaseName in the manifest to a name of 45 characters at most, or have the chart's publisher shorten the object's name
        ");
        let deployed = of_job(&job, release, "deployed");
        assert!(
            deployed[1].starts_with("A release may be installed under this name"),
            "{deployed:?}"
        );
        let step = deployed
            .iter()
            .any(|line| line.starts_with("Set spec.releaseName"));
        assert!(!step, "{deployed:?}");
        // Another name, and one that is not too long itself.
        let other = "It is derived from the onboarding's names.";
        assert_eq!(of_job(&format!("x{job}"), release, "failed")[0], other);
        assert_eq!(of_job("core-a-create", "core-a", "failed")[0], other);
    }

    #[test]
    fn what_is_too_long_is_told() {
        assert_eq!(
            fixture::sentence("name-too-long", "SKVS138"),
            "metadata.labels of HelmChart flux-system-skvs-onboarding-payments-and-settlement--transactions-of-the-year is too long: must be no more than 63 bytes"
        );
        assert_eq!(
            fixture::sentence("name-too-long-events-gone", "SKVS138"),
            "its name has 64 characters, too long for a label of its HelmChart"
        );
        assert_eq!(
            fixture::sentence("name-too-long-job-old", "SKVS138"),
            "spec.template.labels of Job payments-and-settlement-transactions-of-the-whole-last-year-create is too long: must be no more than 63 characters"
        );
    }
}
