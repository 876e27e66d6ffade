use super::*;
use crate::bundle::Answer;
use proptest::prelude::*;
use serde_json::json;

fn tree(files: &[(&str, &str)]) -> Tree {
    let entry = |(path, text): &(&str, &str)| Entry {
        path: (*path).to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    Tree {
        shown: "b.tar.gz".to_owned(),
        entries: files.iter().map(entry).collect(),
        many: true,
    }
}

fn read(files: &[(&str, &str)]) -> Result<Archive> {
    Archive::from_tree(&tree(files))
}

fn manifest(requests: &Value) -> String {
    json!({"apiVersion": manifest::API_VERSION, "kind": "Bundle", "capturedAt": "2026-11-24T01:02:03Z", "names": ["a"],
        "requests": requests})
    .to_string()
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: core}\n";

#[test]
fn a_bundle_answers_what_was_asked() {
    let pod = "/api/v1/namespaces/core/pods/p";
    let manifest = manifest(&json!([
        {"path": pod, "accept": "json", "outcome": "seen", "file": "answers/0001-pod-p.yaml"},
        {"path": format!("{pod}/log?container=c"), "accept": "text", "outcome": "seen", "file": "answers/0002-p.log"},
        {"path": "/api/v1/namespaces/core", "accept": "json", "outcome": "refused",
         "status": {"code": 404, "reason": "NotFound", "message": "namespaces \"core\" not found", "name": "core"}},
        {"path": "/api/v1/namespaces/core/events", "accept": "json", "outcome": "seen", "file": "answers/lost.yaml"},
        {"path": "/api/v1/namespaces/core/secrets", "accept": "json", "outcome": "refused"},
    ]));
    let archive = read(&[
        ("top/manifest.json", &manifest),
        ("top/answers/0001-pod-p.yaml", POD),
        ("top/answers/0002-p.log", "{ no: [yaml"),
        (
            "top/added.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: core}",
        ),
        ("top/README.txt", "\u{0}"),
    ])
    .unwrap();
    let answer = |path: &str, accept| archive.answer(path, accept, None);
    assert!(matches!(answer(pod, Accept::Json), Answer::Found(_)));
    assert_eq!(
        answer(&format!("{pod}/log?container=c"), Accept::Text),
        Answer::Found(b"{ no: [yaml".to_vec())
    );
    assert!(matches!(
        answer("/api/v1/namespaces/core", Accept::Json),
        Answer::Refused(status) if status.code == 404
    ));
    for lost in ["events", "configmaps"] {
        let path = format!("/api/v1/namespaces/core/{lost}");
        let told = answer(&path, Accept::Json);
        assert!(matches!(told, Answer::NotSaved(_)), "{told:?}");
    }
    let secret = answer("/api/v1/namespaces/core/secrets/s", Accept::Json);
    assert!(matches!(secret, Answer::Found(_)), "{secret:?}");
    let bundle = archive.one_bundle().unwrap();
    assert_eq!(
        (
            bundle.captured_at.to_string().as_str(),
            bundle.names.as_slice()
        ),
        ("2026-11-24T01:02:03Z", &["a".to_owned()][..])
    );
}

#[test]
fn objects_beside_a_bundle_are_no_part_of_it() {
    let archive = read(&[
        ("b/manifest.json", &manifest(&json!([]))),
        ("pod.yaml", POD),
    ])
    .unwrap();
    assert!(archive.one_bundle().is_none() && archive.bundles().len() == 1);
    let pod = archive.answer("/api/v1/namespaces/core/pods/p", Accept::Json, None);
    assert!(matches!(pod, Answer::Found(_)), "{pod:?}");
}

/// A file belongs to the innermost bundle around it, whatever the order of the files.
#[test]
fn a_bundle_in_a_folder_of_another_has_its_files_alone() {
    let none = manifest(&json!([]));
    let refers = manifest(&json!([
        {"path": "/api/v1/namespaces/core/pods/p", "accept": "json", "outcome": "seen", "file": "in/a.yaml"},
    ]));
    let files = [
        ("b/in/a.yaml", POD),
        ("b/manifest.json", &refers),
        ("b/in/manifest.json", &none),
        ("b-more/pod.yaml", POD),
        ("a.yaml", POD),
    ];
    let tree = tree(&files);
    let bundles = [("b/", &tree.entries[1]), ("b/in/", &tree.entries[2])];
    let (parts, rest) = apart(&tree.entries, &bundles);
    let paths =
        |entries: &[&Entry]| -> Vec<String> { entries.iter().map(|e| e.path.clone()).collect() };
    assert_eq!(paths(&parts[0]), ["b/manifest.json"]);
    assert_eq!(paths(&parts[1]), ["b/in/a.yaml", "b/in/manifest.json"]);
    assert_eq!(paths(&rest), ["b-more/pod.yaml", "a.yaml"]);

    // The outer bundle does not have the file that it names.
    let archive = read(&files[..3]).unwrap();
    assert!(archive.recorded.is_empty());
}

/// Compared with each other, these files and bundles would take 10^10 steps.
#[test]
fn an_archive_of_many_bundles_is_taken_apart() {
    let paths: Vec<String> = (0..100_000).map(|n| format!("{n}/manifest.json")).collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "")).collect();
    let tree = tree(&files);
    let bundles: Vec<(&str, &Entry)> = tree
        .entries
        .iter()
        .map(|e| (e.path.strip_suffix(manifest::FILE).unwrap(), e))
        .collect();
    let (parts, rest) = apart(&tree.entries, &bundles);
    assert!(rest.is_empty() && parts.len() == 100_000);
    for (part, path) in parts.iter().zip(&paths) {
        assert_eq!((part.len(), &part[0].path), (1, path));
    }
}

