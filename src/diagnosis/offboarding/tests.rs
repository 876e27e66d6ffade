//! Every step at every stage; what was not read is never done.

mod others;
mod unknown;

use super::*;
use crate::model::field::Parsed;
use crate::model::helm_release::HelmRelease;
use crate::model::istio::workload::Workload;
use crate::model::kustomization::Kustomization;
use crate::model::names::DatabaseName;
use crate::model::ownership::tests::{
    Objects, config_map, onboarding, other, pair, policy, release, secret, unread,
};
use crate::model::ownership::{Ownership, Part as Unread, Parts};
use crate::repository::removal::{Removal, Unlisting};
use crate::snapshot::databases::{Database, Found};
use crate::snapshot::{Listing, Read, Why};
use serde_json::{Value, json};

const NAME: &str = "skvs-onboarding-pds--database";

/// The objects of a cluster. Tests take some away.
#[derive(Clone)]
struct World {
    objects: Objects,
    kustomizations: Option<Vec<Value>>,
    jobs: Vec<LeftJob>,
    pods: Vec<Value>,
    couchdb: Read<Found>,
    manifests: Vec<Declared>,
    certain: bool,
}

fn why() -> Why {
    Why::Failed("no answer".to_owned())
}

fn id() -> Id {
    Id::new("flux-system", NAME)
}

fn kustomization(change: impl FnOnce(&mut Value)) -> Value {
    let mut object = json!({"metadata": {"name": "apps", "namespace": "flux-system", "generation": 1},
        "spec": {"prune": true},
        "status": {"observedGeneration": 1,
            "conditions": [{"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "observedGeneration": 1}],
            "inventory": {"entries": [{"id": format!("flux-system_{NAME}_helm.toolkit.fluxcd.io_HelmRelease"), "v": "v2"}]}}});
    change(&mut object);
    object
}

fn helm_release(change: impl FnOnce(&mut Value)) -> Value {
    let mut values = pair("pds", "database");
    values["serviceAccounts"] = json!(["pds"]);
    let mut object = onboarding(NAME, json!({"values": values, "targetNamespace": "core"}));
    let label = |key: &str| format!("kustomize.toolkit.fluxcd.io/{key}");
    object["metadata"]["labels"][label("name")] = json!("apps");
    object["metadata"]["labels"][label("namespace")] = json!("flux-system");
    object["metadata"]["finalizers"] = json!(["finalizers.fluxcd.io"]);
    object["metadata"]["generation"] = json!(1);
    change(&mut object);
    object
}

fn own_policy() -> Value {
    let mut policy = policy(
        "pds-database",
        "ALLOW",
        json!(["/pds_database", "/pds_database/*"]),
    );
    let label = |key: &str| format!("helm.toolkit.fluxcd.io/{key}");
    policy["metadata"]["labels"] = json!({label("name"): NAME, label("namespace"): "flux-system"});
    policy["spec"]["rules"][0]["from"] =
        json!([{"source": {"principals": ["cluster.local/ns/pds/sa/pds"]}}]);
    policy
}

fn own_release() -> Value {
    let chart = json!({"metadata": {"name": "secure-kvs-onboarding", "version": "0.1.2"}});
    let more = json!({"chart": chart, "config": pair("pds", "database")});
    secret(&release(&format!("core-{NAME}"), 1, "deployed", more))
}

fn declared(cluster: &str) -> Declared {
    let folder = format!("k8s/{cluster}");
    Declared {
        file: format!("gitops/{folder}/pds_database.yaml"),
        line: 4,
        cluster: Some(cluster.to_owned()),
        id: id(),
        by_hand: None,
        removal: Removal {
            whole_file: Ok(format!("{folder}/pds_database.yaml")),
            lists: vec![Unlisting {
                file: format!("gitops/{folder}/kustomization.yaml"),
                entry: "pds_database.yaml".to_owned(),
                line: 3,
                edit: Ok("--- a/x\n+++ b/x\n".to_owned()),
                is_last: false,
            }],
            unlisted: false,
        },
    }
}

/// Nothing is left.
fn gone() -> World {
    World {
        objects: Objects::of(&[other()]),
        kustomizations: Some(vec![kustomization(|k| {
            k["status"]["inventory"]["entries"] = json!([]);
        })]),
        jobs: Vec::new(),
        pods: Vec::new(),
        couchdb: Read::Absent,
        manifests: Vec::new(),
        certain: true,
    }
}

/// Everything is there.
fn whole() -> World {
    let mut objects = Objects::of(&[other(), helm_release(|_| {})]);
    objects.policies.push(own_policy());
    objects.secrets.push(own_release());
    World {
        objects,
        kustomizations: Some(vec![kustomization(|_| {})]),
        jobs: vec![LeftJob {
            id: Id::new("core", "pds-database-create"),
            doubt: None,
        }],
        pods: vec![
            json!({"metadata": {"name": "pds-0", "namespace": "pds"}, "spec": {"serviceAccountName": "pds"}}),
        ],
        couchdb: Read::Seen(Found::Served(Database {
            documents: Some(12),
            bytes: Some(4096),
            created: None,
        })),
        manifests: vec![declared("prod-east")],
        certain: true,
    }
}

impl World {
    fn facts(&self) -> Facts {
        let all = self.objects.helm_releases.iter();
        let all = all.map(|object| HelmRelease::from_value(object).unwrap());
        let kustomizations = self.kustomizations.as_ref();
        Facts {
            subject: Subject {
                database: DatabaseName::parse("pds_database").unwrap(),
                id: id(),
                certain: self.certain,
            },
            helm_releases: Listing::whole(all.collect()),
            ownership: self.objects.ownership(),
            kustomizations: kustomizations.map_or(Read::Absent, |all| {
                Read::Seen(all.iter().map(Kustomization::from_value).collect())
            }),
            jobs: Listing::whole(self.jobs.clone()),
            pods: vec![Pods {
                namespace: "pds".to_owned(),
                pods: Read::Seen(self.pods.iter().map(Workload::from_value).collect()),
            }],
            couchdb: self.couchdb.clone(),
            couchdb_namespace: "secure-kvs".to_owned(),
            couchdb_flags: Vec::new(),
            manifests: Some(Manifests {
                folder: "gitops".to_owned(),
                found: Listing::whole(self.manifests.clone()),
                looked_at: 3,
                cluster: None,
                several: false,
            }),
        }
    }
}

fn word(state: &State) -> &'static str {
    match state {
        State::Done(_) => "done",
        State::ToDo => "to do",
        State::Blocked => "blocked",
        State::NotKnown => "not known",
    }
}

/// The states of the steps.
fn states(facts: &Facts) -> Vec<&'static str> {
    steps(facts).iter().map(|s| word(&s.state)).collect()
}

