//! A release on the cluster that `spec.kubeConfig` names. No flag of this run leads there: a command with this cluster's flags would act on
//! another object of the same name, such as the release of an earlier onboarding.

use super::after_fix::Act;
use super::case::Case;
use super::chain::{Place, broken_by};
use super::finding::{Finding, Step, Subject};
use super::rule::Rule;
use super::rules::kube_config_unusable;
use crate::advice::{Command, Origin};

/// The finding with the commands on that cluster as text.
pub(super) fn told(case: &Case<'_>, rule: &Rule, mut finding: Finding) -> Finding {
    if !case.hr().is_remote() {
        return finding;
    }
    let is_here = is_here(case, rule, &finding.subject);
    for step in &mut finding.fix {
        if let Step::Command(command) = step
            && !leads_here(command, is_here)
        {
            *step = Step::Text(there("On", command));
        }
    }
    if let Some(then) = &mut finding.then {
        let acts = std::mem::take(&mut then.acts);
        let (removals, acts): (Vec<_>, Vec<_>) = acts
            .into_iter()
            .partition(|action| action.act() == Act::Uninstall);
        for removal in removals {
            let end = if acts.is_empty() { "" } else { "; then, here:" };
            let line = then.line.trim_end_matches([':', '.']);
            then.line = format!("{line}. First, {}{end}", there("on", removal.command()));
        }
        then.acts = acts;
    }
    finding
}

/// A command on that cluster, which only the reader can reach.
pub(crate) fn there(on: &str, command: &Command) -> String {
    let line = command.at(&Origin::default());
    format!("{on} the cluster that spec.kubeConfig names: {line}")
}

/// Flux's controllers.
const CONTROLLERS: [&str; 4] = [
    "helm-controller",
    "kustomize-controller",
    "notification-controller",
    "source-controller",
];

/// Whether a finding is about what is on this cluster: the sources, Flux, and what the HelmRelease refers to.
fn is_here(case: &Case<'_>, rule: &Rule, subject: &Subject) -> bool {
    let is_of_source = matches!(
        broken_by(rule.code, subject),
        Some(Place::Source | Place::Chart)
    );
    if is_of_source || rule.code == kube_config_unusable::RULE.code {
        return true;
    }
    let hr = case.hr();
    match subject.kind.as_str() {
        "Node" => true,
        "Deployment" | "Pod" => CONTROLLERS.iter().any(|name| is_of(&subject.name, name)),
        kind @ ("Secret" | "ConfigMap") => {
            let mut values = hr.spec.values_from.iter();
            let is_of_values = values.any(|from| from.kind == kind && from.name == subject.name);
            let is_access = hr.has_kubeconfig_in(kind, &subject.name);
            subject.namespace == hr.metadata.namespace && (is_of_values || is_access)
        }
        _ => false,
    }
}

