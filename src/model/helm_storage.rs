//! Helm's release storage: a Secret's payload to a release, of Helm 3 and Helm 4.
//!
//! Owns the decoding (two base64 layers, gzip or not) with a cap on what is unpacked: a few kilobytes can unpack to gigabytes.
//! Values, manifests and notes in a release can hold secrets; this file prints nothing.

use super::json_values;
use super::nullable::nullable;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::Read;

/// Most that a release may unpack to, in bytes. Helm's own limit is the Secret's 1 MiB of compressed data.
pub const UNPACKED_MAX: u64 = 64 * 1024 * 1024;

/// Most JSON values in a release: a large chart with all its subcharts has some 20,000.
pub const VALUES_MAX: usize = 100_000;

/// Type of a release Secret.
pub const SECRET_TYPE: &str = "helm.sh/release.v1";

/// What the name of each object of Helm's storage begins with.
pub const STORED_PREFIX: &str = "sh.helm.release.v1.";

/// One revision as the labels of its Secret tell it, without decoding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    /// Name of the Secret.
    pub secret: String,
    pub revision: i64,
    /// `deployed`, `failed`, `superseded`, `pending-install`, …
    pub status: String,
    /// RFC 3339, the Secret's creation.
    pub created: Option<String>,
}

/// A decoded release, as far as it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Release {
    pub name: String,
    pub namespace: String,
    pub version: i64,
    #[serde(deserialize_with = "nullable")]
    pub info: Info,
    #[serde(deserialize_with = "nullable")]
    pub chart: Chart,
    /// The values given by the user; null when none were given.
    pub config: Value,
    #[serde(deserialize_with = "nullable")]
    pub hooks: Vec<Hook>,
    /// The objects that were applied, as YAML; hooks are not in it. Can hold secrets.
    #[serde(deserialize_with = "nullable")]
    pub manifest: String,
}

/// `.info`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Info {
    pub first_deployed: Option<String>,
    pub last_deployed: Option<String>,
    /// When it was uninstalled, where its history was to be kept.
    pub deleted: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub status: String,
    #[serde(deserialize_with = "nullable")]
    pub notes: String,
}

/// `.chart`, the metadata and the default values.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Chart {
    #[serde(deserialize_with = "nullable")]
    pub metadata: ChartMetadata,
    pub values: Value,
}

/// `.chart.metadata`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ChartMetadata {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub version: String,
    #[serde(deserialize_with = "nullable")]
    pub app_version: String,
    #[serde(deserialize_with = "nullable")]
    pub dependencies: Vec<Dependency>,
}

/// One entry of `.chart.metadata.dependencies`: a subchart.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Dependency {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub alias: String,
}

/// One entry of `.hooks`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Hook {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub kind: String,
    #[serde(deserialize_with = "nullable")]
    pub path: String,
    #[serde(deserialize_with = "nullable")]
    pub manifest: String,
    #[serde(deserialize_with = "nullable")]
    pub events: Vec<String>,
    /// Hooks of a lower weight come first.
    pub weight: i64,
    pub last_run: Option<LastRun>,
}

/// `.hooks[].last_run`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LastRun {
    pub started_at: Option<String>,
    pub completed_at: Option<String>,
    /// ``, `Unknown`, `Running`, `Succeeded`, `Failed`.
    #[serde(deserialize_with = "nullable")]
    pub phase: String,
}

/// What a revision tells of the Jobs that run before an installation: one of them creates the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It has no such Job.
    None,
    /// Not run in this revision: an upgrade keeps the hook and does not run it.
    NotRun,
    Failed,
    Succeeded,
    /// Helm did not store how it ended, or only of some.
    Unknown,
}

/// Reads it from a revision's hooks.
pub fn creation(hooks: &[Hook]) -> Creation {
    let phases = || creation_jobs(hooks).map(|h| h.last_run.as_ref().map_or("", |r| &r.phase));
    if phases().next().is_none() {
        Creation::None
    } else if phases().all(|p| p == "Succeeded") {
        Creation::Succeeded
    } else if phases().all(str::is_empty) {
        Creation::NotRun
    } else if phases().any(|p| p == "Failed") {
        Creation::Failed
    } else {
        Creation::Unknown
    }
}

/// The Jobs among the hooks that run before an installation.
pub fn creation_jobs(hooks: &[Hook]) -> impl Iterator<Item = &Hook> {
    hooks
        .iter()
        .filter(|h| h.kind == "Job" && h.events.iter().any(|e| e == "pre-install"))
}

/// The part of a release that tells whether its installation created a database, and which.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Installation {
    /// Of the release.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// The revision.
    pub version: i64,
    #[serde(deserialize_with = "nullable")]
    pub chart: Chart,
    #[serde(deserialize_with = "nullable")]
    pub hooks: Vec<Hook>,
    /// The values given by the user; null when none were given.
    pub config: Value,
}