/// `step state: first sentence`, and the commands.
fn told(facts: &Facts, part: Part) -> String {
    let all = steps(facts);
    let step = all.iter().find(|s| s.part == part).unwrap();
    let mut lines = vec![format!("{}: {}", word(&step.state), step.says[0])];
    lines.extend(step.acts.iter().map(|act| match act {
        Act::Say(text) => format!("({text})"),
        Act::Run(command) => command.at(&crate::advice::Origin::default()).to_string(),
        Act::Edit(_) => "(edit)".to_owned(),
    }));
    lines.join("\n")
}

fn next_command(facts: &Facts) -> String {
    let steps = steps(facts);
    let (_, command) = next(&steps).unwrap();
    command.at(&crate::advice::Origin::default()).to_string()
}

const ALL: [&str; 7] = ["done"; 7];

#[test]
fn the_steps_follow_each_other() {
    let mut world = whole();
    assert_eq!(
        states(&world.facts()),
        [
            "to do", "to do", "blocked", "blocked", "blocked", "blocked", "blocked"
        ]
    );
    let last = "blocked: waits for the users\nkubectl skvs delete-db pds_database --dry-run";
    assert_eq!(told(&world.facts(), Part::Database), last);
    world.pods.clear();
    assert_eq!(
        next_command(&world.facts()),
        "git -C gitops rm -- k8s/prod-east/pds_database.yaml"
    );

    world.manifests.clear();
    assert_eq!(
        states(&world.facts()),
        [
            "done", "done", "to do", "blocked", "blocked", "blocked", "blocked"
        ]
    );
    assert_eq!(
        next_command(&world.facts()),
        "flux reconcile kustomization -n flux-system apps --with-source"
    );

    // Flux has deleted the HelmRelease, and uninstalls.
    world.kustomizations = gone().kustomizations;
    let deleting = helm_release(|hr| {
        hr["metadata"]["deletionTimestamp"] = json!("2026-11-28T12:00:00Z");
    });
    let mut uninstalling = world.clone();
    uninstalling.objects.helm_releases[1] = deleting;
    // Its labels name a Kustomization that does not list it any more.
    assert_eq!(
        states(&uninstalling.facts()),
        [
            "done", "done", "to do", "to do", "blocked", "blocked", "blocked"
        ]
    );

    world.objects.helm_releases.truncate(1);
    assert_eq!(
        states(&world.facts()),
        [
            "done", "done", "done", "done", "to do", "blocked", "blocked"
        ]
    );
    assert_eq!(
        next_command(&world.facts()),
        format!("helm uninstall -n flux-system core-{NAME}")
    );

    world.objects.secrets.clear();
    let told = told(&world.facts(), Part::Access);
    assert_eq!(
        told,
        "to do: AuthorizationPolicy secure-kvs/pds-database lets pods in
kubectl delete -n secure-kvs authorizationpolicies.security.istio.io pds-database
kubectl delete -n core jobs.batch pds-database-create"
    );
    world.objects.policies.clear();
    world.jobs.clear();
    assert_eq!(
        states(&world.facts()),
        ["done", "done", "done", "done", "done", "done", "to do"]
    );
    assert_eq!(
        next_command(&world.facts()),
        "kubectl skvs delete-db pds_database --backup pds_database.skvs.gz"
    );
    world.couchdb = Read::Absent;
    assert_eq!(states(&world.facts()), ALL);
    assert!(next(&steps(&world.facts())).is_none());
}

