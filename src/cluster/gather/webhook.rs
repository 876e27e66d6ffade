//! The admission webhook that did not answer: its configuration and its pods.

use super::{events, serving};
use crate::cluster::{Cluster, ListOf, segment};
use crate::model::event::Event;
use crate::model::failure::refusal::{Refusal, is_bare_timeout, service_of};
use crate::model::failure::{Cause, Failure};
use crate::model::owner::Belongs;
use crate::model::pod::Pod;
use crate::model::service::Service;
use crate::model::webhook_configuration::WebhookConfiguration;
use crate::snapshot::{IfRead, Listing, Read, ServingPod, Snapshot, Webhook};
use serde_json::Value;

/// Configurations of each kind that are listed.
const LISTED: usize = 250;
/// Their group and kinds.
const GROUP: &str = "/apis/admissionregistration.k8s.io/v1";
const KINDS: [(&str, &str); 2] = [
    (
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
    ),
    (
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
    ),
];

/// Most requests: the configurations, the Service, its pods and the refusals.
pub(super) const REQUESTS_MAX: u64 = 2 + 1 + serving::REQUESTS_MAX + 1;

/// Reads who should have answered, if a webhook did not.
pub(super) async fn webhook(
    cluster: &Cluster,
    snapshot: &Snapshot,
    failure: Option<&Failure<'_>>,
) -> Read<Webhook> {
    let Some((name, why)) = down(snapshot, failure) else {
        // Which of them was late is not said.
        let is_late = job_events(snapshot)
            .iter()
            .any(|event| is_bare_timeout(&event.message));
        return match is_late {
            true => Read::Seen(Webhook {
                configurations: configurations(cluster).await.into(),
                pods: Read::not_needed("no webhook is named").into(),
                refusals: Read::not_needed("no webhook is named").into(),
                of_service: false,
            }),
            false => Read::not_needed("no admission webhook failed to answer"),
        };
    };
    let configurations = configurations(cluster).await;
    let known = configurations.if_read().map_or(&[][..], Listing::known);
    let configured = || {
        let (namespace, name) = known.iter().find_map(|c| c.service_of(&name))?;
        Some((namespace.to_owned(), name.to_owned()))
    };
    let service = service_of(&why).or_else(configured);
    let (of_service, pods) = match &service {
        Some((namespace, name)) => pods(cluster, namespace, name).await,
        None => (false, Read::not_asked("its Service is not known")),
    };
    let has_pods = pods.if_read().is_some_and(|pods| !pods.known().is_empty());
    let refusals = match &service {
        Some((namespace, _)) if !has_pods => events::refused_pods(cluster, namespace).await,
        Some(_) => Read::not_needed("it has pods"),
        None => Read::not_asked("its Service is not known"),
    };
    Read::Seen(Webhook {
        configurations: configurations.into(),
        pods: pods.into(),
        refusals: refusals.into(),
        of_service,
    })
}

/// Its name, and the API server's words about it.
fn down(snapshot: &Snapshot, failure: Option<&Failure<'_>>) -> Option<(String, String)> {
    if let Some(Cause::Refusal(Refusal::WebhookDown { name, why })) = failure.map(|f| &f.text.cause)
    {
        return Some((name.clone(), why.clone()));
    }
    job_events(snapshot)
        .iter()
        .rev()
        .find_map(|event| match Refusal::parse(&event.message)? {
            Refusal::WebhookDown { name, why } => Some((name, why)),
            _ => None,
        })
}

/// The events of the creation Job, as far as they were read.
fn job_events(snapshot: &Snapshot) -> &[Event] {
    let job = snapshot.creation_job().if_read();
    let events = match (job, snapshot.lost_job()) {
        (Some(found), _) => &found.events,
        (None, Some(lost)) => &lost.events,
        (None, None) => return &[],
    };
    events.if_read().map_or(&[][..], Listing::known)
}

