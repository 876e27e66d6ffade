//! Answers that are not the API server's, or not of the form that was asked for: an error that says who answered, never "none".

use crate::run::{Told, skvs};
use crate::server::{Listener, helm_releases, status};
use insta::assert_snapshot;
use serde_json::{Value, json};

fn onboarding(name: &str) -> Value {
    json!({"kind": "HelmRelease", "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "metadata": {"name": name, "namespace": "flux-system", "uid": "u", "generation": 1},
        "spec": {"chart": {"spec": {"chart": "secure-kvs-onboarding", "sourceRef": {"kind": "HelmRepository", "name": "r"}}},
            "targetNamespace": "core", "values": {"namespace": "pds", "database": "database"}},
        "status": {"observedGeneration": 1, "conditions": [
            {"type": "Ready", "status": "False", "reason": "InstallFailed", "message": "no", "observedGeneration": 1}]}})
}

/// A list in the words that `list` would have of it.
fn malformed(change: impl Fn(&mut Value)) -> String {
    let mut list: Value = serde_json::from_str(&helm_releases(&[], "")).unwrap();
    change(&mut list);
    list.to_string()
}

/// Answers in a list's place, and what is said of them.
fn others() -> Vec<(u16, String, &'static str)> {
    vec![
        (200, "{}".to_owned(), "an empty JSON object"),
        (200, String::new(), "an empty body"),
        (
            200,
            r#"{"message": "no Route matched with those values"}"#.to_owned(),
            "no Route matched with those values",
        ),
        (
            200,
            "<html>\n<head><title>Sign in</title></head>".to_owned(),
            "Sign in",
        ),
        (
            200,
            status(503, "ServiceUnavailable", "try later"),
            "a Status: try later",
        ),
        (
            200,
            malformed(|l| l["items"] = Value::Null),
            "a HelmReleaseList whose items are null",
        ),
        (
            200,
            malformed(|l| l["metadata"]["remainingItemCount"] = 3.into()),
            "a HelmReleaseList that has more items and no continue token",
        ),
        (
            403,
            "<html>\n<body><h1>403 Forbidden</h1></body>".to_owned(),
            "403 Forbidden",
        ),
        (
            403,
            r#"{"Message": "origin not allowed"}"#.to_owned(),
            "origin not allowed",
        ),
        (404, "<html>no such site</html>".to_owned(), "no such site"),
        (
            404,
            r#"{"error": "404 page not found"}"#.to_owned(),
            "404 page not found",
        ),
        (
            401,
            "login first\u{1b}[31m\nnow".to_owned(),
            "login first^[[31m",
        ),
    ]
}

fn never_none(told: &Told) {
    assert_eq!((told.code, told.stdout.as_str()), (Some(1), ""), "{told}");
    for never in [
        "No ",
        "not installed",
        "not found in",
        "(NotFound)",
        "\u{1b}",
    ] {
        assert!(!told.stderr.contains(never), "{never}: {told}");
    }
}

#[test]
fn an_answer_that_is_no_list_says_who_gave_it() {
    for (code, body, said) in others() {
        let server = Listener::answering(code, &body);
        let few = [&["list"][..], &["describe", "a"], &["troubleshoot"]];
        let others = [
            &["list", "-A", "-o", "json"][..],
            &["list", "-w"],
            &["troubleshoot", "a"],
            &["notes", "a"],
        ];
        let others = if body == "{}" { &others[..] } else { &[] };
        for words in few.iter().chain(others) {
            let asked = server.requests().len();
            let told = skvs(words).server(&server.http()).run();
            never_none(&told);
            let said = if words.contains(&"a") && code == 200 {
                // One object, not a list.
                format!("error: HTTP {code} from SERVER is not a Kubernetes API answer: ")
            } else {
                format!("error: HTTP {code} from SERVER is not a Kubernetes API answer: {said}\n")
            };
            assert!(told.stderr.starts_with(&said), "{words:?}: {told}");
            if code >= 400 && *words == ["list"] {
                assert_eq!(server.requests().len() - asked, 1, "{told}");
            }
        }
    }
}