#[test]
fn logs_in_a_folder_are_read_where_their_lines_tell_whose_they_are() {
    let archive = read(&[
        ("pod.yaml", POD),
        ("a.log", "[pod/p/c] said\n"),
        ("b.log", "a: [ no log\n"),
    ])
    .unwrap();
    let path = "/api/v1/namespaces/core/pods/p/log?container=c";
    let log = archive.answer(path, Accept::Text, None);
    assert_eq!(log, Answer::Found(b"said\n".to_vec()));
}

#[test]
fn an_answer_counts_each_time_that_it_is_read() {
    let said = "x".repeat(1000);
    let pod = format!("{POD}status: {{message: {said}}}\n");
    for (accept, file) in [("json", pod.as_str()), ("text", said.as_str())] {
        let request = |n: usize| json!({"path": format!("/{n}"), "accept": accept, "outcome": "seen", "file": "a.yaml"});
        let requests: Vec<Value> = (0..9).map(request).collect();
        let manifest = manifest(&requests.into());
        let tree = tree(&[("manifest.json", &manifest), ("a.yaml", file)]);
        let read = |room| {
            let mut archive = Archive {
                room: Room::for_text(room),
                ..Archive::default()
            };
            archive.add(&tree).map_err(|e| e.message().to_owned())
        };
        assert_eq!(read(30_000), Ok(()));
        let error = read(8_000).unwrap_err();
        assert!(
            error.starts_with("b.tar.gz/a.yaml: more than 512 MiB of text"),
            "{error}"
        );
    }
}