/// Where nothing is left, each part that is not read leaves exactly the steps open that it decides.
#[test]
fn what_was_not_read_is_never_done() {
    let cut = |facts: &mut Facts, part: fn(&mut Parts)| {
        let mut parts = gone().objects.parts();
        part(&mut parts);
        facts.ownership = Ownership::new(parts);
    };
    type Cut = fn(&mut Facts, &dyn Fn(&mut Facts, fn(&mut Parts)));
    let cases: [(&[Part], Cut); 9] = [
        (&[Part::Manifest], |f, _| f.manifests = None),
        (&[Part::Manifest], |f, _| {
            let manifests = f.manifests.as_mut().unwrap();
            manifests.found = Listing::new(Vec::new(), Some(why()));
        }),
        (&[Part::Kustomization], |f, _| {
            f.kustomizations = Read::Unknown(why());
        }),
        (&[Part::HelmRelease], |f, _| {
            f.helm_releases = Listing::new(Vec::new(), Some(why()));
        }),
        (&[Part::Release], |f, cut| {
            cut(f, |p| p.secrets = Unread::unread(unread()));
        }),
        (&[Part::Release], |f, cut| {
            cut(f, |p| p.config_maps = Unread::unread(unread()));
        }),
        (&[Part::Users, Part::Access], |f, cut| {
            cut(f, |p| p.policies = Unread::unread(unread()));
        }),
        (&[Part::Access], |f, _| {
            f.jobs = Listing::new(Vec::new(), Some(why()));
        }),
        (&[Part::Database], |f, _| f.couchdb = Read::Unknown(why())),
    ];
    for (parts, change) in cases {
        for certain in [true, false] {
            let mut facts = World { certain, ..gone() }.facts();
            assert_eq!(states(&facts), ALL);
            change(&mut facts, &cut);
            for step in steps(&facts) {
                let expected = match parts.contains(&step.part) {
                    true => "not known",
                    false => "done",
                };
                assert_eq!(word(&step.state), expected, "{parts:?}: {step:?}");
            }
        }
    }
}

