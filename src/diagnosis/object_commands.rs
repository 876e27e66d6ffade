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
