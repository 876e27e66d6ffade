//! SKVS402: the ServiceAccount that Flux acts as lacks a right.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Finding, Subject};
use crate::diagnosis::peers;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rights::{missing_right, seen_by_source};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::refusal::Refusal;
use crate::model::forbidden::Forbidden;
use crate::snapshot::Unread;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS402",
    slug: "service-account-without-rights",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the ServiceAccount that Flux acts as lacks a right",
    explanation: r#"Flux acts as the ServiceAccount in `spec.serviceAccountName` (or as its own if none is named), and the API server refused one
of its requests. It needs rights on every object of the chart, in the target namespace, and on Secrets in the storage
namespace, where Helm keeps its releases."#,
    fix: r#"See it: `kubectl auth can-i VERB RESOURCE -n NAMESPACE --as=system:serviceaccount:NAMESPACE:NAME`

Grant the right with a Role in the namespace named in the message, and bind it to the account:
1. `kubectl create role NAME -n NAMESPACE --verb=VERB --resource=RESOURCE`
2. `kubectl create rolebinding NAME -n NAMESPACE --role=NAME --serviceaccount=NAMESPACE:ACCOUNT`"#,
    example: r#"jobs.batch is forbidden: User "system:serviceaccount:flux-system:helm-controller" cannot create resource "jobs" in API group "batch" in the namespace "core""#,
    explains: &[
        "SKVS108", "SKVS110", "SKVS109", "SKVS115", "SKVS131", "SKVS142", "SKVS145",
    ],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    if let Some(Cause::Refusal(Refusal::Escalation { object, says })) = case.cause()? {
        return escalation(case, object, says);
    }
    // The user in the text may be the controller's own account, not the one of the spec.
    let Some((right, account)) = missing_right(case)? else {
        return Ok(None);
    };
    if case.account() == Ok(None) {
        return Ok(None);
    }
    let misplaced = case.service_account().filter(|named| {
        named.name == account.name
            && named.namespace != account.namespace
            && account.namespace == case.hr().release_namespace()
    });
    if let Some(named) = misplaced {
        return Finding::new(named.clone(), format!("Flux acts as {account} instead of {named}"))
            .why("The controller looks for the account in spec.targetNamespace; the manifest means its own namespace. This is a bug in helm-controller 0.22.0, fixed in 0.22.1.")
            .seen(case.seen_failure())
            .seen(case.seen_event())
            .step("Update helm-controller, and give the other account no rights. Its version:")
            .command(["kubectl", "describe", "pods", "-A", "-l", "app=helm-controller"])
            .then(then(case, Fixes::Elsewhere))
            .into();
    }
    let mut finding = Finding::new(account.clone(), format!("{account} may not {right}"))
        .why(match case.service_account() {
            Some(named) if named != account => {
                format!("This is Flux's own account, not the one in the manifest ({named}).")
            }
            _ => "Flux acts as this account; the API server refused its request.".to_owned(),
        })
        .seen(case.seen_failure())
        .seen(case.seen_event());
    let of_source = seen_by_source(case);
    let is_own = of_source.is_empty();
    finding = finding.seen(of_source);
    if let (Err(Unread { why, .. }), Some(_)) = (case.account(), case.service_account())
        && is_own
    {
        finding = finding.why(format!(
            "Whether the account exists is unknown: {}. A missing one gets the same answer.",
            why.clause()
        ));
    }
    let elsewhere = right.namespace.as_deref().filter(|namespace| {
        let hr = case.hr();
        ![hr.release_namespace(), hr.storage_namespace()].contains(namespace)
    });
    if let Some(namespace) = elsewhere.filter(|_| is_own) {
        finding = finding
            .why(format!("The object is outside the release's namespace {}. Check why the chart puts it in {namespace} before you grant anything there.", case.hr().release_namespace()));
    }
    let user = format!(
        "--as=system:serviceaccount:{}:{}",
        account.namespace, account.name
    );
    let mut can_i = vec![
        "kubectl",
        "auth",
        "can-i",
        right.verb.as_str(),
        right.resource.as_str(),
    ];
    match &right.namespace {
        Some(namespace) => can_i.extend(["-n", namespace.as_str()]),
        None => can_i.push("-A"),
    }
    can_i.push(&user);
    let creates_namespace = right.verb == "create" && right.resource == "namespaces";
    // An account that only this onboarding names is the likelier mistake than a right that only it lacks.
    let named = case.service_account().is_some_and(|named| named == account);
    let likelier = peers::service_account(case, &account.name)
        .filter(|_| named && case.hr().metadata.deletion_timestamp.is_none());
    let fixes = match &likelier {
        Some(_) => Fixes::Manifest,
        None => Fixes::Elsewhere,
    };
    finding
        .change(likelier)
        .step(format!(
            "Grant it this right ({right}), and bind it to the account:"
        ))
        .command(grant(&right, &account))
        .command(binding(&right, &account))
        .step("Check it:")
        .command(can_i)
        .steps(creates_namespace.then(|| "Or create the namespace beforehand and leave spec.install.createNamespace out of the manifest.".to_owned()))
        .then(then(case, fixes))
        .into()
}

