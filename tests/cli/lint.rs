//! `lint` on folders of manifests, and the hooks of examples/lint.

use crate::run::{BINARY, Run, Told, skvs, steering};
use crate::server::{Listener, helm_releases, status};
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

pub(crate) const FOLDER: &str = "infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding";

pub(crate) fn manifest(namespace: &str, database: &str) -> String {
    format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: skvs-onboarding-{namespace}--{database}
  namespace: flux-system
  labels: {{app.kubernetes.io/part-of: secure-kvs-onboarding}}
spec:
  interval: 5m
  chart:
    spec:
      chart: secure-kvs-onboarding
      version: \"<0.2.0\"
      sourceRef: {{kind: HelmRepository, name: wit-artifactory, namespace: flux-system}}
  values:
    namespace: {namespace}
    database: {database}
    serviceAccounts: [{namespace}]
    encryption: true
"
    )
}

/// A run in a folder with these files.
fn lint(words: &[&str], files: &[(&str, &str)]) -> Run {
    let words: Vec<&str> = ["lint"].iter().chain(words).copied().collect();
    let run = skvs(&words);
    for (name, text) in files {
        run.file(name, text);
    }
    run
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name)
}

/// A run on the example's repository.
fn on_the_example(words: &[&str]) -> Told {
    let words: Vec<&str> = ["lint"].iter().chain(words).copied().collect();
    let mut run = skvs(&words);
    run.command().current_dir(example("gitops"));
    run.run()
}

