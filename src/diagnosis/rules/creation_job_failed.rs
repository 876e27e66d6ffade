//! SKVS303: the creation Job failed.

use super::creation_timed_out::tell_not_started;
use crate::advice::Command;
use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::install;
use crate::diagnosis::job::{Death, Outcome, Silent, existing, is_of_mesh};
use crate::diagnosis::killed;
use crate::diagnosis::mesh::{self, uninjected};
use crate::diagnosis::object_commands;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::start::{self, Defined};
use crate::model::creation_log::{ended_with, explained, may_have_created, waits_for_proxy};
use crate::model::failure::{Cause, Wait};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS303",
    slug: "creation-job-failed",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the creation Job failed",
    explanation: r#"A Job, the chart's pre-install hook, creates the database. Flux and Helm only say that it failed; the reason is in its pod:
the exit code and the last lines of the log. This is the general case; common reasons have their own codes.

A container that could not be started has no log: the runtime's message says why. The program is not in the image, may not be
executed, or is hidden by a volume that the chart mounts over it; or a volume cannot be mounted. Exit code 137 without OOMKilled
is that of a process that somebody else killed: the events of its node say whether the node ran out of memory."#,
    fix: r#"See it: `kubectl logs -n NAMESPACE job/NAME --all-containers`

Fix the error in the log. If the Job is already gone, let Flux try again and look at once: Helm deletes the old Job before
each attempt."#,
    example: r#"failed pre-install: failed early due to stalled resources: [Job/core/hookfail-main-create status: 'Failed']
job failed: BackoffLimitExceeded"#,
    explains: &["SKVS110"],
    contradicted_by: &[Fact::JobComplete, Fact::Installed],
    check,
};

fn about_the_job(case: &Case<'_>) -> bool {
    case.is_about_the_job() && case.failure.is_some()
}

