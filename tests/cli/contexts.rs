//! `--contexts` and `--all-contexts`: several clusters in one run.

use crate::run::{Run, Told, skvs};
use crate::server::{Listener, helm_releases, nobody, status};
use clap::CommandFactory;
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// A HelmRelease in flux-system that claims a database.
fn onboarding(name: &str, ready: &str, database: &str) -> Value {
    json!({"kind": "HelmRelease", "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "metadata": {"name": name, "namespace": "flux-system", "resourceVersion": "1", "generation": 1},
        "spec": {"values": {"namespace": "pds", "database": database}, "chart": {"spec": {"chart": "secure-kvs-onboarding",
            "version": "0.1.2", "sourceRef": {"kind": "HelmRepository", "name": "r"}}}},
        "status": {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": ready,
            "message": format!("{name} is so"), "reason": "Of a test", "observedGeneration": 1}]}})
}

/// A server that has these: lists them, and gives each by its name.
fn having(items: Vec<Value>) -> Listener {
    Listener::scripted(move |path| {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        if query.contains("%21%3D") {
            // Those without the label.
            return (200, helm_releases(&[], ""));
        }
        match path.split_once("/helmreleases") {
            Some((_, "")) => (200, helm_releases(&items, "")),
            Some((_, name)) => {
                let named = |item: &&Value| item["metadata"]["name"] == name[1..];
                match items.iter().find(named) {
                    Some(item) => (200, item.to_string()),
                    None => (404, not_found(&name[1..])),
                }
            }
            None => (404, status(404, "NotFound", "not here")),
        }
    })
}

fn not_found(name: &str) -> String {
    let mut status: Value = serde_json::from_str(&status(404, "NotFound", "not found")).unwrap();
    status["details"] =
        json!({"name": name, "group": "helm.toolkit.fluxcd.io", "kind": "helmreleases"});
    status.to_string()
}

/// A run whose kubeconfig has these contexts, each with a user of its own.
pub(crate) fn with(words: &[&str], contexts: &[(&str, &str, &str)]) -> Run {
    let mut text = "apiVersion: v1\nkind: Config\ncurrent-context: prod\ncontexts:\n".to_owned();
    for (name, ..) in contexts {
        text.push_str(&format!(
            "- {{name: {name}, context: {{cluster: {name}, user: {name}}}}}\n"
        ));
    }
    text.push_str("clusters:\n");
    for (name, server, _) in contexts {
        text.push_str(&format!(
            "- {{name: {name}, cluster: {{server: '{server}', insecure-skip-tls-verify: true}}}}\n"
        ));
    }
    text.push_str("users:\n");
    for (name, _, user) in contexts {
        text.push_str(&format!("- {{name: {name}, user: {user}}}\n"));
    }
    let run = skvs(words);
    run.file(".kube/config", &text);
    let named = ["PROD", "LAB", "DARK"];
    contexts
        .iter()
        .zip(named)
        .fold(run, |run, ((_, url, _), name)| {
            let host = url.split_once("://").map_or(*url, |(_, host)| host);
            run.named(host, name)
        })
}

/// `prod` and `lab`, which answer, and `dark`, where nothing listens.
fn fleet(words: &[&str]) -> Told {
    let prod = having(vec![
        onboarding("skvs-onboarding-pds--a", "True", "a"),
        onboarding("skvs-onboarding-pds--b", "False", "b"),
    ]);
    let lab = having(vec![
        onboarding("skvs-onboarding-pds--b", "True", "c"),
        onboarding("skvs-onboarding-pds--c", "True", "c"),
    ]);
    let (prod, lab, dark) = (prod.http(), lab.http(), nobody());
    with(
        words,
        &[
            ("prod", &prod, "{}"),
            ("lab", &lab, "{}"),
            ("dark", &dark, "{}"),
        ],
    )
    .run()
}

