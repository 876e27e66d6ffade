//! The way from a HelmRelease to its chart: what the chart's source, the chart and the HelmRelease say, nearest to the
//! cause first. Shared by the rules on charts and repositories.

use super::case::Case;
use super::controller_log;
use super::finding::{Evidence, Finding, Subject};
use super::retries::{Fixes, then};
use super::rule::{Severity, Verdict};
use crate::advice::Command;
use crate::model::condition::Condition;
use crate::model::helm_release::{GROUP, ObjectRef, PLURAL};
use crate::model::source_error::{SourceError, host, host_asked};
use crate::snapshot::{Checked, IfRead};
use crate::text::age::duration;
use serde_json::Value;

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
pub(super) struct Told {
    pub subject: Subject,
    pub condition: Condition,
    /// `None` for texts that no version is known to write.
    pub kind: Option<SourceError>,
}

impl Told {
    fn new(subject: Subject, condition: Condition) -> Self {
        let kind = SourceError::of(&condition);
        Self {
            subject,
            condition,
            kind,
        }
    }

    /// It only says what another one has said, which it names.
    fn repeats(&self, before: &Told) -> bool {
        let said = before.condition.message.as_str();
        !said.is_empty() && self.condition.message.ends_with(said)
    }

    /// It as evidence.
    pub(super) fn evidence(&self) -> Evidence {
        Evidence::condition(self.subject.clone(), &self.condition)
    }
}

/// Every complaint: of the source, of the chart, of the HelmRelease.
pub(super) fn told(case: &Case<'_>) -> Vec<Told> {
    let mut all: Vec<Told> = links(case)
        .filter_map(|(object, kind)| Some(Told::new(Subject::of(object, kind), complaint(object)?)))
        .collect();
    if let Some(failure) = &case.failure
        && REASONS.contains(&case.reason())
        && !is_outdated(case)
    {
        all.push(Told::new(case.subject(), failure.condition.clone()));
    }
    all
}

/// The source and the chart, as far as they were read.
pub(super) fn links<'a>(case: &Case<'a>) -> impl Iterator<Item = (&'a Value, &'static str)> {
    let links = [
        (case.source(), "HelmRepository"),
        (case.chart(), "HelmChart"),
    ];
    links
        .into_iter()
        .filter_map(|(link, kind)| Some((link.if_read()?, kind)))
}

/// The conditions of a source object.
pub(super) fn conditions(object: &Value) -> Vec<Condition> {
    let all = object
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    all.map(|all| {
        all.iter()
            .filter_map(|c| serde_json::from_value(c.clone()).ok())
            .collect()
    })
    .unwrap_or_default()
}

/// The condition of a source object that tells what is wrong.
pub(crate) fn complaint(object: &Value) -> Option<Condition> {
    let conditions = conditions(object);
    let find = |kind: &str, status: &str| {
        conditions
            .iter()
            .find(|c| c.kind == kind && c.status == status)
    };
    find("FetchFailed", "True")
        .or_else(|| find("BuildFailed", "True"))
        .or_else(|| find("StorageOperationFailed", "True"))
        .or_else(|| find("SourceVerified", "False"))
        .or_else(|| find("Ready", "False"))
        .cloned()
}

/// The HelmRelease repeats what its chart said, and the chart is well by now.
pub(super) fn is_outdated(case: &Case<'_>) -> bool {
    REASONS.contains(&case.reason())
        && case
            .error()
            .is_ok_and(|error| error.contains(" is not ready"))
        && case
            .chart()
            .if_read()
            .is_some_and(|chart| is_well(chart) && is_wanted(case, chart))
}

/// Ready, of the present spec, with an artifact, and no condition complains.
pub(super) fn is_well(object: &Value) -> bool {
    let generation = object
        .pointer("/metadata/generation")
        .and_then(Value::as_i64);
    let is_history = |c: &Condition| generation.is_some_and(|generation| c.is_history(generation));
    let ready = conditions(object)
        .iter()
        .any(|c| c.kind == "Ready" && c.is_true() && !is_history(c));
    ready && looked_at(object) && artifact(object).is_some() && complaint(object).is_none()
}

/// The chart is the one that the manifest wants now: Flux brings a HelmChart's spec up to date only at its next check.
pub(super) fn is_wanted(case: &Case<'_>, chart: &Value) -> bool {
    let Some(wanted) = &case.hr().spec.chart else {
        // What chartRef names has a spec of its own.
        return true;
    };
    let text = |path: &str| chart.pointer(path).and_then(Value::as_str);
    let any = |version: Option<&str>| version.filter(|v| !v.is_empty()).unwrap_or("*").to_owned();
    text("/spec/chart") == Some(wanted.spec.chart.as_str())
        && any(text("/spec/version")) == any(wanted.spec.version.as_deref())
}

/// source-controller has worked on the present spec.
pub(crate) fn looked_at(object: &Value) -> bool {
    let number = |path: &str| object.pointer(path).and_then(Value::as_i64);
    number("/status/observedGeneration") >= number("/metadata/generation")
}

/// What the object has stored.
pub(crate) fn artifact(object: &Value) -> Option<&Value> {
    object.pointer("/status/artifact").filter(|a| a.is_object())
}

