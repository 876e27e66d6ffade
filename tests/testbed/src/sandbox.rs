//! A whole run: which parts it starts, in which order, and how they are reached.

use std::{
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, Instant},
};

use crate::{
    binaries::Binaries,
    charts,
    cluster::{Cluster, Site, Tls},
    controllers,
    couchdb::{self, Front, pouchdb},
    error::{Context as _, Error, Result},
    etcd, free_port,
    pki::Authority,
    process::Process,
    process_list::{self, ProcessWatch},
    progress,
    run_dir::RunDir,
    seed::Seeds,
    toolchain,
};

/// The onboardings of the old cluster.
const OLD: &str = include_str!("../old/onboardings.yaml");

/// What a sandbox consists of.
#[derive(Clone, Debug)]
pub struct Options {
    controllers: bool,
    onboardings: bool,
}

impl Options {
    /// Everything: the control plane, Flux, a node, CouchDB and the seeded onboardings in their states.
    pub fn full() -> Self {
        Self {
            controllers: true,
            onboardings: true,
        }
    }

    /// The same without teams and onboardings: what there is to tell of an onboarding is the caller's.
    pub fn unseeded() -> Self {
        Self {
            controllers: true,
            onboardings: false,
        }
    }

    /// etcd, the API server and the CRDs of Flux and Istio, in about 4 s: nothing acts on objects, and statuses are the caller's.
    pub fn bare() -> Self {
        Self {
            controllers: false,
            onboardings: false,
        }
    }
}

/// A running control plane. Its methods are those of [`Cluster`] too; dropping it ends every process and removes its folder.
pub struct Sandbox {
    // Fields are dropped in this order: what asks before what answers, the run folder last.
    old: OnceLock<std::result::Result<Cluster, String>>,
    controllers: Vec<Process>,
    cluster: Cluster,
    couchdb: Option<Couchdb>,
    repository: Option<String>,
    _etcd: Process,
    site: Site,
}

struct Couchdb {
    front: Front,
    upstream: u16,
    _process: Process,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}

impl Deref for Sandbox {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.cluster
    }
}

impl Sandbox {
    /// Builds what is not built yet, brings the sandbox up and returns when it is ready.
    pub fn start(options: &Options) -> Result<Self> {
        let binaries = Arc::new(Binaries::from_env());
        // Long builds come first, so that no readiness waits for them and no run folder is kept when they fail.
        let installed = if options.controllers {
            Some(build(&binaries)?)
        } else {
            binaries.path("kube-apiserver")?;
            None
        };
        let run = RunDir::create()?;
        let sandbox = Self::start_in(&run, binaries, installed, options.onboardings);
        if sandbox.is_err() {
            run.keep();
        }
        sandbox
    }

    fn start_in(
        run: &RunDir,
        binaries: Arc<Binaries>,
        installed: Option<PathBuf>,
        onboardings: bool,
    ) -> Result<Self> {
        let started = Instant::now();
        let authority = Arc::new(Authority::new()?);
        let tls = Tls::write(run, &authority)?;
        let (etcd, port) = etcd::start(run, &binaries)?;
        let site = Site {
            run: run.clone(),
            binaries,
            authority,
            etcd: port,
            tls,
        };
        let Some(installed) = installed else {
            let cluster = Cluster::start(&site, "sandbox", false)?;
            cluster.load_crds(&["flux", "istio"])?;
            return Ok(Self {
                old: OnceLock::new(),
                controllers: Vec::new(),
                cluster,
                couchdb: None,
                repository: None,
                _etcd: etcd,
                site,
            });
        };

        let (cluster, couchdb, repository) = thread::scope(|scope| {
            let couchdb = scope.spawn(|| start_couchdb(&site.run, &installed));
            let repository = scope.spawn(|| charts::serve(&site.run, &site.binaries));
            let cluster = Cluster::start(&site, "sandbox", true);
            (cluster, joined(couchdb), joined(repository))
        });
        let (cluster, couchdb, repository) = (cluster?, couchdb?, repository?);
        let mut starting = controllers::start_kubernetes(&site, &cluster)?;
        cluster.load_crds(&["flux", "istio"])?;
        starting.extend(controllers::start_flux(&site, &cluster)?);
        let seeds = Seeds::read(
            &[
                ("COUCHDB_PORT", &couchdb.front.port().to_string()),
                ("REPO_URL", &repository),
            ],
            onboardings,
        )?;
        let processes = starting
            .into_iter()
            .map(controllers::Starting::wait)
            .collect::<Result<_>>()?;
        seeds.load(&cluster)?;
        progress(&format!(
            "the sandbox is up after {} s",
            started.elapsed().as_secs()
        ));
        Ok(Self {
            old: OnceLock::new(),
            controllers: processes,
            cluster,
            couchdb: Some(couchdb),
            repository: Some(repository),
            _etcd: etcd,
            site,
        })
    }

