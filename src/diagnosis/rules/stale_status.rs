//! SKVS106: the status is older than the spec.

use crate::diagnosis::case::Case;
use crate::diagnosis::controller_log;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::flux_commands::{kubectl, stamped};
use crate::diagnosis::install;
use crate::diagnosis::object_commands;
use crate::diagnosis::peers;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::diagnosis::unready;
use crate::model::condition::Stated;
use crate::model::status::is_old_controller;
use crate::text::age::duration;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS106",
    slug: "stale-status",
    severity: Severity::Warning,
    role: Role::State,
    title: "the status is older than the spec",
    explanation: r#"The status is from an earlier version of the manifest: the controller has not processed the present one. Good or bad, the
status may no longer be true."#,
    fix: r#"See it: compare `.metadata.generation` with `.status.observedGeneration` and `.status.lastAttemptedGeneration`.

Wait a minute after a change. If it stays, the controller hangs or is not running: see SKVS105."#,
    example: r#"generation 4, last attempted 3, and Ready True from yesterday"#,
    explains: &[],
    contradicted_by: &[],
    check,
};

fn stale(case: &Case<'_>) -> bool {
    // A deletion is a new generation too, and SKVS109 reports how far it is.
    if case.hr().metadata.deletion_timestamp.is_some() {
        return false;
    }
    case.hr().is_stale() || case.failed_before || install::was_dropped(case)
}

/// The API server numbers each spec, so the object was shortened when it was saved.
fn unnumbered(case: &Case<'_>) -> Verdict {
    let ready = case.hr().conditions().get("Ready").and_then(Stated::past);
    Finding::new(
        case.subject(),
        "it has no metadata.generation, so whether its status is about its present spec is not known",
    )
    .severity(Severity::Warning)
    .why("The API server always sets metadata.generation: this object was shortened when it was saved.")
    .seen(ready.map(|c| Evidence::condition(case.subject(), c)))
    .step("Save the whole object:")
    .command(kubectl(case, "get"))
    .into()
}

fn check(case: &Case<'_>) -> Verdict {
    if !stale(case) {
        return Ok(None);
    }
    let hr = case.hr();
    let Some(generation) = hr.generation() else {
        return unnumbered(case);
    };
    // Reconciling says that work began, not what came of it.
    let results = hr.conditions().iter().map(Stated::of_any_spec);
    let results = results.filter(|c| c.kind != "Reconciling");
    let seen = results
        .filter_map(|c| c.observed_generation)
        .chain(hr.status.observed_generation)
        .chain(hr.status.last_attempted_generation)
        .filter(|seen| *seen < generation)
        .max()
        .unwrap_or_default();
    let observed = format!("generation {generation}, seen by Flux: {seen}");
    // Old controllers write the number when they begin, later ones when they have tried.
    let means = match is_old_controller(case.hr()) {
        Some(true) => {
            "This controller writes observedGeneration when it starts: it has not started."
        }
        _ => {
            "It writes lastAttemptedGeneration with each attempt: it has not tried the present one."
        }
    };
    let sentence =
        format!("the status is of generation {seen}, and the spec is of generation {generation}");
    let finding = Finding::new(case.subject(), sentence)
        .why("Flux has not processed the present manifest: its status is about an earlier one.")
        .why(means)
        .seen([Evidence::new(
            case.subject(),
            ".metadata.generation",
            &observed,
        )])
        .change(peers::without_shard(case));
    let finding = unready::shown(case, finding);
    if hr.spec.suspend || case.is_installed() || install::finishes_older(case) {
        return finding
            .step("After a change, wait a minute and look again:")
            .command(kubectl(case, "get"))
            .into();
    }
    // What it says is about an earlier spec, good or bad: shown, and not judged.
    let old = hr.conditions().get("Ready").and_then(Stated::past);
    let since = old.and_then(|c| case.seconds_since(c.last_transition_time.as_deref()));
    let mut finding = finding
        .severity(Severity::Error)
        .seen(old.map(|c| Evidence::condition(case.subject(), c)));
    if let Some(latest) = hr.latest().filter(|h| h.status == "deployed") {
        finding = finding.why(format!(
            "Revision {} is deployed and stays in use.",
            latest.version
        ));
    }
    if let Some(since) = since {
        finding = finding.why(format!(
            "It has been the same for {} and is about the earlier spec: nothing is known to be in progress.",
            duration(since)
        ));
    }
    let finding = finding
        .step("After a change, wait a minute and look again. If it stays, check that helm-controller runs and handles this object:")
        .command(object_commands::deployments("helm-controller"));
    let finding = controller_log::shown(case, finding, "helm-controller", "1h");
    finding
        .step("Then have it process the present spec:")
        .command(match is_old_controller(case.hr()) {
            Some(true) => sources::reconcile(case, &case.subject()),
            _ => stamped(case, Some("forceAt")),
        })
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, diagnose, fixture};

    /// Every case that fails, as if its manifest had been changed since: the old failure must not be reported as one of the new spec.
    #[test]
    fn a_failure_of_an_older_spec_is_history() {
        let mut seen = 0;
        for name in fixture::names() {
            let mut snapshot = fixture::snapshot(&name);
            let now = fixture::meta(&name).now;
            if Case::new(&snapshot, now).failure.is_none() {
                continue;
            }
            let hr = &mut snapshot.helm_release;
            let known = hr.status.observed_generation.is_some()
                || hr
                    .status
                    .conditions
                    .shown()
                    .iter()
                    .any(|c| c.observed_generation.is_some());
            if !known || hr.spec.suspend || hr.metadata.deletion_timestamp.is_some() {
                continue;
            }
            seen += 1;
            hr.metadata.generation += 1000;
            let case = Case::new(&snapshot, now);
            assert!(case.failure.is_none(), "{name}");
            let all = diagnose(&case);
            let stale = all.roots.iter().find(|root| root.rule.code == "SKVS106");
            assert!(stale.is_some(), "{name}");
            assert!(
                all.roots.iter().all(|root| root.rule.code != "SKVS900"),
                "{name}"
            );
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn a_status_of_an_unknown_spec_is_not_judged() {
        for name in ["ready-source-stale", "target-namespace-missing"] {
            let mut snapshot = fixture::snapshot(name);
            snapshot.helm_release.metadata.generation = 0;
            let case = Case::new(&snapshot, fixture::meta(name).now);
            assert!(!case.is_ready() && case.failure.is_none(), "{name}");
            let all = diagnose(&case);
            let undated = all.roots.iter().find(|root| root.rule.code == "SKVS106");
            let sentence = undated.map(|root| root.finding.sentence.as_str());
            assert_eq!(
                sentence,
                Some(
                    "it has no metadata.generation, so whether its status is about its present spec is not known"
                ),
                "{name}"
            );
            for verdict in ["SKVS110", "SKVS900"] {
                assert!(all.roots.iter().all(|r| r.rule.code != verdict), "{name}");
            }
        }
    }

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("stale-status", "SKVS106"),
            "the status is of generation 1, and the spec is of generation 4"
        );
    }
}
