//! Why a container has no image, and the step that fits the registry's answer.

use crate::diagnosis::finding::{Finding, Subject};
use crate::diagnosis::object_commands;
use crate::model::event::Event;
use crate::model::kubelet::{self, Trouble};
use crate::model::names::is_object_name;
use crate::model::pod::{Container, Pod};

/// An image that the kubelet does not get.
pub(super) struct Pull<'a> {
    pub(super) trouble: Option<Trouble>,
    /// What the registry said, where the container's status no longer has it.
    pub(super) answer: Option<&'a str>,
    /// For what is not the registry's, as a full disk.
    remedy: Option<&'static str>,
    /// The registry may not have the image as well.
    may_lack: bool,
    /// Whose login a Secret for the pull has to hold.
    registry: &'a str,
    /// Who was asked, and did not give the image.
    asked: String,
    pod: &'a Pod,
    /// Secrets for the pull that the kubelet could not get, as far as it says which.
    lost: Option<Vec<String>>,
}

impl<'a> Pull<'a> {
    /// `None` where the container has its image, or waits for something else.
    pub(super) fn of(pod: &'a Pod, container: &'a Container, events: &'a [Event]) -> Option<Self> {
        let waiting = container
            .waiting()
            .filter(|waiting| kubelet::is_about_image(&waiting.reason))?;
        let image = container.image.text();
        let own = [&waiting.reason, &waiting.message].map(String::as_str);
        let own = own.join(": ");
        let (trouble, answer) = match Trouble::of(&own) {
            Some(trouble) => (Some(trouble), None),
            None => {
                let answer = kubelet::pull_failure(events, image);
                let answer = answer.filter(|answer| !own.contains(answer));
                (answer.and_then(Trouble::of), answer)
            }
        };
        let registry = match image {
            "" => "the registry",
            image => kubelet::registry(image),
        };
        let asked = Trouble::asked(answer.unwrap_or(&own)).unwrap_or(registry);
        Some(Self {
            trouble,
            answer,
            registry,
            asked: asked.to_owned(),
            remedy: kubelet::remedy(answer.unwrap_or(&own)),
            may_lack: kubelet::may_lack_image(answer.unwrap_or(&own)),
            pod,
            lost: kubelet::lost_pull_secrets(events),
        })
    }

    /// The step that fits the answer.
    pub(super) fn step(&self, finding: Finding, of: &Subject) -> Finding {
        let node = self.pod.node.text();
        let node = match node {
            "" => "its node".to_owned(),
            node => format!("node {node}"),
        };
        let what = match self.trouble {
            Some(Trouble::Refused) => return self.login(finding, of),
            Some(trouble) => remedy(trouble, &self.asked, &node),
            None => self
                .remedy
                .unwrap_or("Find out why it is not ready, and fix it")
                .to_owned(),
        };
        finding
            .step(format!("{what}:"))
            .command(object_commands::describe(of))
    }

    /// The registry refuses the login, or wants one.
    fn login(&self, finding: Finding, of: &Subject) -> Finding {
        let (namespace, registry) = (of.namespace.as_str(), self.registry);
        let asked = self.asked.as_str();
        let lost = self.lost.as_deref();
        let is_lost = |name: &str| lost.unwrap_or_default().iter().any(|lost| lost == name);
        let own = self.pod.pull_secrets();
        let own: Vec<&str> = own.filter(|name| !is_lost(name)).collect();
        let finding = if let Some(lost) = lost {
            let which = match lost {
                [] => "a Secret for the pull (it does not say which)".to_owned(),
                lost => secrets(lost),
            };
            let what = format!(
                "The kubelet could not read {which} in namespace {namespace}: create it with a login for {registry} (type kubernetes.io/dockerconfigjson), or correct the name in the pod's imagePullSecrets or its ServiceAccount:"
            );
            let first = lost.first().map_or("", String::as_str);
            let finding = described(finding, what, of, first);
            match own.as_slice() {
                [other, ..] if !lost.is_empty() => {
                    let what = format!(
                        "The pod also names {}, which the kubelet could read. Either {asked} refuses its login for this image, or it does not hold a login for {registry}. Its keys, without their content:",
                        secrets(&own)
                    );
                    described(finding, what, of, other)
                }
                _ => finding,
            }
        } else if let [first, ..] = own.as_slice() {
            let what = format!(
                "Renew the token or password in {}: {asked} refuses that login, or does not let it pull this image. Its keys, without their content:",
                secrets(&own)
            );
            described(finding, what, of, first)
        } else {
            let what = match self.pod.has_no_pull_secret() {
                true => format!(
                    "The pod names no Secret for the pull: add one with a login for {registry} to the imagePullSecrets of the pod or of its ServiceAccount:"
                ),
                false => format!("Check the login for {registry} that the pod names:"),
            };
            described(finding, what, of, "")
        };
        let lacks = format!("If {asked} does not have the image, correct its name or tag");
        finding.steps(self.may_lack.then_some(lacks))
    }
}

