//! The programs of the sandbox's PATH: the plugin from this workspace, kubectl and helm.

use std::{
    env,
    ffi::{OsStr, OsString},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use testbed::{Error, Result, Sandbox};

const PLUGIN: &str = "kubectl-skvs";

/// Builds the plugin beside this program and gives its path.
pub(crate) fn build_plugin() -> Result<PathBuf> {
    let here = env::current_exe().map_err(|error| failed("find this program", &error))?;
    let folder = here
        .parent()
        .ok_or_else(|| Error::Other("this program has no folder".to_owned()))?;
    let plugin = folder.join(PLUGIN);
    let first = !plugin.exists();
    if first {
        eprintln!("sandbox: building {PLUGIN} with cargo");
    }
    let started = Instant::now();
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Without --package, as in the alias that built this program: of the same features.
    command.args(["build", "--locked", "--quiet", "--bin", PLUGIN]);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    // The manifest of the workspace, two folders above this crate's.
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let status = command
        .arg("--manifest-path")
        .arg(manifest)
        .stdin(Stdio::null())
        .status()
        .map_err(|error| failed("run cargo", &error))?;
    if !status.success() {
        return Err(Error::Other(format!(
            "cargo could not build {PLUGIN}; its messages are above"
        )));
    }
    if first {
        let seconds = started.elapsed().as_secs();
        eprintln!("sandbox: built {PLUGIN} in {seconds} s");
    }
    if plugin.is_file() {
        Ok(plugin)
    } else {
        Err(Error::Other(format!("cargo built no {}", plugin.display())))
    }
}

/// Makes the run's folder of programs and gives a PATH that starts with it.
pub(crate) fn link(sandbox: &Sandbox, plugin: &Path) -> Result<OsString> {
    let folder = sandbox.run_dir().join("bin");
    std::fs::create_dir_all(&folder)
        .map_err(|error| failed(&format!("create {}", folder.display()), &error))?;
    let programs = [
        (PLUGIN, plugin.to_owned()),
        // The name under which kubectl asks for completion.
        ("kubectl_complete-skvs", plugin.to_owned()),
        ("kubectl", sandbox.bin("kubectl")),
        ("helm", sandbox.bin("helm")),
    ];
    for (name, target) in programs {
        symlink(&target, folder.join(name))
            .map_err(|error| failed(&format!("link {name}"), &error))?;
    }
    let rest = env::var_os("PATH").unwrap_or_default();
    env::join_paths(std::iter::once(folder).chain(env::split_paths(&rest)))
        .map_err(|error| Error::Other(format!("extend PATH: {error}")))
}

/// A command in the sandbox, with this terminal's streams.
pub(crate) fn command(sandbox: &Sandbox, path: &OsStr, program: impl AsRef<OsStr>) -> Command {
    let program = program.as_ref();
    // PATH of the child does not decide where the child itself is looked up.
    let found = env::split_paths(path)
        .map(|folder| folder.join(program))
        .find(|candidate| {
            program.as_encoded_bytes().iter().all(|byte| *byte != b'/') && candidate.is_file()
        });
    let mut command = Command::new(found.as_deref().map_or(program, Path::as_os_str));
    command
        .env("PATH", path)
        .env("KUBECONFIG", sandbox.kubeconfig())
        // What kubectl remembers of a server must not outlive it.
        .env("KUBECACHEDIR", sandbox.run_dir().join("kube-cache"));
    command
}

pub(crate) fn failed(what: &str, error: &dyn std::fmt::Display) -> Error {
    Error::Other(format!("{what}: {error}"))
}