fn check(case: &Case<'_>) -> Verdict {
    if !about_the_job(case) {
        return Ok(None);
    }
    // The Job itself has not failed if it was never made, if the API server was in trouble, or if it ended well.
    let wait = match case.cause()? {
        Some(
            Cause::Server(_)
            | Cause::Object(_)
            | Cause::Definitions(_)
            | Cause::Refusal(_)
            | Cause::Field(_)
            | Cause::Disk(_)
            | Cause::Interrupted(_),
        ) => return Ok(None),
        Some(Cause::Wait(wait)) => Some(wait),
        _ => None,
    };
    if install::job_succeeded(case) {
        return Ok(None);
    }
    let job = case.job_as_far_as_read();
    let timed_out = wait.is_some_and(|wait| wait.timed_out);
    match &job.outcome {
        Outcome::Died(_) => {}
        Outcome::Nothing | Outcome::NotStarted { .. } | Outcome::Running { .. } if !timed_out => {}
        _ => return Ok(None),
    }
    // The object is the truth; the message names the Job only where it was not read.
    let named = wait
        .and_then(Wait::job)
        .map(|w| Subject::new("Job", w.home(case.hr().release_namespace()), &w.name));
    let subject = job
        .subject
        .clone()
        .or(named)
        .unwrap_or_else(|| case.subject());
    let mut sentence = "the creation Job failed".to_owned();
    let mut finding = Finding::new(subject.clone(), "").seen(case.seen_failure());
    if let Some((reason, said)) = &job.failed {
        finding = finding.seen([Evidence::new(
            subject.clone(),
            ".status.conditions[Failed]",
            &format!("{reason}: {said}"),
        )]);
    }
    match job.death() {
        Some(death) => {
            let start = death.start.as_deref();
            sentence = match start.filter(|_| death.never_started()) {
                Some(_) => format!(
                    "the creation Job failed: container {} could not be started",
                    death.container
                ),
                None => format!(
                    "the creation Job failed: container {} exited {}",
                    death.container, death.exit_code
                ),
            };
            finding = finding.seen([death.evidence()]);
            if is_of_mesh(&death.container) {
                finding = of_mesh(case, finding, death);
            }
            for why in start.map(start::whys).into_iter().flatten() {
                finding = finding.why(why);
            }
            let words = explained(&death.said()).filter(|_| start.is_none());
            let killer = killed::killer(case, death).filter(|_| words.is_none());
            let killed = killer.as_ref().and_then(|k| k.sentence(&death.container));
            if let Some(killer) = &killer {
                finding = killer.tell(finding);
            }
            if let Some(killed) = &killed {
                sentence = format!("the creation Job failed: {killed}");
            }
            finding = finding.whys(words);
            if words.is_some_and(|words| words.contains("check CouchDB's pods")) {
                finding = finding.step("Look at CouchDB's pods first:").command([
                    "kubectl",
                    "get",
                    "pods",
                    "-n",
                    &case.couchdb_namespace(),
                ]);
            }
            let silent = words.is_none()
                && start.is_none()
                && killed.is_none()
                && !is_of_mesh(&death.container)
                && !death.never_started();
            finding = finding.whys(ended_with(death.exit_code).filter(|_| silent));
            if may_have_created(&death.said()) {
                finding = finding.why("CouchDB can carry out a creation and answer with an error all the same: the database may exist, and the next attempt then fails with 412 (SKVS301).");
            }
            finding = match &death.log_missing {
                _ if death.never_started() && start.is_some() => {
                    finding.why("So its program never ran, and it has no log.")
                }
                _ if start.is_some() || killed.is_some() => finding,
                _ if death.never_started() => finding.why(
                    "The container never started, so it has no log. What the container runtime says is all that is known: the command, the image, the pod's template or the node may be at fault.",
                ),
                Some(why) => finding.why(format!(
                    "Its log was not read: {}. The reason is therefore unknown.",
                    why.clause()
                )),
                None if death.lines.is_empty() => {
                    finding.why("Its log is empty. The reason is therefore unknown.")
                }
                None if words.is_some() => finding,
                None if waits_for_proxy(&death.said()) => uninjected(
                    case,
                    finding.why("By its log the Job waits for a mesh sidecar (istio-proxy) in its own pod, or ends it, and nothing listens there."),
                    &death.pod,
                ),
                None => finding.why(
                    "Its last lines are all it says about the reason, which is not a common one.",
                ),
            };
        }
        None if job.not_started().is_some() => {
            finding = tell_not_started(case, finding, &sentence);
            sentence.clone_from(&finding.sentence);
        }
        None if job.uncreated.is_some() => {
            sentence = "the creation Job failed: its pod could not be created".to_owned();
            finding = job.tell_refusal(case, finding);
        }
        None => {
            let why = match &job.silent {
                Some(silent) => silent.sentence(),
                None => "None of its pods has failed.".to_owned(),
            };
            finding = finding.why(format!("{why} The reason is therefore unknown."));
        }
    }
    finding.sentence = crate::text::one_line(&sentence);
    if job.death().is_some_and(|d| may_have_created(&d.said())) {
        finding = existing(case, finding);
    }
    if let Some(Silent::Replaced(other)) = &job.silent {
        let (namespace, name) = other.split_once('/').unwrap_or(("", other));
        finding = finding
            .step("The Job that exists now says nothing about this onboarding. See whose it is:")
            .command(["kubectl", "skvs", "describe", "-n", namespace, name]);
    } else if job.not_started().is_some() {
        // Its log does not exist.
    } else if let Some(failure) = job.start_failure() {
        finding = finding.step(start::step(failure, Defined::ByChart));
    } else if job.death().is_some_and(Death::never_started) {
        finding = finding
            .step("Fix what the runtime's message names, in the image, the chart's template or on the node. The pod's events may say more:");
        finding = match job.death() {
            Some(death) => finding.command(object_commands::describe(&death.pod)),
            None => finding,
        };
    } else if let Some(finding) = relieved(case, &finding) {
        return finding.then(then(case, Fixes::Elsewhere)).into();
    } else if subject.kind == "Job" && job.uncreated.is_none() {
        finding = finding
            .step("Read the whole log, and fix the error in it:")
            .command(object_commands::logs(&subject));
    } else if job.uncreated.is_none() {
        finding = finding
            .step("List the Jobs, and read their logs:")
            .command([
                "kubectl",
                "get",
                "jobs,pods",
                "-n",
                case.hr().release_namespace(),
            ]);
    }
    finding.then(then(case, Fixes::Elsewhere)).into()
}

