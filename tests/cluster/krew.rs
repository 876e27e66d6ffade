//! The krew manifest as a release fills it: krew's own validator and installer take it, and kubectl then finds the plugin.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;
use testbed::{Binaries, serve_folder};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PLATFORMS: [&str; 5] = [
    "linux-amd64",
    "linux-arm64",
    "darwin-amd64",
    "darwin-arm64",
    "windows-amd64",
];

#[test]
fn krew_validates_and_installs_the_filled_manifest() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    let (os, arch) = (
        std::env::consts::OS.replace("macos", "darwin"),
        match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        },
    );
    let here = format!("{os}-{arch}");
    let archives = folder.join("archives");
    for platform in PLATFORMS {
        archive(&archives, platform, platform == here);
    }
    let port = serve_folder(archives.clone()).expect("the archives are served");
    let filled = ok(Command::new(format!("{ROOT}/krew/fill"))
        .args(["v0.1.0", &format!("http://127.0.0.1:{port}")])
        .arg(&archives));
    for left in ["URL_", "SHA256_", "VERSION", "#"] {
        assert!(!filled.contains(left), "{left} is left in\n{filled}");
    }
    let manifest = folder.join("skvs.yaml");
    fs::write(&manifest, filled).expect("the manifest is written");

    let programs = programs(folder);
    let krew_root = folder.join("krew");
    let krew = |command: &mut Command| {
        let path = format!(
            "{}:{}:/usr/bin:/bin",
            krew_root.join("bin").display(),
            programs.display()
        );
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", folder)
            .env("KREW_ROOT", &krew_root);
        ok(command)
    };
    let validator = programs.join("validate-krew-manifest");
    krew(Command::new(validator).arg("-manifest").arg(&manifest));
    krew(
        Command::new(programs.join("kubectl"))
            .args(["krew", "install"])
            .arg(format!("--manifest={}", manifest.display()))
            .arg(format!(
                "--archive={}",
                archives
                    .join(format!("kubectl-skvs-{here}.tar.gz"))
                    .display()
            )),
    );
    let version =
        krew(Command::new(programs.join("kubectl")).args(["skvs", "version", "--client"]));
    assert_eq!(
        version,
        format!("Client Version: v{}\n", env!("CARGO_PKG_VERSION"))
    );
    // The caveat's link is the name by which kubectl asks for completion.
    let bin = krew_root.join("bin");
    std::os::unix::fs::symlink("kubectl-skvs", bin.join("kubectl_complete-skvs")).expect("a link");
    let completed =
        krew(Command::new(programs.join("kubectl")).args(["__complete", "skvs", "troub"]));
    assert!(completed.starts_with("troubleshoot"), "{completed}");
}

#[test]
fn a_version_without_its_v_is_refused() {
    let output = Command::new(format!("{ROOT}/krew/fill"))
        .args(["0.1.0", "http://127.0.0.1", "."])
        .output()
        .expect("the script runs");
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        stderr,
        "krew/fill: VERSION must look like v1.2.3, not 0.1.0: krew requires the v\n"
    );
}

/// Every command is in the description, so that `krew info` shows what the plugin does.
#[test]
fn the_template_names_every_command() {
    let template = fs::read_to_string(format!("{ROOT}/krew/skvs.yaml")).expect("the template");
    let (_, description) = template
        .split_once("description: |")
        .expect("a description");
    let words = |text: &str| -> Vec<String> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        text.split(|c| !is_word(c)).map(str::to_owned).collect()
    };
    let named = words(description);
    let command = <kubectl_skvs::cli::Cli as clap::CommandFactory>::command();
    for sub in command.get_subcommands() {
        assert!(
            named.contains(&sub.get_name().to_owned()),
            "{} is not named",
            sub.get_name()
        );
    }
}

/// The short description fits the place that `krew search` has for it.
#[test]
fn the_template_keeps_krews_lengths() {
    let template = fs::read_to_string(format!("{ROOT}/krew/skvs.yaml")).expect("the template");
    let short = template
        .lines()
        .find_map(|l| l.trim().strip_prefix("shortDescription: "))
        .expect("a short description");
    assert!(short.len() <= 50, "{short}");
    for line in template.lines().filter(|l| !l.starts_with('#')) {
        assert!(line.len() <= 80, "{line}");
    }
}

/// An archive as a release makes it. Only this host's platform holds the real binary; there is no other at hand.
fn archive(archives: &Path, platform: &str, real: bool) {
    let staged = archives.join(platform);
    fs::create_dir_all(&staged).expect("a folder");
    fs::copy(format!("{ROOT}/LICENSE"), staged.join("LICENSE")).expect("the licence");
    let name = if platform.starts_with("windows") {
        "kubectl-skvs.exe"
    } else {
        "kubectl-skvs"
    };
    let source = match real {
        true => env!("CARGO_BIN_EXE_kubectl-skvs").to_owned(),
        false => format!("{ROOT}/completions/kubectl_complete-skvs"),
    };
    fs::copy(source, staged.join(name)).expect("the binary");
    ok(Command::new("tar")
        .env("GZIP", "-1")
        .arg("-czf")
        .arg(archives.join(format!("kubectl-skvs-{platform}.tar.gz")))
        .arg("-C")
        .arg(&staged)
        .args(["LICENSE", name]));
}

/// A folder with kubectl, the validator and krew under the names that they call each other by.
fn programs(folder: &Path) -> PathBuf {
    let programs = folder.join("programs");
    fs::create_dir_all(&programs).expect("a folder");
    let binaries = Binaries::from_env();
    for (built, name) in [
        ("kubectl", "kubectl"),
        ("krew", "kubectl-krew"),
        ("validate-krew-manifest", "validate-krew-manifest"),
    ] {
        let built = binaries.path(built).expect("the program");
        std::os::unix::fs::symlink(built, programs.join(name)).expect("a link");
    }
    programs
}

#[track_caller]
fn ok(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        status.success(),
        "{command:?}: {status}\n{}{}",
        text(&stdout),
        text(&stderr)
    );
    text(&stdout)
}
