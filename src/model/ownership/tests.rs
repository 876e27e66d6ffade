//! Everything that can claim a database, what may, what does not, and what cannot be known.

use super::*;
use crate::model::helm_release::ValuesFrom;
use crate::model::names::DatabaseName;
use crate::model::not_read::NotRead;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

const NAME: &str = "pds_database";

/// The objects of a cluster, all of them read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects {
    pub(crate) helm_releases: Vec<Value>,
    pub(crate) secrets: Vec<Value>,
    pub(crate) config_maps: Vec<Value>,
    pub(crate) policies: Vec<Value>,
    pub(crate) database_objects: Option<Vec<Value>>,
}

impl Objects {
    /// Of these HelmReleases and nothing else.
    pub(crate) fn of(helm_releases: &[Value]) -> Self {
        Self {
            helm_releases: helm_releases.to_vec(),
            ..Self::default()
        }
    }

    pub(crate) fn parts(&self) -> Parts {
        let mut helm_releases = HelmReleases::default();
        self.helm_releases
            .iter()
            .for_each(|o| helm_releases.add(o, None));
        let storage = |driver, objects: &[Value]| {
            let mut storage = Storage::default();
            objects.iter().for_each(|o| storage.add(driver, o));
            storage
        };
        let mut policies = Policies::default();
        self.policies.iter().for_each(|o| policies.add(o));
        let database_objects = self.database_objects.as_ref().map(|objects| {
            let mut all = DatabaseObjects::default();
            objects.iter().for_each(|o| all.add("CouchDBDatabase", o));
            all
        });
        Parts {
            helm_releases: Part::whole(Some(helm_releases)),
            secrets: Part::whole(storage(Driver::Secret, &self.secrets)),
            config_maps: Part::whole(storage(Driver::ConfigMap, &self.config_maps)),
            policies: Part::whole(Some(policies)),
            database_objects: Part::whole(database_objects),
        }
    }

    pub(crate) fn ownership(&self) -> Ownership {
        Ownership::new(self.parts())
    }
}

pub(crate) fn unread() -> NotRead {
    NotRead::new(
        "Helm's Secrets of all namespaces",
        "forbidden (list secrets in all namespaces)",
    )
}

/// A HelmRelease with the onboarding label.
pub(crate) fn onboarding(name: &str, spec: Value) -> Value {
    let mut object = plain(name, spec);
    object["metadata"]["labels"] = json!({"app.kubernetes.io/part-of": "secure-kvs-onboarding"});
    object
}

/// One without.
fn plain(name: &str, spec: Value) -> Value {
    json!({"metadata": {"name": name, "namespace": "flux-system", "resourceVersion": "7"}, "spec": spec})
}

fn podinfo(values: Value) -> Value {
    let chart = json!({"spec": {"chart": "podinfo", "sourceRef": {"kind": "HelmRepository"}}});
    plain("podinfo", json!({"chart": chart, "values": values}))
}

pub(crate) fn pair(namespace: &str, database: &str) -> Value {
    json!({"namespace": namespace, "database": database})
}

pub(crate) fn other() -> Value {
    onboarding("other", json!({"values": pair("lima", "events")}))
}

/// A release of Helm: `more` is merged into it.
pub(crate) fn release(name: &str, version: i64, status: &str, more: Value) -> Value {
    let mut release = json!({"name": name, "namespace": "core", "version": version, "info": {"status": status},
        "chart": {"metadata": {"name": "app"}}});
    for (key, value) in more.as_object().unwrap() {
        release[key] = value.clone();
    }
    release
}

pub(crate) fn secret(release: &Value) -> Value {
    let (name, version) = (release["name"].as_str().unwrap(), &release["version"]);
    json!({"metadata": {"namespace": "flux-system", "name": format!("sh.helm.release.v1.{name}.v{version}"), "resourceVersion": "9",
            "labels": {"owner": "helm", "name": name, "status": release["info"]["status"], "version": version.to_string()}},
        "data": {"release": STANDARD.encode(STANDARD.encode(release.to_string()))}})
}

pub(crate) fn config_map(release: &Value) -> Value {
    let mut object = secret(release);
    object["data"]["release"] = STANDARD.encode(release.to_string()).into();
    object
}

fn hook(manifest: &str) -> Value {
    json!([{"kind": "Job", "name": "create", "events": ["pre-install"], "manifest": manifest, "last_run": {"phase": "Succeeded"}}])
}

const PUT: &str = "apiVersion: batch/v1\nkind: Job\nspec:\n  template:\n    spec:\n      containers:\n      - name: create\n        args: [\"curl -X PUT http://couchdb:5984/pds_database\"]\n";

pub(crate) fn policy(name: &str, action: &str, paths: Value) -> Value {
    json!({"metadata": {"name": name, "namespace": "secure-kvs", "resourceVersion": "5"},
        "spec": {"action": action, "rules": [{"to": [{"operation": {"paths": paths}}]}]}})
}

/// `claim: …`, `mention: …`, `gap: …`, `past: …`.
fn told(verdict: &Verdict) -> Vec<String> {
    let claims = verdict.claims.iter().map(|c| format!("claim: {c}"));
    let mentions = verdict
        .mentions
        .iter()
        .map(|m| format!("{}: {}", m.object.accept(), m.what));
    let gaps = verdict.gaps.iter().map(|g| format!("gap: {g}"));
    let past = verdict
        .past
        .iter()
        .map(|p| format!("past: {} {:?}", p.by, p.at));
    claims.chain(mentions).chain(gaps).chain(past).collect()
}

/// What is said of the database beside one onboarding of another.
fn said(change: impl FnOnce(&mut Objects)) -> Vec<String> {
    let mut objects = Objects::of(&[other()]);
    change(&mut objects);
    told(&objects.ownership().verdict(NAME))
}

fn of_helm_release(object: Value) -> Vec<String> {
    said(|all| all.helm_releases.push(object))
}

fn of_release(release: Value) -> Vec<String> {
    said(|all| all.secrets.push(secret(&release)))
}

