//! What shows a finding to be false: a part that was read and says the opposite of the text that the finding comes from.
//!
//! Error texts outlive what they speak of, and controllers repeat them. Each rule names what would contradict it; the engine
//! withholds a finding that is contradicted, so that no rule has to remember to look.

use super::case::Case;
use super::finding::{Evidence, Finding, Subject};
use super::{install, sources};
use crate::model::condition::{Condition, Stated};
use crate::model::source::Source;
use crate::snapshot::IfRead;

/// Something that can be seen in a snapshot and that excludes what a finding says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The release is installed: Released says so of the present spec, and the newest revision is deployed.
    Installed,
    /// The creation Job ended well.
    JobComplete,
    /// The chart was fetched for the present spec, and so was its source where the finding is about that.
    SubjectFetched,
}

/// What was read and shows one of the rule's facts; `None` where nothing contradicts the finding.
pub(super) fn contradiction(
    case: &Case<'_>,
    facts: &[Fact],
    finding: &Finding,
) -> Option<Evidence> {
    facts.iter().find_map(|fact| fact.shown(case, finding))
}

impl Fact {
    fn shown(self, case: &Case<'_>, finding: &Finding) -> Option<Evidence> {
        match self {
            Fact::Installed => installed(case),
            Fact::JobComplete => job_complete(case),
            Fact::SubjectFetched => fetched(case, &finding.subject),
        }
    }
}

/// Released of the present spec, where it and the newest revision say that the release is installed.
pub(super) fn installed(case: &Case<'_>) -> Option<Evidence> {
    let hr = case.hr();
    let released = hr.condition("Released")?;
    // A condition without a generation may be of any spec, and of two that differ neither is believed.
    let is_present = released.observed_generation == Some(hr.metadata.generation);
    let mut all = hr.conditions().iter().map(Stated::of_any_spec);
    let agree = all.all(|c| c.kind != "Released" || c.is_true());
    let shown = is_present && agree && install::is_deployed(case);
    shown.then(|| Evidence::condition(case.subject(), released))
}

/// Where the failure is about something else, such as another object that was refused, the Job's end says nothing.
fn job_complete(case: &Case<'_>) -> Option<Evidence> {
    if case.failure.is_some() && !case.is_about_the_job() {
        return None;
    }
    let job = case.job_as_far_as_read().subject.clone()?;
    let succeeded = install::job_succeeded(case);
    succeeded.then(|| Evidence::new(job, ".status", "the Job is complete"))
}

/// The chart, and of a finding about its source the source too: a repository that is Ready may still refuse the chart. Only what was
/// seen contradicts, so parts that were not read are passed over.
fn fetched(case: &Case<'_>, subject: &Subject) -> Option<Evidence> {
    let chart = sources::chart(case)?;
    if sources::source(case).as_ref() == Some(subject) {
        ready_now(case.source().if_read()?)?;
    } else if *subject != chart && *subject != case.subject() {
        return None;
    }
    let fetched = case.chart().if_read()?;
    let ready = ready_now(fetched).filter(|_| sources::is_wanted(case, fetched))?;
    Some(Evidence::condition(chart, ready))
}

