//! Loads `seed/` and waits until what it declares has come about. What the files hold is told in `seed/README.md`.

use std::{
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    cluster::Cluster,
    controllers::condition,
    error::{Context as _, Error, Result},
    toolchain,
};

const RELEASES: &str = "/apis/helm.toolkit.fluxcd.io/v2/helmreleases";
const STATEFUL_SETS: &str = "/apis/apps/v1/statefulsets";

/// What is there before any team comes.
const PLATFORM: [&str; 2] = ["00-platform.yaml", "10-couchdb.yaml"];

/// The annotation that says where a seeded HelmRelease ends.
const EXPECT: &str = "testbed/expect";

/// What helm-controller says of a chart that source-controller has not seen yet: not the failure that is waited for.
const NOT_LOOKED_AT: &str = "latest generation of object has not been reconciled";

/// Seeds settle in about half a minute.
const LIMIT: Duration = Duration::from_secs(240);

/// The files of `seed/` in order, with `${NAME}` replaced for each of `values`.
pub(crate) struct Seeds {
    files: Vec<(String, String)>,
}

impl Seeds {
    /// Without `onboardings`: the platform alone, which are the files that belong to no team.
    pub(crate) fn read(values: &[(&str, &str)], onboardings: bool) -> Result<Self> {
        let folder = toolchain::sources().join("seed");
        let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
            .context(|| format!("read {}", folder.display()))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "yaml")
            })
            .collect();
        if !onboardings {
            paths.retain(|path| PLATFORM.iter().any(|file| path.ends_with(file)));
        }
        paths.sort();
        let mut files = Vec::new();
        for path in paths {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let mut text =
                fs::read_to_string(&path).context(|| format!("read {}", path.display()))?;
            for (key, value) in values {
                text = text.replace(&format!("${{{key}}}"), value);
            }
            if let Some(at) = text.find("${") {
                let rest: String = text[at..].chars().take_while(|c| *c != '}').collect();
                return Err(Error::Other(format!(
                    "seed/{name}: {rest}}} is no placeholder of the testbed"
                )));
            }
            files.push((name, text));
        }
        Ok(Self { files })
    }

    /// Applies each file once what the files before it declare Ready is ready, then waits for all.
    pub(crate) fn load(&self, cluster: &Cluster) -> Result<()> {
        for (name, text) in &self.files {
            settle(
                cluster,
                &format!("what goes before seed/{name}"),
                |expected| expected == "Ready",
            )?;
            cluster.apply(text)?;
        }
        settle(cluster, "the seeded onboardings", |_| true)
    }
}

/// Waits until every HelmRelease whose expectation `counts` has reached it, and every StatefulSet has its pods.
fn settle(cluster: &Cluster, what: &str, counts: impl Fn(&str) -> bool) -> Result<()> {
    let end = Instant::now() + LIMIT;
    loop {
        let releases = cluster.request("GET", RELEASES, &Value::Null)?;
        let mut missing: Vec<String> = items(&releases)
            .filter_map(|release| {
                let expected = release["metadata"]["annotations"][EXPECT].as_str()?;
                (counts(expected) && !reached(release, expected)).then(|| lack(release, expected))
            })
            .collect();
        let sets = cluster.request("GET", STATEFUL_SETS, &Value::Null)?;
        missing.extend(
            items(&sets)
                .filter(|set| set["status"]["readyReplicas"] != set["spec"]["replicas"])
                .map(|set| {
                    format!(
                        "StatefulSet {} has not all of its pods",
                        set["metadata"]["name"]
                    )
                }),
        );
        if missing.is_empty() {
            return Ok(());
        }
        if Instant::now() >= end {
            let seen = format!(
                ":\n  {}\nlogs: {}",
                missing.join("\n  "),
                cluster.run_dir().join("log").display()
            );
            return Err(Error::Timeout {
                what: what.to_owned(),
                limit: LIMIT,
                seen,
            });
        }
        thread::sleep(Duration::from_millis(200));
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list["items"].as_array().into_iter().flatten()
}

fn lack(release: &Value, expected: &str) -> String {
    format!(
        "{} is not yet {expected}: {}",
        release["metadata"]["name"].as_str().unwrap_or_default(),
        message(release)
    )
}

/// The message of condition Ready.
fn message(release: &Value) -> &str {
    let conditions = release["status"]["conditions"].as_array();
    let ready =
        conditions.and_then(|all| all.iter().find(|condition| condition["type"] == "Ready"));
    ready.map_or("no condition", |ready| {
        ready["message"].as_str().unwrap_or_default()
    })
}

fn reached(release: &Value, expected: &str) -> bool {
    let ready = condition(release, "Ready");
    match expected {
        "Ready" => ready == Some("True"),
        "Suspended" => release["spec"]["suspend"] == true,
        "Pending" => matches!(ready, None | Some("Unknown")),
        // A release that failed to install may be tried again; Flux says when it has given up.
        "Failed" => {
            let early = message(release).contains(NOT_LOOKED_AT);
            let tried = release["status"]["history"]
                .as_array()
                .is_some_and(|history| !history.is_empty());
            ready == Some("False")
                && !early
                && (!tried || condition(release, "Stalled") == Some("True"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn release(ready: &str, stalled: &str, history: usize) -> Value {
        json!({ "status": {
            "conditions": [{ "type": "Ready", "status": ready }, { "type": "Stalled", "status": stalled }],
            "history": vec![json!({}); history],
        }})
    }

    #[test]
    fn a_failure_counts_once_nothing_is_tried_again() {
        assert!(reached(&release("False", "True", 1), "Failed"));
        assert!(!reached(&release("False", "False", 1), "Failed"));
        assert!(reached(&release("False", "False", 0), "Failed"));
        assert!(!reached(&release("Unknown", "True", 1), "Failed"));
    }

    #[test]
    fn other_expectations_follow_ready_and_suspend() {
        assert!(reached(&release("True", "", 1), "Ready"));
        assert!(!reached(&release("False", "", 1), "Ready"));
        assert!(reached(&release("Unknown", "", 0), "Pending"));
        assert!(reached(&json!({}), "Pending"));
        assert!(reached(
            &json!({ "spec": { "suspend": true } }),
            "Suspended"
        ));
        assert!(
            !reached(&json!({}), "Happy"),
            "a misspelt expectation is never reached"
        );
    }

    #[test]
    fn every_placeholder_of_the_seeds_is_known() {
        let known = [("COUCHDB_PORT", "1"), ("REPO_URL", "u")];
        assert!(Seeds::read(&known, true).unwrap().files.len() > PLATFORM.len());
        let platform = Seeds::read(&known, false).unwrap().files;
        assert_eq!(platform.len(), PLATFORM.len());
        let error = Seeds::read(&known[..1], true).err().unwrap().to_string();
        assert!(
            error.ends_with(": ${REPO_URL} is no placeholder of the testbed"),
            "{error}"
        );
    }
}
