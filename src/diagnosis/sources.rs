//! The chain from a HelmRelease to its chart: what the chart's source, the chart and the HelmRelease complain about, nearest to the
//! cause first. Shared by the rules on charts and repositories.

mod commands;
mod finding;
mod repository;

pub(super) use commands::{describe, reconcile, resource};
pub(super) use finding::{finding, look_at};
pub(super) use repository::{Fault, at, at_host, other_host, repository, repository_of, telling};

use super::case::Case;
use super::finding::{Evidence, Subject};
use super::rule::Verdict;
use crate::model::condition::{Condition, Stated};
use crate::model::failure::Cause;
use crate::model::field::Field;
use crate::model::helm_release::ObjectRef;
use crate::model::source::{SecretRef, Source};
use crate::model::source_error::SourceError;
use crate::snapshot::{Checked, IfRead};
use crate::text::without_login;

/// Reasons by which a HelmRelease says that it gets no chart.
const REASONS: [&str; 4] = [
    "SourceNotReady",
    "HelmChartNotReady",
    "ArtifactFailed",
    "ChartMutateError",
];

/// What follows from a chart that cannot be had.
pub(super) const FOLLOWS: &[&str] = &["SKVS108", "SKVS110"];

/// One complaint about the chart.
pub(super) struct Complaint {
    pub subject: Subject,
    pub condition: Condition,
    /// `None` for texts that no version is known to write.
    pub kind: Option<SourceError>,
}

impl Complaint {
    fn new(subject: Subject, condition: Condition) -> Self {
        let kind = SourceError::of_condition(&condition);
        Self {
            subject,
            condition,
            kind,
        }
    }

    /// It only says what another one has said, which it names.
    fn repeats(&self, before: &Complaint) -> bool {
        let said = before.condition.message.as_str();
        !said.is_empty() && self.condition.message.ends_with(said)
    }

    /// It as evidence.
    pub(super) fn evidence(&self) -> Evidence {
        Evidence::condition(self.subject.clone(), &self.condition)
    }
}

/// Every complaint: of the source, of the chart, of the HelmRelease.
pub(super) fn complaints(case: &Case<'_>) -> Vec<Complaint> {
    let of_link = |link: &Source| {
        let condition = link.complaint()?.clone();
        Some(Complaint::new(Subject::from(&link.meta), condition))
    };
    let mut all: Vec<Complaint> = links(case).filter_map(of_link).collect();
    if let Some(failure) = &case.failure
        && REASONS.contains(&case.reason())
        && !is_outdated(case)
    {
        all.push(Complaint::new(case.subject(), failure.condition.clone()));
    }
    all
}

/// They say no more than that source-controller has not done its work yet.
pub(super) fn only_waits(told: &[Complaint]) -> bool {
    told.iter().all(|t| {
        t.condition.message.ends_with("' is not ready")
            || matches!(
                t.kind,
                Some(SourceError::NoArtifact | SourceError::NotLooked)
            )
    })
}

/// The source and the chart, as far as they were read.
pub(super) fn links<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Source> {
    let links = [case.source(), case.chart()];
    links.into_iter().filter_map(IfRead::if_read)
}

/// The HelmRelease repeats what its chart said, and the chart is well by now.
pub(super) fn is_outdated(case: &Case<'_>) -> bool {
    REASONS.contains(&case.reason())
        && case
            .cause()
            .is_ok_and(|cause| matches!(cause, Some(Cause::Source(s)) if s.is_repeated))
        && case
            .chart()
            .if_read()
            .is_some_and(|chart| chart.well().is_some() && is_wanted(case, chart))
}

/// The chart is the one that the manifest wants now: Flux brings a HelmChart's spec up to date only at its next check.
pub(super) fn is_wanted(case: &Case<'_>, chart: &Source) -> bool {
    let Some(wanted) = &case.hr().spec.chart else {
        // What chartRef names has a spec of its own.
        return true;
    };
    let reference = &wanted.spec.source_ref;
    let is_its_source = chart
        .source_ref
        .set()
        .is_some_and(|own| own.kind == reference.kind && own.name == reference.name)
        && case.hr().source_namespace() == Some(&chart.meta.namespace);
    let any = |version: Option<&str>| version.filter(|v| !v.is_empty()).unwrap_or("*").to_owned();
    is_its_source
        && chart.chart.is(&wanted.spec.chart)
        && !chart.version.is_malformed()
        && any(chart.version.as_str()) == any(wanted.spec.version.as_deref())
}

/// The first complaint of `kind`, with everything else that was told as evidence, but nothing twice.
pub(super) fn find(case: &Case<'_>, kind: SourceError) -> Option<(Complaint, Vec<Evidence>)> {
    let all = complaints(case);
    let at = all.iter().position(|t| t.kind == Some(kind))?;
    let evidence = all
        .iter()
        .enumerate()
        .filter(|(i, t)| !all[..*i].iter().any(|before| t.repeats(before)))
        .map(|(_, t)| t.evidence())
        .collect();
    all.into_iter().nth(at).map(|told| (told, evidence))
}