/// Why a payload is not a release.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    #[error("it has no key \"release\"")]
    NoPayload,
    #[error("its payload is not base64 ({0} layer)")]
    Base64(&'static str),
    #[error("its payload cannot be unpacked: {0}")]
    Gzip(String),
    #[error("it unpacks to more than {} MiB", UNPACKED_MAX / 1024 / 1024)]
    TooLarge,
    #[error("it holds more than {VALUES_MAX} values")]
    TooManyValues,
    #[error("its payload is not a release: {0}")]
    Json(String),
    /// As a bundle says it, which does not hold the payload.
    #[error("{0}")]
    Captured(String),
}

/// The part of a release that `notes` needs: what else is in it, the whole chart, is skipped without being kept.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ReleaseNotes {
    pub version: i64,
    #[serde(deserialize_with = "nullable")]
    pub info: Info,
    /// The values given by the user; null when none were given.
    pub config: Value,
    #[serde(deserialize_with = "nullable")]
    pub hooks: Vec<Hook>,
}

/// A release Secret, as far as it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ReleaseSecret {
    #[serde(deserialize_with = "nullable")]
    data: SecretData,
    /// In a captured bundle: what is kept of the release as JSON that people can read. A cluster never sends it.
    #[serde(rename = "stringData", deserialize_with = "nullable")]
    string_data: SecretData,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct SecretData {
    release: Option<String>,
    /// In a bundle: why the payload cannot be decoded.
    error: Option<String>,
}

impl ReleaseSecret {
    /// Decodes `.data.release`, or a bundle's `.stringData.release`, as far as `T` reads it.
    ///
    /// # Errors
    /// What is wrong with the payload; the caller names the Secret.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, StorageError> {
        let plain = self.string_data.release.as_deref();
        let error = self.string_data.error.as_deref();
        from_payload(self.data.release.as_deref(), plain, error)
    }
}

/// Decodes the Secret object's `.data.release`, or a bundle's `.stringData.release`.
///
/// # Errors
/// What is wrong with the payload; the caller names the Secret.
pub fn from_secret<T: DeserializeOwned>(secret: &Value) -> Result<T, StorageError> {
    let text = |path: &str| secret.pointer(path).and_then(Value::as_str);
    from_payload(
        text("/data/release"),
        text("/stringData/release"),
        text("/stringData/error"),
    )
}

/// Decodes a ConfigMap's `.data.release`: what Helm stores with `HELM_DRIVER=configmap`, without the Secret's own base64.
///
/// # Errors
/// As [`from_secret`].
pub fn from_config_map<T: DeserializeOwned>(config_map: &Value) -> Result<T, StorageError> {
    let payload = config_map.pointer("/data/release").and_then(Value::as_str);
    decode_as(payload.ok_or(StorageError::NoPayload)?.as_bytes())
}

/// `plain` and `error`: Helm's JSON as it is, or why it cannot be had, as bundles hold it. Helm's own payload goes before them.
fn from_payload<T: DeserializeOwned>(
    payload: Option<&str>,
    plain: Option<&str>,
    error: Option<&str>,
) -> Result<T, StorageError> {
    match (payload, plain, error) {
        (None, Some(json), _) => return parse(json.as_bytes()),
        (None, None, Some(why)) => return Err(StorageError::Captured(why.to_owned())),
        _ => {}
    }
    let payload = payload.ok_or(StorageError::NoPayload)?;
    let helm = STANDARD
        .decode(payload.trim())
        .map_err(|_| StorageError::Base64("outer"))?;
    decode_as(&helm)
}

