//! The folder of one run, and the reaper that outlives the run to end its processes and remove the folder.
//!
//! Every process group that belongs to a run is a file `groups/<pgid>` in its folder. The reaper is a small shell that waits for the
//! end of a pipe whose other end only this process holds, so it comes to work after a normal end, a panic, Ctrl-C and `kill -9` alike.

use std::{
    fs::{self, DirBuilder},
    io::Write as _,
    os::unix::{fs::DirBuilderExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use crate::{
    error::{Context as _, Result},
    random,
};

/// Keeps the folder after the run when set to anything.
const KEEP: &str = "SKVS_TESTBED_KEEP";

// Groups are looked for more than once: a node that is just being killed may have started a container.
const REAPER: &str = r#"
trap '' HUP INT TERM
while read -r _; do :; done
for round in 1 2 3; do
  for file in "$1"/groups/*; do
    [ -e "$file" ] || continue
    kill -s KILL -- "-${file##*/}" 2>/dev/null
    rm -f "$file"
  done
  sleep 0.1
done
if [ -e "$1/keep" ]; then rm -rf "$1/groups" "$1/etcd"; else rm -rf "$1"; fi
"#;

/// A folder that only this user can read, with `log/` and `groups/`. Cloning shares it; the last one gone, it is cleared away.
#[derive(Clone, Debug)]
pub struct RunDir(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    reaper: Mutex<Child>,
}

impl RunDir {
    /// Makes the folder under the system's temporary folder and starts its reaper.
    pub fn create() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("skvs-testbed-{}", random::hex(6)));
        let mut private = DirBuilder::new();
        private.mode(0o700);
        for folder in [path.clone(), path.join("log"), path.join("groups")] {
            private
                .create(&folder)
                .context(|| format!("create {}", folder.display()))?;
        }
        // Its own group: a terminal's Ctrl-C must not reach it.
        let reaper = Command::new("/bin/sh")
            .args(["-c", REAPER, "reaper"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context(|| "start the reaper with /bin/sh".to_owned())?;
        let run = Self(Arc::new(Inner {
            path,
            reaper: Mutex::new(reaper),
        }));
        if std::env::var_os(KEEP).is_some() {
            run.keep();
        }
        Ok(run)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The log file of a process.
    pub fn log(&self, process: &str) -> PathBuf {
        self.0.path.join("log").join(format!("{process}.log"))
    }

    /// The folder of group files.
    pub(crate) fn groups(&self) -> PathBuf {
        self.0.path.join("groups")
    }

    /// A new folder in it.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.0.path.join(name);
        fs::create_dir_all(&path).context(|| format!("create {}", path.display()))?;
        Ok(path)
    }

    /// Writes a file in it and says where.
    pub fn write(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.0.path.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).context(|| format!("create {}", folder.display()))?;
        }
        fs::write(&path, content).context(|| format!("write {}", path.display()))?;
        Ok(path)
    }

    /// Leaves the folder in place after the run, for its logs.
    pub fn keep(&self) {
        // A marker that cannot be written only costs the logs.
        let _ = fs::write(self.0.path.join("keep"), "");
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let reaper = self
            .reaper
            .get_mut()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(mut pipe) = reaper.stdin.take() {
            let _ = pipe.flush();
        }
        let _ = reaper.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_goes_with_the_last_holder() {
        let run = RunDir::create().unwrap();
        let path = run.path().to_owned();
        run.write("a/b", "text").unwrap();
        let second = run.clone();
        drop(run);
        assert!(path.join("a/b").exists());
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn a_kept_folder_stays() {
        let run = RunDir::create().unwrap();
        let path = run.path().to_owned();
        run.keep();
        drop(run);
        assert!(path.join("log").is_dir());
        assert!(!path.join("groups").exists());
        fs::remove_dir_all(path).unwrap();
    }
}
