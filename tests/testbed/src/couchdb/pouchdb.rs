//! pouchdb-server: its installation from the pinned lock file, its command, its readiness.
//!
//! It must never get admins (it crashes on the first unauthorised PUT); the front asks for credentials instead.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

const PACKAGE: &str = include_str!("../../pouchdb/package.json");
const LOCK: &str = include_str!("../../pouchdb/package-lock.json");
const SERVER: &str = "node_modules/pouchdb-server/bin/pouchdb-server";

/// The folder below `cache` (the testbed's) that holds, or will hold, what the lock file pins.
pub fn folder(cache: &Path) -> PathBuf {
    cache.join(format!("pouchdb-{:016x}", fingerprint(&[PACKAGE, LOCK])))
}

/// Installs what the lock file pins with `npm ci`, once: up to two minutes. Returns the folder.
///
/// It becomes visible whole or not at all; a lock keeps two from installing at once.
pub fn install(cache: &Path) -> Result<PathBuf> {
    let folder = folder(cache);
    if folder.is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(cache).with_context(|| format!("{} cannot be made", cache.display()))?;
    let path = cache.join("pouchdb.lock");
    let lock = File::create(&path).with_context(|| format!("{} cannot be made", path.display()))?;
    lock.lock()
        .with_context(|| format!("{} cannot be locked", path.display()))?;
    // Another may have installed it while this one waited.
    if folder.is_dir() {
        return Ok(folder);
    }
    // What a killed installation left goes first; nobody else installs while the lock is held.
    let building = cache.join(".pouchdb-building");
    let _ = fs::remove_dir_all(&building);
    fs::create_dir_all(&building)
        .with_context(|| format!("{} cannot be made", building.display()))?;
    fs::write(building.join("package.json"), PACKAGE)?;
    fs::write(building.join("package-lock.json"), LOCK)?;
    let run = Command::new("npm")
        .args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ])
        .current_dir(&building)
        .stdin(Stdio::null())
        .output()
        .context("npm cannot be run")?;
    ensure!(
        run.status.success(),
        "npm ci failed in {}:\n{}",
        building.display(),
        String::from_utf8_lossy(&run.stderr).trim_end()
    );
    ensure!(
        building.join(SERVER).is_file(),
        "npm ci in {} made no {SERVER}",
        building.display()
    );
    fs::rename(&building, &folder)
        .with_context(|| format!("{} cannot be moved into place", building.display()))?;
    Ok(folder)
}

/// The command of a server in memory on 127.0.0.1. Its working folder must be a scratch one: it writes there.
pub fn command(installed: &Path, port: u16, scratch: &Path) -> Command {
    let mut command = Command::new("node");
    command
        // A replication that fails rejects a promise that nobody handles, which would end the server.
        .arg("--unhandled-rejections=warn")
        .arg(installed.join(SERVER))
        .args([
            "--in-memory",
            "--host",
            "127.0.0.1",
            "--port",
            &port.to_string(),
        ])
        .current_dir(scratch)
        // Uploads go through files that it leaves behind.
        .env("TMPDIR", scratch)
        .stdin(Stdio::null());
    command
}

/// Whether a server answers on that port.
pub fn ready(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.contains("\"express-pouchdb\""))
}

/// FNV-1a over the parts: names a folder by its content.
fn fingerprint(parts: &[&str]) -> u64 {
    parts
        .iter()
        .flat_map(|p| p.bytes().chain([0]))
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_changes_with_the_content() {
        assert_ne!(fingerprint(&["a", "b"]), fingerprint(&["a", "c"]));
        assert_ne!(fingerprint(&["ab", "c"]), fingerprint(&["a", "bc"]));
    }

    #[test]
    fn the_server_is_pinned() {
        let lock: serde_json::Value = serde_json::from_str(LOCK).unwrap();
        assert_eq!(
            lock["packages"]["node_modules/pouchdb-server"]["version"],
            "4.2.0"
        );
    }
}