#[test]
fn nothing_claims_and_what_was_looked_at_is_counted() {
    let chart = json!({"chart": {"metadata": {"name": "secure-kvs-onboarding"}}, "config": pair("lima", "events")});
    let mut objects = Objects::of(&[other(), podinfo(json!({"log_level": "info"}))]);
    objects
        .secrets
        .push(secret(&release("a", 1, "deployed", chart)));
    objects
        .policies
        .push(policy("p", "ALLOW", json!(["/lima_events"])));
    let ownership = objects.ownership();
    let unclaimed = ownership.unclaimed(NAME).unwrap();
    let looked = LookedAt {
        helm_releases: 2,
        revisions: 1,
        policies: Some(1),
        database_objects: None,
    };
    assert_eq!(unclaimed.looked_at(), &looked);
    assert!(unclaimed.mentions().is_empty() && unclaimed.past().is_empty());
    assert!(unclaimed.lives("flux-system/podinfo") && !unclaimed.lives("flux-system/gone"));
    assert!(ownership.unclaimed("lima_events").is_err());
}

#[test]
fn an_onboarding_claims_by_a_pair_or_a_word_of_its_spec() {
    for spec in [
        json!({"values": pair("pds", "database")}),
        json!({"values": pair("pds", "database"), "suspend": true, "kubeConfig": {"secretRef": {"name": "k"}}}),
        // What CouchDB or a URL would have made of it.
        json!({"values": pair("PDS", "Database ")}),
        json!({"values": pair("pds", "database/")}),
        // A chart that nests or renames the values.
        json!({"values": {"secure-kvs-onboarding": pair("pds", "database")}}),
        json!({"values": {"dbNamespace": "pds", "databaseName": "database"}}),
        json!({"values": {"db": "pds_database"}}),
        json!({"values": pair("pds", "other"), "postRenderers": [{"kustomize": {"patches": [{"patch": "value: pds_database"}]}}]}),
    ] {
        assert_eq!(
            of_helm_release(onboarding("x", spec.clone()))[0],
            "claim: HelmRelease flux-system/x still claims pds_database".replace(
                "pds_database",
                match spec["values"]["namespace"].as_str() {
                    Some("PDS") => "PDS_Database ",
                    _ if spec["values"]["database"] == "database/" => "pds_database/",
                    _ => NAME,
                }
            ),
            "{spec}"
        );
    }
    let split = Objects::of(&[onboarding("x", json!({"values": pair("a_b", "c")}))]);
    assert_eq!(split.ownership().verdict("a_b_c").claims.len(), 1);
}

#[test]
fn another_helm_release_that_speaks_of_it_must_be_accepted() {
    assert_eq!(
        of_helm_release(podinfo(json!({"url": "http://h:5984/pds_database/x"}))),
        ["helmrelease/flux-system/podinfo: HelmRelease flux-system/podinfo mentions pds_database"]
    );
    assert_eq!(
        of_helm_release(podinfo(json!({"a": pair("pds", "database")}))),
        ["helmrelease/flux-system/podinfo: HelmRelease flux-system/podinfo names pds_database"]
    );
    for quiet in [
        podinfo(json!({"list": [pair("pds", "database")], "name": "database", "namespace": "pds"})),
        podinfo(json!({"log_level": "pds", "x": "pds_database2", "y": "xpds_database"})),
        json!({"metadata": {"name": "pds-database", "namespace": "pds", "annotations": {"x": "pds_database"}},
            "spec": {"chart": {"spec": {"chart": "podinfo"}}}, "status": {"x": "pds_database"}}),
    ] {
        assert_eq!(of_helm_release(quiet.clone()), [""; 0], "{quiet}");
    }
    // One mention for a release and its HelmRelease.
    let object = podinfo(json!({"x": NAME}));
    let stored = release("podinfo", 3, "deployed", json!({"config": {"x": NAME}}));
    let both = said(|all| {
        all.helm_releases.push(object);
        all.secrets.push(secret(&stored));
    });
    assert_eq!(both.len(), 1);
    assert!(both[0].starts_with("helmrelease/"), "{both:?}");
}

#[test]
fn a_hook_or_a_job_of_any_release_claims() {
    let env = "kind: Job\nspec:\n  env:\n  - name: DB\n    value: pds_database\n";
    for more in [
        json!({"hooks": hook(PUT)}),
        json!({"hooks": hook(env)}),
        json!({"hooks": [{"kind": "Pod", "events": ["test"], "manifest": env.replace("Job", "Pod")}]}),
        json!({"manifest": format!("---\nkind: ConfigMap\n---\n{env}")}),
        json!({"manifest": "---\nkind: Job\nx: [ pds_database"}),
    ] {
        let lines = of_release(release("any", 1, "failed", more.clone()));
        assert_eq!(
            lines,
            [
                "claim: a Job of revision 1 of Helm release core/any (Secret flux-system/sh.helm.release.v1.any.v1) has the database pds_database"
            ],
            "{more}"
        );
    }
    // In any retained revision.
    let superseded = said(|all| {
        let first = release("any", 1, "superseded", json!({"hooks": hook(PUT)}));
        let second = release("any", 2, "deployed", json!({}));
        all.secrets.extend([secret(&first), secret(&second)]);
    });
    assert_eq!(superseded.len(), 1);
    // Kept in a ConfigMap.
    let kept = release("any", 1, "deployed", json!({"hooks": hook(PUT)}));
    let kept = said(|all| all.config_maps.push(config_map(&kept)));
    assert!(
        kept[0].contains("(ConfigMap flux-system/sh.helm.release.v1.any.v1)"),
        "{kept:?}"
    );
}

