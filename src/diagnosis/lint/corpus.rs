//! Two hundred manifests, good ones and one mistake each, with the codes that each must get. Test code only.

use super::engine::Found;
use super::registry::RULES;
use super::{Conventions, Repository, run};
use crate::repository::Tree;
use crate::repository::tree::tests::tree;
use std::collections::BTreeSet;

const FOLDER: &str = "infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding";

/// A file of the corpus.
struct Case {
    /// What is wrong; empty for a good one.
    mistake: &'static str,
    file: String,
    text: String,
    codes: Vec<&'static str>,
}

/// How a manifest is written, without a change of its meaning.
#[derive(Clone, Copy)]
enum Form {
    Runbook,
    Quoted,
    Flow,
    Indented,
    Commented,
    Json,
}

const FORMS: [Form; 6] = [
    Form::Runbook,
    Form::Quoted,
    Form::Flow,
    Form::Indented,
    Form::Commented,
    Form::Json,
];

/// The runbook's manifest.
fn manifest(
    namespace: &str,
    database: &str,
    accounts: &[&str],
    version: &str,
    encryption: bool,
) -> String {
    let name = database.replace('_', "--");
    let accounts: String = accounts.iter().map(|a| format!("      - {a}\n")).collect();
    format!(
        "---\napiVersion: helm.toolkit.fluxcd.io/{version}\nkind: HelmRelease\nmetadata:\n  name: skvs-onboarding-{namespace}--{name}\n  namespace: flux-system\n  labels:\n    app.kubernetes.io/part-of: secure-kvs-onboarding\nspec:\n  interval: 5m\n  chart:\n    spec:\n      chart: secure-kvs-onboarding\n      version: \"<0.2.0\"\n      sourceRef:\n        kind: HelmRepository\n        name: wit-artifactory\n        namespace: flux-system\n      interval: 1m\n  serviceAccountName: helm-controller\n  targetNamespace: core\n  values:\n    namespace: {namespace}\n    database: {database}\n    serviceAccounts:\n{accounts}    encryption: {encryption}\n"
    )
}

fn written(text: &str, form: Form) -> String {
    match form {
        Form::Runbook => text.to_owned(),
        Form::Quoted => {
            let quoted = |line: &str| match line.split_once(": ") {
                Some((key, value))
                    if !value.starts_with('"') && !["true", "false"].contains(&value) =>
                {
                    format!("{key}: '{value}'")
                }
                _ => line.to_owned(),
            };
            text.lines().map(|l| quoted(l) + "\n").collect()
        }
        Form::Flow => {
            let (before, after) = text.split_once("    serviceAccounts:\n").unwrap();
            let (accounts, after) = after.split_once("    encryption").unwrap();
            let accounts: Vec<&str> = accounts
                .lines()
                .map(|l| l.trim_start_matches("      - "))
                .collect();
            format!(
                "{before}    serviceAccounts: [{}]\n    encryption{after}",
                accounts.join(", ")
            )
        }
        Form::Indented => text.replace("      - ", "    - "),
        Form::Commented => text
            .replace('\n', " # why\n")
            .replace("--- # why\n", "# above\n---\n"),
        Form::Json => {
            let value: serde_json::Value = serde_saphyr::from_str(text).unwrap();
            serde_json::to_string_pretty(&value).unwrap()
        }
    }
}

/// One mistake: what it is, the text that is replaced, by what, and the codes that it must get.
type Mistake = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

