//! SKVS134: the onboarding waits for itself.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Evidence;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::helm_release::HelmRelease;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS134",
    slug: "dependency-circle",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the onboarding waits for itself",
    explanation: r#"`spec.dependsOn` goes in a circle: each HelmRelease waits until another is Ready, and the last of them waits for the first. None
is ever installed. Flux does not notice: it tells of a dependency that is not ready, of each of them."#,
    fix: r#"See it: `kubectl get helmreleases.helm.toolkit.fluxcd.io -A -o custom-columns=NAME:.metadata.name,DEPENDS:.spec.dependsOn[*].name`

Take one of the references out. An onboarding needs no other onboarding."#,
    example: r#"DependencyNotReady: dependency 'flux-system/a' is not ready, and that one depends on this"#,
    needs: &[],
    explains: &["SKVS103", "SKVS108"],
    when: waits,
    check,
};

/// References that are followed.
const LONGEST: usize = 20;

fn waits(case: &Case<'_>) -> bool {
    !case.is_ready() && !case.hr().spec.depends_on.is_empty()
}

fn check(case: &Case<'_>) -> Verdict {
    let Some(circle) = circle(case) else {
        return Verdict::Clear;
    };
    let way = circle.join(" waits for ");
    case.finding(case.subject(), format!("it waits for itself: {way}"))
        .why("Each waits until the next is Ready, so none is ever installed. Flux does not notice.")
        .seen([Evidence::new(case.subject(), ".spec.dependsOn", &way)])
        .step("Take one of these references out of its manifest.")
        .then(then(case, Fixes::Manifest))
        .into()
}

/// The ids from this HelmRelease to itself, the shortest way.
fn circle(case: &Case<'_>) -> Option<Vec<String>> {
    let mine = case.hr().id();
    let mut ways = vec![vec![mine.clone()]];
    let mut known = vec![mine.clone()];
    for _ in 0..LONGEST {
        let mut longer = Vec::new();
        for way in ways {
            let at = way.last().and_then(|id| find(case, id));
            for next in at.into_iter().flat_map(dependencies) {
                let mut way = way.clone();
                way.push(next.clone());
                if next == mine {
                    return Some(way);
                }
                if !known.contains(&next) {
                    known.push(next);
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}

fn dependencies(hr: &HelmRelease) -> impl Iterator<Item = String> {
    hr.spec.depends_on.iter().map(|d| {
        let namespace = d.namespace.as_deref().filter(|n| !n.is_empty());
        format!("{}/{}", namespace.unwrap_or(&hr.metadata.namespace), d.name)
    })
}

/// The HelmRelease of that id, if it was read.
pub(super) fn find<'a>(case: &Case<'a>, id: &str) -> Option<&'a HelmRelease> {
    if case.hr().id() == id {
        return Some(case.hr());
    }
    let named = case.snapshot.dependencies.iter().find(|d| d.id == id);
    let others = case.snapshot.others.seen();
    named
        .and_then(|d| d.helm_release.seen())
        .or_else(|| others?.iter().find(|o| o.id() == id))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_way_round_is_told() {
        assert_eq!(
            fixture::sentence("dependency-circle", "SKVS134"),
            "it waits for itself: flux-system/skvs-onboarding-pds--database waits for flux-system/middle waits for flux-system/skvs-onboarding-pds--database"
        );
    }

    #[test]
    fn a_dependency_that_leads_nowhere_is_no_circle() {
        let roots = fixture::diagnosis("dependency-not-ready").roots;
        assert!(roots.iter().all(|r| r.rule.code != "SKVS134"));
    }
}
