use super::*;
use crate::bundle::request::Status;
use serde_json::json;

fn heard(recorder: &Recorder, path: &str, body: &Value) {
    let bytes = serde_json::to_vec(body).unwrap();
    recorder.record(path, Accept::Json, None, Heard::Body(&bytes));
}

fn status(code: u16, message: &str) -> Heard<'static> {
    Heard::Refused(Status {
        code,
        message: message.to_owned(),
        ..Status::default()
    })
}

#[test]
fn pages_become_one_list_and_second_reads_are_not_kept() {
    let recorder = Recorder::default();
    let page = |items: &[i32], token: &str| {
        let items = items
            .iter()
            .map(|n| json!({"metadata": {"name": format!("p{n}")}}));
        json!({"kind": "PodList", "metadata": {"continue": token}, "items": items.collect::<Vec<_>>()})
    };
    heard(&recorder, "/api/v1/pods?limit=500", &page(&[1, 2], "x"));
    recorder.record(
        "/api/v1/pods?limit=500&continue=x",
        Accept::Json,
        None,
        status(410, "too old"),
    );
    heard(
        &recorder,
        "/api/v1/pods?limit=500&continue=y",
        &page(&[3], ""),
    );
    heard(&recorder, "/api/v1/pods", &page(&[9], ""));
    let (requests, files) = recorder.take().into_files();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].file.as_deref(), Some("answers/0001-pods.yaml"));
    assert_eq!(
        String::from_utf8(files[0].1.clone()).unwrap(),
        "items:\n- metadata:\n    name: p1\n- metadata:\n    name: p2\n- metadata:\n    name: p3\nkind: PodList\nmetadata:\n  continue: \"\"\n"
    );
}

#[test]
fn a_list_whose_end_was_not_had_was_not_had() {
    let recorder = Recorder::default();
    heard(
        &recorder,
        "/api/v1/pods?limit=500",
        &json!({"items": [1], "metadata": {"continue": "x"}}),
    );
    recorder.record(
        "/api/v1/pods?limit=500&continue=x",
        Accept::Json,
        None,
        status(500, "etcd is away"),
    );
    let recording = recorder.take();
    assert_eq!(
        (recording.answers(), recording.unreadable()),
        (0, vec!["etcd is away".to_owned()])
    );
    let (requests, files) = recording.into_files();
    assert_eq!((requests[0].outcome, files.len()), (Outcome::Refused, 0));
}

#[test]
fn what_was_not_readable_is_told_once_in_the_order_of_its_path_and_absence_is_an_answer() {
    let recorder = Recorder::default();
    let forbidden = "events is forbidden: User \"dev\" cannot list resource \"events\" in API group \"\" in the namespace \"core\"";
    for path in [
        "/api/v1/namespaces/core/events?a=1",
        "/api/v1/namespaces/core/events?a=2",
    ] {
        recorder.record(path, Accept::Json, None, status(403, forbidden));
    }
    recorder.record(
        "/api/v1/namespaces/a",
        Accept::Json,
        None,
        status(404, "gone"),
    );
    let failed = Heard::Failed("no answer in 30s, token=hunter2".to_owned());
    recorder.record("/api/v1/namespaces/b", Accept::Json, None, failed);
    let recording = recorder.take();
    assert_eq!(recording.answers(), 1);
    assert_eq!(
        recording.unreadable(),
        [
            "/api/v1/namespaces/b: no answer in 30s, token=<scrubbed>",
            "list events in core (forbidden)"
        ]
    );
}

#[test]
fn an_answer_after_a_failure_is_taken() {
    let recorder = Recorder::default();
    let path = "/api/v1/namespaces/n/pods/a";
    recorder.record(path, Accept::Json, None, Heard::Failed("reset".to_owned()));
    heard(&recorder, path, &json!({"kind": "Pod"}));
    assert_eq!(recorder.take().answers(), 1);
}

#[test]
fn nothing_is_recorded_as_it_came() {
    let recorder = Recorder::default();
    heard(
        &recorder,
        "/api/v1/namespaces/n/secrets/s",
        &json!({"kind": "Secret", "data": {"a": "aHVudGVyMg=="}}),
    );
    recorder.record(
        "/log",
        Accept::Text,
        None,
        Heard::Body(b"password=hunter2\n"),
    );
    recorder.record(
        "/x",
        Accept::Json,
        None,
        status(500, "https://a:hunter2@b is away"),
    );
    recorder.record("/y", Accept::Json, None, Heard::Body(b"no json: hunter2"));
    let kept = format!("{recorder:?}");
    assert!(
        !kept.contains("hunter2") && !kept.contains("aHVudGVyMg"),
        "{kept}"
    );
}

#[test]
fn other_teams_releases_are_left_out() {
    let recorder = Recorder::default();
    let release = |name: &str, chart: &str| {
        json!({"metadata": {"name": name}, "spec": {"chart": {"spec": {"chart": chart,
        "sourceRef": {"kind": "HelmRepository", "name": "r"}}}, "values": {"a": name}}})
    };
    let all = json!({"kind": "HelmReleaseList", "items": [release("theirs", "nginx"), release("ours", "secure-kvs-onboarding")]});
    heard(
        &recorder,
        "/apis/helm.toolkit.fluxcd.io/v2/helmreleases?labelSelector=a%21%3Db&limit=500",
        &all,
    );
    heard(
        &recorder,
        "/apis/helm.toolkit.fluxcd.io/v2/helmreleases?labelSelector=a%3Db",
        &all,
    );
    let (_, files) = recorder.take().into_files();
    let text = |at: usize| String::from_utf8(files[at].1.clone()).unwrap();
    assert!(
        text(0).contains("ours") && !text(0).contains("theirs"),
        "{}",
        text(0)
    );
    assert!(text(1).contains("theirs"));
}

#[test]
fn files_are_named_by_what_was_read() {
    for (path, name) in [
        (
            "/api/v1/namespaces/core",
            "answers/0007-namespaces-core.yaml",
        ),
        (
            "/api/v1/namespaces/core/pods/a/log?container=x",
            "answers/0007-pods-a-log.yaml",
        ),
        (
            "/apis/helm.toolkit.fluxcd.io/v2/helmreleases?labelSelector=a",
            "answers/0007-helmreleases.yaml",
        ),
        (
            "/apis/x/v1/namespaces/n/y/..%2Fz",
            "answers/0007-y-.._2Fz.yaml",
        ),
        ("/version", "answers/0007-version.yaml"),
        (
            "/apis/helm.toolkit.fluxcd.io",
            "answers/0007-apis-helm.toolkit.fluxcd.io.yaml",
        ),
    ] {
        assert_eq!(file_name(7, path, "yaml"), name);
    }
}
