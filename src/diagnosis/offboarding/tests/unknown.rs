//! What was read in part, is malformed or may be the onboarding's: it is neither done nor passed over.

use super::*;

fn said(facts: &Facts, part: Part) -> Vec<String> {
    let all = steps(facts);
    all.into_iter().find(|s| s.part == part).unwrap().says
}

fn tells_of_others(says: &[String]) -> bool {
    let others = "there may be others: no answer";
    says.iter().any(|says| says == others)
}

fn labelled(key: &'static str, value: &'static str) -> World {
    let mut world = whole();
    world.manifests.clear();
    world.objects.helm_releases[1] = helm_release(|hr| {
        hr["metadata"]["labels"][key] = json!(value);
    });
    world
}

#[test]
fn what_may_not_be_all_is_told_where_something_is_there() {
    let mut facts = whole().facts();
    facts.jobs = Listing::new(facts.jobs.known().to_vec(), Some(why()));
    let manifests = facts.manifests.as_mut().unwrap();
    manifests.found = Listing::new(manifests.found.known().to_vec(), Some(why()));
    for part in [Part::Access, Part::Manifest] {
        assert!(tells_of_others(&said(&facts, part)), "{part:?}");
    }
    // Only a part of the policies and of Helm's storage was read.
    let mut parts = whole().objects.parts();
    parts.policies = parts.policies.lacking(unread());
    parts.config_maps = Unread::unread(unread());
    facts.jobs = Listing::whole(Vec::new());
    facts.ownership = Ownership::new(parts);
    for part in [Part::Users, Part::Release, Part::Access] {
        let says = said(&facts, part);
        let others = |says: &String| says.starts_with("there may be others: ");
        assert!(says.iter().any(others), "{part:?}: {says:?}");
    }
    // Without a pod of the accounts that are known.
    facts.pods[0].pods = Read::Seen(Vec::new());
    let told = told(&facts, Part::Users);
    assert!(
        told.starts_with("not known: whether a pod runs as pds/pds is not known: "),
        "{told}"
    );
}

#[test]
fn an_inventory_that_cannot_be_read_may_hold_it() {
    let odd = || {
        kustomization(|k| {
            k["metadata"]["name"] = json!("odd");
            k["status"]["inventory"] = json!("x");
        })
    };
    let mut world = gone();
    world.kustomizations.as_mut().unwrap().push(odd());
    let told = told(&world.facts(), Part::Kustomization);
    assert_eq!(
        told,
        "not known: whether a Kustomization holds the HelmRelease is not known: status.inventory of Kustomization flux-system/odd cannot be read"
    );
    // Beside one that holds it.
    let mut world = whole();
    world.kustomizations.as_mut().unwrap().push(odd());
    let says = said(&world.facts(), Part::Kustomization);
    assert!(
        says.iter().any(|s| s.starts_with("there may be others: ")),
        "{says:?}"
    );
}

#[test]
fn a_kustomization_that_cannot_be_judged_removes_nothing_for_sure() {
    let of = |change: fn(&mut Value)| {
        let mut world = whole();
        world.manifests.clear();
        world.kustomizations = Some(vec![kustomization(change)]);
        let facts = world.facts();
        (
            told(&facts, Part::Kustomization),
            told(&facts, Part::HelmRelease),
        )
    };
    let (kustomization, helm_release) = of(|k| k["spec"]["suspend"] = json!("yes"));
    assert!(
        kustomization.starts_with("not known: whether Kustomization flux-system/apps removes what"),
        "{kustomization}"
    );
    assert_eq!(
        helm_release,
        format!("blocked: HelmRelease flux-system/{NAME} exists and waits for the Kustomization")
    );
    let (kustomization, _) = of(|k| k["spec"]["kubeConfig"] = json!("x"));
    assert!(
        kustomization.starts_with("not known: Kustomization flux-system/apps may apply"),
        "{kustomization}"
    );
    // One of the same name elsewhere is not the one that its labels name.
    let (kustomization, _) = of(|k| {
        k["metadata"]["namespace"] = json!("team");
        k["status"]["inventory"]["entries"] = json!([]);
    });
    assert!(
        kustomization.starts_with("not known: whether a Kustomization holds the HelmRelease"),
        "{kustomization}"
    );
    // Once it is gone, there is nothing to prune.
    let mut world = gone();
    world.kustomizations = Some(vec![super::kustomization(|k| {
        k["spec"]["prune"] = json!(false);
    })]);
    assert_eq!(states(&world.facts())[2], "to do");
}

