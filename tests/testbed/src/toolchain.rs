//! Builds the recipes into the user's cache folder, once for each content.
//!
//! A recipe's folder in the cache is named by a hash of all that goes into it; it appears whole or not at all, and a lock keeps two
//! processes from compiling the same packages at once.

use std::{
    env,
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{self, ChildStderr, Command, ExitStatus, Stdio},
    thread,
    time::Instant,
};

use ring::digest::{Context as Digest, SHA256};

use crate::{
    error::{Context as _, Error, Result},
    poll::PAUSE,
    progress, random,
    recipe::{ENVIRONMENT, FLAGS, Program, RECIPES, Recipe},
};

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

/// The folder of a recipe's programs, built now if it is not there.
pub(crate) fn ensure(recipe: &Recipe) -> Result<PathBuf> {
    let source = sources().join(recipe.module);
    let version = go_version(&source)?;
    let cache = cache()?;
    let target = cache.join(format!(
        "{}-{}",
        recipe.name,
        fingerprint(recipe, &source, &version)?
    ));
    if target.is_dir() {
        return Ok(target);
    }
    fs::create_dir_all(&cache).context(|| format!("create {}", cache.display()))?;
    let path = cache.join(format!("{}.lock", recipe.module));
    let lock = File::create(&path).context(|| format!("create {}", path.display()))?;
    if lock.try_lock().is_err() {
        progress(&format!(
            "waiting for another process that builds {}",
            recipe.title
        ));
        lock.lock().context(|| format!("lock {}", path.display()))?;
    }
    // Another process may have built it while this one waited.
    if !target.is_dir() {
        build(recipe, &source, &cache, &target)?;
    }
    Ok(target)
}

fn build(recipe: &Recipe, source: &Path, cache: &Path, target: &Path) -> Result<()> {
    // What a killed build left; nobody else builds while the lock is held.
    let prefix = format!(".{}-", recipe.name);
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
        recipe.title, recipe.takes
    ));
    let started = Instant::now();
    let status = compile(recipe, source, &unfinished)?;
    if !status.success() {
        return Err(Error::Command {
            command: format!("go build in {}", source.display()),
            status: status.to_string(),
            output: "its messages are above".to_owned(),
        });
    }
    for program in recipe.programs {
        let (built, name) = (program.built_as(), program.name);
        if !unfinished.join(built).is_file() {
            return Err(Error::Other(format!(
                "go build in {} made no {built}",
                source.display()
            )));
        }
        if built != name {
            fs::rename(unfinished.join(built), unfinished.join(name))
                .context(|| format!("rename {built} to {name}"))?;
        }
    }
    fs::rename(&unfinished, target).context(|| format!("create {}", target.display()))?;
    progress(&format!(
        "built {} in {} s",
        recipe.title,
        started.elapsed().as_secs()
    ));
    Ok(())
}

/// Runs `go build` and says which programs are there while it runs.
fn compile(recipe: &Recipe, source: &Path, into: &Path) -> Result<ExitStatus> {
    let started = Instant::now();
    let mut out = into.as_os_str().to_owned();
    out.push("/");
    let mut go = Command::new("go")
        .arg("build")
        .args(FLAGS)
        .arg("-o")
        .arg(out)
        .args(recipe.programs.iter().map(|program| program.package))
        .envs(ENVIRONMENT)
        .current_dir(source)
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(no_go)?;
    let messages = go.stderr.take();
    thread::scope(|scope| {
        scope.spawn(|| pass_on(messages));
        let mut awaited: Vec<&Program> = recipe.programs.iter().collect();
        loop {
            let ended = go.try_wait().context(|| "wait for go".to_owned())?;
            awaited.retain(|program| {
                let there = into.join(program.built_as()).is_file();
                // One program alone needs no line beside that of its recipe.
                if there && recipe.programs.len() > 1 {
                    let seconds = started.elapsed().as_secs();
                    progress(&format!("  {} after {seconds} s", program.name));
                }
                !there
            });
            match ended {
                Some(status) => return Ok(status),
                None => thread::sleep(PAUSE),
            }
        }
    })
}

/// Shows what go says, and one line in the place of one for each module that it fetches.
fn pass_on(messages: Option<ChildStderr>) {
    let mut fetching = false;
    for line in messages
        .into_iter()
        .flat_map(|messages| BufReader::new(messages).lines().map_while(io::Result::ok))
    {
        if !line.starts_with("go: downloading ") {
            let _ = writeln!(io::stderr(), "{line}");
        } else if !fetching {
            fetching = true;
            progress("  fetching Go modules");
        }
    }
}

/// The toolchain that a module's go.mod selects.
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
    go_version(&sources().join(RECIPES[0].module)).map(drop)
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

/// A hash of all that decides what a build gives: toolchain, flags, packages, the module's files and the sources that are here.
fn fingerprint(recipe: &Recipe, source: &Path, version: &str) -> Result<String> {
    let mut files = files(source, &["mod", "sum"])?;
    let mut digest = Digest::new(&SHA256);
    let mut feed = |part: &[u8]| {
        digest.update(&(part.len() as u64).to_le_bytes());
        digest.update(part);
    };
    feed(version.as_bytes());
    for flag in FLAGS {
        feed(flag.as_bytes());
    }
    for (variable, value) in ENVIRONMENT {
        feed(variable.as_bytes());
        feed(value.as_bytes());
    }
    for program in recipe.programs {
        feed(program.package.as_bytes());
        if program.package.starts_with('.') {
            files.extend(self::files(&source.join(program.package), &["go"])?);
        }
    }
    for path in files {
        feed(path.file_name().unwrap_or_default().as_encoded_bytes());
        feed(&fs::read(&path).context(|| format!("read {}", path.display()))?);
    }
    Ok(random::encode(&digest.finish().as_ref()[..8]))
}

/// A folder's files with one of these extensions.
fn files(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .context(|| format!("read {}", folder.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extensions.iter().any(|known| extension == *known))
        })
        .collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_follows_every_source_and_nothing_else() {
        let recipe = |package| Recipe {
            name: "r",
            module: "m",
            title: "a program",
            takes: "a second",
            programs: Box::leak(Box::new([Program { name: "p", package }])),
        };
        let (here, elsewhere) = (recipe("./p"), recipe("example.org/p"));
        let run = crate::RunDir::create().unwrap();
        run.write("m/go.mod", "module m\n").unwrap();
        run.write("m/p/main.go", "package main\n").unwrap();
        let folder = run.path().join("m");
        let of = |recipe: &Recipe| fingerprint(recipe, &folder, "go1").unwrap();
        let (first, other) = (of(&here), of(&elsewhere));
        assert_ne!(first, other);
        run.write("m/p/README.md", "text").unwrap();
        assert_eq!(of(&here), first);
        assert_ne!(fingerprint(&here, &folder, "go2").unwrap(), first);
        run.write("m/p/main.go", "package main // edited\n")
            .unwrap();
        assert_ne!(of(&here), first);
        assert_eq!(of(&elsewhere), other);
        run.write("m/go.mod", "module m // edited\n").unwrap();
        assert_ne!(of(&elsewhere), other);
    }

    #[test]
    fn every_recipe_has_its_module_and_its_sources() {
        for recipe in &RECIPES {
            let module = sources().join(recipe.module);
            assert!(module.join("go.mod").is_file(), "{}", recipe.name);
            for program in recipe.programs {
                let here = program.package.starts_with('.');
                assert!(
                    !here || module.join(program.package).join("main.go").is_file(),
                    "{}",
                    program.name
                );
            }
        }
    }
}
