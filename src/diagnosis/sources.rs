//! The way from a HelmRelease to its chart: what the chart's source, the chart and the HelmRelease say, nearest to the
//! cause first. Shared by the rules on charts and repositories.

use super::case::Case;
use super::finding::{Evidence, Finding, Subject};
use super::retries::{Fixes, then};
use super::rule::{Severity, Verdict};
use crate::model::condition::Condition;
use crate::snapshot::Read;
use serde_json::Value;

/// Reasons by which a HelmRelease says that its chart is missing.
const REASONS: [&str; 3] = ["SourceNotReady", "HelmChartNotReady", "ArtifactFailed"];

/// One complaint about the chart.
pub(super) struct Told {
    pub subject: Subject,
    pub condition: Condition,
}

impl Told {
    /// It as evidence.
    pub(super) fn evidence(&self) -> Evidence {
        Evidence::condition(self.subject.clone(), &self.condition)
    }

    pub(super) fn says(&self, texts: &[&str]) -> bool {
        texts.iter().any(|t| self.condition.message.contains(t))
    }
}

/// Every complaint: of the source, of the chart, of the HelmRelease.
pub(super) fn told(case: &Case<'_>) -> Vec<Told> {
    let mut all = Vec::new();
    for (object, kind) in [
        (&case.snapshot.source, "HelmRepository"),
        (&case.snapshot.chart, "HelmChart"),
    ] {
        if let Some(object) = object.seen() {
            complaint(object).into_iter().for_each(|condition| {
                all.push(Told {
                    subject: Subject::of(object, kind),
                    condition,
                });
            });
        }
    }
    if let Some(failure) = &case.failure
        && REASONS.contains(&case.reason())
    {
        all.push(Told {
            subject: case.subject(),
            condition: failure.condition.clone(),
        });
    }
    all
}

/// The condition of a source object that tells what is wrong.
fn complaint(object: &Value) -> Option<Condition> {
    let conditions: Vec<Condition> = object
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .map(|all| {
            all.iter()
                .filter_map(|c| serde_json::from_value(c.clone()).ok())
                .collect()
        })
        .unwrap_or_default();
    let find = |kind: &str, status: &str| {
        conditions
            .iter()
            .find(|c| c.kind == kind && c.status == status)
    };
    find("FetchFailed", "True")
        .or_else(|| find("BuildFailed", "True"))
        .or_else(|| find("StorageOperationFailed", "True"))
        .or_else(|| find("Ready", "False"))
        .cloned()
}

/// The complaint that says one of `texts`, with everything else that was told as evidence.
pub(super) fn find(case: &Case<'_>, is: impl Fn(&Told) -> bool) -> Option<(Told, Vec<Evidence>)> {
    let all = told(case);
    let at = all.iter().position(is)?;
    let evidence = all.iter().map(Told::evidence).collect();
    all.into_iter().nth(at).map(|told| (told, evidence))
}

/// What a rule says of a repository that does not do its part.
pub(super) struct Fault {
    /// What stands after the repository: `cannot be reached`.
    pub wrong: &'static str,
    pub why: &'static str,
    /// What to do with what `kubectl describe` tells of it.
    pub step: &'static str,
}

/// The repository's fault, if a complaint is of this kind.
pub(super) fn repository(case: &Case<'_>, is: impl Fn(&Told) -> bool, fault: &Fault) -> Verdict {
    let Some((told, evidence)) = find(case, is) else {
        return nothing(case);
    };
    let subject = source(case).unwrap_or(told.subject);
    let url = url(case);
    let at = if url.is_empty() {
        String::new()
    } else {
        format!(" at {url}")
    };
    let kind = subject.kind.to_lowercase();
    let describe = [
        "kubectl",
        "describe",
        "-n",
        &subject.namespace,
        &kind,
        &subject.name,
    ];
    Finding::new(subject.clone(), format!("{subject}{at} {}", fault.wrong))
        .severity(severity(case))
        .why(fault.why)
        .whys(goes_on(case))
        .seen(evidence)
        .step(fault.step)
        .command(describe)
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// What a green onboarding makes of it.
pub(super) fn goes_on(case: &Case<'_>) -> Option<&'static str> {
    case.is_ready()
        .then_some("The onboarding runs on the chart it has; it will get no newer one.")
}

/// Nothing found: clear, or not run where the chart or its source is not known.
pub(super) fn nothing(case: &Case<'_>) -> Verdict {
    if let Some(why) = case.snapshot.chart.unknown() {
        return Verdict::skipped("the chart", why);
    }
    match case.snapshot.source.unknown() {
        Some(why) => Verdict::skipped("the chart's source", why),
        None => Verdict::Clear,
    }
}

/// A green HelmRelease runs on the chart it has: what its sources say is then no more than a warning.
pub(super) fn severity(case: &Case<'_>) -> Severity {
    if case.is_ready() {
        Severity::Warning
    } else {
        Severity::Error
    }
}

/// The chart's source: as an object where it was read, else as the chart or the manifest names it.
pub(super) fn source(case: &Case<'_>) -> Option<Subject> {
    if let Some(object) = case.snapshot.source.seen() {
        return Some(Subject::of(object, "HelmRepository"));
    }
    let hr = case.hr();
    let reference = &hr.spec.chart.as_ref()?.spec.source_ref;
    let namespace = reference
        .namespace
        .as_deref()
        .unwrap_or(&hr.metadata.namespace);
    (!reference.name.is_empty()).then(|| Subject::new(&reference.kind, namespace, &reference.name))
}

/// The source's URL; empty when it was not read.
pub(super) fn url(case: &Case<'_>) -> String {
    let url = case
        .snapshot
        .source
        .seen()
        .and_then(|s| s.pointer("/spec/url"))
        .and_then(Value::as_str);
    // A user name or password in a URL is nobody's business.
    url.map_or(String::new(), |u| {
        match (u.split_once("://"), u.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
            _ => u.to_owned(),
        }
    })
}

/// The chart's name and version range, as the manifest has them.
pub(super) fn wanted(case: &Case<'_>) -> (String, String) {
    let spec = case.hr().spec.chart.as_ref().map(|c| &c.spec);
    let name = spec.map_or_else(String::new, |s| s.chart.clone());
    let version = spec
        .and_then(|s| s.version.clone())
        .unwrap_or_else(|| "*".to_owned());
    (name, version)
}

/// Whether the source object is seen to be absent.
pub(super) fn source_is_absent(case: &Case<'_>) -> bool {
    matches!(case.snapshot.source, Read::Absent)
}
