//! What a HelmRelease's status says, in one line and as a structured failure.
//!
//! The controllers hide causes: "install retries exhausted", "Failed to install after 3 attempt(s)" and a successful
//! remediation stand where the error should. This file owns the way back to the cause for every controller version: which
//! condition holds it, and which wrappers of Helm and Flux come off.

use super::condition::Condition;
use super::forbidden::Forbidden;
use super::helm_release::HelmRelease;
use crate::text::one_line;

/// What the Ready column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ready {
    False,
    Unknown,
    True,
}

impl Ready {
    /// The word of the Ready column.
    pub fn word(self) -> &'static str {
        match self {
            Ready::True => "True",
            Ready::False => "False",
            Ready::Unknown => "Unknown",
        }
    }
}

/// A failure as the status tells it, with Helm's and Flux's wrappers taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure<'a> {
    /// Condition that holds the cause.
    pub condition: &'a Condition,
    /// `install`, `upgrade`, `test`, `rollback`, `uninstall`, where the text names it.
    pub action: Option<&'static str>,
    /// The error without wrappers and log trailer; may be of several lines.
    pub error: String,
    /// The last lines of Helm's log that controllers up to 0.36 append.
    pub trailer: Option<&'a str>,
    /// The controller has stopped retrying.
    pub exhausted: bool,
}

/// One HelmRelease in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    pub ready: Ready,
    /// The status was written for an older spec than the one that is there.
    pub stale: bool,
    /// One line, cleaned of what could steer a terminal; without the STALE mark.
    pub text: String,
}

impl Headline {
    /// The STATUS column: the text, with a mark when it is stale.
    pub fn line(&self) -> String {
        if self.stale {
            format!("STALE: {}", self.text)
        } else {
            self.text.clone()
        }
    }
}

/// Reasons of a Ready condition that do not tell the cause.
const NO_CAUSE: [&str; 5] = [
    "RollbackSucceeded",
    "UninstallSucceeded",
    "RetryAfterInterval",
    "Progressing",
    "ProgressingWithRetry",
];

/// Reasons of a Ready condition that sum up what Helm did; the other conditions hold the text.
const HELM: [&str; 5] = [
    "InstallFailed",
    "UpgradeFailed",
    "TestFailed",
    "RollbackFailed",
    "UninstallFailed",
];

/// Actions in the messages, with the verb that each has in them.
const ACTIONS: [&str; 5] = ["install", "upgrade", "test", "rollback", "uninstall"];

/// What Ready says.
pub fn ready(hr: &HelmRelease) -> Ready {
    match hr.condition("Ready").map(|c| c.status.as_str()) {
        Some("True") => Ready::True,
        Some("False") => Ready::False,
        _ => Ready::Unknown,
    }
}

/// Whether the status was written for an older generation than the spec's.
///
/// Controllers since 0.37 leave `observedGeneration` behind while they retry, so the newest number anywhere in the status counts.
pub fn is_stale(hr: &HelmRelease) -> bool {
    let status = &hr.status;
    let seen = status
        .conditions
        .iter()
        .filter_map(|c| c.observed_generation)
        .chain(status.observed_generation)
        .chain(status.last_attempted_generation)
        .max();
    seen.is_some_and(|seen| seen >= 0 && seen < hr.metadata.generation)
}

/// True while no controller has answered: no condition was ever written.
pub fn is_unanswered(hr: &HelmRelease) -> bool {
    hr.status.conditions.is_empty()
        && hr.status.history.is_empty()
        && hr.status.observed_generation.unwrap_or(-1) < 1
}

/// The controller has stopped retrying.
pub fn is_exhausted(hr: &HelmRelease) -> bool {
    let stalled = hr
        .condition("Stalled")
        .is_some_and(|c| c.is_true() && c.reason == "RetriesExceeded");
    stalled
        || hr
            .condition("Ready")
            .is_some_and(|c| c.is_false() && c.message.ends_with("retries exhausted"))
}

