//! Everything that can claim a database, and what cannot be known.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

fn name() -> DatabaseName {
    DatabaseName::parse("pds_database").unwrap()
}

fn release(id: &str, values: Value, more: Value) -> Value {
    let (namespace, name) = id.split_once('/').unwrap();
    let mut object = json!({
        "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/part-of": "secure-kvs-onboarding"}},
        "spec": {"chart": {"spec": {"chart": "secure-kvs-onboarding"}}, "values": values},
    });
    for (key, value) in more.as_object().unwrap() {
        *object
            .pointer_mut("/spec")
            .unwrap()
            .as_object_mut()
            .unwrap()
            .entry(key)
            .or_insert(Value::Null) = value.clone();
    }
    object
}

fn other() -> Value {
    release(
        "flux-system/other",
        json!({"namespace": "lima", "database": "events"}),
        json!({}),
    )
}

fn secret(chart: &str, config: Value, defaults: Value) -> Value {
    let release = json!({"name": "core-x", "namespace": "core", "version": 1, "config": config,
        "chart": {"metadata": {"name": chart}, "values": defaults}});
    json!({"metadata": {"namespace": "flux-system", "name": "sh.helm.release.v1.core-x.v1"},
        "data": {"release": STANDARD.encode(STANDARD.encode(release.to_string()))}})
}

