//! What shows a finding to be false: a part that was read and says the opposite of the text that the finding comes from.
//!
//! Error texts outlive what they speak of, and controllers repeat them. Each rule names what would contradict it; the engine
//! withholds a finding that is contradicted, so that no rule has to remember to look.

use super::case::Case;
use super::finding::{Evidence, Finding, Subject};
use super::{install, sources};
use crate::snapshot::{Checked, IfRead};
use serde_json::Value;

/// Something that can be seen in a snapshot and that excludes what a finding says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The release is installed: Released says so of the present spec, and the newest revision is deployed.
    Installed,
    /// The creation Job ended well.
    JobComplete,
    /// The finding's subject is there, and nobody deletes it.
    SubjectExists,
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
            Fact::SubjectExists => exists(case, &finding.subject),
            Fact::SubjectFetched => fetched(case, &finding.subject),
        }
    }
}

fn installed(case: &Case<'_>) -> Option<Evidence> {
    let released = case.hr().condition("Released")?;
    let is_deployed = install::is_deployed(case);
    is_deployed.then(|| Evidence::condition(case.subject(), released))
}

fn job_complete(case: &Case<'_>) -> Option<Evidence> {
    let job = case.job_as_far_as_read().subject.clone()?;
    let succeeded = install::job_succeeded(case);
    succeeded.then(|| Evidence::new(job, ".status", "the Job is complete"))
}

/// The object, if it is one of those that are read for every onboarding. Only what was seen contradicts, so parts that were not
/// read are passed over.
fn exists(case: &Case<'_>, subject: &Subject) -> Option<Evidence> {
    let namespace = Subject::new("Namespace", "", case.hr().release_namespace());
    let parts: [(Option<Subject>, Checked<Option<&Value>>); 4] = [
        (Some(namespace), case.target_namespace()),
        (case.service_account(), case.account()),
        (sources::source(case), case.source()),
        (sources::chart(case), case.chart()),
    ];
    let is_it = |named: Option<Subject>| named.is_some_and(|named| named == *subject);
    let mut found = parts.into_iter().filter(|(named, _)| is_it(named.clone()));
    let object = found.find_map(|(_, part)| part.if_read())?;
    let stays = object.pointer("/metadata/deletionTimestamp").is_none();
    stays.then(|| Evidence::new(subject.clone(), ".metadata", "the object exists"))
}

/// The chart, and of a finding about its source the source too: a repository that is Ready may still refuse the chart.
fn fetched(case: &Case<'_>, subject: &Subject) -> Option<Evidence> {
    let chart = sources::chart(case)?;
    let well = |part: Checked<Option<&Value>>| {
        part.if_read()
            .filter(|object| sources::is_well(object))
            .cloned()
    };
    let is_source = sources::source(case).as_ref() == Some(subject);
    if is_source && well(case.source()).is_none() {
        return None;
    }
    if !is_source && *subject != chart && *subject != case.subject() {
        return None;
    }
    let object = well(case.chart())?;
    let mut conditions = sources::conditions(&object).into_iter();
    let ready = conditions.find(|c| c.kind == "Ready" && c.is_true())?;
    Some(Evidence::condition(chart, &ready))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Diagnosis, diagnose, fixture};
    use crate::model::helm_release::ObjectRef;
    use crate::snapshot::{Read, Snapshot};
    use serde_json::json;
    use std::collections::BTreeSet;

    /// Makes a fact true.
    type Flip = fn(&mut Snapshot);

    /// One fact of every case made true.
    const FLIPS: [(&str, Flip); 4] = [
        ("the Job is complete", complete_the_job),
        ("the release is installed", install),
        (
            "what is said to be missing is there",
            create_what_is_missing,
        ),
        ("the chart is fetched", fetch_the_chart),
    ];

    fn complete_the_job(snapshot: &mut Snapshot) {
        if let Read::Seen(found) = &mut snapshot.creation_job {
            found.job["status"] = json!({
                "succeeded": 1,
                "conditions": [{"type": "Complete", "status": "True"}],
            });
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

    fn create_what_is_missing(snapshot: &mut Snapshot) {
        let hr = &snapshot.helm_release;
        let namespace = json!({"kind": "Namespace", "metadata": {"name": hr.release_namespace()}, "status": {"phase": "Active"}});
        if snapshot.target_namespace.is_absent() {
            snapshot.target_namespace = Read::Seen(namespace);
        }
        if snapshot.service_account.is_absent() {
            snapshot.service_account = Read::Seen(json!({"kind": "ServiceAccount"}));
        }
        let named = |reference: &ObjectRef| {
            let namespace = reference.namespace.as_deref();
            let namespace = namespace.unwrap_or(&hr.metadata.namespace);
            let metadata = json!({"name": reference.name, "namespace": namespace});
            Read::Seen(json!({"kind": reference.kind, "metadata": metadata}))
        };
        let of_chart = hr.spec.chart.as_ref().map(|c| named(&c.spec.source_ref));
        let of_reference = hr.spec.chart_ref.as_ref().map(named);
        if let Some(source) = of_chart.filter(|_| snapshot.source.is_absent()) {
            snapshot.source = source;
        }
        if let Some(chart) = of_reference.filter(|_| snapshot.chart.is_absent()) {
            snapshot.chart = chart;
        }
    }

    fn fetch_the_chart(snapshot: &mut Snapshot) {
        for part in [&mut snapshot.chart, &mut snapshot.source] {
            let Read::Seen(object) = part else {
                continue;
            };
            let generation = object.pointer("/metadata/generation").cloned();
            let generation = generation.unwrap_or(json!(1));
            object["status"] = json!({
                "observedGeneration": generation,
                "artifact": {"revision": "0.1.2", "url": "http://source-controller/chart.tgz"},
                "conditions": [{"type": "Ready", "status": "True", "reason": "Succeeded", "observedGeneration": generation}],
            });
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
            "what is said to be missing is there" => any(&[
                "the chart's source does not exist",
                "the ServiceAccount that Flux acts as does not exist",
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
                    if part.why.contains(" says the opposite: ") {
                        withheld.insert(part.code);
                    }
                }
                denied_before += before
                    .iter()
                    .filter(|(_, title)| denies(flip, title))
                    .count();
                let shown = match flip {
                    "the Job is complete" => job_complete(&case).is_some(),
                    "the release is installed" => installed(&case).is_some(),
                    "the chart is fetched" => fetched(&case, &case.subject()).is_some(),
                    _ => true,
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
            "SKVS111 SKVS118 SKVS206 SKVS301 SKVS303 SKVS304 SKVS305 SKVS306 SKVS307 SKVS309 SKVS311 SKVS312 SKVS314 SKVS315 SKVS316 SKVS317 SKVS318"
        );
        assert!(
            denied_before > 80,
            "only {denied_before} findings were put to the test"
        );
    }
}