/// Without its earlier steps the database is not offered, whatever CouchDB says.
#[test]
fn the_database_waits_for_what_is_not_known() {
    for change in [
        |f: &mut Facts| f.manifests = None,
        |f: &mut Facts| f.kustomizations = Read::Unknown(why()),
        |f: &mut Facts| f.jobs = Listing::new(Vec::new(), Some(why())),
    ] {
        let mut facts = World {
            couchdb: whole().couchdb,
            ..gone()
        }
        .facts();
        assert_eq!(states(&facts)[6], "to do");
        change(&mut facts);
        assert_eq!(states(&facts)[6], "blocked");
    }
}

#[test]
fn only_a_rehearsal_is_offered_while_something_may_claim_it() {
    let mut world = World {
        couchdb: whole().couchdb,
        ..gone()
    };
    let rehearsal = "kubectl skvs delete-db pds_database --dry-run";
    let said = |world: &World| told(&world.facts(), Part::Database);
    // A HelmRelease whose values were not read.
    let open = onboarding(
        "odd",
        json!({"valuesFrom": [{"kind": "ConfigMap", "name": "x"}]}),
    );
    world.objects.helm_releases.push(open);
    let told = said(&world);
    assert!(told.starts_with("blocked: it may be claimed: "), "{told}");
    assert!(told.ends_with(rehearsal), "{told}");
    // And a part that was not read.
    let mut facts = world.facts();
    let mut parts = gone().objects.parts();
    parts.database_objects = Unread::unread(unread());
    facts.ownership = Ownership::new(parts);
    let told = super::tests::told(&facts, Part::Database);
    assert!(
        told.starts_with("not known: whether anything claims it"),
        "{told}"
    );
    assert!(told.ends_with(rehearsal), "{told}");
}

#[test]
fn a_database_that_another_onboarding_uses_stays() {
    let mut world = gone();
    world.couchdb = whole().couchdb;
    let rival = onboarding(
        "rival",
        json!({"values": pair("pds", "database"), "targetNamespace": "core"}),
    );
    world.objects.helm_releases.push(rival);
    let mut theirs = own_policy();
    theirs["metadata"]["labels"]["helm.toolkit.fluxcd.io/name"] = json!("rival");
    world.objects.policies.push(theirs);
    let more = json!({"config": pair("pds", "database")});
    world
        .objects
        .secrets
        .push(secret(&release("core-rival", 1, "deployed", more)));
    // What is the other's is not removed.
    assert_eq!(
        states(&world.facts()),
        ["done", "done", "done", "done", "blocked", "done", "blocked"]
    );
    assert_eq!(
        told(&world.facts(), Part::Database),
        "blocked: HelmRelease flux-system/rival uses pds_database too, so it stays\nkubectl skvs databases pds_database -o wide"
    );
    // The same at the beginning.
    let mut both = whole();
    both.objects
        .helm_releases
        .extend(world.objects.helm_releases.pop());
    let told = told(&both.facts(), Part::Database);
    assert!(!told.contains("delete-db"), "{told}");
    let users = &steps(&both.facts())[0];
    assert!(
        users
            .says
            .iter()
            .any(|s| s == "HelmRelease flux-system/rival uses it too")
    );
}

#[test]
fn what_keeps_a_kustomization_from_removing_it_is_told() {
    let held = |change: fn(&mut Value)| {
        let mut world = whole();
        world.manifests.clear();
        world.kustomizations = Some(vec![kustomization(change)]);
        let facts = world.facts();
        (
            told(&facts, Part::Kustomization),
            told(&facts, Part::HelmRelease),
        )
    };
    let delete =
        format!("kubectl delete -n flux-system helmreleases.helm.toolkit.fluxcd.io {NAME}");
    for (change, says, by_hand) in [
        (
            (|k| k["spec"]["suspend"] = json!(true)) as fn(&mut Value),
            "blocked: Kustomization flux-system/apps is suspended, so it removes nothing\nflux resume kustomization -n flux-system apps",
            false,
        ),
        (
            |k| k["spec"]["prune"] = json!(false),
            "blocked: spec.prune of Kustomization flux-system/apps is not true, ",
            true,
        ),
        (
            |k| k["spec"]["prune"] = json!(null),
            "blocked: spec.prune of Kustomization flux-system/apps is not true, ",
            true,
        ),
        (
            |k| k["spec"]["prune"] = json!("yes"),
            "not known: whether Kustomization flux-system/apps removes ",
            false,
        ),
        (
            |k| k["spec"]["kubeConfig"] = json!({"secretRef": {"name": "x"}}),
            "not known: Kustomization flux-system/apps may apply its folder to another cluster",
            false,
        ),
        (
            |k| {
                k["status"]["conditions"][0]["status"] = json!("False");
                k["status"]["conditions"][0]["reason"] = json!("BuildFailed");
                k["status"]["conditions"][0]["message"] = json!("kustomize build failed: x");
            },
            "blocked: Kustomization flux-system/apps cannot apply its folder, and removes nothing until it can: kustomize build failed: x",
            false,
        ),
        (
            |k| k["status"]["conditions"] = json!("x"),
            "not known: whether Kustomization flux-system/apps works is not known",
            false,
        ),
    ] {
        let (kustomization, helm_release) = held(change);
        assert!(kustomization.starts_with(says), "{kustomization}");
        assert_eq!(helm_release.ends_with(&delete), by_hand, "{helm_release}");
        assert_eq!(helm_release.starts_with("to do"), by_hand, "{helm_release}");
    }
}