#[test]
fn only_what_flux_takes_for_no_keeps_the_helm_release() {
    let prune = "kustomize.toolkit.fluxcd.io/prune";
    let state = |world: &World| states(&world.facts())[2];
    assert_eq!(state(&labelled(prune, "disabled")), "blocked");
    assert_eq!(state(&labelled(prune, "enabled")), "to do");
    let mut world = whole();
    world.manifests.clear();
    for (value, expected) in [("disabled", "blocked"), ("enabled", "to do")] {
        world.objects.helm_releases[1] = helm_release(|hr| {
            hr["metadata"]["annotations"] = json!({prune: value});
        });
        assert_eq!(state(&world), expected, "{value}");
    }
}

/// Where the name is only that of the convention.
#[test]
fn a_helm_release_of_an_unknown_database_may_be_it() {
    let mut world = World {
        certain: false,
        ..gone()
    };
    let open = json!({"valuesFrom": [{"kind": "ConfigMap", "name": "x"}]});
    world.objects.helm_releases.push(onboarding("odd", open));
    assert_eq!(
        told(&world.facts(), Part::HelmRelease),
        "not known: whether it exists is not known: which database HelmRelease flux-system/odd has is not known"
    );
    // One of that name that has another database is not it, and neither is what applies it.
    world.objects.helm_releases[1] = helm_release(|hr| {
        hr["spec"]["values"] = pair("pds", "database2");
    });
    world.kustomizations = whole().kustomizations;
    assert_eq!(states(&world.facts())[2..4], ["done", "done"]);
}

#[test]
fn accounts_that_the_helm_release_names_may_have_pods() {
    let mut world = whole();
    world.objects.policies[0]["spec"]["rules"][0]["from"][0]["source"]["principals"] =
        json!(["cluster.local/ns/pds/sa/batch"]);
    let told = told(&world.facts(), Part::Users);
    assert!(
        told.starts_with("to do: 1 pod runs as pds/batch, pds/pds: pds/pds-0"),
        "{told}"
    );
}

#[test]
fn one_that_is_deleted_while_suspended_must_go_on() {
    let deleted = |change: fn(&mut Value)| {
        let mut world = whole();
        world.pods.clear();
        world.objects.helm_releases[1] = helm_release(|hr| {
            hr["metadata"]["deletionTimestamp"] = json!("2026-11-28T12:00:00Z");
            change(hr);
        });
        world.facts()
    };
    let facts = deleted(|hr| hr["spec"]["suspend"] = json!(true));
    assert_eq!(states(&facts)[1..4], ["to do", "blocked", "to do"]);
    assert_eq!(
        told(&facts, Part::HelmRelease),
        format!(
            "to do: HelmRelease flux-system/{NAME} was deleted at 2026-11-28T12:00:00Z while it is suspended: Flux leaves its release and the policy\nkubectl skvs resume -n flux-system {NAME}"
        )
    );
    // What Flux says of the release alone.
    let facts = deleted(|hr| {
        hr["status"] = json!({"conditions": [{"type": "Released", "status": "False", "reason": "UninstallFailed", "message": "no way"}]});
    });
    let told = told(&facts, Part::HelmRelease);
    assert!(
        told.contains("cannot uninstall its release: no way"),
        "{told}"
    );
}

#[test]
fn what_is_on_another_cluster_is_said_and_not_deleted_here() {
    let mut world = whole();
    world.pods.clear();
    world.manifests.clear();
    world.objects.helm_releases[1] = helm_release(|hr| {
        hr["spec"]["kubeConfig"] = json!({"secretRef": {"name": "x"}});
    });
    let facts = world.facts();
    let says = said(&facts, Part::HelmRelease);
    assert!(
        says.last()
            .is_some_and(|says| says.ends_with("look there for what remains")),
        "{says:?}"
    );
    assert_eq!(
        told(&facts, Part::Database),
        format!(
            "not known: HelmRelease flux-system/{NAME} makes it on another cluster, which was not read"
        )
    );
}

#[test]
fn a_release_is_uninstalled_as_helm_finds_it() {
    let mut world = gone();
    let stored = own_release();
    let mut bare = stored.clone();
    bare["metadata"]["labels"] = json!({});
    world.objects.secrets.push(bare);
    let lines = told(&world.facts(), Part::Release);
    let lines: Vec<&str> = lines.lines().skip(1).collect();
    assert!(
        lines[1].starts_with("kubectl label secret -n flux-system "),
        "{lines:?}"
    );
    assert_eq!(
        lines[2],
        format!("helm uninstall -n flux-system core-{NAME}")
    );
    // helm reads Secrets unless HELM_DRIVER names another storage.
    let chart = json!({"metadata": {"name": "secure-kvs-onboarding", "version": "0.1.2"}});
    let more = json!({"chart": chart, "config": pair("pds", "database")});
    let stored = release(&format!("core-{NAME}"), 1, "deployed", more);
    world.objects.secrets.clear();
    world.objects.config_maps.push(config_map(&stored));
    let lines = told(&world.facts(), Part::Release);
    assert!(lines.contains("with HELM_DRIVER=configmap set"), "{lines}");
    assert!(!lines.contains("\nhelm uninstall"), "{lines}");
}

