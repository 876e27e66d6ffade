//! An object of source-controller: a HelmChart, or the repository, bucket or artifact that a chart comes from.

use super::condition::{Condition, Conditions, Dated, Stated, Undated};
use super::field::{Entries, Field, Fields, Meta, Parsed};
use super::helm_release::{GROUP, PLURAL};
use super::source_error::quoted;
use serde::Deserialize;
use serde_json::Value;

/// One link of the chain from a HelmRelease to its chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    pub meta: Meta,
    /// Of a Bucket: its endpoint.
    pub url: Field<String>,
    /// Of a HelmRepository: `default` or `oci`.
    pub repository_type: Field<String>,
    /// Who logs in: `generic` is a Secret, others are a cloud's own identity.
    pub provider: Field<String>,
    pub secret_ref: Field<SecretRef>,
    pub cert_secret_ref: Field<SecretRef>,
    pub service_account_name: Field<String>,
    /// Of a HelmRepository: other hosts that its index leads to get the credentials too.
    pub pass_credentials: Field<bool>,
    pub suspend: Field<bool>,
    /// Of a HelmChart, as the HelmRelease asked for it.
    pub chart: Field<String>,
    pub version: Field<String>,
    pub values_files: Entries<String>,
    pub source_ref: Field<SourceRef>,
    /// Of an OCIRepository or a GitRepository: `spec.ref`.
    pub reference: Field<Reference>,
    /// By whom its revisions must be signed.
    pub verify: Field<Verify>,
    pub observed_generation: Field<i64>,
    pub conditions: Conditions,
    /// What is stored.
    pub artifact: Field<Artifact>,
}

/// Conditions that say what is wrong, the most telling first.
const COMPLAINTS: [(&str, &str); 5] = [
    ("FetchFailed", "True"),
    ("BuildFailed", "True"),
    ("StorageOperationFailed", "True"),
    ("SourceVerified", "False"),
    ("Ready", "False"),
];

/// A Secret of the object's own namespace.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct SecretRef {
    pub name: String,
}

/// The plural of a kind of source-controller's, as paths have it; `None` for another kind.
pub fn plural(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "HelmChart" => "helmcharts",
        "HelmRepository" => "helmrepositories",
        "GitRepository" => "gitrepositories",
        "Bucket" => "buckets",
        "OCIRepository" => "ocirepositories",
        "ExternalArtifact" => "externalartifacts",
        _ => return None,
    })
}

/// A kind in kubectl's words, with its group: other groups have a `HelmChart` (k3s and RKE2) and a `Bucket`, too.
pub fn resource(kind: &str) -> String {
    match plural(kind) {
        Some(plural) => format!("{plural}.source.toolkit.fluxcd.io"),
        None if kind == "HelmRelease" => format!("{PLURAL}.{GROUP}"),
        None => kind.to_lowercase(),
    }
}

/// The source that a HelmChart names, in its own namespace.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct SourceRef {
    pub kind: String,
    pub name: String,
}

/// Which version of an OCI artifact, or of a Git repository: the first that is set counts, of a GitRepository in the order `commit`,
/// `name`, `semver`, `tag`, `branch`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Reference {
    pub digest: Option<String>,
    pub commit: Option<String>,
    pub name: Option<String>,
    pub semver: Option<String>,
    pub tag: Option<String>,
    pub branch: Option<String>,
}

/// `spec.verify`, as far as it is read.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Verify {
    /// The keys; cosign needs none where an identity signs.
    pub secret_ref: Field<SecretRef>,
}

/// `status.artifact`, as far as it is read.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Artifact {
    pub revision: Field<String>,
    pub url: Field<String>,
    pub last_update_time: Field<String>,
}

impl Source {
    /// Reads one object; `kind` where it does not say its kind, as in a list.
    pub fn from_value(object: &Value, kind: &str) -> Self {
        let mut fields = Fields::new(object);
        Self {
            url: match fields.at("/spec/url") {
                // A Bucket has a host in its place.
                Field::Absent => fields.at("/spec/endpoint"),
                url => url,
            },
            repository_type: fields.at("/spec/type"),
            provider: fields.at("/spec/provider"),
            secret_ref: fields.at("/spec/secretRef"),
            cert_secret_ref: fields.at("/spec/certSecretRef"),
            service_account_name: fields.at("/spec/serviceAccountName"),
            pass_credentials: fields.at("/spec/passCredentials"),
            suspend: fields.at("/spec/suspend"),
            chart: fields.at("/spec/chart"),
            version: fields.at("/spec/version"),
            values_files: fields.list("/spec/valuesFiles"),
            source_ref: fields.at("/spec/sourceRef"),
            reference: fields.at("/spec/ref"),
            verify: fields.at("/spec/verify"),
            observed_generation: fields.at("/status/observedGeneration"),
            conditions: fields.list::<Condition>("/status/conditions").into(),
            artifact: fields.at("/status/artifact"),
            meta: fields.meta(kind),
        }
    }

