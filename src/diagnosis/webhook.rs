//! An admission webhook that did not answer: its configuration, and the pods behind its Service.

use super::case::Case;
use super::finding::{Evidence, Finding, Subject};
use super::serving::{self, Unserving};
use crate::model::event::Event;
use crate::model::failure::refusal::Refusal;
use crate::model::owner::{Belongs, is_named_by};
use crate::model::webhook_configuration::OfPods;
use crate::snapshot::{IfRead, Listing, ServingPod, Webhook, why_not_all};
use crate::text::{count, one_line};
use std::ops::ControlFlow;

/// The configurations that have the webhook of that name, as far as they were read.
pub(super) fn configurations(
    case: &Case<'_>,
    name: &str,
    service: Option<(&str, &str)>,
) -> Vec<Subject> {
    let webhook = case.webhook().if_read();
    let all = webhook.and_then(|webhook| webhook.configurations().if_read());
    let all = all.into_iter().flat_map(Listing::known);
    // The name may be that of a Service: `of service x`.
    let name = (!name.contains(' ')).then_some(name);
    all.filter(|c| c.has(name, service))
        .map(|c| Subject::from(&c.meta))
        .collect()
}

/// Configurations that are shown.
const SHOWN: usize = 3;

/// The finding with the configurations that ask webhooks about new pods, those that may take longest first.
pub(super) fn of_pods(case: &Case<'_>, finding: Finding) -> Finding {
    let unknown = |finding: Finding, why: &str| {
        finding.why(format!(
            "Which webhooks are asked about new pods is unknown: {why}."
        ))
    };
    let webhook = case.webhook();
    let all = match webhook.and_then(|webhook| webhook.map_or(Ok(None), Webhook::configurations)) {
        Ok(Some(all)) => all,
        Ok(None) => return finding,
        Err(unread) if unread.is_not_needed() => return finding,
        Err(unread) => return unknown(finding, &unread.why.clause()),
    };
    let mut of_pods: Vec<(Subject, OfPods)> = all
        .known()
        .iter()
        .map(|c| (Subject::from(&c.meta), c.of_pods()))
        .filter(|(_, found)| found.hooks > 0 || found.is_cut)
        .collect();
    of_pods.sort_by_key(|(_, found)| (!found.is_cut, std::cmp::Reverse(found.seconds)));
    let more = of_pods.len().saturating_sub(SHOWN);
    let finding = of_pods
        .iter()
        .take(SHOWN)
        .fold(finding, |finding, (subject, found)| {
            let hooks = count(found.hooks, "webhook");
            let says = match found.is_cut {
                true => format!("{hooks} for new pods, and what cannot be read"),
                false => format!("{hooks} for new pods, which may take {} s", found.seconds),
            };
            finding
                .why(format!("{subject} has {says}."))
                .seen([Evidence::new(subject.clone(), ".webhooks", &says)])
        });
    let finding = match more {
        0 => finding,
        more => finding.why(format!(
            "{more} more configurations have webhooks for new pods."
        )),
    };
    match all.not_all() {
        Some(why) => finding.why(format!(
            "Others may be asked: not all were read ({}).",
            why.clause()
        )),
        None => finding,
    }
}

/// Namespace and name of the Service that the configurations give to the webhook of that name.
pub(super) fn service(case: &Case<'_>, name: &str) -> Option<(String, String)> {
    let configurations = case.webhook().if_read()?.configurations().if_read()?;
    let mut all = configurations.known().iter();
    let (namespace, name) = all.find_map(|c| c.service_of(name))?;
    Some((one_line(namespace), one_line(name)))
}

