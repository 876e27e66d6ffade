//! The connection flags against the real API server: what reaches it and what it answers.

use crate::harness::{Skvs, skvs};
use serde_json::Value;
use testbed::Sandbox;

#[test]
fn a_certificate_for_another_name_is_a_tls_failure() {
    let stderr = skvs(["list", "--tls-server-name", "wrong.example"])
        .run()
        .failed(1);
    assert!(
        stderr.starts_with("Unable to connect to the server: 127.0.0.1:"),
        "{stderr}"
    );
    assert!(
        stderr.contains(": tls: ") && stderr.contains("wrong.example"),
        "{stderr}"
    );
    assert!(
        stderr.contains("hint: check certificate-authority and tls-server-name"),
        "{stderr}"
    );
    let name = ["list", "-o", "name", "--tls-server-name", "localhost"];
    assert!(
        skvs(name)
            .run()
            .ok()
            .contains("skvs-onboarding-golf--sessions")
    );
}

#[test]
fn an_authority_that_did_not_sign_is_a_tls_failure_unless_the_check_is_off() {
    let sandbox = Sandbox::shared();
    // A server and a token without a kubeconfig: the system's authorities do not know the sandbox's.
    let server = format!("--server={}", sandbox.server());
    let args = [
        "list",
        "-o",
        "name",
        "--kubeconfig=/dev/null",
        &server,
        "--token=admintoken",
    ];
    let stderr = skvs(args).run().failed(1);
    assert!(stderr.contains(": tls: "), "{stderr}");
    let ca = format!(
        "--certificate-authority={}",
        sandbox.certificate_authority().display()
    );
    let told = skvs(args.into_iter().chain([ca.as_str()])).run().failed(1);
    assert!(
        told.starts_with("error: You must be logged in to the server"),
        "{told}"
    );
    let told = skvs(args.into_iter().chain(["--insecure-skip-tls-verify"]))
        .run()
        .failed(1);
    assert!(
        told.starts_with("error: You must be logged in to the server"),
        "{told}"
    );
}

#[test]
fn a_wrong_token_is_told_as_kubectl_tells_it() {
    let stderr = skvs(["list", "--token", "expired"]).run().failed(1);
    assert!(
        stderr.starts_with("error: You must be logged in to the server (Unauthorized)\nhint: "),
        "{stderr}"
    );
    assert!(
        !stderr.contains("expired\n") && stderr.contains("kubectl auth whoami"),
        "{stderr}"
    );
}

#[test]
fn impersonation_reaches_the_server_whole() {
    let uid = "00000000-1111-2222-3333-444444444444";
    let args = [
        "list",
        "-o",
        "name",
        "--as",
        "jane",
        "--as-group",
        "system:masters",
        "--as-group",
        "oncall",
        "--as-uid",
        uid,
    ];
    assert!(
        skvs(args)
            .run()
            .ok()
            .contains("skvs-onboarding-golf--sessions")
    );
    let as_jane = testbed::wait(
        "the audit log to name jane",
        std::time::Duration::from_secs(10),
        || {
            let log = std::fs::read_to_string(Sandbox::shared().audit_log()).ok()?;
            log.lines()
                .filter_map(|l| serde_json::from_str::<Value>(l).ok())
                .find(|e| e["impersonatedUser"]["username"] == "jane")
        },
    )
    .expect("the API server writes its audit log");
    assert_eq!(as_jane["impersonatedUser"]["uid"], uid);
    assert_eq!(
        as_jane["impersonatedUser"]["groups"]
            .as_array()
            .map(Vec::len),
        Some(3),
        "{as_jane}"
    );
    assert_eq!(
        as_jane["userAgent"],
        concat!("kubectl-skvs/", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_list_of_kubeconfigs_is_merged_and_a_missing_one_skipped() {
    let sandbox = Sandbox::shared();
    let list = std::env::join_paths([
        std::path::Path::new("/nonexistent/config"),
        sandbox.kubeconfig(),
        sandbox.old_cluster().kubeconfig(),
    ])
    .expect("paths without a colon");
    let list = std::path::PathBuf::from(list);
    let first = Skvs::with(&list, ["list", "-o", "name"]).run().ok();
    assert!(first.contains("skvs-onboarding-golf--sessions"), "{first}");
    // Both files call their user admin: the first one's is meant, so only the contexts can tell that both were read.
    let told = Skvs::with(&list, ["list", "--context", "neither"])
        .run()
        .failed(1);
    assert!(told.contains("contexts: sandbox, old"), "{told}");
}
