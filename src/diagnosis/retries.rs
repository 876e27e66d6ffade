//! What Flux does after a failure, and what makes it try again: it differs by the controller's version and by what the fix
//! changes.
//!
//! A new generation of the spec always resets the counters. Where the spec stays as it is, controllers since 0.37 take a
//! reset token (two annotations of one value); older ones only start again after a suspend and a resume.

use super::case::Case;
use crate::model::failure;
use crate::model::helm_release::{GROUP, PLURAL};
use serde::{Serialize, Serializer};

/// What the fix changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixes {
    /// The HelmRelease's manifest.
    Manifest,
    /// Something else: a namespace, a right, a repository.
    Elsewhere,
}

/// The last part of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Then {
    pub line: String,
    /// Commands that make Flux try again.
    pub commands: Vec<Vec<String>>,
}

impl Serialize for Then {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("text", &self.line)?;
        let commands: Vec<String> = self
            .commands
            .iter()
            .map(|c| crate::text::shell_line(c))
            .collect();
        map.serialize_entry("commands", &commands)?;
        map.end()
    }
}

/// Whether a controller before 0.37 wrote the status; `None` when it does not tell.
pub fn is_old_controller(case: &Case<'_>) -> Option<bool> {
    let status = &case.hr().status;
    if status.last_attempted_generation.is_some() || !status.history.is_empty() {
        return Some(false);
    }
    if status.conditions.is_empty() {
        return None;
    }
    Some(
        status
            .conditions
            .iter()
            .all(|c| c.observed_generation.is_none()),
    )
}

/// What happens after the fix.
pub fn then(case: &Case<'_>, fixes: Fixes) -> Option<Then> {
    let hr = case.hr();
    if hr.spec.suspend {
        return Some(Then {
            line: "It is suspended: Flux does nothing until it is resumed.".to_owned(),
            commands: vec![patch_suspend(case, "false")],
        });
    }
    if !failure::is_exhausted(hr) {
        let line = match fixes {
            Fixes::Manifest => "Flux takes the changed manifest up by itself.",
            Fixes::Elsewhere => "Flux tries again by itself; nothing else is to be done.",
        };
        return Some(Then {
            line: line.to_owned(),
            commands: Vec::new(),
        });
    }
    if fixes == Fixes::Manifest {
        return Some(Then {
            line: "Flux has stopped retrying; after the manifest has changed it starts again by itself.".to_owned(),
            commands: Vec::new(),
        });
    }
    Some(again(case))
}

/// How to make Flux start again although the manifest stays as it is.
pub fn again(case: &Case<'_>) -> Then {
    if is_old_controller(case) == Some(true) {
        return Then {
            line:
                "Flux has stopped retrying. This version starts again after a suspend and a resume:"
                    .to_owned(),
            commands: vec![patch_suspend(case, "true"), patch_suspend(case, "false")],
        };
    }
    let token = case.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut command = kubectl(case, "annotate");
    command.extend([
        "--overwrite".to_owned(),
        "--field-manager=flux-client-side-apply".to_owned(),
        format!("reconcile.fluxcd.io/requestedAt={token}"),
        format!("reconcile.fluxcd.io/resetAt={token}"),
    ]);
    Then {
        line: "Flux has stopped retrying. Make it start again:".to_owned(),
        commands: vec![command],
    }
}

/// Sets `spec.suspend`.
pub fn patch_suspend(case: &Case<'_>, to: &str) -> Vec<String> {
    let mut command = kubectl(case, "patch");
    command.extend([
        "--type=merge".to_owned(),
        format!("-p={{\"spec\":{{\"suspend\":{to}}}}}"),
    ]);
    command
}

/// `kubectl VERB -n NAMESPACE helmreleases… NAME`.
pub fn kubectl(case: &Case<'_>, verb: &str) -> Vec<String> {
    let subject = case.subject();
    [
        "kubectl",
        verb,
        "-n",
        &subject.namespace,
        &format!("{PLURAL}.{GROUP}"),
        &subject.name,
    ]
    .map(str::to_owned)
    .to_vec()
}

/// A text that says that a wait was given up, in the words of any Helm and any controller.
pub fn is_timeout(text: &str) -> bool {
    [
        "timeout waiting for:",
        "timed out waiting for the condition",
        "context deadline exceeded",
        "would exceed context deadline",
        "DeadlineExceeded",
    ]
    .iter()
    .any(|t| text.contains(t))
}
