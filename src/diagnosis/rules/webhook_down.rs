//! SKVS112: an admission webhook does not answer.

use crate::diagnosis::case::Case;
use crate::diagnosis::refused::refused;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::diagnosis::webhook;
use crate::model::failure::refusal::{
    Refusal, is_answered, is_distrusted, is_late, lacks_port, lacks_service, service_of,
};
use std::ops::ControlFlow;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS112",
    slug: "webhook-down",
    severity: Severity::Error,
    role: Role::Cause,
    title: "an admission webhook does not answer",
    explanation: r#"The API server asks a webhook before it accepts an object, and the webhook did not answer: nothing runs behind its Service,
its certificate is not trusted, or it is too slow. The onboarding is not at fault: until it answers, nobody can create these
objects. In a mesh cluster istiod's own webhooks fail with the same message."#,
    fix: r#"See it: `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations`, and the pods behind the Service.

Start the webhook's pods. With `x509:` in the text its CA bundle is out of date; with `deadline exceeded` it hangs or a
network policy is in the way."#,
    example: r#"Internal error occurred: failed calling webhook "validate.kyverno.svc-fail": failed to call webhook: Post "https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s": no endpoints available for service "kyverno-svc""#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(refused) = refused(case)? else {
        return Ok(None);
    };
    let Refusal::WebhookDown { name, why } = refused.refusal.clone() else {
        return Ok(None);
    };
    let subject = refused.job.clone().unwrap_or_else(|| case.subject());
    let sentence = format!(
        "the admission webhook {name} did not answer for {}",
        refused.object()
    );
    let finding = refused
        .finding(case, subject, sentence)
        .why(format!("The API server says: {why}"));
    let service = service_of(&why).or_else(|| webhook::service(case, &name));
    let of = service
        .as_ref()
        .map(|(namespace, name)| (namespace.as_str(), name.as_str()));
    let configurations = webhook::configurations(case, &name, of);
    let names: Vec<String> = configurations.iter().map(ToString::to_string).collect();
    let names = names.join(" and ");
    let finding = match configurations.is_empty() {
        true => finding,
        false => finding.why(format!("The webhook is configured by {names}.")),
    };
    let finding = match service {
        Some((namespace, service)) if lacks_service(&why) || webhook::lacks_service(case) => {
            let finding = match webhook::lacks_service(case) {
                true => finding.why(format!("Service {namespace}/{service} does not exist. If nothing is to create it again, the webhook's configuration is a leftover of something that was removed or renamed.")),
                false => finding.why(format!("Service {namespace}/{service} did not exist. It may be back. If not, the webhook's configuration is a leftover of something that was removed or renamed.")),
            };
            let what = match configurations.is_empty() {
                true => "find the configuration that names it, and have its owners remove it or make it name the present Service:".to_owned(),
                false => format!("have the owners of {names} remove it, or make it name the present Service. All configurations:"),
            };
            finding.step(match webhook::lacks_service(case) {
                true => format!("As it is gone, {what}"),
                false => format!("Check whether {service} exists now. If it does not, {what}"),
            })
            .command(["kubectl", "get", "validatingwebhookconfigurations,mutatingwebhookconfigurations"])
        }
        Some((namespace, service)) if lacks_port(&why) => finding
            .step(format!("The webhook's configuration names a port that Service {namespace}/{service} does not have. Have their owners bring the two together:"))
            .command(["kubectl", "get", "services", "-n", &namespace, &service, "-o", "wide"]),
        service if is_answered(&why) => {
            let finding = finding.why("Something answered, but not as this webhook does: its program is of another version than its configuration, or a proxy (a mesh sidecar) answers in its place.");
            match service {
                Some((namespace, service)) => webhook::shown(case, finding, &service, |finding, _| {
                    finding
                        .step(format!("Compare the webhook's path in its configuration with the version of the program behind Service {namespace}/{service}, and read its log:"))
                        .command(["kubectl", "get", "pods,services", "-n", &namespace])
                }),
                None => finding
                    .step("See which Service the configuration names, and read the log of the pods behind it:")
                    .command(["kubectl", "get", "validatingwebhookconfigurations,mutatingwebhookconfigurations"]),
            }
        }
        Some((namespace, service)) if is_distrusted(&why) => finding
            .step(format!("The webhook answers, but the API server does not accept its certificate. See whether the pods of {namespace}/{service} serve a certificate that has expired or is of another authority than the configuration's caBundle, and have its owners restart them:"))
            .command(["kubectl", "get", "pods", "-n", &namespace]),
        Some((namespace, service)) => webhook::shown(case, finding, &service, |finding, is_ready| {
            let finding = match webhook::blocks_itself(case, finding, &name, (&namespace, &service), &names) {
                ControlFlow::Break(finding) => return finding,
                ControlFlow::Continue(finding) => finding,
            };
            let step = match is_ready {
                true => format!("If the next attempt fails too, check whether the API server reaches the pods of Service {namespace}/{service}, and read their log:"),
                false => format!("Check whether anything runs behind its Service {namespace}/{service}, and start it:"),
            };
            finding
                .step(step)
                .command(["kubectl", "get", "pods,endpointslices", "-n", &namespace])
        })
        // A webhook that a chart brings cannot answer for the other objects of the same chart.
        .steps((namespace == case.hr().release_namespace()).then(|| format!("If {service} belongs to the same chart, it was not running yet when the API server asked it: ask the chart's publisher to install it first, or to exclude the chart's own objects from the webhook"))),
        None => finding.step("Find its Service, and start it:").command([
            "kubectl",
            "get",
            "validatingwebhookconfigurations,mutatingwebhookconfigurations",
        ]),
    };
    finding
        .steps(is_late(&why).then(|| "If its pods are ready, the webhook is too slow (see its log), or the API server does not reach it: let a firewall or network policy pass the port on which it listens (istiod: 15017).".to_owned()))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::texts::of_helm;
    use crate::diagnosis::{Case, fixture};
    use crate::model::event::Event;
    use crate::model::pod::Pod;
    use crate::snapshot::{Listing, Read, ServingPod, Webhook};
    use serde_json::{Value, json};

    #[test]
    fn a_webhook_that_answers_is_not_started_again() {
        let of = |why: &str| {
            let text = format!(
                "Internal error occurred: failed calling webhook \"v.example\": failed to call webhook: {why}"
            );
            of_helm("upgrade", &text, "SKVS112")
        };
        let post = "Post \"https://hook.policy.svc:443/v?timeout=10s\": ";
        let fix = of("the server could not find the requested resource");
        assert!(
            fix.contains("which Service the configuration names"),
            "{fix}"
        );
        let fix = of(&format!("{post}unexpected response code: 503"));
        assert!(fix.contains("Compare the webhook's path"), "{fix}");
        let fix = of(&format!(
            "{post}no service port 443 found for service \"hook\""
        ));
        assert!(
            fix.contains("names a port that Service policy/hook does not have"),
            "{fix}"
        );
        let fix = of(&format!("{post}EOF"));
        assert!(
            fix.contains("anything runs behind its Service policy/hook"),
            "{fix}"
        );
    }

    #[test]
    fn a_service_that_did_not_exist_is_looked_for_first() {
        let text = "Internal error occurred: failed calling webhook \"v.example\": failed to call webhook: Post \"https://hook.policy.svc:443/v?timeout=10s\": service \"hook\" not found";
        insta::assert_snapshot!(of_helm("upgrade", text, "SKVS112"), @"
        the admission webhook v.example did not answer for an object of the chart
        Check whether hook exists now. If it does not, find the configuration that names it, and have its owners remove it or make it name the present Service:
        $ kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations
        ");
    }

    #[test]
    fn a_webhook_whose_pods_are_ready_is_not_started() {
        let name = "webhook-down";
        let of = |status: &str| {
            let mut snapshot = fixture::snapshot(name);
            let pod = json!({"metadata": {"namespace": "kyverno", "name": "kyverno-1"},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": status}]}});
            let pod = ServingPod {
                pod: Pod::from_value(&pod),
                events: Read::Seen(Listing::default()).into(),
                log: Read::not_needed("x").into(),
            };
            snapshot.on_demand.webhook = Read::Seen(Webhook {
                configurations: Read::Seen(Listing::default()).into(),
                pods: Read::Seen(Listing::whole(vec![pod])).into(),
                refusals: Read::not_needed("it has pods").into(),
                of_service: true,
            });
            let case = Case::new(&snapshot, fixture::meta(name).now);
            let finding = super::check(&case).unwrap().unwrap();
            (finding.why.join("\n"), format!("{:?}", finding.fix))
        };
        let (why, fix) = of("True");
        assert!(
            why.contains("Its pods are ready now, so the next attempt may succeed."),
            "{why}"
        );
        assert!(!fix.contains("start it"), "{fix}");
        assert!(!of("False").0.contains("ready now"));
    }

    #[test]
    fn a_webhook_that_keeps_its_own_pods_from_being_created_is_not_started() {
        let name = "webhook-down";
        let of = |refusals: Read<Listing<Event>>| {
            let mut snapshot = fixture::snapshot(name);
            snapshot.on_demand.webhook = Read::Seen(Webhook {
                configurations: Read::Seen(Listing::default()).into(),
                pods: Read::Seen(Listing::default()).into(),
                refusals: refusals.into(),
                of_service: true,
            });
            let case = Case::new(&snapshot, fixture::meta(name).now);
            let finding = super::check(&case).unwrap().unwrap();
            let why = finding.why.join("\n");
            format!("{why}\n{}", fixture::lines(finding))
        };
        let about = |webhook: &str, object: Value| {
            let message = format!(
                "Error creating: Internal error occurred: failed calling webhook \"{webhook}\": failed to call webhook: Post \"https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s\": no endpoints available for service \"kyverno-svc\""
            );
            let event =
                json!({"reason": "FailedCreate", "message": message, "involvedObject": object});
            Event::from_value(&event)
        };
        let read = |events| Read::Seen(Listing::whole(events));
        let by = |name: &str| {
            let object = json!({"kind": "ReplicaSet", "name": name});
            about("validate.kyverno.svc-fail", object)
        };
        let event = |webhook: &str| {
            let object = json!({"kind": "ReplicaSet", "name": "kyverno-1"});
            read(vec![about(webhook, object)])
        };
        let own = of(event("validate.kyverno.svc-fail"));
        assert!(own.contains("of its own namespace kyverno too, so ReplicaSet kyverno/kyverno-1 could not create one"), "{own}");
        assert!(own.contains("namespaceSelector"), "{own}");
        assert!(!own.contains("start it"), "{own}");
        let other = of(event("other.example"));
        assert!(other.contains("start it"), "{other}");
        let unread = of(Read::failed("timeout"));
        let odd = about("validate.kyverno.svc-fail", json!(7));
        let nameless = about("validate.kyverno.svc-fail", json!({"kind": "ReplicaSet"}));
        for unknown in [unread, of(read(vec![odd])), of(read(vec![nameless]))] {
            assert!(
                unknown.contains("Whether it keeps its own pods from being created is unknown: "),
                "{unknown}"
            );
            assert!(!unknown.contains("could not create one"), "{unknown}");
        }
        // What refuses another workload's pods need not be why this one has none.
        let foreign = of(read(vec![by("kyverno-ui-1")]));
        assert!(foreign.contains("start it"), "{foreign}");
        assert!(!foreign.contains("Its pods are then created"), "{foreign}");
        let both = of(read(vec![by("kyverno-1"), by("kyverno-ui-1")]));
        assert!(both.contains("so ReplicaSet kyverno/kyverno-1 "), "{both}");
        assert!(!both.contains("start it"), "{both}");
    }

    #[test]
    fn a_service_that_is_gone_by_now_is_not_started() {
        let name = "webhook-down";
        let mut snapshot = fixture::snapshot(name);
        snapshot.on_demand.webhook = Read::Seen(Webhook {
            configurations: Read::Seen(Listing::default()).into(),
            pods: Read::Absent.into(),
            refusals: Read::Seen(Listing::default()).into(),
            of_service: false,
        });
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let finding = super::check(&case).unwrap().unwrap();
        assert!(
            finding
                .why
                .iter()
                .any(|why| why.starts_with("Service kyverno/kyverno-svc does not exist."))
        );
        let said = fixture::lines(finding);
        assert!(
            said.contains("find the configuration that names it"),
            "{said}"
        );
        assert!(!said.contains("start it"), "{said}");
    }

    #[test]
    fn the_webhook_and_its_service_are_named() {
        let finding = fixture::finding("webhook-down", "SKVS112");
        assert_eq!(
            finding.sentence,
            "the admission webhook validate.kyverno.svc-fail did not answer for Job core/pds-database-create"
        );
        assert!(format!("{:?}", finding.fix).contains("\"kyverno\""));
        assert_eq!(
            fixture::sentence("webhook-down-old", "SKVS112"),
            "the admission webhook namespace.sidecar-injector.istio.io did not answer for the pod of the creation Job"
        );
    }
}
