//! `list` on answers that a real API server gives only under load: lost places, silence, lists of two moments.

use crate::run::skvs;
use crate::server::{Listener, helm_releases, status};
use insta::assert_snapshot;
use serde_json::{Value, json};

/// A HelmRelease in flux-system.
fn onboarding(name: &str, version: &str, spec: &Value) -> Value {
    json!({"kind": "HelmRelease", "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "metadata": {"name": name, "namespace": "flux-system", "resourceVersion": version}, "spec": spec})
}

fn named(names: &[(&str, &str)]) -> String {
    let items: Vec<Value> = names
        .iter()
        .map(|(name, version)| onboarding(name, version, &json!({})))
        .collect();
    helm_releases(&items, "")
}

/// A watch ends only when it is told to: here by a login that has expired.
fn logged_out() -> String {
    status(401, "Unauthorized", "Unauthorized")
}

#[test]
fn a_watch_that_lost_its_place_tells_only_what_is_new_and_what_is_gone() {
    let lost =
        json!({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}});
    let server = Listener::in_turn(&[
        (
            200,
            &named(&[("same", "1"), ("changed", "2"), ("gone", "3")]),
        ),
        (200, &format!("{lost}\n")),
        (
            200,
            &named(&[("same", "1"), ("changed", "8"), ("new", "9")]),
        ),
        (401, &logged_out()),
    ]);
    let told = skvs(&["list", "-w", "-o", "name"])
        .user(&server.http(), "{}")
        .run();
    assert_snapshot!(told, @r"
    exit 1
    stdout:
    helmrelease.helm.toolkit.fluxcd.io/same
    helmrelease.helm.toolkit.fluxcd.io/changed
    helmrelease.helm.toolkit.fluxcd.io/gone
    helmrelease.helm.toolkit.fluxcd.io/changed
    helmrelease.helm.toolkit.fluxcd.io/new
    stderr:
    Warning: 1 onboarding deleted while the watch was interrupted: flux-system/gone
    error: You must be logged in to the server (Unauthorized)
    hint: the token or certificate is missing, wrong or expired; log in again, then: kubectl auth whoami --context here
    ");
    assert!(
        server.requests()[1].contains("&timeoutSeconds=300&resourceVersion=9"),
        "{:?}",
        server.requests()
    );
}

#[test]
fn a_watch_that_is_never_answered_ends() {
    let server = Listener::then_silent(&named(&[("a", "1")]));
    let run = skvs(&["list", "-w", "-o", "name", "--request-timeout=1s"]).server(&server.http());
    assert_snapshot!(run.run(), @r"
    exit 1
    stdout:
    helmrelease.helm.toolkit.fluxcd.io/a
    stderr:
    Unable to connect to the server: SERVER: no answer within 1s
    hint: a longer wait: --request-timeout=2m
    ");
}

#[test]
fn a_token_that_is_too_old_begins_the_list_again() {
    let expired = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 410, "reason": "Expired",
        "message": "too old", "metadata": {"continue": "from a later moment"}});
    let claims = json!({"values": {"namespace": "pds", "database": "database"}});
    let of = |name: &str| onboarding(name, "1", &claims);
    for (format, rows) in [("name", 2), ("table", 4)] {
        let server = Listener::in_turn(&[
            (200, &helm_releases(&[of("a"), of("gone")], "old")),
            (410, &expired.to_string()),
            (200, &helm_releases(&[of("a")], "new")),
            (200, &helm_releases(&[of("b")], "")),
        ]);
        let told = skvs(&["list", "-o", format]).server(&server.http()).run();
        assert_eq!(told.code, Some(0), "{told}");
        // What was shown by then stays; who shares a database is what the second list says.
        assert_eq!(told.stdout.lines().count(), rows, "{told}");
        assert_eq!(
            told.stderr,
            "Warning: 2 onboardings claim the database pds_database: a, b\n"
        );
        let asked = server.requests();
        assert!(!asked[2].contains("continue=") && asked[3].contains("continue=new"));
        assert_eq!(asked.len(), 4);
    }
}

#[test]
fn rows_that_cannot_be_judged_are_told() {
    let from =
        json!({"values": {"namespace": "pds"}, "valuesFrom": [{"kind": "Secret", "name": "s"}]});
    let server = Listener::answering(200, &helm_releases(&[onboarding("a", "1", &from)], ""));
    let told = skvs(&["list", "--database", "pds_database"])
        .server(&server.http())
        .run();
    assert_snapshot!(told, @r"
    exit 0
    stderr:
    No resources found in flux-system namespace.
    hint: 1 onboarding was left out by the filters
    Warning: 1 onboarding left out that may match, since valuesFrom is not read: a
    ");
}

#[test]
fn a_name_and_a_selector_exclude_each_other() {
    assert_snapshot!(skvs(&["list", "a", "-l", "team=x"]).run(), @r"
    exit 2
    stderr:
    error: name cannot be provided when a selector is specified
    ");
}

#[test]
fn a_named_onboarding_is_filtered_and_its_database_shared() {
    let claims = json!({"values": {"namespace": "pds", "database": "database"}});
    let of = |name: &str| onboarding(name, "1", &claims);
    // One GET by name, one list.
    let (one, all) = (of("a").to_string(), helm_releases(&[of("a"), of("b")], ""));
    let server = Listener::scripted(move |path| {
        let body = if path.contains("/helmreleases/a") {
            &one
        } else {
            &all
        };
        (200, body.clone())
    });
    let told = skvs(&["list", "a", "--no-headers"])
        .server(&server.http())
        .run();
    assert_snapshot!(told, @r"
    exit 0
    stdout:
    a     pds_database   Unknown   <unknown>   SHARED: no answer from Flux yet
    stderr:
    Warning: 2 onboardings claim the database pds_database: a, b
    ");
    let told = skvs(&["list", "a", "--failed"])
        .server(&server.http())
        .run();
    assert_snapshot!(told, @r"
    exit 0
    stderr:
    No resources found in flux-system namespace.
    hint: 1 onboarding was left out by the filters
    ");
    let other = skvs(&["list", "a", "-o", "name", "-v", "6"])
        .server(&server.http())
        .run();
    assert_eq!(other.stderr.lines().count(), 1, "one request: {other}");
}

/// A HelmRelease that installs the onboarding chart.
#[test]
fn what_o_name_printed_is_a_name() {
    let server = Listener::answering(200, &onboarding("a", "1", &json!({})).to_string());
    for name in ["hr/a", "helmrelease.helm.toolkit.fluxcd.io/a"] {
        let told = skvs(&["list", name, "-o", "name"])
            .server(&server.http())
            .run();
        assert_eq!(
            (told.code, told.stdout.as_str()),
            (Some(0), "helmrelease.helm.toolkit.fluxcd.io/a\n"),
            "{told}"
        );
    }
    let paths = server.requests();
    assert!(
        paths.iter().all(|p| p.contains("/helmreleases/a")),
        "{paths:?}"
    );
}

fn not_found(name: &str) -> String {
    json!({"kind": "Status", "code": 404, "reason": "NotFound",
        "message": format!("helmreleases.helm.toolkit.fluxcd.io \"{name}\" not found"), "details": {"name": name}})
    .to_string()
}

#[test]
fn a_database_and_a_name_without_its_prefix_are_names() {
    let of = |name: &str, database: &str| {
        onboarding(
            name,
            "1",
            &json!({"values": {"namespace": "pds", "database": database}}),
        )
    };
    let all = helm_releases(
        &[
            of("skvs-onboarding-a", "one"),
            of("skvs-onboarding-b", "one"),
            of("c", "two"),
        ],
        "",
    );
    let server = Listener::scripted(move |path| match path.contains("/helmreleases/") {
        true => (404, not_found("x")),
        false => (200, all.clone()),
    });
    let told = |words: &[&str]| {
        skvs(&[&["list", "-o", "name"], words].concat())
            .server(&server.http())
            .run()
    };
    let (a, b) = (
        "helmrelease.helm.toolkit.fluxcd.io/skvs-onboarding-a\n",
        "helmrelease.helm.toolkit.fluxcd.io/skvs-onboarding-b\n",
    );
    assert_eq!(told(&["a"]).stdout, a);
    // All that claim it: each is what was asked for.
    assert_eq!(told(&["pds_one"]).stdout, format!("{a}{b}"));
    let partly = told(&["b", "nothing"]);
    assert_eq!((partly.code, partly.stdout.as_str()), (Some(1), b));
    assert!(
        partly.stderr.contains("\"nothing\" not found\n"),
        "{partly}"
    );
}

/// A hint pasted later asks the same cluster as the same user, and holds no token.
#[test]
fn a_hints_command_repeats_the_flags_that_were_given_and_no_token() {
    let all = helm_releases(&[onboarding("a", "1", &json!({}))], "");
    let server = Listener::in_turn(&[(404, &not_found("nothing")), (200, &all)]);
    let flags = ["-o", "name", "--as", "a b", "--token", "sesame"];
    let told = skvs(&[&["list", "nothing"], &flags[..]].concat())
        .server(&server.http())
        .run();
    assert!(
        told.stderr.ends_with("\nhint: list all of them (with --token as before): kubectl skvs list -A --context here --as 'a b'\n"),
        "{told}"
    );
    assert!(!told.to_string().contains("sesame"), "{told}");
}

#[test]
fn the_worst_come_first_on_request() {
    let of = |name: &str, ready: &str| {
        let mut object = onboarding(name, "1", &json!({}));
        object["status"] = json!({"conditions": [{"type": "Ready", "status": ready}]});
        object
    };
    let all = [
        of("a", "True"),
        of("b", "Unknown"),
        of("c", "False"),
        of("d", "False"),
    ];
    let server = Listener::answering(200, &helm_releases(&all, ""));
    let told = |words: &[&str]| {
        skvs(&[&["list", "--failed-first"], words].concat())
            .server(&server.http())
            .run()
    };
    let names = told(&["-o", "jsonpath={.items[*].metadata.name}"]);
    assert_eq!(names.stdout, "c d b a");
    let table = told(&["--no-headers"]).stdout;
    let names = table.lines().map(|l| &l[..1]);
    assert_eq!(names.collect::<String>(), "cdba");
    let both = told(&["--sort-by", ".metadata.name"]);
    assert_eq!(both.code, Some(2), "{both}");
}

#[test]
fn labels_are_columns_and_formats_of_kubectl_alone_are_refused() {
    let mut object = onboarding("a", "1", &json!({}));
    object["metadata"]["labels"] = json!({"x.io/team": "pds", "app": "b"});
    let server = Listener::answering(200, &helm_releases(&[object], ""));
    let told = |words: &[&str]| {
        skvs(&[&["list"], words].concat())
            .server(&server.http())
            .run()
    };
    assert_eq!(
        told(&["-L", "x.io/team,none", "-L", "app", "--show-labels"]).stdout,
        "NAME   DATABASE   READY     AGE         STATUS                    TEAM   NONE   APP   LABELS\n\
         a      <none>     Unknown   <unknown>   no answer from Flux yet   pds           b     app=b,x.io/team=pds\n"
    );
    let refused = |words: &[&str]| {
        let told = told(words);
        assert_eq!((told.code, told.stdout.as_str()), (Some(2), ""), "{told}");
        told.stderr
    };
    assert_eq!(
        refused(&["--show-labels", "-o", "json"]),
        "error: --show-labels option cannot be used with json printer\n"
    );
    assert_eq!(
        refused(&["-o", "go-template={{.items}}"]),
        "error: the output format go-template is not supported, use jsonpath=TEMPLATE\n"
    );
}

#[test]
fn only_shared_databases_that_are_shown_are_warned_of() {
    let of = |name: &str, database: &str| {
        let values = json!({"namespace": "pds", "database": database});
        onboarding(name, "1", &json!({"values": values}))
    };
    let all = [
        of("a", "one"),
        of("b", "one"),
        of("c", "two"),
        of("d", "three"),
        of("e", "three"),
    ];
    let server = Listener::answering(200, &helm_releases(&all, ""));
    for format in ["name", "table"] {
        let told = |filter: &str| {
            skvs(&["list", "--database", filter, "-o", format])
                .server(&server.http())
                .run()
        };
        assert_eq!(told("pds_two").stderr, "", "{format}");
        assert_eq!(
            told("pds_one").stderr,
            "Warning: 2 onboardings claim the database pds_one: a, b\n",
            "{format}"
        );
    }
}

fn unlabelled(name: &str) -> Value {
    let chart = json!({"spec": {"chart": "secure-kvs-onboarding"}});
    onboarding(name, "1", &json!({"chart": chart}))
}

#[test]
fn onboardings_without_the_label_are_named() {
    let lists = [
        helm_releases(&[], ""),
        helm_releases(&[unlabelled("a"), unlabelled("b")], ""),
    ];
    for (words, line) in [
        (["list"], "No resources found in flux-system namespace."),
        (
            ["troubleshoot"],
            "No onboardings found in flux-system namespace.",
        ),
    ] {
        let server = Listener::in_turn(&[(200, &lists[0]), (200, "{}"), (200, &lists[1])]);
        let told = skvs(&words).server(&server.http()).run();
        assert_eq!(
            told.stderr,
            format!(
                "{line}\nhint: these HelmReleases install the onboarding chart and lack the label app.kubernetes.io/part-of=secure-kvs-onboarding: a, b\n"
            )
        );
    }
}

#[test]
fn what_a_selector_left_out_does_not_lack_the_label() {
    let server = Listener::in_turn(&[
        (200, &helm_releases(&[], "")),
        (200, &helm_releases(&[unlabelled("a")], "")),
    ]);
    let told = skvs(&["list", "-l", "team=nobody"])
        .server(&server.http())
        .run();
    assert_eq!(
        told.stderr,
        "No resources found in flux-system namespace.\n"
    );
}
