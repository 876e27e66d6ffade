//! The Helm repositories: the fixture chart and its variants, packaged and indexed by helm, served on loopback.

use std::{fs, path::Path, process::Command};

use crate::{
    binaries::Binaries,
    error::{Context as _, Error, Result},
    http,
    run_dir::RunDir,
    toolchain,
};

/// The versions of the chart that the repository offers; both are the same chart.
const VERSIONS: [&str; 2] = ["0.1.2", "0.2.1"];

const CHART: &str = "secure-kvs-onboarding";

/// Packages and serves the chart; gives the repository's URL.
pub(crate) fn serve(run: &RunDir, binaries: &Binaries) -> Result<String> {
    let chart = toolchain::sources().join("chart").join(CHART);
    serve_as(run, binaries, "repository", &chart, &VERSIONS)
}

/// The same for the chart with the files of `overlay` beside or over its own.
pub(crate) fn serve_variant(
    run: &RunDir,
    binaries: &Binaries,
    overlay: &Path,
    version: &str,
) -> Result<String> {
    let chart = run.folder(&format!("variants/{version}/{CHART}"))?;
    copy(&toolchain::sources().join("chart").join(CHART), &chart)?;
    copy(overlay, &chart)?;
    let folder = format!("variants/{version}/repository");
    serve_as(run, binaries, &folder, &chart, &[version])
}

fn serve_as(
    run: &RunDir,
    binaries: &Binaries,
    folder: &str,
    chart: &Path,
    versions: &[&str],
) -> Result<String> {
    let repository = run.folder(folder)?;
    let home = run.folder("home/helm")?;
    let helm = |args: &[&str], last: &Path| -> Result<()> {
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
    for version in versions {
        helm(
            &["package", "--version", version, "--destination", &folder],
            chart,
        )?;
    }
    let port = http::serve_folder(repository.clone())?;
    let url = format!("http://127.0.0.1:{port}");
    helm(&["repo", "index", "--url", &url], &repository)?;
    Ok(url)
}

/// Copies what is in `from` into `to`, over what is there.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let what = || format!("copy {}", from.display());
    fs::create_dir_all(to).context(what)?;
    for entry in fs::read_dir(from).context(what)? {
        let entry = entry.context(what)?;
        let target = to.join(entry.file_name());
        if entry.file_type().context(what)?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target).context(what)?;
        }
    }
    Ok(())
}