/// Only an account that has a role's rights may give it.
fn escalation(case: &Case<'_>, object: &str, says: &str) -> Verdict {
    let user = says
        .split_once("user \"")
        .or_else(|| says.split_once("User \""))
        .and_then(|(_, rest)| rest.split('"').next());
    let account = user
        .and_then(|user| user.strip_prefix("system:serviceaccount:")?.split_once(':'))
        .map(|(namespace, name)| Subject::new("ServiceAccount", namespace, name));
    let who = account
        .as_ref()
        .map_or_else(|| "Flux's account".to_owned(), Subject::to_string);
    let subject = account.unwrap_or_else(|| case.subject());
    Finding::new(subject, format!("{who} may not create {object}: it grants rights that {who} does not have itself"))
        .why("An account cannot grant rights that it does not have; they are listed below.")
        .seen(case.seen_failure().map(|seen| seen.lines(says.lines().skip(1).take(8))))
        .step("Grant the account the same rights, or the verbs bind and escalate on roles. Ask first whether the chart should create roles at all.")
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// Creates a role with this one right, in the namespace or for the cluster.
fn grant(right: &Forbidden, account: &Subject) -> Vec<String> {
    let resource = match (right.group.as_str(), right.resource.split_once('/')) {
        ("", _) => right.resource.clone(),
        (group, Some((parent, part))) => format!("{parent}.{group}/{part}"),
        (group, None) => format!("{}.{group}", right.resource),
    };
    let flags = [
        format!("--verb={}", right.verb),
        format!("--resource={resource}"),
    ];
    [create(right, account, ""), flags.to_vec()].concat()
}

/// Binds that role to the account.
fn binding(right: &Forbidden, account: &Subject) -> Vec<String> {
    let kind = match right.namespace {
        Some(_) => "role",
        None => "clusterrole",
    };
    let flags = [
        format!("--{kind}={}", role(right, account)),
        format!("--serviceaccount={}:{}", account.namespace, account.name),
    ];
    [create(right, account, "binding"), flags.to_vec()].concat()
}

fn create(right: &Forbidden, account: &Subject, binding: &str) -> Vec<String> {
    let name = role(right, account);
    let words = match &right.namespace {
        Some(namespace) => [&format!("role{binding}"), "-n", namespace, &name]
            .map(str::to_owned)
            .to_vec(),
        None => vec![format!("clusterrole{binding}"), name],
    };
    [["kubectl", "create"].map(str::to_owned).to_vec(), words].concat()
}

/// The role's name: the account, the verb and the resource.
fn role(right: &Forbidden, account: &Subject) -> String {
    let resource = right.resource.replace('/', "-");
    format!("{}-{}-{resource}", account.name, right.verb)
}

#[cfg(test)]
mod tests {
    use super::{binding, grant};
    use crate::diagnosis::finding::{Finding, Subject};
    use crate::diagnosis::{Case, fixture};
    use crate::model::field::Meta;
    use crate::model::forbidden::Forbidden;
    use crate::snapshot::{Read, Snapshot};

    #[test]
    fn a_role_with_the_right_can_be_pasted() {
        let account = Subject::new("ServiceAccount", "flux-system", "x");
        let lines = |verb: &str, place: &str| {
            let text = format!("User \"u\" cannot {verb}{place}");
            let right = Forbidden::parse(&text).unwrap();
            [grant(&right, &account), binding(&right, &account)].map(|words| words.join(" "))
        };
        assert_eq!(
            lines(
                "create",
                " resource \"jobs/status\" in API group \"batch\" in the namespace \"core\""
            ),
            [
                "kubectl create role -n core x-create-jobs-status --verb=create --resource=jobs.batch/status",
                "kubectl create rolebinding -n core x-create-jobs-status --role=x-create-jobs-status --serviceaccount=flux-system:x",
            ]
        );
        assert_eq!(
            lines(
                "list",
                " resource \"secrets\" in API group \"\" at the cluster scope"
            ),
            [
                "kubectl create clusterrole x-list-secrets --verb=list --resource=secrets",
                "kubectl create clusterrolebinding x-list-secrets --clusterrole=x-list-secrets --serviceaccount=flux-system:x",
            ]
        );
    }

    #[test]
    fn the_missing_right_is_told() {
        assert_eq!(
            fixture::sentence("service-account-without-rights", "SKVS402"),
            "ServiceAccount flux-system/helm-controller may not create jobs in core"
        );
    }

    #[test]
    fn an_account_that_was_not_read_may_be_missing() {
        let finding = fixture::finding("service-account-not-read", "SKVS402");
        assert!(finding.why[1].starts_with("Whether the account exists is unknown"));
    }

    const NAME: &str = "service-account-without-rights";

    fn look(change: &dyn Fn(&mut Snapshot)) -> Finding {
        let mut snapshot = fixture::snapshot(NAME);
        change(&mut snapshot);
        let found = super::check(&Case::new(&snapshot, fixture::meta(NAME).now));
        found.unwrap().unwrap()
    }

    #[test]
    fn a_namespace_that_may_not_be_created_can_be_made_beforehand() {
        let of = |verb: &str, resource: &str| {
            let text = format!(
                "cannot {verb} resource \"{resource}\" in API group \"\" at the cluster scope"
            );
            let old =
                "cannot create resource \"jobs\" in API group \"batch\" in the namespace \"core\"";
            let told = fixture::lines(look(&|s| fixture::reword(s, old, &text)));
            assert!(
                told.contains(&format!("auth can-i {verb} {resource} -A")),
                "{told}"
            );
            told.contains("leave spec.install.createNamespace out")
        };
        assert!(of("create", "namespaces"));
        assert!(!of("get", "namespaces") && !of("create", "nodes"));
    }

    #[test]
    fn whose_account_it_is_is_said() {
        let of = |name: &str, user: &str| {
            look(&|s| {
                s.helm_release.spec.service_account_name = Some(name.to_owned());
                s.service_account = Read::Seen(Meta::default());
                let old = "system:serviceaccount:flux-system:helm-controller";
                fixture::reword(s, old, &format!("system:serviceaccount:{user}"));
            })
        };
        let own = of("x", "flux-system:x");
        assert_eq!(
            own.why,
            ["Flux acts as this account; the API server refused its request."]
        );
        let other = of("x", "flux-system:y");
        assert_eq!(
            other.why,
            [
                "This is Flux's own account, not the one in the manifest (ServiceAccount flux-system/x)."
            ]
        );
        let misplaced = of("x", "core:x");
        assert_eq!(
            misplaced.sentence,
            "Flux acts as ServiceAccount core/x instead of ServiceAccount flux-system/x"
        );
        let elsewhere = of("x", "other:x");
        assert_eq!(
            elsewhere.sentence,
            "ServiceAccount other/x may not create jobs in core"
        );
    }

    #[test]
    fn no_account_gives_rights_that_it_lacks() {
        let old = "User \"system:serviceaccount:flux-system:helm-controller\" cannot create resource \"jobs\" in API group \"batch\" in the namespace \"core\"";
        let new = "user \"system:serviceaccount:flux-system:a\" (groups=[\"x\"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Verbs:[\"get\"]}";
        let found = look(&|s| fixture::reword(s, old, new));
        assert_eq!(found.subject.to_string(), "ServiceAccount flux-system/a");
        let sentence = "ServiceAccount flux-system/a may not create jobs.batch pds-database-create: it grants rights that ServiceAccount flux-system/a does not have itself";
        assert_eq!(found.sentence, sentence);
        assert_eq!(
            found.evidence[0].lines,
            ["{APIGroups:[\"\"], Verbs:[\"get\"]}"]
        );
    }
}