#[test]
fn an_umbrella_chart_is_an_onboarding_by_its_stored_hook_or_its_subchart() {
    let umbrella = || {
        let chart = json!({"spec": {"chart": "platform", "sourceRef": {"kind": "HelmRepository"}}});
        plain(
            "platform",
            json!({"chart": chart, "values": {"kvs": pair("pds", "database")}}),
        )
    };
    assert!(of_helm_release(umbrella())[0].starts_with("helmrelease/flux-system/platform"));
    let creates = json!({"hooks": hook("kind: Job\nspec:\n  args: [couchdb-create]\n")});
    let depends = json!({"chart": {"metadata": {"name": "platform", "dependencies": [{"name": "secure-kvs-onboarding", "alias": "kvs"}]}}});
    for more in [creates, depends] {
        let stored = release("platform", 1, "deployed", more);
        let lines = said(|all| {
            all.helm_releases.push(umbrella());
            all.secrets.push(secret(&stored));
        });
        assert_eq!(
            lines,
            ["claim: HelmRelease flux-system/platform still claims pds_database"]
        );
    }
}

#[test]
fn revisions_of_onboardings_claim_and_of_others_only_the_newest_is_a_mention() {
    let edited = onboarding("x", json!({"values": pair("pds", "new")}));
    let of_onboarding = |more: Value| {
        let stored = release("x", 1, "deployed", more);
        said(|all| {
            all.helm_releases.push(edited.clone());
            all.secrets.push(secret(&stored));
        })
    };
    for more in [
        json!({"config": pair("pds", "database")}),
        // Defaults of the chart count where nothing was given.
        json!({"config": {"database": "database"}, "chart": {"metadata": {"name": "x"}, "values": {"namespace": "pds", "database": null}}}),
        json!({"info": {"status": "deployed", "notes": "Database name: pds_database"}}),
    ] {
        assert_eq!(
            of_onboarding(more),
            [
                "claim: revision 1 of Helm release core/x (Secret flux-system/sh.helm.release.v1.x.v1) was installed with pds_database"
            ]
        );
    }
    let names = |version: i64| {
        release(
            "shop",
            version,
            "superseded",
            json!({"config": {"x": NAME}}),
        )
    };
    let quiet = |version: i64| release("shop", version, "deployed", json!({}));
    let of = |all: [Value; 2]| said(|objects| objects.secrets.extend(all.iter().map(secret)));
    assert_eq!(of([names(1), quiet(2)]), [""; 0]);
    assert_eq!(of([quiet(10), names(9)]), [""; 0]);
    assert_eq!(
        of([quiet(1), names(2)]),
        [
            "helm-release/flux-system/shop: the newest revision of Helm release flux-system/shop mentions pds_database (Secret flux-system/sh.helm.release.v1.shop.v2)"
        ]
    );
    let hidden = STANDARD.encode(NAME);
    let in_a_secret = json!({"manifest": format!("kind: Secret\ndata:\n  database: {hidden}\n")});
    assert!(
        of_release(release("shop", 1, "deployed", in_a_secret))[0].starts_with("helm-release/")
    );
    // Ten revisions of one release are one claim, and none beside the HelmRelease that claims.
    let many = said(|all| {
        all.helm_releases
            .push(onboarding("x", json!({"values": pair("pds", "database")})));
        for version in 1..=10 {
            let stored = release(
                "x",
                version,
                "superseded",
                json!({"config": pair("pds", "database")}),
            );
            all.secrets.push(secret(&stored));
        }
    });
    assert_eq!(
        many,
        ["claim: HelmRelease flux-system/x still claims pds_database"]
    );
}

#[test]
fn a_history_claims_until_helm_calls_its_newest_revision_uninstalled() {
    let chart = json!({"chart": {"metadata": {"name": "secure-kvs-onboarding"}}, "config": pair("pds", "database")});
    let revision = |version, status| {
        let mut release = release("x", version, status, chart.clone());
        release["info"] = json!({"status": status, "deleted": "2026-11-20T10:00:00Z"});
        release
    };
    let of = |all: &[Value]| said(|objects| objects.secrets.extend(all.iter().map(secret)));
    let (first, gone) = (revision(1, "superseded"), revision(2, "uninstalled"));
    // In whatever order they are read.
    for all in [[first.clone(), gone.clone()], [gone.clone(), first.clone()]] {
        let lines = of(&all);
        assert_eq!(lines.len(), 1);
        assert!(
            lines[0].starts_with("past: ") && lines[0].contains("2026-11-20T10"),
            "{lines:?}"
        );
    }
    for status in ["uninstalling", "", "unknown", "failed", "pending-install"] {
        assert!(
            of(&[revision(3, status)])[0].starts_with("claim: "),
            "{status}"
        );
    }
    // A copy that is called deployed, or anything else, contradicts the history.
    let mut copy = secret(&revision(2, "failed"));
    copy["metadata"]["name"] = "sh.helm.release.v1.x.v2-copy".into();
    let both = said(|all| all.secrets.extend([secret(&gone), copy]));
    assert!(both[0].starts_with("claim: "), "{both:?}");
    // Installed again, with another database: Helm may roll it back.
    let again = release(
        "x",
        3,
        "deployed",
        json!({"chart": chart["chart"], "config": pair("lima", "x")}),
    );
    assert!(of(&[gone, again])[0].starts_with("claim: revision 2 "));
}

#[test]
fn a_revision_without_labels_is_known_and_told_how_to_be_found_again() {
    let chart = json!({"chart": {"metadata": {"name": "secure-kvs-onboarding"}}, "config": pair("pds", "database")});
    let mut restored = secret(&release("x", 7, "deployed", chart));
    restored["metadata"]["labels"] = json!({"velero.io/restore-name": "r"});
    let mut objects = Objects::of(&[other()]);
    objects.secrets.push(restored);
    let verdict = objects.ownership().verdict(NAME);
    let Claimant::Revision {
        lost_labels,
        managed,
        helm,
        ..
    } = &verdict.claims[0].by
    else {
        panic!("{verdict:?}");
    };
    assert_eq!(helm, &("flux-system".to_owned(), "x".to_owned()));
    assert!(!managed);
    let labels: Vec<String> = lost_labels
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    assert_eq!(
        labels,
        ["owner=helm", "name=x", "status=deployed", "version=7"]
    );
}

