//! What a repository says of the manifest, and what it does not.

use super::*;

const LAB: &str = "gitops/infrastructure/k8s/lab/secure-kvs/secure-kvs-onboarding";

/// The run of a name beside these files.
fn told(server: &Listener, words: &[&str], files: &[(&str, &str)]) -> Told {
    let words = [&["offboard", "--no-exec", "--repo", "gitops"], words].concat();
    let run = run(server, &words);
    for (name, text) in files {
        run.file(name, text);
    }
    run.run()
}

/// Without line ends and indentation.
fn flat(told: &Told) -> String {
    told.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The state of the manifest's step, of an onboarding that neither the cluster nor the files have.
fn without(words: &[&str], files: &[(&str, &str)]) -> (String, Told) {
    let server = Listener::scripted(usual);
    let told = told(&server, &[&["pds_other"], words].concat(), files);
    (state(&told, "manifest").to_owned(), told)
}

#[test]
fn what_may_declare_it_keeps_it_from_being_done() {
    let kustomization = format!("{FOLDER}/kustomization.yaml");
    let listed = |more: &str| format!("resources:\n- pds_database.yaml\n- pds_orders.yaml\n{more}");
    let broken = format!("{FOLDER}/broken.yaml");
    let unparsed = "kind: HelmRelease\na: {";
    let (done, told) = without(&[], &[]);
    assert_eq!(done, "done", "{told}");
    for (file, text) in [
        (&*broken, unparsed.to_owned()),
        ("gitops/elsewhere/broken.yaml", unparsed.to_owned()),
        (&kustomization, listed("patches:\n- path: x.yaml\n")),
        (&kustomization, listed("replacements:\n- path: x.yaml\n")),
        (&kustomization, listed("helmCharts:\n- name: x\n")),
        (&kustomization, listed("generators:\n- x.yaml\n")),
        (&kustomization, listed("- https://example.com/x?ref=v1\n")),
        (&kustomization, listed("- gone.yaml\n")),
    ] {
        for words in [&[][..], &["--for-cluster", "prod"]] {
            let (state, told) = without(words, &[(file, &text)]);
            assert_eq!(state, "not known", "{file}: {text}: {words:?}: {told}");
        }
    }
    // What is of another cluster does not matter to this one.
    let of_lab = format!("{LAB}/broken.yaml");
    let (state, told) = without(&["--for-cluster", "prod"], &[(&of_lab, unparsed)]);
    assert_eq!(state, "done", "{told}");
}

#[test]
fn a_folder_with_a_kustomization_elsewhere_may_be_the_wrong_one() {
    let server = Listener::scripted(usual);
    let run = run(
        &server,
        &["offboard", "pds_other", "--no-exec", "--repo", "apps"],
    );
    run.file("apps/kustomization.yaml", "resources: []\n");
    let told = run.run();
    assert_eq!(state(&told, "manifest"), "not known", "{told}");
}

#[test]
fn a_manifest_of_no_known_cluster_may_be_for_this_one() {
    let loose = manifest("other");
    for words in [&[][..], &["--for-cluster", "prod"]] {
        let (state, told) = without(words, &[("gitops/loose/pds_other.yaml", &loose)]);
        assert_eq!(state, "to do", "{words:?}: {told}");
    }
}

#[test]
fn a_manifest_is_the_onboardings_by_its_database_or_its_name() {
    // The name is only that of the convention, and another database has it.
    let file = format!("{FOLDER}/pds_other.yaml");
    let moved = manifest("other").replace("\"database\":\"other\"", "\"database\":\"moved\"");
    let (state, told) = without(&[], &[(&file, &moved)]);
    assert_eq!(state, "done", "{told}");
    // The HelmRelease of this name is on the cluster.
    let server = Listener::scripted(usual);
    let file = format!("{FOLDER}/pds_database.yaml");
    let moved = manifest("database").replace("\"database\":\"database\"", "\"database\":\"moved\"");
    let told = self::told(&server, &["pds_database"], &[(&file, &moved)]);
    assert_eq!(super::state(&told, "manifest"), "to do", "{told}");
    // Without a namespace it is in that of the onboardings.
    let bare = manifest("database").replace("\"namespace\":\"flux-system\",", "");
    let told = self::told(&server, &["pds_database"], &[(&file, &bare)]);
    let flat: Vec<&str> = told.stdout.split_whitespace().collect();
    assert!(
        flat.join(" ")
            .contains("declares HelmRelease flux-system/skvs-onboarding-pds--database"),
        "{told}"
    );
}

#[test]
fn the_cluster_must_be_the_repositorys() {
    let server = Listener::scripted(usual);
    let of_lab = format!("{LAB}/pds_orders.yaml");
    let orders = manifest("orders");
    let files = [(&*of_lab, &*orders)];
    let words = ["pds_database", "--for-cluster", "nope"];
    let nope = told(&server, &words, &files);
    assert_eq!((nope.code, &*nope.stdout), (Some(2), ""), "{nope}");
    let said = "hint: clusters of the repository: lab, prod";
    assert!(nope.stderr.contains(said), "{nope}");
    let several = told(
        &server,
        &["pds_database", "--for-cluster", "lab,prod"],
        &files,
    );
    assert_eq!((several.code, &*several.stdout), (Some(2), ""), "{several}");
    // Its onboardings may all be gone by now.
    let other = "gitops/infrastructure/k8s/west/apps/x.yaml";
    let files = [(&*of_lab, &*orders), (other, "kind: ConfigMap\n")];
    let west = told(&server, &["pds_database", "--for-cluster", "west"], &files);
    assert_ne!(west.stdout, "", "{west}");
}

#[test]
fn a_repository_of_several_clusters_is_asked_which_this_one_is() {
    let server = Listener::scripted(usual);
    let of_lab = format!("{LAB}/pds_orders.yaml");
    let orders = manifest("orders");
    let files = [(&*of_lab, &*orders)];
    let all = told(&server, &["pds_database"], &files);
    assert_eq!(state(&all, "manifest"), "blocked", "{all}");
    assert!(!all.stdout.contains("git -C"), "{all}");
    let words = ["pds_database", "--for-cluster", "prod"];
    let prod = told(&server, &words, &files);
    assert_eq!(state(&prod, "manifest"), "to do", "{prod}");
    assert!(prod.stdout.contains("git -C"), "{prod}");
    // Another cluster's kustomization lists the same file.
    let of_lab = format!("{LAB}/kustomization.yaml");
    let lists = "resources:\n- ../../../prod/secure-kvs/secure-kvs-onboarding/pds_database.yaml\n- x.yaml\n";
    let shared = told(&server, &words, &[(&of_lab, lists)]);
    assert!(!shared.stdout.contains("git -C"), "{shared}");
    assert!(
        !shared.stdout.contains("--- a/infrastructure/k8s/lab"),
        "{shared}"
    );
    assert!(!shared.stdout.contains("--- a/"), "{shared}");
    let flat: Vec<&str> = shared.stdout.split_whitespace().collect();
    let by_hand = "by hand only what this cluster applies: gitops/infrastructure/k8s/lab/secure-kvs/secure-kvs-onboarding/kustomization.yaml applies it for lab";
    assert!(flat.join(" ").contains(by_hand), "{shared}");
}

/// A file that several clusters share is left to the user.
#[test]
fn a_file_that_another_cluster_may_apply_is_not_removed_by_a_command() {
    let server = Listener::scripted(usual);
    let shared = "gitops/shared/pds_other.yaml";
    let other = manifest("other");
    let list = |path: &str| format!("resources:\n- {path}\n- x.yaml\n");
    let above = |cluster: &str| format!("gitops/infrastructure/k8s/{cluster}/kustomization.yaml");
    let (lab, prod) = (above("lab"), above("prod"));
    let (to_shared, to_prod) = (
        list("../../../shared/pds_other.yaml"),
        list("../prod/secure-kvs/secure-kvs-onboarding"),
    );
    for (files, cluster) in [
        // Both list the file.
        (
            vec![
                (shared, &*other),
                (&*lab, &*to_shared),
                (&*prod, &*to_shared),
            ],
            "lab",
        ),
        // Nobody does, and both may by a Flux Kustomization.
        (vec![(shared, &*other), (&*lab, "resources: []\n")], "prod"),
    ] {
        let words = ["pds_other", "--for-cluster", cluster];
        let told = told(&server, &words, &files);
        assert_eq!(state(&told, "manifest"), "to do", "{told}");
        assert!(flat(&told).contains("change by hand only"), "{told}");
        assert!(!told.stdout.contains("git -C"), "{told}");
        assert!(!told.stdout.contains("--- a/"), "{told}");
    }
    // The folder of one cluster, which another one applies as a whole.
    let own = [(&*lab, &*to_prod)];
    for cluster in ["prod", "lab"] {
        let words = ["pds_database", "--for-cluster", cluster];
        let told = told(&server, &words, &own);
        assert_eq!(state(&told, "manifest"), "to do", "{cluster}: {told}");
        assert!(
            flat(&told).contains("change by hand only"),
            "{cluster}: {told}"
        );
        assert!(!told.stdout.contains("--- a/"), "{cluster}: {told}");
    }
    // Nothing is left to change for this cluster, but Flux may apply the folder by another way.
    let of_prod = list("../../../shared/pds_other.yaml").replace("- x.yaml\n", "");
    let of_lab = format!("{LAB}/kustomization.yaml");
    let files = [
        (shared, &*other),
        (&*prod, &*of_prod),
        (&*of_lab, "resources: []\n"),
    ];
    let look = |words: &[&str], files: &[(&str, &str)]| told(&server, words, files);
    let told = look(&["pds_other", "--for-cluster", "lab"], &files);
    assert_eq!(state(&told, "manifest"), "not known", "{told}");
    let said = "shared/pds_other.yaml declares it, and only gitops/infrastructure/k8s/prod/kustomization.yaml is known to list it";
    assert!(flat(&told).contains(said), "{told}");
    // The same by way of a base.
    let (base, of_base) = (
        "gitops/shared/kustomization.yaml",
        "resources:\n- pds_other.yaml\n",
    );
    let to_base = "resources:\n- ../../../shared\n";
    let files = [
        (shared, &*other),
        (base, of_base),
        (&*prod, to_base),
        (&*of_lab, "resources: []\n"),
    ];
    let told = look(&["pds_other", "--for-cluster", "lab"], &files);
    assert_eq!(state(&told, "manifest"), "not known", "{told}");
    assert!(flat(&told).contains(said), "{told}");
}

/// Values that Flux replaces or decrypts may be it.
#[test]
fn an_unrecognised_manifest_of_replaced_values_may_be_it() {
    for (namespace, database, expected) in [
        ("pds", "other", "not known"),
        ("${ns}", "other", "not known"),
        ("pds", "ENC[AES256]", "not known"),
        ("${ns}", "orders", "done"),
        ("ops", "ENC[AES256]", "done"),
    ] {
        let text = format!(
            "kind: HelmRelease\nmetadata: {{name: app, namespace: flux-system}}\nspec:\n  chart: {{spec: {{chart: podinfo}}}}\n  values: {{namespace: \"{namespace}\", database: \"{database}\"}}\n"
        );
        let of = |cluster: &str| format!("gitops/infrastructure/k8s/{cluster}/apps/app.yaml");
        let words = ["--for-cluster", "prod"];
        let (state, told) = without(&words, &[(&of("prod"), &text)]);
        assert_eq!(state, expected, "{namespace} {database}: {told}");
        // One of another cluster is not.
        let (state, told) = without(&words, &[(&of("lab"), &text)]);
        assert_eq!(state, "done", "{told}");
    }
}