/// What to do about a pull that a host did not answer as it should, or that never came to one; without a word of the login.
pub(in crate::diagnosis) fn remedy(trouble: Trouble, host: &str, node: &str) -> String {
    match trouble {
        Trouble::Refused => format!("Check the login for {host}"),
        Trouble::Distrusted => format!(
            "Have {node} trust the authority that signed the certificate of {host}, or of a proxy on the way to it: add it to the authorities of the node's container runtime, then restart the runtime. If other nodes pull from {host}, compare them with {node}"
        ),
        Trouble::Expired => format!(
            "Check the clock of {node}. If it is right, the certificate of {host}, or of a proxy on the way to it, has to be renewed"
        ),
        Trouble::OtherName => format!(
            "Something answers {node} in the place of {host}, or with the wrong certificate: check the name of the registry, its address as the node resolves it, and a proxy on the way"
        ),
        Trouble::Lacking => format!(
            "Correct the image's name or tag where the pod is defined, or push it: {host} does not have it"
        ),
        Trouble::OtherPlatform => format!(
            "The image is not for the CPU architecture of {node}: use one that is, or another node"
        ),
        Trouble::NoAddress => {
            format!("Check the name {host} and the DNS of {node}, which finds no address for it")
        }
        Trouble::Limited => {
            format!("Wait, or pull with a login or from a mirror: {host} limits pulls")
        }
        Trouble::NoAnswer => format!(
            "Check the way from {node} to {host} (firewall, proxy), and whether the registry runs: it does not answer"
        ),
        Trouble::Faulty => {
            format!("{host} answers with an error of its own: wait, or ask those who run it")
        }
        Trouble::NeverPulled => format!(
            "The pod's imagePullPolicy is Never, and {node} does not have the image: load it there, or let the kubelet pull it"
        ),
        Trouble::NoRuntime => format!(
            "Check the container runtime of {node}: it does not answer the kubelet. No registry was asked"
        ),
        Trouble::BrokenStore => format!(
            "The store of images on {node} lacks a part of the image. If that lasts, remove the image there so that it is pulled again, or let the pod run on another node"
        ),
        Trouble::NoName => "Correct the image's name where the pod is defined".to_owned(),
    }
}

/// The step with the command that shows the Secret of the pod's namespace, or the pod where none has this name.
pub(in crate::diagnosis) fn described(
    finding: Finding,
    what: String,
    of: &Subject,
    secret: &str,
) -> Finding {
    let secret = is_object_name(secret).then(|| Subject::new("Secret", &of.namespace, secret));
    let command = object_commands::describe(secret.as_ref().unwrap_or(of));
    finding.step(what).command(command)
}

