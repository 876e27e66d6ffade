//! SKVS139: somebody else changed an object of the onboarding.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::flux_commands::kubectl;
use crate::diagnosis::object_commands;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::field::Field;
use crate::model::status::is_old_controller;
use crate::snapshot::IfRead;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS139",
    slug: "drifted",
    severity: Severity::Warning,
    role: Role::State,
    title: "somebody else changed an object of the onboarding",
    explanation: r#"Flux compares the cluster with the release (`spec.driftDetection`), and they differ: somebody edited or deleted an object, or
another controller owns a field. For an onboarding this is the authorization policy: access to the database may differ from
the manifest. With `mode: enabled` Flux reverts the change; with `warn` it only reports it."#,
    fix: r#"See it: the condition Drifted, or the events DriftDetected of the HelmRelease.

If the change is right, add it to the manifest. If not, undo it, or set `spec.driftDetection.mode: enabled`. The object's
`managedFields` name its author."#,
    example: r#"Drifted=True DriftDetected: Cluster state of release core/x.v1 has drifted from the desired state: AuthorizationPolicy/secure-kvs/x changed (0 additions, 1 changes, 0 removals)"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

/// The words that events on drift carry.
const REASONS: [&str; 3] = ["DriftDetected", "DriftCorrected", "DriftCorrectionFailed"];

fn check(case: &Case<'_>) -> Verdict {
    let condition = case.hr().condition("Drifted").filter(|c| c.is_true());
    // The newest one holds, unless the condition of newer controllers says that all is well again.
    let event = case.newest_event(|e| REASONS.contains(&e.reason.as_str()));
    let newest = event
        .clone()
        .if_read()
        .filter(|e| e.reason != "DriftCorrected")
        .filter(|_| case.hr().condition("Drifted").is_none_or(|c| c.is_true()));
    let (message, seen) = match (condition, &newest) {
        (Some(c), _) => (
            c.message.clone(),
            Evidence::new(case.subject(), ".status.conditions[Drifted]", &c.reason),
        ),
        (None, Some(e)) => (
            e.message.clone(),
            Evidence::new(case.subject(), "events", &e.reason),
        ),
        (None, None) => {
            if told_by_events(case) {
                event?;
            }
            return Ok(None);
        }
    };
    let uncorrected = newest.is_some_and(|e| e.reason == "DriftCorrectionFailed");
    let sentence = if uncorrected {
        "somebody changed an object of the onboarding, and Flux could not revert it"
    } else {
        "somebody changed an object of the onboarding"
    };
    let objects: Vec<&str> = message
        .lines()
        .skip(1)
        .filter(|l| !l.is_empty())
        .take(10)
        .collect();
    let mut finding = Finding::new(case.subject(), sentence)
        .why("The cluster differs from the release: access to the database may differ from the manifest.")
        .seen([seen.lines(&objects)]);
    finding = finding.step("See who changed it, then add the change to the manifest or undo it:");
    let object = objects.iter().find_map(|l| {
        let mut parts = l.split_whitespace().next()?.split('/');
        Some(Subject::new(parts.next()?, parts.next()?, parts.next()?))
    });
    match object {
        Some(object) => {
            finding.command(object_commands::yaml(&object).args(["--show-managed-fields"]))
        }
        None => finding.command(kubectl(case, "describe")),
    }
    .into()
}

/// Drift would be reported by events alone, as before 1.6, which writes no condition for it.
fn told_by_events(case: &Case<'_>) -> bool {
    let on = match &case.hr().spec.drift_detection {
        Field::Set(detection) => !detection.mode.is_absent() && detection.mode.text() != "disabled",
        Field::Absent => false,
        Field::Malformed => true,
    };
    case.hr().condition("Drifted").is_none() && (on || is_old_controller(case.hr()) == Some(true))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::case::Case;
    use crate::diagnosis::{diagnose, fixture};
    use crate::model::field::Field;
    use crate::model::helm_release::DriftDetection;
    use crate::snapshot::{Read, Why};

    #[test]
    fn the_condition_and_older_controllers_events_are_read() {
        assert_eq!(
            fixture::sentence("drifted", "SKVS139"),
            "somebody changed an object of the onboarding"
        );
        assert_eq!(
            fixture::sentence("ready-and-drifted-middle", "SKVS139"),
            "somebody changed an object of the onboarding, and Flux could not revert it"
        );
    }

    #[test]
    fn a_drift_that_was_corrected_is_none() {
        assert!(
            fixture::diagnosis("ready-and-drift-corrected-middle")
                .roots
                .is_empty()
        );
    }

    #[test]
    fn unread_events_are_no_proof_of_no_drift_where_only_they_tell() {
        let skipped = |name: &str, mode: Option<&str>| {
            let mut snapshot = fixture::snapshot(name);
            if let Some(mode) = mode {
                let mode = Field::Set(mode.to_owned());
                snapshot.helm_release.spec.drift_detection = Field::Set(DriftDetection { mode });
            }
            snapshot.events = Read::Unknown(Why::Forbidden("list events in a".to_owned()));
            let diagnosis = diagnose(&Case::new(&snapshot, fixture::meta(name).now));
            let not_run = diagnosis
                .not_run
                .into_iter()
                .find(|n| n.codes.contains(&"SKVS139"));
            not_run.map(|n| format!("{}: {}", n.what, n.why))
        };
        let told = "the HelmRelease's events: forbidden (list events in a)";
        for (name, mode) in [
            ("ready-old", None),
            ("ready", Some("warn")),
            ("ready-and-drifted-middle", Some("enabled")),
        ] {
            assert_eq!(skipped(name, mode).as_deref(), Some(told), "{name}");
        }
        assert_eq!(skipped("ready", None), None);
        assert_eq!(skipped("ready", Some("disabled")), None);
    }
}
