//! Every piece of evidence that a database is in use, each alone, in a cluster of its own: some of them concern every database.

use crate::harness::{RunOutput, Skvs};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use testbed::{Options, Sandbox};

/// The cluster, for one test at a time.
struct World {
    sandbox: &'static Sandbox,
    _turn: MutexGuard<'static, ()>,
}

impl World {
    fn take() -> Self {
        static SANDBOX: OnceLock<Option<Sandbox>> = OnceLock::new();
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let start = || {
            let sandbox = Sandbox::start(&Options::unseeded()).ok()?;
            let world = [
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "apps"}}),
                // A cluster without any onboarding would be the wrong one.
                onboarding(
                    "other",
                    json!({"values": {"namespace": "other", "database": "one"}}),
                ),
            ];
            sandbox.apply(&documents(&world)).ok()?;
            Some(sandbox)
        };
        let sandbox = SANDBOX.get_or_init(start).as_ref();
        Self {
            sandbox: sandbox.expect("the sandbox starts"),
            _turn: turn,
        }
    }

    fn apply(&self, objects: &[Value]) {
        let applied = self.sandbox.apply(&documents(objects));
        applied.expect("the objects are taken");
    }

    fn remove(&self, objects: &[Value]) {
        for object in objects {
            let text = |path: &str| object.pointer(path).and_then(Value::as_str);
            let kind = text("/kind").expect("a kind");
            let name = text("/metadata/name").expect("a name");
            let namespace = text("/metadata/namespace").expect("a namespace");
            let args = ["delete", kind, "-n", namespace, name];
            self.sandbox.kubectl_ok(&args).expect("it is deleted");
        }
    }

    fn create(&self, database: &str) {
        let created = self.sandbox.couchdb().create_database(database, 1);
        created.expect("a database");
    }

    fn exists(&self, database: &str) -> bool {
        self.sandbox.couchdb().exists(database)
    }

    fn run(&self, args: &[&str]) -> RunOutput {
        Skvs::of(self.sandbox, self.sandbox.kubeconfig(), args).run()
    }

    /// A confirmed deletion.
    fn delete(&self, database: &str, more: &[&str]) -> RunOutput {
        let args = [
            "delete-db",
            database,
            "--context",
            "sandbox",
            "--confirm",
            database,
        ];
        self.run(&[&args[..], more].concat())
    }

    /// With these objects the database stays, and the refusal says all of this.
    #[track_caller]
    fn refuses(&self, database: &str, objects: &[Value], says: &[&str]) -> String {
        self.create(database);
        self.apply(objects);
        let said = self.delete(database, &[]);
        assert_eq!(said.stdout, "", "{}", said.stderr);
        let stderr = said.failed(4);
        for part in says {
            assert!(stderr.contains(part), "{part}: {stderr}");
        }
        assert!(self.exists(database), "{stderr}");
        stderr
    }

    /// A claim, which no acceptance lifts; without the objects nothing speaks against the deletion.
    #[track_caller]
    fn claimed(&self, database: &str, objects: &[Value], says: &[&str]) {
        let stderr = self.refuses(database, objects, says);
        assert!(!stderr.contains("--accept"), "{stderr}");
        self.remove(objects);
        self.deletes(database, &[]);
    }

    /// What may be a claim: it is accepted by the flag that the refusal prints.
    #[track_caller]
    fn mentioned(&self, database: &str, objects: &[Value], accept: &str, says: &[&str]) {
        let flag = format!("--accept={accept}");
        let hint = format!("or take it on: {flag}\n");
        let says = [says, &[hint.as_str()]].concat();
        self.refuses(database, objects, &says);
        self.deletes(database, &[&flag]);
        self.remove(objects);
    }

    #[track_caller]
    fn deletes(&self, database: &str, more: &[&str]) {
        let said = self.delete(database, more);
        let stderr = said.stderr.clone();
        let line = format!("database \"{database}\" deleted from secure-kvs namespace\n");
        assert_eq!(said.ok(), line, "{stderr}");
        assert!(!self.exists(database), "{stderr}");
    }
}

fn documents(objects: &[Value]) -> String {
    let all: Vec<String> = objects.iter().map(Value::to_string).collect();
    all.join("\n---\n")
}

/// A suspended HelmRelease: helm-controller leaves it alone.
fn helm_release(name: &str, chart: &str, spec: Value) -> Value {
    let mut object = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": name, "namespace": "flux-system"},
        "spec": {"interval": "1h", "suspend": true, "targetNamespace": "core", "releaseName": name,
            "storageNamespace": "core",
            "chart": {"spec": {"chart": chart, "sourceRef": {"kind": "HelmRepository", "name": "wit-artifactory"}}}},
    });
    for (key, value) in spec.as_object().expect("a map") {
        object["spec"][key] = value.clone();
    }
    object
}

