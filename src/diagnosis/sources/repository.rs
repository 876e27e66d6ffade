//! Findings on a repository that does not do its part: which object it is, and how its place is said.

use super::{Complaint, find, finding, look_at, nothing, source, url};
use crate::diagnosis::case::Case;
use crate::diagnosis::controllers;
use crate::diagnosis::finding::Subject;
use crate::diagnosis::rule::Verdict;
use crate::model::source_error::{SourceError, host, host_asked};

/// What a rule says of a repository that does not do its part.
pub(in crate::diagnosis) struct Fault {
    pub kind: SourceError,
    /// The end of the sentence: `cannot be reached`.
    pub wrong: &'static str,
    pub why: &'static str,
    /// The step to which `kubectl describe` belongs.
    pub step: &'static str,
}

/// The repository's fault, if a complaint is of this kind.
pub(in crate::diagnosis) fn repository(case: &Case<'_>, fault: &Fault) -> Verdict {
    let Some((told, evidence)) = find(case, fault.kind) else {
        return nothing(case);
    };
    let subject = repository_of(case, &told);
    let sentence = at_host(case, &told, &subject, fault.wrong);
    let finding = finding(case, &subject, &sentence, fault.why).seen(evidence);
    // What it wrote before it broke off may be out of date.
    let finding = controllers::also(case, finding, "source-controller");
    look_at(case, finding, telling(case, &told, &subject), fault.step)
}

/// The repository that a complaint is about: the chart's source, or what complains.
pub(in crate::diagnosis) fn repository_of(case: &Case<'_>, told: &Complaint) -> Subject {
    source(case).unwrap_or_else(|| told.subject.clone())
}

/// `HelmRepository a/b at https://… is wrong`.
pub(in crate::diagnosis) fn at(case: &Case<'_>, subject: &Subject, wrong: &str) -> String {
    let url = url(case);
    if url.is_empty() {
        format!("{subject} {wrong}")
    } else {
        format!("{subject} at {url} {wrong}")
    }
}

/// The same of the host that was asked: an index may lead to archives, and a chart to dependencies, that are elsewhere.
pub(in crate::diagnosis) fn at_host(
    case: &Case<'_>,
    told: &Complaint,
    subject: &Subject,
    wrong: &str,
) -> String {
    match other_host(case, told) {
        Some(asked) => format!("{asked}, used by {subject}, {wrong}"),
        None => at(case, subject, wrong),
    }
}

/// The object that the complaint is about: the repository, or the one that leads from it to another host.
pub(in crate::diagnosis) fn telling<'t>(
    case: &Case<'_>,
    told: &'t Complaint,
    repository: &'t Subject,
) -> &'t Subject {
    match other_host(case, told) {
        Some(_) => &told.subject,
        None => repository,
    }
}

/// The host that was asked, where it is not the repository's own.
pub(in crate::diagnosis) fn other_host<'t>(
    case: &Case<'_>,
    told: &'t Complaint,
) -> Option<&'t str> {
    let url = url(case);
    let asked = host_asked(&told.condition.message)?;
    host(&url).filter(|own| asked != *own).map(|_| asked)
}
