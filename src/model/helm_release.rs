//! The parts of a Flux HelmRelease that this plugin reads, in every served version (v2, v2beta2, v2beta1).
//!
//! Reading is tolerant: an absent or null field is its default, unknown fields are skipped, and `values` stays untyped since
//! a chart's values are anything. The facts behind the fields: Flux's API reference and helm-controller's sources.

use super::condition::{Condition, Conditions, Dated, Stated, Undated};
use super::duration::parse_duration;
use super::field::Field;
use super::names::{composed_release_name, shortened_release_name};
use super::nullable::nullable;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// API group of HelmReleases.
pub const GROUP: &str = "helm.toolkit.fluxcd.io";
/// Their kind.
pub const KIND: &str = "HelmRelease";
/// Plural resource name.
pub const PLURAL: &str = "helmreleases";
/// Label that marks onboardings.
pub const ONBOARDING_SELECTOR: &str = "app.kubernetes.io/part-of=secure-kvs-onboarding";
/// Name of the chart that makes an onboarding.
pub const ONBOARDING_CHART: &str = "secure-kvs-onboarding";

/// One HelmRelease.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HelmRelease {
    pub metadata: Metadata,
    pub spec: Spec,
    pub status: Status,
}

/// `.metadata`, as far as it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    pub name: String,
    pub namespace: String,
    pub uid: String,
    pub resource_version: String,
    pub generation: i64,
    pub creation_timestamp: Option<String>,
    pub deletion_timestamp: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub labels: BTreeMap<String, String>,
    pub annotations: Field<BTreeMap<String, String>>,
    #[serde(deserialize_with = "nullable")]
    pub finalizers: Vec<String>,
}

/// `.spec`, as far as it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    pub chart: Option<ChartTemplate>,
    pub chart_ref: Option<ObjectRef>,
    pub suspend: bool,
    pub interval: Option<String>,
    pub timeout: Option<String>,
    pub release_name: Option<String>,
    pub target_namespace: Option<String>,
    pub storage_namespace: Option<String>,
    pub service_account_name: Option<String>,
    pub kube_config: Option<Value>,
    #[serde(deserialize_with = "nullable")]
    pub depends_on: Vec<ObjectRef>,
    pub values: Value,
    #[serde(deserialize_with = "nullable")]
    pub values_from: Vec<ValuesFrom>,
    pub post_renderers: Value,
    pub drift_detection: Field<DriftDetection>,
    #[serde(deserialize_with = "nullable")]
    pub install: Action,
}

/// `.spec.driftDetection`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct DriftDetection {
    /// `disabled`, `warn` or `enabled`.
    pub mode: Field<String>,
}

/// `.spec.install`, as far as it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Action {
    #[serde(deserialize_with = "nullable")]
    pub remediation: Remediation,
    #[serde(deserialize_with = "nullable")]
    pub strategy: Strategy,
}

/// `.spec.install.remediation`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Remediation {
    /// Attempts after the first one, each after the release was removed; -1 is no end.
    #[serde(deserialize_with = "nullable")]
    pub retries: i64,
}

/// `.spec.install.strategy`, since controller 1.4.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Strategy {
    /// `RemediateOnFailure` or `RetryOnFailure`.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// Between the attempts of `RetryOnFailure`.
    #[serde(rename = "retryInterval")]
    pub retry_interval: Option<String>,
}

/// `.spec.chart`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ChartTemplate {
    pub spec: ChartSpec,
}

/// `.spec.chart.spec`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ChartSpec {
    pub chart: String,
    pub version: Option<String>,
    pub source_ref: ObjectRef,
    #[serde(deserialize_with = "nullable")]
    pub values_files: Vec<String>,
}

/// A reference to another object; an absent namespace means the referrer's own.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct ObjectRef {
    pub kind: String,
    pub name: String,
    pub namespace: Option<String>,
}

/// One entry of `.spec.valuesFrom`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct ValuesFrom {
    pub kind: String,
    pub name: String,
    pub values_key: Option<String>,
    pub target_path: Option<String>,
    pub optional: bool,
}

/// `.status`, as far as it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// -1 until the controller has written a first time; absent in very old objects.
    pub observed_generation: Option<i64>,
    pub last_attempted_generation: Option<i64>,
    pub conditions: Conditions,
    pub helm_chart: Option<String>,
    /// The last request to reconcile that the controller has taken up.
    pub last_handled_reconcile_at: Field<String>,
    pub storage_namespace: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub history: Vec<HistoryEntry>,
    pub last_release_revision: Option<i64>,
    pub last_applied_revision: Option<String>,
    pub last_attempted_revision: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub failures: i64,
    #[serde(deserialize_with = "nullable")]
    pub install_failures: i64,
    #[serde(deserialize_with = "nullable")]
    pub upgrade_failures: i64,
}

