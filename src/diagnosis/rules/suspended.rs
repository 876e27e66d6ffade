//! SKVS107: the onboarding is suspended.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::flux_commands::kubectl;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::status;
use crate::model::suspension::Suspension;
use crate::text::age::duration;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS107",
    slug: "suspended",
    severity: Severity::Warning,
    role: Role::State,
    title: "the onboarding is suspended",
    explanation: r#"With `spec.suspend: true` Flux ignores the HelmRelease: no install, no upgrade, no retry. The status stays as it was. If a
suspended HelmRelease is deleted, its installed objects stay behind."#,
    fix: r#"See it: `kubectl get helmreleases.helm.toolkit.fluxcd.io -n NAMESPACE NAME -o yaml --show-managed-fields`. The entry in
`managedFields` with `f:suspend` names the writer and the time.

`kubectl skvs suspend` records who suspended it and why in annotations, and the report shows them.

First ask who suspended it, and why. Then remove `suspend: true` from the manifest, or resume it in the cluster."#,
    example: r#"spec.suspend is true; READY still shows what was before"#,
    explains: &["SKVS106", "SKVS332"],
    contradicted_by: &[],
    check,
};

fn suspended(case: &Case<'_>) -> bool {
    case.hr().spec.suspend
}

fn check(case: &Case<'_>) -> Verdict {
    if !suspended(case) {
        return Ok(None);
    }
    let status = &case.hr().status;
    let is_in_status = !status.history.is_empty() || status.last_release_revision.unwrap_or(0) > 0;
    // A controller that was suspended before it wrote its status has installed all the same.
    let installed = match case.revisions() {
        _ if is_in_status => "Installed objects stay as they are; changes of the manifest have no effect.".to_owned(),
        Ok(Some(stored)) if stored.iter().any(|r| matches!(r.status.as_str(), "deployed" | "superseded")) => "Helm has installed it, although its status does not say so: installed objects stay as they are, and changes of the manifest have no effect.".to_owned(),
        Ok(stored) => match stored.and_then(|all| all.first()) {
            Some(newest) => format!("Helm's storage has revision {} ({}) and none that was deployed; whether it created a database is not known.", newest.revision, newest.status),
            None => "Helm's storage has no revision: as far as it says, nothing was installed.".to_owned(),
        },
        Err(unread) => format!("Whether anything was installed is not known: its status names no release, and Helm's revisions were not read ({}).", unread.why.clause()),
    };
    let failed = status::failed(case.hr()).filter(|_| case.failure.is_some());
    let failed = failed.map(|before| format!("Before that, it failed: {before}"));
    let recorded = Suspension::from_release(case.hr());
    let by = recorded.map(|suspension| {
        let ago = case.seconds_since(suspension.at);
        let ago = ago.map_or(String::new(), |s| format!(" ({} ago)", duration(s)));
        format!("It is {}{ago}.", suspension.words())
    });
    let finding = Finding::new(case.subject(), "it is suspended: Flux does nothing for it")
        .whys(by.as_deref())
        .why(installed)
        .whys(failed.as_deref())
        .seen([Evidence::new(
            case.subject(),
            ".spec.suspend",
            "suspend: true",
        )]);
    let finding = match recorded.filter(|suspension| suspension.is_current) {
        Some(suspension) => {
            let by = crate::text::one_line(suspension.by);
            finding.step(format!("Ask {by} first whether it can be resumed."))
        }
        None => finding.step("Ask first who suspended it and why: the entry in managedFields with f:suspend names the writer.").command(kubectl(case, "get").args(["-o", "yaml", "--show-managed-fields"])),
    };
    finding
        .step("To resume, remove suspend from the manifest, or do as follows.")
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("suspended", "SKVS107"),
            "it is suspended: Flux does nothing for it"
        );
        let finding = fixture::finding("suspended-and-recorded", "SKVS107");
        assert_eq!(
            finding.why[0],
            "It is suspended by alice: CouchDB is upgraded until 14:00 (60s ago)."
        );
        let finding = fixture::finding("suspended-after-failure-old", "SKVS107");
        assert_eq!(
            finding.why[1],
            "Before that, it failed: install failed: namespace \"core\" not found (retries exhausted)"
        );
    }
}
