//! SKVS306: the creation Job's image cannot be pulled.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::job::{Outcome, is_of_mesh};
use crate::diagnosis::object_commands;
use crate::diagnosis::peers;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::serving::pull;
use crate::model::kubelet::{self, Trouble, has_numeric_tag};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS306",
    slug: "image-not-pulled",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the creation Job's image cannot be pulled",
    explanation: r#"The kubelet cannot pull the image of the creation Job, and the Job waits until Helm gives up. The registry's answer is in the
pod's events."#,
    fix: r#"See it: `kubectl describe pod -n NAMESPACE POD`, the events at the end.

- `not found` or `manifest unknown`: correct `values.databaseCreationJob.image`.
- `unauthorized` or `denied`: add the registry's pull secret to the ServiceAccount of the Job's pod.
- A timeout or `no such host`: the node cannot reach the registry; check the registry's name and the network."#,
    example: r#"waiting: ImagePullBackOff: Back-off pulling image "registry.example/create-database:missing""#,
    explains: &["SKVS108", "SKVS110", "SKVS303"],
    contradicted_by: &[Fact::JobComplete, Fact::Installed],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Outcome::NoImage {
        pod,
        container,
        image,
        reason,
        message,
        answer,
        node,
        without,
        secrets,
    }) = case.outcome_by_pods()?
    else {
        return Ok(None);
    };
    let observed = format!("container {container} waits: {reason}: {message}");
    // The kubelet refuses it itself: no registry was asked.
    let is_no_name = reason == "InvalidImageName";
    let sentence = match is_no_name {
        true => format!("{image} is not a valid image name"),
        false => format!("the image {image} cannot be pulled"),
    };
    let finding = Finding::new(pod.clone(), sentence)
        .why("The creation Job cannot start without it, and Helm waits for the Job until spec.timeout.")
        .seen(case.seen_failure())
        .seen([Evidence::new(pod.clone(), ".status.containerStatuses", observed.trim_end_matches([':', ' ']))])
