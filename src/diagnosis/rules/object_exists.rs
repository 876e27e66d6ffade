//! SKVS128: an object that Helm wants to create already exists.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Subject;
use crate::diagnosis::object_commands;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::object::{ObjectError, is_of_storage};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS128",
    slug: "object-exists",
    severity: Severity::Error,
    role: Role::Cause,
    title: "an object that Helm wants to create already exists",
    explanation: r#"Helm creates hooks again at each attempt and does not take over existing objects. An object with the hook's name is in the
way: a release that was removed by force left it, or it was created by hand. For the creation Job this means that an old Job
exists. An object that is not a hook may come from a failed upgrade, or its deletion may not have finished."#,
    fix: r#"See it: `kubectl get RESOURCE NAME -n NAMESPACE -o yaml`

Make sure that no other onboarding created it (see its labels and annotations), then delete it. The log of an old creation
Job shows whether the database was created; deleting the Job does not touch the database."#,
    example: r#"warning: Hook pre-install secure-kvs-onboarding/templates/database-creation-job.yaml failed: jobs.batch "pds-database-create" already exists"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let namespace = case.hr().release_namespace();
    let Some(text) = case.failure_text()? else {
        return Ok(None);
    };
    let (resource, name) = match &text.cause {
        Cause::Object(ObjectError::Exists { resource, name }) => (resource, name),
        Cause::Object(ObjectError::Unlisted { kind, name }) => return unlisted(case, kind, name),
        _ => return Ok(None),
    };
    if text.raw.contains("object is being deleted: ") {
        return going(case, resource, name);
    }
    if is_of_storage(name) {
        return of_storage(case, name);
    }
    case.finding(
        case.subject(),
        format!("{resource} {name} already exists, and Helm wants to create it"),
    )
    .why("It is a leftover, somebody else created it, or the chart renders it twice; Helm only deletes its own objects.")
    .step(match object_commands::holds_no_data(resource) {
        true => "See whose it is, and delete it if it is a leftover:",
        false => "See whose it is. It may hold data, or own objects that do: if it is this release's, give it the labels and annotations of the release, and delete it only if nothing is lost with it:",
    })
    .command([
        "kubectl", "get", "-n", namespace, resource, name, "-o", "yaml",
    ])
    .then(then(case, Fixes::Elsewhere))
    .into()
}

/// Helm's own record of a revision. A second writer may have made it between Helm's look and its own attempt; a Secret of that name without
/// Helm's labels, which Helm does not find, gives the same text at each attempt.
fn of_storage(case: &Case<'_>, name: &str) -> Verdict {
    let hr = case.hr();
    case.finding(
        case.subject(),
        format!("a record of the revision that Flux was about to store already exists ({name})"),
    )
    .why("It is Helm's record of a revision of this release. Two programs may have worked on the release at once: another helm-controller, or somebody with helm. Or the Secret lacks the labels by which Helm finds its records (owner=helm, name, status, version), for instance after a restore: then each attempt fails in the same way.")
    .step("See whether the Secret has those labels, and when it was created:")
    .command(["kubectl", "get", "secrets", "-n", hr.storage_namespace(), name, "--show-labels"])
    .step("If it lacks them, add them, with the values of the revision that the Secret holds. If it has them, do not delete it: the next attempt counts from there. If it recurs, find the other program by the revisions' times and descriptions:")
    .command(["helm", "history", "-n", hr.storage_namespace(), &hr.release_name()])
    .then(then(case, Fixes::Elsewhere))
    .into()
}

/// It is being deleted, and its name is taken until it is gone.
fn going(case: &Case<'_>, resource: &str, name: &str) -> Verdict {
    let namespace = case.hr().release_namespace();
    case.finding(
        case.subject(),
        format!("{resource} {name} is still being deleted, and Helm wants to create it again"),
    )
    .why("This passes once it is gone. A finalizer or a pod that does not end can hold it up.")
    .step("If it stays, see what holds it up:")
    .command([
        "kubectl", "get", "-n", namespace, resource, name, "-o", "yaml",
    ])
    .then(then(case, Fixes::Elsewhere))
    .into()
}

/// A failed upgrade may have created it, or somebody by hand.
fn unlisted(case: &Case<'_>, kind: &str, name: &str) -> Verdict {
    let hr = case.hr();
    let subject = Subject::new(kind, hr.release_namespace(), name);
    case.finding(
        subject.clone(),
        format!("{subject} exists, but Helm's last revision does not have it"),
    )
    .why("Helm looked for it in the previous revision and did not find it: a failed upgrade created it, or somebody did by hand.")
    .step(match object_commands::holds_no_data(kind) {
        true => "Compare it with the revisions. If it comes from a failed attempt or was made by hand, delete it, and the next attempt creates it; otherwise give it the labels and annotations of the release:",
        false => "Compare it with the revisions, and give it the labels and annotations of the release. It may hold data, or own objects that do, so do not delete it before you know what is lost with it:",
    })
    .command(["helm", "history", "-n", hr.storage_namespace(), &hr.release_name()])
    .command(object_commands::yaml(&subject))
    .then(then(case, Fixes::Elsewhere))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;
    use crate::diagnosis::texts::of_helm;

    #[test]
    fn the_object_is_named() {
        assert_eq!(
            fixture::sentence("object-exists", "SKVS128"),
            "jobs.batch pds-database-create already exists, and Helm wants to create it"
        );
        assert_eq!(
            fixture::sentence("object-exists-old", "SKVS128"),
            "jobs.batch pds-database-create already exists, and Helm wants to create it"
        );
    }

    #[test]
    fn helms_own_record_is_not_deleted() {
        let text = r#"create: failed to create: secrets "sh.helm.release.v1.a.v2" already exists"#;
        insta::assert_snapshot!(of_helm("upgrade", text, "SKVS128"), @"
        a record of the revision that Flux was about to store already exists (sh.helm.release.v1.a.v2)
        See whether the Secret has those labels, and when it was created:
        $ kubectl get secrets -n flux-system sh.helm.release.v1.a.v2 --show-labels
        If it lacks them, add them, with the values of the revision that the Secret holds. If it has them, do not delete it: the next attempt counts from there. If it recurs, find the other program by the revisions' times and descriptions:
        $ helm history -n flux-system core-skvs-onboarding-pds--database
        ");
    }

    #[test]
    fn one_that_goes_and_one_of_no_revision_have_fixes_of_their_own() {
        let of = |text: &str| of_helm("upgrade", text, "SKVS128");
        insta::assert_snapshot!(of(r#"object is being deleted: jobs.batch "pds-create" already exists"#), @"
        jobs.batch pds-create is still being deleted, and Helm wants to create it again
        If it stays, see what holds it up:
        $ kubectl get -n core jobs.batch pds-create -o yaml
        ");
        let claim = of(r#"no PersistentVolumeClaim with the name "gate" found"#);
        assert!(
            claim.contains("do not delete it before you know"),
            "{claim}"
        );
        insta::assert_snapshot!(of(r#"no Deployment with the name "gate" found"#), @"
        Deployment core/gate exists, but Helm's last revision does not have it
        Compare it with the revisions. If it comes from a failed attempt or was made by hand, delete it, and the next attempt creates it; otherwise give it the labels and annotations of the release:
        $ helm history -n flux-system core-skvs-onboarding-pds--database
        $ kubectl get -n core deployment gate -o yaml
        ");
    }
}