/// The refusals for these objects beside one unrelated onboarding.
fn refused(objects: &[Value], secrets: &[Value]) -> Vec<String> {
    let mut all = Ownership::default();
    all.helm_release(&other());
    objects.iter().for_each(|o| all.helm_release(o));
    secrets.iter().for_each(|s| all.revision(s));
    judge(&all, &name())
        .err()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn nothing_claims_and_what_was_looked_at_is_counted() {
    let name = name();
    let mut all = Ownership::default();
    all.helm_release(&other());
    all.helm_release(&json!({"metadata": {"name": "podinfo", "namespace": "apps"},
        "spec": {"chart": {"spec": {"chart": "podinfo", "sourceRef": {"kind": "HelmRepository"}}}, "valuesFrom": [{"kind": "Secret", "name": "s"}],
            "kubeConfig": {"secretRef": {"name": "k"}}}}));
    all.revision(&secret("podinfo", json!(null), json!(null)));
    all.revision(&secret(
        "secure-kvs-onboarding",
        json!({"namespace": "lima", "database": "events"}),
        json!({}),
    ));
    let seen = judge(&all, &name).unwrap();
    assert_eq!(
        (
            seen.looked_at.helm_releases,
            seen.looked_at.revisions,
            seen.looked_at.database_objects
        ),
        (2, 1, None)
    );
}

#[test]
fn a_claim_counts_in_every_form() {
    let pds = json!({"namespace": "pds", "database": "database"});
    let unlabelled = json!({"metadata": {"name": "x", "namespace": "team"}, "spec": {"chart": {"spec": {"chart": "something"}}, "values": pds}});
    for object in [
        release("flux-system/x", pds.clone(), json!({})),
        release("other/x", pds.clone(), json!({"suspend": true})),
        release(
            "flux-system/x",
            pds.clone(),
            json!({"kubeConfig": {"secretRef": {"name": "k"}}}),
        ),
        unlabelled,
        // What CouchDB or a URL would have made of it.
        release(
            "flux-system/x",
            json!({"namespace": "PDS", "database": "Database "}),
            json!({}),
        ),
        release(
            "flux-system/x",
            json!({"namespace": "pds", "database": "database/"}),
            json!({}),
        ),
    ] {
        let told = refused(std::slice::from_ref(&object), &[]);
        assert_eq!(told.len(), 1, "{object}");
        assert!(told[0].contains("still claims"), "{told:?}");
    }
    let split = DatabaseName::parse("a_b_c").unwrap();
    let mut all = Ownership::default();
    all.helm_release(&release(
        "flux-system/x",
        json!({"namespace": "a_b", "database": "c"}),
        json!({}),
    ));
    assert_eq!(judge(&all, &split).unwrap_err().len(), 1);
}

#[test]
fn the_refusal_reads_as_the_user_needs_it() {
    let object = release(
        "flux-system/skvs-onboarding-pds--database",
        json!({"namespace": "pds", "database": "database"}),
        json!({}),
    );
    let name = name();
    let mut all = Ownership::default();
    all.helm_release(&object);
    let refusal = judge(&all, &name).unwrap_err().remove(0);
    assert_eq!(
        refusal.to_string(),
        "HelmRelease flux-system/skvs-onboarding-pds--database still claims pds_database"
    );
    assert_eq!(
        refusal.hint().as_deref(),
        Some(
            "remove its manifest from the GitOps repository, wait until it is gone, then run this again"
        )
    );
}

#[test]
fn a_claim_that_is_not_known_is_a_refusal() {
    let from = json!({"valuesFrom": [{"kind": "ConfigMap", "name": "v"}]});
    let chart_ref = json!({"metadata": {"name": "r", "namespace": "n"},
        "spec": {"chartRef": {"kind": "OCIRepository", "name": "c"}, "valuesFrom": [{"kind": "Secret", "name": "s"}]}});
    let in_git = |chart: &str, history: Value| {
        json!({"metadata": {"name": "g", "namespace": "n"}, "status": {"history": history},
            "spec": {"chart": {"spec": {"chart": chart, "sourceRef": {"kind": "GitRepository", "name": "r"}}},
                "valuesFrom": [{"kind": "ConfigMap", "name": "v"}]}})
    };
    for (object, why) in [
        (
            release("flux-system/x", json!({"namespace": "pds"}), from),
            "it comes from ConfigMap v",
        ),
        (
            in_git("./charts/onboarding", json!([])),
            "it comes from ConfigMap v",
        ),
        (
            in_git(
                "./charts/secure-kvs-onboarding/",
                json!([{"chartName": "x"}]),
            ),
            "it comes from ConfigMap v",
        ),
        (
            release("flux-system/x", json!({"namespace": "pds"}), json!({})),
            "values.database is not a plain value",
        ),
        (
            release(
                "flux-system/x",
                json!({"namespace": "pds", "database": ["database"]}),
                json!({}),
            ),
            "values.database is not a plain value",
        ),
        (
            release("flux-system/x", json!(null), json!({})),
            "values.namespace and values.database is not a plain value",
        ),
        (chart_ref, "it comes from Secret s"),
        (
            json!({"metadata": {"name": "x", "namespace": "n"}, "spec": {"values": {}, "interval": 7}}),
            "invalid type",
        ),
    ] {
        let told = refused(&[object], &[]);
        assert_eq!(told.len(), 1, "{why}");
        assert!(
            told[0].contains("is not known: ") && told[0].contains(why),
            "{told:?}"
        );
    }
}

#[test]
fn an_edited_database_leaves_its_revision_to_claim() {
    let edited = release(
        "flux-system/x",
        json!({"namespace": "pds", "database": "new"}),
        json!({}),
    );
    let pds = json!({"namespace": "pds", "database": "database"});
    let told = refused(
        std::slice::from_ref(&edited),
        &[secret("secure-kvs-onboarding", pds.clone(), json!({}))],
    );
    assert_eq!(
        told,
        [
            "revision 1 of Helm release core/core-x (Secret flux-system/sh.helm.release.v1.core-x.v1) was installed with pds_database"
        ]
    );
    // Defaults of the chart count where nothing was given; another chart's values count too.
    for revision in [
        secret(
            "secure-kvs-onboarding",
            json!({"database": "database"}),
            json!({"namespace": "pds", "database": null}),
        ),
        secret("fork-of-it", pds.clone(), json!({})),
    ] {
        assert_eq!(refused(&[], &[revision]).len(), 1);
    }
    // Ten revisions of one release are told once, and not beside the HelmRelease that claims.
    let revisions = vec![secret("secure-kvs-onboarding", pds.clone(), json!({})); 10];
    assert_eq!(refused(&[], &revisions).len(), 1);
    let told = refused(&[release("flux-system/x", pds, json!({}))], &revisions);
    assert_eq!(
        told,
        ["HelmRelease flux-system/x still claims pds_database"]
    );
}

#[test]
fn revisions_on_another_cluster_are_not_read() {
    let remote = json!({"kubeConfig": {"secretRef": {"name": "k"}}});
    let edited = release(
        "flux-system/x",
        json!({"namespace": "pds", "database": "new"}),
        remote,
    );
    assert_eq!(
        refused(&[edited], &[]),
        [
            "Helm's revisions of HelmRelease flux-system/x could not be read: they are on another cluster (spec.kubeConfig)"
        ]
    );
}

#[test]
fn an_unreadable_revision_is_a_refusal() {
    let broken = json!({"metadata": {"namespace": "n", "name": "s"}, "data": {"release": "%"}});
    assert_eq!(
        refused(&[], &[broken]),
        ["Helm's Secret n/s could not be read: its payload is not base64 (outer layer)"]
    );
    let nameless = secret(
        "secure-kvs-onboarding",
        json!({"namespace": "pds"}),
        json!({}),
    );
    assert!(refused(&[], &[nameless])[0].contains("do not name a database"));
}

#[test]
fn no_onboarding_and_no_helm_releases_are_the_wrong_cluster() {
    let name = name();
    let mut none = Ownership::default();
    none.helm_release(&json!({"metadata": {"name": "podinfo", "namespace": "apps"}, "spec": {"chart": {"spec": {"chart": "podinfo"}}}}));
    assert_eq!(
        judge(&none, &name).unwrap_err(),
        [Refusal::NoOnboardings { looked_at: 1 }]
    );
    assert_eq!(
        judge(&Ownership::default(), &name).unwrap_err(),
        [Refusal::NoOnboardings { looked_at: 0 }]
    );
    let mut absent = Ownership::default();
    absent.no_helm_releases();
    assert_eq!(
        judge(&absent, &name).unwrap_err(),
        [Refusal::NoHelmReleases]
    );
    let mut unread = Ownership::default();
    unread.not_read(
        "the HelmReleases of all namespaces",
        "forbidden (list helmreleases in all namespaces)",
    );
    assert_eq!(judge(&unread, &name).unwrap_err().len(), 1);
}

#[test]
fn objects_of_the_later_generation_claim() {
    let claims = |object: Value| {
        let name = name();
        let mut all = Ownership::default();
        all.helm_release(&other());
        all.database_object("CouchDBDatabase", &object);
        judge(&all, &name).is_err()
    };
    let object = |namespace: &str, name: &str, spec: Value| json!({"metadata": {"namespace": namespace, "name": name}, "spec": spec});
    assert!(claims(object("pds", "database", json!({}))));
    assert!(claims(object("pds", "pds-database", json!({}))));
    assert!(claims(object(
        "core",
        "x",
        json!({"database": {"name": "pds_database"}})
    )));
    assert!(claims(object(
        "core",
        "x",
        json!({"namespace": "pds", "database": "database"})
    )));
    assert!(claims(object("pds", "x", json!({"names": ["database"]}))));
    assert!(!claims(object("lima", "database", json!({}))));
    assert!(!claims(object(
        "pds",
        "other",
        json!({"cluster": "secure-kvs"})
    )));
    let name = name();
    let mut all = Ownership::default();
    all.helm_release(&other());
    all.database_objects_served();
    all.database_object("CouchDBDatabase", &object("lima", "x", json!({})));
    assert_eq!(
        judge(&all, &name).unwrap().looked_at.database_objects,
        Some(1)
    );
}

proptest! {
    #[test]
    fn a_pair_that_joins_to_the_name_always_refuses(namespace in "[a-z][a-z0-9-]{0,5}[a-z0-9]", database in "[a-z0-9_-]{1,8}", blank in "[ \t]{0,2}") {
        let wanted = DatabaseName::join(&namespace, &database).unwrap();
        let mut all = Ownership::default();
        all.helm_release(&release("a/b", json!({"namespace": namespace.to_uppercase(), "database": format!("{blank}{database}{blank}/")}), json!({})));
        prop_assert!(judge(&all, &wanted).is_err());
    }

    #[test]
    fn no_object_panics(text in "\\{\"(metadata|spec|data)\":(null|[0-9]|\"x\"|\\[\\]|\\{\"(name|values|release|labels)\":(null|1|\"%\"|\\{\\})\\})\\}") {
        let object: Value = serde_json::from_str(&text).unwrap();
        let name = name();
        let mut all = Ownership::default();
        all.helm_release(&object);
        all.revision(&object);
        all.database_object("X", &object);
        prop_assert!(judge(&all, &name).is_err());
    }
}

#[test]
fn a_history_claims_until_helm_calls_its_newest_revision_uninstalled() {
    let pds = json!({"namespace": "pds", "database": "database"});
    let revision = |version: i64, status: &str, values: &Value| {
        let release = json!({"name": "x", "namespace": "core", "version": version, "config": values,
            "info": {"status": status, "deleted": "2026-11-20T10:00:00Z"}, "chart": {"metadata": {"name": "secure-kvs-onboarding"}}});
        json!({"metadata": {"namespace": "flux-system", "name": format!("sh.helm.release.v1.x.v{version}")},
            "data": {"release": STANDARD.encode(STANDARD.encode(release.to_string()))}})
    };
    let lima = json!({"namespace": "lima", "database": "events"});
    let judged = |secrets: &[Value]| {
        let mut all = Ownership::default();
        all.helm_release(&other());
        secrets.iter().for_each(|s| all.revision(s));
        judge(&all, &name()).map(|unclaimed| unclaimed.past)
    };
    // In whatever order they are read.
    let (first, gone) = (
        revision(1, "superseded", &pds),
        revision(2, "uninstalled", &pds),
    );
    for secrets in [[first.clone(), gone.clone()], [gone.clone(), first.clone()]] {
        let past = judged(&secrets).unwrap();
        assert_eq!(past.len(), 1);
        assert_eq!(past[0].at.as_deref(), Some("2026-11-20T10:00:00Z"));
        assert!(
            past[0]
                .by
                .contains("of Helm release core/x (Secret flux-system/")
        );
    }
    // Installed again, with another database: Helm may roll it back.
    for secrets in [
        vec![gone.clone(), revision(3, "deployed", &lima)],
        vec![first, revision(2, "uninstalling", &pds)],
        vec![revision(2, "", &pds)],
    ] {
        let refusals = judged(&secrets).unwrap_err();
        assert!(
            matches!(refusals[..], [Refusal::ClaimedByRevision { .. }]),
            "{refusals:?}"
        );
    }
    // A HelmRelease that claims is a refusal, whatever the history says.
    let mut all = Ownership::default();
    all.helm_release(&release("flux-system/x", pds, json!({"suspend": true})));
    all.revision(&gone);
    assert!(matches!(
        judge(&all, &name()).unwrap_err()[0],
        Refusal::Claimed { .. }
    ));
}
