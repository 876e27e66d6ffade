//! `retry` on real HelmReleases: the user's own helm removes what failed, and a real helm-controller installs.

use crate::harness::{RunOutput, at_once, helm_release, kubectl, patch_helm_release, skvs};
use crate::troubleshoot::{failed_onboarding, mend, onboarding};
use serde_json::{Value, json};
use testbed::Sandbox;

/// The plugin with helm on its PATH, confirmed.
fn retry(name: &str, more: &[&str]) -> crate::harness::Skvs {
    let sandbox = Sandbox::shared();
    let context = kubectl(&["config", "current-context"]);
    let own = ["retry", name, "--context", context.trim()];
    let helm = sandbox.bin("helm");
    let folder = helm.parent().expect("a folder").display().to_string();
    skvs([&own[..], more].concat()).env("PATH", &format!("{folder}:/usr/bin:/bin"))
}

fn confirmed(name: &str, more: &[&str]) -> RunOutput {
    retry(name, &[&["--confirm", name], more].concat()).run()
}

/// What Helm stores of the release: the Secrets with their versions.
fn stored(release: &str) -> Vec<String> {
    let selector = format!("owner=helm,name={release}");
    let all = kubectl(&[
        "get",
        "secrets",
        "-n",
        "flux-system",
        "-l",
        &selector,
        "-o",
        "json",
    ]);
    let all: Value = serde_json::from_str(&all).expect("JSON");
    let items = all["items"].as_array().expect("a list").iter();
    let id = |s: &Value| {
        format!(
            "{} {}",
            s["metadata"]["name"], s["metadata"]["resourceVersion"]
        )
    };
    items.map(id).collect()
}

/// The annotations that ask Flux for something.
fn asked(name: &str) -> Vec<String> {
    let object = helm_release(name);
    let all = object["metadata"]["annotations"].as_object();
    let all = all.into_iter().flatten().map(|(key, _)| key.clone());
    all.filter(|key| key.starts_with("reconcile.fluxcd.io/"))
        .collect()
}

#[test]
fn a_failed_installation_is_removed_and_installed_again() {
    let (_temporary, name) = failed_onboarding("zulu-again");
    let release = format!("zulu-again-{name}");
    let before = stored(&release);
    assert_eq!(before.len(), 1, "{before:?}");

    // The cause is still there.
    let why = confirmed(&name, &[]).failed(4);
    assert!(why.contains("[SKVS101]"), "{why}");
    assert!(why.contains("--even-if SKVS101"), "{why}");
    assert_eq!((stored(&release), asked(&name)), (before, vec![]));
    // The cause is excused, and a retry is allowed.
    let words = ["--even-if", "SKVS101", "--wait", "--timeout", "3m"];
    let said = confirmed(&name, &words);
    assert_eq!(said.code, 3, "{}\n{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("error[SKVS101]"), "{}", said.stdout);
    let before = (stored(&release), asked(&name));

    mend("zulu-again");
    let said = retry(&name, &["--dry-run"]).run();
    assert!(
        said.stderr.contains("/helm uninstall -n flux-system"),
        "{}",
        said.stderr
    );
    assert!(said.ok().ends_with(" retried (server dry run)\n"));
    // No terminal, another name, and no helm.
    let why = retry(&name, &[]).run().failed(4);
    assert!(
        why.contains("without a terminal nobody can be asked"),
        "{why}"
    );
    let why = retry(&name, &["--confirm", "another"]).run().failed(4);
    assert!(why.contains("the HelmRelease is"), "{why}");
    let without = retry(&name, &["--confirm", &name]).env("PATH", "/nowhere");
    let said = without.run();
    assert!(
        said.stdout
            .starts_with("helm uninstall -n flux-system zulu-again-"),
        "{}",
        said.stdout
    );
    assert!(
        said.failed(1)
            .contains("helm was not found on PATH: nothing was changed")
    );
    assert_eq!((stored(&release), asked(&name)), before);

    // A variable of helm's own does not lead it elsewhere.
    let words = ["--confirm", &name, "--wait", "--timeout", "3m"];
    let elsewhere = retry(&name, &words).env("HELM_KUBEAPISERVER", "https://127.0.0.1:1");
    let said = elsewhere.run();
    assert_eq!(said.code, 0, "{}\n{}", said.stdout, said.stderr);
    assert!(said.stderr.contains("uninstalled"), "{}", said.stderr);
    assert!(said.stdout.contains("nothing found"), "{}", said.stdout);
    assert!(Sandbox::shared().couchdb().exists("zulu-again_data"));
    assert_eq!(stored(&release).len(), 1);
    let fields = helm_release(&name)["metadata"]["managedFields"].clone();
    let fields = fields.as_array().expect("a list").iter();
    let mut setters = fields.filter(|f| f.to_string().contains("f:reconcile.fluxcd.io/resetAt"));
    let setter = setters.next().map(|f| f["manager"].clone());
    assert_eq!((setter, setters.next()), (Some(json!("flux")), None));

    let why = confirmed(&name, &[]).failed(4);
    assert!(why.contains("is Ready; nothing was changed"), "{why}");
}

#[test]
fn one_that_was_ever_deployed_is_refused_and_left_as_it_is() {
    let (_temporary, name) = onboarding("zulu-deployed", "core");
    let waited = skvs(["troubleshoot", &name, "--wait", "--timeout", "3m"]).run();
    waited.ok();
    let release = format!("core-{name}");
    // An upgrade that fails: the chart refuses the values.
    patch_helm_release(
        &name,
        &json!({"spec": {"values": {"serviceAccounts": "none"}}}),
    );
    testbed::wait("a failure", std::time::Duration::from_secs(120), || {
        let object = helm_release(&name);
        let all = object["status"]["conditions"].as_array()?;
        let is_failed = |c: &&Value| c["type"] == "Ready" && c["status"] == "False";
        all.iter().find(is_failed).map(|_| ())
    })
    .expect("it fails");
    let before = (stored(&release), asked(&name));
    let codes = skvs(["troubleshoot", &name, "-o", "json"]).run();
    let report: Value = serde_json::from_str(&codes.stdout).expect("JSON");
    let findings = report["onboardings"][0]["findings"]
        .as_array()
        .expect("a list")
        .iter();
    let codes: Vec<&str> = findings.filter_map(|f| f["code"].as_str()).collect();
    let excuses: Vec<&str> = codes.iter().flat_map(|code| ["--even-if", code]).collect();
    for more in [&[][..], &excuses] {
        let why = confirmed(&name, more).failed(4);
        assert!(why.contains("revision 1 is "), "{why}");
        assert!(
            why.contains("a release that was ever deployed is not removed"),
            "{why}"
        );
    }
    assert_eq!((stored(&release), asked(&name)), before);
}

#[test]
fn of_two_at_once_one_is_taken() {
    let (_temporary, name) = failed_onboarding("zulu-both");
    mend("zulu-both");
    let ended = at_once((0..2).map(|_| retry(&name, &["--confirm", &name])));
    let well = ended.iter().filter(|said| said.code == 0).count();
    assert!(well <= 1, "{ended:?}");
    // Whatever the result of the first, another one leads to Ready.
    if well == 0 {
        confirmed(&name, &[]).ok();
    }
    let said = skvs(["troubleshoot", &name, "--wait", "--timeout", "3m"]).run();
    assert!(said.ok().contains("nothing found"));
    assert!(Sandbox::shared().couchdb().exists("zulu-both_data"));
}