/// The failure that keeps `hr` from being ready; `None` when its status tells of none.
pub fn failure(hr: &HelmRelease) -> Option<Failure<'_>> {
    let ready = hr.condition("Ready");
    let failed = |kind: &str| hr.condition(kind).filter(|c| c.is_false());
    let told = ready.filter(|c| c.is_false() && !NO_CAUSE.contains(&c.reason.as_str()));
    // What Helm did is in the conditions that Ready sums up; anything else (source, values, dependency) Ready says itself.
    let helm = told.is_none_or(|c| {
        HELM.contains(&c.reason.as_str()) || c.message.ends_with("retries exhausted")
    });
    let stalled = hr.condition("Stalled").filter(|c| c.is_true());
    let unready = ready.is_some_and(|c| !c.is_true());
    let condition = if helm && (unready || stalled.is_some()) {
        failed("Released")
            .filter(|c| c.reason != "UninstallSucceeded")
            .or_else(|| failed("TestSuccess"))
            .or_else(|| failed("Remediated"))
            .or(told)
            .or(stalled)?
    } else {
        told.or(stalled)?
    };
    let (error, trailer) = split_trailer(&condition.message);
    let (action, error) = unwrap_action(error);
    Some(Failure {
        condition,
        action,
        error: unwrap_error(error),
        trailer,
        exhausted: is_exhausted(hr),
    })
}

/// Splits the log trailer off, which controllers up to 0.36 put into conditions and later ones into events.
pub fn split_trailer(message: &str) -> (&str, Option<&str>) {
    match message.split_once("\n\nLast Helm logs:\n\n") {
        Some((error, trailer)) => (error, Some(trailer)),
        None => (message, None),
    }
}

/// Takes `Helm install failed for release ns/name with chart c@v: ` or `Helm install failed: ` off.
fn unwrap_action(message: &str) -> (Option<&'static str>, &str) {
    for action in ACTIONS {
        let Some(rest) = message
            .strip_prefix("Helm ")
            .and_then(|m| m.strip_prefix(action))
        else {
            continue;
        };
        if let Some(error) = rest.strip_prefix(" failed: ") {
            return (Some(action), error);
        }
        if let Some(after) = rest
            .strip_prefix(" failed for release ")
            .and_then(|r| r.split_once(" with chart "))
            && let Some((_, error)) = after.1.split_once(": ")
        {
            return (Some(action), error);
        }
    }
    (None, message)
}

/// Takes Helm's wrappers off the front, as often as they occur, and says the commonest forms in plain words.
fn unwrap_error(error: &str) -> String {
    const WRAPPERS: [&str; 15] = [
        "failed pre-install: ",
        "failed post-install: ",
        "pre-upgrade hooks failed: ",
        "post-upgrade hooks failed: ",
        "unable to continue with install: ",
        "Unable to continue with install: ",
        "unable to continue with update: ",
        "Unable to continue with update: ",
        "create: failed to create: ",
        "failed to create resource: ",
        "1 error occurred:\n\t* ",
        "invalid chart reference: ",
        "failed to get chart version for remote reference: ",
        "Could not determine release state: ",
        "chart pull error: ",
    ];
    let mut rest = error.trim();
    loop {
        let before = rest;
        for wrapper in WRAPPERS {
            rest = rest.strip_prefix(wrapper).unwrap_or(rest);
        }
        for (from, to) in [
            ("warning: Hook ", " failed: "),
            ("server-side apply failed for object ", ": "),
        ] {
            if let Some((_, inner)) = rest.strip_prefix(from).and_then(|r| r.split_once(to)) {
                rest = inner;
            }
        }
        if let Some((_, inner)) = rest.split_once(" is not ready: ")
            && rest.starts_with(['H', 'O', 'E'])
            && rest
                .split('\'')
                .next()
                .is_some_and(|k| ["HelmChart ", "OCIRepository ", "ExternalArtifact "].contains(&k))
        {
            rest = inner;
        }
        if rest == before {
            return plain(rest.trim());
        }
    }
}

