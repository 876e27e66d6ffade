//! A session that a proxy breaks, in either direction: what is listed is true, and what was not told is said not to be known.

use crate::delete_db::stage::Stage;
use crate::harness::{RunOutput, Skvs, skvs};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use testbed::Act::{self, Close, Delay, Fin, Garble, Rst};
use testbed::Direction::{ToClient, ToServer};
use testbed::Point::{self, Before, Byte, Frame, HalfFrame, Upgraded, Within};
use testbed::{ExecProxy, Sandbox, Strike, Which};

const NAMES: [&str; 3] = ["broken_a", "broken_b", "broken_c"];
const FIGURES: [&str; 3] = ["documents", "deletedDocuments", "bytes"];
const PAUSE: Act = Delay(Duration::from_millis(200));

/// A request is a frame to the server; each answer comes in some frames from it.
#[rustfmt::skip]
const POINTS: &[(Point, &[Act])] = &[
    (Upgraded, &[Close, Rst]),
    (Byte(ToServer, 1), &[Fin, Rst]),
    (Frame(ToServer, 0), &[Close, Rst, Garble, PAUSE]),
    (HalfFrame(ToServer, 0), &[Fin, Rst]),
    (Frame(ToServer, 1), &[Close, Rst, PAUSE]),
    (HalfFrame(ToServer, 1), &[Fin, Rst]),
    (Byte(ToClient, 1), &[Fin, Rst]),
    (Frame(ToClient, 1), &[Close, Rst, Garble, PAUSE]),
    (HalfFrame(ToClient, 1), &[Fin, Rst, Garble]),
    (Before("broken_a"), &[Close, Rst, Garble, PAUSE]),
    (Within("broken_a"), &[Close, Fin, Rst]),
    (Before("doc_count"), &[Close, Rst, Garble, PAUSE]),
    (Within("doc_count"), &[Fin, Rst]),
];

fn list(stage: &Stage, kubeconfig: &Path) -> RunOutput {
    let args = [
        "databases",
        "-o",
        "json",
        "--couchdb-namespace",
        stage.namespace,
    ];
    Skvs::with(kubeconfig, args.iter().chain(&NAMES)).run()
}

/// The databases of a list by their names.
fn items(stdout: &str) -> Vec<Value> {
    let list: Value = serde_json::from_str(stdout).expect("JSON");
    list["items"].as_array().expect("a list").clone()
}

#[test]
fn a_list_over_a_broken_session_is_true_or_says_what_it_lacks() {
    let stage = Stage::new("stage-broken");
    for (at, name) in NAMES.iter().enumerate() {
        stage
            .front
            .create_database(name, at + 1)
            .expect("a database");
    }
    let whole = items(&list(&stage, Sandbox::shared().kubeconfig()).ok());
    assert_eq!(whole.len(), NAMES.len());
    let mut ends = (0, 0, 0);
    for (at, acts) in POINTS {
        for act in *acts {
            let strike = Strike {
                exec: Which::Number(0),
                at: *at,
                act: *act,
            };
            let proxy = ExecProxy::start(Sandbox::shared(), strike).expect("a proxy");
            let said = list(&stage, proxy.kubeconfig());
            let what = format!("{at:?} {act:?}: {said:#?}");
            assert!(proxy.struck(), "{what}");
            if said.code != 0 {
                assert!(said.stdout.is_empty() && !said.stderr.is_empty(), "{what}");
                ends.0 += 1;
                continue;
            }
            let told = items(&said.stdout);
            assert_eq!(told.len(), whole.len(), "{what}");
            for (told, whole) in told.iter().zip(&whole) {
                assert_eq!(
                    told["metadata"]["name"], whole["metadata"]["name"],
                    "{what}"
                );
                if told["figuresNotRead"].is_string() {
                    assert!(FIGURES.iter().all(|f| told[f].is_null()), "{what}");
                    ends.1 += 1;
                } else {
                    assert!(FIGURES.iter().all(|f| told[f] == whole[f]), "{what}");
                    ends.2 += 1;
                }
            }
        }
    }
    let (failed, not_read, read) = ends;
    assert!(failed > 0 && not_read > 0 && read > 0, "{ends:?}");
    // Nothing of it has cost anything: the next one is whole.
    let again = skvs([
        "databases",
        "--couchdb-namespace",
        stage.namespace,
        NAMES[0],
    ])
    .run();
    assert!(again.ok().contains("broken_a"));
}