/// The Secret that the source names in a field.
pub(super) fn secret(
    case: &Case<'_>,
    field: impl Fn(&Source) -> &Field<SecretRef>,
) -> Option<Subject> {
    let source = case.source().if_read()?;
    let secret = field(source).set()?;
    Some(Subject::new("Secret", &source.meta.namespace, &secret.name))
}

/// Nothing found: clear, or not run where the chart or its source is not known.
pub(super) fn nothing(case: &Case<'_>) -> Verdict {
    case.chart()?;
    if !is_own_source(case) {
        case.source()?;
    }
    Ok(None)
}

/// `spec.chartRef` names what is fetched itself: no other object stands behind it.
pub(super) fn is_own_source(case: &Case<'_>) -> bool {
    let reference = case.hr().spec.chart_ref.as_ref();
    reference.is_some_and(|r| r.kind != "HelmChart")
}

/// The HelmRelease waits for a chart; if not, what is wrong with the sources is no more than a warning.
pub(super) fn blocks(case: &Case<'_>) -> bool {
    if case.is_ready() {
        return false;
    }
    match &case.failure {
        Some(_) => REASONS.contains(&case.reason()) || case.reason() == "AccessDenied",
        // An action that runs has its chart.
        None => !case
            .hr()
            .conditions()
            .iter()
            .map(Stated::of_any_spec)
            .any(|c| c.message.starts_with("Running '")),
    }
}

/// The chart's source: as an object where it was read, else as the chart or the manifest names it.
pub(super) fn source(case: &Case<'_>) -> Option<Subject> {
    if let Some(source) = case.source().if_read() {
        return Some(Subject::from(&source.meta));
    }
    let spec = &case.hr().spec;
    if let Some(reference) = &spec.chart_ref {
        return named(case, reference).filter(|_| is_own_source(case));
    }
    named(case, &spec.chart.as_ref()?.spec.source_ref)
}

/// The chart's own object: as it was read, else as the HelmRelease names it.
pub(super) fn chart(case: &Case<'_>) -> Option<Subject> {
    if let Some(chart) = case.chart().if_read()
        && !chart.meta.name.is_empty()
    {
        return Some(Subject::from(&chart.meta));
    }
    if let Some(reference) = &case.hr().spec.chart_ref {
        return named(case, reference);
    }
    let (namespace, name) = case.hr().helm_chart()?;
    Some(Subject::new("HelmChart", &namespace, &name))
}

/// What a reference means; without a namespace it is in the HelmRelease's own.
fn named(case: &Case<'_>, reference: &ObjectRef) -> Option<Subject> {
    let namespace = reference.namespace.as_deref().filter(|n| !n.is_empty());
    let namespace = namespace.unwrap_or(&case.hr().metadata.namespace);
    (!reference.name.is_empty()).then(|| Subject::new(&reference.kind, namespace, &reference.name))
}

/// The chart's name, if the repository's URL already ends with it: Flux appends it again. Nothing is appended to the URL of an
/// `OCIRepository`.
pub(super) fn named_twice(case: &Case<'_>) -> Option<String> {
    if is_own_source(case) {
        return None;
    }
    let (chart, _) = wanted(case);
    let ends = url(case)
        .trim_end_matches('/')
        .ends_with(&format!("/{chart}"));
    (ends && !chart.is_empty()).then_some(chart)
}

/// The source's URL; empty when it was not read.
pub(super) fn url(case: &Case<'_>) -> String {
    let url = links(case).find_map(|link| link.url.as_str());
    // Cut, because a URL can contain a user name, a password or a signature.
    url.map_or(String::new(), |url| {
        without_login(url.split('?').next().unwrap_or_default())
    })
}

/// Whether the URL has a query, such as a signature.
pub(super) fn has_query(case: &Case<'_>) -> bool {
    let mut urls = links(case).filter_map(|link| link.url.as_str());
    urls.next().is_some_and(|url| url.contains('?'))
}

/// The chart's name and version range, as the manifest or the `OCIRepository` has them.
pub(super) fn wanted(case: &Case<'_>) -> (String, String) {
    if is_own_source(case) {
        let chart = case.chart().if_read();
        let version = chart.map_or("latest", Source::oci_version);
        let url = url(case);
        let name = url.rsplit('/').next().unwrap_or_default();
        return (name.to_owned(), version.to_owned());
    }
    let spec = case.hr().spec.chart.as_ref().map(|c| &c.spec);
    let name = spec.map_or_else(String::new, |s| s.chart.clone());
    let version = spec
        .and_then(|s| s.version.clone())
        .unwrap_or_else(|| "*".to_owned());
    (name, version)
}

/// Where the wanted version stands.
pub(super) fn version_field(case: &Case<'_>) -> (Subject, &'static str) {
    match source(case) {
        Some(subject) if is_own_source(case) => (subject, ".spec.ref"),
        _ => (case.subject(), ".spec.chart.spec.version"),
    }
}

/// Whether what the manifest names, the source or what `chartRef` names, is seen to be absent.
pub(super) fn source_is_absent(case: &Case<'_>) -> bool {
    let is_absent = |part: Checked<Option<&Source>>| part == Ok(None);
    is_absent(case.source()) || case.hr().spec.chart_ref.is_some() && is_absent(case.chart())
}
