use super::fields::Class;
use super::*;
use crate::diagnosis::fixture;
use crate::diagnosis::{Case, diagnose};
use crate::snapshot::Snapshot;
use crate::view::description::Description;
use crate::view::report::Onboarding;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::json;

/// The object of a fixture as a bundle has it.
fn captured(object: &mut Value, databases: &BTreeSet<String>) {
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    let mut tally = Tally::default();
    let resource = match kind.as_str() {
        "PodLog" => {
            let text = object["text"].as_str().unwrap();
            object["text"] = scrub::scrub(text).0.into_owned().into();
            return;
        }
        // A bundle does not keep it.
        "Kustomization" => return,
        "Databases" => "couchdb",
        "SubjectAccessReview" => "subjectaccessreviews.authorization.k8s.io",
        kind => {
            fields::of_kind(kind)
                .unwrap_or_else(|| panic!("{kind}"))
                .name
        }
    };
    let version = object["apiVersion"].clone();
    assert!(reduce_as(resource, object, &mut tally));
    object["kind"] = kind.into();
    object["apiVersion"] = version;
    reduce::settle(object, &|name| databases.contains(name));
    release::encode(object);
}

fn snapshot(name: &str) -> Snapshot {
    let whole = fixture::snapshot(name);
    let others = whole.others.if_read().into_iter().flatten();
    let claims = others.chain([&whole.helm_release]).map(HelmRelease::claim);
    let databases = claims
        .filter_map(|claim| claim.joined().map(loose))
        .collect();
    fixture::snapshot_of(name, &|document| captured(document, &databases))
}

/// What a report and a description say.
fn told(snapshot: Snapshot, name: &str) -> (Value, Value) {
    let case = Case::new(&snapshot, fixture::meta(name).now);
    let report = Onboarding::new(&case, diagnose(&case));
    let mut description = serde_json::to_value(Description::new(snapshot.clone(), None)).unwrap();
    description["helmRelease"] = Value::Null;
    (serde_json::to_value(report).unwrap(), description)
}

fn difference(path: &str, a: &Value, b: &Value, all: &mut Vec<String>) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let of = |map: &serde_json::Map<String, Value>| {
                    map.get(key).cloned().unwrap_or_default()
                };
                difference(&format!("{path}/{key}"), &of(a), &of(b), all);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                difference(&format!("{path}/{i}"), a, b, all);
            }
        }
        _ if a != b => all.push(format!("{path}:\n    {a}\n    {b}")),
        _ => {}
    }
}

#[test]
fn every_fixture_says_the_same_of_what_is_kept() {
    let mut all = Vec::new();
    for name in fixture::names() {
        let (whole, kept) = (
            told(fixture::snapshot(&name), &name),
            told(snapshot(&name), &name),
        );
        difference(&format!("{name} report"), &whole.0, &kept.0, &mut all);
        difference(&format!("{name} description"), &whole.1, &kept.1, &mut all);
    }
    assert!(
        all.is_empty(),
        "{} differences\n{}",
        all.len(),
        all.join("\n")
    );
}

/// Where a secret was planted, and the other one that stands in every place that the table does not name.
struct Plant<'a> {
    secret: &'a str,
    other: &'a str,
}

impl Plant<'_> {
    /// A document with the secret at `path`, and the other one beside every step.
    fn at(&self, path: &[&str]) -> Value {
        let unknown = json!({"a": [self.other], "password": self.other, "b": {"c": self.other}, "d": self.other});
        match path {
            [] => self.secret.into(),
            ["**"] => json!({"unlisted": {"deep": [self.secret], "x": self.secret}}),
            ["*", rest @ ..] => json!([self.at(rest)]),
            [key, rest @ ..] => {
                let mut map = serde_json::Map::new();
                for other in [
                    "unlisted",
                    "data",
                    "binaryData",
                    "annotations",
                    "managedFields",
                ] {
                    map.insert(other.to_owned(), unknown.clone());
                }
                map.insert(key.replace('~', "/"), self.at(rest));
                map.into()
            }
        }
    }
}

/// A path under which an API server would answer with the resource; a review is POSTed.
fn asked(resource: &str, list: bool) -> String {
    let (root, plural) = match resource.split_once('.') {
        Some((plural, group)) => (format!("/apis/{group}/v1"), plural),
        None => ("/api/v1".to_owned(), resource),
    };
    match resource {
        "couchdb" => "/couchdb/databases".to_owned(),
        "discovery" => "/apis/a.example".to_owned(),
        _ if resource.starts_with("subjectaccessreviews") || list => format!("{root}/{plural}"),
        _ => format!("{root}/namespaces/n/{plural}/x"),
    }
}

