//! Builds the Go modules beside this crate into the user's cache folder, once for each content.
//!
//! A module's folder in the cache is named by a hash of all that goes into it; it appears whole or not at all, and a lock keeps two
//! processes from building at once.

use std::{
    env,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    time::Instant,
};

use ring::digest::{Context as Digest, SHA256};

use crate::{
    error::{Context as _, Error, Result},
    progress, random,
};

/// Versions that the programs report; without them kubectl calls itself v0.0.0.
const LDFLAGS: &str = "-s -w \
    -X k8s.io/component-base/version.gitVersion=v1.36.3 \
    -X k8s.io/component-base/version.gitMajor=1 \
    -X k8s.io/component-base/version.gitMinor=36";

/// One Go module of this crate and what it builds.
#[derive(Debug)]
pub(crate) struct Module {
    /// Its folder beside `src/`.
    pub(crate) folder: &'static str,
    /// What it is, for messages.
    pub(crate) title: &'static str,
    /// How long a first build takes on 2 cores.
    pub(crate) takes: &'static str,
    /// The package to build: `tool` for the module's own list.
    pub(crate) package: &'static str,
    /// Binaries that it makes.
    pub(crate) binaries: &'static [&'static str],
}

/// All of them.
pub(crate) const MODULES: [Module; 4] = [
    Module {
        folder: "controlplane",
        title: "the control plane (Kubernetes, etcd, Flux, Helm)",
        takes: "12 minutes and 9 GB of Go caches",
        package: "tool",
        binaries: &[
            "etcd",
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubectl",
            "source-controller",
            "helm-controller",
            "helm",
        ],
    },
    Module {
        folder: "node",
        title: "the node",
        takes: "3 minutes",
        package: ".",
        binaries: &["node"],
    },
    Module {
        folder: "krew",
        title: "krew",
        takes: "half a minute",
        package: "tool",
        binaries: &["krew", "validate-krew-manifest"],
    },
    Module {
        folder: "completion",
        title: "the completion of kubectl 1.32",
        takes: "a few seconds",
        package: ".",
        binaries: &["old-completion"],
    },
];

/// The folder of this crate's sources.
pub(crate) fn sources() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The user's cache folder of the testbed.
pub fn cache() -> Result<PathBuf> {
    let base = match (env::var_os("XDG_CACHE_HOME"), env::var_os("HOME")) {
        (Some(cache), _) if Path::new(&cache).is_absolute() => PathBuf::from(cache),
        (_, Some(home)) if cfg!(target_os = "macos") => PathBuf::from(home).join("Library/Caches"),
        (_, Some(home)) => PathBuf::from(home).join(".cache"),
        _ => {
            return Err(Error::Other(
                "neither XDG_CACHE_HOME nor HOME is set, so there is no cache folder".to_owned(),
            ));
        }
    };
    Ok(base.join("kubectl-skvs").join("testbed"))
}

/// The folder of a module's binaries, built now if it is not there.
pub(crate) fn ensure(module: &Module) -> Result<PathBuf> {
    let source = sources().join(module.folder);
    let version = go_version(&source)?;
    let cache = cache()?;
    let target = cache.join(format!(
        "{}-{}",
        module.folder,
        fingerprint(&source, &version)?
    ));
    if target.is_dir() {
        return Ok(target);
    }
    fs::create_dir_all(&cache).context(|| format!("create {}", cache.display()))?;
    let path = cache.join(format!("{}.lock", module.folder));
    let lock = File::create(&path).context(|| format!("create {}", path.display()))?;
    if lock.try_lock().is_err() {
        progress(&format!(
            "waiting for another process that builds {}",
            module.title
        ));
        lock.lock().context(|| format!("lock {}", path.display()))?;
    }
    // Another process may have built it while this one waited.
    if !target.is_dir() {
        build(module, &source, &cache, &target)?;
    }
    Ok(target)
}