#[test]
fn what_cannot_be_decoded_may_be_any_database() {
    let broken = json!({"metadata": {"namespace": "n", "name": "s"}, "data": {"release": "%"}});
    assert_eq!(
        said(|all| all.secrets.push(broken.clone())),
        [
            "secret/n/s: Secret n/s of Helm cannot be decoded (its payload is not base64 (outer layer)), so its release may be of any database"
        ]
    );
    assert!(said(|all| all.config_maps.push(broken))[0].starts_with("configmap/n/s: "));
    // Half a payload is not a release that names nothing.
    let mut chartless = release("x", 1, "deployed", json!({}));
    chartless["chart"] = Value::Null;
    for (half, why) in [
        (release("", 1, "deployed", json!({})), "names no release"),
        (
            release("x", 0, "deployed", json!({})),
            "has no revision number",
        ),
        (chartless, "names no chart"),
    ] {
        assert!(of_release(half)[0].contains(why), "{why}");
    }
    let half = json!({"chart": null, "hooks": hook(PUT)});
    let lines = of_release(release("x", 0, "", half));
    assert!(
        lines[0].starts_with("claim: a Job of revision 0"),
        "{lines:?}"
    );
    // A claim is a claim, whatever else cannot be decoded.
    let mut objects = Objects::of(&[onboarding("x", json!({"values": pair("pds", "database")}))]);
    objects.secrets.push(json!({}));
    assert_eq!(objects.ownership().verdict(NAME).claims.len(), 1);
}

#[test]
fn policies_claim_what_they_let_in_to() {
    let of = |policy: Value| said(|all| all.policies.push(policy));
    assert_eq!(
        of(policy("p", "ALLOW", json!(["/pds_database/*"]))),
        ["claim: AuthorizationPolicy secure-kvs/p lets pods in to pds_database"]
    );
    assert_eq!(
        of(policy("p", "ALLOW", json!(["/pds_*"]))),
        [
            "authorizationpolicy/secure-kvs/p: AuthorizationPolicy secure-kvs/p lets pods in to pds_database and to others by the path /pds_*"
        ]
    );
    assert!(of(policy("p", "ALLOW", json!([7])))[0].contains("is not known"));
    for quiet in [
        policy("p", "DENY", json!(["/pds_database"])),
        policy("p", "ALLOW", json!(["/*"])),
        policy("pds_database", "ALLOW", json!(["/lima_events"])),
    ] {
        assert_eq!(of(quiet), [""; 0]);
    }
    // One that a release holds counts in its newest revision.
    let manifest = |path: &str| json!({"manifest": format!("kind: AuthorizationPolicy\nspec:\n  rules:\n  - to:\n    - operation:\n        paths: [\"{path}\"]\n")});
    let stored = |version, status, path: &str| release("any", version, status, manifest(path));
    assert!(
        of_release(stored(1, "deployed", "/pds_database/*"))[0].starts_with("claim: revision 1")
    );
    assert!(
        of_release(stored(1, "deployed", "/pds_*"))[0].starts_with("helm-release/flux-system/any")
    );
    let changed = said(|all| {
        let (old, new) = (
            stored(1, "superseded", "/pds_database"),
            stored(2, "deployed", "/x"),
        );
        all.secrets.extend([secret(&old), secret(&new)]);
    });
    assert_eq!(changed, [""; 0]);
}

/// What a release's manifest alone makes of the name, with its kind cut off.
fn of_manifest(manifest: &str) -> Vec<String> {
    let lines = of_release(release(
        "app",
        1,
        "deployed",
        json!({ "manifest": manifest }),
    ));
    let short = lines
        .into_iter()
        .map(|l| l.split(": ").next().unwrap().to_owned());
    short.collect()
}

#[test]
fn objects_of_a_manifest_say_what_is_in_base64_behind_escapes_or_in_two_keys() {
    let url = STANDARD.encode("http://couchdb.couchdb.svc:5984/pds_database");
    let (pds, database) = (STANDARD.encode("pds"), STANDARD.encode("database"));
    let (start, end) = url.split_at(20);
    for manifest in [
        format!("kind: Secret\ndata:\n  url: {url}\n"),
        format!("# for the AuthorizationPolicy\nkind: Secret\ndata:\n  url: {url}\n"),
        format!("kind: Secret\ndata:\n  url: |\n    {start}\n    {end}\n"),
        format!("kind: Secret\nmetadata: {{}}\nmetadata: {{}}\ndata: {{url: {url}}}\n"),
        format!("kind: Secret\nx: [\ndata:\n  url: {url}\n"),
        format!("kind: Secret\ndata: {{DB_NAMESPACE: {pds}, DB_DATABASE: {database}}}\n"),
        format!("kind: List\nitems:\n- kind: Secret\n  data: {{url: {url}}}\n"),
        format!("kind: ConfigMap\nbinaryData: {{url: {url}}}\n"),
        "kind: ConfigMap\ndata: {DB_NAMESPACE: pds, DB_DATABASE: database}\n".to_owned(),
        "kind: ConfigMap\ndata:\n  c.yaml: |\n    namespace: pds\n    database: database\n".to_owned(),
        "kind: ConfigMap\ndata: {c: '\"?a=1\\u0026pds_database\"'}\n".to_owned(),
        "kind: ConfigMap\ndata: {c: \"pds\\x5fdatabase\"}\n".to_owned(),
        "kind: List\nitems:\n- kind: AuthorizationPolicy\n  spec: {rules: [{to: [{operation: {paths: [/pds_*]}}]}]}\n".to_owned(),
    ] {
        assert_eq!(of_manifest(&manifest), ["helm-release/flux-system/app"], "{manifest}");
    }
    let hook = json!({"hooks": [{"kind": "Secret", "name": "s", "events": ["pre-install"],
        "manifest": format!("kind: Secret\ndata: {{url: {url}}}\n")}]});
    assert_eq!(of_release(release("app", 1, "deployed", hook)).len(), 1);
    for quiet in [
        "kind: Deployment\nmetadata: {name: database, namespace: pds}\n",
        "kind: X\nmetadata: {namespace: pds, database: database}\n",
        "kind: ConfigMap\nmetadata: {namespace: pds}\ndata: {database: database}\n",
    ] {
        assert_eq!(of_manifest(quiet), [""; 0], "{quiet}");
    }
}

