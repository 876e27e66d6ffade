//! stdout that closes early, and colour.

use crate::run::skvs;
use crate::server::{Listener, helm_releases, nobody};
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

/// More rows than a pipe and all buffers hold.
fn many() -> String {
    let items: Vec<_> = (0..5000)
        .map(|i| {
            serde_json::json!({
                "metadata": {"name": format!("skvs-onboarding-{i}--database"), "namespace": "flux-system"},
                "spec": {"values": {"namespace": "pds", "database": format!("d{i}")}},
            })
        })
        .collect();
    helm_releases(&items, "")
}

#[test]
fn a_reader_that_goes_ends_the_run_quietly() {
    let server = Listener::answering(200, &many());
    for words in [
        &["list"][..],
        &["list", "-o", "json"],
        &["list", "-o", "name"],
    ] {
        let mut run = skvs(words).server(&server.http());
        let mut child = run
            .command()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        reader.read_line(&mut line).unwrap();
        drop(reader);
        let mut stderr = String::new();
        let mut pipe = child.stderr.take().unwrap();
        pipe.read_to_string(&mut stderr).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{words:?}: {stderr}");
        assert_eq!(stderr, "", "{words:?}");
        assert!(!line.is_empty());
    }
}

#[test]
fn a_pipe_gets_no_colour() {
    for env in [("TERM", "xterm"), ("NO_COLOR", "1")] {
        let told = skvs(&["list"]).server(&nobody()).env(env.0, env.1).run();
        assert!(!told.stderr.contains('\u{1b}'), "{env:?}: {told}");
        let told = skvs(&["list", "--help"]).env(env.0, env.1).run();
        assert!(!told.stdout.contains('\u{1b}'), "{env:?}: {told}");
    }
}

#[test]
fn escape_sequences_of_the_cluster_do_not_pass() {
    let item = serde_json::json!({
        "metadata": {"name": "a\u{1b}[2J", "namespace": "flux-system"},
        "status": {"conditions": [{"type": "Ready", "status": "False", "reason": "x\u{1b}]0;t\u{7}", "message": "m\u{1b}[31m\rforged"}]},
    });
    let body = helm_releases(&[item], "");
    let server = Listener::answering(200, &body);
    for words in [
        &["list"][..],
        &["list", "-o", "name"],
        &["list", "-o", "wide"],
    ] {
        let told = skvs(words).server(&server.http()).run();
        assert_eq!(told.code, Some(0), "{told}");
        let steers = |c: char| c.is_control() && c != '\n';
        assert!(
            !told.stdout.contains(steers),
            "{words:?}: {:?}",
            told.stdout
        );
    }
}
