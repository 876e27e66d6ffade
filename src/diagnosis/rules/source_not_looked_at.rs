//! SKVS221: source-controller has not processed the chart or its source.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::controller_log;
use crate::diagnosis::controllers;
use crate::diagnosis::finding::{Evidence, Subject};
use crate::diagnosis::object_commands;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::serving;
use crate::diagnosis::sources;
use crate::model::source::Source;
use crate::text::age::duration;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS221",
    slug: "source-not-looked-at",
    severity: Severity::Error,
    role: Role::Cause,
    title: "source-controller has not processed the chart or its source",
    explanation: r#"The HelmChart or its source exists, but source-controller has written no status for its present spec: it is not running, does
not watch this namespace, or is busy."#,
    fix: r#"See it: `kubectl get deployments -A -l app.kubernetes.io/component=source-controller`

Start it. A new object needs a moment."#,
    example: r#"HelmChart 'flux-system/x' is not ready: latest generation of object has not been reconciled"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

/// A new object gets this long, in seconds.
const PATIENCE: i64 = 60;

fn check(case: &Case<'_>) -> Verdict {
    // An uninstall needs no chart.
    if case.hr().metadata.deletion_timestamp.is_some() {
        return Ok(None);
    }
    // SKVS150 says why.
    if controllers::outage::is_of_source(case) {
        return Ok(None);
    }
    let told = sources::complaints(case);
    let only_waits = sources::only_waits(&told);
    let silent = sources::links(case)
        .find(|link| only_waits && sources::blocks(case) && is_silent(case, link));
    let Some(silent) = silent else {
        return sources::nothing(case);
    };
    let subject = Subject::from(&silent.meta);
    let since = age(case, silent).map_or(String::new(), |a| format!("; it is {} old", duration(a)));
    let finding = sources::finding(
        case,
        &subject,
        &format!("source-controller has not processed {subject}"),
        "It normally answers within seconds. It is not running, does not watch this namespace, or is busy.",
    )
    .seen([Evidence::new(
        subject.clone(),
        ".status",
        &format!("no status for the present spec{since}"),
    )])
    .seen(told.iter().map(sources::Complaint::evidence));
    let pods = controllers::unserving(case, "source-controller");
    if !pods.is_empty() {
        return serving::shown(finding, &pods)
            .then(then(case, Fixes::Elsewhere))
            .into();
    }
    let finding = finding
        .step("Check whether the controller is running, and read its log:")
        .command(object_commands::deployments("source-controller"));
    controller_log::end(case, finding, "source-controller")
}

fn age(case: &Case<'_>, source: &Source) -> Option<i64> {
    case.seconds_since(source.meta.created.as_str())
}

/// Old enough to have an answer, and has none: no condition, and nothing on the present generation.
fn is_silent(case: &Case<'_>, source: &Source) -> bool {
    age(case, source).is_some_and(|a| a > PATIENCE)
        && source.meta.malformed.is_empty()
        && source.conditions.is_empty()
        && source.artifact.is_absent()
        && !source.is_static()
        && !source.is_suspended()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, fixture};
    use crate::snapshot::{Listing, Read, Snapshot};

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("source-not-looked-at", "SKVS221"),
            "source-controller has not processed HelmChart flux-system/flux-system-skvs-onboarding-pds--database"
        );
        assert_eq!(
            fixture::sentence("source-not-looked-at-old", "SKVS221"),
            "source-controller has not processed HelmChart flux-system/flux-system-skvs-onboarding-pds--database"
        );
    }

    #[test]
    fn a_deletion_does_not_wait_for_it() {
        let name = "source-not-looked-at";
        let snapshot = fixture::snapshot_of(name, &|object| {
            if object["kind"] == "HelmRelease" {
                object["metadata"]["deletionTimestamp"] = "2026-11-23T20:20:00Z".into();
            }
        });
        let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
        assert_eq!(found.unwrap(), None);
    }

    #[test]
    fn the_pod_of_the_controller_says_why() {
        let name = "source-not-looked-at";
        let mut snapshot = fixture::snapshot(name);
        fixture::stop(&mut snapshot, "source-controller");
        let check = |snapshot: &Snapshot| {
            let found = super::check(&Case::new(snapshot, fixture::meta(name).now));
            found.unwrap().map(fixture::lines)
        };
        insta::assert_snapshot!(check(&snapshot).unwrap(), @"
        source-controller has not processed HelmChart flux-system/flux-system-skvs-onboarding-pds--database
        Find out why it is not ready, and fix it:
        $ kubectl describe -n flux-system pod source-controller-5d8f-x2x7q
        ");
        // Without a pod SKVS150 says it all.
        snapshot.on_demand.controller_pods = Read::Seen(Listing::default());
        assert_eq!(check(&snapshot), None);
    }
}
