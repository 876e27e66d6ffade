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
