//! SKVS236: the kubeconfig for the other cluster cannot be used.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Finding, Subject};
use crate::diagnosis::rendering;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS236",
    slug: "kube-config-unusable",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the kubeconfig for the other cluster cannot be used",
    explanation: r#"With `spec.kubeConfig` Flux installs on another cluster, using a kubeconfig from a Secret. That Secret is missing, lacks the
key, or does not hold a kubeconfig. The runbook's onboardings are installed on their HelmRelease's own cluster and do not use
it."#,
    fix: r#"See it: `kubectl get helmreleases.helm.toolkit.fluxcd.io -n NAMESPACE NAME -o jsonpath='{.spec.kubeConfig}'`

Create the Secret (key `value` or `value.yaml`), or correct or remove `spec.kubeConfig`."#,
    example: r#"RESTClientError: could not get KubeConfig secret 'flux-system/remote': secrets "remote" not found
InitFailed: could not find KubeConfig secret 'flux-system/remote'"#,
    explains: rendering::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::ClusterConfig(config)) = case.cause()? else {
        return Ok(None);
    };
    let namespace = &case.hr().metadata.namespace;
    let secret = config.secret.as_ref().map(|id| {
        let (namespace, name) = id.split_once('/').unwrap_or((namespace, id));
        Subject::new("Secret", namespace, name)
    });
    let sentence = match (&secret, config.is_missing) {
        (Some(secret), true) => format!(
            "{secret} does not exist, and spec.kubeConfig gets the other cluster's address from it"
        ),
        (Some(secret), false) => {
            format!("{secret} does not hold a kubeconfig under the key in spec.kubeConfig")
        }
        (None, _) => "spec.kubeConfig does not say where the kubeconfig is".to_owned(),
    };
    let mut finding = Finding::new(secret.clone().unwrap_or_else(|| case.subject()), sentence)
        .why("With spec.kubeConfig Flux installs on another cluster; the runbook's onboardings do not use it.")
        .seen(case.seen_failure())
        .step("Create the Secret, or correct or remove spec.kubeConfig in the manifest:");
    if let Some(secret) = secret {
        finding = finding.command(["kubectl", "get", "secrets", "-n", &secret.namespace]);
    }
    finding.then(then(case, Fixes::Elsewhere)).into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("kube-config-unusable", "SKVS236"),
            "Secret flux-system/remote does not exist, and spec.kubeConfig gets the other cluster's address from it"
        );
        assert_eq!(
            fixture::sentence("kube-config-unusable-old", "SKVS236"),
            "Secret flux-system/remote does not exist, and spec.kubeConfig gets the other cluster's address from it"
        );
        assert_eq!(
            fixture::sentence("kube-config-without-key", "SKVS236"),
            "Secret flux-system/remote does not hold a kubeconfig under the key in spec.kubeConfig"
        );
    }
}
