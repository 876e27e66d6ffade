//! `-o html`: one file for a ticket.

use crate::run::skvs;
use crate::server::Listener;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/three-of-four-fail");

/// An onboarding whose text would be markup.
const HOSTILE: &str = "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: '<b>x', namespace: flux-system, uid: u, generation: 1, labels: {app.kubernetes.io/part-of: secure-kvs-onboarding}}
spec:
  chart: {spec: {chart: '</title><script>alert(1)</script>', sourceRef: {kind: HelmRepository, name: '\"><img src=x>'}}}
  values: {namespace: '</pre>', database: b}
status:
  observedGeneration: 1
  conditions:
  - {type: Ready, status: 'False', reason: InstallFailed, message: \"</style><script src=//evil.example></script> ' onload=x\"}
";

#[test]
fn a_report_is_one_whole_file() {
    let told = skvs(&["troubleshoot", "-f", EXAMPLE, "-o", "html"]).run();
    let json = skvs(&["troubleshoot", "-f", EXAMPLE, "-o", "json"]).run();
    assert_eq!(
        (told.code, told.stderr.as_str()),
        (Some(3), json.stderr.as_str()),
        "{told}"
    );
    for part in [
        "<p class=\"scene\">context sandbox, https://127.0.0.1:8443, 2026-11-27 14:08 UTC</p>",
        concat!("kubectl-skvs ", env!("CARGO_PKG_VERSION")),
        "<span class=\"state\">broken: <a href=\"#cause-",
        "curl: (22) The requested URL returned error: 412",
        "<pre>kubectl skvs delete-db orders_basket --dry-run --context sandbox</pre>",
        "only the saved files were read",
    ] {
        assert!(told.stdout.contains(part), "{part} in\n{told}");
    }
    assert!(told.stdout.starts_with("<!doctype html>\n"), "{told}");
    assert!(told.stdout.ends_with("</html>\n"), "{told}");
    assert_eq!(
        told.stdout.matches("<ol class=\"chain\"").count(),
        4,
        "{told}"
    );
    // Each cause is there, whatever the text leaves to its overview.
    for code in ["SKVS101", "SKVS201", "SKVS301"] {
        let mark = format!("<span class=\"mark\">error {code}</span>");
        assert!(told.stdout.contains(&mark), "{code} in\n{told}");
    }
}

#[test]
fn cluster_text_is_no_markup() {
    let run = skvs(&["troubleshoot", "-f", "a.yaml", "-o", "html"]);
    run.file("a.yaml", HOSTILE);
    let told = run.run();
    assert_eq!(told.code, Some(3), "{told}");
    assert!(
        told.stdout.contains("&lt;script src=//evil.example&gt;"),
        "{told}"
    );
    for markup in ["<script", "<img", "<b>x", "</pre>_b"] {
        assert!(!told.stdout.contains(markup), "{markup} in\n{told}");
    }
}

#[test]
fn an_ignored_cause_still_breaks_its_link() {
    let words = ["troubleshoot", "orders_basket", "-f", EXAMPLE, "-o", "html"];
    let told = skvs(&[&words[..], &["--ignore", "SKVS301"]].concat()).run();
    assert!(told.stdout.contains("broken: SKVS301 (ignored)"), "{told}");
    assert!(!told.stdout.contains("href=\"#cause-"), "{told}");
}

#[test]
fn a_named_onboarding_that_is_not_there_is_in_the_file() {
    let words = [
        "troubleshoot",
        "rides_trips",
        "nobody_there",
        "-f",
        EXAMPLE,
        "-o",
        "html",
    ];
    let told = skvs(&words).run();
    assert!(told.stdout.contains("nobody_there"), "{told}");
    assert!(told.stderr.contains("nobody_there"), "{told}");
}

#[test]
fn a_status_is_no_stream_of_files() {
    let server = Listener::answering(500, "");
    let told = skvs(&["status", "-w", "-o", "html"])
        .server(&server.http())
        .run();
    assert_eq!((told.code, told.stdout.as_str()), (Some(2), ""), "{told}");
    assert!(
        told.stderr.contains("a watch prints text, json or yaml"),
        "{told}"
    );
}
