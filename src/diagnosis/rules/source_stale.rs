//! SKVS228: the chart's source cannot be refreshed.

use crate::diagnosis::case::Case;
use crate::diagnosis::controller_log;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::text::age::duration;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS228",
    slug: "source-stale",
    severity: Severity::Warning,
    role: Role::State,
    title: "the chart's source cannot be refreshed",
    explanation: r#"The onboarding has its chart, but fetching the source again fails with an unrecognised error. Nothing is broken now; newer
versions of the chart do not arrive."#,
    fix: r#"See it: `kubectl describe helmrepository -n flux-system wit-artifactory`

Read the error, then the log of source-controller. If the error recurs, please report it: it deserves its own code."#,
    example: r#"HelmRepository Ready=False while the HelmRelease is Ready=True on the chart of a month ago"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let unknown = sources::complaints(case)
        .into_iter()
        .find(|t| t.kind.is_none());
    let Some(told) = unknown.filter(|_| !sources::blocks(case)) else {
        return sources::nothing(case);
    };
    let subject = told.subject.clone();
    let since = case
        .seconds_since(told.condition.last_transition_time.as_deref())
        .map_or(String::new(), |s| format!(" for {}", duration(s)));
    let finding = sources::finding(
        case,
        &subject,
        &format!("{subject} has failed to refresh{since}"),
        "This is source-controller's own error, shown verbatim.",
    )
    .seen([told.evidence()]);
    controller_log::look_further(case, finding, &subject)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("ready-source-stale", "SKVS228"),
            "HelmRepository flux-system/wit-artifactory has failed to refresh for 3h"
        );
    }
}