fn build(module: &Module, source: &Path, cache: &Path, target: &Path) -> Result<()> {
    // What a killed build left; nobody else builds while the lock is held.
    let prefix = format!(".{}-", module.folder);
    for entry in fs::read_dir(cache)
        .context(|| format!("read {}", cache.display()))?
        .flatten()
    {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let unfinished = cache.join(format!("{prefix}{}", process::id()));
    fs::create_dir_all(&unfinished).context(|| format!("create {}", unfinished.display()))?;
    progress(&format!(
        "building {}, once: about {} on 2 cores when nothing is cached yet",
        module.title, module.takes
    ));
    let started = Instant::now();
    let mut out = unfinished.clone().into_os_string();
    out.push("/");
    let status = Command::new("go")
        .args(["build", "-ldflags", LDFLAGS, "-o"])
        .arg(out)
        .arg(module.package)
        .current_dir(source)
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .status()
        .map_err(no_go)?;
    if !status.success() {
        return Err(Error::Command {
            command: format!("go build in {}", source.display()),
            status: status.to_string(),
            output: "its messages are above".to_owned(),
        });
    }
    // etcd's package is named server.
    if module.binaries.contains(&"etcd") {
        fs::rename(unfinished.join("server"), unfinished.join("etcd"))
            .context(|| "rename server to etcd".to_owned())?;
    }
    if let Some(missing) = module
        .binaries
        .iter()
        .find(|name| !unfinished.join(name).is_file())
    {
        return Err(Error::Other(format!(
            "go build in {} made no {missing}",
            source.display()
        )));
    }
    fs::rename(&unfinished, target).context(|| format!("create {}", target.display()))?;
    progress(&format!(
        "built {} in {} s",
        module.title,
        started.elapsed().as_secs()
    ));
    Ok(())
}

/// The toolchain that this module's go.mod selects.
fn go_version(source: &Path) -> Result<String> {
    let output = Command::new("go")
        .args(["env", "GOVERSION", "GOOS", "GOARCH"])
        .current_dir(source)
        .stdin(Stdio::null())
        .output()
        .map_err(no_go)?;
    if !output.status.success() {
        return Err(Error::Command {
            command: "go env".to_owned(),
            status: output.status.to_string(),
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether Go is there.
pub(crate) fn check() -> Result<()> {
    go_version(&sources().join(MODULES[0].folder)).map(drop)
}

/// Whether a program is in a folder of PATH.
pub(crate) fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn no_go(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound {
        return Error::MissingTool {
            tool: "the Go toolchain (go)".to_owned(),
            hint: "the control plane is built from source; install Go 1.26 or newer from https://go.dev/dl and run this again"
                .to_owned(),
        };
    }
    Error::Io {
        what: "run go".to_owned(),
        source: error,
    }
}

/// A hash of all that decides what a build gives: toolchain, flags, module files and sources.
fn fingerprint(source: &Path, version: &str) -> Result<String> {
    let mut names: Vec<PathBuf> = fs::read_dir(source)
        .context(|| format!("read {}", source.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension().is_some_and(|extension| {
                ["go", "mod", "sum"].iter().any(|known| extension == *known)
            })
        })
        .collect();
    names.sort();
    let mut digest = Digest::new(&SHA256);
    let mut feed = |part: &[u8]| {
        digest.update(&(part.len() as u64).to_le_bytes());
        digest.update(part);
    };
    feed(version.as_bytes());
    feed(LDFLAGS.as_bytes());
    for path in names {
        feed(path.file_name().unwrap_or_default().as_encoded_bytes());
        feed(&fs::read(&path).context(|| format!("read {}", path.display()))?);
    }
    Ok(random::encode(&digest.finish().as_ref()[..8]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_follows_every_source_and_nothing_else() {
        let run = crate::RunDir::create().unwrap();
        run.write("m/go.mod", "module m\n").unwrap();
        run.write("m/main.go", "package main\n").unwrap();
        let folder = run.path().join("m");
        let first = fingerprint(&folder, "go1").unwrap();
        run.write("m/README.md", "text").unwrap();
        assert_eq!(fingerprint(&folder, "go1").unwrap(), first);
        assert_ne!(fingerprint(&folder, "go2").unwrap(), first);
        run.write("m/main.go", "package main // edited\n").unwrap();
        assert_ne!(fingerprint(&folder, "go1").unwrap(), first);
    }

    #[test]
    fn every_module_is_in_the_source_tree() {
        for module in &MODULES {
            assert!(
                sources().join(module.folder).join("go.mod").is_file(),
                "{}",
                module.folder
            );
        }
    }
}
