//! Kustomizations that have not applied the revision that their source has: they report no error, and their controller may be down.

use crate::advice::Hint;
use crate::model::field::Field;
use crate::model::kustomization::{Kustomization, State};
use crate::model::source::Source;
use crate::snapshot::Read;
use crate::text::one_line;

/// Whether a Kustomization has applied what its source has.
#[derive(Debug, PartialEq)]
pub(super) enum Behind {
    /// It has, or something else is said of it.
    No,
    Yes(Hint),
    /// Why that is not known, as a sentence.
    Unknown(String),
}

pub(super) fn behind(kustomization: &Kustomization, source: &Read<Source>) -> Behind {
    // Of the others `arrival` says what they do not apply, and of a source that is not well `folder_sources`. One that waits for what it has applied
    // records the revision only afterwards.
    if !matches!(kustomization.state(), State::Applied) {
        return Behind::No;
    }
    let source = source.if_read().filter(|source| source.well().is_some());
    let Some(artifact) = source.and_then(|source| source.artifact.set()) else {
        return Behind::No;
    };
    let id = one_line(&kustomization.meta.id());
    let (applied, has) = match (&kustomization.applied_revision, &artifact.revision) {
        (Field::Set(applied), Field::Set(has)) => (one_line(applied), one_line(has)),
        _ => (String::new(), String::new()),
    };
    match (commit(&applied), commit(&has)) {
        ("", _) | (_, "") => Behind::Unknown(format!(
            "the revision that Kustomization {id} has applied, or that of its source, cannot be read"
        )),
        (own, of_source) if own == of_source => Behind::No,
        _ => {
            let since = artifact.last_update_time.as_str();
            let since = since.map_or_else(String::new, |time| format!(" since {}", one_line(time)));
            Behind::Yes(Hint::from(format!(
                "Kustomization {id} has applied {applied}, but its source has been at {has}{since}: kustomize-controller may not be at work"
            )))
        }
    }
}

/// The commit of a revision; empty where it has none. Flux before 2.0 writes `main/5b3e`, later ones `main@sha1:5b3e`.
fn commit(revision: &str) -> &str {
    let parts = revision.rsplit([':', '/']);
    parts.into_iter().next().unwrap_or(revision)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn told(applied: &Value, has: &Value, status: &str) -> String {
        told_of(applied, has, status, "R")
    }

    fn told_of(applied: &Value, has: &Value, status: &str, reason: &str) -> String {
        let ready = json!([{"type": "Ready", "status": status, "reason": reason, "message": "m", "observedGeneration": 1}]);
        let kustomization = Kustomization::from_value(&json!({
            "metadata": {"namespace": "n", "name": "k", "generation": 1},
            "status": {"observedGeneration": 1, "conditions": ready, "lastAppliedRevision": applied}}));
        let well = json!([{"type": "Ready", "status": "True", "reason": "R", "message": "m", "observedGeneration": 1}]);
        let artifact = json!({"revision": has, "lastUpdateTime": "2026-11-27T04:59:05Z"});
        let source = json!({"metadata": {"namespace": "n", "name": "s", "generation": 1}, "spec": {},
            "status": {"observedGeneration": 1, "conditions": well, "artifact": artifact}});
        let source = Source::from_value(&source, "GitRepository");
        match behind(&kustomization, &Read::Seen(source)) {
            Behind::No => String::new(),
            Behind::Yes(hint) => hint.plain(),
            Behind::Unknown(why) => format!("unknown: {why}"),
        }
    }

    #[test]
    fn one_that_has_not_applied_its_sources_revision_is_behind() {
        let (old, new) = (json!("main@sha1:1a"), json!("main@sha1:2b"));
        insta::assert_snapshot!(told(&old, &new, "True"), @"Kustomization n/k has applied main@sha1:1a, but its source has been at main@sha1:2b since 2026-11-27T04:59:05Z: kustomize-controller may not be at work");
        assert_eq!(told(&new, &new, "True"), "");
        assert_eq!(told(&json!("main/2b"), &new, "True"), "");
        // It says itself why it has not, or waits for what it has applied.
        assert_eq!(told(&old, &new, "False"), "");
        assert_eq!(told_of(&old, &new, "False", "HealthCheckFailed"), "");
    }

    #[test]
    fn a_revision_that_cannot_be_read_may_be_an_old_one() {
        let new = json!("main@sha1:2b");
        for odd in [json!(null), json!(7), json!(""), json!("main@sha1:")] {
            for told in [told(&odd, &new, "True"), told(&new, &odd, "True")] {
                assert!(told.starts_with("unknown: "), "{odd}: {told}");
            }
        }
    }
}