    fn conditions(&self) -> Dated<'_> {
        let generation = self.meta.generation.set().copied();
        self.conditions.at(generation, self.undated())
    }

    fn undated(&self) -> Undated {
        Undated::by(&self.observed_generation, &self.meta.generation)
    }

    /// The condition that says what is wrong with the present spec.
    pub fn complaint(&self) -> Option<&Condition> {
        let all = self.conditions().all_present();
        COMPLAINTS.into_iter().find_map(|(kind, status)| {
            let mut all = all.clone();
            all.find(|c| c.kind == kind && c.status == status)
        })
    }

    /// No condition says that something is wrong, of whichever spec.
    pub fn has_no_complaint(&self) -> bool {
        let mut all = self.conditions().iter().map(Stated::of_any_spec);
        !all.any(|c| COMPLAINTS.contains(&(c.kind.as_str(), c.status.as_str())))
    }

    /// source-controller has stopped trying, until the spec or what it depends on changes.
    pub fn is_stalled(&self) -> bool {
        let stalled = self.conditions().present("Stalled");
        stalled.is_some_and(Condition::is_true)
    }

    /// Ready, and which spec it is about.
    pub fn ready(&self) -> Option<Stated<&Condition>> {
        self.conditions().get("Ready")
    }

    /// Ready, if it is True and about the present spec.
    pub fn ready_now(&self) -> Option<&Condition> {
        let mut all = self.conditions().all_present();
        all.find(|c| c.kind == "Ready" && c.is_true())
    }

    /// Ready, if the object is certainly healthy: it has an artifact, and no condition complains.
    pub fn well(&self) -> Option<&Condition> {
        let ready = self.ready_now()?;
        let is_well = self.meta.malformed.is_empty()
            && self.is_processed()
            && self.artifact.set().is_some()
            && self.has_no_complaint();
        is_well.then_some(ready)
    }

    /// The revision that source-controller has found for the present spec, and is about to fetch.
    pub fn found_revision(&self) -> Option<&str> {
        let working = self.conditions().present("Reconciling")?;
        quoted(&working.message, "new revision ").filter(|_| working.is_true())
    }

    /// source-controller has surely processed the present spec.
    pub fn is_processed(&self) -> bool {
        self.undated() == Undated::Present
    }

    /// source-controller surely leaves the object alone.
    pub fn is_suspended(&self) -> bool {
        self.suspend.is(&true)
    }

    /// A HelmRepository of an OCI registry: nothing is fetched for it, so it has neither conditions nor an artifact.
    pub fn is_static(&self) -> bool {
        self.repository_type.as_str() == Some("oci")
    }

    /// No field is set that credentials can come from.
    pub fn has_no_credentials(&self) -> bool {
        let generic = self.provider.is_absent() || self.provider.text() == "generic";
        generic
            && self.secret_ref.is_absent()
            && self.cert_secret_ref.is_absent()
            && self.service_account_name.is_absent()
    }

    /// The version that an OCIRepository asks for.
    pub fn oci_version(&self) -> &str {
        let Field::Set(Reference {
            digest,
            semver,
            tag,
            ..
        }) = &self.reference
        else {
            return if self.reference.is_absent() {
                "latest"
            } else {
                "?"
            };
        };
        let mut all = [digest, semver, tag].into_iter();
        all.find_map(Option::as_deref).unwrap_or("latest")
    }

    /// The field of `spec.ref` that keeps its content where it is, whatever is pushed to a branch, with its value: a commit, a tag or a
    /// digest. `None` if it follows a branch, or if that cannot be read.
    pub fn pinned_by(&self) -> Option<(&'static str, &str)> {
        let reference = self.reference.set()?;
        let fields = match self.meta.kind.as_str() {
            "GitRepository" => [
                ("commit", &reference.commit),
                ("name", &reference.name),
                ("semver", &reference.semver),
                ("tag", &reference.tag),
            ]
            .to_vec(),
            "OCIRepository" => [("digest", &reference.digest)].to_vec(),
            _ => return None,
        };
        let mut fields = fields.into_iter();
        let first = fields.find_map(|(field, value)| {
            let value = value.as_deref().filter(|value| !value.is_empty())?;
            Some((field, value))
        })?;
        (first.0 != "name" || !first.1.starts_with("refs/heads/")).then_some(first)
    }
}

impl Parsed for Source {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn well() -> Value {
        json!({
            "kind": "HelmChart",
            "metadata": {"name": "a", "namespace": "flux-system", "generation": 2},
            "status": {
                "observedGeneration": 2,
                "artifact": {"revision": "0.1.2"},
                "conditions": [{"type": "Ready", "status": "True", "observedGeneration": 2}],
            },
        })
    }

