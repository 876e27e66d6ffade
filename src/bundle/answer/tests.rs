use super::*;
use crate::advice::Origin;
use crate::bundle::request::Accept::{Json, Metadata, Text};
use proptest::prelude::*;

const HR: &str = "helm.toolkit.fluxcd.io";

fn object(api_version: &str, kind: &str, namespace: &str, name: &str, labels: Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "data": {"secret": "s3cr3t"},
        "metadata": {"name": name, "namespace": namespace, "labels": labels}})
}

fn saved(objects: Vec<Value>) -> Archive {
    let mut archive = Archive::default();
    for object in objects {
        archive.store.add(object);
    }
    archive
}

fn some() -> Archive {
    saved(vec![
        object(
            &format!("{HR}/v2beta1"),
            "HelmRelease",
            "flux-system",
            "a",
            json!({"part": "skvs"}),
        ),
        object("v1", "Secret", "flux-system", "s", json!({"owner": "helm"})),
        object("v1", "Pod", "core", "p", json!({})),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "core"}}),
    ])
}

/// The names in an answer, or the answer itself.
fn names(archive: &Archive, path: &str, accept: Accept) -> Result<Vec<String>, Answer> {
    match archive.answer(path, accept, None) {
        Answer::Found(body) => {
            let body: Value = serde_json::from_slice(&body).unwrap();
            let name = |o: &Value| o["metadata"]["name"].as_str().unwrap().to_owned();
            Ok(match body["items"].as_array() {
                Some(items) => items.iter().map(name).collect(),
                None => vec![name(&body)],
            })
        }
        other => Err(other),
    }
}

