//! Which onboarding a name means.

use super::*;

fn told(server: &Listener, words: &[&str]) -> Told {
    run(server, &[&["offboard", "--no-exec"], words].concat()).run()
}

fn title(told: &Told) -> &str {
    told.stdout.lines().next().unwrap_or_default()
}

/// It may have the same values, and does not go with the onboarding.
#[test]
fn a_teams_own_helm_release_is_not_an_onboarding() {
    let mut own = helm_release("pds-app", "orders");
    own["metadata"]["labels"] = json!({});
    own["spec"]["chart"]["spec"]["chart"] = json!("podinfo");
    let server = having(json!([helm_release("a", "database"), own]));
    let of_app = told(&server, &["pds-app"]);
    assert_eq!((of_app.code, title(&of_app)), (Some(1), ""), "{of_app}");
    let of_a = told(&server, &["a"]);
    assert!(
        title(&of_a).contains("HelmRelease flux-system/a:"),
        "{of_a}"
    );
}

#[test]
fn one_of_another_namespace_is_found_by_its_name() {
    let mut elsewhere = helm_release("skvs-onboarding-pds--database", "database");
    elsewhere["metadata"]["namespace"] = json!("team");
    let told = told(&having(json!([elsewhere])), &["pds--database"]);
    assert!(
        title(&told).contains("HelmRelease team/skvs-onboarding-pds--database:"),
        "{told}"
    );
}

#[test]
fn the_convention_is_of_the_namespace_that_was_named() {
    let server = Listener::scripted(usual);
    let told = told(&server, &["pds_other", "-n", "team"]);
    assert!(
        title(&told).contains("by convention HelmRelease team/skvs-onboarding-pds--other:"),
        "{told}"
    );
}

#[test]
fn a_policy_says_whose_it_was_only_while_that_one_is_gone() {
    let of = |made_by: &'static str, words: &[&str]| {
        let server = except(move |path| match path {
            _ if path.contains("/authorizationpolicies?") => Some(policies(&json!([
                policy("one", "pds_one", made_by),
                policy("two", "pds_two", made_by),
            ]))),
            _ => None,
        });
        told(&server, words)
    };
    let gone = of("old", &["pds_one"]);
    assert!(
        title(&gone).starts_with("pds_one, HelmRelease flux-system/old:"),
        "{gone}"
    );
    // One that lives has a database of its own.
    let lives = of("skvs-onboarding-pds--orders", &["pds_one"]);
    assert!(
        title(&lives).starts_with("pds_one, by convention HelmRelease "),
        "{lives}"
    );
    let several = of("old", &["old"]);
    assert_eq!(several.code, Some(2), "{several}");
    assert!(
        several.stderr.contains("it may be one of pds_one, pds_two"),
        "{several}"
    );
}

/// What was installed says it, where the values are elsewhere.
#[test]
fn the_database_of_a_helm_release_is_that_of_its_policy() {
    let mut open = helm_release("a", "x");
    open["spec"]["values"] = json!(null);
    open["spec"]["valuesFrom"] = json!([{"kind": "ConfigMap", "name": "x"}]);
    let server = except(move |path| match path {
        _ if path.contains("/authorizationpolicies?") => {
            Some(policies(&json!([policy("one", "pds_one", "a")])))
        }
        _ if path.contains("/helmreleases?") => Some(list(
            "HelmReleaseList",
            "helm.toolkit.fluxcd.io/v2",
            &json!([open]),
        )),
        _ => None,
    });
    let told = told(&server, &["a"]);
    assert!(
        title(&told).starts_with("pds_one, HelmRelease flux-system/a:"),
        "{told}"
    );
}

#[test]
fn a_manifest_counts_only_for_its_own_cluster_and_alone() {
    let nothing = || having(json!([]));
    let words = ["pds--orders", "--repo", "gitops"];
    let found = told(&nothing(), &words);
    assert!(
        title(&found).starts_with("pds_orders, HelmRelease "),
        "{found}"
    );
    let server = nothing();
    let lab = [
        &["offboard", "--no-exec"],
        &words[..],
        &["--for-cluster", "lab"],
    ]
    .concat();
    let elsewhere = run(&server, &lab);
    elsewhere.file("gitops/infrastructure/k8s/lab/README.md", "x");
    let elsewhere = elsewhere.run();
    assert_eq!(
        (elsewhere.code, title(&elsewhere)),
        (Some(1), ""),
        "{elsewhere}"
    );

    let server = nothing();
    let run = run(&server, &[&["offboard", "--no-exec"], &words[..]].concat());
    let mut other: Value = serde_json::from_str(&manifest("orders")).unwrap();
    other["metadata"]["namespace"] = json!("team");
    run.file(&format!("{FOLDER}/again.yaml"), &other.to_string());
    let told = run.run();
    assert_eq!(told.code, Some(2), "{told}");
    assert!(told.stderr.contains("means 2 onboardings"), "{told}");
}

#[test]
fn what_was_not_looked_at_is_said_of_a_name_that_means_nothing() {
    let server = except(|path| {
        let all = path.contains("/helmreleases?") && !path.contains("/namespaces/");
        all.then(|| (403, status(403, "Forbidden", "no")))
    });
    let told = told(&server, &["pds--lost"]);
    assert_eq!(told.code, Some(1), "{told}");
    assert!(
        told.stderr
            .contains("hint: not every HelmRelease was read: "),
        "{told}"
    );
    // CouchDB is left alone.
    let asked = server.requests();
    let couchdb = asked
        .iter()
        .find(|r| r.contains("/namespaces/secure-kvs/pods"));
    assert_eq!(couchdb, None);
}
