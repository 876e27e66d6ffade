//! The text of a failure, parsed once: what failed, on which object, and why.
//!
//! A text can say two things, such as a server error about one object. They are two fields: where it happened (the action, the
//! object that was applied) beside the cause, of which there is one. Texts stay raw for evidence.

use super::cause::Cause;
use super::wait::{Waited, hook_job, resources};
use crate::model::lookup::can_be_an_object;

/// What the controller says of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureText<'a> {
    /// The controller's own text, without the log that old ones append.
    pub raw: &'a str,
    /// The last lines of Helm's log that controllers up to 0.36 append.
    pub trailer: Option<&'a str>,
    /// `install`, `upgrade`, …: what failed, where the text names it.
    pub action: Option<&'static str>,
    /// The object that Helm was applying, where the text names it.
    pub applied: Option<Applied>,
    pub cause: Cause,
}

/// An object that Helm was applying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub kind: String,
    /// `namespace/name`, or the name alone.
    pub id: String,
}

impl<'a> FailureText<'a> {
    /// Reads a condition's message, or the event's that stands in for it. `reason` is the condition's, empty without one.
    pub fn parse(reason: &str, message: &'a str) -> Self {
        let (raw, trailer) = split_trailer(message);
        Self {
            raw,
            trailer,
            action: unwrap_action(raw).0,
            applied: Applied::parse(raw),
            cause: Cause::parse(reason, raw),
        }
    }

    /// The Job that Helm waited for, where the text names one. The text may leave out its namespace.
    pub fn job(&self) -> Option<Waited> {
        let mut listed = resources(self.raw).into_iter();
        listed.find(|object| object.kind == "Job").or_else(|| {
            let name = hook_job(self.raw).filter(|name| can_be_an_object(name))?;
            Some(Waited {
                kind: "Job".to_owned(),
                namespace: String::new(),
                name: name.to_owned(),
                status: "Failed".to_owned(),
            })
        })
    }

    /// It is about a pre-install hook: the creation Job.
    pub fn is_of_hook(&self) -> bool {
        self.raw.contains("pre-install")
    }

    /// A pre-install hook could not even be created: Helm then names its path.
    pub fn is_of_creating_hook(&self) -> bool {
        self.raw.contains("Hook pre-install ")
    }

    /// Helm was replacing an object as a whole, as `spec.upgrade.force` asks.
    pub fn is_of_replacement(&self) -> bool {
        self.raw.contains("failed to replace object: ")
    }

    /// The hook that failed, if it is one that runs when the database is there: `post-install`, `pre-upgrade` or `post-upgrade`.
    pub fn later_hook(&self) -> Option<&'static str> {
        const HOOKS: [(&str, &str); 4] = [
            ("pre-upgrade", "pre-upgrade hooks failed: "),
            ("post-upgrade", "post-upgrade hooks failed: "),
            ("post-install", "failed post-install: "),
            // Helm 4.
            ("post-install", "post-install hooks failed: "),
        ];
        let mut hooks = HOOKS.into_iter();
        let (hook, _) = hooks.find(|(_, lead)| self.raw.contains(lead))?;
        Some(hook)
    }

    /// It is about the creation Job, or may be: Helm waited for it, or for something that the text does not name.
    pub fn is_of_creation_job(&self) -> bool {
        // It succeeded before any of these ran.
        if self.later_hook() == Some("post-install") {
            return false;
        }
        let waited = match &self.cause {
            // It need not be the Job that creates the database.
            Cause::Wait(wait) if wait.gone_job().is_some() => false,
            Cause::Wait(wait) => wait.timed_out || wait.job_failed || wait.job().is_some(),
            _ => false,
        };
        // The wait for the hook ended without a verdict on it, in whatever words.
        let unsettled = self.raw.contains("failed pre-install: ") && !self.is_of_creating_hook();
        waited || unsettled
    }

    /// Flux failed before it called Helm.
    pub fn is_before_helm(&self) -> bool {
        self.raw.starts_with("failed to ")
    }
}