#[test]
fn what_is_wrong_is_named() {
    let answered = |answer: &str| {
        let request = json!([{"path": "/a", "outcome": "seen", "file": "a.yaml"}]);
        read(&[("manifest.json", &manifest(&request)), ("a.yaml", answer)])
    };
    for (told, message) in [
        (
            read(&[("values.yaml", "a: 1")]),
            "b.tar.gz holds no Kubernetes object",
        ),
        (
            read(&[("a/pod.yaml", "a: [")]),
            "b.tar.gz/a/pod.yaml: line 1, column 4: unclosed bracket '['",
        ),
        (
            read(&[(
                "x/manifest.json",
                r#"{"kind": "Bundle", "apiVersion": "skvs.kubectl.io/v9"}"#,
            )]),
            "b.tar.gz/x/manifest.json: a bundle of apiVersion \"skvs.kubectl.io/v9\" cannot be read, only of skvs.kubectl.io/v1alpha1 and skvs.kubectl.io/v1alpha5",
        ),
        (
            read(&[(
                "manifest.json",
                r#"{"kind": "Bundle", "apiVersion": "skvs.kubectl.io/v1alpha1"}"#,
            )]),
            "b.tar.gz/manifest.json: it is not a bundle's manifest: missing field `capturedAt`",
        ),
        (
            answered("a: 1\n---\nb: 2\n"),
            "b.tar.gz/a.yaml: the answer to /a is one document, here are 2",
        ),
        (
            answered(""),
            "b.tar.gz/a.yaml: the answer to /a is one document, here are 0",
        ),
    ] {
        assert_eq!(told.unwrap_err().message(), message);
    }
    // A manifest of something else is no bundle's.
    assert!(
        read(&[
            ("manifest.json", r#"{"name": "an app"}"#),
            ("pod.yaml", POD)
        ])
        .is_ok()
    );
}

proptest! {
    #[test]
    fn no_bundle_panics(
        path in "/api/v1/namespaces/[a-z]{0,3}(/pods)?|\\PC{0,10}",
        accept in "json|metadata|text|x",
        outcome in "seen|refused|x",
        answer in "[a-z:{}\\[\\]\" \\n-]{0,30}",
        version in "v1|skvs.kubectl.io/v1alpha1",
    ) {
        let manifest = json!({"apiVersion": version, "kind": "Bundle", "capturedAt": "2026-11-24T01:02:03Z",
            "requests": [{"path": path, "accept": accept, "outcome": outcome, "file": "a.yaml"}]});
        if let Ok(archive) = read(&[("manifest.json", &manifest.to_string()), ("a.yaml", &answer)]) {
            for accept in [Accept::Json, Accept::Metadata, Accept::Text] {
                let _ = archive.answer(&path, accept, None);
            }
        }
    }
}

#[test]
fn a_deployments_logs_are_those_of_its_own_pods() {
    let log = "[pod/helm-controller-5d8f-x2x7q/manager] own\n[pod/helm-controller-shard1-5d8f-lq8vz/manager] shard\n[pod/helm-controller-0/manager] member\n";
    let logs = |files: &[(&str, &str)]| {
        let archive = read(&[&[("pods.log", log)], files].concat()).unwrap();
        let logs: Vec<String> = archive
            .logs_of("helm-controller")
            .map(str::to_owned)
            .collect();
        logs.concat()
    };
    assert_eq!(logs(&[]), "own\n");
    let pod = |owner: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: helm-controller-5d8f-x2x7q\n  namespace: flux-system\n  labels: {{pod-template-hash: 5d8f}}\n  ownerReferences: [{{{owner}, controller: true}}]\n"
        )
    };
    let own = pod("kind: ReplicaSet, name: helm-controller-5d8f");
    assert_eq!(logs(&[("pod.yaml", &own)]), "own\n");
    let another = pod("kind: StatefulSet, name: helm-controller-5d8f");
    assert_eq!(logs(&[("pod.yaml", &another)]), "");
}

#[test]
fn a_list_made_of_one_that_was_cut_is_cut() {
    let (all, labelled) = (
        "/api/v1/namespaces/core/pods",
        "/api/v1/namespaces/core/pods?labelSelector=a%3Db",
    );
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "core", "labels": {"a": "b"}}});
    let token = |recorded: &str, asked: &str| {
        let manifest = manifest(
            &json!([{"path": all, "accept": "json", "outcome": "seen", "file": "answers/1.yaml"}]),
        );
        let list = json!({"apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "7", "continue": recorded}, "items": [pod]});
        let files = [
            ("manifest.json", manifest.as_str()),
            ("answers/1.yaml", &list.to_string()),
        ];
        let Answer::Found(body) = read(&files).unwrap().answer(asked, Accept::Json, None) else {
            panic!("{asked} has an answer");
        };
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(answer["items"][0]["metadata"]["name"], "p");
        answer["metadata"]["continue"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let everywhere = "/api/v1/pods";
    for asked in [all, labelled, everywhere] {
        assert_eq!(token("", asked), "", "{asked}");
        assert_eq!(token("more", asked), "more", "{asked}");
    }
}

#[test]
fn a_saved_log_is_not_that_of_the_run_before() {
    let archive = read(&[("pods.log", "[pod/a/c] one\n")]).unwrap();
    let log = |query: &str| {
        let path = format!("/api/v1/namespaces/n/pods/a/log?container=c{query}");
        matches!(archive.answer(&path, Accept::Text, None), Answer::Found(_))
    };
    assert!(log("") && log("&tailLines=5"));
    assert!(!log("&previous=true"));
}