/// One with the label and the chart of an onboarding.
fn onboarding(name: &str, spec: Value) -> Value {
    let mut object = helm_release(name, "secure-kvs-onboarding", spec);
    object["metadata"]["labels"] = json!({"app.kubernetes.io/part-of": "secure-kvs-onboarding"});
    object
}

/// What Helm stores of a revision.
fn release(name: &str, version: i64, status: &str, more: Value) -> Value {
    let mut release = json!({"name": name, "namespace": "core", "version": version,
        "info": {"status": status, "first_deployed": "2026-11-24T02:00:00Z", "last_deployed": "2026-11-24T02:00:00Z"},
        "chart": {"metadata": {"name": "shop", "version": "1.0.0"}}, "config": {}, "hooks": [], "manifest": ""});
    for (key, value) in more.as_object().expect("a map") {
        release[key] = value.clone();
    }
    release
}

fn stored(kind: &str, namespace: &str, release: &Value) -> Value {
    let name = release["name"].as_str().expect("a name");
    let version = release["version"].to_string();
    json!({"apiVersion": "v1", "kind": kind,
        "metadata": {"name": format!("sh.helm.release.v1.{name}.v{version}"), "namespace": namespace,
            "labels": {"owner": "helm", "name": name, "status": release["info"]["status"], "version": version}}})
}

/// A revision in a Secret.
fn secret(namespace: &str, release: &Value) -> Value {
    let mut object = stored("Secret", namespace, release);
    object["type"] = "helm.sh/release.v1".into();
    let payload = STANDARD.encode(release.to_string());
    object["data"] = json!({"release": STANDARD.encode(payload)});
    object
}

/// A revision in a ConfigMap.
fn config_map(namespace: &str, release: &Value) -> Value {
    let mut object = stored("ConfigMap", namespace, release);
    object["data"] = json!({"release": STANDARD.encode(release.to_string())});
    object
}

/// The hook that created the database, and the policy that lets pods in to it.
fn created(database: &str) -> Value {
    let hook = format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: create\nspec:\n  template:\n    spec:\n      containers:\n      - name: create\n        args: [\"curl -X PUT http://couchdb:5984/{database}\"]\n"
    );
    json!({
        "hooks": [{"kind": "Job", "name": "create", "events": ["pre-install"], "manifest": hook, "last_run": {"phase": "Succeeded"}}],
        "manifest": format!("---\n{}\n", policy("made", &format!("/{database}"))),
    })
}

fn policy(name: &str, path: &str) -> Value {
    json!({"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
        "metadata": {"name": name, "namespace": "secure-kvs"},
        "spec": {"action": "ALLOW", "rules": [{
            "from": [{"source": {"principals": ["cluster.local/ns/apps/sa/shop"]}}],
            "to": [{"operation": {"paths": [path, format!("{path}/*")]}}]}]}})
}