#[test]
fn rows_name_their_context_and_a_dark_cluster_hides_none() {
    assert_snapshot!(fleet(&["list", "--contexts", "lab,dark,prod"]), @r"
    exit 1
    stdout:
    CONTEXT   NAME                     DATABASE   READY   AGE         STATUS
    lab       skvs-onboarding-pds--b   pds_c      True    <unknown>   SHARED: ready
    lab       skvs-onboarding-pds--c   pds_c      True    <unknown>   SHARED: ready
    prod      skvs-onboarding-pds--a   pds_a      True    <unknown>   ready
    prod      skvs-onboarding-pds--b   pds_b      False   <unknown>   skvs-onboarding-pds--b is so
    stderr:
    lab: Warning: 2 onboardings claim the database pds_c: skvs-onboarding-pds--b, skvs-onboarding-pds--c
    dark: The connection to the server DARK was refused - did you specify the right host or port?
    ");
    let all = fleet(&["list", "--all-contexts", "--failed-first", "--no-headers"]);
    assert_eq!(all.code, Some(1), "{all}");
    let contexts = all.stdout.lines().map(|l| l.split(' ').next().unwrap());
    // By name, as kubectl lists them; then the worst first, whichever cluster it is of.
    assert_eq!(
        contexts.collect::<Vec<_>>(),
        ["prod", "lab", "lab", "prod"],
        "{all}"
    );
}

#[test]
fn a_document_names_the_context_of_each_item_and_what_it_lacks() {
    let told = fleet(&["list", "--contexts", "prod,dark", "-o", "json"]);
    let mut list: Value = serde_json::from_str(&told.stdout).unwrap();
    let items = list["items"].take();
    assert_eq!(items[1]["context"], "prod");
    assert_eq!(items[1]["metadata"]["name"], "skvs-onboarding-pds--b");
    assert_eq!(list["notRead"][0]["context"], "dark");
    assert!(list["notRead"][0]["why"].is_string(), "{list}");
    assert_eq!(told.code, Some(1));
    // One context without the flag is kubectl's list, as ever.
    let alone = fleet(&["list", "-o", "json"]);
    let list: Value = serde_json::from_str(&alone.stdout).unwrap();
    assert!(list.get("notRead").is_none() && list["items"][0].get("context").is_none());
    let columns = "custom-columns=CONTEXT:.context,NAME:.metadata.name";
    assert_snapshot!(fleet(&["list", "--contexts", "prod,lab", "-o", columns]), @r"
    exit 0
    stdout:
    CONTEXT   NAME
    prod      skvs-onboarding-pds--a
    prod      skvs-onboarding-pds--b
    lab       skvs-onboarding-pds--b
    lab       skvs-onboarding-pds--c
    stderr:
    lab: Warning: 2 onboardings claim the database pds_c: skvs-onboarding-pds--b, skvs-onboarding-pds--c
    ");
}

#[test]
fn a_name_is_an_error_only_where_no_cluster_has_it() {
    let told = |names: &[&str], contexts: &str| {
        fleet(&[&["list"], names, &["--contexts", contexts, "--no-headers"]].concat())
    };
    assert_snapshot!(told(&["pds--a", "pds--b"], "prod,lab"), @r"
    exit 0
    stdout:
    prod   skvs-onboarding-pds--a   pds_a   True    <unknown>   ready
    prod   skvs-onboarding-pds--b   pds_b   False   <unknown>   skvs-onboarding-pds--b is so
    lab    skvs-onboarding-pds--b   pds_c   True    <unknown>   SHARED: ready
    stderr:
    lab: Warning: 2 onboardings claim the database pds_c: skvs-onboarding-pds--b, skvs-onboarding-pds--c
    ");
    assert_snapshot!(told(&["pds--x"], "prod,lab"), @r#"
    exit 1
    stderr:
    error: helmreleases.helm.toolkit.fluxcd.io "pds--x" not found in any of the contexts prod, lab
    prod: hint: did you mean pds--a, pds--b?
    lab: hint: did you mean pds--b, pds--c?
    "#);
    assert_snapshot!(told(&["pds--x", "pds--a"], "prod,dark"), @r#"
    exit 1
    stdout:
    prod   skvs-onboarding-pds--a   pds_a   True   <unknown>   ready
    stderr:
    dark: The connection to the server DARK was refused - did you specify the right host or port?
    error: helmreleases.helm.toolkit.fluxcd.io "pds--x" not found in prod; not known in dark
    prod: hint: did you mean pds--a, pds--b?
    "#);
    assert_snapshot!(told(&["pds--x"], "dark"), @r#"
    exit 1
    stderr:
    dark: The connection to the server DARK was refused - did you specify the right host or port?
    error: helmreleases.helm.toolkit.fluxcd.io "pds--x" not known in dark
    "#);
}

/// It may be the database of an onboarding there.
#[test]
fn a_cluster_whose_onboardings_cannot_be_listed_does_not_say_that_a_name_is_absent() {
    let prod = having(vec![onboarding("pds--a", "True", "a")]);
    let lab = Listener::scripted(|path| match path.contains("/helmreleases/") {
        true => (404, not_found("pds--a")),
        false => (403, status(403, "Forbidden", "no")),
    });
    let told = with(
        &["list", "pds--a", "--all-contexts", "-o", "json"],
        &[("prod", &prod.http(), "{}"), ("lab", &lab.http(), "{}")],
    );
    let told = told.run();
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stdout.contains("\"context\": \"prod\""), "{told}");
    assert!(
        told.stderr.contains("lab: Error from server (NotFound): ")
            && told.stderr.contains("lab: hint: it was not looked for"),
        "{told}"
    );
}

#[test]
fn every_context_exists_before_any_is_asked() {
    let prod = having(Vec::new());
    let url = prod.http();
    let of = |words: &[&str]| with(words, &[("prod", &url, "{}"), ("lab", &url, "{}")]).run();
    assert_snapshot!(of(&["list", "--contexts", "prod,labb"]), @r#"
    exit 1
    stderr:
    error: context "labb" does not exist in the kubeconfig
    hint: contexts: prod, lab
    "#);
    assert_snapshot!(of(&["list", "--contexts", "prod,"]), @r"
    exit 2
    stderr:
    error: --contexts: a name must not be empty
    ");
    assert_snapshot!(of(&["list", "--contexts="]), @r"
    exit 2
    stderr:
    error: --contexts: a name must not be empty
    ");
    assert_eq!(prod.connections(), 0);
    let none = skvs(&["list", "--all-contexts"]).run();
    assert_snapshot!(none, @r"
    exit 1
    stderr:
    error: no kubeconfig was found, so no context exists
    hint: set KUBECONFIG or give --kubeconfig FILE
    ");
}

#[test]
fn what_means_one_cluster_is_refused() {
    let prod = having(Vec::new());
    let url = prod.http();
    let mut all = String::new();
    for words in [
        &["list", "--contexts", "prod", "--context", "prod"][..],
        &["--context", "prod", "list", "--all-contexts"],
        &["list", "--contexts", "prod", "--token", "sesame"],
        &["list", "--contexts", "prod", "--all-contexts"],
        &["list", "--contexts", "prod", "-w"],
        &["list", "--contexts", "prod", "-f", "x.yaml"],
        &["list", "--contexts", "prod", "-o", "name"],
        &["status", "--all-contexts", "-w"],
        &["troubleshoot", "a", "--contexts", "prod", "--wait"],
        &["databases", "--contexts", "prod", "-o", "name"],
        &["databases", "--contexts", "prod", "-f", "x.yaml"],
        &["describe", "a", "--contexts", "prod"],
    ] {
        let told = with(words, &[("prod", &url, "{}")]).run();
        assert_eq!(told.code, Some(2), "{told}");
        all.push_str(&told.stderr);
    }
    assert_snapshot!(all, @r"
    error: --context cannot be used with --contexts
    error: --context cannot be used with --all-contexts
    error: --token cannot be used with --contexts
    error: the argument '--contexts <NAME>' cannot be used with '--all-contexts'
    See 'kubectl skvs list -h' for help and examples
    error: the argument '--contexts <NAME>' cannot be used with '--watch'
    See 'kubectl skvs list -h' for help and examples
    error: the argument '--contexts <NAME>' cannot be used with '--filename <FILE>'
    See 'kubectl skvs list -h' for help and examples
    error: -o name cannot say which context a name is of
    hint: use -o custom-columns=CONTEXT:.context,NAME:.metadata.name
    error: the argument '--all-contexts' cannot be used with '--watch'
    See 'kubectl skvs status -h' for help and examples
    error: the argument '--contexts <NAME>' cannot be used with '--wait'
    See 'kubectl skvs troubleshoot -h' for help and examples
    error: -o name cannot say which context a name is of
    hint: use -o custom-columns=CONTEXT:.context,NAME:.metadata.name
    error: the argument '--contexts <NAME>' cannot be used with '--filename <FILE>'
    See 'kubectl skvs databases -h' for help and examples
    error: unknown flag: --contexts
    hint: did you mean --context?
    See 'kubectl skvs describe -h' for help and examples
    ");
    assert_eq!(prod.connections(), 0);
}

/// A command that changes something is asked of one cluster.
#[test]
fn only_commands_that_read_take_several_contexts() {
    let cli = kubectl_skvs::cli::Cli::command();
    let takes = |c: &&clap::Command| {
        let mut arguments = c.get_arguments();
        arguments.any(|arg| ["contexts", "all_contexts"].contains(&arg.get_id().as_str()))
    };
    let commands = cli.get_subcommands().filter(takes);
    let names: Vec<&str> = commands.map(clap::Command::get_name).collect();
    assert_eq!(
        names,
        ["list", "status", "troubleshoot", "lint", "databases"]
    );
}

/// Neither server answers before both were asked.
#[test]
fn clusters_are_asked_in_parallel() {
    let asked = Arc::new((Mutex::new(0), Condvar::new()));
    let server = || {
        let asked = Arc::clone(&asked);
        Listener::scripted(move |_| {
            let (count, more) = &*asked;
            let mut count = count.lock().unwrap();
            *count += 1;
            more.notify_all();
            let both = more.wait_timeout_while(count, Duration::from_secs(20), |count| *count < 2);
            match both.unwrap().1.timed_out() {
                true => (500, status(500, "InternalError", "asked alone")),
                false => (200, helm_releases(&[onboarding("a", "True", "a")], "")),
            }
        })
    };
    let (one, two) = (server(), server());
    let (one, two) = (one.http(), two.http());
    let told = with(
        &["list", "--all-contexts", "--no-headers"],
        &[("prod", &one, "{}"), ("lab", &two, "{}")],
    );
    let told = told.run();
    assert_eq!(
        (told.code, told.stdout.lines().count()),
        (Some(0), 2),
        "{told}"
    );
}

/// Nobody could see which context a question on the terminal is about.
#[test]
fn no_credential_plugin_asks() {
    let behind = having(vec![onboarding("a", "True", "a")]);
    let prod = Listener::over_tls(&behind);
    let url = prod.https();
    let plugin = |script: &str, mode: &str| {
        format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: /bin/sh, args: ['-c', '{script}'], interactiveMode: {mode}}}}}"
        )
    };
    let asks = plugin("exit 0", "Always");
    let may = plugin("echo $KUBERNETES_EXEC_INFO >&2; exit 1", "IfAvailable");
    let told = with(
        &["list", "--contexts", "prod,lab,dark"],
        &[
            ("prod", &url, "{}"),
            ("lab", &url, &asks),
            ("dark", &url, &may),
        ],
    );
    assert_snapshot!(told.run(), @r#"
    exit 1
    stdout:
    CONTEXT   NAME   DATABASE   READY   AGE         STATUS
    prod      a      pds_a      True    <unknown>   ready
    stderr:
    lab: error: the credential plugin "/bin/sh" must ask you, and several contexts are asked at once
    lab: hint: ask this context alone, with --context
    dark: error: cannot get credentials: the credential plugin /bin/sh ended with exit status: 1: {"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}}
    dark: hint: check the user in the kubeconfig, and log in again: kubectl auth whoami --context dark
    "#);
}

#[test]
fn a_status_has_a_line_for_each_cluster_and_the_worst_first() {
    let words = ["status", "--no-exec", "--contexts", "prod,dark,lab"];
    assert_snapshot!(fleet(&words), @"
    exit 3
    stdout:
    CONTEXT   ONBOARDINGS             DATABASES   FOUND
    prod      2: 1 ready, 1 failing   not known   1 error in what was read; 10 parts were not read, so more may be wrong
    dark      <unknown>               <unknown>   not read: The connection to the server DARK was refused - did you specify the right host or port?
    lab       2: 2 ready              not known   1 error, 1 warning in what was read; 9 parts were not read, so more may be wrong

    CONTEXT   SEVERITY   CAUSE
    lab       error      2 onboardings: 2 onboardings claim the database pds_c (SKVS302)
    prod      error      skvs-onboarding-pds--b: it fails for an unknown reason (SKVS900)
    lab       warning    skvs-onboarding-pds--b: its name implies another database than pds_c, the one in its values (SKVS160)
    stderr:
    dark: The connection to the server DARK was refused - did you specify the right host or port?
    hint: evidence and what to do, for the cluster with the most errors: kubectl skvs troubleshoot --no-exec --context prod
    hint: what was not read, for the first such cluster: kubectl skvs status --no-exec --context prod
    ");
    let told = fleet(&[&words[..], &["-o", "json"]].concat());
    let list: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(list["kind"], "StatusList");
    let of = |at: usize| (&list["items"][at]["context"], &list["items"][at]["kind"]);
    assert_eq!(of(0), (&json!("prod"), &json!("Status")));
    assert_eq!(of(1), (&json!("lab"), &json!("Status")));
    assert_eq!(list["notRead"][0]["context"], "dark");
}

#[test]
fn a_report_is_about_one_cluster_and_its_commands_lead_there() {
    let words = ["troubleshoot", "--no-exec", "--contexts", "prod,dark,lab"];
    let told = fleet(&words);
    assert_eq!(told.code, Some(3), "{told}");
    let (prod, lab) = told.stdout.split_once("\nContext lab\n").unwrap();
    assert!(prod.starts_with("Context prod\n"), "{told}");
    for (report, context) in [(prod, "prod"), (lab, "lab")] {
        let leads = format!(" --context {context}");
        let commands = report.lines().map(str::trim);
        let mut commands = commands.filter(|l| l.starts_with("kubectl ") || l.starts_with("flux "));
        assert!(commands.all(|command| command.contains(&leads)), "{told}");
        assert!(report.contains(&leads), "{told}");
    }
    let told = fleet(&[&words[..], &["-o", "yaml"]].concat());
    assert!(
        told.stdout.contains("kind: TroubleshootReportList\n"),
        "{told}"
    );
    let named = fleet(&[
        "troubleshoot",
        "pds--c",
        "--no-exec",
        "--contexts",
        "prod,lab",
    ]);
    assert!(named.stdout.starts_with("Context lab\n"), "{named}");
    assert!(!named.stderr.contains("not found"), "{named}");
    let refused = fleet(&["troubleshoot", "-o", "sarif", "--contexts", "prod"]);
    assert_snapshot!(refused, @"
    exit 2
    stderr:
    error: -o github, -o sarif and -o html are about one cluster; run them once for each context
    ");
}

/// Without CouchDB: what is found there is tested with a cluster.
#[test]
fn databases_of_a_cluster_without_couchdb_are_an_error_of_its_context() {
    assert_snapshot!(fleet(&["databases", "--contexts", "prod,dark"]), @r"
    exit 1
    stderr:
    prod: Error from server (NotFound): not here
    dark: The connection to the server DARK was refused - did you specify the right host or port?
    ");
}

/// A server that refuses to say anything about HelmReleases.
fn refusing() -> Listener {
    Listener::answering(403, &status(403, "Forbidden", "no `<img src=x>` @everyone"))
}

/// Contexts `prod`, which has an onboarding in trouble, and `lab` on this server.
fn beside(words: &[&str], lab: &Listener) -> Run {
    let prod = having(vec![onboarding("skvs-onboarding-pds--b", "False", "b")]);
    let (prod, lab) = (prod.http(), lab.http());
    with(words, &[("prod", &prod, "{}"), ("lab", &lab, "{}")])
}

#[test]
fn a_reader_that_goes_away_does_not_take_the_verdict() {
    for (words, code) in [
        (
            &["troubleshoot", "--no-exec", "--contexts", "prod,lab"][..],
            3,
        ),
        (
            &[
                "troubleshoot",
                "--no-exec",
                "--contexts",
                "prod,lab",
                "-o",
                "json",
            ],
            3,
        ),
        (&["list", "pds--b", "nope", "--contexts", "prod,lab"], 1),
        (&["list", "pds--b", "nope"], 1),
    ] {
        let told = beside(words, &having(Vec::new())).run_without_reader();
        assert_eq!(told.code, Some(code), "{words:?}: {told}");
    }
}

/// An answer about one name is missing: the document says so, and not only stderr.
#[test]
fn a_document_names_the_contexts_that_do_not_say_whether_a_name_exists() {
    for words in [
        &["list", "pds--b", "--contexts", "prod,lab", "-o", "json"][..],
        &[
            "troubleshoot",
            "pds--b",
            "--no-exec",
            "--contexts",
            "prod,lab",
            "-o",
            "json",
        ],
    ] {
        let told = beside(words, &refusing()).run();
        let list: Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!(list["notRead"][0]["context"], "lab", "{told}");
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{told}");
    }
}

/// A HelmRelease that is none: its cluster was not read, in text as in JSON.
#[test]
fn a_cluster_with_nothing_readable_is_not_left_out() {
    let broken = || {
        having(vec![
            json!({"kind": "HelmRelease", "metadata": {"name": "skvs-onboarding-pds--x", "namespace": "flux-system"},
        "spec": "x"}),
        ])
    };
    let words = ["troubleshoot", "--no-exec", "--contexts", "prod,lab"];
    let told = beside(&words, &broken()).run();
    assert!(told.stdout.contains("\nContext lab\nnot read: "), "{told}");
    let told = beside(&[&words[..], &["-o", "json"]].concat(), &broken()).run();
    let list: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(list["notRead"][0]["context"], "lab", "{told}");
}

#[test]
fn markdown_has_a_heading_for_each_context_and_no_markup_of_a_cluster() {
    let words = [
        "troubleshoot",
        "--no-exec",
        "--contexts",
        "lab",
        "-o",
        "markdown",
    ];
    assert_snapshot!(beside(&words, &refusing()).run(), @"
    exit 1
    stdout:
    ## `lab`

    Not read: no `` `<img `` `` src=x>` `` `@everyone`
    stderr:
    lab: Error from server (Forbidden): no `<img src=x>` @everyone
    ");
    let words = [
        "troubleshoot",
        "--no-exec",
        "--contexts",
        "prod,lab",
        "-o",
        "markdown",
    ];
    let told = beside(&words, &refusing()).run();
    assert!(told.stdout.starts_with("## `prod`\n\n"), "{told}");
    assert!(told.stdout.contains("\n\n## `lab`\n\nNot read: "), "{told}");
}

#[test]
fn an_order_that_fails_hides_no_clusters_error() {
    let words = [
        "list",
        "--contexts",
        "prod,dark",
        "--sort-by",
        ".spec.values",
    ];
    let told = fleet(&words);
    assert_eq!(told.code, Some(1), "{told}");
    assert!(
        told.stderr.contains("dark: The connection to the server"),
        "{told}"
    );
}