/// In the manifest of the database orders of the namespace pds, whose account is api.
const MISTAKES: [Mistake; 70] = [
    (
        "name of another database",
        "skvs-onboarding-pds--orders",
        "skvs-onboarding-kilo--orders",
        &["SKVS502"],
    ),
    (
        "name of another team",
        "skvs-onboarding-pds--orders",
        "skvs-onboarding-pds--carts",
        &["SKVS502"],
    ),
    (
        "no prefix",
        "name: skvs-onboarding-pds--orders",
        "name: pds--orders",
        &["SKVS502"],
    ),
    (
        "underscore in the name",
        "skvs-onboarding-pds--orders",
        "skvs-onboarding-pds_orders",
        &["SKVS503"],
    ),
    (
        "capital in the name",
        "skvs-onboarding-pds--orders",
        "Skvs-onboarding-pds--orders",
        &["SKVS502", "SKVS503"],
    ),
    (
        "name ends in a dash",
        "skvs-onboarding-pds--orders",
        "skvs-onboarding-pds--orders-",
        &["SKVS503"],
    ),
    (
        "no name",
        "  name: skvs-onboarding-pds--orders\n",
        "",
        &["SKVS503"],
    ),
    (
        "empty name",
        "name: skvs-onboarding-pds--orders",
        "name: ''",
        &["SKVS503"],
    ),
    (
        "another namespace",
        "  namespace: flux-system\n  labels",
        "  namespace: pds\n  labels",
        &["SKVS504"],
    ),
    (
        "no namespace",
        "  namespace: flux-system\n  labels",
        "  labels",
        &["SKVS504"],
    ),
    (
        "no labels",
        "  labels:\n    app.kubernetes.io/part-of: secure-kvs-onboarding\n",
        "",
        &["SKVS505"],
    ),
    (
        "another label",
        "part-of: secure-kvs-onboarding",
        "part-of: secure-kvs",
        &["SKVS505"],
    ),
    (
        "mistyped label",
        "kubernetes.io/part-of",
        "kubernetes.io/partof",
        &["SKVS505"],
    ),
    (
        "unserved version",
        "fluxcd.io/v2",
        "fluxcd.io/v2beta3",
        &["SKVS506"],
    ),
    (
        "another group",
        "helm.toolkit.fluxcd.io/v2",
        "helm.fluxcd.io/v1",
        &["SKVS506"],
    ),
    (
        "no version",
        "apiVersion: helm.toolkit.fluxcd.io/v2\n",
        "",
        &["SKVS506"],
    ),
    (
        "no interval",
        "  interval: 5m\n  chart",
        "  chart",
        &["SKVS507"],
    ),
    (
        "a number for an interval",
        "  interval: 5m\n  chart",
        "  interval: 300\n  chart",
        &["SKVS507"],
    ),
    (
        "a number for a version",
        "version: \"<0.2.0\"",
        "version: 0.1",
        &["SKVS507"],
    ),
    (
        "no source",
        "      sourceRef:\n        kind: HelmRepository\n        name: wit-artifactory\n        namespace: flux-system\n",
        "",
        &["SKVS507"],
    ),
    (
        "no name of the source",
        "        name: wit-artifactory\n",
        "",
        &["SKVS507"],
    ),
    (
        "no kind of the source",
        "        kind: HelmRepository\n",
        "",
        &["SKVS507"],
    ),
    (
        "a list for a target",
        "targetNamespace: core",
        "targetNamespace: [core]",
        &["SKVS507"],
    ),
    (
        "a number for an account",
        "serviceAccountName: helm-controller",
        "serviceAccountName: 7",
        &["SKVS507"],
    ),
    (
        "a database twice",
        "    database: orders\n",
        "    database: orders\n    database: orders\n",
        &["SKVS508"],
    ),
    (
        "values twice",
        "  values:\n",
        "  values: {}\n  values:\n",
        &["SKVS508"],
    ),
    (
        "a label twice",
        "  labels:\n",
        "  labels:\n    app.kubernetes.io/part-of: secure-kvs-onboarding\n",
        &["SKVS508"],
    ),
    (
        "mistyped chart",
        "chart: secure-kvs-onboarding",
        "chart: secure-kvs-onbording",
        &["SKVS511"],
    ),
    (
        "another chart",
        "chart: secure-kvs-onboarding",
        "chart: podinfo",
        &["SKVS511"],
    ),
    (
        "no chart",
        "  chart:\n    spec:\n      chart: secure-kvs-onboarding\n      version: \"<0.2.0\"\n      sourceRef:\n        kind: HelmRepository\n        name: wit-artifactory\n        namespace: flux-system\n      interval: 1m\n",
        "",
        &["SKVS511"],
    ),
    (
        "two charts",
        "  targetNamespace: core",
        "  chartRef: {kind: OCIRepository, name: c}\n  targetNamespace: core",
        &["SKVS511"],
    ),
    (
        "no chart name",
        "      chart: secure-kvs-onboarding\n",
        "",
        &["SKVS507"],
    ),
    (
        "another repository",
        "name: wit-artifactory",
        "name: artifactory",
        &["SKVS512"],
    ),
    (
        "another kind of source",
        "kind: HelmRepository",
        "kind: GitRepository",
        &["SKVS512"],
    ),
    (
        "a source elsewhere",
        "        namespace: flux-system\n      interval",
        "        namespace: charts\n      interval",
        &["SKVS512"],
    ),
    (
        "no chart version",
        "      version: \"<0.2.0\"\n",
        "",
        &["SKVS513"],
    ),
    ("any chart version", "\"<0.2.0\"", "\"*\"", &["SKVS513"]),
    ("an open range", "\"<0.2.0\"", "\">=0.1.0\"", &["SKVS513"]),
    (
        "an open alternative",
        "\"<0.2.0\"",
        "\"0.1.2 || >0.3.0\"",
        &["SKVS513"],
    ),
    ("a range that is none", "\"<0.2.0\"", "latest", &["SKVS513"]),
    ("no database", "    database: orders\n", "", &["SKVS521"]),
    (
        "no namespace in the values",
        "    namespace: pds\n",
        "",
        &["SKVS521"],
    ),
    (
        "an empty database",
        "database: orders",
        "database: \"\"",
        &["SKVS521"],
    ),
    (
        "a null database",
        "database: orders",
        "database:",
        &["SKVS521"],
    ),
    (
        "no accounts",
        "    serviceAccounts:\n      - api\n",
        "",
        &["SKVS521"],
    ),
    (
        "an empty list of accounts",
        "    serviceAccounts:\n      - api\n",
        "    serviceAccounts: []\n",
        &["SKVS521"],
    ),
    (
        "values in a list",
        "  values:\n    namespace: pds\n    database: orders\n    serviceAccounts:\n      - api\n    encryption: true\n",
        "  values: [pds]\n",
        &["SKVS521", "SKVS522"],
    ),
    (
        "a list of databases",
        "database: orders",
        "database: [orders]",
        &["SKVS522"],
    ),
    (
        "a word of YAML 1.1 for a namespace",
        "    namespace: pds",
        "    namespace: no",
        &["SKVS501", "SKVS502", "SKVS522"],
    ),
    (
        "one account instead of a list",
        "serviceAccounts:\n      - api",
        "serviceAccounts: api",
        &["SKVS522"],
    ),
    (
        "a map of accounts",
        "serviceAccounts:\n      - api",
        "serviceAccounts: {api: true}",
        &["SKVS522"],
    ),
    (
        "a number for a service account",
        "      - api\n",
        "      - 7\n",
        &["SKVS522"],
    ),
    (
        "a map for a service account",
        "      - api\n",
        "      - name: api\n",
        &["SKVS522"],
    ),
    (
        "an empty service account",
        "      - api\n",
        "      -\n",
        &["SKVS522"],
    ),
    (
        "quoted encryption",
        "encryption: true",
        "encryption: \"false\"",
        &["SKVS522"],
    ),
    (
        "encryption of YAML 1.1",
        "encryption: true",
        "encryption: yes",
        &["SKVS522"],
    ),
    (
        "a number for encryption",
        "encryption: true",
        "encryption: 1",
        &["SKVS522"],
    ),
    (
        "a mistyped key",
        "encryption: true",
        "encrypton: true",
        &["SKVS523"],
    ),
    (
        "a key that the chart has not",
        "encryption: true",
        "encryption: true\n    replicas: 3",
        &["SKVS523"],
    ),
    (
        "a key below one",
        "encryption: true",
        "encryption: true\n    couchdb: {prot: 5984}",
        &["SKVS523"],
    ),
    (
        "accounts under another key",
        "    serviceAccounts:\n",
        "    serviceAccount:\n",
        &["SKVS521", "SKVS523"],
    ),
    (
        "a capital in the database",
        "database: orders",
        "database: Orders",
        &["SKVS524"],
    ),
    (
        "a dot in the database",
        "database: orders",
        "database: orders.v2",
        &["SKVS524"],
    ),
    (
        "an underscore in the namespace",
        "    namespace: pds",
        "    namespace: pds_x",
        &["SKVS524"],
    ),
    (
        "a number first in the namespace",
        "    namespace: pds",
        "    namespace: 7pds",
        &["SKVS524"],
    ),
    (
        "a capital in an account",
        "      - api\n",
        "      - Api\n",
        &["SKVS525"],
    ),
    (
        "an account with its namespace",
        "      - api\n",
        "      - pds/api\n",
        &["SKVS525"],
    ),
    (
        "an account twice",
        "      - api\n",
        "      - api\n      - api\n",
        &["SKVS525"],
    ),
    (
        "a long name of a release",
        "  targetNamespace: core",
        "  targetNamespace: a-namespace-for-the-releases-of-all-teams",
        &["SKVS526"],
    ),
    (
        "a long name for a release",
        "  targetNamespace: core",
        "  targetNamespace: core\n  releaseName: the-release-of-the-onboarding-of-the-orders-of-the-team-pds",
        &["SKVS526"],
    ),
];

