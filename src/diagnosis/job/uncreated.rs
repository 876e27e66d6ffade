//! A Job whose pod could not be made: the Job controller's events say why.

use crate::advice::Command;
use crate::diagnosis::finding::{Evidence, Subject};
use crate::model::event::Event;
use crate::model::failure::refusal::{Refusal, is_bare_timeout, is_late};
use crate::snapshot::{Events, IfRead, Snapshot};

/// No pod of the Job could be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Uncreated {
    /// The Job, which may be gone.
    pub job: Subject,
    /// As the Job controller's event says.
    pub why: String,
    /// What a newer event says, where that is only that the time was over.
    pub then: Option<String>,
    pub gone: bool,
}

impl Uncreated {
    /// The event.
    pub fn evidence(&self) -> Evidence {
        let then = self.then.iter().map(|then| format!("; then: {then}"));
        let observed = format!("FailedCreate: {}{}", self.why, then.collect::<String>());
        Evidence::new(self.job.clone(), "events", &observed)
    }

    /// Shows the Job's events.
    pub fn command(&self) -> Command {
        let Subject {
            namespace, name, ..
        } = &self.job;
        let of = format!("involvedObject.kind=Job,involvedObject.name={name}");
        let words: &[&str] = if self.gone {
            &["get", "events", "-n", namespace, "--field-selector", &of]
        } else {
            &["describe", "-n", namespace, "job", name]
        };
        Command::new(["kubectl"]).args(words)
    }
}

/// What keeps the Job controller from making a pod: a quota, a policy, a ServiceAccount that is not there. The newest of its
/// events tells, unless a pod was made after it. `uid`: of the Job, if it is there; events of a former Job of its name do not count.
pub(super) fn uncreated(job: &Subject, uid: Option<&str>, events: &Events) -> Option<Uncreated> {
    let is_own = |event: &&Event| {
        let others = |uid: &str| ![uid, event.uid.as_str()].contains(&"") && uid != event.uid;
        !uid.is_some_and(others)
    };
    let mut newest_first = events.known().iter().filter(is_own).rev();
    let newest =
        newest_first.find(|e| ["FailedCreate", "SuccessfulCreate"].contains(&e.reason.as_str()))?;
    // Of a message that cannot be read nothing is known, and `events_unread` says so.
    if newest.reason != "FailedCreate" || !newest.is_whole {
        return None;
    }
    let of = |event: &Event| {
        let why = event.message.strip_prefix("Error creating: ");
        crate::text::one_line(why.unwrap_or(&event.message))
    };
    let newest = of(newest);
    // The earlier refusals name the webhook that was late.
    let earlier = newest_first.take_while(|e| e.reason != "SuccessfulCreate");
    let mut earlier = earlier
        .filter(|e| e.reason == "FailedCreate" && e.is_whole)
        .map(of);
    let named = match is_bare_timeout(&newest) {
        true => earlier
            .find(|why| !is_bare_timeout(why))
            .filter(|why| names_late_webhook(why)),
        false => None,
    };
    let (why, then) = match named {
        Some(named) => (named, Some(newest)),
        None => (newest, None),
    };
    Some(Uncreated {
        job: job.clone(),
        why,
        then,
        gone: uid.is_none(),
    })
}

fn names_late_webhook(why: &str) -> bool {
    matches!(Refusal::parse(why), Some(Refusal::WebhookDown { why, .. }) if is_late(&why))
}

/// What the events of a Job that is gone tell.
pub(super) fn uncreated_of_lost(snapshot: &Snapshot) -> Option<Uncreated> {
    let lost = snapshot.lost_job()?;
    let job = Subject::new("Job", &lost.namespace, &lost.name);
    // `events_unread` reports those that were not read.
    uncreated(&job, None, lost.events().if_read()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_former_job_of_that_name_says_nothing_of_this_one() {
        let job = Subject::new("Job", "core", "pds-database-create");
        let event = |of: &str| {
            Event::from_value(
                &json!({"reason": "FailedCreate", "message": "Error creating: no quota",
                "involvedObject": {"kind": "Job", "uid": of}}),
            )
        };
        let why = |of: &str, uid: Option<&str>| {
            let events = Events::whole(vec![event(of)]);
            uncreated(&job, uid, &events).map(|found| found.why)
        };
        let no_quota = Some("no quota".to_owned());
        assert_eq!(why("1-a", Some("1-a")), no_quota);
        assert_eq!(why("2-b", Some("1-a")), None);
        // Whose it is is not known.
        assert_eq!(why("", Some("1-a")), no_quota);
        assert_eq!(why("2-b", Some("")), no_quota);
        // The Job is gone, and with it its UID.
        assert_eq!(why("2-b", None), no_quota);
    }

    #[test]
    fn a_bare_timeout_leaves_the_webhook_named_that_was_late_before() {
        let job = Subject::new("Job", "core", "pds-database-create");
        let late = "Error creating: Internal error occurred: failed calling webhook \"policy.example\": failed to call webhook: Post \"https://p.policy.svc:443/m?timeout=10s\": context deadline exceeded";
        let bare = "Error creating: Timeout: request did not complete within requested timeout - context deadline exceeded";
        let of = |messages: &[(&str, &str)]| {
            let events = messages.iter().map(|(reason, message)| {
                Event::from_value(&json!({"reason": reason, "message": message}))
            });
            uncreated(&job, None, &Events::whole(events.collect())).unwrap()
        };
        let failed = |message| ("FailedCreate", message);
        let found = of(&[failed(late), failed(bare), failed(bare)]);
        assert!(found.why.contains("policy.example"), "{found:?}");
        assert!(
            found.evidence().observed.contains("; then: Timeout: "),
            "{found:?}"
        );
        for events in [
            vec![failed(bare)],
            vec![failed(late), ("SuccessfulCreate", "x"), failed(bare)],
            vec![
                failed(late),
                failed("Error creating: exceeded quota: q, requested: a=1"),
                failed(bare),
                failed(bare),
            ],
        ] {
            let found = of(&events);
            assert!(found.why.starts_with("Timeout: "), "{found:?}");
            assert_eq!(found.then, None);
        }
        // Another refusal is the present one.
        let found = of(&[failed(late), failed("Error creating: no quota")]);
        assert_eq!(found.why, "no quota");
    }
}
