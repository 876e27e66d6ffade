//! Commands that show an object which a finding names.

use super::finding::Subject;
use crate::advice::Command;

/// The object with its events. A name that kubectl would take for a flag is left out: then all of its kind are listed.
pub(super) fn describe(of: &Subject) -> Command {
    let kind = of.kind.to_lowercase();
    let place = ["-n", &of.namespace];
    let place = if of.namespace.is_empty() {
        &[][..]
    } else {
        &place[..]
    };
    let (verb, name) = match may_be_flag(&of.name) {
        true => ("get", None),
        false => ("describe", Some(of.name.as_str())),
    };
    let words = ["kubectl", verb].into_iter();
    let words = words.chain(place.iter().copied()).chain([kind.as_str()]);
    Command::new(words.chain(name))
}

fn may_be_flag(name: &str) -> bool {
    name.is_empty() || name.starts_with('-')
}

/// The logs of a pod, or of a Job's pods; the pods of its namespace where kubectl would take the name for a flag.
pub(super) fn logs(of: &Subject) -> Command {
    let name = match of.kind.as_str() {
        "Job" => format!("job/{}", of.name),
        _ if may_be_flag(&of.name) => {
            return Command::new(["kubectl", "get", "pods", "-n", &of.namespace]);
        }
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
    use super::*;
    use crate::advice::Origin;

    #[test]
    fn no_name_is_taken_for_a_flag() {
        let of = |command: Command| command.at(&Origin::default()).to_string();
        let pod = |name: &str| Subject::new("Pod", "n", name);
        assert_eq!(of(describe(&pod("a"))), "kubectl describe -n n pod a");
        assert_eq!(of(logs(&pod("a"))), "kubectl logs -n n a --all-containers");
        let node = Subject::new("Node", "", "w");
        assert_eq!(of(describe(&node)), "kubectl describe node w");
        for odd in ["--all", "-l=a", ""] {
            assert_eq!(of(describe(&pod(odd))), "kubectl get -n n pod", "{odd}");
            assert_eq!(of(logs(&pod(odd))), "kubectl get pods -n n", "{odd}");
        }
    }

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
