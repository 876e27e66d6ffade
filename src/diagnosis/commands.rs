//! Every command of a report can be pasted and is true: program, verb and flags exist, and what it names was read. Test code
//! only. That the commands work is the cluster test's matter (tests/cluster/matrix/commands.rs).

use super::{Case, after_fix::Action, diagnose, finding::Step, fixture};
use crate::cli::Cli;
use crate::model::names::release_secret;
use crate::snapshot::Snapshot;
use clap::Parser;
use std::collections::BTreeSet;

/// What is there on every cluster with Secure KVS, or is kubectl's own word.
const STANDING: [&str; 7] = [
    "agora-kvs",
    "secure-kvs",
    "flux-system",
    "kube-system",
    "helm-controller",
    "source-controller",
    "namespace",
];

/// Verbs of kubectl, each with its flags; those that end in `=` hold their value.
const KUBECTL: &[(&str, &[&str])] = &[
    ("annotate", &["--overwrite", "--field-manager="]),
    ("api-resources", &["--api-group="]),
    ("auth can-i", &["--as="]),
    (
        "create",
        &[
            "--verb=",
            "--resource=",
            "--role=",
            "--clusterrole=",
            "--serviceaccount=",
        ],
    ),
    ("delete", &[]),
    ("describe", &[]),
    (
        "get",
        &[
            "-A",
            "-l",
            "-o",
            "--raw",
            "--show-labels",
            "--show-managed-fields",
            "--field-selector",
        ],
    ),
    ("label", &["--overwrite"]),
    (
        "logs",
        &[
            "--all-containers",
            "-c",
            "-l",
            "--tail=",
            "--since=",
            "--previous",
        ],
    ),
    ("patch", &["--type=", "-p="]),
    ("rollout restart", &[]),
];

/// Resources that kubectl knows on every cluster; others say their API group or were read.
const RESOURCES: &[&str] = &[
    "apiservice",
    "configmap",
    "configmaps",
    "crds",
    "deployment",
    "deployments",
    "endpointslices",
    "events",
    "job",
    "jobs",
    "limitrange",
    "limitranges",
    "mutatingwebhookconfigurations",
    "namespace",
    "nodes",
    "pod",
    "pods",
    "resourcequota",
    "secret",
    "secrets",
    "serviceaccount",
    "serviceaccounts",
    "services",
    "validatingadmissionpolicy",
    "validatingwebhookconfigurations",
    "clusterrole",
    "clusterrolebinding",
    "role",
    "rolebinding",
];

const HELM: &[&str] = &[
    "get manifest",
    "get values",
    "history",
    "mapkubeapis",
    "rollback",
    "uninstall",
];

/// Flags whose value is the next word.
const WITH_VALUE: [&str; 8] = [
    "-n",
    "--namespace",
    "-l",
    "-o",
    "-c",
    "--raw",
    "--field-selector",
    "-p",
];

/// All that a case holds, as text.
fn known(name: &str, snapshot: &Snapshot) -> String {
    let mut text = String::new();
    for document in fixture::documents(name) {
        text += &document.to_string();
        text.push('\n');
    }
    // Line ends in JSON texts.
    let text = text.replace("\\n", "\n");
    let hr = &snapshot.helm_release;
    let release = hr.release_name();
    let stored = [&snapshot.release, &snapshot.first_release];
    let hooks = stored.into_iter().filter_map(|r| r.if_read());
    let hooks = hooks.flat_map(|r| r.hooks.iter().map(|h| h.manifest.as_str()));
    let hooks: Vec<&str> = hooks.collect();
    let claim = hr.claim();
    let derived = [
        claim.joined().unwrap_or_default(),
        &release,
        &release_secret(&release, 1),
        &format!("{}-{}", hr.metadata.namespace, hr.metadata.name),
    ]
    .join("\n");
    [text, hooks.join("\n"), derived].join("\n")
}

/// Whether a name stands in the text as a word of its own; that of an APIService as `group/version`.
fn holds(text: &str, name: &str) -> bool {
    if let Some((version @ ("v1" | "v1beta1"), group)) = name.split_once('.') {
        return text.contains(&format!("{group}/{version}"));
    }
    let part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + name.len()..].starts_with(part))
}

fn is_placeholder(word: &str) -> bool {
    let mut tokens = word.split(|c: char| !c.is_alphanumeric());
    let shouted = |token: &str| token.len() > 2 && token.bytes().all(|b| b.is_ascii_uppercase());
    word.contains(['<', '>', '…']) || tokens.any(shouted)
}

/// Flags and what stands between them; of a flag with `=` the value goes.
fn sorted_out<'w>(words: &[&'w str]) -> (Vec<(String, Option<&'w str>)>, Vec<&'w str>) {
    let (mut flags, mut rest) = (Vec::new(), Vec::new());
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            rest.push(word);
        } else if let Some((flag, value)) = word.split_once('=') {
            flags.push((format!("{flag}="), Some(value)));
        } else if WITH_VALUE.contains(&word) {
            flags.push((word.to_owned(), words.next()));
        } else {
            flags.push((word.to_owned(), None));
        }
    }
    (flags, rest)
}

/// The command without the flags that lead to the fixtures' cluster; `None` where it lacks them.
fn without_context(words: &[String]) -> Option<&[String]> {
    let (words, last) = words.split_at_checked(words.len().checked_sub(2)?)?;
    let flag = match words.first()?.as_str() {
        "helm" => "--kube-context",
        _ => "--context",
    };
    (last == [flag, "prod-east"]).then_some(words)
}

