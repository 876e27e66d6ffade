//! SKVS103: a dependency of the HelmRelease is not ready.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Evidence;
use crate::diagnosis::finding::{Finding, Subject};
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::rules::dependency_circle::find;
use crate::model::failure::{self, Cause};
use crate::model::helm_release::GROUP;
use crate::model::status;
use crate::snapshot::IfRead;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS103",
    slug: "dependency-not-ready",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a dependency of the HelmRelease is not ready",
    explanation: r#"Flux installs a HelmRelease only when everything in `spec.dependsOn` is Ready. The onboarding itself is not at fault and has
not been tried."#,
    fix: r#"See it: `kubectl get helmreleases.helm.toolkit.fluxcd.io -A`

Fix the dependency, or remove it from `spec.dependsOn` if it is not needed."#,
    example: r#"DependencyNotReady: dependency 'flux-system/istio' is not ready"#,
    explains: &["SKVS108", "SKVS110"],
    contradicted_by: &[],
    check,
};

/// Why a dependency is Ready for an older spec only.
#[derive(Clone, Copy)]
enum Outdated {
    Suspended,
    NotProcessed,
}

impl Outdated {
    fn clause(self) -> &'static str {
        match self {
            Outdated::Suspended => "which is suspended and was changed since",
            Outdated::NotProcessed => "whose status is older than its spec",
        }
    }
}

fn depends(case: &Case<'_>) -> bool {
    case.reason() == "DependencyNotReady"
}

fn check(case: &Case<'_>) -> Verdict {
    if !depends(case) {
        return Ok(None);
    }
    // The object says which one it is; the message only where no object was seen to be at fault.
    let seen = case.dependencies().iter().find_map(|d| {
        let (namespace, name) = d.id.split_once('/')?;
        let subject = Subject::new("HelmRelease", namespace, name);
        // Of one that was not read the message of the failure speaks.
        let Some(hr) = d.helm_release().ok()? else {
            return Some((subject, "does not exist".to_owned()));
        };
        let headline = status::headline(hr);
        (headline.ready != status::Ready::True).then(|| (subject, headline.line()))
    });
    // Ready of an older spec is not ready for Flux.
    let older = case.dependencies().iter().find_map(|d| {
        let (namespace, name) = d.id.split_once('/')?;
        let hr = d.helm_release().if_read()?;
        let observed = hr.status.observed_generation?;
        (observed >= 0 && observed < hr.metadata.generation).then(|| {
            let what = match hr.spec.suspend {
                true => Outdated::Suspended,
                false => Outdated::NotProcessed,
            };
            let state = format!(
                "generation {}, seen by Flux: {observed}",
                hr.metadata.generation
            );
            (Subject::new("HelmRelease", namespace, name), state, what)
        })
    });
    let outdated = older.as_ref().filter(|_| seen.is_none()).map(|o| o.2);
    let seen = seen.or(older.map(|(subject, state, _)| (subject, state)));
    let Some(Cause::Dependency(told)) = case.cause()? else {
        return Ok(None);
    };
    let named = told
        .id()
        .map(|(namespace, name)| Subject::new("HelmRelease", namespace, name));
    // Other versions name it in other quotes, or in none.
    let own = case.dependencies().iter();
    let own = own.filter(|d| told.mentions(&d.id) || case.dependencies().len() == 1);
    let named = named.or_else(|| {
        let (namespace, name) = own.map(|d| d.id.as_str()).next()?.split_once('/')?;
        Some(Subject::new("HelmRelease", namespace, name))
    });
    let (subject, state) = match seen {
        Some(seen) => seen,
        None => match named {
            Some(subject) if told.is_missing => (subject, "does not exist".to_owned()),
            Some(subject) => (subject, "not ready".to_owned()),
            None => (case.subject(), "a dependency is not ready".to_owned()),
        },
    };
    let what = if state == "does not exist" {
        "which does not exist"
    } else if let Some(outdated) = outdated {
        outdated.clause()
    } else if told.by_expression {
        "whose readyExpr is false"
    } else {
        "which is not ready"
    };
    let sentence = if subject == case.subject() {
        format!("it waits for a dependency {what}")
    } else {
        format!("it waits for HelmRelease {}, {what}", subject.id())
    };
    let mut finding = Finding::new(subject.clone(), sentence)
        .why("Flux installs it only when everything in spec.dependsOn is Ready.");
    if told.by_expression {
        finding = finding.why("The manifest requires more than Ready: spec.dependsOn[].readyExpr.");
    }
    finding =
        finding
            .seen(case.seen_failure())
            .seen([Evidence::new(subject.clone(), ".status", &state)]);
    // The one at the end of the chain is the one to fix.
    let mut last = subject.clone();
    let mut passed = vec![case.hr().id(), last.id()];
    while let Some((next, state)) = next(case, &last) {
        if passed.contains(&next.id()) {
            break;
        }
        passed.push(next.id());
        finding = finding
            .why(format!("{last} itself waits for {}: {state}", next.id()))
            .seen([Evidence::new(next.clone(), ".status", &state)]);
        last = next;
    }
    let describe = format!("helmreleases.{GROUP}");
    let finding = if what == "which does not exist" {
        finding
            .step("Create it, or remove it from spec.dependsOn. Existing HelmReleases:")
            .command(["kubectl", "get", "-n", &last.namespace, &describe])
    } else {
        let step = match outdated {
            Some(Outdated::Suspended) => "Ask who suspended it and why, and have it resumed:",
            Some(Outdated::NotProcessed) => {
                "Flux has not processed its present spec; its conditions say why:"
            }
            None => "Fix the dependency first:",
        };
        finding.step(step).command([
            "kubectl",
            "describe",
            "-n",
            &last.namespace,
            &describe,
            &last.name,
        ])
    };
    finding.then(then(case, Fixes::Elsewhere)).into()
}

/// What the HelmRelease `of` waits for in its turn, with its state.
fn next(case: &Case<'_>, of: &Subject) -> Option<(Subject, String)> {
    let hr = find(case, &of.id())?;
    let Cause::Dependency(told) = failure::failure(hr)?.present()?.text.cause else {
        return None;
    };
    let (namespace, name) = told.id()?;
    let state = find(case, &format!("{namespace}/{name}"))
        .map_or("not read".to_owned(), |hr| status::headline(hr).line());
    Some((Subject::new("HelmRelease", namespace, name), state))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("dependency-not-ready", "SKVS103"),
            "it waits for HelmRelease flux-system/istio, which is not ready"
        );
        assert_eq!(
            fixture::sentence("dependency-missing", "SKVS103"),
            "it waits for HelmRelease flux-system/istio, which does not exist"
        );
        assert_eq!(
            fixture::sentence("dependency-missing-old", "SKVS103"),
            "it waits for HelmRelease flux-system/istio, which does not exist"
        );
        assert_eq!(
            fixture::sentence("dependency-ready-expression", "SKVS103"),
            "it waits for HelmRelease flux-system/istio, whose readyExpr is false"
        );
    }

    #[test]
    fn the_chain_is_followed_to_its_end() {
        let finding = fixture::finding("dependency-chain-middle", "SKVS103");
        assert_eq!(
            finding.why[1],
            "HelmRelease flux-system/istio itself waits for flux-system/crds: install failed: timed out (retries exhausted)"
        );
        assert!(format!("{:?}", finding.fix).contains("\"crds\""));
    }
}
