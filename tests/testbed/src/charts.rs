//! The Helm repository: the fixture chart, packaged and indexed by helm, served on loopback.

use std::process::Command;

use crate::{
    binaries::Binaries,
    error::{Context as _, Error, Result},
    http,
    run_dir::RunDir,
    toolchain,
};

/// The versions of the chart that the repository offers; both are the same chart.
const VERSIONS: [&str; 2] = ["0.1.2", "0.2.1"];

/// Packages and serves the chart; gives the repository's URL.
pub(crate) fn serve(run: &RunDir, binaries: &Binaries) -> Result<String> {
    let repository = run.folder("repository")?;
    let home = run.folder("home/helm")?;
    let chart = toolchain::sources()
        .join("chart")
        .join("secure-kvs-onboarding");
    let helm = |args: &[&str], last: &std::path::Path| -> Result<()> {
        let output = Command::new(binaries.path("helm")?)
            .args(args)
            .arg(last)
            .env("HOME", &home)
            .env_remove("KUBECONFIG")
            .output()
            .context(|| "run helm".to_owned())?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::Command {
            command: format!("helm {}", args.join(" ")),
            status: output.status.to_string(),
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    };
    let folder = repository.display().to_string();
    for version in VERSIONS {
        helm(
            &["package", "--version", version, "--destination", &folder],
            &chart,
        )?;
    }
    let port = http::serve_folder(repository.clone())?;
    let url = format!("http://127.0.0.1:{port}");
    helm(&["repo", "index", "--url", &url], &repository)?;
    Ok(url)
}
