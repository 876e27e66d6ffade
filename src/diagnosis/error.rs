//! The text of a failure, read once: where it is said, and what it says.

use crate::model::event::Event;
use crate::model::failure::{self, Failure};
use crate::model::forbidden::Forbidden;
use crate::model::object_error::ObjectError;
use crate::model::refusal::Refusal;
use crate::model::release_error::ReleaseError;
use crate::model::server_error::ServerError;
use crate::model::status;
use crate::snapshot::{Checked, Snapshot};

/// Reasons of a failure of the chart's source or of the values: what it quotes is not the API server's or Helm's.
const OF_THE_INPUT: [&str; 5] = [
    "SourceNotReady",
    "HelmChartNotReady",
    "ArtifactFailed",
    "ValuesError",
    "InitFailed",
];

/// What the text of a failure says, by what it is about.
#[derive(Clone, Debug, Default)]
pub(super) struct ErrorText<'a> {
    /// The controller's own text, without the log that old ones append; empty when there is no failure.
    pub(super) raw: &'a str,
    /// The event that the text was taken from, where the status does not say.
    pub(super) event: Option<&'a Event>,
    pub(super) release: Option<ReleaseError>,
    pub(super) object: Option<ObjectError>,
    pub(super) server: Option<ServerError>,
    pub(super) refusal: Option<Refusal>,
    pub(super) forbidden: Option<Forbidden>,
    /// `install`, `upgrade`, …: what failed, where the text names it.
    pub(super) action: Option<&'static str>,
}

/// Reads the failure's text from the status, or from the newest event where the status keeps silent.
///
/// # Errors
/// The status keeps silent and the events were not read, or not all of them.
pub(super) fn read<'a>(
    snapshot: &'a Snapshot,
    failure: Option<&Failure<'a>>,
) -> Checked<ErrorText<'a>> {
    let reason = failure.map_or("", |f| f.condition.reason.as_str());
    let event = match silent(snapshot, failure) {
        Some(is_telling) => snapshot.newest_event(is_telling)?,
        None => None,
    };
    let raw = match event {
        Some(event) => {
            let message = event.message.as_str();
            message
                .strip_prefix("reconciliation failed: ")
                .unwrap_or(message)
        }
        None => failure.map_or("", |f| f.condition.message.as_str()),
    };
    let raw = failure::split_trailer(raw).0;
    let text = ErrorText {
        raw,
        action: failure::action(raw).or(failure.and_then(|f| f.action)),
        event,
        ..ErrorText::default()
    };
    if OF_THE_INPUT.contains(&reason) {
        return Ok(text);
    }
    let is_right = raw.contains("cannot ") && raw.contains("User \"");
    Ok(ErrorText {
        release: ReleaseError::parse(raw),
        object: ObjectError::parse(raw),
        server: ServerError::parse(raw),
        refusal: Refusal::parse(raw),
        forbidden: is_right.then(|| Forbidden::parse(raw)).flatten(),
        ..text
    })
}

/// Flux failed to clean up after an installation that had stored nothing: the text is of the cleanup, and hides the cause.
pub(super) fn is_of_nothing(failure: &Failure<'_>) -> bool {
    let condition = failure.condition;
    condition.reason == "UninstallFailed"
        && (condition.kind == "Remediated" || condition.message.contains("uninstall"))
        && condition.message.contains("release: not found")
}

/// The text only counts the attempts: `Failed to install after 1 attempt(s)`.
fn is_a_count(failure: &Failure<'_>) -> bool {
    let message = &failure.condition.message;
    message.starts_with("Failed to ") && message.contains(" attempt(s)")
}

/// Which events say what the status does not: why storage could not be read (controllers before 0.37), why the HelmChart could
/// not be made. `None` where the status says it all.
fn silent(snapshot: &Snapshot, failure: Option<&Failure<'_>>) -> Option<fn(&Event) -> bool> {
    if failure.is_some_and(|f| is_of_nothing(f) || is_a_count(f)) {
        return Some(|event| {
            ["InstallFailed", "UpgradeFailed", "error"].contains(&event.reason.as_str())
                && ["Helm install failed", "Helm upgrade failed"]
                    .iter()
                    .any(|lead| event.message.contains(lead))
        });
    }
    if failure.is_some_and(|f| f.condition.reason == "GetLastReleaseFailed") {
        return Some(|event| {
            event.message.contains("get last release revision")
                || event.message.contains("failed to query with labels")
        });
    }
    status::is_unanswered(&snapshot.helm_release)
        .then_some(|event| event.reason == "HelmChartSyncErr")
}