#[test]
fn what_keeps_the_helm_release_is_told() {
    let said = |change: fn(&mut Value), part: Part| {
        let mut world = whole();
        world.manifests.clear();
        world.objects.helm_releases[1] = helm_release(change);
        told(&world.facts(), part)
    };
    let prune = said(
        |hr| {
            hr["metadata"]["annotations"] =
                json!({"kustomize.toolkit.fluxcd.io/prune": "disabled"});
        },
        Part::Kustomization,
    );
    assert!(
        prune.starts_with(
            "blocked: the HelmRelease has kustomize.toolkit.fluxcd.io/prune: disabled"
        ),
        "{prune}"
    );
    let odd = said(
        |hr| hr["metadata"]["annotations"] = json!("x"),
        Part::Kustomization,
    );
    assert_eq!(
        odd,
        "not known: the annotations of the HelmRelease cannot be read"
    );
    let suspended = said(|hr| hr["spec"]["suspend"] = json!(true), Part::HelmRelease);
    assert_eq!(
        suspended,
        format!(
            "blocked: HelmRelease flux-system/{NAME} is suspended: removed like that, its release and the policy would stay\nkubectl skvs resume -n flux-system {NAME}"
        )
    );
    // Before the manifest is merged, and before the Kustomization is asked.
    let mut world = whole();
    world.objects.helm_releases[1] = helm_release(|hr| hr["spec"]["suspend"] = json!(true));
    world.pods.clear();
    let resume = format!("kubectl skvs resume -n flux-system {NAME}");
    assert_eq!(
        states(&world.facts())[1..4],
        ["blocked", "blocked", "blocked"]
    );
    assert_eq!(next_command(&world.facts()), resume);
    world.manifests.clear();
    assert_eq!(states(&world.facts())[1..4], ["done", "blocked", "blocked"]);
    assert_eq!(next_command(&world.facts()), resume);
    let finalizer = said(
        |hr| {
            hr["metadata"]["deletionTimestamp"] = json!("2026-11-28T12:00:00Z");
            hr["metadata"]["finalizers"] = json!(["finalizers.fluxcd.io", "team.example/hold"]);
        },
        Part::HelmRelease,
    );
    assert!(
        finalizer.contains("the finalizer team.example/hold holds it"),
        "{finalizer}"
    );
    let failed = said(
        |hr| {
            hr["metadata"]["deletionTimestamp"] = json!("2026-11-28T12:00:00Z");
            hr["status"] = json!({"conditions": [{"type": "Ready", "status": "False", "reason": "UninstallFailed", "message": "no\u{1b}[2J way"}]});
        },
        Part::HelmRelease,
    );
    assert!(failed.starts_with("blocked: "), "{failed}");
    assert!(
        failed.contains("cannot uninstall its release: no^[[2J way"),
        "{failed}"
    );
    for part in [Part::Release, Part::Access] {
        let remote = said(
            |hr| hr["spec"]["kubeConfig"] = json!({"secretRef": {"name": "x"}}),
            part,
        );
        assert!(remote.starts_with("not known: "), "{remote}");
        assert!(
            remote.contains("is on another cluster, which was not read"),
            "{remote}"
        );
    }
}

