//! SKVS201: no version of the chart is in the requested range.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::Evidence;
use crate::diagnosis::peers::{self, Wrong};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::source_error::{SourceError, is_no_range};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS201",
    slug: "no-chart-version",
    severity: Severity::Error,
    role: Role::Cause,
    title: "no version of the chart is in the requested range",
    explanation: r#"`spec.chart.spec.version` is a range, and the repository has no version of the chart in it. Pre-releases count only if the
range itself names one, as in `>=0.2.0-0`. A word such as `latest` is not a range."#,
    fix: r#"See it: `helm search repo REPOSITORY/secure-kvs-onboarding --versions`

Correct `spec.chart.spec.version` in the manifest; the runbook's is `<0.2.0`. If the version should exist, ask the chart's
publisher."#,
    example: r#"no 'secure-kvs-onboarding' chart with version matching '>=9.0.0' found
could not locate a version matching provided version string >=9.0.0"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some((told, evidence)) = sources::find(case, SourceError::NoVersion) else {
        return sources::nothing(case);
    };
    let (chart, version) = sources::wanted(case);
    let from = sources::source(case).map_or(String::new(), |s| format!(" in {s}"));
    let (holder, field) = sources::version_field(case);
    let (sentence, why) = if is_no_range(&told.condition.message) {
        (
            format!("{version:?} is neither a version nor a range of versions of chart {chart}"),
            "A version is 0.1.2, a range <0.2.0 or 0.1.x; a word such as latest is neither.",
        )
    } else {
        (
            format!("no version of chart {chart} is in the range {version}{from}"),
            "The repository answers and has the chart, but no version in this range.",
        )
    };
    let zero = leading_zero(&version).map(|number| {
        format!("{number} has a leading zero, which a semantic version cannot have: Flux leaves such versions of the chart out.")
    });
    sources::finding(case, &told.subject, &sentence, why)
        .whys(zero.as_deref())
        .seen([Evidence::new(
            holder.clone(),
            field,
            &format!("version {version:?}"),
        )])
        .seen(evidence)
        .change(peers::chart(case, Wrong::Version))
        .step(format!(
            "Correct {} of {holder} in its manifest; the runbook's range is <0.2.0",
            field.trim_start_matches('.')
        ))
        .then(then(case, Fixes::Manifest))
        .into()
}

/// The first number of a range that begins with a zero it does not need. In a pre-release, whose hyphens are letters like others, only
/// an identifier that is all digits is a number; what follows a plus may be anything.
fn leading_zero(range: &str) -> Option<&str> {
    let is_number =
        |n: &&str| n.len() > 1 && n.starts_with('0') && n.bytes().all(|c| c.is_ascii_digit());
    let versions = range.split(|c: char| !c.is_ascii_alphanumeric() && !".-+".contains(c));
    let mut identifiers = versions.flat_map(|version| {
        let version = version.split('+').next().unwrap_or_default();
        let (core, pre_release) = version.split_once('-').unwrap_or((version, ""));
        core.split('.').chain(pre_release.split('.'))
    });
    identifiers.find(is_number)
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn a_word_is_no_range() {
        assert_eq!(
            fixture::sentence("no-chart-version-malformed", "SKVS201"),
            "\"newest\" is neither a version nor a range of versions of chart secure-kvs-onboarding"
        );
    }

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("no-chart-version", "SKVS201"),
            "no version of chart secure-kvs-onboarding is in the range >=9.0.0 in HelmRepository flux-system/wit-artifactory"
        );
    }

    #[test]
    fn only_a_number_has_a_leading_zero() {
        use super::leading_zero;
        for (range, zero) in [
            ("0.01.2", Some("01")),
            (">=1.0.0 <2.00.0", Some("00")),
            ("1.0.0-rc.01", Some("01")),
            ("1.0.0-2024-01-05", None),
            ("1.0.0+build.01", None),
            ("0.1.x || 1.0 - 2.0", None),
        ] {
            assert_eq!(leading_zero(range), zero, "{range}");
        }
    }
}