/// The finding with the step for a node that had no memory left, if that is why the container died.
fn relieved(case: &Case<'_>, finding: &Finding) -> Option<Finding> {
    let death = case.job_as_far_as_read().death()?;
    if explained(&death.said()).is_some() {
        return None;
    }
    killed::killer(case, death)?.step(existing(case, finding.clone()))
}

/// One of Istio's own containers died: they prepare the pod's network.
fn of_mesh(case: &Case<'_>, finding: Finding, death: &Death) -> Finding {
    let finding = finding.why("This container is Istio's, not the Job's: it prepares the pod's network, and the node did not let it.");
    let list = |node: &[String]| {
        let words = [
            "kubectl",
            "get",
            "pods",
            "-A",
            "-o",
            "wide",
            "-l",
            "k8s-app=istio-cni-node",
        ];
        Command::new(words).args(node)
    };
    let finding = match &death.node {
        Some(node) => {
            let finding = finding.why(format!("The pod was on node {node}."));
            mesh::plugin(case, finding)
                .step(format!("Check Istio's CNI plugin on node {node}; without the plugin the node's kernel has to have the iptables modules that Istio uses:"))
                .command(list(&["--field-selector".to_owned(), format!("spec.nodeName={node}")]))
        }
        None => mesh::plugin(case, finding)
            .step("See which node the pod is on, and check Istio's CNI plugin there:")
            .command(list(&[])),
    };
    finding.command([
        "kubectl",
        "get",
        "pods",
        "-n",
        &death.pod.namespace,
        &death.pod.name,
        "-o",
        "wide",
    ])
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::case::Case;
    use crate::diagnosis::fixture;
    use crate::model::event::Event;
    use crate::snapshot::{Events, Listing, Nodes, Read, Why};
    use serde_json::{Value, json};

    #[test]
    fn a_pod_that_could_not_be_made_is_told() {
        let mut snapshot = fixture::snapshot("creation-timed-out-no-pod");
        for condition in snapshot.helm_release.status.conditions.edit() {
            condition.message = condition.message.replace(
                "timeout waiting for: [Job/core/pds-database-create status: 'InProgress']",
                "failed early due to stalled resources: [Job/core/pds-database-create status: 'Failed']",
            );
        }
        let now = fixture::meta("creation-timed-out-no-pod").now;
        let case = Case::new(&snapshot, now);
        let Ok(Some(finding)) = super::check(&case) else {
            panic!("nothing found");
        };
        assert_eq!(
            finding.sentence,
            "the creation Job failed: its pod could not be created"
        );
        assert!(
            finding.why[0].ends_with("within requested timeout"),
            "{:?}",
            finding.why
        );
    }

    /// What is said of a container that was killed on node `w`, where its node has these events.
    fn killed(events: Option<Read<Events>>, pod: &dyn Fn(&mut Value)) -> String {
        let name = "hook-job-failed";
        let mut snapshot = fixture::snapshot_of(name, &|object| {
            if object["kind"] == "Pod" {
                object["spec"]["nodeName"] = json!("w");
                let ended = json!({"exitCode": 137, "reason": "Error", "finishedAt": "2026-11-23T20:20:15Z"});
                object["status"]["containerStatuses"][0]["state"] = json!({"terminated": ended});
                pod(object);
            }
        });
        let job = snapshot.creation_job.seen_mut().unwrap();
        for found in job.pods.seen_mut().unwrap().known_mut() {
            found.logs.clear();
        }
        snapshot.on_demand.nodes = Read::Seen(Nodes {
            nodes: Vec::new(),
            events: events
                .into_iter()
                .map(|events| ("w".to_owned(), events.into()))
                .collect(),
            attachments: Read::not_needed("x").into(),
        });
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let finding = super::check(&case).unwrap().unwrap();
        let seen = finding.evidence.iter().filter(|e| e.object.kind == "Node");
        let seen: Vec<String> = seen.map(|e| e.observed.clone()).collect();
        let why = finding.why.join("\n");
        format!("{why}\n{}\n{}", seen.join("\n"), fixture::lines(finding))
    }

    fn of_node(reason: &str, message: &str, time: &str) -> Event {
        let time = format!("2026-11-23T20:{time}Z");
        Event::from_value(&json!({"reason": reason, "message": message, "lastTimestamp": time}))
    }

    fn system_oom(process: &str, time: &str) -> Event {
        let said = format!("System OOM encountered, victim process: {process}, pid: 12");
        of_node("SystemOOM", &said, time)
    }

    #[test]
    fn a_node_without_memory_is_told_from_a_limit() {
        let all = |events: Vec<Event>| Some(Read::Seen(Listing::whole(events)));
        let both = all(vec![
            system_oom("create", "20:14"),
            system_oom("java", "20:50"),
        ]);
        insta::assert_snapshot!(killed(both, &|_| {}), @"
        Node w itself had no memory left (SystemOOM), and its kernel ended process create at 2026-11-23T20:20:14Z.
        Other processes of the node were ended too: java.
        The container did not reach its own limit, which would be OOMKilled: a higher limit does not help.
        SystemOOM: System OOM encountered, victim process: create, pid: 12
        the creation Job failed: node w ran out of memory, and its kernel killed container create
        See first whether the database exists:
        $ kubectl skvs databases hookfail_main
        Relieve node w: find pods that use more memory than they request, set their requests, move them or add a node:
        $ kubectl describe node w
        Until then keep the retry off that node, and uncordon it afterwards:
        $ kubectl cordon w
        ");
        let limit = "Memory cgroup out of memory: Killed process 12 (create) total-vm:1kB";
        let limit = all(vec![of_node("OOMKilling", limit, "20:14")]);
        insta::assert_snapshot!(killed(limit, &|_| {}), @"
        The kernel of node w ended process create at 2026-11-23T20:20:14Z, which had reached a memory limit: the container's own, or that of all pods of the node.
        OOMKilling: Memory cgroup out of memory: Killed process 12 (create) total-vm:1kB
        the creation Job failed: the kernel killed container create at a memory limit
        See first whether the database exists:
        $ kubectl skvs databases hookfail_main
        Compare the container's memory limit with what it needs, and the limits of the node's pods with its memory:
        $ kubectl describe node w
        ");
    }

    #[test]
    fn without_such_an_event_who_killed_it_is_not_known() {
        let unsaid = killed(Some(Read::Seen(Listing::default())), &|_| {});
        assert!(
            unsaid.contains("Status 137 is that of a killed process"),
            "{unsaid}"
        );
        assert_eq!(killed(None, &|_| {}), unsaid);
        let late = Some(Read::Seen(Listing::whole(vec![system_oom(
            "create", "25:14",
        )])));
        assert_eq!(killed(late, &|_| {}), unsaid);
        let unknown = "Whether node w ran out of memory is unknown: its events were not read: forbidden (list events in default).";
        let forbidden = || Why::Forbidden("list events in default".to_owned());
        for events in [
            Read::Unknown(forbidden()),
            Read::Seen(Listing::new(Vec::new(), Some(forbidden()))),
        ] {
            let said = killed(Some(events), &|_| {});
            assert!(
                said.contains(unknown) && said.contains("Status 137"),
                "{said}"
            );
            let look = "$ kubectl get events -n default --field-selector involvedObject.kind=Node,involvedObject.name=w";
            assert!(said.contains(look), "{said}");
        }
        let near = || {
            Some(Read::Seen(Listing::whole(vec![system_oom(
                "create", "20:14",
            )])))
        };
        let by_limit = |pod: &mut Value| {
            pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] = json!(1);
        };
        assert!(!killed(near(), &by_limit).contains("SystemOOM"));
    }

    #[test]
    fn why_the_program_could_not_be_run_is_told_in_place_of_its_log() {
        let name = "hook-job-failed";
        let told = |ended: Value, log: &str| {
            let mut snapshot = fixture::snapshot_of(name, &|object| {
                if object["kind"] == "Pod" {
                    object["spec"]["containers"] =
                        json!([{"name": "create", "image": "registry.example/create:2"}]);
                    object["status"]["containerStatuses"][0]["state"] =
                        json!({"terminated": ended});
                }
            });
            let job = snapshot.creation_job.seen_mut().unwrap();
            for found in job.pods.seen_mut().unwrap().known_mut() {
                found.logs = vec![("create".to_owned(), Read::Seen(log.to_owned()).into())];
            }
            let case = Case::new(&snapshot, fixture::meta(name).now);
            let finding = super::check(&case).unwrap().unwrap();
            format!("{}\n{}", finding.why.join("\n"), fixture::lines(finding))
        };
        let message =
            "failed to create containerd task: exec: \"/opt/run\": permission denied: unknown";
        let never = json!({"exitCode": 128, "reason": "StartError", "message": message});
        insta::assert_snapshot!(told(never, ""), @"
        /opt/run in image registry.example/create:2 may not be executed: the file is there, and the user that the container runs as has no execute permission.
        This is about the file's mode, not about rights in Kubernetes or CouchDB.
        So its program never ran, and it has no log.
        the creation Job failed: container create could not be started
        Have the image built with the execute permission (chmod +x /opt/run), or go back to the tag that worked (values.databaseCreationJob.image)
        ");
        let begun = json!({"exitCode": 255, "reason": "Error"});
        insta::assert_snapshot!(told(begun, "exec /opt/run: exec format error\n"), @"
        /opt/run in image registry.example/create:2 is for another CPU architecture than the node's, or is a script without a first line that names its interpreter (#!).
        the creation Job failed: container create exited 255
        Use an image for the node's CPU architecture, or a node of the image's (values.databaseCreationJob.image)
        ");
        let shell = json!({"exitCode": 127, "reason": "Error"});
        insta::assert_snapshot!(told(shell, "/bin/sh: 1: /opt/run: not found\n"), @"
        Either /opt/run does not exist, or what it needs to run does not: the interpreter that its first line names (also where that line ends in CRLF), or the loader of a program that is linked dynamically. The message is the same for both.
        the creation Job failed: container create exited 127
        Have the image built with /opt/run and what it needs, or go back to the tag that worked (values.databaseCreationJob.image)
        ");
        // The runtime's words are not CouchDB's.
        for said in [
            "failed to start shim: dial unix /run/containerd/s/x: connect: connection refused",
            "mkdir /sys/fs/cgroup/x: no space left on device",
            "open /proc/self/fd: too many open files",
            "failed to reserve container name: context deadline exceeded",
            r#"{"error":"file_exists","reason":"The database could not be created, the file already exists."} 412"#,
        ] {
            let ended = json!({"exitCode": 128, "reason": "StartError", "message": said});
            let told = told(ended, "");
            assert!(!told.contains("CouchDB"), "{told}");
        }
        let other = json!({"exitCode": 128, "reason": "StartError", "message": "something new"});
        insta::assert_snapshot!(told(other, ""), @"
        The container never started, so it has no log. What the container runtime says is all that is known: the command, the image, the pod's template or the node may be at fault.
        the creation Job failed: container create exited 128
        Fix what the runtime's message names, in the image, the chart's template or on the node. The pod's events may say more:
        $ kubectl describe -n core pod hookfail-main-create-jx7dz
        ");
    }

    #[test]
    fn the_exit_code_is_told() {
        assert_eq!(
            fixture::sentence("hook-job-failed", "SKVS303"),
            "the creation Job failed: container create exited 1"
        );
    }

    #[test]
    fn a_job_that_was_not_read_is_said_to_be_so() {
        let finding = fixture::finding("hook-job-fails", "SKVS303");
        assert_eq!(finding.sentence, "the creation Job failed");
        assert_eq!(
            finding.why,
            ["The Job is gone, and its log with it. The reason is therefore unknown."]
        );
    }

    #[test]
    fn the_job_of_another_onboarding_says_nothing_about_this_one() {
        let finding = fixture::finding("creation-job-replaced", "SKVS303");
        assert_eq!(finding.sentence, "the creation Job failed");
        assert_eq!(
            finding.why,
            [
                "flux-system/skvs-onboarding-pds--database has replaced the Job, and its log is gone. The reason is therefore unknown."
            ]
        );
        assert!(!format!("{:?}", finding.evidence).contains("exited"));
        assert!(!format!("{:?}", finding.fix).contains("logs"));
    }
}