/// Good ones and those with one mistake.
fn corpus() -> Vec<Case> {
    let mut all = Vec::new();
    let namespaces = ["alpha", "bravo-two", "charlie", "delta", "echo"];
    let databases = ["orders", "device_state", "secure-kvs-demo", "a"];
    for (n, namespace) in namespaces.iter().enumerate() {
        for (d, database) in databases.iter().enumerate() {
            for at in 0..3 {
                let form = FORMS[(n + d + 2 * at) % FORMS.len()];
                let accounts = &["api", "worker.v2", "batch"][..1 + (n + at) % 3];
                let version = ["v2", "v2beta2", "v2beta1"][(d + at) % 3];
                let text = manifest(
                    namespace,
                    &format!("{database}{at}"),
                    accounts,
                    version,
                    (n + d) % 2 == 0,
                );
                all.push(Case {
                    mistake: "",
                    file: format!("{namespace}_{database}{at}.yaml"),
                    text: written(&text, form),
                    codes: Vec::new(),
                });
            }
        }
    }
    let good = manifest("pds", "orders", &["api"], "v2", true);
    for (mistake, from, to, codes) in MISTAKES {
        assert_eq!(good.matches(from).count(), 1, "{mistake}");
        // Twice: as the runbook writes it, and among comments.
        for form in [Form::Runbook, Form::Commented] {
            let text = written(&good.replace(from, to), form);
            let file = "pds_orders.yaml".to_owned();
            let codes = codes.to_vec();
            all.push(Case {
                mistake,
                file,
                text,
                codes,
            });
        }
    }
    all
}