#[test]
fn a_pair_in_a_document_that_is_a_text_counts() {
    let text = r#"{"db": {"namespace": "pds", "database": "database"}}"#;
    let lines = of_helm_release(podinfo(json!({ "config.json": text })));
    assert_eq!(
        lines,
        ["helmrelease/flux-system/podinfo: HelmRelease flux-system/podinfo names pds_database"]
    );
}

#[test]
fn a_past_revision_of_an_onboarding_claims_although_its_policy_names_it_too() {
    let chart = json!({"metadata": {"name": "secure-kvs-onboarding"}});
    let policy = "kind: AuthorizationPolicy\nspec: {rules: [{to: [{operation: {paths: [/pds_database]}}]}]}\n";
    let first = json!({"chart": chart, "config": pair("pds", "database"), "manifest": policy});
    let second = json!({"chart": chart, "config": pair("pds", "next")});
    let lines = said(|all| {
        all.secrets
            .push(secret(&release("x", 1, "superseded", first)));
        all.secrets
            .push(secret(&release("x", 2, "deployed", second)));
    });
    assert_eq!(
        lines,
        [
            "claim: revision 1 of Helm release core/x (Secret flux-system/sh.helm.release.v1.x.v1) was installed with pds_database"
        ]
    );
}

#[test]
fn an_onboarding_that_names_nothing_may_be_of_any_database() {
    let put = "kind: Job\nspec:\n  env: [{name: N, value: pds}, {name: D, value: database}]\n  args: [\"curl -X PUT http://couchdb:5984/${N}_${D}\"]\n";
    let values = json!({"team": "pds", "db": "database"});
    let stored = release(
        "x",
        1,
        "deployed",
        json!({"config": values, "hooks": hook(put)}),
    );
    let may = [
        "helm-release/flux-system/x: the newest revision of Helm release flux-system/x belongs to an onboarding, but its database cannot be determined",
    ];
    assert_eq!(of_release(stored.clone()), may);
    let labelled = |values: Value| {
        said(|all| {
            all.helm_releases
                .push(onboarding("x", json!({ "values": values })));
            all.secrets.push(secret(&stored));
        })
    };
    assert_eq!(labelled(values), may);
    assert_eq!(labelled(pair("pds", "other")), [""; 0]);
    // A Job that only waits for CouchDB makes nothing.
    let waits = json!({"hooks": hook("kind: Job\nargs: [wait-for-couchdb]\n")});
    assert_eq!(of_release(release("x", 1, "deployed", waits)), [""; 0]);
}

#[test]
fn a_pair_of_something_else_does_not_settle_an_onboarding_whose_values_were_not_read() {
    let spec = json!({"valuesFrom": [{"kind": "Secret", "name": "s"}], "values": {"mon": pair("m", "influx")}});
    let lines = of_helm_release(onboarding("x", spec));
    assert_eq!(
        lines,
        [
            "helmrelease/flux-system/x: which database HelmRelease flux-system/x has is not known: its values come from Secret s"
        ]
    );
}

#[test]
fn a_history_that_was_kept_settles_nothing() {
    let chart = json!({"metadata": {"name": "secure-kvs-onboarding"}});
    let of = |status: &str, namespace: &str, database: &str| {
        let more = json!({"chart": chart, "config": pair(namespace, database)});
        secret(&release(
            "x",
            if status == "deployed" { 1 } else { 2 },
            status,
            more,
        ))
    };
    let open = said(|all| {
        let from = json!({"valuesFrom": [{"kind": "Secret", "name": "s"}]});
        all.helm_releases.push(onboarding("x", from));
        all.secrets.push(of("uninstalled", "lima", "events"));
    });
    assert!(
        open[0].starts_with("helmrelease/flux-system/x: which database"),
        "{open:?}"
    );
    // A revision that is called deployed contradicts it.
    let both = said(|all| {
        all.secrets.extend([
            of("deployed", "pds", "database"),
            of("uninstalled", "pds", "database"),
        ])
    });
    assert!(both[0].starts_with("claim: "), "{both:?}");
}

#[test]
fn an_acceptance_is_of_one_object_and_its_state() {
    let mentions = |local: Value| {
        said(|all| {
            let spec = json!({"kubeConfig": {"secretRef": {"name": "k"}}, "values": {"x": NAME}});
            all.helm_releases.push(plain("app", spec));
            all.secrets.push(local);
        })
    };
    let stored = release("app", 1, "deployed", json!({"config": {"x": NAME}}));
    // That of the HelmRelease is on another cluster.
    assert_eq!(mentions(secret(&stored)).len(), 2);
    let both = said(|all| {
        let mut other = config_map(&stored);
        other["metadata"]["resourceVersion"] = "10".into();
        all.secrets.push(secret(&stored));
        all.config_maps.push(other);
    });
    assert_eq!(both.len(), 2, "{both:?}");
}

#[test]
fn a_release_name_that_helm_would_not_take_is_shown_to_nobody() {
    for name in ["", "--kubeconfig=x", "a; rm -rf $HOME", "a\n\u{1b}[31mb"] {
        let mut stored = secret(&release("app", 1, "deployed", json!({})));
        let payload = release(name, 1, "deployed", json!({"config": {"x": NAME}})).to_string();
        stored["data"]["release"] = STANDARD.encode(STANDARD.encode(payload)).into();
        let lines = said(|all| all.secrets.push(stored));
        assert_eq!(
            lines,
            [
                "secret/flux-system/sh.helm.release.v1.app.v1: Secret flux-system/sh.helm.release.v1.app.v1 of Helm cannot be decoded (its payload names no release), so its release may be of any database"
            ]
        );
    }
}

