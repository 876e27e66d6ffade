//! SKVS226: the chart does not support this version of Kubernetes.

use crate::diagnosis::case::Case;
use crate::diagnosis::rendering;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::chart::ChartError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS226",
    slug: "kube-version-too-old",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart does not support this version of Kubernetes",
    explanation: r#"Chart.yaml says which versions of Kubernetes the chart supports (`kubeVersion`), and this cluster's is not among them. Helm
refuses the chart before it creates anything."#,
    fix: r#"See it: `kubectl version`, and `helm show chart REPOSITORY/secure-kvs-onboarding --version VERSION`

Name a version of the chart that supports this cluster, or ask the chart's publisher."#,
    example: r#"chart requires kubeVersion: >=1.99.0-0 which is incompatible with Kubernetes v1.36.0"#,
    explains: rendering::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Chart(ChartError::Kubernetes { wanted, cluster })) = rendering::cause(case)?
    else {
        return Ok(None);
    };
    rendering::finding(
        case,
        &format!("the chart requires Kubernetes {wanted}, and this cluster has {cluster}"),
        "Helm checks kubeVersion in the chart's Chart.yaml before it creates anything.",
        "Name a version of the chart that supports this cluster in spec.chart.spec.version",
    )
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("kube-version-too-old", "SKVS226"),
            "the chart requires Kubernetes >=1.99.0-0, and this cluster has v1.36.0"
        );
        assert_eq!(
            fixture::sentence("kube-version-too-old-old", "SKVS226"),
            "the chart requires Kubernetes >=1.99.0-0, and this cluster has v1.26.3"
        );
    }
}
