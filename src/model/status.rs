//! What a HelmRelease's status says in one line: readiness, staleness, and the cause of a failure.

use super::condition::Stated;
use super::failure::{self, Cause, Failure};
use super::helm_release::HelmRelease;
use super::suspension::Suspension;
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

/// What Ready says, and of which spec. That a HelmRelease was suspended since leaves Ready as it was.
pub fn ready(hr: &HelmRelease) -> Stated<Ready> {
    let shown = shown(hr);
    let ready = hr.conditions().get("Ready").and_then(Stated::past);
    match hr.is_stale() || (ready.is_some() && !hr.spec.suspend) {
        true => Stated::History(shown),
        false => Stated::Present(shown),
    }
}

/// The READY column, as kubectl and flux show it: whatever spec it is about.
pub fn shown(hr: &HelmRelease) -> Ready {
    let ready = hr.status.conditions.shown_of("Ready");
    match ready.map(|c| c.status.as_str()) {
        Some("True") => Ready::True,
        Some("False") => Ready::False,
        _ => Ready::Unknown,
    }
}

/// The failure that is shown: one of an older spec too, beside the mark of a stale status.
fn failure(hr: &HelmRelease) -> Option<Failure<'_>> {
    failure::failure(hr).map(Stated::of_any_spec)
}

/// Whether a controller before 0.37 wrote the status; `None` when the status does not show it.
pub fn is_old_controller(hr: &HelmRelease) -> Option<bool> {
    let status = &hr.status;
    if status.last_attempted_generation.is_some() || !status.history.is_empty() {
        return Some(false);
    }
    if status.conditions.is_empty() {
        return None;
    }
    Some(
        status
            .conditions
            .shown()
            .iter()
            .all(|c| c.observed_generation.is_none()),
    )
}

/// True while no controller has answered: no condition was ever written.
pub fn is_unanswered(hr: &HelmRelease) -> bool {
    hr.status.conditions.is_empty()
        && hr.status.history.is_empty()
        && hr.status.observed_generation.unwrap_or(-1) < 1
}

/// The one line that `list` shows.
pub fn headline(hr: &HelmRelease) -> Headline {
    let ready = shown(hr);
    Headline {
        ready,
        stale: hr.is_stale(),
        text: line(hr, ready),
    }
}

fn line(hr: &HelmRelease, ready: Ready) -> String {
    if hr.metadata.deletion_timestamp.is_some() {
        return match failure(hr) {
            Some(f) => format!("being deleted: {}", one_line(&f.text.words())),
            None => "being deleted".to_owned(),
        };
    }
    if hr.spec.suspend {
        return match failure(hr) {
            Some(f) => format!("{}; before that: {}", suspended(hr), cause(&f)),
            None => suspended(hr),
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
        .find_map(|k| hr.status.conditions.shown_of(k))
        .map(|c| one_line(&c.message));
    progress
        .filter(|p| !p.is_empty())
        .unwrap_or_else(|| "no answer from Flux yet".to_owned())
}

/// What failed, of an onboarding that is suspended too.
pub fn failed(hr: &HelmRelease) -> Option<String> {
    failure(hr).map(|f| cause(&f))
}

/// `suspended by alice: CouchDB is upgraded`, as far as that is recorded.
fn suspended(hr: &HelmRelease) -> String {
    let recorded = Suspension::from_release(hr);
    recorded.map_or_else(|| "suspended".to_owned(), |suspension| suspension.words())
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

/// The failure speaks of the creation Job, or an install is under way that may wait for it.
pub fn is_about_creation_job(hr: &HelmRelease) -> bool {
    if shown(hr) == Ready::True || is_unanswered(hr) {
        return false;
    }
    let Some(failure) = failure(hr) else {
        // An installation runs to its end, whatever the spec is by now.
        let mut conditions = hr.conditions().iter().map(Stated::of_any_spec);
        // Controllers up to 0.36 do not say which action it is: before the first success it is an installation.
        let first = hr.status.last_applied_revision.is_none() && hr.status.history.is_empty();
        return conditions.any(|c| {
            c.message.starts_with("Running 'install' action")
                || first && c.kind == "Ready" && c.message == "Reconciliation in progress"
        });
    };
    let others = ["upgrade", "test", "rollback", "uninstall"];
    if failure.text.action.is_some_and(|a| others.contains(&a)) {
        return false;
    }
    failure.text.is_of_creation_job()
}

/// `install failed: namespace "core" not found (retries exhausted)`.
fn cause(failure: &Failure<'_>) -> String {
    let error = match &failure.text.cause {
        Cause::Right(refused) => one_line(&refused.sentence()),
        _ => one_line(&failure.text.words()),
    };
    let lead = failure
        .text
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
    fn a_ready_of_an_older_spec_is_stale_unless_only_suspended_since() {
        let ready = condition("Ready", "True", "InstallSucceeded", "");
        let mut hr = hr(2, json!({"observedGeneration": 2, "conditions": [ready]}));
        assert!(hr.is_stale());
        hr.spec.suspend = true;
        assert!(!hr.is_stale());
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