#[test]
fn mistakes_are_found_at_their_places() {
    assert_snapshot!(on_the_example(&["infrastructure"]), @r#"
    exit 3
    stdout:
    warning[SKVS513]: the version range "*" has no end, so every newer chart is installed
      --> infrastructure/k8s/prod-east/secure-kvs/secure-kvs-onboarding/juliet_device_state.yaml:14:16
      HelmRelease flux-system/skvs-onboarding-juliet--device--state

      Do     End the range, as the runbook does: version: "<0.2.0"
      = more: kubectl skvs explain SKVS513

    warning[SKVS501]: the file of pds_database is called kilo_orders.yaml
      --> infrastructure/k8s/prod-east/secure-kvs/secure-kvs-onboarding/kilo_orders.yaml:2:1
      HelmRelease flux-system/skvs-onboarding-kilo--orders

      Do     pds_database.yaml already exists: compare the two files, then correct the values or remove one of them.
      = more: kubectl skvs explain SKVS501

    warning[SKVS502]: its name implies another database than pds_database, the one in its values
      --> infrastructure/k8s/prod-east/secure-kvs/secure-kvs-onboarding/kilo_orders.yaml:5:9
      HelmRelease flux-system/skvs-onboarding-kilo--orders

      Why    Often the manifest was copied from another one, and a value or the name was forgotten.
      Do     Another manifest is already called skvs-onboarding-pds--database: correct the values.
             Leave it if it is installed: a HelmRelease cannot be renamed.
      = more: kubectl skvs explain SKVS502

    error[SKVS531]: pds_database.yaml claims the database pds_database too
      --> infrastructure/k8s/prod-east/secure-kvs/secure-kvs-onboarding/kilo_orders.yaml:24:15
      HelmRelease flux-system/skvs-onboarding-kilo--orders

      Why    Only one of them can create it.
      Do     Give one of them another database, or add its service accounts to the other one and remove it.
      = more: kubectl skvs explain SKVS531

    error[SKVS531]: kilo_orders.yaml claims the database pds_database too
      --> infrastructure/k8s/prod-east/secure-kvs/secure-kvs-onboarding/pds_database.yaml:24:15
      HelmRelease flux-system/skvs-onboarding-pds--database

      Why    Only one of them can create it.
      Do     Give one of them another database, or add its service accounts to the other one and remove it.
      = more: kubectl skvs explain SKVS531

    error[SKVS541]: kustomization.yaml does not list it, so it is never applied
      --> infrastructure/k8s/prod-east/secure-kvs/secure-kvs-onboarding/yankee_orders.yaml:2:1
      HelmRelease flux-system/skvs-onboarding-yankee--orders

      Do     Add - yankee_orders.yaml to its resources.
      = more: kubectl skvs explain SKVS541

    error[SKVS524]: yankee_Orders cannot be the name of a database: "Orders" is not a database (one or more of a-z, 0-9, _ and -)
      --> infrastructure/k8s/prod-east/secure-kvs/secure-kvs-onboarding/yankee_orders.yaml:24:15
      HelmRelease flux-system/skvs-onboarding-yankee--orders

      Why    The creation Job would fail.
      Do     Correct spec.values.database.
      = more: kubectl skvs explain SKVS524

    error[SKVS522]: values.encryption is text, not true or false
      --> infrastructure/k8s/prod-east/secure-kvs/secure-kvs-onboarding/yankee_orders.yaml:27:17
      HelmRelease flux-system/skvs-onboarding-yankee--orders

      Why    A template takes any text for true.
      Do     Write true or false, without quotes.
      = more: kubectl skvs explain SKVS522

    5 manifests for 2 clusters, 5 errors, 3 warnings.
    "#);
}

#[test]
fn a_pull_request_is_annotated() {
    assert_snapshot!(on_the_example(&["-o", "github", "--severity", "error"]), @r#"
    exit 3
    stdout:
    ::error file=infrastructure/k8s/prod-east/secure-kvs/secure-kvs-onboarding/kilo_orders.yaml,line=24,col=15,title=SKVS531 database-twice::pds_database.yaml claims the database pds_database too%0AWhy: Only one of them can create it.%0ADo: Give one of them another database, or add its service accounts to the other one and remove it.%0AMore: kubectl skvs explain SKVS531
    ::error file=infrastructure/k8s/prod-east/secure-kvs/secure-kvs-onboarding/pds_database.yaml,line=24,col=15,title=SKVS531 database-twice::kilo_orders.yaml claims the database pds_database too%0AWhy: Only one of them can create it.%0ADo: Give one of them another database, or add its service accounts to the other one and remove it.%0AMore: kubectl skvs explain SKVS531
    ::error file=infrastructure/k8s/prod-east/secure-kvs/secure-kvs-onboarding/yankee_orders.yaml,line=2,col=1,title=SKVS541 not-listed::kustomization.yaml does not list it, so it is never applied%0ADo: Add - yankee_orders.yaml to its resources.%0AMore: kubectl skvs explain SKVS541
    ::error file=infrastructure/k8s/prod-east/secure-kvs/secure-kvs-onboarding/yankee_orders.yaml,line=24,col=15,title=SKVS524 database-name::yankee_Orders cannot be the name of a database: "Orders" is not a database (one or more of a-z, 0-9, _ and -)%0AWhy: The creation Job would fail.%0ADo: Correct spec.values.database.%0AMore: kubectl skvs explain SKVS524
    ::error file=infrastructure/k8s/prod-east/secure-kvs/secure-kvs-onboarding/yankee_orders.yaml,line=27,col=17,title=SKVS522 value-type::values.encryption is text, not true or false%0AWhy: A template takes any text for true.%0ADo: Write true or false, without quotes.%0AMore: kubectl skvs explain SKVS522
    3 findings less severe than --severity not shown.
    5 manifests for 2 clusters, 5 errors, 3 warnings.
    "#);
}

#[test]
fn code_scanning_gets_places_and_rules() {
    let told = on_the_example(&["-o", "sarif"]);
    assert_eq!((told.code, told.stderr.as_str()), (Some(3), ""));
    let log: Value = serde_json::from_str(&told.stdout).unwrap();
    let run = &log["runs"][0];
    assert_eq!(run["invocations"][0]["exitCode"], 3);
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert!(results.len() > 3);
    for result in results {
        let at = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[at]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        let file = place["artifactLocation"]["uri"].as_str().unwrap();
        let text = std::fs::read_to_string(example("gitops").join(file)).unwrap();
        let line = place["region"]["startLine"].as_u64().unwrap() as usize;
        assert!((1..=text.lines().count()).contains(&line), "{file}:{line}");
    }
    let of = |code: &str| results.iter().find(|r| r["ruleId"] == code).unwrap();
    let region = &of("SKVS524")["locations"][0]["physicalLocation"]["region"];
    assert_eq!(
        (&region["startLine"], &region["startColumn"]),
        (&24.into(), &15.into())
    );
}

#[test]
fn the_exit_code_says_what_was_found() {
    let good = manifest("pds", "orders");
    let file = format!("{FOLDER}/pds_orders.yaml");
    let at = |words: &[&str], text: &str| {
        let told = lint(words, &[(&file, text)]).run();
        (told.code, told.stdout)
    };
    assert_eq!(at(&[], &good).0, Some(0));
    let bad = good.replace("database: orders", "database: Orders");
    assert_eq!(at(&[], &bad).0, Some(3));
    assert_eq!(at(&["--fail-on", "never"], &bad).0, Some(0));
    assert_eq!(at(&["--ignore", "SKVS524"], &bad).0, Some(0));
    assert_eq!(at(&["--ignore", "database-name=kilo_x"], &bad).0, Some(3));
    let (code, text) = at(&["--ignore", "524=skvs-onboarding-pds--orders"], &bad);
    assert_eq!(code, Some(0));
    assert!(text.contains("1 ignored"), "{text}");
    let open = good.replace("<0.2.0", "*");
    assert_eq!(at(&[], &open).0, Some(0));
    assert_eq!(at(&["--fail-on", "warning"], &open).0, Some(3));
    assert_eq!(at(&["-n", "pds", "--fail-on", "warning"], &good).0, Some(3));
}

#[test]
fn what_is_not_known_fails_the_run() {
    let good = manifest("pds", "orders");
    let (file, broken) = (
        format!("{FOLDER}/pds_orders.yaml"),
        format!("{FOLDER}/x.yaml"),
    );
    let told = lint(
        &[],
        &[(&file, &good), (&broken, "kind: HelmRelease\n  a: b\n")],
    )
    .run();
    assert_snapshot!(told, @r"
    exit 1
    stdout:
    1 manifest for 1 cluster, nothing found, 1 file not known.
    stderr:
    error: not known: infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/x.yaml, line 2: mapping values are not allowed in this context
    ");
    // What was found counts more.
    let bad = good.replace("database: orders", "database: Orders");
    let told = lint(
        &[],
        &[(&file, &bad), (&broken, "kind: HelmRelease\n  a: b\n")],
    )
    .run();
    assert_eq!(told.code, Some(3));
    assert!(told.stderr.contains("not known: "), "{}", told.stderr);
    // A program gets it too.
    let told = lint(
        &["-o", "json"],
        &[(&file, &good), (&broken, "kind: HelmRelease\n  a: b\n")],
    )
    .run();
    let report: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(report["notKnown"][0]["line"], 2);
    assert_eq!(told.code, Some(1));
}

/// Flux applies all files of such a folder or none, whatever they are about.
#[test]
fn a_broken_file_beside_onboardings_is_not_known() {
    let good = manifest("pds", "orders");
    let wide: String = "kind: HelmRelease\n"
        .chars()
        .flat_map(|c| [c, '\0'])
        .collect();
    let listed = (
        format!("{FOLDER}/kustomization.yaml"),
        "resources: [pds_orders.yaml]\n",
    );
    for (folder, lists) in [
        (FOLDER, &[][..]),
        (FOLDER, &[(&*listed.0, listed.1)]),
        // Outside the layout an onboarding beside it says the same.
        ("apps/db", &[]),
    ] {
        let file = format!("{folder}/pds_orders.yaml");
        for (name, broken) in [
            ("zz.yaml", "kind: ConfigMap\ndata:\n\ta: b\n"),
            ("zz.yml", "a: b: c\n"),
            ("zz.yaml", &wide),
        ] {
            let path = format!("{folder}/{name}");
            let files = [&[(&*file, &*good), (&*path, broken)][..], lists].concat();
            let told = lint(&[], &files).run();
            assert_eq!(told.code, Some(1), "{broken:?}: {told}");
            assert!(told.stdout.contains("1 file not known"), "{told}");
            let said = format!("error: not known: {path}");
            assert!(told.stderr.contains(&said), "{told}");
        }
    }
    // Other folders are of other teams, whose files only their tools can read.
    let file = format!("{FOLDER}/pds_orders.yaml");
    let files = [
        (&*file, &*good),
        ("apps/web/x.yaml", "a: {{ .Values.a }}\n"),
    ];
    assert_eq!(lint(&[], &files).run().code, Some(0));
    let config = format!("{FOLDER}/config.yaml");
    let files = [(&*file, &*good), (&*config, "kind: ConfigMap\n")];
    assert_eq!(lint(&[], &files).run().code, Some(0));
}

/// Flux's parser ends a line and a comment there, ours does not: the text after it would be applied unseen.
#[test]
fn a_line_end_that_only_flux_sees_makes_a_file_unknown() {
    for (end, code) in [
        ('\u{85}', "0085"),
        ('\u{2028}', "2028"),
        ('\u{2029}', "2029"),
    ] {
        let hidden = format!("database: orders # ok{end}    suspend: true");
        let text = manifest("pds", "orders").replace("database: orders", &hidden);
        let told = lint(&[], &[(&format!("{FOLDER}/pds_orders.yaml"), &text)]).run();
        assert_eq!(told.code, Some(1), "{told}");
        let said = format!(": it holds U+{code}, at which Flux begins a new line");
        assert!(told.stderr.contains(&said), "{told}");
    }
}

#[test]
fn what_two_lists_of_one_folder_or_a_list_above_apply_is_not_known() {
    let good = manifest("pds", "orders");
    let file = format!("{FOLDER}/pds_orders.yaml");
    let list = (
        format!("{FOLDER}/kustomization.yaml"),
        "resources: [pds_orders.yaml]\n",
    );
    let files = [(&*file, &*good), (&*list.0, list.1)];
    let told = lint(&[], &files).run();
    assert_eq!(
        told.stdout, "1 manifest for 1 cluster, nothing found.\n",
        "{told}"
    );
    let second = format!("{FOLDER}/kustomization.yml");
    let told = lint(
        &[],
        &[&files[..], &[(&*second, "resources: []\n")]].concat(),
    )
    .run();
    assert_eq!(told.code, Some(1), "{told}");
    let why = "its folder has another kustomization, and kustomize refuses both";
    assert_eq!(told.stderr.matches(why).count(), 2, "{told}");
    let above = "infrastructure/k8s/prod/kustomization.yaml";
    let told = lint(&[], &[&files[..], &[(above, "resources: []\n")]].concat()).run();
    assert_eq!(told.code, Some(0), "{told}");
    let said = format!("{above} does not lead to the file, a Kustomization of Flux may");
    assert!(told.stdout.contains(&said), "{told}");
}

#[test]
fn nothing_to_check_is_not_fine() {
    let other = "kind: HelmRelease\nmetadata: {name: podinfo}\n";
    assert_snapshot!(lint(&["a"], &[("a/podinfo.yaml", other)]).run(), @r"
    exit 1
    stderr:
    error: no onboarding in a, only 1 other HelmRelease
    hint: an onboarding is a HelmRelease with the chart, the label or the name of onboardings, or in a folder secure-kvs-onboarding
    ");
    assert_snapshot!(lint(&["b"], &[]).run(), @r#"
    exit 1
    stderr:
    error: the path "b" does not exist
    "#);
}

#[test]
fn a_file_alone_says_what_was_not_looked_at() {
    let good = manifest("pds", "orders");
    let file = format!("{FOLDER}/pds_orders.yaml");
    assert_snapshot!(lint(&[&file], &[(&file, &good)]).run(), @r"
    exit 0
    stdout:
    1 manifest for 1 cluster, nothing found. Not checked: other manifests (only the named files were read)
    ");
}

#[test]
fn no_text_of_a_file_steers_a_terminal_or_a_runner() {
    let nasty = "\"x\\e[2J\\n::error::y\\u202e\"";
    let text = manifest("pds", "orders")
        .replace("database: orders", &format!("database: {nasty}"))
        .replace("encryption: true", "\"k\\e[2J\\n::add-mask::x\": true");
    let file = format!("{FOLDER}/a\u{1b}[2J,b:c.yaml");
    for format in ["text", "github", "json", "yaml", "sarif"] {
        let told = lint(&["-o", format], &[(&file, &text)]).run();
        assert_eq!(told.code, Some(3), "{format}");
        assert_eq!(steering(&told.stdout), None, "{format}: {}", told.stdout);
        if format == "github" {
            for line in told.stdout.lines().filter(|l| l.starts_with("::")) {
                assert!(
                    ["::error file=", "::warning file=", "::notice"]
                        .iter()
                        .any(|w| line.starts_with(w)),
                    "{line}"
                );
            }
        }
    }
}

/// Two names that look alike are two files.
#[test]
fn a_file_whose_name_is_not_shown_as_it_is_is_not_known() {
    let text = manifest("pds", "orders");
    let (seen, unseen) = (
        format!("{FOLDER}/pds_orders.yaml"),
        format!("{FOLDER}/pds_\u{ad}orders.yaml"),
    );
    let told = lint(&[], &[(&seen, &text), (&unseen, &text)]).run();
    assert_eq!(told.code, Some(1), "{told}");
    assert!(
        told.stderr
            .contains("its name has characters that are not shown"),
        "{told}"
    );
    assert!(told.stdout.contains("1 manifest for 1 cluster"), "{told}");
}

#[test]
fn a_manifest_given_to_troubleshoot_is_linted() {
    let bad = manifest("pds", "orders").replace("database: orders", "database: Orders");
    let of = |words: &[&str], text: &str| {
        let words: Vec<&str> = ["troubleshoot", "-f", "a"]
            .iter()
            .chain(words)
            .copied()
            .collect();
        let run = skvs(&words);
        run.file("a/pds_Orders.yaml", text);
        run.run()
    };
    assert_snapshot!(of(&[], &bad), @r#"
    exit 3
    stdout:
    error[SKVS524]: pds_Orders cannot be the name of a database: "Orders" is not a database (one or more of a-z, 0-9, _ and -)
      --> a/pds_Orders.yaml:16:15
      HelmRelease flux-system/skvs-onboarding-pds--orders

      Why    The creation Job would fail.
      Do     Correct spec.values.database.
      = more: kubectl skvs explain SKVS524

    1 manifest, 1 error.
    stderr:
    The file holds a manifest, without uid and status: no cluster has seen it, so it is checked as lint does:
    "#);
    assert_eq!(
        of(&["skvs-onboarding-pds--orders", "-o", "json"], &bad).code,
        Some(3)
    );
    for format in ["markdown", "html"] {
        let usage = of(&["-o", format], &bad);
        assert_eq!(usage.code, Some(2), "{usage}");
    }
    // Beside what a cluster has seen, it is not diagnosed and named.
    let seen = manifest("kilo", "carts").replace("metadata:\n", "metadata:\n  uid: u\n");
    let both = of(&[], &format!("{bad}---\n{seen}"));
    assert_eq!(both.code, Some(3), "{both}");
    assert!(
        both.stderr
            .contains("skvs-onboarding-pds--orders is a manifest"),
        "{both}"
    );
    assert!(
        both.stdout.contains("skvs-onboarding-kilo--carts"),
        "{both}"
    );
}

#[test]
fn troubleshoot_checks_every_manifest_that_it_picked() {
    let bad = |database: &str| {
        let good = manifest("pds", database);
        good.replace(&format!("database: {database}"), "database: Orders")
    };
    let of = |words: &[&str]| {
        let words: Vec<&str> = ["troubleshoot"].iter().chain(words).copied().collect();
        let run = skvs(&words);
        run.file("a/pds_a.yaml", &bad("a"));
        run.file("a/b/pds_b.yaml", &bad("b"));
        run.file(
            "a/kustomization.yaml",
            "resources: [pds_a.yaml, c/d.yaml]\n",
        );
        run.file("a/c/d.yaml", "kind: ConfigMap\n");
        run.run()
    };
    let told = of(&["-f", "a", "-f", "a/b"]);
    assert_eq!(told.code, Some(3), "{told}");
    for file in ["a/pds_a.yaml:", "a/b/pds_b.yaml:"] {
        assert!(told.stdout.contains(file), "{told}");
    }
    assert!(told.stderr.contains("so they are checked"), "{told}");
    // Entries below the named folder exist, although they are not read.
    let told = of(&["-f", "a"]);
    assert!(!told.stdout.contains("SKVS542"), "{told}");
    assert!(!told.stdout.contains("pds_b"), "{told}");
    // Two clusters can have one name; each is counted.
    let run = skvs(&["troubleshoot", "-R", "-f", "k8s"]);
    for cluster in ["lab", "prod"] {
        let folder = format!("k8s/{cluster}/secure-kvs/secure-kvs-onboarding");
        run.file(&format!("{folder}/pds_a.yaml"), &manifest("pds", "a"));
    }
    let told = run.run();
    assert!(told.stdout.contains("2 manifests for 2 clusters"), "{told}");
    assert!(
        told.stderr.contains("The files hold 2 manifests,"),
        "{told}"
    );
    // One without the label is found by each of its names, as without one.
    let label = "  labels: {app.kubernetes.io/part-of: secure-kvs-onboarding}\n";
    let unlabelled = manifest("pds", "a").replace(label, "");
    for name in [
        &[][..],
        &["pds_a"],
        &["pds--a"],
        &["skvs-onboarding-pds--a"],
    ] {
        let run = skvs(&[&["troubleshoot", "-f", "x", "--fail-on", "warning"], name].concat());
        run.file("x/pds_a.yaml", &unlabelled);
        let told = run.run();
        assert_eq!(told.code, Some(3), "{name:?}: {told}");
        assert!(told.stdout.contains("SKVS505"), "{name:?}: {told}");
    }
    let run = skvs(&["troubleshoot", "-f", "x", "pds_a", "pds_b"]);
    run.file("x/pds_a.yaml", &unlabelled);
    let told = run.run();
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stderr.contains("pds_b"), "{told}");
    // One that lint does not take for an onboarding is not passed over.
    let run = skvs(&["troubleshoot", "-f", "x", "podinfo"]);
    run.file("x/podinfo.yaml", "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: podinfo, namespace: flux-system}\nspec: {chart: {spec: {chart: podinfo}}}\n");
    assert_snapshot!(run.run(), @r"
    exit 1
    stderr:
    error: podinfo is a manifest, without uid and status, and not among the onboardings that lint reads in these files
    hint: check it in its own file: kubectl skvs lint FILE
    ");
}

/// Runs git in the home of a run.
fn git(run: &Run, words: &[&str]) {
    let mut git = std::process::Command::new("git");
    git.args([
        "-c",
        "user.name=n",
        "-c",
        "user.email=e@x",
        "-c",
        "commit.gpgsign=false",
    ]);
    git.args(words).current_dir(run.home());
    git.env_clear()
        .env("HOME", run.home())
        .env("PATH", "/usr/bin:/bin");
    let output = git.output().unwrap();
    assert!(
        output.status.success(),
        "{words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A run in a repository whose one commit has these files.
fn committed(words: &[&str], files: &[(&str, &str)]) -> Run {
    let run = lint(words, files);
    git(&run, &["init", "-q"]);
    git(&run, &["add", "-A"]);
    git(&run, &["commit", "-q", "-m", "first"]);
    run
}

#[test]
fn a_change_that_the_runbook_forbids_is_found() {
    let good = manifest("pds", "orders");
    let kilo = manifest("kilo", "carts");
    let (orders, carts) = (
        format!("{FOLDER}/pds_orders.yaml"),
        format!("{FOLDER}/kilo_carts.yaml"),
    );
    let files = [
        (orders.as_str(), good.as_str()),
        (carts.as_str(), kilo.as_str()),
    ];
    let told = committed(&["--diff-base", "HEAD"], &files).run();
    assert_eq!(
        (told.code, told.stderr.as_str()),
        (Some(0), ""),
        "{}",
        told.stdout
    );
    let mut run = committed(&["--diff-base", "HEAD"], &files);
    // As in a hook, for another repository and a folder of its own.
    run.command()
        .env("GIT_DIR", ".nowhere")
        .env("GIT_INDEX_FILE", "x");
    run.file(
        &orders,
        &good.replace("database: orders", "database: invoices"),
    );
    std::fs::remove_file(run.home().join(&carts)).unwrap();
    let commit = std::fs::read_to_string(run.home().join(".git/refs/heads/master"))
        .or_else(|_| std::fs::read_to_string(run.home().join(".git/refs/heads/main")))
        .unwrap();
    assert_snapshot!(run.named(&commit[..12], "COMMIT").run(), @r#"
    exit 3
    stdout:
    warning[SKVS554]: the manifest of skvs-onboarding-kilo--carts is removed
      --> infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/kilo_carts.yaml:1:1
      HelmRelease flux-system/skvs-onboarding-kilo--carts

      Why    Flux uninstalls it, and no team may access the database kilo_carts any more. The data stays.
      Do     Merge it if the team has finished with the data; then delete the database.
      = more: kubectl skvs explain SKVS554

    error[SKVS551]: values.database must not change: it was "orders", now it is "invoices"
      --> infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_orders.yaml:16:15
      HelmRelease flux-system/skvs-onboarding-pds--orders

      Why    The database is created at installation only. Access would move to one that does not exist, and the data would stay behind.
      Do     Set it back; set spec.values.database: orders
             For another database write another manifest, with its own name.
      = more: kubectl skvs explain SKVS551

    1 manifest for 1 cluster, 1 error, 1 warning. Compared with COMMIT.
    "#);
}

#[test]
fn the_common_commit_counts_not_what_others_did_since() {
    let good = manifest("pds", "orders");
    let file = format!("{FOLDER}/pds_orders.yaml");
    let run = committed(&["--diff-base", "others", FOLDER], &[(&file, &good)]);
    git(&run, &["checkout", "-q", "-b", "others"]);
    run.file(
        &format!("{FOLDER}/kilo_carts.yaml"),
        &manifest("kilo", "carts"),
    );
    git(&run, &["add", "-A"]);
    git(&run, &["commit", "-q", "-m", "theirs"]);
    git(&run, &["checkout", "-q", "-b", "ours", "HEAD~1"]);
    let told = run.run();
    assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""));
    assert!(told.stdout.contains("nothing found"), "{}", told.stdout);
}

#[test]
fn a_revision_that_is_none_is_told() {
    let good = manifest("pds", "orders");
    let file = format!("{FOLDER}/pds_orders.yaml");
    for (revision, why) in [
        ("nowhere", "git does not know it"),
        ("--output=x", "it is not the name of a revision"),
        ("HEAD:infrastructure", "git does not know it"),
    ] {
        let word = format!("--diff-base={revision}");
        let told = committed(&[&word], &[(&file, &good)]).run();
        assert_eq!(
            (told.code, told.stdout.as_str()),
            (Some(1), ""),
            "{revision}"
        );
        assert!(told.stderr.contains(why), "{}", told.stderr);
    }
    let told = lint(&["--diff-base", "HEAD"], &[(&file, &good)]).run();
    assert_eq!(told.code, Some(1));
    assert!(
        told.stderr.contains("not a git repository"),
        "{}",
        told.stderr
    );
    let mut run = lint(&["--diff-base", "HEAD"], &[(&file, &good)]);
    run.command().env("PATH", "/nowhere");
    let told = run.run();
    assert!(
        told.stderr.starts_with("error: cannot run git: "),
        "{}",
        told.stderr
    );
}

#[test]
fn a_repository_among_the_checked_files_is_not_asked() {
    let good = manifest("pds", "orders");
    let file = format!("{FOLDER}/pds_orders.yaml");
    for settings in [
        "[core]\n\tbare = true\n",
        "[core]\n\tbare = false\n\tworktree = .\n",
    ] {
        let run = committed(
            &["infrastructure/k8s", "--diff-base", "HEAD"],
            &[(&file, &good)],
        );
        let home = run.home().join("infrastructure/k8s");
        run.file("infrastructure/k8s/HEAD", "ref: refs/heads/main\n");
        run.file("infrastructure/k8s/config", settings);
        std::fs::create_dir_all(home.join("objects")).unwrap();
        std::fs::create_dir_all(home.join("refs")).unwrap();
        let told = run.run();
        assert_eq!((told.code, told.stdout.as_str()), (Some(1), ""), "{told}");
        assert!(
            told.stderr
                .starts_with("error: cannot compare with a revision: "),
            "{told}"
        );
    }
}

/// Git before 2.38 does not know safe.bareRepository, before 2.45 not GIT_NO_LAZY_FETCH.
const OLD_GIT: &str = "#!/bin/bash
words=()
for word; do
  case $word in
    safe.bareRepository=explicit) words[-1]= ;;
    *) words+=(\"$word\") ;;
  esac
done
for at in \"${!words[@]}\"; do [ -n \"${words[at]}\" ] || unset \"words[at]\"; done
unset GIT_NO_LAZY_FETCH
exec /usr/bin/git \"${words[@]}\"
";

#[test]
fn git_runs_nothing_of_a_repository_among_the_checked_files() {
    let good = manifest("pds", "orders");
    let file = format!("{FOLDER}/pds_orders.yaml");
    for core in ["bare = true", "bare = false\n\tworktree = ../.."] {
        for (old, below) in [
            (false, "infrastructure/k8s"),
            (false, FOLDER),
            (true, "infrastructure/k8s"),
            (true, FOLDER),
        ] {
            let mut run = committed(&[below, "--diff-base", "HEAD"], &[(&file, &good)]);
            // A repository whose history is elsewhere, to be fetched by its own program.
            let ran = run.home().join("ran");
            let trap = run.home().join("infrastructure/k8s");
            git(&run, &["init", "-q", "--bare", "infrastructure/k8s"]);
            std::fs::write(trap.join("HEAD"), format!("{}\n", "1".repeat(40))).unwrap();
            let config = format!(
                "[core]\n\trepositoryformatversion = 1\n\t{core}\n\tfsmonitor = touch {ran}; false\n[extensions]\n\tpartialclone = evil\n[remote \"evil\"]\n\turl = .\n\tpromisor = true\n\tuploadpack = touch {ran}; false\n",
                ran = ran.display()
            );
            std::fs::write(trap.join("config"), config).unwrap();
            // The trap works: an unwary git falls into it.
            let unwary = std::process::Command::new("git")
                .args(["-c", "safe.bareRepository=all", "-C", below])
                .args(["cat-file", "-p", "HEAD"])
                .current_dir(run.home())
                .env_clear()
                .env("HOME", run.home())
                .env("PATH", "/usr/bin:/bin")
                .output();
            assert!(!unwary.unwrap().status.success() && ran.exists());
            std::fs::remove_file(&ran).unwrap();
            if old {
                let path = run.file("bin/git", OLD_GIT);
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
                std::fs::set_permissions(path, mode).unwrap();
                let path = format!("{}/bin:/usr/bin:/bin", run.home().display());
                run = run.env("PATH", &path);
            }
            let told = run.run();
            assert_eq!((told.code, told.stdout.as_str()), (Some(1), ""), "{told}");
            assert!(
                told.stderr.contains("cannot compare with a revision: "),
                "{told}"
            );
            assert!(!ran.exists(), "old: {old}, {below}, {core}");
        }
    }
}

#[test]
fn links_and_submodules_of_the_base_are_not_known() {
    let good = manifest("pds", "orders");
    let file = format!("{FOLDER}/pds_orders.yaml");
    let kilo = format!("{FOLDER}/kilo_carts.yaml");
    let run = lint(&["--diff-base", "HEAD"], &[(&file, &good)]);
    std::os::unix::fs::symlink("pds_orders.yaml", run.home().join(&kilo)).unwrap();
    git(&run, &["init", "-q"]);
    git(&run, &["add", "-A"]);
    git(&run, &["commit", "-q", "-m", "first"]);
    std::fs::remove_file(run.home().join(&kilo)).unwrap();
    run.file(&kilo, &manifest("kilo", "carts"));
    let told = run.run();
    assert_eq!(told.code, Some(0), "{told}");
    assert!(
        told.stdout.contains("what has changed (the earlier"),
        "{told}"
    );
}

#[test]
fn the_base_is_read_as_the_present_is() {
    // A single file, whatever it is called.
    let good = manifest("pds", "orders");
    let changed = good.replace("database: orders", "database: carts");
    let run = committed(&["pds.tmpl", "--diff-base", "HEAD"], &[("pds.tmpl", &good)]);
    run.file("pds.tmpl", &changed);
    let told = run.run();
    assert_eq!(told.code, Some(3), "{told}");
    assert!(told.stdout.contains("SKVS551"), "{told}");
    // What a kustomization lists, and a kustomization of any of its names.
    let file = format!("{FOLDER}/pds_orders.txt");
    let list = format!("{FOLDER}/Kustomization");
    let other = format!("{FOLDER}/kilo_carts.yaml");
    let kilo = manifest("kilo", "carts");
    let run = committed(
        &["--diff-base", "HEAD"],
        &[
            (&file, &good),
            (&list, "resources: [pds_orders.txt, kilo_carts.yaml]\n"),
            (&other, &kilo),
        ],
    );
    std::fs::remove_file(run.home().join(&file)).unwrap();
    run.file(&list, "resources: [kilo_carts.yaml]\n");
    let told = run.run();
    assert_eq!(told.code, Some(0), "{told}");
    assert!(told.stdout.contains("SKVS554"), "{told}");
    // A submodule may have held anything.
    let run = lint(&["--diff-base", "HEAD"], &[(&other, &kilo)]);
    git(&run, &["init", "-q"]);
    let module = format!("160000,{},{FOLDER}/team", "1".repeat(40));
    git(&run, &["update-index", "--add", "--cacheinfo", &module]);
    git(&run, &["commit", "-q", "-m", "first"]);
    let told = run.run();
    assert!(
        told.stdout.contains("team is not known: it is a submodule"),
        "{told}"
    );
}

#[test]
fn the_hook_of_git_refuses_a_forbidden_change() {
    let good = manifest("pds", "orders");
    let file = format!("{FOLDER}/pds_orders.yaml");
    let hook = std::fs::read_to_string(example("lint/pre-commit")).unwrap();
    let folder = Path::new(BINARY).parent().unwrap().display().to_string();
    let commit = |text: &str, first: &str| {
        let run = Run::of(
            "git",
            &[
                "-c",
                "user.name=n",
                "-c",
                "user.email=e@x",
                "commit",
                "-q",
                "-m",
                "x",
            ],
        );
        git(&run, &["init", "-q"]);
        let path = run.file(".git/hooks/pre-commit", &hook);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path, mode).unwrap();
        if !first.is_empty() {
            run.file(&file, first);
            git(&run, &["add", "-A"]);
            git(&run, &["commit", "-q", "--no-verify", "-m", "first"]);
        }
        run.file(&file, text);
        git(&run, &["add", "-A"]);
        run.env("PATH", &format!("{folder}:/usr/bin:/bin")).run()
    };
    let told = commit(&good, "");
    assert_eq!(told.code, Some(0), "{told}");
    let told = commit(&good.replace("[pds]", "[pds, batch]"), &good);
    assert_eq!(told.code, Some(0), "{told}");
    let told = commit(&good.replace("database: orders", "database: carts"), &good);
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.to_string().contains("error[SKVS551]"), "{told}");
}

/// What pre-commit and GitHub's runner would run, taken from the examples.
#[test]
fn the_commands_of_the_examples_work() {
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(example(name)).unwrap();
        serde_saphyr::from_str(&text).unwrap()
    };
    let hook = read("lint/pre-commit-config.yaml")["repos"][0]["hooks"][0].clone();
    assert_eq!(hook["pass_filenames"], false);
    let workflow = read("lint/github-workflow.yaml");
    let step = workflow["jobs"]["lint"]["steps"][1].clone();
    let good = manifest("pds", "orders");
    let file = format!("{FOLDER}/pds_orders.yaml");
    for command in [&hook["entry"], &step["run"]] {
        let run = Run::of("/bin/sh", &["-c", command.as_str().unwrap()]);
        run.file(&file, &good);
        git(&run, &["init", "-q"]);
        git(&run, &["add", "-A"]);
        git(&run, &["commit", "-q", "-m", "first"]);
        run.file(
            &file,
            &good
                .replace("encryption: true", "encryption: false")
                .replace("orders", "x"),
        );
        let told = run.env("BASE", "HEAD").run();
        assert_eq!(told.code, Some(3), "{told}");
        assert!(told.stdout.contains("SKVS551"), "{told}");
    }
}

/// A server with one HelmRelease, and what Helm stores of it: its values, or a refusal.
fn cluster(values: Option<Value>) -> Listener {
    use base64::Engine;
    let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    let name = "skvs-onboarding-pds--database";
    let release = format!("core-{name}");
    let secret = format!("sh.helm.release.v1.{release}.v1");
    let hr = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"namespace": "flux-system", "name": name, "uid": "1"},
        "spec": {"targetNamespace": "core"},
        "status": {"history": [{"name": release, "version": 1, "status": "deployed"}]}});
    Listener::scripted(move |path| {
        let refused = (403, status(403, "Forbidden", "secrets is forbidden"));
        if path.contains("/helmreleases") {
            return (200, helm_releases(std::slice::from_ref(&hr), ""));
        }
        let Some(values) = &values else {
            return refused;
        };
        if path.contains("/secrets?") {
            let labels =
                json!({"owner": "helm", "name": release, "version": "1", "status": "deployed"});
            let list = json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
                "metadata": {}, "items": [{"metadata": {"name": secret, "labels": labels}}]});
            return (200, list.to_string());
        }
        let release = json!({"name": release, "version": 1, "config": values, "hooks": [{"name": "create", "kind": "Job",
            "events": ["pre-install"], "last_run": {"phase": "Succeeded"}}]});
        let payload = encode(encode(release.to_string()));
        (
            200,
            json!({"kind": "Secret", "apiVersion": "v1", "metadata": {"namespace": "flux-system", "name": secret}, "data": {"release": payload}}).to_string(),
        )
    })
}

