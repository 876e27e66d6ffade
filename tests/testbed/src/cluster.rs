//! One API server of a run: how to reach it, what to ask it, and who may.

use std::{
    ffi::OsStr,
    fmt::Debug,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Arc, atomic::AtomicU32},
    time::Duration,
};

use serde_json::Value;

use crate::{
    api,
    binaries::Binaries,
    error::{Context as _, Error, Result},
    free_port,
    kubeconfig::{self, Credential},
    pki::{self, Authority},
    process::Process,
    random,
    run_dir::RunDir,
    toolchain,
};

/// The whole bootstrap of an API server takes about 5 s; a loaded machine may need far longer.
pub(crate) const START: Duration = Duration::from_secs(120);

/// What every cluster of a run has in common.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) run: RunDir,
    pub(crate) binaries: Arc<Binaries>,
    pub(crate) authority: Arc<Authority>,
    pub(crate) etcd: u16,
    pub(crate) tls: Tls,
}

/// The servers' certificate and key, and the CA's certificate, as files.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    pub(crate) authority: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// Signs service account tokens.
    pub(crate) signing_key: PathBuf,
    /// Checks them.
    pub(crate) signing_key_public: PathBuf,
}

impl Tls {
    pub(crate) fn write(run: &RunDir, authority: &Authority) -> Result<Self> {
        let server = authority.server()?;
        let (private, public) = pki::signing_key()?;
        Ok(Self {
            authority: run.write("pki/ca.crt", authority.certificate())?,
            certificate: run.write("pki/tls.crt", &server.certificate)?,
            key: run.write("pki/tls.key", &server.key)?,
            signing_key: run.write("pki/sa.key", &private)?,
            signing_key_public: run.write("pki/sa.pub", &public)?,
        })
    }
}

/// A running API server with RBAC and an audit log. All requests here are made as its administrator (group `system:masters`).
pub struct Cluster {
    pub(crate) site: Site,
    pub(crate) name: &'static str,
    pub(crate) server: String,
    kubeconfig: PathBuf,
    audit_log: PathBuf,
    pub(crate) users: AtomicU32,
    process: Process,
}

