//! From the kubeconfig to the API server: each way to fail has one clear sentence.

use crate::run::skvs;
use crate::server::{Listener, helm_releases, nobody, status};
use insta::assert_snapshot;

const EMPTY_LIST: &str = r#"{"kind": "HelmReleaseList", "apiVersion": "helm.toolkit.fluxcd.io/v2", "metadata": {"resourceVersion": "1"}, "items": []}"#;

#[test]
fn no_kubeconfig_and_no_pod() {
    assert_snapshot!(skvs(&["list"]).run(), @r"
    exit 1
    stderr:
    error: no kubeconfig was found, and this is not a pod of a cluster
    hint: set KUBECONFIG or give --kubeconfig FILE
    hint: kubectl's own view: kubectl config view
    ");
}

#[test]
fn a_kubeconfig_that_is_not_there() {
    assert_snapshot!(skvs(&["list", "--kubeconfig", "gone"]).run(), @r"
    exit 1
    stderr:
    error: kubeconfig gone: no such file or directory
    ");
}

#[test]
fn a_certificate_that_is_not_there() {
    for (flag, what) in [
        ("--certificate-authority", "certificate authority"),
        ("--client-certificate", "client certificate"),
        ("--client-key", "client key"),
    ] {
        let told = skvs(&["list", flag, "/nope"])
            .server("https://127.0.0.1:9")
            .run();
        assert_eq!(
            told.stderr,
            format!("error: kubeconfig: {what} /nope: no such file or directory\n"),
            "{told}"
        );
    }
}

#[test]
fn a_kubeconfig_that_cannot_be_read() {
    let run = skvs(&["list", "--kubeconfig", "torn"]);
    run.file("torn", "contexts: [");
    let told = run.run();
    assert_eq!(told.code, Some(1));
    assert!(
        told.stderr.starts_with("error: kubeconfig torn: "),
        "{told}"
    );
    assert!(!told.stderr.contains("Error("), "{told}");
}

#[test]
fn a_missing_file_of_a_list_is_skipped() {
    let server = Listener::answering(200, EMPTY_LIST);
    let run = skvs(&["list"]).server(&server.http());
    let told = run.env("KUBECONFIG", "gone:.kube/config").run();
    assert_eq!(told.code, Some(0), "{told}");
    assert_eq!(
        told.stderr,
        "No resources found in flux-system namespace.\n"
    );
}

/// Another file's context would lead to another cluster.
#[test]
fn a_file_of_a_list_that_cannot_be_looked_at_is_an_error() {
    let server = Listener::answering(200, EMPTY_LIST);
    for (file, why) in [
        ("plain/config", "not a directory"),
        ("loop", "too many levels of symbolic links"),
    ] {
        let run = skvs(&["list"]).server(&server.http());
        let plain = run.file("plain", "");
        let link = plain.with_file_name("loop");
        std::os::unix::fs::symlink(&link, &link).unwrap();
        let list = format!("{file}:.kube/config");
        let told = run.env("KUBECONFIG", &list).run();
        assert_eq!(told.code, Some(1), "{told}");
        assert_eq!(
            told.stderr.lines().next(),
            Some(&*format!("error: kubeconfig {file}: {why}")),
            "{told}"
        );
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn an_empty_current_context_leaves_the_choice_to_the_next_file() {
    let server = Listener::answering(200, EMPTY_LIST);
    let run = skvs(&["list"]).server(&server.http());
    run.file(
        "first",
        "apiVersion: v1\nkind: Config\ncurrent-context: \"\"\n",
    );
    let told = run.env("KUBECONFIG", "first:.kube/config").run();
    assert_eq!(
        told.stderr,
        "No resources found in flux-system namespace.\n"
    );
}

#[test]
fn a_list_of_missing_files_is_no_kubeconfig() {
    let told = skvs(&["list"]).env("KUBECONFIG", "gone:lost").run();
    assert!(
        told.stderr.starts_with("error: no kubeconfig was found"),
        "{told}"
    );
}

#[test]
fn unknown_context() {
    let run = skvs(&["list", "--context", "prod-esat"]).server(&nobody());
    assert_snapshot!(run.run(), @r#"
    exit 1
    stderr:
    error: context "prod-esat" does not exist in the kubeconfig
    hint: did you mean prod-east? contexts: here, prod-east, arn:aws:eks:eu:1:cluster/kvs
    "#);
}

#[test]
fn unknown_context_without_a_kubeconfig() {
    assert_snapshot!(skvs(&["list", "--context", "prod"]).run(), @r#"
    exit 1
    stderr:
    error: context "prod" does not exist: there is no kubeconfig
    hint: set KUBECONFIG or give --kubeconfig FILE
    "#);
}

#[test]
fn unknown_user() {
    let run = skvs(&["list", "--user", "you"]).server(&nobody());
    assert_snapshot!(run.run(), @r#"
    exit 1
    stderr:
    error: user "you" does not exist in the kubeconfig
    hint: users: me
    "#);
}

#[test]
fn an_authority_that_would_not_be_used_is_refused_before_a_connection() {
    let server = Listener::silent();
    let run = skvs(&["list"]).cluster(
        &server.https(),
        "certificate-authority-data: QQ==, insecure-skip-tls-verify: true",
    );
    assert_snapshot!(run.run(), @r"
    exit 1
    stderr:
    error: specifying a root certificates file with the insecure flag is not allowed
    hint: remove insecure-skip-tls-verify or certificate-authority from the cluster in the kubeconfig: kubectl config view --minify
    ");
    let run = skvs(&[
        "list",
        "--insecure-skip-tls-verify",
        "--certificate-authority",
        "ca",
    ])
    .server(&server.https());
    assert_snapshot!(run.run(), @r"
    exit 1
    stderr:
    error: specifying a root certificates file with the insecure flag is not allowed
    hint: give --certificate-authority or --insecure-skip-tls-verify, not both
    ");
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_refused_connection() {
    assert_snapshot!(skvs(&["list"]).server(&nobody()).run(), @r"
    exit 1
    stderr:
    The connection to the server SERVER was refused - did you specify the right host or port?
    ");
}

#[test]
fn a_host_without_an_address() {
    let told = skvs(&["list"])
        .server("https://no-such-host.invalid:6443")
        .run();
    assert_eq!(told.code, Some(1));
    assert!(
        told.stderr
            .starts_with("Unable to connect to the server: SERVER: "),
        "{told}"
    );
}

#[test]
fn a_server_without_tls() {
    let server = Listener::without_tls();
    assert_snapshot!(skvs(&["list"]).server(&server.https()).run(), @r"
    exit 1
    stderr:
    Unable to connect to the server: SERVER: tls: the server does not speak TLS on this port
    hint: is the port right? kubectl config view --minify
    ");
}

#[test]
fn a_server_that_never_answers() {
    let server = Listener::silent();
    let run = skvs(&["list", "--request-timeout=1s"]).server(&server.http());
    assert_snapshot!(run.run(), @r"
    exit 1
    stderr:
    Unable to connect to the server: SERVER: no answer within 1s
    hint: a longer wait: --request-timeout=2m
    ");
}

#[test]
fn a_server_that_never_answers_a_deletion() {
    let server = Listener::silent();
    let run =
        skvs(&["delete-db", "a_b", "--dry-run", "--request-timeout=1s"]).server(&server.http());
    assert_snapshot!(run.run(), @r"
    exit 1
    stderr:
    Unable to connect to the server: SERVER: no answer within 1s
    hint: a longer wait: --request-timeout=2m
    ");
}

#[test]
fn a_server_that_never_shakes_hands() {
    let server = Listener::silent();
    let run = skvs(&["list", "--request-timeout=1s"]).server(&server.https());
    assert_snapshot!(run.run(), @r"
    exit 1
    stderr:
    Unable to connect to the server: SERVER: no answer within 1s
    hint: a longer wait: --request-timeout=2m
    ");
}

#[test]
fn an_expired_token() {
    let server = Listener::answering(401, &status(401, "Unauthorized", "Unauthorized"));
    let tls = Listener::over_tls(&server);
    let run = skvs(&["list"]).unchecked(&tls.https(), "{token: sesame}");
    assert_snapshot!(run.run(), @r"
    exit 1
    stderr:
    error: You must be logged in to the server (Unauthorized)
    hint: the token or certificate is missing, wrong or expired; log in again, then: kubectl auth whoami --context here
    ");
}

#[test]
fn a_forbidden_list() {
    let message = "helmreleases.helm.toolkit.fluxcd.io is forbidden: User \"dev\" cannot list resource \"helmreleases\" in API group \"helm.toolkit.fluxcd.io\" in the namespace \"flux-system\"";
    let server = Listener::answering(403, &status(403, "Forbidden", message));
    assert_snapshot!(skvs(&["list"]).user(&server.http(), "{}").run(), @r#"
    exit 1
    stderr:
    Error from server (Forbidden): helmreleases.helm.toolkit.fluxcd.io is forbidden: User "dev" cannot list resource "helmreleases" in API group "helm.toolkit.fluxcd.io" in the namespace "flux-system"
    hint: ask for: list helmreleases in flux-system
    "#);
}

#[test]
fn a_cluster_without_flux() {
    let unserved = (404, "404 page not found");
    let groups = r#"{"kind": "APIGroupList", "apiVersion": "v1", "groups": [{"name": "apps"}]}"#;
    let server = Listener::in_turn(&[unserved, unserved, (200, groups)]);
    assert_snapshot!(skvs(&["list"]).server(&server.http()).run(), @r#"
    exit 1
    stderr:
    error: the server doesn't have a resource type "helmreleases.helm.toolkit.fluxcd.io": Flux's helm-controller is not installed on this cluster
    hint: is this the right cluster? kubectl config current-context
    hint: check Flux here: flux check --context here
    "#);
}

/// Any program written in Go answers so; only the list of groups says that an API server does.
#[test]
fn a_plain_404_alone_is_not_a_cluster_without_flux() {
    let server = Listener::answering(404, "404 page not found");
    let told = skvs(&["list"]).server(&server.http()).run();
    assert!(
        told.to_string()
            .contains("is not a Kubernetes API answer: 404 page not found"),
        "{told}"
    );
    assert!(!told.to_string().contains("not installed"), "{told}");
    // Nor does a list of groups that has none.
    let unserved = (404, "404 page not found");
    let none = r#"{"kind": "APIGroupList", "apiVersion": "v1", "groups": []}"#;
    let server = Listener::in_turn(&[unserved, unserved, (200, none)]);
    let told = skvs(&["list"]).server(&server.http()).run();
    assert!(
        told.to_string().contains("an APIGroupList without groups"),
        "{told}"
    );
}

#[test]
fn a_busy_server_is_asked_again_and_then_told() {
    let server = Listener::answering(
        503,
        &status(503, "ServiceUnavailable", "the server is busy"),
    );
    assert_snapshot!(skvs(&["list"]).server(&server.http()).run(), @r"
    exit 1
    stderr:
    Error from server (ServiceUnavailable): the server is busy
    ");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn the_request_log() {
    let server = Listener::answering(200, EMPTY_LIST);
    let told = skvs(&["list", "-v", "6"]).server(&server.http()).run();
    let first = told.stderr.lines().next().unwrap();
    assert!(
        first.starts_with("GET http://SERVER/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases?labelSelector="),
        "{told}"
    );
    assert!(
        first.contains(" 200 OK, ") && first.ends_with(" milliseconds"),
        "{told}"
    );
    assert!(!told.stderr.contains("sesame"), "{told}");
}

/// Go's HTTP client sends it as basic authentication, whatever the user has; nothing else may know it.
#[test]
fn a_login_in_the_servers_url_is_sent_and_never_shown() {
    let server = Listener::answering(200, EMPTY_LIST);
    let with_login = |url: &str| url.replace("://", "://jane:p%40ss1@");
    let hides = |text: &str| {
        for secret in ["jane", "p%40ss1", "p@ss1", "amFuZT"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    };
    let url = with_login(&server.http());
    let run = skvs(&["list", "-v", "6"]).server(&url).run();
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stderr.starts_with("GET http://127.0.0.1:"), "{run}");
    hides(&run.to_string());
    let by_flag = skvs(&["list", "-v", "6", "--token", "t", "--server", &url]).run();
    hides(&by_flag.to_string());
    for head in server.heads() {
        // jane:p@ss1
        assert!(
            head.contains("authorization: Basic amFuZTpwQHNzMQ=="),
            "{head}"
        );
    }
    let folder = tempfile::TempDir::new().unwrap();
    let bundle = folder.path().join("bundle.tar.gz");
    let words = ["capture", "--no-exec", "--to", bundle.to_str().unwrap()];
    let onboarding = serde_json::json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "a", "namespace": "flux-system"}, "spec": {},
    });
    let one = helm_releases(&[onboarding], "");
    let cluster = Listener::scripted(move |path| match path.contains("/helmreleases?") {
        true => (200, one.clone()),
        false => (404, status(404, "NotFound", "not found")),
    });
    let told = skvs(&words).server(&with_login(&cluster.http())).run();
    assert_eq!(told.code, Some(0), "{told}");
    let mut kept = String::new();
    let file = std::fs::File::open(&bundle).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut kept).unwrap();
    assert!(kept.contains("\"server\": \"http://127.0.0.1:"));
    hides(&kept);
    let redirect = "location: https://jane:p%40ss1@login/\r\n";
    let elsewhere = Listener::with_headers(302, redirect, b"");
    for url in [
        nobody(),
        elsewhere.http(),
        "https://jane:p%40ss1@".to_owned(),
    ] {
        let told = skvs(&["list"]).server(&with_login(&url)).run();
        assert_eq!(told.code, Some(1), "{told}");
        hides(&told.stderr);
    }
}

#[test]
fn a_wrong_variable_stops_only_commands_that_look_for_onboardings() {
    let run = |words: &[&str]| skvs(words).env("SKVS_NAMESPACE", "A B").run();
    for words in [
        &["version", "--client"][..],
        &["explain", "SKVS301"],
        &["completion", "bash"],
        &["__complete", "list", ""],
    ] {
        let told = run(words);
        assert_eq!((told.code, &*told.stderr), (Some(0), ""), "{told}");
    }
    let said = "SKVS_NAMESPACE: \"A B\" cannot be the name of a namespace";
    for words in [&["list"][..], &["config"], &["lint"]] {
        let told = run(words);
        let error = format!("error: {said}\n");
        assert_eq!((told.code, told.stderr), (Some(2), error), "{words:?}");
    }
    let told = run(&["doctor"]);
    assert_ne!(told.code, Some(2), "{told}");
    assert!(told.stdout.contains(said), "{told}");
    let told = run(&["list", "-n", "A B"]);
    let said = "error: --namespace: \"A B\" cannot be the name of a namespace\n";
    assert_eq!((told.code, &*told.stderr), (Some(2), said), "{told}");
}

#[test]
fn the_namespace_of_the_environment() {
    let server = Listener::answering(200, EMPTY_LIST);
    let told = skvs(&["list"])
        .server(&server.http())
        .env("SKVS_NAMESPACE", "elsewhere")
        .run();
    assert_eq!(told.stderr, "No resources found in elsewhere namespace.\n");
    // Set to nothing it is not set.
    let told = skvs(&["list"])
        .server(&server.http())
        .env("SKVS_NAMESPACE", "")
        .run();
    assert_eq!(
        told.stderr,
        "No resources found in flux-system namespace.\n"
    );
}
