//! A release's archive as `krew/pack` makes it, and the krew manifest that names it: krew's own validator and installer take both,
//! and kubectl then finds the plugin.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
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
fn krew_validates_the_filled_manifest_and_installs_it_from_an_index() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    let here = here();
    let archives = folder.join("archives");
    fs::create_dir(&archives).expect("a folder");
    let files = release_files(folder);
    for platform in PLATFORMS {
        // The other platforms' binaries are not at hand.
        let binary = match platform == here {
            true => binary(),
            false => stand_in(folder, platform),
        };
        pack(platform, &binary, &files, &archives);
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
            .env("KREW_ROOT", &krew_root)
            // The public index is not at hand.
            .env("KREW_DEFAULT_INDEX_URI", folder.join("none"));
        ok(command)
    };
    let validator = programs.join("validate-krew-manifest");
    krew(Command::new(validator).arg("-manifest").arg(&manifest));
    // As docs/install.md says: from an index of one's own.
    let index = index(folder, &manifest);
    let kubectl = || Command::new(programs.join("kubectl"));
    krew(kubectl().args(["krew", "index", "add", "own"]).arg(&index));
    krew(kubectl().args(["krew", "install", "own/skvs"]));
    let version = krew(kubectl().args(["skvs", "version", "--client"]));
    assert_eq!(
        version,
        format!("Client Version: v{}\n", env!("CARGO_PKG_VERSION"))
    );
    // The caveat's link is the name by which kubectl asks for completion.
    let bin = krew_root.join("bin");
    symlink("kubectl-skvs", bin.join("kubectl_complete-skvs")).expect("a link");
    let completed = krew(kubectl().args(["__complete", "skvs", "troub"]));
    assert!(completed.starts_with("troubleshoot"), "{completed}");
}

/// Unpacked as root, an archive must neither leave files to another user nor close the folder that it is unpacked in.
#[test]
fn an_archive_is_roots_and_readable_by_all_and_has_no_entry_for_its_own_folder() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    let files = release_files(folder);
    fs::set_permissions(&files, PermissionsExt::from_mode(0o700)).expect("a mode");
    let binary = stand_in(folder, "linux-amd64");
    fs::set_permissions(
        binary.join("kubectl-skvs"),
        PermissionsExt::from_mode(0o600),
    )
    .expect("a mode, as a download leaves it");
    let packed = entries(&pack("linux-amd64", &binary, &files, folder));
    for name in [
        "kubectl-skvs",
        "LICENSE",
        "THIRD-PARTY.txt",
        "man/",
        "completions/",
    ] {
        assert!(
            packed.contains_key(name),
            "{name} is missing in {:?}",
            packed.keys()
        );
    }
    for (name, header) in &packed {
        assert!(!name.starts_with('.'), "{name}");
        let owner = (header.uid().ok(), header.gid().ok());
        assert_eq!(owner, (Some(0), Some(0)), "{name}");
        assert_eq!(header.username().ok().flatten().unwrap_or(""), "", "{name}");
        let is_run = name.ends_with('/')
            || name == "kubectl-skvs"
            || name.ends_with("/kubectl_complete-skvs");
        let mode = if is_run { 0o755 } else { 0o644 };
        assert_eq!(header.mode().expect("a mode"), mode, "{name}");
    }
}

/// nfpm runs in the unpacked archive: what its configuration names must be there, and what is there must be in the packages.
#[test]
fn the_packages_take_every_file_from_the_archive() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    let binary = stand_in(folder, "linux-amd64");
    let packed = entries(&pack(
        "linux-amd64",
        &binary,
        &release_files(folder),
        folder,
    ));
    let text = fs::read_to_string(format!("{ROOT}/.github/nfpm.yaml")).expect("the file");
    let nfpm: serde_json::Value = serde_saphyr::from_str(&text).expect("YAML");
    let contents = nfpm["contents"].as_array().expect("contents");
    let is_source_of = |source: &str, name: &str| match source.split_once('*') {
        Some((start, end)) => name.starts_with(start) && name.ends_with(end),
        None => source == name,
    };
    for packager in ["deb", "rpm"] {
        let sources: Vec<&str> = contents
            .iter()
            .filter(|content| content["packager"].is_null() || content["packager"] == packager)
            .map(|content| content["src"].as_str().expect("a src"))
            .collect();
        for source in &sources {
            let is_there = packed.keys().any(|name| is_source_of(source, name));
            assert!(is_there, "{source} is not in {:?}", packed.keys());
        }
        for name in packed.keys().filter(|name| !name.ends_with('/')) {
            // Packages have a link in the script's place.
            let is_taken = sources.iter().any(|source| is_source_of(source, name));
            let is_script = name == "completions/kubectl_complete-skvs";
            assert!(is_taken || is_script, "{name} is not in the {packager}");
        }
    }
}

/// The headers of an archive by name; a folder's ends with a slash.
fn entries(archive: &Path) -> BTreeMap<String, tar::Header> {
    let file = fs::File::open(archive).expect("the archive");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let entries = archive.entries().expect("a tar archive");
    let named = entries.map(|entry| {
        let entry = entry.expect("an entry");
        let name = String::from_utf8(entry.path_bytes().into_owned()).expect("UTF-8");
        (name, entry.header().clone())
    });
    named.collect()
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

/// This machine's platform, by krew's words.
fn here() -> String {
    let os = std::env::consts::OS.replace("macos", "darwin");
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{os}-{arch}")
}

/// The folder of the binary that cargo built for this test.
fn binary() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_kubectl-skvs"));
    binary.parent().expect("a folder").to_owned()
}

/// A folder with a small file under the binary's name.
fn stand_in(folder: &Path, platform: &str) -> PathBuf {
    let stand_in = folder.join(platform);
    fs::create_dir(&stand_in).expect("a folder");
    let name = match platform.starts_with("windows") {
        true => "kubectl-skvs.exe",
        false => "kubectl-skvs",
    };
    let script = format!("{ROOT}/completions/kubectl_complete-skvs");
    fs::copy(script, stand_in.join(name)).expect("the stand-in");
    stand_in
}

/// What the example writes for a release.
fn release_files(folder: &Path) -> PathBuf {
    let files = folder.join("files");
    let example = ["run", "--quiet", "--locked", "--example", "release_files"];
    ok(Command::new(env!("CARGO"))
        .current_dir(ROOT)
        .args(example)
        .arg("--")
        .arg(&files));
    files
}

fn pack(platform: &str, binary: &Path, files: &Path, archives: &Path) -> PathBuf {
    ok(Command::new(format!("{ROOT}/krew/pack"))
        .current_dir(archives)
        .env("GZIP", "-1")
        .arg(platform)
        .args([binary, files]));
    archives.join(format!("kubectl-skvs-{platform}.tar.gz"))
}

/// A Git repository that is a krew index with this manifest.
fn index(folder: &Path, manifest: &Path) -> PathBuf {
    let index = folder.join("index");
    fs::create_dir_all(index.join("plugins")).expect("a folder");
    fs::copy(manifest, index.join("plugins/skvs.yaml")).expect("the manifest");
    let author = ["-c", "user.name=t", "-c", "user.email=t@localhost"];
    for step in [
        &["init", "--quiet"][..],
        &["add", "."],
        &["commit", "--quiet", "-m", "skvs"],
    ] {
        ok(Command::new("git")
            .current_dir(&index)
            .args(author)
            .args(step));
    }
    index
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
        symlink(built, programs.join(name)).expect("a link");
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