/// Every byte that a bundle would have of an answer.
fn bundle(path: &str, accept: Accept, body: &[u8]) -> String {
    let recorder = super::super::record::Recorder::default();
    recorder.record(path, accept, None, Heard::Body(body));
    let (requests, files) = recorder.take().into_files();
    let mut text = serde_json::to_string_pretty(&requests).unwrap();
    for (name, bytes) in files {
        text.push_str(&format!("\n# {name}\n{}", String::from_utf8_lossy(&bytes)));
    }
    text
}

fn helm_secret(release: &str) -> Value {
    let encode = |bytes: &[u8]| STANDARD.encode(bytes);
    json!({"metadata": {"name": "sh.helm.release.v1.a.v1"}, "data": {"release": encode(encode(release.as_bytes()).as_bytes())}})
}

/// What each answer with a secret at `path` of the resource comes to: as an object, as an item of a list, with its kind and without.
fn answers(resource: &fields::Resource, document: &Value) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    if resource.name == "log" {
        return vec![(
            "/api/v1/namespaces/n/pods/x/log?container=a".to_owned(),
            document.to_string().into(),
        )];
    }
    let mut kinds = vec![document.clone()];
    if document.get("kind").is_none() {
        kinds.push(document.clone());
        kinds[1]["kind"] = resource.kind.into();
        // One that says that it is something else.
        kinds.push(document.clone());
        kinds[2]["kind"] = "ConfigMap".into();
    }
    for document in kinds {
        if resource.name == "release" {
            let secret = helm_secret(&document.to_string());
            all.push((asked("secrets", false), secret.to_string().into()));
            all.push((
                asked("secrets", true),
                json!({"kind": "SecretList", "items": [secret]})
                    .to_string()
                    .into(),
            ));
            continue;
        }
        all.push((asked(resource.name, false), document.to_string().into()));
        all.push((
            asked(resource.name, true),
            json!({"kind": "List", "items": [document]})
                .to_string()
                .into(),
        ));
        // In the manifest of a release, beside a document that is not YAML.
        if fields::of_kind(resource.kind).is_some() && document["kind"] == resource.kind {
            let other = "password: [hunter2\n---\nkind: Secret\nstringData: {a: hunter2\n";
            let manifest = format!("{other}---\n{document}\n---\n{other}");
            let release =
                json!({"name": "a", "manifest": manifest, "hooks": [{"manifest": manifest}]});
            all.push((
                asked("secrets", false),
                helm_secret(&release.to_string()).to_string().into(),
            ));
        }
    }
    all
}

/// Classes in which a secret without a form survives, as docs/capture.md says.
fn is_free(class: Class) -> bool {
    matches!(
        class,
        Class::Name | Class::Database | Class::Text | Class::Arguments
    )
}

fn check(secret: &str, other: &str) -> Result<(), String> {
    for resource in &fields::RESOURCES {
        for (class, path) in resource.paths() {
            // Its items are those of other resources.
            if resource.name == "list" {
                continue;
            }
            let parts: Vec<&str> = path.split('/').collect();
            let plain = Plant { secret, other }.at(&parts);
            let form = format!("x password={secret} y");
            let known = Plant {
                secret: &form,
                other,
            }
            .at(&parts);
            for (asked, body) in answers(resource, &plain) {
                let bytes = bundle(&asked, accept(resource), &body);
                let place = format!("{} {path} by {asked}\n{bytes}", resource.name);
                if bytes.contains(other) || bytes.contains("hunter2") {
                    return Err(format!("what the table does not name is kept: {place}"));
                }
                if bytes.contains(secret) && !is_free(class) {
                    return Err(format!("{class:?} holds a secret: {place}"));
                }
            }
            let urls = [
                format!("https://mm.example/hooks/{secret}"),
                format!("token://{secret}"),
                format!("http://h:5984/{secret}/_all?a={secret}#{secret}"),
                format!("https://u:{secret}@h/{secret}"),
                format!("https://u:{secret}/x@h/"),
                format!("https://h:{secret}/"),
            ];
            for url in urls.iter().filter(|_| !is_free(class)) {
                let planted = Plant { secret: url, other }.at(&parts);
                for (asked, body) in answers(resource, &planted) {
                    let bytes = bundle(&asked, accept(resource), &body).to_lowercase();
                    if bytes.contains(&secret.to_lowercase()) {
                        return Err(format!("{class:?} holds {url}: {} {path}", resource.name));
                    }
                }
            }
            for (asked, body) in answers(resource, &known) {
                let bytes = bundle(&asked, accept(resource), &body);
                if bytes.contains(secret) {
                    return Err(format!(
                        "{class:?} is not scrubbed: {} {path}\n{bytes}",
                        resource.name
                    ));
                }
            }
        }
    }
    Ok(())
}

