//! A recording as a .tar.gz: the manifest and the answers, under one folder.
//!
//! Owns the archive's form, not where it goes.

use super::kept;
use super::manifest::{API_VERSION, FILE, KIND, Manifest};
use super::record::Recording;
use flate2::Compression;
use flate2::write::GzEncoder;
use k8s_openapi::jiff::Timestamp;
use std::io::{self, Write};

/// What a manifest says beside the requests, as it is known to the run: its texts are scrubbed when they are written.
#[derive(Clone, Debug)]
pub struct Capture {
    pub at: Timestamp,
    pub context: Option<String>,
    pub server: String,
    pub namespace: Option<String>,
    pub selector: String,
    pub names: Vec<String>,
}

/// Name of the folder in the archive: `skvs-bundle-20261124T010203Z`.
pub fn folder(at: Timestamp) -> String {
    format!("skvs-bundle-{}", at.strftime("%Y%m%dT%H%M%SZ"))
}

/// Writes the archive.
///
/// # Errors
/// The writer's own.
pub fn tar_gz<W: Write>(capture: &Capture, recording: Recording, out: W) -> io::Result<W> {
    let text = |text: &String| kept::text(text);
    let (requests, files) = recording.into_files();
    let manifest = Manifest {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        captured_at: capture.at,
        captured_by: concat!("kubectl-skvs ", env!("CARGO_PKG_VERSION")).to_owned(),
        context: capture.context.as_ref().map(text),
        server: Some(text(&capture.server)),
        namespace: capture.namespace.as_ref().map(text),
        selector: text(&capture.selector),
        names: capture.names.iter().map(text).collect(),
        requests,
    };
    let mut json = serde_json::to_vec_pretty(&manifest)?;
    json.push(b'\n');
    let folder = folder(manifest.captured_at);
    let seconds = u64::try_from(manifest.captured_at.as_second()).unwrap_or_default();
    let mut archive = tar::Builder::new(GzEncoder::new(out, Compression::default()));
    let all = std::iter::once((FILE.to_owned(), json)).chain(files);
    for (name, content) in all {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        // What it tells of a cluster is for its reader alone.
        header.set_mode(0o600);
        header.set_mtime(seconds);
        archive.append_data(&mut header, format!("{folder}/{name}"), content.as_slice())?;
    }
    archive.into_inner()?.finish()
}