#[test]
fn a_gateway_that_refuses() {
    let server = Listener::answering(403, "<html>\n<h1>403 Forbidden</h1>");
    assert_snapshot!(skvs(&["list"]).user(&server.http(), "{}").run(), @r"
    exit 1
    stderr:
    error: HTTP 403 from SERVER is not a Kubernetes API answer: 403 Forbidden
    hint: a proxy or gateway answered in the API server's place: log in there, or check the server's URL: kubectl config view --minify
    ");
    let location = "location: https://sso.example/login?state=s3cr3t\r\n";
    let server = Listener::with_headers(302, location, b"");
    assert_snapshot!(skvs(&["list"]).server(&server.http()).run(), @r"
    exit 1
    stderr:
    error: HTTP 302 from SERVER is not a Kubernetes API answer: a redirect to https://sso.example/login
    hint: a proxy or gateway answered in the API server's place: log in there, or check the server's URL: kubectl config view --minify
    ");
}

#[test]
fn a_page_of_html_is_a_login_whatever_it_is_asked_for() {
    let server = Listener::with_headers(200, "content-type: text/html\r\n", b"<p>log in</p>");
    let told = skvs(&["version"]).server(&server.http()).run();
    assert!(
        told.stderr
            .contains("HTTP 200 from SERVER is not a Kubernetes API answer: log in"),
        "{told}"
    );
}

#[test]
fn an_error_without_a_message_is_told_with_its_code() {
    for body in [
        r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403}"#,
        r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 404, "message": " "}"#,
    ] {
        let server = Listener::answering(403, body);
        let told = skvs(&["list"]).user(&server.http(), "{}").run();
        assert_eq!(
            told.stderr,
            "Error from server (Forbidden): no reason from the API server (HTTP 403)\n"
        );
    }
}

