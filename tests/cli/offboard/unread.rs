//! What the cluster does not say in full, and what is somebody else's.

use super::*;

/// A database that nothing is left of, as far as the usual server says.
const WORDS: [&str; 3] = ["offboard", "pds_other", "--no-exec"];

fn forbidden() -> (u16, String) {
    (403, status(403, "Forbidden", "no"))
}

fn told(server: &Listener) -> Told {
    skvs(&WORDS).server(&server.http()).run()
}

#[test]
fn helm_releases_that_were_not_read_may_be_it() {
    let server = Listener::scripted(usual);
    let usual_told = told(&server);
    assert_eq!(state(&usual_told, "HelmRelease"), "done", "{usual_told}");
    let elsewhere = except(|path| {
        let all = path.contains("/helmreleases?") && !path.contains("/namespaces/");
        all.then(forbidden)
    });
    let told_elsewhere = told(&elsewhere);
    assert_eq!(
        state(&told_elsewhere, "HelmRelease"),
        "not known",
        "{told_elsewhere}"
    );
    let mut odd = helm_release("odd", "x");
    odd["spec"] = json!("x");
    let unreadable = having(json!([
        helm_release("skvs-onboarding-pds--orders", "orders"),
        odd
    ]));
    let told = told(&unreadable);
    assert_eq!(state(&told, "HelmRelease"), "not known", "{told}");
}

/// Where no HelmReleases are served, nothing can be said of an onboarding.
#[test]
fn without_flux_there_is_no_plan() {
    let server = except(|path| {
        let of_flux = path.starts_with("/apis/helm.toolkit.fluxcd.io");
        let message = "the server could not find the requested resource";
        of_flux.then(|| (404, status(404, "NotFound", message)))
    });
    let told = told(&server);
    assert_eq!((told.code, told.stdout.as_str()), (Some(1), ""), "{told}");
}

#[test]
fn pods_that_may_not_be_listed_may_run() {
    let server = except(|path| path.contains("/namespaces/pds/pods?").then(forbidden));
    let words = ["offboard", "pds_database", "--no-exec"];
    let told = skvs(&words).server(&server.http()).run();
    assert_eq!(state(&told, "users"), "not known", "{told}");
    // Those of an account that only the HelmRelease names are read too.
    let server = except(|path| {
        let mut policy = policy("pds-database", "pds_database", "x");
        policy["spec"]["rules"][0]["from"][0]["source"]["principals"] =
            json!(["cluster.local/ns/ops/sa/batch"]);
        path.contains("/authorizationpolicies?")
            .then(|| policies(&json!([policy])))
    });
    let told = skvs(&words).server(&server.http()).run();
    assert_eq!(state(&told, "users"), "to do", "{told}");
    let flat: Vec<&str> = told.stdout.split_whitespace().collect();
    assert!(
        flat.join(" ")
            .contains("1 pod runs as ops/batch, pds/pds: pds/pds-0"),
        "{told}"
    );
}

#[test]
fn a_job_is_whose_its_labels_or_its_name_say() {
    let access = |releases: Value, job: &str, owner: Option<&str>| {
        let label = |key: &str| format!("helm.toolkit.fluxcd.io/{key}");
        let labels = match owner {
            Some("half/label") => json!({label("name"): "x"}),
            Some(owner) => json!({label("name"): owner, label("namespace"): "flux-system"}),
            None => json!({}),
        };
        let job = json!({"metadata": {"name": job, "namespace": "core", "labels": labels}});
        let server = except(move |path| match path {
            _ if path.contains("/jobs?") => Some(list(
                "PartialObjectMetadataList",
                "meta.k8s.io/v1",
                &json!([job]),
            )),
            _ if path.contains("/helmreleases?") => Some(list(
                "HelmReleaseList",
                "helm.toolkit.fluxcd.io/v2",
                &releases,
            )),
            _ => None,
        });
        let told = told(&server);
        (state(&told, "access").to_owned(), told.stdout)
    };
    let orders = || json!([helm_release("skvs-onboarding-pds--orders", "orders")]);
    for (job, owner, expected) in [
        ("pds-other-create", None, "to do"),
        (
            "securekvs-onboarding-pds-other-database-creation",
            None,
            "to do",
        ),
        ("pds-more-create", None, "done"),
        // Its HelmRelease is gone: one of another name, or the one of the convention.
        ("pds-other-create", Some("old"), "to do"),
        ("x", Some("skvs-onboarding-pds--other"), "to do"),
        // It lives.
        (
            "pds-other-create",
            Some("skvs-onboarding-pds--orders"),
            "done",
        ),
    ] {
        let (state, told) = access(orders(), job, owner);
        assert_eq!(state, expected, "{job} {owner:?}: {told}");
    }
    // Whose it is must be sure before a command deletes it.
    let deletes = |releases: Value, owner: Option<&str>| {
        let (_, told) = access(releases, "pds-other-create", owner);
        told.contains("kubectl delete")
    };
    assert!(deletes(orders(), None));
    assert!(!deletes(orders(), Some("old")));
    let mut open = helm_release("odd", "x");
    open["spec"]["values"] = json!(null);
    open["spec"]["valuesFrom"] = json!([{"kind": "ConfigMap", "name": "x"}]);
    assert!(!deletes(json!([open]), None));
    assert!(!deletes(
        json!([helm_release("x", "other-")]),
        Some("half/label")
    ));
    // One of the name of the convention that has another database.
    let name = "skvs-onboarding-pds--other";
    let (state, told) = access(json!([helm_release(name, "moved")]), "x", Some(name));
    assert_eq!(state, "done", "{told}");
}

/// The commands lead to the CouchDB that was asked.
#[test]
fn the_rehearsal_has_the_flags_of_couchdb() {
    let server = Listener::scripted(usual);
    let flags = ["--couchdb-namespace", "dbs", "--pod-selector", "app=x"];
    let more = ["--container", "db", "--port", "5985"];
    let words = [&WORDS[..], &flags, &more].concat();
    let told = skvs(&words).server(&server.http()).run();
    let flat: Vec<&str> = told.stdout.split_whitespace().collect();
    let command = "kubectl skvs delete-db pds_other --dry-run --couchdb-namespace dbs --pod-selector app=x --container db --port 5985";
    assert!(flat.join(" ").contains(command), "{told}");
}