#[test]
fn a_helm_release_that_no_kustomization_applies_is_deleted_by_hand() {
    let mut world = whole();
    world.manifests.clear();
    world.objects.helm_releases[1] = helm_release(|hr| {
        let labels = hr["metadata"]["labels"].as_object_mut().unwrap();
        labels.retain(|key, _| !key.starts_with("kustomize."));
    });
    for kustomizations in [gone().kustomizations, None] {
        world.kustomizations = kustomizations;
        let told = told(&world.facts(), Part::HelmRelease);
        assert!(told.starts_with("to do: "), "{told}");
    }
    // Its labels name one that was not found.
    world.objects.helm_releases[1] = helm_release(|_| {});
    assert_eq!(states(&world.facts())[2..4], ["not known", "blocked"]);
}

#[test]
fn a_kustomization_that_still_lists_a_helm_release_that_is_gone_is_not_done() {
    let with = |certain: bool, name: &'static str| {
        let mut world = World { certain, ..gone() };
        world.kustomizations = Some(vec![kustomization(|k| {
            let id = format!("flux-system_{name}_helm.toolkit.fluxcd.io_HelmRelease");
            k["status"]["inventory"]["entries"][0]["id"] = json!(id);
        })]);
        states(&world.facts())[2]
    };
    assert_eq!(with(true, NAME), "to do");
    assert_eq!(with(true, "another"), "done");
    // Its name is a guess: one with the words of the database is it, and any that is gone may be.
    assert_eq!(with(false, "skvs-onboarding-pds-database"), "to do");
    assert_eq!(with(false, "another"), "not known");
    assert_eq!(with(false, "other"), "done");
}

#[test]
fn a_kustomization_that_may_not_have_applied_its_present_spec_may_hold_it() {
    let with = |generation: Value, observed: Value| {
        let mut world = gone();
        world.kustomizations = Some(vec![kustomization(|k| {
            k["metadata"]["generation"] = generation;
            k["status"] = json!({"observedGeneration": observed, "inventory": {"entries": []}});
        })]);
        states(&world.facts())[2]
    };
    assert_eq!(with(json!(2), json!(2)), "done");
    assert_eq!(with(json!(2), json!(1)), "not known");
    assert_eq!(with(json!(2), json!(null)), "not known");
    assert_eq!(with(json!(null), json!(2)), "not known");
    assert_eq!(with(json!(null), json!(null)), "not known");
}

#[test]
fn manifests_of_several_clusters_are_not_removed_at_once() {
    let mut world = whole();
    world.manifests.push(declared("lab2"));
    let told = told(&world.facts(), Part::Manifest);
    assert!(told.starts_with("blocked: "), "{told}");
    assert!(!told.contains("git -C"), "{told}");
    assert!(told.contains("--for-cluster"), "{told}");
}

#[test]
fn pods_that_may_run_with_an_account_are_told() {
    let mut world = whole();
    assert_eq!(
        told(&world.facts(), Part::Users).lines().next(),
        Some("to do: 1 pod runs as pds/pds: pds/pds-0")
    );
    world.pods[0]["status"]["phase"] = json!("Succeeded");
    assert!(told(&world.facts(), Part::Users).starts_with("done: no pod runs as pds/pds"));
    // An account that is not known may have pods.
    for principals in [json!(["*"]), json!("x"), Value::Null] {
        world.objects.policies[0]["spec"]["rules"][0]["from"][0]["source"]["principals"] =
            principals.clone();
        let told = told(&world.facts(), Part::Users);
        assert!(told.starts_with("not known: "), "{principals}: {told}");
    }
    let mut facts = whole().facts();
    facts.pods[0].pods = Read::Unknown(why());
    assert!(told(&facts, Part::Users).starts_with("not known: "));
    facts.pods.clear();
    assert!(told(&facts, Part::Users).starts_with("not known: "));
}

#[test]
fn the_facts_of_a_test_are_what_it_says() {
    let facts = whole().facts();
    let Read::Seen(all) = &facts.kustomizations else {
        panic!("they were read");
    };
    assert!(all.iter().all(|k| k.meta().malformed.is_empty()));
}

