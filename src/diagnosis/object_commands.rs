//! Commands that show an object which a finding names.

use super::finding::Subject;
use crate::advice::Command;

/// The logs of a pod, or of a Job's pods.
pub(super) fn logs(of: &Subject) -> Command {
    let name = match of.kind.as_str() {
        "Job" => format!("job/{}", of.name),
        _ => of.name.clone(),
    };
    Command::new([
        "kubectl",
        "logs",
        "-n",
        &of.namespace,
        &name,
        "--all-containers",
    ])
}

/// The Deployments of one of Flux's controllers, wherever Flux is.
pub(super) fn deployments(controller: &str) -> Command {
    let label = format!("app.kubernetes.io/component={controller}");
    Command::new(["kubectl", "get", "deployments", "-A", "-l", &label])
}

/// Kinds whose objects hold nothing but what the chart puts into them: without one nothing is lost for good. Any other may hold data, or
/// own objects that do.
const WITHOUT_DATA: [&str; 15] = [
    "AuthorizationPolicy",
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "DaemonSet",
    "Deployment",
    "Ingress",
    "Job",
    "NetworkPolicy",
    "Pod",
    "PodDisruptionBudget",
    "Role",
    "RoleBinding",
    "Service",
    "ServiceAccount",
];

/// Whether nothing is lost for good with an object of this kind, or of the resource that names it (`jobs.batch`).
pub(super) fn holds_no_data(kind: &str) -> bool {
    const GROUPS: [&str; 7] = [
        "",
        "apps",
        "batch",
        "networking.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "security.istio.io",
    ];
    let (name, group) = kind.split_once('.').unwrap_or((kind, ""));
    if !GROUPS.contains(&group) {
        return false;
    }
    let of = |own: &str| {
        let own = own.to_lowercase();
        let plural = match own.strip_suffix('y') {
            Some(stem) => format!("{stem}ies"),
            None if own.ends_with('s') => format!("{own}es"),
            None => format!("{own}s"),
        };
        [own, plural]
    };
    let name = name.to_lowercase();
    WITHOUT_DATA
        .iter()
        .flat_map(|own| of(own))
        .any(|own| own == name)
}

/// The object as the cluster has it.
pub(super) fn yaml(of: &Subject) -> Command {
    let resource = of.kind.to_lowercase();
    Command::new([
        "kubectl",
        "get",
        "-n",
        &of.namespace,
        &resource,
        &of.name,
        "-o",
        "yaml",
    ])
}

#[cfg(test)]
mod tests {
    use super::holds_no_data;

    #[test]
    fn only_kinds_of_their_own_group_hold_no_data() {
        for kind in [
            "Job",
            "jobs.batch",
            "Service",
            "networkpolicies.networking.k8s.io",
            "authorizationpolicies.security.istio.io",
        ] {
            assert!(holds_no_data(kind), "{kind}");
        }
        for kind in [
            "PersistentVolumeClaim",
            "statefulsets.apps",
            "services.db.example.com",
            "CephCluster",
            "",
        ] {
            assert!(!holds_no_data(kind), "{kind}");
        }
    }
}
