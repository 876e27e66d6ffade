//! SKVS306: the creation Job's image cannot be pulled.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding};
use crate::diagnosis::job::Outcome;
use crate::diagnosis::peers;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Input, Role, Rule, Severity, Verdict, about_the_job};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS306",
    slug: "image-not-pulled",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the creation Job's image cannot be pulled",
    explanation: r#"The kubelet cannot get the image of the creation Job: the name or tag does not exist, the registry cannot be reached, or the
pull needs credentials that the pod's service account does not have. The Job then waits until Helm gives up."#,
    fix: r#"See it: `kubectl describe pod -n NAMESPACE POD`, the events at the end.

Correct `values.databaseCreationJob.image`, or give the namespace the registry's pull secret."#,
    example: r#"waiting: ImagePullBackOff: Back-off pulling image "registry.example/create-database:missing""#,
    needs: &[Input::JobPods],
    explains: &["SKVS108", "SKVS110", "SKVS303"],
    when: about_the_job,
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Outcome::NoImage {
        pod,
        container,
        image,
        reason,
        message,
    } = &case.job.outcome
    else {
        return Verdict::Clear;
    };
    let observed = format!("container {container} waits: {reason}: {message}");
    Finding::new(pod.clone(), format!("the image {image} cannot be pulled"))
        .why("The creation Job cannot start without it, and Helm waits for the Job until spec.timeout.")
        .seen(case.seen_failure())
        .seen([Evidence::new(pod.clone(), ".status.containerStatuses", observed.trim_end_matches([':', ' ']))])
        .change(peers::without_value(case, &["databaseCreationJob", "image"]))
        .step("See the registry's answer in the events:")
        .command(["kubectl", "describe", "-n", &pod.namespace, "pod", &pod.name])
        .step("Correct values.databaseCreationJob.image, or give the namespace the registry's pull secret.")
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("image-not-pulled", "SKVS306"),
            "the image secure-kvs/database-creation:missing cannot be pulled"
        );
    }
}