/// Source-controller is told to leave the object alone.
pub(crate) fn is_suspended(object: &Value) -> bool {
    object.pointer("/spec/suspend").and_then(Value::as_bool) == Some(true)
}

/// A HelmRepository of an OCI registry: nothing is fetched for it, so it has neither conditions nor an artifact.
pub(crate) fn is_static(object: &Value) -> bool {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str);
    text("/spec/type") == Some("oci")
}

/// The first complaint of `kind`, with everything else that was told as evidence, but nothing twice.
pub(super) fn find(case: &Case<'_>, kind: SourceError) -> Option<(Told, Vec<Evidence>)> {
    let all = told(case);
    let at = all.iter().position(|t| t.kind == Some(kind))?;
    let evidence = all
        .iter()
        .enumerate()
        .filter(|(i, t)| !all[..*i].iter().any(|before| t.repeats(before)))
        .map(|(_, t)| t.evidence())
        .collect();
    all.into_iter().nth(at).map(|told| (told, evidence))
}

/// What a rule says of a repository that does not do its part.
pub(super) struct Fault {
    pub kind: SourceError,
    /// What stands after the repository: `cannot be reached`.
    pub wrong: &'static str,
    pub why: &'static str,
    /// What to do with what `kubectl describe` tells of it.
    pub step: &'static str,
}

/// The repository's fault, if a complaint is of this kind.
pub(super) fn repository(case: &Case<'_>, fault: &Fault) -> Verdict {
    let Some((told, evidence)) = find(case, fault.kind) else {
        return nothing(case);
    };
    let subject = repository_of(case, &told);
    let sentence = at_host(case, &told, &subject, fault.wrong);
    let finding = finding(case, &subject, &sentence, fault.why).seen(evidence);
    look_at(case, finding, telling(case, &told, &subject), fault.step)
}

/// The end of a finding that is mended outside of the manifest, at what `kubectl describe` tells of the subject.
pub(super) fn look_at(case: &Case<'_>, finding: Finding, subject: &Subject, step: &str) -> Verdict {
    finding
        .step(step)
        .command(describe(subject))
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// A finding on the chart or its source, as bad as what it does to the onboarding.
pub(super) fn finding(case: &Case<'_>, subject: &Subject, sentence: &str, why: &str) -> Finding {
    Finding::new(subject.clone(), sentence)
        .severity(severity(case))
        .why(why)
        .whys(goes_on(case).as_deref())
}

/// The repository that a complaint is about: the chart's source, or what complains.
pub(super) fn repository_of(case: &Case<'_>, told: &Told) -> Subject {
    source(case).unwrap_or_else(|| told.subject.clone())
}

/// `HelmRepository a/b at https://… is wrong`.
pub(super) fn at(case: &Case<'_>, subject: &Subject, wrong: &str) -> String {
    let url = url(case);
    if url.is_empty() {
        format!("{subject} {wrong}")
    } else {
        format!("{subject} at {url} {wrong}")
    }
}

/// The same of the host that was asked: an index may lead to archives, and a chart to dependencies, that are elsewhere.
pub(super) fn at_host(case: &Case<'_>, told: &Told, subject: &Subject, wrong: &str) -> String {
    match other_host(case, told) {
        Some(asked) => format!("{asked}, used by {subject}, {wrong}"),
        None => at(case, subject, wrong),
    }
}

/// The object that the complaint is about: the repository, or the one that leads from it to another host.
pub(super) fn telling<'t>(case: &Case<'_>, told: &'t Told, repository: &'t Subject) -> &'t Subject {
    match other_host(case, told) {
        Some(_) => &told.subject,
        None => repository,
    }
}

/// The host that was asked, where it is not the repository's own.
fn other_host<'t>(case: &Case<'_>, told: &'t Told) -> Option<&'t str> {
    let url = url(case);
    let asked = host_asked(&told.condition.message)?;
    host(&url).filter(|own| asked != *own).map(|_| asked)
}

/// The Secret that the source names in `field`.
pub(super) fn secret(case: &Case<'_>, field: &str) -> Option<Subject> {
    let source = case.source().if_read()?;
    let name = source["spec"][field]["name"].as_str()?;
    let namespace = source["metadata"]["namespace"].as_str()?;
    Some(Subject::new("Secret", namespace, name))
}

/// A kind in kubectl's words, with its group: other groups have a `HelmChart` (k3s and RKE2) and a `Bucket`, too.
pub(super) fn resource(kind: &str) -> String {
    let plural = match kind {
        "HelmRelease" => return format!("{PLURAL}.{GROUP}"),
        "HelmRepository" => "helmrepositories",
        "HelmChart" => "helmcharts",
        "GitRepository" => "gitrepositories",
        "OCIRepository" => "ocirepositories",
        "Bucket" => "buckets",
        "ExternalArtifact" => "externalartifacts",
        other => return other.to_lowercase(),
    };
    format!("{plural}.source.toolkit.fluxcd.io")
}