/// Whether it is a controller's Deployment, or a pod of it.
fn is_of(name: &str, controller: &str) -> bool {
    let rest = name.strip_prefix(controller);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Whether a command may be run on this cluster.
fn leads_here(command: &Command, is_about_here: bool) -> bool {
    const OF_COUCHDB: [&str; 4] = ["databases", "delete-db", "restore", "check-access"];
    const NO_CLUSTER: [&str; 5] = ["show", "search", "template", "pull", "push"];
    let line = command.at(&Origin::default());
    let words: Vec<&str> = line.words().iter().map(String::as_str).collect();
    match words[..] {
        ["helm", verb, ..] => NO_CLUSTER.contains(&verb),
        ["kubectl", "skvs", verb, ..] => !OF_COUCHDB.contains(&verb),
        ["kubectl", "config", ..] => true,
        ["kubectl", verb, ref rest @ ..] => is_about_here || is_about_flux(verb, rest),
        _ => true,
    }
}

/// Whether the words of kubectl name an object of Flux's API, or a controller.
fn is_about_flux(verb: &str, words: &[&str]) -> bool {
    let mut before = "";
    for word in words {
        let is_value = before.starts_with('-');
        let is_selector = matches!(before, "-l" | "--selector");
        let (kind, name) = word.split_once('/').unwrap_or((before, word));
        before = word;
        if is_selector {
            let value = word.rsplit_once('=').map_or("", |(_, value)| value);
            if CONTROLLERS.contains(&value) || *word == "app.kubernetes.io/part-of=flux" {
                return true;
            }
            continue;
        }
        if !is_value && (word.ends_with(".fluxcd.io") || kind.ends_with(".fluxcd.io")) {
            return true;
        }
        let is_workload = ["deploy", "deployment", "deployments", "pod", "pods"].contains(&kind);
        let is_named = CONTROLLERS.iter().any(|controller| is_of(name, controller));
        if is_named && (is_workload || verb == "logs") {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::texts::failed;
    use crate::diagnosis::{diagnose, fixture};
    use crate::snapshot::Snapshot;
    use k8s_openapi::jiff::Timestamp;
    use serde_json::json;

    /// The same case with its release on another cluster.
    fn elsewhere(mut snapshot: Snapshot) -> Snapshot {
        snapshot.helm_release.spec.kube_config = Some(json!({"secretRef": {"name": "other"}}));
        snapshot
    }

    /// Each finding with its commands as they are printed here, and as text.
    fn lines(snapshot: &Snapshot, now: Timestamp) -> Vec<(Finding, Vec<String>, Vec<String>)> {
        let case = Case::new(snapshot, now);
        let roots = diagnose(&case).roots.into_iter();
        let findings = roots.flat_map(|root| {
            let follows = root.follows.into_iter().map(|(_, finding)| finding);
            std::iter::once(root.finding).chain(follows)
        });
        let told = findings.map(|finding| {
            let at = finding.clone().at(&snapshot.origin);
            let mut here = Vec::new();
            let mut texts = Vec::new();
            for step in &at.fix {
                match step {
                    Step::Command(line) => here.push(line.to_string()),
                    Step::Text(text) => texts.push(text.clone()),
                    Step::Manifest(_) => {}
                }
            }
            let then = at.then.iter();
            texts.extend(then.clone().map(|then| then.line.clone()));
            here.extend(then.flat_map(|then| &then.acts).map(ToString::to_string));
            (finding, here, texts)
        });
        told.collect()
    }

    #[test]
    fn no_command_on_the_release_leads_to_this_cluster() {
        let mut told = 0;
        for name in fixture::names() {
            let snapshot = elsewhere(fixture::snapshot(&name));
            let target = format!("-n {}", snapshot.helm_release.release_namespace());
            let own = format!("-n {}", snapshot.helm_release.metadata.namespace);
            for (finding, here, texts) in lines(&snapshot, fixture::meta(&name).now) {
                for command in &here {
                    let verb = command.split(' ').nth(1).unwrap_or_default();
                    let changes = ["create", "delete"].contains(&verb);
                    let is_there = target != own && command.contains(&target);
                    let subject = &finding.subject;
                    assert!(!command.starts_with("helm "), "{name}: {command}");
                    assert!(!changes && !is_there, "{name}: {subject}: {command}");
                }
                let is_there = |text: &&String| text.contains("spec.kubeConfig names: ");
                told += texts.iter().filter(is_there).count();
            }
        }
        assert!(told > 50, "only {told} commands are for there");
    }

    /// The commands of a remote case with this failure that lead here, and those that do not.
    fn of(text: &str, change: impl FnOnce(&mut Snapshot)) -> (Vec<String>, Vec<String>) {
        let (name, mut snapshot) = failed("install", text);
        change(&mut snapshot);
        let all = lines(&elsewhere(snapshot), fixture::meta(name).now);
        let here = all.iter().flat_map(|(_, here, _)| here.clone());
        let texts = all.iter().flat_map(|(.., texts)| texts.clone());
        let there = texts.filter(|text| text.contains("spec.kubeConfig names: "));
        (here.collect(), there.collect())
    }

    #[test]
    fn rights_accounts_and_records_of_the_release_are_there() {
        let forbidden = |account: &str, kind: &str, namespace: &str| {
            format!(
                r#"failed pre-install: {kind} is forbidden: User "system:serviceaccount:flux-system:{account}" cannot create resource "{kind}" in API group "" in the namespace "{namespace}""#
            )
        };
        let own = "flux-system";
        let exists = r#"secrets "sh.helm.release.v1.x.v1" already exists"#.to_owned();
        for text in [
            forbidden("helm-controller", "jobs", "core"),
            forbidden("deployer", "secrets", own),
            exists,
        ] {
            let (here, there) = of(&text, |_| {});
            assert!(!there.is_empty(), "{text}");
            for command in here {
                assert!(command.contains("fluxcd.io"), "{text}: {command}");
            }
        }
        // The release is in the onboarding's own namespace there.
        let exists = r#"jobs.batch "pds-database-create" already exists"#;
        let (here, there) = of(exists, |s| s.helm_release.spec.target_namespace = None);
        assert!(
            there.iter().any(|text| text.contains("jobs.batch")),
            "{there:?}"
        );
        assert!(here.iter().all(|c| c.contains("fluxcd.io")), "{here:?}");
    }

    #[test]
    fn what_the_helm_release_refers_to_is_here() {
        let leads = |words: &[&str]| leads_here(&Command::new(words), false);
        for words in [
            &["kubectl", "logs", "-n", "flux", "deploy/helm-controller"][..],
            &["kubectl", "logs", "-n", "flux", "-l", "app=helm-controller"],
            &[
                "kubectl",
                "describe",
                "-n",
                "flux",
                "pod",
                "helm-controller-6b9f-x",
            ],
            &[
                "kubectl",
                "get",
                "helmreleases.helm.toolkit.fluxcd.io",
                "-A",
            ],
            &["kubectl", "skvs", "retry", "-n", "team", "a"],
            &["helm", "show", "values", "a"],
        ] {
            assert!(leads(words), "{words:?}");
        }
        for words in [
            &[
                "kubectl",
                "create",
                "role",
                "-n",
                "core",
                "helm-controller-create-jobs",
            ][..],
            &["kubectl", "get", "secrets", "-n", "flux-system"],
            &[
                "kubectl",
                "get",
                "jobs",
                "-n",
                "a",
                "-l",
                "helm.toolkit.fluxcd.io/name=b",
            ],
            &[
                "kubectl",
                "get",
                "serviceaccount",
                "-n",
                "a",
                "helm-controller",
            ],
            &["helm", "history", "-n", "a", "b"],
            &["kubectl", "skvs", "delete-db", "a_b", "--dry-run"],
            &["kubectl", "skvs", "databases", "a_b"],
        ] {
            assert!(!leads(words), "{words:?}");
        }
    }

    #[test]
    fn the_objects_of_values_from_are_here() {
        let name = "values-reference-missing-object";
        let told = lines(&elsewhere(fixture::snapshot(name)), fixture::meta(name).now);
        let (_, here, texts) = &told[0];
        assert!(
            here.iter().any(|line| line.starts_with("kubectl get ")),
            "{here:?}"
        );
        assert!(
            !texts.concat().contains("spec.kubeConfig names: kubectl"),
            "{texts:?}"
        );
    }

    #[test]
    fn the_removal_is_said_to_be_there() {
        let name = "target-namespace-missing";
        let mut snapshot = fixture::snapshot(name);
        snapshot.helm_release.spec.kube_config = Some(json!({"secretRef": {"name": "other"}}));
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let root = diagnose(&case).roots.into_iter().next().unwrap();
        let then = root.finding.then.clone().unwrap();
        insta::assert_snapshot!(then.line, @"Flux has stopped retrying. Remove the failed release first: the next attempt would be an upgrade of the failed revision, which does not create the database. Make it start again. First, on the cluster that spec.kubeConfig names: helm uninstall -n flux-system nope-skvs-onboarding-a--missing-target; then, here:");
        assert_eq!(then.acts.len(), 1);
        insta::assert_snapshot!(fixture::reasoned(root.finding), @"
        The chart is installed into this namespace (spec.targetNamespace), and Flux only creates it if spec.install.createNamespace is set.
        the namespace nope does not exist
        If the name is wrong, correct spec.targetNamespace in the manifest.
        If it is right, create the namespace, with everything the creation Job needs:
        On the cluster that spec.kubeConfig names: kubectl create namespace nope
        On the cluster that spec.kubeConfig names: kubectl create serviceaccount -n nope agora-kvs
        ");
    }
}
