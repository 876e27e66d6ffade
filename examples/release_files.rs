//! Writes what a release's archive holds beside the binary: `cargo run --example release_files -- FOLDER [TARGET]`.
//!
//! `FOLDER/man` gets a page for each command, made from its help; `FOLDER/THIRD-PARTY.txt` the licences of the crates that the
//! binary for TARGET is built from, with their texts.

use clap::CommandFactory;
use kubectl_skvs::cli::Cli;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
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
    let all = |value: &'_ Value| value.as_array().cloned().unwrap_or_default();
    let packages: BTreeMap<&str, &Value> = metadata["packages"]
        .as_array()
        .ok_or("no packages")?
        .iter()
        .filter_map(|package| Some((package["id"].as_str()?, package)))
        .collect();
    let is_macro = |id: &str| {
        all(&packages[id]["targets"])
            .iter()
            .any(|t| all(&t["kind"]).contains(&"proc-macro".into()))
    };
    let nodes = all(&metadata["resolve"]["nodes"]);
    let depends = |id: &str| -> Vec<String> {
        let node = nodes.iter().find(|node| node["id"] == id);
        let deps = node.map(|node| all(&node["deps"])).unwrap_or_default();
        let is_linked = |dep: &Value| {
            all(&dep["dep_kinds"])
                .iter()
                .any(|kind| kind["kind"].is_null())
        };
        deps.iter()
            .filter(|dep| is_linked(dep))
            .filter_map(|dep| Some(dep["pkg"].as_str()?.to_owned()))
            .collect()
    };
    let own = packages.values().find(|p| p["name"] == "kubectl-skvs");
    let own = own
        .and_then(|p| p["id"].as_str())
        .ok_or("the package is not listed")?;
    let mut found = BTreeSet::new();
    let mut next = depends(own);
    while let Some(id) = next.pop() {
        if !is_macro(&id) && found.insert(id.clone()) {
            next.extend(depends(&id));
        }
    }
    let mut linked: Vec<&Value> = found.iter().map(|id| packages[id.as_str()]).collect();
    linked.sort_by_key(|p| (p["name"].to_string(), p["version"].to_string()));
    Ok(linked)
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
