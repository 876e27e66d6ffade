use super::*;
use crate::diagnosis::{Case, diagnose, fixture};
use crate::model::helm_storage;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::json;

fn redacted(mut object: Value) -> Value {
    value(&mut object);
    object
}

#[test]
fn payloads_of_secrets_become_sizes() {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "db-agora-kvs", "managedFields": [{"manager": "kubectl"}], "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration":
                "{\"kind\":\"Secret\",\"stringData\":{\"adminPassword\":\"hunter2\"},\"metadata\":{\"name\":\"db-agora-kvs\"}}",
        }},
        "data": {"adminUsername": STANDARD.encode("admin"), "adminPassword": STANDARD.encode("hunter2")},
        "stringData": {"note": "a b"},
    });
    let list = redacted(json!({"kind": "List", "items": [secret]}));
    assert_eq!(
        list["items"][0],
        json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": "db-agora-kvs", "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration":
                    "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"db-agora-kvs\"},\"stringData\":{\"adminPassword\":\"<redacted 7 bytes>\"}}",
            }},
            "data": {"adminUsername": "<redacted 5 bytes>", "adminPassword": "<redacted 7 bytes>"},
            "stringData": {"note": "<redacted 3 bytes>"},
        })
    );
    // As the API server sends them: the items have no kind.
    let list = redacted(json!({"kind": "SecretList", "items": [{"data": {"a": "c2VjcmV0"}}]}));
    assert_eq!(list["items"][0]["data"]["a"], "<redacted 6 bytes>");
}

#[test]
fn a_release_stays_readable_without_its_secrets() {
    let release = json!({
        "name": "core-a", "namespace": "core", "version": 2,
        "info": {"status": "deployed", "notes": "A database was created!\n\n  Database name: pds_database\n  Password: hunter2\n"},
        "chart": {"metadata": {"name": "c", "version": "0.1.2"}, "values": {"adminPassword": "hunter2", "encryption": true},
            "templates": [{"data": "hunter2"}], "files": [{"data": "hunter2"}]},
        "config": {"namespace": "pds", "database": "database", "serviceAccounts": ["pds"], "couchdb": {"credentials":
            {"secretName": "db", "userSecretKey": "adminUsername", "passwordSecretKey": "adminPassword", "password": "hunter2"}}},
        "hooks": [{"kind": "Job", "events": ["pre-install"], "last_run": {"phase": "Succeeded"}, "manifest":
            "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec:\n  # hunter2\n  env:\n    - {name: DB_PASSWORD, value: hunter2}\n"}],
        "manifest": "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  x: hunter2\n---\nkind: ConfigMap\napiVersion: v1\nmetadata:\n  name: b\n",
    });
    let payload = STANDARD.encode(STANDARD.encode(release.to_string()));
    let secret = redacted(json!({
        "kind": "Secret", "type": helm_storage::SECRET_TYPE, "metadata": {"name": "sh.helm.release.v1.core-a.v2"},
        "data": {"release": payload},
    }));
    let text = secret.to_string();
    assert!(!text.contains("hunter2"), "{text}");
    assert_eq!(secret.get("data"), None);
    let read: helm_storage::Release = helm_storage::from_secret(&secret).unwrap();
    assert_eq!(
        (read.version, read.chart.metadata.version.as_str()),
        (2, "0.1.2")
    );
    assert_eq!(
        read.info.notes,
        "A database was created!\n\n  Database name: pds_database\n  Password: <redacted>\n"
    );
    assert_eq!(
        read.config,
        json!({"namespace": "pds", "database": "database", "serviceAccounts": ["pds"], "couchdb": {"credentials":
            {"secretName": "db", "userSecretKey": "adminUsername", "passwordSecretKey": "adminPassword", "password": "<redacted>"}}})
    );
    assert_eq!(
        helm_storage::creation(&read.hooks),
        helm_storage::Creation::Succeeded
    );
    let names: Vec<String> = crate::model::manifest::objects(&read.manifest)
        .into_iter()
        .map(|o| o.metadata.name)
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(
        read.chart.values,
        json!({"adminPassword": "<redacted>", "encryption": true})
    );
}

#[test]
fn a_payload_that_is_no_release_is_hidden_whole() {
    let secret = redacted(
        json!({"kind": "Secret", "type": helm_storage::SECRET_TYPE, "data": {"release": "aHVudGVyMg=="}}),
    );
    assert_eq!(secret["data"]["release"], "<redacted 7 bytes>");
}

