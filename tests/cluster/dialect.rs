//! kubectl's dialect of `-o` and `--sort-by`: every recorded case against the real kubectl, on objects of a real API server.

use crate::harness::Skvs;
use crate::same_yaml::is_same_document;
use serde_json::Value;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use testbed::Sandbox;

const NAMESPACE: &str = "dialect";

#[test]
fn every_recorded_case_prints_what_kubectl_prints() {
    // The cluster of old versions has no controller that would write to the objects, and no deletion is tested on it.
    let cluster = Sandbox::shared().old_cluster();
    let objects: Vec<Value> =
        serde_json::from_str(include_str!("../fixtures/kubectl-dialect/objects.json")).unwrap();
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../fixtures/kubectl-dialect/cases.json")).unwrap();
    let first = objects[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let mut manifest =
        format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}}}\n");
    for mut object in objects {
        object["apiVersion"] = "helm.toolkit.fluxcd.io/v2beta2".into();
        object["metadata"]["namespace"] = NAMESPACE.into();
        manifest.push_str(&format!("---\n{object}\n"));
    }
    cluster.apply(&manifest).unwrap();

    let (next, differ) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(difference) = compare(case, &first) {
                        differ.lock().unwrap().push(difference);
                    }
                }
            });
        }
    });
    let differ = differ.into_inner().unwrap();
    assert!(
        differ.is_empty(),
        "{} of {} cases differ:\n{}",
        differ.len(),
        cases.len(),
        differ.join("\n")
    );
    assert!(cases.len() > 200, "{} cases", cases.len());
}

fn compare(case: &Value, first: &str) -> Option<String> {
    let cluster = Sandbox::shared().old_cluster();
    let mut words = vec![
        "-n".to_owned(),
        NAMESPACE.to_owned(),
        "-o".to_owned(),
        case["output"].as_str()?.to_owned(),
    ];
    if case["get"] == "one" {
        words.push(first.to_owned());
    }
    if let Some(by) = case["sortBy"].as_str() {
        words.push(format!("--sort-by={by}"));
    }
    if case["noHeaders"] == true {
        words.push("--no-headers".to_owned());
    }
    let ours = Skvs::with(
        cluster.kubeconfig(),
        [&["list".to_owned()], &words[..]].concat(),
    )
    .run();
    let theirs = cluster
        .kubectl(&[&["get".to_owned(), "helmreleases".to_owned()], &words[..]].concat())
        .expect("kubectl starts");
    let theirs_out = String::from_utf8_lossy(&theirs.stdout);
    let theirs_err = String::from_utf8_lossy(&theirs.stderr);
    let same = if theirs.status.success() {
        let is_alike = match case["output"].as_str() {
            Some("yaml") => is_same_document(&ours.stdout, &theirs_out),
            _ => ours.stdout == theirs_out,
        };
        ours.code == 0 && is_alike
    } else {
        let message = ours.stderr.lines().next().unwrap_or_default();
        let said = message.strip_prefix("error: ").unwrap_or(message);
        // kubectl puts words of its own before a template's error and a dump of the object behind it.
        // Ours is one line, in which nothing steers a terminal.
        let plain = theirs_err
            .replace("Error executing template: ", "")
            .replace('\n', "\\n")
            .replace('\t', " ");
        ours.code != 0 && !said.is_empty() && plain.contains(said)
    };
    (!same).then(|| {
        format!(
            "{case}\nours {}: {:?} {:?}\nkubectl: {theirs_out:?} {theirs_err:.300?}",
            ours.code, ours.stdout, ours.stderr
        )
    })
}
