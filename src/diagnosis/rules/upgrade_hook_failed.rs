//! SKVS325: a hook Job of an upgrade failed.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Finding, Subject};
use crate::diagnosis::job::Death;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::resources;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS325",
    slug: "upgrade-hook-failed",
    severity: Severity::Error,
    role: Role::Cause,
    title: "a hook Job of the upgrade failed",
    explanation: r#"The chart has a Job that runs before or after each upgrade, and it failed. It is not the creation Job, which runs before an
installation only: the database is there. The reason is in the Job's pod. Helm before 3.14 does not name the Job."#,
    fix: r#"See it: `kubectl logs -n NAMESPACE job/NAME --all-containers`

Fix the error in the log, and let Flux try again."#,
    example: r#"pre-upgrade hooks failed: failed early due to stalled resources: [Job/core/pds-database-migrate status: 'Failed']
post-upgrade hooks failed: job failed: BackoffLimitExceeded"#,
    explains: &["SKVS108", "SKVS110"],
    contradicted_by: &[],
    check,
};

/// What Helm puts before the error of a hook, and what the failure left.
const HOOKS: [(&str, &str); 2] = [
    (
        "pre-upgrade hooks failed: ",
        "It runs before the upgrade: nothing has been changed.",
    ),
    (
        "post-upgrade hooks failed: ",
        "It runs after the upgrade: the chart's objects are the new ones already.",
    ),
];

fn check(case: &Case<'_>) -> Verdict {
    let Some(failure) = case
        .failure
        .as_ref()
        .filter(|f| f.action == Some("upgrade"))
    else {
        return Ok(None);
    };
    let text = &failure.condition.message;
    let Some((lead, left)) = HOOKS.iter().find(|(lead, _)| text.contains(*lead)) else {
        return Ok(None);
    };
    let ended = [
        "BackoffLimitExceeded",
        "DeadlineExceeded",
        "PodFailurePolicy",
    ];
    let waited = resources(text);
    let listed = waited
        .iter()
        .find(|w| w.kind == "Job" && w.status.contains("Failed"));
    if listed.is_none() && !ended.iter().any(|e| text.contains(e)) {
        return Ok(None);
    }
    let namespace = case.hr().release_namespace();
    // The Job that was read is the one that the text names; a text without a name leads to the creation Job.
    let read = case.job_as_far_as_read();
    let named = read
        .subject
        .clone()
        .filter(|job| text.contains(&format!("job {} failed: ", job.name)));
    let job = listed
        .map(|w| Subject::new("Job", &w.namespace, &w.name))
        .or(named);
    let hook = lead.split(' ').next().unwrap_or_default();
    let Some(job) = job else {
        return Finding::new(
            case.subject(),
            format!("a Job of the chart's {hook} hook failed"),
        )
        .why(*left)
        .why("This version of Helm does not name the Job.")
        .seen(case.seen_failure())
        .step(format!(
            "Find it: a Job with the annotation helm.sh/hook: {hook}. Then read its log:"
        ))
        .command(["kubectl", "get", "jobs,pods", "-n", namespace])
        .then(then(case, Fixes::Elsewhere))
        .into();
    };
    let death = read.death().filter(|_| read.subject.as_ref() == Some(&job));
    let sentence = match death {
        Some(death) => format!(
            "{job} of the {hook} hook failed: container {} exited {}",
            death.container, death.exit_code
        ),
        None => format!("{job} of the {hook} hook failed"),
    };
    Finding::new(job.clone(), sentence)
        .why(*left)
        .seen(case.seen_failure())
        .seen(death.map(Death::evidence))
        .step("Read its log, and fix the error in it:")
        .command([
            "kubectl",
            "logs",
            "-n",
            &job.namespace,
            &format!("job/{}", job.name),
            "--all-containers",
        ])
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_job_is_named_where_the_text_names_it() {
        assert_eq!(
            fixture::sentence("upgrade-hook-failed", "SKVS325"),
            "Job core/pds-database-migrate of the pre-upgrade hook failed: container migrate exited 22"
        );
        assert_eq!(
            fixture::sentence("upgrade-hook-failed-middle", "SKVS325"),
            "a Job of the chart's post-upgrade hook failed"
        );
    }
}