/// One entry of `.status.history`, newest first; written since helm-controller 0.37.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HistoryEntry {
    /// The release's real, already shortened name.
    pub name: String,
    /// The release's namespace: the target namespace, not the storage namespace.
    pub namespace: String,
    /// Helm's revision number.
    pub version: i64,
    pub status: String,
    pub chart_name: String,
    pub chart_version: String,
    pub first_deployed: Option<String>,
    pub last_deployed: Option<String>,
}

impl HelmRelease {
    /// Reads one object.
    ///
    /// # Errors
    /// A field of another type than the CRD gives it; names the field.
    pub fn from_value(value: &Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(value)
    }

    /// `namespace/name`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.metadata.namespace, self.metadata.name)
    }

    /// Whether the status was written for an older generation than the spec's, or the object does not say which generation that is.
    ///
    /// Controllers since 0.37 leave `observedGeneration` behind while they retry, so the newest number anywhere in the status counts. But
    /// a Ready that is True counts by its own number, unless the HelmRelease is suspended: that change alone leaves Ready as it was.
    pub fn is_stale(&self) -> bool {
        let Some(generation) = self.generation() else {
            return !self.status.conditions.is_empty();
        };
        let dated = self.conditions_with(Undated::Present);
        let ready = dated.get("Ready").and_then(Stated::past);
        if !self.spec.suspend && ready.is_some_and(Condition::is_true) {
            return true;
        }
        let newest = self.generations().max();
        newest.is_some_and(|newest| newest >= 0 && newest < generation)
    }

    /// Each generation that a part of the status is about.
    fn generations(&self) -> impl Iterator<Item = i64> {
        let status = &self.status;
        let all = self.conditions_with(Undated::Present).iter();
        all.filter_map(|c| c.of_any_spec().observed_generation)
            .chain(status.observed_generation)
            .chain(status.last_attempted_generation)
    }

    /// Generation of the spec; `None` where the object does not say it, so that nothing in its status is known to be about this spec.
    pub fn generation(&self) -> Option<i64> {
        Some(self.metadata.generation).filter(|generation| *generation > 0)
    }

    /// The status's conditions, each with the spec that it is about.
    pub fn conditions(&self) -> Dated<'_> {
        // Controllers before 0.37 write no generation into conditions.
        self.conditions_with(match self.is_stale() {
            true => Undated::History,
            false => Undated::Present,
        })
    }

    fn conditions_with(&self, undated: Undated) -> Dated<'_> {
        self.status.conditions.at(self.generation(), undated)
    }

    /// The condition of type `kind`, if it is about the present spec.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions().present(kind)
    }

    /// Somebody asked Flux to reconcile, and it has not taken that up, or it is not known whether it has.
    pub fn is_asked_again(&self) -> bool {
        let annotations = match &self.metadata.annotations {
            Field::Set(annotations) => annotations,
            Field::Absent => return false,
            Field::Malformed => return true,
        };
        let asked = annotations.get("reconcile.fluxcd.io/requestedAt");
        asked.is_some_and(|asked| !self.status.last_handled_reconcile_at.is(asked))
    }

    /// Whether the rendered chart is patched; true where it is not known.
    pub fn has_post_renderers(&self) -> bool {
        match &self.spec.post_renderers {
            Value::Null => false,
            Value::Array(all) => !all.is_empty(),
            _ => true,
        }
    }

    /// Namespace the release is installed into.
    pub fn release_namespace(&self) -> &str {
        non_empty(&self.spec.target_namespace).unwrap_or(&self.metadata.namespace)
    }

    /// Namespace of Helm's release Secrets: never the target namespace.
    pub fn storage_namespace(&self) -> &str {
        non_empty(&self.status.storage_namespace)
            .or_else(|| non_empty(&self.spec.storage_namespace))
            .unwrap_or(&self.metadata.namespace)
    }

    /// Whether `spec.kubeConfig` names this Secret or ConfigMap.
    pub fn has_kubeconfig_in(&self, kind: &str, name: &str) -> bool {
        let key = match kind {
            "Secret" => "/secretRef/name",
            "ConfigMap" => "/configMapRef/name",
            _ => return false,
        };
        let config = self.spec.kube_config.as_ref();
        config
            .and_then(|config| config.pointer(key))
            .is_some_and(|named| named == name)
    }

    /// True when the Secrets are on another cluster than the HelmRelease.
    pub fn is_remote(&self) -> bool {
        self.spec.kube_config.as_ref().is_some_and(|k| !k.is_null())
    }

    /// `namespace/name` of the HelmChart: the status's, or where the controller would make it.
    pub fn helm_chart(&self) -> Option<(String, String)> {
        if let Some((namespace, name)) = self
            .status
            .helm_chart
            .as_deref()
            .and_then(|c| c.split_once('/'))
        {
            return Some((namespace.to_owned(), name.to_owned()));
        }
        Some((
            self.source_namespace()?.to_owned(),
            format!("{}-{}", self.metadata.namespace, self.metadata.name),
        ))
    }

    /// `spec.timeout`, or Flux's default.
    pub fn timeout(&self) -> &str {
        self.spec.timeout.as_deref().unwrap_or("5m0s")
    }

    /// The same in seconds; `None` if it cannot be read.
    pub fn timeout_seconds(&self) -> Option<i64> {
        seconds(self.timeout())
    }

    /// `spec.interval` in seconds; `None` if it cannot be read.
    pub fn interval_seconds(&self) -> Option<i64> {
        seconds(self.spec.interval.as_deref().unwrap_or("0s"))
    }

    /// The namespace of the source that `spec.chart` names, by the present spec.
    pub fn source_namespace(&self) -> Option<&str> {
        let template = self.spec.chart.as_ref()?;
        let named = non_empty(&template.spec.source_ref.namespace);
        Some(named.unwrap_or(&self.metadata.namespace))
    }

    /// The newest history entry.
    pub fn latest(&self) -> Option<&HistoryEntry> {
        self.status.history.first()
    }

    /// The condition that says that a test of the release failed.
    pub fn failed_test(&self) -> Option<&Condition> {
        let conditions = ["TestSuccess", "Released"].into_iter();
        let mut conditions = conditions.filter_map(|kind| self.condition(kind));
        conditions.find(|c| c.is_false() && c.reason == "TestFailed")
    }

    /// Chart version of the revision that is deployed; `None` where none is, or controllers before 0.37 did not write it down.
    pub fn deployed_version(&self) -> Option<&str> {
        let mut history = self.status.history.iter();
        let deployed = history.find(|entry| entry.status == "deployed")?;
        Some(deployed.chart_version.as_str()).filter(|version| !version.is_empty())
    }

    /// Name of the chart of the last attempt, or of the spec's; `None` where the spec names an artifact alone.
    pub fn installed_chart(&self) -> Option<&str> {
        let latest = self.latest().map(|latest| latest.chart_name.as_str());
        let own = self.spec.chart.as_ref();
        let own = own.map(|chart| chart.spec.chart_folder());
        latest.filter(|name| !name.is_empty()).or(own)
    }

    /// Chart version in use: history, else what was applied or attempted last.
    pub fn chart_version(&self) -> Option<&str> {
        self.latest()
            .map(|h| h.chart_version.as_str())
            .or(self.status.last_applied_revision.as_deref())
            .or(self.status.last_attempted_revision.as_deref())
            .filter(|v| !v.is_empty())
    }

    /// Helm's revision number, where the status has one.
    pub fn revision(&self) -> Option<i64> {
        self.latest()
            .map(|h| h.version)
            .or(self.status.last_release_revision)
            .filter(|r| *r > 0)
    }

    /// The release's name as Helm stores it: the history's, else as the controller composes it.
    pub fn release_name(&self) -> String {
        match self.latest() {
            Some(latest) if !latest.name.is_empty() => latest.name.clone(),
            // Controllers that shorten names write the history; the others fail on long names and store nothing.
            _ => shortened_release_name(&self.composed_release_name()),
        }
    }

    /// The release's name before it is shortened, as failure messages print it.
    pub fn composed_release_name(&self) -> String {
        composed_release_name(
            self.spec.release_name.as_deref(),
            self.spec.target_namespace.as_deref(),
            &self.metadata.name,
        )
    }

    /// Whether it is an onboarding although the label is missing: it installs the onboarding chart.
    pub fn installs_onboarding_chart(&self) -> bool {
        self.spec
            .chart
            .as_ref()
            .is_some_and(|c| c.spec.chart_folder() == ONBOARDING_CHART)
            || self
                .status
                .history
                .iter()
                .any(|h| h.chart_name == ONBOARDING_CHART)
    }

    /// Whether the spec leaves open which chart it is: only a HelmRepository's charts go by their name, others by a path.
    pub fn names_no_chart(&self) -> bool {
        self.spec
            .chart
            .as_ref()
            .is_none_or(|c| c.spec.source_ref.kind != "HelmRepository")
    }
}