#[test]
fn a_manifest_is_compared_with_what_is_installed() {
    let text = manifest("pds", "database");
    let file = format!("{FOLDER}/pds_database.yaml");
    let listed = format!("{FOLDER}/kustomization.yaml");
    let of = |values: Option<Value>| {
        let files = [
            (file.as_str(), text.as_str()),
            (listed.as_str(), "resources: [pds_database.yaml]\n"),
        ];
        let server = cluster(values);
        lint(&["--installed"], &files).server(&server.http()).run()
    };
    let other = json!({"namespace": "pds", "database": "orders", "encryption": false});
    assert_snapshot!(of(Some(other)), @r#"
    exit 3
    stdout:
    error[SKVS551]: values.database must not change: it was installed as "orders", now it is "database"
      --> infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_database.yaml:16:15
      HelmRelease flux-system/skvs-onboarding-pds--database

      Why    The database is created at installation only. Access would move to one that does not exist, and the data would stay behind.
             Revision 1 in Helm's storage says so.
      Do     Set it back; set spec.values.database: orders
             For another database write another manifest, with its own name.
      = more: kubectl skvs explain SKVS551

    warning[SKVS552]: encryption should not change: it was installed as off, now it is on
      --> infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_database.yaml:18:17
      HelmRelease flux-system/skvs-onboarding-pds--database

      Why    The database would hold encrypted and plain documents, and the team's endpoint would change.
             Revision 1 in Helm's storage says so.
      Do     Set it back; set spec.values.encryption: false
      = more: kubectl skvs explain SKVS552

    1 manifest for 1 cluster, 1 error, 1 warning. 1 of 1 installed on context here.
    "#);
    let same = json!({"namespace": "pds", "database": "database", "encryption": true});
    assert_snapshot!(of(Some(same)), @"
    exit 0
    stdout:
    1 manifest for 1 cluster, nothing found. 1 of 1 installed on context here.
    ");
    assert_snapshot!(of(None), @"
    exit 1
    stdout:
    1 manifest for 1 cluster, nothing found. Not known what is installed of 1 manifest on context here. Not checked: what is installed (Helm's storage in flux-system: forbidden (secrets is forbidden))
    stderr:
    error: not known: what is installed of infrastructure/k8s/prod/secure-kvs/secure-kvs-onboarding/pds_database.yaml on context here: Helm's storage in flux-system: forbidden (secrets is forbidden)
    ");
}

#[test]
fn one_cluster_is_compared_with_its_own_manifests() {
    let text = manifest("pds", "database");
    let prod = format!("{FOLDER}/pds_database.yaml");
    let test = prod.replace("/prod/", "/test/");
    let run = |words: &[&str]| {
        let files = [
            (prod.as_str(), text.as_str()),
            (test.as_str(), text.as_str()),
        ];
        let server = cluster(Some(json!({"namespace": "pds", "database": "orders"})));
        lint(words, &files).server(&server.http()).run()
    };
    assert_snapshot!(run(&["--installed"]), @"
    exit 2
    stderr:
    error: --installed compares with one cluster, and the repository has several
    hint: name this cluster's folder with --for-cluster: prod, test
    ");
    assert_snapshot!(run(&["--installed", "--for-cluster", "stage"]), @"
    exit 2
    stderr:
    error: no manifest is for the cluster stage
    hint: the manifests are for prod, test
    ");
    let told = run(&["--installed", "--for-cluster", "test", "-o", "json"]);
    let report: Value = serde_json::from_str(&told.stdout).unwrap();
    let found = report["findings"].as_array().unwrap().iter();
    let found: Vec<&str> = found
        .filter(|f| f["code"] == "SKVS551")
        .map(|f| f["file"].as_str().unwrap())
        .collect();
    assert_eq!(found, [test.as_str()], "{told}");
}

/// Runs lint beside clusters `prod`, where `orders` is installed, and `test`, which has `database`; nothing listens for `dark`.
fn beside_clusters(words: &[&str]) -> Told {
    let installed = |database| cluster(Some(json!({"namespace": "pds", "database": database})));
    let (prod, test) = (installed("orders"), installed("database"));
    let (prod, test) = (prod.http(), test.http());
    let contexts = [
        ("prod", &*prod, "{}"),
        ("test", &*test, "{}"),
        ("dark", "http://127.0.0.1:1", "{}"),
    ];
    let run = crate::contexts::with(&[&["lint", "--installed"], words].concat(), &contexts);
    for name in ["prod", "test", "dark"] {
        let folder = FOLDER.replace("/prod/", &format!("/{name}/"));
        run.file(
            &format!("{folder}/pds_database.yaml"),
            &manifest("pds", "database"),
        );
        run.file(
            &format!("{folder}/kustomization.yaml"),
            "resources: [pds_database.yaml]\n",
        );
    }
    run.run()
}

/// The files of SKVS551, and the last line.
fn moved(told: &Told) -> (Vec<String>, String) {
    let lines = told.stdout.lines().collect::<Vec<&str>>();
    let of = |at: usize| lines[at + 1].trim().trim_start_matches("--> ").to_owned();
    let all = lines.iter().enumerate();
    let found = all.filter(|(_, line)| line.starts_with("error[SKVS551]"));
    let found = found.map(|(at, _)| of(at)).collect();
    (
        found,
        lines
            .last()
            .map_or(String::new(), |line| (*line).to_owned()),
    )
}

#[test]
fn each_context_is_compared_with_the_folder_of_its_name() {
    let file = |name: &str| {
        format!(
            "{}/pds_database.yaml:16:15",
            FOLDER.replace("/prod/", &format!("/{name}/"))
        )
    };
    let told = beside_clusters(&["--contexts", "prod,test"]);
    let (found, last) = moved(&told);
    assert_eq!((told.code, found), (Some(3), vec![file("prod")]), "{told}");
    assert!(
        last.contains("1 of 1 installed on context prod. 1 of 1 installed on context test."),
        "{told}"
    );
    let told = beside_clusters(&["--contexts", "prod,test", "--for-cluster", "test,dark"]);
    let (found, last) = moved(&told);
    assert_eq!((told.code, found), (Some(3), vec![file("test")]), "{told}");
    assert!(last.contains("on context prod (folder test)."), "{told}");
}

#[test]
fn a_cluster_that_does_not_answer_leaves_its_manifests_unknown() {
    let told = beside_clusters(&["--contexts", "test,dark"]);
    let (found, last) = moved(&told);
    assert_eq!((told.code, found.len()), (Some(1), 0), "{told}");
    assert!(
        last.contains("Not known what is installed of 1 manifest on context dark."),
        "{told}"
    );
    assert!(
        told.stderr
            .contains("error: not known: what is installed of infrastructure/k8s/dark/"),
        "{told}"
    );
    // Nor does it hide the others.
    let told = beside_clusters(&["--all-contexts", "-o", "json"]);
    assert_eq!(told.code, Some(3), "{told}");
    let report: Value = serde_json::from_str(&told.stdout).unwrap();
    let compared = report["installed"].as_array().unwrap().iter();
    let compared: Vec<String> = compared
        .map(|c| {
            format!(
                "{} {} {} {}",
                c["context"], c["folder"], c["installed"], c["notKnown"]
            )
        })
        .collect();
    assert_eq!(
        compared,
        [
            r#""dark" "dark" null 1"#,
            r#""prod" "prod" 1 0"#,
            r#""test" "test" 1 0"#
        ]
    );
}

#[test]
fn of_all_contexts_a_folder_without_one_is_named() {
    let clusters = [("prod", "http://127.0.0.1:1", "{}")];
    let run = crate::contexts::with(&["lint", "--installed", "--all-contexts"], &clusters);
    for name in ["prod", "test"] {
        let folder = FOLDER.replace("/prod/", &format!("/{name}/"));
        run.file(
            &format!("{folder}/pds_database.yaml"),
            &manifest("pds", "database"),
        );
    }
    let told = run.run();
    let said = "error: not compared: folder test: no context of this name";
    assert!(told.stderr.contains(said), "{told}");
    assert_eq!(told.code, Some(1), "{told}");
}

#[test]
fn a_folder_whose_manifests_are_not_known_is_not_one_without() {
    let test = FOLDER.replace("/prod/", "/test/");
    let run = |words: &[&str], in_test: (&str, &str)| {
        let contexts = [("test", "http://127.0.0.1:1", "{}")];
        let run = crate::contexts::with(&[&["lint", "--installed"], words].concat(), &contexts);
        run.file(
            &format!("{FOLDER}/pds_database.yaml"),
            &manifest("pds", "database"),
        );
        run.file(&format!("{test}/{}", in_test.0), in_test.1);
        run.run()
    };
    let broken = ("pds_a.yaml", "kind: HelmRelease\nbad: [\n");
    for words in [
        &["--contexts", "test"][..],
        &["--for-cluster", "test", "--context", "test"],
    ] {
        let told = run(words, broken);
        let said = "error: cannot tell whether a manifest is for the cluster test: ";
        assert!(told.stderr.contains(said), "{told}");
        assert_eq!(told.code, Some(1), "{told}");
    }
    // A folder without onboardings is another cluster's all the same.
    let empty = ("kustomization.yaml", "resources: []\n");
    let told = run(&["--context", "test"], empty);
    let said = "name this cluster's folder with --for-cluster: prod, test";
    assert!(told.stderr.contains(said), "{told}");
    assert_eq!(told.code, Some(2), "{told}");
    let told = run(&["--all-contexts", "--for-cluster", "test"], empty);
    let said = "error: --all-contexts compares each context with the folder of its name";
    assert!(told.stderr.contains(said), "{told}");
}

/// A run with these contexts, all of them dark, beside three manifests for `dark`.
fn beside_the_dark(words: &[&str], contexts: &[&str]) -> Told {
    let contexts: Vec<(&str, &str, &str)> = contexts
        .iter()
        .map(|name| (*name, "http://127.0.0.1:1", "{}"))
        .collect();
    let run = crate::contexts::with(&[&["lint", "--installed"], words].concat(), &contexts);
    let folder = FOLDER.replace("/prod/", "/dark/");
    for database in ["a", "b", "c"] {
        run.file(
            &format!("{folder}/pds_{database}.yaml"),
            &manifest("pds", database),
        );
    }
    run.run()
}

#[test]
fn a_cluster_that_does_not_answer_is_said_once() {
    let told = beside_the_dark(&["--contexts", "dark"], &["dark"]);
    assert_eq!(told.code, Some(1), "{told}");
    let lines = told.stderr.lines().filter(|l| l.contains("not known"));
    let lines: Vec<&str> = lines.collect();
    let said = "error: not known: what is installed of 3 manifests on context dark: ";
    assert!(lines.len() == 1 && lines[0].starts_with(said), "{told}");
    let (_, last) = moved(&told);
    let said = " Not known what is installed of 3 manifests on context dark. ";
    assert!(last.contains(said) && !last.contains("0 of"), "{told}");
    // As the context of every command, too.
    let told = beside_the_dark(&["--context", "dark"], &["dark"]);
    let lines = told.stderr.lines().filter(|l| l.contains("not known"));
    assert_eq!((told.code, lines.count()), (Some(1), 1), "{told}");
}

#[test]
fn of_all_contexts_those_without_a_folder_are_named() {
    let contexts = ["dark", "kind", "minikube"];
    let told = beside_the_dark(&["--all-contexts"], &contexts);
    assert_eq!(told.code, Some(1), "{told}");
    let said = "error: not compared: contexts kind, minikube: no manifest that was read is for it";
    assert!(told.stderr.contains(said), "{told}");
    assert!(!told.stderr.contains("folder dark"), "{told}");
    assert!(!told.stderr.contains("error: kind: "), "{told}");
    let (_, last) = moved(&told);
    let said = "3 manifests on context dark. Not checked: ";
    assert!(last.contains(said), "{told}");
    let said = "context minikube (no manifest that was read is for it)";
    assert!(last.contains(said), "{told}");
    // One that is named must have one.
    let told = beside_the_dark(&["--contexts", "dark,kind"], &contexts);
    assert_eq!((told.code, &*told.stdout), (Some(2), ""), "{told}");
    let said = "no manifest is for the cluster kind";
    assert!(told.stderr.contains(said), "{told}");
    // With none at all nothing is compared.
    let told = beside_the_dark(&["--all-contexts"], &contexts[1..]);
    assert_eq!((told.code, &*told.stdout), (Some(2), ""), "{told}");
    let said = "no context has the name of a folder with onboardings";
    assert!(told.stderr.contains(said), "{told}");
}

#[test]
fn a_cluster_that_is_not_asked_is_not_named() {
    let file = format!("{FOLDER}/pds_a.yaml");
    for words in [
        ["--context", "prod"],
        ["--kubeconfig", "other"],
        ["--as", "me"],
    ] {
        let told = lint(&words, &[(&file, &manifest("pds", "a"))]).run();
        assert_eq!((told.code, &*told.stdout), (Some(2), ""), "{told}");
        assert!(told.stderr.contains("add --installed"), "{told}");
    }
}

#[test]
fn contexts_and_folders_must_fit() {
    for (words, why) in [
        (
            &["--contexts", "prod,stage"][..],
            "context \"stage\" does not exist",
        ),
        (
            &["--contexts", "prod", "--for-cluster", "stage"],
            "no manifest is for the cluster stage",
        ),
        (
            &["--contexts", "prod,test", "--for-cluster", "prod"],
            "one folder for each of --contexts",
        ),
        (
            &["--contexts", "prod,test", "--for-cluster", "prod,prod"],
            "names prod for two contexts",
        ),
        (
            &["--all-contexts", "--for-cluster", "prod,test,dark"],
            "each context with the folder of its name",
        ),
        (
            &["--context", "prod", "--for-cluster", "prod,test"],
            "--for-cluster names several",
        ),
        (
            &["--context", "prod", "--contexts", "test"],
            "cannot be used with",
        ),
    ] {
        let told = beside_clusters(words);
        assert_ne!(told.code, Some(0), "{words:?}: {told}");
        assert!(told.stderr.contains(why), "{words:?}: {told}");
        assert_eq!(told.stdout, "", "{words:?}");
    }
    let told = lint(&["--contexts", "prod"], &[]).run();
    assert!(told.stderr.contains("--installed"), "{told}");
    assert_eq!(told.code, Some(2));
}