#[test]
fn an_object_of_the_later_generation_claims_wherever_it_says_so() {
    for spec in [
        json!({"onboarding": pair("pds", "database")}),
        json!({"url": "http://couchdb:5984/pds_database"}),
        json!({"name": "database", "tenant": {"namespace": "pds"}}),
    ] {
        let object = json!({"metadata": {"name": "x", "namespace": "secure-kvs"}, "spec": spec});
        let lines = said(|all| all.database_objects = Some(vec![object]));
        assert_eq!(
            lines,
            ["claim: CouchDBDatabase secure-kvs/x still claims pds_database"]
        );
    }
}

#[test]
fn objects_of_the_later_generation_claim() {
    let claims = |object: Value| !said(|all| all.database_objects = Some(vec![object])).is_empty();
    let object = |namespace: &str, name: &str, spec: Value| json!({"metadata": {"namespace": namespace, "name": name}, "spec": spec});
    for object in [
        object("pds", "database", json!({})),
        object("pds", "pds-database", json!({})),
        object("core", "x", json!({"database": {"name": "pds_database"}})),
        object("core", "x", pair("pds", "database")),
        object("pds", "x", json!({"names": ["database"]})),
    ] {
        assert!(claims(object.clone()), "{object}");
    }
    assert!(!claims(object("lima", "database", json!({}))));
    assert!(!claims(object(
        "pds",
        "other",
        json!({"cluster": "secure-kvs"})
    )));
}

#[test]
fn a_helm_release_of_which_nothing_is_known_may_be_any_database() {
    let from = json!([{"kind": "ConfigMap", "name": "v"}]);
    let chart =
        |chart: &str| json!({"spec": {"chart": chart, "sourceRef": {"kind": "HelmRepository"}}});
    for (object, why) in [
        (
            onboarding("x", json!({"valuesFrom": from})),
            "come from ConfigMap v",
        ),
        (
            onboarding("x", json!({"values": {"namespace": "pds"}})),
            "values.database is not a plain value",
        ),
        (
            onboarding(
                "x",
                json!({"values": {"namespace": "pds", "database": ["database"]}}),
            ),
            "values.database is not",
        ),
        (
            plain(
                "x",
                json!({"chartRef": {"kind": "OCIRepository", "name": "c"}}),
            ),
            "values name none",
        ),
        (
            plain("x", json!({"chart": chart("podinfo"), "valuesFrom": from})),
            "come from ConfigMap v",
        ),
        (
            plain("x", json!({"chart": chart("Mirrored-SKVS")})),
            "values name none",
        ),
        (
            plain("x", json!({"chart": chart("db-onboarding")})),
            "values name none",
        ),
        (
            plain("skvs-x", json!({"chart": chart("podinfo")})),
            "values name none",
        ),
        (plain("x", json!({"interval": 7})), "invalid type"),
    ] {
        let lines = of_helm_release(object.clone());
        assert_eq!(lines.len(), 1, "{object} {lines:?}");
        let may =
            lines[0].starts_with("helmrelease/flux-system/") && lines[0].contains("is not known: ");
        assert!(may && lines[0].contains(why), "{lines:?}");
    }
    // Inline values of the onboarding chart decide a half of the name.
    let half = json!({"values": {"namespace": "lima"}, "valuesFrom": from});
    assert_eq!(of_helm_release(onboarding("x", half.clone())), [""; 0]);
    assert_eq!(of_helm_release(plain("x", half)).len(), 1);
    // A revision that can be decoded says what it has.
    let stored = release("x", 1, "deployed", json!({"config": pair("lima", "x")}));
    let known = said(|all| {
        all.helm_releases
            .push(onboarding("x", json!({"valuesFrom": from})));
        all.secrets.push(secret(&stored));
    });
    assert_eq!(known, [""; 0]);
}

#[test]
fn a_helm_release_that_cannot_be_read_as_a_whole_claims_by_what_can() {
    let odd = json!({"suspend": "yes", "values": pair("pds", "database")});
    let lines = of_helm_release(onboarding("x", odd));
    assert_eq!(
        lines[0],
        "claim: HelmRelease flux-system/x still claims pds_database"
    );
    assert!(lines[1].contains("is not known"), "{lines:?}");
    let mut objects = Objects::of(&[plain("x", json!({"interval": 7})), json!({"metadata": 7})]);
    objects.helm_releases.push(other());
    assert_eq!(objects.ownership().looked_at().helm_releases, 3);
}

#[test]
fn values_that_were_read_settle_what_a_helm_release_names() {
    let object = plain(
        "x",
        json!({"valuesFrom": [{"kind": "ConfigMap", "name": "v"}]}),
    );
    let of = |name: &str, values: &[Value]| {
        let from: ValuesFrom =
            serde_json::from_value(json!({"kind": "ConfigMap", "name": name})).unwrap();
        let resolved = Resolved {
            from: vec![from],
            values: values.to_vec(),
        };
        let mut parts = Objects::default().parts();
        let mut all = HelmReleases::default();
        all.add(&other(), None);
        all.add(&object, Some(&resolved));
        parts.helm_releases = Part::whole(Some(all));
        told(&Ownership::new(parts).verdict(NAME))
    };
    let with = |values: &[Value]| of("v", values);
    // Read before the references changed.
    assert!(of("before", &[json!({"replicas": 2})])[0].contains("is not known"));
    assert!(with(&[pair("pds", "database")])[0].contains("names pds_database"));
    assert_eq!(with(&[json!({"replicas": 2})]), [""; 0]);
    // Each half from another reference.
    let halves = [json!({"namespace": "pds"}), json!({"database": "database"})];
    assert!(with(&halves)[0].contains("names pds_database"));
    let ownership = Objects::of(std::slice::from_ref(&object)).ownership();
    let references = ownership.references();
    assert_eq!(
        (references.len(), references[0].from[0].name.as_str()),
        (1, "v")
    );
    assert!(Objects::of(&[other()]).ownership().references().is_empty());
}

#[test]
fn an_onboarding_on_another_cluster_has_its_revisions_there() {
    let remote = json!({"values": pair("pds", "new"), "kubeConfig": {"secretRef": {"name": "k"}}});
    assert_eq!(
        of_helm_release(onboarding("x", remote)),
        [
            "helmrelease/flux-system/x: Helm's revisions of HelmRelease flux-system/x are on another cluster (spec.kubeConfig)"
        ]
    );
}