    #[test]
    fn an_object_is_well_only_where_all_of_it_says_so() {
        let is_well = |path: &str, value: Value| {
            let mut object = well();
            if let Some(place) = object.pointer_mut(path) {
                *place = value;
            }
            Source::from_value(&object, "").well().is_some()
        };
        assert!(is_well("", well()));
        for (path, value) in [
            ("/metadata/generation", json!(null)),
            (
                "/metadata",
                json!({"name": "a", "namespace": "flux-system"}),
            ),
            ("/metadata/generation", json!(3)),
            ("/metadata/generation", json!("2")),
            ("/status/observedGeneration", json!(1)),
            ("/status/observedGeneration", json!("2")),
            ("/status/artifact", json!(null)),
            ("/status/artifact", json!("0.1.2")),
            ("/status/conditions/0/status", json!("Unknown")),
            ("/status/conditions/0/observedGeneration", json!(1)),
            (
                "/status/conditions",
                json!([{"type": "Ready", "status": "True"}, 7]),
            ),
            (
                "/status/conditions",
                json!([{"type": "Ready", "status": "True"}, {"type": "FetchFailed", "status": "True"}]),
            ),
        ] {
            assert!(!is_well(path, value.clone()), "{path}: {value}");
        }
    }

    #[test]
    fn what_is_said_of_an_older_spec_is_no_complaint_about_the_present_one() {
        let of = |conditions: Value| {
            let mut object = well();
            object["metadata"]["generation"] = json!(3);
            object["status"]["conditions"] = conditions;
            let source = Source::from_value(&object, "");
            let kind = source.complaint().map(|c| c.kind.clone());
            (kind, source.has_no_complaint(), source.is_stalled())
        };
        let said = |kind: &str, status: &str, generation: Option<i64>| json!({"type": kind, "status": status, "observedGeneration": generation});
        let old = said("FetchFailed", "True", Some(2));
        assert_eq!(of(json!([old])), (None, false, false));
        // Without a generation of its own it is of the one that was processed last.
        let undated = said("FetchFailed", "True", None);
        assert_eq!(of(json!([undated])), (None, false, false));
        let ready = said("Ready", "False", Some(3));
        assert_eq!(
            of(json!([old, ready])),
            (Some("Ready".to_owned()), false, false)
        );
        let stalled = |generation| of(json!([said("Stalled", "True", Some(generation))])).2;
        assert!(stalled(3) && !stalled(2));
    }

    #[test]
    fn credentials_that_cannot_be_read_are_not_missing() {
        let lacks = |spec: Value| {
            Source::from_value(&json!({"spec": spec}), "HelmRepository").has_no_credentials()
        };
        assert!(lacks(json!({"url": "https://a"})));
        assert!(lacks(json!({"provider": "generic", "secretRef": null})));
        for spec in [
            json!({"provider": "aws"}),
            json!({"provider": 7}),
            json!({"secretRef": {"name": "a"}}),
            json!({"secretRef": "a"}),
            json!({"certSecretRef": []}),
        ] {
            assert!(!lacks(spec.clone()), "{spec}");
        }
    }

    #[test]
    fn the_strongest_field_of_a_reference_decides_where_it_is_pinned() {
        let of = |kind: &str, reference: Value| {
            let object = json!({"spec": {"ref": reference}});
            let source = Source::from_value(&object, kind);
            let pinned = source.pinned_by();
            pinned.map_or("-".to_owned(), |(field, value)| format!("{field} {value}"))
        };
        let git = |reference: Value| of("GitRepository", reference);
        let all = json!({"branch": "main", "tag": "v1", "semver": ">=1", "name": "refs/tags/v2", "commit": "abc"});
        assert_eq!(git(all), "commit abc");
        assert_eq!(
            git(json!({"branch": "main", "tag": "v1", "semver": ">=1"})),
            "semver >=1"
        );
        assert_eq!(git(json!({"branch": "main", "tag": "v1"})), "tag v1");
        assert_eq!(
            git(json!({"tag": "v1", "name": "refs/tags/v2"})),
            "name refs/tags/v2"
        );
        // It follows a branch, or nobody can say.
        for reference in [
            json!({"branch": "main"}),
            json!({"branch": "main", "tag": ""}),
            json!({"tag": "v1", "name": "refs/heads/main"}),
            json!("v1"),
            json!({"tag": 1}),
            json!(null),
        ] {
            assert_eq!(git(reference.clone()), "-", "{reference}");
        }
        assert_eq!(of("OCIRepository", json!({"tag": "v1"})), "-");
        assert_eq!(
            of("OCIRepository", json!({"tag": "v1", "digest": "sha256:0"})),
            "digest sha256:0"
        );
        assert_eq!(of("Bucket", json!({"tag": "v1"})), "-");
    }

    #[test]
    fn a_digest_wins_over_a_tag() {
        let of = |reference: Value| {
            let object = json!({"spec": {"ref": reference}});
            Source::from_value(&object, "OCIRepository")
                .oci_version()
                .to_owned()
        };
        assert_eq!(
            of(json!({"tag": "1.0.0", "digest": "sha256:0"})),
            "sha256:0"
        );
        assert_eq!(of(json!(null)), "latest");
        assert_eq!(of(json!("1.0.0")), "?");
    }
}
