//! SKVS226: the chart does not take this version of Kubernetes.

use crate::diagnosis::case::Case;
use crate::diagnosis::rendering;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS226",
    slug: "kube-version-too-old",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the chart does not take this version of Kubernetes",
    explanation: r#"The chart names in its Chart.yaml (`kubeVersion`) which versions of Kubernetes it is for, and this cluster's is none of them. Helm
refuses it before it makes anything."#,
    fix: r#"See it: `kubectl version`, and `helm show chart REPOSITORY/secure-kvs-onboarding --version VERSION`

Name a version of the chart that takes this cluster, or ask who publishes the chart."#,
    example: r#"chart requires kubeVersion: >=1.99.0-0 which is incompatible with Kubernetes v1.36.0"#,
    needs: &[],
    explains: rendering::FOLLOWS,
    when: rendering::by_helm,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let told = case
        .error()
        .split_once("chart requires kubeVersion: ")
        .and_then(|(_, rest)| rest.split_once(" which is incompatible with Kubernetes "));
    let Some((wanted, rest)) = told else {
        return Verdict::Clear;
    };
    let cluster = rest.split_whitespace().next().unwrap_or_default();
    rendering::finding(
        case,
        &format!("the chart wants Kubernetes {wanted}, and this cluster is {cluster}"),
        "Helm looks at kubeVersion in the chart's Chart.yaml before it makes anything.",
        "Name a version of the chart that takes this cluster in spec.chart.spec.version",
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
            "the chart wants Kubernetes >=1.99.0-0, and this cluster is v1.36.0"
        );
        assert_eq!(
            fixture::sentence("kube-version-too-old-old", "SKVS226"),
            "the chart wants Kubernetes >=1.99.0-0, and this cluster is v1.26.3"
        );
    }
}