#[test]
fn a_claim_of_any_kind_is_refused_and_says_what_ends_it() {
    let world = World::take();
    // An umbrella chart: the values are under the subchart's name, and the revision holds the hook that created the database.
    let values =
        json!({"values": {"secure-kvs-onboarding": {"namespace": "umbrella", "database": "one"}}});
    world.claimed(
        "umbrella_one",
        &[
            helm_release("platform", "team-platform", values),
            secret(
                "core",
                &release("platform", 1, "deployed", created("umbrella_one")),
            ),
        ],
        &["refused: HelmRelease flux-system/platform still claims umbrella_one\n"],
    );
    // The chart under another name and with other keys.
    let values = json!({"values": {"dbNamespace": "mirror", "databaseName": "one"}});
    world.claimed(
        "mirror_one",
        &[
            helm_release("mirror", "kvs-database", values),
            secret(
                "core",
                &release("mirror", 1, "deployed", created("mirror_one")),
            ),
        ],
        &["refused: HelmRelease flux-system/mirror still claims mirror_one\n"],
    );
    // A plain `helm install`, the whole name in one value.
    let mut more = created("plain_one");
    more["config"] = json!({"target": "plain_one"});
    world.claimed(
        "plain_one",
        &[secret("apps", &release("plain", 3, "deployed", more))],
        &[
            "revision 3 of Helm release core/plain (Secret apps/sh.helm.release.v1.plain.v3)",
            ": helm uninstall -n apps plain --kube-context sandbox",
        ],
    );
    let values = json!({"namespace": "renderers", "database": "two"});
    let patch = json!([{"kustomize": {"patches": [{"target": {"kind": "Job"}, "patch": "- op: replace\n  path: /spec/x\n  value: renderers_one\n"}]}}]);
    world.claimed(
        "renderers_one",
        &[onboarding(
            "renderers",
            json!({"values": values, "postRenderers": patch}),
        )],
        &["refused: HelmRelease flux-system/renderers still claims renderers_one\n"],
    );
    // Nothing left but the way in.
    world.claimed(
        "policy_one",
        &[policy("left", "/policy_one")],
        &[
            "refused: AuthorizationPolicy secure-kvs/left lets pods in to policy_one\n",
            "kubectl edit authorizationpolicies.security.istio.io -n secure-kvs left --context sandbox",
        ],
    );
    let chart = json!({"chart": {"metadata": {"name": "secure-kvs-onboarding", "version": "0.1.2"}},
        "config": {"namespace": "maps", "database": "one"}});
    world.claimed(
        "maps_one",
        &[config_map("core", &release("maps", 1, "deployed", chart))],
        &[
            "(ConfigMap core/sh.helm.release.v1.maps.v1) was installed with maps_one\n",
            "with HELM_DRIVER=configmap set: helm uninstall -n core maps --kube-context sandbox",
        ],
    );
    // As a restore leaves it that takes no labels along.
    let chart = json!({"chart": {"metadata": {"name": "secure-kvs-onboarding", "version": "0.1.2"}},
        "config": {"namespace": "labels", "database": "one"}});
    let mut bare = secret("core", &release("labels", 2, "deployed", chart));
    bare["metadata"]
        .as_object_mut()
        .expect("a map")
        .remove("labels");
    world.claimed(
        "labels_one",
        &[bare],
        &[
            "(Secret core/sh.helm.release.v1.labels.v2) was installed with labels_one\n",
            "kubectl label secret -n core sh.helm.release.v1.labels.v2 owner=helm name=labels status=deployed version=2 --context sandbox",
        ],
    );
}

#[test]
fn what_may_be_a_claim_is_accepted_by_name_and_not_otherwise() {
    let world = World::take();
    // The same keys, and no revision that says that it creates a database.
    let values = json!({"values": {"dbNamespace": "keys", "databaseName": "one"}});
    world.mentioned(
        "keys_one",
        &[helm_release("keys", "kvs-database", values)],
        "helmrelease/flux-system/keys",
        &["refused: HelmRelease flux-system/keys names keys_one\n"],
    );
    let word = json!({"config": {"target": "word_one"}});
    world.mentioned(
        "word_one",
        &[secret("apps", &release("word", 1, "deployed", word))],
        "helm-release/apps/word",
        &["refused: the newest revision of Helm release apps/word mentions word_one"],
    );
    let from = json!({"valuesFrom": [{"kind": "ConfigMap", "name": "absent", "optional": true}]});
    world.mentioned(
        "from_one",
        &[helm_release("from", "team-platform", from)],
        "helmrelease/flux-system/from",
        &["which database HelmRelease flux-system/from has is not known: its values come from ConfigMap absent"],
    );
    // Where the values can be read, they decide.
    let values = |text: &str| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "values", "namespace": "flux-system"},
            "data": {"values.yaml": text}})
    };
    let from = json!({"valuesFrom": [{"kind": "ConfigMap", "name": "values"}]});
    let reads = helm_release("reads", "team-platform", from);
    world.mentioned(
        "reads_one",
        &[
            reads.clone(),
            values("db: {dbNamespace: reads, databaseName: one}\n"),
        ],
        "helmrelease/flux-system/reads",
        &["refused: HelmRelease flux-system/reads names reads_one\n"],
    );
    let elsewhere = [
        reads,
        values("db: {dbNamespace: reads, databaseName: two}\n"),
    ];
    world.create("reads_one");
    world.apply(&elsewhere);
    world.deletes("reads_one", &[]);
    world.remove(&elsewhere);

    let mut refers = helm_release("refers", "none", json!({}));
    let spec = refers["spec"].as_object_mut().expect("a map");
    spec.remove("chart");
    spec.insert(
        "chartRef".to_owned(),
        json!({"kind": "OCIRepository", "name": "shared"}),
    );
    world.mentioned(
        "refers_one",
        &[refers],
        "helmrelease/flux-system/refers",
        &["which database HelmRelease flux-system/refers has is not known"],
    );
    let mut broken = secret("apps", &release("broken", 1, "deployed", json!({})));
    broken["data"]["release"] = STANDARD.encode("not a release").into();
    world.mentioned(
        "broken_one",
        &[broken],
        "secret/apps/sh.helm.release.v1.broken.v1",
        &["Secret apps/sh.helm.release.v1.broken.v1 of Helm cannot be decoded"],
    );
    let mut wild = policy("wild", "/wild_one");
    wild["spec"]["rules"][0]["to"][0]["operation"]["paths"] = json!(["/wild_*"]);
    world.mentioned(
        "wild_one",
        &[wild],
        "authorizationpolicy/secure-kvs/wild",
        &["lets pods in to wild_one and to others by the path /wild_*"],
    );
}