#[test]
fn a_part_that_was_not_read_is_a_gap_for_every_name() {
    type Blind = fn(&mut Parts);
    let blinds: [Blind; 5] = [
        |parts| parts.helm_releases = Part::unread(unread()),
        |parts| parts.secrets = Part::unread(unread()),
        |parts| parts.config_maps = Part::unread(unread()),
        |parts| parts.policies = Part::unread(unread()),
        |parts| parts.database_objects = Part::unread(unread()),
    ];
    for blind in blinds {
        let mut parts = Objects::of(&[other()]).parts();
        blind(&mut parts);
        let ownership = Ownership::new(parts);
        assert_eq!(ownership.gaps(), [Gap::Read(unread())]);
        assert!(ownership.unclaimed(NAME).is_err());
    }
}

#[test]
fn what_was_read_of_a_part_claims_although_it_is_not_all() {
    let own = onboarding("x", json!({"values": pair("pds", "database")}));
    let mut parts = Objects::of(&[own]).parts();
    let known = parts.helm_releases.known.take().unwrap();
    parts.helm_releases = Part::some(known, unread());
    let verdict = Ownership::new(parts).verdict(NAME);
    assert_eq!((verdict.claims.len(), verdict.gaps.len()), (1, 1));
}

#[test]
fn no_onboarding_and_no_helm_releases_are_the_wrong_cluster() {
    let none = Objects::of(&[podinfo(json!({}))]).ownership();
    assert_eq!(none.gaps(), [Gap::NoOnboardings { looked_at: 1 }]);
    let mut parts = Objects::default().parts();
    parts.helm_releases = Part::whole(None);
    assert_eq!(Ownership::new(parts).gaps(), [Gap::NoHelmReleases]);
}

#[test]
fn an_onboarding_that_is_thought_away_takes_only_what_was_never_deployed() {
    let own = onboarding("x", json!({"values": pair("pds", "database")}));
    let hr = HelmRelease::from_value(&own).unwrap();
    let of = |status: &str| {
        let mut objects = Objects::of(&[other(), own.clone()]);
        let more = json!({"config": pair("pds", "database"), "hooks": hook(PUT)});
        objects.secrets.push(secret(&release("x", 1, status, more)));
        let mut own_policy = policy("p", "ALLOW", json!(["/pds_database"]));
        own_policy["metadata"]["labels"] = json!({"helm.toolkit.fluxcd.io/name": "x", "helm.toolkit.fluxcd.io/namespace": "flux-system"});
        objects.policies.push(own_policy);
        told(&objects.ownership().verdict_without(NAME, &hr))
    };
    assert_eq!(of("failed"), [""; 0]);
    assert_eq!(of("pending-install"), [""; 0]);
    for status in ["deployed", "superseded", "unknown", ""] {
        assert_eq!(of(status).len(), 1, "{status}");
    }
    // Another one still claims it.
    let second = onboarding("y", json!({"values": pair("pds", "database")}));
    let both = Objects::of(&[own, second]).ownership();
    assert_eq!(both.verdict_without(NAME, &hr).claims.len(), 1);
}

