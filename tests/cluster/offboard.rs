//! `offboard` at each stage of an onboarding's removal, following the commands that it prints, on real Flux and Helm.

use crate::harness::{RunOutput, Skvs, kubectl, patch_helm_release, skvs};
use crate::json_schema;
use crate::troubleshoot::{onboarding, paste};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use testbed::{Options, Sandbox};

const TEAM: &str = "zulu-leaves";
const DATABASE: &str = "zulu-leaves_data";
pub(crate) const FOLDER: &str = "infrastructure/k8s/lab/secure-kvs/secure-kvs-onboarding";

/// A GitOps repository in git.
struct Repository(tempfile::TempDir);

impl Repository {
    /// One with the manifests of this and of another onboarding.
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().expect("a folder"));
        let folder = repository.path().join(FOLDER);
        fs::create_dir_all(&folder).expect("the folder is made");
        let list = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - zulu-stays_data.yaml\n";
        fs::write(folder.join("kustomization.yaml"), list).expect("it is written");
        let account = ["--service-account", "zulu-stays", "--local"];
        let words = [&["onboard", "zulu-stays", "data"], &account[..]].concat();
        let other = skvs(words).run().ok();
        fs::write(folder.join("zulu-stays_data.yaml"), other).expect("it is written");
        let repo = repository.path().to_str().expect("a path");
        let account = ["--service-account", TEAM, "--local", "--repo", repo];
        let place = ["--for-cluster", "lab"];
        let words = [&["onboard", TEAM, "data"], &account[..], &place].concat();
        skvs(words).run().ok();
        repository.git("init -q && git add -A");
        repository.git("-c user.name=a -c user.email=a@example.com commit -q -m onboard");
        repository
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn git(&self, words: &str) {
        paste(&format!("cd {} && git {words}", self.path().display()));
    }
}

/// A plan as it is at some stage.
pub(crate) struct Stage {
    said: RunOutput,
    plan: Value,
}

impl Stage {
    pub(crate) fn of(name: &str, repository: Option<&Path>) -> Self {
        let mut words = vec!["offboard", name, "-o", "json"];
        let path = repository.map(|path| path.to_str().expect("a path"));
        if let Some(path) = path {
            words.extend(["--repo", path, "--for-cluster", "lab"]);
        }
        Self::from(skvs(words).run())
    }

    fn from(said: RunOutput) -> Self {
        let plan: Value = serde_json::from_str(&said.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}\n{}", said.stdout, said.stderr));
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/docs/schema/offboarding-plan.v1.json"
        );
        let schema = fs::read_to_string(file).expect("the schema");
        let schema = serde_json::from_str(&schema).expect("JSON");
        assert_eq!(json_schema::faults(&schema, &plan), [""; 0]);
        Self { said, plan }
    }

    /// `manifest=toDo` for each step.
    fn states(&self) -> String {
        let steps = self.plan["steps"].as_array().expect("steps");
        let text = |step: &Value, key: &str| step[key].as_str().expect("a text").to_owned();
        let states = steps
            .iter()
            .map(|step| format!("{}={}", text(step, "step"), text(step, "state")));
        states.collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn is(&self, states: &str, code: i32) -> &Self {
        assert_eq!(self.states(), states, "{}", self.said.stdout);
        assert_eq!(self.said.code, code, "{}", self.said.stdout);
        self
    }

    #[track_caller]
    fn says(&self, part: &str) {
        assert!(
            self.said.stdout.contains(part),
            "{part}: {}",
            self.said.stdout
        );
    }

    pub(crate) fn next(&self) -> &str {
        self.plan["next"].as_str().expect("a command")
    }

    /// Has this state of a step.
    #[track_caller]
    pub(crate) fn has(&self, state: &str) {
        let states = self.states();
        assert!(states.contains(state), "{state}: {states}");
    }

    /// Applies the difference that removes the manifest from its list.
    pub(crate) fn applies(&self, repository: &Path) {
        let actions = self.plan["steps"][1]["actions"].as_array().expect("a list");
        let diff = actions.iter().find_map(|action| action["diff"].as_str());
        let patch = tempfile::NamedTempFile::new().expect("a file");
        fs::write(patch.path(), diff.expect("a difference")).expect("it is written");
        let (repository, patch) = (repository.display(), patch.path().display());
        paste(&format!("cd {repository} && git apply {patch}"));
    }

    pub(crate) fn code(&self) -> i32 {
        self.said.code
    }
}