/// `kubectl describe -n NAMESPACE KIND NAME`.
pub(super) fn describe(subject: &Subject) -> Command {
    Command::new([
        "kubectl",
        "describe",
        "-n",
        &subject.namespace,
        &resource(&subject.kind),
        &subject.name,
    ])
}

/// The end of a finding whose conditions tell no more: they, and the log of source-controller.
pub(super) fn look_further(case: &Case<'_>, finding: Finding, subject: &Subject) -> Verdict {
    let finding = finding
        .step("Look at its conditions, then at the log of source-controller:")
        .command(describe(subject));
    controller_log::shown(case, finding, "source-controller", "1h")
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// Makes source-controller look at the object now.
pub(super) fn reconcile(case: &Case<'_>, subject: &Subject) -> Command {
    let token = case.now.strftime("%Y-%m-%dT%H:%M:%SZ");
    Command::new([
        "kubectl",
        "annotate",
        "-n",
        &subject.namespace,
        &resource(&subject.kind),
        &subject.name,
        "--overwrite",
        "--field-manager=flux-client-side-apply",
        &format!("reconcile.fluxcd.io/requestedAt={token}"),
    ])
}

/// What an onboarding makes of it that does not wait for a chart: how old its chart is, and since when no newer one comes.
pub(super) fn goes_on(case: &Case<'_>) -> Option<String> {
    if blocks(case) {
        return None;
    }
    if !case.is_ready() {
        return Some(
            "This does not keep the onboarding from being Ready: it has a chart.".to_owned(),
        );
    }
    let ago = |time: Option<&str>| case.seconds_since(time).map(duration);
    let stored = links(case)
        .filter(|(_, kind)| *kind == "HelmChart")
        .find_map(|(o, _)| ago(artifact(o)?.get("lastUpdateTime")?.as_str()))
        .map_or(String::new(), |age| format!(", stored {age} ago"));
    let since = links(case)
        .filter_map(|(o, _)| complaint(o))
        .find_map(|c| ago(c.last_transition_time.as_deref()))
        .map_or(String::new(), |age| {
            format!("; the last attempts failed for {age}")
        });
    Some(format!(
        "The onboarding runs on its present chart{stored}; newer ones do not arrive{since}."
    ))
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
            .status
            .conditions
            .iter()
            .any(|c| c.message.starts_with("Running '")),
    }
}

/// As bad as what it does to the onboarding.
pub(super) fn severity(case: &Case<'_>) -> Severity {
    if blocks(case) {
        Severity::Error
    } else {
        Severity::Warning
    }
}

/// The chart's source: as an object where it was read, else as the chart or the manifest names it.
pub(super) fn source(case: &Case<'_>) -> Option<Subject> {
    if let Some(object) = case.source().if_read() {
        return Some(Subject::of(object, "HelmRepository"));
    }
    let spec = &case.hr().spec;
    if let Some(reference) = &spec.chart_ref {
        return named(case, reference).filter(|_| is_own_source(case));
    }
    named(case, &spec.chart.as_ref()?.spec.source_ref)
}

/// The chart's own object: as it was read, else as the HelmRelease names it.
pub(super) fn chart(case: &Case<'_>) -> Option<Subject> {
    if let Some(object) = case.chart().if_read()
        && object.pointer("/metadata/name").is_some()
    {
        return Some(Subject::of(object, "HelmChart"));
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

/// The chart's name is in the source's URL already, and Flux appends it once more: the name that is there twice.
pub(super) fn named_twice(case: &Case<'_>) -> Option<String> {
    let (chart, _) = wanted(case);
    let ends = url(case)
        .trim_end_matches('/')
        .ends_with(&format!("/{chart}"));
    (ends && !chart.is_empty()).then_some(chart)
}

/// The source's URL; empty when it was not read.
pub(super) fn url(case: &Case<'_>) -> String {
    let url = links(case).find_map(|(o, _)| o.pointer("/spec/url")?.as_str());
    // A user name or password in a URL is nobody's business.
    url.map_or(String::new(), |u| {
        match (u.split_once("://"), u.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
            _ => u.to_owned(),
        }
    })
}

/// The chart's name and version range, as the manifest or the `OCIRepository` has them.
pub(super) fn wanted(case: &Case<'_>) -> (String, String) {
    if is_own_source(case) {
        let chart = case.chart().if_read();
        let reference = chart.and_then(|o| o.pointer("/spec/ref"));
        let version = ["digest", "semver", "tag"]
            .iter()
            .find_map(|k| reference?.get(k)?.as_str())
            .unwrap_or("latest");
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
    let is_absent = |part: Checked<Option<&Value>>| part == Ok(None);
    is_absent(case.source()) || case.hr().spec.chart_ref.is_some() && is_absent(case.chart())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_the_group_where_others_have_the_kind() {
        let chart = Subject::new("HelmChart", "flux-system", "a");
        assert_eq!(
            describe(&chart)
                .at(&crate::advice::Origin::default())
                .to_string(),
            "kubectl describe -n flux-system helmcharts.source.toolkit.fluxcd.io a"
        );
        assert_eq!(
            resource("HelmRelease"),
            "helmreleases.helm.toolkit.fluxcd.io"
        );
        assert_eq!(resource("Secret"), "secret");
    }
}
