//! A whole run: which parts it starts, in which order, and how they are reached.

use std::{
    ops::Deref,
    sync::{Arc, OnceLock},
};

use crate::{
    binaries::Binaries,
    cluster::{self, Cluster, Site, Tls},
    error::Result,
    pki::Authority,
    process::Process,
    run_dir::RunDir,
};

/// What a sandbox consists of.
#[derive(Clone, Debug)]
pub struct Options {
    /// Controllers, Flux, the node, CouchDB and the seeded onboardings; without them it is an API server with the CRDs.
    pub controllers: bool,
}

impl Options {
    /// Everything.
    pub fn full() -> Self {
        Self { controllers: true }
    }

    /// etcd, the API server and the CRDs: about 6 s.
    pub fn bare() -> Self {
        Self { controllers: false }
    }
}

/// A running control plane. Its methods are those of [`Cluster`]; dropping it ends every process and removes its folder.
#[derive(Debug)]
pub struct Sandbox {
    cluster: Cluster,
    _etcd: Process,
}

impl Deref for Sandbox {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.cluster
    }
}

impl Sandbox {
    /// Brings it up and returns when it is ready.
    pub fn start(options: &Options) -> Result<Self> {
        let run = RunDir::create()?;
        let binaries = Arc::new(Binaries::from_env());
        let authority = Arc::new(Authority::new()?);
        let tls = Tls::write(&run, &authority)?;
        let (etcd, port) = cluster::start_etcd(&run, &binaries)?;
        let site = Site {
            run,
            binaries,
            authority,
            etcd: port,
            tls,
        };
        let cluster = Cluster::start(&site, "sandbox", options.controllers)?;
        cluster.load_crds(&["flux", "istio"])?;
        Ok(Self {
            cluster,
            _etcd: etcd,
        })
    }

    /// The one full sandbox of this process, started by the first caller while others wait.
    ///
    /// # Panics
    /// With the reason, when it cannot be started; the start is not tried again.
    pub fn shared() -> &'static Sandbox {
        static SHARED: OnceLock<std::result::Result<Sandbox, String>> = OnceLock::new();
        match SHARED
            .get_or_init(|| Sandbox::start(&Options::full()).map_err(|error| error.to_string()))
        {
            Ok(sandbox) => sandbox,
            Err(error) => panic!("the sandbox did not start: {error}"),
        }
    }
}
