//! What a pod is made of, as a template or a manifest gives it.

use super::field::{Entries, Field};
use serde::Deserialize;
use std::fmt;

/// `.spec` of a pod, as far as it is read.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpec {
    pub service_account_name: Field<String>,
    pub containers: Entries<Container>,
    pub init_containers: Entries<Container>,
    pub volumes: Entries<Volume>,
}

/// One container of it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    pub image: Field<String>,
    pub command: Entries<String>,
    pub args: Entries<String>,
    pub env: Entries<Variable>,
    pub env_from: Entries<Variables>,
}

/// One entry of `env`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Variable {
    name: Field<String>,
    pub value: Field<String>,
    pub value_from: Field<ValueFrom>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct ValueFrom {
    secret_key_ref: Field<Reference>,
    config_map_key_ref: Field<Reference>,
}

/// One entry of `envFrom`, or one source of a projected volume.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Variables {
    #[serde(alias = "secret")]
    secret_ref: Field<Reference>,
    #[serde(alias = "configMap")]
    config_map_ref: Field<Reference>,
}

/// One entry of `volumes`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Volume {
    name: Field<String>,
    secret: Field<Reference>,
    config_map: Field<Reference>,
    projected: Field<Projected>,
    persistent_volume_claim: Field<Claim>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
struct Claim {
    claim_name: String,
}

/// One entry of `volumeMounts`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeMount {
    name: Field<String>,
    mount_path: Field<String>,
    sub_path: Field<String>,
}

/// A volume, as a container sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where it is, without a slash at the end.
    pub path: String,
    /// The part of the volume that is mounted; empty for the whole.
    pub sub_path: String,
    pub source: VolumeSource,
}

/// What a volume is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeSource {
    ConfigMap(String),
    Secret(String),
    Projected,
    Claim(String),
    /// Another one, or one that cannot be read: the volume's name.
    Other(String),
}

impl VolumeSource {
    /// The kubelet writes its files from API objects: the volume is read-only, and its files are replaced as a whole.
    pub fn is_of_objects(&self) -> bool {
        matches!(self, Self::ConfigMap(_) | Self::Secret(_) | Self::Projected)
    }
}

impl fmt::Display for VolumeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConfigMap(name) => write!(f, "ConfigMap {name}"),
            Self::Secret(name) => write!(f, "Secret {name}"),
            Self::Projected => f.write_str("a projected volume"),
            Self::Claim(name) => write!(f, "PersistentVolumeClaim {name}"),
            Self::Other(name) => write!(f, "volume {name}"),
        }
    }
}

impl Volume {
    /// The claim of the volume, where it is one.
    pub fn claim(&self) -> Option<&str> {
        let claim = self.persistent_volume_claim.set()?.claim_name.as_str();
        (!claim.is_empty()).then_some(claim)
    }

    /// Whether it is a claim can be read.
    pub fn is_whole(&self) -> bool {
        !self.persistent_volume_claim.is_malformed()
    }

    fn source(&self) -> VolumeSource {
        let name =
            |of: &Field<Reference>| of.set().and_then(|of| of.name.as_str().map(str::to_owned));
        if let Some(name) = name(&self.config_map) {
            return VolumeSource::ConfigMap(name);
        }
        if let Some(name) = name(&self.secret) {
            return VolumeSource::Secret(name);
        }
        if self.projected.set().is_some() {
            return VolumeSource::Projected;
        }
        match self.claim() {
            Some(claim) => VolumeSource::Claim(claim.to_owned()),
            None => VolumeSource::Other(self.name.text().to_owned()),
        }
    }
}

/// The volumes of a container by where they are mounted; not all where an entry cannot be read.
pub fn mounts(volumes: &Entries<Volume>, own: &Entries<VolumeMount>) -> Entries<Mount> {
    let find = |mount: &VolumeMount| {
        let path = mount.mount_path.as_str()?;
        let name = mount.name.as_str()?;
        let volume = volumes.known.iter().find(|v| v.name.as_str() == Some(name));
        let is_whole = volume.is_some() && !mount.sub_path.is_malformed();
        let source = volume.map_or_else(|| VolumeSource::Other(name.to_owned()), Volume::source);
        let mount = Mount {
            path: path.trim_end_matches('/').to_owned(),
            sub_path: mount.sub_path.text().to_owned(),
            source,
        };
        Some((mount, is_whole))
    };
    let found: Vec<Option<(Mount, bool)>> = own.known.iter().map(find).collect();
    let whole = |found: &Option<(Mount, bool)>| found.as_ref().is_some_and(|(_, whole)| *whole);
    Entries {
        all: own.all && found.iter().all(whole),
        known: found
            .into_iter()
            .flatten()
            .map(|(mount, _)| mount)
            .collect(),
    }
}

/// Most bytes of one variable or argument that Linux gives to a program, with the name and the end (MAX_ARG_STRLEN).
const LONGEST: usize = 128 * 1024;

/// What a container's program gets as its environment, beyond what the image sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Kubernetes adds variables of each Service of the namespace; it does unless the pod says no.
    pub service_links: Field<bool>,
    /// Variables whose values are not in the pod, or were left out of a bundle: `PORT (ConfigMap a)`, `PORT`, or the object alone where all
    /// its entries are variables.
    pub of_unknown_length: Vec<String>,
    /// Variables that are longer than Linux allows.
    pub too_long: Vec<String>,
}

