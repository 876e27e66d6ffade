use super::*;
use proptest::prelude::*;
use serde_json::json;

const PATH: &str =
    "/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases?labelSelector=a";

/// A page with more after it, as the API server writes it.
fn page() -> Value {
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmReleaseList",
        "metadata": {"continue": "abc", "remainingItemCount": 7, "resourceVersion": "42"},
        "items": [
            {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "a", "namespace": "n"}},
            {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "b", "namespace": "n"}},
        ],
    })
}

fn last_page() -> Value {
    let mut page = page();
    page["metadata"] = json!({"resourceVersion": "42"});
    page
}

/// The names on a page, and whether more follow.
fn read(path: &str, accept: Accept, body: &[u8]) -> Result<(Vec<String>, bool), Fault> {
    let page = Page::parse(path, accept, 2, body)?;
    let mut names = Vec::new();
    page.each(|item: Value| names.push(item.name().unwrap_or_default().to_owned()))?;
    Ok((names, !page.token.is_empty()))
}

fn objects(body: &Value) -> Result<(Vec<String>, bool), Fault> {
    read(PATH, Accept::Json, body.to_string().as_bytes())
}

/// Why it is not a list.
fn why(body: &str) -> String {
    match read(PATH, Accept::Json, body.as_bytes()) {
        Err(Fault::Form(why)) => why,
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn a_list_is_read_to_its_end() {
    let names = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(objects(&page()), Ok((names.clone(), true)));
    assert_eq!(objects(&last_page()), Ok((names, false)));
}

#[test]
fn whatever_else_is_not_a_list() {
    for (body, said) in [
        ("", "an empty body"),
        ("{}", "an empty JSON object"),
        ("[]", "a JSON array"),
        ("no route to host\nat 7", "no route to host"),
        (
            "<!DOCTYPE html>\n<html><head>\n<title>502 Bad Gateway</title>",
            "502 Bad Gateway",
        ),
        (r#"{"message":"no Route matched"}"#, "no Route matched"),
        (r#"{"Message":"origin not allowed"}"#, "origin not allowed"),
        (
            r#"{"ok":true,"data":{"password":"hunter2"}}"#,
            "a JSON object with the keys data, ok",
        ),
        (
            r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"try later"}"#,
            "a Status: try later",
        ),
        (
            r#"{"kind":"SecretList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"hunter2"#,
            "broken JSON: it ends early",
        ),
        (
            r#"{"kind":"HelmReleaseList","apiVersion":"helm.toolkit.fluxcd.io/v2","metadata":{}}"#,
            "a HelmReleaseList with a missing field `items`",
        ),
    ] {
        assert_eq!(why(body), said);
    }
    let mut null = last_page();
    null["items"] = Value::Null;
    assert_eq!(
        why(&null.to_string()),
        "a HelmReleaseList whose items are null"
    );
    let mut other = last_page();
    other["apiVersion"] = "v1".into();
    assert_eq!(
        why(&other.to_string()),
        "a HelmReleaseList of \"v1\", not of \"helm.toolkit.fluxcd.io/v2\""
    );
    let mut cut = page();
    cut["metadata"]["continue"] = "".into();
    assert_eq!(
        why(&cut.to_string()),
        "a HelmReleaseList that has more items and no continue token"
    );
}

#[test]
fn a_list_is_of_the_resource_that_its_path_names() {
    for (kind, plural) in [
        ("Secret", "secrets"),
        ("Ingress", "ingresses"),
        ("AuthorizationPolicy", "authorizationpolicies"),
        ("GitRepository", "gitrepositories"),
        ("Endpoints", "endpoints"),
        ("", "secrets"),
    ] {
        assert!(is_plural(kind, plural), "{kind}");
    }
    let pods =
        r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}"#;
    let read = |path| read(path, Accept::Json, pods.as_bytes());
    assert!(read("/api/v1/namespaces/n/pods").is_ok());
    let why = Fault::Form("a PodList, not of secrets".to_owned());
    assert_eq!(read("/api/v1/secrets"), Err(why));
}

#[test]
fn only_an_empty_list_of_metadata_may_be_null() {
    let path = "/api/v1/namespaces/n/secrets";
    let list = |kind: &str, api_version: &str| {
        json!({"kind": kind, "apiVersion": api_version, "metadata": {"resourceVersion": "1"}, "items": null}).to_string()
    };
    let metadata = list("PartialObjectMetadataList", "meta.k8s.io/v1");
    let empty = Ok((Vec::new(), false));
    assert_eq!(read(path, Accept::Metadata, metadata.as_bytes()), empty);
    assert!(read(path, Accept::Json, metadata.as_bytes()).is_err());
    let secrets = list("SecretList", "v1");
    assert!(read(path, Accept::Json, secrets.as_bytes()).is_err());
    assert!(read(path, Accept::Metadata, secrets.as_bytes()).is_err());
}

#[test]
fn an_object_is_the_one_that_its_path_names() {
    let path = "/api/v1/namespaces/n/secrets/a%2Eb";
    let check = |body: Value| check_object(path, body.to_string().as_bytes());
    let secret = json!({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "a.b"}});
    assert_eq!(check(secret.clone()), Ok(()));
    let without = |key: &str| {
        let mut object = secret.clone();
        object.as_object_mut().unwrap().remove(key);
        object
    };
    for body in [
        json!({}),
        json!(null),
        without("kind"),
        without("apiVersion"),
        without("metadata"),
        json!({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "b"}}),
        json!({"kind": "Secret", "apiVersion": "apps/v1", "metadata": {"name": "a.b"}}),
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {"name": "a.b"}}),
        json!({"kind": "SecretList", "apiVersion": "v1", "metadata": {"name": "a.b"}, "items": []}),
    ] {
        assert!(matches!(check(body.clone()), Err(Fault::Form(_))), "{body}");
    }
    assert!(check_object("/version", b"{}").is_err());
    let large = format!("{secret}{}", " ".repeat(OBJECT_MAX));
    assert_eq!(check_object(path, large.as_bytes()), Err(Fault::Large));
}

