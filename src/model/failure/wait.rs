//! Helm's wait for the objects that it has applied: which ones, and how the wait ended.

use super::text::unwrap_action;
use crate::model::names::is_object_name;

/// A wait that ended badly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The objects that the text names; many versions name none.
    pub objects: Vec<Waited>,
    /// The time was up. Otherwise one of the objects failed.
    pub timed_out: bool,
    /// The text reports a failed Job, its name or only its reason.
    pub job_failed: bool,
}

/// One entry of the list that helm-controller prints since 1.5: `Job/core/x status: 'Failed'`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waited {
    pub kind: String,
    /// Empty for cluster-scoped objects, and where the text does not say it.
    pub namespace: String,
    pub name: String,
    /// `Failed`, `InProgress`, `NotFound`, `Terminating`, `Unknown`.
    pub status: String,
}

impl Wait {
    /// Reads a text; `None` when it is about something else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut objects = resources(text);
        if objects.is_empty() {
            objects.extend(gone(text));
        }
        let timed_out = TIMEOUTS.iter().any(|t| text.contains(t));
        let job_failed = JOB_FAILURES.iter().any(|t| text.contains(t))
            || objects.iter().any(Waited::is_failed_job);
        (timed_out || job_failed || !objects.is_empty()).then_some(Self {
            objects,
            timed_out,
            job_failed,
        })
    }

    /// Reads a text that names a Job and says of it that it failed, whatever the reason.
    pub(super) fn of_failed_job(text: &str) -> Option<Self> {
        let is_listed = resources(text).iter().any(Waited::is_failed_job);
        (is_listed || failed_job(text, "").is_some()).then(|| Self {
            objects: resources(text),
            timed_out: TIMEOUTS.iter().any(|t| text.contains(t)),
            job_failed: true,
        })
    }

    /// The Job that no longer existed when Helm looked at it: nothing else is said of the wait.
    pub fn gone_job(&self) -> Option<&Waited> {
        let is_open = !self.timed_out && !self.job_failed;
        self.job().filter(|job| is_open && job.status == NOT_FOUND)
    }

    /// The Job that the text names.
    pub fn job(&self) -> Option<&Waited> {
        self.objects.iter().find(|w| w.kind == "Job")
    }
}

/// The status of an object that does not exist.
const NOT_FOUND: &str = "NotFound";

/// The Job in `jobs.batch "x" not found`, if that is all that Helm says: it has applied the Job itself.
fn gone(text: &str) -> Option<Waited> {
    let (_, said) = unwrap_action(text.trim_end());
    let name = said.strip_prefix("jobs.batch \"")?;
    let name = name.strip_suffix("\" not found")?;
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    (!name.is_empty() && name.chars().all(is_name)).then(|| Waited {
        kind: "Job".to_owned(),
        namespace: String::new(),
        name: name.to_owned(),
        status: NOT_FOUND.to_owned(),
    })
}

/// A wait that was given up, in the words of any Helm and any controller.
const TIMEOUTS: [&str; 5] = [
    "timeout waiting for:",
    "timed out waiting for the condition",
    "context deadline exceeded",
    // The client's own limit on requests, when the next one would come after the deadline.
    "would exceed context deadline",
    "DeadlineExceeded",
];

/// The reasons of a failed Job, and what Flux says of one without its reason.
pub const JOB_FAILURES: [&str; 4] = [
    "BackoffLimitExceeded",
    "DeadlineExceeded",
    "PodFailurePolicy",
    "job is failed",
];

/// The Job in `job x failed: BackoffLimitExceeded`, as Helm 3.14 and later name the hook that they waited for.
pub fn hook_job(text: &str) -> Option<&str> {
    JOB_FAILURES
        .iter()
        .find_map(|reason| failed_job(text, reason))
}

/// The pod in `pod x failed`: a hook or a test that is a pod by itself.
pub fn failed_pod(text: &str) -> Option<&str> {
    let (before, _) = text.trim_end().rsplit_once(" failed")?;
    let (_, name) = before.rsplit_once("pod ")?;
    is_object_name(name).then_some(name)
}

/// The Job in `job x failed: REASON`.
fn failed_job<'t>(text: &'t str, reason: &str) -> Option<&'t str> {
    let end = format!(" failed: {reason}");
    text.match_indices(&end).find_map(|(at, _)| {
        let (lead, name) = text[..at].rsplit_once("job ")?;
        let is_word = lead.is_empty() || lead.ends_with([' ', '\t']);
        (is_word && !name.contains(char::is_whitespace)).then_some(name)
    })
}

impl Waited {
    fn is_failed_job(&self) -> bool {
        self.kind == "Job" && self.status.contains("Failed")
    }

    /// Its namespace; `home`, the release's, where the text does not say it.
    pub fn home<'a>(&'a self, home: &'a str) -> &'a str {
        match self.namespace.as_str() {
            "" => home,
            namespace => namespace,
        }
    }

    /// `namespace/name`, or the name alone.
    pub fn id(&self) -> String {
        if self.namespace.is_empty() {
            self.name.clone()
        } else {
            format!("{}/{}", self.namespace, self.name)
        }
    }
}

