//! A release on the cluster that `spec.kubeConfig` names. No flag of this run leads there: a command with this cluster's flags would act on
//! another object of the same name, such as the release of an earlier onboarding.

use super::after_fix::Act;
use super::case::Case;
use super::finding::{Finding, Step};
use crate::advice::{Command, Origin};

/// The finding with the commands on that cluster as text.
pub(super) fn told(case: &Case<'_>, mut finding: Finding) -> Finding {
    if !case.hr().is_remote() {
        return finding;
    }
    let mut is_told = false;
    for step in &mut finding.fix {
        if let Step::Command(command) = step
            && is_there(case, command)
        {
            *step = Step::Text(there(command));
            is_told = true;
        }
    }
    if let Some(then) = &mut finding.then {
        let acts = std::mem::take(&mut then.acts);
        let (removals, acts): (Vec<_>, Vec<_>) = acts
            .into_iter()
            .partition(|action| action.act() == Act::Uninstall);
        then.acts = acts;
        for removal in removals {
            // The last line of the finding, which asks for it, follows.
            finding.fix.push(Step::Text(there(removal.command())));
            is_told = true;
        }
    }
    match is_told {
        true => finding.why(
            "The release is on another cluster, which spec.kubeConfig names and which is not read.",
        ),
        false => finding,
    }
}

/// A command on that cluster, which only the reader can reach.
pub(crate) fn there(command: &Command) -> String {
    let line = command.at(&Origin::default());
    format!("On the cluster that spec.kubeConfig names: {line}")
}

/// Whether it is about what is on that cluster. On this one are the HelmRelease with what is in its namespace, and Flux.
fn is_there(case: &Case<'_>, command: &Command) -> bool {
    const NO_CLUSTER: [&str; 5] = ["show", "search", "template", "pull", "push"];
    let line = command.at(&Origin::default());
    let words: Vec<&str> = line.words().iter().map(String::as_str).collect();
    let own = case.hr().metadata.namespace.as_str();
    match words[..] {
        ["helm", verb, ..] => !NO_CLUSTER.contains(&verb),
        ["kubectl", "skvs" | "config", ..] => false,
        ["kubectl", ..] => {
            let has = |part: &str| words.iter().any(|word| word.contains(part));
            let is_of_flux =
                has("fluxcd.io") || has("-controller") || has("app.kubernetes.io/component=");
            let is_own = words.windows(2).any(|pair| pair == ["-n", own]);
            // In its own namespace are the values and Flux's objects; pods and Jobs of the release never.
            let is_run = ["logs", "exec", "job", "jobs", "pod", "pods"];
            let is_run = words.iter().any(|word| {
                let kind = word.split('/').next().unwrap_or(word);
                is_run.contains(&kind)
            });
            !is_of_flux && (is_run || !is_own)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{diagnose, fixture};
    use serde_json::json;

    /// What is said in a case whose release is on another cluster: each finding's reasons, and its steps with commands as they are printed here.
    fn lines(name: &str) -> Vec<(Vec<String>, Vec<String>)> {
        let mut snapshot = fixture::snapshot(name);
        snapshot.helm_release.spec.kube_config = Some(json!({"secretRef": {"name": "other"}}));
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let roots = diagnose(&case).roots.into_iter();
        let findings = roots.flat_map(|root| {
            let follows = root.follows.into_iter().map(|(_, finding)| finding);
            std::iter::once(root.finding).chain(follows)
        });
        let told = findings.map(|finding| {
            let why = finding.why.clone();
            let finding = finding.at(&snapshot.origin);
            let fix = finding.fix.iter().filter_map(|step| match step {
                Step::Command(line) => Some(line.to_string()),
                Step::Text(_) | Step::Manifest(_) => None,
            });
            let acts = finding.then.iter().flat_map(|then| &then.acts);
            (why, fix.chain(acts.map(ToString::to_string)).collect())
        });
        told.collect()
    }

    #[test]
    fn no_command_on_the_release_leads_to_this_cluster() {
        let mut told = 0;
        for name in fixture::names() {
            for (why, commands) in lines(&name) {
                for command in &commands {
                    assert!(!command.starts_with("helm "), "{name}: {command}");
                    let is_of_flux = command.contains("app=") || command.contains("-controller");
                    let is_log = command.contains(" logs ");
                    assert!(!is_log || is_of_flux, "{name}: {command}");
                }
                told += usize::from(
                    why.iter()
                        .any(|line| line.contains("which spec.kubeConfig names")),
                );
            }
        }
        assert!(told > 50, "only {told} findings are about what is there");
    }

    #[test]
    fn in_the_namespace_of_the_onboarding_only_pods_are_elsewhere() {
        let snapshot = fixture::snapshot("target-namespace-missing");
        let case = Case::new(&snapshot, fixture::meta("target-namespace-missing").now);
        let own = case.hr().metadata.namespace.clone();
        let is_there = |words: &[&str]| {
            let words = words.iter().map(|word| match *word {
                "OWN" => own.as_str(),
                word => word,
            });
            is_there(&case, &Command::new(words))
        };
        assert!(is_there(&["kubectl", "logs", "-n", "OWN", "job/create"]));
        assert!(is_there(&["kubectl", "get", "pods", "-n", "OWN"]));
        assert!(is_there(&["kubectl", "get", "secret", "a", "-n", "team"]));
        assert!(!is_there(&["kubectl", "get", "secret", "a", "-n", "OWN"]));
        assert!(!is_there(&[
            "kubectl",
            "logs",
            "-n",
            "flux",
            "deploy/helm-controller"
        ]));
        assert!(!is_there(&["kubectl", "skvs", "retry", "-n", "team", "a"]));
    }

    #[test]
    fn the_removal_is_said_to_be_there() {
        let name = "target-namespace-missing";
        let mut snapshot = fixture::snapshot(name);
        snapshot.helm_release.spec.kube_config = Some(json!({"secretRef": {"name": "other"}}));
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let root = diagnose(&case).roots.into_iter().next().unwrap();
        insta::assert_snapshot!(fixture::reasoned(root.finding), @"
        The chart is installed into this namespace (spec.targetNamespace), and Flux only creates it if spec.install.createNamespace is set.
        The release is on another cluster, which spec.kubeConfig names and which is not read.
        the namespace nope does not exist
        If the name is wrong, correct spec.targetNamespace in the manifest.
        If it is right, create the namespace, with everything the creation Job needs:
        On the cluster that spec.kubeConfig names: kubectl create namespace nope
        On the cluster that spec.kubeConfig names: kubectl create serviceaccount -n nope agora-kvs
        On the cluster that spec.kubeConfig names: helm uninstall -n flux-system nope-skvs-onboarding-a--missing-target
        ");
    }
}
