//! SKVS218: the chart's source has not been fetched yet.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::controller_log;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::source_error::SourceError;
use crate::snapshot::{IfRead, Unread};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS218",
    slug: "source-without-artifact",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart's source has not been fetched yet",
    explanation: r#"The HelmChart waits for its source, which has never been fetched successfully. The reason should be in the source's
conditions; here they do not show one, or were not read."#,
    fix: r#"See it: `kubectl describe helmrepository -n flux-system wit-artifactory`

Read the source's conditions and the log of source-controller. A new source needs a moment."#,
    example: r#"NoSourceArtifact: no artifact available for HelmRepository source 'wit-artifactory'"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let told = sources::complaints(case);
    let only_waits = told.iter().all(|t| {
        matches!(
            t.kind,
            Some(SourceError::NoArtifact | SourceError::NotLooked)
        )
    });
    let Some((first, _)) = sources::find(case, SourceError::NoArtifact).filter(|_| only_waits)
    else {
        return sources::nothing(case);
    };
    // By now it has an artifact, is suspended, or may be either: a field of it cannot be read.
    let seen = case.source().if_read();
    if sources::source_is_absent(case)
        || sources::links(case).any(|link| link.is_suspended() || !link.meta.malformed.is_empty())
        || seen.is_some_and(|source| !source.artifact.is_absent())
    {
        return sources::nothing(case);
    }
    let subject = sources::repository_of(case, &first);
    let why = match case.source() {
        Err(Unread { why, .. }) if !sources::is_own_source(case) => {
            format!(
                "The reason is in its conditions, which were not read: {}.",
                why.clause()
            )
        }
        _ => "Its conditions do not show the reason; a new source needs a moment.".to_owned(),
    };
    let finding = sources::finding(
        case,
        &subject,
        &format!("{subject} has not been fetched yet"),
        &why,
    )
    .seen(told.iter().map(sources::Complaint::evidence));
    controller_log::look_further(case, finding, &subject)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("source-without-artifact", "SKVS218"),
            "HelmRepository flux-system/wit-artifactory has not been fetched yet"
        );
        assert_eq!(
            fixture::sentence("source-without-artifact-not-read", "SKVS218"),
            "HelmRepository flux-system/wit-artifactory has not been fetched yet"
        );
    }
}
