//! The processes that make objects come true: Kubernetes' own controllers, the node, and Flux.

use std::{path::Path, process::Command, time::Duration};

use serde_json::Value;

use crate::{
    api,
    cluster::{Cluster, Site, flag},
    error::Result,
    free_port, http,
    kubeconfig::{self, Credential},
    process::Process,
};

/// Each starts in 2 to 5 s on an idle machine.
const START: Duration = Duration::from_secs(120);

/// The one node's name.
pub(crate) const NODE: &str = "node-a";

/// A started process and how to tell that it is ready.
pub(crate) struct Starting<'a> {
    process: Process,
    ready: Box<dyn FnMut() -> bool + Send + 'a>,
}

impl Starting<'_> {
    pub(crate) fn wait(mut self) -> Result<Process> {
        self.process.wait_ready(START, &mut self.ready)?;
        Ok(self.process)
    }
}

/// kube-controller-manager, kube-scheduler and the node; none waits for another.
pub(crate) fn start_kubernetes<'a>(site: &Site, cluster: &'a Cluster) -> Result<Vec<Starting<'a>>> {
    Ok(vec![
        kubernetes(site, cluster, "kube-controller-manager", |command| {
            command
                .arg(flag(
                    "--service-account-private-key-file",
                    &site.tls.signing_key,
                ))
                .arg(flag("--root-ca-file", &site.tls.authority));
        })?,
        kubernetes(site, cluster, "kube-scheduler", |_| {})?,
        node(site, cluster)?,
    ])
}

fn kubernetes<'a>(
    site: &Site,
    cluster: &Cluster,
    name: &str,
    more: impl FnOnce(&mut Command),
) -> Result<Starting<'a>> {
    let port = free_port()?;
    let mut command = Command::new(site.binaries.path(name)?);
    command
        .arg(flag("--kubeconfig", cluster.kubeconfig()))
        .args(["--leader-elect=false", "--bind-address=127.0.0.1"])
        .arg(format!("--secure-port={port}"))
        .arg(flag("--tls-cert-file", &site.tls.certificate))
        .arg(flag("--tls-private-key-file", &site.tls.key))
        .args(["--kube-api-qps=200", "--kube-api-burst=400"]);
    more(&mut command);
    let process = Process::spawn(&site.run, name, &command)?;
    let server = format!("https://127.0.0.1:{port}");
    let config = kubeconfig::text(
        name,
        &server,
        site.authority.certificate(),
        "nobody",
        &Credential::None,
    );
    let probe = site.run.write(&format!("probe/{name}"), &config)?;
    Ok(Starting {
        process,
        ready: Box::new(move || api::healthy(&probe, "/healthz")),
    })
}

fn node<'a>(site: &Site, cluster: &'a Cluster) -> Result<Starting<'a>> {
    let port = free_port()?;
    let mut command = Command::new(site.binaries.path("node")?);
    command
        .args(["--name", NODE])
        .arg(flag("--kubeconfig", cluster.kubeconfig()))
        .arg(format!("--listen=127.0.0.1:{port}"))
        .arg(format!("--port={port}"))
        .arg(flag("--tls-cert", &site.tls.certificate))
        .arg(flag("--tls-key", &site.tls.key))
        .arg(flag("--groups", &site.run.groups()))
        // Proxy settings of this host are no pod's business.
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", site.run.path());
    let process = Process::spawn(&site.run, "node", &command)?;
    let ready = move || {
        let path = format!("/api/v1/nodes/{NODE}");
        cluster
            .request("GET", &path, &Value::Null)
            .is_ok_and(|node| condition(&node, "Ready") == Some("True"))
    };
    Ok(Starting {
        process,
        ready: Box::new(ready),
    })
}

/// source-controller and helm-controller; their CRDs must be there.
pub(crate) fn start_flux(site: &Site, cluster: &Cluster) -> Result<Vec<Starting<'static>>> {
    let storage = format!("127.0.0.1:{}", free_port()?);
    let artifacts = site.run.folder("artifacts")?;
    let source = flux(site, cluster.kubeconfig(), "source-controller", |command| {
        command
            .arg(format!("--storage-addr={storage}"))
            .arg(format!("--storage-adv-addr={storage}"))
            .arg(flag("--storage-path", &artifacts))
            .arg("--concurrent=8");
    })?;
    let helm = flux(site, cluster.kubeconfig(), "helm-controller", |command| {
        // Onboardings that wait for their timeout hold a worker each; those of another shard are nobody's.
        command.args([
            "--concurrent=16",
            "--watch-label-selector=!sharding.fluxcd.io/key",
            // The default looks at a chart that was not ready again after 30 s.
            "--requeue-dependency=3s",
        ]);
    })?;
    Ok(vec![source, helm])
}

fn flux(
    site: &Site,
    kubeconfig: &Path,
    name: &str,
    more: impl FnOnce(&mut Command),
) -> Result<Starting<'static>> {
    let health = free_port()?;
    let home = site.run.folder(&format!("home/{name}"))?;
    let mut command = Command::new(site.binaries.path(name)?);
    command
        .arg(format!("--health-addr=127.0.0.1:{health}"))
        .args([
            "--metrics-addr=127.0.0.1:0",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        ])
        .env("KUBECONFIG", kubeconfig)
        .env("RUNTIME_NAMESPACE", "flux-system")
        .env("HOME", &home)
        .env("TMPDIR", &home);
    more(&mut command);
    let process = Process::spawn(&site.run, name, &command)?;
    Ok(Starting {
        process,
        ready: Box::new(move || http::status(health, "/readyz") == Some(200)),
    })
}

/// The status of an object's condition.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a str> {
    object["status"]["conditions"]
        .as_array()?
        .iter()
        .find(|condition| condition["type"] == kind)?["status"]
        .as_str()
}
