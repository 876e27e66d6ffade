//! Writes what a release's archive holds beside the binary: `cargo run --example release_files -- FOLDER [TARGET]`.
//!
//! `FOLDER/man` gets a page for each command, made from its help; `FOLDER/THIRD-PARTY.txt` the licences of the crates that the
//! binary for TARGET is built from, with their texts.

use clap::CommandFactory;
use kubectl_skvs::cli::Cli;
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args_os().skip(1).map(PathBuf::from);
    let folder = args.next().ok_or("usage: release_files FOLDER [TARGET]")?;
    let target = args.next();
    fs::create_dir_all(folder.join("man"))?;
    write_man_pages(&folder.join("man"))?;
    let metadata = metadata(target.as_deref())?;
    fs::write(folder.join("THIRD-PARTY.txt"), third_party(&metadata)?)?;
    Ok(())
}

/// One page for each command, by the name that kubectl gives it: `kubectl-skvs-list.1`.
fn write_man_pages(folder: &Path) -> Result<(), Box<dyn Error>> {
    let command = Cli::command().name("kubectl-skvs").bin_name("kubectl-skvs");
    clap_mangen::generate_to(command, folder)?;
    Ok(())
}

/// What cargo knows of the crates.
fn metadata(target: Option<&Path>) -> Result<Value, Box<dyn Error>> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["metadata", "--format-version=1", "--locked"]);
    cargo.args([
        "--manifest-path",
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
    ]);
    if let Some(target) = target {
        cargo.arg("--filter-platform").arg(target);
    }
    let output = cargo.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Every crate that is linked into the binary, and each licence text once with the crates that have it.
fn third_party(metadata: &Value) -> Result<String, Box<dyn Error>> {
    let mut list = String::from("kubectl-skvs is built from these crates:\n\n");
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in linked(metadata)? {
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let name = format!("{} {}", text("name"), text("version"));
        writeln!(list, "{name}: {}, {}", text("license"), text("repository"))?;
        let folder = Path::new(text("manifest_path")).parent();
        let mut has_text = false;
        for file in licence_files(folder.ok_or("a manifest without a folder")?)? {
            let licence = fs::read_to_string(&file)?.replace("\r\n", "\n");
            texts.entry(licence).or_default().push(name.clone());
            has_text = true;
        }
        if !has_text {
            // Their licence asks for its text or a link to it.
            writeln!(
                list,
                "    (its package holds no text of the licence; see the repository)"
            )?;
        }
    }
    for (text, names) in texts {
        let line = "-".repeat(80);
        write!(
            list,
            "\n{line}\n{}\n{line}\n\n{}\n",
            names.join(", "),
            text.trim_end()
        )?;
    }
    Ok(list)
}

/// The packages that the binary links: neither build scripts' nor procedural macros', and not our own.
fn linked(metadata: &Value) -> Result<Vec<&Value>, Box<dyn Error>> {
    let packages = by_id(&metadata["packages"]).ok_or("cargo lists no packages")?;
    let nodes = by_id(&metadata["resolve"]["nodes"]).ok_or("cargo resolved no packages")?;
    let own = packages.values().find(|p| p["name"] == "kubectl-skvs");
    let own = own.ok_or("the package is not listed")?;
    let mut found: BTreeMap<&str, &Value> = BTreeMap::new();
    let mut next = vec![*own];
    while let Some(package) = next.pop() {
        let id = package["id"].as_str().ok_or("a package without an id")?;
        let node = nodes
            .get(id)
            .ok_or_else(|| format!("{id} is not resolved"))?;
        for dep in items(&node["deps"]) {
            let id = dep["pkg"].as_str().ok_or("a dependency without an id")?;
            let package = packages
                .get(id)
                .ok_or_else(|| format!("{id} is not listed"))?;
            let is_linked = items(&dep["dep_kinds"]).any(|kind| kind["kind"].is_null());
            if is_linked && !is_macro(package) && found.insert(id, package).is_none() {
                next.push(package);
            }
        }
    }
    let mut linked: Vec<&Value> = found.into_values().collect();
    linked.sort_by_key(|p| (p["name"].as_str(), p["version"].as_str()));
    Ok(linked)
}

/// Packages or nodes by their id.
fn by_id(list: &Value) -> Option<BTreeMap<&str, &Value>> {
    let items = list.as_array()?.iter();
    items
        .map(|item| Some((item["id"].as_str()?, item)))
        .collect()
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn is_macro(package: &Value) -> bool {
    items(&package["targets"])
        .flat_map(|target| items(&target["kind"]))
        .any(|kind| kind == "proc-macro")
}

/// Files with a licence's text, by the names that crates give them.
fn licence_files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"];
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_ascii_uppercase();
        if entry.file_type()?.is_file() && NAMES.iter().any(|start| name.starts_with(start)) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}