impl Environment {
    /// From the entries of a container.
    pub fn new(
        service_links: Field<bool>,
        env: &Entries<Variable>,
        env_from: &Entries<Variables>,
    ) -> Self {
        let object = |of: &Field<Reference>, kind: &str| {
            let name = of.set()?.name.as_str()?;
            Some(format!("{kind} {name}"))
        };
        let named = env.known.iter().filter_map(|variable| {
            let name = variable.name.text();
            let Some(from) = variable.value_from.set() else {
                return variable.value.as_str().is_none().then(|| name.to_owned());
            };
            let object = object(&from.config_map_key_ref, "ConfigMap")
                .or_else(|| object(&from.secret_key_ref, "Secret"))?;
            Some(format!("{name} ({object})"))
        });
        let whole = env_from.known.iter().filter_map(|from| {
            object(&from.config_map_ref, "ConfigMap").or_else(|| object(&from.secret_ref, "Secret"))
        });
        let too_long = env.known.iter().filter(|variable| {
            let both = variable.name.text().len() + variable.value.text().len();
            // An equals sign is between the two, and a zero byte at the end.
            both + 2 > LONGEST
        });
        Self {
            service_links,
            of_unknown_length: named.chain(whole).collect(),
            too_long: too_long.map(|v| v.name.text().to_owned()).collect(),
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct Projected {
    sources: Entries<Variables>,
}

/// An object that is named.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct Reference {
    #[serde(alias = "secretName")]
    name: Field<String>,
    optional: Field<bool>,
}

impl PodSpec {
    /// The Secrets and ConfigMaps that the pod cannot do without, as `Secret a`. What is read here is in the table of
    /// `bundle/kept/fields.rs`.
    pub fn needed(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut refer = |reference: &Field<Reference>, kind: &str| {
            let needed = reference.set().filter(|r| !r.optional.is(&true));
            let name = needed.and_then(|r| r.name.as_str());
            found.extend(name.map(|name| format!("{kind} {name}")));
        };
        for container in self.all_containers() {
            for from in container
                .env
                .known
                .iter()
                .filter_map(|v| v.value_from.set())
            {
                refer(&from.secret_key_ref, "Secret");
                refer(&from.config_map_key_ref, "ConfigMap");
            }
            for from in &container.env_from.known {
                refer(&from.secret_ref, "Secret");
                refer(&from.config_map_ref, "ConfigMap");
            }
        }
        for volume in &self.volumes.known {
            refer(&volume.secret, "Secret");
            refer(&volume.config_map, "ConfigMap");
            for source in volume.projected.set().iter().flat_map(|p| &p.sources.known) {
                refer(&source.secret_ref, "Secret");
                refer(&source.config_map_ref, "ConfigMap");
            }
        }
        found
    }

    fn all_containers(&self) -> impl Iterator<Item = &Container> {
        self.containers
            .known
            .iter()
            .chain(&self.init_containers.known)
    }
}

impl Container {
    /// The value of a flag, `--flag=value` or `--flag value`; malformed where the words cannot be read.
    pub fn flag(&self, name: &str) -> Field<String> {
        let words: Vec<&String> = self.command.known.iter().chain(&self.args.known).collect();
        let found = words.iter().enumerate().find_map(|(at, word)| {
            let rest = word.strip_prefix(name)?;
            match rest.strip_prefix('=') {
                Some(value) => Some(value.to_owned()),
                None if rest.is_empty() => words.get(at + 1).map(|word| (*word).clone()),
                None => None,
            }
        });
        match found {
            _ if !(self.command.all && self.args.all) => Field::Malformed,
            Some(value) => Field::Set(value),
            None => Field::Absent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn what_a_pod_cannot_do_without_is_named() {
        let spec: PodSpec = serde_json::from_value(json!({
            "containers": [{"env": [
                {"name": "A", "valueFrom": {"secretKeyRef": {"name": "couch", "key": "user"}}},
                {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "url", "key": "url"}}},
                {"name": "C", "valueFrom": {"secretKeyRef": {"name": "more", "key": "x", "optional": true}}},
            ], "envFrom": [{"secretRef": {"name": "all"}}]}],
            "initContainers": [{"envFrom": [{"configMapRef": {"name": "first"}}]}],
            "volumes": [{"secret": {"secretName": "tls"}}, {"configMap": {"name": "ca"}}, {"projected": {"sources": [
                {"secret": {"name": "token"}}, {"configMap": {"name": "roots"}}, {"secret": {"name": "maybe", "optional": true}},
            ]}}],
        }))
        .unwrap();
        let mut needed = spec.needed();
        needed.sort();
        assert_eq!(
            needed,
            [
                "ConfigMap ca",
                "ConfigMap first",
                "ConfigMap roots",
                "ConfigMap url",
                "Secret all",
                "Secret couch",
                "Secret tls",
                "Secret token"
            ]
        );
    }

    #[test]
    fn a_flag_is_read_in_both_forms() {
        let flag = |args: Value| {
            let container: Container = serde_json::from_value(json!({"args": args})).unwrap();
            container.flag("--a")
        };
        let set = |text: &str| Field::Set(text.to_owned());
        assert_eq!(flag(json!(["--a=b=c"])), set("b=c"));
        assert_eq!(flag(json!(["--x", "--a", "b"])), set("b"));
        assert_eq!(flag(json!(["--ab=c"])), Field::Absent);
        assert_eq!(flag(json!(["--a=b", 7])), Field::Malformed);
        assert_eq!(flag(json!(null)), Field::Absent);
    }
}