impl Applied {
    /// `server-side apply failed for object core/x batch/v1, Kind=Job: …` or `cannot patch "x" with kind Job: …`.
    fn parse(text: &str) -> Option<Self> {
        let (id, kind) = match text.split_once("server-side apply failed for object ") {
            Some((_, rest)) => {
                let (id, rest) = rest.split_once(' ')?;
                (id, rest.split_once(", Kind=")?.1)
            }
            None => text
                .split_once("cannot patch \"")?
                .1
                .split_once("\" with kind ")?,
        };
        let (kind, _) = kind.split_once(':')?;
        let word = |w: &str| !w.is_empty() && !w.contains([' ', '"', '\n']);
        (word(id) && word(kind)).then(|| Self {
            kind: kind.to_owned(),
            id: id.to_owned(),
        })
    }
}

/// Actions in the messages, with the verb that each has in them.
const ACTIONS: [&str; 5] = ["install", "upgrade", "test", "rollback", "uninstall"];

/// Splits the log trailer off, which controllers up to 0.36 put into conditions and later ones into events.
pub fn split_trailer(message: &str) -> (&str, Option<&str>) {
    match message.split_once("\n\nLast Helm logs:\n\n") {
        Some((error, trailer)) => (error, Some(trailer)),
        None => (message, None),
    }
}

/// Takes `Helm install failed for release ns/name with chart c@v: ` or `Helm install failed: ` off.
pub(super) fn unwrap_action(message: &str) -> (Option<&'static str>, &str) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::failure::server::ServerError;
    use proptest::prelude::*;

    #[test]
    fn the_object_that_was_applied_is_named() {
        let of = |text| Applied::parse(text).map(|a| format!("{} {}", a.kind, a.id));
        assert_eq!(
            of("failed: server-side apply failed for object core/x-create batch/v1, Kind=Job: no")
                .as_deref(),
            Some("Job core/x-create")
        );
        assert_eq!(
            of("cannot patch \"x\" with kind AuthorizationPolicy: AuthorizationPolicy.security.istio.io \"x\" is invalid").as_deref(),
            Some("AuthorizationPolicy x")
        );
        assert_eq!(of("cannot patch it"), None);
    }

    #[test]
    fn a_server_error_about_one_object_is_both() {
        let text = FailureText::parse(
            "UpgradeFailed",
            "Helm upgrade failed for release core/x with chart c@1.0.0: server-side apply failed for object core/y batch/v1, Kind=Job: etcdserver: leader changed\n\nLast Helm logs:\n\nnamespaces \"z\" not found",
        );
        assert_eq!(text.action, Some("upgrade"));
        assert_eq!(text.applied.map(|a| a.id).as_deref(), Some("core/y"));
        let etcd = ServerError::Etcd("etcdserver: leader changed".to_owned());
        assert_eq!(text.cause, Cause::Server(etcd));
        assert!(text.raw.ends_with("leader changed"));
    }

    #[test]
    fn the_creation_job_is_meant_by_its_name_its_hook_or_a_wait_for_nothing_named() {
        let of = |text| FailureText::parse("InstallFailed", text).is_of_creation_job();
        for text in [
            "failed early due to stalled resources: [Job/core/x status: 'Failed']",
            "Helm install failed: failed pre-install: something new",
            "Helm install failed: context deadline exceeded",
        ] {
            assert!(of(text), "{text}");
        }
        for text in [
            "Helm install failed: failed pre-install: warning: Hook pre-install c/templates/job.yaml failed: no",
            "failed early due to stalled resources: [Deployment/core/x status: 'Failed']",
            // The webhook was late, not the Job.
            "Helm install failed: failed calling webhook \"w\": context deadline exceeded",
        ] {
            assert!(!of(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(server-side apply failed for object |cannot patch \"|\" with kind |, Kind=|core/x| |:|Helm install failed: | for release x/y with chart c@1: |\n\nLast Helm logs:\n\n){0,10}") {
            let _ = FailureText::parse("", &text);
        }
    }
}