/// Helm finds its Secrets by their labels; the type is lost where a tool copies them.
#[test]
fn a_revision_whose_secret_lost_its_type_claims() {
    use base64::Engine;
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let release = r#"{"name": "x", "namespace": "core", "version": 1, "info": {"status": "deployed"},
        "hooks": [{"kind": "Job", "events": ["pre-install"], "manifest": "kind: Job\nargs: [curl -X PUT http://couchdb:5984/pds_database]"}]}"#;
    let payload = encode(&encode(release));
    for (name, labels) in [
        ("sh.helm.release.v1.x.v1", "{}"),
        ("copy", r#"{"owner": "helm"}"#),
    ] {
        let metadata = format!(
            r#"{{"name": "{name}", "namespace": "apps", "resourceVersion": "9", "labels": {labels}}}"#
        );
        let secret = format!(
            r#"{{"metadata": {metadata}, "type": "Opaque", "data": {{"release": "{payload}"}}}}"#
        );
        let server = Listener::scripted(move |path| {
            let list = |kind: &str, version: &str, items: &str| {
                let head = format!(r#""kind": "{kind}", "apiVersion": "{version}""#);
                let body = format!(
                    r#"{{{head}, "metadata": {{"resourceVersion": "1"}}, "items": [{items}]}}"#
                );
                (200, body)
            };
            let metadata = format!(r#"{{"metadata": {metadata}}}"#);
            match path.split('&').next().unwrap() {
                "/api/v1/secrets?fieldSelector=type%21%3Dhelm.sh%2Frelease.v1" => {
                    list("PartialObjectMetadataList", "meta.k8s.io/v1", &metadata)
                }
                "/api/v1/secrets?fieldSelector=type%3Dhelm.sh%2Frelease.v1" => {
                    list("SecretList", "v1", "")
                }
                path if path.starts_with("/api/v1/namespaces/apps/secrets?") => {
                    list("SecretList", "v1", &secret)
                }
                path if path.starts_with("/api/v1/configmaps") => {
                    list("PartialObjectMetadataList", "meta.k8s.io/v1", "")
                }
                path if path.contains("/helmreleases") => (
                    200,
                    helm_releases(&[onboarding("a")], "").replace("pds", "lima"),
                ),
                _ => (404, "404 page not found".to_owned()),
            }
        });
        let words = ["delete-db", "pds_database", "--dry-run"];
        let told = skvs(&words).server(&server.http()).run();
        assert_eq!(told.code, Some(4), "{told}");
        let said = format!(
            "a Job of revision 1 of Helm release core/x (Secret apps/{name}) has the database pds_database"
        );
        assert!(told.stderr.contains(&said), "{told}");
    }
}

#[test]
fn later_pages_obey_the_same_rules() {
    for (code, body, said) in others() {
        let first = helm_releases(&[onboarding("a")], "more");
        let server = Listener::scripted(move |path| {
            if path.contains("continue=") {
                (code, body.clone())
            } else {
                (200, first.clone())
            }
        });
        for format in ["table", "name"] {
            let told = skvs(&["list", "-o", format]).server(&server.http()).run();
            assert_eq!(told.code, Some(1), "{told}");
            let said =
                format!("error: HTTP {code} from SERVER is not a Kubernetes API answer: {said}\n");
            assert!(told.stderr.starts_with(&said), "{format}: {told}");
        }
    }
}

#[test]
fn a_list_that_does_not_end_is_an_error() {
    for token in ["same", ""] {
        let pages = std::sync::atomic::AtomicUsize::new(0);
        let server = Listener::scripted(move |_| {
            let page = pages.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let items = if token.is_empty() {
                vec![]
            } else {
                vec![onboarding("a")]
            };
            let token = if token.is_empty() {
                page.to_string()
            } else {
                token.to_owned()
            };
            (200, helm_releases(&items, &token))
        });
        for words in [&["list"][..], &["list", "-o", "json"], &["troubleshoot"]] {
            let told = skvs(words).server(&server.http()).run();
            assert_eq!(told.code, Some(1), "{told}");
            assert!(told.stderr.contains("a list that does not end"), "{told}");
        }
    }
}

#[test]
fn a_page_that_is_too_large_is_asked_for_in_smaller_ones() {
    let server = Listener::scripted(|path| {
        let limit = path.split("limit=").nth(1).unwrap();
        let limit: usize = limit.split('&').next().unwrap().parse().unwrap();
        if limit > 200 {
            (200, " ".repeat(64 * 1024 * 1024 + 1))
        } else if path.contains("continue=") {
            (200, helm_releases(&[onboarding("b")], ""))
        } else {
            (200, helm_releases(&[onboarding("a")], "more"))
        }
    });
    let told = skvs(&["list", "-o", "name"]).server(&server.http()).run();
    assert_eq!(
        told.stdout,
        "helmrelease.helm.toolkit.fluxcd.io/a\nhelmrelease.helm.toolkit.fluxcd.io/b\n"
    );
    let server = Listener::scripted(|_| (200, " ".repeat(64 * 1024 * 1024 + 1)));
    let told = skvs(&["list"]).server(&server.http()).run();
    assert_snapshot!(told, @r"
    exit 1
    stderr:
    error: the API server's answer is too large: more than 64 MiB, or an object of more than 4 MiB
    ");
    assert_eq!(server.requests().len(), 9);
}

/// 64 MiB of blanks and more, in a few kilobytes.
#[test]
fn an_answer_is_bounded_as_it_is_unpacked() {
    let body = gzip(&vec![b' '; 80 * 1024 * 1024]);
    let server = Listener::with_headers(200, "content-encoding: gzip\r\n", &body);
    let told = skvs(&["describe", "a"]).server(&server.http()).run();
    never_none(&told);
    assert!(told.stderr.contains("answer is too large"), "{told}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn too_many_requests_is_asked_again_only_where_the_server_says_when() {
    let body = status(429, "TooManyRequests", "slow down");
    for (headers, requests) in [("", 1), ("retry-after: 0\r\n", 3)] {
        let server = Listener::with_headers(429, headers, body.as_bytes());
        let told = skvs(&["list"]).server(&server.http()).run();
        assert_eq!(
            told.stderr,
            "Error from server (TooManyRequests): slow down\n"
        );
        assert_eq!(server.requests().len(), requests);
    }
}

#[test]
fn parts_that_something_else_answered_are_not_known() {
    for (code, body) in [
        (200, "{}".to_owned()),
        (403, "<h1>no</h1>".to_owned()),
        (404, "<h1>no</h1>".to_owned()),
        (404, r#"{"message": "no"}"#.to_owned()),
        (200, status(404, "NotFound", "no")),
        (
            200,
            r#"{"kind": "SecretList", "apiVersion": "v1", "metadata": {}, "items": null}"#
                .to_owned(),
        ),
    ] {
        let (one, all) = (
            onboarding("a").to_string(),
            helm_releases(&[onboarding("a")], ""),
        );
        let server = Listener::scripted(move |path| {
            let path = path.split('?').next().unwrap();
            if path.ends_with("/helmreleases/a") {
                (200, one.clone())
            } else if path.ends_with("/helmreleases") {
                (200, all.clone())
            } else {
                (code, body.clone())
            }
        });
        let told = skvs(&["troubleshoot", "a", "-o", "json"])
            .server(&server.http())
            .run();
        assert!(
            told.stdout.contains(&format!(
                "HTTP {code} from SERVER is not a Kubernetes API answer"
            )),
            "{told}"
        );
        let told = skvs(&["describe", "a"]).server(&server.http()).run();
        assert!(
            told.stdout.contains("is not a Kubernetes API answer"),
            "{told}"
        );
        for never in ["does not exist", "no revision", "is absent"] {
            assert!(!told.stdout.contains(never), "{never}: {told}");
        }
    }
}