/// The webhook configurations of both kinds.
pub(super) async fn configurations(cluster: &Cluster) -> Read<Listing<WebhookConfiguration>> {
    let read = KINDS.map(|(kind, plural)| async move {
        let path = format!("{GROUP}/{plural}");
        let listed = cluster.page(&ListOf::objects(path), LISTED).await;
        Read::from_result(listed).map(|all: Listing<Value>| {
            all.map(|object| WebhookConfiguration::from_value(&object, kind))
        })
    });
    let [validating, mutating] = read;
    match futures::join!(validating, mutating) {
        (Read::Unknown(why), Read::Unknown(_)) => Read::Unknown(why),
        (one, other) => {
            let mut all = Listing::default();
            for listed in [one, other] {
                match listed {
                    Read::Seen(listed) => all.extend(listed),
                    Read::Absent => {}
                    Read::Unknown(why) => all.lacks(Some(why)),
                }
            }
            Read::Seen(all)
        }
    }
}

/// The pods behind the Service, and whether it is the Service that selects them.
async fn pods(cluster: &Cluster, namespace: &str, name: &str) -> (bool, Read<Listing<ServingPod>>) {
    let path = format!(
        "/api/v1/namespaces/{}/services/{}",
        segment(namespace),
        segment(name)
    );
    let service = Read::from_result(cluster.get::<Value>(&path).await);
    if service.is_absent() {
        return (false, Read::Absent);
    }
    let service = service.map(|object| Service::from_value(&object));
    match service.if_read().and_then(Service::label_selector) {
        Some(selector) => (true, serving::pods(cluster, namespace, &selector).await),
        None => {
            let named = |pod: &Pod| !matches!(pod.belongs_to("Deployment", name), Belongs::No);
            (false, serving::pods_that(cluster, namespace, named).await)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::test_server::{answering, forbidden, page};
    use crate::diagnosis::fixture;
    use crate::model::condition::Stated;
    use crate::model::failure::failure;
    use crate::snapshot::Why;
    use serde_json::json;

    fn listed(kind: &str, items: &[Value], token: &str) -> (u16, Value) {
        (
            200,
            page("admissionregistration.k8s.io/v1", kind, items, token),
        )
    }

    fn none() -> [(u16, Value); 2] {
        KINDS.map(|(kind, _)| listed(kind, &[], ""))
    }

    #[tokio::test]
    async fn configurations_of_which_a_kind_cannot_be_read_are_not_all() {
        let of = async |answers: &[(u16, Value)]| {
            let (cluster, _) = answering(answers);
            match configurations(&cluster).await {
                Read::Seen(all) => all.not_all().map(Why::clause),
                other => Some(format!("{other:?}")),
            }
        };
        let [validating, mutating] = none();
        assert_eq!(of(&none()).await, None);
        let refused = of(&[validating.clone(), (403, forbidden())]).await;
        assert!(refused.is_some_and(|why| why.starts_with("forbidden")));
        let malformed = of(&[(200, json!({"items": 7})), mutating.clone()]).await;
        assert!(malformed.is_some());
        let cut = of(&[validating, listed(KINDS[1].0, &[], "more")]).await;
        let why = "only the first 0 mutatingwebhookconfigurations were read";
        assert_eq!(cut.as_deref(), Some(why));
        let both = of(&[(403, forbidden()), (403, forbidden())]).await;
        assert!(both.is_some_and(|why| why.starts_with("Unknown(Forbidden")));
    }

    #[tokio::test]
    async fn of_a_request_that_took_too_long_the_configurations_are_read() {
        let read = async |message: &str| {
            let mut snapshot = fixture::snapshot("image-not-pulled");
            let event = Event::from_value(&json!({"reason": "FailedCreate", "message": message}));
            let job = snapshot.creation_job.seen_mut().unwrap();
            job.events = Read::Seen(Listing::whole(vec![event])).into();
            let (cluster, asked) = answering(&none());
            let found = webhook(&cluster, &snapshot, None).await;
            (found, asked.paths().len())
        };
        let late = "Error creating: Timeout: request did not complete within requested timeout - context deadline exceeded";
        let (found, asked) = read(late).await;
        assert!(
            found
                .if_read()
                .is_some_and(|webhook| webhook.configurations.if_read().is_some())
        );
        assert_eq!(asked, 2);
        let (found, asked) = read("Error creating: pods \"a\" is forbidden: x").await;
        assert!(matches!(found.unknown(), Some(Why::NotNeeded(_))));
        assert_eq!(asked, 0);
    }

    /// What is read of the webhook of a Service whose answer is this, and what the server was asked after the configurations.
    async fn read(service: (u16, Value), pods: (u16, Value)) -> (Webhook, Vec<String>) {
        read_with(service, pods, (200, page("v1", "Event", &[], ""))).await
    }

    async fn read_with(
        service: (u16, Value),
        pods: (u16, Value),
        events: (u16, Value),
    ) -> (Webhook, Vec<String>) {
        let snapshot = fixture::snapshot("webhook-down");
        let [validating, mutating] = none();
        let (cluster, asked) = answering(&[validating, mutating, service, pods, events]);
        let failure = failure(&snapshot.helm_release).map(Stated::of_any_spec);
        let found = webhook(&cluster, &snapshot, failure.as_ref()).await;
        (found.if_read().unwrap().clone(), asked.paths().split_off(2))
    }

    #[tokio::test]
    async fn the_pods_are_those_that_the_service_selects_or_are_named_for_it() {
        let service = json!({"kind": "Service", "apiVersion": "v1", "metadata": {"namespace": "kyverno", "name": "kyverno-svc"},
            "spec": {"selector": {"app": "kyverno"}}});
        let no_pods = || (200, page("v1", "Pod", &[], ""));
        let (found, asked) = read((200, service), no_pods()).await;
        assert_eq!(
            asked,
            [
                "/api/v1/namespaces/kyverno/services/kyverno-svc",
                "/api/v1/namespaces/kyverno/pods",
                "/api/v1/namespaces/kyverno/events"
            ]
        );
        assert!(found.of_service);
        assert_eq!(found.pods.if_read().unwrap().is_empty(), Ok(true));
        let (found, _) = read((403, forbidden()), no_pods()).await;
        assert!(!found.of_service);
        let odd = json!({"kind": "Service", "apiVersion": "v1", "metadata": {"name": "kyverno-svc"}, "spec": {"selector": 7}});
        let (found, _) = read((200, odd), (403, forbidden())).await;
        assert!(!found.of_service);
        assert!(matches!(*found.pods, Read::Unknown(Why::Forbidden(_))));
        let (found, _) = read((403, forbidden()), (200, page("v1", "Pod", &[], "more"))).await;
        assert!(found.pods.if_read().unwrap().is_empty().is_err());
    }

    #[tokio::test]
    async fn refusals_are_read_where_no_pod_was_seen() {
        let service = || (403, forbidden());
        let pods = |items: &[Value]| (200, page("v1", "Pod", items, ""));
        let ready = json!({"metadata": {"namespace": "kyverno", "name": "kyverno-svc-6c8d7f9b54-m2x8r"},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        let (found, asked) = read(service(), pods(&[ready])).await;
        assert!(
            matches!(found.refusals.unknown(), Some(Why::NotNeeded(_))),
            "{found:?}"
        );
        assert_eq!(asked.len(), 2);
        let (found, _) = read(service(), (403, forbidden())).await;
        assert!(found.refusals.if_read().is_some());
        let of =
            async |answer: (u16, Value)| read_with(service(), pods(&[]), answer).await.0.refusals;
        assert!(matches!(
            *of((403, forbidden())).await,
            Read::Unknown(Why::Forbidden(_))
        ));
        assert!(matches!(
            *of((200, json!({"items": 7}))).await,
            Read::Unknown(_)
        ));
        let cut = of((200, page("v1", "Event", &[], "more"))).await;
        assert!(cut.if_read().unwrap().is_empty().is_err());
        let odd = json!({"metadata": {"namespace": "kyverno", "name": "e"}, "reason": 7});
        let odd = of((200, page("v1", "Event", &[odd], ""))).await;
        assert!(odd.if_read().unwrap().not_all().is_some());
    }
}
