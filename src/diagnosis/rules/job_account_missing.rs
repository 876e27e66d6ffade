//! SKVS314: the ServiceAccount of the creation Job's pod does not exist.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::{Evidence, Subject};
use crate::diagnosis::hook_order;
use crate::diagnosis::peers;
use crate::diagnosis::refused::refused;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::refusal::Refusal;
use std::ops::ControlFlow;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS314",
    slug: "job-account-missing",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the ServiceAccount of the creation Job's pod does not exist",
    explanation: r#"The creation Job runs as the ServiceAccount in `values.databaseCreationJob.serviceAccount` (`agora-kvs` if not set) in the
target namespace. Without it no pod is created, and Flux only reports a timeout. It is neither an account with access to the
database (`values.serviceAccounts`) nor the account that Flux acts as (SKVS401)."#,
    fix: r#"See it: `kubectl get serviceaccounts -n TARGETNAMESPACE`, and the events of the Job.

Create it in the target namespace, or correct `spec.targetNamespace` (the runbook's is `core`, where it exists)."#,
    example: r#"Error creating: pods "x-" is forbidden: error looking up service account core/agora-kvs: serviceaccount "agora-kvs" not found"#,
    explains: &["SKVS108", "SKVS303", "SKVS308"],
    contradicted_by: &[Fact::JobComplete, Fact::Installed],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(refused) = refused(case)? else {
        return Ok(None);
    };
    let Refusal::AccountMissing { namespace, name } = refused.refusal.clone() else {
        return Ok(None);
    };
    let subject = Subject::new("ServiceAccount", &namespace, &name);
    let sentence = format!("the creation Job runs as {subject}, which does not exist");
    let values = case
        .hr()
        .spec
        .values
        .pointer("/databaseCreationJob/serviceAccount");
    let field = ".spec.values.databaseCreationJob.serviceAccount";
    let said = values
        .and_then(serde_json::Value::as_str)
        .unwrap_or("not set, the chart's default");
    let observed = format!("databaseCreationJob.serviceAccount: {said}");
    let target = peers::target_namespace(case, &namespace);
    let fixes = match &target {
        Some(_) => Fixes::Target,
        None => Fixes::Manifest,
    };
    let keys = ["databaseCreationJob", "serviceAccount"];
    let likelier = target.or_else(|| peers::without_value(case, &keys));
    let after = likelier.as_ref().map(|_| then(case, fixes));
    let job = refused.job.clone();
    let finding = refused
        .finding(case, subject, sentence)
        .seen([Evidence::new(case.subject(), field, &observed)])
        .change(likelier);
    let finding = match after {
        Some(after) => finding.then(after),
        None => finding,
    };
    let finding = match &job {
        Some(job) => match hook_order::late(case, finding, &job.name, ("ServiceAccount", &name)) {
            ControlFlow::Break(late) => return late.into(),
            ControlFlow::Continue(finding) => finding,
        },
        None => finding,
    };
    finding
        .step("If the target namespace is right, create the account. If not, correct spec.targetNamespace in the manifest. Existing accounts:")
        .command(["kubectl", "get", "serviceaccounts", "-n", &namespace])
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, fixture};
    use crate::snapshot::Read;
    use serde_json::json;

    #[test]
    fn it_is_found_in_the_jobs_events() {
        let finding = fixture::finding("job-account-missing", "SKVS314");
        assert_eq!(
            finding.sentence,
            "the creation Job runs as ServiceAccount core/agora-kvs, which does not exist"
        );
        assert_eq!(
            finding.evidence[2].observed,
            "databaseCreationJob.serviceAccount: not set, the chart's default"
        );
    }

    #[test]
    fn a_job_that_is_gone_is_told_by_its_events() {
        let finding = fixture::finding("job-account-missing-job-gone", "SKVS314");
        assert_eq!(finding.subject.id(), "core/agora-kvs");
        assert_eq!(
            fixture::followers("job-account-missing-job-gone"),
            ["SKVS110", "SKVS308"]
        );
    }

    #[test]
    fn an_account_that_the_chart_creates_too_late_is_not_to_be_created() {
        let name = "job-account-missing";
        let mut snapshot = fixture::snapshot(name);
        let job = snapshot
            .creation_job
            .if_read()
            .unwrap()
            .job
            .meta
            .name
            .clone();
        let release = json!({
            "hooks": [{"name": job, "kind": "Job", "events": ["pre-install"]}],
            "manifest": "kind: ServiceAccount\nmetadata:\n  name: agora-kvs\n",
        });
        snapshot.release = Read::Seen(serde_json::from_value(release).unwrap());
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let finding = super::check(&case).unwrap().unwrap();
        let said = fixture::reasoned(finding);
        assert!(
            said.contains("ServiceAccount agora-kvs. It is not a hook"),
            "{said}"
        );
        assert!(!said.contains("create the account"), "{said}");
    }
}
