//! SKVS212: the cloud gives source-controller no credentials for the registry.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::mesh;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::sources::{self, Fault};
use crate::model::source_error::{SourceError, of_cloud};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS212",
    slug: "cloud-login-failed",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the cloud gives source-controller no credentials for the registry",
    explanation: r#"The source's `spec.provider` is `aws`, `azure` or `gcp`: source-controller logs in with the identity of its own
ServiceAccount (or node), and the cloud refuses it. The registry was not asked."#,
    fix: r#"See it: `kubectl get serviceaccount -n flux-system source-controller -o yaml`

Bind the identity: the annotation of the ServiceAccount, the role in the cloud, its trust in the cluster. Restart
source-controller after you change its ServiceAccount."#,
    example: r#"AuthenticationFailed: failed to get credential from 'aws': operation error ECR: GetAuthorizationToken, … AccessDeniedException"#,
    explains: sources::FOLLOWS,
    contradicted_by: &[Fact::SubjectFetched],
    check,
};

const FAULT: Fault = Fault {
    kind: SourceError::CloudLogin,
    wrong: "gets no credentials from the cloud",
    why: "With spec.provider source-controller logs in with its own identity, and the cloud refuses it.",
    step: "Check spec.provider, then fix the identity of source-controller in the cloud:",
};

fn check(case: &Case<'_>) -> Verdict {
    let found = sources::repository(case, &FAULT)?;
    let complaint = sources::find(case, SourceError::CloudLogin);
    let remedy = complaint.and_then(|(it, _)| of_cloud(&it.condition.message));
    Ok(found.map(|finding| {
        let finding = finding.steps(remedy.map(str::to_owned));
        mesh::sidecar_of_source_controller(case, finding)
    }))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("cloud-login-failed", "SKVS212"),
            "HelmRepository flux-system/wit-artifactory at oci://123456789012.dkr.ecr.eu-west-1.example/charts gets no credentials from the cloud"
        );
    }
}