;
    let finding = finding.seen(
        answer
            .as_ref()
            .map(|answer| Evidence::new(pod.clone(), "events", answer)),
    );
    if is_of_mesh(container) && !is_no_name {
        return finding
            .why("The image is that of the mesh's sidecar, which istiod names, not the Job's own.")
            .step("Read the registry's answer in the pod's events. If it refuses the login, add the registry's pull secret to the ServiceAccount of the Job's pod, or have istiod name an image that the node can pull:")
            .command(object_commands::describe(pod))
            .then(then(case, Fixes::Elsewhere))
            .into();
    }
    let finding = finding.change(peers::without_value(
        case,
        &["databaseCreationJob", "image"],
    ));
    if is_no_name {
        let is_map = image.starts_with("map[");
        return finding
            .whys(is_map.then_some("The values have a map where the chart's template expects text."))
            .whys(has_numeric_tag(image).then_some("YAML took the tag for a number: write it in quotes."))
            .whys(image.contains("${").then_some("A variable of the GitOps repository was not replaced: see spec.postBuild of the Kustomization."))
            .step("Correct values.databaseCreationJob.image in the manifest: its form is that of the chart's own values.")
            .then(then(case, Fixes::Manifest))
            .into();
    }
    let answered = answer.as_deref().unwrap_or(message);
    let is_refused = kubelet::is_refused_pull(answered);
    if !without.is_empty() && is_refused {
        let others: Vec<String> = secrets
            .iter()
            .filter(|secret| !without.contains(*secret))
            .cloned()
            .collect();
        return unreadable(finding, pod, image, (without, &others))
            .then(then(case, Fixes::Elsewhere))
            .into();
    }
    if !secrets.is_empty() && is_refused {
        let what = format!(
            "Check that one of these Secrets holds a login for {}, and renew it if it does; its keys, without their content:",
            kubelet::registry(image)
        );
        return pull::described(finding, what, pod, &secrets[0])
            .why(format!("The pod names {} for the pull, so the registry refuses that login, it is for another host, or the Secret does not exist.", pull::secrets(secrets)))
            .steps(kubelet::may_lack_image(answered).then(|| "If the registry does not have the image, correct values.databaseCreationJob.image".to_owned()))
            .then(then(case, Fixes::Elsewhere))
            .into();
    }
    let host = Trouble::asked(answered).unwrap_or_else(|| kubelet::registry(image));
    let node = match node.as_str() {
        "" => "its node".to_owned(),
        node => format!("node {node}"),
    };
    let known = match Trouble::of(answered) {
        Some(Trouble::Refused | Trouble::NoName) | None => None,
        Some(Trouble::Lacking) => Some(format!(
            "Correct values.databaseCreationJob.image, or push the image: {host} does not have it"
        )),
        Some(trouble) => Some(pull::remedy(trouble, host, &node)),
    };
    if let Some(known) = known {
        return finding
            .step(format!("{known}. The answer is in the pod's events:"))
            .command(object_commands::describe(pod))
            .then(then(case, Fixes::Elsewhere))
            .into();
    }
    finding
        .step("Read the registry's answer in the events:")
        .command(object_commands::describe(pod))
        .step("If it says not found, correct values.databaseCreationJob.image. If it says unauthorized, add the registry's pull secret to the pod's ServiceAccount.")
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// The pod names Secrets for the pull that the kubelet could not get, so the registry was asked without them.
fn unreadable(
    finding: Finding,
    pod: &Subject,
    image: &str,
    (without, others): (&[String], &[String]),
) -> Finding {
    let namespace = &pod.namespace;
    let secrets = pull::secrets(without);
    let is_one = without.len() == 1;
    let evidence = format!("could not get {} for the pull", without.join(", "));
    finding
        .why(format!("The pod names {secrets} for the pull, but the kubelet could not read {} in namespace {namespace}, so the registry was asked without {}.", if is_one { "it" } else { "them" }, if is_one { "that login" } else { "those logins" }))
        .seen([Evidence::new(pod.clone(), "events", &evidence)])
        .step(format!("Create {secrets} in namespace {namespace} (type kubernetes.io/dockerconfigjson, with a login for {}), or correct {} in the pod's imagePullSecrets or its ServiceAccount. The namespace has:", kubelet::registry(image), if is_one { "the name" } else { "the names" }))
        .command(["kubectl", "get", "secrets", "-n", namespace, "--field-selector", "type=kubernetes.io/dockerconfigjson"])
        .steps((!others.is_empty()).then(|| format!("The pod names {} as well: if the registry still refuses, look for a login for {} there", pull::secrets(others), kubelet::registry(image))))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::case::Case;
    use crate::diagnosis::{diagnose, fixture};
    use crate::model::event::Event;
    use crate::snapshot::{Listing, Read};

    #[test]
    fn a_registry_is_not_asked_for_an_invalid_name() {
        let snapshot = fixture::snapshot_of("image-not-pulled", &|object| {
            if object["kind"] == "Pod" {
                let container = &mut object["status"]["containerStatuses"][0];
                container["image"] = "map[tag:next]".into();
                container["state"]["waiting"]["reason"] = "InvalidImageName".into();
            }
        });
        let case = Case::new(&snapshot, fixture::meta("image-not-pulled").now);
        let said = fixture::lines(fixture::of_code(diagnose(&case), "SKVS306"));
        insta::assert_snapshot!(said, @"
        map[tag:next] is not a valid image name
        Correct values.databaseCreationJob.image in the manifest: its form is that of the chart's own values.
        ");
    }

    #[test]
    fn a_login_that_the_kubelet_could_not_get_or_that_is_refused_is_named() {
        let look = |event: Option<&str>, answer: &str| {
            let mut snapshot = fixture::snapshot_of("image-not-pulled", &|object| {
                if object["kind"] == "Pod" {
                    object["spec"]["imagePullSecrets"] = serde_json::json!([{"name": "regcred"}]);
                    let container = &mut object["status"]["containerStatuses"][0];
                    container["image"] = "registry.example/a:1".into();
                    container["state"]["waiting"]["reason"] = "ErrImagePull".into();
                    container["state"]["waiting"]["message"] = answer.into();
                }
            });
            let job = snapshot.creation_job.seen_mut().unwrap();
            let pod = job.pods.if_read().unwrap().known()[0].pod.meta.name.clone();
            let events = event.map(|message| {
                Event::from_value(&serde_json::json!({"involvedObject": {"kind": "Pod", "name": pod},
                    "type": "Warning", "reason": "FailedToRetrieveImagePullSecret", "message": message}))
            });
            job.events = Read::Seen(Listing::whole(events.into_iter().collect())).into();
            let case = Case::new(&snapshot, fixture::meta("image-not-pulled").now);
            fixture::lines(fixture::of_code(diagnose(&case), "SKVS306"))
        };
        let lost = "Unable to retrieve some image pull secrets (regcred, other); attempting to pull the image may not succeed.";
        let refused = "failed to authorize: failed to fetch anonymous token: 403 Forbidden";
        let said = look(Some(lost), refused);
        assert!(
            said.contains("Create Secrets regcred, other in namespace core"),
            "{said}"
        );
        assert!(said.contains("a login for registry.example"), "{said}");
        // The pod's other Secret was read, and may hold no login for this registry.
        let one = "Unable to retrieve some image pull secrets (other); attempting to pull the image may not succeed.";
        let said = look(Some(one), refused);
        assert!(
            said.contains("The pod names Secret regcred as well"),
            "{said}"
        );
        let said = look(
            None,
            "pull access denied, repository does not exist or may require authorization",
        );
        assert!(
            said.contains("holds a login for registry.example"),
            "{said}"
        );
        // Nothing says that a login is missing.
        let said = look(Some(lost), "registry.example/a:1: not found");
        assert!(
            said.contains("push the image: registry.example does not have it"),
            "{said}"
        );
        assert!(!said.contains("Secret"), "{said}");
    }

    #[test]
    fn the_answer_decides_what_to_do() {
        let look = |message: &str| {
            let snapshot = fixture::snapshot_of("image-not-pulled", &|object| {
                if object["kind"] == "Pod" {
                    object["spec"]["nodeName"] = "w".into();
                    let container = &mut object["status"]["containerStatuses"][0];
                    container["image"] = "registry.example/a:1".into();
                    container["state"]["waiting"]["message"] = message.into();
                }
            });
            let case = Case::new(&snapshot, fixture::meta("image-not-pulled").now);
            fixture::lines(fixture::of_code(diagnose(&case), "SKVS306"))
        };
        for (message, part) in [
            (
                "Get \"https://layers.example/a\": dial tcp 192.0.2.1:443: i/o timeout",
                "Check the way from node w to layers.example",
            ),
            (
                "x509: certificate signed by unknown authority",
                "Have node w trust the authority",
            ),
            (
                "blob not found: not found",
                "The store of images on node w lacks a part",
            ),
            ("something new", "Read the registry's answer in the events:"),
            ("403 Forbidden", "Read the registry's answer in the events:"),
        ] {
            let said = look(message);
            assert!(said.contains(part), "{message}: {said}");
        }
    }

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("image-not-pulled", "SKVS306"),
            "the image secure-kvs/database-creation:missing cannot be pulled"
        );
    }

    #[test]
    fn why_a_name_is_none_follows_from_its_text() {
        let look = |image: &str, message: &str| {
            let snapshot = fixture::snapshot_of("image-not-pulled", &|object| {
                if object["kind"] == "Pod" {
                    let container = &mut object["status"]["containerStatuses"][0];
                    container["image"] = image.into();
                    container["state"]["waiting"]["reason"] = "InvalidImageName".into();
                    container["state"]["waiting"]["message"] = message.into();
                }
            });
            let case = Case::new(&snapshot, fixture::meta("image-not-pulled").now);
            let found = fixture::of_code(diagnose(&case), "SKVS306");
            let next = found.then.as_ref().map(|then| format!("{then:?}"));
            let observed = found.evidence.last().unwrap().observed.clone();
            (found.why[1..].concat(), observed, next)
        };
        let (why, observed, next) = look("map[tag:next]", "");
        assert_eq!(
            why,
            "The values have a map where the chart's template expects text."
        );
        assert_eq!(observed, "container create waits: InvalidImageName");
        assert_ne!(
            next,
            fixture::finding("image-not-pulled", "SKVS306")
                .then
                .map(|then| format!("{then:?}"))
        );
        let (why, observed, _) = look("registry/a:${TAG}", "m");
        assert_eq!(
            why,
            "A variable of the GitOps repository was not replaced: see spec.postBuild of the Kustomization."
        );
        assert_eq!(observed, "container create waits: InvalidImageName: m");
        assert_eq!(look("A b", "m").0, "");
    }
}