fn accept(resource: &fields::Resource) -> Accept {
    if resource.name == "log" {
        Accept::Text
    } else {
        Accept::Json
    }
}

#[test]
fn each_free_field_is_one_in_which_a_secret_without_a_form_survives() {
    for resource in fields::RESOURCES.iter().filter(|r| r.name != "list") {
        for (class, path) in resource.paths() {
            let parts: Vec<&str> = path.split('/').collect();
            let document = Plant {
                secret: "Hunter2!",
                other: "no",
            }
            .at(&parts);
            let (asked, body) = answers(resource, &document).swap_remove(0);
            let kept = bundle(&asked, accept(resource), &body).contains("Hunter2!");
            assert_eq!(kept, is_free(class), "{} {path}", resource.name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1))]
    #[test]
    fn a_planted_secret_is_kept_only_where_the_page_says_so(
        secret in "[A-Z][A-Za-z0-9_]{7,20}[0-9]", other in "[a-z][a-z0-9]{7,12}[.+!-][A-Z]{4}"
    ) {
        prop_assume!(!secret.contains(&other));
        prop_assert_eq!(check(&secret, &other), Ok(()));
    }
}

#[test]
fn what_is_not_in_the_table_is_not_kept() {
    for path in [
        "/api/v1/namespaces/n/configmaps/x",
        "/apis/storage.k8s.io/v1/csidrivers",
        "/apis/a.example/v1/things/x",
        "/version",
        "/x",
    ] {
        for accept in [Accept::Json, Accept::Metadata, Accept::Text] {
            let bytes = bundle(
                path,
                accept,
                br#"{"kind":"Pod","items":[{"a":"hunter2"}],"metadata":{"name":"hunter2"}}"#,
            );
            assert!(
                !bytes.contains("hunter2") && bytes.contains(NOT_KEPT),
                "{path}: {bytes}"
            );
        }
    }
}

/// What a Secret holds beside Helm's release, and a release that cannot be decoded.
#[test]
fn no_payload_is_kept_but_what_is_read_of_a_release() {
    let path = asked("secrets", false);
    for secret in [
        json!({"kind": "Secret", "type": "Opaque", "data": {"hunter2": "aHVudGVyMg=="}, "stringData": {"a": "hunter2"}}),
        json!({"data": {"a": "aHVudGVyMg=="}}),
        json!({"data": "aHVudGVyMg==", "stringData": ["hunter2"], "immutable": "hunter2"}),
        json!({"type": "helm.sh/release.v1", "data": {"release": "aHVudGVyMg==", "x": "aHVudGVyMg=="}}),
        json!({"type": "helm.sh/release.v1", "stringData": {"release": "{\"config\":{\"a\":\"hunter2\"},\"x\":\"hunter2\"}"}}),
        json!({"type": "helm.sh/release.v1", "stringData": {"release": "{\"config\": hunter2}", "error": "hunter2"}}),
    ] {
        let bytes = bundle(&path, Accept::Json, secret.to_string().as_bytes());
        assert!(
            !bytes.contains("hunter2") && !bytes.contains("aHVudGVyMg"),
            "{secret}: {bytes}"
        );
    }
    let broken = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "type": "helm.sh/release.v1", "data": {"release": "%%%"}});
    let mut kept = broken.clone();
    assert!(reduce_as("secrets", &mut kept, &mut Tally::default()));
    let why = |secret: &Value| {
        crate::model::helm_storage::from_secret::<Value>(secret)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(why(&kept), why(&broken));
}