/// Decodes what Helm stores: base64 of gzip (or plain) JSON.
fn decode_as<T: DeserializeOwned>(stored: &[u8]) -> Result<T, StorageError> {
    let packed = STANDARD
        .decode(stored.trim_ascii())
        .map_err(|_| StorageError::Base64("inner"))?;
    let json = if packed.len() > 3 && packed.starts_with(&[0x1f, 0x8b, 0x08]) {
        let mut json = Vec::new();
        flate2::read::GzDecoder::new(packed.as_slice())
            .take(UNPACKED_MAX + 1)
            .read_to_end(&mut json)
            .map_err(|e| StorageError::Gzip(e.to_string()))?;
        if json.len() as u64 > UNPACKED_MAX {
            return Err(StorageError::TooLarge);
        }
        json
    } else {
        packed
    };
    parse(&json)
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, StorageError> {
    if json.len() as u64 > UNPACKED_MAX {
        return Err(StorageError::TooLarge);
    }
    if json_values::exceed(json, VALUES_MAX) {
        return Err(StorageError::TooManyValues);
    }
    serde_json::from_slice(json).map_err(|e| StorageError::Json(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn secret(packed: &[u8]) -> Value {
        serde_json::json!({"data": {"release": STANDARD.encode(STANDARD.encode(packed))}})
    }

    // Helm 3 writes zero times as empty texts, Helm 4 leaves them out.
    const HELM3: &str = r#"{"name":"core-a","namespace":"core","version":1,"config":null,"info":{"first_deployed":"2026-11-23T20:19:13Z","deleted":"","status":"deployed","notes":"hi"},"chart":{"metadata":{"name":"c","version":"0.1.2"},"lock":null},"hooks":[{"name":"j","kind":"Job","last_run":{"started_at":"","phase":"Failed"}}]}"#;

    #[test]
    fn packed_and_plain_payloads_are_read() {
        let in_a_bundle = serde_json::json!({"stringData": {"release": HELM3}});
        for secret in [
            secret(&gzip(HELM3.as_bytes())),
            secret(HELM3.as_bytes()),
            in_a_bundle,
        ] {
            let release: Release = from_secret(&secret).unwrap();
            let typed: ReleaseSecret = serde_json::from_value(secret).unwrap();
            assert_eq!(typed.decode::<Release>().unwrap().version, 1);
            assert_eq!((release.version, release.info.notes.as_str()), (1, "hi"));
            assert_eq!(release.chart.metadata.version, "0.1.2");
            assert_eq!(release.hooks[0].last_run.as_ref().unwrap().phase, "Failed");
        }
    }

    #[test]
    fn a_captured_release_is_read_as_it_is() {
        let secret: ReleaseSecret =
            serde_json::from_value(serde_json::json!({"stringData": {"release": HELM3}})).unwrap();
        assert_eq!(secret.decode::<Release>().unwrap().info.notes, "hi");
        let broken = serde_json::json!({"data": null, "stringData": {"release": "{"}});
        let broken: ReleaseSecret = serde_json::from_value(broken).unwrap();
        let why = broken.decode::<Release>().unwrap_err().to_string();
        assert!(why.starts_with("its payload is not a release"), "{why}");
    }

    #[test]
    fn an_upgrade_tells_that_the_creation_job_was_not_run() {
        let hook = |last_run: &str| -> Hook {
            let json = format!(r#"{{"kind":"Job","events":["pre-install"]{last_run}}}"#);
            serde_json::from_str(&json).unwrap()
        };
        // As helm-controller 1.6 stores them.
        let upgraded = hook(r#","last_run":{"phase":""}"#);
        let failed = hook(r#","last_run":{"phase":"Failed"}"#);
        let done = hook(r#","last_run":{"phase":"Succeeded"}"#);
        assert_eq!(creation(&[]), Creation::None);
        assert_eq!(creation(&[hook("")]), Creation::NotRun);
        assert_eq!(creation(&[upgraded]), Creation::NotRun);
        assert_eq!(creation(std::slice::from_ref(&done)), Creation::Succeeded);
        assert_eq!(creation(&[done.clone(), failed]), Creation::Failed);
        // One of them creates the database, and nothing says which.
        assert_eq!(creation(&[done, hook("")]), Creation::Unknown);
        for phase in ["Running", "Unknown", "odd"] {
            let begun = hook(&format!(r#","last_run":{{"phase":"{phase}"}}"#));
            assert_eq!(creation(&[begun]), Creation::Unknown, "{phase}");
        }
    }

    #[test]
    fn broken_payloads_say_what_is_wrong() {
        let wrong = |v: Value| from_secret::<Release>(&v).unwrap_err().to_string();
        assert_eq!(
            wrong(serde_json::json!({"data": {}})),
            "it has no key \"release\""
        );
        assert_eq!(
            wrong(serde_json::json!({"data": {"release": "%%%"}})),
            "its payload is not base64 (outer layer)"
        );
        assert_eq!(
            wrong(serde_json::json!({"data": {"release": STANDARD.encode("%%%")}})),
            "its payload is not base64 (inner layer)"
        );
        assert!(
            wrong(secret(&[0x1f, 0x8b, 0x08, 0, 1, 2]))
                .starts_with("its payload cannot be unpacked")
        );
        assert!(wrong(secret(b"no json")).starts_with("its payload is not a release"));
        let truncated = &gzip(HELM3.as_bytes())[..40];
        assert!(wrong(secret(truncated)).starts_with("its payload cannot be unpacked"));
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let bomb = gzip(&vec![b' '; UNPACKED_MAX as usize + 2]);
        assert!(bomb.len() < 200_000);
        assert_eq!(
            from_secret::<Release>(&secret(&bomb)).unwrap_err(),
            StorageError::TooLarge
        );
    }

    #[test]
    fn many_small_values_are_not_parsed() {
        for (value, before, after) in [
            ("0", r#"{"config":["#, "]}"),
            (r#"{"a":0}"#, r#"{"config":["#, "]}"),
            ("{}", r#"{"hooks":["#, "]}"),
            (r#""""#, r#"{"hooks":[{"events":["#, "]}]}"),
        ] {
            let values = vec![value; VALUES_MAX + 1].join(",");
            let json = format!("{before}{values}{after}");
            assert_eq!(
                from_secret::<Release>(&secret(&gzip(json.as_bytes()))).unwrap_err(),
                StorageError::TooManyValues
            );
            let plain = serde_json::json!({"stringData": {"release": json}});
            assert_eq!(
                from_secret::<Release>(&plain).unwrap_err(),
                StorageError::TooManyValues
            );
        }
    }

    proptest! {
        #[test]
        fn no_payload_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), pack in any::<bool>()) {
            let packed = if pack { gzip(&bytes) } else { bytes.clone() };
            let _ = from_secret::<Release>(&secret(&packed));
            let _ = decode_as::<Release>(&bytes);
        }
    }
}
