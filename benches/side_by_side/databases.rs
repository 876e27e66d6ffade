//! A thousand databases and their onboardings, beside the exec and the curl that a person would type.
//!
//! The peer only reads CouchDB; ours reads the HelmReleases and Helm's Secrets too, and joins them.

use super::{Bench, OURS, onboarding, text};
use serde_json::Value;
use testbed::{Options, Sandbox};

/// How the titles of the rows begin.
pub(crate) const ROWS: [&str; 3] = ["databases", "backup", "restore"];

const MANY: usize = 1_000;

/// The names, then the figures of a hundred at a time, all in one exec.
const BY_HAND: &str = r#"ask() { curl -s -u "$COUCHDB_USER:$COUCHDB_PASSWORD" "$@"; }
ask "$0/_all_dbs" | tr -d '[]"\n' | tr , '\n' | xargs -n 100 | while read -r names; do
  keys=$(printf '"%s",' $names)
  ask -H 'Content-Type: application/json' -d "{\"keys\":[${keys%,}]}" "$0/_dbs_info"
done"#;

const POD: &str = "db-agora-kvs-secure-kvs-agora-couchdb-0";
const SAVED: &str = "bench_saved";
const DOCUMENTS: usize = 20_000;

/// All documents in one answer.
const DUMP: &str = r#"curl -s -u "$COUCHDB_USER:$COUCHDB_PASSWORD" "$0/bench_saved/_all_docs?include_docs=true&attachments=true""#;

/// The same number of documents, a thousand at once.
const LOAD: &str = r#"n=0
while [ "$n" -lt 20 ]; do
  i=0; docs=
  while [ "$i" -lt 1000 ]; do docs="$docs,{\"_id\":\"by-hand-$n-$i\",\"_rev\":\"1-a\"}"; i=$((i + 1)); done
  printf '{"new_edits":false,"docs":[%s]}' "${docs#,}" |
    curl -s -u "$COUCHDB_USER:$COUCHDB_PASSWORD" -H 'Content-Type: application/json' --data-binary @- "$0/bench_saved/_bulk_docs"
  n=$((n + 1))
done"#;

/// Starts a sandbox with CouchDB, fills it and runs both.
pub(crate) fn run(only: &str) {
    let sandbox = Sandbox::start(&Options::unseeded()).expect("the sandbox starts");
    seed(&sandbox);
    let bench = Bench::new(sandbox.kubeconfig(), only);
    let kubectl = sandbox.bin("kubectl");
    let server = format!("http://127.0.0.1:{}", sandbox.couchdb().port());
    let peer = [
        text(&kubectl),
        "exec",
        "-n",
        "secure-kvs",
        POD,
        "-c",
        "couchdb",
        "--",
        "sh",
        "-c",
        BY_HAND,
        &server,
    ];
    for (version, title) in [
        ("3.2.2", "databases, 1,000 in CouchDB 3.2"),
        ("3.5.0", "databases, 1,000 in CouchDB 3.5"),
    ] {
        sandbox.couchdb().set_version(version);
        let ours = [OURS, "databases"];
        bench.row(title, "kubectl exec curl", &ours, &peer, 7);
    }
    backups(&sandbox, &bench);
}

/// A backup and a restore, beside the dump and the loop of `_bulk_docs` that a person would type. The peer has neither histories nor
/// conflicts, and checks nothing.
fn backups(sandbox: &Sandbox, bench: &Bench) {
    sandbox
        .couchdb()
        .create_database(SAVED, DOCUMENTS)
        .expect("a database can be made");
    let kubectl = sandbox.bin("kubectl");
    let server = format!("http://127.0.0.1:{}", sandbox.couchdb().port());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("saved.gz");
    let by_hand = |script: &'static str| {
        let words = [
            text(&kubectl),
            "exec",
            "-n",
            "secure-kvs",
            POD,
            "-c",
            "couchdb",
            "--",
        ];
        let mut words: Vec<String> = words.map(str::to_owned).to_vec();
        words.extend(["sh", "-c", script, &server].map(str::to_owned));
        words
    };
    let (dump, load) = (by_hand(DUMP), by_hand(LOAD));
    let file = text(&file);
    let ours = [OURS, "backup", SAVED, "--to", file, "--force"];
    let peer: Vec<&str> = dump.iter().map(String::as_str).collect();
    bench.row(
        "backup, 20,000 documents",
        "kubectl exec curl",
        &ours,
        &peer,
        5,
    );
    let ours = [
        OURS,
        "restore",
        file,
        "--to",
        SAVED,
        "--into-existing",
        "--confirm",
        SAVED,
        "--context",
        "sandbox",
    ];
    let peer: Vec<&str> = load.iter().map(String::as_str).collect();
    bench.row(
        "restore, 20,000 documents",
        "kubectl exec curl",
        &ours,
        &peer,
        5,
    );
}

/// Each tenth onboarding has no database, each tenth database no onboarding.
fn seed(sandbox: &Sandbox) {
    let objects: Vec<Value> = (0..MANY)
        .filter(|n| n % 10 != 1)
        .map(|n| {
            let mut object = onboarding(
                "flux-system",
                &format!("skvs-onboarding-team{n}--database"),
                n,
            );
            // It stays as it is: Flux has nothing to do with it.
            object["spec"]["suspend"] = true.into();
            object.as_object_mut().expect("an object").remove("status");
            object
        })
        .collect();
    sandbox
        .create_many(
            "/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases",
            &objects,
        )
        .expect("onboardings can be made");
    for n in (0..MANY + MANY / 10).filter(|n| n % 10 != 2) {
        sandbox
            .couchdb()
            .create_database(&format!("team{n}_database"), 0)
            .expect("a database can be made");
    }
}