/// A word that may name a database is kept in a value only where a HelmRelease claims that database.
#[test]
fn of_what_is_left_out_the_names_of_claimed_databases_stay() {
    let release = |name: &str, values: Value| json!({"metadata": {"name": name, "namespace": "n"}, "spec": {"values": values}});
    let list = json!({"items": [
        release("a", json!({"namespace": "pds", "database": "database"})),
        release("b", json!({"url": "http://h:5984/pds_database/x?secret=hunter_2", "deep": [{"x": "my_secret", "DB_NAMESPACE": "pds",
            "dbName": "no", "userDatabase": "other"}]})),
    ]});
    let text = bundle(
        &asked("helmreleases.helm.toolkit.fluxcd.io", true),
        Accept::Json,
        list.to_string().as_bytes(),
    );
    assert!(text.contains("url: <left out> pds_database\n"), "{text}");
    assert!(
        text.contains("DB_NAMESPACE: pds") && text.contains("userDatabase: other"),
        "{text}"
    );
    for gone in ["hunter", "my_secret", "dbName: no"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
}

/// A value is looked through for names of databases: these made the work grow with the square of its length.
#[test]
fn values_of_400_kib_are_cut_down() {
    for part in ["\\", "_", "\\_", "a_b ", "%5F", "/", "a_/", "x"] {
        let value = format!("_{}", part.repeat(400 * 1024 / part.len()));
        let release = json!({"metadata": {"name": "a", "namespace": "n"}, "spec": {"values": {"x": value, "password": [value]}}});
        let path = asked("helmreleases.helm.toolkit.fluxcd.io", false);
        let text = bundle(&path, Accept::Json, release.to_string().as_bytes());
        assert!(text.len() < 2_000, "{part:?}: {}", text.len());
    }
}

/// As Helm reads a manifest: of a key that is there twice the last one counts. What aliases repeat is bounded by each document's length.
#[test]
fn a_hook_is_read_as_it_is_live_and_no_document_grows() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..4 {
        let ten = format!("*a{},", n - 1).repeat(10);
        bomb.push_str(&format!("a{n}: &a{n} [{ten}]\n"));
    }
    assert!(serde_saphyr::from_str::<Value>(&bomb).is_ok());
    let hook =
        "kind: Job\nmetadata: {name: first}\nspec: {}\nmetadata: {name: hook, namespace: n}\n";
    let release = json!({"name": "a", "manifest": format!("---\n{bomb}").repeat(60), "hooks": [{"manifest": hook}]});
    let mut secret = helm_secret(&release.to_string());
    assert!(reduce_as("secrets", &mut secret, &mut Tally::default()));
    let kept = &secret["stringData"]["release"];
    assert_eq!(kept["hooks"][0]["manifest"][0]["metadata"]["name"], "hook");
    let documents = kept["manifest"].as_array().unwrap();
    assert_eq!(documents.len(), 60);
    assert!(documents.iter().all(|document| document == "<left out>"));
}

/// Which Secret an object makes is read of its spec: with a spec that says nothing of it, the object's own name counts.
#[test]
fn of_an_object_that_makes_a_secret_the_secret_s_name_stays() {
    let external = |spec: &str| {
        format!(
            "---\nkind: ExternalSecret\nmetadata: {{name: a}}\nspec: {{{spec}refreshInterval: 1h, data: [{{remoteRef: {{key: hidden}}}}]}}\n"
        )
    };
    let certificate =
        "---\nkind: Certificate\nmetadata: {name: c}\nspec: {secretName: t, dnsNames: [hidden]}\n";
    let manifest = [
        external("target: {name: s, template: {data: {a: hidden}}}, "),
        external(""),
        certificate.to_owned(),
    ];
    let release = json!({"name": "a", "manifest": manifest.concat()});
    let mut secret = helm_secret(&release.to_string());
    assert!(reduce_as("secrets", &mut secret, &mut Tally::default()));
    let kept = &secret["stringData"]["release"]["manifest"];
    let specs = kept
        .as_array()
        .unwrap()
        .iter()
        .map(|object| &object["spec"]);
    let expected = [
        json!({"target": {"name": "s"}}),
        json!({}),
        json!({"secretName": "t"}),
    ];
    assert_eq!(
        specs.collect::<Vec<_>>(),
        expected.iter().collect::<Vec<_>>()
    );
}

/// Two names of databases that look random stay two names.
#[test]
fn a_name_of_a_database_is_not_scrubbed() {
    use crate::model::ownership::HelmReleases;

    let names = [
        "orders_0123456789abcdef0123456789abcdef",
        "orders_fedcba9876543210fedcba9876543210",
    ];
    let captured = |database: &str| {
        let mut hr = json!({"metadata": {"name": &database[..2], "namespace": "n"},
            "spec": {"values": {"namespace": "core", "database": database}}});
        let resource = "helmreleases.helm.toolkit.fluxcd.io";
        assert!(reduce_as(resource, &mut hr, &mut Tally::default()));
        HelmRelease::from_value(&hr).unwrap()
    };
    let mut all = names.map(captured);
    all[1].metadata.name = "other".to_owned();
    assert_eq!(all[0].claim().column(), format!("core_{}", names[0]));
    let claims = HelmReleases::of_onboardings(&all);
    assert!(!claims.is_shared(&all[0]) && !claims.is_shared(&all[1]));

    let found = format!("{}/$()+.-", names[0]);
    let mut answer = json!({"names": names, "asked": [[found, {"answer": "there"}]]});
    assert!(reduce_as("couchdb", &mut answer, &mut Tally::default()));
    assert_eq!(answer["names"], json!(names));
    assert_eq!(answer["asked"][0][0], json!(found));

    // What CouchDB would not take is scrubbed, and so is not known.
    let unknown = ["x password=a", "x password=b"].map(captured);
    assert_eq!(unknown[0].claim().column(), "<unknown>");
    let claims = HelmReleases::of_onboardings(&unknown);
    assert!(!claims.is_shared(&unknown[0]));
}