impl ChartSpec {
    /// The last part of `chart`: for a Git or Bucket source that is a path, with or without a `/` at its end.
    fn chart_folder(&self) -> &str {
        let path = self.chart.trim_end_matches('/');
        path.rsplit('/').next().unwrap_or(path)
    }
}

/// The text, unless absent or empty.
fn non_empty(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|t| !t.is_empty())
}

fn seconds(text: &str) -> Option<i64> {
    parse_duration(text).ok()?.as_secs().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn nulls_and_unknown_fields_are_nothing() {
        let hr = HelmRelease::from_value(&json!({
            "metadata": {"name": "a", "namespace": "n", "labels": null},
            "spec": {"values": null, "valuesFrom": null, "newField": {"x": 1}},
            "status": {"conditions": null, "history": null, "failures": null}
        }))
        .unwrap();
        assert_eq!(hr.id(), "n/a");
        assert!(hr.status.conditions.is_empty() && hr.latest().is_none());
    }

    #[test]
    fn a_condition_of_an_older_spec_is_not_one_of_the_present() {
        let of = |observed: Option<i64>, in_condition: Option<i64>| {
            let hr = HelmRelease::from_value(&json!({
                "metadata": {"name": "a", "namespace": "n", "generation": 2},
                "status": {"observedGeneration": observed, "conditions": [
                    {"type": "Released", "status": "False", "observedGeneration": in_condition}]}
            }))
            .unwrap();
            let stated = hr.conditions().get("Released").unwrap();
            assert_eq!(hr.condition("Released"), stated.present());
            stated.present().is_some()
        };
        assert!(of(Some(2), Some(2)));
        assert!(!of(Some(2), Some(1)));
        // Without a number of its own, that of the status counts.
        assert!(of(Some(2), None));
        assert!(!of(Some(1), None));
    }

    #[test]
    fn secrets_lie_in_the_storage_namespace() {
        let mut hr = HelmRelease::from_value(&json!({
            "metadata": {"name": "a", "namespace": "flux-system"},
            "spec": {"targetNamespace": "core"}
        }))
        .unwrap();
        assert_eq!(
            (hr.release_namespace(), hr.storage_namespace()),
            ("core", "flux-system")
        );
        hr.spec.storage_namespace = Some("s".into());
        assert_eq!(hr.storage_namespace(), "s");
        hr.status.storage_namespace = Some("t".into());
        assert_eq!(hr.storage_namespace(), "t");
    }

    #[test]
    fn the_helm_chart_is_found_before_the_controller_says_so() {
        let hr = HelmRelease::from_value(&json!({
            "metadata": {"name": "a", "namespace": "flux-system"},
            "spec": {"chart": {"spec": {"chart": "c", "sourceRef": {"kind": "HelmRepository", "name": "r", "namespace": "src"}}}}
        }))
        .unwrap();
        assert_eq!(
            hr.helm_chart(),
            Some(("src".into(), "flux-system-a".into()))
        );
    }

    #[test]
    fn a_chart_in_git_is_known_by_its_folder_or_not_at_all() {
        let chart = |chart: &str, kind: &str| {
            HelmRelease::from_value(&json!({"spec": {"chart": {"spec": {"chart": chart, "sourceRef": {"kind": kind}}}}}))
                .unwrap()
        };
        for path in [
            "secure-kvs-onboarding",
            "./charts/secure-kvs-onboarding",
            "./charts/secure-kvs-onboarding/",
            "charts/secure-kvs-onboarding//",
        ] {
            assert!(chart(path, "GitRepository").installs_onboarding_chart());
        }
        for (path, kind, open) in [
            ("./charts/onboarding", "GitRepository", true),
            ("./charts/onboarding", "Bucket", true),
            ("podinfo", "HelmRepository", false),
        ] {
            let hr = chart(path, kind);
            assert!(!hr.installs_onboarding_chart());
            assert_eq!(hr.names_no_chart(), open, "{path} of a {kind}");
        }
        assert!(HelmRelease::default().names_no_chart());
    }

    #[test]
    fn old_controllers_release_names_are_composed() {
        // The runbook's own status, written by a controller before 0.37.
        let hr = HelmRelease::from_value(&json!({
            "metadata": {"name": "skvs-onboarding-pds--database", "namespace": "flux-system"},
            "spec": {"targetNamespace": "core"}, "status": {"lastReleaseRevision": 1}
        }))
        .unwrap();
        assert_eq!(hr.release_name(), "core-skvs-onboarding-pds--database");
        assert_eq!(hr.revision(), Some(1));
    }

    proptest! {
        #[test]
        fn no_json_panics(text in r#"\{("metadata"|"spec"|"status"):(\{"(name|values|history|conditions)":(null|1|"x"|\[\]|\{\})\}|null|3)\}"#) {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                let _ = HelmRelease::from_value(&value);
            }
        }
    }
}