fn not_saved(archive: &Archive, path: &str, accept: Accept) -> (String, String) {
    match archive.answer(path, accept, None) {
        Answer::NotSaved(NotSaved { what, get }) => (
            what,
            get.map_or_else(String::new, |get| get.at(&Origin::default()).to_string()),
        ),
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn objects_are_found_in_any_version_by_place_and_name() {
    let archive = some();
    for path in [
        "/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases/a",
        "/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases",
        "/apis/helm.toolkit.fluxcd.io/v2/helmreleases?labelSelector=part%3Dskvs&limit=500",
    ] {
        assert_eq!(names(&archive, path, Json).unwrap(), ["a"], "{path}");
    }
    assert_eq!(
        names(&archive, "/api/v1/namespaces/core", Json).unwrap(),
        ["core"]
    );
    assert_eq!(
        names(&archive, "/api/v1/namespaces/core/pods/p", Json).unwrap(),
        ["p"]
    );
}

#[test]
fn what_is_not_there_is_not_saved_and_says_how_to_save_it() {
    let archive = some();
    for (path, accept, what, get) in [
        (
            "/api/v1/namespaces/core/pods/q",
            Json,
            "pods \"q\" in namespace core",
            "kubectl get pods q -n core -o yaml",
        ),
        (
            "/api/v1/namespaces/flux-system/pods/p",
            Json,
            "pods \"p\" in namespace flux-system",
            "kubectl get pods p -n flux-system -o yaml",
        ),
        (
            "/apis/batch/v1/namespaces/core/jobs?labelSelector=a%3Db",
            Json,
            "jobs.batch in namespace core",
            "kubectl get jobs.batch -n core -o yaml",
        ),
        (
            "/api/v1/namespaces/core/pods?labelSelector=gone",
            Json,
            "pods in namespace core",
            "kubectl get pods -n core -o yaml",
        ),
        (
            "/api/v1/events",
            Json,
            "events in all namespaces",
            "kubectl get events -A -o yaml",
        ),
        (
            "/api/v1/namespaces/none",
            Json,
            "namespaces \"none\"",
            "kubectl get namespaces none -o yaml",
        ),
        (
            "/api/v1/namespaces/core/pods/p/log?container=c",
            Text,
            "the log of pod \"p\" in namespace core",
            "kubectl logs p -n core --all-containers --prefix",
        ),
        ("/version", Json, "/version", ""),
        (
            "/apis/helm.toolkit.fluxcd.io",
            Json,
            "/apis/helm.toolkit.fluxcd.io",
            "",
        ),
        // A list of secrets that a page or a stream follows is not made up.
        (
            "/api/v1/namespaces/core/pods?continue=x",
            Json,
            "pods in namespace core",
            "kubectl get pods -n core -o yaml",
        ),
        (
            "/api/v1/namespaces/core/pods?watch=1",
            Json,
            "pods in namespace core",
            "kubectl get pods -n core -o yaml",
        ),
    ] {
        let told = not_saved(&archive, path, accept);
        assert_eq!(told, (what.to_owned(), get.to_owned()), "{path}");
    }
    let review = archive.answer("/api/v1/namespaces/core", Json, Some(&json!({})));
    assert!(matches!(review, Answer::NotSaved(_)), "{review:?}");
}

#[test]
fn of_helm_releases_those_of_the_files_are_the_list() {
    let path = "/apis/helm.toolkit.fluxcd.io/v2/helmreleases?labelSelector=part%3Dother";
    assert_eq!(names(&some(), path, Json).unwrap(), Vec::<String>::new());
    let without = saved(vec![object("v1", "Pod", "core", "p", json!({}))]);
    let (what, _) = not_saved(&without, path, Json);
    assert_eq!(
        what,
        "helmreleases.helm.toolkit.fluxcd.io in all namespaces"
    );
}

#[test]
fn a_list_of_metadata_holds_no_payload() {
    let path = "/api/v1/namespaces/flux-system/secrets?labelSelector=owner%3Dhelm";
    let Answer::Found(body) = some().answer(path, Metadata, None) else {
        panic!();
    };
    let body = String::from_utf8(body).unwrap();
    assert!(
        body.contains("PartialObjectMetadataList") && body.contains("\"owner\":\"helm\""),
        "{body}"
    );
    assert!(!body.contains("s3cr3t"), "{body}");
}

#[test]
fn a_selector_that_is_none_is_told_as_the_api_server_does() {
    let path = "/api/v1/namespaces/core/pods?labelSelector=a%20b";
    match some().answer(path, Json, None) {
        Answer::Refused(status) => assert_eq!(
            (status.code, status.message.as_str()),
            (400, "unable to parse requirement: \"a b\"")
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_recorded_comes_before_objects() {
    let mut archive = some();
    let pod = "/api/v1/namespaces/core/pods/p";
    let absent = Status {
        code: 404,
        reason: "NotFound".to_owned(),
        message: "pods \"p\" not found".to_owned(),
        name: "p".to_owned(),
    };
    let mut record = |path: &str, accept, recorded| {
        archive
            .recorded
            .insert(Key::new(path, accept, None), recorded);
    };
    record(pod, Json, Recorded::Status(absent.clone()));
    let empty = json!({"apiVersion": "v1", "kind": "List", "items": []});
    let jobs = "/apis/batch/v1/namespaces/core/jobs?limit=10&labelSelector=a%3Db";
    record(jobs, Json, Recorded::Document(empty));
    let failed = "no answer in 30s".to_owned();
    record("/api/v1/namespaces/other", Json, Recorded::Failed(failed));
    let log = format!("{pod}/log?container=c&tailLines=20");
    record(&log, Text, Recorded::Text("a\n".to_owned()));
    archive
        .logs
        .insert((format!("{pod}/log"), "c".to_owned()), "a\n".to_owned());
    assert_eq!(archive.answer(pod, Json, None), Answer::Refused(absent));
    let unpaged = jobs.replace("limit=10&", "");
    assert_eq!(
        names(&archive, &unpaged, Json).unwrap(),
        Vec::<String>::new()
    );
    assert_eq!(
        archive.answer("/api/v1/namespaces/other", Json, None),
        Answer::Failed("no answer in 30s".to_owned())
    );
    // The same log, of which another end is asked for.
    for lines in [20, 50] {
        let path = format!("{pod}/log?container=c&tailLines={lines}");
        assert_eq!(
            archive.answer(&path, Text, None),
            Answer::Found(b"a\n".to_vec())
        );
    }
    not_saved(&archive, &format!("{pod}/log?container=d"), Text);
    let saved = logs::parse(b"[pod/p/d] one\n[pod/p/d] two\n").unwrap();
    archive.pod_logs.extend(saved);
    for (query, text) in [("", "one\ntwo\n"), ("&tailLines=1", "two\n")] {
        let path = format!("{pod}/log?container=d{query}");
        let told = archive.answer(&path, Text, None);
        assert_eq!(told, Answer::Found(text.as_bytes().to_vec()));
    }
    assert!(archive.has_recorded(pod, Json) && !archive.has_recorded(pod, Metadata));
}

#[test]
fn what_was_laid_beside_a_refusal_is_taken_where_it_is_an_object() {
    let mut archive = some();
    let pods = "/api/v1/namespaces/core/pods";
    let forbidden = Status {
        code: 403,
        reason: "Forbidden".to_owned(),
        message: "pods is forbidden".to_owned(),
        name: String::new(),
    };
    for recorded in [
        Recorded::Status(forbidden.clone()),
        Recorded::Failed("no answer in 30s".to_owned()),
    ] {
        for path in [pods.to_owned(), format!("{pods}/p"), format!("{pods}/q")] {
            let key = Key::new(&path, Json, None);
            archive.recorded.insert(key, recorded.clone());
        }
        assert_eq!(names(&archive, &format!("{pods}/p"), Json).unwrap(), ["p"]);
        // One pod is not the list, and the other one is still not known.
        for path in [pods.to_owned(), format!("{pods}/q")] {
            let told = archive.answer(&path, Json, None);
            assert!(
                matches!(told, Answer::Refused(_) | Answer::Failed(_)),
                "{told:?}"
            );
        }
    }
}

proptest! {
    #[test]
    fn no_path_panics_and_none_makes_an_empty_list(path in "\\PC{0,40}|(/api/v1|/apis/g/v1)(/namespaces(/[a-z]{0,3})?)?(/[a-z%?=&]{0,8}){0,3}") {
        match some().answer(&path, Json, None) {
            Answer::Found(body) => {
                let body: Value = serde_json::from_slice(&body).unwrap();
                prop_assert_ne!(&body["items"], &json!([]), "{}", path);
            }
            Answer::NotSaved(_) | Answer::Refused(_) => {}
            Answer::Failed(why) => prop_assert!(false, "{}: {}", path, why),
        }
    }
}
