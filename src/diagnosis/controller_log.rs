//! The commands that show one of Flux's controllers and its log, wherever Flux runs.

use super::case::Case;
use super::finding::{Finding, Subject, Verdict};
use super::retries::{Fixes, then};
use super::sources;
use crate::advice::Command;
use crate::model::source::Source;
use crate::snapshot::IfRead;

/// Where Flux runs if nothing tells another place.
pub(super) const USUAL: &str = "flux-system";

/// The finding with the log of the last `since`; where Flux's namespace is not known, with what tells it first.
pub(super) fn shown(case: &Case<'_>, finding: Finding, controller: &str, since: &str) -> Finding {
    let label = format!("app={controller}");
    let (finding, namespace) = match namespace(case) {
        Some(namespace) => (finding, namespace),
        None => (
            finding.command(["kubectl", "get", "pods", "-A", "-l", &label]),
            USUAL,
        ),
    };
    // By a label kubectl shows the last ten lines if it is not told otherwise.
    finding.command([
        "kubectl",
        "logs",
        "-n",
        namespace,
        "-l",
        &label,
        &format!("--since={since}"),
        "--tail=-1",
    ])
}

/// Ends a finding that is fixed outside the manifest with the log of the last hour.
pub(super) fn end(case: &Case<'_>, finding: Finding, controller: &str) -> Verdict {
    shown(case, finding, controller, "1h")
        .then(then(case, Fixes::Elsewhere))
        .into()
}

/// Ends a finding whose cause is not in the conditions: points to them and to source-controller's log.
pub(super) fn look_further(case: &Case<'_>, finding: Finding, subject: &Subject) -> Verdict {
    let finding = finding
        .step("Look at its conditions, then at the log of source-controller:")
        .command(sources::describe(subject));
    end(case, finding, "source-controller")
}

/// Lists the pods of a controller.
pub(super) fn pods(namespace: &str, controller: &str) -> Command {
    let label = format!("app={controller}");
    Command::new(["kubectl", "get", "pods", "-n", namespace, "-l", &label])
}

/// Flux's namespace: where its Deployments were seen, or as the address of an artifact has it.
pub(super) fn namespace<'a>(case: &Case<'a>) -> Option<&'a str> {
    let controllers = case.controllers().if_read();
    let seen = controllers.filter(|c| !c.deployments.is_empty());
    seen.map(|c| c.namespace.as_str())
        .or_else(|| sources::links(case).find_map(of_artifact))
}

/// The namespace in `http://source-controller.NAMESPACE.svc…`.
fn of_artifact(source: &Source) -> Option<&str> {
    let url = source.artifact.set()?.url.as_str()?;
    let (namespace, rest) = url
        .strip_prefix("http://source-controller.")?
        .split_once('.')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_name = !namespace.is_empty() && namespace.chars().all(plain);
    (is_name && rest.starts_with("svc")).then_some(namespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::finding::Subject;
    use crate::diagnosis::fixture;
    use crate::model::deployment::Deployment;
    use crate::snapshot::{Controllers, Read, Snapshot};
    use serde_json::json;

    fn commands(change: &dyn Fn(&mut Snapshot)) -> Vec<String> {
        let mut snapshot = fixture::snapshot("unknown-cause");
        change(&mut snapshot);
        let case = Case::new(&snapshot, fixture::meta("unknown-cause").now);
        let finding = Finding::new(Subject::new("A", "b", "c"), "d");
        let lines = fixture::lines(shown(&case, finding, "helm-controller", "1h"));
        lines.lines().skip(1).map(str::to_owned).collect()
    }

    fn stored_at(url: &str) -> impl Fn(&mut Snapshot) {
        let chart = json!({"kind": "HelmChart", "status": {"artifact": {"url": url}}});
        move |s| s.chart = Read::Seen(Source::from_value(&chart, ""))
    }

    #[test]
    fn the_log_is_looked_for_where_flux_runs() {
        let there = ["$ kubectl logs -n gitops -l app=helm-controller --since=1h --tail=-1"];
        let artifact = "http://source-controller.gitops.svc.cluster.local./helmchart/a/b/c.tgz";
        assert_eq!(commands(&stored_at(artifact)), there);
        assert_eq!(
            commands(&|s| {
                s.on_demand.controllers = Read::Seen(Controllers {
                    namespace: "gitops".to_owned(),
                    deployments: vec![Deployment::default()],
                });
            }),
            there
        );
    }

    #[test]
    fn a_place_that_is_not_known_is_asked_for_first() {
        let first = [
            "$ kubectl get pods -A -l app=helm-controller",
            "$ kubectl logs -n flux-system -l app=helm-controller --since=1h --tail=-1",
        ];
        let not_stored = json!({"kind": "HelmChart"});
        assert_eq!(
            commands(&|s| s.chart = Read::Seen(Source::from_value(&not_stored, ""))),
            first
        );
        for url in [
            "http://source-controller.example/a",
            "http://source-controller.a b.svc/a",
            "http://other.gitops.svc/a",
        ] {
            assert_eq!(commands(&stored_at(url)), first, "{url}");
        }
    }
}