#[test]
fn references_to_secrets_stay() {
    for object in [
        json!({"kind": "ServiceAccount", "secrets": [{"name": "pds-token-x"}], "imagePullSecrets": [{"name": "pull"}],
            "automountServiceAccountToken": false}),
        json!({"env": [{"name": "COUCHDB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "adminPassword"}}}]}),
        json!({"volumes": [{"name": "kube-api-access", "projected": {"sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"secret": {"name": "a", "items": [{"key": "tls.key", "path": "tls.key", "mode": 256}]}}]}}]}),
        json!({"spec": {"secretRef": {"name": "artifactory"}, "url": "https://artifactory.example/helm", "certSecretRef": {"name": "ca"}}}),
        json!({"spec": {"valuesFrom": [{"kind": "Secret", "name": "s", "valuesKey": "password"}]}}),
        json!({"args": ["curl -u \"$COUCHDB_USER:$COUCHDB_PASSWORD\" http://db:5984", "--password", "$PASSWORD"]}),
    ] {
        assert_eq!(redacted(object.clone()), object);
    }
}

#[test]
fn the_word_after_a_flag_is_its_value() {
    let args = redacted(
        json!({"command": ["sh", "--password", "hunter2", "-v", "-u", "admin:hunter2", "--token=hunter2", "x"]}),
    );
    assert_eq!(
        args["command"],
        json!([
            "sh",
            "--password",
            "<redacted>",
            "-v",
            "-u",
            "<redacted>",
            "--token=<redacted>",
            "x"
        ])
    );
}

#[test]
fn files_in_config_maps_are_read() {
    let map = redacted(json!({"kind": "ConfigMap", "data": {
        "values.yaml": "# as given\ndatabase: a\ncouchdb:\n  adminPassword: hunter2\n",
        "config.json": "{\"auths\": {\"registry\": {\"auth\": \"aHVudGVyMg==\"}}}",
        "plain": "# stays as it is\ndatabase:   a\n",
    }, "binaryData": {"keystore": "aHVudGVyMg=="}}));
    assert_eq!(
        map,
        json!({"kind": "ConfigMap", "data": {
            "values.yaml": "couchdb:\n  adminPassword: <redacted>\ndatabase: a\n",
            "config.json": "{\"auths\":{\"registry\":{\"auth\":\"<redacted>\"}}}",
            "plain": "# stays as it is\ndatabase:   a\n",
        }, "binaryData": {"keystore": "<redacted 7 bytes>"}})
    );
}

#[test]
fn a_secret_beside_yaml_that_cannot_be_read_is_hidden_whole() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\ndata:\n  x: aHVudGVyMg==\n";
    let map = "kind: ConfigMap\ndata:\n  kept: b\n";
    for other in [
        "a: 1\na: 2\n",
        "a: b\n  c: d\n",
        "just a text\n",
        "a: [1,\n",
        "x: {{ .Values.a }}\n",
    ] {
        for text in [
            format!("---\n{secret}---\n{map}---\n{other}"),
            format!("{other}---\n{map}---\n{secret}"),
            format!("---\n{secret}{other}---\n{map}"),
            format!(
                "{map}---\n{}{other}",
                secret.replace("Secret", "'Secret' # db")
            ),
        ] {
            let once = redacted(json!({"manifest": text}));
            let told = once["manifest"].as_str().unwrap();
            assert!(!told.contains("aHVudGVyMg"), "{text:?}: {told}");
            assert!(told.contains("kept: "), "{text:?}: {told}");
            assert_eq!(redacted(once.clone()), once);
        }
    }
    // A reference to a Secret in text that is no YAML is none.
    let text = "valuesFrom:\n- kind: Secret\n  name: a\n  bad: [\n";
    assert_eq!(redacted(json!({"a": text}))["a"], text);
}

#[test]
fn the_rules_find_in_redacted_cases_what_they_find_in_the_originals() {
    for name in fixture::names() {
        let now = fixture::meta(&name).now;
        let (before, after) = (
            fixture::snapshot(&name),
            fixture::snapshot_of(&name, &value),
        );
        let told = |snapshot| {
            let diagnosis = diagnose(&Case::new(snapshot, now));
            let all: Vec<(String, String)> = diagnosis
                .roots
                .iter()
                .flat_map(|r| {
                    std::iter::once((r.rule, &r.finding))
                        .chain(r.follows.iter().map(|(rule, f)| (*rule, f)))
                })
                .map(|(rule, finding)| (rule.code.to_owned(), finding.sentence.clone()))
                .collect();
            all
        };
        assert_eq!(told(&after), told(&before), "{name}");
    }
}

/// Places where a secret is recognised, `S` in its place.
fn planted(place: usize, s: &str) -> Value {
    match place {
        0 => {
            json!({"kind": "Secret", "data": {"x": STANDARD.encode(s), "y": s}, "stringData": {"z": s}})
        }
        1 => {
            json!({"kind": "HelmRelease", "spec": {"values": {"couchdb": {"adminPassword": s, "credentials": {"password": s, "user": s}}}}})
        }
        2 => {
            json!({"spec": {"containers": [{"env": [{"name": "DB_PASSWORD", "value": s}], "args": ["--token", s, format!("--api-key={s}")]}]}})
        }
        3 => {
            json!({"kind": "ConfigMap", "data": {"password": s, "values.yaml": format!("a: b\npassword: {}\n", json!(s)),
            "config.json": json!({"auths": {"r": {"auth": s}}, "clientSecret": [s]}).to_string()}})
        }
        4 => {
            json!({"metadata": {"annotations": {"last-applied": json!({"kind": "Secret", "stringData": {"a": s}, "token": s}).to_string()}}})
        }
        5 => json!({"message": format!("cannot log in: password={s}")}),
        6 => {
            json!({"message": format!("Get \"https://admin:{s}@artifactory.example/index.yaml\": EOF")})
        }
        7 => json!({"notes": format!("Database: a\n  Password: {s}\n  token: \"{s}\"\n")}),
        8 => {
            json!({"args": [format!("curl -H 'Authorization: Bearer {s}' -u admin:{s} http://a")]})
        }
        9 => {
            json!({"log": format!("> authorization: Basic {}\n< 401", STANDARD.encode(format!("admin:{s}")))})
        }
        10 => {
            json!({"a": format!("-----BEGIN RSA PRIVATE KEY-----\n{s}\n{s}\n-----END RSA PRIVATE KEY-----\nrest")})
        }
        11 => {
            json!({"kind": "Secret", "type": helm_storage::SECRET_TYPE, "data": {"release": STANDARD.encode(STANDARD.encode(json!({
            "config": {"password": s}, "manifest": format!("kind: Secret\nstringData:\n  a: {}\n", json!(s)),
            "chart": {"templates": [{"data": s}], "values": {"apiKey": s}}, "info": {"notes": format!("secret: {s}")},
        }).to_string()))}})
        }
        12 => json!({"nested": json!({"inner": json!({"secret": s}).to_string()}).to_string()}),
        13 => json!({"text": format!("key:\n  private-key: |\n    {s}\n    {s}\nnext: a")}),
        _ => {
            json!({"text": format!("{{\"msg\":\"request\",\"token\":\"{s}\",\"x\":1}} and {{\\\"password\\\":\\\"{s}\\\"}}")})
        }
    }
}

proptest! {
    /// Digits and a slash behind a colon are a port: no more can be told from a URL that nobody should have written.
    #[test]
    fn no_planted_secret_survives(place in 0_usize..15, s in "[A-Za-z][A-Za-z0-9_.+/=!%^*~-]{7,30}[0-9]") {
        let object = redacted(planted(place, &s));
        let text = object.to_string();
        prop_assert!(!text.contains(&s), "{s} in {text}");
        prop_assert!(!text.contains(&STANDARD.encode(&s)), "{s} in {text}");
        prop_assert_eq!(redacted(object.clone()), object);
    }

    /// The testbed's own administrator has a password of this kind.
    #[test]
    fn no_nasty_secret_survives_where_its_end_can_be_told(place in 0_usize..5, s in "[A-Za-z0-9 '\"@:/#?&$%\\\\{}<,;|-]{8,30}[A-Z0-9]{4}") {
        let object = redacted(planted(place, &s));
        let text = object.to_string();
        let plain = json!(s).to_string();
        prop_assert!(!text.contains(plain.trim_matches('"')), "{s} in {text}");
        prop_assert_eq!(redacted(object.clone()), object);
    }

    #[test]
    fn any_text_is_redacted_once(text in "(password|token|Authorization|Bearer|Basic|://|@|:|=|\"|'|\\\\|\n|  |\\||[a-zA-Z0-9]{1,8}| |-u|--secret|-----BEGIN PRIVATE KEY-----|eyJ|<redacted>){0,14}") {
        let once = text::text(&text).into_owned();
        prop_assert_eq!(text::text(&once).into_owned(), once.clone(), "{:?}", text);
    }

    #[test]
    fn nothing_panics(text in any::<String>()) {
        let _ = text::text(&text);
        let _ = redacted(json!({"kind": "Secret", "data": {"a": text, "b": [text]}, "x": text, "password": [text, 1, null]}));
    }
}