/// `[Job/core/x status: 'Failed']` as `Job core/x failed`, `namespaces "x" not found` as `namespace "x" not found`.
fn plain(error: &str) -> String {
    // What is left of Helm's wait when its time is up: the text says nothing about what it waited for.
    if error.contains("client rate limiter Wait returned an error")
        || error == "context deadline exceeded"
    {
        return "timed out".to_owned();
    }
    if let Some(rest) = error.strip_prefix("namespaces \"") {
        return format!("namespace \"{rest}");
    }
    for (prefix, lead) in [
        ("failed early due to stalled resources: ", ""),
        ("timeout waiting for: ", "timed out waiting for "),
    ] {
        if let Some(list) = error.strip_prefix(prefix) {
            let objects = resources(list);
            if !objects.is_empty() {
                let words: Vec<String> = objects
                    .iter()
                    .map(|o| {
                        if lead.is_empty() {
                            format!("{} {} failed", o.kind, o.id())
                        } else {
                            format!("{} {} ({})", o.kind, o.id(), o.status)
                        }
                    })
                    .collect();
                return format!("{lead}{}", words.join(", "));
            }
        }
    }
    error.to_owned()
}

/// One entry of the list that helm-controller prints since 1.5: `Job/core/x status: 'Failed'`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waited {
    pub kind: String,
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    pub name: String,
    /// `Failed`, `InProgress`, `NotFound`, `Terminating`, `Unknown`.
    pub status: String,
}

impl Waited {
    /// `namespace/name`, or the name alone.
    pub fn id(&self) -> String {
        if self.namespace.is_empty() {
            self.name.clone()
        } else {
            format!("{}/{}", self.namespace, self.name)
        }
    }
}

/// Reads `[Kind/ns/name status: 'S', …]`, wherever it stands in `text`; empty when there is none.
pub fn resources(text: &str) -> Vec<Waited> {
    let Some((_, list)) = text.split_once('[') else {
        return Vec::new();
    };
    let list = list.rsplit_once(']').map_or(list, |(l, _)| l);
    list.split("', ")
        .filter_map(|entry| {
            let (id, status) = entry.trim().split_once(" status: '")?;
            let status = status.trim_end_matches('\'').to_owned();
            let parts: Vec<&str> = id.split('/').collect();
            let (kind, namespace, name) = match parts[..] {
                [kind, namespace, name] => (kind, namespace, name),
                [kind, name] => (kind, "", name),
                _ => return None,
            };
            Some(Waited {
                kind: kind.to_owned(),
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                status,
            })
        })
        .collect()
}

/// The one line that `list` shows.
pub fn headline(hr: &HelmRelease) -> Headline {
    let ready = ready(hr);
    Headline {
        ready,
        stale: is_stale(hr),
        text: line(hr, ready),
    }
}

fn line(hr: &HelmRelease, ready: Ready) -> String {
    if hr.metadata.deletion_timestamp.is_some() {
        return match failure(hr) {
            Some(f) => format!("being deleted: {}", one_line(&f.error)),
            None => "being deleted".to_owned(),
        };
    }
    if hr.spec.suspend {
        return match failure(hr) {
            Some(f) => format!("suspended; before that: {}", cause(&f)),
            None => "suspended".to_owned(),
        };
    }
    if is_unanswered(hr) {
        return "no answer from Flux yet".to_owned();
    }
    if ready == Ready::True {
        return installed(hr);
    }
    if let Some(f) = failure(hr) {
        return cause(&f);
    }
    let progress = ["Ready", "Reconciling"]
        .iter()
        .find_map(|k| hr.condition(k))
        .map(|c| one_line(&c.message));
    progress
        .filter(|p| !p.is_empty())
        .unwrap_or_else(|| "no answer from Flux yet".to_owned())
}