#[test]
fn a_pair_in_values_keeps_an_underscore() {
    let mut hr = json!({"spec": {"values": {"x": {"dbNamespace": "pds", "userDatabase": "a_b"}}}});
    let resource = "helmreleases.helm.toolkit.fluxcd.io";
    assert!(reduce_as(resource, &mut hr, &mut Tally::default()));
    assert_eq!(
        hr.pointer("/spec/values/x/userDatabase"),
        Some(&json!("a_b"))
    );
}

/// Of a URL the host stays, and a name in its path only where it is that of a claimed database.
#[test]
fn of_a_url_the_host_and_a_claimed_database_stay() {
    let hr = json!({"metadata": {"name": "a", "namespace": "n"}, "spec": {"values": {"namespace": "pds", "database": "database"}}});
    let values = [
        "http://couch.kvs.svc:5984/pds_database",
        "http://couch.kvs.svc/other_database/x",
        "https://mm.example/hooks/xgx8abcq",
        "https://admin:pw@b.example/",
        "token://hunter2",
        "HTTP://upper.example",
    ];
    let env: Vec<Value> = values
        .iter()
        .map(|value| json!({"name": "A", "value": value}))
        .collect();
    let job = json!({"metadata": {"name": "j", "namespace": "n"}, "spec": {"template": {"spec": {"containers": [{"env": env}]}}}});
    let recorder = super::super::record::Recorder::default();
    for (resource, object) in [
        ("helmreleases.helm.toolkit.fluxcd.io", hr),
        ("jobs.batch", job),
    ] {
        let body = object.to_string();
        recorder.record(
            &asked(resource, false),
            Accept::Json,
            None,
            Heard::Body(body.as_bytes()),
        );
    }
    let (_, files) = recorder.take().into_files();
    let job = files
        .iter()
        .find(|(name, _)| name.contains("jobs"))
        .unwrap();
    let text = String::from_utf8_lossy(&job.1).into_owned();
    let kept: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("value: "))
        .collect();
    assert_eq!(
        kept,
        [
            "http://couch.kvs.svc:5984/pds_database",
            "http://couch.kvs.svc",
            "https://mm.example",
            "https://b.example",
            "<left out>",
            "<left out>",
        ]
    );
}

/// Values of any depth are written so that they are read back, and too deep ones are not said to be empty.
#[test]
fn what_is_written_is_read_back_whatever_its_depth() {
    use crate::model::documents::{Room, documents};

    for inner in [json!({"a": "deep_value"}), json!(["pds_database"])] {
        let values = (0..100).fold(inner, |value, n| match n % 2 {
            0 => json!({ "k": value }),
            _ => json!([value]),
        });
        let release = json!({"metadata": {"name": "a", "namespace": "n"},
            "spec": {"values": {"namespace": "pds", "database": "database", "deep": values}, "postRenderers": values}});
        for list in [false, true] {
            let path = asked("helmreleases.helm.toolkit.fluxcd.io", list);
            let body = match list {
                true => json!({"items": [release]}),
                false => release.clone(),
            };
            let recorder = super::super::record::Recorder::default();
            let body = body.to_string();
            recorder.record(&path, Accept::Json, None, Heard::Body(body.as_bytes()));
            let (_, files) = recorder.take().into_files();
            for (_, bytes) in files {
                let read = documents(&bytes, &mut Room::default());
                let read = read.map(|documents| documents.len());
                assert_eq!(read, Ok(1), "{}", String::from_utf8_lossy(&bytes));
                let text = String::from_utf8_lossy(&bytes);
                assert!(
                    text.contains("<left out>") && !text.contains("{}") && !text.contains("[]")
                );
                assert!(!text.contains("deep_value"));
            }
        }
    }
}