/// `Secret a`, or `Secrets a, b`.
pub(in crate::diagnosis) fn secrets<T: AsRef<str>>(names: &[T]) -> String {
    let all: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match all.as_slice() {
        [one] => format!("Secret {one}"),
        all => format!("Secrets {}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use crate::diagnosis::fixture;
    use crate::snapshot::Read;
    use serde_json::{Value, json};

    /// The Why and Do of a pod on node `w` whose image the kubelet does not get.
    fn told(message: &str, secrets: Value, events: &[(&str, &str)]) -> String {
        let waiting = json!({"reason": "ImagePullBackOff", "message": message});
        let pod = json!({"metadata": {"name": "p", "namespace": "n"},
            "spec": {"nodeName": "w", "imagePullSecrets": secrets},
            "status": {"containerStatuses": [{"name": "c", "image": "r.example/a:1", "ready": false, "state": {"waiting": waiting}}]}});
        let event = |(reason, message): &(&str, &str)| {
            Event::from_value(&json!({"type": "Warning", "reason": reason, "message": message}))
        };
        let found = ServingPod {
            pod: Pod::from_value(&pod),
            events: Read::Seen(Listing::whole(events.iter().map(event).collect())).into(),
            log: Read::not_needed("x").into(),
        };
        let pods = unserving([&found], "2026-11-27T05:01:00Z".parse().unwrap());
        let finding = shown(Finding::new(pods[0].subject.clone(), ""), &pods);
        fixture::reasoned(finding)
    }

    #[test]
    fn a_login_that_is_refused_is_named() {
        let refused = "failed to fetch oauth token: 403 Forbidden";
        let own = json!([{"name": "pull"}]);
        insta::assert_snapshot!(told(refused, own.clone(), &[]), @"
        Pod n/p is not serving: container c: ImagePullBackOff: failed to fetch oauth token: 403 Forbidden.

        Renew the token or password in Secret pull: r.example refuses that login, or does not let it pull this image. Its keys, without their content:
        $ kubectl describe -n n secret pull
        ");
        let lost = "Unable to retrieve some image pull secrets (gone); attempting to pull the image may not succeed.";
        let lost = told(refused, own, &[("FailedToRetrieveImagePullSecret", lost)]);
        assert!(
            lost.contains("could not read Secret gone in namespace n"),
            "{lost}"
        );
        // The other one was sent, and did not help.
        let both = json!([{"name": "gone"}, {"name": "ghcr-pull"}]);
        let both = told(
            refused,
            both,
            &[(
                "FailedToRetrieveImagePullSecret",
                "Unable to retrieve some image pull secrets (gone); attempting to pull the image may not succeed.",
            )],
        );
        insta::assert_snapshot!(both, @"
        Pod n/p is not serving: container c: ImagePullBackOff: failed to fetch oauth token: 403 Forbidden.

        The kubelet could not read Secret gone in namespace n: create it with a login for r.example (type kubernetes.io/dockerconfigjson), or correct the name in the pod's imagePullSecrets or its ServiceAccount:
        $ kubectl describe -n n secret gone
        The pod also names Secret ghcr-pull, which the kubelet could read. Either r.example refuses its login for this image, or it does not hold a login for r.example. Its keys, without their content:
        $ kubectl describe -n n secret ghcr-pull
        ");
        let none = told(refused, json!([]), &[]);
        assert!(
            none.contains("The pod names no Secret for the pull"),
            "{none}"
        );
        let odd = told(refused, json!("x"), &[]);
        assert!(!odd.contains("names no Secret"), "{odd}");
        let either = told(
            "pull access denied, repository does not exist or may require authorization",
            json!([]),
            &[],
        );
        assert!(either.contains("does not have the image"), "{either}");
    }

    #[test]
    fn a_command_names_no_secret_that_cannot_be() {
        let refused = "failed to fetch oauth token: 403 Forbidden";
        for odd in ["--all", "a b", "A", ""] {
            let odd = told(refused, json!([{"name": odd}]), &[]);
            assert!(odd.ends_with("$ kubectl describe -n n pod p"), "{odd}");
        }
        let lost = [("FailedToRetrieveImagePullSecret", "Unable to retrieve it")];
        insta::assert_snapshot!(told(refused, json!([{"name": "pull"}]), &lost), @"
        Pod n/p is not serving: container c: ImagePullBackOff: failed to fetch oauth token: 403 Forbidden.

        The kubelet could not read a Secret for the pull (it does not say which) in namespace n: create it with a login for r.example (type kubernetes.io/dockerconfigjson), or correct the name in the pod's imagePullSecrets or its ServiceAccount:
        $ kubectl describe -n n pod p
        ");
    }

    #[test]
    fn which_secret_is_missing_is_unknown_without_the_events() {
        let waiting = json!({"reason": "ImagePullBackOff", "message": "failed to fetch oauth token: 403 Forbidden"});
        let pod = json!({"metadata": {"name": "p", "namespace": "n"}, "spec": {"imagePullSecrets": [{"name": "pull"}]},
            "status": {"containerStatuses": [{"name": "c", "image": "r.example/a:1", "ready": false, "state": {"waiting": waiting}}]}});
        let found = ServingPod {
            pod: Pod::from_value(&pod),
            events: Read::failed("timeout").into(),
            log: Read::not_needed("x").into(),
        };
        let pods = unserving([&found], "2026-11-27T05:01:00Z".parse().unwrap());
        let finding = shown(Finding::new(pods[0].subject.clone(), ""), &pods);
        let said = fixture::reasoned(finding);
        assert!(said.contains("Its events were not read: timeout"), "{said}");
    }

    #[test]
    fn a_registry_that_one_node_does_not_trust_is_that_nodes_trouble() {
        let said = told(
            "Head \"https://r.example/v2/\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
            json!(null),
            &[],
        );
        assert!(said.contains("Have node w trust the authority"), "{said}");
    }

    #[test]
    fn the_host_that_was_asked_is_named() {
        let own = json!([{"name": "pull"}]);
        let of = |message: &str| told(message, own.clone(), &[]);
        let layer =
            of("Get \"https://layers.example/a?se=1\": dial tcp 192.0.2.1:443: i/o timeout");
        assert!(layer.contains("from node w to layers.example ("), "{layer}");
        let name = of("dial tcp: lookup proxy.example on 10.0.0.10:53: i/o timeout");
        assert!(
            name.contains("Check the name proxy.example and the DNS of node w"),
            "{name}"
        );
        let mirror = of(
            "unexpected status from HEAD request to https://mirror.example/v2/a/manifests/1?ns=r.example: 403 Forbidden",
        );
        assert!(
            mirror.contains("mirror.example refuses that login"),
            "{mirror}"
        );
        // A Secret holds a login for the image's own registry.
        let none = told(
            "failed to fetch oauth token: Post \"https://auth.example/token\": 401 Unauthorized",
            json!([]),
            &[],
        );
        assert!(none.contains("a login for r.example"), "{none}");
    }

    #[test]
    fn the_nodes_own_faults_are_no_registrys() {
        let runtime = told(
            "dial unix /run/containerd/containerd.sock: connect: connection refused",
            json!(null),
            &[],
        );
        assert!(
            runtime.contains("Check the container runtime of node w"),
            "{runtime}"
        );
        let store = told("blob not found: not found", json!(null), &[]);
        assert!(
            store.contains("The store of images on node w lacks a part"),
            "{store}"
        );
    }

    #[test]
    fn the_events_say_what_the_status_no_longer_has() {
        let backs_off = "Back-off pulling image \"r.example/a:1\"";
        let failed = "Failed to pull image \"r.example/a:1\": r.example/a:1: not found";
        let said = told(backs_off, json!(null), &[("Failed", failed)]);
        assert!(said.contains(failed), "{said}");
        assert!(said.contains("r.example does not have it"), "{said}");
        let full = "Failed to pull image \"r.example/a:1\": write /var/lib/containerd/x: no space left on device";
        let full = told(backs_off, json!(null), &[("Failed", full)]);
        assert!(full.contains("disk is full"), "{full}");
        let other = told(
            backs_off,
            json!(null),
            &[(
                "Failed",
                "Failed to pull image \"r.example/b:1\": r.example/b:1: not found",
            )],
        );
        assert!(other.contains("Find out why it is not ready"), "{other}");
    }
}