/// The finding that the webhook keeps its own pods from being created, as an event in the namespace of its Service says, with the remedy.
/// `Continue` has the finding for other remedies, where none says so.
pub(super) fn blocks_itself(
    case: &Case<'_>,
    finding: Finding,
    name: &str,
    (namespace, service): (&str, &str),
    configurations: &str,
) -> ControlFlow<Finding, Finding> {
    let Some(webhook) = case.webhook().if_read() else {
        return ControlFlow::Continue(finding);
    };
    let pods = webhook.pods().if_read();
    let is_without = pods.is_some_and(|pods| pods.is_empty() == Ok(true));
    let not_all = why_not_all(webhook.refusals());
    let refusals = webhook.refusals().if_read();
    let newest_first = refusals
        .into_iter()
        .flat_map(|all| all.known().iter().rev());
    let is_same = |event: &&Event| matches!(Refusal::parse(&event.message), Some(Refusal::WebhookDown { name: other, .. }) if other == name);
    let own: Vec<&Event> = newest_first.filter(is_same).collect();
    let mut makers = own.iter().filter_map(|event| Some((*event, maker(event)?)));
    let is_of_service =
        |(_, (kind, maker)): &(&Event, (&str, &str))| is_maker_of(service, kind, maker);
    let found = makers.clone().find(is_of_service).or_else(|| makers.next());
    let Some((event, (kind, maker))) = found else {
        let why = match not_all {
            Some(why) => Some(why.clause()),
            None if own.is_empty() => None,
            None => Some("no event about it names what could not create a pod".to_owned()),
        };
        let unknown = why.filter(|_| is_without).map(|why| {
            format!("Whether it keeps its own pods from being created is unknown: {why}.")
        });
        return ControlFlow::Continue(finding.whys(unknown.as_deref()));
    };
    let object = Subject::new(kind, namespace, maker);
    let said = format!("{}: {}", event.reason, one_line(&event.message));
    let of = match configurations {
        "" => "its configuration".to_owned(),
        names => names.to_owned(),
    };
    let finding = finding
        .why(format!("The API server asks it about the pods of its own namespace {namespace} too, so {object} could not create one while no pod answered."))
        .seen([Evidence::new(object, "events", &said)]);
    let exclude = format!(
        "the webhook's owners exclude namespace {namespace} from {of} (namespaceSelector: kubernetes.io/metadata.name NotIn {namespace})"
    );
    let pods = ["kubectl", "get", "pods,replicasets,events", "-n", namespace];
    if !is_maker_of(service, kind, maker) {
        return ControlFlow::Continue(
            finding
                .step(format!(
                    "If its own pods are refused in the same way, have {exclude}:"
                ))
                .command(pods),
        );
    }
    // Its pods may run by now.
    if !(is_without && webhook.of_service) {
        return ControlFlow::Continue(
            finding.step(format!("If it still has no pod, have {exclude}.")),
        );
    }
    ControlFlow::Break(
        finding
            .step(format!(
                "Have {exclude}. Its pods are then created, and it answers again:"
            ))
            .command(pods),
    )
}

/// Kind and name of what could not create a pod, as the event names it whole.
fn maker(event: &Event) -> Option<(&str, &str)> {
    let (kind, name) = event.object.split_once('/')?;
    let makes_pods = ["ReplicaSet", "StatefulSet", "DaemonSet", "Job"].contains(&kind);
    (makes_pods && !name.is_empty()).then_some((kind, name))
}

/// Whether it makes the pods of a workload that is named like the Service.
fn is_maker_of(service: &str, kind: &str, maker: &str) -> bool {
    let bare = ["-svc", "-service"]
        .iter()
        .find_map(|end| service.strip_suffix(end));
    let mut names = [Some(service), bare].into_iter().flatten();
    match kind {
        // A Deployment's is named after it and a hash.
        "ReplicaSet" => names.any(|name| is_named_by(maker, kind, name)),
        _ => names.any(|name| maker == name),
    }
}

/// The webhook's Service does not exist now.
pub(super) fn lacks_service(case: &Case<'_>) -> bool {
    let webhook = case.webhook().if_read();
    webhook.is_some_and(|webhook| matches!(webhook.pods(), Ok(None)))
}