    /// The one full sandbox of this process, started by the first caller while others wait.
    ///
    /// # Panics
    /// With the reason, when it cannot be started; the start is not tried again.
    pub fn shared() -> &'static Sandbox {
        static SHARED: OnceLock<std::result::Result<Sandbox, String>> = OnceLock::new();
        let start = || Sandbox::start(&Options::full()).map_err(|error| error.to_string());
        match SHARED.get_or_init(start) {
            Ok(sandbox) => sandbox,
            Err(error) => panic!("the sandbox did not start: {error}"),
        }
    }

    /// The main cluster, where `&Sandbox` does not do.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// A second API server, started on the first call: it serves HelmRelease `v2beta1` and `v2beta2` (preferred) only, has no
    /// controllers, and holds the onboardings of the runbook with the runbook's statuses. Its context is `old`.
    ///
    /// # Panics
    /// With the reason, when it cannot be started.
    pub fn old_cluster(&self) -> &Cluster {
        let start = || self.start_old().map_err(|error| error.to_string());
        match self.old.get_or_init(start) {
            Ok(cluster) => cluster,
            Err(error) => panic!("the old cluster did not start: {error}"),
        }
    }

    fn start_old(&self) -> Result<Cluster> {
        let cluster = Cluster::start(&self.site, "old", false)?;
        cluster.load_crds(&["old"])?;
        cluster.apply(OLD)?;
        let statuses: Vec<&str> = OLD
            .split("\n---\n")
            .filter(|object| object.contains("\nstatus:\n"))
            .collect();
        cluster.apply_status(&statuses.join("\n---\n"))?;
        Ok(cluster)
    }

    /// The URL of the chart repository.
    ///
    /// # Panics
    /// On a bare sandbox, which has none.
    pub fn repository(&self) -> &str {
        self.repository
            .as_deref()
            .expect("only a full sandbox has a chart repository")
    }

    /// Serves a variant of the fixture chart, with the files of `overlay` beside or over its own, from a repository of its own;
    /// gives that one's URL.
    pub fn serve_variant(&self, overlay: &Path, version: &str) -> Result<String> {
        charts::serve_variant(&self.site.run, &self.site.binaries, overlay, version)
    }

    /// CouchDB's front, which asks for the admin's credentials and can be given faults.
    ///
    /// # Panics
    /// On a bare sandbox, which has none.
    pub fn couchdb(&self) -> &Front {
        &self
            .couchdb
            .as_ref()
            .expect("only a full sandbox has a CouchDB")
            .front
    }

    /// The command lines of everything that runs in pods now, execs with what they have started among them.
    ///
    /// # Panics
    /// On a bare sandbox, which has no pods.
    pub fn pod_processes(&self) -> Vec<String> {
        process_list::now(self.node())
    }

    /// The same, looked at again and again until the watch is dropped.
    ///
    /// # Panics
    /// On a bare sandbox, which has no pods.
    pub fn watch_pod_processes(&self) -> ProcessWatch {
        ProcessWatch::start(self.node())
    }

    fn node(&self) -> u32 {
        let node = self.controllers.iter().find(|p| p.name() == "node");
        node.expect("only a full sandbox has a node").id()
    }

    /// The port of the pouchdb-server behind that front, for a front of a test's own.
    ///
    /// # Panics
    /// On a bare sandbox, which has none.
    pub fn pouchdb_port(&self) -> u16 {
        self.couchdb
            .as_ref()
            .expect("only a full sandbox has a CouchDB")
            .upstream
    }
}

/// Has everything that a full sandbox runs built and installed; gives pouchdb-server's folder. What is missing on this machine is
/// told before anything long starts.
fn build(binaries: &Binaries) -> Result<PathBuf> {
    binaries.check()?;
    if !toolchain::on_path("curl") {
        return Err(Error::MissingTool {
            tool: "curl".to_owned(),
            hint: "the pods of the testbed run it; install it (Debian: apt install curl)"
                .to_owned(),
        });
    }
    let cache = toolchain::cache()?;
    std::fs::create_dir_all(&cache).context(|| format!("create {}", cache.display()))?;
    if pouchdb::folder(&cache).exists() {
        return build_programs(binaries).and(pouchdb::install(&cache).map_err(told));
    }
    if !toolchain::on_path("npm") {
        return Err(Error::MissingTool {
            tool: "npm".to_owned(),
            hint: "CouchDB's part is played by pouchdb-server, which needs Node.js 18 or newer with npm: \
                   https://nodejs.org/en/download (Debian: apt install nodejs npm)"
                .to_owned(),
        });
    }
    thread::scope(|scope| {
        let installed = scope.spawn(|| install_pouchdb(&cache));
        build_programs(binaries).and(joined(installed))
    })
}

fn build_programs(binaries: &Binaries) -> Result<()> {
    for name in ["kube-apiserver", "helm-controller", "node"] {
        binaries.path(name)?;
    }
    Ok(())
}

fn install_pouchdb(cache: &Path) -> Result<PathBuf> {
    progress("installing pouchdb-server with npm, once: about 2 minutes");
    let started = Instant::now();
    let installed = pouchdb::install(cache).map_err(told)?;
    progress(&format!(
        "installed pouchdb-server in {} s",
        started.elapsed().as_secs()
    ));
    Ok(installed)
}

fn start_couchdb(run: &RunDir, installed: &Path) -> Result<Couchdb> {
    let upstream = free_port()?;
    let scratch = run.folder("pouchdb")?;
    let process = Process::spawn(
        run,
        "pouchdb-server",
        &pouchdb::command(installed, upstream, &scratch),
    )?;
    process.wait_ready(Duration::from_secs(120), || pouchdb::ready(upstream))?;
    let mut config = couchdb::Config::shared_cluster(upstream);
    config.port = free_port()?;
    let front = Front::start(config).map_err(told)?;
    couchdb::populate(&front).map_err(told)?;
    Ok(Couchdb {
        front,
        upstream,
        _process: process,
    })
}

fn told(error: anyhow::Error) -> Error {
    Error::Other(format!("{error:#}"))
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