/// What is wrong with a command.
fn fault(words: &[String], known: &str) -> Option<String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let Some(word) = words.iter().find(|w| w.trim().is_empty()) {
        return Some(format!("an empty word: {word:?}"));
    }
    if let Some(word) = words.iter().find(|w| is_placeholder(w)) {
        return Some(format!("{word} stands for something else"));
    }
    let said = |name: &str| STANDING.contains(&name) || holds(known, name);
    let (flags, rest) = match words[..] {
        ["kubectl", "skvs", ..] => {
            if let Err(error) = Cli::try_parse_from(&words[1..]) {
                return Some(error.to_string());
            }
            sorted_out(&words[3..])
        }
        ["kubectl", ..] => {
            let verb = KUBECTL
                .iter()
                .find(|(verb, _)| words[1..].join(" ").starts_with(&format!("{verb} ")));
            let Some((verb, flags)) = verb else {
                return Some(format!("kubectl does not know {}", words[1]));
            };
            let after = 1 + verb.split(' ').count();
            let (given, mut rest) = sorted_out(&words[after..]);
            let of_verb = |flag: &str| flag == "-n" || flags.contains(&flag);
            if let Some((flag, _)) = given.iter().find(|(flag, _)| !of_verb(flag)) {
                return Some(format!("kubectl {verb} has no {flag}"));
            }
            if *verb == "auth can-i" && rest.len() != 2 {
                return Some("kubectl auth can-i asks a verb and a resource".to_owned());
            }
            let raw = given.iter().any(|(flag, _)| flag == "--raw");
            if matches!(*verb, "logs" | "api-resources" | "auth can-i") || raw {
                if *verb != "logs" {
                    rest.clear();
                }
            } else {
                if rest.is_empty() {
                    return Some(format!("kubectl {verb} lacks a resource"));
                }
                let lower = known.to_lowercase();
                let exists =
                    |r: &str| RESOURCES.contains(&r) || r.contains('.') || holds(&lower, r);
                if let Some(none) = rest.remove(0).split(',').find(|r| !exists(r)) {
                    return Some(format!("{none} is no resource"));
                }
                if matches!(*verb, "annotate" | "label") {
                    rest.retain(|word| !word.contains('='));
                }
                // A role is new: it is named after the account and the right.
                let creates_role = ["create role", "create clusterrole"]
                    .iter()
                    .any(|lead| words[1..].join(" ").starts_with(lead));
                if creates_role && rest.len() == 1 {
                    return None;
                }
                if rest.is_empty() && !matches!(*verb, "get" | "describe") {
                    return Some(format!("kubectl {verb} lacks a name"));
                }
            }
            (given, rest)
        }
        ["helm", ..] => {
            let verb = HELM
                .iter()
                .find(|verb| words[1..].join(" ").starts_with(&format!("{verb} ")));
            let Some(verb) = verb else {
                return Some(format!("helm does not know {}", words[1]));
            };
            let (given, rest) = sorted_out(&words[1 + verb.split(' ').count()..]);
            if !given.iter().any(|(f, _)| f == "-n" || f == "--namespace") {
                return Some("helm would look into the context's namespace".to_owned());
            }
            if rest.len() != 1 {
                return Some(format!("helm {verb} takes one release"));
            }
            (given, rest)
        }
        _ => return Some(format!("{} is not among the programs", words[0])),
    };
    let namespaces = flags
        .iter()
        .filter(|(flag, _)| flag == "-n" || flag == "--namespace")
        .filter_map(|(_, value)| *value);
    namespaces
        .chain(rest)
        .find(|name| !said(name.rsplit('/').next().unwrap_or(name)))
        .map(|name| format!("{name} was never read"))
}

#[test]
fn every_command_can_be_pasted_and_names_what_was_read() {
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for name in fixture::names() {
        let (snapshot, now) = (fixture::snapshot(&name), fixture::meta(&name).now);
        let known = known(&name, &snapshot);
        for root in diagnose(&Case::new(&snapshot, now)).roots {
            let own = std::iter::once((root.rule, root.finding));
            for (rule, finding) in own.chain(root.follows) {
                let fix = finding.fix.iter().filter_map(|step| match step {
                    Step::Command(command) => Some(command),
                    Step::Text(_) | Step::Manifest(_) => None,
                });
                let acts = finding.then.iter().flat_map(|then| &then.acts);
                let then = acts.map(Action::command);
                for command in fix.chain(then) {
                    let line = command.at(&snapshot.origin);
                    let fault = match without_context(line.words()) {
                        Some(words) => fault(words, &known),
                        None => Some("it does not name the cluster".to_owned()),
                    };
                    if let Some(fault) = fault {
                        wrong.push(format!("{name} {}: {line}: {fault}", rule.code));
                    }
                    seen.insert(line.to_string());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen.len() > 100, "{}", seen.len());
}

#[test]
fn what_cannot_be_pasted_is_noticed() {
    let known = "name: orders\nnamespace: core\n";
    let wrong = |line: &str| {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        fault(&words, known)
    };
    assert_eq!(wrong("kubectl get -n core pods orders"), None);
    assert_eq!(wrong("helm history -n core orders"), None);
    assert_eq!(wrong("kubectl skvs describe -n core orders"), None);
    for line in [
        "kubectl get -n NAMESPACE pods",
        "kubectl describe -n core pod <name>",
        "kubectl describe -n core pod order",
        "kubectl get -n  pods",
        "kubectl got -n core pods",
        "kubectl get -n core poods",
        "kubectl get -n core pods --wide",
        "kubectl patch -n core pod --type=merge",
        "kubectl auth can-i list -n core",
        "kubectl skvs describes orders",
        "kubectl skvs describe -n elsewhere orders",
        "helm history orders",
        "helm get -n core orders",
        "rm -r orders",
    ] {
        assert!(wrong(line).is_some(), "{line}");
    }
}