#[test]
fn an_object_or_a_page_beyond_the_bounds_is_large() {
    let mut list = last_page();
    list["items"][0]["spec"] = "x".repeat(OBJECT_MAX).into();
    assert_eq!(objects(&list), Err(Fault::Large));
    let many = format!("[{}0]", "0,".repeat(PAGE_VALUES_MAX));
    let mut list = last_page().to_string();
    list = list.replace(
        "\"namespace\":\"n\"}",
        &format!("\"namespace\":\"n\",\"x\":{many}}}"),
    );
    // Two objects with so many values; their bytes are too many as well.
    assert_eq!(read(PATH, Accept::Json, list.as_bytes()), Err(Fault::Large));
}

#[test]
fn only_the_api_servers_own_word_is_a_status() {
    let own = br#"{"kind":"Status","apiVersion":"v1","status":"Failure","code":404,"reason":"NotFound","message":"x"}"#;
    // The code of the answer counts, not the one in the body.
    assert_eq!(status(403, own).unwrap().code, 403);
    let empty = status(403, br#"{"kind":"Status","apiVersion":"v1"}"#).unwrap();
    assert_eq!(empty.message, "no reason from the API server (HTTP 403)");
    assert!(status(404, b"404 page not found\n").is_some());
    for body in [
        &br#"{"kind":"Status","apiVersion":"v1","status":"Success"}"#[..],
        &b"404 page not found"[..],
        b"",
        b"{}",
        br#"{"code":403,"message":"no"}"#,
        br#"{"kind":"Status","apiVersion":"gateway/v1","message":"no"}"#,
    ] {
        assert_eq!(status(403, body), None);
    }
    for body in ["<html>404</html>", "not found", r#"{"error":"not found"}"#] {
        assert_eq!(status(404, body.as_bytes()), None);
    }
}

/// Something else in a place of the list's structure.
#[derive(Clone, Debug)]
enum Mutation {
    Gone,
    Null,
    Is(Value),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        Just(Mutation::Gone),
        Just(Mutation::Null),
        Just(Mutation::Is(json!({}))),
        Just(Mutation::Is(json!([]))),
        Just(Mutation::Is(json!(7))),
        Just(Mutation::Is(json!(true))),
        Just(Mutation::Is(json!("Status"))),
        Just(Mutation::Is(json!("v1"))),
    ]
}

const STRUCTURE: [&str; 8] = [
    "/apiVersion",
    "/kind",
    "/metadata",
    "/metadata/continue",
    "/items",
    "/items/0",
    "/items/1/metadata",
    "/items/1/metadata/name",
];

fn mutated(mut list: Value, place: &str, mutation: &Mutation) -> Value {
    let (parent, key) = place.rsplit_once('/').unwrap();
    let new = match mutation {
        Mutation::Gone => None,
        Mutation::Null => Some(Value::Null),
        Mutation::Is(value) => Some(value.clone()),
    };
    match (list.pointer_mut(parent), new) {
        (Some(Value::Object(map)), None) => {
            map.remove(key);
        }
        (Some(Value::Array(items)), None) => items[0] = Value::Null,
        (_, Some(new)) => *list.pointer_mut(place).unwrap() = new,
        _ => unreachable!(),
    }
    list
}

proptest! {
    /// One field of the structure changed: an error, never a list with less in it.
    #[test]
    fn a_list_with_another_structure_is_never_a_shorter_one(
        place in prop::sample::select(&STRUCTURE[..]), mutation in mutation(), last in any::<bool>(),
    ) {
        let list = if last { last_page() } else { page() };
        let no_items = matches!(&mutation, Mutation::Is(Value::Array(_))) && place == "/items";
        if (last && place == "/metadata/continue") || no_items {
            // Nothing is there to change; and a list may be empty.
            return Ok(());
        }
        let whole = objects(&list).unwrap();
        match objects(&mutated(list, place, &mutation)) {
            Err(_) => {}
            // Another text in its place may still be a list: with all that was in it.
            Ok(read) => prop_assert_eq!(read.0.len(), whole.0.len()),
        }
    }

    #[test]
    fn more_follows_or_it_is_an_error(
        place in prop::sample::select(&STRUCTURE[..]), mutation in mutation(),
    ) {
        if let Ok((_, more)) = objects(&mutated(page(), place, &mutation)) {
            prop_assert!(more);
        }
    }

    #[test]
    fn a_list_that_is_cut_off_is_an_error(share in 0.0..1.0f64) {
        let body = page().to_string();
        let cut = &body.as_bytes()[..(body.len() as f64 * share) as usize];
        prop_assert!(read(PATH, Accept::Json, cut).is_err());
    }

    #[test]
    fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = read(PATH, Accept::Metadata, &body);
        let _ = check_object("/api/v1/namespaces/n", &body);
        let _ = status(404, &body);
        prop_assert!(!said(&body).is_empty());
    }
}
