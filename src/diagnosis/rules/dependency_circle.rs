//! SKVS134: the onboarding waits for itself.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Evidence;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::helm_release::HelmRelease;
use crate::snapshot::{IfRead, Unread, Why};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS134",
    slug: "dependency-circle",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the onboarding waits for itself",
    explanation: r#"`spec.dependsOn` goes in a circle: each HelmRelease waits for the next to be Ready, and the last one waits for the first.
None is ever installed. Flux does not notice: for each of them it reports a dependency that is not ready."#,
    fix: r#"See it:
`kubectl get helmreleases.helm.toolkit.fluxcd.io -A -o custom-columns=NAME:.metadata.name,DEPENDS:.spec.dependsOn[*].name`

Remove one of the references. An onboarding does not need another onboarding."#,
    example: r#"DependencyNotReady: dependency 'flux-system/a' is not ready, and that one depends on this"#,
    explains: &["SKVS103", "SKVS108"],
    contradicted_by: &[],
    check,
};

/// References that are followed.
const LONGEST: usize = 20;

fn waits(case: &Case<'_>) -> bool {
    !case.is_ready() && !case.hr().spec.depends_on.is_empty()
}

fn check(case: &Case<'_>) -> Verdict {
    if !waits(case) {
        return Ok(None);
    }
    let circle = match circle(case) {
        Walk::Round(circle) => circle,
        Walk::Through => return Ok(None),
        Walk::Unread(unread) => return Err(unread),
    };
    let way = circle.join(" waits for ");
    case.finding(case.subject(), format!("it waits for itself: {way}"))
        .why(
            "Each waits for the next to be Ready, so none is ever installed. Flux does not notice.",
        )
        .seen([Evidence::new(case.subject(), ".spec.dependsOn", &way)])
        .step("Remove one of these references from its manifest.")
        .then(then(case, Fixes::Manifest))
        .into()
}

/// Where the references lead.
enum Walk {
    /// From this HelmRelease to itself: the ids, the shortest way.
    Round(Vec<String>),
    /// Each to its end, and none back.
    Through,
    /// To one that is not known, and why: it may lead back.
    Unread(Unread),
}

fn circle(case: &Case<'_>) -> Walk {
    let mine = case.hr().id();
    let mut ways = vec![vec![mine.clone()]];
    let mut known = vec![mine.clone()];
    let mut unread = None;
    for _ in 0..LONGEST {
        let mut longer = Vec::new();
        for way in ways {
            let Some(at) = way.last() else { continue };
            let Some(at) = find(case, at) else {
                unread = unread.or_else(|| Some((at.clone(), unknown(case, at)?)));
                continue;
            };
            for next in dependencies(at) {
                let mut way = way.clone();
                way.push(next.clone());
                if next == mine {
                    return Walk::Round(way);
                }
                if !known.contains(&next) {
                    known.push(next);
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    let further = ways.first().and_then(|way| way.last());
    let further = further.map(|id| {
        (
            id.clone(),
            Why::NotAsked(format!("only {LONGEST} references are followed")),
        )
    });
    match unread.or(further) {
        Some((id, why)) => Walk::Unread(Unread::new(format!("HelmRelease {id}"), why)),
        None => Walk::Through,
    }
}

/// Why what that HelmRelease depends on is not known; `None` where it is absent and depends on nothing.
fn unknown(case: &Case<'_>, id: &str) -> Option<Why> {
    if let Some(named) = case.dependencies().iter().find(|d| d.id == id) {
        return named.helm_release().err().map(|unread| unread.why);
    }
    let read = case.others().and(case.elsewhere());
    Some(match read {
        Err(unread) => unread.why,
        Ok(()) => {
            Why::NotAsked("only its own dependencies and other onboardings are read".to_owned())
        }
    })
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
    let named = case.dependencies().iter().find(|d| d.id == id);
    let others = case.others().unwrap_or_default();
    // `unknown` says why one was not read.
    named
        .and_then(|d| d.helm_release().if_read())
        .or_else(|| others.iter().find(|o| o.id() == id))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::case::Case;
    use crate::diagnosis::fixture;
    use crate::snapshot::{Read, Snapshot, Why};
    use std::sync::Arc;

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

    #[test]
    fn a_link_that_was_not_read_may_lead_back() {
        let walked = |change: &dyn Fn(&mut Snapshot)| {
            let mut snapshot = fixture::snapshot("dependency-circle");
            change(&mut snapshot);
            let now = fixture::meta("dependency-circle").now;
            match super::check(&Case::new(&snapshot, now)) {
                Err(unread) => format!("{}: {}", unread.what, unread.why.clause()),
                Ok(None) => "clear".to_owned(),
                Ok(Some(_)) => "found".to_owned(),
            }
        };
        let refused = || Why::Forbidden("get helmreleases in flux-system".to_owned());
        assert_eq!(walked(&|_| {}), "found");
        assert_eq!(
            walked(&|s| {
                s.others = Arc::new(Read::Unknown(refused()));
                s.dependencies[0].helm_release = Read::Unknown(refused()).into();
            }),
            "HelmRelease flux-system/middle: forbidden (get helmreleases in flux-system)"
        );
        assert_eq!(
            walked(&|s| {
                s.others = Arc::new(Read::Seen(Vec::new()));
                s.dependencies[0].helm_release = Read::Absent.into();
            }),
            "clear"
        );
        // The one in the middle waits for another that is no onboarding.
        assert_eq!(
            walked(&|s| {
                s.others = Arc::new(Read::Seen(Vec::new()));
                if let Some(middle) = s.dependencies[0].helm_release.seen_mut() {
                    middle.spec.depends_on[0].name = "network".to_owned();
                }
            }),
            "HelmRelease flux-system/network: only its own dependencies and other onboardings are read"
        );
    }
}