/// The finding with the pods behind the webhook's Service that are not serving, and the step for the first. Where no such pod is seen, the
/// steps are those of `otherwise`, which is given whether a pod is ready.
pub(super) fn shown(
    case: &Case<'_>,
    finding: Finding,
    service: &str,
    otherwise: impl FnOnce(Finding, bool) -> Finding,
) -> Finding {
    let Some(webhook) = case.webhook().if_read() else {
        return otherwise(finding, false);
    };
    let pods = match webhook.pods() {
        Ok(Some(pods)) => pods,
        Ok(None) => return otherwise(finding, false),
        Err(unread) => {
            let why = unread.why.clause();
            let finding = finding.why(format!(
                "Whether its pods run is unknown, because they were not read: {why}."
            ));
            return otherwise(finding, false);
        }
    };
    let unserving = unserving(case, webhook, service, pods);
    if !unserving.is_empty() {
        return serving::shown(finding, &unserving);
    }
    let ready = pods.known().iter().filter(|found| found.pod.is_ready());
    let ready: Vec<Evidence> = ready
        .take(serving::SHOWN)
        .map(|found| Evidence::new(Subject::from(&found.pod.meta), ".status", "ready"))
        .collect();
    let why = match (ready.is_empty(), pods.is_empty()) {
        (false, _) => Some("Its pods are ready now, so the next attempt may succeed.".to_owned()),
        (true, Ok(true)) if webhook.of_service => Some("No pod is behind it.".to_owned()),
        (true, Err(why)) => Some(format!(
            "Whether pods are behind it is unknown: {}.",
            why.clause()
        )),
        (true, Ok(_)) => None,
    };
    let is_ready = !ready.is_empty();
    otherwise(finding.whys(why.as_deref()).seen(ready), is_ready)
}

fn unserving<'a>(
    case: &Case<'_>,
    webhook: &Webhook,
    service: &str,
    pods: &'a Listing<ServingPod>,
) -> Vec<Unserving<'a>> {
    if pods.known().iter().any(|found| found.pod.is_ready()) {
        return Vec::new();
    }
    let mut found = serving::unserving(pods.known(), case.now);
    for pod in &mut found {
        let own = pods
            .known()
            .iter()
            .find(|own| Subject::from(&own.pod.meta) == pod.subject);
        let belongs = own.map(|own| own.pod.belongs_to("Deployment", service));
        pod.is_doubtful = !webhook.of_service && !matches!(belongs, Some(Belongs::Yes));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;
    use crate::model::webhook_configuration::WebhookConfiguration;
    use crate::snapshot::{Read, Why};
    use serde_json::{Value, json};

    #[test]
    fn webhooks_for_new_pods_are_named_with_the_time_that_they_may_take() {
        let name = "image-not-pulled";
        let told = |configurations: Read<Listing<WebhookConfiguration>>| {
            let mut snapshot = fixture::snapshot(name);
            snapshot.on_demand.webhook = Read::Seen(Webhook {
                configurations: configurations.into(),
                pods: Read::not_needed("x").into(),
                refusals: Read::not_needed("x").into(),
                of_service: false,
            });
            let case = Case::new(&snapshot, fixture::meta(name).now);
            fixture::reasoned(of_pods(&case, Finding::new(case.subject(), "x")))
        };
        let configuration = |name: &str, hooks: &Value| {
            let object = json!({"metadata": {"name": name}, "webhooks": hooks});
            WebhookConfiguration::from_value(&object, "MutatingWebhookConfiguration")
        };
        let rules = json!([{"apiGroups": [""], "operations": ["CREATE"], "resources": ["pods"]}]);
        let hook = json!({"name": "a", "rules": rules, "timeoutSeconds": 10});
        let all = vec![
            configuration("odd", &json!(7)),
            configuration("others", &json!([{"name": "b", "rules": []}])),
            configuration("injector", &json!([hook, hook])),
        ];
        insta::assert_snapshot!(told(Read::Seen(Listing::whole(all))), @"
        MutatingWebhookConfiguration odd has 0 webhooks for new pods, and what cannot be read.
        MutatingWebhookConfiguration injector has 2 webhooks for new pods, which may take 20 s.
        x
        ");
        assert!(told(Read::failed("timeout")).contains("is unknown: timeout"));
        let cut = Why::NotAsked("only the first 250 were read".to_owned());
        let cut = told(Read::Seen(Listing::new(Vec::new(), Some(cut))));
        assert!(cut.contains("not all were read (only"), "{cut}");
    }
}
