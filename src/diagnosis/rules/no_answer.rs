//! SKVS105: no controller has answered the HelmRelease.

use crate::diagnosis::case::Case;
use crate::diagnosis::controller_log;
use crate::diagnosis::controllers::helm_controllers;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::object_commands;
use crate::diagnosis::peers;
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::status;
use crate::text::age;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS105",
    slug: "no-answer",
    severity: Severity::Error,
    role: Role::Cause,
    title: "no controller has answered the HelmRelease",
    explanation: r#"helm-controller writes a status within seconds. If there is none, the controller is not running, does not watch this
namespace, or leaves the object to another controller (label `sharding.fluxcd.io/key`)."#,
    fix: r#"See it: `kubectl get pods -A -l app=helm-controller` and `kubectl logs -n NAMESPACE -l app=helm-controller --tail=-1`

Start the controller, or correct the shard label."#,
    example: r#"READY Unknown, no status at all, minutes after the HelmRelease was created"#,
    explains: &["SKVS108"],
    contradicted_by: &[],
    check,
};

/// A new object gets this long, in seconds, before silence is an error.
const PATIENCE: i64 = 60;

fn unanswered(case: &Case<'_>) -> bool {
    // Where an event tells why the HelmChart could not be made, a controller has answered (SKVS145).
    status::is_unanswered(case.hr()) && !case.hr().spec.suspend && case.seen_event().is_none()
}

fn check(case: &Case<'_>) -> Verdict {
    if !unanswered(case) {
        return Ok(None);
    }
    let metadata = &case.hr().metadata;
    let age = case.seconds_since(metadata.creation_timestamp.as_deref());
    let since = age.map_or(String::new(), |a| format!(" for {}", age::duration(a)));
    // A controller that is not available is SKVS150.
    let mut running = helm_controllers(case).unwrap_or_default().into_iter();
    let running = running.find(|deployment| deployment.is_available());
    let why = match running {
        Some(_) => {
            "helm-controller writes a status within seconds. One is running, but does not watch this namespace, leaves the object to another controller, or fails before it answers."
        }
        None => {
            "helm-controller writes a status within seconds. It is not running, does not watch this namespace, or leaves the object to another controller."
        }
    };
    let mut finding = Finding::new(case.subject(), format!("Flux has not answered{since}"))
        .why(why)
        .seen([Evidence::new(case.subject(), ".status", "no conditions")]);
    if let Some(shard) = metadata.labels.get(peers::SHARD) {
        finding = finding
            .change(peers::without_shard(case))
            .seen([Evidence::new(
                case.subject(),
                ".metadata.labels",
                &format!("sharding.fluxcd.io/key={shard}"),
            )])
            .step(format!("Its label sharding.fluxcd.io/key reserves it for the controller of shard {shard}, which may not exist: correct or remove the label in the manifest."));
    }
    if age.is_some_and(|a| a < PATIENCE) {
        finding = finding
            .severity(Severity::Info)
            .step("Wait a minute: it is new.");
    }
    if let Some(one) = running {
        let finding = finding
            .seen([Evidence::new(
                Subject::from(&one.meta),
                ".status.availableReplicas",
                &format!("{}: available", one.image()),
            )])
            .step("Read the log of the one that is running:");
        return controller_log::shown(case, finding, "helm-controller", "1h").into();
    }
    finding
        .step("Check whether the controller is running:")
        .command(object_commands::deployments("helm-controller"))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::case::Case;
    use crate::diagnosis::finding::Step;
    use crate::diagnosis::fixture;

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("no-answer", "SKVS105"),
            "Flux has not answered for 7m"
        );
    }

    #[test]
    fn a_shard_that_nobody_may_serve_is_told_first() {
        let first = |shard: Option<&str>| {
            let mut snapshot = fixture::snapshot("no-answer");
            let labels = &mut snapshot.helm_release.metadata.labels;
            labels.extend(shard.map(|s| ("sharding.fluxcd.io/key".to_owned(), s.to_owned())));
            let now = fixture::meta("no-answer").now;
            match super::check(&Case::new(&snapshot, now)) {
                Ok(Some(finding)) => finding.fix[0].clone(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(
            first(Some("shard9")),
            Step::Text("Its label sharding.fluxcd.io/key reserves it for the controller of shard shard9, which may not exist: correct or remove the label in the manifest.".to_owned())
        );
        assert_eq!(
            first(None),
            Step::Text("Check whether the controller is running:".to_owned())
        );
    }
}
