//! The rights that each command needs: the manifests of docs/rbac, for the namespaces of one installation.
//!
//! A comment that begins with `Optional:` covers the rules below it, up to the next comment.

use super::endpoint::COUCHDB_NAMESPACE;
use super::right::{Right, Rule};
use serde::Deserialize;

/// The group that the manifests bind.
pub const GROUP: &str = "secure-kvs-oncall";
/// The manifests' namespace of the onboardings.
const ONBOARDINGS: &str = "flux-system";
/// The manifests' target namespace of the onboardings' releases.
pub const TARGET: &str = "core";

/// What each manifest says of it.
const REPLACE: &str = "# Replace secure-kvs-oncall with the group of the engineers on call.\n";

/// Between two objects of a manifest.
const SEPARATOR: &str = "\n---\n";

/// What one command needs.
#[derive(Debug)]
pub struct Manifest {
    pub command: &'static str,
    text: &'static str,
}

/// Makes the list; each command's manifest is in the file of its name.
macro_rules! manifests {
    ($($command:literal),* $(,)?) => {
        &[$(Manifest {
            command: $command,
            text: include_str!(concat!("../../docs/rbac/", $command, ".yaml")),
        }),*]
    };
}

/// Every one, in alphabetical order. The commands that are not in it need no right.
pub const MANIFESTS: &[Manifest] = manifests![
    "backup",
    "capture",
    "check-access",
    "completion",
    "databases",
    "delete-db",
    "describe",
    "doctor",
    "lint",
    "list",
    "notes",
    "offboard",
    "onboard",
    "restore",
    "resume",
    "retry",
    "status",
    "suspend",
    "troubleshoot",
    "version",
];

/// The namespaces of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Of the HelmReleases.
    pub onboardings: String,
    /// Those that their releases are installed into.
    pub targets: Vec<String>,
    /// Of CouchDB's pods.
    pub couchdb: String,
}

impl Default for Places {
    /// The runbook's.
    fn default() -> Self {
        Self {
            onboardings: ONBOARDINGS.to_owned(),
            targets: vec![TARGET.to_owned()],
            couchdb: COUCHDB_NAMESPACE.to_owned(),
        }
    }
}

/// A right that a command needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    pub right: Right,
    /// The command does its work without it.
    pub optional: bool,
}

#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    namespace: Option<String>,
}

impl Manifest {
    /// The manifest of a command.
    pub fn of(command: &str) -> Option<&'static Self> {
        MANIFESTS.iter().find(|one| one.command == command)
    }

    /// The objects to apply, for these namespaces and this group.
    pub fn text(&self, places: &Places, group: &str) -> String {
        let objects = self.text.split(SEPARATOR);
        let all: Vec<String> = match places.onboardings == ONBOARDINGS {
            true => objects.flat_map(|object| placed(object, places)).collect(),
            false => {
                let without = |object: &str| placed(without_flux(object).0, places);
                objects.flat_map(without).chain(self.of_flux()).collect()
            }
        };
        let name = format!("name: {GROUP}}}");
        let mut text = all.join(SEPARATOR);
        if group != GROUP {
            text = text.replace(REPLACE, "");
        }
        let text = text.replace(&name, &format!("name: {}}}", quoted(group, GROUP)));
        format!("{}\n", text.trim_end())
    }

    /// The rights that it gives.
    pub fn needs(&self, places: &Places) -> Vec<Need> {
        let mut all: Vec<Need> = Vec::new();
        for object in self.text(places, GROUP).split(SEPARATOR) {
            let parsed: Object =
                serde_saphyr::from_str(object).expect("a manifest of docs/rbac is YAML");
            let namespace = parsed.metadata.namespace.as_deref();
            for (rule, optional) in rules(object) {
                for right in rule.rights(namespace) {
                    match all.iter_mut().find(|need| need.right == right) {
                        Some(known) => known.optional &= optional,
                        None => all.push(Need { right, optional }),
                    }
                }
            }
        }
        all
    }
}

impl Manifest {
    /// What it grants on Flux's controllers, as objects of their own: they do not move with the HelmReleases.
    fn of_flux(&self) -> Vec<String> {
        let objects = || self.text.split(SEPARATOR);
        let Some((role, rules)) = objects().find_map(|object| {
            let (role, rules) = without_flux(object);
            Some((role, rules?))
        }) else {
            return Vec::new();
        };
        let (head, _) = role.split_once("\nrules:").unwrap_or((role, ""));
        let is_own = |object: &&str| {
            object.contains("\nkind: RoleBinding\n") && object.contains(&of_namespace(ONBOARDINGS))
        };
        let role = format!("{head}\nrules:\n{rules}");
        let all = std::iter::once(role.as_str()).chain(objects().filter(is_own));
        all.map(|object| moved(object, ONBOARDINGS, ONBOARDINGS, "-flux"))
            .collect()
    }
}