#[test]
fn a_history_that_is_kept_and_an_unserved_database_are_no_agreement() {
    let mut world = gone();
    world.couchdb = whole().couchdb;
    let chart = json!({"metadata": {"name": "secure-kvs-onboarding", "version": "0.1.2"}});
    let more = json!({"chart": chart, "config": pair("pds", "database")});
    let kept = release(&format!("core-{NAME}"), 1, "uninstalled", more);
    world.objects.secrets.push(secret(&kept));
    let told = told(&world.facts(), Part::Database);
    assert!(told.starts_with("to do: "), "{told}");
    assert!(told.contains("its history is kept"), "{told}");
    assert!(
        told.ends_with("\nkubectl skvs delete-db pds_database --dry-run"),
        "{told}"
    );
    world.couchdb = Read::Seen(Found::Unserved("500".to_owned()));
    let told = super::told(&world.facts(), Part::Database);
    assert!(
        told.starts_with("blocked: CouchDB has pds_database and cannot serve it: 500"),
        "{told}"
    );
}

#[test]
fn a_database_that_waits_says_what_else_may_claim_it() {
    let mut world = whole();
    let open = json!({"valuesFrom": [{"kind": "ConfigMap", "name": "x"}]});
    world.objects.helm_releases.push(onboarding("odd", open));
    let told = told(&world.facts(), Part::Database);
    assert!(
        told.starts_with("blocked: waits for the users; ") && told.contains("odd"),
        "{told}"
    );
    let mut facts = whole().facts();
    let mut parts = whole().objects.parts();
    parts.database_objects = Unread::unread(unread());
    facts.ownership = Ownership::new(parts);
    let told = super::told(&facts, Part::Database);
    assert!(
        told.starts_with("blocked: waits for the users; ") && told.contains("forbidden"),
        "{told}"
    );
}

#[test]
fn a_manifest_that_does_not_go_as_a_whole_is_told() {
    let acts = |change: fn(&mut Removal)| {
        let mut world = whole();
        change(&mut world.manifests[0].removal);
        told(&world.facts(), Part::Manifest)
    };
    let last = acts(|removal| removal.lists[0].is_last = true);
    assert!(
        last.contains("since Flux removes nothing while the build fails"),
        "{last}"
    );
    // The entry stays while the file does.
    let shared = acts(|removal| removal.whole_file = Err("which holds others too"));
    assert!(
        shared.contains("(remove this document from gitops/k8s/prod-east/pds_database.yaml"),
        "{shared}"
    );
    assert!(!shared.contains("(edit)"), "{shared}");
    let unlisted = acts(|removal| {
        removal.lists.clear();
        removal.unlisted = true;
    });
    assert!(
        unlisted.contains("(no kustomization.yaml that was read lists it)"),
        "{unlisted}"
    );
}

#[test]
fn whoever_is_let_in_to_every_database_may_use_it() {
    let with = |namespace: &str, spec: Value| {
        let mut world = gone();
        let policy = json!({"metadata": {"namespace": namespace, "name": "open"}, "spec": spec});
        world.objects.policies.push(policy);
        let facts = world.facts();
        (states(&facts)[0], said(&facts, Part::Access).join("; "))
    };
    let anybody = json!({"rules": [{}]});
    for namespace in ["secure-kvs", "istio-system"] {
        let (users, access) = with(namespace, anybody.clone());
        assert_eq!(users, "not known", "{namespace}");
        assert!(
            access.contains("open lets pods in to every database"),
            "{access}"
        );
    }
    assert_eq!(with("elsewhere", anybody).0, "done");
    // One for some pods may be for CouchDB's.
    let of_pods = json!({"selector": {"matchLabels": {"app": "x"}}, "rules": [{}]});
    assert_eq!(with("secure-kvs", of_pods).0, "not known");
    // One for a port or for one account is mentioned.
    let narrow = json!({"rules": [{"to": [{"operation": {"ports": ["9100"]}}]}]});
    let (users, access) = with("secure-kvs", narrow);
    assert_eq!(users, "done");
    assert!(
        access.contains("open may let pods in to every database"),
        "{access}"
    );
    let one =
        json!({"rules": [{"from": [{"source": {"principals": ["cluster.local/ns/a/sa/a"]}}]}]});
    assert_eq!(with("secure-kvs", one).0, "done");
}
