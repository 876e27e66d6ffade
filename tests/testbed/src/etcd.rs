//! The run's one etcd; each API server has a prefix of its own in it.

use std::{fs, process::Command};

use crate::{
    binaries::Binaries,
    cluster::{START, flag},
    error::{Context as _, Result},
    free_port, http,
    process::Process,
    run_dir::RunDir,
};

/// Starts etcd for a run and gives its client port.
pub(crate) fn start(run: &RunDir, binaries: &Binaries) -> Result<(Process, u16)> {
    let port = free_port()?;
    let client = format!("http://127.0.0.1:{port}");
    let data = run.path().join("etcd");
    let mut command = Command::new(binaries.path("etcd")?);
    command
        .arg(flag("--data-dir", &data))
        .args([
            "--listen-client-urls",
            &client,
            "--advertise-client-urls",
            &client,
        ])
        // Data of a run is thrown away with it.
        .args([
            "--listen-peer-urls",
            "http://127.0.0.1:0",
            "--unsafe-no-fsync",
        ]);
    let process = Process::spawn(run, "etcd", &command)?;
    process.wait_ready(START, || http::status(port, "/health") == Some(200))?;
    fs::metadata(&data).context(|| format!("read {}", data.display()))?;
    Ok((process, port))
}