#[test]
fn an_unreadable_secret_is_told_once_and_makes_no_orphan() {
    let world = World::take();
    world.create("told_one");
    world.create("told_two");
    let mut broken = secret("apps", &release("told", 1, "deployed", json!({})));
    broken["data"]["release"] = STANDARD.encode("not a release").into();
    let names = ["databases", "told_one", "told_two"];
    let state = |more: &[&str]| {
        let said = world.run(&[&names[..], more].concat());
        assert_eq!(said.code, 0, "{}", said.stderr);
        said
    };
    let states = ["-o", "jsonpath={.items[*].state}"];
    assert_eq!(state(&states).stdout.trim(), "orphan orphan");
    world.apply(&[broken.clone()]);
    assert_eq!(state(&states).stdout.trim(), "mentioned mentioned");
    let said = state(&[]);
    let what = "Secret apps/sh.helm.release.v1.told.v1 of Helm cannot be decoded";
    assert_eq!(said.stderr.matches(what).count(), 1, "{}", said.stderr);
    assert!(
        said.stderr.contains(&format!("Warning: {what}")),
        "{}",
        said.stderr
    );
    let orphans = state(&["--orphans", "-o", "name"]);
    assert_eq!(orphans.stdout, "");
    assert!(orphans.stderr.contains(what), "{}", orphans.stderr);
    world.remove(&[broken]);
    for name in ["told_one", "told_two"] {
        world.deletes(name, &[]);
    }
}

/// The onboarding of the runbook, which Flux installs.
fn installed() -> Value {
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "skvs-onboarding-pds--database", "namespace": "flux-system",
            "labels": {"app.kubernetes.io/part-of": "secure-kvs-onboarding"}},
        "spec": {"interval": "5m", "serviceAccountName": "helm-controller", "targetNamespace": "core",
            "chart": {"spec": {"chart": "secure-kvs-onboarding", "version": "<0.2.0", "interval": "1m",
                "sourceRef": {"kind": "HelmRepository", "name": "wit-artifactory", "namespace": "flux-system"}}},
            "values": {"namespace": "pds", "database": "database", "serviceAccounts": ["pds"], "encryption": true}},
    })
}

/// Forty-nine onboardings that are in use, each with its revision, and what a team has beside its own.
fn neighbours() -> Vec<Value> {
    let mut objects = Vec::new();
    for number in 0..49 {
        let name = format!("skvs-onboarding-team{number}--data");
        // The account of one has the database's name.
        let (namespace, account) = if number == 0 {
            ("pds".to_owned(), "database")
        } else {
            (format!("team{number}"), "app")
        };
        let database = if number == 0 { "second" } else { "data" };
        let values =
            json!({"namespace": namespace, "database": database, "serviceAccounts": [account]});
        objects.push(onboarding(&name, json!({"values": values})));
        let mut more = created(&format!("{namespace}_{database}"));
        more["chart"] = json!({"metadata": {"name": "secure-kvs-onboarding", "version": "0.1.2"}});
        more["config"] = values;
        objects.push(secret("core", &release(&name, 1, "deployed", more)));
    }
    objects.push(helm_release(
        "logs",
        "podinfo",
        json!({"values": {"log_level": "debug", "database": "database"}}),
    ));
    objects.push(secret(
        "core",
        &release(
            "logs",
            1,
            "deployed",
            json!({"config": {"log_level": "debug"}}),
        ),
    ));
    objects.push(json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "database", "namespace": "pds"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "database"}},
            "template": {"metadata": {"labels": {"app": "database"}},
                "spec": {"containers": [{"name": "database", "image": "nginx"}]}}}}));
    objects
}

/// A revision of the team's app; it names the database or not.
fn shop(version: i64, status: &str, names_it: bool) -> Value {
    let config = match names_it {
        true => json!({"couchdb": {"database": "pds_database"}}),
        false => json!({"couchdb": {"database": "pds_other"}}),
    };
    secret(
        "pds",
        &release("shop", version, status, json!({"config": config})),
    )
}

