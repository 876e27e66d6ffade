//! The lists that say whose a database is, each answered by something else than the API server: never "nobody claims it".

use crate::run::{Told, skvs};
use crate::server::{Listener, status};
use serde_json::{Value, json};

/// The lists, by a part of their path, their form, and their words in a refusal.
const LISTS: [(&str, &str, &str, &str); 4] = [
    (
        "/api/v1/secrets?",
        "SecretList",
        "v1",
        "Helm's Secrets of all namespaces",
    ),
    (
        "/api/v1/configmaps?",
        "PartialObjectMetadataList",
        "meta.k8s.io/v1",
        "the ConfigMaps of all namespaces",
    ),
    (
        "/authorizationpolicies?",
        "AuthorizationPolicyList",
        "security.istio.io/v1",
        "the AuthorizationPolicies of all namespaces",
    ),
    (
        "/helmreleases?",
        "HelmReleaseList",
        "helm.toolkit.fluxcd.io/v2",
        "the HelmReleases of all namespaces",
    ),
];

/// One page.
fn page(kind: &str, version: &str, items: &Value, token: &str, moment: &str) -> Value {
    let mut metadata = json!({"resourceVersion": moment});
    if !token.is_empty() {
        metadata["continue"] = token.into();
    }
    json!({"kind": kind, "apiVersion": version, "metadata": metadata, "items": items})
}

fn onboarding() -> Value {
    json!([{"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "skvs-onboarding-a--c", "namespace": "flux-system", "uid": "u", "generation": 1,
            "resourceVersion": "7", "labels": {"app.kubernetes.io/part-of": "secure-kvs-onboarding"}},
        "spec": {"interval": "1m", "chart": {"spec": {"chart": "secure-kvs-onboarding",
            "sourceRef": {"kind": "HelmRepository", "name": "r"}}}, "values": {"namespace": "a", "database": "c"}}}])
}

/// What an API server with one onboarding says, for which no CouchDB pod exists.
fn usual(path: &str) -> (u16, String) {
    let group = |name: &str, version: &str| {
        let version = json!({"groupVersion": format!("{name}/{version}"), "version": version});
        json!({"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": [version], "preferredVersion": version})
    };
    for (part, kind, version, _) in LISTS {
        if path.contains(part) {
            let items = if kind == "HelmReleaseList" {
                onboarding()
            } else {
                json!([])
            };
            return (200, page(kind, version, &items, "", "9").to_string());
        }
    }
    match path {
        "/apis/security.istio.io" => (200, group("security.istio.io", "v1").to_string()),
        "/apis/helm.toolkit.fluxcd.io" => (200, group("helm.toolkit.fluxcd.io", "v2").to_string()),
        _ if path.contains("/pods") => {
            (200, page("PodList", "v1", &json!([]), "", "9").to_string())
        }
        _ => {
            let message = "the server could not find the requested resource";
            (404, status(404, "NotFound", message))
        }
    }
}

/// How one of the lists is answered, by its path.
type Answer = Box<dyn Fn(&str) -> (u16, String) + Send + Sync>;

/// A run against a server that answers one list in another way.
fn run(part: &'static str, answer: Answer) -> (Told, Vec<String>) {
    let server = Listener::scripted(move |path| match path.contains(part) {
        true => answer(path),
        false => usual(path),
    });
    let told = skvs(&["delete-db", "a_b", "--dry-run"])
        .server(&server.http())
        .run();
    let requests = server.requests();
    (told, requests)
}