/// A team's own objects that name the database stay.
#[test]
fn what_is_not_the_onboardings_is_never_removed() {
    let mut world = gone();
    let app = json!({"chart": {"metadata": {"name": "pds-app", "version": "1.0.0"}}, "config": pair("pds", "database")});
    let app = secret(&release("pds-app", 1, "deployed", app));
    world.objects.secrets.push(app);
    let all: Vec<String> = steps(&world.facts())
        .iter()
        .flat_map(|step| &step.acts)
        .map(|act| format!("{act:?}"))
        .collect();
    assert!(all.iter().all(|act| !act.contains("uninstall")), "{all:?}");

    // One policy for two databases.
    let mut world = gone();
    world.objects.policies.push(policy(
        "team",
        "ALLOW",
        json!(["/pds_database", "/pds_orders/*"]),
    ));
    let told = told(&world.facts(), Part::Access);
    assert!(told.starts_with("to do: "), "{told}");
    assert!(
        told.contains("remove the paths of pds_database from"),
        "{told}"
    );
    assert!(!told.contains("kubectl delete"), "{told}");
}

/// A release that a HelmRelease still keeps is that one's, also where the name of the one that is gone is only assumed.
#[test]
fn the_release_of_a_live_helm_release_is_not_uninstalled() {
    let mut world = gone();
    world.certain = false;
    world.objects.secrets.push(own_release());
    world.objects.helm_releases.push(helm_release(|hr| {
        hr["spec"]["values"] = pair("pds", "database2");
    }));
    let told = told(&world.facts(), Part::Release);
    assert!(!told.contains("uninstall"), "{told}");
}

#[test]
fn a_suspended_helm_release_goes_on_before_its_kustomization_does() {
    let mut world = whole();
    world.pods.clear();
    world.manifests.clear();
    world.objects.helm_releases[1] = helm_release(|hr| hr["spec"]["suspend"] = json!(true));
    world.kustomizations = Some(vec![kustomization(|k| k["spec"]["suspend"] = json!(true))]);
    let resume = format!("kubectl skvs resume -n flux-system {NAME}");
    assert_eq!(next_command(&world.facts()), resume);
    // If the HelmRelease may exist, the Kustomization is not reconciled.
    let mut facts = whole().facts();
    facts.helm_releases = Listing::new(Vec::new(), Some(why()));
    facts.manifests = gone().facts().manifests;
    let told = told(&facts, Part::Kustomization);
    assert!(told.starts_with("not known: "), "{told}");
    assert!(!told.contains("flux reconcile"), "{told}");
}

#[test]
fn a_repository_of_several_clusters_needs_this_ones_name() {
    let mut facts = whole().facts();
    facts.manifests.as_mut().unwrap().several = true;
    let told = |facts: &Facts| told(facts, Part::Manifest);
    assert!(told(&facts).starts_with("blocked: "), "{}", told(&facts));
    assert!(!told(&facts).contains("git -C"), "{}", told(&facts));
    facts.manifests.as_mut().unwrap().cluster = Some("prod-east".to_owned());
    assert!(told(&facts).contains("git -C"), "{}", told(&facts));
    // Another cluster lists the file.
    let mut world = whole();
    let why = "gitops/k8s/lab2/kustomization.yaml applies it for lab2";
    world.manifests[0].by_hand = Some(why.to_owned());
    let told = told(&world.facts());
    assert!(!told.contains("git -C"), "{told}");
    assert!(
        told.contains(
            "change by hand only what this cluster applies: gitops/k8s/lab2/kustomization.yaml applies it for lab2"
        ),
        "{told}"
    );
}

#[test]
fn the_database_is_next_only_when_nothing_else_is_left() {
    let mut facts = whole().facts();
    // Pods run with its accounts.
    assert!(next(&steps(&facts)).is_none());
    facts.pods = gone().facts().pods;
    facts.manifests = None;
    let steps = steps(&facts);
    let next = next(&steps).map(|(part, _)| part);
    assert_ne!(next, Some(Part::Database));
    assert!(told(&facts, Part::Database).contains("--dry-run"));
}