fn codes(tree: &Tree) -> Vec<&'static str> {
    let repository = Repository::new(tree, &Conventions::runbook());
    let outcome = run(&repository);
    let codes: BTreeSet<&str> = outcome.found.iter().map(|f| f.rule.entry.code).collect();
    codes.into_iter().collect()
}

#[test]
fn two_hundred_manifests_get_their_codes() {
    let corpus = corpus();
    assert_eq!(corpus.len(), 200);
    let mut wrong = Vec::new();
    for case in &corpus {
        let path = format!("{FOLDER}/{}", case.file);
        let list = format!("resources: [{}]\n", case.file);
        let tree = tree(&[
            (&path, &case.text),
            (&format!("{FOLDER}/kustomization.yaml"), &list),
        ]);
        assert_eq!(tree.not_known, [], "{}", case.text);
        assert_eq!(tree.manifests.len(), 1, "{}", case.text);
        let found = codes(&tree);
        if found != case.codes {
            wrong.push(format!(
                "{} {}: {found:?} in the place of {:?}",
                case.file, case.mistake, case.codes
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Codes of mistakes in fields that a patch may set: the field is missing in the file.
const BROUGHT: [(&str, &[&str]); 21] = [
    ("no name", &[]),
    ("empty name", &["SKVS503"]),
    ("no namespace", &[]),
    ("no labels", &[]),
    ("mistyped label", &[]),
    ("no version", &[]),
    ("no interval", &[]),
    ("no source", &[]),
    ("no name of the source", &[]),
    ("no kind of the source", &[]),
    ("no chart", &[]),
    ("no chart name", &[]),
    ("no chart version", &[]),
    ("no database", &[]),
    ("no namespace in the values", &[]),
    ("a null database", &[]),
    ("no accounts", &[]),
    ("values in a list", &["SKVS522"]),
    ("accounts under another key", &["SKVS523"]),
    ("a mistyped key", &["SKVS523"]),
    ("an empty service account", &["SKVS522"]),
];

#[test]
fn one_part_that_is_not_known_hides_no_other_mistake() {
    let good = manifest("pds", "orders", &["api"], "v2", true);
    let mut wrong = Vec::new();
    for (mistake, from, to, wanted) in MISTAKES {
        let text = good.replace(from, to);
        let mut look = |how: &str, text: &str, patches: &str, wanted: &[&str]| {
            let list = format!("resources: [pds_orders.yaml]\n{patches}");
            let found = of(&[("pds_orders.yaml", text), ("kustomization.yaml", &list)]);
            if found != wanted {
                wrong.push(format!(
                    "{mistake}, {how}: {found:?} in the place of {wanted:?}"
                ));
            }
        };
        if text.contains("encryption: true") {
            let replaced = text.replace("encryption: true", "encryption: ${E}");
            look("a variable", &replaced, "", wanted);
        }
        let brought = BROUGHT.iter().find(|(name, _)| *name == mistake);
        let wanted = brought.map_or(wanted, |(_, codes)| codes);
        look(
            "patches",
            &text,
            "patches: [{patch: x, target: {kind: A}}]\n",
            wanted,
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn good_ones_are_good_beside_each_other_and_in_two_clusters() {
    let good: Vec<Case> = corpus()
        .into_iter()
        .filter(|c| c.codes.is_empty())
        .collect();
    let mut files = Vec::new();
    for cluster in ["prod", "lab2"] {
        let folder = FOLDER.replace("prod", cluster);
        let names: Vec<&str> = good.iter().map(|c| c.file.as_str()).collect();
        files.push((
            format!("{folder}/kustomization.yaml"),
            format!("resources: [{}]\n", names.join(", ")),
        ));
        files.extend(
            good.iter()
                .map(|c| (format!("{folder}/{}", c.file), c.text.clone())),
        );
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(p, t)| (p.as_str(), t.as_str()))
        .collect();
    let tree = tree(&files);
    assert_eq!(tree.manifests.len(), 2 * good.len());
    assert_eq!(codes(&tree), [""; 0]);
}

/// The codes of several files; each name is in the folder of prod unless it has one.
fn of(files: &[(&str, &str)]) -> Vec<&'static str> {
    let named: Vec<(String, &str)> = files
        .iter()
        .map(|(name, text)| match name.contains('/') {
            true => ((*name).to_owned(), *text),
            false => (format!("{FOLDER}/{name}"), *text),
        })
        .collect();
    let named: Vec<(&str, &str)> = named.iter().map(|(p, t)| (p.as_str(), *t)).collect();
    codes(&tree(&named))
}

#[test]
fn manifests_are_compared_with_each_other() {
    let orders = manifest("pds", "orders", &["api"], "v2", true);
    let other_name = orders.replace(
        "skvs-onboarding-pds--orders",
        "skvs-onboarding-pds--orders-readers",
    );
    let lab = FOLDER.replace("prod", "lab2");
    assert_eq!(
        of(&[
            ("pds_orders.yaml", &orders),
            ("copy/pds_orders.yaml", &other_name)
        ]),
        ["SKVS531"]
    );
    assert_eq!(
        of(&[
            ("pds_orders.yaml", &orders),
            (&format!("{FOLDER}/a/pds_orders.yaml"), &orders)
        ]),
        ["SKVS532"]
    );
    assert_eq!(
        of(&[
            ("pds_orders.yaml", &orders),
            (&format!("{lab}/pds_orders.yaml"), &orders)
        ]),
        [""; 0]
    );
    assert_eq!(
        of(&[(
            "pds_orders.yaml",
            &format!("{orders}{}", manifest("kilo", "a", &["x"], "v2", true))
        )]),
        ["SKVS501"]
    );
    // The joined name is ambiguous: a namespace cannot contain an underscore.
    let one = manifest("pds", "b_c", &["api"], "v2", true);
    let other = manifest("pds", "x", &["api"], "v2", true)
        .replace(
            "namespace: pds\n    database: x",
            "namespace: pds_b\n    database: c",
        )
        .replace("pds--x", "pds-b-c");
    assert_eq!(
        of(&[
            ("pds_b_c.yaml", &one),
            (&format!("{FOLDER}/a/pds_b_c.yaml"), &other)
        ]),
        ["SKVS524", "SKVS531"]
    );
    let dashed = manifest("pds", "b-c", &["api"], "v2", true);
    assert_eq!(
        of(&[("pds_b_c.yaml", &one), ("pds_b-c.yaml", &dashed)]),
        ["SKVS533"]
    );
}

#[test]
fn a_name_that_is_taken_is_not_advised() {
    let orders = manifest("pds", "orders", &["api"], "v2", true);
    let copy = orders.replace("pds--orders", "pds--carts");
    let lab = FOLDER.replace("prod", "lab2");
    for (other, steps) in [
        (
            format!("{FOLDER}/a/pds_orders.yaml"),
            &[
                "pds_orders.yaml already exists",
                "Another manifest is already called",
            ][..],
        ),
        (
            format!("{lab}/pds_orders.yaml"),
            &["Rename it to pds_orders.yaml", "The name by the convention"],
        ),
    ] {
        let folder = other.strip_suffix("/pds_orders.yaml").unwrap();
        let folder = if folder == lab { FOLDER } else { folder };
        let mine = format!("{folder}/pds_carts.yaml");
        let tree = tree(&[(&other, &orders), (&mine, &copy)]);
        let found = run(&Repository::new(&tree, &Conventions::runbook())).found;
        let said = |f: &Found| format!("{:?}", f.finding.steps[0]);
        let said: Vec<String> = found
            .iter()
            .filter(|f| f.finding.file == mine)
            .map(said)
            .collect();
        for step in steps {
            assert!(said.iter().any(|s| s.contains(step)), "{said:?}");
        }
    }
}

#[test]
fn a_name_of_an_unknown_namespace_may_be_taken() {
    let orders = manifest("pds", "orders", &["api"], "v2", true);
    let copy = orders.replace("pds--orders", "pds--carts");
    let without = |text: &str| {
        let kept = text.lines().filter(|l| *l != "  namespace: flux-system");
        kept.map(|line| format!("{line}\n")).collect::<String>()
    };
    assert_ne!(without(&orders), orders);
    let foreign = orders.replace("  namespace: flux-system", "  namespace: elsewhere");
    let (file, mine) = (
        format!("{FOLDER}/pds_orders.yaml"),
        format!("{FOLDER}/pds_carts.yaml"),
    );
    for (other, copy, is_taken) in [
        (without(&orders), copy.clone(), true),
        (orders.clone(), without(&copy), true),
        (without(&orders), without(&copy), true),
        (foreign, copy, false),
    ] {
        let tree = tree(&[(&file, &other), (&mine, &copy)]);
        let repository = Repository::new(&tree, &Conventions::runbook());
        let me = repository
            .onboardings
            .iter()
            .find(|o| o.manifest.file == mine);
        assert_eq!(
            repository.is_taken(me.unwrap(), "skvs-onboarding-pds--orders"),
            is_taken,
            "{other}\n{copy}"
        );
    }
}

#[test]
fn a_listed_file_that_cannot_be_parsed_is_not_known() {
    let orders = manifest("pds", "orders", &["api"], "v2", true);
    let at = |name: &str| format!("{FOLDER}/{name}");
    let (file, other, list) = (
        at("pds_orders.yaml"),
        at("other.yaml"),
        at("kustomization.yaml"),
    );
    let not_known = |list_text: &str| {
        let files = [(&*file, &*orders), (&*other, "a: [\n"), (&*list, list_text)];
        tree(&files)
            .not_known
            .into_iter()
            .map(|n| n.file)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        not_known("resources: [pds_orders.yaml, other.yaml]\n"),
        [other.as_str()]
    );
    // It is beside onboardings: another list may have it, or none be left one day.
    assert_eq!(
        not_known("resources: [pds_orders.yaml]\n"),
        [other.as_str()]
    );
}

#[test]
fn a_kustomization_lists_what_is_there_and_all_of_it() {
    let orders = manifest("pds", "orders", &["api"], "v2", true);
    let with = |list: &str| of(&[("pds_orders.yaml", &orders), ("kustomization.yaml", list)]);
    assert_eq!(with("resources:\n- pds_orders.yaml\n"), [""; 0]);
    assert_eq!(with("resources: []\n"), ["SKVS541"]);
    assert_eq!(with("namespace: flux-system\n"), ["SKVS541"]);
    assert_eq!(
        with("resources: [pds_orders.yaml, gone.yaml]\n"),
        ["SKVS542"]
    );
    // Entries under other keys are applied too, except for patches.
    let (folder, file) = ("kustomization.yaml", "pds_orders.yaml");
    let bad = orders.replace("database: orders", "database: Orders");
    for (list, codes) in [
        ("resources: [x.yaml.txt]\n", &["SKVS524"][..]),
        (
            "resources: [x.yaml.txt]\npatches: [path: x.yaml.txt]\n",
            &["SKVS524"],
        ),
        (
            "resources: []\nbuildMetadata: [x.yaml.txt]\n",
            &["SKVS524", "SKVS541"],
        ),
        ("resources: []\npatches: [path: x.yaml.txt]\n", &[]),
    ] {
        assert_eq!(of(&[("x.yaml.txt", &bad), (folder, list)]), codes, "{list}");
    }
    for list in [
        "resources: [x]\nresources: [pds_orders.yaml]\n",
        "Resources: []\n",
        "<<: {}\n",
    ] {
        let (file, folder) = (format!("{FOLDER}/{file}"), format!("{FOLDER}/{folder}"));
        let tree = tree(&[(&file, &orders), (&folder, list)]);
        assert_eq!(tree.not_known.len(), 1, "{list}");
    }
    // What a generator brings is not known.
    assert_eq!(with("generators: [g.yaml]\n"), [""; 0]);
    // A kustomization decides for the folders below it, too.
    let at = |path: &str| format!("{FOLDER}/{path}");
    let below = |list: &str| of(&[(&at("team/pds_orders.yaml"), &orders), (folder, list)]);
    assert_eq!(below("resources: []\n"), ["SKVS541"]);
    assert_eq!(below("resources: [team/pds_orders.yaml]\n"), [""; 0]);
    // A chart's template that is listed is a manifest.
    let listed = |list: &str| {
        let template = at("templates/pds_orders.yaml");
        of(&[
            ("Chart.yaml", "name: x\n"),
            (&template, &bad),
            (folder, list),
        ])
    };
    assert_eq!(listed("resources: []\n"), [""; 0]);
    assert_eq!(
        listed("resources: [templates/pds_orders.yaml]\n"),
        ["SKVS524"]
    );
}

#[test]
fn what_a_kustomization_brings_from_elsewhere_is_not_checked() {
    let orders = manifest("pds", "orders", &["api"], "v2", true);
    let file = format!("{FOLDER}/pds_orders.yaml");
    let not_checked = |at: &str, list: &str| {
        let place = format!("{at}kustomization.yaml");
        let tree = tree(&[(&file, &orders), (&place, list)]);
        let outcome = run(&Repository::new(&tree, &Conventions::runbook()));
        assert!(outcome.found.is_empty(), "{list}");
        let whats = outcome.not_checked.into_iter().map(|s| s.missing.what);
        whats.collect::<Vec<String>>()
    };
    let at = format!("{FOLDER}/");
    let up = "../".repeat(9);
    for entry in [
        "https://h/x.yaml",
        "github.com/o/r",
        "git@h:o/r",
        &format!("{up}x"),
    ] {
        let list = format!("resources: [pds_orders.yaml, \"{entry}\"]\n");
        assert_eq!(not_checked(&at, &list), [format!("what {entry} brings")]);
    }
    // A kustomization above the cluster's folder may not be the cluster's.
    assert_eq!(not_checked("", "resources: []\n"), ["what is applied"]);
}

#[test]
fn every_rule_is_in_the_corpus() {
    let of_corpus = MISTAKES
        .iter()
        .flat_map(|(.., codes)| codes.iter().copied());
    let elsewhere = ["SKVS531", "SKVS532", "SKVS533", "SKVS541", "SKVS542"];
    let changes = ["SKVS551", "SKVS552", "SKVS553", "SKVS554"];
    let hit: BTreeSet<&str> = of_corpus.chain(elsewhere).chain(changes).collect();
    let missed: Vec<&str> = RULES
        .iter()
        .map(|r| r.entry.code)
        .filter(|c| !hit.contains(c))
        .collect();
    assert!(missed.is_empty(), "without a case: {missed:?}");
}

/// The codes of the changes from one text of a manifest to another; an empty text means that the file does not exist.
fn changed(before: Option<&str>, now: Option<&str>) -> Vec<&'static str> {
    let other = manifest("kilo", "a", &["x"], "v2", true);
    let of = |text: Option<&str>| {
        let (path, beside) = (
            format!("{FOLDER}/pds_orders.yaml"),
            format!("{FOLDER}/kilo_a.yaml"),
        );
        let mut files = vec![(beside.as_str(), other.as_str())];
        files.extend(text.map(|text| (path.as_str(), text)));
        tree(&files)
    };
    let (before, now) = (of(before), of(now));
    let before = Repository::new(&before, &Conventions::runbook());
    let now = Repository::new(&now, &Conventions::runbook()).since(&before);
    let found = run(&now).found;
    let codes: BTreeSet<&str> = found.iter().map(|f| f.rule.entry.code).collect();
    let codes = codes.into_iter().filter(|c| c.starts_with("SKVS55"));
    codes.collect()
}

#[test]
fn changes_that_the_runbook_forbids_are_found() {
    let good = manifest("pds", "orders", &["api"], "v2", true);
    let to = |from: &str, to: &str| {
        let now = good.replace(from, to);
        assert_ne!(now, good);
        changed(Some(&good), Some(&now))
    };
    assert_eq!(to("- api", "- api\n      - worker"), [""; 0]);
    assert_eq!(to("<0.2.0", "<0.3.0"), [""; 0]);
    assert_eq!(to("database: orders", "database: carts"), ["SKVS551"]);
    assert_eq!(to("    namespace: pds", "    namespace: kilo"), ["SKVS551"]);
    assert_eq!(to("encryption: true", "encryption: false"), ["SKVS552"]);
    // On is the default.
    assert_eq!(to("    encryption: true\n", ""), [""; 0]);
    assert_eq!(to("--orders", "--carts"), ["SKVS553"]);
    assert_eq!(
        to("targetNamespace: core", "targetNamespace: core-eu"),
        ["SKVS553"]
    );
    assert_eq!(to("flux-system\n  labels", "pds\n  labels"), ["SKVS553"]);
    let elsewhere = "  kubeConfig:\n    secretRef: {name: other}\n  targetNamespace";
    assert_eq!(to("  targetNamespace", elsewhere), ["SKVS553"]);
    // Another key of one Secret is another cluster too.
    let keyed = |key: &str| {
        let by =
            format!("  kubeConfig:\n    secretRef: {{name: s, key: {key}}}\n  targetNamespace");
        good.replace("  targetNamespace", &by)
    };
    let other_key = changed(Some(&keyed("a")), Some(&keyed("b")));
    assert_eq!(other_key, ["SKVS553"]);
    assert_eq!(changed(Some(&keyed("a")), Some(&keyed("a"))), [""; 0]);
    assert_eq!(changed(Some(&good), None), ["SKVS554"]);
    assert_eq!(changed(None, Some(&good)), [""; 0]);
    assert_eq!(changed(Some(&good), Some(&good)), [""; 0]);
    // Outside the layout the folder is not the cluster.
    let moved = |before: &str, now: &str| {
        let (before, now) = (tree(&[(before, &good)]), tree(&[(now, &good)]));
        let before = Repository::new(&before, &Conventions::runbook());
        let now = Repository::new(&now, &Conventions::runbook()).since(&before);
        let found = run(&now).found;
        found.iter().any(|f| f.rule.entry.code == "SKVS554")
    };
    assert!(!moved("apps/pds_orders.yaml", "apps/team/pds_orders.yaml"));
    let lab = FOLDER.replace("prod", "lab2");
    assert!(moved(
        &format!("{FOLDER}/pds_orders.yaml"),
        &format!("{lab}/pds_orders.yaml")
    ));
    // It is not known whether a folder outside the layout belongs to that cluster.
    let archived = |list: &[(&str, &str)]| {
        let path = format!("{FOLDER}/pds_orders.yaml");
        let before = tree(&[(&path, &good)]);
        let now = tree(&[&[("archive/pds_orders.yaml", good.as_str())][..], list].concat());
        let before = Repository::new(&before, &Conventions::runbook());
        let outcome = run(&Repository::new(&now, &Conventions::runbook()).since(&before));
        let found: Vec<&str> = outcome.found.iter().map(|f| f.rule.entry.code).collect();
        let skipped = outcome.not_checked.iter().map(|s| s.missing.what.clone());
        (found.contains(&"SKVS554"), skipped.collect::<Vec<_>>())
    };
    assert!(archived(&[]).0);
    let list = "resources: [pds_orders.yaml]\n";
    assert_eq!(
        archived(&[("archive/kustomization.yaml", list)]),
        (false, vec!["whether prod still applies it".to_owned()])
    );
    // What was not known says nothing of a change.
    assert_eq!(
        changed(Some("kind: HelmRelease\n  a: b\n"), Some(&good)),
        [""; 0]
    );
    assert_eq!(
        changed(Some(&good), Some("kind: HelmRelease\n  a: b\n")),
        [""; 0]
    );
}

#[test]
fn what_the_file_does_not_say_is_not_checked() {
    let good = manifest("pds", "orders", &["api"], "v2", true);
    let skipped = |text: &str, kustomization: &str| {
        let path = format!("{FOLDER}/pds_orders.yaml");
        let list = format!("{FOLDER}/kustomization.yaml");
        let tree = tree(&[
            (&path, text),
            (
                &list,
                &format!("resources: [pds_orders.yaml]\n{kustomization}"),
            ),
        ]);
        let outcome = run(&Repository::new(&tree, &Conventions::runbook()));
        assert!(outcome.found.is_empty(), "{text}");
        let all = outcome.not_checked.iter().map(|s| s.missing.what.clone());
        all.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(skipped(&good, ""), [""; 0]);
    let from = good.replace("    database: orders\n", "").replace(
        "  values:\n",
        "  valuesFrom: [{kind: Secret, name: s}]\n  values:\n",
    );
    assert_eq!(skipped(&from, ""), ["spec.values.database"]);
    let replaced = good.replace("    namespace: pds", "    namespace: ${team}");
    assert_eq!(skipped(&replaced, ""), ["spec.values.namespace"]);
    let nowhere = good.replace("  namespace: flux-system\n  labels", "  labels");
    assert_eq!(
        skipped(&nowhere, "namespace: flux-system\n"),
        ["metadata.namespace"]
    );
    assert_eq!(skipped(&good, "namePrefix: x-\n"), ["metadata.name"]);
    let unlabelled = good.replace(
        "  labels:\n    app.kubernetes.io/part-of: secure-kvs-onboarding\n",
        "",
    );
    assert_eq!(
        skipped(&unlabelled, "commonLabels: {a: b}\n"),
        ["metadata.labels.app.kubernetes.io/part-of"]
    );
    assert_eq!(
        skipped(&good, "patches: [{path: p.yaml}]\n"),
        ["what is applied in the end"]
    );
}