impl Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("name", &self.name)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Starts an API server on its own prefix of the run's etcd. `name` is the context's name. Without controllers nobody makes
    /// service accounts, so pods must do without the admission plugin that wants one.
    pub(crate) fn start(site: &Site, name: &'static str, controllers: bool) -> Result<Self> {
        let port = free_port()?;
        let server = format!("https://127.0.0.1:{port}");
        let token = random::hex(16);
        let config = kubeconfig::text(
            name,
            &server,
            site.authority.certificate(),
            "admin",
            &Credential::Token(&token),
        );
        let kubeconfig = site.run.write(&format!("{name}/kubeconfig"), &config)?;
        let tokens = site.run.write(
            &format!("{name}/tokens.csv"),
            &format!("{token},admin,admin,system:masters\n"),
        )?;
        let policy = site
            .run
            .write(&format!("{name}/audit-policy.yaml"), AUDIT_POLICY)?;
        let audit_log = site.run.path().join(name).join("audit.log");
        let mut command = Command::new(site.binaries.path("kube-apiserver")?);
        command
            .arg(format!("--etcd-servers=http://127.0.0.1:{}", site.etcd))
            .arg(format!("--etcd-prefix=/{name}"))
            .arg(format!("--secure-port={port}"))
            .args([
                "--bind-address=127.0.0.1",
                "--authorization-mode=RBAC",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-cluster-ip-range=10.0.0.0/24",
                "--endpoint-reconciler-type=none",
            ])
            .arg(flag("--tls-cert-file", &site.tls.certificate))
            .arg(flag("--tls-private-key-file", &site.tls.key))
            .arg(flag("--client-ca-file", &site.tls.authority))
            .arg(flag(
                "--service-account-key-file",
                &site.tls.signing_key_public,
            ))
            .arg(flag(
                "--service-account-signing-key-file",
                &site.tls.signing_key,
            ))
            .arg(flag("--token-auth-file", &tokens))
            .arg(flag("--audit-policy-file", &policy))
            .arg(flag("--audit-log-path", &audit_log))
            // Megabytes, and files beside the one that is written: a run that goes on for days does not fill the disk.
            .args(["--audit-log-maxsize=256", "--audit-log-maxbackup=1"]);
        if !controllers {
            command.arg("--disable-admission-plugins=ServiceAccount");
        }
        let process = Process::spawn(&site.run, &format!("kube-apiserver-{name}"), &command)?;
        process.wait_ready(START, || api::healthy(&kubeconfig, "/readyz"))?;
        Ok(Self {
            site: site.clone(),
            name,
            server,
            kubeconfig,
            audit_log,
            users: AtomicU32::new(0),
            process,
        })
    }

    /// The administrator's kubeconfig. Its only context is named like the cluster.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The name of the kubeconfig's context.
    pub fn context(&self) -> &str {
        self.name
    }

    /// `https://127.0.0.1:PORT`.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The PEM file of the CA that signed the server's certificate.
    pub fn certificate_authority(&self) -> &Path {
        &self.site.tls.authority
    }

    /// The API server's audit log: one JSON event a line. Every request's URL is there, with an exec's command, when it has begun
    /// and when it has ended; of a Kubernetes Event that is written its body too. Leases and health checks are left out.
    pub fn audit_log(&self) -> &Path {
        &self.audit_log
    }

    /// The folder of this run: logs, kubeconfigs, room for a test's own files.
    pub fn run_dir(&self) -> &Path {
        self.site.run.path()
    }

    /// One of the testbed's programs, built first where needed (`krew` and `validate-krew-manifest` are, on first use).
    ///
    /// # Panics
    /// With the reason, when it cannot be had.
    pub fn bin(&self, name: &str) -> PathBuf {
        self.site
            .binaries
            .path(name)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Ends the API server at once, for tests of a cluster that went away.
    pub fn stop(&self) {
        self.process.stop();
    }

    /// A command with this cluster's KUBECONFIG, the run's folder as its home (so caches go with the run), and no stdin.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", self.run_dir())
            .stdin(Stdio::null());
        command
    }

    /// Runs kubectl and gives its output whatever its exit code.
    pub fn kubectl<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<Output> {
        self.command(self.site.binaries.path("kubectl")?)
            .args(args)
            .output()
            .context(|| "run kubectl".to_owned())
    }

    /// Runs kubectl and gives its stdout; an exit code other than 0 is an error with both streams.
    pub fn kubectl_ok<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<String> {
        let output = self.kubectl(args)?;
        let line = args
            .iter()
            .map(|arg| arg.as_ref().to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ");
        finished(&format!("kubectl {line}"), output)
    }

    /// Applies objects (server-side) and gives kubectl's report.
    pub fn apply(&self, yaml: &str) -> Result<String> {
        self.kubectl_with(
            &["apply", "--server-side", "--force-conflicts", "-f", "-"],
            yaml,
        )
    }

    /// Writes the `status` of objects that exist through their status subresource.
    pub fn apply_status(&self, yaml: &str) -> Result<String> {
        let args = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--subresource=status",
            "-f",
            "-",
        ];
        self.kubectl_with(&args, yaml)
    }

    pub(crate) fn kubectl_with(&self, args: &[&str], stdin: &str) -> Result<String> {
        let line = format!("kubectl {}", args.join(" "));
        let mut child = self
            .command(self.site.binaries.path("kubectl")?)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context(|| format!("run {line}"))?;
        let mut pipe = child.stdin.take().expect("stdin was piped");
        // A kubectl that ends early breaks the pipe; its own output says why.
        let _ = pipe.write_all(stdin.as_bytes());
        drop(pipe);
        let output = child.wait_with_output().context(|| format!("run {line}"))?;
        finished(&line, output)
    }

    /// One request as the administrator: JSON in (`Value::Null` for no body), JSON out.
    pub fn request(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        api::json(&self.kubeconfig, method, path, body)
    }

    /// Creates many objects fast (thousands in seconds) in the collection at `path`, such as
    /// `/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases`. A `status` in an object is written too.
    pub fn create_many(&self, path: &str, objects: &[Value]) -> Result<()> {
        api::create_many(&self.kubeconfig, path, objects)
    }

    /// Loads CRDs from this crate's `crds/` folder and waits until they are served.
    pub(crate) fn load_crds(&self, folders: &[&str]) -> Result<()> {
        let mut apply = vec!["apply".to_owned(), "--server-side".to_owned()];
        let mut wait = vec![
            "wait".to_owned(),
            "--for=condition=Established".to_owned(),
            "--timeout=60s".to_owned(),
        ];
        for folder in folders {
            let path = toolchain::sources()
                .join("crds")
                .join(folder)
                .display()
                .to_string();
            for args in [&mut apply, &mut wait] {
                args.extend(["-f".to_owned(), path.clone()]);
            }
        }
        self.kubectl_ok(&apply)?;
        self.kubectl_ok(&wait)?;
        Ok(())
    }
}

fn finished(line: &str, output: Output) -> Result<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(Error::Command {
        command: line.to_owned(),
        status: output.status.to_string(),
        output: format!("{text}{errors}"),
    })
}

pub(crate) fn flag(name: &str, path: &Path) -> std::ffi::OsString {
    let mut text = std::ffi::OsString::from(name);
    text.push("=");
    text.push(path);
    text
}

// An exec never has a body in the log: its URL is all that there is of it. Of a Secret the body must not be there.
const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, resources: [{group: coordination.k8s.io, resources: [leases]}]}
- {level: None, nonResourceURLs: [/healthz*, /livez*, /readyz*]}
- level: RequestResponse
  verbs: [create, update, patch]
  resources: [{group: '', resources: [events]}, {group: events.k8s.io, resources: [events]}]
- {level: Metadata}
";
