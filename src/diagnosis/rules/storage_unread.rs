//! SKVS142: Flux could not read Helm's storage.

use crate::diagnosis::case::Case;
use crate::diagnosis::controller_log;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::snapshot::Unread;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS142",
    slug: "storage-unread",
    severity: Severity::Error,
    role: Role::Cause,
    title: "Flux could not read Helm's storage",
    explanation: r#"Controllers before 0.37 say only `failed to get last release revision`; the reason is in their events, which Kubernetes keeps
for an hour. Usually Flux's account may not read Secrets in the storage namespace."#,
    fix: r#"See it: `kubectl describe hr NAME`, the events, or the log of helm-controller.

Give the account in `spec.serviceAccountName` the rights on Secrets in the storage namespace, or fix the error in the event."#,
    example: r#"GetLastReleaseFailed: failed to get last release revision"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    if case.reason() != "GetLastReleaseFailed" {
        return Ok(None);
    }
    let finding = case
        .finding(case.subject(), "Flux could not read Helm's storage")
        .seen(case.seen_failure());
    let finding = match (case.seen_event(), case.failure_text()) {
        (Some(_), _) => finding.why("The status does not say why; an event does."),
        (None, Err(Unread { why, .. })) => finding.why(format!(
            "The status does not say why, and the events were not read: {}.",
            why.clause()
        )),
        (None, Ok(_)) => {
            finding.why("The status does not say why, and the event with the reason is gone.")
        }
    };
    let event = case.seen_event();
    if event.is_some_and(|event| event.observed.trim_end().ends_with(": Unauthorized")) {
        return refused(case, finding);
    }
    let account = case
        .service_account()
        .map_or("helm-controller".to_owned(), |a| a.name);
    let user = format!(
        "--as=system:serviceaccount:{}:{account}",
        case.hr().metadata.namespace
    );
    finding
        .step("Usually Flux's account may not read Secrets. Check it:")
        .command([
            "kubectl",
            "auth",
            "can-i",
            "list",
            "secrets",
            "-n",
            case.hr().storage_namespace(),
            &user,
        ])
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// A missing right is `Forbidden`; `Unauthorized` is about the token that helm-controller shows.
fn refused(case: &Case<'_>, finding: Finding) -> Verdict {
    let namespace = controller_log::namespace(case).unwrap_or(controller_log::USUAL);
    finding
        .why("Unauthorized is not about rights: the API server does not accept helm-controller's token, which has expired or belongs to an account that was created again.")
        .step("Restart helm-controller, so that it gets a new token:")
        .command(["kubectl", "rollout", "restart", "-n", namespace, "deployment/helm-controller"])
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_stands_alone_where_the_event_is_gone() {
        assert_eq!(
            fixture::sentence("storage-unread-old", "SKVS142"),
            "Flux could not read Helm's storage"
        );
    }

    #[test]
    fn the_event_leads_to_the_missing_right() {
        assert_eq!(
            fixture::sentence("storage-forbidden-old", "SKVS402"),
            "ServiceAccount flux-system/helm-controller may not list secrets in flux-system"
        );
        assert_eq!(fixture::followers("storage-forbidden-old"), ["SKVS142"]);
    }
}
