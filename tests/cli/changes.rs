//! The places that may change something, or reach into a pod: clippy forbids all others, and this list makes a new one seen in review.

use crate::sources;

/// Every source of the program, tests apart: its name and text.
fn sources() -> impl Iterator<Item = (String, String)> {
    let program = |text: &str| {
        text.split("#[cfg(test)]\nmod tests {")
            .next()
            .map(str::to_owned)
    };
    let all = sources::sources().into_iter();
    all.map(move |(name, text)| (name, program(&text).unwrap_or_default()))
}

/// Every mark: its file and its reason.
fn marks() -> Vec<String> {
    let mut marks = Vec::new();
    for (name, text) in sources() {
        for part in text.split("clippy::disallowed_methods").skip(1) {
            let reason = part.split('"').nth(1).unwrap_or("no reason");
            marks.push(format!("{name}: {reason}"));
        }
    }
    marks.sort();
    marks
}

#[test]
fn only_a_credential_plugin_git_and_helm_are_run() {
    let runs = sources().filter(|(_, text)| text.contains("process::Command"));
    let runs: Vec<String> = runs.map(|(name, _)| name).collect();
    assert_eq!(
        runs,
        [
            "src/cluster/credentials/plugin.rs",
            "src/helm.rs",
            "src/repository/git.rs"
        ]
    );
}

#[test]
fn what_can_change_something_is_called_in_these_places_only() {
    insta::assert_snapshot!(marks().join("\n"), @r"
    src/change.rs: the change that was asked for
    src/cluster/event.rs: the one Event
    src/cluster/exec.rs: the one way into a pod
    src/cluster/exec/upgrade.rs: the upgrade of the one exec
    src/cluster/patch.rs: the one PATCH
    src/cluster/sent_once.rs: a change, sent once
    src/cluster/transport.rs: the one read: a GET, or the POST of a review
    src/cluster/transport/watch.rs: a watch's GET
    src/commands/delete_db/target.rs: the deletion of what was confirmed
    src/commands/delete_db/trace.rs: the trace of a deletion
    src/commands/delete_db/trace.rs: whether the trace could be written
    src/commands/restore.rs: the restore that was confirmed
    src/commands/retry/act.rs: the uninstall that was confirmed
    src/couchdb/backup/link.rs: a restore's writes
    src/couchdb/backup/link.rs: a restore's writes
    src/couchdb/delete/confirm.rs: the deletion of what was confirmed
    src/couchdb/delete/execute.rs: the one DELETE
    src/couchdb/delete/plan.rs: the deletion that was planned
    src/couchdb/session.rs: one session
    src/couchdb/transport.rs: one run of the script
    ");
}

/// The files of the program that hold this text.
fn users(of: &str) -> Vec<String> {
    let named = sources().filter(|(_, text)| text.contains(of));
    named.map(|(name, _)| name).collect()
}

#[test]
fn each_crate_for_the_terminal_has_its_place() {
    assert_eq!(users("comfy_table::"), ["src/render/table.rs"]);
    assert_eq!(
        users("dialoguer::"),
        ["src/ui/question.rs", "src/ui/terminal.rs"]
    );
    assert_eq!(users("colored::"), ["src/palette.rs"]);
    // What paints without it.
    assert_eq!(users("\\x1b[3"), Vec::<String>::new());
    assert_eq!(users("console::style"), Vec::<String>::new());
}

#[test]
fn the_ban_itself_stands() {
    let clippy = include_str!("../../clippy.toml");
    for banned in [
        "kube::Api::delete\"",
        "kube::Api::patch\"",
        "kube::Api::create\"",
        "kube::Api::exec\"",
        "kube::Client::send\"",
        "Cluster::exec\"",
        "Cluster::send_once\"",
        "Cluster::change_helm_release\"",
        "Helm::uninstall\"",
        "Plan::deletion\"",
        "Session::write\"",
        "Session::write_several\"",
    ] {
        assert!(clippy.contains(banned), "{banned}");
    }
}