/// The condition Ready of a source object, where it is surely true of the present spec.
pub(super) fn ready_now(source: &Source) -> Option<&Condition> {
    let generation = source.meta.generation.set()?;
    let observed = source.observed_generation.set()?;
    let stays = source.meta.deleted.is_absent();
    source.well().filter(|_| observed == generation && stays)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Diagnosis, diagnose, fixture};
    use crate::model::condition::Conditions;
    use crate::model::field::Field;
    use crate::model::source::Artifact;
    use crate::snapshot::{Parts, Read, Snapshot};
    use serde_json::json;
    use std::collections::BTreeSet;

    /// Makes a fact true.
    type Flip = fn(&mut Snapshot);

    /// One fact of every case made true.
    const FLIPS: [(&str, Flip); 3] = [
        ("the Job is complete", complete_the_job),
        ("the release is installed", install),
        ("the chart is fetched", fetch_the_chart),
    ];

    fn complete_the_job(snapshot: &mut Snapshot) {
        if let Read::Seen(found) = &mut snapshot.creation_job {
            found.job.succeeded = Field::Set(1);
            found.job.conditions = Conditions::from(vec![Condition {
                kind: "Complete".to_owned(),
                status: "True".to_owned(),
                ..Condition::default()
            }]);
        }
    }

    fn install(snapshot: &mut Snapshot) {
        let generation = snapshot.helm_release.metadata.generation;
        let mut object = snapshot.object.clone();
        let released = json!({"type": "Released", "status": "True", "reason": "InstallSucceeded", "observedGeneration": generation});
        if let Some(all) = object["status"]["conditions"].as_array_mut() {
            all.retain(|c| c["type"] != "Released");
            all.push(released);
        }
        if let Some(latest) = object["status"].pointer_mut("/history/0/status") {
            *latest = json!("deployed");
        }
        if let Read::Seen(all) = &mut snapshot.revisions
            && let Some(newest) = all.first_mut()
        {
            newest.status = "deployed".to_owned();
        }
        snapshot.helm_release =
            crate::model::helm_release::HelmRelease::from_value(&object).unwrap();
        snapshot.object = object;
    }

    fn fetch_the_chart(snapshot: &mut Snapshot) {
        let parts: &mut Parts = snapshot;
        for part in [&mut parts.chart, &mut parts.source] {
            let Read::Seen(source) = part else {
                continue;
            };
            let generation = source.meta.generation.set().copied().unwrap_or(1);
            source.observed_generation = Field::Set(generation);
            source.artifact = Field::Set(Artifact::default());
            source.conditions = Conditions::from(vec![Condition {
                kind: "Ready".to_owned(),
                status: "True".to_owned(),
                reason: "Succeeded".to_owned(),
                observed_generation: Some(generation),
                ..Condition::default()
            }]);
        }
    }

    /// What must not be said once the fact is true, told by titles, which users read, and not by what the rules declare.
    fn denies(flip: &str, title: &str) -> bool {
        let any = |words: &[&str]| words.iter().any(|word| title.contains(word));
        match flip {
            "the Job is complete" => any(&[
                "the creation Job failed",
                "creation Job gets no answer",
                "creation Job's credentials",
                "image cannot be pulled",
                "no node accepts",
                "probably never created",
                "keeps the creation Job from finishing",
                "ended the creation Job's pod",
                "ran out of memory",
                "the database already exists",
            ]),
            "the release is installed" => any(&[
                "only failed revisions",
                "gave up waiting",
                "the creation Job failed",
            ]),
            "the chart is fetched" => any(&[
                "no version of the chart",
                "repository does not have the chart",
                "repository cannot be reached",
                "refuses the credentials",
                "has not been fetched yet",
            ]),
            other => panic!("{other} is not a fact"),
        }
    }

    fn said(diagnosis: &Diagnosis) -> Vec<(&'static str, &'static str)> {
        let all = diagnosis.roots.iter().flat_map(|root| {
            std::iter::once(root.rule).chain(root.follows.iter().map(|(rule, _)| *rule))
        });
        all.map(|rule| (rule.code, rule.title)).collect()
    }

    #[test]
    fn no_finding_survives_the_fact_that_contradicts_it() {
        let mut denied_before = 0;
        let mut withheld = BTreeSet::new();
        for name in fixture::names() {
            let now = fixture::meta(&name).now;
            for (flip, change) in FLIPS {
                let mut snapshot = fixture::snapshot(&name);
                let before = said(&diagnose(&Case::new(&snapshot, now)));
                change(&mut snapshot);
                let case = Case::new(&snapshot, now);
                let diagnosis = diagnose(&case);
                let after = said(&diagnosis);
                for part in &diagnosis.not_run {
                    if part.why.starts_with("contradicted by ") {
                        withheld.extend(part.codes.iter().copied());
                    }
                }
                denied_before += before
                    .iter()
                    .filter(|(_, title)| denies(flip, title))
                    .count();
                let shown = match flip {
                    "the Job is complete" => job_complete(&case).is_some(),
                    "the release is installed" => installed(&case).is_some(),
                    _ => fetched(&case, &case.subject()).is_some(),
                };
                let wrong: Vec<_> = after
                    .iter()
                    .filter(|(_, title)| denies(flip, title))
                    .collect();
                assert!(!shown || wrong.is_empty(), "{name}, {flip}: {wrong:?}");
                // A failure that nothing explains any more must still be told.
                let is_told = case.failure.is_none() || before.is_empty() || !after.is_empty();
                assert!(is_told, "{name}, {flip}: nothing is said of the failure");
            }
        }
        // Some rules do not look themselves: the engine does for them.
        assert_eq!(
            withheld.into_iter().collect::<Vec<_>>().join(" "),
            "SKVS111 SKVS118 SKVS301 SKVS303 SKVS304 SKVS305 SKVS306 SKVS307 SKVS309 SKVS311 SKVS312 SKVS314 SKVS315 SKVS316 SKVS317 SKVS318"
        );
        assert!(
            denied_before > 70,
            "only {denied_before} findings were put to the test"
        );
    }

    /// What the objects say of themselves, and whether it contradicts a finding about the chart and about its source.
    #[test]
    fn a_fetched_chart_contradicts_only_what_it_excludes() {
        let name = "repository-unreachable";
        let now = fixture::meta(name).now;
        let of_source = |case: &Case<'_>| sources::source(case).unwrap();
        let contradicts = |snapshot: &Snapshot| {
            let case = Case::new(snapshot, now);
            let chart = sources::chart(&case).unwrap();
            [chart, of_source(&case), case.subject()]
                .map(|subject| fetched(&case, &subject).is_some())
        };
        let mut snapshot = fixture::snapshot(name);
        assert_eq!(contradicts(&snapshot), [false; 3]);
        fetch_the_chart(&mut snapshot);
        assert_eq!(contradicts(&snapshot), [true; 3]);
        let change = |change: fn(&mut Source)| {
            let mut snapshot = snapshot.clone();
            let Read::Seen(chart) = &mut snapshot.chart else {
                panic!("the case has a chart");
            };
            change(chart);
            contradicts(&snapshot)
        };
        let none = [false; 3];
        assert_eq!(change(|s| s.observed_generation = Field::Set(0)), none);
        assert_eq!(change(|s| s.observed_generation = Field::Malformed), none);
        assert_eq!(
            change(|s| s.conditions.edit()[0].observed_generation = Some(0)),
            none
        );
        assert_eq!(
            change(|s| s.conditions.edit()[0].status = "Unknown".to_owned()),
            none
        );
        assert_eq!(change(|s| s.artifact = Field::Absent), none);
        assert_eq!(
            change(|s| s.meta.deleted = Field::Set("2026-11-27T20:00:00Z".to_owned())),
            none
        );
        assert_eq!(
            change(|s| s.meta.malformed.push("spec.suspend".to_owned())),
            none
        );
        // The chart is well, and its source is in trouble by now.
        let mut source_fails = snapshot.clone();
        if let Read::Seen(source) = &mut source_fails.source {
            source.conditions.edit()[0].status = "False".to_owned();
        }
        assert_eq!(contradicts(&source_fails), [true, false, true]);
    }

    #[test]
    fn a_complete_job_says_nothing_of_another_object() {
        let name = "hook-job-failed";
        let mut snapshot = fixture::snapshot(name);
        complete_the_job(&mut snapshot);
        let now = fixture::meta(name).now;
        let mut object = snapshot.object.clone();
        let case = Case::new(&snapshot, now);
        assert!(job_complete(&case).is_some(), "{:?}", case.failure_text());
        for condition in object["status"]["conditions"].as_array_mut().unwrap() {
            condition["message"] = json!(
                "Helm install failed: authorizationpolicies.security.istio.io \"a\" is forbidden: exceeded quota: small"
            );
        }
        snapshot.helm_release =
            crate::model::helm_release::HelmRelease::from_value(&object).unwrap();
        snapshot.object = object;
        assert!(job_complete(&Case::new(&snapshot, now)).is_none());
    }

    #[test]
    fn only_an_undisputed_condition_of_the_present_spec_says_that_it_is_installed() {
        let name = "release-never-deployed";
        let now = fixture::meta(name).now;
        let mut snapshot = fixture::snapshot(name);
        install(&mut snapshot);
        let shown = |snapshot: &Snapshot| installed(&Case::new(snapshot, now)).is_some();
        assert!(shown(&snapshot));
        let released = |snapshot: &mut Snapshot| {
            let all = snapshot.helm_release.status.conditions.edit();
            all.iter().position(|c| c.kind == "Released").unwrap()
        };
        let mut other = snapshot.clone();
        let at = released(&mut other);
        other.helm_release.status.conditions.edit()[at].observed_generation = None;
        assert!(!shown(&other));
        let mut two = snapshot.clone();
        let at = released(&mut two);
        let mut second = two.helm_release.status.conditions.shown()[at].clone();
        second.status = "False".to_owned();
        two.helm_release.status.conditions.edit().push(second);
        assert!(!shown(&two));
    }
}