/// `chart 0.1.2, revision 1`, as far as the status tells.
fn installed(hr: &HelmRelease) -> String {
    let words: Vec<String> = [
        hr.chart_version().map(|v| format!("chart {v}")),
        hr.revision().map(|r| format!("revision {r}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if words.is_empty() {
        "ready".to_owned()
    } else {
        one_line(&words.join(", "))
    }
}

/// `install failed: namespace "core" not found (retries exhausted)`.
fn cause(failure: &Failure<'_>) -> String {
    let error = match Forbidden::parse(&failure.error) {
        Some(refused) if failure.error.contains(" is forbidden: User ") => {
            one_line(&refused.sentence())
        }
        _ => one_line(&failure.error),
    };
    let lead = failure
        .action
        .map(|a| format!("{a} failed: "))
        .unwrap_or_default();
    let exhausted = if failure.exhausted && !error.contains("retries exhausted") {
        " (retries exhausted)"
    } else {
        ""
    };
    format!("{lead}{error}{exhausted}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn hr(generation: i64, status: Value) -> HelmRelease {
        HelmRelease::from_value(&json!({
            "metadata": {"name": "a", "namespace": "flux-system", "generation": generation}, "status": status
        }))
        .unwrap()
    }

    fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
        json!({"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": 1})
    }

    fn line_of(conditions: &[Value]) -> String {
        headline(&hr(1, json!({"conditions": conditions}))).line()
    }

    #[test]
    fn retries_exhausted_gives_the_cause_from_released() {
        // helm-controller 0.36 and the runbook's own example.
        let released = "Helm install failed: failed pre-install: warning: Hook pre-install secure-kvs-onboarding/templates/database-creation-job.yaml failed: namespaces \"core\" not found\n\nLast Helm logs:\n\nStarting delete for \"x\" Job";
        let old = [
            condition(
                "Ready",
                "False",
                "InstallFailed",
                "install retries exhausted",
            ),
            condition("Released", "False", "InstallFailed", released),
        ];
        assert_eq!(
            line_of(&old),
            "install failed: namespace \"core\" not found (retries exhausted)"
        );
        // helm-controller 1.6.
        let message = "Helm install failed for release nope/nope-a with chart secure-kvs-onboarding@0.1.2: failed pre-install: warning: Hook pre-install secure-kvs-onboarding/templates/database-creation-job.yaml failed: server-side apply failed for object nope/a-main-create batch/v1, Kind=Job: namespaces \"nope\" not found";
        let new = [
            condition(
                "Stalled",
                "True",
                "RetriesExceeded",
                "Failed to install after 3 attempt(s)",
            ),
            condition("Ready", "False", "InstallFailed", message),
            condition("Released", "False", "InstallFailed", message),
        ];
        assert_eq!(
            line_of(&new),
            "install failed: namespace \"nope\" not found (retries exhausted)"
        );
    }

    #[test]
    fn a_failed_hook_names_its_job() {
        let message = "Helm install failed for release core/core-a with chart secure-kvs-onboarding@0.1.2: failed pre-install: failed early due to stalled resources: [Job/core/pds-database-create status: 'Failed']";
        let conditions = [
            condition("Ready", "False", "InstallFailed", message),
            condition("Released", "False", "InstallFailed", message),
        ];
        assert_eq!(
            line_of(&conditions),
            "install failed: Job core/pds-database-create failed"
        );
    }

    #[test]
    fn a_source_that_is_not_ready_tells_why() {
        let message = "HelmChart 'flux-system/flux-system-a' is not ready: invalid chart reference: failed to get chart version for remote reference: no 'secure-kvs-onboarding' chart with version matching '>=9.0.0' found";
        let conditions = [
            condition("Ready", "False", "SourceNotReady", message),
            // Left from an earlier attempt: not what blocks now.
            condition(
                "Released",
                "False",
                "InstallFailed",
                "Helm install failed: old",
            ),
        ];
        assert_eq!(
            line_of(&conditions),
            "no 'secure-kvs-onboarding' chart with version matching '>=9.0.0' found"
        );
    }

    #[test]
    fn a_successful_remediation_is_not_the_cause() {
        let conditions = [
            condition(
                "Ready",
                "False",
                "RollbackSucceeded",
                "Helm rollback to previous release core/a.v1 with chart c@1 succeeded",
            ),
            condition(
                "Remediated",
                "True",
                "RollbackSucceeded",
                "Helm rollback to previous release core/a.v1 with chart c@1 succeeded",
            ),
            condition(
                "Released",
                "False",
                "UpgradeFailed",
                "Helm upgrade failed for release core/a with chart c@2: timeout waiting for: [Deployment/core/x status: 'InProgress']",
            ),
        ];
        assert_eq!(
            line_of(&conditions),
            "upgrade failed: timed out waiting for Deployment core/x (InProgress)"
        );
    }

    #[test]
    fn a_refusal_is_said_in_short() {
        let message = "Could not determine release state: failed to retrieve last release from storage: query: failed to query with labels: secrets is forbidden: User \"system:serviceaccount:flux-system:nobody\" cannot list resource \"secrets\" in API group \"\" in the namespace \"flux-system\"";
        assert_eq!(
            line_of(&[condition("Ready", "False", "StateError", message)]),
            "ServiceAccount flux-system/nobody cannot list secrets in flux-system"
        );
    }

    #[test]
    fn suspended_unanswered_and_installed_are_told() {
        let mut suspended = hr(1, json!({"observedGeneration": 1}));
        suspended.spec.suspend = true;
        assert_eq!(headline(&suspended).line(), "suspended");
        assert_eq!(
            headline(&hr(1, json!({"observedGeneration": -1}))).line(),
            "no answer from Flux yet"
        );
        assert_eq!(
            headline(&hr(1, json!({}))).line(),
            "no answer from Flux yet"
        );
        let installed = hr(
            1,
            json!({"conditions": [condition("Ready", "True", "InstallSucceeded", "ok")],
            "history": [{"name": "core-a", "version": 1, "chartVersion": "0.1.2"}]}),
        );
        assert_eq!(headline(&installed).line(), "chart 0.1.2, revision 1");
    }

    #[test]
    fn a_status_older_than_the_spec_is_marked() {
        let ready = [condition("Ready", "True", "InstallSucceeded", "ok")];
        let status =
            json!({"conditions": ready, "observedGeneration": 1, "lastAttemptedRevision": "0.1.2"});
        assert_eq!(
            headline(&hr(2, status.clone())).line(),
            "STALE: chart 0.1.2"
        );
        assert!(!headline(&hr(1, status)).stale);
        // Since 0.37 a retrying HelmRelease keeps -1 although the controller has seen its spec.
        let retrying =
            json!({"conditions": ready, "observedGeneration": -1, "lastAttemptedGeneration": 1});
        assert!(!headline(&hr(1, retrying)).stale);
    }

    #[test]
    fn waited_resources_are_read() {
        let found = resources(
            "failed early due to stalled resources: [Job/core/x status: 'Failed', Namespace/y status: 'Terminating']",
        );
        assert_eq!(found.len(), 2);
        assert_eq!(
            (
                found[0].kind.as_str(),
                found[0].id().as_str(),
                found[0].status.as_str()
            ),
            ("Job", "core/x", "Failed")
        );
        assert_eq!(
            (found[1].id().as_str(), found[1].status.as_str()),
            ("y", "Terminating")
        );
        assert!(resources("nothing here").is_empty());
    }

    proptest! {
        #[test]
        fn no_message_panics_or_steers(
            ready in "\\PC{0,60}|(Helm install failed( for release x/y with chart c@1)?: ){0,2}[ -~\u{1b}\n]{0,60}",
            released in "\\PC{0,60}|.{0,60}",
            reason in "InstallFailed|SourceNotReady|Progressing|RollbackSucceeded|x",
        ) {
            let line = line_of(&[condition("Ready", "False", &reason, &ready), condition("Released", "False", "InstallFailed", &released)]);
            let steers = line.contains(['\u{1b}', '\n', '\r']);
            prop_assert!(!steers, "{}", line);
        }
    }
}