/// A Role without its rules on Flux's controllers, which come last in it, and these rules.
fn without_flux(object: &str) -> (&str, Option<&str>) {
    match object.find("\n# Flux's controllers") {
        Some(at) => (&object[..at], Some(&object[at + 1..])),
        None => (object, None),
    }
}

/// How an object's metadata ends that is in this namespace.
fn of_namespace(standard: &str) -> String {
    format!(", namespace: {standard}}}")
}

/// The object in another namespace, with a suffix to its name.
fn moved(object: &str, standard: &str, namespace: &str, suffix: &str) -> String {
    let text = object.replace(
        &of_namespace(standard),
        &format!("{suffix}, namespace: {}}}", quoted(namespace, standard)),
    );
    // Of a binding: the Role's name.
    let lines = text.lines().map(|line| match line.strip_suffix('}') {
        Some(line) if line.starts_with("roleRef:") => format!("{line}{suffix}}}"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The rules of an object, each with whether it is optional.
fn rules(object: &str) -> Vec<(Rule, bool)> {
    let (mut all, mut optional, mut in_comment) = (Vec::new(), false, false);
    for line in object.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            if !in_comment {
                optional = comment.starts_with("Optional:");
            }
            in_comment = true;
            continue;
        }
        in_comment = false;
        if let Some(rule) = line.strip_prefix("- {") {
            let rule = serde_saphyr::from_str(&format!("{{{rule}"));
            all.push((rule.expect("a rule of docs/rbac is YAML"), optional));
        }
    }
    all
}

/// The object in each namespace that takes its own's place. Two objects of one name cannot be in one namespace, so a later one gets another.
fn placed(object: &str, places: &Places) -> Vec<String> {
    let Places {
        onboardings,
        targets,
        couchdb,
    } = places;
    let rename = |is_taken, suffix| if is_taken { suffix } else { "" };
    let in_targets = targets.iter().map(|target| {
        let suffix = rename(target == onboardings, "-target");
        (TARGET, target, suffix)
    });
    let is_taken = couchdb == onboardings || targets.contains(couchdb);
    let of_couchdb = (COUCHDB_NAMESPACE, couchdb, rename(is_taken, "-couchdb"));
    let all = std::iter::once((ONBOARDINGS, onboardings, ""))
        .chain(in_targets)
        .chain([of_couchdb]);
    let standards = [ONBOARDINGS, TARGET, COUCHDB_NAMESPACE];
    if !standards.iter().any(|s| object.contains(&of_namespace(s))) {
        return vec![object.to_owned()];
    }
    let all = all.filter(|(standard, ..)| object.contains(&of_namespace(standard)));
    all.map(|(standard, namespace, suffix)| moved(object, standard, namespace, suffix))
        .collect()
}

/// A value for YAML's flow style; the manifest's own as it is.
fn quoted(value: &str, own: &str) -> String {
    match value == own {
        true => own.to_owned(),
        false => serde_json::Value::from(value).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn objects(text: &str) -> Vec<Value> {
        let all = text.split(SEPARATOR).map(serde_saphyr::from_str);
        all.collect::<Result<_, _>>().unwrap()
    }

    fn words(command: &str, optional: bool) -> Vec<String> {
        let needs = Manifest::of(command).unwrap().needs(&Places::default());
        let needs = needs.into_iter().filter(|need| need.optional == optional);
        needs.map(|need| need.right.to_string()).collect()
    }

    #[test]
    fn every_manifest_is_listed_and_taken_as_it_is() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rbac");
        let files = std::fs::read_dir(folder).unwrap().map(|file| {
            let name = file.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".yaml").unwrap().to_owned()
        });
        let files: BTreeSet<String> = files.collect();
        let listed: Vec<&str> = MANIFESTS.iter().map(|m| m.command).collect();
        assert!(files.iter().eq(&listed), "{files:?} {listed:?}");
        for manifest in MANIFESTS {
            let text = manifest.text(&Places::default(), GROUP);
            assert_eq!(text, manifest.text, "{}", manifest.command);
            assert!(text.contains(REPLACE), "{}", manifest.command);
        }
    }

    #[test]
    fn rights_on_the_controllers_stay_in_their_namespace() {
        let places = Places {
            onboardings: "other".to_owned(),
            ..Places::default()
        };
        for manifest in MANIFESTS {
            let usual = manifest.needs(&Places::default());
            let of_flux = |needs: &[Need]| -> Vec<String> {
                let needs = needs.iter().map(|need| need.right.to_string());
                needs
                    .filter(|right| right.contains("deployments"))
                    .collect()
            };
            let needs = manifest.needs(&places);
            assert_eq!(of_flux(&needs), of_flux(&usual), "{}", manifest.command);
            // Each Role has its binding.
            let count = |kind: &str| {
                let all = objects(&manifest.text(&places, GROUP));
                all.iter().filter(|object| object["kind"] == kind).count()
            };
            assert_eq!(count("Role"), count("RoleBinding"), "{}", manifest.command);
        }
        let needs = Manifest::of("troubleshoot").unwrap().needs(&places);
        let has = |right: &str| needs.iter().any(|need| need.right.to_string() == right);
        assert!(has("get deployments in flux-system") && has("list pods in flux-system"));
        assert!(has("list secrets in other") && !has("list secrets in flux-system"));
        let names: BTreeSet<String> =
            objects(&Manifest::of("troubleshoot").unwrap().text(&places, GROUP))
                .iter()
                .filter(|object| object["metadata"]["namespace"] == "flux-system")
                .map(|object| object["metadata"]["name"].to_string())
                .collect();
        assert_eq!(
            names,
            BTreeSet::from(["\"kubectl-skvs-troubleshoot-flux\"".to_owned()])
        );
    }

    /// Each rule is one line, so that none is passed over.
    #[test]
    fn every_rule_is_read() {
        for manifest in MANIFESTS {
            for (text, object) in manifest.text.split(SEPARATOR).zip(objects(manifest.text)) {
                let rules: Vec<Rule> =
                    serde_json::from_value(object["rules"].clone()).unwrap_or_default();
                let namespace = object["metadata"]["namespace"].as_str();
                let all = |rules: &[Rule]| -> Vec<Right> {
                    rules.iter().flat_map(|r| r.rights(namespace)).collect()
                };
                let lines: Vec<Rule> = super::rules(text).into_iter().map(|(r, _)| r).collect();
                assert_eq!(all(&lines), all(&rules), "{}", manifest.command);
            }
        }
    }

    #[test]
    fn what_a_command_needs_is_told_from_what_it_can_do_without() {
        assert_eq!(
            words("delete-db", true),
            [
                "get secrets in all namespaces",
                "list events in all namespaces",
                "list kustomizations in all namespaces",
                "create events in secure-kvs",
            ]
        );
        assert_eq!(
            words("delete-db", false),
            [
                "list helmreleases in all namespaces",
                "list secrets in all namespaces",
                "get configmaps in all namespaces",
                "list configmaps in all namespaces",
                "list authorizationpolicies in all namespaces",
                "list couchdbdatabases in all namespaces",
                "list pods in secure-kvs",
                "get pods/exec in secure-kvs",
                "create pods/exec in secure-kvs",
            ]
        );
        for command in ["status", "troubleshoot", "capture"] {
            let needed = words(command, false);
            assert!(needed.contains(&"list events in flux-system".to_owned()));
            let optional = words(command, true);
            assert!(optional.contains(&"get pods/log in flux-system".to_owned()));
        }
        let restore = words("restore", false);
        assert!(
            restore.iter().all(|right| right.contains("pods")),
            "{restore:?}"
        );
        assert_eq!(words("version", false)[0], "get /version");
    }

    fn places(onboardings: &str, targets: &[&str], couchdb: &str) -> Places {
        Places {
            onboardings: onboardings.to_owned(),
            targets: targets.iter().map(|t| (*t).to_owned()).collect(),
            couchdb: couchdb.to_owned(),
        }
    }

    #[test]
    fn a_manifest_is_for_the_namespaces_that_are_asked_for() {
        let places = places("flux", &["core", "core-eu"], "kvs");
        let retry = Manifest::of("retry").unwrap();
        let text = retry.text(&places, "team: a");
        for object in objects(&text) {
            if let Some(subject) = object["subjects"].get(0) {
                assert_eq!(subject["name"], "team: a");
            }
        }
        let rights: Vec<String> = retry
            .needs(&places)
            .iter()
            .map(|n| n.right.to_string())
            .collect();
        for right in [
            "patch helmreleases in flux",
            "list jobs in core",
            "list jobs in core-eu",
            "get pods/exec in kvs",
            "list helmreleases in all namespaces",
        ] {
            assert!(rights.contains(&right.to_owned()), "{right}: {rights:?}");
        }
        assert!(!text.contains("namespace: secure-kvs}"), "{text}");
        assert!(!text.contains(GROUP), "{text}");
    }

    /// The later one would take the other's place when they are applied.
    #[test]
    fn no_two_objects_of_a_manifest_are_one() {
        let names = ["flux-system", "core", "secure-kvs", "own"];
        for onboardings in names {
            for target in names {
                for couchdb in names {
                    let places = places(onboardings, &[target, "other"], couchdb);
                    for manifest in MANIFESTS {
                        let objects = objects(&manifest.text(&places, GROUP));
                        let id = |o: &Value| format!("{} {}", o["kind"], o["metadata"]);
                        let ids: BTreeSet<String> = objects.iter().map(id).collect();
                        assert_eq!(ids.len(), objects.len(), "{places:?} {ids:?}");
                        for binding in objects.iter().filter(|o| o["roleRef"].is_object()) {
                            let role = &binding["roleRef"];
                            let is_it = |o: &&Value| {
                                o["kind"] == role["kind"]
                                    && o["metadata"] == binding["metadata"]
                                    && o["metadata"]["name"] == role["name"]
                            };
                            assert_eq!(objects.iter().filter(is_it).count(), 1);
                        }
                    }
                }
            }
        }
    }
}