/// Reads `[Kind/ns/name status: 'S', …]`, wherever it is in `text`; empty if it is missing.
pub(in crate::model) fn resources(text: &str) -> Vec<Waited> {
    let lines = text
        .lines()
        .filter_map(|line| of_helm_4(line).or_else(|| of_helm_4_by_name(line)));
    let said: Vec<Waited> = lines.collect();
    if !said.is_empty() {
        return said;
    }
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

/// `resource Kind/ns/name not ready. status: S, message: …`, one a line.
fn of_helm_4(line: &str) -> Option<Waited> {
    let (before, after) = [" not ready. status: ", " still exists. status: "]
        .iter()
        .find_map(|mark| line.split_once(mark))?;
    let (_, id) = before.rsplit_once("resource ")?;
    let status = after
        .split_once(", message: ")
        .map_or(after, |(status, _)| status);
    let mut parts = id.splitn(3, '/');
    let (kind, namespace, name) = (parts.next()?, parts.next()?, parts.next()?);
    (!kind.is_empty() && !name.is_empty()).then(|| Waited {
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        status: status.trim().to_owned(),
    })
}

/// `resource not ready, name: NAME, kind: KIND, status: S`, one a line. The namespace is not told.
fn of_helm_4_by_name(line: &str) -> Option<Waited> {
    let (_, rest) = line.split_once("resource not ready, name: ")?;
    let (name, rest) = rest.split_once(", kind: ")?;
    let (kind, status) = rest.split_once(", status: ")?;
    (!kind.is_empty() && !name.is_empty()).then(|| Waited {
        kind: kind.to_owned(),
        namespace: String::new(),
        name: name.to_owned(),
        status: status.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_objects_are_read() {
        let wait = Wait::parse(
            "failed early due to stalled resources: [Job/core/x status: 'Failed', Namespace/y status: 'Terminating']",
        )
        .unwrap();
        let ids: Vec<String> = wait.objects.iter().map(Waited::id).collect();
        assert_eq!(ids, ["core/x", "y"]);
        assert_eq!(wait.objects[1].status, "Terminating");
        assert_eq!(wait.job().map(|w| w.name.as_str()), Some("x"));
        assert!(wait.job_failed && !wait.timed_out);
    }

    #[test]
    fn the_objects_of_helm_4_are_read_in_both_forms() {
        let wait = Wait::parse(
            "resource not ready, name: acme-search-create, kind: Job, status: InProgress\nresource not ready, name: gate, kind: Deployment, status: Failed\ncontext deadline exceeded",
        )
        .unwrap();
        let told: Vec<String> = wait
            .objects
            .iter()
            .map(|w| format!("{} {} {}", w.kind, w.id(), w.status))
            .collect();
        assert_eq!(
            told,
            [
                "Job acme-search-create InProgress",
                "Deployment gate Failed"
            ]
        );
        assert!(wait.timed_out && !wait.job_failed);
        assert_eq!(wait.objects[0].home("core"), "core");
        for near in [
            "resource not ready, name: x",
            "resource not ready, name: , kind: Job, status: Failed",
        ] {
            assert_eq!(resources(near), [], "{near}");
        }
    }

    #[test]
    fn a_job_that_is_gone_is_the_whole_text() {
        let of = |text: &str| {
            let wait = Wait::parse(text)?;
            wait.gone_job().map(|job| job.name.clone())
        };
        let text = r#"jobs.batch "a-grant" not found"#;
        assert_eq!(of(text).as_deref(), Some("a-grant"));
        let lead = "Helm install failed for release core/x with chart c@1.0.0: ";
        assert_eq!(of(&format!("{lead}{text}")).as_deref(), Some("a-grant"));
        for other in [
            r#"cannot patch "x" with kind Job: jobs.batch "x" not found"#,
            r#"jobs.batch "x" not found: y"#,
            r#"jobs.batch "x y" not found"#,
            r#"jobs.batch "" not found"#,
            r#"deployments.apps "x" not found"#,
            "timeout waiting for: [Job/core/x status: 'NotFound']",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn it_is_given_up_in_many_words() {
        for text in [
            "failed pre-install: timed out waiting for the condition",
            "failed pre-install: client rate limiter Wait returned an error: rate: Wait(n=1) would exceed context deadline",
            "timeout waiting for: [Job/core/x status: 'InProgress']",
        ] {
            let wait = Wait::parse(text).unwrap();
            assert!(wait.timed_out && !wait.job_failed, "{text}");
        }
    }

    #[test]
    fn a_job_fails_with_and_without_its_name() {
        for text in [
            "job failed: BackoffLimitExceeded",
            "failed pre-install: 1 error occurred:\n\t* job is failed",
            "failed early due to stalled resources: [Job/core/x status: 'Failed']",
        ] {
            assert!(Wait::parse(text).unwrap().job_failed, "{text}");
        }
        let other =
            Wait::parse("failed early due to stalled resources: [Pod/core/x status: 'Failed']");
        assert!(!other.unwrap().job_failed);
        assert_eq!(Wait::parse("nothing here"), None);
    }

    #[test]
    fn the_hook_s_job_is_named() {
        for (text, job) in [
            (
                "job acme-a-create failed: BackoffLimitExceeded",
                Some("acme-a-create"),
            ),
            (
                "1 error occurred:\n\t* job a failed: DeadlineExceeded\n",
                Some("a"),
            ),
            ("job failed: BackoffLimitExceeded", None),
            ("job a failed: no", None),
            ("cronjob a failed: BackoffLimitExceeded", None),
            (
                "Helm upgrade failed: pre-upgrade hooks failed: 1 error occurred:\n\t* job a failed: PodFailurePolicy",
                Some("a"),
            ),
        ] {
            assert_eq!(hook_job(text), job, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(timeout waiting for: |DeadlineExceeded|\\[|Job/|core/x| status: '|Failed|', |\\]|é){0,10}") {
            let _ = Wait::parse(&text);
        }
    }
}
