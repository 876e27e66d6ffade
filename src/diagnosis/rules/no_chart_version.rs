//! SKVS201: no version of the chart is in the requested range.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::Evidence;
use crate::diagnosis::peers::{self, Wrong};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources;
use crate::model::source_error::{SourceError, is_no_range};
use crate::model::version_range::{self, Range};

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
    let index = match sources::source(case) {
        Some(source) if source.kind == "HelmRepository" => "the repository's index",
        _ => "the source",
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
        .whys(takes_no_pre_release(&version).then_some("A range takes a pre-release, such as 0.1.0-rc.1, only if it names one itself, as >=0.1.0-0 <0.2.0-0 does."))
        .change(peers::chart(case, Wrong::Version))
        .step(match version == RUNBOOK {
            true => format!(
                "The range is the runbook's. See which versions {index} still has, and ask the chart's publisher if they were removed."
            ),
            false => format!(
                "See which versions {index} has. Then correct {} of {holder} in its manifest; the runbook's range is {RUNBOOK}",
                field.trim_start_matches('.')
            ),
        })
        .then(then(
            case,
            match version == RUNBOOK {
                true => Fixes::Elsewhere,
                false => Fixes::Manifest,
            },
        ))
        .into()
}

/// The range of the runbook's manifest.
const RUNBOOK: &str = "<0.2.0";

/// Whether it is a range of which no version names a pre-release. One version alone is taken as it is.
fn takes_no_pre_release(range: &str) -> bool {
    let names_one = range
        .split([' ', ',', '|'])
        .any(|word| word.contains('-') && word != "-");
    version_range::range(range) != Range::Invalid && !names_one
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
    use crate::diagnosis::case::Case;
    use crate::diagnosis::{diagnose, fixture};

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
    fn a_range_that_names_no_pre_release_takes_none() {
        use super::takes_no_pre_release;
        for (range, none) in [
            ("<0.2.0", true),
            (">=0.1.0 <0.2.0", true),
            ("0.1.0 - 0.2.0", true),
            (">=0.1.0-0 <0.2.0-0", false),
            ("0.1.0-rc.1", false),
            ("newest", false),
        ] {
            assert_eq!(takes_no_pre_release(range), none, "{range}");
        }
    }

    #[test]
    fn the_range_that_is_set_already_is_not_advised() {
        let advice = |version: &str| {
            let mut snapshot = fixture::snapshot("no-chart-version");
            let chart = snapshot.helm_release.spec.chart.as_mut().unwrap();
            chart.spec.version = Some(version.to_owned());
            let case = Case::new(&snapshot, fixture::meta("no-chart-version").now);
            fixture::lines(fixture::of_code(diagnose(&case), "SKVS201"))
        };
        assert!(advice(">=9.0.0").contains("the runbook's range is <0.2.0"));
        let own = advice("<0.2.0");
        assert!(own.contains("The range is the runbook's."), "{own}");
        assert!(!own.contains("Correct spec.chart"), "{own}");
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

    #[test]
    fn a_range_is_explained_by_its_own_words() {
        let name = "no-chart-version";
        let look = |version: &str| {
            let mut snapshot = fixture::snapshot(name);
            let chart = snapshot.helm_release.spec.chart.as_mut().unwrap();
            chart.spec.version = Some(version.to_owned());
            let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
            let found = found.unwrap().unwrap();
            let next = format!("{:?}", found.then);
            (found.why.join(" "), next, fixture::lines(found))
        };
        let (why, next, told) = look(">=0.01.0");
        assert!(why.contains("01 has a leading zero"), "{why}");
        assert!(why.contains("takes a pre-release"), "{why}");
        assert!(
            told.contains("See which versions the repository's index has."),
            "{told}"
        );
        let (why, own, told) = look("<0.2.0");
        assert!(!why.contains("leading zero"), "{why}");
        assert!(
            told.contains("See which versions the repository's index still has"),
            "{told}"
        );
        // Nothing in the manifest is to be changed.
        assert_ne!(own, next);
        let (why, _, _) = look(">=9.0.0-0");
        assert!(!why.contains("takes a pre-release"), "{why}");
    }
}
