//! What belongs to somebody else, or to nobody any more.

use super::*;

const DELETES: &str = "delete-db pds_database --backup";

fn served() -> World {
    World {
        couchdb: whole().couchdb,
        ..gone()
    }
}

/// A HelmRelease that does not say its database itself.
fn quiet(name: &str) -> Value {
    onboarding(
        name,
        json!({"values": pair("pds", "other"), "targetNamespace": "core"}),
    )
}

fn stays_for(world: &World, who: &str) {
    let told = told(&world.facts(), Part::Database);
    assert!(
        told.starts_with(&format!("blocked: {who}")) && told.contains("so it stays"),
        "{told}"
    );
    assert!(!told.contains(DELETES), "{told}");
}

/// Its Job or its policy has the database, so it would be taken for what remains of the onboarding.
#[test]
fn a_teams_own_release_with_a_job_of_the_database_stays() {
    let mut world = served();
    let job = "kind: Job\nspec:\n  env:\n  - name: DB\n    value: pds_database\n";
    let app =
        json!({"chart": {"metadata": {"name": "pds-app", "version": "1.0.0"}}, "manifest": job});
    let app = secret(&release("pds-app", 1, "deployed", app));
    world.objects.secrets.push(app);
    let facts = world.facts();
    assert_eq!(states(&facts)[4], "blocked");
    let acts = steps(&facts).into_iter().flat_map(|step| step.acts);
    let acts: Vec<String> = acts.map(|act| format!("{act:?}")).collect();
    assert!(
        acts.iter().all(|act| !act.contains("uninstall")),
        "{acts:?}"
    );
    let words = facts.ownership.releases_of("pds_database").known;
    stays_for(&world, &words[0].words);
}

#[test]
fn an_object_of_the_database_uses_it() {
    let mut world = served();
    let object =
        json!({"metadata": {"name": "x", "namespace": "kvs"}, "spec": {"name": "pds_database"}});
    world.objects.database_objects = Some(vec![object]);
    stays_for(&world, "CouchDBDatabase kvs/x");
}

/// By what it has made, where its values do not say the database any more.
#[test]
fn a_live_helm_release_uses_what_its_release_and_its_policy_say() {
    let mut world = served();
    world.objects.helm_releases.push(quiet("rival"));
    let chart = json!({"metadata": {"name": "secure-kvs-onboarding", "version": "0.1.2"}});
    let more = json!({"chart": chart, "config": pair("pds", "database")});
    let stored = secret(&release("core-rival", 1, "deployed", more));
    world.objects.secrets.push(stored);
    assert_eq!(states(&world.facts())[4], "blocked");
    stays_for(&world, "HelmRelease flux-system/rival");

    let mut world = served();
    world.objects.helm_releases.push(quiet("rival"));
    let mut theirs = own_policy();
    theirs["metadata"]["labels"]["helm.toolkit.fluxcd.io/name"] = json!("rival");
    world.objects.policies.push(theirs);
    assert_eq!(states(&world.facts())[5], "done");
    stays_for(&world, "HelmRelease flux-system/rival");
}

#[test]
fn what_a_helm_release_that_is_gone_has_made_is_nobodys() {
    let mut world = served();
    let mut left = own_policy();
    left["metadata"]["labels"]["helm.toolkit.fluxcd.io/name"] = json!("old");
    world.objects.policies.push(left);
    let facts = world.facts();
    assert_eq!(states(&facts)[5..], ["to do", "blocked"]);
    let told = told(&facts, Part::Access);
    assert!(told.contains("kubectl delete -n secure-kvs"), "{told}");
    assert_eq!(facts.others(), [""; 0]);
}

/// A path that covers more may be for another team.
#[test]
fn a_policy_that_may_be_about_more_loses_only_its_paths() {
    for more in [json!("/pds_*"), json!("/pds_orders")] {
        let mut world = gone();
        let mut policy = own_policy();
        let rule = json!({"to": [{"operation": {"paths": [more]}}]});
        policy["spec"]["rules"].as_array_mut().unwrap().push(rule);
        world.objects.policies.push(policy);
        let told = told(&world.facts(), Part::Access);
        assert!(told.contains("remove the paths of pds_database"), "{told}");
        assert!(!told.contains("kubectl delete"), "{told}");
    }
}