#[test]
fn an_onboarding_goes_by_the_commands_of_its_plan() {
    let (_temporary, name) = onboarding(TEAM, "core");
    skvs(["troubleshoot", &name, "--wait", "--timeout", "3m"])
        .run()
        .ok();
    let repository = Repository::new();
    let stage = || Stage::of(DATABASE, Some(repository.path()));

    let begin = stage();
    begin.is("users=done manifest=toDo kustomization=done helmRelease=blocked release=blocked access=blocked database=blocked", 3);
    begin.says("no pod runs as zulu-leaves/zulu-leaves");
    begin.says(&format!("CouchDB has {DATABASE}: 0 documents"));
    // Without the repository nobody knows whether the manifest is gone.
    Stage::of(DATABASE, None).is("users=done manifest=notKnown kustomization=done helmRelease=blocked release=blocked access=blocked database=blocked", 3);

    // The file and its entry, as the plan says.
    begin.applies(repository.path());
    paste(begin.next());
    let list = repository.path().join(FOLDER).join("kustomization.yaml");
    let list = fs::read_to_string(list).expect("the list");
    assert!(
        list.ends_with("resources:\n  - zulu-stays_data.yaml\n"),
        "{list}"
    );

    // Suspended, Flux would leave everything where it is.
    skvs(["suspend", &name, "--reason", "a test"]).run().ok();
    let suspended = stage();
    suspended.is("users=done manifest=done kustomization=done helmRelease=blocked release=blocked access=blocked database=blocked", 3);
    suspended.says("is suspended");
    paste(suspended.next());

    let unapplied = stage();
    unapplied.is("users=done manifest=done kustomization=done helmRelease=toDo release=blocked access=blocked database=blocked", 3);
    // Something else holds it.
    let hold = ["finalizers.fluxcd.io", "zulu.example/hold"];
    patch_helm_release(&name, &json!({"metadata": {"finalizers": hold}}));
    paste(&format!("{} --wait=false", unapplied.next()));
    let held = stage();
    held.says("the finalizer zulu.example/hold holds it");
    held.has("helmRelease=blocked");
    let gone = || {
        let finalizers = kubectl(&[
            "get",
            "helmrelease",
            "-n",
            "flux-system",
            &name,
            "-o",
            "jsonpath={.metadata.finalizers}",
        ]);
        (!finalizers.contains("fluxcd.io")).then_some(())
    };
    testbed::wait("the uninstall", std::time::Duration::from_secs(120), gone).expect("it ends");
    patch_helm_release(&name, &json!({"metadata": {"finalizers": null}}));

    // The chart's hook stays after every uninstall.
    let left = stage();
    left.is("users=done manifest=done kustomization=done helmRelease=done release=done access=toDo database=blocked", 3);
    left.says("Job core/zulu-leaves-data-create is left");
    // By its own name it is found through the database that is left.
    let by_name = Stage::of("zulu-leaves--data", Some(repository.path()));
    assert_eq!(by_name.plan["database"], DATABASE);
    assert_eq!(by_name.plan["helmReleaseIsKnown"], false);
    paste(left.next());

    let last = stage();
    last.is("users=done manifest=done kustomization=done helmRelease=done release=done access=done database=toDo", 3);
    assert_eq!(
        last.next(),
        format!("kubectl skvs delete-db {DATABASE} --backup {DATABASE}.skvs.gz --context sandbox")
    );
    let words = last
        .next()
        .split(' ')
        .skip(2)
        .chain(["--confirm", DATABASE]);
    let folder = tempfile::tempdir().expect("a folder");
    let mut delete = skvs(words).into_command();
    let delete = delete.current_dir(folder.path()).output().expect("it runs");
    assert!(
        RunOutput::from(delete)
            .ok()
            .contains("deleted from secure-kvs")
    );

    let end = stage();
    end.is("users=done manifest=done kustomization=done helmRelease=done release=done access=done database=done", 0);
    assert_eq!(end.plan["next"], Value::Null);
    let text = skvs(["offboard", DATABASE, "--no-exec"]).run();
    assert_eq!(text.code, 1, "{}", text.stdout);
    let unknown = skvs(["offboard", "zulu-leaves--data"]).run().failed(1);
    assert!(unknown.contains("nothing is left by which"), "{unknown}");
}

/// Flux's kind, as far as it matters: nothing acts on it here.
const CRD: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: kustomizations.kustomize.toolkit.fluxcd.io}
spec:
  group: kustomize.toolkit.fluxcd.io
  names: {kind: Kustomization, listKind: KustomizationList, plural: kustomizations, singular: kustomization}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

#[test]
fn a_kustomization_of_a_cluster_decides_whether_the_helm_release_goes() {
    let sandbox = Sandbox::start(&Options::bare()).expect("a control plane");
    let apply = |yaml: &str| {
        testbed::wait("the object", std::time::Duration::from_secs(30), || {
            sandbox.apply(yaml).ok()
        })
        .expect("it is taken")
    };
    apply("{apiVersion: v1, kind: Namespace, metadata: {name: flux-system}}");
    apply(CRD);
    let name = "skvs-onboarding-pds--database";
    apply(&json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": name, "namespace": "flux-system",
            "labels": {"app.kubernetes.io/part-of": "secure-kvs-onboarding"}},
        "spec": {"interval": "1m", "chart": {"spec": {"chart": "secure-kvs-onboarding",
            "sourceRef": {"kind": "HelmRepository", "name": "r"}}}, "values": {"namespace": "pds", "database": "database"}}})
        .to_string());
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join(FOLDER);
    fs::create_dir_all(&list).expect("the folder is made");
    fs::write(list.join("kustomization.yaml"), "resources: []\n").expect("it is written");
    let repo = folder.path().to_str().expect("a path");
    for (spec, state) in [
        (
            json!({"prune": true}),
            "kustomization=toDo helmRelease=blocked",
        ),
        (
            json!({"prune": false}),
            "kustomization=blocked helmRelease=toDo",
        ),
        (
            json!({"prune": true, "suspend": true}),
            "kustomization=blocked helmRelease=blocked",
        ),
    ] {
        let id = format!("flux-system_{name}_helm.toolkit.fluxcd.io_HelmRelease");
        let object = json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": "apps", "namespace": "flux-system"}, "spec": spec,
            "status": {"observedGeneration": 9, "conditions": [{"type": "Ready", "status": "True",
                "reason": "ReconciliationSucceeded", "observedGeneration": 9}],
                "inventory": {"entries": [{"id": id, "v": "v2"}]}}});
        apply(&object.to_string());
        let words = [
            "offboard",
            "pds_database",
            "--no-exec",
            "--repo",
            repo,
            "--for-cluster",
            "lab",
            "-o",
            "json",
        ];
        let stage = Stage::from(Skvs::of(&sandbox, sandbox.kubeconfig(), words).run());
        assert!(
            stage.states().contains(&format!("manifest=done {state}")),
            "{}",
            stage.said.stdout
        );
    }
}