#[test]
fn onboardings_of_a_list_share_what_one_of_them_has_and_another_names() {
    let typed = |name: &str, spec: Value| HelmRelease::from_value(&onboarding(name, spec)).unwrap();
    let from = json!([{"kind": "Secret", "name": "s"}]);
    let all = [
        typed("a", json!({"values": pair("pds", "x")})),
        typed("b", json!({"values": pair("PDS", "x/")})),
        typed(
            "c",
            json!({"values": {"namespace": "pds", "database": "y", "key": "admin_user"}}),
        ),
        typed(
            "d",
            json!({"values": {"namespace": "pds", "database": "z", "key": "admin_user"}}),
        ),
        typed("any", json!({"valuesFrom": from})),
        typed(
            "pds",
            json!({"values": {"namespace": "pds"}, "valuesFrom": from}),
        ),
        typed(
            "elsewhere",
            json!({"values": {"namespace": "other"}, "valuesFrom": from}),
        ),
        typed("none", json!({})),
    ];
    let claims = HelmReleases::of_onboardings(all.iter().chain(&all[..1]));
    assert_eq!(claims.len(), 8);
    assert_eq!(claims.rivals(&all[0]), ["flux-system/b"]);
    assert_eq!(
        claims.perhaps_rivals(&all[0]),
        ["flux-system/any", "flux-system/pds"]
    );
    assert!(claims.is_shared(&all[0]) && !claims.is_shared(&all[2]));
    // What has no name shares none.
    assert!(claims.rivals(&all[4]).is_empty() && claims.perhaps_rivals(&all[4]).is_empty());
    let shown = all
        .iter()
        .filter_map(|hr| Some(hr.claim().joined()?.to_owned()))
        .collect();
    let ids = ["flux-system/a", "flux-system/b"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(claims.shared(&shown), [("pds_x", ids)]);
    assert!(claims.shared(&["pds_y".to_owned()].into()).is_empty());
    assert!(may_claim(&all[5], "pds_x") && !may_claim(&all[6], "pds_x"));
    // Inline values are settled, whatever valuesFrom holds.
    let settled = typed("s", json!({"values": pair("pds", "x"), "valuesFrom": from}));
    assert!(!may_claim(&settled, "pds_x"));
}

/// A place where a mention can be, and the objects with it there.
fn mentioned(place: usize, word: &str, objects: &mut Objects) {
    let word = |text: &str| text.replace("NAME", word);
    let deployed = |more: Value| secret(&release("shop", 4, "deployed", more));
    let lower = word("NAME");
    let (left, right) = lower.split_once('_').expect("a joined name");
    match place {
        0 => objects.helm_releases.push(onboarding("x", json!({"values": pair(left, right)}))),
        1 => objects.helm_releases.push(onboarding("x", json!({"values": {"a": [word("see NAME.")]}}))),
        2 => objects.helm_releases.push(onboarding("x", json!({"values": pair("q", "q"), "postRenderers": [{"x": word("NAME")}]}))),
        3 => objects.helm_releases.push(podinfo(json!({"deep": {"userNamespace": left, "mainDatabaseName": right}}))),
        4 => objects.helm_releases.push(podinfo(json!({"deep": [{"url": word("http://u:p@h/NAME?x=1")}]}))),
        5 => objects.helm_releases.push(podinfo(json!({word("NAME"): {}}))),
        6 => objects.secrets.push(deployed(json!({"hooks": hook(&word("kind: Job\nargs: [\"$URL/NAME\"]\n"))}))),
        7 => objects.secrets.push(secret(&release("shop", 1, "superseded", json!({"manifest": word("kind: Job\nenv:\n- name: D\n  value: NAME\n")})))),
        8 => objects.secrets.push(deployed(json!({"config": {"x": word("NAME")}}))),
        9 => objects.secrets.push(deployed(json!({"manifest": word("kind: Deployment\nspec: {x: 'a,NAME'}\n")}))),
        10 => objects.config_maps.push(config_map(&release("shop", 4, "deployed", json!({"config": {"x": word("NAME")}})))),
        11 => objects.policies.push(policy("p", "ALLOW", json!(["/other", word("/NAME/*")]))),
        12 => objects.policies.push(policy("p", "ALLOW", json!([format!("/{left}_*")]))),
        13 => objects.secrets.push(deployed(json!({"manifest": word("kind: AuthorizationPolicy\nspec: {rules: [{to: [{operation: {paths: ['/NAME']}}]}]}\n")}))),
        14 => objects.database_objects = Some(vec![json!({"metadata": {"name": "x", "namespace": left}, "spec": {"database": right}})]),
        15 => objects.secrets.push(json!({"metadata": {"namespace": "n", "name": "sh.helm.release.v1.q.v1"}, "data": {"release": word("NAME%")}})),
        16 => objects.helm_releases.push(plain("skvs-q", json!({"chart": {"spec": {"chart": "q"}}}))),
        17 => objects.helm_releases.push(plain("q", json!({"chart": {"spec": {"chart": "q"}}, "valuesFrom": [{"kind": "Secret", "name": "s"}]}))),
        _ => unreachable!(),
    }
}

const PLACES: usize = 18;

/// Places that no flag lifts.
const CLAIMED: [usize; 8] = [0, 1, 2, 6, 7, 11, 13, 14];

proptest! {
    /// Any mention takes a database out of those that can be deleted without a word; without any it is one of them.
    #[test]
    fn a_mention_anywhere_counts_and_none_leaves_it_deletable(
        namespace in "[a-z][a-z0-9-]{0,5}[a-z0-9]",
        database in "[a-z0-9_-]{1,8}",
        places in proptest::collection::btree_set(0..PLACES, 0..4),
        noise in proptest::collection::vec("[a-z]{1,4}_[a-z]{9,10}", 0..4),
    ) {
        let name = DatabaseName::join(&namespace, &database).unwrap();
        let mut objects = Objects::of(&[other()]);
        for (at, noise) in noise.iter().enumerate() {
            objects.helm_releases.push(plain(&format!("n{at}"), json!({"chart": {"spec": {"chart": "q"}}, "values": {"x": noise, noise.as_str(): 1}})));
            objects.policies.push(policy(&format!("n{at}"), "ALLOW", json!([format!("/{noise}")])));
        }
        for place in &places {
            mentioned(*place, name.as_str(), &mut objects);
        }
        let free = |unclaimed: Unclaimed| unclaimed.mentions().is_empty() && unclaimed.past().is_empty();
        let deletable = objects.ownership().unclaimed(name.as_str()).is_ok_and(free);
        let verdict = objects.ownership().verdict(name.as_str());
        prop_assert_eq!(deletable, places.is_empty(), "{:?}", told(&verdict));
        // What no flag lifts stays so beside whatever may be accepted.
        let claimed = places.iter().any(|place| CLAIMED.contains(place));
        prop_assert_eq!(!verdict.claims.is_empty(), claimed, "{:?}", told(&verdict));
    }

    #[test]
    fn no_object_panics(text in "\\{\"(metadata|spec|data)\":(null|[0-9]|\"x\"|\\[\\]|\\{\"(name|values|release|labels)\":(null|1|\"%\"|\\{\\})\\})\\}") {
        let object: Value = serde_json::from_str(&text).unwrap();
        let mut objects = Objects::of(std::slice::from_ref(&object));
        objects.secrets.push(object.clone());
        objects.config_maps.push(object.clone());
        objects.policies.push(object.clone());
        objects.database_objects = Some(vec![object]);
        // Two of them cannot be decoded.
        let verdict = objects.ownership().verdict(NAME);
        prop_assert!(verdict.mentions.len() >= 2);
    }
}

#[test]
fn a_release_is_its_name_in_its_storage() {
    let hr = |name: &str, spec: Value| {
        let metadata = json!({"name": name, "namespace": "flux-system"});
        HelmRelease::from_value(&json!({"metadata": metadata, "spec": spec})).unwrap()
    };
    let one = hr("a", json!({"releaseName": "x", "targetNamespace": "one"}));
    let remote = json!({"releaseName": "x", "kubeConfig": {"secretRef": {"name": "k"}}});
    for (spec, same) in [
        (json!({"releaseName": "x", "targetNamespace": "two"}), true),
        (json!({"releaseName": "y", "targetNamespace": "one"}), false),
        (
            json!({"releaseName": "x", "storageNamespace": "other"}),
            false,
        ),
        (remote, false),
    ] {
        let both = [one.clone(), hr("b", spec)];
        let claims = HelmReleases::of_onboardings(&both);
        let others = |hr: &HelmRelease| !claims.of_same_release(hr).is_empty();
        assert_eq!(both.each_ref().map(others), [same; 2], "{:?}", both[1].spec);
    }
}
