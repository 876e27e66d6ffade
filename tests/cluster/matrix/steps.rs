//! Carries out one step of a case, or tells what it still waits for.

use super::case::{Case, Step, Until};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::{Read, Write};
use testbed::Sandbox;

/// What helm-controller says of a chart that source-controller has not processed yet: nothing is decided then.
const NOT_LOOKED_AT: &str = "latest generation of object has not been reconciled";

/// `None` when the step is done, else what it waits for. `release` is the HelmRelease as it was just read.
pub(super) fn advance(
    sandbox: &Sandbox,
    case: &Case,
    step: &Step,
    release: Option<&Value>,
) -> Option<String> {
    let run = |args: &[&str]| {
        sandbox
            .kubectl_ok(args)
            .unwrap_or_else(|error| panic!("{}: {error}", case.slug));
    };
    match step {
        Step::Until(until) => {
            return match release {
                Some(release) => lack(*until, release),
                None => Some("not read yet".to_owned()),
            };
        }
        Step::Says(text) => {
            let messages = messages(release.unwrap_or(&Value::Null));
            return (!messages.contains(text)).then(|| format!("{text:?} is not in {messages}"));
        }
        Step::Object {
            path,
            pointer,
            holds,
        } => {
            let object = sandbox.request("GET", path, &Value::Null);
            let found = match &object {
                Ok(object) => object
                    .pointer(pointer)
                    .map(Value::to_string)
                    .unwrap_or_default(),
                Err(error) => error.to_string(),
            };
            return (!found.contains(holds.as_str())).then(|| format!("{path} {pointer}: {found}"));
        }
        Step::Patch(patch) => {
            let patch = patch.to_string();
            let name = case.name();
            run(&[
                "patch",
                "helmrelease",
                "-n",
                "flux-system",
                &name,
                "--type=merge",
                "-p",
                &patch,
            ]);
        }
        Step::Kubectl(args) => {
            run(&args.iter().map(String::as_str).collect::<Vec<_>>());
        }
        Step::Apply(objects) => {
            let applied = sandbox.apply(objects);
            applied.unwrap_or_else(|error| panic!("{}: {error}", case.slug));
        }
        Step::Database(name) => {
            let made = sandbox.couchdb().create_database(name, 3);
            made.unwrap_or_else(|error| panic!("{}: {error:#}", case.slug));
        }
        Step::DropDatabase(name) => {
            let gone = sandbox.couchdb().drop_database(name);
            gone.unwrap_or_else(|error| panic!("{}: {error:#}", case.slug));
        }
        Step::Release(status) => set_status(sandbox, case, status),
    }
    None
}

/// What a HelmRelease lacks of a state.
fn lack(until: Until, release: &Value) -> Option<String> {
    let ready = condition(release, "Ready");
    let reached = match until {
        Until::Ready => ready == Some("True") && current(release),
        Until::Failed => {
            let tried = release["status"]["history"]
                .as_array()
                .is_some_and(|history| !history.is_empty());
            ready == Some("False")
                && !messages(release).contains(NOT_LOOKED_AT)
                && (!tried || condition(release, "Stalled") == Some("True"))
        }
        Until::Running => condition(release, "Reconciling") == Some("True"),
        Until::Suspended => release["spec"]["suspend"] == true,
        Until::Unanswered => ready.is_none(),
    };
    (!reached).then(|| format!("not {until:?}: {}", messages(release)))
}

fn current(release: &Value) -> bool {
    release["metadata"]["generation"] == release["status"]["observedGeneration"]
}

fn condition<'a>(release: &'a Value, kind: &str) -> Option<&'a str> {
    let mut all = release["status"]["conditions"].as_array()?.iter();
    all.find(|c| c["type"] == kind)?["status"].as_str()
}

fn messages(release: &Value) -> String {
    let all = release["status"]["conditions"].as_array();
    let all = all.into_iter().flatten();
    all.map(|c| format!("{}={} {}", c["type"], c["status"], c["message"]))
        .collect::<Vec<_>>()
        .join("; ")
}

/// Writes another status into the newest release Secret, as an interrupted Helm leaves it.
fn set_status(sandbox: &Sandbox, case: &Case, status: &str) {
    let path = "/api/v1/namespaces/flux-system/secrets";
    let name = format!("core-{}", case.name());
    let query = format!("{path}?labelSelector=owner%3Dhelm,name%3D{name}");
    let all = sandbox
        .request("GET", &query, &Value::Null)
        .expect("Secrets are listed");
    let newest = all["items"]
        .as_array()
        .into_iter()
        .flatten()
        .max_by_key(|secret| {
            let version = secret["metadata"]["labels"]["version"].as_str();
            version.and_then(|v| v.parse::<u32>().ok())
        });
    let mut secret = newest
        .unwrap_or_else(|| panic!("{}: no release", case.slug))
        .clone();
    let data = secret["data"]["release"].as_str().expect("a release");
    let inner = BASE64_STANDARD.decode(data).expect("Kubernetes' base64");
    let packed = BASE64_STANDARD.decode(inner).expect("Helm's base64");
    let mut text = String::new();
    GzDecoder::new(&packed[..])
        .read_to_string(&mut text)
        .expect("gzip");
    let mut release: Value = serde_json::from_str(&text).expect("JSON");
    release["info"]["status"] = json!(status);
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer
        .write_all(release.to_string().as_bytes())
        .expect("memory");
    let packed = BASE64_STANDARD.encode(packer.finish().expect("memory"));
    secret["data"]["release"] = json!(BASE64_STANDARD.encode(packed));
    secret["metadata"]["labels"]["status"] = json!(status);
    let path = format!(
        "{path}/{}",
        secret["metadata"]["name"].as_str().expect("a name")
    );
    sandbox
        .request("PUT", &path, &secret)
        .expect("the Secret is written");
}