#[test]
fn an_onboarding_of_a_normal_cluster_is_removed_and_its_database_deleted() {
    let world = World::take();
    let sandbox = world.sandbox;
    let account = |name: &str| json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "pds"}});
    world.apply(&[
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "pds"}}),
        account("pds"),
        account("database"),
    ]);
    world.apply(&neighbours());
    world.apply(&[
        shop(1, "superseded", true),
        shop(2, "superseded", true),
        shop(3, "deployed", false),
    ]);
    let name = "skvs-onboarding-pds--database";
    world.apply(&[installed()]);
    let release = ["-n", "flux-system", "helmrelease", name];
    let wait = [
        &["wait", "--for=condition=Ready", "--timeout=120s"][..],
        &release,
    ]
    .concat();
    sandbox.kubectl_ok(&wait).expect("it is installed");
    assert!(world.exists("pds_database"));
    let stderr = world.delete("pds_database", &[]).failed(4);
    assert!(
        stderr.contains(&format!(
            "HelmRelease flux-system/{name} still claims pds_database\n"
        )),
        "{stderr}"
    );
    // Removed through Flux, which uninstalls it; the hook's Job is not Helm's to remove.
    let delete = [&["delete", "--timeout=120s"][..], &release].concat();
    sandbox.kubectl_ok(&delete).expect("it is uninstalled");
    let jobs = sandbox.kubectl_ok(&["get", "jobs", "-n", "core", "-o", "name"]);
    assert!(jobs.expect("Jobs").contains("pds"), "its Job is left");
    let field = format!("involvedObject.name={name}");
    let events = || {
        let args = [
            "get",
            "events",
            "-n",
            "flux-system",
            "--field-selector",
            &field,
            "-o",
            "jsonpath={.items[*].reason}",
        ];
        sandbox.kubectl_ok(&args).ok()
    };
    testbed::wait("the end of the uninstall", Duration::from_secs(60), || {
        events().filter(|e| e.contains("UninstallSucceeded"))
    })
    .expect("Flux says so");

    let dry = world.run(&["delete-db", "pds_database", "--dry-run"]);
    assert!(!dry.stderr.contains("accept"), "{}", dry.stderr);
    assert_eq!(dry.code, 0, "{}", dry.stderr);
    world.deletes("pds_database", &[]);

    // The team's app goes over to it.
    world.create("pds_database");
    world.apply(&[shop(3, "superseded", false), shop(4, "deployed", true)]);
    let stderr = world.delete("pds_database", &[]).failed(4);
    let accept = "--accept=helm-release/pds/shop";
    assert!(
        stderr.contains("the newest revision of Helm release pds/shop mentions pds_database (Secret pds/sh.helm.release.v1.shop.v4)")
            && stderr.contains(accept),
        "{stderr}"
    );
    assert!(world.exists("pds_database"));
    let version = sandbox.kubectl_ok(&[
        "get",
        "secret",
        "-n",
        "pds",
        "sh.helm.release.v1.shop.v4",
        "-o",
        "jsonpath={.metadata.resourceVersion}",
    ]);
    let version = version.expect("the revision");
    let plan = ["delete-db", "pds_database", "--dry-run", "-o", "json"];
    let plan = world.run(&[&plan[..], &[accept]].concat()).ok();
    let plan: Value = serde_json::from_str(&plan).expect("JSON");
    let risk = &plan["risks"][0];
    assert_eq!(
        (&risk["name"], &risk["resourceVersion"], &risk["accepted"]),
        (
            &json!("helm-release/pds/shop"),
            &json!(version),
            &json!(true)
        )
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("record.jsonl");
    let token = plan["token"].as_str().expect("a token");
    let record = file.to_str().unwrap();
    world.deletes(
        "pds_database",
        &[accept, "--plan", token, "--record", record],
    );
    let lines = std::fs::read_to_string(&file).unwrap();
    let accepted = json!([{"name": "helm-release/pds/shop", "resourceVersion": version}]);
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(line["accepted"], accepted);
    }
    assert_eq!(lines.lines().count(), 2);
    let told = sandbox.kubectl_ok(&[
        "get",
        "events",
        "-n",
        "secure-kvs",
        "--field-selector",
        "reportingComponent=kubectl-skvs",
        "-o",
        "jsonpath={range .items[*]}{.message}{\"\\n\"}{end}",
    ]);
    let told = told.expect("Events");
    let taken = format!("accepted helm-release/pds/shop at resourceVersion {version}");
    assert_eq!(told.matches(&taken).count(), 2, "{told}");
}