/// Answers in the place of a list of this form.
fn others(kind: &'static str, version: &'static str) -> Vec<(&'static str, Answer)> {
    let always = |body: String| -> Answer { Box::new(move |_| (200, body.clone())) };
    let of = move |token: &str, moment: &str| page(kind, version, &json!([]), token, moment);
    let second = move |code: u16, body: String| -> Answer {
        // Whether it is the first page's or any other token that is followed.
        Box::new(move |path| match path.contains("continue=") {
            true => (code, body.clone()),
            false => (200, of("more", "9").to_string()),
        })
    };
    let mut null = of("", "9");
    null["items"] = Value::Null;
    let mut without = of("", "9");
    without.as_object_mut().unwrap().remove("items");
    let mut remaining = of("", "9");
    remaining["metadata"]["remainingItemCount"] = 3.into();
    let gateway = r#"{"message": "no Route matched with those values"}"#;
    let mut expired: Value = serde_json::from_str(&status(
        410,
        "Expired",
        "The provided continue parameter is too old",
    ))
    .unwrap();
    expired["metadata"]["continue"] = "later".into();
    let endless = std::sync::atomic::AtomicUsize::new(0);
    let mut all = vec![
        ("an empty object", always("{}".to_owned())),
        ("a gateway's JSON", always(gateway.to_owned())),
        ("a Status", always(status(200, "", "all is well"))),
        ("no items", always(without.to_string())),
        ("items that are left", always(remaining.to_string())),
        (
            "another kind",
            always(page("PodList", "v1", &json!([]), "", "9").to_string()),
        ),
        ("a second page that is empty", second(200, "{}".to_owned())),
        (
            "a second page of a gateway",
            second(200, gateway.to_owned()),
        ),
        (
            "a second page that is a Status",
            second(200, status(200, "", "all is well")),
        ),
        (
            "a second page without items",
            second(200, without.to_string()),
        ),
        (
            "a second page that is not the last",
            second(200, remaining.to_string()),
        ),
        (
            "a second page of another moment",
            second(200, of("", "10").to_string()),
        ),
        // What went between the two moments would be in neither part.
        (
            "a list that goes on from a later moment",
            Box::new(move |path: &str| {
                if path.contains("continue=later") {
                    (200_u16, of("", "10").to_string())
                } else if path.contains("continue=") {
                    (410, expired.to_string())
                } else {
                    (200, of("old", "9").to_string())
                }
            }) as Answer,
        ),
        (
            "a list that does not end",
            Box::new(move |_: &str| {
                let at = endless.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                (200_u16, of(&format!("page{at}"), "9").to_string())
            }),
        ),
        (
            "the same page again and again",
            always(of("same", "9").to_string()),
        ),
    ];
    // The real server writes it so for metadata alone.
    if kind != "PartialObjectMetadataList" {
        all.push(("items that are null", always(null.to_string())));
    }
    all
}

#[test]
fn with_every_list_read_the_next_question_is_couchdbs() {
    let (told, requests) = run("/nowhere?", Box::new(usual));
    assert_eq!(told.code, Some(1), "{told}");
    assert!(
        told.stderr
            .contains("no CouchDB pod in namespace secure-kvs"),
        "{told}"
    );
    let at = |part: &str| requests.iter().position(|r| r.contains(part)).unwrap();
    for (part, ..) in LISTS {
        assert!(at(part) <= at("/helmreleases?"), "{requests:?}");
        assert!(at(part) < at("/pods"), "{requests:?}");
    }
}

#[test]
fn a_list_that_was_not_read_is_a_refusal_and_no_plan() {
    for (part, kind, version, what) in LISTS {
        for (how, answer) in others(kind, version) {
            let (told, requests) = run(part, answer);
            let why = format!("{what}, {how}: {told}");
            assert_eq!((told.code, told.stdout.as_str()), (Some(4), ""), "{why}");
            let refused = format!("refused: {what} could not be read: ");
            assert!(told.stderr.contains(&refused), "{why}");
            assert!(!told.stderr.contains("claims it"), "{why}");
            assert!(!requests.iter().any(|r| r.contains("/pods")), "{why}");
            assert!(
                !requests.iter().any(|r| r.contains("continue=later")),
                "{why}"
            );
            // Read again before it is refused.
            let begun = |r: &&String| r.contains(part) && !r.contains("continue=");
            assert!(requests.iter().filter(begun).count() >= 2, "{why}");
        }
    }
}
